"""Taking and putting elements by index, where views and the engine's own indexing do the work."""

from __future__ import annotations

from .._ext.dtype import ALL
from .._ext.scatter import scatter_reduce as _scatter_reduce
from .._tensor import Tensor
from ._common import give, in_place, require_tensor, with_out, wrap_dim

__all__ = [
    "as_strided_scatter", "diagonal_scatter", "index_reduce", "masked_scatter", "put", "put_",
    "select_scatter", "slice_scatter", "take", "take_along_dim",
]

_bool, _int64 = ALL[0], ALL[5]


def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements at flat indices, in the shape of the index.

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]]).take(minitorch.tensor([0, 3]))
    tensor([1, 4])
    """
    require_tensor(index, "take", "index", 2)
    if index.dtype != _int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype}")
    if input.numel() == 0 and index.numel():
        raise IndexError("take(): tried to take from an empty tensor")
    return give(input.reshape(-1)[index], out, "take", (input, index))


def put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) ``source`` to the elements at flat indices, in place.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).put_(minitorch.tensor([0, 3]), minitorch.tensor([1., 2.]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    if index.dtype != _int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {index.dtype}")
    if index.numel() != source.numel():
        raise RuntimeError(f"put_(): Expected source and index to have the same number of elements, but got "
                           f"source.numel() = {source.numel()}, index.numel() = {index.numel()}")
    if self.dtype != source.dtype:
        raise RuntimeError(f"put_(): self and source expected to have the same dtype, but got self.dtype = "
                           f"{self.dtype} and source.dtype = {source.dtype}")
    if self.numel() == 0 and index.numel():
        raise IndexError("put_(): tried to put elements into an empty tensor")
    if index.numel() == 0:
        return self
    values = source.reshape(-1)
    flat = self.clone(memory_format=None).reshape(-1)
    flat = flat.index_put((index.reshape(-1),), values, accumulate)
    return self.copy_(flat.view(self.shape))


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Out-of-place `Tensor.put_`."""
    return put_(input.clone(), index, source, accumulate)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`gather` that broadcasts the other dimensions; without ``dim``, flat indices.

    >>> import minitorch
    >>> x = minitorch.tensor([[3, 1, 2]])
    >>> minitorch.take_along_dim(x, x.argmax(1, keepdim=True), 1)
    tensor([[3]])
    """
    require_tensor(indices, "take_along_dim", "indices", 2)
    if indices.dtype != _int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if dim is None:
        return give(input.reshape(-1).gather(0, indices.reshape(-1)), out, "take_along_dim")
    if input.ndim != indices.ndim:
        raise RuntimeError("torch.take_along_dim(): input and indices should have the same number of dimensions, but "
                           f"got {input.ndim} dimensions for input, and {indices.ndim} dimensions for indices")
    from .shaping import broadcast_shapes

    d = wrap_dim(dim, input.ndim)
    shape = list(broadcast_shapes([1 if k == d else n for k, n in enumerate(input.shape)],
                                  [1 if k == d else n for k, n in enumerate(indices.shape)]))
    wide, at = list(shape), list(shape)
    if shape:
        wide[d], at[d] = input.shape[d], indices.shape[d]
        indices = indices.where(indices >= 0, indices + input.shape[d])
    return give(input.expand(wide).gather(d, indices.expand(at)), out, "take_along_dim")


# --- a tensor with a view of it replaced ------------------------------------------------------------------------------

def _replaced(input: Tensor, view, src: Tensor, name: str) -> Tensor:
    result = input.clone()
    place = view(result)
    if place.shape != src.shape:
        raise RuntimeError(f"{name}: expected src to have a size equal to the part of input that it replaces. "
                           f"src size = {list(src.shape)}, part size = {list(place.shape)}")
    place.copy_(src)
    return result


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with ``src`` in the place of ``input.select(dim, index)``.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).select_scatter(minitorch.ones(2), 0, 0)
    tensor([[1., 1.],
            [0., 0.]])
    """
    return _replaced(input, lambda t: t.select(dim, index), src, "select_scatter")


def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1) -> Tensor:
    """A copy with ``src`` in the place of the slice ``start:end:step`` of a dimension.

    >>> import minitorch
    >>> minitorch.zeros(4).slice_scatter(minitorch.ones(2), 0, 0, 4, 2)
    tensor([1., 0., 1., 0.])
    """
    d = wrap_dim(dim, input.ndim)
    key = (slice(None),) * d + (slice(start, end, step),)
    return _replaced(input, lambda t: t[key], src, "slice_scatter")


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy with ``src`` in the place of a diagonal.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).diagonal_scatter(minitorch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _replaced(input, lambda t: t.diagonal(offset, dim1, dim2), src, "diagonal_scatter")


def as_strided_scatter(input: Tensor, src: Tensor, size, stride, storage_offset: int | None = None) -> Tensor:
    """A copy with ``src`` in the place of ``input.as_strided(size, stride, storage_offset)``."""
    return _replaced(input, lambda t: t.as_strided(size, stride, storage_offset), src, "as_strided_scatter")


# --- by masks, and with reductions ------------------------------------------------------------------------------------

def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of ``source``, one after another, where the mask is True; ``input`` elsewhere.

    >>> import minitorch
    >>> mask = minitorch.tensor([True, False, True])
    >>> minitorch.zeros(3).masked_scatter(mask, minitorch.tensor([1., 2.]))
    tensor([1., 0., 2.])
    """
    from .shaping import broadcast_tensors

    require_tensor(source, "masked_scatter", "source", 3)
    if mask.dtype != _bool:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    if input.dtype != source.dtype:
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got {input.dtype} and "
                           f"{source.dtype}")
    wide, mask = broadcast_tensors(input, mask)
    count = int(mask.sum().item())
    if count > source.numel():
        raise RuntimeError(f"masked_scatter: expected source to have at least {count} elements, as many as the mask "
                           f"has ones, but it has {source.numel()}")
    result = wide.clone(memory_format=None if wide is input else _contiguous())
    if count:
        result[mask] = source.reshape(-1)[:count]
    return result


def _contiguous():
    from .._device import contiguous_format

    return contiguous_format


@with_out
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *,
                 include_self: bool = True) -> Tensor:
    """`scatter_reduce` of whole slices: slice i of ``source`` along ``dim`` goes to slice ``index[i]``.

    Args:
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.

    >>> import minitorch
    >>> minitorch.ones(2).index_reduce(0, minitorch.tensor([0, 0]), minitorch.tensor([2., 3.]), "prod")
    tensor([6., 1.])
    """
    d = wrap_dim(dim, input.ndim)
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    if index.ndim > 1:
        raise IndexError(f"index_reduce(): Index is supposed to be a vector, but got dim: {index.ndim}")
    if index.dtype.name not in ("int32", "int64"):
        raise RuntimeError(f"index_reduce(): Expected dtype int32/int64 for index but got: {index.dtype}")
    if source.dtype != input.dtype:
        raise RuntimeError(f"index_reduce(): self ({input.dtype}) and source ({source.dtype}) must have the same "
                           "scalar type")
    if (source.ndim and d >= source.ndim) or index.numel() != (source.shape[d] if source.ndim else 1):
        raise RuntimeError(f"index_reduce(): Number of indices ({index.numel()}) should be equal to the size of source "
                           f"{tuple(source.shape)} in dimension {d}")
    if source.ndim == 0 or input.ndim == 0:
        wide = index.reshape(source.shape).long()
    else:
        wide = index.reshape([-1 if k == d else 1 for k in range(source.ndim)]).long().expand(source.shape)
    return _scatter_reduce(input, d, wide, source, reduce, include_self=include_self)


for _function in (masked_scatter, index_reduce, _scatter_reduce):
    setattr(Tensor, _function.__name__ + "_", in_place(_function))
