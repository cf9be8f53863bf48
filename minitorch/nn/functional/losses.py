"""Losses, and the two ways to say how they are reduced."""

from __future__ import annotations

import math
import warnings

import minitorch
from minitorch import Tensor
from minitorch._ext import arithmetic as _arithmetic
from minitorch._ext.arithmetic import logsigmoid
from minitorch._ext.matmul import linear
from minitorch._ext.softmax import cross_entropy, nll_loss
from minitorch.functions._common import beneath

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "kl_div", "l1_loss",
    "linear_cross_entropy", "mse_loss", "nll_loss", "smooth_l1_loss",
]


def reduction_of(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction, which older programs give as two bools."""
    if size_average is None and reduce is None:
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"{reduction} is not a valid value for reduction")
        return reduction
    new = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(f"size_average and reduce are deprecated, use reduction='{new}'", stacklevel=3)
    return new


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _broadcast_warning(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        if any(m != n and 1 not in (m, n) for m, n in zip(reversed(input.shape), reversed(target.shape))):
            raise RuntimeError(f"{name}: the target's size {tuple(target.shape)} must be the input's, "
                               f"{tuple(input.shape)}")
        warnings.warn(f"{name}: the target's size {tuple(target.shape)} is not the input's {tuple(input.shape)}; they "
                      "are broadcast to each other, which is seldom meant", stacklevel=3)


def _weighted_loss(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Reduce element losses; with weights, the mean is over their sum."""
    if weight is None:
        return _reduce(loss, reduction)
    if weight.shape != loss.shape:
        raise ValueError(f"weight must have the shape of the input, {tuple(loss.shape)}, got {tuple(weight.shape)}")
    return (loss * weight).sum() / weight.sum() if reduction == "mean" else _reduce(loss * weight, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error, :math:`(x - y)^2`.

    >>> nn.functional.mse_loss(minitorch.tensor([1., 3.]), minitorch.tensor([1., 1.]))
    tensor(2.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _broadcast_warning("mse_loss", input, target)
    return _weighted_loss(_arithmetic.squared_difference(input, target), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error, :math:`|x - y|`."""
    reduction = reduction_of(reduction, size_average, reduce)
    _broadcast_warning("l1_loss", input, target)
    return _weighted_loss(_arithmetic.abs_difference(input, target), weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    r"""With :math:`d = |x - y|`: :math:`d^2 / (2\beta)` up to `beta`, :math:`d - \beta / 2` beyond."""
    reduction = reduction_of(reduction, size_average, reduce)
    _broadcast_warning("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return _reduce(_arithmetic.abs_difference(input, target), reduction)
    return _reduce(_arithmetic.smooth_l1(input, target, beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    r"""With :math:`d = |x - y|`: :math:`d^2 / 2` up to `delta`, :math:`\delta (d - \delta / 2)` beyond."""
    reduction = reduction_of(reduction, None, None)
    _broadcast_warning("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    return _weighted_loss(_arithmetic.huber(input, target, delta), weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    r"""Divergence of `target` from the distribution whose logarithm is `input`, :math:`y (\ln y - x)`.

    Args:
        reduction: ``"batchmean"``, the sum over the batch size, is the divergence itself.
        log_target: the target is a logarithm too.
    """
    batch_mean = reduction == "batchmean"
    if not batch_mean:
        reduction = reduction_of(reduction, size_average, reduce)
    own = target.exp() * target if log_target else minitorch.xlogy(target, target)
    loss = own - (target.exp() if log_target else target) * input
    if batch_mean:
        return loss.sum() / input.shape[0] if input.ndim else loss.sum()
    return _reduce(loss, reduction)


def _check_binary(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name}: the target's size ({tuple(target.shape)}) must be the same as the input's "
                         f"({tuple(input.shape)})")
    if not target.is_floating_point():
        raise RuntimeError(f"{name}: the target must be of a floating-point type, as the input is, not {target.dtype}; "
                           "convert it with .float()")


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross entropy of probabilities, :math:`-y \ln x - (1 - y) \ln(1 - x)`; logarithms stop at -100.

    Raises:
        ValueError: if the shapes differ.
        RuntimeError: if the input is not in [0, 1].
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _check_binary("binary_cross_entropy", input, target)
    with minitorch.no_grad():
        values = beneath(input)
        if not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1; for scores "
                               "without a sigmoid there is binary_cross_entropy_with_logits")
    loss = _arithmetic.binary_cross_entropy(input, target)
    return _reduce(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    r"""`binary_cross_entropy` of ``sigmoid(input)``, without its loss of digits.

    .. math:: -p\, y \ln \sigma(x) - (1 - y) \ln(1 - \sigma(x))

    Args:
        weight: multiplies the loss of each element.
        pos_weight: :math:`p`, the weight of positive targets.

    >>> nn.functional.binary_cross_entropy_with_logits(minitorch.zeros(1), minitorch.ones(1))
    tensor(0.6931)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _check_binary("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = _arithmetic.binary_cross_entropy_with_logits(input, target)
    else:
        loss = (1 - target) * input - (1 + (pos_weight - 1) * target) * logsigmoid(input)
    return _reduce(loss if weight is None else loss * weight, reduction)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: object = None,
) -> Tensor:
    """`cross_entropy` of the scores that a linear layer gives.

    Args:
        linear_weight: ``(C, in_features)``, or ``(C, d1, ..., in_features)`` for several targets a sample.
        linear_bias: ``(C)`` or ``(C, d1, ...)``.
        ignore_index: a class that does not count; -100 unless given.
        options: what cuts PyTorch's batches into pieces; not supported.

    Shape:
        input ``(in_features)`` or ``(N, in_features)``; target ``()``, ``(N)`` or ``(N, d1, ...)``, or probabilities
        with the classes after ``N``.

    Raises:
        RuntimeError: if shapes do not fit, or there are probabilities and `ignore_index`.

    >>> x, w = minitorch.zeros(2, 3), minitorch.zeros(4, 3)
    >>> nn.functional.linear_cross_entropy(x, w, minitorch.tensor([0, 1]))
    tensor(1.3863)
    """
    if options is not None:
        raise NotImplementedError("linear_cross_entropy: options (the loss in pieces) are not supported; leave them "
                                  "out, or call it for parts of the batch")
    shapes = f"input {tuple(input.shape)}, linear_weight {tuple(linear_weight.shape)}"
    if input.ndim not in (1, 2) or linear_weight.ndim < 2:
        raise RuntimeError("linear_cross_entropy: expected an input of 1 or 2 dimensions and a linear_weight of at "
                           f"least 2, got {shapes}")
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError("linear_cross_entropy: the last dimensions of input and linear_weight (in_features) must be "
                           f"equal, got {shapes}")
    classes, others = linear_weight.shape[0], tuple(linear_weight.shape[1:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *others):
        raise RuntimeError(f"linear_cross_entropy: expected a linear_bias of shape {(classes, *others)}, got "
                           f"{tuple(linear_bias.shape)}")
    if others and input.ndim == 1:
        raise RuntimeError(f"linear_cross_entropy: several targets a sample need a batch, (N, in_features), got "
                           f"{shapes}")
    shape = (*input.shape[:-1], classes, *others)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("linear_cross_entropy: ignore_index is for classes, but the target has the shape of "
                           f"probabilities, {shape}; leave it out")
    rows = classes * math.prod(others)
    bias = linear_bias.reshape(rows) if linear_bias is not None else None
    scores = linear(input, linear_weight.reshape(rows, input.shape[-1]), bias).reshape(shape)
    return cross_entropy(scores, target, weight, None, -100 if ignore_index is None else ignore_index, None, reduction,
                         label_smoothing)
