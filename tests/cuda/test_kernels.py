"""Each file of kernels in each layer of checks, on small ragged shapes: see tools.kernel_work and tools.mutate_kernels.

The simulator runs the threads in three orders, its checking form looks at every access to memory, and the PTX
interpreter executes what NVIDIA's compiler made; each must give what the CPU gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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


@pytest.mark.parametrize("file", FILES)
@pytest.mark.usefixtures("host_compiler")
def test_every_kernel_is_launched(file: str) -> None:
    """So that none is left out of the checks, nor of the mutants."""
    assert source.kernels((kernels.HERE / file).read_text()).keys() <= tool.launches(file)
