"""What the checker found and the profile counted, in words and with the line of the source."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..runtime import Span
from . import source, toolchain

if TYPE_CHECKING:
    from .module import SimFunction

KINDS = (
    "",
    "out of bounds",
    "misaligned",
    "read-only",
    "uninitialised",
    "race (write after write)",
    "race (read after write)",
    "race (write after read)",
    "divergent barrier",
    "missed barrier",
    "mixed collectives",
    "inactive lane",
    "not in mask",
    "deadlock",
    "trap",
    "undefined behaviour",
    "crash",
    "spinning",
)


class _Who(ctypes.Structure):
    _fields_ = [("thread", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3)]


class RawFinding(ctypes.Structure):
    """`sim::Finding` of device.h."""

    _fields_ = [
        ("kind", ctypes.c_int),
        ("line", ctypes.c_int),
        ("other_line", ctypes.c_int),
        ("argument", ctypes.c_int),
        ("variable", ctypes.c_int),
        ("size", ctypes.c_int),
        ("write", ctypes.c_int),
        ("mask", ctypes.c_uint),
        ("offset", ctypes.c_int64),
        ("pc", ctypes.c_uint64),
        ("other_pc", ctypes.c_uint64),
        ("count", ctypes.c_uint64),
        ("file", ctypes.c_char_p),
        ("who", _Who),
        ("other", _Who),
        ("text", ctypes.c_char * 160),
    ]


class RawProfile(ctypes.Structure):
    """`sim::Profile` of profile.cpp."""

    _fields_ = [
        ("pc", ctypes.c_uint64),
        ("requests", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
        ("sectors", ctypes.c_int64),
        ("ideal", ctypes.c_int64),
        ("ways", ctypes.c_int64),
        ("shared", ctypes.c_int),
        ("write", ctypes.c_int),
        ("size", ctypes.c_int),
    ]


class Place(NamedTuple):
    """A line of a kernel's source."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        if not self.line:
            return "an unknown line"
        return f"line {self.line} of {self.file}" + (f": `{self.text}`" if self.text else "")


@dataclass(frozen=True)
class Finding:
    """One thing that a kernel did wrong; printed, it is a sentence."""

    kind: str
    kernel: str
    message: str
    place: Place
    other_place: Place | None
    argument: str | None
    """The parameter, or the shared variable."""
    thread: tuple[int, int, int]
    block: tuple[int, int, int]
    count: int
    """How often it happened at this place."""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.kernel}: {self.message}{times}"


class Report(Sequence[Finding]):
    """All findings of a run; true if there are any, and printable."""

    def __init__(self, kernel: str, findings: list[Finding]) -> None:
        self.kernel, self.findings = kernel, findings

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: Any) -> Any:
        return self.findings[index]

    def __str__(self) -> str:
        if not self.findings:
            return f"{self.kernel}: nothing found"
        return "\n".join(map(str, self.findings))

    __repr__ = __str__


@functools.lru_cache(maxsize=4096)
def _frames(path: Path, address: int) -> tuple[tuple[str, int], ...]:
    """File and line of an instruction and of the calls it was inlined into; nothing where addr2line is missing."""
    tool = shutil.which("addr2line") or shutil.which("llvm-addr2line") or shutil.which("llvm-symbolizer-14")
    if tool is None:
        return ()
    done = subprocess.run([tool, "-i", "-e", str(path), hex(address)], capture_output=True, text=True, check=False)
    found = []
    for text in done.stdout.split("\n"):
        file, colon, rest = text.rpartition(":")
        number = rest.split(" ")[0]
        if colon and number.isdigit():
            found.append((file, int(number)))
    return tuple(found)


def place_of(function: SimFunction, pc: int) -> Place:
    """The line of the kernel's source that an instruction belongs to."""
    own = str(toolchain.INCLUDE)
    for file, line in _frames(function.module.path, pc - 1 - function.module.base):
        if not file.startswith(own) and line:
            return _place(function, file, line)
    return Place("", 0)


def _place(function: SimFunction, file: str, line: int) -> Place:
    name = Path(file).name
    lines = source.lines(function.module.source)
    text = lines.get((name, line)) or lines.get((file, line), "")
    return Place(name, line, text)


def collect(library: ctypes.CDLL, function: SimFunction, args: Sequence[Any]) -> list[Finding]:
    """The device's findings of the last launch, in words; the device forgets them."""
    found = [_finding(function, args, library.sim_finding(i).contents) for i in range(library.sim_finding_count())]
    library.sim_forget()
    return found


def _finding(function: SimFunction, args: Sequence[Any], raw: RawFinding) -> Finding:
    if raw.line:
        place = _place(function, (raw.file or b"").decode(), raw.line)
    else:
        place = place_of(function, raw.pc) if raw.pc else Place("", 0)
    other_place = None
    if raw.other_pc:
        other_place = place_of(function, raw.other_pc)
    elif raw.other_line:
        other_place = _place(function, (raw.file or b"").decode(), raw.other_line)
    if raw.argument >= 0:
        argument = function.slots[raw.argument].name
    elif raw.variable >= 0:
        argument = function.shared[raw.variable].name
    else:
        argument = "dynamic shared memory" if raw.variable == -2 else None
    words = _words(_Facts(function, args, raw, place, other_place, argument))
    return Finding(
        KINDS[raw.kind],
        function.name,
        words,
        place,
        other_place,
        argument,
        tuple(raw.who.thread),
        tuple(raw.who.block),
        raw.count,
    )


class _Facts(NamedTuple):
    function: SimFunction
    args: Sequence[Any]
    raw: RawFinding
    place: Place
    other_place: Place | None
    argument: str | None

    @property
    def me(self) -> str:
        return _who(self.raw.who)

    @property
    def other(self) -> str:
        return _who(self.raw.other)

    @property
    def span(self) -> Span | None:
        arg = self.args[self.raw.argument] if self.raw.argument >= 0 else None
        return arg if isinstance(arg, Span) else None

    @property
    def what(self) -> str:
        """The memory it is about."""
        if self.raw.variable >= 0:
            return f"`{self.argument}` (__shared__)"
        if self.raw.variable == -2:
            return "dynamic shared memory"
        return f"`{self.argument}`" if self.argument else "memory"


def _who(who: _Who) -> str:
    return f"thread {_triple(who.thread)} of block {_triple(who.block)}"


def _triple(values: Any) -> str:
    return "({},{},{})".format(*values)


def _itemsize(dtype: str) -> int:
    known = {"bool": 1, "complex64": 8, "complex128": 16, "bfloat16": 2}
    digits = "".join(c for c in dtype.split("_")[0] if c.isdigit())
    return known.get(dtype) or max(int(digits or 8) // 8, 1)


def _words(f: _Facts) -> str:
    kind = KINDS[f.raw.kind]
    if kind.startswith("race"):
        return _race(f, kind)
    if kind == "out of bounds":
        return _out_of_bounds(f)
    if kind == "misaligned":
        return (
            f"{f.me} accesses {f.what} at byte {f.raw.offset}, an address that is not a multiple of "
            f"{f.raw.size}, with {f.raw.size} bytes at once, at {f.place}"
        )
    if kind == "read-only":
        return f"{f.me} writes to {f.what}, which is read-only, at {f.place}"
    if kind == "uninitialised":
        return f"{f.me} reads {f.what} at byte {f.raw.offset}, which no thread of the block has written, at {f.place}"
    if kind == "divergent barrier":
        assert f.other_place
        return (
            f"__syncthreads() in divergent code: {f.me} waits at {f.place}, and {f.other} at {f.other_place}; all "
            "threads of a block must reach the same one"
        )
    if kind == "missed barrier":
        return (
            f"__syncthreads() at {f.place} is not reached by all threads of the block: {f.me} waits, but {f.other} "
            f"has returned ({f.raw.mask} in all)"
        )
    if kind == "mixed collectives":
        assert f.other_place
        return (
            f"lanes of one warp run different *_sync functions with the mask {f.raw.mask:#010x}: {f.me} at "
            f"{f.place}, {f.other} at {f.other_place}"
        )
    if kind == "inactive lane":
        return (
            f"{f.me} reads lane {f.raw.offset} of its warp in a shuffle with the mask {f.raw.mask:#010x}, where "
            f"that lane takes no part, at {f.place}"
        )
    if kind == "not in mask":
        return f"{f.me} calls a *_sync function with the mask {f.raw.mask:#010x}, which leaves it out, at {f.place}"
    if kind == "deadlock":
        waits = f"; {f.other} waits in __syncthreads() at {f.other_place}" if f.other_place else ""
        return (
            f"deadlock: {f.me} waits in a *_sync function with the mask {f.raw.mask:#010x} at {f.place} for lanes "
            f"that do not come{waits}"
        )
    if kind == "trap":
        return f"{f.raw.text.decode()}: {f.me} at {f.place}"
    if kind == "undefined behaviour":
        return f"{f.raw.text.decode()}: {f.me} at {f.place}"
    if kind == "crash":
        more = "" if f.function.module.checked else "; kernel.check(...) or MINITORCH_CUDA=sim-check shows where"
        return f"stopped by {f.raw.text.decode()}: {f.me}{more}"
    return f"{f.me} has compared and swapped without success for too long: it waits for a thread that cannot run"


def _race(f: _Facts, kind: str) -> str:
    now = "writes" if f.raw.write else "reads"
    then = "read" if kind.endswith("read)") else "written"
    if f.span is not None:
        span = f.span
        element = (f.raw.offset + span.low - span.pointer) // _itemsize(span.dtype)
        where = f"element {element} of `{f.argument}`"
    else:
        where = f"{f.what} at byte {f.raw.offset}"
    blocks = tuple(f.raw.who.block) != tuple(f.raw.other.block)
    missing = "blocks run in any order: use atomics" if blocks else "no barrier between them"
    other = ("several threads, such as " if f.raw.mask else "") + f.other
    return (
        f"race: {f.me} {now} {where} at {f.place}, {then} by {other} at {f.other_place or 'an unknown line'}, {missing}"
    )


def _out_of_bounds(f: _Facts) -> str:
    verb = "writes" if f.raw.write else "reads"
    at = f"at {f.place}"
    if f.raw.variable == -2:
        given = "none was asked for at the launch" if not _dynamic_given(f) else "more than was asked for at the launch"
        return f"{f.me} {verb} dynamic shared memory at byte {f.raw.offset}, {given} (shared_mem), {at}"
    if f.raw.variable >= 0:
        size = f.function.shared[f.raw.variable].size
        return f"{f.me} {verb} past the end of {f.what} of {size} bytes, at byte {f.raw.offset}, {at}"
    span = f.span
    if span is None:
        return f"{f.me} {verb} memory that no argument points to, {at}"
    item = _itemsize(span.dtype)
    bytes_ = span.high - span.low
    before = f.raw.offset < 0
    distance = (item - 1 - f.raw.offset) // item if before else (f.raw.offset - bytes_) // item + 1
    if distance > 1 << 20:
        return f"{f.me} {verb} memory that no argument points to (the nearest is {f.what}), {at}"
    count = "one element" if distance == 1 else f"{distance} elements"
    side = "before the start of" if before else "past the end of"
    holds = f"{bytes_ // item} element" + "s" * (bytes_ // item != 1)
    return f"{f.me} {verb} {count} {side} {f.what} ({span.dtype}, {holds}) {at}"


def _dynamic_given(f: _Facts) -> bool:
    return f.raw.offset > 0


# ---- profile


@dataclass(frozen=True)
class Row:
    """What the warps asked of memory at one line."""

    place: Place
    space: str
    """``"global"`` or ``"shared"``."""
    access: str
    """``"load"`` or ``"store"``."""
    size: int
    """Bytes a thread."""
    requests: int
    """Instructions of a warp."""
    sectors: float
    """Of 32 bytes, a request; 0 for shared memory."""
    ideal: float
    """The fewest that hold the same bytes."""
    ways: float
    """How many passes a request to shared memory takes against the fewest; 0 for global memory."""

    def __str__(self) -> str:
        head = f"{self.place.file}:{self.place.line:<4d} {self.access:5s} {self.space} {self.size:2d} B  "
        head += f"{self.requests:7d} requests  "
        if self.space == "shared":
            conflict = "no bank conflicts" if self.ways <= 1 else f"{self.ways:.1f}-way bank conflict"
            return head + f"{conflict:30s}  {self.place.text}"
        return head + f"{f'{self.sectors:.1f} sectors each (ideal {self.ideal:.1f})':30s}  {self.place.text}"


class Profile(Sequence[Row]):
    """A table of rows by line, printable."""

    def __init__(self, kernel: str, rows: list[Row]) -> None:
        self.kernel, self.rows = kernel, rows

    @classmethod
    def of(cls, function: SimFunction, raw: list[RawProfile]) -> Profile:
        """From the device's counts by instruction to rows by line."""
        grouped: dict[tuple[Place, int, int, int], list[RawProfile]] = {}
        for p in raw:
            grouped.setdefault((place_of(function, p.pc), p.shared, p.write, p.size), []).append(p)
        rows = []
        for (place, shared, write, size), parts in grouped.items():
            requests = sum(p.requests for p in parts)
            ideal = sum(p.ideal for p in parts)
            rows.append(
                Row(
                    place,
                    "shared" if shared else "global",
                    "store" if write else "load",
                    size,
                    requests,
                    0.0 if shared else sum(p.sectors for p in parts) / requests,
                    0.0 if shared else ideal / requests,
                    sum(p.ways for p in parts) / ideal if shared else 0.0,
                )
            )
        rows.sort(key=lambda row: (row.place.file, row.place.line, row.space, row.access))
        return cls(function.name, rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __str__(self) -> str:
        return "\n".join([f"{self.kernel}: requests of warps by line", *map(str, self.rows)])

    __repr__ = __str__
