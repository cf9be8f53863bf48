"""A simulated device for the tests of the simulator, and arrays on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch.cuda.runtime import CompileError, Span
from minitorch.cuda.simulator import SCHEDULES, Simulator, toolchain

EXAMPLES = Path(__file__).with_name("examples.cu")
INSTANCES = ("block_sum<64>", "matmul<float, 8>", "matmul<double, 16>")


def has_compiler() -> bool:
    try:
        toolchain.compiler()
    except CompileError:
        return False
    return True


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_the_device: about the device that MINITORCH_CUDA names")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the device need one that is chosen; the simulator needs a C++ compiler where it runs."""
    chosen, no_compiler = os.environ.get("MINITORCH_CUDA"), not has_compiler()
    for item in items:
        if item.get_closest_marker("on_the_device") and not chosen:
            item.add_marker(pytest.mark.skip(reason="runs in a process of its own: see test_on_the_device"))
        simulated = {"device", "host_compiler"} & set(getattr(item, "fixturenames", ()))
        if no_compiler and simulated and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="there is no C++ compiler: the simulator needs g++ or clang++"))


@pytest.fixture
def host_compiler() -> None:
    """What a test asks for that compiles for the simulator without the fixture `device`."""


class Device:
    """Arrays on a simulator, kept as long as this is."""

    def __init__(self, runtime: Simulator) -> None:
        self.runtime = runtime
        self._blocks: list[Any] = []

    def put(self, array: Any, writable: bool = True) -> Span:
        """A copy on the device."""
        array = np.ascontiguousarray(array)
        span = self.empty(array.shape, array.dtype, writable)
        self.runtime.copy(span.pointer, array.ctypes.data, array.nbytes, "to device")
        return span

    def empty(self, shape: Any, dtype: Any = np.float32, writable: bool = True) -> Span:
        """New memory."""
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        block = self.runtime.allocate(nbytes)
        self._blocks.append(block)
        return Span(block.pointer, block.pointer, block.pointer + nbytes, np.dtype(dtype).name, writable)

    def get(self, span: Span, *shape: int) -> np.ndarray:
        """A copy on the host."""
        array = np.empty(shape or (span.high - span.low) // np.dtype(span.dtype).itemsize, span.dtype)
        self.runtime.copy(array.ctypes.data, span.low, array.nbytes, "to host")
        return array

    def run(self, source: str, name: str, grid: Any, block: Any, *args: Any, shared: int = 0) -> None:
        """Compile and launch; `name` is an instance of a template if it says so."""
        names = tuple(n for n in {name, *INSTANCES} if "<" in n and f" {n.split('<')[0]}(" in source)
        self.runtime.launch(self.runtime.function(source, name, names), grid, block, args, shared)


@pytest.fixture(scope="session")
def examples() -> str:
    """The source of the example kernels, as good ones."""
    return '#line 1 "examples.cu"\n' + EXAMPLES.read_text()


@pytest.fixture(params=[(check, schedule) for check in (False, True) for schedule in SCHEDULES],
                ids=lambda p: f"{'check' if p[0] else 'fast'}-{p[1]}")  # fmt: skip
def device(request: pytest.FixtureRequest) -> Device:
    """A simulated device, fast and checking, in each order of the threads."""
    check, schedule = request.param
    return Device(Simulator(check, schedule, seed=7))


@pytest.fixture
def make_device() -> Callable[..., Device]:
    """Devices of one's choice."""
    return lambda check=False, schedule="forward": Device(Simulator(check, schedule, seed=7))


@pytest.fixture
def random() -> Iterator[np.random.Generator]:
    """Numbers that are the same in every run."""
    yield np.random.default_rng(0)
