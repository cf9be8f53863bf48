"""Losses that ask for a margin: between scores, between classes, between distances."""

from __future__ import annotations

from collections.abc import Callable

import minitorch
from minitorch import Tensor

from .activations import logsigmoid
from .distances import pairwise_distance
from .losses import _reduce, reduction_of

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r""":math:`x` where the target is 1, :math:`\max(0, m - x)` where it is -1.

    >>> nn.functional.hinge_embedding_loss(minitorch.tensor([0.5, 0.25]), minitorch.tensor([1., -1.]))
    tensor(0.6250)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    far = minitorch.where(target != 1, (margin - input).clamp_min(0), 0)
    near = minitorch.where(target != -1, input, 0)
    return _reduce(far + near, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r""":math:`1 - \cos(x_1, x_2)` where the target is 1, :math:`\max(0, \cos(x_1, x_2) - m)` where it is -1.

    Shape:
        inputs ``(N, D)`` and target ``(N,)``, or inputs ``(D,)`` and target ``()``.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs "
                           f"with sizes {list(input1.shape)} and {list(input2.shape)}.")
    products = (input1 * input2).sum(-1)
    squares = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosines = products / squares.sqrt()
    zero = minitorch.zeros_like(cosines)
    loss = (minitorch.where(target == 1, 1 - cosines, zero)
            + minitorch.where(target == -1, (cosines - margin).clamp_min(0), zero))
    return _reduce(loss, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r""":math:`\max(0, -y (x_1 - x_2) + m)`: the first should be larger where the target is 1, smaller where it is -1."""
    reduction = reduction_of(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension but got sizes: "
                           f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} ")
    return _reduce((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r""":math:`\ln(1 + e^{-y x})` for targets of 1 and -1."""
    reduction = reduction_of(reduction, size_average, reduce)
    return _reduce(-logsigmoid(target * input), reduction)


def _check_classes(name: str, input: Tensor, target: Tensor, target_ndim: int) -> None:
    if input.ndim > 2 or (input.numel() == 0 and not (input.ndim == 2 and input.shape[1] != 0 and input.shape[0] == 0)):
        raise RuntimeError(f"{name}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                           f"{list(input.shape)}")
    batch = input.shape[:1] if input.ndim == 2 else ()
    expected = (*batch, *(input.shape[-1:] if target_ndim and input.ndim else ()))
    if tuple(target.shape) != expected and not (target_ndim == 0 and input.ndim < 2 and target.numel() == 1):
        raise RuntimeError(f"{name}: inconsistent target size: {list(target.shape)} for input of size: "
                           f"{list(input.shape)}")


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""The target's score should pass every other by a margin.

    .. math:: \frac{1}{C} \sum_{j \ne y} w_y \max(0, m - x_y + x_j)^p

    Shape:
        input ``(N, C)`` or ``(C,)``, target ``(N,)`` or ``()``.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    _check_classes("multi_margin_loss", input, target, 0)
    if weight is not None and weight.numel() != (input.shape[-1] if input.ndim else 1):
        raise RuntimeError(f"inconsistent weight size: {list(weight.shape)} for input of {input.shape[-1]} classes")
    x, y = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1)
    _check_targets("multi_margin_loss", y, x.shape[1], 0)
    excess = (margin - x.gather(1, y.unsqueeze(1)) + x).clamp_min(0)
    if p == 2:
        excess = excess * excess
    others = minitorch.ones_like(x).scatter(1, y.unsqueeze(1), 0.0)
    loss = (excess * others).sum(1) / x.shape[1]
    if weight is not None:
        loss = loss * weight[y]
    if reduction == "none" and input.ndim < 2:
        return loss.squeeze(0)
    return _reduce(loss, reduction)


def _check_targets(name: str, target: Tensor, classes: int, least: int) -> None:
    if target.dtype != minitorch.int64:
        raise RuntimeError(f"{name}: expected scalar type Long for the target, but got {target.dtype}")
    if target.numel() and (int(target.min()) < least or int(target.max()) >= classes):
        raise RuntimeError(f"{name}: target out of range: there are {classes} classes, and targets from "
                           f"{int(target.min())} to {int(target.max())}")


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""The scores of several targets should each pass those of all other classes by 1.

    .. math:: \frac{1}{C} \sum_{j \in Y} \sum_{i \notin Y} \max(0, 1 - x_j + x_i)

    Shape:
        input and target ``(N, C)`` or ``(C,)``; a target ends the list of its classes by -1.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _check_classes("multilabel_margin_loss", input, target, 1)
    classes = input.shape[-1] if input.ndim else 1
    x, y = input.reshape(-1, classes), target.reshape(-1, classes)
    _check_targets("multilabel_margin_loss", y, classes, -1)
    named = (y < 0).cumsum(1) == 0  # up to the first -1
    places = minitorch.where(named, y, 0)
    is_target = minitorch.zeros_like(x).scatter_add(1, places, named.to(x.dtype)) > 0
    gaps = (1 - x.gather(1, places).unsqueeze(2) + x.unsqueeze(1)).clamp_min(0)
    counted = named.unsqueeze(2) & ~is_target.unsqueeze(1)
    loss = minitorch.where(counted, gaps, 0.0).sum((1, 2)) / classes
    if reduction == "none" and input.ndim < 2:
        return loss.squeeze(0)
    return _reduce(loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross entropy of each class by itself, averaged: :math:`-y \ln \sigma(x) - (1 - y) \ln \sigma(-x)`.

    Shape:
        input and target ``(N, C)``.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduce(loss.mean(-1), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""The anchor should be nearer to the positive than to the negative, by a margin.

    .. math:: \max(0, \lVert a - p \rVert_p - \lVert a - n \rVert_p + m)

    Args:
        swap: take the distance of positive and negative where that is less.

    Source: Balntas and others, *Learning local feature descriptors with triplets*, 2016.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("All inputs should have same dimension but got "
                           f"{anchor.ndim}D, {positive.ndim}D and {negative.ndim}D inputs.")

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minitorch.minimum(far, distance(positive, negative))
    return _reduce((margin + near - far).clamp_min(0), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with any distance, `pairwise_distance` if none is given."""
    reduction = reduction_of(reduction, None, None)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("All inputs should have same dimension but got "
                           f"{anchor.ndim}D, {positive.ndim}D and {negative.ndim}D inputs.")
    return _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)
