"""Padding as modules: constants, mirrored, repeated, or round and round; for one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from minitorch import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]


class _Pad(Module):
    """Pads the last dimensions; subclasses say how many, and in which mode."""

    dims = 1
    mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        both_sides = 2 * self.dims
        self.padding = (padding,) * both_sides if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != both_sides:
            raise ValueError(f"{self._get_name()}: padding must be an int or {both_sides} ints, two for each "
                             f"dimension, the last first; got {padding}")

    def forward(self, input: Tensor) -> Tensor:
        """`F.pad`."""
        self._check_input_dim(input)
        return F.pad(input, self.padding, self.mode)

    def _check_input_dim(self, input: Tensor) -> None:
        if self.mode == "circular" and input.dim() not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"expected {self.dims + 1}D or {self.dims + 2}D input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """`F.pad`."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The padding and the value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A constant before and after the last dimension.

    >>> nn.ConstantPad1d(1, 9.)(minitorch.zeros(1, 2))
    tensor([[9., 0., 0., 9.]])
    """


class ConstantPad2d(_ConstantPad):
    """A constant around the last two dimensions: left, right, top, bottom."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A constant around the last three dimensions: left, right, top, bottom, front, back."""

    dims = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """Zeros before and after the last dimension."""


class ZeroPad2d(_ZeroPad):
    """Zeros around the last two dimensions: left, right, top, bottom."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the last three dimensions: left, right, top, bottom, front, back."""

    dims = 3


class ReflectionPad1d(_Pad):
    """What is inside, mirrored at both ends, without the ends themselves.

    >>> nn.ReflectionPad1d(2)(minitorch.tensor([[1., 2., 3.]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """What is inside, mirrored at all edges: left, right, top, bottom."""

    dims = 2


class ReflectionPad3d(ReflectionPad1d):
    """What is inside, mirrored at all faces: left, right, top, bottom, front, back."""

    dims = 3


class ReplicationPad1d(_Pad):
    """The first and the last value again and again.

    >>> nn.ReplicationPad1d(2)(minitorch.tensor([[1., 2.]]))
    tensor([[1., 1., 1., 2., 2., 2.]])
    """

    mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """The values at the edges again and again: left, right, top, bottom."""

    dims = 2


class ReplicationPad3d(ReplicationPad1d):
    """The values at the faces again and again: left, right, top, bottom, front, back."""

    dims = 3


class CircularPad1d(_Pad):
    """Before the first the last, after the last the first.

    >>> nn.CircularPad1d(1)(minitorch.tensor([[1., 2., 3.]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    mode = "circular"


class CircularPad2d(CircularPad1d):
    """What is at the opposite edge: left, right, top, bottom."""

    dims = 2


class CircularPad3d(CircularPad1d):
    """What is at the opposite face: left, right, top, bottom, front, back."""

    dims = 3
