"""Indices to vectors: one-hot encoding and embeddings."""

from __future__ import annotations

import minitorch
from minitorch import Tensor
from minitorch._ext import embedding as _engine

__all__ = ["embedding", "embedding_bag", "one_hot"]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last dimension of `num_classes` with 1 at the index that the tensor gives, 0 elsewhere.

    Raises:
        RuntimeError: if the tensor is not int64, or an index is negative or too large.

    >>> nn.functional.one_hot(minitorch.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype != minitorch.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if type(tensor) is not Tensor and num_classes > 0 and _stands_for_many(tensor):
        pass                                            # under vmap nobody can ask for values
    elif tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        low, high = int(tensor.min()), int(tensor.max())
        if low < 0:
            raise RuntimeError(f"one_hot: class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        if num_classes <= 0:
            raise RuntimeError(f"one_hot: num_classes should be positive, got {num_classes}")
        if high >= num_classes:
            raise RuntimeError(f"one_hot: class values must be smaller than num_classes, got {high} of {num_classes}")
    return (tensor.unsqueeze(-1) == minitorch.arange(num_classes, device=tensor.device)).to(minitorch.int64)


def _stands_for_many(tensor: Tensor) -> bool:
    from minitorch.func.wrapping import Wrapped

    return isinstance(tensor, Wrapped)


def _padding_row(padding_idx: int | None, rows: int) -> int:
    """The row of a padding index, which may count from the back; -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"padding_idx must be within num_embeddings, {rows}, but is {padding_idx}")
    return padding_idx % rows


def _limit_norms(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are named, and longer than `max_norm`, to that length: in place, as PyTorch does."""
    with minitorch.no_grad():
        rows = minitorch.tensor(sorted(set(indices.reshape(-1).tolist())), dtype=minitorch.int64, device=weight.device)
        if rows.numel():
            named = weight[rows]
            norms = named.norm(norm_type, 1, keepdim=True)
            weight[rows] = minitorch.where(norms > max_norm, named * (max_norm / (norms + 1e-7)), named)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of a table that the indices name.

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: first scale the rows named, in the table itself, to at most this norm.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is named.
        sparse: not supported.

    Shape:
        input ``(*)`` of integers, weight ``(rows, width)``, output ``(*, width)``.

    Raises:
        IndexError: if an index is no row.

    >>> nn.functional.embedding(minitorch.tensor([1, 0]), minitorch.tensor([[1., 2.], [3., 4.]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    padding = _padding_row(padding_idx, weight.shape[0])
    if max_norm is not None:
        _limit_norms(weight, input, max_norm, norm_type)
    return _engine.embedding(weight, input, padding, scale_grad_by_freq, sparse)


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, Tensor, int]:
    """The indices in a row, the bag of each, and how many bags there are."""
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated as a mini-batch of "
                             f"fixed length sequences. However, found offsets of type {type(offsets)}")
        count, length = input.shape
        return input.reshape(-1), (minitorch.arange(count * length, device=input.device) // max(length, 1)), count
    if input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = offsets.long()
    values = starts.tolist()
    if values and values[0] != 0:
        raise RuntimeError(f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
                           f"position 0. However, got {values[0]}")
    if values and values[-1] > input.numel():
        raise RuntimeError(f"offsets[-1] can not be greater than input's length({input.numel()}), but got {values[-1]}")
    if values != sorted(values):
        raise RuntimeError("embedding_bag: offsets must not fall")
    if include_last_offset:
        if not values:
            raise RuntimeError("include_last_offset: number of offsets should be at least 1")
        starts = starts[:-1]
        input = input[:values[-1]]
    marks = minitorch.zeros(input.numel() + 1, dtype=minitorch.int64, device=input.device)
    marks = marks.scatter_add(0, starts, minitorch.ones_like(starts))
    return input, marks.cumsum(0)[:-1] - 1, starts.numel()


def _check_bag_options(mode: str, weights: Tensor | None, input: Tensor, scale_grad_by_freq: bool) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if weights is not None:
        if mode != "sum":
            raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only "
                                      f"supported for mode='sum' (got mode='{mode}')")
        if weights.shape != input.shape:
            raise ValueError(f"embedding_bag: If per_sample_weights ({weights.shape}) is not None, then it must have "
                             f"the same shape as the input ({input.shape})")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of rows of a table, a bag of rows at a time.

    Args:
        offsets: where each bag begins, if the input has one dimension.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        per_sample_weights: factors of the rows, for sums.
        include_last_offset: the last offset is the end of the last bag.
        padding_idx: a row that does not count.

    Shape:
        input ``(bags, length)``, or ``(indices,)`` with offsets; output ``(bags, width)``.  An empty bag gives zeros.

    >>> table = minitorch.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> nn.functional.embedding_bag(minitorch.tensor([0, 1, 2]), table, minitorch.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [5., 6.]])
    """
    _check_bag_options(mode, per_sample_weights, input, scale_grad_by_freq)
    if sparse:
        raise NotImplementedError("embedding_bag: sparse gradients are not supported; leave sparse=True out")
    source, bag, count = _bags(input, offsets, include_last_offset)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)[:source.numel()]
    if max_norm is not None:
        _limit_norms(weight, source, max_norm, norm_type)
    padding = _padding_row(padding_idx, weight.shape[0])
    if padding >= 0:
        keep = source != padding
        source, bag = source[keep], bag[keep]
        factors = None if factors is None else factors[keep]
    if mode == "max":
        best = _engine.greatest_rows(weight, source, bag, count)
        return minitorch.where(best >= 0, weight.gather(0, best.clamp(min=0)), 0.0)
    if mode == "mean":
        sizes = bag.new_zeros(count).scatter_add(0, bag, minitorch.ones_like(bag))
        factors = (1 / sizes.double()).to(weight.dtype)[bag]
    if scale_grad_by_freq:
        weight = _engine.embedding(weight, source, -1, True)
        source = minitorch.arange(source.numel(), device=source.device)
    return _engine.sum_of_rows(weight, source, bag, factors, count)
