"""The accelerator of this machine: a GPU, or none; a simulated device is none."""

from __future__ import annotations

from . import cuda
from ._device import device

__all__ = ["current_accelerator", "current_device_index", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """Whether there is one."""
    return cuda.is_available()


def device_count() -> int:
    """How many there are."""
    return int(cuda.is_available())


def current_accelerator(check_available: bool = False) -> device | None:
    """Its device, without an index; None where there is none that can be used, whether `check_available` or not.

    >>> import minitorch
    >>> minitorch.accelerator.current_accelerator() or "cpu"
    'cpu'
    """
    return device("cuda") if cuda.is_available() else None


def current_device_index() -> int:
    """The index of the one in use."""
    return cuda.current_device()


def synchronize(device: object = None) -> None:
    """Wait for what was begun on it."""
    cuda.synchronize(device)
