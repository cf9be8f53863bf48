"""The run time of ``MINITORCH_CUDA=ptx``: NVRTC compiles, the PTX interpreter executes, and no GPU takes part."""

from __future__ import annotations

import ctypes
import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import nvrtc
from ..arguments import MAX_SHARED, Packer, Slot, launch_size, slot_of, spans_of
from ..runtime import CompileError, KernelError
from . import ptx, source, toolchain
from .memory import OFFSET, Block, Pool
from .module import included
from .ptx.parse import Variable
from .ptx.program import Program, aligned_bytes
from .runtime import real_address

ARCHITECTURE = 80  # whose PTX is run


class HostMemory:
    """What `Pool` takes blocks from: NumPy's memory, so that no compiled library is needed."""

    def __init__(self) -> None:
        self.blocks: dict[int, np.ndarray] = {}

    def sim_allocate(self, size: int, guard: int) -> int:
        """The address of new memory, NaN-filled, with ``guard`` bytes on either side."""
        room = aligned_bytes(size + 2 * guard)
        room.fill(0xFF)
        address: int = room.ctypes.data + guard
        self.blocks[address] = room
        return address

    def sim_release(self, address: int, guard: int) -> None:
        """Give memory back."""
        del self.blocks[address]


@dataclass(frozen=True)
class PtxFunction:
    """A kernel, ready to be interpreted."""

    name: str
    program: Program
    packer: Packer


class Module:
    """A compiled source, each kernel of which is read when it is first asked for."""

    ENTRY = re.compile(r"^(?:\.visible |\.weak )?\.entry ([\w$]+)\(.*?^\}", re.MULTILINE | re.DOTALL)

    def __init__(self, text: str, compiled: str, lowered: dict[str, str]) -> None:
        self.source, self.ptx, self.lowered = text, compiled, lowered
        self.functions: dict[str, PtxFunction] = {}
        self.regions: dict[str, ptx.Region] = {}  # global variables, which all kernels share

    def function(self, name: str) -> PtxFunction:
        """A kernel by its name in the source, or its name expression."""
        if name not in self.functions:
            wanted = self.lowered.get(name, name)
            kernels = self.ENTRY.findall(self.ptx)
            if wanted not in kernels:
                raise CompileError(
                    f"the source has no kernel {name}; it has {', '.join(kernels) or 'none'}. The "
                    "instance of a template must be among the names that are asked for"
                )
            program = ptx.Loaded(ptx.parse(self.alone(wanted)), self.regions).program(wanted)
            self.functions[name] = PtxFunction(name, program, self.packer(name, program))
        return self.functions[name]

    def alone(self, kernel: str) -> str:
        """The PTX without the other kernels; every line is where it was."""
        return self.ENTRY.sub(lambda match: match[0] if match[1] == kernel else "\n" * match[0].count("\n"), self.ptx)

    def packer(self, name: str, program: Program) -> Packer:
        """What lays out a kernel's arguments, as the source and the PTX describe its parameters."""
        parameters = program.entry.parameters
        written: Sequence[source.Parameter] = source.parameters_of(self.source, name)
        if len(written) != len(parameters):
            written = [source.Parameter(f"argument {k}", "") for k in range(len(parameters))]
        slots = [_slot(p, w, at) for p, w, at in zip(parameters, written, program.offsets)]
        return Packer(name, slots, program.parameters.size, OFFSET)


def _slot(parameter: Variable, written: source.Parameter, at: int) -> Slot:
    """A parameter as the source says it, or as far as the PTX tells where the source uses names of its own."""
    known = slot_of(written)
    if known is not None:
        return known._replace(offset=at)
    if written.is_pointer:
        kind, size = "v", 0
    else:
        kind, size = "s" if parameter.is_array else "f" if parameter.type[0] == "f" else "u", parameter.size
    return Slot(written.name, written.is_pointer, "const" in written.type, kind, size, at)


class PtxRuntime:
    """The verbs of `Runtime`; launches are done when they return."""

    name = "ptx"

    def __init__(self) -> None:
        problem = nvrtc.problem()
        if problem is not None:
            raise RuntimeError(f"MINITORCH_CUDA=ptx executes what NVRTC compiles. {problem}")
        self.memory = HostMemory()
        self.pool = Pool(self.memory, checked=True)  # type: ignore[arg-type]
        self.modules: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Module] = {}
        self._turn = threading.RLock()  # one launch at a time, as in a stream

    def allocate(self, nbytes: int) -> Block:
        """Memory, aligned to 256 bytes. Until it is written it holds NaNs."""
        return self.pool.allocate(nbytes)

    def memory_in_use(self) -> tuple[int, int, int]:
        """Bytes in use, bytes taken from the host, and the most that were in use."""
        return self.pool.allocated, self.pool.reserved, self.pool.peak

    def reset_peak(self) -> None:
        """Let the most that were in use begin again."""
        self.pool.peak = self.pool.allocated

    def allocate_pinned(self, nbytes: int) -> np.ndarray:
        """Plain memory of the host."""
        return np.empty(nbytes, np.uint8)

    def copy(self, target: int, source: int, nbytes: int, kind: str, keep: Any = None) -> None:
        """Copy bytes; device memory is the host's under other addresses."""
        ctypes.memmove(
            target if kind == "to host" else real_address(target),
            source if kind == "to device" else real_address(source),
            nbytes,
        )

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes to zero."""
        ctypes.memset(real_address(pointer), 0, nbytes)

    def synchronize(self) -> None:
        """Nothing is ever under way."""

    def empty_cache(self) -> None:
        """Give unused blocks back to the host."""
        self.pool.release()

    def device_name(self) -> str:
        """That it is no GPU."""
        return f"simulated: PTX for sm_{ARCHITECTURE}, interpreted"

    def function(
        self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> PtxFunction:
        """A kernel of a source; only it is compiled, not the others of ``names``."""
        key = source, (name,) if name in names else (), options
        with self._turn:
            if key not in self.modules:
                self.modules[key] = Module(source, *compiled(*key))
            return self.modules[key].function(name)

    def launch(
        self, function: PtxFunction, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...],
        shared: int = 0,
    ) -> None:  # fmt: skip
        """Run a kernel to its end."""
        program = function.program
        sizes = launch_size(function.name, grid, block, shared)
        threads, most = sizes[3] * sizes[4] * sizes[5], program.entry.most_threads
        if threads > most:
            raise KernelError(f"{function.name}: a block of {threads} threads; __launch_bounds__ allows {most}")
        if program.dynamic_shared + shared > MAX_SHARED:
            raise KernelError(
                f"{function.name}: {program.dynamic_shared + shared} bytes of shared memory; a block can "
                f"have {MAX_SHARED}"
            )
        parameters = np.frombuffer(function.packer.pack(args), np.uint8)
        self.pool.require(function.packer, args, "before the launch")
        regions = [*program.loaded.regions.values(), *reachable(function, args)]
        try:
            with self._turn:
                ptx.launch(program, sizes[:3], sizes[3:6], parameters, ptx.Regions(regions), shared)
        except ptx.PtxError as error:
            raise KernelError(f"{function.name}: {error}") from None


def reachable(function: PtxFunction, args: Sequence[Any]) -> list[ptx.Region]:
    """The memory that the arguments point to, each storage once."""
    found: dict[tuple[int, int], tuple[list[str], bool]] = {}
    for i, value in spans_of(args):
        slot = function.packer.slots[i]
        if value.high > value.low:
            names, writable = found.get((value.low, value.high), ([], False))
            found[value.low, value.high] = [*names, f"`{slot.name}`"], writable or value.writable
    regions = []
    for (low, high), (names, writable) in found.items():
        data = np.frombuffer((ctypes.c_uint8 * (high - low)).from_address(low - OFFSET), np.uint8)
        regions.append(ptx.Region(low - OFFSET, data, " and ".join(names), writable))
    return regions


def compiled(text: str, names: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """PTX and the kernels' names in it, from the disk if it was compiled before."""

    def make(target: Path) -> None:
        result = nvrtc.compile(text, names, ARCHITECTURE, options, ptx=True)
        target.write_text(json.dumps([result.code.decode(), result.names]), encoding="utf-8")

    headers = included(tuple(option for option in options if option.startswith("-I")))
    content = [text, *names, *options, str(ARCHITECTURE), nvrtc.version(), *headers]
    found, lowered = json.loads(toolchain.cached(".ptx.json", content, make).read_text(encoding="utf-8"))
    return found, lowered
