"""Joining tensors, and cutting them apart."""

from __future__ import annotations

import itertools

from .._ext import engine
from .._ext.dtype import ALL, promote_types
from .._ext.index import cat, stack
from .._tensor import Tensor
from ._common import require_tensor, wrap_dim

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "column_stack", "combinations", "concat",
    "concatenate", "dsplit", "dstack", "hsplit", "hstack", "meshgrid", "row_stack", "split", "split_with_sizes",
    "tensor_split", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit", "vstack",
]


# --- joining ----------------------------------------------------------------------------------------------------------

def concat(tensors, dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """`cat` by another name.

    >>> import minitorch
    >>> minitorch.concat([minitorch.zeros(1), minitorch.ones(2)])
    tensor([0., 1., 1.])
    """
    return cat(tensors, dim if axis is None else axis, out=out)


def concatenate(tensors, axis: int = 0, *, dim: int | None = None, out: Tensor | None = None) -> Tensor:
    """`cat` by NumPy's name."""
    return cat(tensors, axis if dim is None else dim, out=out)


def _at_least(tensors: tuple, name: str, raised):
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        (tensors,) = tensors
        one = False
    else:
        one = len(tensors) == 1
    for k, t in enumerate(tensors):
        require_tensor(t, name, "tensors", k + 1)
    results = tuple(raised(t) for t in tensors)
    return results[0] if one else results


def _to_1d(t: Tensor) -> Tensor:
    return t.unsqueeze(0) if t.ndim == 0 else t


def _to_2d(t: Tensor) -> Tensor:
    return _to_1d(t).unsqueeze(0) if t.ndim < 2 else t


def _to_3d(t: Tensor) -> Tensor:
    return _to_2d(t).unsqueeze(-1) if t.ndim < 3 else t


def atleast_1d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """The tensors with at least one dimension: numbers become vectors of one element.

    >>> import minitorch
    >>> minitorch.atleast_1d(minitorch.tensor(2))
    tensor([2])
    """
    return _at_least(tensors, "atleast_1d", _to_1d)


def atleast_2d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """The tensors with at least two dimensions, the new ones in front.

    >>> import minitorch
    >>> minitorch.atleast_2d(minitorch.tensor([1, 2])).shape
    torch.Size([1, 2])
    """
    return _at_least(tensors, "atleast_2d", _to_2d)


def atleast_3d(*tensors) -> Tensor | tuple[Tensor, ...]:
    """The tensors with at least three dimensions: a matrix gets a last one, a vector one on either side.

    >>> import minitorch
    >>> minitorch.atleast_3d(minitorch.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
    """
    return _at_least(tensors, "atleast_3d", _to_3d)


def _sequence(tensors, name: str) -> tuple:
    if isinstance(tensors, Tensor):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    tensors = tuple(tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"{name}(): expected Tensor as element {k} in argument 0, but got {type(t).__name__}")
    return tensors


def hstack(tensors, *, out: Tensor | None = None) -> Tensor:
    """Side by side: vectors along their only dimension, others along the second.

    >>> import minitorch
    >>> minitorch.hstack([minitorch.tensor([1, 2]), minitorch.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = [_to_1d(t) for t in _sequence(tensors, "hstack")]
    return cat(parts, 0 if parts[0].ndim == 1 else 1, out=out)


def vstack(tensors, *, out: Tensor | None = None) -> Tensor:
    """On top of each other: vectors become rows.

    >>> import minitorch
    >>> minitorch.vstack([minitorch.tensor([1, 2]), minitorch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([_to_2d(t) for t in _sequence(tensors, "vstack")], 0, out=out)


row_stack = vstack


def dstack(tensors, *, out: Tensor | None = None) -> Tensor:
    """Behind each other, along the third dimension.

    >>> import minitorch
    >>> minitorch.dstack([minitorch.tensor([1, 2]), minitorch.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat([_to_3d(t) for t in _sequence(tensors, "dstack")], 2, out=out)


def column_stack(tensors, *, out: Tensor | None = None) -> Tensor:
    """Vectors as the columns of a matrix; matrices side by side.

    >>> import minitorch
    >>> minitorch.column_stack([minitorch.tensor([1, 2]), minitorch.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return cat([t.reshape(t.numel(), 1) if t.ndim < 2 else t for t in _sequence(tensors, "column_stack")], 1, out=out)


def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices along the diagonal of a larger one, with zeros around them.

    >>> import minitorch
    >>> minitorch.block_diag(minitorch.ones(1, 2), minitorch.tensor([[2.]]))
    tensor([[1., 1., 0.],
            [0., 0., 2.]])
    """
    if not tensors:
        return engine.empty(1, 0)
    for k, t in enumerate(tensors):
        require_tensor(t, "block_diag", "tensors", k + 1)
        if t.ndim > 2:
            raise RuntimeError(f"block_diag: Input tensors must have 2 or fewer dimensions. Input {k} has {t.ndim} "
                               "dimensions")
    kind = tensors[0].dtype
    for t in tensors[1:]:
        kind = promote_types(kind, t.dtype)
    blocks = [_to_2d(t).to(kind) for t in tensors]
    width = sum(block.shape[1] for block in blocks)
    rows, start = [], 0
    for block in blocks:
        height, columns = block.shape
        left = block.new_zeros(height, start)
        right = block.new_zeros(height, width - start - columns)
        rows.append(cat([left, block, right], 1))
        start += columns
    return cat(rows, 0)


def meshgrid(*tensors, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: of n vectors, n views of n dimensions, each constant along all but its own.

    Args:
        indexing: ``"ij"`` (the default): the first vector runs down the first dimension; ``"xy"``: along the second.

    >>> import minitorch
    >>> x, y = minitorch.meshgrid(minitorch.tensor([1, 2]), minitorch.tensor([3, 4, 5]), indexing="ij")
    >>> y
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        (tensors,) = tensors
    tensors = list(_sequence(tensors, "meshgrid"))
    for t in tensors:
        if t.ndim > 1:
            raise RuntimeError("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got a tensor of shape "
                               f"{tuple(t.shape)}")
        if t.dtype != tensors[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype, got "
                               f"{', '.join(str(t.dtype) for t in tensors)}")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) > 1
    if swap:
        tensors[:2] = tensors[1], tensors[0]
    shape = [t.numel() for t in tensors]
    grids = []
    for d, t in enumerate(tensors):
        grids.append(t.reshape([-1 if i == d else 1 for i in range(len(tensors))] if t.numel() else
                               [0 if i == d else 1 for i in range(len(tensors))]).expand(shape))
    if swap:
        grids[:2] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All ways of taking one element of each vector, a row each.

    >>> import minitorch
    >>> minitorch.cartesian_prod(minitorch.tensor([1, 2]), minitorch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        (tensors,) = tensors
    for t in tensors:
        if t.ndim != 1:
            raise RuntimeError(f"cartesian_prod: expected 1D vectors, got a tensor of shape {tuple(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([grid.reshape(-1) for grid in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, in order, a row each.

    >>> import minitorch
    >>> minitorch.combinations(minitorch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(len(input)), r))
    return input[engine.tensor(rows, dtype=ALL[5], device=input.device).view(-1 if rows else 0, r)]


# --- cutting ----------------------------------------------------------------------------------------------------------

def split(tensor: Tensor, split_size_or_sections, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of pieces of the given size (the last may be smaller), or of the given sizes, along ``dim``.

    >>> import minitorch
    >>> minitorch.split(minitorch.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    require_tensor(tensor, "split", "tensor")
    return tensor.split(split_size_or_sections, dim)


def split_with_sizes(input: Tensor, split_sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` into pieces of the given sizes."""
    return input.split(list(split_sizes), dim)


def _one_by_one(input: Tensor, pieces: tuple[Tensor, ...], dim: int) -> tuple[Tensor, ...]:
    """The pieces as ordinary views, each of which may be changed in place."""
    starts = itertools.accumulate((piece.shape[dim] for piece in pieces), initial=0)
    return tuple(input.narrow(dim, start, piece.shape[dim]) for start, piece in zip(starts, pieces))


def unsafe_split_with_sizes(input: Tensor, split_sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes`, into pieces that may be changed in place."""
    return _one_by_one(input, input.split(list(split_sizes), dim), dim)


def unsafe_split(input: Tensor, split_size, dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, into pieces that may be changed in place."""
    return _one_by_one(input, input.split(split_size, dim), dim)


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk`, into pieces that may be changed in place."""
    return _one_by_one(input, input.chunk(chunks, dim), dim)


def tensor_split(
    input: Tensor, indices_or_sections=None, dim: int = 0, *, sections=None, indices=None
) -> tuple[Tensor, ...]:
    """Views of so many pieces of sizes that differ by one at most, or cut at the given indices.

    >>> import minitorch
    >>> minitorch.tensor_split(minitorch.arange(5), 2), minitorch.tensor_split(minitorch.arange(5), (1, 4))
    ((tensor([0, 1, 2]), tensor([3, 4])), (tensor([0]), tensor([1, 2, 3]), tensor([4])))
    """
    cuts = next((given for given in (indices_or_sections, sections, indices) if given is not None), None)
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = wrap_dim(dim, input.ndim)
    size = input.shape[d]
    if isinstance(cuts, Tensor):
        if cuts.dtype.name != "int64" or cuts.ndim > 1:
            raise RuntimeError("tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
                               f"one-dimensional tensor of dtype long, but got {cuts.dtype} with {cuts.ndim} dims")
        cuts = cuts.tolist()
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        small, larger = divmod(size, cuts)
        bounds = [0]
        for k in range(cuts):
            bounds.append(bounds[-1] + small + (k < larger))
    else:
        if isinstance(cuts, str) or not all(hasattr(i, "__index__") for i in cuts):
            raise TypeError(f"tensor_split(): expected a number of sections or the ints to split at, not {cuts!r}")
        bounds = [0, *(slice(None, int(i)).indices(size)[1] for i in cuts), size]
    pairs = itertools.pairwise(bounds)
    return tuple(input.narrow(d, min(start, size), max(stop - start, 0)) for start, stop in pairs)


def _split_along(input: Tensor, cuts, d: int, name: str, least: int):
    if input.ndim < least:
        raise RuntimeError(f"torch.{name} requires a tensor with at least {least} dimension"
                           f"{'s' if least > 1 else ''}, but got a tensor with {input.ndim} dimensions!")
    if isinstance(cuts, int) and (cuts <= 0 or input.shape[d] % cuts):
        raise RuntimeError(f"torch.{name} attempted to split along dimension {d}, but the size of the dimension "
                           f"{input.shape[d]} is not divisible by the split_size {cuts}!")
    return tensor_split(input, cuts, d)


def hsplit(input: Tensor, *args, indices=None, sections=None) -> tuple[Tensor, ...]:
    """`tensor_split` along the second dimension, of a vector along its only one; sections must divide it.

    >>> import minitorch
    >>> minitorch.hsplit(minitorch.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return _split_along(input, _cuts(args, indices, sections), 0 if input.ndim == 1 else 1, "hsplit", 1)


def vsplit(input: Tensor, *args, indices=None, sections=None) -> tuple[Tensor, ...]:
    """`tensor_split` along the first dimension of two or more; sections must divide it."""
    return _split_along(input, _cuts(args, indices, sections), 0, "vsplit", 2)


def dsplit(input: Tensor, *args, indices=None, sections=None) -> tuple[Tensor, ...]:
    """`tensor_split` along the third dimension; sections must divide it."""
    return _split_along(input, _cuts(args, indices, sections), 2, "dsplit", 3)


def _cuts(args, indices, sections):
    given = [args[0] if len(args) == 1 else args] if args else []
    given += [x for x in (indices, sections) if x is not None]
    if len(given) != 1:
        raise TypeError("expected either the number of sections or the indices to cut at")
    return given[0]
