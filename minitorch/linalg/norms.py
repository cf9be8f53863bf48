"""Norms of vectors and of matrices."""

from __future__ import annotations

from .._ext import moments as _moments
from .._ext.engine import to_dtype
from .._tensor import Tensor
from ._common import check_matrices, give
from .singular import svdvals

__all__ = ["matrix_norm", "norm", "vector_norm"]

_INF = float("inf")


def _converted(name: str, x: Tensor, dtype) -> Tensor:
    """The input as the type asked for, which must hold its values."""
    if not (x.is_floating_point() or x.is_complex()):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype}. Convert it "
                           "with .float()")
    if dtype is None:
        return x
    if not (dtype.is_floating_point or dtype.is_complex) or (x.is_complex() and not dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex (complex for a complex input), not "
                           f"{dtype}")
    if dtype.itemsize < x.dtype.itemsize and dtype.is_complex == x.is_complex():
        raise RuntimeError(f"{name}: the dtype of the input ({x.dtype}) should be convertible without narrowing to the "
                           f"specified dtype ({dtype})")
    return to_dtype(x, dtype)


def vector_norm(x: Tensor, ord=2, dim=None, keepdim: bool = False, *, dtype=None, out: Tensor | None = None) -> Tensor:
    r"""The norm of all elements, or along dimensions: as of one vector.

    .. math:: \|x\|_p = \Bigl(\sum_i |x_i|^p\Bigr)^{1/p}

    Args:
        ord: p; ``inf`` is the largest magnitude, ``-inf`` the least, 0 counts what is not zero.
        dtype: convert to this first.

    >>> import minitorch
    >>> minitorch.linalg.vector_norm(minitorch.tensor([3., -4.]))
    tensor(5.)
    """
    name = "linalg.vector_norm"
    if isinstance(ord, str):
        raise TypeError(f"{name}(): argument 'ord' must be Number, not str")
    x = _converted(name, x, dtype)
    if dim is not None and not isinstance(dim, int):
        dim = tuple(dim)
    return give(_moments.norm(x, float(ord), dim if dim != () else None, keepdim), out, name)


def _dims(name: str, dim, ndim: int) -> tuple[int, int]:
    dim = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {dim}")
    for d in dim:
        if not -ndim <= d < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {d})")
    row, column = (d % ndim for d in dim)
    if row == column:
        raise RuntimeError(f"{name}: dims must be different. Got {dim}")
    return row, column


def matrix_norm(input: Tensor, ord="fro", dim=(-2, -1), keepdim: bool = False, *, dtype=None,
                out: Tensor | None = None) -> Tensor:
    r"""The norm of matrices.

    Args:
        ord: ``"fro"``, the root of the sum of squares; ``"nuc"``, the sum of singular values; 1 and ``inf``, the
            largest sum of magnitudes of a column or row; 2, the largest singular value; -1, -2, ``-inf``, the least.

    >>> import minitorch
    >>> minitorch.linalg.matrix_norm(minitorch.tensor([[1., -2.], [3., 4.]]), 1)
    tensor(6.)
    """
    name = "linalg.matrix_norm"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions, but its shape is "
                           f"{tuple(input.shape)}")
    a = _converted(name, input, dtype)
    row, column = _dims(name, dim, a.ndim)
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise RuntimeError(f"{name}: Order {ord} not supported: use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
        if ord == "fro":
            return give(vector_norm(a, 2, (row, column), keepdim), out, name)
    elif abs(ord) not in (1, 2, _INF):
        raise RuntimeError(f"{name}: Order {ord} not supported: use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    if ord == "nuc" or abs(ord) == 2:
        moved = a.movedim((row, column), (-2, -1))
        check_matrices(name, moved)
        s = svdvals(moved)
        result = s.sum(-1) if ord == "nuc" or s.shape[-1] == 0 < ord else s.amax(-1) if ord > 0 else s.amin(-1)
        if keepdim:
            result = result.unsqueeze(-1).unsqueeze(-1).movedim((-2, -1), (row, column))
        return give(result, out, name)
    summed, other = (row, column) if abs(ord) == 1 else (column, row)
    sums = a.abs().sum(summed, keepdim=True)
    if sums.shape[other] == 0 and ord > 0:  # there is nothing, and 0 is the norm of nothing
        result = sums.sum(other, keepdim=True)
    else:
        result = sums.amax(other, keepdim=True) if ord > 0 else sums.amin(other, keepdim=True)
    if not keepdim:
        result = result.squeeze((row, column))
    return give(result, out, name)


def norm(input: Tensor, ord=None, dim=None, keepdim: bool = False, *, dtype=None, out: Tensor | None = None) -> Tensor:
    """`vector_norm` or `matrix_norm`: of matrices where ``ord`` is given with two dimensions, in ``dim`` or at all.

    Without ``ord``, the 2-norm of all elements or along ``dim``.

    >>> import minitorch
    >>> minitorch.linalg.norm(minitorch.tensor([[3., 0.], [0., -4.]]), 2)
    tensor(4.)
    """
    name = "linalg.norm"
    if ord is None:
        return give(vector_norm(input, 2, dim, keepdim, dtype=dtype), out, name)
    if dim is None:
        if input.ndim not in (1, 2):
            raise RuntimeError(f"{name}: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                               f"{input.ndim}D.")
        dim = (0, 1) if input.ndim == 2 else (0,)
    dim = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dim) == 2:
        return give(matrix_norm(input, ord, dim, keepdim, dtype=dtype), out, name)
    if isinstance(ord, str):
        raise RuntimeError(f"{name}: ord={ord!r} needs two dimensions, but dim is {dim} for shape {tuple(input.shape)}")
    if len(dim) != 1:
        raise RuntimeError(f"{name}: If dim is specified, it must be of length 1 or 2. Got {list(dim)}")
    return give(vector_norm(input, ord, dim, keepdim, dtype=dtype), out, name)


def norm_old(input: Tensor, p="fro", dim=None, keepdim: bool = False, out: Tensor | None = None, dtype=None) -> Tensor:
    r"""The p-norm of all elements, or along dimensions; ``"fro"`` is 2, ``"nuc"`` the sum of singular values.

    .. math:: y = \Bigl(\sum_i |x_i|^p\Bigr)^{1/p}

    Raises:
        RuntimeError: for integers and bools.

    >>> import minitorch
    >>> minitorch.tensor([3., 4.]).norm(), minitorch.tensor([3., -4.]).norm(1)
    (tensor(5.), tensor(7.))
    """
    if p == "nuc":
        return give(matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype), out, "norm")
    return _moments.norm(input, p, dim, keepdim, out, dtype)
