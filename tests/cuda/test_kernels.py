"""Each file of kernels in each layer of checks, on small ragged shapes: see tools.kernel_work and tools.mutate_kernels.

The simulator runs the threads in three orders, its checking form looks at every access to memory, and the PTX
interpreter executes what NVIDIA's compiler made; each must give what the CPU gives.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.cuda import kernels, nvrtc
from minitorch.cuda.simulator import source

tool = pytest.importorskip("tools.mutate_kernels", reason="tools/ is not there: this is not a checkout of the sources")
work = pytest.importorskip("tools.kernel_work")
FILES = sorted(path.name for path in kernels.HERE.glob("*.cu"))


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, np.ndarray]]:
    """By file, what was computed before."""
    return {}


def agrees(file: str, layer: str, expected: dict[str, Any]) -> None:
    if file not in expected:
        expected[file] = tool.expected_results(file)
    assert tool.examine(file, layer, None, expected[file]) == (tool.SURVIVED, "")


@pytest.mark.parametrize("file", work.WORK)
@pytest.mark.parametrize("layer", ["check", "orders"])
@pytest.mark.usefixtures("host_compiler")
def test_simulated(file: str, layer: str, expected: dict[str, Any]) -> None:
    agrees(file, layer, expected)


@pytest.mark.parametrize("file", [name for name in work.WORK if name != "random.cu"])
@pytest.mark.skipif(nvrtc.problem() is not None, reason=str(nvrtc.problem()))
def test_compiled_by_nvrtc(file: str, expected: dict[str, Any]) -> None:
    agrees(file, "ptx", expected)


def in_threads(files: list[str], expected: dict[str, Any]) -> tuple[int, bytes]:
    """In a fresh process: the work of several files at once, a thread each."""
    tool._start("check", None)
    minitorch.set_default_device("cuda")
    sys.setswitchinterval(1e-5)
    begin, found = threading.Barrier(len(files)), []

    def run(file: str) -> None:
        begin.wait()
        try:
            found.append(work.differs(file, expected[file]))
        except Exception as error:
            found.append(repr(error))

    threads = [threading.Thread(target=run, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if found == [None] * len(files) else 4, repr(found).encode()


@pytest.mark.usefixtures("host_compiler")
def test_threads_at_once(expected: dict[str, Any]) -> None:
    """A launch finds its memory as it was left, whatever other threads are given meanwhile."""
    files = ["common.cuh", "index.cu", "norm.cu", "reduce.cu"]
    for file in files:
        expected.setdefault(file, tool.expected_results(file))
    verdict, told = tool._in_process(300, lambda: in_threads(files, expected))
    assert verdict == tool.SURVIVED, told.decode()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.usefixtures("host_compiler")
def test_every_kernel_is_launched(file: str) -> None:
    """So that none is left out of the checks, nor of the mutants."""
    assert source.kernels((kernels.HERE / file).read_text()).keys() <= tool.launches(file)
