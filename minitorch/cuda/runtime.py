"""What a CUDA run time is: memory, copies, compiled functions and launches, the same on a GPU and in the simulator.

Everything above it (the backend, `RawKernel`) knows these verbs and no more, so the run times are interchangeable:
``"cuda"`` on hardware, ``"sim"`` and ``"sim-check"`` on the CPU, ``"ptx"`` in the PTX interpreter.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from .._ext.loops import layout_of

if TYPE_CHECKING:
    from .._tensor import Tensor


class KernelError(RuntimeError):
    """A kernel that was launched wrongly or did something wrong while it ran."""


class OutOfMemoryError(RuntimeError):
    """The device has not so much memory left."""


class CompileError(RuntimeError):
    """CUDA source that does not compile, or that nothing here can compile."""


class Span(NamedTuple):
    """A pointer argument of a kernel, with the memory that may be reached through it.

    >>> Span(4096, 4096, 4144, "float32").high
    4144
    """

    pointer: int
    """Device address of its first element."""
    low: int
    """Device address at which its storage begins."""
    high: int
    """Device address behind its storage: ``[low, high)`` is what the kernel may touch."""
    dtype: str
    """``"float32"``, ``"bfloat16"``, ``"int64"``, ``"bool"`` and so on."""
    writable: bool = True


class Struct(NamedTuple):
    """A struct argument, passed by value, in which there are pointers.

    >>> whole = Struct(np.zeros((), [("n", "u8"), ("x", "u8")]), ((8, Span(4096, 4096, 4144, "float32")),))
    >>> whole.packed(0).hex(" ", 8)
    '0000000000000000 0010000000000000'
    """

    value: np.ndarray
    """A structured value of size one, with zeros in place of the pointers."""
    spans: tuple[tuple[int, Span], ...]
    """At which byte each pointer is, and what it points to."""

    def packed(self, offset: int) -> bytes:
        """The bytes, with pointers as they are when device addresses are `offset` above the real ones."""
        raw = bytearray(self.value.tobytes())
        for place, span in self.spans:
            if span.pointer:
                raw[place : place + 8] = (span.pointer - offset).to_bytes(8, "little")
        return bytes(raw)


class Block(Protocol):
    """Device memory, given back when the object is dropped."""

    pointer: int
    nbytes: int


class Function(Protocol):
    """A compiled kernel."""

    name: str


class Runtime(Protocol):
    """What executes kernels.  Device addresses are plain numbers, of which the host can make no other use."""

    name: str
    """``"cuda"``, ``"sim"``, ``"sim-check"`` or ``"ptx"``."""

    def allocate(self, nbytes: int) -> Block:
        """Memory of the device, aligned to 256 bytes; what it holds is undefined."""

    def allocate_pinned(self, nbytes: int) -> Any:
        """Memory of the host that the device copies by itself: an array, or something with an address `ptr`."""

    def copy(self, target: int, source: int, nbytes: int, kind: str, keep: Any = None) -> None:
        """Copy bytes ``"to device"``, ``"to host"`` or ``"on device"``, after all launches before it.

        Args:
            keep: what holds the host's memory, if that is pinned and the copy need not be waited for.
        """

    def memory_in_use(self) -> tuple[int, int, int]:
        """Bytes in use, bytes held (also for reuse), and the most that were in use."""

    def reset_peak(self) -> None:
        """Let the most that were in use begin again at what is in use now."""

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes of the device to zero."""

    def function(self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> Function:
        """The kernel `name` of a CUDA C source, compiled once and kept, in memory and on disk.

        Args:
            source: the text; ``#line 1 "name.cu"`` in it is what messages speak of.
            name: an ``extern "C"`` kernel, or one of `names`.
            names: all template expressions wanted of this source, as ``("matmul<16>",)``: they are compiled together.
            options: for the compiler, as ``("-DTILE=16",)``.

        Raises:
            CompileError: with the compiler's message.
        """

    def launch(
        self, function: Function, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...], shared: int = 0
    ) -> None:
        """Run a kernel.

        Args:
            grid: number of blocks in up to three dimensions.
            block: number of threads of each block in up to three dimensions.
            args: a `Span`, a NumPy scalar of the parameter's type, a structured NumPy value for a struct by value, a
                `Struct` for one with pointers, or None for a null pointer.
            shared: bytes of dynamic shared memory (``extern __shared__``).

        Raises:
            KernelError: for arguments that do not fit the parameters, sizes above the limits, and what the run finds.
        """

    def synchronize(self) -> None:
        """Wait for everything launched."""

    def empty_cache(self) -> None:
        """Give back the memory that is kept for reuse."""

    def device_name(self) -> str:
        """What the device is called; a simulated one says so."""


CHOICES = ("cuda", "sim", "sim-check", "ptx")
_active: Runtime | None = None
_starting = threading.RLock()


def chosen() -> str:
    """The run time that the environment asks for by ``MINITORCH_CUDA``: the hardware, if it does not."""
    name = os.environ.get("MINITORCH_CUDA") or "cuda"
    if name not in CHOICES:
        raise RuntimeError(f"MINITORCH_CUDA={name}: it must be one of {', '.join(CHOICES)}")
    return name


def hardware_problem() -> str | None:
    """Why there is no GPU to use, and what to do; None if there is one."""
    from .cupy_runtime import problem

    return problem()


def is_active() -> bool:
    """Whether a run time was started."""
    return _active is not None


def active() -> Runtime:
    """The run time in use, started if it is not yet.

    Raises:
        RuntimeError: there is none; the message says what to install or set.
    """
    global _active
    if _active is None:
        with _starting:
            if _active is None:
                started = _start(chosen())
                from .._ext import dispatch
                from .coverage import on_device

                dispatch.guard(on_device)
                _active = started
    return _active


def _start(name: str) -> Runtime:
    if name == "cuda":
        problem = hardware_problem()
        if problem is not None:
            raise RuntimeError(f"there is no CUDA device: {problem}. To run kernels on the CPU, in a simulator, set "
                               " MINITORCH_CUDA=sim before the program starts")  # fmt: skip
        from .cupy_runtime import CupyRuntime

        return CupyRuntime()
    if name == "ptx":
        from .simulator.ptx_runtime import PtxRuntime

        return PtxRuntime()
    from .simulator import Simulator

    return Simulator(check=name == "sim-check")


def span_of(tensor: Tensor, writable: bool = True) -> Span:
    """A tensor of the device as the argument of a kernel."""
    pointer, low, high, _, _, dtype = layout_of(tensor)
    return Span(pointer, low, high, str(dtype).removeprefix("torch."), writable)
