"""The checks are checked: a few of the mutants of tools.mutate_kernels, which runs all of them."""

from __future__ import annotations

from typing import Any

import pytest

from minitorch.cuda import kernels

tool = pytest.importorskip("tools.mutate_kernels", reason="tools/ is not there: this is not a checkout of the sources")
# Of each kind and of each family some, so that all take half a minute.
CHOSEN = {
    "matmul.cu": ("_syncthreads", "row0 + row < p.m && k0 + k < p.k", "if (row < p.m && column < p.n) {"),
    "conv.cu": ("_syncthreads", "if (row >= PASS::rows(c)"),
    "common.cuh": ("atomicCAS(word, expected",),
    "index.cu": ("atomicM", "above >= diagonal"),
    "norm.cu": ("0x0000ffff", "if (n && team.me == 0) {"),
    "pooling.cu": ("box.at[2].begin",),
    "reduce.cu": ("if (threadIdx.x % 32 == 0)",),
    "sort.cu": ("_syncthreads",),
    "scan.cu": ("_syncthreads", "if (thread >= step)"),
    "softmax.cu": ("for (int w = 1;", "i == t &&"),
}


def of(file: str) -> list[Any]:
    return tool.mutants(file, (kernels.HERE / file).read_text())


@pytest.mark.parametrize("file", CHOSEN)
@pytest.mark.usefixtures("host_compiler")
def test_mutants_are_noticed(file: str) -> None:
    chosen = [m for m in of(file) if any(text in m.before or text in m.after for text in CHOSEN[file]) and not m.excuse]
    assert len(chosen) >= len(CHOSEN[file])
    expected = tool.expected_results(file)
    verdicts = {m: tool.judge(m, ("check", "orders"), expected, 60) for m in chosen}
    assert not [m for m, found in verdicts.items() if set(found.values()) == {tool.SURVIVED}]


def test_known_survivors_are_mutants_that_exist() -> None:
    assert set(tool.survivors()) <= {(m.file, m.before, m.after, m.nth) for file in tool.WORK for m in of(file)}


def test_what_is_mutated() -> None:
    text = """// if (i < n) comments stay
template <typename T> __global__ void k(T *x, int n) {
    if (threadIdx.x < n) atomicAdd(&x[f(threadIdx.x, 1)], T(1));
    __syncthreads();
    x[0] += __shfl_sync(0xffffffffu, x[0], 0);
    while (x[0] == atomicCAS(x, 0, f(n)));
}"""
    found = tool.mutants("k.cu", text)
    assert [(m.kind, m.line) for m in found] == [("atomic", 3), ("guard", 3), ("barrier", 4), ("mask", 5),
                                                 ("atomic", 6), ("equality", 6)]  # fmt: skip
    assert found[0].after == "if (threadIdx.x < n) *(&x[f(threadIdx.x, 1)]) += T(1);"
    assert found[1].after.startswith("if (threadIdx.x <= n)")
    assert "0x0000ffff," in found[3].after
