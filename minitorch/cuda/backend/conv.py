"""Convolution and its gradients."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import active, dtype_name, function, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

CONV = np.dtype([("batch", "i4"), ("groups", "i4"), ("in_channels", "i4"), ("out_channels", "i4"),
                 *((name, "i4", 3) for name in ("size", "out", "kernel", "stride", "pad", "dilation"))])  # fmt: skip
PASSES = "Forward", "OfInput", "OfWeight"
TYPES = tuple(IN_MEMORY[name] for name in ("float16", "bfloat16", "float32", "float64"))
NAMES = tuple(f"convolve<{kind}, {what}>" for what in PASSES for kind in TYPES)
TILE, TEAM = 32, 64  # as in conv.cu
Pair = tuple[int, int]


def convolve(what: str, y: Tensor, a: Tensor, b: Tensor, bias: Tensor | None, batch: int, groups: int,
             in_channels: int, out_channels: int, size: tuple[int, ...], out: tuple[int, ...], kernel: tuple[int, ...],
             *moves: tuple[int, ...]) -> None:  # fmt: skip
    """A convolution (``Forward``: of inputs a by weights b) or a gradient: ``OfInput`` from that of the outputs and the
    weights, ``OfWeight`` from that of the outputs and the inputs.

    Args:
        in_channels, out_channels: of one group.
        moves: strides, padding in front, and dilations; of three dimensions, as all sizes.
    """
    inputs, outputs, taps = math.prod(size), math.prod(out), math.prod(kernel)
    rows, columns = {"Forward": (batch * outputs, out_channels), "OfInput": (batch * inputs, in_channels),
                     "OfWeight": (out_channels, in_channels * taps)}[what]  # fmt: skip
    if max(y.numel(), a.numel(), b.numel()) >= 2**31:
        raise NotImplementedError("a convolution on cuda takes fewer than 2**31 elements a tensor: convolve parts of "
                                  "the batch, or move it to the CPU with .cpu()")
    c = np.array([(batch, groups, in_channels, out_channels, size, out, kernel, *moves)], CONV)[0]
    name = f"convolve<{IN_MEMORY[dtype_name(y)]}, {what}>"
    operands = [None if t is None else span_of(t, False) for t in (a, b, bias)]
    active().launch(function("conv", name, (name,)), (-(-rows // TILE), -(-columns // TILE), groups), (TEAM, 1, 1),
                    [span_of(y), *operands, c])  # fmt: skip


def columns(
    t: Tensor, size: Pair, kernel: Pair, out: Pair, stride: Pair, dilation: Pair, pad: Pair, back: bool
) -> Tensor:
    """Columns (N, C taps, L) of images (N, C, H, W), or back the sums of columns: a strided part of the image a tap."""
    wide = (t.float() if t.itemsize == 2 else t) if t.is_floating_point() else t.long()
    n, c, taps = t.shape[0], t.shape[1] // (kernel[0] * kernel[1] if back else 1), kernel[0] * kernel[1]
    image = wide.new_zeros((n, c, size[0] + 2 * pad[0], size[1] + 2 * pad[1]))
    inside = image[:, :, pad[0] : pad[0] + size[0], pad[1] : pad[1] + size[1]]
    parts = wide.reshape(n, c, taps, *out) if back else wide.new_empty((n, c, taps, *out))
    if not back:
        inside.copy_(wide)
    for k, place in enumerate(itertools.product(range(kernel[0]), range(kernel[1]))):
        rows, cols = (slice(i * d, i * d + (m - 1) * s + 1, s) for i, d, m, s in zip(place, dilation, out, stride))
        if back:
            image[:, :, rows, cols] += parts[:, :, k]
        else:
            parts[:, :, k] = image[:, :, rows, cols]
    return (inside if back else parts.reshape(n, c * taps, -1)).to(t.dtype).contiguous()
