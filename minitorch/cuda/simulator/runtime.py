"""The simulator as a run time: ``"sim"`` runs kernels, ``"sim-check"`` checks each access to memory as well."""

from __future__ import annotations

import ctypes
import functools
import struct
import sys
from typing import Any

import numpy as np

from ..arguments import MAX_SHARED, launch_size, spans_of
from ..runtime import KernelError
from . import module, report, toolchain
from .memory import GUARD, OFFSET, Block, Pool

SCHEDULES = ("forward", "reverse", "random")
"""In which order blocks and the threads of a block run."""


@functools.cache
def library() -> ctypes.CDLL:
    """The simulated device, compiled on first use."""
    if not sys.platform.startswith("linux"):
        raise KernelError(f"the CUDA simulator runs on Linux, not on {sys.platform}")
    lib = ctypes.CDLL(str(toolchain.device_library()))
    lib.sim_launch.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
    ]
    lib.sim_allocate.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    lib.sim_allocate.restype = ctypes.c_void_p
    lib.sim_release.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    lib.sim_release.restype = None
    lib.sim_printed.restype = ctypes.c_char_p
    lib.sim_finding.restype = ctypes.POINTER(report.RawFinding)
    lib.sim_profile.argtypes = [ctypes.c_int, ctypes.POINTER(report.RawProfile)]
    lib.sim_profile.restype = None
    return lib


class Simulator:
    """A CUDA device made of the host's processor and memory.

    Args:
        check: report accesses out of bounds, races and the like, each by kernel, line, thread and argument.
        schedule: ``"forward"``, ``"reverse"`` or ``"random"``: a correct kernel gives the same in each.
        seed: of the random schedule.
    """

    def __init__(self, check: bool = False, schedule: str = "forward", seed: int = 1) -> None:
        self.name = "sim-check" if check else "sim"
        self.checked = check
        self._library = library()
        self._launch = self._library.sim_launch
        self.pool = Pool(self._library, checked=check)
        self.set_schedule(schedule, seed)

    def set_schedule(self, schedule: str, seed: int = 1) -> None:
        """Choose in which order blocks and threads run from now on."""
        if schedule not in SCHEDULES:
            raise ValueError(f"the schedule must be one of {SCHEDULES}, not {schedule!r}")
        self.schedule, self.seed = schedule, seed
        self._mode = self._mode_bytes(keep_going=False, profile=False)

    def _mode_bytes(self, keep_going: bool, profile: bool) -> bytes:
        number = SCHEDULES.index(self.schedule)
        return struct.pack("4iI", self.checked, keep_going, profile, number, self.seed & 0xFFFFFFFF)

    # ---- memory

    def allocate(self, nbytes: int) -> Block:
        """Memory of the device, NaN-filled when it is new (and always where accesses are checked)."""
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
        """Copy bytes ``"to device"``, ``"to host"`` or ``"on device"``."""
        if kind == "to device":
            target = real_address(target)
        elif kind == "to host":
            source = real_address(source)
        elif kind == "on device":
            target, source = real_address(target), real_address(source)
        else:
            raise ValueError(f'copy: kind must be "to device", "to host" or "on device", not {kind!r}')
        if kind != "to host":
            self._require(target + OFFSET, nbytes, "a copy to it")
        if kind != "to device":
            self._require(source + OFFSET, nbytes, "a copy of it")
        ctypes.memmove(target, source, nbytes)

    def zero(self, pointer: int, nbytes: int) -> None:
        """Set bytes of the device to zero."""
        real = real_address(pointer)
        self._require(pointer, nbytes, "setting it to zero")
        ctypes.memset(real, 0, nbytes)

    def _require(self, pointer: int, nbytes: int, what: str) -> None:
        """Refuse memory that is not in use, where that is checked."""
        if nbytes and not self.pool.holds(pointer, pointer + nbytes):
            raise KernelError(f"{what}: {nbytes} bytes of the device at {pointer:#x} are not, or no longer, in use: "
                              "keep the tensor that they belong to until this is done")  # fmt: skip

    def synchronize(self) -> None:
        """Nothing to wait for: a launch returns when it is done."""

    def empty_cache(self) -> None:
        """Give unused blocks back to the host."""
        self.pool.release()

    def device_name(self) -> str:
        """What the device is called."""
        return "simulated CUDA device on the CPU" + (", every memory access checked" if self.checked else "")

    # ---- kernels

    def function(
        self, source: str, name: str, names: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> module.SimFunction:
        """The compiled kernel; see `Runtime.function`."""
        return module.load(source, tuple(names), tuple(options), self.checked).function(name)

    def launch(self, function: module.SimFunction, grid: Any, block: Any, args: Any, shared: int = 0) -> None:
        """Run a kernel; see `Runtime.launch`."""
        found = self._run(function, grid, block, args, shared, self._mode)
        if found:
            raise KernelError(str(found[0]))

    def check(self, function: module.SimFunction, grid: Any, block: Any, args: Any, shared: int = 0) -> report.Report:
        """Run a kernel and collect all that is wrong with it, where a launch stops at the first."""
        mode = self._mode_bytes(keep_going=True, profile=False)
        return report.Report(function.name, self._run(function, grid, block, args, shared, mode))

    def profile(
        self, function: module.SimFunction, grid: Any, block: Any, args: Any, shared: int = 0
    ) -> report.Profile:
        """Run a kernel and count what it asks of memory.

        Raises:
            KernelError: if it does something wrong.
        """
        rows: list[report.RawProfile] = []
        found = self._run(function, grid, block, args, shared, self._mode_bytes(False, True), rows)
        if found:
            raise KernelError(str(found[0]))
        return report.Profile.of(function, rows)

    def _run(
        self,
        function: module.SimFunction,
        grid: Any,
        block: Any,
        args: Any,
        shared: int,
        mode: bytes,
        profile: list[report.RawProfile] | None = None,
    ) -> list[report.Finding]:
        size = launch_size(function.name, grid, block, shared)
        if size[6] + function.static_bytes > MAX_SHARED:
            raise KernelError(
                f"{function.name}: {size[6]} bytes of dynamic and {function.static_bytes} of fixed shared memory; a "
                f"block can have {MAX_SHARED}"
            )
        packed = function.packer.pack(args)
        sizes = struct.pack("7I", *size)
        regions, count = (None, 0)
        if self.checked:
            spans = [(i, span) for i, span in spans_of(args) if span.pointer]
            regions = b"".join(struct.pack("QQii", s.low - OFFSET, s.high - OFFSET, i, s.writable) for i, s in spans)
            count = len(spans)
            self.pool.require(function.packer, args, "before the launch")
        found: list[report.Finding] = []
        with module.turn:
            status = self._launch(function.code, packed, sizes, regions, count, mode)
            printed = self._library.sim_printed().decode(errors="replace") if status & 2 else ""
            if status & 1 or (self.checked and self._library.sim_finding_count()):
                found = report.collect(self._library, function, args)
            if profile is not None and not found:
                for i in range(self._library.sim_profile_count()):
                    profile.append(report.RawProfile())
                    self._library.sim_profile(i, ctypes.byref(profile[-1]))
        if self.checked:
            self.pool.require(function.packer, args, "while the kernel ran")
        if printed:
            sys.stdout.write(printed)
        return found


def real_address(address: int) -> int:
    """Where memory of the device is on the host.

    Raises:
        KernelError: it is no address that the device gave out.
    """
    real = address - OFFSET
    if real <= GUARD:
        raise KernelError(f"{address:#x} is no address of the simulated device")
    return real


@functools.cache
def simulator(check: bool = False) -> Simulator:
    """The one simulated device of this process, checked or not."""
    return Simulator(check)
