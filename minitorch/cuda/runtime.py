"""Run times: who runs kernels.  The backend knows one by the five verbs of `Runtime`, so they are interchangeable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._ext.loops import layout_of

if TYPE_CHECKING:
    from .._tensor import Tensor

Function = Any  # a compiled kernel, as its run time knows it


class Span(NamedTuple):
    """A pointer argument of a kernel: where it points, and the bytes around it that may be touched."""

    pointer: int
    low: int
    high: int
    dtype: str
    writable: bool = True


class Block(Protocol):
    """Memory of the device, freed when dropped."""

    pointer: int
    nbytes: int


CHOICES = ("cuda", "sim", "sim-check", "ptx")
_active: Any = None


def chosen() -> str:
    """The run time that the environment asks for by ``MINITORCH_CUDA``: the hardware, if it does not."""
    name = os.environ.get("MINITORCH_CUDA") or "cuda"
    if name not in CHOICES:
        raise RuntimeError(f"MINITORCH_CUDA={name}: it must be one of {', '.join(CHOICES)}")
    return name


def hardware_problem() -> str | None:
    """Why there is no GPU to use, and what to do; None if there is one."""
    from .cupy_runtime import problem

    return problem()


def is_active() -> bool:
    """Whether a run time was started."""
    return _active is not None


def active() -> Any:
    """The run time in use, started if it is not yet.

    Raises:
        RuntimeError: there is none; the message says what to install or set.
    """
    global _active
    if _active is None:
        _active = _start(chosen())
        from .._ext import dispatch
        from .coverage import on_device

        dispatch.guard(on_device)
    return _active


def _start(name: str) -> Any:
    if name == "cuda":
        problem = hardware_problem()
        if problem is not None:
            raise RuntimeError(f"there is no CUDA device: {problem}. To run kernels on the CPU, in a simulator, set "
                               " MINITORCH_CUDA=sim before the program starts")  # fmt: skip
        from .cupy_runtime import CupyRuntime

        return CupyRuntime()
    if name == "ptx":
        from .simulator.ptx_runtime import PtxRuntime

        return PtxRuntime()
    from .simulator import Simulator

    return Simulator(check=name == "sim-check")


def span_of(tensor: Tensor, writable: bool = True) -> Span:
    """A tensor of the device as the argument of a kernel."""
    pointer, low, high, _, _, dtype = layout_of(tensor)
    return Span(pointer, low, high, str(dtype).removeprefix("torch."), writable)
