"""Running a program: many threads in step, an array element each.

The threads of a batch of blocks that are at the same instruction execute it together. Where they part, those that are
furthest behind go first, so that the others wait for them where the paths meet again. A barrier is passed when all
threads of a block that have not exited are there, a shuffle or vote when those that its mask names are. This is one of
the orders that hardware may choose, and always the same: a missing barrier need not show.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from .formats import BITS, Array
from .memory import Memory, Regions
from .operands import Reader, Selection, Step
from .parse import SIZES
from .program import BARRIER, BRANCH, CALL, COLLECTIVE, EXIT, PLAIN, RETURN, TABLE, TRAP, Op, Program
from .warp import WARP, ballot

RUNNING, AT_BARRIER, AT_COLLECTIVE, EXITED = range(4)
BATCH_BYTES = 1 << 24  # of registers, for the threads that run together
BATCH_LANES = 1 << 13
FAR = sys.maxsize
PATIENCE = 1000  # jumps after which threads that wait elsewhere get their turn: what is waited for may be theirs to do
FAIRNESS = 64  # every so many choices, some other threads than those furthest behind run
Dim = tuple[int, int, int]


def launch(
    program: Program, grid: Dim, block: Dim, parameters: np.ndarray, regions: Regions, dynamic_shared: int = 0
) -> None:
    """Run a kernel on a grid of blocks."""
    lanes_per_block = -(-block[0] * block[1] * block[2] // WARP) * WARP
    bytes_per_lane = sum(1 if kind == "pred" else SIZES[kind] for kind in program.registers) or 1
    lanes = min(BATCH_LANES, BATCH_BYTES // bytes_per_lane)
    together, blocks = max(1, lanes // lanes_per_block), grid[0] * grid[1] * grid[2]
    with np.errstate(all="ignore"):
        for first in range(0, blocks, together):
            machine = Machine(program, grid, block, range(first, min(first + together, blocks)))
            shared = program.dynamic_shared + dynamic_shared if dynamic_shared else program.static_shared
            machine.memory = Memory(regions, len(machine.blocks), machine.count, shared, program.local.size, parameters)
            machine.special["%dynamic_smem_size"] = np.full(machine.count, dynamic_shared, np.uint32)
            machine.special["%total_smem_size"] = np.full(machine.count, shared, np.uint32)
            machine.run()


class Machine:
    """A batch of blocks. Threads are numbered through, each block's from a multiple of 32 on."""

    memory: Memory

    def __init__(self, program: Program, grid: Dim, block: Dim, blocks: range) -> None:
        self.program, self.blocks = program, blocks
        threads = block[0] * block[1] * block[2]
        self.per_block = -(-threads // WARP) * WARP
        self.count = self.per_block * len(blocks)
        self.numbers = np.arange(self.count)
        self.block = self.numbers // self.per_block  # counted in the batch
        self.special = special_registers(grid, block, blocks, self.numbers, self.per_block)
        self.registers = [_register(kind, self.count) for kind in program.registers]
        self.carry = np.zeros(self.count, np.bool_)
        self.at: Selection = slice(None)
        self.here, self.limit, self.choices, self.impatient = 0, FAR, 0, False
        self.pc = np.full(self.count, program.starts[program.entry.name])
        self.status = np.zeros(self.count, np.int8)
        self.status[self.numbers % self.per_block >= threads] = EXITED  # fills the last warp, never runs
        self.alive = int((self.status != EXITED).sum())
        self.mask = np.zeros(self.count, np.uint32)  # what a thread at a collective waits for
        self.barrier_number = np.zeros(self.count, np.uint32)
        self.barrier_count = np.zeros(self.count, np.uint32)
        self.arrived: dict[tuple[int, int], int] = {}  # by bar.arrive

    # -- what instructions ask

    def active(self) -> Array:
        """The numbers of the threads that execute the present instruction."""
        return self.numbers[self.at]

    def name_of(self, lane: int) -> str:
        """A thread and its block, in words."""

        def place(what: str) -> tuple[int, ...]:
            return tuple(int(self.special[f"%{what}.{axis}"][lane]) for axis in "xyz")

        return f"thread {place('tid')} of block {place('ctaid')}"

    def copy_local(self, copies: Sequence[tuple[int, int, int]]) -> None:
        """Copy arguments and results from one function's local memory to another's."""
        rows = self.memory.local.data.reshape(self.count, -1)
        for source, target, size in copies:
            rows[self.at, target : target + size] = rows[self.at, source : source + size]

    def reduce_blocks(self, predicate: Array, mode: str) -> Array:
        """For each active thread, how many of its block's say yes, or whether all or any do."""
        blocks = self.block[self.at]
        yes = np.bincount(blocks, np.broadcast_to(predicate, len(blocks)), len(self.blocks))[blocks]
        if mode == "popc":
            return yes.astype(np.uint32)
        return yes == np.bincount(blocks, minlength=len(self.blocks))[blocks] if mode == "and" else yes > 0

    # -- who runs

    def select(self, numbers: Array) -> Selection:
        """Threads by their numbers, as a slice where that is possible: NumPy then needs no copies."""
        if len(numbers) and numbers[-1] - numbers[0] + 1 == len(numbers):
            return slice(int(numbers[0]), int(numbers[-1]) + 1)
        return numbers

    def run(self) -> None:
        """Until all threads have exited."""
        while self.choose():
            self.advance()

    def choose(self) -> bool:
        """Choose the threads that run next: those furthest behind. False if all have exited."""
        if not self.alive:
            return False
        running = np.flatnonzero(self.status == RUNNING)
        if not len(running):
            self.release()
            running = np.flatnonzero(self.status == RUNNING)
        places = self.pc[running]
        self.choices += 1
        self.here, self.limit = int(places.min()), FAR
        if self.impatient or self.choices % FAIRNESS == 0:
            others = np.unique(places)
            self.here, self.impatient = int(others[self.choices % len(others)]), False
        chosen = places == self.here
        if not chosen.all():
            rest = places[~chosen]
            ahead = rest[rest > self.here]
            self.limit = int(ahead.min()) if len(ahead) else FAR - 1
            running = running[chosen]
        self.at = self.select(running)
        return True

    def advance(self) -> None:
        """Run the chosen threads until they part, wait, exit, or come to where others are."""
        ops, place, limit = self.program.ops, self.here, self.limit
        patience = PATIENCE if limit != FAR else FAR
        while place < limit and patience:
            op = ops[place]
            if op.kind == PLAIN:
                if op.guard is None:
                    op.step(self)
                else:
                    self.guarded(op.guard, op.step)
                place += 1
                continue
            patience -= 1
            place = CONTROL[op.kind](self, op, place)
            if place < 0:
                return
        self.pc[self.at] = place
        self.impatient = not patience

    def guarded(self, guard: Reader, step: Step) -> None:
        """A step for those threads whose guard holds."""
        holds = guard(self)
        if holds.all():
            step(self)
        elif holds.any():
            everyone = self.at
            self.at = self.select(self.active()[holds])
            step(self)
            self.at = everyone

    # -- jumps: each returns the next place of the threads that run, or -1 after writing down where each one goes

    def part(self, op: Op) -> tuple[Array, Array] | None:
        """The threads for which an instruction's guard holds and the others, or None if it holds for all."""
        if op.guard is None:
            return None
        holds = np.broadcast_to(op.guard(self), len(self.active()))
        return None if holds.all() else (self.active()[holds], self.active()[~holds])

    def branch(self, op: Op, place: int) -> int:
        parts = self.part(op)
        if parts is None:
            return op.target
        taken, rest = parts
        if not len(taken):
            return place + 1
        self.pc[taken] = op.target
        self.pc[rest] = place + 1
        return -1

    def table(self, op: Op, place: int) -> int:
        assert op.mask is not None
        index = np.broadcast_to(op.mask(self), len(self.active()))
        targets = np.array(op.targets)[np.minimum(index, len(op.targets) - 1)]
        parts = self.part(op)
        if parts is not None:
            targets = np.where(np.isin(self.active(), parts[0]), targets, place + 1)
        self.pc[self.at] = targets
        return -1

    def call(self, op: Op, place: int) -> int:
        parts = self.part(op)
        if parts is not None:
            taken, rest = parts
            self.pc[rest] = place + 2
            self.at = self.select(taken)
            if not len(taken):
                return -1
        self.copy_local(op.copies)
        self.registers[op.targets[0]][self.at] = place + 1
        if parts is None:
            return op.target
        self.pc[self.at] = op.target
        return -1

    def return_(self, op: Op, place: int) -> int:
        parts = self.part(op)
        if parts is not None:
            taken, rest = parts
            self.pc[rest] = place + 1
            self.at = self.select(taken)
        self.pc[self.at] = self.registers[op.target][self.at]
        return -1

    def exit(self, op: Op, place: int) -> int:
        parts = self.part(op)
        taken, rest = parts if parts is not None else (self.active(), None)
        self.status[taken] = EXITED
        self.alive -= len(taken)
        if rest is None:
            return -1
        self.at = self.select(rest)
        return place + 1

    def trap(self, op: Op, place: int) -> int:
        parts = self.part(op)
        taken = self.active() if parts is None else parts[0]
        if len(taken):
            raise op.instruction.error(f"was executed by {self.name_of(int(taken[0]))}")
        return place + 1

    # -- waiting

    def barrier(self, op: Op, place: int) -> int:
        parts = self.part(op)
        if parts is not None:
            self.pc[parts[1]] = place + 1
            self.at = self.select(parts[0])
        active = self.active()
        assert op.mask is not None and op.count is not None
        number, count = op.mask(self), op.count(self)
        if "arrive" in op.instruction.modifiers:
            for block, its_number in zip(self.block[active].tolist(), np.broadcast_to(number, len(active)).tolist()):
                self.arrived[block, its_number] = self.arrived.get((block, its_number), 0) + 1
            self.pc[active] = place + 1
            return -1
        if len(active) == self.alive and not self.arrived:
            op.step(self)
            return place + 1
        self.barrier_number[active], self.barrier_count[active] = number, count
        self.pc[active] = place
        self.status[active] = AT_BARRIER
        return -1

    def collective(self, op: Op, place: int) -> int:
        parts = self.part(op)
        if parts is not None:
            self.pc[parts[1]] = place + 1
            self.at = self.select(parts[0])
            if not len(parts[0]):
                return -1
        waiting = (self.status == AT_COLLECTIVE) & (self.pc == place)
        joined = bool(waiting.any())
        if joined:
            waiting[self.at] = True
            self.at = self.select(np.flatnonzero(waiting))
            self.status[self.at] = RUNNING
        active = self.active()
        assert op.mask is not None
        self.mask[active] = op.mask(self)
        own = self.mask[active] >> (active % WARP).astype(np.uint32) & np.uint32(1)
        if not own.all():
            lane = int(active[np.argmin(own)])
            raise op.instruction.error(
                f"is executed by {self.name_of(lane)}, which its mask {int(self.mask[lane]):#x} does not name"
            )
        there = np.zeros(self.count, np.bool_)
        there[active] = True
        ready = self.missing(active, there) == 0
        if ready.all():
            op.step(self)
            if parts is None and not joined:
                return place + 1
            self.pc[active] = place + 1
            return -1
        self.pc[active] = place
        self.status[active[~ready]] = AT_COLLECTIVE
        if ready.any():
            self.at = self.select(active[ready])
            op.step(self)
            self.pc[self.at] = place + 1
        return -1

    def missing(self, lanes: Array, there: Array) -> Array:
        """Which of the threads that lanes' masks name are not there and have not exited."""
        absent = ballot((self.status != EXITED) & ~there)
        return self.mask[lanes] & absent[lanes // WARP]

    def release(self) -> None:
        """Let go on who waited long enough: nobody runs, so who has not come to a barrier yet never will."""
        if not (self.release_collectives() or self.release_barriers()):
            self.deadlock()

    def release_collectives(self) -> bool:
        """Threads whose mask named others that have exited in the meantime."""
        waiting = np.flatnonzero(self.status == AT_COLLECTIVE)
        released = False
        for place in np.unique(self.pc[waiting]):
            lanes = waiting[self.pc[waiting] == place]
            there = np.zeros(self.count, np.bool_)
            there[lanes] = True
            ready = lanes[self.missing(lanes, there) == 0]
            self.status[ready] = RUNNING
            released |= bool(len(ready))
        return released

    def release_barriers(self) -> bool:
        """Blocks all of whose threads are at the same barrier; or as many as the barrier waits for."""
        waiting = self.status == AT_BARRIER
        settled = (waiting | (self.status == EXITED)).reshape(-1, self.per_block).all(1)
        groups: dict[tuple[int, int], Array] = {}
        lanes = np.flatnonzero(waiting)
        for block in np.unique(self.block[lanes]):
            here = lanes[self.block[lanes] == block]
            for number in np.unique(self.barrier_number[here]):
                group = here[self.barrier_number[here] == number]
                count = int(self.barrier_count[group].max())
                enough = (
                    len(group) + self.arrived.get((int(block), int(number)), 0) >= count
                    if count
                    else (settled[block] and len(group) == len(here))
                )
                if enough:
                    groups[int(block), int(number)] = group
        if not groups:
            return False
        for key in groups:
            self.arrived.pop(key, None)
        released = np.sort(np.concatenate(list(groups.values())))
        self.same_barrier(groups)
        for place in np.unique(self.pc[released]):
            self.at = self.select(released[self.pc[released] == place])
            self.program.ops[int(place)].step(self)
        self.pc[released] += 1
        self.status[released] = RUNNING
        return True

    def same_barrier(self, groups: dict[tuple[int, int], Array]) -> None:
        """Threads that wait for all of a block must do so at one instruction."""
        for group in groups.values():
            places = self.pc[group]
            if (places == places[0]).all() or self.barrier_count[group].all():
                continue
            other = int(np.argmax(places != places[0]))
            here, there = (self.program.ops[int(places[k])].instruction for k in (0, other))
            who, whom = self.name_of(int(group[0])), self.name_of(int(group[other]))
            raise here.error(
                f"is reached by {who} while {whom} waits at the barrier at {there.where}: a barrier must "
                "be reached by all threads of a block"
            )

    def deadlock(self) -> None:
        """Say who waits for whom."""
        lane = int(np.flatnonzero(self.status != EXITED)[0])
        instruction = self.program.ops[int(self.pc[lane])].instruction
        if self.status[lane] == AT_COLLECTIVE:
            there = (self.status == AT_COLLECTIVE) & (self.pc == self.pc[lane])
            absent = int(self.missing(np.array([lane]), there)[0])
            missing = lane - lane % WARP + (absent & -absent).bit_length() - 1
            elsewhere = self.program.ops[int(self.pc[missing])].instruction.where
            raise instruction.error(
                f"is waited at by {self.name_of(lane)} for {self.name_of(missing)}, which its mask "
                f"{int(self.mask[lane]):#x} names and which waits at {elsewhere}"
            )
        mine = np.flatnonzero((self.block == self.block[lane]) & (self.status != EXITED))
        other = next((k for k in mine.tolist() if self.pc[k] != self.pc[lane]), lane)
        elsewhere = self.program.ops[int(self.pc[other])].instruction.where
        raise instruction.error(
            f"is waited at by {self.name_of(lane)}, while {self.name_of(other)} waits at {elsewhere}: neither can go on"
        )


CONTROL = {
    BRANCH: Machine.branch,
    TABLE: Machine.table,
    CALL: Machine.call,
    RETURN: Machine.return_,
    EXIT: Machine.exit,
    TRAP: Machine.trap,
    BARRIER: Machine.barrier,
    COLLECTIVE: Machine.collective,
}


def _register(kind: str, count: int) -> Array:
    """A register of every thread, with what nobody has written yet: all bits set."""
    if kind == "pred":
        return np.zeros(count, np.bool_)
    return np.full(count, -1, f"i{SIZES[kind]}").view(BITS[SIZES[kind]])


def special_registers(grid: Dim, block: Dim, blocks: range, numbers: Array, per_block: int) -> dict[str, Array]:
    """What the hardware tells each thread."""
    thread, which = numbers % per_block, numbers // per_block + blocks.start
    lane = (thread % WARP).astype(np.uint32)
    one = np.uint32(1)
    equal = one << lane
    values: dict[str, Array | int] = {
        "%tid.x": thread % block[0], "%tid.y": thread // block[0] % block[1], "%tid.z": thread // (block[0] * block[1]),
        "%ctaid.x": which % grid[0], "%ctaid.y": which // grid[0] % grid[1], "%ctaid.z": which // (grid[0] * grid[1]),
        "%laneid": lane, "%warpid": thread // WARP, "%nwarpid": per_block // WARP,
        "%smid": 0, "%nsmid": 1, "%gridid": 0,
        "%lanemask_eq": equal, "%lanemask_lt": equal - one, "%lanemask_le": equal | (equal - one),
        "%lanemask_gt": ~(equal | (equal - one)), "%lanemask_ge": ~(equal - one),
        "%clock": 0, "%clock_hi": 0, "%clock64": 0, "%globaltimer": 0, "%globaltimer_lo": 0, "%globaltimer_hi": 0,
    }  # fmt: skip
    for axis, size, extent in zip("xyz", block, grid):
        values[f"%ntid.{axis}"], values[f"%nctaid.{axis}"] = size, extent
    wide = {"%clock64", "%globaltimer", "%gridid"}
    return {
        name: np.full(len(numbers), value, np.uint64 if name in wide else np.uint32) for name, value in values.items()
    }
