"""Negative logarithms of likelihoods: of counts, of numbers with a known spread, of sequences."""

from __future__ import annotations

import math

import minitorch
from minitorch import Tensor
from minitorch._ext import ctc as _ctc
from minitorch.functions._common import beneath

from .losses import _reduce, reduction_of

__all__ = ["ctc_loss", "gaussian_nll_loss", "poisson_nll_loss"]


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""For counts from Poisson's distribution: :math:`e^x - y x`, or :math:`x - y \ln(x + \epsilon)`.

    Args:
        log_input: the input is the logarithm of the mean.
        full: add what does not depend on the input, by Stirling's approximation of :math:`\ln y!`, where y > 1.

    >>> nn.functional.poisson_nll_loss(minitorch.zeros(1), minitorch.ones(1))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + minitorch.where(target <= 1, 0.0, stirling)
    return _reduce(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    r"""For numbers from normal distributions: :math:`\frac12 \left(\ln v + (x - y)^2 / v\right)`, v at least eps.

    Args:
        var: of each element; or of each row, with a last size of 1 or without that dimension; or of all.
        full: add the constant :math:`\frac12 \ln 2\pi`.

    Source: Nix and Weigend, *Estimating the mean and variance of the target probability distribution*, 1994.
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = minitorch.full_like(input, var)
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or any(v not in (1, n) for v, n in zip(var.shape, input.shape)):
            raise ValueError("var is of incorrect size: it must have the shape of the input, but for sizes of 1; got "
                             f"{tuple(var.shape)} and {tuple(input.shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    if bool((beneath(var) < 0).any()):
        raise ValueError("var has negative entry/entries")
    var = var.clone()
    with minitorch.no_grad():
        var.clamp_(min=eps)
    gap = input - target
    loss = 0.5 * (var.log() + gap * gap / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


def _lengths(lengths: Tensor | list[int] | tuple[int, ...], batch: int, name: str) -> Tensor:
    lengths = lengths if isinstance(lengths, Tensor) else minitorch.tensor(lengths, dtype=minitorch.int64, device="cpu")
    if lengths.is_floating_point():
        raise RuntimeError(f"ctc_loss: {name} must be integral")
    if lengths.numel() != batch:
        raise RuntimeError(f"ctc_loss: {name} must be of size batch_size, {batch}, but has {lengths.numel()}")
    return lengths.reshape(-1).long()


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | list[int] | tuple[int, ...],
    target_lengths: Tensor | list[int] | tuple[int, ...],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    r"""Connectionist temporal classification: minus the log-probability of all ways to read the targets.

    A reading gives each step a class or the blank; equal neighbours are joined, then blanks left out.  The gradient
    supposes, as PyTorch's does, that `log_probs` come from a log-softmax.

    Args:
        targets: ``(N, S)``, or one after another, ``(sum of lengths,)``.
        blank: the class that is no class.
        reduction: ``"mean"`` divides each loss by its target's length first.
        zero_infinity: targets that are too long for their input count nothing, instead of infinitely much.

    Shape:
        log_probs ``(T, N, C)`` or ``(T, C)``; lengths ``(N,)`` or ``()``; output ``()``, or ``(N,)`` for ``"none"``.

    Source: Graves and others, *Connectionist temporal classification*, 2006.

    >>> scores = minitorch.zeros(2, 1, 2).log_softmax(2)
    >>> nn.functional.ctc_loss(scores, minitorch.tensor([[1]]), (2,), (1,))  # 1 1, 1 _ and _ 1 of four readings
    tensor(0.2877)
    """
    reduction = reduction_of(reduction, None, None)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), got {tuple(log_probs.shape)}")
    if not log_probs.is_floating_point():
        raise RuntimeError(f"ctc_loss: log_probs must be of a floating-point type, got {log_probs.dtype}")
    single = log_probs.ndim == 2
    scores = log_probs.unsqueeze(1) if single else log_probs
    batch = scores.shape[1]
    inputs, lengths = _lengths(input_lengths, batch, "input_lengths"), _lengths(target_lengths, batch, "target_lengths")
    if targets.is_floating_point():
        raise RuntimeError("ctc_loss: targets must be integral")
    if targets.ndim == 1 and single:
        targets = targets.unsqueeze(0)
    losses = _ctc.ctc_losses(scores, targets.long(), inputs, lengths, blank)
    if zero_infinity:
        losses = minitorch.where(losses == math.inf, 0.0, losses)
    if reduction == "mean":
        return (losses / lengths.clamp_min(1).to(losses.dtype)).mean()
    if reduction == "sum":
        return losses.sum()
    return losses.squeeze(0) if single else losses
