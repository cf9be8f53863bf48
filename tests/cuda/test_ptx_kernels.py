"""CUDA C, compiled by NVRTC with a GPU's options, and executed as PTX, on sizes that are no multiple of anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minitorch.cuda import nvrtc
from minitorch.cuda.runtime import CompileError, KernelError, Span
from minitorch.cuda.simulator.ptx_runtime import PtxRuntime

pytestmark = pytest.mark.skipif(nvrtc.problem() is not None, reason=str(nvrtc.problem()))

SOURCE = r"""
#line 1 "kernels.cu"
struct Layout { int ndim; int shape[4]; int strides[2][4]; };
template <typename T> __global__ void add(const T *a, const T *b, T *out, unsigned n, Layout layout) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned rest = i;
    int at = 0, bt = 0;
    #pragma unroll
    for (int d = 3; d >= 0; --d)
        if (d < layout.ndim) {
            int k = rest % layout.shape[d];
            rest /= layout.shape[d];
            at += k * layout.strides[0][d];
            bt += k * layout.strides[1][d];
        }
    out[i] = a[at] + b[bt];
}
template <int B> __global__ void __launch_bounds__(B) block_sum(const float *x, float *y, int n) {
    __shared__ float s[B];
    int t = threadIdx.x;
    float sum = 0;
    for (int i = blockIdx.x * B + t; i < n; i += gridDim.x * B) sum += x[i];
    s[t] = sum;
    __syncthreads();
    for (int k = B / 2; k > 0; k >>= 1) {
        if (t < k) s[t] += s[t + k];
        __syncthreads();
    }
    if (t == 0) y[blockIdx.x] = s[0];
}
template <int N> __global__ void matmul(const float *a, const float *b, float *c, int rows, int cols, int inner) {
    __shared__ float as[N][N], bs[N][N + 1];
    int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * N + y, col = blockIdx.x * N + x;
    float sum = 0;
    for (int k0 = 0; k0 < inner; k0 += N) {
        as[y][x] = row < rows && k0 + x < inner ? a[row * inner + k0 + x] : 0;
        bs[y][x] = col < cols && k0 + y < inner ? b[(k0 + y) * cols + col] : 0;
        __syncthreads();
        for (int k = 0; k < N; ++k) sum += as[y][k] * bs[k][x];
        __syncthreads();
    }
    if (row < rows && col < cols) c[row * cols + col] = sum;
}
extern "C" __global__ void matmul_in_registers(const float *a, const float *b, float *c, int rows, int cols,
                                               int inner) {
    __shared__ __align__(16) float as[8][32], bs[8][32];        // a tile of 32 x 32, 4 x 4 of it a thread
    int t = threadIdx.x, x = t % 8 * 4, y = t / 8 * 4, row = blockIdx.y * 32, col = blockIdx.x * 32;
    float sums[4][4] = {};
    for (int k0 = 0; k0 < inner; k0 += 8) {
        for (int i = t; i < 256; i += 64) {
            int k = i % 8, r = row + i / 8;
            as[k][i / 8] = r < rows && k0 + k < inner ? a[r * inner + k0 + k] : 0;
            int j = col + i % 32;
            bs[i / 32][i % 32] = j < cols && k0 + i / 32 < inner ? b[(k0 + i / 32) * cols + j] : 0;
        }
        __syncthreads();
        for (int k = 0; k < 8; ++k) {
            float4 u = *(float4 *)&as[k][y], v = *(float4 *)&bs[k][x];
            float us[4] = {u.x, u.y, u.z, u.w}, vs[4] = {v.x, v.y, v.z, v.w};
            for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j) sums[i][j] += us[i] * vs[j];
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j)
        if (row + y + i < rows && col + x + j < cols) c[(row + y + i) * cols + col + x + j] = sums[i][j];
}
extern "C" __global__ void softmax(const float *x, float *y, int rows, int cols) {
    int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;
    if (row >= rows) return;
    float top = __int_as_float(0xff800000), sum = 0;
    for (int j = lane; j < cols; j += 32) top = fmaxf(top, x[row * cols + j]);
    for (int o = 16; o > 0; o >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, o));
    for (int j = lane; j < cols; j += 32) sum += expf(x[row * cols + j] - top);
    for (int o = 16; o > 0; o >>= 1) sum += __shfl_down_sync(0xffffffff, sum, o);
    sum = __shfl_sync(0xffffffff, sum, 0);
    for (int j = lane; j < cols; j += 32) y[row * cols + j] = expf(x[row * cols + j] - top) / sum;
}
extern "C" __global__ void histogram(const int *x, unsigned *counts, int n, int bins) {
    extern __shared__ unsigned here[];
    for (int i = threadIdx.x; i < bins; i += blockDim.x) here[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&here[x[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < bins; i += blockDim.x) if (here[i]) atomicAdd(&counts[i], here[i]);
}
__device__ double of(double x, int which) {
    switch (which) {
    case 0: return exp(x);
    case 1: return log(x);
    case 2: return erf(x);
    case 3: return sin(x);
    case 4: return cos(x);
    case 5: return tanh(x);
    case 6: return pow(x, 1.7);
    case 7: return lgamma(x);
    case 8: return sqrt(x);
    case 9: return 1 / x;
    case 10: return expm1(x);
    case 11: return log1p(x);
    case 12: return cbrt(x);
    case 13: return atan(x);
    default: return erfc(x);
    }
}
extern "C" __global__ void doubles(const double *x, double *y, int n, int which) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = of(x[i], which);
}
extern "C" __global__ void halves(const unsigned short *x, const unsigned short *y, unsigned short *z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float a, b;
    asm("cvt.f32.f16 %0, %1;" : "=f"(a) : "h"(x[i]));
    asm("{ .reg .b16 low; mov.b16 low, %1; cvt.f32.f16 %0, low; }" : "=f"(b) : "h"(y[i]));
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(z[i]) : "f"(a * b + 1));
}
extern "C" __global__ void philox(unsigned *out, int n, unsigned long long seed, unsigned long long offset) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned key[2] = {(unsigned)seed, (unsigned)(seed >> 32)};
    unsigned c[4] = {(unsigned)offset, (unsigned)(offset >> 32), (unsigned)i, 0};
    for (int round = 0; round < 10; ++round) {
        unsigned h0 = __umulhi(0xD2511F53, c[0]), l0 = 0xD2511F53 * c[0];
        unsigned h1 = __umulhi(0xCD9E8D57, c[2]), l1 = 0xCD9E8D57 * c[2];
        c[0] = h1 ^ c[1] ^ key[0]; c[1] = l1; c[2] = h0 ^ c[3] ^ key[1]; c[3] = l0;
        key[0] += 0x9E3779B9; key[1] += 0xBB67AE85;
    }
    for (int k = 0; k < 4; ++k) out[4 * i + k] = c[k];
}
extern "C" __global__ void talk(int n) {
    if (threadIdx.x < n) printf("thread %d of %5.2f%% and %s, %lld\n", threadIdx.x, 12.5, "text", 1LL << 40);
}
__device__ int calls;
extern "C" __global__ void last_block(const float *x, float *partial, float *y, int n) {
    float sum = 0;
    for (int i = blockIdx.x * 32 + threadIdx.x; i < n; i += gridDim.x * 32) sum += x[i];
    for (int o = 16; o; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
    bool last = false;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
        __threadfence();
        last = atomicAdd(&calls, 1) == gridDim.x - 1;
    }
    if (__any_sync(~0u, last)) {
        sum = 0;
        for (int i = threadIdx.x; i < gridDim.x; i += 32) sum += partial[i];
        for (int o = 16; o; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
        if (threadIdx.x == 0) { *y = sum; calls = 0; }
    }
}
"""
NAMES = ("add<float>", "add<double>", "add<int>", "block_sum<64>", "matmul<8>", "matmul<16>")
LAYOUT = np.dtype([("ndim", "i4"), ("shape", "i4", 4), ("strides", "i4", (2, 4))])
RNG = np.random.default_rng(0)


class Device:
    """A run time with arrays instead of addresses."""

    def __init__(self) -> None:
        self.runtime = PtxRuntime()

    def run(self, name: str, grid: tuple[int, ...], block: tuple[int, ...], *args: Any, shared: int = 0) -> None:
        """Launch a kernel; arrays are copied to the device and back."""
        function = self.runtime.function(SOURCE, name, NAMES)
        blocks, passed = [], []
        for value in args:
            if not isinstance(value, np.ndarray):
                passed.append(value)
                continue
            memory = self.runtime.allocate(value.nbytes)
            self.runtime.copy(memory.pointer, value.ctypes.data, value.nbytes, "to device")
            passed.append(Span(memory.pointer, memory.pointer, memory.pointer + value.nbytes, value.dtype.name))
            blocks.append((value, memory))
        self.runtime.launch(function, grid, block, tuple(passed), shared)
        for value, memory in blocks:
            self.runtime.copy(value.ctypes.data, memory.pointer, value.nbytes, "to host")


@pytest.fixture(scope="module")
def interpreter() -> Device:
    return Device()


@pytest.mark.parametrize(("name", "dtype"), [("float", np.float32), ("double", np.float64), ("int", np.int32)])
def test_broadcast_add(interpreter: Device, name: str, dtype: type) -> None:
    a, b = (RNG.standard_normal((5, 1, 7)) * 100).astype(dtype), (RNG.standard_normal((3, 1)) * 100).astype(dtype)
    expected = a + b
    out = np.zeros(expected.shape, dtype)
    layout = np.zeros(1, LAYOUT)
    layout["ndim"], layout["shape"][0, :3] = 3, out.shape
    for k, x in enumerate((a, b)):
        whole = np.broadcast_to(x, out.shape)
        layout["strides"][0, k, :3] = [stride // x.itemsize for stride in whole.strides]
    interpreter.run(f"add<{name}>", (2,), (64,), a, b, out, np.uint32(out.size), layout[0])
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("n", [0, 1, 63, 1000])
def test_block_sum(interpreter: Device, n: int) -> None:
    x, y = RNG.integers(-9, 9, max(n, 1)).astype(np.float32), np.full(3, np.nan, np.float32)
    interpreter.run("block_sum<64>", (3,), (64,), x, y, np.int32(n))
    assert y.sum() == x[:n].sum()


@pytest.mark.parametrize("name", ["matmul<8>", "matmul<16>", "matmul_in_registers"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (17, 33, 9), (40, 5, 37)])
def test_matmul(interpreter: Device, name: str, shape: tuple[int, int, int]) -> None:
    rows, cols, inner = shape
    a, b = (RNG.standard_normal(s).astype(np.float32) for s in ((rows, inner), (inner, cols)))
    c = np.full((rows, cols), np.nan, np.float32)
    tile = {"matmul<8>": 8, "matmul<16>": 16}.get(name, 32)
    block = (64,) if tile == 32 else (tile, tile)
    interpreter.run(name, (-(-cols // tile), -(-rows // tile)), block, a, b, c, *map(np.int32, shape))
    np.testing.assert_allclose(c, a.astype(float) @ b, rtol=1e-5, atol=1e-5)
    fused = np.zeros((rows, cols), np.float32)  # the compiler fuses products and sums, in the order of the inner index
    for k in range(inner):
        fused = (a[:, k:k + 1].astype(np.longdouble) * b[k:k + 1] + fused).astype(np.float32)
    assert (c == fused).mean() > 0.99


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (7, 33), (6, 100)])
def test_softmax(interpreter: Device, rows: int, cols: int) -> None:
    x, y = (RNG.standard_normal((rows, cols)) * 5).astype(np.float32), np.zeros((rows, cols), np.float32)
    interpreter.run("softmax", (-(-rows // 4),), (32, 4), x, y, np.int32(rows), np.int32(cols))
    e = np.exp(x.astype(float) - x.max(1, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(1, keepdims=True), rtol=2e-6)


def test_histogram(interpreter: Device) -> None:
    x, counts = RNG.integers(0, 37, 1001).astype(np.int32), np.zeros(37, np.uint32)
    interpreter.run("histogram", (4,), (96,), x, counts, np.int32(1001), np.int32(37), shared=4 * 37)
    np.testing.assert_array_equal(counts, np.bincount(x, minlength=37))


FUNCTIONS = ["exp", "log", "erf", "sin", "cos", "tanh", "pow", "loggamma", "sqrt", "reciprocal", "expm1", "log1p",
             "cbrt", "atan", "erfc"]  # fmt: skip


@pytest.mark.parametrize("which", range(15), ids=FUNCTIONS)
def test_double_functions(interpreter: Device, which: int) -> None:
    import mpmath

    x = np.concatenate([[1e-300, 1e-8, 0.5, 1.0, 2.0, 700.0], RNG.uniform(0.01, 30, 94), RNG.uniform(1e5, 1e7, 20)])
    y = np.zeros_like(x)
    interpreter.run("doubles", (4,), (32,), x, y, np.int32(x.size), np.int32(which))
    of = {"pow": lambda v: mpmath.mpf(v) ** mpmath.mpf(1.7), "reciprocal": lambda v: 1 / mpmath.mpf(v)}.get(
        FUNCTIONS[which], getattr(mpmath, FUNCTIONS[which], None))
    with mpmath.workdps(40), np.errstate(all="ignore"):
        expected = np.array([float(of(mpmath.mpf(v))) if abs(of(mpmath.mpf(v))) < 1e308 else np.inf for v in x])
    np.testing.assert_allclose(y, expected, rtol=2e-15, atol=1e-307)


def test_halves(interpreter: Device) -> None:
    x, y = (RNG.standard_normal(77).astype(np.float16) for _ in range(2))
    z = np.zeros(77, np.uint16)
    interpreter.run("halves", (3,), (32,), x.view(np.uint16), y.view(np.uint16), z, np.int32(77))
    np.testing.assert_array_equal(z.view(np.float16), (x.astype(float) * y.astype(float) + 1).astype(np.float16))


def test_philox(interpreter: Device) -> None:
    out = np.zeros((50, 4), np.uint32)
    interpreter.run("philox", (1,), (64,), out.reshape(-1), np.int32(50), np.uint64(7 << 33 | 5), np.uint64(3))
    key, mask = [5, 14], 0xFFFFFFFF
    c = [[3, 0, i, 0] for i in range(50)]
    for _ in range(10):
        c = [[(v[2] * 0xCD9E8D57 >> 32) ^ v[1] ^ key[0], v[2] * 0xCD9E8D57 & mask,
              (v[0] * 0xD2511F53 >> 32) ^ v[3] ^ key[1], v[0] * 0xD2511F53 & mask] for v in c]
        key = [key[0] + 0x9E3779B9 & mask, key[1] + 0xBB67AE85 & mask]
    np.testing.assert_array_equal(out, np.array(c, np.uint32))


def test_printf(interpreter: Device, capsys: pytest.CaptureFixture[str]) -> None:
    interpreter.run("talk", (1,), (32,), np.int32(2))
    assert capsys.readouterr().out == "".join(f"thread {k} of 12.50% and text, {1 << 40}\n" for k in range(2))


def test_the_last_block_sums_up(interpreter: Device) -> None:
    x = RNG.integers(-9, 9, 501).astype(np.float32)
    for _ in range(2):
        partial, y = np.zeros(5, np.float32), np.zeros(1, np.float32)
        interpreter.run("last_block", (5,), (32,), x, partial, y, np.int32(x.size))
        assert y[0] == x.sum()


def test_what_a_kernel_does_wrong_is_located(interpreter: Device) -> None:
    x, y = np.ones(64, np.float32), np.ones(1, np.float32)
    with pytest.raises(KernelError, match=r"kernels.cu:21.*reads 4 bytes at offset 256 of `x`, which has 256 bytes"):
        interpreter.run("block_sum<64>", (2,), (64,), x, y, np.int32(65))
    with pytest.raises(KernelError, match=r"__launch_bounds__ allows 64"):
        interpreter.run("block_sum<64>", (1,), (128,), x, y, np.int32(64))
    with pytest.raises(KernelError, match="argument `n`"):
        interpreter.run("block_sum<64>", (1,), (64,), x, y, np.float64(64))
    with pytest.raises(CompileError, match="no kernel nowhere"):
        interpreter.run("nowhere", (1,), (64,))
