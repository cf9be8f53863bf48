"""The primitives of the device: what `minitorch.reference` specifies, as launches of the kernels in ``kernels/``.

The engine calls these functions, with tensors whose shapes and types it has already checked; a file a family.  They
know a run time only by its five verbs, so the same code works a GPU and the simulator.
"""

from .attention import attention, attention_gradient
from .conv import columns, convolve
from .index import (
    add_places,
    first_outside,
    gather_places,
    greatest_rows,
    places_apart,
    put_blocks,
    reduce_at,
    shares,
    take_blocks,
    triangle,
    true_places,
)
from .matmul import matmul
from .memory import accumulate, allocate, copy, fill
from .norm import norm_backward, norm_forward, norm_remember
from .optim import optimizer_step
from .pointwise import pointwise
from .pooling import pool_max, pool_mean, pool_put, pool_spread
from .random import random
from .reduce import move_along, reduce, scan
from .softmax import class_gradient, class_losses, softmax
from .sort import count, extent, order, search

__all__ = [
    "accumulate",
    "add_places",
    "allocate",
    "attention",
    "attention_gradient",
    "class_gradient",
    "class_losses",
    "columns",
    "convolve",
    "copy",
    "count",
    "extent",
    "fill",
    "first_outside",
    "gather_places",
    "greatest_rows",
    "matmul",
    "move_along",
    "norm_backward",
    "norm_forward",
    "norm_remember",
    "optimizer_step",
    "order",
    "places_apart",
    "pointwise",
    "pool_max",
    "pool_mean",
    "pool_put",
    "pool_spread",
    "put_blocks",
    "random",
    "reduce",
    "reduce_at",
    "scan",
    "search",
    "shares",
    "softmax",
    "take_blocks",
    "triangle",
    "true_places",
]
