"""Pinned memory, copies that are not waited for, and memory that other libraries share; see test_on_the_device."""

from __future__ import annotations

import warnings
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minitorch as mt
from minitorch.cuda import cupy_runtime, sharing
from minitorch.utils.data import DataLoader, TensorDataset
from minitorch.utils.data.pinning import pin_memory


def bits(tensor: mt.Tensor) -> Any:
    return tensor.cpu().double().tolist()


@pytest.mark.on_the_device
def test_pinned_tensors_are_the_same() -> None:
    x = mt.arange(24.0).reshape(2, 3, 4)
    for given in (x, x.transpose(0, 2), x[:, 1], x.to(mt.bfloat16), x > 3, x.to(mt.int64), x[:0], x[0, 0, 0]):
        pinned = given.pin_memory()
        assert pinned.is_pinned() and not given.is_pinned() and pinned.pin_memory() is pinned
        assert pinned.dtype == given.dtype and pinned.shape == given.shape and bits(pinned) == bits(given)
        assert pinned.stride() == mt.empty_like(given).stride() and pinned[..., None].is_pinned()
        assert not pinned.clone().is_pinned()
        there = pinned.to("cuda", non_blocking=True)
        assert there.is_cuda and not there.is_pinned() and bits(there) == bits(given)
        back = mt.empty_like(given).pin_memory().copy_(there, non_blocking=True)
        mt.cuda.synchronize()
        assert bits(back) == bits(given)


@pytest.mark.on_the_device
def test_new_tensors_can_be_pinned_at_once() -> None:
    x = mt.ones(2, 3)
    made = (mt.zeros(2, pin_memory=True), mt.empty(2, 3, pin_memory=True), mt.full((2,), 7.0, pin_memory=True),
            mt.tensor([1.0, 2.0], pin_memory=True, requires_grad=True), mt.ones_like(x, pin_memory=True),
            x.new_zeros(3, pin_memory=True), mt.arange(4, pin_memory=True), mt.linspace(0, 1, 3, pin_memory=True),
            mt.eye(2, pin_memory=True), mt.hann_window(4, pin_memory=True), mt.tril_indices(2, 2, pin_memory=True),
            mt.empty_strided((2, 3), (1, 2), pin_memory=True), mt.scalar_tensor(2, pin_memory=True),
            mt.rand(2, pin_memory=True), mt.randn(2, pin_memory=True), mt.randint(5, (2,), pin_memory=True),
            mt.randperm(3, pin_memory=True), mt.normal(0, 1, (2,), pin_memory=True))  # fmt: skip
    assert all(t.is_pinned() for t in made) and made[3].is_leaf and made[3].requires_grad
    assert made[3].tolist() == [1, 2] and made[6].tolist() == [0, 1, 2, 3]
    taken = mt.zeros(2)
    for wrong in (lambda: mt.zeros(2, pin_memory=True, out=taken), lambda: mt.eye(2, pin_memory=True, out=taken)):
        with pytest.raises(RuntimeError, match="leave one of them out"):
            wrong()


@pytest.mark.on_the_device
def test_only_tensors_of_the_cpu_are_pinned() -> None:
    with pytest.raises(RuntimeError, match="cannot pin"):
        mt.ones(2, device="cuda").pin_memory()
    with pytest.raises(RuntimeError, match="cannot pin"):
        mt.ones(2, device="cuda", pin_memory=True)


@pytest.mark.on_the_device
def test_gradients_pass() -> None:
    x = mt.ones(3, requires_grad=True)
    (x.pin_memory().to("cuda", non_blocking=True) * 2).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


@pytest.mark.on_the_device
def test_only_copies_of_pinned_memory_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, kept = mt.cuda.runtime.active(), []
    copy = runtime.copy
    monkeypatch.setattr(runtime, "copy", lambda *args: (kept.append(args[4] is not None), copy(*args[:4]))[1])
    x, model = mt.ones(3), mt.nn.Linear(2, 2)
    for use, expected in (
        (lambda: x.to("cuda", non_blocking=True), False),
        (lambda: x.pin_memory().to("cuda"), False),
        (lambda: x.pin_memory().to("cuda", non_blocking=True), True),
        (lambda: x.pin_memory().to("cuda", mt.float32, True), True),
        (lambda: x.pin_memory().cuda(non_blocking=True), True),
        (lambda: mt.empty(3, device="cuda").copy_(x.pin_memory(), non_blocking=True), True),
        (lambda: mt.empty(3, device="cuda").copy_(x.pin_memory(), True), True),
        (lambda: x.pin_memory().to("cuda", mt.float64, non_blocking=True), False),  # converted to a copy first
        (lambda: model.to("cuda", non_blocking=True), False),
    ):
        kept.clear()
        use()
        assert kept and all(each is expected for each in kept)


@pytest.mark.on_the_device
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_pinned(workers: int) -> None:
    data = TensorDataset(mt.arange(10).float(), mt.arange(10))
    loader = DataLoader(data, batch_size=4, pin_memory=True, num_workers=workers)
    for _ in range(2):
        batches = list(loader)
        assert [y.tolist() for _, y in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert all(t.is_pinned() for batch in batches for t in batch)


@pytest.mark.on_the_device
def test_what_a_batch_may_be() -> None:
    Pair = namedtuple("Pair", "x name")

    class Own:
        def pin_memory(self) -> str:
            return "pinned"

    found = pin_memory({"a": [mt.ones(2), "text", 3], "b": Pair(mt.ones(1), b"y"), "c": (Own(), None)})
    assert found["a"][0].is_pinned() and found["a"][1:] == ["text", 3]
    assert type(found["b"]) is Pair and found["b"].x.is_pinned() and found["c"] == ("pinned", None)


@pytest.mark.on_the_device
def test_record_stream() -> None:
    x = mt.ones(3, device="cuda")
    assert x.record_stream(mt.cuda.Stream()) is None
    with pytest.raises(TypeError, match="Stream"):
        x.record_stream(3)
    with pytest.raises(NotImplementedError, match="CPU"):
        mt.ones(3).record_stream(mt.cuda.Stream())


def test_without_a_device() -> None:
    if mt.cuda.runtime.is_active() or mt.cuda.runtime.chosen() != "cuda" or mt.cuda.is_available():
        pytest.skip("there is one")
    x = mt.ones(2)
    assert not x.is_pinned()
    with pytest.raises(RuntimeError, match="no CUDA device"):
        x.pin_memory()
    with pytest.warns(UserWarning, match="pin_memory does nothing here: there is no CUDA device"):
        loader = DataLoader(TensorDataset(x), pin_memory=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [t.tolist() for (t,) in loader] == [[1], [1]]
    assert not hasattr(x, "__cuda_array_interface__")


class Queue:
    """A stream of CUDA that notes what it is told."""

    def __init__(self, ptr: int = 0) -> None:
        self.ptr, self.waited, self.done = ptr, [], False

    def record(self) -> Queue:
        return self

    def wait_event(self, event: Any) -> None:
        self.waited.append(event)


def test_memory_that_other_streams_use_is_waited_for_when_it_is_freed() -> None:
    own, other = Queue(), Queue(7)
    block = cupy_runtime.CupyBlock(SimpleNamespace(ptr=4096), 16, cupy_runtime.Usage(), own)
    block.used_in.append(other)
    assert own.waited == []
    del block
    assert own.waited == [other]


# ---- sharing


@pytest.mark.on_the_device
def test_a_simulated_device_shares_nothing() -> None:
    x = mt.ones(3, device="cuda")
    assert not hasattr(x, "__cuda_array_interface__") and x.__dlpack_device__() == (2, 0)
    for use in (x.__dlpack__, lambda: mt.to_dlpack(x), lambda: mt.as_tensor(Foreign(x, 1)),
                lambda: mt.tensor(Foreign(x, 1)), lambda: mt.from_dlpack(Foreign(x, 1))):  # fmt: skip
        with pytest.raises(BufferError, match="simulated"):
            use()
    with pytest.raises(BufferError, match="device 1"):
        mt.from_dlpack(SimpleNamespace(__dlpack__=None, __dlpack_device__=lambda: (2, 1)))
    with pytest.raises(RuntimeError, match="detach"):
        mt.ones(3, device="cuda", requires_grad=True).__cuda_array_interface__  # noqa: B018
    assert not hasattr(mt.ones(3), "__cuda_array_interface__")
    assert mt.from_dlpack(x) is not x and mt.from_dlpack(x).data_ptr() == x.data_ptr()


class Foreign:
    """An array of another library, in this device's memory."""

    def __init__(self, tensor: mt.Tensor, stream: int | None) -> None:
        self.__cuda_array_interface__ = {**sharing.interface(tensor), "stream": stream}
        self.tensor = tensor

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **options: Any) -> None: ...


@pytest.fixture
def as_on_hardware(monkeypatch: pytest.MonkeyPatch) -> list[Queue]:
    """Lets the simulated device share its memory with this test, which has no other use of the addresses."""
    current, made = Queue(), []

    def external(ptr: int) -> Queue:
        made.append(Queue(ptr))
        return made[-1]

    cuda = SimpleNamespace(get_current_stream=lambda: current, ExternalStream=external)
    monkeypatch.setattr(sharing, "hardware", lambda what: cuda)
    return [current]


@pytest.mark.on_the_device
def test_the_interface_there_and_back(as_on_hardware: list[Queue]) -> None:
    x = mt.arange(12.0, device="cuda").reshape(3, 4)
    for given in (x, x.t(), x[1:, ::2], x > 2, x.to(mt.float16), x.to(mt.int32), x[0, 0], x[:0], x[:, :1].expand(3, 5)):
        described = given.__cuda_array_interface__
        assert described["version"] == 3 and described["stream"] == 1 and described["data"][1] is False
        assert (described["strides"] is None) == given.is_contiguous()
        assert described["data"][0] == (given.data_ptr() if given.numel() else 0)
        back = mt.as_tensor(Foreign(given, None))
        assert back.is_cuda and back.dtype == given.dtype and back.shape == given.shape and bits(back) == bits(given)
        assert given.numel() == 0 or back.data_ptr() == given.data_ptr()
    y = mt.as_tensor(Foreign(x, None))
    del x
    y += 1  # in the other's memory, which lives as long
    assert y.tolist()[0] == [1, 2, 3, 4]
    assert mt.tensor(Foreign(y, None)).data_ptr() != y.data_ptr()
    assert mt.as_tensor(Foreign(y, None), device="cpu").sum() == 78


@pytest.mark.on_the_device
def test_the_makers_stream_is_waited_for(as_on_hardware: list[Queue]) -> None:
    x, (current,) = mt.ones(3, device="cuda"), as_on_hardware
    mt.as_tensor(Foreign(x, None))
    assert current.waited == []
    mt.as_tensor(Foreign(x, 77))
    assert [event.ptr for event in current.waited] == [77]


@pytest.mark.on_the_device
def test_what_the_interface_cannot_say(as_on_hardware: list[Queue]) -> None:
    x = mt.arange(6.0, device="cuda")
    for change, message in (
        ({"mask": object()}, "masked"),
        ({"typestr": ">f4"}, "byte order"),
        ({"strides": (-4,)}, "negative"),
        ({"strides": (6,), "shape": (2,)}, "multiples"),
        ({"shape": (-1,)}, "negative"),
        ({"shape": (1,) * 100}, "dimensions"),
        ({"strides": (4, 4)}, "strides"),
    ):
        array = Foreign(x, None)
        array.__cuda_array_interface__ = {**array.__cuda_array_interface__, **change}
        with pytest.raises(ValueError, match=message):
            mt.as_tensor(array)
    with pytest.raises(TypeError, match="bfloat16"):
        x.to(mt.bfloat16).__cuda_array_interface__  # noqa: B018
    array.__cuda_array_interface__ = {**sharing.interface(x), "typestr": "<U4"}
    with pytest.raises(TypeError):
        mt.as_tensor(array)
    array.__cuda_array_interface__ = {**sharing.interface(x), "data": (x.data_ptr(), True)}
    with pytest.raises(RuntimeError, match="read-only"):
        mt.as_tensor(array).add_(1)


def test_streams_are_the_devices() -> None:
    with pytest.raises(BufferError, match="in no stream"):
        mt.ones(2).__dlpack__(stream=1)
    np.testing.assert_array_equal(np.from_dlpack(mt.ones(2)), np.ones(2))
