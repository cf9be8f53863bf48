"""The run time of ``MINITORCH_CUDA=ptx``: NVRTC compiles, the PTX interpreter executes, and no GPU takes part."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import nvrtc
from ..runtime import CompileError, KernelError, Span
from . import ptx
from .ptx.program import Program, aligned_bytes

ARCHITECTURE = 80  # whose PTX is run
MOST_THREADS, MOST_SHARED = 1024, 48 * 1024  # of a block, without asking the driver for more
LIMITS = {"grid": (2**31 - 1, 65535, 65535), "block": (1024, 1024, 64)}
FLOATS = {"f16": "float16", "f32": "float32", "f64": "float64"}


class PtxBlock:
    """Memory of the simulated device. Until it is written it holds NaNs."""

    def __init__(self, nbytes: int) -> None:
        self.data = aligned_bytes(nbytes)
        self.data.fill(0xFF)
        self.pointer, self.nbytes = self.data.ctypes.data, nbytes


@dataclass(frozen=True)
class PtxFunction:
    """A kernel, ready to be interpreted."""

    name: str
    program: Program


class Module:
    """A compiled source, each kernel of which is read when it is first asked for."""

    ENTRY = re.compile(r"^\.visible \.entry ([\w$]+)\(.*?^\}", re.MULTILINE | re.DOTALL)

    def __init__(self, text: str, lowered: dict[str, str]) -> None:
        self.text, self.lowered = text, lowered
        self.functions: dict[str, PtxFunction] = {}
        self.regions: dict[str, ptx.Region] = {}  # global variables, which all kernels share

    def function(self, name: str) -> PtxFunction:
        """A kernel by its name in the source, or its name expression."""
        if name not in self.functions:
            wanted = self.lowered.get(name, name)
            kernels = self.ENTRY.findall(self.text)
            if wanted not in kernels:
                raise CompileError(f"the source has no kernel {name}; it has {', '.join(kernels) or 'none'}. The "
                                   "instance of a template must be among the names that are asked for")
            loaded = ptx.Loaded(ptx.parse(self.alone(wanted)), self.regions)
            self.functions[name] = PtxFunction(name, loaded.program(wanted))
        return self.functions[name]

    def alone(self, kernel: str) -> str:
        """The text without the other kernels; every line is where it was."""
        return self.ENTRY.sub(lambda match: match[0] if match[1] == kernel else "\n" * match[0].count("\n"), self.text)


class PtxRuntime:
    """The five verbs of `Runtime`; launches are done when they return."""

    name = "ptx"

    def __init__(self) -> None:
        problem = nvrtc.problem()
        if problem is not None:
            raise RuntimeError(f"MINITORCH_CUDA=ptx executes what NVRTC compiles. {problem}")
        self.modules: dict[str, Module] = {}

    def allocate(self, nbytes: int) -> PtxBlock:
        """Memory, aligned to 256 bytes."""
        return PtxBlock(nbytes)

    def copy(self, target: int, source: int, nbytes: int, kind: str) -> None:
        """Copy bytes; device memory is the host's here."""
        ctypes.memmove(target, source, nbytes)

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes to zero."""
        ctypes.memset(pointer, 0, nbytes)

    def synchronize(self) -> None:
        """Nothing is ever under way."""

    def empty_cache(self) -> None:
        """Nothing is kept."""

    def device_name(self) -> str:
        """That it is no GPU."""
        return f"simulated: PTX for sm_{ARCHITECTURE}, interpreted"

    def function(
        self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> PtxFunction:
        """A kernel of a source; only it is compiled, not the others of ``names``."""
        wanted = (name,) if name in names else ()
        key = hashlib.sha256(json.dumps([source, wanted, options, ARCHITECTURE, nvrtc.version()]).encode()).hexdigest()
        if key not in self.modules:
            self.modules[key] = Module(*_compiled(key, source, wanted, options))
        return self.modules[key].function(name)

    def launch(
        self, function: PtxFunction, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...],
        shared: int = 0,
    ) -> None:  # fmt: skip
        """Run a kernel to its end."""
        program = function.program
        sizes = [_three(function, what, dims) for what, dims in (("grid", grid), ("block", block))]
        threads = int(np.prod(sizes[1]))
        if threads > min(MOST_THREADS, program.entry.most_threads):
            raise KernelError(f"{function.name}: a block of {threads} threads, but at most "
                              f"{min(MOST_THREADS, program.entry.most_threads)} are allowed")
        if program.dynamic_shared + shared > MOST_SHARED:
            raise KernelError(f"{function.name}: {program.dynamic_shared + shared} bytes of shared memory, but a block "
                              f"has at most {MOST_SHARED}")
        parameters = pack(function, args)
        regions = [*program.loaded.regions.values(), *reachable(args)]
        try:
            ptx.launch(program, sizes[0], sizes[1], parameters, ptx.Regions(regions), shared)
        except ptx.PtxError as error:
            raise KernelError(f"{function.name}: {error}") from None


def _three(function: PtxFunction, what: str, dims: tuple[int, ...]) -> tuple[int, int, int]:
    """A grid or block with all three dimensions, within the limits."""
    x, y, z = (*map(int, dims), 1, 1, 1)[:3]
    if not 1 <= len(dims) <= 3 or not all(1 <= n <= most for n, most in zip((x, y, z), LIMITS[what])):
        raise KernelError(f"{function.name}: a {what} of {tuple(dims)}; it must have one to three dimensions, each at "
                          f"least 1 and at most {LIMITS[what]}")
    return x, y, z


def pack(function: PtxFunction, args: tuple[Any, ...]) -> np.ndarray:
    """The arguments as the bytes that the kernel finds.

    Raises:
        KernelError: too few or many, or one that does not fit its parameter.
    """
    program = function.program
    parameters = program.entry.parameters
    if len(args) != len(parameters):
        raise KernelError(f"{function.name}: {len(args)} arguments for {len(parameters)} parameters")
    packed = aligned_bytes(max(program.parameters.size, 1))
    for index, (value, parameter, at) in enumerate(zip(args, parameters, program.offsets)):
        if value is None or isinstance(value, Span):
            value, is_pointer = np.uint64(0 if value is None else value.pointer), True
        elif isinstance(value, np.generic):
            is_pointer = False
        else:
            raise KernelError(f"{function.name}: argument {index} is a {type(value).__name__}; pass a NumPy scalar of "
                              "the parameter's type, such as numpy.int32(3)")
        wanted = FLOATS.get(parameter.type) if not parameter.is_array else None
        fits = value.nbytes == parameter.size and (wanted is None or value.dtype == wanted)
        if not fits or (wanted is None and not parameter.is_array and value.dtype.kind == "f" and value.nbytes > 2):
            what = "a pointer" if is_pointer else f"{value.dtype} of {value.nbytes} bytes"
            expected = wanted or f"{parameter.size} bytes of integers, pointers or a struct"
            raise KernelError(f"{function.name}: argument {index} is {what}, but the parameter is {expected}")
        packed[at:at + parameter.size] = np.frombuffer(value.tobytes(), np.uint8)
    return packed


def reachable(args: tuple[Any, ...]) -> list[ptx.Region]:
    """The memory that the arguments point to, each storage once."""
    found: dict[tuple[int, int], tuple[list[int], bool]] = {}
    for index, value in enumerate(args):
        if isinstance(value, Span):
            names, writable = found.get((value.low, value.high), ([], False))
            found[value.low, value.high] = [*names, index], writable or value.writable
    regions = []
    for (low, high), (indices, writable) in found.items():
        data = np.frombuffer((ctypes.c_uint8 * (high - low)).from_address(low), np.uint8)
        regions.append(ptx.Region(low, data, "argument " + " and ".join(map(str, indices)), writable))
    return regions


def cache_folder() -> Path:
    """Where PTX is kept between programs: ``MINITORCH_CACHE``, or a folder of the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("MINITORCH_CACHE") or f"{base}/minitorch").expanduser() / "ptx"


def _compiled(key: str, source: str, names: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """PTX and the names in it, from the disk if it was compiled before."""
    path = cache_folder() / f"{key}.json"
    try:
        text, lowered = json.loads(path.read_text(encoding="utf-8"))
        return text, lowered
    except (OSError, ValueError):
        pass
    compiled = nvrtc.compile(source, names, ARCHITECTURE, options, ptx=True)
    text = compiled.code.decode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump([text, compiled.names], file)
        os.replace(file.name, path)
    except OSError:
        pass  # a read-only home: compiled again next time
    return text, compiled.names
