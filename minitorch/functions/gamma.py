"""What is made of the gamma function."""

from __future__ import annotations

import math

from .._creation import arange
from .._ext import arithmetic
from .._ext.pointwise import give
from .._tensor import Tensor
from ._common import inexact

__all__ = ["mvlgamma", "mvlgamma_"]


def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    r"""The logarithm of the multivariate gamma function of dimension p.

    .. math:: y = \frac{p (p - 1)}{4} \ln \pi + \sum_{i=1}^p \ln \Gamma\bigl(x + \tfrac{1 - i}{2}\bigr)

    >>> import minitorch
    >>> minitorch.mvlgamma(minitorch.tensor([2., 3.]), 2)
    tensor([0.4516, 1.5502])
    """
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, not {p}")
    x = inexact(input)
    shifts = arange(p - 1, -1, -1, device=x.device).to(x.dtype) * -0.5
    terms = (x.unsqueeze(-1) + shifts).lgamma().sum(-1)
    return give(terms + p * (p - 1) / 4 * math.log(math.pi), out, "mvlgamma")


def mvlgamma_(self: Tensor, p: int) -> Tensor:
    """`mvlgamma` in place."""
    return self.copy_(mvlgamma(self, p))


def _polygamma(self: Tensor, n: int) -> Tensor:
    """`minitorch.polygamma` of order ``n``."""
    return arithmetic.polygamma(n, self)


def _polygamma_(self: Tensor, n: int) -> Tensor:
    """`minitorch.polygamma` of order ``n`` in place."""
    return self.copy_(arithmetic.polygamma(n, self))


Tensor.polygamma, Tensor.polygamma_ = _polygamma, _polygamma_
