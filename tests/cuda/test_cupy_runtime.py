"""The run time of hardware, as far as it goes without any."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minitorch.cuda import cupy_runtime
from minitorch.cuda.runtime import KernelError, Span


class CudaError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__("cudaErrorSomething")
        self.status = status


@pytest.mark.parametrize(("status", "words"), [(35, "driver"), (100, "no GPU"), (2, "cudaErrorSomething")])
def test_errors_say_what_to_do(status: int, words: str) -> None:
    assert words in cupy_runtime.explained(CudaError(status))


def test_arguments_are_what_cupy_takes() -> None:
    assert cupy_runtime._passed(Span(4096, 4096, 8192, "float32")) == np.uint64(4096)
    assert cupy_runtime._passed(None) == np.uint64(0)
    walk = np.zeros(1, np.dtype([("n", "i4")]))
    assert cupy_runtime._passed(walk[0]).shape == (1,) and cupy_runtime._passed(walk[0]).nbytes == 4
    assert cupy_runtime._passed(np.float32(2)).dtype == np.float32


def test_blocks_are_counted() -> None:
    usage = cupy_runtime.Usage()
    first, second = (cupy_runtime.CupyBlock(SimpleNamespace(ptr=4096), n, usage) for n in (100, 20))
    assert (first.pointer, usage.bytes, usage.peak) == (4096, 120, 120)
    del first
    assert (second.nbytes, usage.bytes, usage.peak) == (20, 20, 120)


def test_options() -> None:
    assert cupy_runtime._options(("-DN=1",)) == ("-DN=1", "--std=c++17")
    assert cupy_runtime._options(("-std=c++20",)) == ("-std=c++20",)


def test_with_cupy_but_no_gpu() -> None:
    cupy = pytest.importorskip("cupy")
    problem = cupy_runtime.problem()
    if problem is None:
        pytest.skip("there is a GPU")
    assert "install" in problem or "CUDA_VISIBLE_DEVICES" in problem
    cupy.RawModule(code='extern "C" __global__ void k() {}', options=cupy_runtime._options(()), name_expressions=None)


class Failure(RuntimeError):
    """An error of the fake CUDA."""


def test_errors_come_late_unless_launches_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in launches without a word and fails when it is waited for, as CUDA does."""

    def fail() -> None:
        raise Failure("cudaErrorIllegalAddress")

    cuda = SimpleNamespace(
        runtime=SimpleNamespace(CUDARuntimeError=Failure, deviceSynchronize=fail),
        driver=SimpleNamespace(CUDADriverError=Failure), get_current_stream=lambda: SimpleNamespace(synchronize=fail),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))
    runtime = cupy_runtime.CupyRuntime()
    first, second = (cupy_runtime.CupyFunction(name, lambda *args, **options: None) for name in ("first", "second"))
    monkeypatch.delenv("CUDA_LAUNCH_BLOCKING", raising=False)
    runtime.launch(first, (1,), (32,), ())
    runtime.launch(second, (1,), (32,), ())
    with pytest.raises(KernelError, match="launched last were: first, second"):
        runtime.synchronize()
    monkeypatch.setenv("CUDA_LAUNCH_BLOCKING", "1")
    with pytest.raises(KernelError, match="first"):
        runtime.launch(first, (1,), (32,), ())
