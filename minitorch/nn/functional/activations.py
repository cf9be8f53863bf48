"""Activations, and the softmax family."""

from __future__ import annotations

import warnings
from typing import Any

from minitorch import Tensor
from minitorch._ext import pointwise as _pointwise
from minitorch._ext import softmax as _softmax
from minitorch._ext.pointwise import gelu, hardshrink, logsigmoid, prelu, softplus, softshrink, softsign, tanhshrink

__all__ = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
    "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "selu", "sigmoid", "silu", "softmax", "softmin",
    "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]


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
