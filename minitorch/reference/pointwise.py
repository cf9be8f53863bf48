"""Pointwise operations: the table's own text, evaluated in wider arithmetic and rounded once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..ops.pointwise import CONSTANTS, FLOAT, TABLE, Op


def _each(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """A function of floats for arrays; a pole is NaN, an overflow infinite."""

    def one(*x: float) -> float:
        try:
            return function(*map(float, x))
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return np.vectorize(one, otypes=[np.float64])


# ---------------------------------------------------------------------------------------------------------------------
# What NumPy lacks, of one number


def _lgamma(x: float) -> float:
    pole = math.isinf(x) or (x <= 0 and x == math.floor(x))
    return math.inf if pole else math.lgamma(x)


def _zeta(s: float, x: float) -> float:
    """Hurwitz' zeta function, sum over k of (x + k)^-s, for s > 1: 20 terms and the Euler-Maclaurin formula."""
    total = math.fsum((x + k) ** -s for k in range(20))
    x += 20
    total += x ** (1 - s) / (s - 1) + 0.5 * x**-s
    term = s * x ** (-s - 1)
    for j, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730), start=1):
        total += bernoulli / math.factorial(2 * j) * term
        term *= (s + 2 * j - 1) * (s + 2 * j) / (x * x)
    return total


def _incomplete_gamma(a: float, x: float) -> float:
    """The lower one, regularised: its power series."""
    total = term = 1 / a
    k = a
    while term > 1e-18 * total:
        k += 1
        term *= x / k
        total += term
    return total * math.exp(a * math.log(x) - x - math.lgamma(a))


def _digamma(x: float) -> float:
    """Reflected below 0, moved up by recurrence, then the asymptotic series."""
    if x == 0 or math.isinf(x):
        return math.copysign(math.inf, -x) if x == 0 else math.inf if x > 0 else math.nan
    if x < 0:
        return math.nan if x == math.floor(x) else _digamma(1 - x) - math.pi / math.tan(math.pi * (x - math.floor(x)))
    shift = 0.0
    while x < 12:
        shift -= 1 / x
        x += 1
    z = 1 / (x * x)
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760)))))
    return shift + math.log(x) - 0.5 / x - series


def _polygamma(x: float, n: float) -> float:
    return _digamma(x) if n == 0 else (-1) ** (int(n) + 1) * math.factorial(int(n)) * _zeta(n + 1, x)


def _bessel_i(order: int) -> Callable[[float], float]:
    """The power series sum of (x/2)^(2k + order) / (k! (k + order)!), whose terms have one sign."""

    def one(x: float) -> float:
        if math.isinf(x):
            return math.inf if x > 0 or order == 0 else -math.inf
        term = total = (x / 2) ** order
        k = 1
        while abs(term) > 1e-19 * abs(total):
            term *= (x / 2) ** 2 / (k * (k + order))
            total += term
            k += 1
        return total

    return one


def _erfinv(x: float) -> float:
    """Newton's method on erfc, started from the logarithm of the tail."""
    if abs(x) >= 1 or x == 0 or math.isnan(x):
        return math.copysign(math.inf, x) if abs(x) == 1 else x if x == 0 else math.nan
    a = 4.33 + math.log1p(-x * x) / 2
    y = math.sqrt(math.sqrt(a * a - math.log1p(-x * x) / 0.147) - a)
    for _ in range(8):
        difference = math.erfc(y) - (1 - abs(x)) if abs(x) > 0.5 else abs(x) - math.erf(y)
        y += difference * math.sqrt(math.pi) / 2 * math.exp(y * y)
    return math.copysign(y, x)


# ---------------------------------------------------------------------------------------------------------------------
# The functions that the table's texts call


def _adjusted(remainder: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Whether a truncating division rounded the wrong way for a floor."""
    return (remainder != 0) & ((remainder < 0) != (divisor < 0))


def _floor_divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if np.result_type(x, y).kind != "f":
        return np.floor_divide(x, y)
    remainder = np.fmod(x, y)
    quotient = np.rint((x - remainder) / y) - _adjusted(remainder, y)
    return np.where(y == 0, x / y, np.where(quotient == 0, np.copysign(0.0, x / y), quotient))


def _remainder(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    remainder = np.fmod(x, y)
    return np.where(_adjusted(remainder, y), remainder + y, remainder).astype(remainder.dtype)


def _trunc_divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if np.result_type(x, y).kind == "f":
        return np.trunc(x / y)
    quotient = np.floor_divide(x, y)
    return quotient + ((np.fmod(x, y) != 0) & (quotient < 0))


def _pow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if np.result_type(x, y).kind == "f":
        return np.power(x, y)
    inverse = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0))
    return np.where(y < 0, inverse, np.power(x, np.maximum(y, 0)))


def _shift(operation: Callable, out: Callable) -> Callable:
    """A distance of the width or more shifts everything out."""

    def shift(x: np.ndarray, n: np.ndarray) -> np.ndarray:
        wide = (n < 0) | (n >= 8 * x.dtype.itemsize)
        return np.where(wide, out(x), operation(x, np.where(wide, 0, n)))

    return shift


def _sigmoid(x: np.ndarray) -> np.ndarray:
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, tail) / (1 + tail)


def _log_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def _sinc(x: np.ndarray) -> np.ndarray:
    u = math.pi * np.where(x == 0, 1, x)
    return np.where(x == 0, 1, np.sin(u) / u)


def _times_log(log: Callable) -> Callable:
    return lambda x, y: np.where(np.isnan(y), math.nan, np.where(x == 0, 0, x * log(y)))


FUNCTIONS: dict[str, Callable] = {
    **{
        name: getattr(np, name)
        for name in (
            "abs ceil copysign cos cosh exp exp2 expm1 floor fmax fmin fmod gcd hypot isfinite isinf isnan isneginf"
            " isposinf lcm log log10 log1p log2 logaddexp logaddexp2 maximum minimum nextafter signbit sin sinh sqrt"
            " square tan tanh trunc where"
        ).split()
    },
    **{name: getattr(np, "arc" + name[1:]) for name in "acos acosh asin asinh atan atan2 atanh".split()},
    "digamma": _each(_digamma),
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "erfcx": _each(lambda x: math.exp(x * x) * math.erfc(x)),
    "erfinv": _each(_erfinv),
    "floor_divide": _floor_divide,
    "frac": lambda x: x - np.trunc(x),
    "i0": _each(_bessel_i(0)),
    "i1": _each(_bessel_i(1)),
    "i0e": _each(lambda x: math.exp(-abs(x)) * _bessel_i(0)(x)),
    "i1e": _each(lambda x: math.exp(-abs(x)) * _bessel_i(1)(x)),
    "igamma": _each(lambda a, x: _incomplete_gamma(a, x)),
    "igammac": _each(lambda a, x: 1 - _incomplete_gamma(a, x)),
    "ldexp": lambda x, n: x * np.exp2(n),
    "left_shift": _shift(np.left_shift, np.zeros_like),
    "lgamma": _each(_lgamma),
    "log_sigmoid": _log_sigmoid,
    "log_ndtr": _each(lambda x: math.log(0.5 * math.erfc(-x / math.sqrt(2)))),
    "logit": lambda x: np.log(x / (1 - x)),
    "ndtri": _each(lambda p: math.sqrt(2) * _erfinv(2 * p - 1)),
    "normcdf": _each(lambda x: 0.5 * math.erfc(-x / math.sqrt(2))),
    "normpdf": lambda x: np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
    "gelu_slope": _each(
        lambda x: 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    ),
    "polygamma": _each(_polygamma),
    "pow": _pow,
    "remainder": _remainder,
    "right_shift": _shift(np.right_shift, lambda x: np.where(x < 0, -1, 0)),
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": _sigmoid,
    "sign": lambda x: x if x.dtype == bool else np.where(x > 0, 1, np.where(x < 0, -1, 0)),
    "sinc": _sinc,
    "trunc_divide": _trunc_divide,
    "xlog1py": _times_log(np.log1p),
    "xlogy": _times_log(np.log),
    "zeta": _each(_zeta),
}

DIVIDES = {"floor_divide", "remainder", "fmod", "trunc_divide"}


def _wide(x: np.ndarray) -> np.ndarray:
    """A float operand in more precision than it has."""
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def _evaluate(text: str, names: dict) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(eval(text, {"__builtins__": {}, **CONSTANTS, **FUNCTIONS, **names}))


def pointwise(name: str, *operands: np.ndarray, **parameters: float) -> np.ndarray:
    """The result of an operation of the table; operands of one type (see promotion), which broadcast.

    Floats are computed in wider arithmetic and rounded once, integers wrap around; an operation on real numbers takes
    integers as float32.  Dividing an integer by zero is a RuntimeError.

    >>> pointwise("leaky_relu", np.float32([-1, 2]), negative_slope=0.5)
    array([-0.5,  2. ], dtype=float32)
    """
    op: Op = TABLE[name]
    xs = [np.asarray(x) for x in operands]
    kind = xs[-1].dtype
    if op.types == FLOAT and kind.kind != "f":
        kind = np.dtype(np.float32)
        xs = [x.astype(kind) for x in xs]
    if kind.kind != "f" and name in DIVIDES and not np.all(xs[1]):
        raise RuntimeError("ZeroDivisionError")
    text = op.integer if op.integer and kind.kind != "f" else op.y
    # the neighbour of a number depends on its type
    exact = kind.kind != "f" or name == "nextafter"
    wide = [x if exact or x.dtype == bool else _wide(x) for x in xs]
    y = _evaluate(text, {**dict(zip(op.operands, wide)), **parameters})
    with np.errstate(all="ignore"):
        y = y.astype(bool if op.result_bool else kind)
    return np.broadcast_to(y, np.broadcast_shapes(*(x.shape for x in xs))).copy()


def gradient(name: str, k: int, g: np.ndarray, *operands: np.ndarray, **parameters: float) -> np.ndarray:
    """What operand `k` gets of the gradient `g`, before broadcasting is undone.

    >>> gradient("mul", 0, np.float64([1, 1]), np.float64([2, 3]), np.float64([4, 5]))
    array([4., 5.])
    """
    op: Op = TABLE[name]
    text = op.gradients[k]
    if text is None:
        raise ValueError(f"{name} passes no gradient to operand {k}")
    wide = {symbol: _wide(x) if x.dtype != bool else x for symbol, x in zip(op.operands, operands)}
    y = _wide(pointwise(name, *operands, **parameters))
    value = _evaluate(text, {**wide, "g": _wide(g), "y": y, **parameters})
    with np.errstate(all="ignore"):
        return np.broadcast_to(value, y.shape).astype(g.dtype)
