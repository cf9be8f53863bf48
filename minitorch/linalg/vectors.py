"""Products of vectors, and matrices made of them."""

from __future__ import annotations

from .._creation import arange
from .._ext.engine import tensor
from .._ext.index import cat
from .._ext.matmul import matmul as _matmul
from .._ext.views import diagonal as _diagonal
from .._tensor import Tensor
from ._common import deliver

__all__ = ["cross", "diagonal", "matmul", "vander", "vecdot"]


def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    r"""The cross product of vectors of three, which lie along a dimension.

    .. math:: (x \times y)_i = x_{i+1} y_{i+2} - x_{i+2} y_{i+1}

    >>> import minitorch
    >>> minitorch.linalg.cross(minitorch.tensor([1., 0., 0.]), minitorch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    name = "linalg.cross"
    if input.ndim != other.ndim:
        raise RuntimeError(f"{name}: inputs must have the same number of dimensions, but they are "
                           f"{tuple(input.shape)} and {tuple(other.shape)}")
    if not -input.ndim <= dim < max(input.ndim, 1):
        raise IndexError(f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but "
                         f"got {dim})")
    if input.ndim == 0 or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(f"{name}: inputs dimension {dim} must have length 3, but the shapes are "
                           f"{tuple(input.shape)} and {tuple(other.shape)}")
    one, two = tensor([1, 2, 0]), tensor([2, 0, 1])
    result = (input.index_select(dim, one) * other.index_select(dim, two)
              - input.index_select(dim, two) * other.index_select(dim, one))
    return deliver(result, out, name)


def cross_old(input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`linalg.cross` along the first dimension of size 3, unless one is given.

    >>> import minitorch
    >>> minitorch.cross(minitorch.tensor([1., 0., 0.]), minitorch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        dim = next((d for d, size in enumerate(input.shape) if size == 3), None)
        if dim is None:
            raise RuntimeError(f"cross: no dimension of size 3 in input, whose shape is {tuple(input.shape)}")
    return cross(input, other, dim=dim, out=out)


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
    return deliver((conjugate * y).sum(dim), out, "linalg.vecdot")


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


def vander_old(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix of a vector, its powers falling unless ``increasing``.

    >>> import minitorch
    >>> minitorch.vander(minitorch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise RuntimeError(f"vander: x must be a one-dimensional tensor, but its shape is {tuple(x.shape)}")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"vander: N must be non-negative, not {count}")
    one = (x[:0].cumsum(0) if not x.is_floating_point() else x).new_ones(x.shape[0], min(count, 1))
    powers = one if count < 2 else vander(x, N=count)
    return powers if increasing or count < 2 else powers.index_select(1, arange(count - 1, -1, -1))


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


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    >>> import minitorch
    >>> minitorch.trace(minitorch.eye(3))
    tensor(3.)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}, shape "
                           f"{tuple(input.shape)}")
    return _diagonal(input).sum()
