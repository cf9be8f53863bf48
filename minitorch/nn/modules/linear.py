"""Affine maps, and the map that does nothing."""

from __future__ import annotations

import math
from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["Identity", "Linear"]


class Identity(Module):
    """Returns its input; takes any arguments, so that it can stand where another layer did.

    >>> nn.Identity(54, unused=True)(minitorch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input itself."""
        return input


class Linear(Module):
    r"""An affine map of the last dimension.

    .. math:: y = x W^T + b

    Weight and bias start uniform in :math:`\pm 1/\sqrt{\text{in\_features}}`.

    Args:
        in_features: size of the last dimension of the input.
        out_features: size of the last dimension of the output.
        bias: add :math:`b`.

    Shape:
        input ``(*, in_features)``, output ``(*, out_features)``, weight ``(out_features, in_features)``,
        bias ``(out_features,)``.

    >>> nn.Linear(20, 30)(minitorch.ones(128, 20)).shape
    torch.Size([128, 30])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(minitorch.empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(minitorch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        # For this slope Kaiming's bound, sqrt(6 / ((1 + a²) fan_in)), is 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """``input @ weight.T + bias``."""
        own = self._parameters  # not through __getattr__, which is the slower way
        try:
            return F.linear(input, own["weight"], own["bias"])
        except KeyError:  # replaced by a computed tensor, as weight normalisation does
            return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
