"""Tensors from sizes and ranges, and PyTorch's old constructors."""

from __future__ import annotations

import math

import numpy as np

from ._ext import engine
from ._ext.dtype import ALL, dtype, get_default_dtype
from ._ext.engine import empty as _empty
from ._tensor import Tensor

(_bool, _uint8, _int8, _int16, _int32, _int64, _float16, _bfloat16, _float32, _float64) = ALL[:10]


def _finish(tensor: Tensor, out: Tensor | None, requires_grad: bool, device=None, pin_memory=False) -> Tensor:
    """What was made on the CPU: in `out`, or on the device that was asked for."""
    if out is None:
        tensor = engine.to_device(tensor, "cuda" if engine.check_device(device) else "cpu")
    if pin_memory:
        from .cuda.pinned import pin_new

        tensor = pin_new(tensor, out)
    elif out is not None:
        if out.shape != tensor.shape:
            out.resize_(tensor.shape)
        tensor = out.copy_(tensor)
    return tensor.requires_grad_() if requires_grad else tensor


def _check(device, layout=None):
    engine.check_device(device)
    if layout is not None and str(layout) != "torch.strided":
        raise NotImplementedError(f"layout {layout} is not supported; leave it out")


def _kind_of_numbers(numbers) -> dtype:
    """The dtype of a range between numbers: int64 if all are integers."""
    if all(isinstance(x, (int, np.integer)) or (isinstance(x, Tensor) and not x.is_floating_point()) for x in numbers):
        return _int64
    return get_default_dtype()


def _number(x):
    return x.item() if isinstance(x, Tensor) else x


def arange(*bounds, start=0, end=None, step=1, out=None, dtype=None, layout=None, device=None, requires_grad=False,
           pin_memory=False) -> Tensor:
    """The numbers from ``start`` up to, not including, ``end`` in steps of ``step``.

    >>> import minitorch
    >>> minitorch.arange(3), minitorch.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    _check(device, layout)
    if len(bounds) > 3:
        raise TypeError(f"arange() takes at most 3 positional arguments, got {len(bounds)}")
    if len(bounds) == 1 and end is None:
        (end,) = bounds
    elif len(bounds) == 1:
        (start,) = bounds
    elif bounds:
        start, end = bounds[:2]
        step = bounds[2] if len(bounds) == 3 else step
    if end is None:
        raise TypeError("arange() misses its argument: end")
    numbers = [_number(x) for x in (start, end, step)]
    for name, value in zip(("start", "end", "step"), numbers):
        if not isinstance(value, (int, float, np.number)):
            raise TypeError(f"arange(): {name} must be a number, not {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise RuntimeError(f"arange: unsupported range: {numbers[0]} -> {numbers[1]} in steps of {numbers[2]}")
    low, high, by = numbers
    if by == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (high - low) * by < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step sign: {low} -> {high} by {by}")
    kind = dtype or (out.dtype if out is not None else _kind_of_numbers((start, end, step)))
    if not kind.is_floating_point:
        low, high, by = int(low), int(high), int(by)
        if by == 0:
            raise ValueError("arange: step must be nonzero, and the dtype makes integers of all numbers")
    count = max(0, math.ceil((high - low) / by) if kind.is_floating_point else -((low - high) // by))
    if count > 2**46:
        raise RuntimeError(f"arange: a range of {count} numbers does not fit into memory")
    if kind.is_floating_point:
        values = low + np.arange(count, dtype=np.float64) * by
    else:
        values = low + np.arange(count, dtype=np.int64) * by
    return _finish(engine.to_dtype(engine.from_numpy(values), kind), out, requires_grad, device, pin_memory)


def range(start=0, end=None, step=1, **options) -> Tensor:
    """The numbers from ``start`` up to and including ``end``: the old form of `arange`."""
    count = math.floor((end - start) / step) + 1
    return arange(start, start + count * step, step, **{"dtype": get_default_dtype(), **options})


def linspace(start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False) -> Tensor:
    """``steps`` numbers evenly spaced from ``start`` to ``end``, both included.

    >>> import minitorch
    >>> minitorch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    _check(device, layout)
    start, end = _bounds(start, end, steps, "linspace")
    kind = dtype or (out.dtype if out is not None else _kind_of_range(start, end))
    result = engine.to_dtype(engine.from_numpy(_spaced(start, end, steps, kind)), kind)
    return _finish(result, out, requires_grad, device, pin_memory)


def _bounds(start, end, steps, name):
    """The ends of a range as numbers."""
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    for end_name, x in (("start", start), ("end", end)):
        if isinstance(x, Tensor) and x.ndim:
            raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {end_name} with "
                               f"{x.ndim} dimension(s).")
    return _number(start), _number(end)


def _kind_of_range(start, end) -> dtype:
    kind = get_default_dtype()
    return kind.to_complex() if isinstance(start, complex) or isinstance(end, complex) else kind


def _spaced(start, end, steps, kind):
    """Counted from both ends, in the precision of the result, so that it is symmetric."""
    if isinstance(start, complex) or isinstance(end, complex):
        if not kind.is_complex:
            raise RuntimeError(f"linspace and logspace of complex ends are complex: pass dtype=minitorch.complex64, "
                               f"not {kind}")
        return _spaced(start.real, end.real, steps, kind) + 1j * _spaced(start.imag, end.imag, steps, kind)
    kind = kind.to_real() if kind.is_complex else kind
    real = np.float64 if kind is _float64 or not kind.is_floating_point else np.float32
    if not kind.is_floating_point:
        start, end = int(start), int(end)
    if steps == 1:
        return np.full(1, start, dtype=real)
    low, high = real(start), real(end)
    by = (high - low) / real(max(steps - 1, 1))
    index = np.arange(steps, dtype=np.int64)
    # fused: what one rounding of low + by * index gives
    wide = np.float64 if real is np.float32 else np.longdouble
    up = (wide(low) + wide(by) * index.astype(wide)).astype(real)
    down = (wide(high) - wide(by) * (steps - 1 - index).astype(wide)).astype(real)
    return np.where(index < steps // 2, up, down)


def logspace(
    start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """``steps`` numbers from ``base ** start`` to ``base ** end``, evenly spaced in their logarithm.

    >>> import minitorch
    >>> minitorch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    _check(device, layout)
    start, end = _bounds(start, end, steps, "logspace")
    kind = dtype or (out.dtype if out is not None else _kind_of_range(start, end))
    if not (kind.is_floating_point or kind.is_complex):
        start, end = int(start), int(end)
    exponents = _spaced(start, end, steps, kind if kind.is_complex else _float64)
    return _finish(engine.to_dtype(engine.from_numpy(np.power(base, exponents)), kind), out, requires_grad, device,
                   pin_memory)


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False) -> Tensor:
    """The identity matrix, or ones on the diagonal of an ``n`` by ``m`` one.

    >>> import minitorch
    >>> minitorch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check(device, layout)
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"eye: n and m must be greater or equal to 0, got {n} and {m}")
    result = engine.zeros(n, m, dtype=dtype or (out.dtype if out is not None else None))
    result.diagonal().fill_(1)
    return _finish(result, out, requires_grad, device, pin_memory)


# --- PyTorch's old constructors: FloatTensor(2, 3), LongTensor([1, 2]) ... --------------------------------------------

LEGACY = {
    "BoolTensor": _bool, "ByteTensor": _uint8, "CharTensor": _int8, "ShortTensor": _int16, "IntTensor": _int32,
    "LongTensor": _int64, "HalfTensor": _float16, "BFloat16Tensor": _bfloat16, "FloatTensor": _float32,
    "DoubleTensor": _float64,
}


def legacy(kind: dtype, data: tuple, device=None) -> Tensor:
    """What ``Tensor(*data)`` and its kin make: of sizes a tensor that is not initialised, of data one of their type."""
    _check(device)
    if not data:
        return _empty(0, dtype=kind, device=device)
    if all(isinstance(x, (int, np.integer)) for x in data):
        return _empty(*data, dtype=kind, device=device)
    if len(data) > 1:
        given = ", ".join(type(x).__name__ for x in data)
        raise TypeError(f"new(): expected sizes or one sequence of data, got {given}")
    (values,) = data
    if isinstance(values, tuple) and hasattr(values, "numel"):  # a Size
        return _empty(values, dtype=kind, device=device)
    if isinstance(values, Tensor):
        return values.detach() if values.dtype is kind else engine.to_dtype(values.detach(), kind)
    if isinstance(values, float) or not hasattr(values, "__len__"):
        raise TypeError(f"new(): data must be a sequence (got {type(values).__name__})")
    return engine.tensor(values, dtype=kind, device=device)


class _LegacyMeta(type):
    def __instancecheck__(cls, value):
        return isinstance(value, Tensor) and value.dtype is cls.dtype


def _legacy_class(name: str, kind: dtype):
    def new(cls, *data, device=None):
        return legacy(kind, data, device)

    doc = f"The old constructor of tensors of {kind}; ``isinstance`` tells them."
    return _LegacyMeta(name, (), {"__new__": new, "dtype": kind, "__doc__": doc, "__module__": "minitorch"})


def legacy_dtype(kind) -> dtype:
    """The dtype that ``Tensor.type`` was asked for, by dtype, class or name."""
    if isinstance(kind, str):
        name = kind.rpartition(".")[2]
        if name not in LEGACY:
            raise ValueError(f"invalid type: '{kind}'")
        return LEGACY[name]
    return getattr(kind, "dtype", kind) if isinstance(kind, type) and not issubclass(kind, (int, float)) else kind


def legacy_name(kind: dtype) -> str:
    """The name that ``Tensor.type()`` gives."""
    return "torch." + next(name for name, other in LEGACY.items() if other is kind)


CLASSES = {name: _legacy_class(name, kind) for name, kind in LEGACY.items()}
