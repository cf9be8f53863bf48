"""Instructions by which the threads of a warp see each other: shuffles, votes, matches, reductions.

All of them wait for the threads that their mask names, as long as those have not exited (`prepare` says which mask);
the machine does the waiting, so that here all who take part are there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .formats import DTYPES, Array
from .memory import Threads
from .operands import Linker, Reader, Step, reader, writer
from .parse import Instruction, Operand, Pair

WARP = 32
COLLECTIVES = ("shfl", "vote", "match", "redux", "elect")


def ballot(where: Array) -> Array:
    """For each warp, the bits of the lanes where a condition holds."""
    return np.packbits(where.reshape(-1, WARP), axis=1, bitorder="little").view(np.uint32)[:, 0]


def prepare(i: Instruction, link: Linker) -> tuple[Reader, Step]:
    """The mask of an instruction, and what it does once all of the mask are there."""
    if "sync" not in i.modifiers:
        raise i.error("is not supported: it has no mask of the threads that take part, as sm_70 and later need")
    if i.opcode == "bar":
        return reader(i.operands[0], "u32", i, link), lambda lanes: None
    step = {"shfl": _shuffle, "vote": _vote, "match": _match, "redux": _reduce, "elect": _elect}[i.opcode](i, link)
    return reader(i.operands[-1], "u32", i, link), step  # type: ignore[return-value]


def _two_targets(target: Operand) -> tuple[Operand, Operand | None]:
    return (target.first, target.second) if isinstance(target, Pair) else (target, None)


def _everywhere(lanes: Threads, values: Array) -> Array:
    """Values of the active lanes, at the places of all lanes."""
    whole = np.zeros(lanes.count, values.dtype)
    whole[lanes.at] = values
    return whole


def _shuffle(i: Instruction, link: Linker) -> Callable[[Threads], None]:
    mode = next(m for m in i.modifiers if m in ("up", "down", "bfly", "idx"))
    first, second = _two_targets(i.operands[0])
    write = writer(first, i, link)
    write_valid = writer(second, i, link) if second is not None else None
    value, by, control = (reader(operand, "u32", i, link) for operand in i.operands[1:4])

    def shuffle(lanes: Threads) -> None:
        numbers = lanes.active()
        lane = numbers % WARP
        b, c = by(lanes).astype(np.int64) & 31, control(lanes).astype(np.int64)
        segment = c >> 8 & 31
        low = lane & segment
        bound = low | (c & 31 & ~segment)
        source = {
            "up": lambda: lane - b,
            "down": lambda: lane + b,
            "bfly": lambda: lane ^ b,
            "idx": lambda: low | (b & ~segment),
        }[mode]()
        valid = source >= bound if mode == "up" else source <= bound
        source = np.where(valid, source, lane)
        taking_part = _everywhere(lanes, np.ones(1, np.bool_))
        at = numbers - lane + source
        found = _everywhere(lanes, value(lanes))[at]
        # What a thread that takes no part would give is undefined: a NaN.
        write(lanes, np.where(taking_part[at], found, np.uint32(0xFFFFFFFF)))
        if write_valid is not None:
            write_valid(lanes, valid)

    return shuffle


def _vote(i: Instruction, link: Linker) -> Callable[[Threads], None]:
    mode = next(m for m in i.modifiers if m in ("all", "any", "uni", "ballot"))
    write = writer(i.operands[0], i, link)
    predicate, mask = (reader(operand, kind, i, link) for operand, kind in zip(i.operands[1:], ("pred", "u32")))

    def vote(lanes: Threads) -> None:
        warps = lanes.active() // WARP
        among = mask(lanes)
        yes = ballot(_everywhere(lanes, predicate(lanes)))[warps] & among
        there = ballot(_everywhere(lanes, np.ones(1, np.bool_)))[warps] & among
        results = {
            "ballot": lambda: yes,
            "any": lambda: yes != 0,
            "all": lambda: yes == there,
            "uni": lambda: (yes == there) | (yes == 0),
        }
        write(lanes, results[mode]())

    return vote


def _match(i: Instruction, link: Linker) -> Callable[[Threads], None]:
    first, second = _two_targets(i.operands[0])
    write = writer(first, i, link)
    write_same = writer(second, i, link) if second is not None else None
    value, mask = reader(i.operands[1], i.type, i, link), reader(i.operands[2], "u32", i, link)

    def match(lanes: Threads) -> None:
        warps = lanes.active() // WARP
        mine = np.broadcast_to(value(lanes), len(warps))
        there = _everywhere(lanes, np.ones(1, np.bool_)).reshape(-1, WARP)[warps]
        rows = _everywhere(lanes, mine).reshape(-1, WARP)[warps]
        equal = np.packbits((rows == mine[:, None]) & there, axis=1, bitorder="little").view(np.uint32)[:, 0]
        among = mask(lanes) & np.packbits(there, axis=1, bitorder="little").view(np.uint32)[:, 0]
        equal = equal & among
        if "any" in i.modifiers:
            write(lanes, equal)
            return
        same = equal == among
        write(lanes, np.where(same, among, np.uint32(0)))
        if write_same is not None:
            write_same(lanes, same)

    return match


def _reduce(i: Instruction, link: Linker) -> Callable[[Threads], None]:
    name = next(m for m in i.modifiers if m in ("add", "min", "max", "and", "or", "xor"))
    dtype = DTYPES[i.type]
    write = writer(i.operands[0], i, link)
    value, mask = reader(i.operands[1], i.type, i, link), reader(i.operands[2], "u32", i, link)
    ufunc = {
        "add": np.add,
        "min": np.minimum,
        "max": np.maximum,
        "and": np.bitwise_and,
        "or": np.bitwise_or,
        "xor": np.bitwise_xor,
    }[name]
    if name in ("min", "max"):
        limits = np.iinfo(dtype)
        neutral = limits.max if name == "min" else limits.min
    else:
        neutral = (1 << 32) - 1 if name == "and" else 0
    nothing = np.array(neutral & 0xFFFFFFFF, np.uint32).view(dtype)

    def reduce(lanes: Threads) -> None:
        warps = lanes.active() // WARP
        there = _everywhere(lanes, np.ones(1, np.bool_)).reshape(-1, WARP)[warps]
        rows = _everywhere(lanes, np.broadcast_to(value(lanes), len(warps))).reshape(-1, WARP)[warps]
        bits = (np.broadcast_to(mask(lanes), len(warps))[:, None] >> np.arange(WARP, dtype=np.uint32)) & np.uint32(1)
        write(lanes, ufunc.reduce(np.where(there & (bits != 0), rows, nothing), axis=1, dtype=dtype))

    return reduce


def _elect(i: Instruction, link: Linker) -> Callable[[Threads], None]:
    first, second = _two_targets(i.operands[0])
    write = writer(first, i, link)
    write_elected = writer(second, i, link) if second is not None else None
    mask = reader(i.operands[1], "u32", i, link)

    def elect(lanes: Threads) -> None:
        among = mask(lanes)
        lowest = np.bitwise_count((among & (~among + np.uint32(1))) - np.uint32(1)).astype(np.uint32)
        write(lanes, lowest)
        if write_elected is not None:
            write_elected(lanes, lowest == lanes.active() % WARP)

    return elect


def prepare_activemask(i: Instruction, link: Linker) -> Step:
    """``activemask``: who executes this right now."""
    write = writer(i.operands[0], i, link)

    def active(lanes: Threads) -> None:
        there = ballot(_everywhere(lanes, np.ones(1, np.bool_)))
        write(lanes, there[lanes.active() // WARP])

    return active  # type: ignore[return-value]
