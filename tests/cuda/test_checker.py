"""Bugs made by hand: the checker finds each, and says where, in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from minitorch.cuda.runtime import KernelError

i32, f32 = np.int32, np.float32


class Bug(NamedTuple):
    name: str
    kernel: str
    old: str
    new: str
    args: Any  # device -> (grid, block, arguments[, shared])
    kind: str
    argument: str | None
    thread: tuple[int, int, int]
    block: tuple[int, int, int]
    words: str


def _sums(device: Any) -> Any:
    return 2, 64, (device.put(np.arange(300, dtype=f32)), device.empty(2), i32(300))


def _product(n: int) -> Any:
    def args(device: Any) -> Any:
        blocks = -(-n // 8)
        a = np.ones((n, n), f32)
        return (blocks, blocks), (8, 8), (device.put(a), device.put(a), device.empty((n, n)), i32(n), i32(n), i32(n))

    return args


def _vectors(shift: int = 0) -> Any:
    def args(device: Any) -> Any:
        x, y, z = (device.put(np.ones(68, f32)) for _ in range(3))
        return 1, 32, (x._replace(pointer=x.pointer + shift), y, z, i32(16 if shift else 17))

    return args


def _histogram(shared: int) -> Any:
    def args(device: Any) -> Any:
        x = np.arange(100, dtype=i32)
        return 1, 32, (device.put(x), device.put(np.zeros(100, np.uint32)), i32(100), i32(100)), shared

    return args


def _scatter(device: Any) -> Any:
    index = device.put(np.zeros(3, i32))
    return 3, 32, (index, device.put(np.ones((3, 8), f32)), device.put(np.zeros((2, 8), f32)), i32(3), i32(8))


def _last(device: Any) -> Any:
    return 3, 32, (device.put(np.ones(3, f32)), device.empty(3), device.put(np.zeros(1, np.uint32)), device.empty(1))


FIRST, T0 = (0, 0, 0), (0, 0, 0)
BUGS = [
    Bug("no barrier in a reduction", "block_sum<64>", "partial[t + k];\n        __syncthreads();", "partial[t + k];",
        _sums, "race (write after read)", "partial", (1, 0, 0), FIRST,
        "writes `partial` .* at line 10 of examples.cu: `if .t < k. partial.t. .*read by .*at line 10"),
    Bug("no barrier before a reduction", "block_sum<64>", "= sum;\n    __syncthreads();", "= sum;", _sums,
        "uninitialised", "partial", T0, FIRST, "which no thread of the block has written, at line 9"),
    Bug("no barrier after loading a tile", "matmul<float, 8>", "T(0);\n        __syncthreads();\n#", "T(0);\n#",
        _product(8), "uninitialised", "a", T0, FIRST, "reads `a` .__shared__. at byte 4"),
    Bug("no barrier before the next tile", "matmul<float, 8>", "b[i][x];\n        __syncthreads();", "b[i][x];",
        _product(16), "race (read after write)", "a", (1, 0, 0), FIRST,
        r"line 26 of examples.cu: `for .*`, written by thread \(0,0,0\) .* at line 22"),
    Bug("guard off by one", "add_vectors", "if (i < n) {", "if (i <= n) {", _vectors(), "out of bounds", "x",
        (17, 0, 0), FIRST,
        r"reads one element past the end of `x` \(float32, 68 elements\) at line 35 of examples.cu: `float4 a = x"),
    Bug("row guard off by one", "matmul<float, 8>", "if (row < m && column < n) C", "if (row <= m && column < n) C",
        _product(7), "out of bounds", "C", (0, 7, 0), FIRST, "writes one element past the end of `C`"),
    Bug("misaligned float4", "add_vectors", "", "", _vectors(4), "misaligned", "x", T0, FIRST,
        "accesses `x` at byte 4, an address that is not a multiple of 16"),
    Bug("too little dynamic shared memory", "histogram", "", "", _histogram(200), "out of bounds",
        "dynamic shared memory", T0, FIRST, "at byte 256, more than was asked for"),
    Bug("no dynamic shared memory", "histogram", "", "", _histogram(0), "out of bounds", "dynamic shared memory", T0,
        FIRST, "none was asked for at the launch"),
    Bug("shared memory not set", "histogram", "own[i] = 0;", ";", _histogram(400), "uninitialised",
        "dynamic shared memory", T0, FIRST, "which no thread of the block has written"),
    Bug("blocks add without atomics", "scatter_add", "atomicAdd(&y[index[blockIdx.x] * columns + j], ",
        "y[index[blockIdx.x] * columns + j] += (", _scatter, "race (read after write)", "y", T0, (1, 0, 0),
        r"reads element 0 of `y` .* written by thread \(0,0,0\) of block \(0,0,0\).* blocks run in any order"),
    Bug("threads add without atomics", "histogram", "atomicAdd(&own[x[i]], 1u)", "own[0] += 1",
        _histogram(400), "race (read after write)", "dynamic shared memory", (1, 0, 0), FIRST, "no barrier between"),
    Bug("no fence before the counter", "last_block_sums", "__threadfence();", "", _last, "race (read after write)",
        "parts", T0, (2, 0, 0), "reads element 0 of `parts`"),
    Bug("half of the mask", "softmax", "__shfl_sync(0xffffffff, sum, 0)", "__shfl_sync(0x0000ffff, sum, 0)",
        lambda d: (1, (32, 1), (d.put(np.ones(40, f32)), d.empty(40), i32(1), i32(40))), "not in mask", None,
        (16, 0, 0), FIRST, "mask 0x0000ffff, which leaves it out, at line 50"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bugs_in_the_examples(make_device: Any, examples: str, bug: Bug) -> None:
    device = make_device(check=True)
    source = examples.replace(bug.old, bug.new) if bug.old else examples
    assert not bug.old or source != examples
    function = device.runtime.function(source, bug.kernel, (bug.kernel,) if "<" in bug.kernel else ())
    report = device.runtime.check(function, *bug.args(device))
    assert report, "nothing found"
    first = report[0]
    assert (first.kind, first.argument, first.thread, first.block) == (bug.kind, bug.argument, bug.thread, bug.block)
    assert first.kernel == bug.kernel
    assert first.place.file == "examples.cu" and first.place.text
    with pytest.raises(KernelError, match=bug.words):
        device.runtime.launch(function, *bug.args(device))


def line(body: str) -> str:
    return f'extern "C" __global__ void k(float *x, int n) {{\n{body}\n}}'


SMALL = [
    ("barrier after a return", "if (threadIdx.x >= n) return;\n__syncthreads();", "missed barrier", 3, (0, 0, 0),
     r"is not reached by all .*: thread \(0,0,0\) .* waits, but thread \(4,0,0\) .* has returned \(60 in all\)"),
    ("two barriers", "if (threadIdx.x < 32) __syncthreads();\nelse __syncthreads();", "divergent barrier", 2, (0, 0, 0),
     r"thread \(0,0,0\) .* waits at line 2 .* and thread \(32,0,0\) of block \(0,0,0\) at line 3"),
    ("shuffle of a part",
     "float v = 1;\nif (threadIdx.x < 16) v += __shfl_xor_sync(0xffffffff, v, 1);\nelse __syncthreads();", "deadlock",
     3, None, "for lanes that do not come; .* waits in __syncthreads.. at line 4"),
    ("lane that takes no part", "float v = 1;\nif (threadIdx.x < 16) v += __shfl_down_sync(0xffff, v, 8);",
     "inactive lane", 3, (8, 0, 0), "reads lane 16 of its warp .* 0x0000ffff"),
    ("not in its mask", "__syncwarp(0xffff);", "not in mask", 2, (16, 0, 0), "mask 0x0000ffff"),
    ("different collectives", "if (threadIdx.x < 16) __syncwarp();\nelse __any_sync(0xffffffff, 1);",
     "mixed collectives", None, None, "different .*_sync functions"),
    ("no __syncwarp", "__shared__ int s[64];\ns[threadIdx.x] = 1;\ns[threadIdx.x ^ 1] = 2;", "race (write after write)",
     3, (1, 0, 0), r"writes `s` .* written by thread \(0,0,0\) .* at line 4"),
    ("shared array", "__shared__ float s[64];\ns[threadIdx.x + 1] = 0;", "undefined behaviour", 3, (63, 0, 0),
     "index 64, outside of its array"),
    ("shared array by address", "__shared__ float s[64];\nfloat *p = s;\np[threadIdx.x + n] = 0;",
     "undefined behaviour",
     4, (60, 0, 0), "outside of a variable"),
    ("local array", "float s[3];\nfor (int i = 0; i < n; i++) s[i] = x[0];\nx[n] = s[2];", "undefined behaviour", 3,
     (0, 0, 0), "index 3, outside"),
    ("assertion", "assert(threadIdx.x != 5);", "trap", 2, (5, 0, 0), "assertion `threadIdx.x != 5` failed"),
    ("division", "if (threadIdx.x == 2) x[0] = 1 / (n - 4);", "undefined behaviour", 2, (2, 0, 0),
     "integer division by zero"),
    ("null", "((float *)nullptr)[threadIdx.x] = 1;", "undefined behaviour", 2, (0, 0, 0), "null pointer"),
    ("far away", "x[(1 << 28) + threadIdx.x] = 1;", "out of bounds", 2, (0, 0, 0), "no argument points to"),
    ("before the start", "if (threadIdx.x == 3) x[-1] = 1;", "out of bounds", 2, (3, 0, 0),
     r"writes one element before the start of `x` \(float32, 8 elements\)"),
    ("all write one", "x[0] = threadIdx.x;", "race (write after write)", 2, (1, 0, 0), "writes element 0 of `x`"),
    ("read and write one", "if (threadIdx.x) x[7] = x[0];\nelse x[0] = 1;", None, None, None,
     r"element 0 of `x`|element 7"),
    ("waits for ever", "while (atomicCAS((int *)x, 1, 2) != 1) ;", "spinning", None, (0, 0, 0), "compared and swapped"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "kind", "number", "thread", "words"), SMALL, ids=lambda v: str(v)[:24])
def test_small_bugs(
    make_device: Any, name: str, body: str, kind: str | None, number: int | None, thread: Any, words: str
) -> None:
    device = make_device(check=True)
    function = device.runtime.function(line(body), "k")
    with pytest.raises(KernelError, match=words):
        device.runtime.launch(function, 1, 64, (device.put(np.zeros(8, f32)), i32(4)))
    first = device.runtime.check(function, 1, 64, (device.put(np.zeros(8, f32)), i32(4)))[0]
    assert kind is None or first.kind == kind
    assert number is None or (first.place.file, first.place.line) == ("k.cu", number)
    assert number is None or first.place.text == line(body).split("\n")[number - 1]
    assert thread is None or first.thread == thread


FINE = [
    "__shared__ int s[64];\ns[threadIdx.x] = 1;\n__syncwarp();\nint v = s[threadIdx.x ^ 1];\natomicAdd(x, (float)v);",
    "if (threadIdx.x < 8) x[threadIdx.x] = 1;\n__syncthreads();\nif (threadIdx.x < 8) x[7 - threadIdx.x] += 1;",
    "__shared__ short s[64];\ns[threadIdx.x] = 1;\n__syncthreads();\n"
    "if (threadIdx.x < 8) x[threadIdx.x] = s[63 - threadIdx.x];",
    "char *bytes = (char *)x;\nif (threadIdx.x < 32) bytes[threadIdx.x] = bytes[threadIdx.x] + 1;",
    "float v = threadIdx.x;\nif (threadIdx.x < 16) v += __shfl_down_sync(0xffff, v, 8, 16);\natomicAdd(x, v);",
    "float s[4];\nfor (int i = 0; i < n; i++) s[i] = i;\natomicAdd(x, s[threadIdx.x % 4]);",
]


@pytest.mark.parametrize("body", FINE)
def test_what_is_right_is_not_reported(make_device: Any, body: str) -> None:
    device = make_device(check=True)
    function = device.runtime.function(line(body), "k")
    report = device.runtime.check(function, 1, 64, (device.put(np.zeros(8, f32)), i32(4)))
    assert not report, report
    assert str(report) == "k: nothing found"


def test_read_only_memory(make_device: Any) -> None:
    device = make_device(check=True)
    function = device.runtime.function(line("x[0] = 1;"), "k")
    with pytest.raises(KernelError, match="writes to `x`, which is read-only, at line 2"):
        device.runtime.launch(function, 1, 1, (device.put(np.zeros(8, f32), writable=False), i32(4)))


def test_a_storage_given_twice_is_one(make_device: Any) -> None:
    device = make_device(check=True)
    code = 'extern "C" __global__ void k(const float *x, float *y) { y[threadIdx.x] = 2 * x[threadIdx.x]; }'
    function = device.runtime.function(code, "k")
    x = device.put(np.ones(8, f32))
    device.runtime.launch(function, 1, 8, (x._replace(writable=False), x))
    assert (device.get(x) == 2).all()
    shifted = x._replace(pointer=x.pointer + 4)
    with pytest.raises(KernelError, match=r"race: .* element"):
        device.runtime.launch(function, 1, 7, (x, shifted))


def test_all_findings_are_counted(make_device: Any) -> None:
    device = make_device(check=True)
    body = "int i = threadIdx.x;\nx[i] = 1;\nx[8 + i % 2] = x[9 + i % 2];"
    function = device.runtime.function(line(body), "k")
    report = device.runtime.check(function, 1, 8, (device.put(np.zeros(8, f32)), i32(4)))
    assert len(report) == 2 and report[0].count == 8
    assert "(8 times)" in str(report) and [f.place.line for f in report] == [4, 4]


def test_the_fast_simulator_survives_a_wild_access(make_device: Any) -> None:
    device = make_device()
    with pytest.raises(KernelError, match=r"stopped by an access to memory that is not there: thread .3,0,0."):
        device.run(line("if (threadIdx.x == 3) x[1ll << 40] = 1;"), "k", 1, 8, device.put(np.zeros(8, f32)), i32(4))
    with pytest.raises(KernelError, match=r"missed barrier|is not reached by all"):
        device.run(line("if (threadIdx.x < n) __syncthreads();"), "k", 1, 8, device.put(np.zeros(8, f32)), i32(4))
    device.run(line("__syncthreads();"), "k", 1, 8, device.put(np.zeros(8, f32)), i32(4))


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (lambda d: (d.put(np.zeros(8, f32)), 3), r"argument `n`: the parameter is int: pass numpy.int32\(3\)"),
        (lambda d: (d.put(np.zeros(8, f32)), 0.5), "a Python float is passed as a double"),
        (lambda d: (d.put(np.zeros(8, f32)), np.int64(3)), "not numpy.int64"),
        (lambda d: (d.put(np.zeros(8, f32)), f32(3)), "not numpy.float32"),
        (lambda d: (d.put(np.zeros(8)), i32(3)), "argument `x`: the parameter points to float, the tensor holds"),
        (lambda d: (np.zeros(8, f32), i32(3)), "a NumPy array is in the host's memory"),
        (lambda d: (d.put(np.zeros(8, f32)), d.put(np.zeros(8, f32))), "not a pointer"),
        (lambda d: (d.put(np.zeros(8, f32)),), r"takes 2 arguments \(x, n\), and was given 1"),
        (lambda d: (d.put(np.zeros(8, f32))._replace(pointer=4096), i32(3)), "no address of this device"),
    ],
)
def test_wrong_arguments(make_device: Any, check: bool, args: Any, message: str) -> None:
    device = make_device(check=check)
    function = device.runtime.function(line("x[0] = n;"), "k")
    with pytest.raises(KernelError, match=message):
        device.runtime.launch(function, 1, 1, args(device))


@pytest.mark.parametrize(
    ("grid", "block", "shared", "message"),
    [
        ((0,), (1,), 0, "nothing to run"),
        ((1,), (1025,), 0, "1025 threads; the limit is 1024"),
        ((1,), (1, 1, 65), 0, "limit of 64 in z"),
        ((1, 65536), (1,), 0, "limit of 65535 in y"),
        ((1,), (1,), 228 * 1024, "limit is 232448"),
        ((1, 1, 1, 1), (1,), 0, "4 dimensions"),
        ((1.5,), (1,), 0, "whole numbers"),
    ],
)
def test_sizes_above_the_limits(make_device: Any, grid: Any, block: Any, shared: int, message: str) -> None:
    device = make_device()
    function = device.runtime.function(line("x[0] = n;"), "k")
    with pytest.raises(KernelError, match=message):
        device.runtime.launch(function, grid, block, (device.put(np.zeros(8, f32)), i32(4)), shared)
