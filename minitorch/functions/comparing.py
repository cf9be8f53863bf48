"""Comparing and choosing: what is equal, what is close, one or the other."""

from __future__ import annotations

from .._ext import arithmetic as _arithmetic
from .._ext.index import nonzero as _nonzero
from .._tensor import Tensor
from ._common import require_tensor

__all__ = ["allclose", "equal", "is_tensor", "isclose", "where"]


def is_tensor(obj: object) -> bool:
    """Whether an object is a `Tensor`.

    >>> import minitorch
    >>> minitorch.is_tensor(minitorch.ones(1)), minitorch.is_tensor([1.])
    (True, False)
    """
    return isinstance(obj, Tensor)


def where(condition: Tensor, input=None, other=None, *, out: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
    """``input`` where the condition is True, ``other`` elsewhere; with the condition alone, the indices where it is.

    .. math:: y = c \\mathbin{?} x_1 : x_2

    >>> import minitorch
    >>> x = minitorch.tensor([-1., 2.])
    >>> minitorch.where(x > 0, x, 0.)
    tensor([0., 2.])
    """
    if input is None and other is None:
        return _nonzero(condition, as_tuple=True)
    return _arithmetic._where(condition, input, other, out)


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether elements are close to each other.

    .. math:: |x - y| \\le \\text{atol} + \\text{rtol}\\,|y|

    >>> import minitorch
    >>> minitorch.isclose(minitorch.tensor([1., 2.]), minitorch.tensor([1. + 1e-6, 3.]))
    tensor([ True, False])
    """
    require_tensor(input, "isclose")
    require_tensor(other, "isclose", "other", 2)
    if input.dtype != other.dtype:
        raise RuntimeError(f"isclose: the dtypes must be the same, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: rtol and atol must not be negative, got {rtol} and {atol}")
    close = input == other
    if equal_nan and input.is_floating_point():
        close = close | (input.isnan() & other.isnan())
    if not input.is_floating_point():
        if rtol == 0 and atol == 0:
            return close
        input, other = input.double(), other.double()
    bound = atol + (rtol * other).abs()
    gap = (input - other).abs()
    return close | (gap.isfinite() & (gap <= bound))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close to each other; see `isclose`.

    >>> import minitorch
    >>> minitorch.allclose(minitorch.ones(2), minitorch.ones(2) + 1e-7)
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements.

    >>> import minitorch
    >>> minitorch.equal(minitorch.ones(2), minitorch.ones(2))
    True
    """
    return input.shape == other.shape and bool((input == other).all())
