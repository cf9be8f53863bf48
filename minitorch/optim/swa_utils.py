"""Averages of a model's parameters over its training: stochastic weight averaging, and exponential."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import minitorch
from minitorch import Tensor, nn

from .lr_scheduler import LRScheduler, _one_each
from .optimizer import Optimizer

Average = Callable[[Tensor, Tensor, Any], Tensor]
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """An exponential average: ``decay * average + (1 - decay) * parameter``."""
    _check_decay(decay)

    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with minitorch.no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean of all parameters so far."""

    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with minitorch.no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """`get_ema_avg_fn` for lists of parameters, in place.

    >>> average = [minitorch.zeros(2)]
    >>> minitorch.optim.swa_utils.get_ema_multi_avg_fn(0.9)(average, [minitorch.ones(2)], 1)
    >>> average
    [tensor([0.1000, 0.1000])]
    """
    _check_decay(decay)
    return _in_place(lambda number: 1 - decay, get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Averages:
    """`get_swa_avg_fn` for lists of parameters, in place."""
    return _in_place(lambda number: 1 / (float(number) + 1), get_swa_avg_fn())


def _in_place(weight: Callable[[Any], float], average: Average) -> Averages:
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], number: Any) -> None:
        with minitorch.no_grad():
            for mean, new in zip(averaged, current, strict=True):
                if mean.is_floating_point():
                    mean.lerp_(new, weight(number))
                else:
                    mean.copy_(average(mean, new, number))

    return update


class AveragedModel(nn.Module):
    """A copy of a model whose parameters are averages of the model's.

    Args:
        model: what to copy.
        device: where to keep the copy.
        avg_fn: ``avg_fn(average, parameter, number of averages so far)`` gives the new average.
        multi_avg_fn: the same for lists, in place; the mean of all if neither is given.
        use_buffers: average the buffers too; otherwise they are those of the last model.

    Source: Izmailov and others, *Averaging weights leads to wider optima and better generalization*, arXiv:1803.05407.

    >>> model = nn.Linear(1, 1)
    >>> average = minitorch.optim.swa_utils.AveragedModel(model)
    >>> average.update_parameters(model)
    >>> average.n_averaged
    tensor(1)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: nn.Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", minitorch.tensor(0, dtype=minitorch.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: nn.Module) -> None:
        """Take the model's present parameters into the averages."""
        own, new = (
            [tensor.detach() for tensor in chain(m.parameters(), m.buffers() if self.use_buffers else ())]
            for m in (self.module, model)
        )
        if self.n_averaged == 0:
            for mean, value in zip(own, new, strict=True):
                mean.copy_(value)
        elif self.avg_fn is not None:
            for mean, value in zip(own, new, strict=True):
                mean.copy_(self.avg_fn(mean, value, self.n_averaged))
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(own, new, self.n_averaged)
        if not self.use_buffers:
            for mean, value in zip(self.module.buffers(), model.buffers(), strict=True):
                mean.detach().copy_(value.detach())
        self.n_averaged += 1


def update_bn(loader: Iterable[Any], model: nn.Module, device: Any = None) -> None:
    """Find the running statistics of batch normalisation anew, which averaging the parameters has made wrong.

    Args:
        loader: batches, or tuples that start with one.
        device: where to bring the batches.
    """
    norms = [m for m in model.modules() if hasattr(m, "reset_running_stats") and hasattr(m, "momentum")]
    momenta = [norm.momentum for norm in norms]
    if not norms:
        return
    training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with minitorch.no_grad():
        for batch in loader:
            batch = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(batch if device is None else batch.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """From each group's rate to `swa_lr` in `anneal_epochs` epochs, and there it stays.

    Args:
        swa_lr: the last rate, or one for each group.
        anneal_strategy: ``"cos"`` or ``"linear"``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, _one_each("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The rate that the schedule began with, found back from the present one, moved further to the last."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            first = last if before == 1 else (group["lr"] - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates


__all__ = [
    "AveragedModel", "SWALR", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]
