"""How near the device's kernels come to their floors, by family.

    python benchmarks/cuda.py                            # on a GPU: measure, print, write benchmarks/cuda.md
    MINITORCH_CUDA=sim python benchmarks/cuda.py --check # anywhere: run all of it, tiny, and compare with the CPU

The floor of a kernel is the time that its bytes take at the card's bandwidth, or its operations at the card's peak,
whichever is longer.  Both are measured here: the bandwidth by a copy on the device, the peak by float32
multiply-and-adds in registers.  The same work is timed with PyTorch, and with CuPy, where they are installed.
A simulated device has no speed worth telling: there, only results are compared.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minitorch

PAGE = Path(__file__).with_name("cuda.md")
REPEATS, WARM = 20, 3


class Work(NamedTuple):
    """What is measured: the same lines for minitorch and PyTorch, ``t`` being the library."""

    family: str
    name: str
    inputs: Callable[[int], list[tuple[int, ...]]]
    """The shapes of the inputs at a size."""
    run: Callable[..., Any]
    """``run(t, *inputs)``"""
    size: int
    tiny: int
    outputs: Callable[[int], int]
    """How many elements are written."""
    operations: Callable[[int], int] = lambda n: 0
    cupy: Callable[..., Any] | None = None

    def bytes(self, n: int) -> int:
        """Each input read once, each output written once, in float32."""
        return 4 * (sum(int(np.prod(shape)) for shape in self.inputs(n)) + self.outputs(n))


def _loss(t: Any, x: Any) -> Any:
    return t.nn.functional.cross_entropy(x, t.arange(x.shape[0], device=x.device) % x.shape[1])


def _rows(t: Any, table: Any) -> Any:
    return t.nn.functional.embedding(t.arange(table.shape[0] - 1, -1, -1, device=table.device), table)


SQUARE = {"size": 4096, "tiny": 7}
WORKS = [
    Work("copy", "transposed", lambda n: [(n, n + 3)], lambda t, x: x.t().contiguous(), **SQUARE,
         outputs=lambda n: n * (n + 3), cupy=lambda c, x: c.ascontiguousarray(x.T)),
    Work("pointwise", "add", lambda n: [(n, n)] * 2, lambda t, x, y: x + y, **SQUARE,
         outputs=lambda n: n * n, cupy=lambda c, x, y: x + y),
    Work("pointwise", "exp", lambda n: [(n, n)], lambda t, x: x.exp(), **SQUARE,
         outputs=lambda n: n * n, cupy=lambda c, x: c.exp(x)),
    Work("reduce", "sum of all", lambda n: [(n, n)], lambda t, x: x.sum(), **SQUARE,
         outputs=lambda n: 1, cupy=lambda c, x: x.sum()),
    Work("reduce", "sum of columns", lambda n: [(n, n)], lambda t, x: x.sum(0), **SQUARE,
         outputs=lambda n: n, cupy=lambda c, x: x.sum(0)),
    Work("reduce", "max of rows", lambda n: [(n, n)], lambda t, x: x.amax(1), **SQUARE,
         outputs=lambda n: n, cupy=lambda c, x: x.max(1)),
    Work("scan", "cumsum of rows", lambda n: [(n, n)], lambda t, x: x.cumsum(1), **SQUARE,
         outputs=lambda n: n * n, cupy=lambda c, x: x.cumsum(1)),
    Work("softmax", "softmax of rows", lambda n: [(n, n)], lambda t, x: x.softmax(1), **SQUARE,
         outputs=lambda n: n * n),
    Work("softmax", "cross-entropy", lambda n: [(n, n)], _loss, **SQUARE, outputs=lambda n: 1),
    Work("attention", "attention, 16 heads of 64", lambda n: [(1, 16, n, 64) if n > 9 else (1, 2, n, 4)] * 3,
         lambda t, q, k, v: t.nn.functional.scaled_dot_product_attention(q, k, v), size=1024, tiny=7,
         outputs=lambda n: 16 * n * 64 if n > 9 else 8 * n,
         operations=lambda n: 4 * 16 * n * n * 64 if n > 9 else 4 * 2 * n * n * 4),
    Work("norm", "layer norm", lambda n: [(n, n)], lambda t, x: t.nn.functional.layer_norm(x, x.shape[1:]), **SQUARE,
         outputs=lambda n: n * n),
    Work("index", "rows of a table", lambda n: [(n, n)], _rows, **SQUARE,
         outputs=lambda n: n * n, cupy=lambda c, x: x[::-1].copy()),
    Work("sort", "sort of rows", lambda n: [(n, n)], lambda t, x: x.sort(1)[0], size=2048, tiny=7,
         outputs=lambda n: n * n, cupy=lambda c, x: c.sort(x, 1)),
    Work("matmul", "product", lambda n: [(n, n)] * 2, lambda t, x, y: x @ y, **SQUARE,
         outputs=lambda n: n * n, operations=lambda n: 2 * n**3, cupy=lambda c, x, y: x @ y),
    Work("conv", "3 x 3, 64 channels", lambda n: [(n, 64, 28, 28) if n > 4 else (n, 2, 5, 6),
         (64, 64, 3, 3) if n > 4 else (3, 2, 3, 3)], lambda t, x, w: t.nn.functional.conv2d(x, w, padding=1),
         size=64, tiny=2, outputs=lambda n: n * 64 * 28 * 28 if n > 4 else n * 3 * 30,
         operations=lambda n: 2 * n * 64 * 28 * 28 * 64 * 9 if n > 4 else 2 * n * 3 * 30 * 2 * 9),
    Work("pooling", "2 x 2 maxima", lambda n: [(n, 8, 2 * n, 2 * n)], lambda t, x: t.nn.functional.max_pool2d(x, 2),
         size=128, tiny=2, outputs=lambda n: n * 8 * n * n),
]  # fmt: skip


def numbers(work: Work, n: int) -> list[np.ndarray]:
    """The inputs, the same in every run."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in work.inputs(n)]


def check(work: Work) -> None:
    """Compare a tiny run on the device with the CPU's.

    Raises:
        AssertionError: they differ.
    """
    inputs = [minitorch.tensor(x) for x in numbers(work, work.tiny)]
    here = work.run(minitorch, *inputs)
    there = work.run(minitorch, *(x.to("cuda") for x in inputs))
    assert there.device.type == "cuda" and here.numel() == work.outputs(work.tiny), work.name
    minitorch.testing.assert_close(there.cpu(), here, rtol=1e-5, atol=1e-5)


# ---- on hardware


def seconds(run: Callable[[], Any], event: Callable[[], Any]) -> float:
    """The median time of a piece of work on the device, between two of its events."""
    for _ in range(WARM):
        run()
    times = []
    for _ in range(REPEATS):
        start, end = event(), event()
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def _event() -> Any:
    return minitorch.cuda.Event(enable_timing=True)


def bandwidth(nbytes: int = 1 << 28) -> float:
    """Bytes a second of a copy on the device, those read and those written."""
    from minitorch.cuda import runtime

    active = runtime.active()
    source, target = active.allocate(nbytes), active.allocate(nbytes)
    active.zero(source.pointer, nbytes)
    return 2 * nbytes / seconds(lambda: active.copy(target.pointer, source.pointer, nbytes, "on device"), _event)


FUSED = r"""
extern "C" __global__ void fused(float *out, float a, float b, int steps) {
    float x0 = threadIdx.x, x1 = x0 + 1, x2 = x0 + 2, x3 = x0 + 3;    // four chains hide each other's latency
    for (int i = 0; i < steps; ++i) {
        x0 = x0 * a + b; x1 = x1 * a + b; x2 = x2 * a + b; x3 = x3 * a + b;
    }
    out[blockIdx.x * blockDim.x + threadIdx.x] = x0 + x1 + x2 + x3;   // so that nothing is left out
}
"""


def peak(blocks: int = 4096, threads: int = 256, steps: int = 4096) -> float:
    """Operations a second of float32, a multiply-and-add being two."""
    out = minitorch.empty(blocks * threads, device="cuda")
    kernel = minitorch.cuda.RawKernel(FUSED, "fused")
    arguments = (out, np.float32(0.5), np.float32(1), np.int32(steps))
    time = seconds(lambda: kernel((blocks,), (threads,), arguments), _event)
    return blocks * threads * steps * 4 * 2 / time


def others() -> dict[str, Any]:
    """PyTorch and CuPy, where they are installed and find the device."""
    found = {}
    for name in ("torch", "cupy"):
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        if name == "cupy" or library.cuda.is_available():
            found[name] = library
    return found


class TimedByCupy:
    """An event of CuPy with PyTorch's names."""

    def __init__(self, cupy: Any) -> None:
        self.cupy, self.event = cupy, cupy.cuda.Event()
        self.record, self.synchronize = self.event.record, self.event.synchronize

    def elapsed_time(self, end: TimedByCupy) -> float:
        """Milliseconds."""
        return float(self.cupy.cuda.get_elapsed_time(self.event, end.event))


def measure(work: Work, bytes_a_second: float, operations_a_second: float, libraries: dict[str, Any]) -> list[str]:
    """A row of the table."""
    arrays = numbers(work, work.size)
    floor = max(work.bytes(work.size) / bytes_a_second, work.operations(work.size) / operations_a_second)
    ours = [minitorch.tensor(x).to("cuda") for x in arrays]
    time = seconds(lambda: work.run(minitorch, *ours), _event)
    row = [work.family, work.name, f"{floor * 1e6:.1f}", f"{time * 1e6:.1f}", f"{time / floor:.2f}"]
    for name in ("torch", "cupy"):
        library, run = libraries.get(name), work.run if name == "torch" else work.cupy
        if library is None or run is None:
            row.append("")
            continue
        if name == "torch":
            theirs = [library.tensor(x, device="cuda") for x in arrays]
            event = lambda t=library: t.cuda.Event(enable_timing=True)  # noqa: E731
        else:
            theirs = [library.asarray(x) for x in arrays]
            event = lambda c=library: TimedByCupy(c)  # noqa: E731
        row.append(f"{seconds(lambda r=run, t=library, v=theirs: r(t, *v), event) * 1e6:.1f}")
    return row


HEAD = ["family", "work", "floor, us", "minitorch, us", "times the floor", "PyTorch, us", "CuPy, us"]


def table() -> str:
    """Everything measured, as a page."""
    libraries, moved, computed = others(), bandwidth(), peak()
    rows = [HEAD, ["---"] * len(HEAD), *(measure(work, moved, computed, libraries) for work in WORKS)]
    lines = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return (f"# The device's kernels and their floors\n\nMeasured by `benchmarks/cuda.py` on "
            f"{minitorch.cuda.get_device_name()}: {moved / 1e9:.0f} GB/s, {computed / 1e12:.1f} TFLOP/s of float32.\n\n"
            f"{lines}\n")  # fmt: skip


def main() -> None:
    """Measure, or check."""
    parser = argparse.ArgumentParser(description="the device's kernels and their floors")
    parser.add_argument("--check", action="store_true", help="compare tiny runs with the CPU's; also in the simulator")
    if parser.parse_args().check:
        for work in WORKS:
            check(work)
            print(f"{work.family}: {work.name}: as on the CPU")
        return
    if minitorch.cuda.device_count() == 0 or not minitorch.cuda.is_available():
        raise SystemExit("there is no GPU to measure; MINITORCH_CUDA=sim with --check compares results without one")
    page = table()
    print(page)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
