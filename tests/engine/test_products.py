"""Products of matrices: every case of broadcasting, layout and dtype, against exact or wider arithmetic."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import (
    DTYPES,
    FLOATS,
    INTEGERS,
    ORACLE,
    array,
    assert_near,
    assert_same,
    layouts,
    mt,
    name_of,
    numpy_type,
    refuses,
    round_to,
    tensor,
)

CASES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((6, 1, 2, 3), (1, 5, 3, 2)),
    ((1, 1), (1, 1)),
    ((7, 1), (1, 9)),
    ((1, 7), (7, 1)),
]
EMPTY = [
    ((0,), (0,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((2, 3), (3, 0)),
    ((0, 2, 3), (3, 4)),
    ((5, 2, 0), (5, 0, 4)),
    ((3, 0), (0,)),
    ((0, 0), (0, 0)),
]
RTOL = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-14}


def sample(shape, name: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name in INTEGERS:
        return rng.integers(0 if name == "uint8" else -9, 10, shape).astype(name)
    return round_to(rng.standard_normal(shape), name)


def product(x: np.ndarray, y: np.ndarray, name: str) -> np.ndarray:
    """The true product: in float64 for floats, wrapping for integers."""
    with np.errstate(all="ignore"):
        return np.asarray(
            np.matmul(x.astype("f8"), y.astype("f8"))
            if name in FLOATS
            else np.matmul(x.astype("i8"), y.astype("i8")).astype(numpy_type(name))
        )


def check(got, x: np.ndarray, y: np.ndarray, name: str, note: str = "") -> None:
    assert name_of(got.dtype) == name
    want = product(x, y, name)
    if name in FLOATS:
        assert_near(
            got, want, RTOL[name] * max(1, x.shape[-1]) ** 0.5, atol=RTOL[name] * max(1, x.shape[-1]) ** 0.5, note=note
        )
    else:
        assert_same(got, want, note)


@pytest.mark.parametrize("name", DTYPES)
def test_matmul(name: str, device: str) -> None:
    if ORACLE and name == "bool":
        pytest.skip("PyTorch has none for bool")
    for a, b in CASES + EMPTY:
        x, y = sample(a, name), sample(b, name, 1)
        try:
            check(tensor(x, name) @ tensor(y, name), x, y, name, f"{a} @ {b}")
        except RuntimeError as error:
            assert name == "bool" and "bool" in str(error).lower()


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "int64", "int32"])
def test_layouts(name: str, device: str) -> None:
    """Any layout of either operand, alone and in a batch."""
    for a, b in (((5, 7), (7, 4)), ((3, 5, 7), (3, 7, 4)), ((3, 5, 7), (7,)), ((7,), (7, 4))):
        x, y = sample(a, name), sample(b, name, 1)
        for (la, tx), (lb, ty) in itertools.product(layouts(x, name), layouts(y, name)):
            check(tx @ ty, x, y, name, f"{la} {a} @ {lb} {b}")
    x, y = sample((4, 6), name), sample((6, 3), name, 1)
    row, number = tensor(x[:1], name).expand(4, 6), tensor(x[0, :1], name).expand(4, 6)
    check(row @ tensor(y, name), np.repeat(x[:1], 4, 0), y, name)
    check(number @ tensor(y, name), np.full((4, 6), x[0, 0]), y, name)
    check(tensor(x, name) @ tensor(y[:, :1], name).expand(6, 3), x, np.repeat(y[:, :1], 3, 1), name)
    check(tensor(x[None], name).expand(5, 4, 6) @ tensor(y, name), np.broadcast_to(x, (5, 4, 6)), y, name)
    check(tensor(x.T, name).t()[:, 1:5] @ tensor(y.T, name).t()[1:5], x[:, 1:5], y[1:5], name)
    check(tensor(x, name)[:, ::2] @ tensor(y, name)[::2], x[:, ::2], y[::2], name)
    odd = tensor(x[0], name).as_strided((1, 6), (1, 1))  # a row stride smaller than the row
    check(odd @ tensor(y, name), x[:1], y, name)


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize(
    "n, k, m",
    [
        (1, 1000, 1),
        (1, 300, 200),
        (300, 200, 1),
        (129, 65, 33),
        (257, 100, 130),
        (64, 513, 64),
        (2, 20_000, 3),
        (500, 3, 500),
    ],
)
def test_sizes(name: str, n: int, k: int, m: int, device: str) -> None:
    x, y = sample((n, k), name), sample((k, m), name, 1)
    before = mt.get_num_threads()
    try:
        for threads in (1, 2, 3):
            mt.set_num_threads(threads)
            check(tensor(x, name) @ tensor(y, name), x, y, name)
            check(tensor(x.T, name).t() @ tensor(y.T, name).t(), x, y, name)
            check(
                tensor(np.stack([x] * 3), name) @ tensor(np.stack([y] * 3), name),
                np.stack([x] * 3),
                np.stack([y] * 3),
                name,
            )
    finally:
        mt.set_num_threads(before)


def test_integer_products_wrap(device: str) -> None:
    x = np.full((3, 4), np.iinfo("i8").max)
    assert_same(tensor(x) @ tensor(x.T), x @ x.T)
    x = np.full((2, 300), 100, "i1")
    assert_same(tensor(x) @ tensor(x.T), x @ x.T)


def test_half_products_are_summed_in_more_precision(device: str) -> None:
    x = np.full((1, 4096), 1.0)
    for name in ("float16", "bfloat16"):
        assert (tensor(x, name) @ tensor(x.T, name)).item() == 4096


def test_named_products(device: str) -> None:
    f = "float64"
    a, b, c, v, w = (
        sample((2, 3), f),
        sample((3, 4), f, 1),
        sample((2, 4), f, 2),
        sample((3,), f, 3),
        sample((2,), f, 4),
    )
    A, B, C, V, W = map(tensor, (a, b, c, v, w))
    assert_near(mt.mm(A, B), a @ b, 1e-14)
    assert_near(A.mv(V), a @ v, 1e-14)
    assert_near(mt.dot(V, V), v @ v, 1e-14)
    assert_near(mt.outer(W, V), np.outer(w, v), 1e-14)
    assert_near(mt.addmm(C, A, B, beta=0.5, alpha=2), 0.5 * c + 2 * (a @ b), 1e-14)
    assert_near(mt.addmm(C[0], A, B), c[0] + a @ b, 1e-14)
    assert_near(mt.addmm(tensor(np.full((2, 4), np.nan)), A, B, beta=0), a @ b, 1e-14)
    d, e, g = sample((5, 2, 3), f), sample((5, 3, 4), f, 1), sample((5, 2, 4), f, 2)
    assert_near(mt.bmm(tensor(d), tensor(e)), d @ e, 1e-14)
    assert_near(mt.baddbmm(tensor(g), tensor(d), tensor(e), beta=2, alpha=-1), 2 * g - d @ e, 1e-14)
    out = mt.zeros(2, 4, dtype=mt.float64)
    assert mt.mm(A, B, out=out) is out
    assert_near(out, a @ b, 1e-14)
    assert mt.matmul(A, B, out=out.t().contiguous().t()).shape == (2, 4)
    n = tensor([[1, 2], [3, 4]])
    assert_same(mt.addmm(n, n, n), array(n) + array(n) @ array(n))
    assert_same(mt.dot(tensor([1, 2]), tensor([3, 4])), np.asarray(11))


def test_linear(device: str) -> None:
    x, w, b = sample((6, 5, 3), "float32"), sample((4, 3), "float32", 1), sample((4,), "float32", 2)
    want = x.astype("f8") @ w.T.astype("f8")
    f = mt.nn.functional.linear
    assert_near(f(tensor(x), tensor(w)), want, 1e-6)
    assert_near(f(tensor(x), tensor(w), tensor(b)), want + b, 1e-6)
    assert_near(f(tensor(x[0, 0]), tensor(w), tensor(b)), want[0, 0] + b, 1e-6)
    assert_near(f(tensor(x.swapaxes(0, 2)).transpose(0, 2), tensor(w.T).t(), tensor(b)), want + b, 1e-6)
    assert f(mt.zeros(0, 3), tensor(w), tensor(b)).shape == (0, 4)
    with refuses(RuntimeError, "linear", "4, 3"):
        f(mt.zeros(2, 5), tensor(w))
    with refuses(RuntimeError, "linear"):
        f(tensor(x), tensor(w), mt.zeros(3))


REFUSED = [
    ("inner", lambda: mt.zeros(2, 3) @ mt.zeros(4, 5), ("matmul", "2, 3", "4, 5")),
    ("vector", lambda: mt.zeros(2, 3) @ mt.zeros(4), ("2, 3", "4")),
    ("batch", lambda: mt.zeros(2, 2, 3) @ mt.zeros(5, 3, 2), ("2, 2, 3", "5, 3, 2")),
    ("0-d", lambda: mt.zeros(()) @ mt.zeros(3), ("matmul",)),
    ("mm of 3-d", lambda: mt.mm(mt.zeros(1, 2, 3), mt.zeros(3, 2)), ("mm",)),
    ("mm shapes", lambda: mt.mm(mt.zeros(2, 3), mt.zeros(2, 3)), ("mm", "2, 3")),
    ("bmm shapes", lambda: mt.bmm(mt.zeros(2, 3, 4), mt.zeros(3, 4, 5)), ("bmm", "2, 3, 4")),
    ("mv shapes", lambda: mt.mv(mt.zeros(2, 3), mt.zeros(2)), ("mv",)),
    ("dot shapes", lambda: mt.dot(mt.zeros(2), mt.zeros(3)), ("dot",)),
    ("dot of 2-d", lambda: mt.dot(mt.zeros(2, 2), mt.zeros(2, 2)), ("dot",)),
    ("addmm bias", lambda: mt.addmm(mt.zeros(3), mt.zeros(2, 3), mt.zeros(3, 4)), ("addmm",)),
    ("dtypes", lambda: mt.zeros(2, 2) @ mt.zeros(2, 2, dtype=mt.float64), ("float64", "float32")),
    ("integer and float", lambda: mt.zeros(2, 2) @ mt.zeros(2, 2, dtype=mt.int64), ("int64",)),
]


@pytest.mark.parametrize("f, fragments", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refusals(f, fragments, device: str) -> None:
    with refuses(RuntimeError, *fragments):
        f()


def test_nan_and_infinity(device: str) -> None:
    x = np.array([[np.nan, 1.0], [0.0, 1.0]])
    y = np.array([[0.0, 1.0], [np.inf, 1.0]])
    assert_same(tensor(x) @ tensor(y), np.array([[np.nan, np.nan], [np.inf, 1.0]]))
