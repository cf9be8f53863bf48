"""Random laws on the device, made of its uniform and normal numbers by tensor operations.

Each function takes fresh numbers, which it may overwrite: uniform ones in [0, 1), or normal ones.  The recipes are
those of the CPU (docs/random.md); the numbers are not, since the device's generator is another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tensor import Tensor


def exponential(u: Tensor, rate: float) -> Tensor:
    """``-ln(1 - u) / rate``"""
    return u.neg_().log1p_().div_(-rate)


def cauchy(u: Tensor, median: float, sigma: float) -> Tensor:
    """``median + sigma tan(pi (u - 1/2))``"""
    return u.sub_(0.5).mul_(math.pi).tan_().mul_(sigma).add_(median)


def log_normal(z: Tensor, mean: float, std: float) -> Tensor:
    """``exp(mean + std z)`` of normal numbers z"""
    return z.mul_(std).add_(mean).exp_()


def geometric(u: Tensor, p: float) -> Tensor:
    """``ceil(ln(1 - u) / ln(1 - p))``, and 1 where u is 0."""
    return u.neg_().log1p_().div_(math.log1p(-p)).ceil_().clamp_(min=1)


def chosen(u: Tensor, weights: Tensor) -> Tensor:
    """Where the cumulative weights of each row, as parts of their sum, first exceed the row's uniform numbers."""
    from .. import searchsorted

    sums = weights.cumsum(-1)
    return searchsorted(sums / sums[..., -1:], u, right=True)


def raced(u: Tensor, weights: Tensor, count: int) -> Tensor:
    """The places of the `count` largest of ``w / e``, for exponential numbers e: of weight w in w out of all."""
    from .. import finfo

    waits = exponential(u, 1).clamp_(min=finfo(u.dtype).tiny)  # not 0, since 0 / 0 would come first
    return (weights / waits).topk(count).indices


def are_weights(weights: Tensor) -> bool:
    """Whether all are finite and none negative, and each row has one that is not zero."""
    return bool(((weights >= 0) & (weights < math.inf)).all() & (weights.sum(-1) > 0).all())
