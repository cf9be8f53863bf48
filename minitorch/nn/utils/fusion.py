"""A linear layer or convolution and the batch normalisation behind it as one layer, for use after training."""

from __future__ import annotations

from copy import deepcopy

import minitorch
from minitorch import Tensor

from ..modules.module import Module
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    channel_dim: int,
) -> tuple[Parameter, Parameter]:
    """W' = s W and b' = s (b - mean) + shift, with s = scale / sqrt(var + eps)."""
    bias_ = minitorch.zeros_like(mean) if bias is None else bias
    scale = minitorch.ones_like(mean) if scale is None else scale
    shift = minitorch.zeros_like(mean) if shift is None else shift
    factor = scale * (var + eps).rsqrt()
    shape = [-1 if d == channel_dim else 1 for d in range(weight.ndim)]
    new_weight = (weight * factor.reshape(shape)).to(weight.dtype)
    new_bias = ((bias_ - mean) * factor + shift).to(bias_.dtype)
    return (Parameter(new_weight.detach(), weight.requires_grad),
            Parameter(new_bias.detach(), bias is None or bias.requires_grad))


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that does what one and a batch normalisation did."""
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer that does what one and a batch normalisation did."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fuse(layer: Module, bn: Module, transpose: bool) -> Module:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Only support fusing BatchNorm with running statistics")
    fused = deepcopy(layer)
    fused.weight, fused.bias = _fused(layer.weight, layer.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                      bn.bias, 1 if transpose else 0)
    return fused


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A convolution that does what this one and the batch normalisation behind it do; both must be in eval mode."""
    return _fuse(conv, bn, transpose)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A linear layer that does what this one and the batch normalisation behind it do; both must be in eval mode."""
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    return _fuse(linear, bn, False)
