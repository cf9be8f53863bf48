"""New tensors: by strides, from what others made, windows for signals, numbers from distributions."""

from __future__ import annotations

import math

import numpy as np

from .._creation import _check, _finish
from .._ext import engine
from .._ext.dtype import ALL, dtype, get_default_dtype, set_default_dtype
from .._tensor import Tensor

__all__ = [
    "asarray", "bartlett_window", "blackman_window", "empty_strided", "frombuffer", "hamming_window", "hann_window",
    "kaiser_window", "new_empty_strided", "scalar_tensor", "set_default_tensor_type",
]

_float64 = ALL[9]


def empty_strided(size, stride, *, dtype: dtype | None = None, layout=None, device=None, requires_grad: bool = False,
                  pin_memory: bool = False) -> Tensor:
    """A tensor of the given shape and strides that is not initialised.

    >>> import minitorch
    >>> minitorch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    _check(device, layout)
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"empty_strided: mismatch in length of size {size} and stride {stride}")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"empty_strided: strides must not be negative, got {stride}")
    places = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride))
    result = engine.empty(places, dtype=dtype, device=device, pin_memory=pin_memory).as_strided(size, stride)
    return result.requires_grad_() if requires_grad else result


def new_empty_strided(self: Tensor, size, stride, dtype: dtype | None = None, layout=None, device=None,
                      requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """`empty_strided` of this tensor's type."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, layout=layout, device=device,
                         requires_grad=requires_grad, pin_memory=pin_memory)


def asarray(obj, *, dtype: dtype | None = None, device=None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:
    """A tensor of anything that holds numbers, sharing its memory where that is possible.

    Args:
        copy: True never shares; False refuses where sharing is not possible.

    >>> import minitorch
    >>> minitorch.asarray([1, 2])
    tensor([1, 2])
    """
    _check(device)
    if isinstance(obj, Tensor):
        result = obj if dtype is None else obj.to(dtype)
        result = result.clone() if copy and result is obj else result
        shared = result is obj
        if not requires_grad:
            result = result.detach()
    elif isinstance(obj, np.ndarray):
        shared_array = engine.from_numpy(obj)
        result = shared_array if dtype is None else shared_array.to(dtype)
        shared = result is shared_array
        result = result.clone() if copy and shared else result
    elif isinstance(obj, (memoryview, bytearray, bytes)) and dtype is not None:
        result, shared = frombuffer(obj, dtype=dtype), not copy
        result = result.clone() if copy else result
    else:
        result, shared = engine.tensor(obj, dtype=dtype), False
    if copy is False and not shared:
        raise ValueError("asarray: can't alias the data, though copy=False was asked for")
    return result.requires_grad_() if requires_grad else result


def frombuffer(buffer, *, dtype: dtype, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector over the memory of an object with the buffer protocol.

    Args:
        count: how many elements; -1 for all that follow.
        offset: how many bytes to skip.

    >>> import minitorch
    >>> minitorch.frombuffer(bytearray(b"\\x01\\x02"), dtype=minitorch.uint8)
    tensor([1, 2], dtype=torch.uint8)
    """
    view = memoryview(buffer).cast("B")
    size = dtype.itemsize
    if not 0 <= offset < len(view):
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
                         f"({len(view)} bytes) minus 1")
    if count < 0:
        if (len(view) - offset) % size:
            raise ValueError(f"buffer length ({len(view) - offset} bytes) after offset ({offset} bytes) must be a "
                             f"multiple of element size ({size})")
        count = (len(view) - offset) // size
    if count * size > len(view) - offset:
        raise ValueError(f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be "
                         f"greater than actual buffer length ({len(view)} bytes)")
    raw = np.frombuffer(buffer, dtype=np.uint8, count=count * size, offset=offset)
    if raw.ctypes.data % size:
        raw = raw.copy()
    result = engine.from_numpy(raw).view(dtype)
    return result.requires_grad_() if requires_grad else result


def scalar_tensor(s, *, dtype: dtype | None = None, layout=None, device=None, requires_grad: bool = False,
                  pin_memory: bool = False) -> Tensor:
    """A tensor without dimensions that holds a number, of the default type."""
    _check(device, layout)
    return engine.tensor(s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad,
                         pin_memory=pin_memory)


def set_default_tensor_type(t) -> None:
    """`set_default_dtype` by the old names, as ``"torch.DoubleTensor"`` or ``minitorch.DoubleTensor``."""
    from .._creation import legacy_dtype

    set_default_dtype(legacy_dtype(t))


# --- windows ----------------------------------------------------------------------------------------------------------

def _window(length: int, periodic: bool, formula, name: str, dtype, layout, device, pin_memory, requires_grad,
            out=None):
    """A window of so many samples; a periodic one is the symmetric one that is longer by one, cut."""
    _check(device, layout)
    kind = dtype or get_default_dtype()
    if not kind.is_floating_point:
        raise RuntimeError(f"{name}() expects floating point dtypes, got: {kind}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length <= 1:
        values = np.ones(length)
    else:
        samples = length if periodic else length - 1
        values = formula(np.arange(length, dtype=np.float64), samples)
    return _finish(engine.from_numpy(np.asarray(values)).to(kind), out, requires_grad, device, pin_memory)


def hann_window(window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout=None, device=None,
                pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None) -> Tensor:
    r"""Hann's window, a raised cosine.

    .. math:: w_n = \tfrac12 \bigl(1 - \cos \tfrac{2 \pi n}{N}\bigr)

    >>> import minitorch
    >>> minitorch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(window_length, periodic, lambda n, N: 0.5 - 0.5 * np.cos(2 * math.pi * n / N), "hann_window",
                   dtype, layout, device, pin_memory, requires_grad, out)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: dtype | None = None, layout=None, device=None, pin_memory: bool = False,
                   requires_grad: bool = False, out: Tensor | None = None) -> Tensor:
    r"""Hamming's window.

    .. math:: w_n = \alpha - \beta \cos \tfrac{2 \pi n}{N}

    >>> import minitorch
    >>> minitorch.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _window(window_length, periodic, lambda n, N: alpha - beta * np.cos(2 * math.pi * n / N), "hamming_window",
                   dtype, layout, device, pin_memory, requires_grad, out)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout=None, device=None,
                    pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None) -> Tensor:
    r"""Blackman's window.

    .. math:: w_n = 0.42 - 0.5 \cos \tfrac{2 \pi n}{N} + 0.08 \cos \tfrac{4 \pi n}{N}
    """
    return _window(
        window_length, periodic,
        lambda n, N: 0.42 - 0.5 * np.cos(2 * math.pi * n / N) + 0.08 * np.cos(4 * math.pi * n / N), "blackman_window",
        dtype, layout, device, pin_memory, requires_grad, out)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout=None, device=None,
                    pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None) -> Tensor:
    r"""Bartlett's window, a triangle.

    .. math:: w_n = 1 - \bigl|\tfrac{2n}{N} - 1\bigr|

    >>> import minitorch
    >>> minitorch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(window_length, periodic, lambda n, N: 1 - np.abs(2 * n / N - 1), "bartlett_window",
                   dtype, layout, device, pin_memory, requires_grad, out)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: dtype | None = None,
                  layout=None, device=None, pin_memory: bool = False, requires_grad: bool = False,
                  out: Tensor | None = None) -> Tensor:
    r"""Kaiser's window.

    .. math:: w_n = I_0\Bigl(\beta \sqrt{1 - (\tfrac{2n}{N} - 1)^2}\Bigr) / I_0(\beta)
    """
    def formula(n, N):
        return np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * n / N - 1) ** 2))) / np.i0(beta)

    return _window(window_length, periodic, formula, "kaiser_window", dtype, layout, device, pin_memory, requires_grad,
                   out)
