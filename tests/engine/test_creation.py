"""Tensors from nothing: their shapes, values and dtypes, and the arguments that are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import (
    DTYPES,
    FLOATS,
    array,
    assert_near,
    assert_same,
    dtype_of,
    mt,
    numpy_type,
    refuses,
    round_to,
    succeed,
)

SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 4), (1, 1, 1, 2)]


@pytest.mark.parametrize("name", DTYPES)
def test_constants(name: str, device: str) -> None:
    for shape in SHAPES:
        for t, value in (
            (mt.zeros(shape, dtype=dtype_of(name)), 0),
            (mt.ones(shape, dtype=dtype_of(name)), 1),
            (mt.full(shape, 1, dtype=dtype_of(name)), 1),
        ):
            assert_same(t, np.full(shape, value, numpy_type(name)))
        e = mt.empty(shape, dtype=dtype_of(name))
        assert e.shape == shape and e.dtype == dtype_of(name)
        for like, value in (
            (mt.zeros_like(e), 0),
            (mt.ones_like(e), 1),
            (mt.full_like(e, 1), 1),
            (e.new_zeros(shape), 0),
            (e.new_ones(shape), 1),
            (e.new_full(shape, 1), 1),
        ):
            assert_same(like, np.full(shape, value, numpy_type(name)))
        assert mt.empty_like(e).shape == shape and e.new_empty(2, 2).shape == (2, 2)
        assert e.new_tensor([1, 0]).dtype == dtype_of(name)
    assert mt.zeros_like(mt.ones(2), dtype=mt.int8).dtype == mt.int8


def test_ways_to_say_a_shape(device: str) -> None:
    for t in (
        mt.zeros(2, 3),
        mt.zeros((2, 3)),
        mt.zeros([2, 3]),
        mt.zeros(size=(2, 3)),
        mt.zeros(mt.Size([2, 3])),
        mt.zeros(np.int64(2), 3),
        mt.zeros(mt.tensor(2), 3),
    ):
        assert t.shape == (2, 3)
    assert mt.zeros(()).shape == () and mt.zeros([]).shape == () and mt.zeros(4).shape == (4,)
    assert mt.zeros(2, dtype=mt.float64, requires_grad=True).requires_grad
    assert str(mt.zeros(2, device="cpu").device) == "cpu"


@pytest.mark.parametrize(
    "arguments",
    [
        (5,),
        (2, 7),
        (2, 9, 2),
        (5, 0, -2),
        (0,),
        (3, 3),
        (0.0, 1.0, 0.25),
        (1.0, 0.0, -0.3),
        (0, 1, 0.1),
        (-3, 3),
        (2.5,),
        (0, 5, 1.5),
    ],
    ids=str,
)
def test_arange(arguments, device: str) -> None:
    want = np.arange(*arguments)
    got = mt.arange(*arguments)
    assert got.dtype == (mt.int64 if all(isinstance(a, int) for a in arguments) else mt.float32)
    np.testing.assert_allclose(array(got), want, rtol=1e-6, atol=1e-7)


def test_arange_dtypes(device: str) -> None:
    for name in DTYPES[1:]:
        assert_same(mt.arange(5, dtype=dtype_of(name)), np.arange(5).astype(numpy_type(name)))
    assert mt.arange(start=1, end=4).tolist() == [1, 2, 3]
    assert_same(mt.arange(0, 1, 0.1, dtype=mt.float64), np.arange(0, 1, 0.1))
    n = 100_003
    assert_same(mt.arange(n), np.arange(n))
    for bad in ((0, 5, 0), (0, 5, -1), (5, 0, 1), (0, math.inf), (0, math.nan)):
        with refuses(RuntimeError, "arange"):
            mt.arange(*bad)


def test_linspace_and_eye(device: str) -> None:
    for start, end, steps in ((0, 1, 5), (-math.pi, math.pi, 2000), (3, -3, 7), (2, 2, 3), (0, 1, 1), (0, 1, 0)):
        assert_near(mt.linspace(start, end, steps), np.linspace(start, end, steps), 1e-6)
        assert_near(mt.linspace(start, end, steps, dtype=mt.float64), np.linspace(start, end, steps), 1e-15)
    with refuses(RuntimeError, "steps"):
        mt.linspace(0, 1, -1)
    for n, m in ((3, 3), (2, 4), (4, 2), (0, 0), (1, 1)):
        assert_same(mt.eye(n, m), np.eye(n, m, dtype="f4"))
    assert_same(mt.eye(3, dtype=mt.int64), np.eye(3, dtype="i8"))
    with refuses(RuntimeError, "-1"):
        mt.eye(-1)


@pytest.mark.parametrize("name", DTYPES)
def test_fill(name: str, device: str) -> None:
    t = mt.zeros(4, 6, dtype=dtype_of(name))
    v = t[1:3, ::2]
    assert v.fill_(1) is v
    want = np.zeros((4, 6), numpy_type(name))
    want[1:3, ::2] = 1
    assert_same(t, want)
    v.zero_()
    assert_same(t, np.zeros((4, 6), numpy_type(name)))
    t.fill_(mt.tensor(1))
    assert_same(t, np.ones((4, 6), numpy_type(name)))
    if name in FLOATS:
        for value in (math.inf, -math.inf, math.nan, 0.1, -0.0):
            assert_same(mt.full((3,), value, dtype=dtype_of(name)), round_to(np.full(3, value), name))


HUGE = [
    ("elements overflow", lambda: mt.empty(2**62, 4)),
    ("elements overflow to 0", lambda: mt.empty(2**32, 2**32)),
    ("bytes overflow", lambda: mt.empty(2**62)),
    ("bytes overflow to 0", lambda: mt.zeros(2**61, dtype=mt.float64)),
    ("memory", lambda: mt.empty(2**45)),
    ("zeros", lambda: mt.zeros(2**46)),
    ("full", lambda: mt.full((2**46,), 1.0)),
    ("arange", lambda: mt.arange(2**50)),
    ("eye", lambda: mt.eye(2**25)),
    ("contiguous", lambda: mt.zeros(1).expand(2**45).contiguous()),
    ("add", lambda: mt.zeros(2**23, 1) + mt.zeros(2**23)),
    ("expand overflow", lambda: mt.zeros(1).expand(2**62, 4)),
    ("beyond 64 bits", lambda: mt.empty(2**64)),
    ("negative", lambda: mt.empty(-1)),
    ("negative and zero", lambda: mt.empty(0, -1)),
]


@pytest.mark.parametrize("make", [h[1] for h in HUGE], ids=[h[0] for h in HUGE])
def test_impossible_sizes(make, device: str) -> None:
    """Are errors at once, and leave everything working."""
    with refuses((RuntimeError, MemoryError, TypeError, OverflowError)):
        make()
    assert_same(mt.ones(3) + 1, np.full(3, 2, "f4"))


BAD = [
    ("None", lambda: mt.zeros(None), TypeError),
    ("string", lambda: mt.zeros("a"), TypeError),
    ("float", lambda: mt.zeros(2.5), TypeError),
    ("float in shape", lambda: mt.zeros((2, 2.5)), TypeError),
    ("dtype", lambda: mt.zeros(2, dtype="float32"), TypeError),
    ("dtype number", lambda: mt.zeros(2, dtype=3), TypeError),
    ("keyword", lambda: mt.zeros(2, dtpye=mt.float32), TypeError),
    ("device", lambda: mt.zeros(2, device="nowhere"), RuntimeError),
    ("ragged", lambda: mt.tensor([[1, 2], [3]]), ValueError),
    ("ragged deeper", lambda: mt.tensor([[[1], [2]], [[3], [4, 5]]]), ValueError),
    ("number among lists", lambda: mt.tensor([[1], 2]), (TypeError, ValueError)),
    ("strings", lambda: mt.tensor(["a"]), (TypeError, ValueError)),
    ("string", lambda: mt.tensor("abc"), (TypeError, ValueError)),
    ("None inside", lambda: mt.tensor([1, None]), (TypeError, RuntimeError, ValueError)),
    ("None itself", lambda: mt.tensor(None), (TypeError, RuntimeError, ValueError)),
    ("dictionary", lambda: mt.tensor({"a": 1}), (TypeError, RuntimeError, ValueError)),
    ("huge integer", lambda: mt.tensor(2**70), (RuntimeError, OverflowError, ValueError)),
    ("nothing", lambda: mt.tensor(), TypeError),
    ("gradient of integers", lambda: mt.tensor([1], requires_grad=True), RuntimeError),
    ("full of None", lambda: mt.full((2,), None), TypeError),
    ("full of string", lambda: mt.full((2,), "a"), (TypeError, RuntimeError)),
    ("arange of string", lambda: mt.arange("a"), (TypeError, RuntimeError)),
]


@pytest.mark.parametrize("make, kind", [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_arguments(make, kind, device: str) -> None:
    with refuses(kind):
        make()


def test_a_list_that_contains_itself(device: str) -> None:
    """Is an error, soon (in a process of its own, which a hang does not hold up)."""
    succeed(
        """
    a = []
    a.append(a)
    try:
        mt.tensor(a)
    except (ValueError, RuntimeError, RecursionError, TypeError):
        pass
    else:
        raise AssertionError("no error")
    """,
        timeout=20,
    )
