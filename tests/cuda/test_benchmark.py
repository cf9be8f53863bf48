"""What `benchmarks/cuda.py` measures on a GPU is right, tiny and without one; of its figures nothing is shown here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt

PATH = Path(__file__).parents[2] / "benchmarks" / "cuda.py"
if not PATH.exists():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
spec = importlib.util.spec_from_file_location("cuda_benchmark", PATH)
benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark)


@pytest.mark.on_the_device
@pytest.mark.parametrize("work", benchmark.WORKS, ids=lambda work: f"{work.family}-{work.name}")
def test_results_are_the_cpu_s(work: benchmark.Work) -> None:
    benchmark.check(work)


@pytest.mark.on_the_device
def test_the_kernel_of_the_peak() -> None:
    out = mt.empty(64, device="cuda")
    mt.cuda.RawKernel(benchmark.FUSED, "fused")((2,), (32,), (out, np.float32(0.5), np.float32(1), np.int32(3)))
    x = np.arange(32)[:, None] + np.arange(4)
    for _ in range(3):
        x = x * 0.5 + 1
    assert out.reshape(2, 32).tolist() == [x.sum(1).tolist()] * 2


@pytest.mark.on_the_device
def test_a_row_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way through, on a size at which the figures mean nothing."""
    monkeypatch.setattr(benchmark, "REPEATS", 1)
    monkeypatch.setattr(benchmark, "WARM", 0)
    work = next(w for w in benchmark.WORKS if w.name == "product")._replace(size=4)
    assert work.bytes(4) == 3 * 16 * 4 and work.operations(4) == 128
    row = benchmark.measure(work, 1e9, 64.0, {})
    assert len(row) == len(benchmark.HEAD) and row[2] == "2000000.0"  # 128 operations at 64 a second
    assert benchmark.bandwidth(4096) > 0 and benchmark.peak(1, 32, 1) > 0


def test_the_floor_is_never_of_fewer_bytes_than_inputs() -> None:
    for work in benchmark.WORKS:
        assert work.bytes(work.tiny) > 4 * work.outputs(work.tiny) > 0
