"""Which device there is, and what can be asked of it."""

from __future__ import annotations

from .._device import device as Device
from . import runtime


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


def manual_seed(seed: int) -> None:
    """Seed the device's random numbers."""


def manual_seed_all(seed: int) -> None:
    """Seed the random numbers of all devices, which are one."""
