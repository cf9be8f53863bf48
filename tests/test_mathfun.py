"""The scalar functions of minitorch/_ext/include: errors in ulp, special values, integers, conversions of halves.

The headers are compiled by the system's C compiler into small shared objects, one for each instruction set that the
engine's kernels are cloned for, since whether multiplications and additions are fused changes every rounding.
The true values come from the C library's long double functions.

Run as a program this file prints the table of errors and times: ``python tests/test_mathfun.py 4 exp log`` draws four
rounds of about a million numbers for each of the named functions, or for all.
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
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),        # overflow and NaN are what is tested
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
    "maximum": "x != x || y != y ? x + y : x >= y ? x : y", "minimum": "x != x || y != y ? x + y : x <= y ? x : y",
    "fmax": "y != y || x >= y ? x : y", "fmin": "y != y || x <= y ? x : y", "fmod": "fmodl(x, y)",
    "xlogy": "x == 0 && y == y ? 0 : x * logl(y)", "xlog1py": "x == 0 && y == y ? 0 : x * log1pl(y)",
}
FLAGS = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "near")
OTHER = ("logaddexp", "logaddexp2", "remainder", "floor_divide", "trunc_divide", "nextafter", "heaviside", "ldexp")
SPECIAL = {"erfinv": 2, "ndtri": 3, "i0e": 4, "i1e": 4, "i0": 4, "i1": 4, "lgamma": 5, "digamma": 5}    # ulp
INTEGERS = {"b8": np.bool_, "u8": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}
INTEGER_UNARY = ("neg", "abs", "square", "sign", "sgn", "floor", "ceil", "trunc", "round", "frac", "isnan", "isinf",
                 "isfinite", "isposinf", "isneginf", "signbit")
INTEGER_BINARY = ("add", "sub", "mul", "maximum", "minimum", "fmax", "fmin", "trunc_divide", "floor_divide",
                  "remainder", "fmod", "pow", "gcd", "lcm", "left_shift", "right_shift", "heaviside")
HALVES = [("half", "float"), ("float", "half"), ("bf16", "float"), ("float", "bf16"), ("double", "half"),
          ("double", "bf16"), ("half", "double"), ("bf16", "double")]
REALS = {"f32": np.float32, "f64": np.float64}
C_TYPES = {"f32": "float", "f64": "double", "half": "uint16_t", "bf16": "uint16_t",
           "b8": "uint8_t", "u8": "uint8_t", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t",
           "i64": "int64_t"}

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
    if (x == 0 || s == 0) return x == 0;
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
        for name in (*UNARY, *SPECIAL):
            loop(f"{name}_{suffix}", t, t)
        for name in (*BINARY, *OTHER):
            loop(f"{name}_{suffix}", t, t, t)
        for name in FLAGS:
            loop(f"{name}_{suffix}", "uint8_t", t)
    for suffix in INTEGERS:
        t = C_TYPES[suffix]
        for name in INTEGER_UNARY:
            loop(f"{name}_{suffix}", t, t)
        for name in INTEGER_BINARY:
            loop(f"{name}_{suffix}", t, t, t)
    for source, target in HALVES:
        loop(f"{source}_to_{target}", C_TYPES.get(target, target), C_TYPES.get(source, source))
    return "\n".join(text) + "\n"


@functools.cache
def quick_flags() -> tuple[str, ...]:
    """GCC spends a third of its time on the remainders of vectorised loops."""
    version = subprocess.run([COMPILER, "--version"], check=True, capture_output=True, text=True).stdout
    return ("--param=vect-epilogues-nomask=0",) if "Free Software Foundation" in version else ()


def compile_c(text: str, flags: list[str], name: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, f"{name}.c"), Path(folder, f"{name}.so")
        source.write_text(text)
        subprocess.run([COMPILER, "-O3", "-fno-math-errno", "-fno-trapping-math", "-std=gnu11", "-fPIC", "-shared",
                        *quick_flags(), *flags, f"-I{INCLUDE}", str(source), "-o", str(target), "-lm"], check=True)
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


EDGES = [0.0, 1.0, 0.5, 2.0, 3.0, 4.0, 0.25, 0.75, 0.55, 0.7, math.pi, math.pi / 2, math.pi / 4, math.e, 10.0, 88.7,
         89.0, 87.4, 103.9, 104.0, 126.0, 127.0, 128.0, 149.0, 150.0, 709.7, 709.8, 710.4, 710.5, 744.9, 745.2, 1022.0,
         1023.0, 1024.0, 1074.0, 1075.0, 2.0**20, 2.0**28, 2.0**53, 2.0**81, 2.0**109, 6.0, 9.2, 14.2, 27.2, 38.5,
         math.inf, math.nan]


def edges(dtype: type) -> np.ndarray:
    info = np.finfo(dtype)
    values = np.array([*EDGES, info.max, info.tiny, info.smallest_subnormal, info.eps, 1 - info.epsneg], dtype)
    values = np.concatenate([values, np.nextafter(values, dtype(np.inf)), np.nextafter(values, dtype(0))])
    return np.concatenate([values, -values])


def samples(dtype: type, count: int, seed: int = 0, every: int = 19_997) -> np.ndarray:
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


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suffix", REALS)
class TestReals:
    """What has no long double to be held to: flags, remainders, sums of logarithms."""

    def test_flags(self, suffix: str, level: str) -> None:
        x = samples(REALS[suffix], 1000, every=999_983)
        expected = {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "isposinf": np.isposinf,
                    "isneginf": np.isneginf, "signbit": np.signbit,
                    "near": lambda x: ~np.isfinite(x) | (np.abs(x) <= 2.0**20)}
        for name in FLAGS:
            y = apply(level, f"{name}_{suffix}", x, result=np.uint8)
            np.testing.assert_array_equal(y, expected[name](x).astype(np.uint8), name)

    def test_remainder_and_floor_divide_are_pythons(self, suffix: str, level: str) -> None:
        dtype = REALS[suffix]
        x, y = pairs(dtype, 500)
        ordinary = np.isfinite(x) & np.isfinite(y) & (y != 0) & np.isfinite(x / y)
        x, y = x[ordinary], y[ordinary]
        remainder, quotient = (apply(level, f"{name}_{suffix}", x, y) for name in ("remainder", "floor_divide"))
        for a, b, r, q in zip(x, y, remainder, quotient):
            assert r == dtype(float(a) % float(b)), (a, b)
            if suffix == "f64":
                assert q == float(a) // float(b), (a, b)
        assert np.all((remainder == 0) | (np.signbit(remainder) == np.signbit(y)))

    def test_division_by_zero_and_infinity(self, suffix: str, level: str) -> None:
        x = np.array([5, -5, 0, 5, -5, 5, np.inf, np.nan], REALS[suffix])
        y = np.array([0, 0, 0, np.inf, np.inf, -np.inf, 2, 1], REALS[suffix])
        np.testing.assert_array_equal(apply(level, f"floor_divide_{suffix}", x, y),
                                      [np.inf, -np.inf, np.nan, 0, -1, -1, np.nan, np.nan])
        np.testing.assert_array_equal(apply(level, f"remainder_{suffix}", x, y),
                                      [np.nan, np.nan, np.nan, 5, np.inf, -np.inf, np.nan, np.nan])
        np.testing.assert_array_equal(apply(level, f"trunc_divide_{suffix}", x, y),
                                      [np.inf, -np.inf, np.nan, 0, 0, 0, np.inf, np.nan])

    @pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
    def test_logaddexp(self, name: str, suffix: str, level: str) -> None:
        x, y = pairs(REALS[suffix], 2000)
        z = apply(level, f"{name}_{suffix}", x, y)
        expected = getattr(np, name)(x.astype(np.longdouble), y.astype(np.longdouble))
        # the sum may cancel: the error is measured against the terms
        scale = np.maximum(np.maximum(np.abs(x), np.abs(expected)), 0.7) * np.finfo(x.dtype).eps
        finite = np.isfinite(expected) & np.isfinite(z)
        assert np.max(np.abs(z - expected)[finite] / scale[finite]) <= 2
        np.testing.assert_array_equal(z[~finite], expected[~finite].astype(x.dtype))

    def test_nextafter_heaviside_ldexp(self, suffix: str, level: str) -> None:
        dtype = REALS[suffix]
        x, y = pairs(dtype, 500)
        np.testing.assert_array_equal(apply(level, f"nextafter_{suffix}", x, y), np.nextafter(x, y))
        expected = np.where(np.isnan(x), 0, np.heaviside(x, y))              # PyTorch counts NaN as not positive
        np.testing.assert_array_equal(apply(level, f"heaviside_{suffix}", x, y), expected)
        values = np.array([1, 1.5, -3, 0, np.inf, np.nan, np.finfo(dtype).tiny, np.finfo(dtype).max], dtype)
        x, n = (a.ravel() for a in np.meshgrid(values, np.arange(-200, 201, 7)))
        np.testing.assert_array_equal(apply(level, f"ldexp_{suffix}", x, n.astype(dtype)), np.ldexp(x, n))


@functools.cache
def special_case(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Arguments, which are floats too, and values from mpmath as long double."""
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp
    rng = np.random.default_rng(0)

    def erfinv_near_one(x: mpmath.mpf) -> mpmath.mpf:
        """Newton's method on log erfc: mpmath's own erfinv gives up where 1 - x is small."""
        a = abs(x)
        y = mpmath.sqrt(-mpmath.log(1 - a)) if a > 0.9 else a
        for _ in range(50):
            erfc = mpmath.erfc(y)
            step = mpmath.log(erfc / (1 - a)) * erfc * mpmath.exp(y * y) * mpmath.sqrt(mpmath.pi) / 2
            y += step
            if abs(step) < 1e-30 * y:
                break
        return mpmath.sign(x) * y

    functions = {
        "erfinv": erfinv_near_one, "ndtri": lambda p: mpmath.sqrt(2) * erfinv_near_one(2 * p - 1),
        "i0": lambda x: mpmath.besseli(0, x), "i0e": lambda x: mpmath.exp(-abs(x)) * mpmath.besseli(0, x),
        "i1": lambda x: mpmath.besseli(1, x), "i1e": lambda x: mpmath.exp(-abs(x)) * mpmath.besseli(1, x),
        "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))), "digamma": mpmath.digamma,
    }
    if name == "erfinv":
        x = np.concatenate([rng.uniform(-1, 1, 150), 1 - 10 ** -rng.uniform(0, 7, 50), 10 ** -rng.uniform(0, 30, 30)])
    elif name == "ndtri":
        x = np.concatenate([rng.uniform(0, 1, 150), 10 ** -rng.uniform(0, 37, 50), 1 - 10 ** -rng.uniform(0, 7, 50)])
    elif name.startswith("i"):
        x = np.concatenate([rng.uniform(-10, 10, 100), rng.uniform(-80, 80, 50), 10 ** -rng.uniform(0, 8, 20)])
    else:
        x = np.concatenate([rng.uniform(0.01, 0.9, 40), rng.uniform(2.5, 12, 40), 10 ** rng.uniform(1.2, 20, 30)])
    x = x.astype(np.float32).astype(np.float64)
    x = x[np.abs(x) < 1] if name == "erfinv" else x[(x > 0) & (x < 1)] if name == "ndtri" else x
    with mp.workprec(300 if name == "ndtri" else 160):
        values = [functions[name](mpmath.mpf(v)) for v in x.tolist()]
        text = [mpmath.nstr(v, 25) for v in values]
    return x, np.array([np.longdouble(t) for t in text])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suffix", REALS)
class TestSpecial:
    @pytest.mark.parametrize("name", SPECIAL)
    def test_values(self, name: str, suffix: str, level: str) -> None:
        x, expected = special_case(name)
        x = x.astype(REALS[suffix])
        y = apply(level, f"{name}_{suffix}", x)
        error, i = worst_ulp(y, expected)
        assert error <= (0.6 if suffix == "f32" and name not in ("lgamma", "digamma") else SPECIAL[name]), \
            f"{error} ulp: {name}({x[i]!r}) = {y[i]!r}, not {expected[i]!r}"

    def test_edges(self, suffix: str, level: str) -> None:
        inf, nan = np.inf, np.nan
        table = {
            "erfinv": {0.0: 0.0, 1.0: inf, -1.0: -inf, 1.5: nan, nan: nan, inf: nan},
            "ndtri": {0.0: -inf, 0.5: 0.0, 1.0: inf, -1.0: nan, 2.0: nan, nan: nan},
            "i0": {0.0: 1.0, inf: inf, -inf: inf, nan: nan}, "i0e": {0.0: 1.0, inf: 0.0, nan: nan},
            "i1": {0.0: 0.0, inf: inf, -inf: -inf, nan: nan}, "i1e": {0.0: 0.0, inf: 0.0, -inf: -0.0, nan: nan},
            "lgamma": {1.0: 0.0, 2.0: 0.0, 0.0: inf, -3.0: inf, inf: inf, -inf: inf, nan: nan},
            "digamma": {0.0: -inf, -2.0: nan, inf: inf, -inf: nan, nan: nan},
        }
        for name, values in table.items():
            x, expected = (np.array(list(v), REALS[suffix]) for v in (values.keys(), values.values()))
            np.testing.assert_array_equal(apply(level, f"{name}_{suffix}", x), expected, name)
        minus_zero = np.array([-0.0], REALS[suffix])
        assert apply(level, f"digamma_{suffix}", minus_zero) == inf
        assert np.signbit(apply(level, f"erfinv_{suffix}", minus_zero)).all()


def wrap(value: int, dtype: type) -> int | bool:
    """The value modulo the range of the type, as two's complement has it."""
    if dtype is np.bool_:
        return value != 0
    bits = 8 * np.dtype(dtype).itemsize
    value &= (1 << bits) - 1
    return value - (1 << bits) if np.iinfo(dtype).min < 0 and value >> (bits - 1) else value


def integer_truth(name: str, a: int, b: int, bits: int) -> int:
    def trunc(a: int, b: int) -> int:
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)

    def shift_right(a: int, n: int) -> int:
        return a >> n if 0 <= n < bits else -(a < 0)

    def power(a: int, n: int) -> int:
        return pow(a, n, 1 << 64) if n >= 0 else 1 if a == 1 else (-1)**(n % 2) if a == -1 else 0

    return {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "maximum": lambda: max(a, b),
        "minimum": lambda: min(a, b), "fmax": lambda: max(a, b), "fmin": lambda: min(a, b),
        "trunc_divide": lambda: trunc(a, b) if b else 0, "floor_divide": lambda: a // b if b else 0,
        "remainder": lambda: a % b if b else 0, "fmod": lambda: a - b * trunc(a, b) if b else 0,
        "pow": lambda: power(a, b), "gcd": lambda: math.gcd(a, b), "lcm": lambda: math.lcm(a, b),
        "left_shift": lambda: a << b if 0 <= b < bits else 0, "right_shift": lambda: shift_right(a, b),
        "heaviside": lambda: b if a == 0 else int(a > 0),
    }[name]()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suffix", INTEGERS)
class TestIntegers:
    def values(self, suffix: str) -> np.ndarray:
        dtype = INTEGERS[suffix]
        if suffix == "b8":
            return np.array([False, True])
        info = np.iinfo(dtype)
        centres = (info.min, info.max, 0, 8 * np.dtype(dtype).itemsize)
        near = {v for centre in centres for v in range(centre - 3, centre + 4)}
        near |= {5, 7, 12, 100, -17, -100, 1000, 46341, 2**31, 3037000500, -2**15, 720720}
        return np.array(sorted(v for v in near if info.min <= v <= info.max), dtype)

    @pytest.mark.parametrize("name", INTEGER_BINARY)
    def test_binary(self, name: str, suffix: str, level: str) -> None:
        dtype = INTEGERS[suffix]
        x, y = (a.ravel() for a in np.meshgrid(self.values(suffix), self.values(suffix)))
        bits = 8 * np.dtype(dtype).itemsize
        expected = [wrap(integer_truth(name, int(a), int(b), bits), dtype) for a, b in zip(x, y)]
        z = apply(level, f"{name}_{suffix}", x, y)
        wrong = [(a, b, c, d) for a, b, c, d in zip(x, y, z.tolist(), expected) if c != d]
        assert not wrong, f"{name}{wrong[0][:2]} = {wrong[0][2]}, not {wrong[0][3]}"

    def test_unary(self, suffix: str, level: str) -> None:
        dtype, x = INTEGERS[suffix], self.values(suffix)
        truths = {"neg": lambda a: -a, "abs": abs, "square": lambda a: a * a, "sign": lambda a: (a > 0) - (a < 0),
                  "sgn": lambda a: (a > 0) - (a < 0), "isfinite": lambda a: 1, "signbit": lambda a: int(a < 0),
                  **dict.fromkeys(("floor", "ceil", "trunc", "round"), lambda a: a)}
        for name in INTEGER_UNARY:
            expected = [wrap(truths.get(name, lambda a: 0)(int(a)), dtype) for a in x]
            assert apply(level, f"{name}_{suffix}", x).tolist() == expected, name


def bf16_truth(x: np.ndarray) -> np.ndarray:
    """The bits of the nearest bfloat16, found among the neighbours: the number cut off and the next one out."""
    with np.errstate(over="ignore"):
        single = x.astype(np.float32)
    down = (single.view(np.uint32) >> 16).astype(np.uint32)
    too_far = np.abs((down << 16).view(np.float32).astype(np.float64)) > np.abs(x)
    down -= too_far.astype(np.uint32)
    up = down + 1
    low, high = ((b << 16).view(np.float32).astype(np.float64) for b in (down, up))
    high = np.where(np.isinf(high), np.copysign(2.0**128, x), high)
    nearer_up = np.abs(high - x) < np.abs(x - low)
    tie = np.abs(high - x) == np.abs(x - low)
    return np.where(nearer_up | (tie & (down % 2 == 1)), up, down).astype(np.uint16)


@pytest.mark.parametrize("level", LEVELS)
class TestHalves:
    every = np.arange(65536, dtype=np.uint16)

    def test_half_to_wider(self, level: str) -> None:
        expected = self.every.view(np.float16).astype(np.float32)
        for name, dtype in (("half_to_float", np.float32), ("half_to_double", np.float64)):
            y = apply(level, name, self.every, result=dtype)
            np.testing.assert_array_equal(y, expected.astype(dtype))
            np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))

    def test_bf16_to_wider(self, level: str) -> None:
        expected = (self.every.astype(np.uint32) << 16).view(np.float32)
        for name, dtype in (("bf16_to_float", np.float32), ("bf16_to_double", np.float64)):
            np.testing.assert_array_equal(apply(level, name, self.every, result=dtype), expected.astype(dtype))

    @pytest.mark.parametrize("kind", ["half", "bf16"])
    def test_there_and_back(self, kind: str, level: str) -> None:
        wide = apply(level, f"{kind}_to_float", self.every, result=np.float32)
        back = apply(level, f"float_to_{kind}", wide, result=np.uint16)
        nan = np.isnan(wide)
        np.testing.assert_array_equal(back[~nan], self.every[~nan])
        assert np.isnan(apply(level, f"{kind}_to_float", back[nan], result=np.float32)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_narrowing(self, dtype: type, level: str) -> None:
        rng = np.random.default_rng(0)
        halves = self.every.view(np.float16).astype(dtype)
        brains = (self.every.astype(np.uint32) << 16).view(np.float32).astype(dtype)
        x = [samples(dtype, 20_000, every=99_991), np.exp2(rng.uniform(-27, 17, 50_000)).astype(dtype)]
        for grid in (halves, brains):           # the midpoints, and what lies just beside them
            grid = np.sort(grid[np.isfinite(grid)])
            middle = grid[:-1] + (grid[1:] - grid[:-1]) / 2
            x += [middle, np.nextafter(middle, dtype(np.inf)), np.nextafter(middle, dtype(-np.inf))]
        x = np.concatenate(x)
        source = "float" if dtype is np.float32 else "double"
        nan = np.isnan(x)
        with np.errstate(over="ignore"):
            expected = x.astype(np.float16).view(np.uint16)
        y = apply(level, f"{source}_to_half", x, result=np.uint16)
        np.testing.assert_array_equal(y[~nan], expected[~nan])
        assert np.isnan(y[nan].view(np.float16)).all()
        finite = np.isfinite(x)
        y = apply(level, f"{source}_to_bf16", x, result=np.uint16)
        np.testing.assert_array_equal(y[finite], bf16_truth(x[finite].astype(np.float64)))
        wide = (y[~finite].astype(np.uint32) << 16).view(np.float32)
        np.testing.assert_array_equal(wide, x[~finite].astype(np.float32))


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
                    x = samples(dtype, 100_000, part, every=4999)
                    inputs: tuple[np.ndarray, ...] = (x[np.abs(x) <= 2.0**20] if "near" in name else x,)
                else:
                    inputs = pairs(dtype, 100_000, part)
                expected = truth(name, *inputs)
                for level in LEVELS:
                    y = apply(level, f"{name}_{suffix}", *inputs)
                    error, i = worst_ulp(y, expected)
                    if error > errors[level][0]:
                        errors[level] = error, f"{[float(x[i]) for x in inputs]} -> {y[i]!r} not {expected[i]!r}"
            inputs = (np.random.default_rng(0).uniform(0.01, 0.99, 1 << 16).astype(dtype),) * len(inputs)
            times, out = [], np.zeros_like(inputs[0])
            run = getattr(level_library("v4"), f"loop_{name}_{suffix}")
            arguments = (*map(pointer, inputs), pointer(out), ctypes.c_long(out.size))
            for _ in range(20):
                start = time.perf_counter()
                run(*arguments)
                times.append((time.perf_counter() - start) / inputs[0].size)
            figures = "".join(f"{errors[level][0]:9.3f}" for level in LEVELS) + f"{min(times) * 1e9:8.2f}"
            print(f"{name + '_' + suffix:16}{figures}", flush=True)
            for level in LEVELS:
                if errors[level][0] > bound(name):
                    print("   ", level, errors[level][1])


if __name__ == "__main__":
    long_check(sys.argv[2:], int((sys.argv + ["1"])[1]))
