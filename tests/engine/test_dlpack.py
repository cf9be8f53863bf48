"""Tensors to and from other libraries by DLPack, over the same memory."""

import numpy as np
import pytest
from helpers import array, dtype_of, mt, only_here, refuses

pytestmark = pytest.mark.cpu_only("a GPU's memory is shared with CuPy: tests/cuda/test_pinned.py")
TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("name", TYPES)
def test_numpy_both_ways(name: str) -> None:
    a = np.arange(6).reshape(2, 3).astype(name)
    t = mt.from_dlpack(a)
    assert t.dtype == dtype_of(name) and np.array_equal(array(t), a)
    t[0, 1] = 0
    assert a[0, 1] == 0
    back = np.from_dlpack(t.T)
    assert back.dtype == a.dtype and np.array_equal(back, a.T) and back.ctypes.data == t.data_ptr()


def test_layouts_and_capsules() -> None:
    t = mt.arange(24).view(2, 3, 4)
    for view in (t[1, :, ::2], t.permute(2, 0, 1), t[:, 1], t[:0], t[1, 2, 3]):
        assert np.array_equal(np.from_dlpack(view), array(view))
        assert mt.equal(mt.from_dlpack(view), view)
    assert mt.utils.dlpack.from_dlpack(mt.utils.dlpack.to_dlpack(t)).data_ptr() == t.data_ptr()
    assert tuple(t.__dlpack_device__()) == (1, 0)


@only_here
def test_options() -> None:
    t = mt.arange(3)
    assert mt.from_dlpack(t, copy=True).data_ptr() != t.data_ptr() == mt.from_dlpack(t).data_ptr()


def test_refusals() -> None:
    with refuses(BufferError, "gradient"):
        mt.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises((BufferError, RuntimeError, TypeError)):
        np.from_dlpack(mt.ones(2, dtype=mt.bfloat16))
    with pytest.raises((AttributeError, TypeError, BufferError, RuntimeError)):
        mt.from_dlpack(3)


@only_here
def test_pytorch_both_ways() -> None:
    torch = pytest.importorskip("torch")
    t = mt.arange(6.0).view(2, 3)
    theirs = torch.from_dlpack(t)
    theirs[0, 0] = 7
    assert t[0, 0] == 7 and mt.from_dlpack(theirs).data_ptr() == t.data_ptr()
