"""Other shapes: broadcasting, and dimensions in another order."""

from __future__ import annotations

from .._size import Size
from .._tensor import Tensor

__all__ = ["broadcast_shapes", "broadcast_tensors", "moveaxis", "swapaxes", "swapdims"]


def broadcast_shapes(*shapes) -> Size:
    """The shape to which all the shapes are broadcast.

    >>> import minitorch
    >>> minitorch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    sizes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    result = [1] * max(map(len, sizes), default=0)
    for shape in sizes:
        for d in range(-1, -len(shape) - 1, -1):
            if shape[d] < 0:
                raise RuntimeError(f"broadcast_shapes: negative size {shape[d]} in {shape}")
            if shape[d] != 1 and result[d] not in (1, shape[d]):
                shown = ", ".join(map(str, sizes))
                raise RuntimeError(f"Shape mismatch: objects cannot be broadcast to a single shape: {shown}")
            if shape[d] != 1:
                result[d] = shape[d]
    return Size(result)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of the tensors, all expanded to the shape that they broadcast to.

    >>> import minitorch
    >>> [t.shape for t in minitorch.broadcast_tensors(minitorch.ones(2, 1), minitorch.ones(3))]
    [torch.Size([2, 3]), torch.Size([2, 3])]
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        (tensors,) = tensors
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` by NumPy's name."""
    return input.transpose(axis0, axis1)


swapdims = swapaxes


def moveaxis(input: Tensor, source, destination) -> Tensor:
    """`movedim` by NumPy's name."""
    return input.movedim(source, destination)
