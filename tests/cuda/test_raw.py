"""Kernels of one's own, in CuPy's form."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.cuda import RawKernel, RawModule
from minitorch.cuda.runtime import KernelError

TWICE = r"""
extern "C" __global__ void twice(const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
}
"""


def run(program: str, mode: str | None = "sim") -> str:
    """A program's output, with the run time that it asks for."""
    env = {key: value for key, value in os.environ.items() if key != "MINITORCH_CUDA"}
    if mode:
        env["MINITORCH_CUDA"] = mode
    head = f"import numpy as np, minitorch\nfrom minitorch.cuda import RawKernel, RawModule\nTWICE = {TWICE!r}\n"
    program = head + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_check_and_profile_take_arrays(make_device: Any) -> None:
    kernel = RawKernel(TWICE, "twice")
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    report = kernel.check(1, 32, (x, y, np.int32(8)))
    assert not report
    np.testing.assert_array_equal(y, 2 * x)
    bad = RawKernel(TWICE.replace("i < n", "i <= n"), "twice")
    report = bad.check((1,), (32,), (x, y, np.int32(8)))
    assert len(report) == 2
    assert str(report).startswith(
        "twice: thread (8,0,0) of block (0,0,0) reads one element past the end of `x` (float32, 8 elements) at line 4 "
        "of twice.cu: `if (i <= n) y[i] = 2 * x[i];`"
    )
    rows = kernel.profile(1, 32, (x, y, np.int32(8)))
    assert [(row.access, row.sectors, row.ideal) for row in rows] == [("load", 1, 1), ("store", 1, 1)]
    with pytest.raises(KernelError, match="past the end"):
        bad.profile(1, 32, (x, y, np.int32(8)))


def test_check_takes_tensors_and_views(make_device: Any) -> None:
    kernel = RawKernel(TWICE, "twice")
    x, y = minitorch.arange(10.0), minitorch.zeros(10)
    assert not kernel.check(1, 8, (x[2:], y[1:], np.int32(8)))
    assert y.tolist() == [0, 4, 6, 8, 10, 12, 14, 16, 18, 0]
    array = np.arange(10, dtype=np.float32)
    assert not kernel.check(1, 5, (array[5:], array[5:], np.int32(5)))
    assert array.tolist() == [0, 1, 2, 3, 4, 10, 12, 14, 16, 18]


def test_launches_on_the_simulated_device(make_device: Any) -> None:
    output = run("""
        twice = RawKernel(TWICE, "twice")
        x = minitorch.arange(6.0, device="cuda")
        y = minitorch.empty_like(x)
        twice((1,), (32,), (x, y, np.int32(6)))
        print(y.cpu().tolist())
        module = RawModule(code='template <typename T> __global__ void fill(T *x, T v) { x[threadIdx.x] = v; }',
                           name_expressions=("fill<float>", "fill<int>"))
        module.get_function("fill<float>")(1, 6, (y, np.float32(3)))
        print(y.cpu().tolist())
        class Twice(minitorch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = minitorch.empty_like(x)
                twice(1, 32, (x, y, np.int32(x.numel())))
                return y
            @staticmethod
            def backward(ctx, g):
                return Twice.apply(g.contiguous())
        x.requires_grad_(True)
        (Twice.apply(x) * 3).backward(minitorch.ones_like(x))
        print(x.grad.cpu().tolist())
        for args in ((x, y, 6), (np.zeros(6, np.float32), y, np.int32(6)), (x.cpu(), y, np.int32(6)), (x, y)):
            try:
                twice(1, 32, args)
            except RuntimeError as error:
                print(error)
    """)
    lines = output.splitlines()
    assert lines[0] == "[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]"
    assert lines[1] == "[3.0, 3.0, 3.0, 3.0, 3.0, 3.0]"
    assert lines[2] == "[6.0, 6.0, 6.0, 6.0, 6.0, 6.0]"
    assert "argument `n`: the parameter is int: pass numpy.int32(6): a Python int is passed as 64 bits" in lines[3]
    assert "a NumPy array is in the host's memory" in lines[4] and ".check(" in lines[4]
    assert "move it with .cuda()" in lines[5]
    assert "takes 3 arguments, and was given 2" in lines[6]


def test_the_checking_simulator_stops_a_launch(make_device: Any) -> None:
    output = run("""
        bad = RawKernel(TWICE.replace("i < n", "i <= n"), "twice")
        x = minitorch.arange(8.0, device="cuda")
        try:
            bad(1, 32, (x, x, np.int32(8)))
        except minitorch.cuda.KernelError as error:
            print(error)
    """, "sim-check")  # fmt: skip
    assert "reads one element past the end of `x`" in output


def test_without_a_device() -> None:
    if minitorch.cuda.is_available():
        pytest.skip("there is a GPU")
    output = run("""
        kernel = RawKernel('extern "C" __global__ void k(float *x) {}', "k")
        try:
            kernel(1, 1, (None,))
        except RuntimeError as error:
            print(error)
    """, None)  # fmt: skip
    assert len(output.splitlines()) == 1 and "MINITORCH_CUDA=sim" in output


def test_wrong_uses() -> None:
    with pytest.raises(TypeError, match="code must be a str"):
        RawModule(code=3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="stream"):
        RawKernel(TWICE, "twice")(1, 1, (), stream=object())  # type: ignore[arg-type]
