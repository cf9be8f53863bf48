"""Joining dimensions, and taking them apart again."""

from __future__ import annotations

from collections.abc import Sequence

from minitorch import Tensor

from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dimensions from `start_dim` to `end_dim`, by default all but the first.

    >>> nn.Flatten()(minitorch.ones(32, 1, 5, 5)).shape
    torch.Size([32, 25])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The input with fewer dimensions."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Takes the dimension `dim` apart into the sizes `unflattened_size`, of which one may be -1.

    Raises:
        TypeError: if the sizes are not a tuple or list of ints.

    >>> nn.Unflatten(1, (2, 5, 5))(minitorch.ones(2, 50)).shape
    torch.Size([2, 2, 5, 5])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise NotImplementedError("Unflatten: named dimensions are not supported, give dim as an int")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError("unflattened_size must be a tuple or list, but found type "
                            f"{type(unflattened_size).__name__}")
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError("unflattened_size must be tuple of ints, but found element of type "
                                f"{type(size).__name__} at pos {position}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The input with more dimensions."""
        dim = self.dim + input.dim() if self.dim < 0 else self.dim
        if not 0 <= dim < input.dim():
            raise IndexError(f"Unflatten: dim {self.dim} is out of range for an input of shape {tuple(input.shape)}")
        return input.reshape(*input.shape[:dim], *self._sizes(input.shape[dim]), *input.shape[dim + 1:])

    def _sizes(self, size: int) -> list[int]:
        """The sizes, -1 worked out, checked to make up `size`."""
        known = 1
        for n in self.unflattened_size:
            known *= n if n != -1 else 1
        unknown = self.unflattened_size.count(-1)
        if unknown > 1 or (size % known if unknown and known else known != size):
            raise RuntimeError(f"Unflatten: sizes {tuple(self.unflattened_size)} do not make up the size {size} "
                               f"of dimension {self.dim}")
        return [size // known if n == -1 else n for n in self.unflattened_size]

    def extra_repr(self) -> str:
        """The dimension and its parts."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
