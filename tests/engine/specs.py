"""What every pointwise operation should compute, stated without the op table: plain NumPy in higher precision.

A `Spec` is PyTorch's name, the true function of higher-precision arguments (`longdouble` for float64, else float64),
the kind of its result, and the values to try. mpmath gives the true float64 values of what NumPy lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import mpmath
import numpy as np

inf, nan = np.inf, np.nan

SPECIALS = [0.0, -0.0, nan, inf, -inf, 1.0, -1.0]
SPREAD = np.concatenate([np.geomspace(1e-3, 80, 25), -np.geomspace(1e-3, 80, 25), np.linspace(-2.5, 2.5, 21)])
WIDE = np.concatenate([SPREAD, np.geomspace(1e-37, 1e37, 19), -np.geomspace(1e-37, 1e37, 19)])
UNIT = np.concatenate([np.linspace(-1, 1, 41), [1.5, -1.5]])
ABOVE_ZERO = np.concatenate([np.geomspace(1e-30, 1e30, 31), np.linspace(0.05, 3, 30), [-1.5]])


@dataclass
class Spec:
    """One operation: see the fields' comments."""

    name: str
    true: Callable  # of float64 or longdouble arrays
    arity: int = 1
    kind: str = "float"  # result: "float" (integers become the default float), "same", "bool"
    values: np.ndarray = field(default_factory=lambda: WIDE)
    types: str = "bif"  # accepts bool, integers, floats
    exact: bool = False  # rounding the true value once is the only right answer
    mp: Callable | None = None  # the true function of one mpmath number, for float64
    ulp: float = 2.0
    scale: Callable | None = None  # where terms cancel: the magnitude of the terms, in whose ulp the error is counted
    finite: bool = False  # infinities are left out: which of them give NaN is a choice
    nans: bool = True  # NaN is among the inputs; not where the result would show its sign
    zeros: bool = True  # the sign of a zero result is defined
    method: bool = True
    inplace: bool = True
    out: bool = True
    smooth: np.ndarray | None = None  # float64 points for gradient checks, None if it has no gradient
    module: str = ""  # "nn.functional" for the activations that live there
    arguments: tuple = ()  # further positional arguments


def _vectorize(f: Callable) -> Callable:
    """`f` of one number for arrays; an error of the domain is NaN."""

    def one(*x):
        try:
            return f(*x)
        except (ValueError, ZeroDivisionError):
            return nan
        except OverflowError:
            return inf

    return np.vectorize(one, otypes=[np.float64])


def mp_exact(spec: Spec, x: np.ndarray) -> np.ndarray:
    """The values of `spec.mp` at float64 points, as longdouble; `spec.true` at 0, infinities and far away."""
    f = spec.mp

    def one(value):
        if not 0 < abs(value) < 1e4:
            return np.longdouble(spec.true(np.array([value]))[0])
        try:
            with mpmath.workdps(60):
                y = f(mpmath.mpf(float(value)))
                if isinstance(y, mpmath.mpc):
                    return np.longdouble(nan)
                head = float(y)
                return (
                    np.longdouble(head)
                    if not math.isfinite(head)
                    else np.longdouble(head) + np.longdouble(float(y - mpmath.mpf(head)))
                )
        except (ValueError, ZeroDivisionError):
            return np.longdouble(nan)

    flat = np.array([one(v) for v in np.ravel(x)], np.longdouble)
    return flat.reshape(np.shape(x))


def _digamma(x: float) -> float:
    if x == 0:
        return math.copysign(inf, -x)
    if x == -inf or (x < 0 and x == math.floor(x)):
        return nan
    return inf if x == inf else float(mpmath.digamma(x))


def _erfinv(x: float) -> float:
    if abs(x) >= 1:
        return math.copysign(inf, x) if abs(x) == 1 else nan
    return float(mpmath.erfinv(x)) if x else x


def _lgamma(x: float) -> float:
    return inf if math.isinf(x) or (x <= 0 and x == math.floor(x)) else math.lgamma(x)


def _normcdf(x):
    return _vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))(np.asarray(x, np.float64))


def _softplus(x):
    return np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 21))))


def _sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _mish(x):
    e = np.exp(np.minimum(x, 50))
    return x * np.where(x > 50, 1, e * (e + 2) / (e * (e + 2) + 2))


NEAR = np.concatenate([-np.geomspace(0.02, 2.8, 7), np.geomspace(0.025, 2.9, 7)])  # smooth points on both sides of 0
POSITIVE = np.geomspace(0.1, 9, 12)
INSIDE = np.linspace(-0.93, 0.94, 12)


def _unary() -> list[Spec]:
    f = []

    def add(name, true, **options):
        f.append(Spec(name, true, **options))

    add("acos", np.arccos, values=UNIT, smooth=INSIDE)
    add("acosh", np.arccosh, values=ABOVE_ZERO, smooth=POSITIVE + 1.1)
    add("asin", np.arcsin, values=UNIT, smooth=INSIDE)
    add("asinh", np.arcsinh, smooth=NEAR)
    add("atan", np.arctan, smooth=NEAR)
    add("atanh", np.arctanh, values=UNIT, smooth=INSIDE)
    add("ceil", np.ceil, kind="same", types="if", exact=True)
    add("cos", np.cos, smooth=NEAR)
    add("cosh", np.cosh, smooth=NEAR)
    add("deg2rad", lambda x: x * (np.longdouble(math.pi) + np.longdouble(1.2246467991473532e-16)) / 180, smooth=NEAR)
    add(
        "digamma",
        _vectorize(_digamma),
        mp=lambda x: _mp_digamma(x),
        values=np.concatenate([POSITIVE, [-0.5, -1.5, -7.25, 40, 1e5, -3]]),
        scale=lambda x: 1 + 0 * x,  # it has zeros
        ulp=4,
        smooth=POSITIVE,
    )
    add("erf", _vectorize(math.erf), mp=mpmath.erf, smooth=NEAR)
    add("erfc", _vectorize(math.erfc), mp=mpmath.erfc, values=np.concatenate([SPREAD, [9.5, 10, 13, 26]]), smooth=NEAR)
    add(
        "erfinv",
        _vectorize(_erfinv),
        mp=lambda x: _mp_erfinv(x),
        values=np.concatenate([INSIDE, [1e-10, 0.9999, -0.99999, 2]]),
        smooth=INSIDE,
    )
    add(
        "exp",
        np.exp,
        values=np.concatenate([SPREAD, [88.7, 88.8, -87.4, -103.9, -104, 709.7, 709.8, -745.1, -746]]),
        smooth=NEAR,
    )
    add(
        "exp2",
        np.exp2,
        values=np.concatenate([SPREAD, [127.9, 128, -126.5, -149, -150, 1023.9, 1024, -1074, -1075]]),
        smooth=NEAR,
    )
    add("expm1", np.expm1, smooth=NEAR)
    add("floor", np.floor, kind="same", types="if", exact=True)
    add(
        "frac",
        lambda x: np.where(np.isinf(x), nan, x - np.trunc(x)),
        kind="same",
        types="f",
        exact=True,
        zeros=False,
        smooth=NEAR + 0.1,
    )
    add(
        "lgamma",
        _vectorize(_lgamma),
        mp=lambda x: _mp_lgamma(x),
        values=np.concatenate([POSITIVE, [1, 2, 1e-20, 1e20, 0.5, -0.5, -1.5, -3]]),
        zeros=False,
        ulp=4,
        smooth=POSITIVE,
    )
    add("log", np.log, values=ABOVE_ZERO, smooth=POSITIVE)
    add("log10", np.log10, values=ABOVE_ZERO, smooth=POSITIVE)
    add("log1p", np.log1p, values=np.concatenate([ABOVE_ZERO, [-0.999, -0.5, 1e-20, -1e-20]]), smooth=POSITIVE)
    add("log2", np.log2, values=ABOVE_ZERO, smooth=POSITIVE)
    add(
        "logit",
        lambda x: np.where((x < 0) | (x > 1), nan, np.log(x / (1 - x))),
        mp=lambda x: _mp_logit(x),
        values=np.array([0.02, 0.1, 0.3, 0.75, 0.96, 1e-6, 1.5, -0.5]),
        zeros=False,
        scale=lambda x: 1 + 0 * x,
        smooth=np.linspace(0.07, 0.95, 12),
    )
    add("neg", np.negative, kind="same", types="if", exact=True, smooth=NEAR)
    add("rad2deg", lambda x: x * 180 / (np.longdouble(math.pi) + np.longdouble(1.2246467991473532e-16)), smooth=NEAR)
    add("reciprocal", lambda x: 1 / x, exact=True, smooth=NEAR)
    add(
        "relu",
        lambda x: np.where(x > 0, x, np.where(np.isnan(x), nan, 0)),
        kind="same",
        types="if",
        exact=True,
        zeros=False,
        out=False,
        smooth=NEAR,
    )
    add("round", np.rint, kind="same", types="if", exact=True)
    add("rsqrt", lambda x: 1 / np.sqrt(x), values=ABOVE_ZERO, smooth=POSITIVE)
    add("sgn", lambda x: np.where(np.isnan(x), 0, np.sign(x)), kind="same", exact=True, zeros=False)
    add("sigmoid", _sigmoid, smooth=NEAR)
    add("sign", lambda x: np.where(np.isnan(x), 0, np.sign(x)), kind="same", exact=True, zeros=False)
    add("sin", np.sin, smooth=NEAR)
    add(
        "sinc",
        lambda x: np.where(np.isinf(x), nan, np.where(x == 0, 1, np.sin(_PI * x) / (_PI * np.where(x == 0, 1, x)))),
        mp=mpmath.sincpi,
        values=np.concatenate([np.linspace(-2.9, 2.95, 20), [0.3, 5.2, 1e-8]]),
        ulp=4,
        zeros=False,
        scale=lambda x: 1 + 0 * x,
        smooth=NEAR,
    )
    add("sinh", np.sinh, smooth=NEAR)
    add("sqrt", np.sqrt, values=ABOVE_ZERO, exact=True, smooth=POSITIVE)
    add("square", np.square, kind="same", types="if", exact=True, smooth=NEAR)
    add("tan", np.tan, smooth=NEAR / 2.5)
    add("tanh", np.tanh, smooth=NEAR)
    add("trunc", np.trunc, kind="same", types="if", exact=True)
    add("abs", np.abs, kind="same", types="if", exact=True, smooth=NEAR)
    add("positive", np.positive, kind="same", types="if", exact=True, inplace=False, out=False, smooth=NEAR)
    add(
        "i0",
        lambda x: np.where(np.isinf(x), inf, np.i0(np.where(np.isinf(x), 0, x))),
        mp=lambda x: mpmath.besseli(0, x),
        values=SPREAD,
        finite=True,
        ulp=3,
        smooth=NEAR,
    )
    add("nan_to_num", lambda x: x, values=SPREAD, kind="same", exact=True, finite=True, nans=False, smooth=NEAR)
    add(
        "threshold",
        lambda x: np.where(x <= 0.5, 7, x),
        kind="same",
        types="f",
        exact=True,
        zeros=False,
        method=False,
        arguments=(0.5, 7.0),
        smooth=NEAR,
    )
    for name in ("isnan", "isinf", "isfinite"):
        add(name, getattr(np, name), kind="bool", inplace=False, out=False)
    add("isposinf", np.isposinf, kind="bool", inplace=False)
    add("isneginf", np.isneginf, kind="bool", inplace=False)
    add("signbit", np.signbit, kind="bool", inplace=False, nans=False)
    add("logical_not", lambda x: x == 0, kind="bool")
    add("bitwise_not", None, kind="same", types="bi", exact=True)
    return f


_PI = np.longdouble(math.pi) + np.longdouble(1.2246467991473532e-16)


def _mp_logit(x):
    return mpmath.nan if x < 0 or x > 1 else mpmath.inf if x == 1 else mpmath.log(x / (1 - x))


def _mp_lgamma(x):
    return mpmath.re(mpmath.loggamma(x)) if x > 0 or x != mpmath.floor(x) else mpmath.inf


def _mp_digamma(x):
    return mpmath.digamma(x) if x > 0 or x != mpmath.floor(x) else mpmath.nan


def _mp_erfinv(x):
    return mpmath.erfinv(x) if abs(x) < 1 else mpmath.mpf(_erfinv(float(x)))


def _activations() -> list[Spec]:
    """The activations of nn.functional, with their default parameters."""
    f = []

    def add(name, true, **options):
        f.append(
            Spec(
                name,
                true,
                **{
                    "types": "f",
                    "kind": "same",
                    "zeros": False,
                    "module": "nn.functional",
                    "method": False,
                    "inplace": False,
                    "out": False,
                    "smooth": NEAR,
                    "values": SPREAD,
                    **options,
                },
            )
        )

    add("celu", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))))
    add("elu", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))))
    add("gelu", lambda x: x * _normcdf(x), mp=lambda x: x * mpmath.ncdf(x), finite=True, ulp=4)
    add("hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1))
    add("hardswish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), finite=True, ulp=3)
    add("hardtanh", lambda x: np.clip(x, -1, 1))
    add("hardshrink", lambda x: np.where(np.abs(x) <= 0.5, 0, x))
    add("leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x))
    add("logsigmoid", lambda x: np.where(x < 0, x - np.log1p(np.exp(-np.abs(x))), -np.log1p(np.exp(-np.abs(x)))))
    add("mish", _mish, finite=True, ulp=4)
    add("relu6", lambda x: np.clip(x, 0, 6))
    add(
        "selu",
        lambda x: (
            1.0507009873554804934193349852946
            * np.where(x > 0, x, 1.6732632423543772848170429916717 * np.expm1(np.minimum(x, 0)))
        ),
        ulp=3,
    )
    add("silu", lambda x: x * _sigmoid(x), finite=True, ulp=3)
    add("softplus", _softplus, ulp=3)
    add("softshrink", lambda x: np.where(np.isnan(x), x, np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)))
    add("softsign", lambda x: np.where(np.isinf(x), nan, x / (1 + np.abs(x))))
    add("tanhshrink", lambda x: x - np.tanh(x), scale=lambda x: abs(x))
    return f


def _binary() -> list[Spec]:
    f = []

    def add(name, true, **options):
        f.append(Spec(name, true, **{"arity": 2, "kind": "same", **options}))

    pair = SPREAD
    add("add", np.add, exact=True, smooth=NEAR)
    add("sub", np.subtract, types="if", exact=True, smooth=NEAR)
    add("mul", np.multiply, exact=True, smooth=NEAR)
    add("div", np.divide, kind="float", exact=True, smooth=NEAR)
    add("true_divide", np.divide, kind="float", exact=True, smooth=NEAR)
    add("floor_divide", _floor_divide, types="if", exact=True, smooth=None)
    add("remainder", _remainder, types="if", exact=False, ulp=1, smooth=NEAR)
    add("fmod", np.fmod, types="if", exact=True, smooth=NEAR)
    add("pow", np.power, types="if", values=pair, smooth=POSITIVE)
    add("float_power", np.power, kind="double", values=pair, smooth=POSITIVE)
    add("atan2", np.arctan2, kind="float", smooth=NEAR)
    add("copysign", np.copysign, kind="float", exact=True, nans=False, smooth=NEAR)
    add("maximum", np.maximum, exact=True, inplace=False, zeros=False, smooth=NEAR)
    add("minimum", np.minimum, exact=True, inplace=False, zeros=False, smooth=NEAR)
    add("fmax", np.fmax, exact=True, inplace=False, zeros=False, smooth=NEAR)
    add("fmin", np.fmin, exact=True, inplace=False, zeros=False, smooth=NEAR)
    add("hypot", np.hypot, types="f", values=pair, smooth=NEAR)
    add(
        "logaddexp",
        np.logaddexp,
        types="f",
        values=pair,
        inplace=False,
        ulp=3,
        zeros=False,
        smooth=NEAR,
        scale=lambda x, y: 1 + 0 * x,
    )
    add(
        "logaddexp2",
        np.logaddexp2,
        types="f",
        values=pair,
        inplace=False,
        ulp=3,
        zeros=False,
        smooth=NEAR,
        scale=lambda x, y: 1 + 0 * x,
    )
    add(
        "xlog1py",
        lambda x, y: np.where(x == 0, np.where(np.isnan(y), y, 0 * x), x * np.log1p(y)),
        kind="float",
        values=ABOVE_ZERO[ABOVE_ZERO > 0.1],
        zeros=False,
        module="special",
        method=False,
        inplace=False,
        smooth=POSITIVE,
    )
    add(
        "ldexp",
        lambda x, n: x * np.exp2(n),
        types="f",
        finite=True,
        values=np.array([0.5, 3.0, -2.0, 7.0]),
        smooth=NEAR,
    )
    add("clamp_min", np.maximum, types="if", exact=True, zeros=False, smooth=NEAR)
    add("clamp_max", np.minimum, types="if", exact=True, zeros=False, smooth=NEAR)
    add("xlogy", _xlogy, kind="float", values=ABOVE_ZERO, zeros=False, smooth=POSITIVE)
    add("nextafter", None, types="f", exact=True)
    add("heaviside", lambda x, y: np.where(x == 0, y, x > 0), exact=True, zeros=False)
    add("rsub", lambda x, y: y - x, types="if", exact=True, inplace=False, out=False, smooth=NEAR)
    for name, true in (
        ("eq", np.equal),
        ("ne", np.not_equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
        ("logical_and", np.logical_and),
        ("logical_or", np.logical_or),
        ("logical_xor", np.logical_xor),
    ):
        add(name, true, kind="bool")
    for name, true in (("bitwise_and", np.bitwise_and), ("bitwise_or", np.bitwise_or), ("bitwise_xor", np.bitwise_xor)):
        add(name, true, types="bi", exact=True)
    add("bitwise_left_shift", None, types="i", exact=True)
    add("bitwise_right_shift", None, types="i", exact=True)
    add("gcd", np.gcd, types="i", exact=True)
    add("lcm", np.lcm, types="i", exact=True)
    return f


def _ternary() -> list[Spec]:
    def add(name, true, **options):
        return Spec(name, true, **{"arity": 3, "kind": "same", "types": "if", "values": SPREAD, **options})

    return [
        add(
            "lerp",
            lambda x, y, w: x + w * (y - x),
            types="f",
            zeros=False,
            smooth=NEAR,
            finite=True,
            scale=lambda x, y, w: (1 + abs(w)) * (abs(x) + abs(y)),
        ),
        add(
            "addcmul",
            lambda x, y, z: x + y * z,
            zeros=False,
            smooth=NEAR,
            finite=True,
            scale=lambda x, y, z: abs(x) + abs(y * z),
        ),
        add(
            "addcdiv",
            lambda x, y, z: x + y / z,
            types="f",
            zeros=False,
            smooth=NEAR,
            finite=True,
            scale=lambda x, y, z: abs(x) + abs(y / z),
        ),
        add("clamp", lambda x, low, high: np.minimum(np.maximum(x, low), high), exact=True, zeros=False, smooth=NEAR),
    ]


def _floor_divide(x, y):
    """The floor of the quotient as PyTorch has it: a division by zero is the quotient's own infinity or NaN."""
    with np.errstate(all="ignore"):
        q = (x - np.fmod(x, y)) / y
        q = np.where((np.fmod(x, y) != 0) & ((y < 0) != (np.fmod(x, y) < 0)), q - 1, q)
        whole = np.where(q != 0, np.where(q - np.floor(q) > 0.5, np.floor(q) + 1, np.floor(q)), np.copysign(0, x / y))
        return np.where(y == 0, x / y, whole)


def _remainder(x, y):
    with np.errstate(all="ignore"):
        r = np.fmod(x, y)
        return np.where((r != 0) & ((y < 0) != (r < 0)), r + y, r)


def _xlogy(x, y):
    return np.where(np.isnan(y), nan, np.where(x == 0, 0, x * np.log(y)))


UNARY, ACTIVATIONS, BINARY, TERNARY = _unary(), _activations(), _binary(), _ternary()
SPECS = [*UNARY, *ACTIVATIONS, *BINARY, *TERNARY]
BY_NAME = {spec.name: spec for spec in SPECS}
