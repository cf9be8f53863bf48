"""Reductions: over which dimensions, in which dtype, how accurately, and the same for any number of threads."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from helpers import (
    DTYPES,
    FLOATS,
    FORMATS,
    INTEGERS,
    array,
    assert_near,
    assert_same,
    layouts,
    mt,
    name_of,
    only_here,
    refuses,
    round_to,
    tensor,
)

SHAPE = (3, 4, 5)
DIMS = [None, 0, 1, 2, -1, (0, 1), (0, 2), (-1, -2), (0, 1, 2), ()]
RTOL = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-14}


def sample(name: str, shape=SHAPE, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name in INTEGERS:
        return rng.integers(0 if name == "uint8" else -9, 10, shape).astype(name)
    return round_to(rng.standard_normal(shape), name)


def numpy_dims(op: str, dims):
    """For PyTorch () means every dimension, except to any and all."""
    return None if dims == () and op not in ("any", "all") else dims


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype("f8") if x.dtype.kind == "f" else x.astype("i8")


def logsumexp(x, axis, keepdims):
    top = x.max(axis=axis, keepdims=True)
    y = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis)


# name: (NumPy's, dtypes: all/float, takes several dimensions, result: "sum" (integers widen), "same", "bool", "float")
REDUCTIONS = {
    "sum": (lambda x, **k: wide(x).sum(**k), DTYPES, True, "sum"),
    "mean": (lambda x, **k: wide(x).mean(**k), FLOATS, True, "same"),
    "prod": (lambda x, **k: wide(x).prod(**k), DTYPES, False, "sum"),
    "amax": (lambda x, **k: x.max(**k), DTYPES, True, "same"),
    "amin": (lambda x, **k: x.min(**k), DTYPES, True, "same"),
    "any": (lambda x, **k: x.any(**k), DTYPES, True, "bool"),
    "all": (lambda x, **k: x.all(**k), DTYPES, True, "bool"),
    "var": (lambda x, **k: wide(x).var(ddof=1, **k), FLOATS, True, "same"),
    "std": (lambda x, **k: wide(x).std(ddof=1, **k), FLOATS, True, "same"),
    "logsumexp": (lambda x, axis, keepdims: logsumexp(wide(x), axis, keepdims), FLOATS, True, "same"),
    "count_nonzero": (lambda x, axis, keepdims: np.count_nonzero(x, axis=axis), DTYPES, True, "count"),
}


def result_name(kind: str, name: str) -> str:
    return {
        "same": name,
        "bool": "uint8" if name == "uint8" else "bool",
        "count": "int64",
        "sum": name if name in FLOATS else "int64",
    }[kind]


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("op", REDUCTIONS)
def test_values(op: str, name: str, device: str) -> None:
    """Every layout, dimension and keepdim; as function and method."""
    true, dtypes, several, kind = REDUCTIONS[op]
    if name not in dtypes:
        pytest.skip("not for this dtype")
    x, f = sample(name), getattr(mt, op)
    result = result_name(kind, name)
    for dims, keepdim in itertools.product(DIMS, (False, True)):
        if (isinstance(dims, tuple) and not several) or (op == "logsumexp" and dims in (None, ())):
            continue
        if op == "count_nonzero" and keepdim:
            continue
        want = np.asarray(true(x, axis=numpy_dims(op, dims), keepdims=keepdim))
        if dims is None and keepdim:
            continue
        options = {} if dims is None else {"dim": dims} if op == "count_nonzero" else {"dim": dims, "keepdim": keepdim}
        for layout, t in layouts(x, name):
            note = f"{op} over {dims}, {layout}"
            got = f(t, **options)
            assert name_of(got.dtype) == result, note
            if result in FLOATS:
                assert_near(got, want, RTOL[name] * 4, atol=1e-7 if name == "float16" else 0.0, note=note)
            else:
                np.testing.assert_array_equal(array(got), want, note)
                assert array(got).shape == want.shape
            assert_same(t, x, f"{note} changed its operand")
    if op != "logsumexp":
        np.testing.assert_array_equal(array(getattr(tensor(x, name), op)()), array(f(tensor(x, name))))


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("op", ["max", "min", "argmax", "argmin"])
def test_extremes(op: str, name: str, device: str) -> None:
    """Values and places; the first of equals for the places over one dimension."""
    if name == "bool" and op.startswith("arg"):
        pytest.skip("PyTorch has none for bool")
    x = sample(name)
    plain, where = (np.max, np.argmax) if "max" in op else (np.min, np.argmin)
    for layout, t in layouts(x, name):
        f = getattr(mt, op)
        got = f(t)
        if op.startswith("arg"):
            assert x.ravel()[int(got)] == plain(x) and got.dtype == mt.int64
        else:
            assert_same(got, plain(x), layout)
        for dim, keepdim in itertools.product((0, 1, 2, -1, -3), (False, True)):
            note = f"{op} over {dim}, {layout}"
            index = f(t, dim, keepdim=keepdim)
            if not op.startswith("arg"):
                assert_same(index.values, plain(x, dim, keepdims=keepdim), note)
                index = index.indices
            assert index.dtype == mt.int64
            np.testing.assert_array_equal(array(index), where(x, dim, keepdims=keepdim), note)
    if not op.startswith("arg"):
        assert_same(f(tensor(x, name), tensor(x[::-1].copy(), name)), plain([x, x[::-1]], 0))  # of two tensors


def test_nan_and_ties_in_extremes(device: str) -> None:
    x = np.array([[1.0, np.nan, 3.0], [5.0, 5.0, -np.inf], [np.nan, np.nan, 1]])
    assert mt.max(tensor(x)).isnan() and mt.amin(tensor(x)).isnan()
    assert mt.argmax(tensor(x), 1).tolist() == [1, 0, 0] and mt.argmin(tensor(x), 1).tolist() == [1, 2, 0]
    assert mt.max(tensor(x), 1).indices.tolist() == [1, 0, 0]
    assert mt.argmax(tensor([-np.inf, -np.inf])) == 0 and mt.argmin(tensor([np.inf, np.inf])) == 0
    big = np.zeros(100_000, "f4")
    big[[70_001, 80_002]] = 1
    assert mt.argmax(tensor(big)) == 70_001 and mt.argmin(tensor(big)) == 0
    big[99_999] = np.nan
    assert mt.argmax(tensor(big)) == 99_999 and mt.sum(tensor(big)).isnan() and mt.amax(tensor(big)).isnan()
    for name in ("int64", "int32", "uint8"):
        info = np.iinfo(name)
        assert mt.amax(tensor([info.min, info.min], name)) == info.min and mt.amin(tensor([info.max], name)) == info.max
    assert mt.amax(tensor([-np.inf])) == -np.inf and mt.amin(tensor([np.inf])) == np.inf


def test_dtype_argument(device: str) -> None:
    x = tensor([[1, 2], [3, 4]], "int32")
    assert (
        mt.sum(x).dtype == mt.int64
        and x.sum(dtype=mt.float32).dtype == mt.float32
        and x.sum(0, dtype=mt.int8).dtype == mt.int8
    )
    assert x.mean(dtype=mt.float64).item() == 2.5 and x.prod(dtype=mt.float32).item() == 24
    assert x.prod(1, dtype=mt.float64).tolist() == [2, 12]
    h = mt.full((100_000,), 1.0, dtype=mt.float16)
    assert h.sum() == math.inf and h.sum(dtype=mt.float32) == 100_000 and h.mean() == 1
    assert tensor([200, 200], "uint8").sum() == 400 and tensor([True, True]).sum() == 2
    assert tensor([1.7, 2.7]).sum(dtype=mt.int64) == 3
    with refuses(RuntimeError, "mean"):
        x.mean()
    for name in ("var", "std"):
        with refuses(RuntimeError, name):
            getattr(x, name)()


def test_empty(device: str) -> None:
    """Sums of nothing are 0, products 1; a maximum of nothing is an error unless nothing is asked for."""
    e = mt.zeros(0)
    assert e.sum() == 0 and e.prod() == 1 and e.mean().isnan() and e.var().isnan() and e.std().isnan()
    assert e.all() and not e.any() and mt.logsumexp(e, 0) == -math.inf
    t = mt.zeros(2, 0, 3)
    assert t.sum(1).tolist() == [[0] * 3] * 2 and t.prod(1).tolist() == [[1] * 3] * 2 and t.mean(1).isnan().all()
    assert t.sum((0, 2)).shape == (0,) and t.amax((0, 2)).shape == (0,) and t.max(0).values.shape == (0, 3)
    assert t.argmax(2).shape == (2, 0) and mt.logsumexp(t, 1).tolist() == [[-math.inf] * 3] * 2
    assert t.any(1).tolist() == [[False] * 3] * 2 and t.all(1).tolist() == [[True] * 3] * 2
    for f in (lambda: e.max(), lambda: e.min()):
        with refuses(RuntimeError):
            f()
    for f in (
        lambda: t.max(1),
        lambda: t.argmin(1),
        lambda: t.amax(1),
        lambda: t.amin((0, 1)),
        lambda: e.argmax(),
        lambda: e.argmax(0),
    ):
        with refuses(IndexError):
            f()


def test_zero_d(device: str) -> None:
    s = tensor(3.0)
    for f in (mt.sum, mt.mean, mt.prod, mt.amax, mt.amin):
        assert f(s) == 3 and f(s, 0) == 3 and f(s, -1, keepdim=True).shape == ()
    assert (
        s.max(0).values == 3
        and s.max(0).indices == 0
        and s.argmax() == 0
        and s.std().isnan()
        and mt.logsumexp(s, 0) == 3
    )
    assert s.any() and s.all() and s.norm() == 3 and s.cumsum(0) == 3
    with refuses(IndexError, "1"):
        s.sum(1)


ALL = [
    "sum",
    "mean",
    "prod",
    "amax",
    "amin",
    "any",
    "all",
    "var",
    "std",
    "max",
    "min",
    "argmax",
    "argmin",
    "logsumexp",
    "cumsum",
    "cumprod",
]


@pytest.mark.parametrize("op", ALL)
def test_bad_dimensions(op: str, device: str) -> None:
    t, f = tensor(np.ones((2, 3))), getattr(mt, op)
    for dim in (2, -3, 2**40):
        with refuses(IndexError, str(dim)):
            f(t, dim)
    for dim in ("a", 1.5, object()):
        with refuses((TypeError, RuntimeError)):
            f(t, dim)
    if op in REDUCTIONS and REDUCTIONS[op][2]:
        for dim in ((0, 0), (1, -1)):
            with refuses(RuntimeError, "dim"):
                f(t, dim)
        with refuses(IndexError, "5"):
            f(t, (0, 5))


def test_variance(device: str) -> None:
    """correction and unbiased, and no cancellation far from 0."""
    x = sample("float64", (6, 7)) + 1e6
    t = tensor(x)
    for dim in (None, 0, 1, (0, 1)):
        k = {} if dim is None else {"dim": dim}
        for correction in (0, 1, 2):
            assert_near(mt.var(t, **k, correction=correction), np.var(x, axis=dim, ddof=correction), 1e-9)
            assert_near(mt.std(t, **k, correction=correction), np.std(x, axis=dim, ddof=correction), 1e-9)
    assert_near(t.var(unbiased=False), np.var(x), 1e-9)
    assert_near(t.std(0, unbiased=False, keepdim=True), np.std(x, 0, keepdims=True), 1e-9)
    y = (np.random.default_rng(0).standard_normal(1 << 16) + 4096).astype("f4")
    assert_near(mt.var(tensor(y)), np.var(y.astype("f8"), ddof=1), 1e-4)
    assert mt.zeros(1).var().isnan() and mt.zeros(5).var() == 0
    v, m = mt.var_mean(t, 0)
    assert_near(m, x.mean(0), 1e-12)
    assert_near(v, x.var(0, ddof=1), 1e-9)


def test_norm(device: str) -> None:
    x = sample("float64", (4, 5))
    t = tensor(x)
    assert_near(t.norm(), np.linalg.norm(x), 1e-14)
    for p in (1, 2, 3, 0.5, math.inf, -math.inf, 0):
        want = (
            np.abs(x).max()
            if p == math.inf
            else np.abs(x).min()
            if p == -math.inf
            else (np.count_nonzero(x) if p == 0 else (np.abs(x) ** p).sum() ** (1 / p))
        )
        assert_near(mt.norm(t, p), want, 1e-13)
        assert_near(t.norm(p, dim=1), np.linalg.norm(x, p, 1), 1e-13)
    assert_near(t.norm(dim=(0, 1)), np.linalg.norm(x), 1e-14)
    assert_near(t.norm(2, 0, keepdim=True), np.linalg.norm(x, 2, 0, keepdims=True), 1e-14)
    with refuses(RuntimeError, "norm"):
        tensor([1, 2]).norm()


def test_logsumexp(device: str) -> None:
    x = np.array([[1000.0, 1000.0], [-1000, -1001], [np.inf, 1], [-np.inf, -np.inf], [np.nan, 0]])
    want = [1000 + math.log(2), -1000 + math.log1p(math.exp(-1)), math.inf, -math.inf, math.nan]
    assert_near(mt.logsumexp(tensor(x), 1), np.array(want), 1e-15)
    assert_near(mt.logsumexp(tensor(x[:2]), (0, 1)), np.array(want[0]), 1e-15)


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["contiguous", "stepped", "column"])
def test_sums_are_as_accurate_as_pairwise(name: str, layout: str, device: str) -> None:
    """Ten million terms against the exact sum, to pairwise summation's bound: about log2(n) eps sum|x|."""
    n = 10_000_000 if layout == "contiguous" else 2_000_000
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(n) * 10.0 ** rng.integers(-3, 3, n) + 0.1).astype(name)
    if layout == "contiguous":
        t = tensor(x)
    elif layout == "stepped":
        t = tensor(np.stack([x, x], 1))[:, 0]
    else:
        t = tensor(x.reshape(-1, 4).T.copy()).t()
    exact = math.fsum(x.tolist())
    eps = 2.0 ** -FORMATS[name][0]
    bound = (math.log2(n / 128) + 16) * eps * math.fsum(np.abs(x).tolist())
    assert abs(float(t.sum()) - exact) <= bound
    assert abs(float(t.mean()) * n - exact) <= 2 * bound


@pytest.mark.parametrize(
    "shape, dim", [((100_000, 7), 0), ((7, 100_000), 1), ((50, 2000, 5), 1), ((3, 1 << 17), 1)], ids=str
)
def test_sums_along_a_dimension_are_accurate(shape, dim, device: str) -> None:
    """Where naive float32 summation of many equal terms drifts."""
    x = (np.random.default_rng(1).uniform(0.9, 1.1, shape) * 0.1).astype("f4")
    exact = x.astype("f8").sum(dim)
    n = shape[dim]
    bound = (math.log2(n / 128) + 16 if n > 128 else 16) * 2.0**-24
    for t in (tensor(x), tensor(x.T.copy()).permute(*reversed(range(x.ndim)))):
        assert (np.abs(array(t.sum(dim)) - exact) / exact).max() <= bound
        assert (np.abs(array(t.mean(dim)) * n - exact) / exact).max() <= 2 * bound


THREADED = {
    "sum": lambda t: t.sum(),
    "sum 0": lambda t: t.sum(0),
    "sum 1": lambda t: t.sum(1),
    "mean": lambda t: t.mean(1),
    "var": lambda t: t.var(),
    "var 0": lambda t: t.var(0),
    "norm": lambda t: t.norm(),
    "prod": lambda t: (t * 1e-3 + 1).prod(),
    "logsumexp": lambda t: t.logsumexp(0),
    "cumsum": lambda t: t.cumsum(1),
    "amax": lambda t: t.amax(0),
    "argmax": lambda t: t.argmax(),
    "std 1": lambda t: t.std(1),
    "all": lambda t: t.sum((0, 1)),
    "softmax": lambda t: mt.softmax(t, 1),
    "transposed": lambda t: t.t().sum(0),
    "stepped": lambda t: t[:, ::2].sum(),
}


@only_here
@pytest.mark.parametrize("op", THREADED)
@pytest.mark.parametrize("shape", [(1, 1_000_003), (1000, 1001), (1_000_003, 1), (3, 400_001)], ids=str)
def test_the_same_bits_for_any_number_of_threads(op: str, shape, device: str) -> None:
    if device != "cpu":
        pytest.skip("about the threads of the CPU")
    t = tensor(np.random.default_rng(2).standard_normal(shape).astype("f4"))
    before, results = mt.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            mt.set_num_threads(threads)
            results.append(array(THREADED[op](t)))
    finally:
        mt.set_num_threads(before)
    for other in results[1:]:
        assert results[0].tobytes() == other.tobytes()


@pytest.mark.parametrize("name", DTYPES)
def test_scans(name: str, device: str) -> None:
    x = sample(name)
    for layout, t in layouts(x, name):
        for dim in (0, 1, 2, -2):
            for op, true in (("cumsum", np.cumsum), ("cumprod", np.cumprod)):
                got, want = getattr(mt, op)(t, dim), true(wide(x), axis=dim)
                assert name_of(got.dtype) == (name if name in FLOATS else "int64")
                note = f"{op} over {dim}, {layout}"
                if name in FLOATS:
                    assert_near(got, want, RTOL[name] * 8, note=note)
                else:
                    assert_same(got, want, note)
    t = tensor(x, name)
    assert mt.cumsum(t, 0, dtype=mt.float64).dtype == mt.float64
    if name in FLOATS:
        copy = t.clone()
        assert copy.cumsum_(1) is copy
        assert_near(copy, np.cumsum(wide(x), 1), RTOL[name] * 8)


def test_scans_of_nothing_and_nan(device: str) -> None:
    assert (
        mt.zeros(0).cumsum(0).shape == (0,)
        and mt.zeros(2, 0).cumprod(1).shape == (2, 0)
        and mt.zeros(0, 2).cumsum(1).shape == (0, 2)
    )
    assert_same(tensor([1.0, np.nan, 2.0]).cumsum(0), np.array([1.0, np.nan, np.nan]))
    n = 300_001
    assert_same(mt.ones(n, dtype=mt.int64).cumsum(0), np.arange(1, n + 1))


def test_all_and_any_of_floats(device: str) -> None:
    assert tensor([np.nan]).all() and tensor([np.nan]).any() and not tensor([0.0, -0.0]).any()
    assert tensor([1e-45], "float32").any()
    x = np.zeros(100_000)
    assert not tensor(x).any()
    x[-1] = 1
    assert tensor(x).any() and not tensor(x).all()


def test_out(device: str) -> None:
    x = sample("float32")
    for f, want in (
        (lambda o: mt.sum(tensor(x), 0, out=o), x.sum(0)),
        (lambda o: mt.mean(tensor(x), 0, out=o), x.mean(0)),
        (lambda o: mt.amax(tensor(x), 0, out=o), x.max(0)),
    ):
        out = mt.zeros(4, 5)
        assert f(out) is out
        assert_near(out, want, 1e-6)
