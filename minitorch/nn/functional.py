"""The functions behind the layers: ``minitorch.nn.functional``, usually imported as ``F``."""

from __future__ import annotations

import warnings
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import matmul as _matmul
from minitorch._ext import pointwise as _pointwise
from minitorch._ext import random as _random
from minitorch._ext import softmax as _softmax
from minitorch._ext.pointwise import gelu, hardshrink, logsigmoid, prelu, softplus, softshrink, softsign, tanhshrink

linear, cross_entropy, nll_loss = _matmul.linear, _softmax.cross_entropy, _softmax.nll_loss

# --- activations -------------------------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit, :math:`\max(x, 0)`.

    >>> nn.functional.relu(minitorch.tensor([-1., 2.]))
    tensor([0., 2.])
    """
    return _pointwise.relu_(input) if inplace else _pointwise.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return _pointwise.relu_(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit that saturates, :math:`\min(\max(x, 0), 6)`."""
    return _pointwise.relu6_(input) if inplace else _pointwise.relu6(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit that leaks: :math:`x` above 0, below it :math:`\text{negative\_slope} \cdot x`.

    >>> nn.functional.leaky_relu(minitorch.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return (_pointwise.leaky_relu_ if inplace else _pointwise.leaky_relu)(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Exponential linear unit: :math:`x` above 0, below it :math:`\alpha (e^x - 1)`.

    Source: Clevert and others, arXiv:1511.07289.
    """
    return (_pointwise.elu_ if inplace else _pointwise.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scaled exponential linear unit, which keeps mean 0 and variance 1 through layers.

    Source: Klambauer and others, arXiv:1706.02515.
    """
    return _pointwise.selu_(input) if inplace else _pointwise.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Continuously differentiable ELU: :math:`x` above 0, below it :math:`\alpha (e^{x / \alpha} - 1)`."""
    return (_pointwise.celu_ if inplace else _pointwise.celu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid linear unit, :math:`x \sigma(x)`."""
    return _pointwise.silu_(input) if inplace else _pointwise.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    r""":math:`x \tanh(\ln(1 + e^x))`.  Source: Misra, arXiv:1908.08681."""
    return _pointwise.mish_(input) if inplace else _pointwise.mish(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Limited to ``[min_val, max_val]``; the limits themselves pass no gradient."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: {min_val} > {max_val}")
    return (_pointwise.hardtanh_ if inplace else _pointwise.hardtanh)(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid of straight lines, :math:`\min(\max(x + 3, 0), 6) / 6`."""
    return _pointwise.hardsigmoid_(input) if inplace else _pointwise.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    r""":math:`x \min(\max(x + 3, 0), 6) / 6`.  Source: Howard and others, arXiv:1905.02244."""
    return _pointwise.hardswish_(input) if inplace else _pointwise.hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`value` where the input is not above `threshold`."""
    return (_pointwise.threshold_ if inplace else _pointwise.threshold)(input, threshold, value)


def sigmoid(input: Tensor) -> Tensor:
    r"""Logistic function, :math:`1 / (1 + e^{-x})`."""
    return _pointwise.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return _pointwise.tanh(input)


def _usual_dim(name: str, dim: int | None, ndim: int) -> int:
    """The dimension to normalise over when the caller does not say: an old habit that PyTorch still allows."""
    if dim is not None:
        return dim
    dim = 0 if ndim in (0, 1, 3) else 1
    warnings.warn(f"{name}: the dimension was not given and {dim} is taken; give dim", stacklevel=3)
    return dim


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    r"""Positive values that sum to 1 along `dim`, :math:`e^{x_i} / \sum_j e^{x_j}`.

    Args:
        dim: the dimension that sums to 1.
        dtype: convert to this type first.

    >>> nn.functional.softmax(minitorch.tensor([0., 0.]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax.softmax(input, _usual_dim("softmax", dim, input.ndim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Logarithm of `softmax`, without its loss of digits."""
    return _softmax.log_softmax(input, _usual_dim("log_softmax", dim, input.ndim), dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """`softmax` of the negative."""
    return _softmax.softmax(-input, _usual_dim("softmin", dim, input.ndim), dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    r"""Zero each element with probability `p` and scale the others by :math:`1 / (1 - p)`, if `training`.

    Raises:
        ValueError: if `p` is not in [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return (_random.dropout_ if inplace else _random.dropout)(input, p, training)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    r"""Scale to norm 1 along `dim`: :math:`x / \max(\lVert x \rVert_p, \epsilon)`.

    >>> nn.functional.normalize(minitorch.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    scaled = input / input.norm(p, dim, keepdim=True).clamp_min(eps)
    return scaled if out is None else out.copy_(scaled)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last dimension of `num_classes` with 1 at the index that the tensor gives, 0 elsewhere.

    Raises:
        RuntimeError: if the tensor is not int64, or an index is negative or too large.

    >>> nn.functional.one_hot(minitorch.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype != minitorch.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        low, high = int(tensor.min()), int(tensor.max())
        if low < 0:
            raise RuntimeError(f"one_hot: class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        if num_classes <= 0:
            raise RuntimeError(f"one_hot: num_classes should be positive, got {num_classes}")
        if high >= num_classes:
            raise RuntimeError(f"one_hot: class values must be smaller than num_classes, got {high} of {num_classes}")
    return (tensor.unsqueeze(-1) == minitorch.arange(num_classes)).to(minitorch.int64)


# --- losses ------------------------------------------------------------------------------------------------------


def _reduction(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
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
    reduction = _reduction(reduction, size_average, reduce)
    _broadcast_warning("mse_loss", input, target)
    return _weighted_loss(_pointwise.squared_difference(input, target), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error, :math:`|x - y|`."""
    reduction = _reduction(reduction, size_average, reduce)
    _broadcast_warning("l1_loss", input, target)
    return _weighted_loss(_pointwise.abs_difference(input, target), weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    r"""With :math:`d = |x - y|`: :math:`d^2 / (2\beta)` up to `beta`, :math:`d - \beta / 2` beyond."""
    reduction = _reduction(reduction, size_average, reduce)
    _broadcast_warning("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return _reduce(_pointwise.abs_difference(input, target), reduction)
    return _reduce(_pointwise.smooth_l1(input, target, beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    r"""With :math:`d = |x - y|`: :math:`d^2 / 2` up to `delta`, :math:`\delta (d - \delta / 2)` beyond."""
    reduction = _reduction(reduction, None, None)
    _broadcast_warning("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    return _weighted_loss(_pointwise.huber(input, target, delta), weight, reduction)


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
        reduction = _reduction(reduction, size_average, reduce)
    own = target.exp() * target if log_target else minitorch.xlogy(target, target)
    loss = own - (target.exp() if log_target else target) * input
    if batch_mean:
        return loss.sum() / input.shape[0] if input.ndim else loss.sum()
    return _reduce(loss, reduction)


def _check_binary(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name}: the target's size ({tuple(target.shape)}) must be the same as the input's "
                         f"({tuple(input.shape)})")


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
    reduction = _reduction(reduction, size_average, reduce)
    _check_binary("binary_cross_entropy", input, target)
    with minitorch.no_grad():
        if not ((input >= 0) & (input <= 1)).all():
            raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1; for scores "
                               "without a sigmoid there is binary_cross_entropy_with_logits")
    loss = _pointwise.binary_cross_entropy(input, target)
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
    reduction = _reduction(reduction, size_average, reduce)
    _check_binary("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = _pointwise.binary_cross_entropy_with_logits(input, target)
    else:
        loss = (1 - target) * input - (1 + (pos_weight - 1) * target) * logsigmoid(input)
    return _reduce(loss if weight is None else loss * weight, reduction)


__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "cross_entropy", "dropout", "elu", "gelu",
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "huber_loss", "kl_div", "l1_loss", "leaky_relu", "linear",
    "log_softmax", "logsigmoid", "mish", "mse_loss", "nll_loss", "normalize", "one_hot", "prelu", "relu", "relu6",
    "relu_", "selu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin", "softplus", "softshrink", "softsign",
    "tanh", "tanhshrink", "threshold",
]
