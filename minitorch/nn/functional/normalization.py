"""Normalisation: over a batch, a layer, groups, and to a unit norm."""

from __future__ import annotations

from minitorch import Tensor

__all__ = ["normalize"]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    r"""Scale to norm 1 along `dim`: :math:`x / \max(\lVert x \rVert_p, \epsilon)`.

    >>> nn.functional.normalize(minitorch.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    scaled = input / input.norm(p, dim, keepdim=True).clamp_min(eps)
    return scaled if out is None else out.copy_(scaled)
