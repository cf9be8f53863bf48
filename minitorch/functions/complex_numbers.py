"""Complex numbers: making them of real ones, their parts, and what has no loop of its own on them.

Gradients follow PyTorch's convention: that of a real function by z = x + iy is d/dx + i d/dy.
"""

from __future__ import annotations

import math

from .._ext import arithmetic as _arithmetic
from .._ext import engine as _engine
from .._ext import index as _index
from .._ext import pointwise as _pointwise
from .._ext import shaping as _shaping
from .._ext.pointwise import give
from .._tensor import Tensor
from .shaping import broadcast_tensors

__all__ = [
    "adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_conj", "isreal", "polar",
    "real", "resolve_conj", "resolve_neg", "sgn",
]


def _check_tensors(name: str, **arguments: object) -> None:
    for position, (argument, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not "
                            f"{type(value).__name__}")  # fmt: skip


def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex numbers of real and imaginary parts, which are of one floating-point type.

    .. math:: z = x + iy

    Raises:
        RuntimeError: if the parts are not both float32 or both float64.

    >>> import minitorch
    >>> minitorch.complex(minitorch.tensor([1., 2.]), minitorch.tensor([3., 4.]))
    tensor([1.+3.j, 2.+4.j])
    """
    _check_tensors("complex", real=real, imag=imag)
    if real.dtype.name not in ("float16", "float32", "float64") or imag.dtype.name not in (
        "float16", "float32", "float64"
    ):  # fmt: skip
        raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {real.dtype} and "
                           f"{imag.dtype}")  # fmt: skip
    if real.dtype is not imag.dtype:
        raise RuntimeError(f"Expected object of scalar type {real.dtype} but got scalar type {imag.dtype} for second "
                           "argument")  # fmt: skip
    if real.dtype.name == "float16":
        raise NotImplementedError("complex: there is no complex32; convert both parts with .float()")
    if out is not None and out.dtype is not real.dtype.to_complex():
        raise RuntimeError(f"Expected object of scalar type {real.dtype.to_complex()} but got scalar type {out.dtype} "
                           "for argument 'out'")  # fmt: skip
    pairs = _index.stack(broadcast_tensors(real, imag), -1)
    return give(_shaping.view_as_complex(pairs), out, "complex")


def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex numbers of absolute values and angles.

    .. math:: z = r \\cos\\varphi + i r \\sin\\varphi

    Raises:
        RuntimeError: if the arguments are not both float32 or both float64.

    >>> import minitorch
    >>> minitorch.polar(minitorch.tensor([2.]), minitorch.tensor([0.]))
    tensor([2.+0.j])
    """
    _check_tensors("polar", abs=abs, angle=angle)
    if abs.dtype is not angle.dtype:
        raise RuntimeError(f"Expected object of scalar type {abs.dtype} but got scalar type {angle.dtype} for second "
                           "argument")  # fmt: skip
    if abs.dtype.name not in ("float32", "float64"):
        raise RuntimeError(f"Expected both inputs to be Float or Double tensors but got {abs.dtype} and {angle.dtype}")
    return complex(abs * angle.cos(), abs * angle.sin(), out=out)


def real(input: Tensor) -> Tensor:
    """The real parts, a view; of a real tensor, itself.

    >>> import minitorch
    >>> minitorch.real(minitorch.tensor([1 + 2j]))
    tensor([1.])
    """
    return _shaping.view_as_real(input).select(-1, 0) if input.is_complex() else input


def imag(input: Tensor) -> Tensor:
    """The imaginary parts of a complex tensor, a view.

    Raises:
        RuntimeError: for a real tensor.

    >>> import minitorch
    >>> minitorch.imag(minitorch.tensor([1 + 2j]))
    tensor([2.])
    """
    if not input.is_complex():
        raise RuntimeError(f"imag is not implemented for tensors with non-complex dtypes, such as {input.dtype}: there "
                           "it would be zero")  # fmt: skip
    return _shaping.view_as_real(input).select(-1, 1)


def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex conjugates; of a real tensor, itself.

    .. math:: \\bar z = x - iy

    >>> import minitorch
    >>> minitorch.conj_physical(minitorch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return give(_pointwise.conjugate(input), out, "conj_physical")


def conj(input: Tensor) -> Tensor:
    """The complex conjugates; of a real tensor, itself.  Unlike PyTorch's, they are computed at once: no view.

    >>> import minitorch
    >>> minitorch.conj(minitorch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return _pointwise.conjugate(input)


def is_conj(input: Tensor) -> bool:
    """Whether the conjugation is still to be done: never, nothing is conjugated lazily."""
    return False


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: nothing is conjugated lazily."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: nothing is negated lazily."""
    return input


def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angles of complex numbers; of real ones 0, or pi where they are negative.

    .. math:: \\varphi = \\operatorname{atan2}(y, x)

    >>> import minitorch
    >>> minitorch.angle(minitorch.tensor([1j, -1.]))
    tensor([1.5708, 3.1416])
    """
    if input.is_complex():
        return give(_arithmetic.atan2(imag(input), real(input)), out, "angle")
    if not input.is_floating_point():
        input = input.float()
    nan = input.isnan()
    return give(_arithmetic._where(nan, input, _arithmetic._where(input < 0, math.pi, input * 0)), out, "angle")


def _abs(z: Tensor) -> Tensor:
    return _arithmetic.hypot(real(z), imag(z))


def _nan_to_num(z: Tensor, *values: float) -> Tensor:
    return complex(*(_arithmetic.nan_to_num(part, *values) for part in (real(z), imag(z))))


def _ldexp(x, exponent) -> Tensor:
    return _arithmetic.mul(x, _arithmetic.pow(2.0, exponent))


def _lerp(start, end, weight) -> Tensor:
    near = weight.abs() < 0.5 if isinstance(weight, Tensor) else abs(weight) < 0.5
    by = (end - start) * weight
    if not isinstance(near, Tensor):
        return start + by if near else end - (end - start) * (1 - weight)
    return _arithmetic._where(near, start + by, end - (end - start) * (1 - weight))


def _logaddexp(a: Tensor, b: Tensor) -> Tensor:
    larger = real(a) >= real(b)
    high, low = _arithmetic._where(larger, a, b), _arithmetic._where(larger, b, a)
    return high + _arithmetic.log1p((low - high).exp())


def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sign of real numbers; of complex ones the number on the unit circle in the same direction, 0 for 0.

    .. math:: y = z / |z|

    >>> import minitorch
    >>> minitorch.sgn(minitorch.tensor([3 + 4j]))
    tensor([0.6000+0.8000j])
    """
    if not input.is_complex():
        return _arithmetic.sign(input, out=out)
    size = _abs(input)
    zero = size == 0
    return give(_arithmetic._where(zero, 0, input / _arithmetic._where(zero, 1, size)), out, "sgn")


def isreal(input: Tensor) -> Tensor:
    """Whether the imaginary part is zero.

    >>> import minitorch
    >>> minitorch.isreal(minitorch.tensor([1 + 2j, 1 + 0j]))
    tensor([False,  True])
    """
    if input.is_complex():
        return imag(input) == 0
    return _engine.ones_like(input, dtype=_arithmetic.eq(input, input).dtype)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate of the transposed matrix, or matrices.

    >>> import minitorch
    >>> minitorch.adjoint(minitorch.tensor([[1j, 2j]]))
    tensor([[0.-1.j],
            [0.-2.j]])
    """
    if input.ndim == 1:
        raise RuntimeError("adjoint() is only supported for matrices or batches of matrices. Got 1-D tensor.")
    return conj(input.mT if input.ndim else input)


def _part(name: str, function):
    def get(self: Tensor) -> Tensor:
        return function(self)

    def put(self: Tensor, value) -> None:
        function(self).copy_(value if isinstance(value, Tensor) else _engine.tensor(value))

    return property(get, put, doc=f"The {name} part, a view; can be assigned to.")


def _in_place(function):
    def change(self: Tensor) -> Tensor:
        return self.copy_(function(self))

    change.__name__ = function.__name__ + "_"
    change.__doc__ = f"In-place `{function.__name__}`."
    return change


Tensor.real, Tensor.imag = _part("real", real), _part("imaginary", imag)
Tensor.sgn_, Tensor.conj_physical_ = _in_place(sgn), _in_place(conj_physical)
_pointwise.set_complex_rules(
    {"abs": _abs, "nan_to_num": _nan_to_num, "ldexp": _ldexp, "lerp": _lerp, "logaddexp": _logaddexp}
)
