"""Ordering along a dimension, what follows from an order, searching in what is sorted, and counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .launching import THREADS, active, dtype_name, function, launch, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

TILE = 1024  # as in sort.cu
KEYS = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64"}  # others: int64
IN_C = {"float32": "float", "float64": "double", "int64": "int64_t"}
SORTS = tuple(f"{name}<{kind}>" for name in ("sort_tiles", "merge_runs", "search") for kind in IN_C.values())


def _as_keys(x: Tensor) -> Tensor:
    """The values in one of the types that are sorted, in which each keeps its value."""
    import minitorch

    return x.to(getattr(minitorch, KEYS.get(dtype_name(x), "int64"))).contiguous()


def sorted_rows(rows: Tensor, descending: bool) -> tuple[Tensor, Tensor]:
    """The values of contiguous rows in a stable order, and where each was."""
    n, total = rows.shape[-1], rows.numel()
    if total >= 2**31:
        raise NotImplementedError(f"sorting on cuda takes fewer than 2**31 elements, not {total}: sort parts of the "
                                  "tensor, or move it to the CPU with .cpu()")
    key, place = rows.new_empty(rows.shape), rows.new_empty(rows.shape).long()
    if not total:
        return key, place
    kind, flag, tiles = IN_C[dtype_name(rows)], np.int32(descending), -(-n // TILE)
    active().launch(function("sort", f"sort_tiles<{kind}>", SORTS), (total // n * tiles, 1, 1), (THREADS, 1, 1),
                    [span_of(key), span_of(place), span_of(rows, False), np.uint32(n), np.uint32(tiles), flag])
    width = TILE
    while width < n:
        to = rows.new_empty(rows.shape), place.new_empty(place.shape)
        launch(function("sort", f"merge_runs<{kind}>", SORTS), total,
               [span_of(to[0]), span_of(to[1]), span_of(key, False), span_of(place, False), np.uint32(total),
                np.uint32(n), np.uint32(width), flag])  # fmt: skip
        key, place = to
        width *= 2
    return key, place


def order(what: str, values: Tensor | None, indices: Tensor, x: Tensor, dim: int, k: int, largest: bool) -> None:
    """Sort along a dimension, equal values in the order in which they were; or choose what such a sort shows."""
    x = x.detach()
    rows = _as_keys(x.movedim(dim, -1) if x.ndim else x.reshape(1))
    key, place = sorted_rows(rows, largest)
    if what == "topk":
        key, place = key[..., :k], place[..., :k]
    elif what != "sort":
        at = _chosen(what, key, k)
        key, place = key.gather(-1, at), place.gather(-1, at)
    for out, found in ((values, key), (indices, place)):
        if out is not None:
            out.movedim(dim, -1).copy_(found) if out.ndim else out.copy_(found.reshape(()))


def _chosen(what: str, key: Tensor, k: int) -> Tensor:
    """Which element of each sorted row is the k-th value, the median or the mode."""
    n = key.shape[-1]
    if what == "kthvalue":
        return key.new_full((*key.shape[:-1], 1), k).long()
    if what == "mode":
        first = key.new_ones(key.shape).bool()
        first[..., 1:] = key[..., 1:] != key[..., :-1]
        place = key.new_ones(key.shape).long().cumsum(-1)
        return (place - (place * first).cummax(-1).values).argmax(-1, keepdim=True)  # the end of the longest run
    strange = (key != key).sum(-1, keepdim=True)  # which come last
    middle = ((n - strange - 1) // 2).clamp(min=0)
    if what == "nanmedian":
        return middle
    return middle + (n - strange - middle) * (strange > 0)  # the first that is not a number, if one is


def search(out: Tensor, values: Tensor, line: Tensor, sorter: Tensor | None, right: bool) -> None:
    """Where values belong in sorted lines: all in the only one, or each row of them in its own."""
    line, values = _as_keys(line.detach()), _as_keys(values.detach())
    total = values.numel()
    per_line = total if line.ndim == 1 else values.shape[-1]
    kind = IN_C[dtype_name(line)]
    by = out if sorter is None else sorter
    launch(function("sort", f"search<{kind}>", SORTS), total,
           [span_of(out), span_of(values, False), span_of(line, False), span_of(by, False), np.uint32(total),
            np.uint32(per_line), np.uint32(line.shape[-1]), np.int32(right), np.int32(sorter is not None)])  # fmt: skip


def extent(index: Tensor) -> tuple[int, int]:
    """The smallest and the largest of some integers."""
    return int(index.amin().item()), int(index.amax().item())


def count(index: Tensor, weight: Tensor | None, size: int) -> Tensor:
    """How often each number below `size` occurs, or the sum of its weights."""
    ones = index.new_ones(index.shape) if weight is None else weight
    return ones.new_zeros(size).index_put_((index,), ones, True)
