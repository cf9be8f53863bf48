"""Products of vectors, and matrices made of them."""

from __future__ import annotations

from .._ext.index import cat
from .._ext.matmul import matmul as _matmul
from .._ext.shaping import diagonal as _diagonal
from .._tensor import Tensor
from ..functions.products import cross as _cross
from ._common import give

__all__ = ["cross", "diagonal", "matmul", "vander", "vecdot"]


def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    r"""The cross product of vectors of three, which lie along a dimension.

    .. math:: (x \times y)_i = x_{i+1} y_{i+2} - x_{i+2} y_{i+1}

    >>> import minitorch
    >>> minitorch.linalg.cross(minitorch.tensor([1., 0., 0.]), minitorch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    return give(_cross(input, other, dim), out, "linalg.cross")


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    r"""The inner products of vectors that lie along a dimension, broadcast; the first are conjugated.

    .. math:: \sum_i \bar x_i y_i

    >>> import minitorch
    >>> minitorch.linalg.vecdot(minitorch.tensor([[1., 2.], [3., 4.]]), minitorch.tensor([1., 10.]))
    tensor([21., 43.])
    """
    if not (x.is_floating_point() or x.is_complex()):
        raise RuntimeError(f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {x.dtype}. "
                           "Convert it with .float()")
    if x.dtype != y.dtype:
        raise RuntimeError(f"linalg.vecdot: Expected x and y to have the same dtype, but found {x.dtype} and {y.dtype}")
    conjugate = x.conj() if x.is_complex() else x
    return give((conjugate * y).sum(dim), out, "linalg.vecdot")


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    r"""Vandermonde matrices: the powers of each element in a row.

    .. math:: V_{ij} = x_i^j, \quad j < N

    >>> import minitorch
    >>> minitorch.linalg.vander(minitorch.tensor([1., 2., 3.]))
    tensor([[1., 1., 1.],
            [1., 2., 4.],
            [1., 3., 9.]])
    """
    if str(x.dtype) == "torch.bool":
        raise RuntimeError("linalg.vander supports floating point, complex, and integer tensors, but got bool")
    count = N if N is not None else x.shape[-1] if x.ndim else 1
    if count <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, but it is {count} for shape {tuple(x.shape)}")
    x = x if x.ndim else x.unsqueeze(0)
    powers = x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1)
    return cat([powers.new_ones(*x.shape, 1), powers], -1)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonals of matrices.

    >>> import minitorch
    >>> minitorch.linalg.diagonal(minitorch.eye(2))
    tensor([1., 1.])
    """
    return _diagonal(A, offset, dim1, dim2)


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`minitorch.matmul`."""
    return _matmul(input, other, out=out)
