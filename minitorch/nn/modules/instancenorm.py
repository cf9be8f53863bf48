"""Normalisation of each channel of each sample."""

from __future__ import annotations

from typing import Any

from minitorch import Tensor

from .. import functional as F
from .batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """Instance normalisation; subclasses say of which inputs."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """The input with each channel of each sample normalised."""
        self._check_input_dim(input)
        alone = input.ndim == self.ndims[0]
        channels = input.shape[0 if alone else 1]
        if channels != self.num_features and self.affine:
            raise ValueError(f"expected input's size at dim={0 if alone else 1} to match num_features "
                             f"({self.num_features}), but got: {channels}.")
        output = F.instance_norm(input.unsqueeze(0) if alone else input, self.running_mean, self.running_var,
                                 self.weight, self.bias, self.training or not self.track_running_stats,
                                 0.0 if self.momentum is None else self.momentum, self.eps)
        return output.squeeze(0) if alone else output


class InstanceNorm1d(_InstanceNorm):
    r"""Normalise each channel of each sample.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}}\,\gamma + \beta

    Args:
        num_features: :math:`C`, the number of channels.
        eps: added to the variance.
        momentum: how fast running moments follow.
        affine: learn :math:`\gamma` and :math:`\beta` for each channel; without `bias` only the first.
        track_running_stats: keep running moments, and use them in evaluation.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same.

    Raises:
        ValueError: for an input of other dimensions, or if a channel has only one value.

    Source: Ulyanov, Vedaldi, Lempitsky, *Instance normalization*, arXiv:1607.08022.

    >>> nn.InstanceNorm1d(2)(minitorch.tensor([[[1., 3.], [5., 9.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """

    ndims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` of images, ``(N, C, H, W)`` or ``(C, H, W)``."""

    ndims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` of volumes, ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""

    ndims = (4, 5)
