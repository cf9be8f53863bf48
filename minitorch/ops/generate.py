"""Writes the C loops and the Cython functions of the pointwise operations from their table.

Run when the package is built, before anything of it can be imported: standard library only, and the table beside this
file is loaded by its path.
"""

from __future__ import annotations

import ast
import importlib.util
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


def load_table() -> ModuleType:
    """The module `pointwise.py` beside this file, without importing its package."""
    name = "minitorch_pointwise_table"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("pointwise.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pointwise = load_table()
Op = pointwise.Op

# ---------------------------------------------------------------------------------------------------------------------
# Expressions in C


@dataclass(frozen=True)
class CType:
    """A type that loops compute in."""

    suffix: str  # of the functions in mathfun.h
    name: str  # in C
    code: str  # in dtype.h

    @property
    def is_float(self) -> bool:
        return self.suffix in ("f32", "f64", "wide")

    @property
    def is_complex(self) -> bool:
        return self.suffix in ("c64", "c128")


BOOL = CType("b8", "uint8_t", "MT_BOOL")
INTEGERS = [
    CType("u8", "uint8_t", "MT_U8"),
    CType("i8", "int8_t", "MT_I8"),
    CType("i16", "int16_t", "MT_I16"),
    CType("i32", "int32_t", "MT_I32"),
    CType("i64", "int64_t", "MT_I64"),
]
FLOATS = [CType("f32", "float", "MT_F32"), CType("f64", "double", "MT_F64")]
WIDE_TYPE = CType("wide", "wide_t", "MT_F32")
COMPLEX = [CType("c64", "mt_c64_t", "MT_C64"), CType("c128", "mt_c128_t", "MT_C128")]

ARITHMETIC = {ast.Add: ("+", "add"), ast.Sub: ("-", "sub"), ast.Mult: ("*", "mul"), ast.Div: ("/", "div")}
BITWISE = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
COMPARISON = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
PREDICATES = {"isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit"}


class Printer:
    """Prints a text as C in one type.  Named parts (``:=``) become `lines` to put before the expression."""

    def __init__(self, ctype: CType, parameters: Iterable[str], booleans: Iterable[str] = ()) -> None:
        self.ctype = ctype
        self.parameters = set(parameters)
        self.booleans = set(booleans)
        self.lines: list[str] = []

    def __call__(self, text: str) -> str:
        return self.visit(pointwise.parse(text))

    def visit(self, node: ast.expr) -> str:
        method = getattr(self, type(node).__name__, None)
        self.allow(node, method is not None)
        return method(node)

    def allow(self, node: ast.expr, known: bool) -> None:
        if not known:
            raise SyntaxError(f"{ast.unparse(node)} is not in the language of the table")

    def is_bool(self, node: ast.expr) -> bool:
        """Whether the value is a truth value rather than of the loop's type."""
        match node:
            case ast.Compare():
                return True
            case ast.Name(id=name):
                return name in self.booleans
            case ast.Call(func=ast.Name(id=name)):
                return name in PREDICATES
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
                return self.is_bool(left)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return self.is_bool(operand)
        return False

    def literal(self, value: float) -> str:
        if self.ctype.is_complex:
            return f"({self.ctype.name}){value!r}"
        if not self.ctype.is_float:
            if value != int(value):
                raise TypeError(f"{value} has no place among integers")
            return f"({self.ctype.name}){int(value)}"
        suffix = "" if self.ctype.suffix == "f64" else "f"
        if math.isnan(value):
            return f"({self.ctype.name})NAN"
        if math.isinf(value):
            return f"({self.ctype.name})INFINITY"
        return repr(float(value)) + suffix

    def Constant(self, node: ast.Constant) -> str:
        return self.literal(node.value)

    def Name(self, node: ast.Name) -> str:
        if node.id in self.parameters:
            return f"{node.id}_"  # the underscore keeps it apart from C's own names
        if node.id in pointwise.CONSTANTS:
            return self.literal(pointwise.CONSTANTS[node.id])
        return node.id

    def NamedExpr(self, node: ast.NamedExpr) -> str:
        self.lines.append(f"const {self.ctype.name} {node.target.id} = {self.visit(node.value)};")
        return node.target.id

    def UnaryOp(self, node: ast.UnaryOp) -> str:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.Invert):
            truth = self.ctype is BOOL or self.is_bool(node.operand)
            return f"(!{operand})" if truth else f"({self.ctype.name})~{operand}"
        self.allow(node, isinstance(node.op, ast.USub))
        if self.ctype.is_float or self.ctype.is_complex:
            return f"(-{operand})"
        return f"mt_neg_{self.ctype.suffix}({operand})"

    def BinOp(self, node: ast.BinOp) -> str:
        kind = type(node.op)
        if kind in BITWISE:
            text = f"({self.visit(node.left)} {BITWISE[kind]} {self.visit(node.right)})"
            return text if self.is_bool(node) else f"({self.ctype.name}){text}"
        self.allow(node, kind in ARITHMETIC)
        symbol, function = ARITHMETIC[kind]
        left, right = self.visit(node.left), self.visit(node.right)
        if self.ctype.is_float:
            return f"({left} {symbol} {right})"
        if function == "div" and not self.ctype.is_complex:
            raise TypeError(f"{ast.unparse(node)}: integers have no /")
        return f"mt_{function}_{self.ctype.suffix}({left}, {right})"

    def Compare(self, node: ast.Compare) -> str:
        (op,), (right,) = node.ops, node.comparators
        if self.ctype.is_complex and not isinstance(op, (ast.Eq, ast.NotEq)):
            raise TypeError(f"{ast.unparse(node)}: complex numbers have no order")
        return f"({self.visit(node.left)} {COMPARISON[type(op)]} {self.visit(right)})"

    def Call(self, node: ast.Call) -> str:
        name, arguments = node.func.id, [self.visit(argument) for argument in node.args]
        if name == "where":
            condition, a, b = arguments
            return f"({condition} ? {a} : {b})"
        return f"mt_{name}_{self.ctype.suffix}({', '.join(arguments)})"


# ---------------------------------------------------------------------------------------------------------------------
# Loops and the table of them

CODES = {"g": 0, "x": 1, "x1": 1, "x2": 2, "x3": 3, "y": 4}
GRADIENT_KINDS = {None: "MT_GRAD_NONE", "g": "MT_GRAD_SAME", "-g": "MT_GRAD_NEGATIVE", "0": "MT_GRAD_ZERO"}
TYPES = ["MT_FLOAT_ONLY", "MT_NUMBER", "MT_INTEGRAL", "MT_ANY", "MT_COMPLEX_ONLY"]  # in the table's order
DIVISIONS = {"floor_divide", "trunc_divide", "remainder", "fmod"}


# Functions that call the C library or loop: several versions of them for several instruction sets would all be alike.
SCALAR = DIVISIONS | {"nextafter", "lgamma", "digamma", "polygamma", "i1", "gcd", "lcm"}
# Functions so rare that versions for several instruction sets are not worth their size.
SCALAR |= {"log_ndtr", "ndtri", "erfcx", "i0", "i0e", "i1e", "zeta", "igamma", "igammac"}

# So cheap that repeating a number into a buffer would cost as much: their loops over floats have versions that take a
# number for one operand.
NUMBER_TOO = {"add", "sub", "mul", "div", "eq", "ne", "lt", "le", "gt", "ge"}

# Functions that mathfun_wide.h has for 16 floats at once: loops that are made of them and of arithmetic use those.
WIDE = {"normcdf", "gelu_slope"}


def names_in(text: str) -> set[str]:
    """The operands, parameters and functions that a text names."""
    return {node.id for node in ast.walk(pointwise.parse(text)) if isinstance(node, ast.Name)}


def types_of(op: Op) -> Iterator[CType]:
    """The types that an operation has loops for."""
    if op.bool_too:
        yield BOOL
    if op.types not in (pointwise.FLOAT, pointwise.COMPLEX_ONLY):
        yield from INTEGERS
    if op.types not in (pointwise.INTEGRAL, pointwise.COMPLEX_ONLY):
        yield from FLOATS
    if op.complex_too:
        yield from COMPLEX


class Loops:
    """The C functions of the loops; operations whose loops are the same share one."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # by body
        self.texts: list[str] = []

    def add(
        self, name: str, op: Op, text: str, operands: Iterable[str], ctype: CType, out: str, number: str | None = None
    ) -> str:
        """Add the loop that evaluates `text`, its operands in the order they come in `p`; return its name."""
        body = loop_body(op, text, operands, ctype, out, number)
        if body not in self.names:
            self.names[body] = name
            once = ctype.is_complex or (names_in(text) & SCALAR and ctype is not BOOL)
            macro = "MT_LOOP_ONCE" if once else "MT_LOOP"
            function = f"{macro}({name})\n{body}"
            if ctype.suffix == "f32" and names_in(text) & WIDE:
                function = function.replace("MT_EACH", f"MT_WIDE({name}_16) MT_EACH")
                function = wide_loop(name, op, text, operands) + function
            self.texts.append(function)
        return self.names[body]


def loop_body(op: Op, text: str, operands: Iterable[str], ctype: CType, out: str, number: str | None) -> str:
    """What the function of a loop does; the operand `number` is one number, not as many as there are results."""
    masks = [op.operands[0]] if op.mask_first else []
    printer = Printer(ctype, op.parameters, masks)
    value = printer(text)
    lines = [f"MT_OUTPUT({out});"]
    used = names_in(text)
    for k, parameter in enumerate(op.parameters):
        if parameter in used:
            lines.append(f"const {ctype.name} {parameter}_ = a[{k}].{ctype.suffix};")
    loads = []
    for k, operand in enumerate(operands, 1):
        type_name = "uint8_t" if operand in masks else ctype.name
        lines.append(f"MT_INPUT({k}, {type_name});")
        (lines if operand == number else loads).append(
            f"const {type_name} {operand} = in{k}[{0 if operand == number else 'i'}];"
        )
    element = " ".join([*loads, *printer.lines, f"out[i] = {value};"])
    return f"{{\n    {' '.join(lines)}\n    MT_EACH {{ {element} }}\n}}\n"


def wide_loop(name: str, op: Op, text: str, operands: Iterable[str]) -> str:
    """The loop over floats, 16 at a time: operators have the same meaning for vectors, functions another suffix."""
    printer = Printer(WIDE_TYPE, op.parameters, [])
    value = printer(text)
    inputs = "".join(f" MT_INPUT({k}, float);" for k in range(1, len(list(operands)) + 1))
    loads = [f"const wide_t {operand} = MT_WIDE_IN({k});" for k, operand in enumerate(operands, 1)]
    element = " ".join([*loads, *printer.lines, f"MT_WIDE_OUT({value});"])
    return (
        f"#if MT_HAVE_WIDE\nMT_WIDE_LOOP({name}_16)\n"
        f"{{\n    MT_OUTPUT(float);{inputs}\n    MT_WIDE_EACH {{ {element} }}\n}}\n#endif\n"
    )


def gradient_row(op: Op, k: int, loops: Loops) -> str:
    """The initialiser of one gradient, its loops added to `loops`."""
    text = op.gradients[k]
    kind = GRADIENT_KINDS.get(text, "MT_GRAD_LOOP")
    if kind != "MT_GRAD_LOOP":
        return f"{{{kind}, 0, {{0}}, {{NULL, NULL}}}}"
    operands = sorted(names_in(text) & {"g", "y", *op.operands}, key=CODES.__getitem__)
    names = [
        loops.add(f"mt_{op.name}_d{k + 1}_{ctype.suffix}_loop", op, text, operands, ctype, ctype.name)
        for ctype in FLOATS
        if op.types != pointwise.COMPLEX_ONLY
    ] or ["NULL"]
    codes = ", ".join(str(CODES[operand]) for operand in operands)
    return f"{{{kind}, {len(operands)}, {{{codes}}}, {{{', '.join(names)}}}}}"


def saved_operands(op: Op) -> int:
    """Bit k for each operand k (4: the result) that some gradient needs."""
    texts = (text for text in op.gradients if text is not None)
    used = set().union(*(names_in(text) for text in texts)) & {"y", *op.operands}
    return sum(1 << CODES[name] for name in used)


def number_row(op: Op, number: str, loops: Loops) -> str:
    """The initialiser of the loops that take a number for one operand, the loops added to `loops`."""
    names = [
        loops.add(
            f"mt_{op.name}_{number}_{ctype.suffix}_loop", op, op.y, op.operands, ctype,
            "uint8_t" if op.result_bool else ctype.name, number,
        )
        for ctype in FLOATS
        if op.name in NUMBER_TOO
    ]  # fmt: skip
    return f"{{{', '.join(names) or 'NULL'}}}"


def table_row(op: Op, loops: Loops) -> str:
    """The initialiser of an operation, its loops added to `loops`."""
    entries = []
    for ctype in types_of(op):
        text = op.y if ctype in FLOATS + COMPLEX or op.integer is None else op.integer
        out = "uint8_t" if op.result_bool else ctype.name
        name = loops.add(f"mt_{op.name}_{ctype.suffix}_loop", op, text, op.operands, ctype, out)
        entries.append(f"[{ctype.code}] = {name}")
    numbers = ", ".join(number_row(op, number, loops) for number in ("x1", "x2"))
    gradients = ", ".join(gradient_row(op, k, loops) for k in range(op.n_inputs))
    flags = [
        op.n_inputs,
        len(op.parameters),
        TYPES[op.types],
        int(op.result_bool),
        int(op.mask_first),
        f"0x{saved_operands(op):02x}",
        int(op.types not in (pointwise.FLOAT, pointwise.COMPLEX_ONLY) and bool(names_in(op.y) & DIVISIONS)),
    ]
    head = f'    {{"{op.name}", {", ".join(map(str, flags))},'
    return f"{head}\n     {{{', '.join(entries)}}},\n     {{{numbers}}},\n     {{{gradients}}}}},"


NOTE = "/* Generated from minitorch/ops/pointwise.py by generate.py: change those. */"
CYTHON_NOTE = "# Generated from minitorch/ops/pointwise.py by generate.py: change those."


def c_header(table: dict[str, Op]) -> str:
    """pointwise_loops.h"""
    names = [f"    MT_OP_{name}," for name in table]
    lines = [NOTE, "#ifndef MT_POINTWISE_LOOPS_H", "#define MT_POINTWISE_LOOPS_H", '#include "pointwise.h"']
    lines += ["enum {", *names, "    MT_OP_COUNT", "};", "extern const mt_pointwise_op mt_pointwise[];", "#endif", ""]
    return "\n".join(lines)


def c_source(table: dict[str, Op]) -> str:
    """pointwise_loops.c: a file of its own, so that it is compiled only when it has changed."""
    loops = Loops()
    rows = [table_row(op, loops) for op in table.values()]
    headers = ("pointwise_loops", "mathfun", "mathfun_wide", "specfun", "mathfun_complex")
    lines = [NOTE, *(f'#include "{header}.h"' for header in headers), "", *loops.texts]
    lines += ["const mt_pointwise_op mt_pointwise[] = {", *rows, "};", ""]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------------------
# Cython functions


def example(op: Op) -> list[str]:
    """The documentation's example, as a doctest."""
    if not op.example:
        return []
    arguments, result = op.example.split(" -> ")
    arguments = arguments.replace("[", "minitorch.tensor([").replace("]", "])")
    for constant in ("nan", "inf"):
        arguments = arguments.replace(constant, f"minitorch.{constant}")
    home = {"minitorch": "minitorch", "functional": "minitorch.nn.functional", "special": "minitorch.special"}[op.home]
    name = op.aliases[0] if op.name == "log_sigmoid" else op.name
    return ["", ">>> import minitorch", f">>> {home}.{name}({arguments})", f"tensor({result})"]


def docstring(op: Op) -> list[str]:
    """The lines of an operation's docstring."""
    lines = [op.doc]
    if op.math:
        lines += ["", f".. math:: {op.math}"]
    gradients = [
        f"``{text}``" + (f" (of ``{name}``)" if op.n_inputs > 1 else "")
        for text, name in zip(op.gradients, op.operands)
        if text not in (None, "0")
    ]
    if gradients:
        lines += ["", f"Gradient, given that of the result as ``g``: {', '.join(gradients)}."]
    lines += example(op)
    indented = [f"    {line}".rstrip() for line in lines[1:]]
    return [f'    r"""{lines[0]}', *indented, '    """']


def calling(op: Op) -> tuple[str, str, str]:
    """How an operation is called: the runner's name, its parameters in a signature, its arguments."""
    if op.n_inputs == 2:
        return "binary", operand_types(op)[1], ", other"
    if not op.parameters:
        return "unary", "", ""
    defaults = (name if default is None else f"{name}={default}" for name, default in op.parameters.items())
    values = "".join(f"{name}, " for name in op.parameters).rstrip()
    return "unary_params", "".join(f", {text}" for text in defaults), f", ({values})"


# Of the operations of two operands, those both of which must be tensors, and those either of which may be a number;
# of the others the second may.
TENSORS_ONLY = frozenset("atan2 fmax fmin gcd hypot lcm ldexp logaddexp logaddexp2 logical_and logical_or logical_xor "
                         "maximum minimum nextafter".split())
NUMBERS_FIRST = frozenset("remainder xlogy xlog1py zeta bitwise_and bitwise_or bitwise_xor bitwise_left_shift "
                          "bitwise_right_shift floor_divide true_divide".split())


def operand_types(op: Op) -> tuple[str, str]:
    """How the operands are declared."""
    if op.n_inputs == 1 or op.name in TENSORS_ONLY:
        return "TensorBase input not None", ", TensorBase other not None"
    numbers = op.name in NUMBERS_FIRST or op.home == "special"
    return "input" if numbers else "TensorBase input not None", ", other"


def cython_functions(op: Op) -> list[str]:
    """The function of an operation, its variant in place, and their other names."""
    if op.home is None or op.custom:
        return []
    runner, parameters, arguments = calling(op)
    first = operand_types(op)[0]
    lines = [
        f"def {op.name}({first}{parameters}, *, TensorBase out=None):",
        *docstring(op),
        f"    return {runner}(MT_OP_{op.name}, input{arguments}, out)",
        "",
        "",
    ]
    if op.inplace:
        lines += [
            f"def {op.name}_(TensorBase self not None{parameters}):",
            f'    """In-place `{op.name}`."""',
            f"    return {runner}_(MT_OP_{op.name}, self{arguments})",
            "",
            "",
        ]
    for alias in op.aliases:
        lines += [f"{alias} = {op.name}"] + [f"{alias}_ = {op.name}_"] * op.inplace
    return [*lines, "", ""] if op.aliases else lines


def cython_codes(table: dict[str, Op]) -> str:
    """pointwise_codes.pxi: the operations' numbers."""
    lines = [CYTHON_NOTE, 'cdef extern from "pointwise_loops.h" nogil:', "    enum:"]
    lines += [*(f"        MT_OP_{name}" for name in table), "        MT_OP_COUNT", ""]
    return "\n".join(lines)


def all_cython_functions(table: dict[str, Op]) -> str:
    """arithmetic_functions.pxi"""
    lines = [CYTHON_NOTE]
    for op in table.values():
        lines += cython_functions(op)
    elsewhere = [
        name
        for op in table.values()
        if op.home != "minitorch"
        for base in (op.name, *op.aliases)
        for name in (base, base + "_")
    ]
    lines += ["", "# neither methods nor names of minitorch itself, but of nn.functional or special"]
    lines += [f"ELSEWHERE = {elsewhere}"]
    return "\n".join(lines).rstrip() + "\n"


# ---------------------------------------------------------------------------------------------------------------------


def generate(output_directory: str | Path) -> list[Path]:
    """Write the files, leaving those alone that would not change; return their paths."""
    directory = Path(output_directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in {
        "pointwise_loops.h": c_header(pointwise.TABLE),
        "pointwise_loops.c": c_source(pointwise.TABLE),
        "pointwise_codes.pxi": cython_codes(pointwise.TABLE),
        "arithmetic_functions.pxi": all_cython_functions(pointwise.TABLE),
    }.items():
        path = directory / name
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
        paths.append(path)
    return paths


if __name__ == "__main__":
    generate(sys.argv[1])
