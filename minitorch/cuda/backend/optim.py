"""The steps of optimizers, over many parameters a launch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from ..runtime import Struct
from .launching import THREADS, active, dtype_name, function, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

STATES, ITEMS, PORTION = 3, 64, 2048  # as in optim.cu
ITEM = np.dtype([("param", "u8"), ("grad", "u8"), ("state", "u8", STATES), ("numel", "u4"), ("block", "u4")])
TABLE = np.dtype([("options", "f8", 10), ("at", "f8", 3), ("items", "u8"), ("item", ITEM, ITEMS)])
USED = {"sgd": (0, 1), "adam": (3, 7), "adamax": (3,), "nadam": (3,), "radam": (3,), "adagrad": (1,), "adadelta": (3,),
        "rmsprop": (1, 3, 5, 7), "rprop": (3,), "asgd": (1,)}  # fmt: skip
TYPES = tuple(IN_MEMORY[name] for name in ("float32", "float64", "float16", "bfloat16"))


def instances() -> Iterator[tuple[str, tuple[str, ...]]]:
    """All that is launched here, by optimizer."""
    for name, masks in USED.items():
        yield name, tuple(f"optimizer_step<{name}, {kind}, {mask}>" for mask in masks for kind in TYPES)


def optimizer_step(kernel: str, options: Sequence[float], items: Sequence[tuple]) -> None:
    """Change parameters by their gradients; see ``optim_kernels.h`` for the order of numbers and tensors.

    Args:
        items: of each parameter: what depends on the number of its step; parameter, gradient and the tensors of the
            state, or None, all contiguous and of one dtype.
    """
    groups: dict[tuple, list[tuple[Tensor | None, ...]]] = {}
    for at, tensors in items:
        if tensors[0].numel() >= 2**31:
            raise NotImplementedError(f"an optimizer's step on cuda takes parameters of fewer than 2**31 elements, "
                                      f"not of shape {tuple(tensors[0].shape)}: divide it, or keep it on the CPU")
        if tensors[0].numel():
            groups.setdefault((dtype_name(tensors[0]), at), []).append(tensors)
    for (dtype, at), group in groups.items():
        used = sum(1 << k for k, tensor in enumerate(group[0][2:]) if tensor is not None)
        name = f"optimizer_step<{kernel}, {IN_MEMORY[dtype]}, {used}>"
        for first in range(0, len(group), ITEMS):
            _launch(name, options, at, group[first : first + ITEMS])


def _launch(name: str, options: Sequence[float], at: Sequence[float], group: Sequence[tuple]) -> None:
    table = np.zeros((), TABLE)
    table["options"][: len(options)], table["at"], table["items"] = options, at, len(group)
    sizes = np.array([tensors[0].numel() for tensors in group])
    ends = np.cumsum(-(-sizes // PORTION))
    table["item"]["numel"][: len(group)], table["item"]["block"][1 : len(group)] = sizes, ends[:-1]
    begin, spans = TABLE.fields["item"][1], []
    for n, tensors in enumerate(group):
        spans += [(begin + n * ITEM.itemsize + 8 * k, span_of(tensor, writable=k != 1))
                  for k, tensor in enumerate(tensors) if tensor is not None]  # fmt: skip
    active().launch(function("optim", name, (name,)), (int(ends[-1]), 1, 1), (THREADS, 1, 1),
                    [Struct(table, tuple(spans))])  # fmt: skip
