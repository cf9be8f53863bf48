"""Counting: how often numbers occur, and how many fall into each bin of a histogram."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence

from .. import _creation, return_types
from .._ext import arithmetic as _arithmetic
from .._ext import engine as _engine
from .._ext import index as _index
from .._ext import search as _search
from .._ext.dtype import ALL as _DTYPES
from .._tensor import Tensor
from .._types import Number
from ._common import give, require_tensor

__all__ = ["argwhere", "bincount", "histc", "histogram", "histogramdd"]

_INT64 = _DTYPES[5]


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero, a row each: `minitorch.nonzero`.

    >>> import minitorch
    >>> minitorch.tensor([0, 3, 4]).argwhere()
    tensor([[1],
            [2]])
    """
    return _index.nonzero(input)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 to the largest occurs in a vector of integers, or the sum of its weights.

    .. math:: y_k = \\sum_{i:\\, x_i = k} w_i

    Shape:
        input and weights ``(n)``; output ``(max(minlength, largest + 1))``, int64 without weights, else float32 for
        those of float32 and float64 for others.

    Raises:
        RuntimeError: for negative numbers, other shapes.

    >>> import minitorch
    >>> minitorch.tensor([3, 1, 3]).bincount()
    tensor([0, 1, 0, 2])
    """
    require_tensor(input, "bincount")
    if weights is not None:
        require_tensor(weights, "bincount", "weights")
    if input.is_floating_point() or input.is_complex() or str(input.dtype) == "torch.bool":
        raise NotImplementedError(f"bincount(): counts integers, got {input.dtype}: convert with .long()")
    if minlength < 0:
        raise RuntimeError(f"bincount(): minlength should be >= 0, got {minlength}")
    if input.ndim == 1 and input.numel() == 0:
        return _engine.zeros(minlength, dtype=_INT64, device=input.device)
    if input.ndim != 1:
        raise RuntimeError(
            f"bincount(): only supports 1-d non-negative integral inputs, got shape {tuple(input.shape)}"
        )
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError(
            f"bincount(): weights should be 1-d and have the same length as input, got shapes "
            f"{tuple(weights.shape)} and {tuple(input.shape)}"
        )
    return _search._count(input, None if weights is None else weights.detach(), minlength)


# --- histograms ------------------------------------------------------------------------------------------------------


def _bounds(x: Tensor, bounds: Sequence[Number] | None, margin: float, name: str) -> tuple[Number, Number]:
    """Where the first bin begins and the last one ends: what is given, or what the values span."""
    low, high = bounds or ((x.min().item(), x.max().item()) if x.numel() else (0.0, 1.0))
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise RuntimeError(
            f"{name}(): range of [{low}, {high}] is not finite: give the bounds, or take out what is not"
        )
    if low > high:
        raise RuntimeError(f"{name}(): max must be larger than min, but got min {low} max {high}")
    return (low - margin, high + margin) if low == high else (low, high)


def _number_of_bins(bins: object, name: str) -> int:
    if isinstance(bins, bool) or not hasattr(bins, "__index__"):
        raise TypeError(f"{name}(): argument 'bins' must be int, not {type(bins).__name__}")
    count = bins.__index__()
    if count <= 0:
        raise RuntimeError(f"{name}(): bins must be > 0, but got {count}")
    return count


def _counted(places: Tensor, inside: Tensor, weight: Tensor | None, size: int) -> Tensor:
    """How often each place occurs among those inside; the others are counted behind the last, and dropped."""
    return _search._count(_arithmetic._where(inside, places, size, None), weight, size + 1)[:size]


def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements fall into each of ``bins`` bins of equal width between ``min`` and ``max``.

    Elements outside are not counted.  If the bounds are equal, the bins span the elements.

    Raises:
        RuntimeError: if the bounds are not finite or in the wrong order.

    >>> import minitorch
    >>> minitorch.tensor([1., 2., 1.]).histc(bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    require_tensor(input, "histc")
    count = _number_of_bins(bins, "histc")
    if not input.is_floating_point():
        raise NotImplementedError(f"histc(): not implemented for {input.dtype}: convert it with .float()")
    x = input.detach().reshape(-1)
    low, high = _bounds(x, None if min == max else (min, max), 1, "histc")
    inside = (x >= low) & (x <= high)
    places = ((_arithmetic._where(inside, x, low, None) - low) * count / (high - low)).to(_INT64).clamp(max=count - 1)
    return give(_counted(places, inside, None, count).to(input.dtype), out, "histc")


def _edges(x: Tensor, bins: Tensor | int, bounds: Sequence[Number] | None, name: str) -> Tensor:
    """The edges of the bins along one dimension."""
    if not isinstance(bins, Tensor):
        count = _number_of_bins(bins, name)
        return _creation.linspace(*_bounds(x, bounds, 0.5, name), count + 1, dtype=x.dtype, device=x.device)
    if bounds is not None:
        raise TypeError(f"{name}(): range is for a number of bins, not for bins that are given by their edges")
    if bins.ndim != 1 or bins.dtype != x.dtype:
        raise RuntimeError(
            f"{name}(): bins tensor should have one dimension and the dtype of the input, {x.dtype}, but "
            f"got shape {tuple(bins.shape)}, {bins.dtype}"
        )
    _number_of_bins(len(bins) - 1, name)
    return bins.detach()


def _histogram(points: Tensor, edges: list[Tensor], weight: Tensor | None, density: bool) -> Tensor:
    """How many rows of `points` fall into each cell of the grid between the edges; the last one is inside."""
    places = _engine.zeros(len(points), dtype=_INT64, device=points.device)
    inside = places == 0
    for column, edge in zip(points.unbind(1), edges):
        count = len(edge) - 1
        place = _search._search(edge, column.contiguous(), None, True) - 1
        places = places * count + place.clamp(0, count - 1)
        inside &= (column >= edge[0]) & (column <= edge[-1])
    shape = [len(edge) - 1 for edge in edges]
    hist = _counted(places, inside, weight, math.prod(shape)).to(points.dtype).reshape(shape)
    if density:
        hist = hist / hist.sum()
        for k, edge in enumerate(edges):
            hist = hist / (edge[1:] - edge[:-1]).reshape(-1, *[1] * (len(edges) - 1 - k))
    return hist


def _checked(input: Tensor, weight: Tensor | None, shape: tuple[int, ...], name: str) -> Tensor | None:
    if weight is not None:
        require_tensor(weight, name, "weight")
    if str(input.dtype) not in ("torch.float32", "torch.float64"):
        raise NotImplementedError(f"{name}(): not implemented for {input.dtype}: convert it with .float()")
    if weight is None:
        return None
    if tuple(weight.shape) != shape or weight.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): weight must have shape {shape} and dtype {input.dtype}, as the input has, but got "
            f"{tuple(weight.shape)}, {weight.dtype}"
        )
    return weight.detach().reshape(-1)


def histogram(
    input: Tensor,
    bins: Tensor | int,
    *,
    range: Sequence[Number] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: tuple[Tensor, Tensor] | None = None,
) -> return_types.histogram:
    """How many elements fall into each bin, and the bins' edges.

    ``bins`` is the number of bins of equal width between the bounds in ``range`` (what the elements span, if there is
    none), or their edges.  A bin contains its lower edge, and the last one its upper edge too.  With ``density`` the
    histogram's integral is 1.

    Shape:
        input and weight of any; ``hist`` ``(bins)``, ``bin_edges`` ``(bins + 1)``.

    >>> import minitorch
    >>> minitorch.tensor([1., 2., 1.]).histogram(4, range=(0., 4.)).hist
    tensor([0., 2., 1., 0.])
    """
    require_tensor(input, "histogram")
    weight = _checked(input, weight, tuple(input.shape), "histogram")
    x = input.detach().reshape(-1)
    edges = _edges(x, bins, range, "histogram")
    hist = _histogram(x.unsqueeze(1), [edges], weight, density)
    if out is not None:
        hist, edges = (give(result, given, "histogram") for given, result in zip(out, (hist, edges)))
    return return_types.histogram((hist, edges))


def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    *,
    range: Sequence[Number] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> return_types.histogramdd:
    """How many points fall into each cell of a grid, and the edges of the grid along each dimension.

    ``bins`` and ``range`` are as for `histogram`, one for each dimension (of ``range`` two numbers for each).

    Shape:
        input ``(*, D)``, weight ``(*)``; ``hist`` of D dimensions.

    >>> import minitorch
    >>> points = minitorch.tensor([[0., 1.], [1., 0.], [2., 0.]])
    >>> minitorch.histogramdd(points, [2, 2], range=[0., 2., 0., 2.]).hist
    tensor([[0., 1.],
            [2., 0.]])
    """
    require_tensor(input, "histogramdd")
    if input.ndim < 2:
        raise RuntimeError(f"histogramdd(): input tensor should have at least 2 dimensions, got {tuple(input.shape)}")
    size = input.shape[-1]
    weight = _checked(input, weight, tuple(input.shape[:-1]), "histogramdd")
    each = [bins] * size if isinstance(bins, int) else list(bins)
    if len(each) != size or (range is not None and len(range) != 2 * size):
        raise RuntimeError(
            f"histogramdd(): The size of bins must be equal to the innermost dimension of the input, {size}, "
            "and there must be two numbers in range for each"
        )
    points = input.detach().reshape(-1, size)
    bounds = [None] * size if range is None else list(zip(range[::2], range[1::2]))
    edges = [_edges(points[:, k], each[k], bounds[k], "histogramdd") for k in builtins.range(size)]
    return return_types.histogramdd((_histogram(points, edges, weight, density), tuple(edges)))
