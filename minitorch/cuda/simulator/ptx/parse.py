"""PTX, the assembly that NVRTC writes, as Python objects: modules, functions, instructions and operands.

Only the syntax is known here, not what instructions do. The language is described in NVIDIA's "Parallel Thread
Execution ISA"; read are the parts that a compiler of CUDA C uses, and what inline assembly may contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...runtime import KernelError

SIZES = {
    "pred": 1, "b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "f16": 2, "bf16": 2, "b32": 4, "u32": 4,
    "s32": 4, "f32": 4, "f16x2": 4, "bf16x2": 4, "tf32": 4, "b64": 8, "u64": 8, "s64": 8, "f64": 8, "b128": 16,
}  # fmt: skip
SPACES = ("global", "const", "shared", "local", "param")


class PtxError(KernelError):
    """PTX that cannot be read or run, or that does what no kernel may."""


@dataclass(frozen=True)
class Register:
    """A register: its place in the function's list of registers, and its name."""

    index: int
    name: str


@dataclass(frozen=True)
class Special:
    """A register that the hardware fills, such as ``%tid.x``."""

    name: str


@dataclass(frozen=True)
class Number:
    """A number in the text: an integer, or the bits of a float and how many there are."""

    value: int
    float_bits: int = 0  # 32, 64, or 0 for an integer


@dataclass(frozen=True)
class Symbol:
    """The address of a variable or parameter, or the name of a label or function."""

    name: str
    offset: int = 0


@dataclass(frozen=True)
class Address:
    """``[base + offset]``."""

    base: Register | Symbol | Number
    offset: int = 0


@dataclass(frozen=True)
class Vector:
    """``{a, b}`` or ``(a, b)``; what is not wanted is ``_``, a `Symbol`."""

    items: tuple[Operand, ...]


@dataclass(frozen=True)
class Negated:
    """``!p``, of a predicate."""

    of: Register


@dataclass(frozen=True)
class Pair:
    """``d|p``: two results."""

    first: Operand
    second: Operand


Operand = Register | Special | Number | Symbol | Address | Vector | Negated | Pair


@dataclass(frozen=True)
class Instruction:
    """One instruction: its guard, what it is called and works on, and where it stands."""

    guard: Register | Negated | None
    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[Operand, ...]
    text: str
    line: int  # of the PTX
    source: str = ""  # file and line of the CUDA C, where the PTX says it

    @property
    def type(self) -> str:
        """The last modifier that is a type, which is what most instructions work on."""
        for modifier in reversed(self.modifiers):
            if modifier in SIZES:
                return modifier
        raise self.error("has no type")

    def error(self, what: str) -> PtxError:
        """An exception that says where this instruction is."""
        return PtxError(f"`{self.text}` at {self.where} {what}")

    @property
    def where(self) -> str:
        """The line, of the CUDA C if the PTX says it."""
        return self.source or f"PTX line {self.line}"


@dataclass(frozen=True)
class Variable:
    """A declared variable or parameter: its space, size in bytes and first value, if any."""

    space: str
    name: str
    align: int
    size: int
    type: str
    count: int | None  # elements of an array, 0 if declared without a number; None for a single value
    values: tuple[int | Symbol, ...] = ()
    external: bool = False

    @property
    def is_array(self) -> bool:
        return self.count is not None


@dataclass
class Function:
    """An entry or a device function."""

    name: str
    entry: bool
    parameters: list[Variable] = field(default_factory=list)
    returns: list[Variable] = field(default_factory=list)
    registers: list[str] = field(default_factory=list)  # their types
    variables: dict[str, Variable] = field(default_factory=dict)
    code: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)  # .branchtargets
    defined: bool = False
    most_threads: int = 1024  # of a block, as __launch_bounds__ says


@dataclass
class Module:
    """A file of PTX."""

    functions: dict[str, Function] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)


TOKEN = re.compile(r"""
    (?P<space>[ \t\r]+|//[^\n]*|/\*.*?\*/)
  | (?P<newline>\n)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<float>0[fF][0-9a-fA-F]{8}|0[dD][0-9a-fA-F]{16}|\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
  | (?P<integer>(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)U?)
  | (?P<directive>\.[A-Za-z_][\w$]*)
  | (?P<name>[%A-Za-z_$][\w$]*(?:::[\w$]+)*)
  | (?P<mark>[{}()\[\]<>;:,=|!@+*/&~?-])
""", re.VERBOSE | re.DOTALL)  # fmt: skip
SPECIAL = re.compile(
    r"%(tid|ntid|ctaid|nctaid|laneid|warpid|nwarpid|smid|nsmid|gridid|clock|clock_hi|clock64|globaltimer\w*|lanemask_\w+"
    r"|dynamic_smem_size|total_smem_size|envreg\d+|is_explicit_cluster|cluster_\w+|nclusterid|clusterid)$"
)
LINE_DIRECTIVES = {".version", ".target", ".address_size", ".file", ".loc"}  # these end with their line


@dataclass(frozen=True)
class Token:
    """A word of the text."""

    kind: str
    text: str
    line: int
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, newlines among them."""
    position, line = 0, 1
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise PtxError(f"PTX line {line}: cannot read {text[position : position + 20]!r}")
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match.group(), line, match.start(), match.end())
        line += match.group().count("\n")
        position = match.end()


class Parser:
    """Reads one module."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.position = 0
        self.module = Module()
        self.function = Function("", False)
        self.scopes: list[dict[str, str | Register]] = []  # names as written: registers, and variables' unique names
        files = re.findall(r'^\s*\.file\s+(\d+)\s+"([^"]*)"', text, re.MULTILINE)  # at the end of the text
        self.files = {number: path.rpartition("/")[2] for number, path in files}
        self.source = ""

    # -- tokens

    def peek(self) -> Token | None:
        """The next word that is not the end of a line."""
        while self.position < len(self.tokens) and self.tokens[self.position].kind == "newline":
            self.position += 1
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def next(self) -> Token:
        token = self.peek()
        if token is None:
            raise PtxError("the PTX ends in the middle of a statement")
        self.position += 1
        return token

    def accept(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.text != text:
            return False
        self.position += 1
        return True

    def expect(self, text: str) -> None:
        token = self.next()
        if token.text != text:
            raise PtxError(f"PTX line {token.line}: expected {text!r} before {token.text!r}")

    def rest_of_line(self) -> list[Token]:
        """The words up to the end of the line."""
        start = self.position
        while self.position < len(self.tokens) and self.tokens[self.position].kind != "newline":
            self.position += 1
        return self.tokens[start : self.position]

    def integer(self) -> int:
        sign = -1 if self.accept("-") else 1
        token = self.next()
        if token.kind != "integer":
            raise PtxError(f"PTX line {token.line}: expected a number, got {token.text!r}")
        return sign * _integer(token.text)

    # -- modules and functions

    def parse(self) -> Module:
        while (token := self.peek()) is not None:
            if token.text in LINE_DIRECTIVES:
                self.rest_of_line()
            elif token.text == ".section":
                self.skip_section()
            elif token.kind == "directive":
                self.top_level()
            else:
                raise PtxError(f"PTX line {token.line}: unexpected {token.text!r}")
        return self.module

    def skip_section(self) -> None:
        """Debug information."""
        while self.next().text != "{":
            pass
        while self.next().text != "}":
            pass

    def top_level(self) -> None:
        """A variable or a function, with what is said of its linkage."""
        external = False
        while (token := self.peek()) is not None and token.text in (".visible", ".extern", ".weak", ".common"):
            external |= token.text == ".extern"
            self.next()
        if self.accept(".entry"):
            self.read_function(entry=True)
        elif self.accept(".func"):
            self.read_function(entry=False)
        elif token is not None and token.text in (".pragma", ".alias"):
            while self.next().text != ";":
                pass
        elif token is not None and token.text[1:] in SPACES:
            for variable in self.declaration(external):
                self.module.variables[variable.name] = variable
        else:
            raise PtxError(f"PTX line {token.line if token else 0}: unexpected {token.text if token else 'end'!r}")

    def read_function(self, entry: bool) -> None:
        function = Function("", entry)
        if not entry and self.accept("("):
            function.returns = self.parameter_list()
        function.name = self.next().text
        if self.accept("("):
            function.parameters = self.parameter_list()
        while (token := self.peek()) is not None and token.text not in ("{", ";"):
            self.next()
            if token.text in (".maxntid", ".reqntid"):
                function.most_threads = self.integer()
                while self.accept(","):
                    function.most_threads *= self.integer()
        known = self.module.functions.get(function.name)
        if not self.accept(";"):
            self.function, function.defined = function, True
            self.scopes = [{v.name: v.name for v in (*function.returns, *function.parameters)}]
            self.expect("{")
            self.body()
        if known is None or not known.defined:
            self.module.functions[function.name] = function

    def parameter_list(self) -> list[Variable]:
        found: list[Variable] = []
        while not self.accept(")"):
            found += self.declaration(False, terminator=None)
            self.accept(",")
        return found

    def declaration(self, external: bool, terminator: str | None = ";") -> Iterator[Variable]:
        """``.shared .align 4 .b8 name[64];`` and so on; registers are not variables."""
        space, align, kind = self.next().text[1:], 0, ""
        while (token := self.peek()) is not None and token.kind == "directive":
            self.next()
            if token.text == ".align":
                align = self.integer()
            elif token.text[1:] in SIZES:
                kind = token.text[1:]
            elif token.text[1:] not in ("ptr", "const", "managed", "attribute", *SPACES):
                raise PtxError(f"PTX line {token.line}: a variable of type {token.text} is not supported")
        while True:
            name, count = self.next().text, None
            while self.accept("["):
                size = 0 if self.accept("]") else self.integer()
                if size:
                    self.expect("]")
                count = size if count is None else count * size
            values = self.initializer() if self.accept("=") else ()
            size = SIZES[kind] * (1 if count is None else count)
            yield Variable(
                space, name, max(align, SIZES[kind] if count is None else 1), size, kind, count, values, external
            )
            if terminator is None or self.accept(terminator):
                return
            self.expect(",")

    def initializer(self) -> tuple[int | Symbol, ...]:
        """The first values of a variable, floats as their bits."""
        values: list[int | Symbol] = []
        depth = 0
        while True:
            token = self.peek()
            if token is None or token.text == ";" or (token.text == "," and depth == 0):
                return tuple(values)
            if token.text in ("{", "}"):
                depth += 1 if token.text == "{" else -1
                self.next()
            elif token.text in (",", "(", ")"):
                self.next()
            elif token.kind in ("integer", "float") or token.text == "-":
                values.append(self.number().value)
            else:
                name = self.next().text
                if name == "generic":
                    continue
                values.append(Symbol(name, self.integer() if self.accept("+") else 0))

    # -- statements

    def body(self) -> None:
        """The statements of a function up to its closing brace."""
        while True:
            token = self.next()
            if token.text == "{":
                self.scopes.append({})
            elif token.text == "}":
                self.scopes.pop()
                if not self.scopes:
                    return
            elif token.text in LINE_DIRECTIVES:
                self.position -= 1
                self.read_line_directive()
            elif token.text == ".reg":
                self.read_registers()
            elif token.text[1:] in SPACES and token.kind == "directive":
                self.position -= 1
                self.local_variables()
            elif token.text == ".pragma":
                while self.next().text != ";":
                    pass
            elif token.kind == "directive":
                raise PtxError(f"PTX line {token.line}: the directive {token.text} is not supported")
            elif self.accept(":"):
                self.read_label(token.text)
            else:
                self.read_instruction(token)

    def read_line_directive(self) -> None:
        """``.loc`` with the file and line that the next instructions come from, and what does not matter."""
        name, *words = [token.text for token in self.rest_of_line()]
        if name == ".loc":
            self.source = f"{self.files.get(words[0], 'source')}:{words[1]}"

    def read_label(self, name: str) -> None:
        if self.accept(".branchtargets"):
            names = [self.next().text]
            while self.accept(","):
                names.append(self.next().text)
            self.expect(";")
            self.function.tables[name] = tuple(names)
        else:
            self.function.labels[name] = len(self.function.code)

    def read_registers(self) -> None:
        token = self.next()
        while token.text in (".v2", ".v4"):
            raise PtxError(f"PTX line {token.line}: vector registers are not supported")
        kind = token.text[1:]
        if kind not in SIZES:
            raise PtxError(f"PTX line {token.line}: a register of type {token.text} is not supported")
        while True:
            name = self.next().text
            if self.accept("<"):
                names = [f"{name}{i}" for i in range(self.integer())]
                self.expect(">")
            else:
                names = [name]
            for each in names:
                self.scopes[-1][each] = Register(len(self.function.registers), each)
                self.function.registers.append(kind)
            if self.accept(";"):
                return
            self.expect(",")

    def local_variables(self) -> None:
        """Variables of the function; those of an inner scope get names of their own."""
        for found in self.declaration(False):
            unique = found.name
            while unique in self.function.variables:
                unique += "'"
            self.scopes[-1][found.name] = unique
            self.function.variables[unique] = Variable(
                found.space, unique, found.align, found.size, found.type, found.count, found.values
            )

    def read_instruction(self, token: Token) -> None:
        first, guard = token, None
        if token.text == "@":
            negated = self.accept("!")
            register = self.lookup(self.next())
            if not isinstance(register, Register):
                raise PtxError(f"PTX line {token.line}: a guard must be a predicate register")
            guard = Negated(register) if negated else register
            token = self.next()
        modifiers: list[str] = []
        while (follows := self.peek()) is not None and follows.kind == "directive":
            modifiers.append(self.next().text[1:])
            while self.accept(":"):  # .L2::128B
                self.expect(":")
                modifiers[-1] += "::" + self.next().text
        operands: list[Operand] = []
        while not self.accept(";"):
            operands.append(self.operand())
            if not self.accept(","):
                self.expect(";")
                break
        text = " ".join(self.text[first.start : self.tokens[self.position - 1].end].split())
        self.function.code.append(
            Instruction(guard, token.text, tuple(modifiers), tuple(operands), text, first.line, self.source)
        )

    # -- operands

    def operand(self) -> Operand:
        found = self.single_operand()
        if self.accept("|"):
            return Pair(found, self.single_operand())
        return found

    def single_operand(self) -> Operand:
        token = self.next()
        if token.text == "[":
            return self.address()
        if token.text in ("{", "("):
            closing = "}" if token.text == "{" else ")"
            items = []
            while not self.accept(closing):
                items.append(self.operand())
                self.accept(",")
            return Vector(tuple(items))
        if token.text == "!":
            register = self.lookup(self.next())
            if not isinstance(register, Register):
                raise PtxError(f"PTX line {token.line}: only predicates can be negated")
            return Negated(register)
        if token.kind in ("integer", "float") or token.text == "-":
            self.position -= 1
            return self.number()
        found = self.lookup(token)
        if isinstance(found, Symbol) and self.accept("+"):
            return Symbol(found.name, self.integer())
        return found

    def address(self) -> Address:
        token = self.next()
        base = Number(_integer(token.text)) if token.kind == "integer" else self.lookup(token)
        if not isinstance(base, Register | Symbol | Number):
            raise PtxError(f"PTX line {token.line}: {token.text} is no address")
        offset = 0
        if self.accept("+"):
            offset = self.integer()
        elif self.accept("-"):
            offset = -self.integer()
        self.expect("]")
        return Address(base, offset)

    def number(self) -> Number:
        negative = self.accept("-")
        token = self.next()
        if token.kind == "integer":
            return Number(-_integer(token.text) if negative else _integer(token.text))
        text = token.text
        if text[:2] in ("0f", "0F"):
            return Number(int(text[2:], 16) ^ (negative << 31), 32)
        if text[:2] in ("0d", "0D"):
            return Number(int(text[2:], 16) ^ (negative << 63), 64)
        import struct

        return Number(struct.unpack("<Q", struct.pack("<d", -float(text) if negative else float(text)))[0], 64)

    def lookup(self, token: Token) -> Register | Special | Symbol:
        """What a name stands for, the innermost scope first."""
        for scope in reversed(self.scopes):
            if token.text in scope:
                found = scope[token.text]
                return found if isinstance(found, Register) else Symbol(found)
        if SPECIAL.match(token.text):
            part = self.peek()
            if part is not None and part.text in (".x", ".y", ".z", ".w"):
                return Special(token.text + self.next().text)
            return Special(token.text)
        if token.text.startswith("%"):
            raise PtxError(f"PTX line {token.line}: the register {token.text} is not declared or not supported")
        if token.kind != "name":
            raise PtxError(f"PTX line {token.line}: unexpected {token.text!r}")
        return Symbol(token.text)


def _integer(text: str) -> int:
    text = text.rstrip("U")
    if text.lower().startswith(("0x", "0b")):
        return int(text, 0)
    return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)


def parse(text: str) -> Module:
    """Read a file of PTX.

    >>> module = parse('''
    ... .visible .entry twice(.param .u64 x) {
    ...     .reg .b64 %rd<2>;
    ...     .reg .f32 %f<2>;
    ...     ld.param.u64 %rd0, [x];
    ...     ld.global.f32 %f0, [%rd0+4];
    ...     add.f32 %f1, %f0, %f0;
    ...     ret;
    ... }''')
    >>> [instruction.text for instruction in module.functions["twice"].code][1]
    'ld.global.f32 %f0, [%rd0+4];'
    """
    return Parser(text).parse()
