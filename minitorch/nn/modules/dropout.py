"""Dropping activations at random while training."""

from __future__ import annotations

from minitorch import Tensor

from .. import functional as F
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    r"""Zeroes each element with probability `p` and scales the others by :math:`1 / (1 - p)`, in training only.

    Args:
        p: the probability of a zero.
        inplace: write over the input.

    Raises:
        ValueError: if `p` is not in [0, 1].

    Source: Hinton and others, *Improving neural networks by preventing co-adaptation of feature detectors*,
    arXiv:1207.0580.

    >>> nn.Dropout(0.5).eval()(minitorch.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The input with a random part of it zeroed."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"
