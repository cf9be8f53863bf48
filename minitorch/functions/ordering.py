"""What follows from an order: quantiles, unique elements, places in what is sorted, membership."""

from __future__ import annotations

from typing import Any

from .. import _creation
from .._ext import arithmetic as _arithmetic
from .._ext import engine as _engine
from .._ext import index as _index
from .._ext import search as _search
from .._ext.dtype import ALL as _DTYPES
from .._tensor import Tensor
from .._types import Number
from ._common import give, require_tensor

__all__ = [
    "bucketize",
    "isin",
    "nanquantile",
    "quantile",
    "searchsorted",
    "unique",
    "unique_consecutive",
]

_BOOL, _INT32, _INT64 = _DTYPES[0], _DTYPES[4], _DTYPES[5]


# --- quantiles -------------------------------------------------------------------------------------------------------


def _levels(input: Tensor, q: Tensor | float, name: str) -> Tensor:
    """The argument `q` as a tensor, checked."""
    if not isinstance(q, Tensor):
        if not isinstance(q, (int, float)):
            raise TypeError(f"{name}(): argument 'q' must be float or Tensor, not {type(q).__name__}")
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}(): q must be in the range [0, 1] but got {q}")
        return _engine.tensor(float(q), dtype=input.dtype, device=input.device)
    if q.ndim > 1:
        raise RuntimeError(f"{name}(): q must be a scalar or 1D tensor, got shape {tuple(q.shape)}")
    if q.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): q tensor must be same dtype as the input tensor, got {q.dtype} for {input.dtype}"
        )
    if not ((q >= 0) & (q <= 1)).all():
        raise RuntimeError(f"{name}(): q values must be in the range [0, 1]")
    return q


def _ranks(ordered: Tensor, levels: Tensor, skip_nan: bool) -> Tensor:
    """Where the quantiles of sorted rows lie, as real numbers: in rows that are not numbers, at one of these."""
    last = ordered.shape[-1] - 1
    if skip_nan:
        numbers = (ordered == ordered).sum(-1, keepdim=True)
        return (levels * (numbers - 1).to(ordered.dtype)).clamp(min=0)
    ranks = (levels * last).expand(*ordered.shape[:-1], levels.shape[0])
    return ranks.masked_fill(ordered[..., -1:] != ordered[..., -1:], last)


def _between(ordered: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    """The elements of sorted rows at real ranks."""
    if interpolation in ("lower", "higher", "nearest"):
        ranks = {"lower": _arithmetic.floor, "higher": _arithmetic.ceil, "nearest": _arithmetic.round}[interpolation](
            ranks
        )
        return ordered.gather(-1, ranks.to(_INT64))
    below = ranks.to(_INT64)
    low, high = ordered.gather(-1, below), ordered.gather(-1, ranks.detach().ceil().to(_INT64))
    return low.lerp(high, 0.5 if interpolation == "midpoint" else ranks - below)


def _quantiles(
    input: Tensor, q: Tensor | float, dim: int | None, keepdim: bool, interpolation: str, out: Tensor | None, name: str
) -> Tensor:
    require_tensor(input, name)
    if str(input.dtype) not in ("torch.float32", "torch.float64"):
        raise RuntimeError(
            f"{name}(): input tensor must be either float or double dtype, not {input.dtype}: convert it with .float()"
        )
    if input.numel() == 0:
        raise RuntimeError(f"{name}(): input tensor must be non-empty, got shape {tuple(input.shape)}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}(): interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    levels = _levels(input, q, name)
    if dim is not None and not -max(input.ndim, 1) <= dim < max(input.ndim, 1):
        raise IndexError(f"{name}(): Dimension out of range, dim={dim} of a tensor of shape {tuple(input.shape)}")
    along = dim is not None and input.ndim > 0
    dim = dim % input.ndim if along else 0
    rows = input.unsqueeze(-1).transpose(dim, -1) if along else input.reshape(-1)
    ordered = rows.sort(-1, stable=True).values
    result = _between(ordered, _ranks(ordered, levels.reshape(-1), name == "nanquantile"), interpolation)
    if keepdim and not along:
        result = result.reshape(*[1] * input.ndim, levels.numel())
    elif along and not keepdim:
        result = result.squeeze(dim)
    return give(result.movedim(-1, 0) if levels.ndim else result.squeeze(-1), out, name)


def quantile(
    input: Tensor,
    q: Tensor | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The elements below which the parts ``q`` of all elements lie, or of those along a dimension.

    The rank :math:`q (n - 1)` lies between two elements, and ``interpolation`` says what is taken: "linear", "lower",
    "higher", "midpoint" or "nearest".  Not a number where one element is not.

    Shape:
        as the input without ``dim``; for a vector ``q`` with a dimension of its length in front.

    Raises:
        RuntimeError: for integers and half types; if ``q`` is not between 0 and 1.

    Source: Hyndman, Fan, *Sample Quantiles in Statistical Packages* (1996), definition 7.

    >>> import minitorch
    >>> minitorch.tensor([4., 1., 3., 2.]).quantile(0.5)
    tensor(2.5000)
    """
    return _quantiles(input, q, dim, keepdim, interpolation, out, "quantile")


def nanquantile(
    input: Tensor,
    q: Tensor | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The `quantile` of the elements that are a number.

    >>> import minitorch
    >>> minitorch.tensor([1., float("nan"), 3.]).nanquantile(0.5)
    tensor(2.)
    """
    return _quantiles(input, q, dim, keepdim, interpolation, out, "nanquantile")


# --- unique elements -------------------------------------------------------------------------------------------------


def _runs(first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of a vector that says where runs begin: their places, the run of each element, and their lengths."""
    starts = first.nonzero().reshape(-1)
    ends = _index.cat([starts[1:], starts.new_full((min(1, len(first)),), len(first))])
    return starts, first.cumsum(0) - 1, ends - starts


def _begins(rows: Tensor) -> Tensor:
    """Where a row (or an element) differs from the one before."""
    differs = rows[1:] != rows[:-1]
    return _index.cat([differs.new_full((min(1, len(rows)),), True), differs if rows.ndim == 1 else differs.any(1)])


def _rows(input: Tensor, dim: int, name: str) -> Tensor:
    """The slices along a dimension as rows."""
    if input.ndim == 0:
        raise IndexError(f"{name}(): Dimension specified as {dim} but tensor has no dimensions")
    rows = input.detach().movedim(dim, 0)
    if 0 in rows.shape[1:]:
        raise RuntimeError(
            f"{name}(): There are 0 sized dimensions, and they aren't selected, so unique cannot be "
            f"applied to shape {tuple(input.shape)} along dimension {dim}"
        )
    return rows.flatten(1) if rows.ndim > 1 else rows


def _pick(result: Tensor, inverse: Tensor, counts: Tensor, with_inverse: bool, with_counts: bool) -> Any:
    """The results that were asked for: one, or a tuple."""
    results = (result, *([inverse] if with_inverse else []), *([counts] if with_counts else []))
    return results if len(results) > 1 else result


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along a dimension) without those that equal the one before.

    With ``return_inverse`` also the index in the result of each, with ``return_counts`` how often each was repeated.

    >>> import minitorch
    >>> minitorch.tensor([1, 1, 2, 2, 1]).unique_consecutive(return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 2, 1]))
    """
    require_tensor(input, "unique_consecutive")
    if dim is None:
        flat = input.detach().reshape(-1)
        starts, inverse, counts = _runs(_begins(flat))
        result, inverse = flat.index_select(0, starts), inverse.reshape(input.shape)
    else:
        starts, inverse, counts = _runs(_begins(_rows(input, dim, "unique_consecutive")))
        result = input.detach().index_select(dim, starts)
    return _pick(result, inverse, counts, return_inverse, return_counts)


def _row_order(rows: Tensor) -> Tensor:
    """The indices that sort rows, the first column foremost."""
    order = _creation.arange(rows.shape[0], device=rows.device)
    for k in range(rows.shape[1] - 1, -1, -1):
        order = order.index_select(0, rows[:, k].index_select(0, order).argsort(stable=True))
    return order


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Each element once, in order; or each slice along a dimension.

    With ``return_inverse`` also the index in the result of each, with ``return_counts`` how often each occurs.
    ``sorted=False`` leaves the order open, so they are in order then too.

    >>> import minitorch
    >>> minitorch.tensor([3, 1, 3]).unique(return_inverse=True)
    (tensor([1, 3]), tensor([1, 0, 1]))
    >>> minitorch.tensor([[2, 1], [0, 5], [2, 1]]).unique(dim=0)
    tensor([[0, 5],
            [2, 1]])
    """
    require_tensor(input, "unique")
    if dim is None:
        ordered, order = input.detach().reshape(-1).sort(stable=True)
        starts, runs, counts = _runs(_begins(ordered))
        result, shape = ordered.index_select(0, starts), input.shape
    else:
        rows = _rows(input, dim, "unique")
        order = rows.argsort(stable=True) if rows.ndim == 1 else _row_order(rows)
        starts, runs, counts = _runs(_begins(rows.index_select(0, order)))
        result, shape = input.detach().index_select(dim, order.index_select(0, starts)), order.shape
    inverse = _engine.empty_like(order).scatter_(0, order, runs).reshape(shape)
    return _pick(result, inverse, counts, return_inverse, return_counts)


# --- places in what is sorted ----------------------------------------------------------------------------------------


def _same_type(a: Tensor, b: Tensor | Number) -> tuple[Tensor, Tensor]:
    """A tensor and another, or a number, in the type that an operation on both has."""
    common = _arithmetic.result_type(a, b)
    other = b if isinstance(b, Tensor) else _engine.tensor(b, dtype=common, device=a.device)
    return a.to(common), other.to(common)


def _placed(
    line: Tensor,
    values: Tensor | Number,
    sorter: Tensor | None,
    right: bool,
    narrow: bool,
    out: Tensor | None,
    name: str,
) -> Tensor:
    if line.dtype == _BOOL:
        raise NotImplementedError(f"{name}(): not implemented for bool: convert it with .int()")
    if out is not None:
        require_tensor(out, name, "out")
    if out is not None and out.dtype != (_INT32 if narrow else _INT64):
        raise RuntimeError(
            f"{name}(): output tensor's dtype is wrong, it can only be int32 or int64 depending on whether "
            f"out_int32 flag is True, but we got {out.dtype} and out_int32={narrow}"
        )
    line, values = _same_type(line.detach(), values)
    places = _search._search(line, values.detach(), sorter, right)
    return give(places.to(_INT32) if narrow else places, out, name)


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    out: Tensor | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each value would be put into a sorted sequence so that it stays sorted: its index, of several the first.

    ``right=True`` or ``side="right"`` gives the last of several.  A sequence of more dimensions is sorted along its
    last, and its leading ones are those of ``input``.  ``sorter`` has the indices that sort a sequence which is not.

    Raises:
        RuntimeError: if the shapes do not fit, or an index of ``sorter`` is out of range.

    >>> import minitorch
    >>> minitorch.searchsorted(minitorch.tensor([1, 3, 5, 7]), minitorch.tensor([3, 6]))
    tensor([1, 3])
    """
    require_tensor(sorted_sequence, "searchsorted", "sorted_sequence")
    if sorter is not None:
        require_tensor(sorter, "searchsorted", "sorter")
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    shape = tuple(sorted_sequence.shape)
    value_shape = tuple(input.shape) if isinstance(input, Tensor) else ()
    if len(shape) != 1 and (not shape or not value_shape or shape[:-1] != value_shape[:-1]):
        raise RuntimeError(
            "searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(shape)} and input value tensor {list(value_shape)}"
        )
    if sorter is not None and (tuple(sorter.shape) != shape or sorter.dtype != _INT64):
        raise RuntimeError(
            "searchsorted(): the sorter must be int64 and of the same size as the sequence, but got "
            f"boundary tensor {list(shape)} and sorter tensor {list(sorter.shape)} of {sorter.dtype}"
        )
    return _placed(sorted_sequence, input, sorter, right or side == "right", out_int32, out, "searchsorted")


def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Between which boundaries each value lies; a boundary belongs to the bucket below, or above if ``right``.

    .. math:: b_{i-1} < x \\le b_i, \\quad\\text{with right}\\quad b_{i-1} \\le x < b_i

    >>> import minitorch
    >>> minitorch.bucketize(minitorch.tensor([3, 6, 9]), minitorch.tensor([1, 3, 5, 7]))
    tensor([1, 3, 4])
    """
    require_tensor(boundaries, "bucketize", "boundaries")
    if boundaries.ndim != 1:
        raise RuntimeError(f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return _placed(boundaries, input, None, right, out_int32, out, "bucketize")


def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Whether each element is among others; with ``invert``, whether it is not.

    ``assume_unique`` promises that neither has duplicates; the result is the same.

    >>> import minitorch
    >>> minitorch.isin(minitorch.tensor([1, 2, 3]), minitorch.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): elements or test_elements must be a tensor, got two numbers")
    if isinstance(elements, Tensor):
        values, others = _same_type(elements.detach(), test_elements)
    else:
        others, values = _same_type(test_elements.detach(), elements)
    if values.dtype == _BOOL:
        raise RuntimeError("isin(): bool is not supported: convert with .int()")
    if others.numel() == 0 or values.numel() == 0:
        return give(_engine.full(tuple(values.shape), invert, dtype=_BOOL, device=values.device), out, "isin")
    ordered = others.detach().reshape(-1).sort(stable=True).values
    places = _search._search(ordered, values, None, False).clamp(max=len(ordered) - 1)
    found = ordered.index_select(0, places.reshape(-1)).reshape(values.shape)
    return give(found != values if invert else found == values, out, "isin")
