"""NVRTC, NVIDIA's compiler of CUDA C as a library: it needs neither a GPU nor a driver.

`compile` gives what a GPU of an architecture would run, with the options that CuPy compiles users' kernels with, so
that what is seen without a GPU (that it compiles, its registers, its PTX) is what a GPU gets.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .runtime import CompileError

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
"""The architectures that every kernel must compile for: Turing, Ampere (two), Ada, Hopper, Blackwell (two)."""

INSTALL = "pip install 'minitorch-cython[cuda-check]' brings it"


def options(architecture: int, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What CuPy 14 compiles a `RawModule` with: denormals are flushed, products and sums are fused.

    >>> options(80, ("-DTILE=16",))
    ('-DTILE=16', '--std=c++17', '-ftz=true', '-arch=sm_80', '--device-as-default-execution-space')
    """
    return (*extra, "--std=c++17", "-ftz=true", f"-arch=sm_{architecture}", "--device-as-default-execution-space")


@dataclass(frozen=True)
class Usage:
    """What a kernel needs of a multiprocessor, by the compiler's own account."""

    registers: int
    spills: int  # bytes stored and loaded because there were not enough registers
    stack: int  # bytes of local memory a thread
    shared: int  # bytes of static shared memory a block


@dataclass(frozen=True)
class Compiled:
    """A compiled module: machine code or PTX, the kernels' names in it by their name expressions, and the log."""

    code: bytes
    names: dict[str, str]
    log: str

    @property
    def usage(self) -> dict[str, Usage]:
        """For each kernel, by its name in the code: its needs. Only of machine code."""
        return parse_usage(self.log)


def parse_usage(log: str) -> dict[str, Usage]:
    """What ``ptxas -v`` says of each kernel.

    >>> log = '''ptxas info    : Compiling entry function 'twice' for 'sm_80'
    ... ptxas info    : Function properties for twice
    ...     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
    ... ptxas info    : Used 10 registers, used 1 barriers, 1024 bytes smem, 368 bytes cmem[0]'''
    >>> parse_usage(log)
    {'twice': Usage(registers=10, spills=0, stack=0, shared=1024)}
    """
    found = {}
    for part in log.split("Compiling entry function '")[1:]:
        name = part.partition("'")[0]
        counts = re.search(rf"Function properties for {re.escape(name)}\s+(?:ptxas .*?)?(\d+) bytes stack frame, "
                           r"(\d+) bytes spill stores, (\d+) bytes spill loads", part)  # fmt: skip
        used = re.search(r"Used (\d+) registers([^\n]*)", part)
        if counts is None or used is None:
            raise CompileError(f"NVRTC's log says nothing of the registers of {name}:\n{log}")
        stack, stores, loads = (int(number) for number in counts.groups())
        shared = re.search(r"(\d+) bytes smem", used[2])
        found[name] = Usage(int(used[1]), stores + loads, stack, int(shared[1]) if shared else 0)
    return found


def candidates() -> Iterator[str]:
    """Where the library may be: NVIDIA's packages, a CUDA toolkit, what the system finds."""
    folders = [Path(entry) / "nvidia" for entry in sys.path]
    folders += [Path(os.environ[name]) for name in ("CUDA_PATH", "CUDA_HOME") if os.environ.get(name)]
    for folder in [*folders, Path("/usr/local/cuda")]:
        for pattern in ("cuda_nvrtc/lib/libnvrtc.so.*", "cu*/lib/libnvrtc.so.*", "lib64/libnvrtc.so.*"):
            yield from sorted((str(path) for path in folder.glob(pattern) if ".alt." not in path.name), reverse=True)
    found = ctypes.util.find_library("nvrtc")
    if found:
        yield found


@functools.cache
def _open() -> tuple[ctypes.CDLL | None, str]:
    """The library, and its path or why there is none."""
    problem = f"NVRTC, the compiler of CUDA C, is not installed: {INSTALL}"
    for path in candidates():
        try:
            return ctypes.CDLL(path), path
        except OSError as error:
            problem = f"NVRTC cannot be used ({error}): {INSTALL} anew"
    return None, problem


def problem() -> str | None:
    """Why there is no NVRTC and what to do, in a sentence; None if there is one."""
    library, text = _open()
    return text if library is None else None


def path() -> str:
    """Where the library is.

    Raises:
        CompileError: there is none.
    """
    library, text = _open()
    if library is None:
        raise CompileError(text)
    return text


def version() -> str:
    """The version, as ``12.9``.

    Raises:
        CompileError: there is no NVRTC.
    """
    major, minor = ctypes.c_int(), ctypes.c_int()
    _Program.check(_library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return f"{major.value}.{minor.value}"


def _library() -> ctypes.CDLL:
    library, text = _open()
    if library is None:
        raise CompileError(text)
    library.nvrtcGetErrorString.restype = ctypes.c_char_p
    return library


def compile(
    source: str, names: tuple[str, ...] = (), architecture: int = 80, extra: tuple[str, ...] = (), ptx: bool = False
) -> Compiled:
    """Compile CUDA C to machine code, or to PTX with the lines of the source in it.

    Args:
        source: the text of a module.
        names: expressions such as ``matmul<16>`` for the instances of templates that are wanted.
        architecture: of the GPU, as 80.
        extra: options in front of those of `options`.
        ptx: PTX rather than machine code.

    Raises:
        CompileError: the text is not CUDA C, or there is no NVRTC; with the compiler's messages.
    """
    arguments = (*options(architecture, extra), "-lineinfo" if ptx else "--ptxas-options=-v")
    with _Program(source, names) as program:
        log = program.compile(arguments)
        code = program.bytes("PTX" if ptx else "CUBIN")
        return Compiled(code.rstrip(b"\0") if ptx else code, program.lowered(), log)


class _Program:
    """NVRTC's object of that name, freed at the end of a with statement."""

    def __init__(self, source: str, names: tuple[str, ...]) -> None:
        self.library, self.names, self.handle = _library(), names, ctypes.c_void_p()
        self.check(
            self.library.nvrtcCreateProgram(ctypes.byref(self.handle), source.encode(), b"kernel.cu", 0, None, None)
        )

    def __enter__(self) -> _Program:
        return self

    def __exit__(self, *error: object) -> None:
        self.library.nvrtcDestroyProgram(ctypes.byref(self.handle))

    @staticmethod
    def check(result: int) -> None:
        if result:
            raise CompileError(f"NVRTC: {_library().nvrtcGetErrorString(result).decode()}")

    def compile(self, arguments: tuple[str, ...]) -> str:
        """Compile; returns the log."""
        for name in self.names:
            self.check(self.library.nvrtcAddNameExpression(self.handle, name.encode()))
        array = (ctypes.c_char_p * len(arguments))(*[argument.encode() for argument in arguments])
        result = self.library.nvrtcCompileProgram(self.handle, len(arguments), array)
        log = self.bytes("ProgramLog").rstrip(b"\0").decode(errors="replace")
        if result:
            raise CompileError(log or self.library.nvrtcGetErrorString(result).decode())
        return log

    def bytes(self, what: str) -> bytes:
        """One of the results: the log, PTX or CUBIN."""
        size = ctypes.c_size_t()
        self.check(getattr(self.library, f"nvrtcGet{what}Size")(self.handle, ctypes.byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        self.check(getattr(self.library, f"nvrtcGet{what}")(self.handle, buffer))
        return buffer.raw

    def lowered(self) -> dict[str, str]:
        """The names in the code of the name expressions."""
        found = {}
        for name in self.names:
            text = ctypes.c_char_p()
            self.check(self.library.nvrtcGetLoweredName(self.handle, name.encode(), ctypes.byref(text)))
            found[name] = (text.value or b"").decode()
        return found
