"""Activations as modules: each calls the function of its name in ``nn.functional``."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from ..parameter import Parameter
from .module import Module

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmax2d",
    "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]


class _InPlace(Module):
    """An activation whose only choice is to write over its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Whether it is in place."""
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    r"""Rectified linear unit, :math:`\max(x, 0)`.

    >>> nn.ReLU()(minitorch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """`F.relu`."""
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    r"""Rectified linear unit that saturates, :math:`\min(\max(x, 0), 6)`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.relu6`."""
        return F.relu6(input, self.inplace)


class SELU(_InPlace):
    """Scaled exponential linear unit.  Source: Klambauer and others, arXiv:1706.02515."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.selu`."""
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    r"""Sigmoid linear unit, :math:`x \sigma(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.silu`."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    r""":math:`x \tanh(\ln(1 + e^x))`.  Source: Misra, arXiv:1908.08681."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.mish`."""
        return F.mish(input, self.inplace)


class Hardsigmoid(_InPlace):
    r"""Sigmoid of straight lines, :math:`\min(\max(x + 3, 0), 6) / 6`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.hardsigmoid`."""
        return F.hardsigmoid(input, self.inplace)

    extra_repr = Module.extra_repr


class Hardswish(_InPlace):
    r""":math:`x \min(\max(x + 3, 0), 6) / 6`.  Source: Howard and others, arXiv:1905.02244."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.hardswish`."""
        return F.hardswish(input, self.inplace)

    extra_repr = Module.extra_repr


class LeakyReLU(_InPlace):
    r""":math:`x` above 0, below it :math:`\text{negative\_slope} \cdot x`."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """`F.leaky_relu`."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(_InPlace):
    r""":math:`x` above 0, below it :math:`\alpha (e^x - 1)`.  Source: Clevert and others, arXiv:1511.07289."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """`F.elu`."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The scale."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(ELU):
    r""":math:`x` above 0, below it :math:`\alpha (e^{x / \alpha} - 1)`.  Source: Barron, arXiv:1704.07483."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.celu`."""
        return F.celu(input, self.alpha, self.inplace)


class Hardtanh(_InPlace):
    """Limited to ``[min_val, max_val]``."""

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        if min_value is not None or max_value is not None:
            import warnings

            warnings.warn("min_value and max_value are now min_val and max_val", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise ValueError(f"max_val must be larger than min_val, got {self.max_val} and {self.min_val}")

    def forward(self, input: Tensor) -> Tensor:
        """`F.hardtanh`."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """The limits."""
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class Threshold(_InPlace):
    """`value` where the input is not above `threshold`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        """`F.threshold`."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The threshold and what replaces."""
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class Sigmoid(Module):
    r"""Logistic function, :math:`1 / (1 + e^{-x})`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.sigmoid`."""
        return F.sigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.tanh`."""
        return F.tanh(input)


class LogSigmoid(Module):
    r""":math:`\ln \sigma(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.logsigmoid`."""
        return F.logsigmoid(input)


class Softsign(Module):
    r""":math:`x / (1 + |x|)`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.softsign`."""
        return F.softsign(input)


class Tanhshrink(Module):
    r""":math:`x - \tanh x`."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.tanhshrink`."""
        return F.tanhshrink(input)


class GELU(Module):
    r"""Gaussian error linear unit, :math:`x \Phi(x)`.  Source: Hendrycks and Gimpel, arXiv:1606.08415."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """`F.gelu`."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The approximation."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    r"""Smooth rectifier, :math:`\ln(1 + e^{\beta x}) / \beta`; :math:`x` itself above the threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """`F.softplus`."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The sharpness and the threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardshrink(Module):
    """0 where the input is within `lambd` of it."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """`F.hardshrink`."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The width."""
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """Moved towards 0 by `lambd`, not past it."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.softshrink`."""
        return F.softshrink(input, self.lambd)


class PReLU(Module):
    r""":math:`x` above 0, below it :math:`a x` with a learnt :math:`a`, one for all or one for each channel.

    Source: He and others, arXiv:1502.01852.
    """

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(minitorch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from `init`."""
        with minitorch.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        """`F.prelu`."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many slopes."""
        return f"num_parameters={self.num_parameters}"


class Softmax(Module):
    """Positive values that sum to 1 along `dim`.

    >>> nn.Softmax(dim=-1)(minitorch.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """`F.softmax`."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """Logarithm of `Softmax`, without its loss of digits."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.log_softmax`."""
        return F.log_softmax(input, self.dim)


class Softmin(Softmax):
    """`Softmax` of the negative."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.softmin`."""
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """`Softmax` over the channels of ``(N, C, H, W)`` or ``(C, H, W)``."""

    def forward(self, input: Tensor) -> Tensor:
        """`F.softmax`."""
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)


class GLU(Module):
    r"""Gated linear unit, :math:`a \sigma(b)` of the two halves.  Source: Dauphin and others, arXiv:1612.08083."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """`F.glu`."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class RReLU(_InPlace):
    """Leaky `ReLU` whose slope is random in training.  Source: Xu and others, arXiv:1505.00853."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        """`F.rrelu`."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The limits of the slope."""
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")
