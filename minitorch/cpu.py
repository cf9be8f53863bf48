"""The CPU, asked as if it were an accelerator: it is there, once, and never behind."""

from __future__ import annotations

from typing import Any

from . import amp as amp

__all__ = ["current_device", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """Whether there is a CPU."""
    return True


def device_count() -> int:
    """One, however many cores it has: see `get_num_threads`."""
    return 1


def current_device() -> str:
    """The name of the device."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Wait for what was begun: nothing, as every operation ends before it returns."""
