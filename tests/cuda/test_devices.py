"""What a program asks of the device: memory, random numbers, files; on whatever run time ``MINITORCH_CUDA`` names."""

from __future__ import annotations

import io
import os
import threading

import pytest

import minitorch as mt
from minitorch import nn

CHOSEN = bool(os.environ.get("MINITORCH_CUDA"))


def test_one_device() -> None:
    mt.cuda.set_device(0)
    mt.cuda.set_device("cuda:0")
    with mt.cuda.device(0):
        pass
    for wrong in (1, "cuda:1"):
        with pytest.raises(RuntimeError, match="one device"):
            mt.cuda.set_device(wrong)


@pytest.mark.on_the_device
def test_memory() -> None:
    before = mt.cuda.memory_allocated()
    x = mt.zeros(100_000, device="cuda")
    assert mt.cuda.memory_allocated() >= before + 400_000 and mt.cuda.memory_reserved() >= before + 400_000
    del x
    assert mt.cuda.memory_allocated() == before and mt.cuda.max_memory_allocated() >= before + 400_000
    mt.cuda.reset_peak_memory_stats()
    assert mt.cuda.max_memory_allocated() == before


@pytest.mark.on_the_device
def test_memory_summary() -> None:
    x = mt.zeros(2**20, device="cuda")
    summary = mt.cuda.memory_summary()
    assert x.nbytes == 4 * 2**20 and "held by tensors" in summary and "all of the device" in summary
    assert summary.startswith(mt.cuda.get_device_name()) and "all of" not in mt.cuda.memory_summary(abbreviated=True)


@pytest.mark.on_the_device
def test_random_numbers() -> None:
    mt.cuda.manual_seed(0)
    state = mt.cuda.get_rng_state()
    first, second = (mt.randn(4, device="cuda") for _ in range(2))
    assert mt.cuda.initial_seed() == 0 and not mt.equal(first, second)
    mt.testing.assert_close(first.cpu(), mt.tensor([-0.9247, -0.4253, -2.6438, 0.1452]), atol=1e-4, rtol=0)
    mt.cuda.set_rng_state(state)
    assert mt.equal(mt.randn(4, device="cuda"), first)
    mt.cuda.manual_seed_all(0)
    assert mt.equal(mt.randn(4, device="cuda"), first)


@pytest.mark.on_the_device
def test_random_numbers_of_several_threads() -> None:
    """No two threads are given the same numbers, and none are left out."""
    threads, each, begin, drawn = 4, 10, threading.Barrier(4), []
    state = mt.cuda.get_rng_state()

    def draw() -> None:
        begin.wait()
        for _ in range(each):
            drawn.append(mt.rand(20_000, device="cuda"))

    workers = [threading.Thread(target=draw) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    mt.cuda.set_rng_state(state)
    alone = [tuple(mt.rand(20_000, device="cuda").tolist()) for _ in range(threads * each)]
    assert {tuple(numbers.tolist()) for numbers in drawn} == set(alone)


def there_and_back(value: object, **options: object) -> object:
    file = io.BytesIO()
    mt.save(value, file)
    file.seek(0)
    return mt.load(file, **options)


@pytest.mark.on_the_device
def test_files() -> None:
    """Tensors are loaded to where they were saved from, unless another place is named; views still share."""
    x = mt.arange(6.0, device="cuda").reshape(2, 3)
    saved = {"x": x, "row": x[1], "here": mt.ones(2)}
    found = there_and_back(saved)
    assert [found[k].device.type for k in saved] == ["cuda", "cuda", "cpu"]
    assert found["row"].tolist() == [3, 4, 5] and found["row"].storage_offset() == 3
    assert there_and_back(saved, map_location="cpu")["row"].device.type == "cpu"
    assert there_and_back(mt.ones(2), map_location="cuda").device.type == "cuda"
    model = nn.Linear(2, 3).cuda()
    other = nn.Linear(2, 3)
    other.load_state_dict(there_and_back(model.state_dict()))
    assert mt.equal(other.weight, model.weight.cpu()) and other.weight.device.type == "cpu"


@pytest.mark.skipif(CHOSEN, reason="there is a device then")
def test_files_without_a_device() -> None:
    if mt.cuda.device_count():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="map_location='cpu'"):
        there_and_back(mt.ones(2), map_location="cuda")


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", ["attention", "LSTM", "GRU"])
def test_models_whose_fast_form_is_the_cpu_s(name: str) -> None:
    found = []
    for device in ("cpu", "cuda"):
        mt.manual_seed(0)
        x = mt.randn(2, 5, 4).double().to(device).requires_grad_()
        if name == "attention":
            y = nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)
        else:
            y, _ = getattr(nn, name)(4, 3, batch_first=True).double().to(device)(x)
        (y * y).sum().backward()
        found.append((y.detach().cpu(), x.grad.cpu()))
    mt.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-10)


@pytest.mark.on_the_device
def test_complex_numbers_are_refused() -> None:
    pairs, z = mt.ones(2, 2, dtype=mt.float64, device="cuda"), mt.ones(2, dtype=mt.complex64)
    for make in (z.cuda, lambda: mt.empty(2, dtype=mt.complex64, device="cuda"), lambda: mt.view_as_complex(pairs),
                 lambda: pairs.view(mt.complex128), lambda: pairs * 1j, lambda: mt.complex(pairs, pairs),
                 lambda: pairs.to(mt.complex64), lambda: mt.linalg.eig(pairs)):  # fmt: skip
        with pytest.raises(NotImplementedError, match=r"on cuda yet.*\.cpu\(\)"):
            make()


@pytest.mark.on_the_device
def test_what_the_cpu_computes_for_the_device() -> None:
    a = mt.tensor([[4.0, 1.0], [1.0, 3.0]], device="cuda", requires_grad=True)
    inverse = mt.linalg.inv(a)
    inverse.trace().backward()
    assert inverse.is_cuda and a.grad.is_cuda and mt.linalg.lu(a).P.is_cuda
    mt.testing.assert_close((a @ inverse).cpu(), mt.eye(2))
    mt.testing.assert_close(a.grad.cpu(), -(inverse @ inverse).cpu().mT)
    with pytest.raises(mt.linalg.LinAlgError, match="singular"):
        mt.linalg.inv(mt.zeros(2, 2, device="cuda"))
    assert mt.signal.windows.hann(8, device="cuda").is_cuda
    for function in (lambda x: mt.frexp(x).exponent, mt.special.bessel_j0):
        assert function(a.detach()).is_cuda and mt.equal(function(a.detach()).cpu(), function(a.detach().cpu()))


@pytest.mark.on_the_device
def test_samplers_draw_where_their_generator_is() -> None:
    from minitorch.utils.data import RandomSampler, random_split

    mt.manual_seed(0)
    expected = list(RandomSampler(range(9)))
    mt.set_default_device("cuda")
    try:
        mt.manual_seed(0)
        assert list(RandomSampler(range(9))) == expected
        orders = [list(RandomSampler(range(9), generator=mt.Generator("cuda").manual_seed(s))) for s in (1, 1, 2)]
        assert orders[0] == orders[1] != orders[2] and sorted(orders[2]) == list(range(9))
        assert [len(part) for part in random_split(range(9), [4, 5])] == [4, 5]
    finally:
        mt.set_default_device(None)


@pytest.mark.on_the_device
def test_too_much_memory() -> None:
    with pytest.raises(mt.cuda.OutOfMemoryError, match=r"out of memory: .* bytes asked for"):
        mt.empty(2**50, device="cuda")
    assert issubclass(mt.OutOfMemoryError, RuntimeError) and mt.ones(2, device="cuda").sum() == 2
