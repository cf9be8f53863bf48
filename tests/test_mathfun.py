"""The scalar functions of minitorch/_ext/include: errors in ulp, special values, integers, conversions of halves.

The headers are compiled by the system's C compiler into small shared objects, one for each instruction set that the
engine's kernels are cloned for, since whether multiplications and additions are fused changes every rounding.
The true values come from the C library's long double functions.

Run as a program this file is the long check: ``python tests/test_mathfun.py [name ...]`` goes through every seventh
float and prints the table of errors and times.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

INCLUDE = Path(__file__).parent.parent / "minitorch" / "_ext" / "include"
COMPILER = os.environ.get("CC", "cc").split()[0]
IS_X86 = platform.machine() in ("x86_64", "AMD64")

pytestmark = [
    pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler"),
    pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="the reference needs a long double of 64 bits"),
]

LEVELS = {
    "v4": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mavx2"],
    "v3": ["-mavx2", "-mfma"],
    "default": [],
}

# name: the true value, in long double; every name exists for f32 and f64
UNARY = {
    "exp": "expl(x)", "exp2": "exp2l(x)", "expm1": "expm1l(x)",
    "log": "logl(x)", "log2": "log2l(x)", "log10": "log10l(x)", "log1p": "log1pl(x)",
    "sigmoid": "x > -40 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x))",
    "tanh": "tanhl(x)", "sinh": "sinhl(x)", "cosh": "coshl(x)",
    "asinh": "asinhl(x)", "acosh": "acoshl(x)", "atanh": "atanhl(x)",
    "sin": "sinl(x)", "cos": "cosl(x)", "tan": "tanl(x)",
    "sin_near": "sinl(x)", "cos_near": "cosl(x)", "tan_near": "tanl(x)",
    "asin": "asinl(x)", "acos": "acosl(x)", "atan": "atanl(x)", "sinc": "sinc(x)",
    "erf": "erfl(x)", "erfc": "erfcl(x)", "normcdf": "normcdf(x)", "normpdf": "normpdf(x)",
    "logit": "logit(x)", "rsqrt": "1 / sqrtl(x)", "reciprocal": "1 / x", "sqrt": "sqrtl(x)", "square": "x * x",
    "floor": "floorl(x)", "ceil": "ceill(x)", "trunc": "truncl(x)", "round": "rintl(x)",
    "frac": "x - truncl(x)", "abs": "fabsl(x)", "neg": "-x", "sign": "(long double)((x > 0) - (x < 0))",
    "sgn": "(long double)((x > 0) - (x < 0))",
}
BINARY = {
    "add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y",
    "pow": "powl(x, y)", "atan2": "atan2l(x, y)", "hypot": "hypotl(x, y)", "copysign": "copysignl(x, y)",
    "maximum": "x != x || y != y ? x + y : fmaxl(x, y)", "minimum": "x != x || y != y ? x + y : fminl(x, y)",
    "fmax": "fmaxl(x, y)", "fmin": "fminl(x, y)", "fmod": "fmodl(x, y)",
    "xlogy": "x == 0 && y == y ? 0 : x * logl(y)", "xlog1py": "x == 0 && y == y ? 0 : x * log1pl(y)",
}
FLAGS = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "near")
OTHER = ("logaddexp", "logaddexp2", "remainder", "floor_divide", "trunc_divide", "nextafter", "heaviside", "ldexp")
INTEGERS = {"b8": np.uint8, "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}
REALS = {"f32": np.float32, "f64": np.float64}
C_TYPES = {"f32": "float", "f64": "double", "b8": "uint8_t", "u8": "uint8_t", "i8": "int8_t", "i16": "int16_t",
           "i32": "int32_t", "i64": "int64_t"}

REFERENCE_TEXT = r"""
#include <float.h>
#include <math.h>
#include <stdint.h>
/* sqrt(1/2) to twice the precision of long double, since erfc magnifies a rounding of its argument; the tail is put in
   to the first order. */
#define ROOT_HALF 0.707106781186547524400844362104849039L
#define ROOT_HALF_TAIL 1.89503255889326e-20L
static long double normcdf(long double x) {
    long double a = -x * ROOT_HALF, low = fmal(-x, ROOT_HALF, -a) - x * ROOT_HALF_TAIL;
    if (isinf(x)) return x > 0;
    return 0.5L * (erfcl(a) - 1.128379167095512573896L * expl(-a * a) * low);
}
static long double normpdf(long double x) { return 0.398942280401432677939946L * expl(-0.5L * x * x); }
static long double logit(long double x) {
    if (x < 0.25L || x > 0.75L) return logl(x / (1 - x));
    return x < 0.5L ? -log1pl((1 - 2 * x) / x) : log1pl((2 * x - 1) / (1 - x));
}
static long double sinc(long double x) {
    const long double pi = 3.141592653589793238462643383279502884L;
    long double n = rintl(x), s = sinl(pi * (x - n));
    if (x == 0) return 1;
    return (fmodl(n, 2) != 0 ? -s : s) / (pi * x);
}
#define UNARY(name, formula) void ref_##name(const double *a, long double *out, long n) { \
    for (long i = 0; i < n; i++) { long double x = a[i]; out[i] = (formula); } }
#define BINARY(name, formula) void ref_##name(const double *a, const double *b, long double *out, long n) { \
    for (long i = 0; i < n; i++) { long double x = a[i], y = b[i]; out[i] = (formula); } }

/* |y - truth| in units in the last place of truth; infinity where one is NaN or of another sign, an overflow counts
   as the next number after the largest. */
static double ulp(long double y, long double truth, int digits, int min_exp, int max_exp) {
    if (isnan(y) || isnan(truth)) return isnan(y) && isnan(truth) ? 0 : INFINITY;
    if (y == truth) return signbit(y) == signbit(truth) ? 0 : INFINITY;
    if (isinf(truth)) return INFINITY;
    long double top = ldexpl(1, max_exp);
    if (isinf(y)) y = copysignl(top, y);
    if (fabsl(truth) > top) truth = copysignl(top, truth);
    if (signbit(y) != signbit(truth) && y != 0) return INFINITY;
    int exponent;
    frexpl(truth, &exponent);
    if (exponent > max_exp) exponent = max_exp;
    if (exponent < min_exp) exponent = min_exp;
    return (double)(fabsl(y - truth) / ldexpl(1, exponent - digits));
}
#define WORST(type, T, digits, min_exp, max_exp) \
    double worst_##type(const T *y, const long double *truth, long n, long *where) { \
        double worst = 0; *where = 0; \
        for (long i = 0; i < n; i++) { \
            double e = ulp(y[i], truth[i], digits, min_exp, max_exp); \
            if (e > worst) { worst = e; *where = i; } } \
        return worst; }
WORST(f32, float, FLT_MANT_DIG, FLT_MIN_EXP, FLT_MAX_EXP)
WORST(f64, double, DBL_MANT_DIG, DBL_MIN_EXP, DBL_MAX_EXP)
"""


def loops() -> str:
    """C text with one loop for each function."""
    text = ['#include "mathfun.h"', '#include "half.h"']

    def loop(name: str, result: str, *types: str) -> None:
        parameters = ", ".join(f"const {t} *restrict x{i}" for i, t in enumerate(types))
        arguments = ", ".join(f"x{i}[i]" for i in range(len(types)))
        text.append(f"void loop_{name}({parameters}, {result} *restrict y, long n) {{\n#pragma GCC ivdep\n"
                    f"    for (long i = 0; i < n; i++) y[i] = mt_{name}({arguments});\n}}")

    for suffix in REALS:
        t = C_TYPES[suffix]
        for name in UNARY:
            loop(f"{name}_{suffix}", t, t)
        for name in (*BINARY, *OTHER):
            loop(f"{name}_{suffix}", t, t, t)
        for name in FLAGS:
            loop(f"{name}_{suffix}", "uint8_t", t)
    return "\n".join(text) + "\n"



def compile_c(text: str, flags: list[str], name: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, f"{name}.c"), Path(folder, f"{name}.so")
        source.write_text(text)
        subprocess.run([COMPILER, "-O3", "-fno-math-errno", "-fno-trapping-math", "-std=gnu11", "-fPIC", "-shared",
                        *flags, f"-I{INCLUDE}", str(source), "-o", str(target), "-lm"], check=True)
        return ctypes.CDLL(str(target))


def processor_runs(flags: list[str]) -> bool:
    if not flags:
        return True
    try:
        have = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return all(flag.removeprefix("-m") in have for flag in flags)


@functools.cache
def level_library(level: str) -> ctypes.CDLL:
    if level != "default" and not (IS_X86 and processor_runs(LEVELS[level])):
        pytest.skip(f"this processor does not run {level}")
    return compile_c(loops(), LEVELS[level], level)


@functools.cache
def reference_library() -> ctypes.CDLL:
    text = [REFERENCE_TEXT]
    text += [f"UNARY({name}, {formula})" for name, formula in UNARY.items()]
    text += [f"BINARY({name}, {formula})" for name, formula in BINARY.items()]
    library = compile_c("\n".join(text), [], "reference")
    library.worst_f32.restype = library.worst_f64.restype = ctypes.c_double
    return library


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def apply(level: str, function: str, *inputs: np.ndarray, result: type | np.dtype | None = None) -> np.ndarray:
    """The array of mt_function over arrays of its types."""
    inputs = tuple(np.ascontiguousarray(x) for x in inputs)
    out = np.empty(inputs[0].shape, result or inputs[0].dtype)
    getattr(level_library(level), f"loop_{function}")(*map(pointer, inputs), pointer(out), ctypes.c_long(out.size))
    return out


def truth(name: str, *inputs: np.ndarray) -> np.ndarray:
    inputs = tuple(np.ascontiguousarray(x, np.float64) for x in inputs)
    out = np.empty(inputs[0].shape, np.longdouble)
    getattr(reference_library(), f"ref_{name}")(*map(pointer, inputs), pointer(out), ctypes.c_long(out.size))
    return out


def worst_ulp(y: np.ndarray, expected: np.ndarray) -> tuple[float, int]:
    """The largest error and where it is."""
    where = ctypes.c_long()
    worst = getattr(reference_library(), f"worst_f{8 * y.itemsize}")
    error = worst(pointer(y), pointer(expected), ctypes.c_long(y.size), ctypes.byref(where))
    return error, where.value


EDGES = [0.0, 1.0, 0.5, 2.0, 3.0, 4.0, 0.25, 0.75, 0.55, 0.7, math.pi, math.pi / 2, math.pi / 4, math.e, 10.0, 88.7, 89.0,
         87.4, 103.9, 104.0, 126.0, 127.0, 128.0, 149.0, 150.0, 709.7, 709.8, 710.4, 710.5, 744.9, 745.2, 1022.0, 1023.0,
         1024.0, 1074.0, 1075.0, 2.0**20, 2.0**28, 2.0**53, 2.0**81, 2.0**109, 6.0, 9.2, 14.2, 27.2, 38.5,
         math.inf, math.nan]


def edges(dtype: type) -> np.ndarray:
    info = np.finfo(dtype)
    values = np.array([*EDGES, info.max, info.tiny, info.smallest_subnormal, info.eps, 1 - info.epsneg], dtype)
    values = np.concatenate([values, np.nextafter(values, dtype(np.inf)), np.nextafter(values, dtype(0))])
    return np.concatenate([values, -values])


def samples(dtype: type, count: int, seed: int = 0, every: int = 4999) -> np.ndarray:
    """Edges, bit patterns of every exponent, and numbers of ordinary size; of floats, every n-th that there is."""
    rng = np.random.default_rng(seed)
    if dtype is np.float32:
        patterns = np.arange(rng.integers(every), 2**32, every, dtype=np.uint64).astype(np.uint32).view(np.float32)
    else:
        patterns = rng.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
    ordinary = [rng.uniform(-r, r, count).astype(dtype) for r in (1, 2, 10, 100, 800)]
    return np.concatenate([edges(dtype), patterns, *ordinary]).astype(dtype)


def pairs(dtype: type, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of edges, and random pairs: of all bit patterns, of ordinary size, and powers about 1."""
    rng = np.random.default_rng(seed)
    x, y = (a.ravel() for a in np.meshgrid(edges(dtype), edges(dtype)))
    unsigned = np.uint32 if dtype is np.float32 else np.uint64
    xs, ys = [x], [y]
    for scale in (1, 10, 300):
        xs.append(rng.uniform(-scale, scale, count))
        ys.append(rng.uniform(-scale, scale, count))
    xs += [rng.uniform(0, 4, count), np.exp(rng.normal(0, 1e-3, count)), np.exp(rng.uniform(-80, 80, count))]
    ys += [np.rint(rng.uniform(-30, 30, count)), rng.uniform(-7e5, 7e5, count), rng.uniform(-8, 8, count)]
    for values in (xs, ys):
        values.append(rng.integers(0, np.iinfo(unsigned).max, count, dtype=unsigned).view(dtype))
    return tuple(np.concatenate([v.astype(dtype) for v in values]) for values in (xs, ys))


def bound(name: str) -> float:
    """Exact where rounding once is all there is to do, else 2 ulp."""
    exact = {"sqrt", "square", "reciprocal", "add", "sub", "mul", "div", "copysign", "maximum", "minimum", "fmax",
             "fmin", "fmod", "floor", "ceil", "trunc", "round", "frac", "abs", "neg", "sign", "sgn"}
    return 0.501 if name in exact else 2


@functools.cache
def unary_case(name: str, suffix: str) -> tuple[np.ndarray, np.ndarray]:
    x = samples(REALS[suffix], 20_000)
    if name.endswith("_near"):
        x = x[np.abs(x) <= 2.0**20]
    return x, truth(name, x)


@functools.cache
def binary_case(name: str, suffix: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = pairs(REALS[suffix], 10_000)
    return x, y, truth(name, x, y)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suffix", REALS)
class TestUlp:
    @pytest.mark.parametrize("name", UNARY)
    def test_unary(self, name: str, suffix: str, level: str) -> None:
        x, expected = unary_case(name, suffix)
        y = apply(level, f"{name}_{suffix}", x)
        error, i = worst_ulp(y, expected)
        assert error <= bound(name), f"{name}({x[i]!r}) = {y[i]!r}, not {expected[i]!r}"

    @pytest.mark.parametrize("name", BINARY)
    def test_binary(self, name: str, suffix: str, level: str) -> None:
        x1, x2, expected = binary_case(name, suffix)
        y = apply(level, f"{name}_{suffix}", x1, x2)
        error, i = worst_ulp(y, expected)
        assert error <= bound(name), f"{name}({x1[i]!r}, {x2[i]!r}) = {y[i]!r}, not {expected[i]!r}"


def long_check(wanted: list[str], parts: int) -> None:
    """Print the largest error on every level, and nanoseconds an element on the best."""
    print(f"{'':16}" + "".join(f"{level:>9}" for level in LEVELS) + f"{'ns':>8}")
    for suffix, dtype in REALS.items():
        for name in (*UNARY, *BINARY):
            if wanted and name not in wanted:
                continue
            errors = dict.fromkeys(LEVELS, (0.0, ""))
            for part in range(parts):
                if name in UNARY:
                    x = samples(dtype, 100_000, part, every=2003)
                    inputs: tuple[np.ndarray, ...] = (x[np.abs(x) <= 2.0**20] if "near" in name else x,)
                else:
                    inputs = pairs(dtype, 100_000, part)
                expected = truth(name, *inputs)
                for level in LEVELS:
                    y = apply(level, f"{name}_{suffix}", *inputs)
                    error, i = worst_ulp(y, expected)
                    if error > errors[level][0]:
                        errors[level] = error, f"{[float(x[i]) for x in inputs]} -> {y[i]!r} not {expected[i]!r}"
            inputs = (np.random.default_rng(0).uniform(0.01, 0.99, 1 << 18).astype(dtype),) * len(inputs)
            times = []
            for _ in range(5):
                start = time.perf_counter()
                apply("v4", f"{name}_{suffix}", *inputs)
                times.append((time.perf_counter() - start) / inputs[0].size)
            figures = "".join(f"{errors[level][0]:9.3f}" for level in LEVELS) + f"{min(times) * 1e9:8.2f}"
            print(f"{name + '_' + suffix:16}{figures}", flush=True)
            for level in LEVELS:
                if errors[level][0] > bound(name):
                    print("   ", level, errors[level][1])


if __name__ == "__main__":
    long_check(sys.argv[2:], int(sys.argv[1]))
