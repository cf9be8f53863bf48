"""Activations, and the softmax family."""

from __future__ import annotations

import warnings
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import arithmetic as _arithmetic
from minitorch._ext import softmax as _softmax
from minitorch._ext.arithmetic import gelu, hardshrink, logsigmoid, prelu, softplus, softsign, tanhshrink

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit, :math:`\max(x, 0)`.

    >>> nn.functional.relu(minitorch.tensor([-1., 2.]))
    tensor([0., 2.])
    """
    return _arithmetic.relu_(input) if inplace else _arithmetic.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return _arithmetic.relu_(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit that saturates, :math:`\min(\max(x, 0), 6)`."""
    return _arithmetic.relu6_(input) if inplace else _arithmetic.relu6(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    r"""Rectified linear unit that leaks: :math:`x` above 0, below it :math:`\text{negative\_slope} \cdot x`.

    >>> nn.functional.leaky_relu(minitorch.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return (_arithmetic.leaky_relu_ if inplace else _arithmetic.leaky_relu)(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Exponential linear unit: :math:`x` above 0, below it :math:`\alpha (e^x - 1)`.

    Source: Clevert and others, arXiv:1511.07289.
    """
    return (_arithmetic.elu_ if inplace else _arithmetic.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scaled exponential linear unit, which keeps mean 0 and variance 1 through layers.

    Source: Klambauer and others, arXiv:1706.02515.
    """
    return _arithmetic.selu_(input) if inplace else _arithmetic.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Continuously differentiable ELU: :math:`x` above 0, below it :math:`\alpha (e^{x / \alpha} - 1)`."""
    return (_arithmetic.celu_ if inplace else _arithmetic.celu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid linear unit, :math:`x \sigma(x)`."""
    return _arithmetic.silu_(input) if inplace else _arithmetic.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    r""":math:`x \tanh(\ln(1 + e^x))`.  Source: Misra, arXiv:1908.08681."""
    return _arithmetic.mish_(input) if inplace else _arithmetic.mish(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Limited to ``[min_val, max_val]``; the limits themselves pass no gradient."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: {min_val} > {max_val}")
    return (_arithmetic.hardtanh_ if inplace else _arithmetic.hardtanh)(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid of straight lines, :math:`\min(\max(x + 3, 0), 6) / 6`."""
    return _arithmetic.hardsigmoid_(input) if inplace else _arithmetic.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    r""":math:`x \min(\max(x + 3, 0), 6) / 6`.  Source: Howard and others, arXiv:1905.02244."""
    return _arithmetic.hardswish_(input) if inplace else _arithmetic.hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`value` where the input is not above `threshold`."""
    return (_arithmetic.threshold_ if inplace else _arithmetic.threshold)(input, threshold, value)


def sigmoid(input: Tensor) -> Tensor:
    r"""Logistic function, :math:`1 / (1 + e^{-x})`."""
    return _arithmetic.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return _arithmetic.tanh(input)


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


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Moved towards 0 by `lambd`, not past it.

    >>> nn.functional.softshrink(minitorch.tensor([-1., 0.25, 2.]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be in range [0, inf], but found {lambd}")
    return _arithmetic.softshrink(input, lambd)


# --- in place -----------------------------------------------------------------------------------------------------

def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return elu(input, alpha, True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return celu(input, alpha, True)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return selu(input, True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return _arithmetic.threshold_(input, threshold, value)


# --- gates, and what is random ------------------------------------------------------------------------------------

def glu(input: Tensor, dim: int = -1) -> Tensor:
    r"""Gated linear unit: one half of the input by the sigmoid of the other, :math:`a \sigma(b)`.

    Shape:
        output half as large as the input along `dim`.

    Source: Dauphin and others, arXiv:1612.08083.

    >>> nn.functional.glu(minitorch.tensor([2., 4., 0., 0.]))
    tensor([1., 2.])
    """
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but "
                         f"got {dim})")
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    return input.narrow(dim, 0, size // 2) * input.narrow(dim, size // 2, size // 2).sigmoid()


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    r"""Leaky `relu` whose slope is random, uniform in [lower, upper], in training, and their mean otherwise.

    Source: Xu and others, arXiv:1505.00853.
    """
    if lower > upper:
        raise RuntimeError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    below = (input.detach() <= 0).reshape(-1)
    slopes = minitorch.ones(input.numel(), dtype=minitorch.float64, device=input.device)
    slopes[below] = slopes.new_empty(int(below.sum())).uniform_(lower, upper)
    slopes = slopes.to(input.dtype).reshape(input.shape)
    return input.mul_(slopes) if inplace else input * slopes


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, True)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    r"""A random choice in proportion to :math:`e^{x}`, softened so that it has a gradient.

    .. math:: \mathrm{softmax}\!\left(\frac{x + g}{\tau}\right)

    with :math:`g` from Gumbel's distribution.

    Args:
        tau: the softness; near 0 the result is near one-hot.
        hard: make it one-hot, with the gradient of the soft one.
        eps: has no effect, as in PyTorch.

    Source: Jang and others, arXiv:1611.01144.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -minitorch.empty_like(logits).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    choice = minitorch.zeros_like(logits).scatter(dim, soft.argmax(dim, keepdim=True), 1.0)
    return choice - soft.detach() + soft
