"""Convolution and its gradients."""

from __future__ import annotations

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
