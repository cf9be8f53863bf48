"""Kernels in the simulator give what NumPy gives, in every order of their threads."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.cuda.runtime import CompileError, KernelError, Span
from minitorch.cuda.simulator import Simulator, elf, source, toolchain

i32, f32 = np.int32, np.float32


def test_block_sum(device: Any, examples: str, random: np.random.Generator) -> None:
    x = random.integers(-9, 9, 1003).astype(f32)
    y = device.empty(5)
    device.run(examples, "block_sum<64>", 5, 64, device.put(x), y, i32(x.size))
    assert device.get(y).sum() == x.sum()


@pytest.mark.parametrize(("dtype", "tile", "name"), [(f32, 8, "float, 8"), (np.float64, 16, "double, 16")])
def test_matmul(device: Any, examples: str, random: np.random.Generator, dtype: Any, tile: int, name: str) -> None:
    m, n, k = 19, 23, 17
    a, b = random.standard_normal((m, k)).astype(dtype), random.standard_normal((k, n)).astype(dtype)
    c = device.empty((m, n), dtype)
    grid = (-(-n // tile), -(-m // tile))
    device.run(examples, f"matmul<{name}>", grid, (tile, tile), device.put(a), device.put(b), c, i32(m), i32(n), i32(k))
    expected = np.zeros((m, n), dtype)
    for i in range(k):
        expected = expected + a[:, i : i + 1] * b[i : i + 1]  # in the kernel's order
    np.testing.assert_array_equal(device.get(c, m, n), expected)


def test_vectors(device: Any, examples: str, random: np.random.Generator) -> None:
    x, y = random.standard_normal((2, 100)).astype(f32)
    z = device.empty(100)
    device.run(examples, "add_vectors", 1, 32, device.put(x), device.put(y), z, i32(25))
    np.testing.assert_array_equal(device.get(z), x + y)


def test_shuffles(device: Any, examples: str, random: np.random.Generator) -> None:
    x = random.standard_normal((7, 45)).astype(f32)
    y = device.empty((7, 45))
    device.run(examples, "softmax", 2, (32, 4), device.put(x), y, i32(7), i32(45))
    expected = np.exp(x.astype(float))
    np.testing.assert_allclose(device.get(y, 7, 45), expected / expected.sum(1, keepdims=True), rtol=1e-5)


def test_atomics_and_dynamic_shared_memory(device: Any, examples: str, random: np.random.Generator) -> None:
    x = random.integers(0, 50, 3000).astype(i32)
    counts = device.put(np.zeros(50, np.uint32))
    device.run(examples, "histogram", 4, 64, device.put(x), counts, i32(x.size), i32(50), shared=200)
    np.testing.assert_array_equal(device.get(counts), np.bincount(x, minlength=50))


def test_atomics_between_blocks(device: Any, examples: str, random: np.random.Generator) -> None:
    index, x = random.integers(0, 5, 40).astype(i32), random.integers(-9, 9, (40, 12)).astype(f32)
    y = device.put(np.zeros((5, 12), f32))
    device.run(examples, "scatter_add", 40, 32, device.put(index), device.put(x), y, i32(40), i32(12))
    expected = np.zeros((5, 12), f32)
    np.add.at(expected, index, x)
    np.testing.assert_array_equal(device.get(y, 5, 12), expected)


def test_fence_and_counter_order_blocks(device: Any, examples: str) -> None:
    x = np.arange(9, dtype=f32)
    result, counter = device.empty(1), device.put(np.zeros(1, np.uint32))
    device.run(examples, "last_block_sums", 9, 32, device.put(x), device.empty(9), counter, result)
    assert device.get(result)[0] == 36


def test_struct_by_value(device: Any, examples: str, random: np.random.Generator) -> None:
    x = random.standard_normal((3, 4, 5)).astype(f32)
    view = x.transpose(2, 0, 1)
    shape = np.zeros(1, np.dtype([("ndim", "i4"), ("pad", "i4"), ("sizes", "i4", 4), ("strides", "i8", 4)]))
    shape["ndim"] = 3
    shape["sizes"][0, :3] = view.shape
    shape["strides"][0, :3] = np.array(view.strides) // 4
    y = device.empty(view.shape)
    device.run(examples, "gather", 2, 32, device.put(x), y, shape[0], i32(60))
    np.testing.assert_array_equal(device.get(y, *view.shape), view)


COLLECTIVES = r"""
extern "C" __global__ void collectives(unsigned *out) {
    int t = threadIdx.x, n = blockDim.x;
    unsigned results[] = {
        __ballot_sync(0xffffffff, t % 3 == 0), (unsigned)__any_sync(0xffffffff, t == 5),
        (unsigned)__all_sync(0xffffffff, t >= 0), __match_any_sync(0xffffffff, t % 4), __activemask(),
        __reduce_add_sync(0xffffffff, (unsigned)t), (unsigned)__reduce_min_sync(0xffffffff, -t),
        __reduce_max_sync(0xffffffff, (unsigned)t), __reduce_xor_sync(0xffffffff, 1u << t),
        __shfl_up_sync(0xffffffff, (unsigned)t, 3), __shfl_down_sync(0xffffffff, (unsigned)t, 3, 8),
        __shfl_xor_sync(0xffffffff, (unsigned)t, 9), __shfl_sync(0xffffffff, (unsigned)t, 5, 8),
        (unsigned)__syncthreads_count(t % 2), (unsigned)__syncthreads_and(t < 31), (unsigned)__syncthreads_or(t == 31)};
    for (int i = 0; i < 16; i++) out[i * n + t] = results[i];
}
"""


def test_collectives(device: Any) -> None:
    out = device.empty((16, 32), np.uint32)
    device.run(COLLECTIVES, "collectives", 1, 32, out)
    lane = np.arange(32)
    mask = (1 << 32) - 1
    down = np.where(lane % 8 + 3 < 8, lane + 3, lane)
    fours = sum(1 << k for k in range(0, 32, 4))
    expected = [sum(1 << k for k in range(0, 32, 3)), 1, 1, [fours << k % 4 for k in lane], mask, 496, -31 & mask, 31,
                mask, np.where(lane < 3, lane, lane - 3), down, lane ^ 9, lane // 8 * 8 + 5, 16, 0, 1]  # fmt: skip
    np.testing.assert_array_equal(device.get(out, 16, 32), np.array([np.broadcast_to(e, 32) for e in expected]))


HALVES = r"""
#include <cuda_fp16.h>
#include <cuda_bf16.h>
extern "C" __global__ void halves(const float *x, unsigned short *h, unsigned short *b, float *back, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    __half half = __float2half(x[i]);
    h[i] = __half_as_ushort(half);
    b[i] = __bfloat16_as_ushort(__float2bfloat16(x[i]));
    back[i] = __half2float(half);
}
"""


def test_half_types_round_as_numpy_does(device: Any, random: np.random.Generator) -> None:
    special = [0, -0.0, 65519, 65520, 1e9, -np.inf, np.nan, 6e-8, 2.9e-8, 3e-8, 6.1e-5, 2049, 2051, 1 / 3]
    wide = random.standard_normal(200) * 10.0 ** random.uniform(-9, 5, 200)
    x = np.concatenate([np.array(special), wide]).astype(f32)
    h, b, back = (device.empty(x.size, dtype) for dtype in (np.uint16, np.uint16, f32))
    device.run(HALVES, "halves", 1, 256, device.put(x), h, b, back, i32(x.size))
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    np.testing.assert_array_equal(device.get(h).view(np.float16), expected)
    np.testing.assert_array_equal(device.get(back), expected.astype(f32))
    wide = (device.get(b).astype(np.uint32) << 16).view(f32)
    ours = minitorch.from_numpy(x).bfloat16().float().numpy()
    np.testing.assert_array_equal(wide, ours)


MATHEMATICS = r"""
extern "C" __global__ void mathematics(const double *x, double *y, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    double v = x[i];
    double all[] = {erfinv(v), normcdf(3 * v), normcdfinv(0.5 + v / 2.5), erfcinv(1 + v), rsqrt(2 + v), rcbrt(2 + v),
                    sinpi(v), cospi(v), erfcx(v), exp10(v), (double)erfinvf((float)v), lgamma(2 + v), tgamma(2 + v),
                    fmod(5 * v, 0.7), remainder(5 * v, 0.7), nearbyint(5 * v), copysign(2.0, v), cbrt(v), expm1(v),
                    log1p(v), (double)(isnan(v) + 2 * signbit(v) + 4 * isfinite(v)), (double)max(3, 4u),
                    pow(2 + v, 3), (double)__popc(i) + __clz(i + 1) + __ffs(i), (double)__brev(i),
                    (double)__umulhi(4000000000u, i), (double)__float_as_int((float)v), fma(v, v, 1.0)};
    for (int k = 0; k < 28; k++) y[k * n + i] = all[k];
}
"""


def test_mathematics(device: Any) -> None:
    special = pytest.importorskip("scipy.special")
    x = np.array([-0.999, -0.5, -1e-9, 0, 0.25, 0.75, 0.99999])
    n = x.size
    y = device.empty((28, n), np.float64)
    device.run(MATHEMATICS, "mathematics", 1, 8, device.put(x), y, i32(n))
    k = np.arange(n)
    bits = [int(f"{int(i):032b}"[::-1], 2) for i in k]
    expected = [special.erfinv(x), special.ndtr(3 * x), special.ndtri(0.5 + x / 2.5), special.erfcinv(1 + x),
                (2 + x) ** -0.5, np.cbrt(2 + x) ** -1, np.sin(np.pi * x), np.cos(np.pi * x), special.erfcx(x), 10**x,
                special.erfinv(x.astype(f32)), special.gammaln(2 + x), special.gamma(2 + x), np.fmod(5 * x, 0.7),
                5 * x - 0.7 * np.rint(5 * x / 0.7), np.rint(5 * x), np.copysign(2, x), np.cbrt(x), np.expm1(x),
                np.log1p(x), 2 * np.signbit(x) + 4, 4 + 0 * x, (2 + x) ** 3,
                [int(i).bit_count() + 32 - int(i + 1).bit_length() + ((int(i) & -int(i)).bit_length()) for i in k],
                bits, [4000000000 * int(i) >> 32 for i in k], x.astype(f32).view(i32), x * x + 1]  # fmt: skip
    np.testing.assert_allclose(device.get(y, 28, n), np.array(expected, np.float64), rtol=2e-7, atol=1e-9)


def test_what_a_kernel_prints(device: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code = 'extern "C" __global__ void hello(int n) { if (threadIdx.x == 2) printf("%d %s\\n", n, "threads"); }'
    device.run(code, "hello", 1, 4, i32(4))
    assert capsys.readouterr().out == "4 threads\n"


def test_constants_templates_lambdas_and_atomics_on_integers(device: Any) -> None:
    code = r"""
    __constant__ int table[] = {3, 1, 4, 1, 5};
    template <typename F> __device__ int apply(F f, int x) { return f(x); }
    extern "C" {
    __global__ void numbers(int *out, unsigned long long *big) {
        int i = threadIdx.x;
        out[i] = apply([](int k) { return table[k] * 2; }, i);
        atomicMax(&out[5], i);
        atomicAdd(big, 1ull << 40);
        int old = out[6], seen;
        do { seen = old; old = atomicCAS(&out[6], seen, seen + i); } while (old != seen);
        atomicInc((unsigned *)&out[7], 2);
    }
    }"""
    out, big = device.put(np.zeros(8, i32)), device.put(np.zeros(1, np.uint64))
    if device.runtime.checked:
        code = code.replace("int old = out[6], seen;", "int old = atomicAdd(&out[6], 0), seen;")
    device.run(code, "numbers", 1, 5, out, big)
    assert device.get(out).tolist() == [6, 2, 8, 2, 10, 4, 10, 2]
    assert device.get(big)[0] == 5 << 40


def test_a_missing_barrier_shows_in_some_order(make_device: Any, examples: str) -> None:
    bad = examples.replace("partial[t] += partial[t + k];\n        __syncthreads();", "partial[t] += partial[t + k];")
    assert bad != examples
    results = set()
    for schedule in ("forward", "reverse", "random"):
        device = make_device(schedule=schedule)
        y = device.empty(1)
        device.run(bad, "block_sum<64>", 1, 64, device.put(np.arange(200, dtype=f32)), y, i32(200))
        results.add(float(device.get(y)[0]))
    assert len(results) > 1


def test_memory_is_filled_fenced_and_reused(make_device: Any) -> None:
    device = make_device(check=True)
    runtime = device.runtime
    block = runtime.allocate(1000)
    assert block.pointer % 256 == 0 and block.nbytes == 1000
    assert np.isnan(device.get(device.empty(100))).all()
    pointer = block.pointer
    runtime.zero(pointer, 1000)
    del block
    again = runtime.allocate(1001)
    assert again.pointer == pointer
    values = np.zeros(4, f32)
    runtime.copy(values.ctypes.data, pointer, 16, "to host")
    assert np.isnan(values).all()
    assert runtime.pool.allocated > 0
    del again
    device._blocks.clear()
    assert runtime.pool.allocated == 0
    runtime.empty_cache()
    assert runtime.pool.reserved == 0
    with pytest.raises(KernelError, match="no address of the simulated device"):
        runtime.copy(values.ctypes.data, values.ctypes.data, 16, "to host")
    with pytest.raises(ValueError, match="kind"):
        runtime.copy(pointer, pointer, 0, "sideways")


def test_memory_that_was_given_back(make_device: Any, examples: str) -> None:
    """Whoever is given it next would find a foreign result there: the checking simulator does not wait for that."""
    device = make_device(check=True)
    runtime = device.runtime
    function = runtime.function(examples, "block_sum<64>", ("block_sum<64>",))
    x, block = device.put(np.ones(64, f32)), runtime.allocate(4)
    y = Span(block.pointer, block.pointer, block.pointer + 4, "float32")
    runtime.launch(function, 1, 64, (x, y, i32(64)))
    runtime.zero(y.pointer, 4)
    del block
    with pytest.raises(KernelError, match="block_sum<64>: the memory of argument `y` was given back before"):
        runtime.launch(function, 1, 64, (x, y, i32(64)))
    value = np.zeros(1, f32)
    for use in (lambda: runtime.copy(value.ctypes.data, y.pointer, 4, "to host"),
                lambda: runtime.copy(y.pointer, value.ctypes.data, 4, "to device"),
                lambda: runtime.zero(y.pointer, 4)):  # fmt: skip
        with pytest.raises(KernelError, match="no longer, in use"):
            use()
    fast = make_device().runtime  # which has no time for that
    pointer = fast.allocate(4).pointer
    fast.zero(pointer, 4)


def test_memory_given_back_by_another_thread(make_device: Any) -> None:
    device = make_device(check=True)
    runtime, block = device.runtime, [device.runtime.allocate(4)]
    code = 'extern "C" __global__ void slow(int *x) { for (int i = 0; i < 2000000; i++) x[0] = i; }'
    span = Span(block[0].pointer, block[0].pointer, block[0].pointer + 4, "int32")
    function = runtime.function(code, "slow")
    dropper = threading.Timer(0.005, block.clear)
    dropper.start()
    with pytest.raises(KernelError, match="argument `x` was given back while the kernel ran"):
        runtime.launch(function, 1, 1, (span,))
    dropper.join()


def test_one_module_for_all_threads(make_device: Any) -> None:
    """Threads that ask for a kernel at once share its ``__device__`` variables."""
    runtime, found = make_device().runtime, []
    code = f"// {os.urandom(8).hex()}\n" + '''
    __device__ int count;
    extern "C" __global__ void counts(int *x) { x[0] = atomicAdd(&count, 1); }'''
    begin = threading.Barrier(4)

    def work() -> None:
        begin.wait()
        found.append(runtime.function(code, "counts"))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(map(id, found))) == 1


def test_threads_take_turns(make_device: Any, examples: str) -> None:
    device = make_device()
    function = device.runtime.function(examples, "block_sum<64>", ("block_sum<64>",))
    wrong = []

    def work(k: int) -> None:
        x, y = device.put(np.full(640, k, f32)), device.empty(2)
        for _ in range(50):
            device.runtime.launch(function, 2, 64, (x, y, i32(640)))
            if device.get(y).sum() != 640 * k:
                wrong.append(k)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_processes_compile_at_once(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import numpy as np
        from minitorch.cuda.simulator import Simulator
        s = Simulator()
        f = s.function('extern "C" __global__ void k(int *x) { x[threadIdx.x] = 7; }', "k")
        b = s.allocate(16)
        from minitorch.cuda.runtime import Span
        s.launch(f, 1, 4, (Span(b.pointer, b.pointer, b.pointer + 16, "int32"),))
        a = np.zeros(4, np.int32); s.copy(a.ctypes.data, b.pointer, 16, "to host"); print(a.sum())
    """)
    env = {**os.environ, "MINITORCH_CACHE_DIR": str(tmp_path)}
    runs = [subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True)
            for _ in range(3)]  # fmt: skip
    assert [run.communicate(timeout=300)[0].strip() for run in runs] == ["28"] * 3
    assert all(path.suffix == ".so" and path.name.count(".") == 1 for path in (tmp_path / "simulator").iterdir())


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    toolchain.compiler.cache_clear()
    try:
        with pytest.raises(CompileError, match=r"install g\+\+"):
            toolchain.compiler()
    finally:
        monkeypatch.undo()
        toolchain.compiler.cache_clear()


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        ('extern "C" __global__ void k(int *x) { x[0] = y; }', "k", r"k\.cu:1.*y.*not declared|undeclared"),
        ("int x;", "k", "there is no kernel in this source"),
        ("__global__ void k(int *x) {}", "k", 'declare them extern "C"'),
        ('#include <vector>\nextern "C" __global__ void k(int *x) {}', "k", "no standard headers"),
        ('#include <cooperative_groups.h>\nextern "C" __global__ void k(int *x) {}', "k", "cooperative groups are not"),
        ('extern "C" __global__ void k(int *x) { __shared__ float a[20000]; a[0] = x[0]; }', "k", "limit is 49152"),
        ('extern "C" __global__ void k(short *x) { atomicAdd(x, 1); }', "k", "atomicAdd has no version for this type"),
    ],
)  # fmt: skip
def test_sources_that_do_not_compile(make_device: Any, code: str, name: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        make_device().runtime.function(code, name)


def test_names_and_options(make_device: Any) -> None:
    runtime = make_device().runtime
    code = 'template <int N> __global__ void t(int *x) {}\nextern "C" __global__ void k(int *x) {}'
    assert runtime.function(code, "t<3>", ("t<3>",)).name == "t<3>"
    with pytest.raises(KernelError, match="is a template"):
        runtime.function(code, "t")
    with pytest.raises(KernelError, match="there is no kernel 'other' in this source; it has k"):
        runtime.function(code, "other")
    with pytest.raises(CompileError, match="--magic"):
        runtime.function(code, "k", options=("--magic",))
    runtime.function(code, "k", options=("--std=c++17", "-DT=3", "--use_fast_math"))


def test_reading_sources() -> None:
    text = '#line 7 "a.cuh"\nint f;\n#line 1 "b.cu"\n// extern "C" __global__ void no(int)\n'
    text += 'extern "C" __global__ void k(const float *__restrict__ x, /* how many */ int n, float s[]) {}'
    lines = source.lines(text)
    assert lines["a.cuh", 7] == "int f;"
    assert lines["b.cu", 2].startswith('extern "C"')
    assert list(source.kernels(text)) == ["k"]
    assert [(p.name, p.type, p.is_pointer) for p in source.parameters_of(text, "k")] == [
        ("x", "const float *", True), ("n", "int", False), ("s", "float *", True)]  # fmt: skip
    dynamic = source.for_host("extern __shared__ __align__(16) float tile[];\nint after;")[1]
    assert dynamic == "SIM_DYNAMIC(float, tile);\nint after;"


def test_symbols_of_a_shared_object() -> None:
    found = elf.SharedObject(toolchain.device_library())
    assert any(symbol.name == "sim_launch" for symbol in found.symbols)
    assert found.low < found.high


def test_schedules_are_named(make_device: Any) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Simulator(schedule="sideways")
