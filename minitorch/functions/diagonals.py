"""Diagonals and triangles of matrices."""

from __future__ import annotations

import numpy as np

from .._creation import _check
from .._ext import engine
from .._ext.dtype import ALL, dtype
from .._settings import get_default_device
from .._tensor import Tensor
from ._common import require_tensor, with_out, wrap_dim

__all__ = ["diag", "diag_embed", "diagflat", "fill_diagonal_", "trace", "tril_indices", "triu_indices"]

_int64 = ALL[5]


@with_out
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Of a vector, the matrix with it on a diagonal and zeros elsewhere; of a matrix, that diagonal, copied.

    >>> import minitorch
    >>> minitorch.diag(minitorch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return input.diagonal(diagonal).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of a tensor on a diagonal.

    >>> import minitorch
    >>> minitorch.diagflat(minitorch.tensor([1, 2]), 1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    return diag_embed(input.reshape(-1), offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices whose diagonals are the last dimension of the input, in the planes of ``dim1`` and ``dim2``.

    >>> import minitorch
    >>> minitorch.diag_embed(minitorch.ones(3, 2)).shape
    torch.Size([3, 2, 2])
    """
    require_tensor(input, "diag_embed")
    if input.ndim == 0:
        raise RuntimeError("diag_embed: a tensor without dimensions has no diagonal to put anywhere")
    a, b = wrap_dim(dim1, input.ndim + 1), wrap_dim(dim2, input.ndim + 1)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((a, b)):
        shape.insert(d, size)
    result = input.new_zeros(shape)
    result.diagonal(offset, a, b).copy_(input)
    return result


def trace(input: Tensor) -> Tensor:
    r"""The sum of the diagonal of a matrix.

    .. math:: y = \sum_i x_{ii}

    >>> import minitorch
    >>> minitorch.tensor([[1., 2.], [3., 4.]]).trace()
    tensor(5.)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return input.diagonal().sum()


def fill_diagonal_(self: Tensor, fill_value, wrap: bool = False) -> Tensor:
    """Put a number on the main diagonal, in place; ``wrap`` starts anew below a square of a tall matrix.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and any(n != self.shape[0] for n in self.shape):
        raise RuntimeError("all dimensions of input must be of equal length")
    step = sum(self.stride())
    size = min(self.shape)
    self.as_strided((size,), (step,)).fill_(fill_value)
    if wrap and self.ndim == 2 and self.shape[0] > self.shape[1] + 1:
        columns = self.shape[1]
        for start in range(columns + 1, self.shape[0], columns + 1):
            self[start:].diagonal().fill_(fill_value)
    return self


def _triangle(indices, dtype, device, layout, pin_memory) -> Tensor:
    _check(device, layout)
    kind = dtype or _int64
    if kind.name not in ("int32", "int64"):
        raise RuntimeError(f"indices of a triangle are int32 or int64, not {kind}")
    places = engine.from_numpy(np.ascontiguousarray(np.stack(indices), dtype=np.int64))
    places = places.to(kind, device=device or get_default_device())
    return places.pin_memory() if pin_memory else places


def _check_sizes(row: int, col: int) -> None:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None, device=None, layout=None,
                 pin_memory: bool = False) -> Tensor:
    """The row and column numbers of the elements on and below a diagonal, row by row.

    >>> import minitorch
    >>> minitorch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    _check_sizes(row, col)
    return _triangle(np.nonzero(np.tri(row, col, offset, dtype=bool)), dtype, device, layout, pin_memory)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None, device=None, layout=None,
                 pin_memory: bool = False) -> Tensor:
    """The row and column numbers of the elements on and above a diagonal, row by row.

    >>> import minitorch
    >>> minitorch.triu_indices(2, 2, 1)
    tensor([[0],
            [1]])
    """
    _check_sizes(row, col)
    return _triangle(np.nonzero(~np.tri(row, col, offset - 1, dtype=bool)), dtype, device, layout, pin_memory)
