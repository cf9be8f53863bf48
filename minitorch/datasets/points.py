"""Points in the plane that a straight line cannot tell apart."""

from __future__ import annotations

import math
from typing import Any

import minitorch
from minitorch import Tensor


def moons(n: int = 200, noise: float = 0.1, generator: Any = None) -> tuple[Tensor, Tensor]:
    """Two half circles that reach into each other.

    Args:
        n: how many points, half of them (rounded up) in the first class.
        noise: the standard deviation of what is added to the coordinates.
        generator: where random numbers are drawn from.

    Returns:
        points, float32 of shape ``(n, 2)``, and classes, int64 of shape ``(n,)``; the classes one after the other.

    >>> points, classes = minitorch.datasets.moons(100)
    >>> points.shape, classes.sum()
    (torch.Size([100, 2]), tensor(50))
    """
    upper = minitorch.linspace(0, math.pi, n - n // 2)
    lower = minitorch.linspace(0, math.pi, n // 2)
    x = minitorch.cat([upper.cos(), 1 - lower.cos()])
    y = minitorch.cat([upper.sin(), 0.5 - lower.sin()])
    points = minitorch.stack([x, y], 1)
    classes = (minitorch.arange(n) >= n - n // 2).to(minitorch.int64)
    return points + noise * minitorch.randn(n, 2, generator=generator), classes


def spirals(
    n: int = 300, classes: int = 3, turns: float = 0.75, noise: float = 0.05, generator: Any = None
) -> tuple[Tensor, Tensor]:
    """Arms of a spiral, one for each class.

    Args:
        n: how many points, divided among the arms in turn.
        classes: how many arms.
        turns: how often an arm goes round.
        noise: the standard deviation of what is added to the coordinates.
        generator: where random numbers are drawn from.

    Returns:
        points, float32 of shape ``(n, 2)``, within the unit circle but for the noise; and classes, int64 of ``(n,)``.

    >>> points, classes = minitorch.datasets.spirals(6, classes=3)
    >>> classes
    tensor([0, 1, 2, 0, 1, 2])
    """
    arm = minitorch.arange(n) % classes
    radius = minitorch.linspace(0.05, 1, n)
    angle = 2 * math.pi * (turns * radius + arm / classes)
    points = minitorch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return points + noise * minitorch.randn(n, 2, generator=generator), arm


def xor(n: int = 200, noise: float = 0.0, generator: Any = None) -> tuple[Tensor, Tensor]:
    """Points in a square, of class 1 where their coordinates have different signs.

    Args:
        n: how many points.
        noise: the standard deviation of what is added to the coordinates after they are classified.
        generator: where random numbers are drawn from.

    Returns:
        points, float32 of shape ``(n, 2)``, from -1 to 1 but for the noise; and classes, int64 of shape ``(n,)``.

    >>> points, classes = minitorch.datasets.xor(10)
    >>> ((points[:, 0] * points[:, 1] < 0) == classes).all()
    tensor(True)
    """
    points = 2 * minitorch.rand(n, 2, generator=generator) - 1
    classes = ((points[:, 0] > 0) != (points[:, 1] > 0)).to(minitorch.int64)
    return points + noise * minitorch.randn(n, 2, generator=generator), classes
