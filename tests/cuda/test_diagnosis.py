"""What the doctor says of CUDA in each state that a machine may be in."""

import pytest

from minitorch.cuda import diagnosis
from minitorch.cuda.runtime import CompileError


@pytest.fixture
def machine(monkeypatch):
    """A function that sets what there is."""

    def make(gpu="none found (not needed)", cupy=None, nvrtc="NVRTC is not installed", hardware="no driver", cxx=None):
        monkeypatch.setattr(diagnosis, "gpu", lambda: gpu)
        monkeypatch.setattr(diagnosis, "installed_cupy", lambda: cupy)
        monkeypatch.setattr(diagnosis.nvrtc, "problem", lambda: nvrtc)
        monkeypatch.setattr(diagnosis.runtime, "hardware_problem", lambda: hardware)
        monkeypatch.setattr(diagnosis, "_compiler", lambda: cxx)

    return make


def said(**environment: str) -> str:
    return "\n".join(diagnosis.problems(environment))


def test_nothing_is_no_problem(machine):
    machine()
    assert said() == ""
    assert set(diagnosis.facts()) == {"CuPy", "GPU", "NVRTC", "C++ compiler", 'device "cuda"'}


def test_a_gpu_that_is_not_used(machine):
    machine(gpu="NVIDIA H100, driver 580")
    assert "cuda13" in said() and "not CuPy" in said()
    machine(gpu="no GPU", cupy="cupy-cuda12x 14.2.0")
    assert "nvidia-smi finds no GPU" in said()
    assert "without NVRTC" in said() and "no driver" in said()
    machine(gpu="NVIDIA H100, driver 580", cupy="cupy-cuda13x 14.2.0", nvrtc=None, hardware=None)
    assert said() == ""
    assert "unset it to use that" in said(MINITORCH_CUDA="ptx")


def test_a_simulator_that_lacks_something(machine):
    machine()
    assert "is none of cuda, sim, sim-check, ptx" in said(MINITORCH_CUDA="fast")
    assert "install g++" in said(MINITORCH_CUDA="sim-check")
    assert "NVRTC is not installed" in said(MINITORCH_CUDA="ptx")
    machine(nvrtc=None, cxx="g++ 12")
    assert said(MINITORCH_CUDA="ptx") == said(MINITORCH_CUDA="sim") == ""


def test_no_compiler(monkeypatch):
    from minitorch.cuda.simulator import toolchain

    def none():
        raise CompileError("no compiler")

    monkeypatch.setattr(toolchain, "compiler", none)
    assert diagnosis.facts()["C++ compiler"].startswith("none")
