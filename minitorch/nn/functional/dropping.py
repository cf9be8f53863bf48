"""Dropout of every kind."""

from __future__ import annotations

from minitorch import Tensor
from minitorch._ext import random as _random

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    r"""Zero each element with probability `p` and scale the others by :math:`1 / (1 - p)`, if `training`.

    Raises:
        ValueError: if `p` is not in [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return (_random.dropout_ if inplace else _random.dropout)(input, p, training)
