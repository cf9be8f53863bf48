"""How far vectors are from each other, and how alike their directions are."""

from __future__ import annotations

import minitorch
from minitorch import Tensor

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    r"""The cosine of the angle between vectors.

    .. math:: \frac{x_1 \cdot x_2}{\max(\lVert x_1 \rVert, \epsilon) \max(\lVert x_2 \rVert, \epsilon)}

    Shape:
        inputs that broadcast to each other; output without `dim`.

    >>> nn.functional.cosine_similarity(minitorch.tensor([[3., 4.]]), minitorch.tensor([[4., 3.]]))
    tensor([0.9600])
    """
    x1, x2 = minitorch.broadcast_tensors(x1, x2)
    dtype = minitorch.promote_types(x1.dtype, x2.dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype}")
    x1, x2 = x1.to(dtype), x2.to(dtype)
    # dividing first keeps large vectors from overflowing
    unit1, unit2 = (x / _length(x, dim, eps) for x in (x1, x2))
    return (unit1 * unit2).sum(dim)


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The norm, but not below eps; as in PyTorch its limit is no part of the derivative."""
    norm = x.norm(2, dim, keepdim=True)
    with minitorch.no_grad():
        gap = norm.clamp_min(eps) - norm
    return norm + gap


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    r"""The distance of each pair of vectors, :math:`\lVert x_1 - x_2 + \epsilon \rVert_p`.

    Shape:
        inputs ``(N, D)`` or ``(D,)``, broadcast; output ``(N,)`` or ``()``.

    >>> nn.functional.pairwise_distance(minitorch.tensor([[3., 4.]]), minitorch.zeros(1, 2))
    tensor([5.0000])
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances of all pairs of rows, as the upper triangle of the matrix of distances, row after row.

    Shape:
        input ``(N, M)``, output ``(N (N - 1) / 2,)``.

    >>> nn.functional.pdist(minitorch.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.is_floating_point():
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {input.dtype}")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    n = input.shape[0]
    rows = minitorch.arange(n, device=input.device)
    first, second = (rows.unsqueeze(1) < rows).nonzero(as_tuple=True)
    gaps = input[first] - input[second]
    return gaps.norm(p, 1) if input.shape[1] else gaps.sum(1)
