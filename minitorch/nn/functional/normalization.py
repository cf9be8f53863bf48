"""Normalisation: over a batch, a layer, groups, and to a unit norm."""

from __future__ import annotations

import math
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import norm as _norm

from .pooling import avg_pool2d

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm",
]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    r"""Scale to norm 1 along `dim`: :math:`x / \max(\lVert x \rVert_p, \epsilon)`.

    >>> nn.functional.normalize(minitorch.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    scaled = input / input.norm(p, dim, keepdim=True).clamp_min(eps)
    return scaled if out is None else out.copy_(scaled)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise each channel over the batch.

    .. math:: y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\,\gamma + \beta

    Args:
        running_mean, running_var: the moments to use if not `training`; in training, those of the batch are used, and
            these move towards them by `momentum` (the variance's unbiased estimate).
        weight, bias: :math:`\gamma` and :math:`\beta`.

    Shape:
        input ``(N, C, *)``, everything else ``(C,)``; output as the input.

    Raises:
        ValueError: if in training there is only one value for each channel.
        RuntimeError: if sizes do not fit, or not `training` and there are no running moments.

    Source: Ioffe, Szegedy, *Batch normalization*, arXiv:1502.03167.

    >>> nn.functional.batch_norm(minitorch.tensor([[1.], [3.]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if input.ndim < 2 and input.numel() == 0:
        return input.clone()
    if training:
        _more_than_one(input)
    return _norm.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _more_than_one(input: Tensor) -> None:
    if input.ndim >= 2 and input.numel() == input.shape[1] > 0:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(input.shape)}")


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise each sample over its trailing dimensions.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}}\,\gamma + \beta

    Args:
        normalized_shape: the trailing dimensions.
        weight, bias: :math:`\gamma` and :math:`\beta`, of that shape.

    Raises:
        RuntimeError: if the input does not end in `normalized_shape` (names both shapes).

    Source: Ba, Kiros, Hinton, *Layer Normalization*, arXiv:1607.06450.

    >>> nn.functional.layer_norm(minitorch.tensor([1., 3.]), (2,))
    tensor([-1.0000,  1.0000])
    """
    return _norm.row_norm(input, normalized_shape, weight, bias, eps, True, "layer_norm")


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    r"""Divide each sample by the root of the mean square over its trailing dimensions.

    .. math:: y = \frac{x}{\sqrt{\mathrm{E}[x^2] + \epsilon}}\,\gamma

    Args:
        eps: the smallest step of the input's type at 1 if not given.

    Source: Zhang, Sennrich, *Root mean square layer normalization*, arXiv:1910.07467.

    >>> nn.functional.rms_norm(minitorch.tensor([3., 4.]), (2,))
    tensor([0.8485, 1.1314])
    """
    if eps is None:
        eps = minitorch.finfo(input.dtype).eps if input.dtype == minitorch.float64 else minitorch.finfo().eps
    return _norm.row_norm(input, normalized_shape, weight, None, eps, False, "rms_norm")


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise groups of channels of each sample.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}}\,\gamma + \beta

    Args:
        num_groups: into how many groups the channels are divided.
        weight, bias: :math:`\gamma` and :math:`\beta` of each channel.

    Raises:
        RuntimeError: if `num_groups` does not divide the channels.
        ValueError: if there is only one value in each group.

    Source: Wu, He, *Group normalization*, arXiv:1803.08494.

    >>> nn.functional.group_norm(minitorch.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if num_groups > 0 and 0 < input.numel() == input.shape[0] * num_groups and input.shape[0] == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(input.shape)}")
    return _norm.group_norm(input, num_groups, weight, bias, eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise each channel of each sample; the formula is `layer_norm`'s.

    Args:
        running_mean, running_var: the moments to use unless `use_input_stats`; else they move by `momentum` towards
            the mean of the samples' moments.

    Shape:
        input ``(N, C, *)``, everything else ``(C,)``; output as the input.

    Raises:
        ValueError: if there is only one value for each channel of a sample.

    Source: Ulyanov, Vedaldi, Lempitsky, *Instance normalization*, arXiv:1607.08022.

    >>> nn.functional.instance_norm(minitorch.tensor([[[1., 3.], [5., 9.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    samples, channels = input.shape[:2]
    if 0 < input.numel() == samples * channels:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {tuple(input.shape)}")
    if running_mean is None and running_var is None:
        return _norm.group_norm(input, max(channels, 1), weight, bias, eps, "instance_norm")

    def repeat(per_channel: Tensor | None) -> Tensor | None:
        return None if per_channel is None else per_channel.expand(samples, -1).reshape(-1)

    moments = repeat(running_mean), repeat(running_var)
    flat = input.reshape(1, samples * channels, *input.shape[2:])
    output = _norm.batch_norm(flat, repeat(weight), repeat(bias), *moments, True, momentum, eps)
    with minitorch.no_grad():
        for running, fresh in zip((running_mean, running_var), moments):
            if running is not None:
                running.copy_(fresh.view(samples, channels).mean(0))
    return output.view(input.shape)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    r"""Divide each channel by a power of the mean square of its neighbours.

    .. math:: y_c = x_c \left(k + \frac{\alpha}{n} \sum_{c'} x_{c'}^2\right)^{-\beta}

    where :math:`c'` are the `size` channels :math:`n` around :math:`c`.

    Source: Krizhevsky, Sutskever, Hinton, *ImageNet classification with deep convolutional neural networks*, 2012.

    >>> nn.functional.local_response_norm(minitorch.ones(1, 3, 1), 2, alpha=1.0, beta=1.0)
    tensor([[[0.6667],
             [0.5000],
             [0.5000]]])
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if input.numel() == 0:
        return input
    channels, inner = input.shape[1], math.prod(input.shape[2:])
    # The neighbours before a channel are size // 2: windows over the channels, of which too many come out behind.
    squares = input.square().reshape(-1, 1, channels, inner)
    before = squares.new_zeros(squares.shape[0], 1, size // 2, inner)
    after = squares.new_zeros(squares.shape[0], 1, (size - 1) // 2, inner)
    means = avg_pool2d(minitorch.cat([before, squares, after], 2), (size, 1), stride=1)
    return input / (means.reshape(input.shape) * alpha + k).pow(beta)
