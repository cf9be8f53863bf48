"""Losses as modules: each calls the function of its name in ``nn.functional``."""

from __future__ import annotations

import math

from minitorch import Tensor

from .. import functional as F
from ..functional.losses import reduction_of
from .linear import Linear
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss",
    "MSELoss", "NLLLoss", "SmoothL1Loss",
]


class _Loss(Module):
    """Keeps how the losses of the elements become one: ``"mean"``, ``"sum"``, or ``"none"``."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        old = size_average is not None or reduce is not None
        self.reduction = reduction_of(reduction, size_average, reduce) if old else reduction


class _WeightedLoss(_Loss):
    """Keeps a weight too, as a buffer, so that it moves with the module."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    r"""Cross entropy of unnormalised scores against classes or class probabilities.

    .. math:: -w_y \ln \frac{e^{x_y}}{\sum_c e^{x_c}}

    Args:
        weight: one for each class.
        ignore_index: a class that does not count.
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        label_smoothing: this much of the target is spread over all classes.

    Shape:
        input ``(C)``, ``(N, C)`` or ``(N, C, d1, ...)``; target without ``C``, or the input's if probabilities.

    >>> nn.CrossEntropyLoss()(minitorch.tensor([[0., 0.]]), minitorch.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.cross_entropy`."""
        return F.cross_entropy(input, target, self._buffers["weight"], None, self.ignore_index, None, self.reduction,
                               self.label_smoothing)


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer to the scores of classes, and their cross entropy: `F.linear_cross_entropy`.

    Args:
        in_features: size of each input sample.
        num_classes: the number of classes :math:`C`.
        out_features: sizes ``(d1, ...)`` of several targets for a sample.
        bias: whether the layer ``linear`` has one.
        weight: one for each class.
        ignore_index: a class that does not count; -100 unless given.
        reduction, label_smoothing: as of `CrossEntropyLoss`.

    Shape:
        input ``(in_features)`` or ``(N, in_features)``; target ``()``, ``(N)`` or ``(N, d1, ...)``, or probabilities
        of ``C`` classes after ``N``.

    Raises:
        NotImplementedError: if ``options`` are given, which cut PyTorch's into pieces.

    >>> loss = nn.LinearCrossEntropyLoss(3, 4)
    >>> loss(minitorch.zeros(2, 3), minitorch.tensor([0, 1]))
    tensor(1.3863, grad_fn=<NllLossBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: object = None,
        dtype: object = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: object = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(f"LinearCrossEntropyLoss: weight must be of shape {(num_classes,)}, one for each class, "
                               f"not {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"LinearCrossEntropyLoss: label_smoothing must be in [0, 1], not {label_smoothing}")
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.linear_cross_entropy`."""
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape(*shape, self.linear.in_features), target,
            linear_bias=bias.reshape(shape) if bias is not None else None, weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing,
            options=self.options)  # fmt: skip

    def extra_repr(self) -> str:
        """The layer's and the loss's settings."""
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
                f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
                f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}")


class NLLLoss(_WeightedLoss):
    """Negative log likelihood: minus the log-probability that the input gives the target's class.

    The arguments are those of `CrossEntropyLoss`.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.nll_loss`."""
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(_Loss):
    """Squared error, :math:`(x - y)^2`.

    >>> nn.MSELoss()(minitorch.tensor([1., 3.]), minitorch.tensor([1., 1.]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.mse_loss`."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Absolute error, :math:`|x - y|`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.l1_loss`."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    r"""With :math:`d = |x - y|`: :math:`d^2 / (2\beta)` up to `beta`, :math:`d - \beta / 2` beyond."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.smooth_l1_loss`."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    r"""With :math:`d = |x - y|`: :math:`d^2 / 2` up to `delta`, :math:`\delta (d - \delta / 2)` beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.huber_loss`."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class KLDivLoss(_Loss):
    r"""Divergence of the target from the distribution whose logarithm is the input, :math:`y (\ln y - x)`."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.kl_div`."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class BCELoss(_WeightedLoss):
    r"""Cross entropy of probabilities, :math:`-y \ln x - (1 - y) \ln(1 - x)`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.binary_cross_entropy`."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """`BCELoss` of ``sigmoid(input)``, without its loss of digits.

    Args:
        weight: multiplies the loss of each element.
        pos_weight: multiplies the losses of positive targets.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """`F.binary_cross_entropy_with_logits`."""
        return F.binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction,
                                                  pos_weight=self.pos_weight)
