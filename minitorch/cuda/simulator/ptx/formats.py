"""The types of PTX as NumPy arrays, and arithmetic rounded as IEEE 754 and PTX say.

A register holds bits: an unsigned integer of its size a thread. Instructions look at the bits as one of these types.
bfloat16 and tf32, which NumPy does not have, are computed as float32 and rounded to their bits.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]

BITS: dict[int, type[np.generic]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
DTYPES: dict[str, type[np.generic]] = {
    "pred": np.bool_,
    "b8": np.uint8, "u8": np.uint8, "s8": np.int8,
    "b16": np.uint16, "u16": np.uint16, "s16": np.int16, "f16": np.float16, "bf16": np.uint16,
    "b32": np.uint32, "u32": np.uint32, "s32": np.int32, "f32": np.float32, "f16x2": np.uint32, "bf16x2": np.uint32,
    "tf32": np.uint32,
    "b64": np.uint64, "u64": np.uint64, "s64": np.int64, "f64": np.float64,
}  # fmt: skip
ROUNDINGS = ("rn", "rz", "rm", "rp", "rna")


def is_float(kind: str) -> bool:
    """Whether a type is one of the floating-point types that are not packed."""
    return kind in ("f16", "bf16", "f32", "f64")


def flush(x: Array) -> Array:
    """float32 without subnormal numbers: they become zeros of their sign, which ``.ftz`` asks for."""
    small = np.abs(x) < np.finfo(np.float32).tiny
    return np.where(small, np.copysign(np.float32(0), x), x) if small.any() else x


def saturate(x: Array) -> Array:
    """Clamped to [0, 1]; NaN becomes 0."""
    return np.where(x > 0, np.minimum(x, x.dtype.type(1)), x.dtype.type(0))


# -- rounding to odd: a float64 that still tells which side of it the exact value lies on, and so can be rounded again


def odd_sum(p: Array, c: Array) -> Array:
    """p + c in float64, with the last bit set where the sum is not exact.

    Rounding the result to a format of at most 51 bits then gives the exact sum's rounding (Boldo and Melquiond,
    "Emulation of FMA and correctly rounded sums", 2008).
    """
    s = np.asarray(p + c)
    t = s - p
    error = (p - (s - t)) + (c - t)
    bits = s.view(np.int64)
    off = (error != 0) & ((bits & 1) == 0) & np.isfinite(s)
    if not off.any():
        return s
    outwards = (error > 0) == (s > 0)
    return np.asarray(bits + np.where(off, np.where(outwards, 1, -1), 0)).view(np.float64)


def narrow(wide: Array, kind: str, rounding: str = "rn") -> Array:
    """float64 values, exact or rounded to odd, in a narrower format."""
    if kind == "f64":
        return wide
    if kind == "bf16":
        return bf16_bits(wide, rounding)
    dtype = DTYPES[kind]
    near = wide.astype(dtype)
    if rounding == "rn":
        return near
    back = near.astype(np.float64)
    down, up = dtype(-np.inf), dtype(np.inf)  # type: ignore[call-arg]
    lower = np.where(back > wide, np.nextafter(near, down), near)
    upper = np.where(back < wide, np.nextafter(near, up), near)
    if rounding == "rm":
        result = lower
    elif rounding == "rp":
        result = upper
    else:
        result = np.where(wide < 0, upper, lower)
    return np.where(np.isnan(near) | np.isinf(wide), near, result).astype(dtype)


def bf16_bits(wide: Array, rounding: str = "rn") -> Array:
    """float64 (or float32) values as the bits of bfloat16."""
    wide = wide.astype(np.float64)
    single = narrow(wide, "f32", "rz")
    bits = np.asarray(single).view(np.uint32)
    sticky = (single.astype(np.float64) != wide) & ~np.isnan(wide)
    bits = bits | sticky.astype(np.uint32)
    kept = bits >> np.uint32(16)
    rest = bits & np.uint32(0xFFFF)
    if rounding == "rn":
        kept = kept + ((rest > 0x8000) | ((rest == 0x8000) & ((kept & np.uint32(1)) == 1)))
    elif rounding in ("rm", "rp"):
        kept = kept + ((rest != 0) & ((wide < 0) == (rounding == "rm")))
    return np.where(np.isnan(wide), np.uint32(0x7FFF), kept).astype(np.uint16)


def bf16_values(bits: Array) -> Array:
    """bfloat16 as float32."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def tf32_bits(x: Array, rounding: str = "rna") -> Array:
    """float32 rounded to 10 bits of fraction, ties away from zero or to even."""
    bits = np.asarray(x).view(np.uint32)
    half = np.uint32(0x1000) if rounding == "rna" else np.uint32(0xFFF) + ((bits >> np.uint32(13)) & np.uint32(1))
    rounded = (bits + half) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(x), rounded, bits)


# -- arithmetic with one rounding


def fma(a: Array, b: Array, c: Array, kind: str, rounding: str = "rn") -> Array:
    """a * b + c, rounded once. For bf16 the arguments are float32 and the result is bits."""
    if kind == "f64":
        return _fma64(a, b, c, rounding)
    product, c = a.astype(np.float64) * b, c.astype(np.float64)  # the product is exact
    if kind == "f32" and rounding == "rn":
        # Rounding twice is wrong only half-way between two float32, and with subnormal results.
        s = np.asarray(product + c)
        result = s.astype(np.float32)
        doubtful = (s.view(np.int64) & 0x1FFFFFFF) == 0x10000000
        doubtful |= (np.abs(result) <= np.finfo(np.float32).tiny) & (s != 0)
        if not doubtful.any():
            return result
    return narrow(odd_sum(product, c), kind, rounding)


def _fma64(a: Array, b: Array, c: Array, rounding: str) -> Array:
    a, b, c = np.broadcast_arrays(a, b, c)
    result = np.asarray(a * b + c)
    if rounding == "rn":
        sizes = np.abs(a), np.abs(b), np.abs(c)
        safe = np.ones(np.shape(a), np.bool_)
        for x in sizes[:2]:
            safe &= (x > 1e-130) & (x < 1e130)
        safe &= ((sizes[2] > 1e-250) & (sizes[2] < 1e280)) | (sizes[2] == 0)
        # The product's error and the sum's errors, each exact, added with rounding to odd: Boldo and Melquiond again.
        low, high = _product(a, b)
        c_high, c_low = _sum(c, low)
        top, rest = _sum(high, c_high)
        result = np.where(safe, top + odd_sum(c_low, rest), result)
        trivial = ~np.isfinite(a) | ~np.isfinite(b) | ~np.isfinite(c) | (a == 0) | (b == 0)
        doubtful = ~safe & ~trivial
    else:
        doubtful = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    return _exactly(result, doubtful, lambda x, y, z: x * y + z, (a, b, c), rounding)


def _product(a: Array, b: Array) -> tuple[Array, Array]:
    """The error of a * b, and a * b: Dekker's and Veltkamp's splitting."""

    def halves(x: Array) -> tuple[Array, Array]:
        t = x * np.float64(134217729)  # 2**27 + 1
        high = t - (t - x)
        return high, x - high

    p = a * b
    (ah, al), (bh, bl) = halves(a), halves(b)
    return al * bl - (((p - ah * bh) - al * bh) - ah * bl), p


def _sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b and its error."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _exactly(
    result: Array, where: Array, of: Callable[..., Fraction], arguments: tuple[Array, ...], rounding: str
) -> Array:
    """``result`` with some elements computed again in rational numbers and rounded."""
    if not where.any():
        return result
    result = np.array(result, np.float64)
    for index in zip(*np.nonzero(np.atleast_1d(where)), strict=True):
        numbers = [Fraction(float(np.atleast_1d(x)[index])) for x in arguments]
        exact = of(*numbers)
        if exact or np.atleast_1d(result)[index] != 0:  # a zero keeps the sign that IEEE arithmetic gave it
            result.reshape(np.atleast_1d(where).shape)[index] = round_fraction(exact, rounding)
    return result


def round_fraction(exact: Fraction, rounding: str = "rn") -> float:
    """A rational number as a float64."""
    largest = float(np.finfo(np.float64).max)
    try:
        near = exact.numerator / exact.denominator
    except OverflowError:
        near = float("inf") if exact > 0 else float("-inf")
    if rounding == "rn":
        return near
    if near in (float("inf"), float("-inf")):
        away = (rounding == "rp") if near > 0 else (rounding == "rm")
        return near if away else (largest if near > 0 else -largest)
    up = rounding == "rp" or (rounding == "rz" and exact < 0)
    if up and near < exact:
        return float(np.nextafter(near, np.inf))
    if not up and near > exact:
        return float(np.nextafter(near, -np.inf))
    return near


def arithmetic(name: str, a: Array, b: Array, kind: str, rounding: str = "rn") -> Array:
    """The sum, difference, product or quotient of floats, rounded once; for bf16 of float32, as bits."""
    if rounding == "rn" and kind in ("f16", "f32", "f64"):  # NumPy computes f16 in f32, which is enough
        return _PLAIN[name](a, b)
    if kind == "f64":
        a, b = np.broadcast_arrays(a, b)
        plain = _PLAIN[name](a, b)
        where = np.isfinite(a) & np.isfinite(b) & ((b != 0) if name == "div" else True)
        return _exactly(plain, where, _EXACT[name], (a, b), rounding)
    x, y = a.astype(np.float64), b.astype(np.float64)
    if name in ("add", "sub"):
        return narrow(odd_sum(x, y if name == "add" else -y), kind, rounding)
    if name == "mul":
        return narrow(x * y, kind, rounding)
    return narrow(_odd_quotient(x, y), kind, rounding)


def _odd_quotient(x: Array, y: Array) -> Array:
    """x / y of float32 values, in float64 with the last bit set where it is not exact."""
    q = np.asarray(x / y)
    low, high = _product(q, y)
    remainder = (x - high) - low
    bits = q.view(np.int64)
    off = (remainder != 0) & np.isfinite(remainder) & ((bits & 1) == 0) & np.isfinite(q)
    outwards = (remainder > 0) == (x > 0)
    return np.asarray(bits + np.where(off, np.where(outwards, 1, -1), 0)).view(np.float64)


def square_root(x: Array, kind: str, rounding: str = "rn") -> Array:
    """The square root, rounded once."""
    if rounding == "rn":
        return np.sqrt(x)
    near = np.sqrt(x.astype(np.float64)) if kind == "f32" else np.sqrt(x)
    low, high = _product(near, near)
    remainder = (x.astype(np.float64) - high) - low  # exact enough to have the right sign
    if kind == "f32":
        bits = near.view(np.int64)
        off = (remainder != 0) & np.isfinite(near) & ((bits & 1) == 0)
        odd = np.asarray(bits + np.where(off, np.where(remainder > 0, 1, -1), 0)).view(np.float64)
        return narrow(odd, kind, rounding)
    if rounding == "rp":
        return np.where(remainder > 0, np.nextafter(near, np.inf), near)
    return np.where(remainder < 0, np.nextafter(near, -np.inf), near)


_PLAIN: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
}
_EXACT: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}
