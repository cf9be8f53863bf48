"""Operands of instructions as functions of the threads that run: what reads a register, and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from .formats import BITS, DTYPES, Array, bf16_values, is_float
from .parse import SIZES, Instruction, Negated, Number, Operand, Register, Special, Symbol

Selection = slice | np.ndarray


class Lanes(Protocol):
    """The threads that run together, a lane each, as instructions see them."""

    registers: list[Array]  # the bits, a lane each
    special: dict[str, Array]
    carry: Array
    at: Selection  # the lanes that execute the present instruction
    count: int  # of all lanes

    def active(self) -> Array:
        """The numbers of the lanes that execute the present instruction."""


class Linker(Protocol):
    """What is known of the names of a function when its instructions are prepared."""

    def register(self, register: Register) -> tuple[int, str]:
        """A register's place among the registers of all functions, and its type."""

    def address_of(self, symbol: Symbol, instruction: Instruction) -> int:
        """The generic address of a variable, or what the shared window holds at it."""


Reader = Callable[[Lanes], Array]
Writer = Callable[[Lanes, Array], None]
Step = Callable[[Lanes], None]


def reader(operand: Operand, kind: str, instruction: Instruction, link: Linker) -> Reader:
    """A function that gives an operand's values as a type: bf16 as float32, packed halves one after the other."""
    if kind == "bf16":
        bits = reader(operand, "b16", instruction, link)
        return lambda lanes: bf16_values(bits(lanes))
    if kind in ("f16x2", "bf16x2"):
        return _packed(reader(operand, "b32", instruction, link), kind)
    if isinstance(operand, Register):
        return _register(operand, kind, link)
    if isinstance(operand, Negated):
        positive = reader(operand.of, "pred", instruction, link)
        return lambda lanes: ~positive(lanes)
    if isinstance(operand, Special):
        name, size = operand.name, SIZES[kind]
        return lambda lanes: _resized(lanes.special[name][lanes.at], size).view(DTYPES[kind])
    if isinstance(operand, Number):
        constant = number(operand, kind)
        return lambda lanes: constant
    if isinstance(operand, Symbol):
        constant = np.array(link.address_of(operand, instruction) & ((1 << 8 * SIZES[kind]) - 1), BITS[SIZES[kind]])
        return lambda lanes: constant
    raise instruction.error(f"has an operand that is not a value: {operand}")


def _register(register: Register, kind: str, link: Linker) -> Reader:
    index, declared = link.register(register)
    dtype, size = DTYPES[kind], SIZES[kind]
    if kind == "pred" or declared == "pred" or SIZES[declared] == size:
        return lambda lanes: lanes.registers[index][lanes.at].view(dtype)
    return lambda lanes: lanes.registers[index][lanes.at].astype(BITS[size]).view(dtype)


def _resized(bits: Array, size: int) -> Array:
    return bits if bits.dtype.itemsize == size else bits.astype(BITS[size])


def _packed(bits: Reader, kind: str) -> Reader:
    def halves(lanes: Lanes) -> Array:
        both = bits(lanes)
        if both.ndim == 0:
            both = np.full(len(lanes.active()), both)
        return both.view(np.float16) if kind == "f16x2" else bf16_values(both.view(np.uint16))

    return halves


def number(operand: Number, kind: str) -> Array:
    """A number in the text as a value of a type."""
    if kind == "pred":
        return np.array(operand.value != 0)
    if operand.float_bits and is_float(kind):
        bits = np.array(operand.value, BITS[operand.float_bits // 8])
        return bits.view(DTYPES[f"f{operand.float_bits}"]).astype(DTYPES[kind])
    size = SIZES[kind]
    return np.array(operand.value & ((1 << 8 * size) - 1), BITS[size]).view(DTYPES[kind])


def writer(operand: Operand, instruction: Instruction, link: Linker) -> Writer:
    """A function that puts values into a register; narrower ones are extended as their sign says."""
    if isinstance(operand, Symbol) and operand.name == "_":
        return lambda lanes, values: None
    if not isinstance(operand, Register):
        raise instruction.error("writes to what is not a register")
    index, declared = link.register(operand)
    dtype, size = (np.bool_, 1) if declared == "pred" else (BITS[SIZES[declared]], SIZES[declared])

    def write(lanes: Lanes, values: Array) -> None:
        if values.dtype.itemsize == size:
            lanes.registers[index][lanes.at] = values.view(dtype)
        else:
            lanes.registers[index][lanes.at] = values.astype(dtype)

    return write
