"""A kernel with the functions that it calls, linked: one list of instructions, ready to run.

Functions are laid out one after the other, those that are called before those that call them; the machine runs the
threads that are furthest behind first, and so a function ends before the threads that did not call it go on. A function
has one set of registers and local variables a thread, since none may call itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from . import arithmetic, convert, memory, printing, warp
from .memory import LOCAL, Region
from .operands import Linker, Reader, Step, reader, writer
from .parse import (
    SIZES,
    Address,
    Function,
    Instruction,
    Module,
    Negated,
    Number,
    Operand,
    Pair,
    PtxError,
    Register,
    Symbol,
    Variable,
    Vector,
)

PLAIN, BRANCH, TABLE, CALL, RETURN, EXIT, BARRIER, COLLECTIVE, TRAP = range(9)
# What does not matter where one instruction follows another.
NOTHING = (
    "membar",
    "fence",
    "prefetch",
    "prefetchu",
    "nanosleep",
    "discard",
    "applypriority",
    "griddepcontrol",
    "brkpt",
    "setmaxnreg",
    "pmevent",
    "createpolicy",
)
SIMPLE: dict[str, Callable[[Instruction, Linker], Step]] = {
    "setp": arithmetic.prepare_setp,
    "addc": arithmetic.prepare_carrying,
    "subc": arithmetic.prepare_carrying,
    "madc": arithmetic.prepare_carrying,
    "cvt": convert.prepare_cvt,
    "mov": convert.prepare_mov,
    "ld": memory.prepare_ld,
    "ldu": memory.prepare_ld,
    "st": memory.prepare_st,
    "cvta": memory.prepare_cvta,
    "isspacep": memory.prepare_isspacep,
    "cp": memory.prepare_cp,
    "activemask": warp.prepare_activemask,
}


@dataclass
class Op:
    """An instruction ready to run. What the fields mean depends on the kind."""

    kind: int
    instruction: Instruction
    guard: Reader | None = None
    step: Step = lambda lanes: None
    target: int = 0  # of a branch or call; a return's register
    targets: tuple[int, ...] = ()
    mask: Reader | None = None  # of a collective; a table's index; a barrier's number
    count: Reader | None = None  # threads that a barrier waits for
    copies: tuple[tuple[int, int, int], ...] = ()  # local memory from, to and how much: arguments and results


@dataclass
class Loaded:
    """A module with its global variables in memory, where they stay; those that are there already are used."""

    module: Module
    regions: dict[str, Region] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        variables = [
            v
            for v in self.module.variables.values()
            if v.space in ("global", "const") and not v.external and v.name not in self.regions
        ]
        for variable in variables:
            data = aligned_bytes(variable.size)
            self.regions[variable.name] = Region(data.ctypes.data, data, variable.name)
        for variable in variables:
            self.fill(variable)

    def fill(self, variable: Variable) -> None:
        """Give a variable its first value."""
        size, region = SIZES[variable.type], self.regions[variable.name]
        for index, value in enumerate(variable.values):
            if isinstance(value, Symbol):
                if value.name not in self.regions:
                    raise PtxError(f"the first value of {variable.name} is the address of {value.name}, which has none")
                value = self.regions[value.name].base + value.offset
            bits = np.array(value & ((1 << 8 * size) - 1), f"u{size}")
            region.data[index * size : (index + 1) * size] = bits.reshape(1).view(np.uint8)

    def program(self, name: str) -> Program:
        """A kernel, by its name in the PTX."""
        if name not in self.programs:
            function = self.module.functions.get(name)
            if function is None or not function.entry:
                entries = ", ".join(f.name for f in self.module.functions.values() if f.entry)
                raise PtxError(f"there is no kernel {name}; there are {entries}")
            self.programs[name] = Program(self, function)
        return self.programs[name]


def aligned_bytes(size: int, alignment: int = 256) -> np.ndarray:
    """Zeros that start at a multiple of the alignment."""
    room = np.zeros(size + alignment, np.uint8)
    start = -room.ctypes.data % alignment
    return room[start : start + size]


class Layout:
    """Places for variables, one after the other."""

    def __init__(self) -> None:
        self.size = 0

    def place(self, size: int, align: int) -> int:
        start = -(-self.size // align) * align
        self.size = start + size
        return start


class Program:
    """A kernel and what it calls."""

    def __init__(self, loaded: Loaded, entry: Function) -> None:
        self.loaded, self.entry = loaded, entry
        self.ops: list[Op] = []
        self.registers: list[str] = []  # their types
        self.starts: dict[str, int] = {}
        self.shared, self.local, self.parameters = Layout(), Layout(), Layout()
        self.offsets = [self.parameters.place(p.size, max(p.align, SIZES[p.type])) for p in entry.parameters]
        self.scopes = {function.name: self.scope(function) for function in self.reachable(entry, ())}
        # Shared variables outside of functions are there for all; those without a size begin where the others end.
        shared = [v for v in loaded.module.variables.values() if v.space == "shared"]
        places = {v.name: self.shared.place(v.size, max(v.align, SIZES[v.type])) for v in shared if not v.external}
        self.static_shared, self.dynamic_shared = self.shared.size, self.shared.place(0, 16)
        places.update({v.name: self.dynamic_shared for v in shared if v.external})
        for scope in self.scopes.values():
            scope.names.update(places)
            self.link(scope)

    def reachable(self, function: Function, callers: tuple[str, ...]) -> Iterator[Function]:
        """The functions that one calls, before itself, each once."""
        if function.name in callers:
            raise PtxError(f"{function.name} calls itself, which is not supported")
        for instruction in function.code:
            if instruction.opcode == "call":
                called = self.called(instruction)
                if called.defined and called.name not in self.starts:
                    yield from self.reachable(called, (*callers, function.name))
        if function.name not in self.starts:
            self.starts[function.name] = -1
            yield function

    def called(self, instruction: Instruction) -> Function:
        """The function that a call names."""
        for operand in instruction.operands:
            if isinstance(operand, Symbol) and operand.name in self.loaded.module.functions:
                return self.loaded.module.functions[operand.name]
        raise instruction.error("is not supported: it calls a function whose address is computed")

    def scope(self, function: Function) -> Scope:
        """Places for a function's registers and variables."""
        scope = Scope(self, function, len(self.registers))
        self.registers += function.registers
        if function.entry:
            scope.names.update({p.name: at for p, at in zip(function.parameters, self.offsets)})
        else:
            scope.return_register = len(self.registers)
            self.registers.append("b32")
            for variable in (*function.parameters, *function.returns):
                scope.names[variable.name] = LOCAL | self.local.place(variable.size, max(variable.align, 8))
        for name, variable in function.variables.items():
            align = max(variable.align, SIZES[variable.type])
            if variable.space == "shared":
                scope.names[name] = self.shared.place(variable.size, align)
            elif variable.space == "local":
                scope.names[name] = self.local.place(variable.size, align)
            elif variable.space == "param":
                scope.names[name] = LOCAL | self.local.place(variable.size, max(align, 8))
            else:
                raise PtxError(f"{function.name}: a {variable.space} variable in a function is not supported")
        return scope

    def link(self, scope: Scope) -> None:
        """Append a function's instructions."""
        function = scope.function
        self.starts[function.name] = start = len(self.ops)
        places, place = [], start
        for instruction in function.code:
            places.append(place)
            place += 2 if scope.is_call(instruction) else 1  # after a call, its results are fetched
        places.append(place)
        scope.labels = {name: places[index] for name, index in function.labels.items()}
        for instruction in function.code:
            self.ops += scope.prepare(instruction)
        end = Instruction(None, "ret", (), (), "the end of the function", 0)
        self.ops += scope.prepare(end)


class Scope:
    """A function's names, and how its instructions are prepared."""

    def __init__(self, program: Program, function: Function, first_register: int) -> None:
        self.program, self.function, self.first_register = program, function, first_register
        self.names: dict[str, int] = {}
        self.labels: dict[str, int] = {}
        self.return_register = -1
        self.read = {register for instruction in function.code for register in _sources(instruction)}

    def register(self, register: Register) -> tuple[int, str]:
        return self.first_register + register.index, self.function.registers[register.index]

    def address_of(self, symbol: Symbol, instruction: Instruction) -> int:
        if symbol.name in self.names:
            return self.names[symbol.name] + symbol.offset
        region = self.program.loaded.regions.get(symbol.name)
        if region is None:
            raise instruction.error(f"names {symbol.name}, which is not known")
        return region.base + symbol.offset

    def is_call(self, i: Instruction) -> bool:
        return i.opcode == "call" and self.program.called(i).defined

    def prepare(self, i: Instruction) -> list[Op]:
        """What an instruction does."""
        guard = None if i.guard is None else reader(i.guard, "pred", i, self)
        if i.opcode == "bra":
            return [Op(BRANCH, i, guard, target=self.label(i.operands[0], i))]
        if i.opcode == "brx":
            table = i.operands[1]
            assert isinstance(table, Symbol)
            targets = tuple(self.labels[name] for name in self.function.tables[table.name])
            return [Op(TABLE, i, guard, targets=targets, mask=reader(i.operands[0], "u32", i, self))]
        if i.opcode == "call":
            return self.prepare_call(i, guard)
        if i.opcode == "exit" or (i.opcode == "ret" and self.function.entry):
            return [Op(EXIT, i, guard)]
        if i.opcode == "ret":
            return [Op(RETURN, i, guard, target=self.return_register)]
        if i.opcode == "trap":
            return [Op(TRAP, i, guard)]
        if i.opcode in ("bar", "barrier") and "warp" not in i.modifiers:
            return [self.prepare_barrier(i, guard)]
        if i.opcode in warp.COLLECTIVES or i.opcode == "bar":
            mask, step = warp.prepare(i, self)
            return [Op(COLLECTIVE, i, guard, step, mask=mask)]
        return [Op(PLAIN, i, guard, self.prepare_plain(i))]

    def prepare_plain(self, i: Instruction) -> Step:
        if "cc" in i.modifiers and i.opcode in ("add", "sub", "mad"):
            return arithmetic.prepare_carrying(i, self)
        if i.opcode in ("atom", "red"):
            target = i.operands[0]
            wanted = i.opcode == "atom" and isinstance(target, Register) and target in self.read
            return memory.prepare_atom(i, self, wanted)
        if i.opcode in SIMPLE:
            return SIMPLE[i.opcode](i, self)
        if i.opcode in arithmetic.PLANNERS:
            return arithmetic.prepare(i, self)
        if i.opcode in NOTHING:
            return lambda lanes: None
        raise i.error("is not supported by the interpreter")

    def label(self, operand: Operand, i: Instruction) -> int:
        if not isinstance(operand, Symbol) or operand.name not in self.labels:
            raise i.error("jumps to what is no label")
        return self.labels[operand.name]

    def prepare_call(self, i: Instruction, guard: Reader | None) -> list[Op]:
        """A call, and behind it what fetches the results."""
        function = self.program.called(i)
        lists = [operand for operand in i.operands if isinstance(operand, Vector)]
        results = lists.pop(0) if function.returns else Vector(())
        arguments = lists.pop(0) if lists else Vector(())
        places = [[self.names[item.name] & ~LOCAL for item in vector.items if isinstance(item, Symbol)]
                  for vector in (arguments, results)]  # fmt: skip
        if not function.defined:
            return [Op(PLAIN, i, guard, printing.prepare(i, function.name, *places))]
        names = self.program.scopes[function.name].names
        formals, returned = (
            [names[v.name] & ~LOCAL for v in variables] for variables in (function.parameters, function.returns)
        )
        sizes, returned_sizes = [v.size for v in function.parameters], [v.size for v in function.returns]
        call = Op(
            CALL,
            i,
            guard,
            target=self.program.starts[function.name],
            copies=tuple(zip(places[0], formals, sizes)),
            targets=(self.program.scopes[function.name].return_register,),
        )
        fetch = tuple(zip(returned, places[1], returned_sizes))
        return [call, Op(PLAIN, i, guard, lambda lanes: lanes.copy_local(fetch))]  # type: ignore[attr-defined]

    def prepare_barrier(self, i: Instruction, guard: Reader | None) -> Op:
        """``bar.sync``, ``bar.arrive`` and ``bar.red``, by any of their names."""
        operands = list(i.operands)
        step: Step = lambda lanes: None  # noqa: E731
        if "red" in i.modifiers:
            write, source = writer(operands.pop(0), i, self), reader(operands.pop(), "pred", i, self)
            mode = next(m for m in i.modifiers if m in ("popc", "and", "or"))
            step = lambda lanes: write(lanes, lanes.reduce_blocks(source(lanes), mode))  # type: ignore[attr-defined]  # noqa: E731
        zero = Number(0)
        number = reader(operands[0] if operands else zero, "u32", i, self)
        count = reader(operands[1] if len(operands) > 1 else zero, "u32", i, self)
        return Op(BARRIER, i, guard, step, mask=number, count=count)


def _sources(i: Instruction) -> Iterator[Register]:
    """The registers that an instruction reads, and perhaps more."""

    def registers(operand: Operand) -> Iterator[Register]:
        if isinstance(operand, Register):
            yield operand
        elif isinstance(operand, Negated):
            yield operand.of
        elif isinstance(operand, Address) and isinstance(operand.base, Register):
            yield operand.base
        elif isinstance(operand, Vector):
            for item in operand.items:
                yield from registers(item)
        elif isinstance(operand, Pair):
            yield from registers(operand.first)
            yield from registers(operand.second)

    if i.guard is not None:
        yield from registers(i.guard)
    skipped = 0 if i.opcode in ("st", "red", "bar", "barrier", "brx", "cp", "call") else 1
    for operand in i.operands[skipped:]:
        yield from registers(operand)
