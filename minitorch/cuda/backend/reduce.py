"""Reductions over any dimensions, and sums and products so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import DIMS, THREADS, active, code_of, dtype_name, function, launch, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

REDUCTION = np.dtype([
    ("results", "u4"), ("values", "u4"), ("kept", "i4"), ("reduced", "i4"),
    ("kept_shape", "u4", DIMS), ("reduced_shape", "u4", DIMS), ("kept_stride", "i8", DIMS),
    ("reduced_stride", "i8", DIMS), ("out_stride", "i8", (2, DIMS)), ("times", "i8"), ("p", "f8"),
])  # fmt: skip
# The states by the engine's numbers of the operations, each with its size in bytes.
STATES = (("Sum", 8), ("SumAbs", 8), ("SumSquare", 8), ("SumPower", 8), ("Product", 8), ("Max", 16), ("Min", 16),
          ("ArgMax", 16), ("ArgMin", 16), ("Moments", 24), ("LogSumExp", 16))  # fmt: skip
TRUTHS = {5: ("Any", 16), 6: ("All", 16)}
# The scans, and the types that each is of (None: all).
SCANS = {"Sum": None, "Product": None, "Largest": ("float", "double", "int64_t"),
         "Smallest": ("float", "double", "int64_t"), "LogSumExp": ("float", "double"),
         "Decayed": ("float", "double")}  # fmt: skip
FEW = 32  # values of a result that are not worth a block
SEGMENT = 8192  # values of a block where results are too few to keep the device busy
BUSY = 512  # blocks that do


def reduce(
    op: int, truth: bool, real: bool, how: int, out: Tensor, second: Tensor | None, x: Tensor, layout: bytes
) -> None:
    """Reduce `x`; the layout is a `Reduction` of reduce.cu, `op` and `how` are numbered as in reduce_ops.h.

    Args:
        truth: values count by whether they are zero: the largest is "any", the smallest "all".
        real: values are taken as floating-point numbers, whatever they are in memory.
    """
    r = np.frombuffer(layout, REDUCTION)[0]
    state, size = (TRUTHS if truth else STATES)[op]
    number = "double" if real else "int64_t"
    results, values = int(r["results"]), int(r["values"])

    def kernel(name: str):
        instance = f"{name}<{state}<{number}>, {number}>"
        return function("reduce", instance, (instance,))

    codes = [np.int32(how), code_of(out), code_of(second) if second is not None else np.int32(0)]
    ends = [span_of(out), None if second is None else span_of(second)]
    if values < FEW or (_side_by_side(r) and results >= BUSY):
        launch(kernel("reduce_columns"), results, [*ends, span_of(x, False), r, *codes, code_of(x)])
        return
    segments = -(-values // SEGMENT) if results < BUSY else 1
    threads = min(THREADS, -(-values // 32) * 32)
    # a name keeps the memory of the first launch until the second has read it: other threads allocate meanwhile
    states = x.new_empty(results * segments * size, dtype=_bytes(x)) if segments > 1 else None
    partial = None if states is None else span_of(states)
    active().launch(kernel("reduce_rows"), (results, segments, 1), (threads, 1, 1),
                    [*ends, span_of(x, False), partial, r, *codes, code_of(x)])  # fmt: skip
    if segments > 1:
        active().launch(kernel("reduce_segments"), (results, 1, 1), (THREADS, 1, 1),
                        [*ends, partial, np.uint32(segments), r, *codes])  # fmt: skip


def _side_by_side(r: np.void) -> bool:
    """Whether neighbouring results lie nearer to each other than the values of one."""
    return abs(r["kept_stride"][r["kept"] - 1]) < abs(r["reduced_stride"][r["reduced"] - 1])


def _bytes(x: Tensor):
    from ..._ext.dtype import ALL

    return ALL[1]


def scan(state: str, out: Tensor, other: Tensor | None, x: Tensor, n: int, inner: int, reverse: bool) -> None:
    """A scan of scan.cu along the middle one of (outer, n, inner), from the end if `reverse`.

    Args:
        other: where the places of extremes go, or the factors of a decaying sum.
    """
    rows, kind = x.numel() // n, IN_MEMORY[dtype_name(x)]
    args = [span_of(out), None if other is None else span_of(other), span_of(x, False), np.uint32(n), np.uint32(inner),
            np.int32(reverse)]  # fmt: skip
    if n < FEW or inner >= FEW:
        name = f"scan_columns<{state}<{kind}>, {kind}>"
        launch(function("scan", name, (name,)), rows, [*args, np.uint32(rows)])
        return
    name = f"scan<{state}<{kind}>, {kind}>"
    active().launch(function("scan", name, (name,)), (rows, 1, 1), (THREADS, 1, 1), args)


def move_along(out: Tensor, values: Tensor, index: Tensor, n: int, size: int, inner: int, place: bool) -> None:
    """Take values (outer, size, inner) where an index (outer, n, inner) says, or add them there if `place`."""
    kind = IN_MEMORY[dtype_name(out)]
    name = f"put_along<{kind}>" if place else f"take_along<{kind}>"
    to = span_of(out)
    if place:  # narrow elements are exchanged with the word around them, and memory comes in whole words
        to = to._replace(high=-(-to.high // 4) * 4)
    launch(function("along", name, (name,)), index.numel(),
           [to, span_of(values, False), span_of(index, False), np.uint32(index.numel()), np.uint32(n),
            np.uint32(size), np.uint32(inner)])  # fmt: skip
