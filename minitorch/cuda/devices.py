"""Which device there is, and what can be asked of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from .._device import device as Device
from .._ext.random import device_generator
from . import runtime

if TYPE_CHECKING:
    from .._tensor import Tensor


def is_available() -> bool:
    """Whether there is a GPU that can be used; the simulator is none.

    >>> device = "cuda" if minitorch.cuda.is_available() else "cpu"
    """
    return runtime.hardware_problem() is None


def device_count() -> int:
    """How many devices there are: one GPU at most is used; a simulated device counts where it was asked for."""
    return 1 if runtime.chosen() != "cuda" or is_available() else 0


def is_initialized() -> bool:
    """Whether the device is in use."""
    return runtime.is_active()


def require(device: object = "cuda") -> None:
    """Start the device if it is not in use yet.

    Raises:
        RuntimeError: there is no device; the message says what to install or set.
    """
    index = Device(device).index if isinstance(device, str) else None
    if index:
        raise RuntimeError(f"device {device!r}: minitorch uses one device, cuda:0")
    runtime.active()


def current_device() -> int:
    """The index of the device in use.

    Raises:
        RuntimeError: there is no device.
    """
    require()
    return 0


def get_device_name(device: object = None) -> str:
    """What the device is called; a simulated one says so.

    Raises:
        RuntimeError: there is no device.
    """
    return runtime.active().device_name()


class Properties(NamedTuple):
    """What a device is; bytes of memory, and how many multiprocessors there are."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int


def get_device_properties(device: object = None) -> Properties:
    """What the device is; of a simulated one the name, and of this machine the memory and the cores.

    Raises:
        RuntimeError: there is no device.
    """
    active = runtime.active()
    if active.name != "cuda":
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Properties(active.device_name(), 0, 0, memory, os.cpu_count() or 1)
    found = active.properties()
    return Properties(active.device_name(), found["major"], found["minor"], found["totalGlobalMem"],
                      found["multiProcessorCount"])  # fmt: skip


def get_device_capability(device: object = None) -> tuple[int, int]:
    """The version of what the device can do, as (9, 0); (0, 0) of a simulated one.

    Raises:
        RuntimeError: there is no device.
    """
    return get_device_properties(device)[1:3]


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a device for bfloat16: kernels compute it in float32 on any; by itself from version 8.0 on."""
    return device_count() > 0 and (including_emulation or get_device_capability() >= (8, 0))


def mem_get_info(device: object = None) -> tuple[int, int]:
    """Bytes of memory that are free, and all bytes; of a simulated device what this process leaves of the machine's.

    Raises:
        RuntimeError: there is no device.
    """
    active = runtime.active()
    if active.name == "cuda":
        return tuple(active.cuda.runtime.memGetInfo())
    total = get_device_properties(device).total_memory
    return total - active.memory_in_use()[1], total


def synchronize(device: object = None) -> None:
    """Wait until the device has done all that it was given.

    Raises:
        RuntimeError: there is no device.
    """
    runtime.active().synchronize()


def empty_cache() -> None:
    """Give the memory that is kept for reuse back."""
    if runtime.is_active():
        runtime.active().empty_cache()


# ---- memory


def memory_allocated(device: object = None) -> int:
    """Bytes of the device that tensors hold."""
    return runtime.active().memory_in_use()[0] if runtime.is_active() else 0


def max_memory_allocated(device: object = None) -> int:
    """The most bytes that tensors have held, since the start or `reset_peak_memory_stats`."""
    return runtime.active().memory_in_use()[2] if runtime.is_active() else 0


def memory_reserved(device: object = None) -> int:
    """Bytes of the device that are held: by tensors, or kept for the next ones."""
    return runtime.active().memory_in_use()[1] if runtime.is_active() else 0


def reset_peak_memory_stats(device: object = None) -> None:
    """Let `max_memory_allocated` begin again."""
    if runtime.is_active():
        runtime.active().reset_peak()


def memory_summary(device: object = None, abbreviated: bool = False) -> str:
    """The figures of memory as a table to print.

    Args:
        abbreviated: leave out those of the whole device.

    Raises:
        RuntimeError: there is no device.
    """
    free, total = mem_get_info(device)
    rows = {"held by tensors": memory_allocated(), "at most held by tensors": max_memory_allocated(),
            "held, or kept for reuse": memory_reserved()}  # fmt: skip
    if not abbreviated:
        rows |= {"free": free, "all of the device": total}
    return "\n".join([get_device_name(), *(f"{what:<24}{nbytes / 2**20:>12.2f} MiB" for what, nbytes in rows.items())])


# ---- random numbers


def manual_seed(seed: int) -> None:
    """Seed the device's random numbers, whether or not the device is in use.

    >>> minitorch.cuda.manual_seed(3)
    >>> minitorch.cuda.initial_seed()
    3
    """
    device_generator.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the random numbers of all devices, which are one."""
    device_generator.manual_seed(seed)


def seed() -> None:
    """Seed the device's random numbers from the operating system."""
    device_generator.seed()


def initial_seed() -> int:
    """The seed of the device's random numbers."""
    return device_generator.initial_seed()


def get_rng_state(device: object = "cuda") -> Tensor:
    """The state of the device's random numbers: seed and place, as 16 bytes."""
    return device_generator.get_state()


def set_rng_state(new_state: Tensor, device: object = "cuda") -> None:
    """Go back to a state that `get_rng_state` gave."""
    device_generator.set_state(new_state)


# ---- one device of one


def set_device(device: object) -> None:
    """Choose the device, of which there is one.

    Raises:
        RuntimeError: it is another than ``cuda:0``.
    """
    index = device if isinstance(device, int) else Device(device).index or 0
    if index > 0:
        raise RuntimeError(f"cuda.set_device: minitorch uses one device, cuda:0, not {device!r}")


class device:
    """A context in which a device is the one in use; there is one, so that nothing changes.

    >>> with minitorch.cuda.device(0):
    ...     pass
    """

    def __init__(self, device: object) -> None:
        set_device(device)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass
