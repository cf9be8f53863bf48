"""Kernels of one's own: CUDA C source in, a function out, in CuPy's form.

The same kernel runs on a GPU, in the simulator and in the PTX interpreter, whichever is in use; `RawFunction.check` and
`RawFunction.profile` run it in the checking simulator on any machine with a C++ compiler.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import Packer, launch_size, slot_of
from .runtime import Function, KernelError, Span, active, span_of

if TYPE_CHECKING:
    from .simulator import Profile, Report, Simulator

Size = Sequence[int] | int


class RawFunction:
    """A kernel of a `RawModule`; call it to launch it."""

    def __init__(self, module: RawModule, name: str) -> None:
        self.module, self.name = module, name
        self._compiled: dict[Any, Function] = {}
        self._checks: list[Packer | None] | None = None

    def __call__(
        self, grid: Size, block: Size, args: Sequence[Any], *, shared_mem: int = 0, stream: None = None
    ) -> None:
        """Launch the kernel.

        Args:
            grid: number of blocks, in up to three dimensions.
            block: threads of a block, in up to three dimensions; 1024 at most in all.
            args: the arguments: tensors on the device for pointers (strides are not passed: a kernel sees memory),
                NumPy scalars of the parameters' types, structured NumPy values for structs, None for a null pointer.
            shared_mem: bytes of dynamic shared memory.
            stream: None; the launch goes to the stream in use.

        Raises:
            KernelError: for an argument that does not fit its parameter, a size above the device's limits, or what the
                simulator finds.
            CompileError: if the source does not compile.
        """
        if stream is not None:
            raise NotImplementedError("RawKernel: stream= is not supported; launch in `with minitorch.cuda.stream(s):`")
        runtime = active()
        args = tuple(self._device_argument(arg) for arg in args)
        self._check_types(args)
        size = launch_size(self.name, grid, block, shared_mem)
        runtime.launch(self._function(runtime), size[:3], size[3:6], args, shared_mem)

    def compile(self) -> None:
        """Compile for the device in use, which the first launch would do."""
        self._function(active())

    def check(self, grid: Size, block: Size, args: Sequence[Any], *, shared_mem: int = 0) -> Report:
        """Run the kernel in the checking simulator and report all that is wrong with it.

        Arrays may be tensors, on any device, or NumPy arrays; they hold what the kernel wrote afterwards.

        >>> kernel = minitorch.cuda.RawKernel(r'''
        ... extern "C" __global__ void twice(float *x, int n) {
        ...     int i = blockIdx.x * blockDim.x + threadIdx.x;
        ...     if (i <= n) x[i] *= 2;
        ... }''', "twice")
        >>> print(kernel.check(1, 32, (np.ones(8, np.float32), np.int32(8)))[0])
        twice: thread (8,0,0) of block (0,0,0) reads one element past the end of `x` (float32, 8 elements)
        at line 4 of twice.cu: `if (i <= n) x[i] *= 2;`
        """
        simulator, copies = self._simulated(args)
        try:
            return simulator.check(self._function(simulator), grid, block, copies.args, shared_mem)
        finally:
            copies.back()

    def profile(self, grid: Size, block: Size, args: Sequence[Any], *, shared_mem: int = 0) -> Profile:
        """Run the kernel in the simulator and count, by line, what each warp asks of memory.

        In global memory: sectors of 32 bytes a request, against the fewest that hold the same bytes; in shared memory:
        how many passes a request takes because lanes want different words of one bank.

        Raises:
            KernelError: if the kernel does something wrong; `check` shows all of it.
        """
        simulator, copies = self._simulated(args)
        try:
            return simulator.profile(self._function(simulator), grid, block, copies.args, shared_mem)
        finally:
            copies.back()

    def _function(self, runtime: Any) -> Function:
        function = self._compiled.get(runtime)
        if function is None:
            module = self.module
            function = runtime.function(module.code, self.name, module.name_expressions, module.options)
            self._compiled[runtime] = function
        return function

    def _device_argument(self, arg: Any) -> Any:
        if hasattr(arg, "storage_offset"):
            if not arg.is_cuda:
                raise KernelError(f"{self.name}: a tensor on the CPU cannot be an argument: move it with .cuda()")
            return span_of(arg)
        if isinstance(arg, np.ndarray) and arg.size != 1:
            raise KernelError(
                f"{self.name}: a NumPy array is in the host's memory, which a kernel cannot reach: pass "
                "minitorch.from_numpy(array).cuda(), or try the kernel with .check(...), which takes arrays"
            )
        return arg

    def _check_types(self, args: Sequence[Any]) -> None:
        """What the source says of the parameters, before a GPU reads four bytes of an argument of eight."""
        if self._checks is None:
            from .simulator.source import parameters_of

            slots = [slot_of(parameter) for parameter in parameters_of(self.module.code, self.name)]
            self._checks = [Packer(self.name, [slot], 8) if slot else None for slot in slots]
        if self._checks and len(args) != len(self._checks):
            raise KernelError(f"{self.name} takes {len(self._checks)} arguments, and was given {len(args)}")
        for check, arg in zip(self._checks, args):
            if check is not None:
                check.check((arg,))

    def _simulated(self, args: Sequence[Any]) -> tuple[Simulator, _Copies]:
        from .simulator import simulator

        device = simulator(check=True)
        return device, _Copies(device, args)


class RawModule:
    r"""CUDA C source with one or more kernels.

    Args:
        code: the source.  Kernels are declared ``extern "C" __global__ void name(...)``, or are templates.
        options: for the compiler, as ``("-DTILE=16",)``.
        name_expressions: the instances wanted of templates, as ``("matmul<16>",)``.

    >>> module = minitorch.cuda.RawModule(code=r'''
    ... template <typename T> __global__ void add(const T *x, const T *y, T *z, int n) {
    ...     int i = blockIdx.x * blockDim.x + threadIdx.x;
    ...     if (i < n) z[i] = x[i] + y[i];
    ... }''', name_expressions=("add<float>", "add<double>"))
    >>> add = module.get_function("add<float>")
    """

    def __init__(
        self, *, code: str, options: Sequence[str] = (), name_expressions: Sequence[str] | None = None
    ) -> None:
        if not isinstance(code, str):
            raise TypeError(f"RawModule: code must be a str with CUDA C source, not {type(code).__name__}")
        self.code, self.options = code, tuple(options)
        self.name_expressions = tuple(name_expressions or ())

    def get_function(self, name: str) -> RawFunction:
        """A kernel: the name of an ``extern "C"`` function, or one of the name expressions.

        The source is compiled at the first launch.
        """
        return RawFunction(self, name)


class RawKernel(RawFunction):
    r"""A kernel written in CUDA C.

    Args:
        code: the source, with ``extern "C" __global__ void name(...)`` in it.
        name: of the kernel.
        options: for the compiler, as ``("-DTILE=16",)``.

    Launch it by ``kernel(grid, block, args)``; see `RawFunction.__call__`.

    >>> square = minitorch.cuda.RawKernel(r'''
    ... extern "C" __global__ void square(const float *x, float *y, int n) {
    ...     int i = blockIdx.x * blockDim.x + threadIdx.x;
    ...     if (i < n) y[i] = x[i] * x[i];
    ... }''', "square")

    On the device, with ``x = minitorch.arange(5.0, device="cuda")`` and ``y = minitorch.empty_like(x)``, it is
    launched by ``square((1,), (32,), (x, y, numpy.int32(5)))``.
    """

    def __init__(self, code: str, name: str, options: Sequence[str] = ()) -> None:
        super().__init__(RawModule(code=code, options=options, name_expressions=(name,) if "<" in name else None), name)


class _Copies:
    """Arrays and tensors copied to a simulated device, each storage once, and back."""

    def __init__(self, device: Simulator, args: Sequence[Any]) -> None:
        self._device = device
        self._blocks: dict[int, tuple[Any, int, int, bool]] = {}  # by address: block, address, bytes, on the device
        self.args = tuple(self._copied(arg) for arg in args)

    def _copied(self, arg: Any) -> Any:
        if hasattr(arg, "storage_offset"):
            span, there = span_of(arg), arg.is_cuda
        elif isinstance(arg, np.ndarray) and arg.dtype.names is None:
            root = arg
            while isinstance(root.base, np.ndarray):
                root = root.base
            low, high = np.lib.array_utils.byte_bounds(root)
            span, there = Span(arg.ctypes.data, low, high, arg.dtype.name, bool(arg.flags.writeable)), False
        else:
            return arg
        if not span.pointer or span.high <= span.low:
            return None
        if span.low not in self._blocks:
            block = self._device.allocate(span.high - span.low)
            self._blocks[span.low] = (block, span.low, span.high - span.low, there)
            self._move(span.low, block.pointer, span.high - span.low, there, back=False)
        start = self._blocks[span.low][0].pointer
        return Span(start + span.pointer - span.low, start, start + span.high - span.low, span.dtype, span.writable)

    def back(self) -> None:
        """Copy what the kernel left to where it came from."""
        for block, address, nbytes, there in self._blocks.values():
            self._move(address, block.pointer, nbytes, there, back=True)

    def _move(self, address: int, simulated: int, nbytes: int, there: bool, back: bool) -> None:
        buffer = (ctypes.c_char * nbytes)() if there else None
        host = ctypes.addressof(buffer) if buffer is not None else address
        if there and not back:
            active().copy(host, address, nbytes, "to host")
        if back:
            self._device.copy(host, simulated, nbytes, "to host")
        else:
            self._device.copy(simulated, host, nbytes, "to device")
        if there and back:
            active().copy(address, host, nbytes, "to device")


__all__ = ["RawFunction", "RawKernel", "RawModule"]
