"""The host's C++ compiler, and what it made, kept on disk by content."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..runtime import CompileError

HERE = Path(__file__).parent
INCLUDE = HERE / "include"


def cache_directory() -> Path:
    """Where compiled kernels are kept: ``MINITORCH_CACHE_DIR``, or ``minitorch`` in the user's cache directory."""
    chosen = os.environ.get("MINITORCH_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minitorch"


@functools.cache
def compiler() -> tuple[str, ...]:
    """The command of a C++17 compiler: ``CXX``, else g++, else clang++.

    Raises:
        CompileError: if there is none, saying what to install.
    """
    chosen = os.environ.get("CXX")
    if chosen and shutil.which(shlex.split(chosen)[0]):
        return tuple(shlex.split(chosen))
    for name in ("g++", "clang++"):
        if shutil.which(name):
            return (name,)
    raise CompileError(
        "the CUDA simulator compiles kernels with the host's C++ compiler, and there is none: install g++ "
        "(Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++) or set CXX to one"
    )


@functools.cache
def version(command: tuple[str, ...]) -> str:
    """What the compiler calls itself, so that another one's output is not taken for its own."""
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]


def is_clang() -> bool:
    """Whether the compiler takes Clang's options."""
    return "clang" in version(compiler())


@functools.cache
def text(file: Path) -> str:
    """A file's text, read once."""
    return file.read_text()


@functools.cache
def headers() -> str:
    """The text of the simulator's headers, part of what a kernel's object depends on."""
    return "".join(path.read_text() for path in sorted(INCLUDE.glob("*.h")))


def cached(suffix: str, content: Sequence[str], make: Callable[[Path], None]) -> Path:
    """The file that `make` writes for this content, made if it is not there.

    Several processes may make it at once: each writes under a name of its own, and renaming is one step.
    """
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()[:32]
    directory = cache_directory() / "simulator"
    target = directory / f"{key}{suffix}"
    if target.exists():
        return target
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=suffix, prefix=f"{key}.", dir=directory)
    except OSError as error:
        raise CompileError(
            f"compiled kernels cannot be kept in {directory} ({error.strerror}): set MINITORCH_CACHE_DIR to a "
            "directory that can be written"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        make(temporary)
        temporary.chmod(0o755)
        temporary.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    return target


def run_compiler(arguments: Sequence[str]) -> str:
    """Compile; the compiler's messages if that fails, else nothing."""
    done = subprocess.run([*compiler(), *arguments], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


@functools.cache
def device_library() -> Path:
    """The simulated device, compiled: fibers, barriers, the checker."""
    sources = sorted((HERE / "device").glob("*.cpp"))
    flags = ["-O2", "-g1", "-std=c++17", "-fPIC", "-shared", "-U_FORTIFY_SOURCE", "-fno-stack-protector"]
    texts = [path.read_text() for path in sorted((HERE / "device").iterdir()) if path.suffix in {".cpp", ".h"}]

    def make(target: Path) -> None:
        message = run_compiler([*flags, *map(str, sources), "-Wl,-soname,libminitorch-simulator.so", "-o", str(target)])
        if message:
            raise CompileError(f"the CUDA simulator itself does not compile with {compiler()[0]}:\n{message}")

    return cached(".so", [version(compiler()), headers(), *texts, *flags], make)
