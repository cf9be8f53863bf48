"""What ``python -m minitorch doctor`` says of CUDA: what is there, and what to do about what is not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from . import nvrtc, runtime
from .runtime import CompileError

CUPY = ("cupy-cuda13x", "cupy-cuda12x", "cupy")


def facts() -> dict[str, str]:
    """What there is, by subject.

    >>> list(facts())
    ['CuPy', 'GPU', 'NVRTC', 'C++ compiler', 'device "cuda"']
    """
    return {
        "CuPy": installed_cupy() or "not installed (only GPUs need it)",
        "GPU": gpu(),
        "NVRTC": f"{nvrtc.version()} at {nvrtc.path()}" if nvrtc.problem() is None else "not installed (not needed)",
        "C++ compiler": _compiler() or "none (only the simulator needs it)",
        'device "cuda"': _device(),
    }


def installed_cupy() -> str | None:
    """The name and version of the CuPy that is installed, if any."""
    for name in CUPY:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


def gpu() -> str:
    """What NVIDIA's tool finds."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none found (not needed)"
    command = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        names = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        names = []
    return "; ".join(f"{line.split(',')[0]}, driver{line.split(',')[1]}" for line in names) or "no GPU"


def _compiler() -> str | None:
    """The host's compiler that the simulator uses."""
    from .simulator import toolchain

    try:
        return toolchain.version(toolchain.compiler())
    except CompileError:
        return None


def _device() -> str:
    """What a tensor on ``"cuda"`` would be on."""
    try:
        name = runtime.chosen()
    except RuntimeError:
        return "none"
    if name == "cuda":
        problem = runtime.hardware_problem()
        return "a GPU" if problem is None else "none; MINITORCH_CUDA=sim simulates one"
    return {"sim": "simulated", "sim-check": "simulated, every memory access checked",
            "ptx": "simulated: NVRTC's PTX, interpreted"}[name]  # fmt: skip


def problems(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each thing that is not as it could be, with what to do."""
    found, name = gpu(), environment.get("MINITORCH_CUDA") or "cuda"
    there = found not in ("no GPU", "none found (not needed)")
    if "CUDA_VISIBLE_DEVICES" not in environment and found == "no GPU":
        yield "nvidia-smi finds no GPU: the driver is installed but does not work; see what nvidia-smi says"
    if name not in runtime.CHOICES:
        yield f"MINITORCH_CUDA={name} is none of {', '.join(runtime.CHOICES)}: set it to one of these, or unset it"
    elif name == "cuda":
        yield from _hardware_problems(there)
    elif there:
        yield f"MINITORCH_CUDA={name} simulates a GPU where there is one ({found}): unset it to use that"
    if name in ("sim", "sim-check") and _compiler() is None:
        yield (
            f"MINITORCH_CUDA={name} compiles kernels with the host's C++ compiler, and there is none: install g++, "
            "or set CXX to one"
        )
    if name == "ptx" and nvrtc.problem() is not None:
        yield f"MINITORCH_CUDA=ptx executes what NVRTC compiles. {nvrtc.problem()}"


def _hardware_problems(there: bool) -> Iterator[str]:
    """What keeps a GPU from being used, where there is one or CuPy is installed for one."""
    if there and installed_cupy() is None:
        yield (
            "there is a GPU, but not CuPy, by which it is used: pip install 'minitorch-cython[cuda13]', or [cuda12] "
            "where the driver is older than 580"
        )
        return
    if installed_cupy() is None:
        return
    if nvrtc.problem() is not None:
        yield (
            "CuPy is installed without NVRTC, which compiles the kernels: pip install 'minitorch-cython[cuda13]', "
            "or [cuda12] with cupy-cuda12x, brings both"
        )
    problem = runtime.hardware_problem()
    if problem is not None:
        yield f"CuPy is installed, but no GPU can be used: {problem}"


__all__ = ["facts", "gpu", "installed_cupy", "problems"]
