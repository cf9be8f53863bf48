"""The symbol table of a shared object, read without the binary utilities (ELF, 64 bits, little-endian)."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple


class Symbol(NamedTuple):
    """A name and the bytes it stands for, as addresses in the file's own numbering."""

    name: str
    value: int
    size: int
    zeroed: bool
    """In a section that the file holds no bytes of: a variable without an initial value."""


class SharedObject:
    """What the simulator needs to know of a compiled module."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is not a 64-bit little-endian ELF file")
        self.symbols = _symbols(data)
        self.low, self.high = _data_range(data)


def _sections(data: bytes) -> list[tuple[int, ...]]:
    """(name, type, flags, address, offset, size, link, info, alignment, entry size) of each section."""
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    return [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]


def _symbols(data: bytes) -> list[Symbol]:
    sections = _sections(data)
    found = []
    for section in sections:
        if section[1] != 2:  # SHT_SYMTAB
            continue
        offset, size, names = section[4], section[5], sections[section[6]][4]
        for name, _, _, index, value, length in struct.iter_unpack("<IBBHQQ", data[offset : offset + size]):
            if index and name:
                end = data.index(b"\0", names + name)
                zeroed = index < len(sections) and sections[index][1] == 8  # SHT_NOBITS
                found.append(Symbol(data[names + name : end].decode(), value, length, zeroed))
    return found


def _data_range(data: bytes) -> tuple[int, int]:
    """First and last address of what is loaded."""
    (offset,) = struct.unpack_from("<Q", data, 0x20)
    size, count = struct.unpack_from("<HH", data, 0x36)
    low, high = 1 << 64, 0
    for i in range(count):
        kind, _, _, address, _, _, length, _ = struct.unpack_from("<IIQQQQQQ", data, offset + i * size)
        if kind == 1:  # PT_LOAD
            low, high = min(low, address), max(high, address + length)
    return low, high


def local_variable(symbol: str) -> str | None:
    """The name of a function's static variable, from its mangled symbol; None for any other symbol.

    >>> local_variable("_ZZN12_GLOBAL__N_19block_sumILi256EEEvPKfPfiE1s")
    's'
    >>> local_variable("_ZZ1kE4tile_0")
    'tile'
    >>> local_variable("_Z1kPf") is None
    True
    """
    if not symbol.startswith("_ZZ"):
        return None
    for match in re.finditer(r"E(\d+)(?=[A-Za-z_])", symbol):
        length = int(match.group(1))
        name, rest = symbol[match.end() : match.end() + length], symbol[match.end() + length :]
        if len(name) == length and re.fullmatch(r"(_\d+|__\d+_|\.\d+)?", rest):
            return name
    return None
