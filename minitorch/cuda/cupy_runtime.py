"""The run time of hardware: CuPy compiles and launches the kernels."""

from __future__ import annotations


def problem() -> str | None:
    """Why there is no GPU to use, and what to do; None if there is one."""
    return "minitorch's run time for hardware is not there yet"
