"""CUDA devices, of which there are none yet: what programs ask before they use one."""

from . import amp


def is_available() -> bool:
    """Whether there is a CUDA device: no.

    >>> device = "cuda" if minitorch.cuda.is_available() else "cpu"
    >>> device
    'cpu'
    """
    return False


def device_count() -> int:
    """How many CUDA devices there are: none."""
    return 0


def is_initialized() -> bool:
    """Whether a CUDA device is in use: no."""
    return False


def manual_seed(seed: int) -> None:
    """Seed the device's random numbers: there is nothing to seed."""


def manual_seed_all(seed: int) -> None:
    """Seed all devices' random numbers: there is nothing to seed."""


def empty_cache() -> None:
    """Give memory of the device back: there is none."""


def synchronize(device: object = None) -> None:
    """Wait for a device.

    Raises:
        RuntimeError: there is none to wait for.
    """
    raise RuntimeError("cuda.synchronize: there is no CUDA device; ask cuda.is_available() first")


__all__ = ["amp", "device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all",
           "synchronize"]
