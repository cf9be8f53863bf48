"""Normalisation of a batch's channels, of groups of them, and of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import THREADS, active, code_of, dtype_name, function, launch, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

NORM = np.dtype([("eps", "f8"), ("samples", "u4"), ("channels", "u4"), ("inner", "u4"), ("groups", "u4"),
                 ("centred", "i4"), ("given", "i4")])  # fmt: skip
TYPES = tuple((IN_MEMORY[name], "double" if name == "float64" else "float")
              for name in ("float16", "bfloat16", "float32", "float64"))  # fmt: skip
COMPUTED_IN = dict(TYPES)
WARP = 32
BUSY = 512  # blocks that keep the device busy
WORTH = 64  # values of a channel that are worth a block of their own


def instances() -> tuple[str, ...]:
    """All that is launched here of the templates."""
    names = ("norm_forward", "norm_backward", "norm_weights")
    return (*(f"{name}<{s}, {t}, {columns}>" for name in names for s, t in TYPES for columns in ("true", "false")),
            "norm_merge<float>", "norm_merge<double>")  # fmt: skip


def _side_by_side(j: np.void) -> bool:
    """Whether a warp has more to read of neighbouring channels than of one."""
    return j["inner"] < WARP and j["channels"] >= WARP // 4


def _launch(name: str, j: np.void, teams: int, values: int, columns: bool, portions: int, args: list[Any]) -> None:
    """A team for each set or channel, of so many values."""
    s = IN_MEMORY[args[1].dtype]
    instance = f"{name}<{s}, {COMPUTED_IN[s]}, {'true' if columns else 'false'}>"
    if columns:
        grid, block = (-(-teams // WARP), portions, 1), (WARP, min(THREADS // WARP, values), 1)
    else:
        grid, block = (teams, portions, 1), (min(THREADS, -(-values // WARP) * WARP), 1, 1)
    active().launch(function("norm", instance, (instance,)), grid, block, [*args, j])


def _norm(x: Tensor, samples: int, channels: int, inner: int, groups: int, centred: bool, given: bool,
          eps: float) -> np.void:  # fmt: skip
    if x.numel() >= 2**31:
        raise NotImplementedError(
            f"a normalisation on cuda takes fewer than 2**31 values, not a tensor of shape {tuple(x.shape)}: normalise "
            "parts of it, or move it to the CPU with .cpu()")  # fmt: skip
    return np.array([(eps, samples, channels, inner, groups, centred, given)], NORM)[0]


def _sets(j: np.void, values: int) -> tuple[int, int, bool]:
    """How many sets, the values of each, and whether those of neighbouring sets are neighbours."""
    sets = int(j["samples"]) * int(j["groups"]) if j["groups"] else int(j["channels"])
    return sets, values // sets, not j["groups"] and _side_by_side(j)


def _optional(tensor: Tensor | None, writable: bool = False) -> Any:
    return None if tensor is None else span_of(tensor, writable)


def norm_forward(y: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, var: Tensor,
                 *sizes: Any) -> None:  # fmt: skip
    """``y = (x - mean) / sqrt(var + eps) weight + bias``, the moments being read if given, else written.

    Args:
        sizes: samples, channels, values of each, groups of channels that are normalised together (0: each channel, of
            all samples together), whether the mean is subtracted, whether the moments are given, eps.
    """
    j = _norm(x, *sizes)
    sets, values, columns = _sets(j, x.numel())
    _launch("norm_forward", j, sets, values, columns, 1,
            [span_of(y), span_of(x, False), _optional(weight), _optional(bias), span_of(mean), span_of(var)])


def norm_backward(dx: Tensor, dw: Tensor | None, db: Tensor | None, x: Tensor, g: Tensor, weight: Tensor | None,
                  mean: Tensor, var: Tensor, *sizes: Any) -> None:  # fmt: skip
    """The gradients of x, and (where wanted) of weight and bias."""
    j = _norm(x, *sizes)
    sets, values, columns = _sets(j, x.numel())
    moments = [span_of(mean, False), span_of(var, False)]
    shared = bool(j["groups"])  # sets share the weights
    ends = [None, None] if shared else [_optional(dw, True), _optional(db, True)]
    _launch("norm_backward", j, sets, values, columns, 1,
            [span_of(dx), span_of(x, False), span_of(g, False), _optional(weight), *ends, *moments])
    if not shared or (dw is None and db is None):
        return
    channels, samples, columns = int(j["channels"]), int(j["samples"]), _side_by_side(j)
    values = samples * int(j["inner"])
    blocks = -(-channels // WARP) if columns else channels
    portions = max(1, min(samples, BUSY // blocks, values // WORTH))
    parts = mean.new_empty(2, portions, channels)
    _launch("norm_weights", j, channels, -(-values // portions), columns, portions,
            [span_of(parts), span_of(x, False), span_of(g, False), *moments])
    like = dw if dw is not None else db
    name = f"norm_merge<{IN_MEMORY[dtype_name(like)]}>"
    launch(function("norm", name, (name,)), channels,
           [_optional(dw, True), _optional(db, True), span_of(parts, False), np.uint32(portions), np.uint32(channels)])


def norm_remember(running: Tensor, fresh: Tensor, keep: float, factor: float) -> None:
    """``running = keep running + factor fresh``, of a vector."""
    if not running.numel():
        return
    stride = running.stride(0) * running.itemsize
    launch(function("norm", "norm_remember"), running.numel(),
           [span_of(running), span_of(fresh, False), np.uint32(running.numel()), np.int64(stride), code_of(running),
            np.float64(keep), np.float64(factor)])  # fmt: skip
