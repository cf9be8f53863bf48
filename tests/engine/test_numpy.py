"""Between NumPy and tensors: what is shared, who keeps the memory alive, and which arrays are refused."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from helpers import DTYPES, array, assert_same, dtype_of, mt, name_of, only_here, refuses, tensor

pytestmark = pytest.mark.cpu_only("NumPy shares the memory of the CPU")
NATIVE = [n for n in DTYPES if n != "bfloat16"]


@pytest.mark.parametrize("name", NATIVE)
def test_from_numpy_shares(name: str) -> None:
    a = np.arange(6).reshape(2, 3).astype(name)
    t = mt.from_numpy(a)
    assert t.dtype == dtype_of(name) and t.shape == (2, 3) and t.data_ptr() == a.ctypes.data
    a[0, 0] = 1
    t[1, 2] = 0
    assert_same(t, a)
    assert a[1, 2] == 0 and array(t)[0, 0] == 1
    back = t.numpy()
    assert back.dtype == a.dtype and back.ctypes.data == a.ctypes.data


@pytest.mark.parametrize(
    "index", [np.s_[:, ::2], np.s_[1:, 1:], np.s_[0], np.s_[1, 2], np.s_[:0], np.s_[:, None]], ids=str
)
def test_strided_arrays(index) -> None:
    base = np.arange(12.0).reshape(3, 4)
    for a in (base[index], base.T[index] if base.T[index].ndim else base.T[index].reshape(())):
        a = np.asarray(a)
        t = mt.from_numpy(a)
        assert_same(t, np.array(a))
        assert a.size == 0 or t.data_ptr() == a.__array_interface__["data"][0]
        if a.size:
            a += 1 if a.flags.writeable else 0
            assert_same(t, np.array(a))
    f = np.asfortranarray(base)
    assert mt.from_numpy(f).stride() == (1, 3)
    assert mt.from_numpy(np.broadcast_to(base[:1], (3, 4)).copy()).is_contiguous()


def test_tensor_copies() -> None:
    a = np.arange(3.0)
    t = mt.tensor(a)
    a[0] = 7
    assert_same(t, np.array([0.0, 1, 2]))
    assert mt.tensor(a, dtype=mt.float32).dtype == mt.float32
    assert mt.tensor(np.float32(2.5)).dtype == mt.float32 and mt.tensor(np.int16(3)).dtype == mt.int16
    assert mt.tensor(np.float64(2.5)).dtype == mt.float64
    assert_same(mt.tensor(np.stack([[1, 2], [3, 4]])), np.array([[1, 2], [3, 4]]))


def test_as_tensor() -> None:
    a = np.arange(3.0)
    assert mt.as_tensor(a).data_ptr() == a.ctypes.data
    assert mt.as_tensor(a, dtype=mt.float64).data_ptr() == a.ctypes.data
    assert mt.as_tensor(a, dtype=mt.float32).data_ptr() != a.ctypes.data
    t = mt.from_numpy(a)
    assert mt.as_tensor(t) is t and mt.as_tensor(t, dtype=mt.float32).dtype == mt.float32
    assert_same(mt.as_tensor([1, 2]), np.array([1, 2]))
    assert mt.as_tensor(2.5).shape == ()


def test_numpy_shares() -> None:
    t = tensor(np.arange(6.0).reshape(2, 3))
    a = t.numpy()
    a[0, 0] = 9
    assert t[0, 0] == 9 and a.ctypes.data == t.data_ptr()
    v = t.t()[1:].numpy()
    assert v.shape == (2, 2) and v.strides == (8, 24) and v.ctypes.data == t.data_ptr() + 8
    assert t.expand(4, 2, 3).numpy().strides == (0, 24, 8)
    assert mt.tensor(2.5).numpy().shape == () and mt.zeros(0, 3).numpy().shape == (0, 3)


def test_array_protocol() -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(t).ctypes.data == t.data_ptr()
    assert np.asarray(t, dtype="float32").dtype == np.float32
    assert np.array(t).ctypes.data != t.data_ptr()
    assert np.array(t, copy=True).ctypes.data != t.data_ptr()
    np.testing.assert_array_equal(np.sqrt(t), np.sqrt(array(t)))
    np.testing.assert_array_equal(np.concatenate([t, t]), np.concatenate([array(t)] * 2))
    assert np.mean(tensor([1.0, 3.0]).numpy()) == 2


@only_here
def test_array_protocol_without_a_copy() -> None:
    t = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(t, copy=False).ctypes.data == t.data_ptr()
    with pytest.raises(ValueError):
        np.asarray(t, dtype="int32", copy=False)


def test_numpy_of_what_requires_grad() -> None:
    x = tensor([1.0]).requires_grad_(True)
    with refuses(RuntimeError, "detach"):
        x.numpy()
    with refuses(RuntimeError, "detach"):
        np.asarray(x)
    assert x.detach().numpy().shape == (1,)
    assert x.numpy(force=True).shape == (1,)


def test_bfloat16_has_no_array() -> None:
    with refuses(TypeError, "bfloat16"):
        mt.zeros(2, dtype=mt.bfloat16).numpy()


def test_the_owner_is_kept_alive() -> None:
    """The array by its tensors and their views, the tensor's memory by its arrays."""

    class Owner(np.ndarray):
        """Can be referenced weakly."""

    a = np.arange(1000.0).view(Owner)
    ghost = weakref.ref(a)
    v = mt.from_numpy(a)[10:20]
    del a
    gc.collect()
    assert ghost() is not None
    assert_same(v, np.arange(10.0, 20.0))
    b = v.numpy()
    del v
    gc.collect()
    np.testing.assert_array_equal(b, np.arange(10.0, 20.0))
    del b
    gc.collect()
    assert ghost() is None

    t = mt.arange(1000.0)
    n = t[5:].numpy()
    del t
    for _ in range(50):
        mt.full((1000,), -1.0)  # would take the block if it had been freed
    np.testing.assert_array_equal(n, np.arange(5.0, 1000, dtype="f4"))


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_read_only_arrays() -> None:
    """Can be read, and copied to what can be written."""
    a = np.arange(3.0)
    a.flags.writeable = False
    assert_same(mt.from_numpy(a), a)
    assert_same(mt.from_numpy(a) + 1, a + 1)
    mt.tensor(a).add_(1)
    mt.from_numpy(a).clone().add_(1)
    np.testing.assert_array_equal(a, np.arange(3.0))


@only_here
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_read_only_arrays_stay_as_they_are() -> None:
    """A write through a tensor is refused, and the array that comes back is as read-only as the one that went in."""
    a = np.arange(3.0)
    a.flags.writeable = False
    t = mt.from_numpy(a)
    assert t.data_ptr() == a.ctypes.data
    for change in (
        lambda: t.add_(1),
        lambda: t[1:].zero_(),
        lambda: t.view(3, 1).mul_(2),
        lambda: t.__setitem__(0, 5.0),
        lambda: mt.exp(t, out=t),
        lambda: t.copy_(t + 1),
        lambda: t.t().uniform_(),
    ):
        with refuses(RuntimeError, "read-only"):
            change()
    np.testing.assert_array_equal(a, np.arange(3.0))
    assert not t.numpy().flags.writeable and not t[1:].numpy().flags.writeable


BAD = [
    ("big-endian", np.arange(3, dtype=">f8"), (ValueError, TypeError), "byte order"),
    ("big-endian int", np.arange(3, dtype=">i4"), (ValueError, TypeError), "byte order"),
    ("object", np.array([1, None], dtype=object), TypeError, "object"),
    ("structured", np.zeros(3, dtype=[("a", "f4"), ("b", "i4")]), TypeError, "a"),
    ("string", np.array(["a", "b"]), TypeError, "str"),
    ("bytes", np.array([b"a"]), TypeError, "S1"),
    ("datetime", np.array(["2020-01-01"], "datetime64[D]"), TypeError, "datetime64"),
    ("longdouble", np.zeros(2, np.longdouble), TypeError, "float128"),
    ("void", np.zeros(2, "V5"), TypeError, "void"),
]


@pytest.mark.parametrize("a, kind, word", [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_refused_arrays(a, kind, word: str) -> None:
    with refuses(kind):
        mt.from_numpy(a)
    if word != "byte order":
        with refuses(kind):
            mt.tensor(a)


def test_not_arrays() -> None:
    for bad in ([1, 2], 3, None, "a", mt.zeros(2)):
        with refuses(TypeError):
            mt.from_numpy(bad)


def test_odd_strides() -> None:
    """Negative strides and strides that are no multiple of the element are taken rightly or refused, never misread."""
    a = np.arange(6.0).reshape(2, 3)
    odd = np.zeros(3, dtype=[("a", "i1"), ("b", "<f8")])["b"]
    reversed_both = a[::-1, ::-1]
    for view in (a[::-1], reversed_both, odd):
        for f in (mt.from_numpy, mt.tensor, mt.as_tensor):
            try:
                t = f(view)
            except ValueError as error:
                assert "stride" in str(error) or "align" in str(error)
            else:
                assert_same(t, np.array(view))


def test_misaligned() -> None:
    """An array whose data is not aligned to its type."""
    raw = np.zeros(33, np.uint8)
    a = raw[1:].view("f8")
    a[:] = [1, 2, 3, 4]
    try:
        t = mt.from_numpy(a)
    except ValueError:
        return
    assert_same(t + 1, a + 1)
    assert t.sum() == 10


def test_sizes() -> None:
    for shape in [(), (0,), (0, 3), (3, 0), (2, 0, 2), (1,), (1, 1, 1)]:
        a = np.zeros(shape, "f4")
        t = mt.from_numpy(a)
        assert tuple(t.shape) == shape and t.numpy().shape == shape
        assert_same(t + 1, a + 1)
    deep = np.zeros((1,) * 20)
    try:
        t = mt.from_numpy(deep)
    except (RuntimeError, ValueError) as error:
        assert "dim" in str(error)
    else:
        assert t.dim() == 20


def test_scalars_and_lists() -> None:
    t = mt.tensor([[1, 2.5], [True, np.float32(3)]])
    assert t.dtype == mt.float32
    assert_same(t, np.array([[1, 2.5], [1, 3]], "f4"))
    assert name_of(mt.tensor([np.float64(1.5)]).dtype) in ("float64", "float32")
    assert_same(mt.tensor(((1, 2), (3, 4))), np.array([[1, 2], [3, 4]]))
    assert_same(mt.tensor(range(3)), np.arange(3))
    assert mt.tensor([[], []]).shape == (2, 0)
    assert mt.tensor([mt.tensor(1.0), mt.tensor(2.0)]).shape == (2,)
    assert_same(np.ones(2) * 3.0, np.array([3.0, 3.0]))


def test_arithmetic_with_numpy() -> None:
    """NumPy's numbers are numbers."""
    t = tensor([1.0, 2.0], "float32")
    for number in (np.float64(1.5), np.float32(1.5), np.int64(2), np.int8(2), np.bool_(True)):
        got = t * number
        assert isinstance(got, mt.Tensor)
        np.testing.assert_allclose(array(got), array(t) * float(number))
