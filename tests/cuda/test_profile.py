"""Sectors and bank conflicts of access patterns that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minitorch.cuda.simulator import toolchain

f32 = np.float32

TRANSPOSE = r"""
extern "C" __global__ void naive(const float *a, float *b, int n) {
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    float v = a[y * n + x];
    b[x * n + y] = v;
}
template <int WIDTH> __global__ void tiled(const float *a, float *b, int n) {
    __shared__ float tile[32][WIDTH];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    tile[threadIdx.y][threadIdx.x] = a[y * n + x];
    __syncthreads();
    float v = tile[threadIdx.x][threadIdx.y];
    b[(blockIdx.x * 32 + threadIdx.y) * n + blockIdx.y * 32 + threadIdx.x] = v;
}
"""


def profile(device: Any, source: str, name: str, grid: Any, block: Any, *args: Any, shared: int = 0) -> dict[Any, Any]:
    function = device.runtime.function(source, name, (name,) if "<" in name else ())
    table = device.runtime.profile(function, grid, block, args, shared)
    assert name in str(table)
    return {(row.place.line, row.space, row.access): row for row in table}


@pytest.mark.parametrize(("name", "sectors", "ways"), [("naive", 32, None), ("tiled<32>", 4, 32), ("tiled<33>", 4, 1)])
def test_transposition(make_device: Any, name: str, sectors: float, ways: float | None) -> None:
    device = make_device(check=True)
    a = np.arange(64 * 64, dtype=f32).reshape(64, 64)
    b = device.empty((64, 64))
    rows = profile(device, TRANSPOSE, name, (2, 2), (32, 32), device.put(a), b, np.int32(64))
    np.testing.assert_array_equal(device.get(b, 64, 64), a.T)
    load, store = (rows[(4, "global", "load")], rows[(5, "global", "store")]) if name == "naive" else (
        rows[(10, "global", "load")], rows[(13, "global", "store")])  # fmt: skip
    assert (load.sectors, load.ideal, load.requests, load.size) == (4, 4, 128, 4)
    assert (store.sectors, store.ideal, store.requests) == (sectors, 4, 128)
    if ways is not None:
        assert rows[(10, "shared", "store")].ways == 1
        assert rows[(12, "shared", "load")].ways == ways


PATTERNS = r"""
extern "C" __global__ void patterns(const float *x, float *y, int stride) {
    int i = threadIdx.x;
    y[i] = x[0];
    y[i] = x[i * stride];
    y[i] = x[i + 1];
}
extern "C" __global__ void vectors(const float4 *x, float4 *y) {
    float4 v = x[threadIdx.x];
    y[threadIdx.x] = v;
}
"""


@pytest.mark.parametrize(("stride", "sectors"), [(1, 4), (2, 8), (8, 32), (32, 32)])
def test_strides_and_offsets(make_device: Any, stride: int, sectors: float) -> None:
    device = make_device(check=True)
    x, y = device.put(np.zeros(1100, f32)), device.empty(32)
    rows = profile(device, PATTERNS, "patterns", 1, 32, x, y, np.int32(stride))
    assert (rows[(4, "global", "load")].sectors, rows[(4, "global", "load")].ideal) == (1, 1)
    assert (rows[(5, "global", "load")].sectors, rows[(5, "global", "load")].ideal) == (sectors, 4)
    assert (rows[(6, "global", "load")].sectors, rows[(6, "global", "load")].ideal) == (5, 4)


def test_a_vector_is_one_request(make_device: Any) -> None:
    if toolchain.is_clang():
        pytest.skip("Clang loads a vector in parts")
    device = make_device(check=True)
    x, y = device.put(np.zeros(128, f32)), device.empty(128)
    rows = profile(device, PATTERNS, "vectors", 1, 32, x, y)
    for row in (rows[(9, "global", "load")], rows[(10, "global", "store")]):
        assert (row.size, row.requests, row.sectors, row.ideal) == (16, 1, 16, 16)
