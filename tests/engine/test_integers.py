"""Integer arithmetic at its edges: it wraps, divides as Python does, refuses division by zero, and never traps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import INTEGERS, array, assert_same, dtype_of, mt, only_here, refuses, succeed, tensor

SIGNED = [n for n in INTEGERS if n != "uint8"]


def values(name: str) -> list[int]:
    info = np.iinfo(name)
    small = [0, 1, 2, 3, 5, 7, 10, 100]
    return [int(info.min), int(info.max), int(info.max) - 1, *small, *([-v for v in small[1:]] if info.min else [])]


def wrap(value: int, name: str) -> int:
    """The integer that the low bits of `value` stand for."""
    info = np.iinfo(name)
    return (value - int(info.min)) % 2**info.bits + int(info.min)


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def power(a: int, b: int, name: str) -> int:
    if b < 0:
        return 1 if a == 1 else (-1 if b % 2 else 1) if a == -1 else 0
    return wrap(pow(a, b, 2 ** np.iinfo(name).bits), name)


TRUE = {
    "add": lambda a, b, n: a + b,
    "sub": lambda a, b, n: a - b,
    "mul": lambda a, b, n: a * b,
    "floor_divide": lambda a, b, n: a // b,
    "remainder": lambda a, b, n: a % b,
    "fmod": lambda a, b, n: a - b * truncated(a, b),
    "pow": power,
    "gcd": lambda a, b, n: math.gcd(a, b),
    "lcm": lambda a, b, n: math.lcm(a, b),
    "bitwise_and": lambda a, b, n: a & b,
    "bitwise_or": lambda a, b, n: a | b,
    "bitwise_xor": lambda a, b, n: a ^ b,
}
DIVIDES = ("floor_divide", "remainder", "fmod")


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("op", sorted(TRUE))
def test_arithmetic(op: str, name: str, device: str) -> None:
    """Python's integers, wrapped."""
    low = int(np.iinfo(name).min)
    pairs = [(a, b) for a in values(name) for b in values(name) if not (op in DIVIDES and b == 0)]
    if op in ("gcd", "lcm"):
        pairs = [p for p in pairs if abs(math.lcm(*p)) <= np.iinfo(name).max and low not in p]
    pairs = [p for p in pairs if not (low and p == (low, -1))]  # tested apart
    x, y = np.array(pairs, name).T
    f = getattr(mt, op)
    want = np.array([wrap(TRUE[op](a, b, name), name) for a, b in pairs], name)
    assert_same(f(tensor(x), tensor(y)), want)
    assert_same(f(tensor(np.stack([x, y], 1))[:, 0], tensor(y)), want)
    if op == "lcm":
        return
    assert_same(
        f(tensor(x[:, None]), tensor(y[:1])),
        np.array([[wrap(TRUE[op](int(a), int(y[0]), name), name)] for a in x], name),
    ) if not (op in DIVIDES and y[0] == 0) else None


@only_here  # in PyTorch some of these kill the process
@pytest.mark.parametrize("name", SIGNED)
def test_least_by_minus_one(name: str, device: str) -> None:
    """The quotient that does not fit wraps, and its remainder is 0, in place and out, alone and among others."""
    low = np.iinfo(name).min
    for count in (1, 3, 70):
        x, y = tensor(np.full(count, low, name)), tensor(np.full(count, -1, name))
        assert_same(x // y, np.full(count, low, name))
        assert_same(mt.div(x, y, rounding_mode="trunc"), np.full(count, low, name))
        assert_same(x % y, np.zeros(count, name))
        assert_same(mt.fmod(x, y), np.zeros(count, name))
        assert_same(x // -1, np.full(count, low, name))
        assert_same(x % -1, np.zeros(count, name))
        assert_same(x.clone().floor_divide_(-1), np.full(count, low, name))
    assert_same(abs(tensor(np.array([low], name))), np.array([low], name))
    assert_same(-tensor(np.array([low], name)), np.array([low], name))


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x // y,
        lambda x, y: x % y,
        lambda x, y: mt.fmod(x, y),
        lambda x, y: mt.div(x, y, rounding_mode="floor"),
        lambda x, y: mt.div(x, y, rounding_mode="trunc"),
        lambda x, y: x.clone().floor_divide_(y),
        lambda x, y: x.clone().remainder_(y),
    ],
    ids=["//", "%", "fmod", "floor", "trunc", "//=", "%="],
)
def test_division_by_zero(f, name: str, device: str) -> None:
    """A RuntimeError, wherever the zero is, from a tensor or a number, never a signal."""
    for count in (1, 5, 100):
        for at in {0, count // 2, count - 1}:
            x, y = np.arange(1, count + 1).astype(name), np.ones(count, name)
            y[at] = 0
            with refuses(RuntimeError, "ZeroDivisionError"):
                f(tensor(x), tensor(y))
    with refuses(RuntimeError, "ZeroDivisionError"):
        f(tensor(np.ones(3, name)), 0)
    with refuses(RuntimeError, "ZeroDivisionError"):
        f(tensor(np.ones((300, 300), name)), tensor(np.zeros((300, 1), name)))
    with refuses(RuntimeError, "ZeroDivisionError"):
        f(tensor(np.ones(3, name)), tensor(np.zeros((), name)))
    assert f(tensor(np.ones(0, name)), tensor(np.zeros(0, name))).numel() == 0


def test_true_division_by_zero(device: str) -> None:
    """Is floating point."""
    assert_same(tensor([1, -1, 0]) / tensor([0, 0, 0]), np.array([np.inf, -np.inf, np.nan], np.float32))
    assert_same(tensor([1.0, -1.0, 0.0]) // 0, np.array([np.inf, -np.inf, np.nan]))
    assert_same(tensor([1.0, -1.0, 0.0]) % 0, np.full(3, np.nan))


@pytest.mark.parametrize("name", INTEGERS)
def test_shifts(name: str, device: str) -> None:
    """Shifting out everything leaves 0, or the sign; the distance is never taken modulo the width."""
    bits = np.iinfo(name).bits
    vs = values(name)
    for distance in [0, 1, 3, bits - 1, bits, bits + 1, 100]:
        x = tensor(np.array(vs, name))
        n = tensor(np.full(len(vs), distance, name))
        left = [0 if distance >= bits else wrap(v << distance, name) for v in vs]
        assert_same(x << n, np.array(left, name), f"<< {distance}")
        assert_same(x >> n, np.array([v >> distance for v in vs], name), f">> {distance}")


def test_negative_powers(device: str) -> None:
    with refuses(RuntimeError, "negative"):
        tensor([1, 2, 3]) ** -1
    assert_same(tensor([1, 2, -1, 3]) ** tensor([-1, -1, -3, -2]), np.array([1, 0, -1, 0]))
    assert_same(tensor([2, 3]) ** 0, np.array([1, 1]))
    assert_same(tensor([2, 3]) ** 2.0, np.array([4, 9], np.float32))
    assert_same(tensor([2, 3]) ** -1.0, np.array([0.5, 1 / 3], np.float32))
    assert_same(2 ** tensor([0, 3, 5]), np.array([1, 8, 32]))


@pytest.mark.parametrize("name", INTEGERS)
def test_numbers_that_do_not_fit(name: str, device: str) -> None:
    """A number out of the dtype's range is an error where it is stored."""
    over = int(np.iinfo(name).max) + 1
    for f in (
        lambda: mt.full((2,), over, dtype=dtype_of(name)),
        lambda: mt.tensor([over], dtype=dtype_of(name)),
        lambda: mt.zeros(2, dtype=dtype_of(name)).fill_(over),
    ):
        if name == "int64" or over < 2**63:
            with refuses((RuntimeError, OverflowError, TypeError, ValueError)):
                f()
    with refuses((RuntimeError, OverflowError, TypeError, ValueError)):
        mt.zeros(2, dtype=dtype_of(name)) + 2**64


def test_number_to_integer(device: str) -> None:
    """NaN and infinity are not integers."""
    for bad in (math.nan, math.inf, -math.inf):
        with refuses((RuntimeError, ValueError, OverflowError)):
            int(mt.tensor(bad))
        with refuses((RuntimeError, ValueError, OverflowError, TypeError)):
            mt.full((2,), bad, dtype=mt.int32)


def test_conversion_of_what_does_not_fit_does_not_trap(device: str) -> None:
    """Floats beyond an integer's range give some integer."""
    succeed("""
    bad = [float("nan"), float("inf"), -float("inf"), 1e30, -1e30, 3e9, -3e9]
    for count in (1, 8, 100):
        for source in (mt.float64, mt.float32, mt.float16, mt.bfloat16):
            x = mt.tensor((bad * count)[:count * 7], dtype=mt.float64).to(source)
            for name in ("bool", "uint8", "int8", "int16", "int32", "int64"):
                y = x.to(getattr(mt, name))
                assert y.shape == x.shape and y.dtype == getattr(mt, name)
    assert mt.tensor(bad).to(mt.bool).all()
    """)


@pytest.mark.parametrize("name", INTEGERS)
def test_sums_wrap_or_widen(name: str, device: str) -> None:
    """Sums and products of integers are int64."""
    x = np.array(values(name), name)
    assert_same(tensor(x).sum(), x.sum(dtype="int64"))
    assert_same(tensor(x[3:]).prod(), x[3:].prod(dtype="int64"))
    assert_same(tensor(x).cumsum(0), x.cumsum(dtype="int64"))
    assert array(tensor(x).sum(dtype=dtype_of(name))) == wrap(sum(map(int, x)), name)
