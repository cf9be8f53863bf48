"""Greatest values and means of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .index import put_blocks
from .launching import dtype_name, function, launch, span_of
from .reduce import move_along

if TYPE_CHECKING:
    from ..._tensor import Tensor

POOL = np.dtype([("divisor", "f8"), ("planes", "i4"), ("per_plane", "i4"), ("in", "i4", 3), ("out", "i4", 3),
                 ("step", "i4", 3)], align=True)  # fmt: skip
NAMES = tuple(f"{name}<{kind}>" for name in ("pool_max", "pool_mean", "pool_spread")
              for kind in ("float", "double", "int64_t"))  # fmt: skip


def _run(name: str, n: int, tensors: list[Any], like: Tensor, numbers: tuple, lists: list[int]) -> None:
    """A kernel over `n` outputs of windows as the engine describes them."""
    if not n:
        return
    from ... import tensor

    planes, per_plane, divisor, *sizes = numbers
    pool = np.array([(divisor, planes, per_plane, *sizes)], POOL)[0]
    windows = tensor(lists, device=like.device)
    instance = f"{name}<{IN_MEMORY[dtype_name(like)]}>"
    launch(function("pooling", instance, (instance,)), n, [*tensors, span_of(windows, False), np.uint32(n), pool])


def pool_max(y: Tensor, index: Tensor | None, x: Tensor, numbers: tuple, lists: list[int]) -> None:
    """The greatest values of windows, and their places in a plane."""
    places = None if index is None else span_of(index)
    _run("pool_max", y.numel(), [span_of(y), places, span_of(x, False)], y, numbers, lists)


def pool_mean(y: Tensor, x: Tensor, numbers: tuple, lists: list[int]) -> None:
    """The means of windows."""
    _run("pool_mean", y.numel(), [span_of(y), span_of(x, False)], y, numbers, lists)


def pool_spread(x: Tensor, y: Tensor, numbers: tuple, lists: list[int]) -> None:
    """x of zeros, to which each of y adds an equal share to all of its window."""
    x.zero_()
    _run("pool_spread", y.numel(), [span_of(x), span_of(y, False)], y, numbers, lists)


def pool_put(x: Tensor, y: Tensor, index: Tensor, planes: int, assign: bool) -> None:
    """x of zeros, but y at its places in a plane (`assign`), or added there."""
    x.zero_()
    if not y.numel():
        return
    index = index.contiguous()
    inside = x.numel() // planes
    if not assign:
        move_along(x, y, index, y.numel() // planes, inside, 1, True)
        return
    from ... import arange

    first = arange(0, x.numel(), inside, device=x.device).unsqueeze(1)
    put_blocks(x, y, (index.reshape(planes, -1) + first).contiguous(), x.numel(), 1, False)
