"""Attention without a matrix of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import THREADS, active, dtype_name, function, span_of
from .norm import COMPUTED_IN

if TYPE_CHECKING:
    from ..._tensor import Tensor

STEPS = ("i8", 3)
ATTENTION = np.dtype([("scale", "f8"), ("q", *STEPS), ("k", *STEPS), ("v", *STEPS), ("g", *STEPS), ("result", *STEPS),
                      ("mask", "i8", 4), ("heads", "u4"), ("groups", "u4"), ("queries", "u4"), ("keys", "u4"),
                      ("width", "u4"), ("value_width", "u4"), ("causal", "i4"), ("mask_is_bool", "i4")])  # fmt: skip
SLICES = (64, 128)  # columns of a result that a block answers for
GRADIENTS = {"query": "false, false", "key": "true, false", "value": "true, true"}


_TYPES = [f"{s}, {t}, {width}" for s, t in COMPUTED_IN.items() for width in SLICES]
INSTANCES = (*(f"attention<{kind}>" for kind in _TYPES),
             *(f"attention_gradient<{kind}, {of}>" for kind in _TYPES for of in GRADIENTS.values()))


def _described(q: Tensor, k: Tensor, v: Tensor, g: Tensor | None, result: Tensor, mask: Tensor | None, causal: bool,
               scale: float) -> np.void:  # fmt: skip
    a = np.zeros(1, ATTENTION)[0]
    a["scale"], a["causal"] = scale, causal
    for name, x in (("q", q), ("k", k), ("v", v), ("g", g), ("result", result)):
        if x is not None:
            a[name] = x.stride()[:3]
    if mask is not None:
        a["mask"], a["mask_is_bool"] = mask.stride(), dtype_name(mask) == "bool"
    a["heads"], a["groups"] = q.shape[1], q.shape[1] // k.shape[1]
    a["queries"], a["keys"], a["width"], a["value_width"] = q.shape[2], k.shape[2], q.shape[3], v.shape[3]
    return a


def _launch(name: str, of: str, result: Tensor, before: list[Tensor], operands: tuple[Tensor, ...],
            mask: Tensor | None, a: np.void) -> None:  # fmt: skip
    """A block for each tile of rows and slice of columns of a result, in each head."""
    s = IN_MEMORY[dtype_name(result)]
    width = SLICES[result.shape[3] > SLICES[0]]
    instance = f"{name}<{s}, {COMPUTED_IN[s]}, {width}{of}>"
    tile = 32 if s == "double" else 64
    batches, heads, rows, columns = result.shape
    blocks = batches * heads * -(-rows // tile) * -(-columns // width)
    active().launch(function("attention", instance, (instance,)), (blocks, 1, 1), (THREADS, 1, 1),
                    [span_of(result), *(span_of(x, name == "attention") for x in before),
                     *(span_of(x, False) for x in operands), None if mask is None else span_of(mask, False), a])


def attention(out: Tensor, lse: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool,
              scale: float) -> None:  # fmt: skip
    """``softmax(scale q kᵀ + mask) v`` of (batch, head, row, column), and log sum exp of each row of scores.

    Columns are adjacent; the mask is of bools or of the type that scores are computed in, and has steps for all four
    dimensions.
    """
    _launch("attention", "", out, [lse], (q, k, v), mask, _described(q, k, v, None, out, mask, causal, scale))


def attention_gradient(of: str, result: Tensor, lse: Tensor, delta: Tensor, q: Tensor, k: Tensor, v: Tensor, g: Tensor,
                       mask: Tensor | None, causal: bool, scale: float) -> None:  # fmt: skip
    """The gradient `of` the ``query``, ``key`` or ``value``, given that of the output; `delta` are the sums of its rows
    times the output."""
    _launch("attention_gradient", ", " + GRADIENTS[of], result, [lse, delta], (q, k, v, g), mask,
            _described(q, k, v, g, result, mask, causal, scale))
