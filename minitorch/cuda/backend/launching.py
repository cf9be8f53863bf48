"""From tensors to the arguments of kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._ext.loops import device_walk
from .. import kernels
from ..runtime import Function, active, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

DIMS, OPERANDS = 8, 6  # as in common.cuh
WALK = np.dtype([("numel", "u4"), ("ndim", "i4"), ("shape", "u4", DIMS), ("strides", "i8", (OPERANDS, DIMS))])
CODES = {name: code for code, name in enumerate(
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split())}  # fmt: skip
NUMBER = 100  # the code of an operand that is a number
THREADS = 256  # of a block, where nothing else asks for another size
BLOCKS = 65535  # of a grid: kernels take several elements a thread where that is too few


def function(family: str, name: str, names: tuple[str, ...] = ()) -> Function:
    """The kernel `name` of a family; `names`: the instances of its templates, which are compiled together."""
    return active().function(kernels.source(family), name, names)


def is_tensor(operand: Any) -> bool:
    """Whether an operand is a tensor rather than a number."""
    return hasattr(operand, "storage_offset")


def on_device(operand: Any) -> Any:
    """An operand as kernels take it: a tensor on the CPU, which has no dimensions then, as a number."""
    return operand.item() if is_tensor(operand) and not operand.is_cuda else operand


def dtype_name(tensor: Tensor) -> str:
    """The name of a tensor's dtype, for example ``float32``."""
    return tensor.dtype.name


def code_of(tensor: Tensor) -> np.int32:
    """The code of a tensor's dtype, as an argument."""
    return np.int32(CODES[dtype_name(tensor)])


def walk_of(out: Tensor, operands: Sequence[Any] = ()) -> tuple[np.void, bool]:
    """The argument `Walk` for a result and its operands, and whether all lie alike and without gaps."""
    raw, dense = device_walk(out, tuple(operands))
    return np.frombuffer(raw, WALK)[0], dense


def launch(kernel: Function, n: int, args: Sequence[Any]) -> None:
    """Run a kernel that takes each of `n` elements by `EACH`."""
    active().launch(kernel, (min(-(-n // THREADS), BLOCKS), 1, 1), (THREADS, 1, 1), args)


__all__ = [
    "CODES",
    "NUMBER",
    "THREADS",
    "active",
    "code_of",
    "dtype_name",
    "function",
    "is_tensor",
    "launch",
    "on_device",
    "span_of",
    "walk_of",
]
