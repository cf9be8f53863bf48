"""The memory that a kernel sees, and the instructions that use it.

Global memory has the addresses that the runtime's allocations have. The other spaces are windows at the top of the
address space: there, an address is a window and an offset that each block (shared) or thread (local) has to itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NoReturn, Protocol

import numpy as np

from . import formats
from .formats import BITS, DTYPES, Array
from .operands import Lanes, Linker, Step, reader, writer
from .parse import SIZES, Address, Instruction, Register, Symbol, Vector

SHARED, LOCAL, PARAM = (1 << 62), (1 << 61), (1 << 60)
WINDOWS = {"shared": SHARED, "local": LOCAL, "param": PARAM}
WINDOW_BITS = np.uint64(60)
OFFSET = np.uint64((1 << 32) - 1)


class Region:
    """One allocation: where it starts, its bytes, and what to call it in a report."""

    def __init__(self, base: int, data: np.ndarray, name: str, writable: bool = True) -> None:
        self.base, self.data, self.name, self.writable = base, data, name, writable
        self.views: dict[int, Array] = {1: data}

    def view(self, size: int) -> Array:
        """The bytes as elements of that many bytes; a last part that is none is left out."""
        if size not in self.views:
            self.views[size] = self.data[: len(self.data) // size * size].view(BITS[size])
        return self.views[size]


class Regions:
    """The allocations of global memory, by address."""

    def __init__(self, regions: list[Region]) -> None:
        self.regions = sorted((region for region in regions if len(region.data)), key=lambda region: region.base)
        self.bases = [region.base for region in self.regions]

    def at(self, address: int) -> Region | None:
        """The region that an address lies in, or the last one before it."""
        index = bisect_right(self.bases, address) - 1
        return self.regions[index] if index >= 0 else None


class Threads(Lanes, Protocol):
    """Lanes with memory."""

    memory: Memory
    block: Array

    def name_of(self, lane: int) -> str:
        """A thread and its block, in words."""


class Memory:
    """All spaces, as one batch of blocks sees them."""

    def __init__(
        self, regions: Regions, blocks: int, lanes: int, shared: int, local: int, parameters: np.ndarray
    ) -> None:
        self.regions = regions
        self.shared_size, self.local_size = shared, local
        self.shared_stride = -(-shared // 16) * 16
        self.local_stride = -(-local // 16) * 16
        # Nobody has written there yet: what is read is a NaN.
        self.shared = Region(SHARED, np.full(blocks * self.shared_stride, 0xFF, np.uint8), "shared memory")
        self.local = Region(LOCAL, np.full(lanes * self.local_stride, 0xFF, np.uint8), "local memory")
        self.parameters = Region(PARAM, parameters, "the parameters")

    def parts(
        self, lanes: Threads, addresses: Array, size: int, i: Instruction, verb: str
    ) -> Iterator[tuple[Array | slice, Region, Array]]:
        """For each region that lanes access: which of them, the region, and the offsets in bytes."""
        windows = addresses >> WINDOW_BITS
        first = int(windows[0])
        if first and (windows == first).all():
            yield slice(None), *self.window(lanes, lanes.active(), addresses, size, i, verb)
            return
        if first == 0 and not windows.any():
            low, high = int(addresses.min()), int(addresses.max())
            region = self.regions.at(low)
            if region is not None and high + size <= region.base + len(region.data):
                offsets = addresses - np.uint64(region.base)
                yield slice(None), region, self.aligned(lanes, region, offsets, size, i, verb)
                return
        yield from self.scattered(lanes, addresses, windows, size, i, verb)

    def scattered(
        self, lanes: Threads, addresses: Array, windows: Array, size: int, i: Instruction, verb: str
    ) -> Iterator[tuple[Array, Region, Array]]:
        """`parts` where lanes access several regions, or none."""
        rest = np.ones(len(addresses), np.bool_)
        for window in np.unique(windows[windows != 0]):
            where = np.flatnonzero(windows == window)
            rest[where] = False
            yield where, *self.window(lanes, lanes.active()[where], addresses[where], size, i, verb)
        while rest.any():
            lane = int(np.argmax(rest))
            address = int(addresses[lane])
            region = self.regions.at(address)
            if region is None or address + size > region.base + len(region.data):
                self.outside(lanes, int(lanes.active()[lane]), address, region, size, i, verb)
            end = region.base + len(region.data)
            where = np.flatnonzero(rest & (addresses >= region.base) & (addresses + np.uint64(size) <= end))
            rest[where] = False
            yield where, region, self.aligned(lanes, region, addresses[where] - np.uint64(region.base), size, i, verb)

    def window(
        self, lanes: Threads, numbers: Array, addresses: Array, size: int, i: Instruction, verb: str
    ) -> tuple[Region, Array]:
        """Shared memory, local memory or the parameters."""
        kind = int(addresses[0] >> WINDOW_BITS)
        offsets = addresses & OFFSET
        if kind == SHARED >> 60:
            region, length, start = self.shared, self.shared_size, lanes.block[numbers] * self.shared_stride
        elif kind == LOCAL >> 60:
            region, length, start = self.local, self.local_size, numbers * self.local_stride
        elif kind == PARAM >> 60:
            region, length, start = self.parameters, len(self.parameters.data), np.zeros(1, np.int64)
        else:
            self.outside(lanes, int(numbers[0]), int(addresses[0]), None, size, i, verb)
        wrong = offsets > np.uint64(max(0, length - size))
        if wrong.any() or length < size:
            lane = int(np.argmax(wrong))
            raise i.error(
                f"{verb} {size} bytes at offset {int(offsets[lane])} of {length} bytes of {region.name}, in "
                f"{lanes.name_of(int(numbers[lane]))}"
            )
        self.aligned(lanes, region, offsets, size, i, verb)
        return region, offsets.astype(np.int64) + start

    def aligned(self, lanes: Threads, region: Region, offsets: Array, size: int, i: Instruction, verb: str) -> Array:
        """The offsets, checked to be multiples of the size, and that a region may be written that is."""
        if not region.writable and verb != "reads":
            lane = int(lanes.active()[0])
            raise i.error(f"{verb} {region.name}, which is only to be read, in {lanes.name_of(lane)}")
        wrong = offsets & np.uint64(size - 1)
        if wrong.any():
            lane = int(np.argmax(wrong != 0))
            raise i.error(
                f"{verb} {size} bytes at offset {int(offsets[lane])} of {region.name}, which is no multiple "
                f"of {size}, in {lanes.name_of(int(lanes.active()[lane]))}"
            )
        return offsets.astype(np.int64)

    def outside(
        self, lanes: Threads, lane: int, address: int, region: Region | None, size: int, i: Instruction, verb: str
    ) -> NoReturn:
        who = lanes.name_of(lane)
        if region is None:
            raise i.error(f"{verb} {size} bytes at address {address:#x}, where there is no memory, in {who}")
        raise i.error(
            f"{verb} {size} bytes at offset {address - region.base} of {region.name}, which has "
            f"{len(region.data)} bytes, in {who}"
        )

    def load(self, lanes: Threads, addresses: Array, size: int, count: int, i: Instruction) -> list[Array]:
        """``count`` elements of ``size`` bytes from each address."""
        loaded: list[Array] | None = None
        for where, region, offsets in self.parts(lanes, addresses, size * count, i, "reads"):
            view, index = region.view(size), offsets // size
            values = [view[index + k] for k in range(count)]
            if isinstance(where, slice):
                return values
            loaded = loaded or [np.empty(len(addresses), BITS[size]) for _ in range(count)]
            for whole, part in zip(loaded, values):
                whole[where] = part
        return loaded or []

    def store(self, lanes: Threads, addresses: Array, size: int, values: list[Array], i: Instruction) -> None:
        """Elements of ``size`` bytes, one after the other, to each address."""
        for where, region, offsets in self.parts(lanes, addresses, size * len(values), i, "writes"):
            view, index = region.view(size), offsets // size
            for k, value in enumerate(values):
                view[index + k] = value[where] if value.ndim else value


# -- instructions


def space_of(i: Instruction) -> str:
    """The space that an instruction names; generic if it names none."""
    for modifier in i.modifiers:
        space = modifier.partition("::")[0]
        if space in ("global", "const", "shared", "local", "param"):
            return space
    return "generic"


def address_reader(operand: object, space: str, i: Instruction, link: Linker) -> Callable[[Threads], Array]:
    """Generic addresses, one for each active lane."""
    if not isinstance(operand, Address):
        raise i.error("has no address in brackets")
    base, offset = operand.base, np.uint64(operand.offset & (1 << 64) - 1)
    window = np.uint64(WINDOWS.get(space, 0))
    if isinstance(base, Register):
        kind = "u64" if SIZES[link.register(base)[1]] == 8 else "u32"
        read = reader(base, kind, i, link)

        def addresses(lanes: Threads) -> Array:
            found = read(lanes).astype(np.uint64) + offset
            return np.where(found < LOCAL, found | window, found) if window else found  # arguments are local memory

        return addresses
    at = (link.address_of(base, i) if isinstance(base, Symbol) else base.value) + operand.offset
    fixed = np.uint64(at & (1 << 64) - 1) | (window if at < LOCAL else np.uint64(0))
    return lambda lanes: np.full(len(lanes.active()), fixed)


def prepare_ld(i: Instruction, link: Linker) -> Step:
    """``ld``, also of vectors."""
    kind, size = i.type, SIZES[i.type]
    targets = i.operands[0].items if isinstance(i.operands[0], Vector) else (i.operands[0],)
    writes = [writer(target, i, link) for target in targets]
    where, dtype = i.operands[1], DTYPES[i.type]
    if size > 8:
        raise i.error("is not supported: no register has 128 bits here")
    if isinstance(where, Address) and isinstance(where.base, Symbol) and space_of(i) == "param":
        at = link.address_of(where.base, i) + where.offset
        if at < LOCAL:  # a parameter of the entry: all threads read the same
            return _load_parameter(at, kind, writes)
    addresses = address_reader(where, space_of(i), i, link)

    def load(lanes: Threads) -> None:
        values = lanes.memory.load(lanes, addresses(lanes), size, len(writes), i)
        for write, value in zip(writes, values):
            write(lanes, value.view(dtype))

    return load  # type: ignore[return-value]


def _load_parameter(at: int, kind: str, writes: list) -> Step:  # type: ignore[type-arg]
    size, dtype = SIZES[kind], DTYPES[kind]

    def load(lanes: Threads) -> None:
        data = lanes.memory.parameters.data
        for k, write in enumerate(writes):
            write(lanes, data[at + k * size : at + (k + 1) * size].view(dtype)[0])

    return load  # type: ignore[return-value]


def prepare_st(i: Instruction, link: Linker) -> Step:
    """``st``, also of vectors."""
    size = SIZES[i.type]
    sources = i.operands[1].items if isinstance(i.operands[1], Vector) else (i.operands[1],)
    reads = [reader(source, f"b{8 * size}", i, link) for source in sources]
    addresses = address_reader(i.operands[0], space_of(i), i, link)

    def store(lanes: Threads) -> None:
        lanes.memory.store(lanes, addresses(lanes), size, [read(lanes) for read in reads], i)

    return store  # type: ignore[return-value]


def prepare_cvta(i: Instruction, link: Linker) -> Step:
    """``cvta``: from a space's own addresses to generic ones, and back."""
    write = writer(i.operands[0], i, link)
    read = reader(i.operands[1], "u64" if i.type == "u64" else "u32", i, link)
    window = np.uint64(WINDOWS.get(space_of(i), 0))
    if "to" in i.modifiers:
        return lambda lanes: write(lanes, np.asarray(read(lanes).astype(np.uint64) & ~window))
    return lambda lanes: write(lanes, np.asarray(read(lanes).astype(np.uint64) | window))


def prepare_isspacep(i: Instruction, link: Linker) -> Step:
    """``isspacep``: whether a generic address lies in a space."""
    write, read = writer(i.operands[0], i, link), reader(i.operands[1], "u64", i, link)
    window = np.uint64(WINDOWS.get(space_of(i), 0) >> 60)
    return lambda lanes: write(lanes, np.asarray((read(lanes) >> WINDOW_BITS) == window))


def prepare_cp(i: Instruction, link: Linker) -> Step:
    """``cp.async`` from global to shared memory, done at once; what waits for it has nothing to wait for."""
    if i.modifiers[:1] != ("async",) or "bulk" in i.modifiers:
        raise i.error("is not supported")
    if not i.operands or not isinstance(i.operands[0], Address):
        return lambda lanes: None  # commit_group, wait_group, wait_all
    to = address_reader(i.operands[0], "shared", i, link)
    source = address_reader(i.operands[1], "global", i, link)
    size = int(reader(i.operands[2], "u32", i, link)(None))  # type: ignore[arg-type]
    length = reader(i.operands[3], "u32", i, link) if len(i.operands) > 3 else None

    def copy(lanes: Threads) -> None:
        kept = np.broadcast_to(length(lanes) if length else np.uint32(size), len(lanes.active()))
        addresses = source(lanes)
        if (kept == size).all():
            values = lanes.memory.load(lanes, addresses, 4, size // 4, i)
        elif not kept.any():
            values = [np.zeros(len(kept), np.uint32)] * (size // 4)
        else:
            raise i.error("is not supported with sizes that differ between threads")
        lanes.memory.store(lanes, to(lanes), 4, values, i)

    return copy  # type: ignore[return-value]


# -- atomics

_UFUNCS = {
    "add": np.add,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
Update = Callable[[Array, Array], Array]


def _halves(packed: Array, dtype: type[np.generic]) -> Array:
    """What is packed in registers, one after the other."""
    return np.ascontiguousarray(packed).view(dtype)


def _update(i: Instruction, name: str, kind: str) -> Update:
    """The value that an atomic instruction leaves behind."""
    if kind == "f16x2":
        return lambda old, new: (_halves(old, np.float16) + _halves(new, np.float16)).view(np.uint32)
    if kind in ("bf16", "bf16x2"):

        def add(old: Array, new: Array) -> Array:
            x, y = (formats.bf16_values(_halves(values, np.uint16)) for values in (old, new))
            return formats.arithmetic("add", x, y, "bf16").view(old.dtype)

        return add
    if name in _UFUNCS:
        return _UFUNCS[name]
    if name == "exch":
        return lambda old, new: new
    if name == "inc":
        return lambda old, limit: np.where(old >= limit, old.dtype.type(0), old + old.dtype.type(1))
    if name == "dec":
        return lambda old, limit: np.where((old == 0) | (old > limit), limit, old - old.dtype.type(1))
    raise i.error("is not supported")


def prepare_atom(i: Instruction, link: Linker, wanted: bool) -> Step:
    """``atom`` and ``red``; ``wanted`` is whether anything reads what the memory held before."""
    kind, size = i.type, SIZES[i.type]
    dtype = DTYPES[kind]
    name = next((m for m in i.modifiers if m in (*_UFUNCS, "exch", "inc", "dec", "cas")), "")
    operands = i.operands if i.opcode == "red" else i.operands[1:]
    write = writer(i.operands[0], i, link) if i.opcode == "atom" else None
    addresses = address_reader(operands[0], space_of(i), i, link)
    bits = kind if dtype is not np.uint16 and not kind.endswith("x2") else f"b{8 * size}"
    reads = [reader(operand, bits, i, link) for operand in operands[1:]]
    update = None if name == "cas" else _update(i, name, kind)
    at_once = _UFUNCS.get(name) if kind not in ("f16x2", "bf16", "bf16x2") else None

    def atomic(lanes: Threads) -> None:
        count = len(lanes.active())
        values = [np.broadcast_to(read(lanes), count) for read in reads]
        before = np.empty(count, dtype)
        for where, region, offsets in lanes.memory.parts(lanes, addresses(lanes), size, i, "changes"):
            view, index = region.view(size).view(dtype), offsets // size
            if at_once is not None and not wanted:
                at_once.at(view, index, values[0][where])
            elif update is None:
                before[where] = _compare_and_swap(view, index, values[0][where], values[1][where])
            else:
                before[where] = _one_after_another(view, index, values[0][where], update)
        if write is not None and wanted:
            write(lanes, before)

    return atomic  # type: ignore[return-value]


def _one_after_another(view: Array, index: Array, values: Array, update: Update) -> Array:
    """Update elements of ``view``, those that several lanes update in the order of the lanes; what each lane found."""
    before = np.empty(len(index), view.dtype)
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    positions = np.arange(len(order))
    turn = positions - np.maximum.accumulate(np.where(starts, positions, 0))
    for number in range(int(turn.max()) + 1):
        lanes = order[turn == number]
        at = index[lanes]
        before[lanes] = view[at]
        view[at] = update(view[at], values[lanes])
    return before


def _compare_and_swap(view: Array, index: Array, expected: Array, values: Array) -> Array:
    """Each lane in turn: the value it found, replaced by its own where that was the expected one."""
    found = view[index].tolist()
    current = dict(zip(index.tolist(), found))
    for lane, (at, old, new) in enumerate(zip(index.tolist(), expected.tolist(), values.tolist())):
        found[lane] = current[at]
        if current[at] == old:
            current[at] = new
    view[list(current)] = list(current.values())
    return np.array(found, view.dtype)
