"""The checks are checked: a few of the mutants of tools.mutate_kernels, which runs all of them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from minitorch.cuda import kernels

TOOL = Path(__file__).parents[2] / "tools" / "mutate_kernels.py"
# Each barrier of the product, a guard of each kind, and one that changes nothing.
CHOSEN = ["_syncthreads", "row0 + row < p.m && k0 + k < p.k", "if (row < p.m && column < p.n) {"]


@pytest.fixture(scope="module")
def tool() -> Any:
    if not TOOL.exists():
        pytest.skip("tools/ is not there: this is not a checkout of the sources")
    spec = importlib.util.spec_from_file_location("mutate_kernels", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected(tool: Any) -> dict[str, Any]:
    return {layer: tool.expected_results("matmul.cu", layer) for layer in ("check", "orders")}


def mutants(tool: Any) -> list[Any]:
    found = tool.mutants("matmul.cu", (kernels.HERE / "matmul.cu").read_text())
    return [m for m in found if any(chosen in m.before for chosen in CHOSEN)]


def test_mutants_of_the_product_are_noticed(tool: Any, expected: dict[str, Any], make_device: Any) -> None:
    chosen = mutants(tool)
    assert sum(m.kind == "barrier" for m in chosen) >= 2 and sum(m.kind == "guard" for m in chosen) >= 4
    verdicts = {m: tool.judge(m, ("check", "orders"), expected, 120) for m in chosen}
    assert not [m for m, found in verdicts.items() if set(found.values()) == {tool.SURVIVED}]


def test_excuses_name_mutants_that_exist(tool: Any) -> None:
    known = set()
    for file in tool.WORK:
        known |= {(m.file, m.before, m.after, m.nth) for m in tool.mutants(file, (kernels.HERE / file).read_text())}
    assert set(tool.EQUIVALENT) <= known


def test_what_is_mutated(tool: Any) -> None:
    text = """// if (i < n) comments stay
template <typename T> __global__ void k(T *x, int n) {
    if (threadIdx.x < n) atomicAdd(&x[f(threadIdx.x, 1)], T(1));
    __syncthreads();
    x[0] += __shfl_sync(0xffffffffu, x[0], 0);
}"""
    found = tool.mutants("k.cu", text)
    assert [(m.kind, m.line) for m in found] == [("atomic", 3), ("guard", 3), ("barrier", 4), ("mask", 5)]
    assert found[0].after == "if (threadIdx.x < n) *(&x[f(threadIdx.x, 1)]) += T(1);"
    assert found[1].after.startswith("if (threadIdx.x <= n)")
    assert "0x0000ffff," in found[3].after
