"""Which learning rate to use: train a little with ever larger ones and look when the loss falls fastest."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from minitorch import nn
from minitorch.optim import Optimizer


@dataclass
class RateCurve:
    """The losses at growing learning rates.

    Attributes:
        rates: the learning rates tried.
        losses: the loss at each, smoothed.
        suggestion: where the loss falls fastest, a good rate to begin with; None if it never falls.
    """

    rates: list[float]
    losses: list[float]
    suggestion: float | None

    def __str__(self) -> str:
        low, high = min(self.losses), min(max(self.losses), 2 * self.losses[0] - min(self.losses))
        lines = []
        for i in range(0, len(self.rates), max(len(self.rates) // 20, 1)):
            part = (min(self.losses[i], high) - low) / max(high - low, 1e-30)
            lines.append(f"{self.rates[i]:9.2e}  {self.losses[i]:10.4g}  {'#' * round(40 * part)}")
        end = "the loss never falls" if self.suggestion is None else f"suggested learning rate: {self.suggestion:.2e}"
        return "\n".join([*lines, end])


def find_lr(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Any],
    loader: Iterable,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    diverged: float = 4.0,
) -> RateCurve:
    """Train for some batches while the learning rate grows from `start` to `end`; afterwards all is as it was.

    Args:
        loss: of the model's output and the target.
        loader: batches ``(input, target)``, gone through again and again.
        steps: how many batches.
        smoothing: the weight of the past in the running average of losses.
        diverged: stop when the loss is so many times the smallest.

    Returns:
        a `RateCurve`, to print or to draw.

    Source: Smith, *Cyclical learning rates for training neural networks*, arXiv:1506.01186, section 3.3.
    """
    if not 0 < start < end or steps < 2:
        raise ValueError(f"find_lr: needs 0 < start < end and at least 2 steps, got {start}, {end} and {steps}")
    before = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict()), model.training
    rates: list[float] = []
    losses: list[float] = []
    average, batches = 0.0, iter(loader)
    try:
        model.train()
        for i in range(steps):
            try:
                x, target = next(batches)
            except StopIteration:
                batches = iter(loader)
                x, target = next(batches)
            rate = start * (end / start) ** (i / (steps - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            value = loss(model(x), target)
            value.backward()
            optimizer.step()
            average = smoothing * average + (1 - smoothing) * value.item()
            current = average / (1 - smoothing ** (i + 1))
            if not math.isfinite(current) or (losses and current > diverged * min(losses)):
                break
            rates.append(rate)
            losses.append(current)
    finally:
        optimizer.zero_grad()
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        model.train(before[2])
    return RateCurve(rates, losses, _steepest(rates, losses))


def _steepest(rates: list[float], losses: list[float], width: int = 3) -> float | None:
    """The rate at which the loss falls fastest with the logarithm of the rate."""
    slopes = [
        (losses[i + width] - losses[i - width]) / math.log(rates[i + width] / rates[i - width])
        for i in range(width, len(rates) - width)
    ]
    if not slopes or min(slopes) >= 0:
        return None
    return rates[width + slopes.index(min(slopes))]
