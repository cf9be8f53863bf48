"""Softmax along a dimension, and the losses of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .launching import THREADS, active, dtype_name, function, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

CLASSES = np.dtype([("ignored", "i8"), ("smoothing", "f8"), ("total_weight", "f8"), ("scale", "f8"), ("n", "u4"),
                    ("likelihood", "i4")])  # fmt: skip


def _launch(name: str, like: Tensor, rows: int, n: int, args: list[Any]) -> None:
    """A block of whole warps for each row of n values."""
    instance = f"{name}<{'double' if dtype_name(like) == 'float64' else 'float'}>"
    threads = min(THREADS, -(-n // 32) * 32)
    active().launch(function("softmax", instance, (instance,)), (rows, 1, 1), (threads, 1, 1), args)


def _optional(tensor: Tensor | None, writable: bool = False) -> Any:
    return None if tensor is None else span_of(tensor, writable)


def softmax(logarithm: bool, out: Tensor, x: Tensor, g: Tensor | None, n: int, inner: int) -> None:
    """Along the middle one of (outer, n, inner): of `x`; or, from the result `x` and its gradient `g`, that of what
    it was made of."""
    sizes = [np.uint32(n), np.uint32(inner), np.int32(logarithm)]
    rows = x.numel() // n
    if g is None:
        _launch("softmax", out, rows, n, [span_of(out), span_of(x, False), *sizes])
    else:
        _launch("softmax_gradient", out, rows, n, [span_of(out), span_of(x, False), span_of(g, False), *sizes])


def _classes(n: int, ignored: int, smoothing: float, total_weight: float, likelihood: bool, scale: float) -> np.void:
    return np.array([(ignored, smoothing, total_weight, scale, n, likelihood)], CLASSES)[0]


def class_losses(losses: Tensor, gradient: Tensor | None, lse: Tensor | None, x: Tensor, target: Tensor,
                 weight: Tensor | None, g: None, rows: int, n: int, *options: Any) -> None:  # fmt: skip
    """The loss of each row for its class; `lse` and `gradient` are filled where they are wanted."""
    _launch("class_losses", losses, rows, n,
            [span_of(losses), _optional(gradient, True), _optional(lse, True), span_of(x, False),
             span_of(target, False), _optional(weight), _classes(n, *options)])  # fmt: skip


def class_gradient(gradient: Tensor, made: None, lse: Tensor | None, x: Tensor | None, target: Tensor,
                   weight: Tensor | None, g: Tensor | None, rows: int, n: int, *options: Any) -> None:  # fmt: skip
    """The gradient of those losses; without `x`, the part of it that does not depend on `x`."""
    _launch("class_gradient", gradient, rows, n,
            [span_of(gradient), _optional(lse), _optional(x), span_of(target, False), _optional(weight), _optional(g),
             _classes(n, *options)])  # fmt: skip
