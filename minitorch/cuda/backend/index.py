"""Taking, putting and adding what lies at places, and the places of what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import dtype_name, function, launch, span_of
from .memory import BITS

if TYPE_CHECKING:
    from ..._tensor import Tensor

MOVED = tuple(f"{name}<{bits}_t>" for name in ("take_blocks", "put_blocks") for bits in BITS.values())
ADDED = tuple(f"add_blocks<{kind}>" for kind in dict.fromkeys(IN_MEMORY.values()))
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
    first = bad.item() & NONE
    return None if first == NONE else int(index.reshape(-1)[first].item())


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
