"""What a CUDA run time is: memory, copies, compiled functions and launches, the same on a GPU and in the simulator.

Everything above it (the backend, `RawKernel`) knows these verbs and no more, so the run times are interchangeable:
``"cuda"`` on hardware, ``"sim"`` and ``"sim-check"`` on the CPU, ``"ptx"`` in the PTX interpreter.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class KernelError(RuntimeError):
    """A kernel that was launched wrongly or did something wrong while it ran."""


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

    def copy(self, target: int, source: int, nbytes: int, kind: str) -> None:
        """Copy bytes ``"to device"``, ``"to host"`` or ``"on device"``, after all launches before it."""

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes of the device to zero."""

    def function(
        self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> Function:
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
            args: a `Span`, a NumPy scalar of the parameter's type, a structured NumPy value for a struct by value, or
                None for a null pointer.
            shared: bytes of dynamic shared memory (``extern __shared__``).

        Raises:
            KernelError: for arguments that do not fit the parameters, sizes above the limits, and what the run finds.
        """

    def synchronize(self) -> None:
        """Wait for everything launched."""
