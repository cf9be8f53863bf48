"""Taking, putting and adding what lies at places, and the places of what is true."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import DIMS, WALK, dtype_name, function, launch, span_of
from .memory import BITS

if TYPE_CHECKING:
    from ..._tensor import Tensor

PLAIN = "add_places", "gather_places", "claim_rows", "true_places"
MOVED = tuple(f"{name}<{bits}_t>" for name in ("take_blocks", "put_blocks", "triangle") for bits in BITS.values())
ADDED = tuple(f"add_blocks<{kind}>" for kind in dict.fromkeys(IN_MEMORY.values()))
COMBINED = {"sum": "Added", "mean": "Added", "prod": "Multiplied", "amax": "Larger", "amin": "Smaller"}
COMBINES = tuple(f"combine_at<{kind}, {name}<{kind}>>" for kind in ("double", "int64_t")
                 for name in dict.fromkeys(COMBINED.values()))  # fmt: skip
NONE = 2**32 - 1  # of an index out of bounds


def add_places(places: Tensor, index: Tensor, size: int) -> int | None:
    """``places = places size + index``; the first index that is out of bounds, if one is.

    The host waits for it, so that the error is raised by the operation that is wrong.
    """
    n = index.numel()
    if not n:
        return None
    bad = index.new_full((1,), NONE)
    launch(function("index", "add_places"), n,
           [span_of(places), span_of(index, False), np.uint32(n), np.int64(size),
            span_of(bad)._replace(dtype="uint32")])  # fmt: skip
    return _named(bad, index)


def _named(bad: Tensor, index: Tensor) -> int | None:
    first = bad.item() & NONE
    return None if first == NONE else int(index.reshape(-1)[first].item())


def gather_places(places: Tensor, index: Tensor, shape: tuple[int, ...], dim: int) -> int | None:
    """The flat places in a shape that an index names along a dimension; the first index out of bounds, if one is."""
    n, ndim = index.numel(), index.ndim
    if not n:
        return None
    if ndim > DIMS:
        raise NotImplementedError(f"gather and scatter on cuda take up to {DIMS} dimensions, not {ndim}: join some, or "
                                  "move the tensor to the CPU with .cpu()")
    strides = [math.prod(shape[d + 1:]) for d in range(ndim)] or [1]
    walk = np.zeros((), WALK)
    walk["numel"], walk["ndim"] = n, ndim
    walk["shape"][:ndim] = index.shape
    walk["strides"][0, :ndim] = [0 if d == dim else strides[d] for d in range(ndim)]
    bad, size = index.new_full((1,), NONE), shape[dim] if shape else 1
    launch(function("index", "gather_places"), n,
           [span_of(places), span_of(index, False), walk[()], np.int64(size), np.int64(strides[dim]),
            span_of(bad)._replace(dtype="uint32")])  # fmt: skip
    return _named(bad, index)


def first_outside(index: Tensor, size: int) -> int:
    """Where an index is that is not in [0, size), or -1."""
    outside = (index < 0) | (index >= size)
    return int(true_places(outside)[0].item()) if index.numel() and outside.any().item() else -1


def shares(place: Tensor, rows: int, padding: int, by_frequency: bool) -> Tensor:
    """What the gradient of each row of a table is multiplied by: 0 for padding; one over how often it is named."""
    kept = (place != padding).double()
    if not by_frequency:
        return kept
    count = kept.new_zeros(rows).index_put_((place,), kept.new_ones(place.shape), True)
    return kept / count[place]


def triangle(out: Tensor, x: Tensor, diagonal: int, upper: bool) -> None:
    """The upper or the lower triangle of matrices, both contiguous; they may be one."""
    bits, total = BITS[x.itemsize], x.numel()
    launch(function("index", f"triangle<{bits}_t>", MOVED), total,
           [span_of(out)._replace(dtype=bits), span_of(x, False)._replace(dtype=bits), np.uint32(total),
            np.uint32(x.shape[-2]), np.uint32(x.shape[-1]), np.int64(diagonal), np.int32(upper)])  # fmt: skip


def take_blocks(out: Tensor, x: Tensor, places: Tensor, rows: int, block: int) -> None:
    """``out[o, k] = x[o, places[k]]`` for x of (outer, rows, block)."""
    sizes, bits = _sizes(out.numel(), places, rows, block), BITS[out.itemsize]  # whatever the bytes mean
    launch(function("index", f"take_blocks<{bits}_t>", MOVED), out.numel(),
           [span_of(out)._replace(dtype=bits), span_of(x, False)._replace(dtype=bits), span_of(places, False), *sizes])


def put_blocks(x: Tensor, blocks: Tensor, places: Tensor, rows: int, block: int, add: bool) -> None:
    """``x[o, places[k]] = blocks[o, k]``, of a row that is named twice the last; or added to it."""
    n, total, to, source = places.numel(), blocks.numel(), span_of(x), span_of(blocks, False)
    sizes, bits = _sizes(total, places, rows, block), BITS[x.itemsize]
    if add:
        to = to._replace(high=-(-to.high // 4) * 4)  # narrow elements are exchanged with the word around them
        name = f"add_blocks<{IN_MEMORY[dtype_name(x)]}>"
        launch(function("index", name, (name,)), total, [to, source, span_of(places, False), *sizes])
        return
    owner = places.new_zeros((rows + 1) // 2)  # of 32 bits each
    owners = span_of(owner)._replace(dtype="uint32")
    launch(function("index", "claim_rows"), n, [owners, span_of(places, False), np.uint32(n)])
    launch(function("index", f"put_blocks<{bits}_t>", MOVED), total,
           [to._replace(dtype=bits), source._replace(dtype=bits), span_of(places, False), owners, *sizes])


def _sizes(total: int, places: Tensor, rows: int, block: int) -> list[np.uint32]:
    if max(total, rows) >= 2**31:
        raise NotImplementedError(f"indexing on cuda moves fewer than 2**31 elements, not {total}: index parts of the "
                                  "tensor, or move it to the CPU with .cpu()")
    return [np.uint32(v) for v in (total, places.numel(), rows, block)]


def reduce_at(x: Tensor, places: Tensor, value: Tensor, how: str, fresh: bool) -> Tensor:
    """x reduced at places with values, in float64 or int64; `fresh`: without what is there."""
    real = x.is_floating_point()
    total = (x.double() if real else x.long()).reshape(-1).clone()
    value, n = (value.double() if real else value.long()).contiguous(), places.numel()
    count = places.new_zeros(total.shape).index_put_((places.reshape(-1),), places.new_ones(n), True)
    if fresh:
        neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": -math.inf if real else -(2**63),
                   "amin": math.inf if real else 2**63 - 1}[how]  # fmt: skip
        total = total.masked_fill(count > 0, neutral)
    kind = "double" if real else "int64_t"
    name = f"combine_at<{kind}, {COMBINED[how]}<{kind}>>"
    launch(function("index", name, COMBINES), n,
           [span_of(total), span_of(value, False), span_of(places, False), np.uint32(n)])
    if how == "mean":
        terms = (count + (not fresh)).clamp(min=1)
        total = total / terms if real else total.div(terms, rounding_mode="floor")
    return total.reshape(x.shape).to(x.dtype)


def greatest_rows(weight: Tensor, source: Tensor, target: Tensor, rows: int) -> Tensor:
    """Which row of a table, among the sources of each target, has the first greatest value of a column; or -1."""
    value = weight.detach()[source]
    shape, index, n = (rows, weight.shape[1]), target.unsqueeze(1).expand_as(value), len(source)
    top = value.new_full(shape, -math.inf).scatter_reduce(0, index, value, "amax")
    order = source.new_ones(n).cumsum(0) - 1
    reached = (value == top.gather(0, index)) | (value != value)
    first = source.new_full(shape, n).scatter_reduce(
        0, index, order.unsqueeze(1).expand_as(value).masked_fill(~reached, n), "amin")  # fmt: skip
    padded = source.new_full((n + 1,), -1)
    padded[:n] = source
    return padded[first]


def true_places(mask: Tensor) -> Tensor:
    """The places of what is true in a mask, counted through its dimensions."""
    n = mask.numel()
    so_far = mask.reshape(-1).cumsum(0)
    out = so_far.new_empty(int(so_far[-1].item()) if n else 0)
    if out.numel():
        launch(function("index", "true_places"), n,
               [span_of(out), span_of(mask, False), span_of(so_far, False), np.uint32(n)])
    return out


def places_apart(places: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    """The index of each place in each dimension of a shape."""
    indices = []
    for size in reversed(shape):
        indices.append(places.remainder(size) if size else places)
        places = places.div(size, rounding_mode="floor") if size else places
    return tuple(reversed(indices))
