"""Products made of the engine's matrix product: tensordot, kron, cross, distances between vectors."""

from __future__ import annotations

import math

from .._ext import engine, matmul
from .._ext.dtype import ALL, promote_types
from .._ext.index import stack
from .._tensor import Tensor
from ._common import give, in_place, require_tensor, with_out, wrap_dim, wrap_dims

__all__ = ["cdist", "chain_matmul", "cross", "dist", "kron", "renorm", "tensordot", "vander"]

_int64 = ALL[5]


def tensordot(a: Tensor, b: Tensor, dims=2, out: Tensor | None = None) -> Tensor:
    r"""The sum of products over several dimensions of both at once.

    Args:
        dims: the last so many dimensions of ``a`` with the first of ``b``, or two lists of dimensions.

    >>> import minitorch
    >>> minitorch.tensordot(minitorch.ones(2, 3, 4), minitorch.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims)
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        of_a, of_b = (list(d) if hasattr(d, "__len__") or hasattr(d, "__iter__") else [d] for d in dims)
        of_a, of_b = [int(d) for d in of_a], [int(d) for d in of_b]
    if len(of_a) != len(of_b):
        raise RuntimeError(f"both dimension lists should have same length, got {of_a} and {of_b}")
    if a.dtype != b.dtype:
        raise RuntimeError(f"both inputs should have same dtype, got {a.dtype} and {b.dtype}")
    of_a, of_b = wrap_dims(of_a, a.ndim, "tensordot"), wrap_dims(of_b, b.ndim, "tensordot")
    for i, j in zip(of_a, of_b):
        m, n = a.shape[i], b.shape[j]
        if m != n and m != 1 and n != 1:
            raise RuntimeError(f"contracted dimensions need to match, but first has size {m} in dim {i} and second has "
                               f"size {n} in dim {j}")
        if m == 1 and n != 1:
            b = b.sum(j, keepdim=True)
        elif n == 1 and m != 1:
            a = a.sum(i, keepdim=True)
    rows, columns = ([d for d in range(t.ndim) if d not in used] for t, used in ((a, of_a), (b, of_b)))
    shape = [*(a.shape[d] for d in rows), *(b.shape[d] for d in columns)]
    inner = math.prod(a.shape[d] for d in of_a)
    x = a.permute(rows + of_a).reshape(math.prod(a.shape[d] for d in rows), inner)
    y = b.permute(of_b + columns).reshape(inner, math.prod(b.shape[d] for d in columns))
    return give((x @ y).reshape(shape), out, "tensordot")


@with_out
def kron(input: Tensor, other: Tensor) -> Tensor:
    r"""The Kronecker product: each element of ``input`` times all of ``other``.

    >>> import minitorch
    >>> minitorch.kron(minitorch.tensor([1, 2]), minitorch.tensor([1, 10]))
    tensor([ 1, 10,  2, 20])
    """
    n = max(input.ndim, other.ndim)
    a = input.reshape((1,) * (n - input.ndim) + tuple(input.shape))
    b = other.reshape((1,) * (n - other.ndim) + tuple(other.shape))
    product = a.reshape([m for s in a.shape for m in (s, 1)]) * b.reshape([m for s in b.shape for m in (1, s)])
    return product.reshape([s * t for s, t in zip(a.shape, b.shape)])


@with_out
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    r"""The cross product of vectors of three elements along ``dim``, the first dimension of that size if not given.

    .. math:: y = (a_2 b_3 - a_3 b_2,\; a_3 b_1 - a_1 b_3,\; a_1 b_2 - a_2 b_1)

    >>> import minitorch
    >>> minitorch.cross(minitorch.tensor([1., 0., 0.]), minitorch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"linalg.cross: no dimension of size 3 in input of shape {tuple(input.shape)}")
    if input.ndim != other.ndim:
        raise RuntimeError(f"linalg.cross: inputs must have the same number of dimensions, got {input.ndim} and "
                           f"{other.ndim}")
    d = wrap_dim(dim, input.ndim)
    if input.shape[d] != 3 or other.shape[d] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[d]} and "
                           f"{other.shape[d]}")
    a = [input.select(d, i) for i in range(3)]
    b = [other.select(d, i) for i in range(3)]
    return stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], d)


def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    >>> import minitorch
    >>> minitorch.chain_matmul(minitorch.ones(2, 3), minitorch.ones(3, 4), minitorch.ones(4, 1)).shape
    torch.Size([2, 1])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        (matrices,) = matrices
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for k, m in enumerate(matrices):
        if m.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {m.ndim}, expected 2 instead: matrix {k} of chain_matmul")
    return give(_chain(list(matrices)), out, "chain_matmul")


def _chain(matrices: list[Tensor]) -> Tensor:
    """By dynamic programming over where the outermost product cuts the chain."""
    n = len(matrices)
    sizes = [matrices[0].shape[0], *(m.shape[1] for m in matrices)]
    best = {(i, i): (0, i) for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            best[i, j] = min((best[i, k][0] + best[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                             for k in range(i, j))

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        k = best[i, j][1]
        return product(i, k) @ product(k + 1, j)

    return product(0, n - 1)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements, a row each: Vandermonde's matrix.

    >>> import minitorch
    >>> minitorch.vander(minitorch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {x.ndim} dimensions")
    count = len(x) if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    powers = engine.ones(len(x), count, dtype=promote_types(x.dtype, _int64), device=x.device)
    if count > 1:
        powers[:, 1:] = x.unsqueeze(1)
        powers[:, 1:] = powers[:, 1:].cumprod(1)
    return powers if increasing else powers.flip(1)


# --- distances --------------------------------------------------------------------------------------------------------

def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    r"""The p-norm of a difference.

    .. math:: \Bigl(\sum |x - y|^p\Bigr)^{1/p}

    >>> import minitorch
    >>> minitorch.dist(minitorch.tensor([0., 3.]), minitorch.tensor([4., 0.]))
    tensor(5.)
    """
    require_tensor(other, "dist", "other", 2)
    return (input - other).norm(p)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0,
          compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    r"""The distance of every row of ``x1`` from every row of ``x2``.

    .. math:: y_{ij} = \Bigl(\sum_k |a_{ik} - b_{jk}|^p\Bigr)^{1/p}

    Args:
        compute_mode: Euclidean distances of more than 25 rows come from a matrix product, as
            :math:`\sqrt{|a|^2 + |b|^2 - 2 a\cdot b}`, unless ``"donot_use_mm_for_euclid_dist"``; with
            ``"use_mm_for_euclid_dist"`` they all do.

    >>> import minitorch
    >>> minitorch.cdist(minitorch.tensor([[0., 0.]]), minitorch.tensor([[3., 4.], [0., 1.]]))
    tensor([[5., 1.]])
    """
    modes = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
    if compute_mode not in (None, *modes):
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", x1), ("X2", x2)):
        require_tensor(x, "cdist", name.lower())
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {x.dtype}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    by_product = compute_mode == modes[1] or (compute_mode in (None, modes[0]) and max(x1.shape[-2], x2.shape[-2]) > 25)
    if p == 2 and by_product and x1.shape[-1]:
        squares = (x1.square().sum(-1).unsqueeze(-1) + x2.square().sum(-1).unsqueeze(-2) - 2 * (x1 @ x2.mT))
        apart = squares > 0                                # the root of 0 has no derivative: there it counts as 0
        return squares.where(apart, 1).sqrt().where(apart, 0)
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, dim=-1)


@with_out
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """The slices along ``dim`` scaled down to a p-norm of ``maxnorm`` where theirs is greater.

    >>> import minitorch
    >>> minitorch.renorm(minitorch.tensor([[3., 4.], [0., 1.]]), 2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"renorm: expected a floating-point or complex tensor, got {input.dtype}")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    d = wrap_dim(dim, input.ndim)
    norms = input.norm(p, dim=[k for k in range(input.ndim) if k != d], keepdim=True)
    large = norms > maxnorm
    return input * (maxnorm / (norms.where(large, 1) + 1e-7)).where(large, 1)


# --- what is added to a product, in place -----------------------------------------------------------------------------

for _function in (renorm, *(getattr(matmul, _name) for _name in ("addmm", "addmv", "addr", "baddbmm", "addbmm"))):
    setattr(Tensor, _function.__name__ + "_", in_place(_function))
