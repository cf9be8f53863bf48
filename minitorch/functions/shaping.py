"""Other shapes: broadcasting, and dimensions in another order."""

from __future__ import annotations

import numpy as np

from .._device import contiguous_format
from .._ext import engine
from .._ext.index import cat
from .._size import Size
from .._tensor import Tensor
from ._common import size_of, wrap_dim

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "fliplr", "flipud", "moveaxis", "repeat", "repeat_interleave",
    "resize_as_", "roll", "rot90", "sum_to_size", "swapaxes", "swapdims", "tile", "unravel_index",
]


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


# --- elements in another order ----------------------------------------------------------------------------------------

def fliplr(input: Tensor) -> Tensor:
    """`flip` of the second dimension."""
    if input.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d, got a tensor of shape {tuple(input.shape)}")
    return input.flip(1)


def flipud(input: Tensor) -> Tensor:
    """`flip` of the first dimension."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d, got a tensor without dimensions")
    return input.flip(0)


def rot90(input: Tensor, k: int = 1, dims=(0, 1)) -> Tensor:
    """A quarter turn, ``k`` times, from the first of two dimensions towards the second.

    >>> import minitorch
    >>> minitorch.rot90(minitorch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == input.ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    for d in dims:
        if not -input.ndim <= d < input.ndim:
            raise RuntimeError(f"Rotation dim0 out of range, dim0 = {d}, for {input.ndim} dimensions")
    k %= 4
    if k == 1:
        return input.flip(dims[1]).transpose(*dims)
    if k == 2:
        return input.flip(dims)
    if k == 3:
        return input.flip(dims[0]).transpose(*dims)
    return input.clone(memory_format=contiguous_format)


def roll(input: Tensor, shifts, dims=None) -> Tensor:
    """The elements moved on by ``shifts`` along ``dims``; what leaves at the end comes in at the start.

    >>> import minitorch
    >>> minitorch.arange(5).roll(2)
    tensor([3, 4, 0, 1, 2])
    """
    shifts = (shifts,) if hasattr(shifts, "__index__") else tuple(shifts)
    dims = () if dims is None else (dims,) if hasattr(dims, "__index__") else tuple(dims)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return roll(input.reshape(-1), shifts, 0).view(input.shape)
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    result = input
    for shift, dim in zip(shifts, dims):
        if input.ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        d = wrap_dim(dim, input.ndim)
        if input.numel() == 0:
            continue
        start = -int(shift) % input.shape[d]
        if start:
            size = input.shape[d]
            result = cat([result.narrow(d, start, size - start), result.narrow(d, 0, start)], d)
    return result.clone() if result is input else result


# --- repeating --------------------------------------------------------------------------------------------------------

def repeat(self: Tensor, *repeats) -> Tensor:
    """The tensor repeated so often along each dimension; leading dimensions may be added.

    >>> import minitorch
    >>> minitorch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    if not repeats:
        raise TypeError('repeat() missing 1 required positional arguments: "repeats": how often, for each dimension')
    counts = size_of(repeats)
    if len(counts) < self.ndim:
        raise RuntimeError(f"Number of dimensions of repeat dims can not be smaller than number of dimensions of "
                           f"tensor: {tuple(counts)} for shape {tuple(self.shape)}")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeats {tuple(counts)}")
    shape = [1] * (len(counts) - self.ndim) + list(self.shape)
    apart = [size for n, size in zip(counts, shape) for size in (1, size)]
    wide = [size for n, size in zip(counts, shape) for size in (n, size)]
    result = [n * size for n, size in zip(counts, shape)]
    if len(apart) > 64:
        raise RuntimeError("repeat: too many dimensions")
    if all(n == 1 for n in counts):
        return self.reshape(shape).clone(memory_format=contiguous_format)
    # dimensions without a count of their own need not be cut in two
    keep = [i for i in range(len(apart)) if i % 2 or counts[i // 2] != 1]
    spread = self.reshape([apart[i] for i in keep]).expand([wide[i] for i in keep])
    copied = spread.clone(memory_format=contiguous_format)
    return copied.view(result)


def tile(input: Tensor, *dims) -> Tensor:
    """`repeat` that takes fewer counts than dimensions: the missing leading ones are 1.

    >>> import minitorch
    >>> minitorch.tensor([[1], [2]]).tile(2)
    tensor([[1, 1],
            [2, 2]])
    """
    counts = size_of(dims)
    return repeat(input, (1,) * (input.ndim - len(counts)) + tuple(counts))


def repeat_interleave(input: Tensor, repeats=None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element (or slice along ``dim``) repeated, ``repeats`` times or each its own number of times.

    With one argument, a vector of counts, the indices that it repeats.

    >>> import minitorch
    >>> minitorch.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    >>> minitorch.repeat_interleave(minitorch.tensor([3, 1]))
    tensor([0, 0, 0, 1])
    """
    if repeats is None:
        return _interleaved(input, output_size)
    if dim is None:
        input, dim = input.reshape(-1), 0
    d = wrap_dim(dim, input.ndim)
    if not isinstance(repeats, Tensor):
        if isinstance(repeats, (list, tuple)):
            repeats = engine.tensor(list(repeats), device=input.device)
        else:
            repeats = int(repeats)
            if repeats < 0:
                raise RuntimeError(f"Repeats must be non-negative, got {repeats}")
    if isinstance(repeats, Tensor) and repeats.numel() == 1 and repeats.dtype.name in ("int32", "int64"):
        if repeats.item() < 0:
            raise RuntimeError("repeats can not be negative")
        repeats = repeats.item()
    if input.ndim == 0:
        input, back = input.reshape(1), True
    else:
        back = False
    size = input.shape[d]
    if isinstance(repeats, int):
        if output_size is not None and output_size != size * repeats:
            raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {size * repeats}, got {output_size}")
        wide = input.unsqueeze(d + 1)
        shape = list(wide.shape)
        shape[d + 1] = repeats
        result = wide.expand(shape).clone(memory_format=contiguous_format).flatten(d, d + 1)
        return result
    if repeats.ndim > 1 or (repeats.ndim == 1 and len(repeats) != size):
        raise RuntimeError(f"repeats must have the same size as input along dim, but got repeats.size(0) = "
                           f"{list(repeats.shape)} and input.size({d}) = {size}")
    if back:
        d = 0
    return input.index_select(d, _interleaved(repeats, output_size))


def _interleaved(counts: Tensor, output_size: int | None) -> Tensor:
    if counts.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if counts.dtype.name not in ("int32", "int64"):
        raise RuntimeError(f"repeats has to be Long or Int tensor, not {counts.dtype}")
    numbers = counts.cpu().numpy()
    if (numbers < 0).any():
        raise RuntimeError("repeats can not be negative")
    if output_size is not None and output_size != int(numbers.sum()):
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {int(numbers.sum())}, got {output_size}")
    return engine.from_numpy(np.repeat(np.arange(len(numbers)), numbers)).to(counts.device, counts.dtype)


# --- sums back to a shape ---------------------------------------------------------------------------------------------

def sum_to_size(self: Tensor, *size) -> Tensor:
    """Summed over the dimensions that broadcasting a tensor of that size to this one's would expand.

    >>> import minitorch
    >>> minitorch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = size_of(size)
    lead = self.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, self.shape[lead:])):
        raise RuntimeError(f"size {list(shape)} is not expandable to size {list(self.shape)}.")
    dims = [*range(lead), *(lead + d for d, n in enumerate(shape) if n == 1 and self.shape[lead + d] != 1)]
    if not shape:
        return self.sum()
    if not dims:
        return self.view(shape)
    return self.sum(dims, keepdim=True).reshape(shape)


def unravel_index(indices: Tensor, shape) -> tuple[Tensor, ...]:
    """The coordinates, in an array of the given shape, of flat indices.

    >>> import minitorch
    >>> minitorch.unravel_index(minitorch.tensor([5, 1]), (2, 3))
    (tensor([1, 0]), tensor([2, 1]))
    """
    if not isinstance(indices, Tensor) or indices.is_floating_point() or indices.dtype.name == "bool":
        kind = indices.dtype if isinstance(indices, Tensor) else type(indices).__name__
        raise ValueError(f"expected 'indices' to be integer tensor, but got {kind}")
    if not isinstance(shape, (int, Tensor, list, tuple)):
        raise ValueError(f"expected 'shape' to be int or sequence of ints, but got {type(shape).__name__}")
    sizes = [shape] if isinstance(shape, int) else [int(n) for n in shape]
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    coordinates = []
    for n in reversed(sizes):
        coordinates.append(indices % n if n else indices)
        indices = indices.div(max(n, 1), rounding_mode="floor")
    return tuple(reversed(coordinates))


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format=None) -> Tensor:
    """`resize_` to the shape of another tensor."""
    return self.resize_(the_template.shape)
