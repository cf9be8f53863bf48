"""The kernels of the pointwise operations, printed from the table that the CPU's loops are printed from.

An operation has a module for each type it computes in: `source`.  In it are, for the result ``y`` and each derivative
``d1``, ``d2``, ``d3`` that needs a kernel (`Variant`),

- ``y_float``, ``y_float16``, ...: over contiguous memory of one type, four elements at a time where `wide`;
- ``y_walk``: over operands of any layout and type, each converted as it is loaded.

An operand may be a number: then its pointer is null, or its code is `NUMBER`, and the number is an argument too.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ...ops.generate import BOOL, CODES, FLOATS, GRADIENT_KINDS, INTEGERS, SCALAR, CType, Printer, names_in
from ...ops.pointwise import TABLE, Op

COMPUTED_IN = {"bool": BOOL, **dict(zip(("uint8", "int8", "int16", "int32", "int64"), INTEGERS)),
               "float16": FLOATS[0], "bfloat16": FLOATS[0], "float32": FLOATS[0], "float64": FLOATS[1]}  # fmt: skip
IN_MEMORY = {"bool": "uint8_t", "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t",
             "int64": "int64_t", "float16": "float16", "bfloat16": "bfloat16", "float32": "float",
             "float64": "double"}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One thing that the kernels of an operation compute: the result, or the derivative for an operand."""

    op: Op
    name: str  # y, d1, d2 or d3
    text: str
    operands: tuple[str, ...]  # the names of what it reads, in the order of its arguments

    @property
    def parameters(self) -> list[str]:
        """The operation's parameters, all of which each kernel takes."""
        return list(self.op.parameters)

    @property
    def by_lines(self) -> bool:
        """Whether there are kernels for contiguous memory; they would not pay where one element takes long."""
        return not names_in(self.text) & SCALAR

    def type_of(self, operand: str, ctype: CType) -> str:
        """The C type of an operand's value; of a mask, a byte."""
        return "uint8_t" if self.op.mask_first and operand == self.op.operands[0] else ctype.name

    def function(self, ctype: CType) -> str:
        """The value of one element, as a function."""
        printer = Printer(ctype, self.op.parameters, [self.op.operands[0]] if self.op.mask_first else [])
        value = printer(self.text)
        arguments = [f"{self.type_of(name, ctype)} {name}" for name in self.operands]
        arguments += [f"{ctype.name} {name}_" for name in self.parameters]
        lines = "".join(f"    {line}\n" for line in printer.lines)
        result = self.result_type(ctype)
        return (f"static __device__ __forceinline__ {result} {self.name}({', '.join(arguments)}) {{\n{lines}"
                f"    return {value};\n}}\n")  # fmt: skip

    def result_type(self, ctype: CType) -> str:
        """The type that the function gives."""
        return "uint8_t" if self.op.result_bool and self.name == "y" else ctype.name

    def numbers(self, ctype: CType) -> str:
        """The arguments that every kernel ends with: what operands are that are numbers, then the parameters."""
        names = [(self.type_of(name, ctype), f"{name}_number") for name in self.operands]
        names += [(ctype.name, f"{name}_") for name in self.parameters]
        return "".join(f", {kind} {name}" for kind, name in names)

    def call(self, values: list[str]) -> str:
        return f"{self.name}({', '.join(values + [name + '_' for name in self.parameters])})"

    def line_kernel(self, ctype: CType, memory: str) -> str:
        """Over contiguous memory of one type."""
        kinds = {name: "uint8_t" if self.type_of(name, ctype) != ctype.name else memory for name in self.operands}
        out = "uint8_t" if self.result_type(ctype) != ctype.name else memory
        pointers = "".join(f", const {kinds[name]} *{name}" for name in self.operands)

        def value(place: str) -> str:
            return self.call([
                f"{name} ? Number<{kinds[name]}>::load({place.format(name)}) : {name}_number" for name in self.operands
            ])  # fmt: skip

        fours = "".join(
            f"            Four<{kinds[name]}> {name}4 = {{}};\n"
            f"            if ({name}) {name}4 = ((const Four<{kinds[name]}> *){name})[j];\n"
            for name in self.operands
        )
        return f"""extern "C" __global__ void {self.name}_{memory}(
    {out} *out{pointers}, uint32_t n, int wide{self.numbers(ctype)}) {{
    uint32_t done = 0;
    if (wide) {{
        done = n / 4 * 4;
        EACH(j, n / 4) {{
            Four<{out}> four;
{fours}#pragma unroll
            for (int k = 0; k < 4; k++) four.at[k] = Number<{out}>::store({value("{}4.at[k]")});
            ((Four<{out}> *)out)[j] = four;
        }}
    }}
    EACH(i, n - done) out[done + i] = Number<{out}>::store({value("{}[done + i]")});
}}
"""

    def walk_kernel(self, ctype: CType) -> str:
        """Over operands of any layout and type."""
        pointers = "".join(f", const void *{name}" for name in self.operands)
        codes = "".join(f", int {name}_code" for name in self.operands)
        values = [
            f"{name}_code == NUMBER ? {name}_number : "
            f"load_as<{self.type_of(name, ctype)}>((const char *){name} + at[{k}], {name}_code)"
            for k, name in enumerate(self.operands, 1)
        ]
        return f"""extern "C" __global__ void {self.name}_walk(
    void *out{pointers}, Walk walk, int out_code{codes}{self.numbers(ctype)}) {{
    EACH(i, walk.numel) {{
        int64_t at[{len(self.operands) + 1}];
        walk_to<{len(self.operands) + 1}>(walk, i, at);
        store_as<{self.result_type(ctype)}>((char *)out + at[0], out_code, {self.call(values)});
    }}
}}
"""


@functools.cache
def variant(name: str, k: int | None) -> Variant:
    """The result of an operation (`k` None) or its derivative for operand `k`, counted from 0."""
    op = TABLE[name]
    if k is None:
        return Variant(op, "y", op.y, op.operands)
    text = op.gradients[k]
    assert text is not None
    operands = sorted(names_in(text) & {"g", "y", *op.operands}, key=CODES.__getitem__)
    return Variant(op, f"d{k + 1}", text, tuple(operands))


def variants(name: str, ctype: CType) -> list[Variant]:
    """All that an operation has kernels for in a type."""
    op = TABLE[name]
    found = [variant(name, None)]
    if ctype in FLOATS:
        found += [variant(name, k) for k, text in enumerate(op.gradients) if text not in GRADIENT_KINDS]
    if ctype not in FLOATS and op.integer is not None:
        found[0] = Variant(op, "y", op.integer, op.operands)
    return found


@functools.cache
def source(name: str, ctype: CType) -> str:
    """The kernels of an operation in a type, to be put behind the common ones and `mathfun.cuh`."""
    memories = list(dict.fromkeys(IN_MEMORY[dtype] for dtype, in_ in COMPUTED_IN.items() if in_ == ctype))
    parts = [f"// The kernels of {name}: y = {TABLE[name].y}\n"]
    for each in variants(name, ctype):
        parts.append(each.function(ctype))
        if each.by_lines:
            parts += [each.line_kernel(ctype, memory) for memory in memories]
        parts.append(each.walk_kernel(ctype))
    return "\n".join(parts)
