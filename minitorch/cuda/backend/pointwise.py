"""The operations of the table, and the fused derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import kernels
from ..kernels.pointwise import COMPUTED_IN, IN_MEMORY, variant
from .launching import CODES, NUMBER, active, code_of, dtype_name, is_tensor, launch, on_device, span_of, walk_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

SCALARS = {"b8": np.uint8, "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
           "f32": np.float32, "f64": np.float64}  # fmt: skip
WIDE = 4  # elements that a thread loads at once


def pointwise(
    name: str, k: int | None, dtype: str, out: Tensor, operands: Sequence[Any], params: Sequence[Any]
) -> None:
    """``out = f(operands)`` computed in a dtype, or the derivative of f for operand `k`; operands may be numbers."""
    if out.numel() == 0:
        return
    if dtype not in COMPUTED_IN:
        raise NotImplementedError(f"{name}: complex numbers are not on cuda yet: move its tensors to the CPU with "
                                  ".cpu()")
    each, ctype = variant(name, k), COMPUTED_IN[dtype]
    scalar = SCALARS[ctype.suffix]
    operands = [on_device(operand) for operand in operands]
    kinds = [np.uint8 if each.type_of(operand, ctype) != ctype.name else scalar for operand in each.operands]
    numbers = [kind(0 if is_tensor(x) else x) for kind, x in zip(kinds, operands)]
    numbers += [scalar(value) for value in params]
    walk, dense = walk_of(out, operands)
    spans = [span_of(x, writable=False) if is_tensor(x) else None for x in operands]
    module = kernels.pointwise_source(name, dtype)
    memory = _memory(each, ctype, out, operands) if dense and each.by_lines else None
    if memory is not None:
        wide = all(span is None or span.pointer % (WIDE * x.itemsize) == 0 for span, x in
                   zip([span_of(out), *spans], [out, *operands]))  # fmt: skip
        kernel = active().function(module, f"{each.name}_{memory}", (), kernels.OPTIONS)
        n = out.numel()
        launch(kernel, -(-n // WIDE) if wide else n, [span_of(out), *spans, np.uint32(n), np.int32(wide), *numbers])
    else:
        codes = [code_of(x) if is_tensor(x) else np.int32(NUMBER) for x in operands]
        kernel = active().function(module, f"{each.name}_walk", (), kernels.OPTIONS)
        launch(kernel, out.numel(), [span_of(out), *spans, walk, code_of(out), *codes, *numbers])


def _memory(each: Any, ctype: Any, out: Tensor, operands: Sequence[Any]) -> str | None:
    """The one type in memory of all operands that are not masks, if there is one and it suits the result too."""
    names = {dtype_name(x) for x, name in zip(operands, each.operands)
             if is_tensor(x) and each.type_of(name, ctype) == ctype.name}  # fmt: skip
    if each.result_type(ctype) == ctype.name:
        names.add(dtype_name(out))
    elif dtype_name(out) != "bool":
        return None
    masks = [x for x, name in zip(operands, each.operands) if is_tensor(x) and each.type_of(name, ctype) != ctype.name]
    if len(names) != 1 or any(dtype_name(mask) != "bool" for mask in masks):
        return None
    (found,) = names
    return IN_MEMORY[found] if COMPUTED_IN[found] == ctype else None


assert list(CODES) == list(COMPUTED_IN)
