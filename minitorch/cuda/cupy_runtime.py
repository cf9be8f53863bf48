"""The run time of hardware: CuPy's compiler (NVRTC), memory pool and launches, and nothing else of CuPy.

It was written against CuPy 14 and has not yet run on hardware: without a GPU, CuPy imports and makes modules, and the
tests here go that far.
"""

from __future__ import annotations

import functools
import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from .runtime import CompileError, KernelError, OutOfMemoryError, Span, Struct

INSTALL = "pip install 'minitorch-cython[cuda12]' (or [cuda13] for CUDA 13)"
_NO_DRIVER, _NO_DEVICE = 35, 100  # cudaErrorInsufficientDriver, cudaErrorNoDevice
_COPIES = {"to device": 1, "to host": 2, "on device": 3}  # cudaMemcpyKind
_STATIC_SHARED = 48 * 1024  # what a block can have without asking


@functools.cache
def problem() -> str | None:
    """Why there is no GPU to use, and what to do; None if there is one."""
    try:
        import cupy
    except ImportError as error:
        return f"CuPy, which compiles and launches the kernels, is not installed ({error}): {INSTALL}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return explained(error)
    if count == 0:
        return "no GPU is visible (is CUDA_VISIBLE_DEVICES empty?)"
    return _compiler_problem()


def explained(error: Exception) -> str:
    """An error of CUDA in a sentence that says what to do."""
    status = getattr(error, "status", None)
    if status == _NO_DRIVER:
        return "NVIDIA's driver is missing, or older than CuPy's CUDA needs: install a newer driver, or an older CuPy"
    if status == _NO_DEVICE:
        return "the driver finds no GPU (is CUDA_VISIBLE_DEVICES set to one that does not exist?)"
    return f"CUDA cannot be used: {error}"


def _compiler_problem() -> str | None:
    """CuPy's wheels do not contain NVRTC, which compiles kernels."""
    from cupy_backends.cuda.libs import nvrtc

    try:
        nvrtc.getVersion()
    except (ImportError, OSError, RuntimeError) as error:
        return f"the compiler of kernels, NVRTC, is not installed ({str(error).splitlines()[0]}): {INSTALL}"
    return None


class CupyBlock:
    """Memory of CuPy's pool, given back when the object is dropped."""

    __slots__ = ("_memory", "_stream", "_usage", "nbytes", "pointer", "used_in")

    def __init__(self, memory: Any, nbytes: int, usage: Usage, stream: Any = None) -> None:
        self._memory = memory  # a cupy.cuda.MemoryPointer
        self._usage = usage
        self._stream = stream  # whose later work may use the memory when it is free
        self.used_in: list[Any] = []  # other streams that work with it
        self.pointer, self.nbytes = int(memory.ptr), nbytes
        usage.bytes += nbytes
        usage.peak = max(usage.peak, usage.bytes)

    def __del__(self) -> None:
        self._usage.bytes -= self.nbytes
        for stream in self.used_in:
            self._stream.wait_event(stream.record())


class Usage:
    """How many bytes blocks hold, and the most that they held."""

    bytes = peak = 0


class CupyFunction:
    """A compiled kernel."""

    def __init__(self, name: str, kernel: Any) -> None:
        self.name, self.kernel = name, kernel
        self.shared = _STATIC_SHARED


class CupyRuntime:
    """CUDA by way of CuPy, on the stream that CuPy has as its current one."""

    name = "cuda"

    def __init__(self) -> None:
        import cupy

        self._cupy = cupy
        self.cuda = cupy.cuda
        self._functions: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], CupyFunction] = {}
        self._modules: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Any] = {}
        self._launched: deque[str] = deque(maxlen=4)
        self._usage = Usage()
        self._under_way: deque[tuple[Any, Any]] = deque()  # events of copies, and the host's memory of each
        self._compiling, self._forgetting = threading.RLock(), threading.RLock()

    # ---- memory

    def allocate(self, nbytes: int) -> CupyBlock:
        """Memory of CuPy's pool, which keeps what is given back for reuse; see `Runtime.allocate`.

        Raises:
            OutOfMemoryError: the device has no more.
        """
        if nbytes < 0:
            raise ValueError(f"cannot allocate {nbytes} bytes")
        pool = self._cupy.get_default_memory_pool()
        try:
            return CupyBlock(pool.malloc(max(nbytes, 1)), nbytes, self._usage, self.cuda.get_current_stream())
        except self.cuda.memory.OutOfMemoryError as error:
            raise OutOfMemoryError(f"the GPU is out of memory: {nbytes} bytes asked for, {pool.used_bytes()} in use, "
                                   f"{pool.total_bytes()} held ({error})") from error  # fmt: skip

    def memory_in_use(self) -> tuple[int, int, int]:
        """Bytes in use, bytes that CuPy's pool holds, and the most that were in use."""
        return self._usage.bytes, self._cupy.get_default_memory_pool().total_bytes(), self._usage.peak

    def reset_peak(self) -> None:
        """Let the most that were in use begin again."""
        self._usage.peak = self._usage.bytes

    def allocate_pinned(self, nbytes: int) -> Any:
        """Memory of CuPy's pool of pinned memory."""
        return self.cuda.alloc_pinned_memory(max(nbytes, 1))

    def copy(self, target: int, source: int, nbytes: int, kind: str, keep: Any = None) -> None:
        """Copy bytes on the current stream; copies from and to the host are waited for, unless there is `keep`."""
        if kind not in _COPIES:
            raise ValueError(f'copy: kind must be "to device", "to host" or "on device", not {kind!r}')
        if nbytes == 0:
            return
        stream = self.cuda.get_current_stream()
        with self.reported():
            self.cuda.runtime.memcpyAsync(target, source, nbytes, _COPIES[kind], stream.ptr)
            if keep is not None:
                self._under_way.append((stream.record(), keep))
            elif kind != "on device":
                stream.synchronize()
            with self._forgetting:  # or another thread would forget a copy that is not done
                while self._under_way and self._under_way[0][0].done:
                    self._under_way.popleft()

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes of the device to zero."""
        if nbytes:
            with self.reported():
                self.cuda.runtime.memsetAsync(pointer, 0, nbytes, self.cuda.get_current_stream().ptr)

    def synchronize(self) -> None:
        """Wait for everything launched.

        Raises:
            KernelError: something launched before failed; the message names the last launches.
        """
        with self.reported():
            self.cuda.runtime.deviceSynchronize()
        self._launched.clear()

    def empty_cache(self) -> None:
        """Give the memory that the pool keeps back to the device."""
        self._cupy.get_default_memory_pool().free_all_blocks()

    def device_name(self) -> str:
        """What the device is called."""
        name = self.properties()["name"]
        return name.decode() if isinstance(name, bytes) else str(name)

    def properties(self) -> dict[str, Any]:
        """What CUDA says of the device."""
        return dict(self.cuda.runtime.getDeviceProperties(self.cuda.runtime.getDevice()))

    # ---- kernels

    def function(
        self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> CupyFunction:
        """The compiled kernel, kept here and in CuPy's cache on disk; see `Runtime.function`."""
        key = (source, name, names, options)
        function = self._functions.get(key)
        if function is None:
            with self._compiling:  # threads share a module's `__device__` variables
                function = self._functions.get(key)
                if function is None:
                    function = CupyFunction(name, self._kernel(source, name, tuple(names), tuple(options)))
                    self._functions[key] = function
        return function

    def _kernel(self, source: str, name: str, names: tuple[str, ...], options: tuple[str, ...]) -> Any:
        key = (source, names, options)
        module = self._modules.get(key)
        if module is None:
            module = self._modules[key] = self._cupy.RawModule(
                code=source, options=_options(options), name_expressions=names or None
            )
        try:
            kernel = module.get_function(name)
            kernel.compile()
        except self.cuda.compiler.CompileException as error:
            raise CompileError(f"{name} does not compile:\n{error}") from error
        except self.cuda.driver.CUDADriverError as error:
            raise KernelError(f"there is no kernel {name!r} in its source: declare it extern \"C\", or give it among "
                              f"the name expressions ({error})") from error  # fmt: skip
        return kernel

    def launch(
        self, function: CupyFunction, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], shared: int = 0
    ) -> None:
        """Run a kernel on the current stream, without waiting for it; see `Runtime.launch`."""
        if min(grid) < 1 or min(block) < 1:  # CuPy would launch one block
            raise KernelError(f"{function.name}: a grid of {tuple(grid)} blocks of {tuple(block)} threads has nothing "
                              "to run: do not launch for an empty input")  # fmt: skip
        if shared > function.shared:
            function.kernel.max_dynamic_shared_size_bytes = shared
            function.shared = shared
        self._launched.append(function.name)
        with self.reported():
            function.kernel(tuple(map(int, grid)), tuple(map(int, block)), tuple(map(_passed, args)), shared_mem=shared)
            if os.environ.get("CUDA_LAUNCH_BLOCKING") == "1":  # the driver waits, but CuPy does not ask how it went
                self.cuda.get_current_stream().synchronize()

    def reported(self) -> _Reported:
        """A context in which CUDA's errors become ours."""
        return _Reported(self.cuda, self._launched)


class _Reported:
    """Turns CUDA's errors into ours.  They come late: at the next call after the kernel that caused them."""

    def __init__(self, cuda: Any, launched: deque[str]) -> None:
        self._errors = (cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError)
        self._launched = launched

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, self._errors):
            last = ", ".join(self._launched) or "none"
            raise KernelError(
                f"{error}. The kernels launched last were: {last}; with CUDA_LAUNCH_BLOCKING=1 the error comes at the "
                "launch that causes it, and MINITORCH_CUDA=sim-check finds the line"
            ) from error


def _options(options: tuple[str, ...]) -> tuple[str, ...]:
    if any(option.startswith(("-std=", "--std=")) for option in options):
        return options
    return (*options, "--std=c++17")


def _passed(arg: Any) -> Any:
    """An argument as CuPy takes it: an address as eight bytes, a struct as a NumPy array of size one."""
    if isinstance(arg, Span):
        return np.uint64(arg.pointer)
    if arg is None:
        return np.uint64(0)
    if isinstance(arg, Struct):
        return np.frombuffer(arg.packed(0), arg.value.dtype)
    if isinstance(arg, (np.void, np.ndarray)):
        return np.asarray(arg).reshape(1)
    return arg
