"""Ordering, searching, counting: what the twins of `minitorch.reference` do not say."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from helpers import (
    DTYPES,
    FLOATS,
    array,
    assert_near,
    assert_same,
    check_gradient,
    dtype_of,
    layouts,
    mt,
    only_here,
    refuses,
    round_to,
    tensor,
)

NAN = float("nan")


def mixed(shape, seed: int = 0) -> np.ndarray:
    """Different numbers, far enough apart for finite differences."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.prod(shape, dtype=int)).reshape(shape) / 3 - 2.0


# --- sorting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["uint8", "int16", "int64", "float16", "float32", "float64"])
def test_lengths(name: str, device: str) -> None:
    """Around the lengths at which the algorithm changes, with many and with few equal elements."""
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 3, 39, 40, 41, 255, 257, 8191, 8193, 32767, 32768, 70001):
        for top in (2, 100, 10**9):
            x = rng.integers(0, min(top, 250 if name in ("uint8", "float16") else 30000), n)
            x = round_to(x * (1 if name in ("uint8", "int16") else -1), name)
            order = np.argsort(x, kind="stable")
            values, places = mt.sort(tensor(x), stable=True)
            np.testing.assert_array_equal(array(places), order)
            np.testing.assert_array_equal(array(values), x[order])
            values, places = mt.sort(tensor(x))
            np.testing.assert_array_equal(array(values), x[order])
            np.testing.assert_array_equal(x[array(places)], x[order])
            assert np.bincount(array(places), minlength=n).tolist() == [1] * n


@only_here
def test_any_number_of_threads(device: str) -> None:
    x = np.random.default_rng(0).integers(-1000, 1000, 200_000)
    threads = mt.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3, 4):
            mt.set_num_threads(count)
            for t in (tensor(x), tensor(x.astype("f4")), tensor(x.astype("f8"))):
                for descending in (False, True):
                    results.append(array(t.sort(descending=descending, stable=True).indices))
    finally:
        mt.set_num_threads(threads)
    for k in range(0, len(results), 2):
        np.testing.assert_array_equal(results[k], results[0])
        np.testing.assert_array_equal(results[k + 1], results[1])


def test_order_of_special_values(device: str) -> None:
    x = np.array([1.0, NAN, -np.inf, 0.0, -0.0, np.inf, NAN, -1.0])
    for name in FLOATS:
        values, places = tensor(x, name).sort(stable=True)
        assert places.tolist() == [2, 7, 3, 4, 0, 5, 1, 6]
        assert_same(values.double(), x[array(places)])
        assert tensor(x, name).sort(descending=True, stable=True).indices.tolist() == [1, 6, 5, 0, 3, 4, 7, 2]
        assert tensor(x, name).topk(3).indices[2] == 5
        assert tensor(x, name).topk(2, largest=False).indices.tolist() == [2, 7]
        assert tensor(x, name).kthvalue(7).values.isnan()


def test_results_have_names(device: str) -> None:
    x = tensor(np.array([3.0, 1.0, 2.0]))
    pair = x.sort()
    assert type(pair).__name__ == "sort" and pair.values is pair[0] and pair.indices is pair[1]
    assert repr(x.argsort().cpu().topk(1)) == "torch.return_types.topk(\nvalues=tensor([2]),\nindices=tensor([1]))"
    again = pickle.loads(pickle.dumps(pair))
    assert type(again) is type(pair) and mt.equal(again.indices, pair.indices)
    assert type(pair)((1, 2)).indices == 2
    with pytest.raises(TypeError):
        type(pair)((1, 2, 3))
    assert x.aminmax().min == 1 and x.median(0).values == 2 and x.mode().indices == 1


def test_out(device: str) -> None:
    x = tensor(np.array([[3.0, 1.0], [2.0, 5.0]]))
    values, indices = mt.empty(0, dtype=mt.float64), mt.empty(0, dtype=mt.int64)
    pair = mt.sort(x, 1, out=(values, indices))
    assert pair[0] is values and values.tolist() == [[1, 3], [2, 5]] and indices.tolist() == [[1, 0], [0, 1]]
    for f in (lambda o: mt.topk(x, 1, out=o), lambda o: mt.kthvalue(x, 1, out=o), lambda o: mt.median(x, 1, out=o)):
        values, indices = mt.empty(0, dtype=mt.float64), mt.empty(0, dtype=mt.int64)
        f((values, indices))
        assert values.numel() == 2 and (indices >= 0).all()
    with refuses(RuntimeError, "dtype"):
        mt.sort(x, out=(mt.empty(0, dtype=mt.float64), mt.empty(0)))


# --- selection --------------------------------------------------------------------------------------------------------


def test_topk_of_every_size(device: str) -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 17, 64, 129, 600, 2000):
        x = rng.standard_normal((3, n))
        for k in {0, 1, 2, n // 100, n // 9, n // 8, n // 2, n - 1, n} & set(range(n + 1)):
            for largest in (True, False):
                want = np.argsort(-x if largest else x, 1)[:, :k]
                values, places = tensor(x).topk(k, largest=largest)
                assert_same(places, want)
                assert_same(values, np.take_along_axis(x, want, 1))
                got = np.sort(array(tensor(x).topk(k, 1, largest, sorted=False).indices), 1)
                np.testing.assert_array_equal(got, np.sort(want, 1))


def test_bad_orders_are_not_slow(device: str) -> None:
    """Inputs that make simple quicksorts take quadratic time."""
    n = 50_000
    for x in (np.arange(n), np.arange(n)[::-1], np.zeros(n), np.r_[np.arange(n // 2), np.arange(n // 2)[::-1]]):
        t = tensor(x.astype("f4"))
        assert t.topk(n // 2).values[-1] == np.sort(x)[-(n // 2)]
        assert t.median() == np.sort(x)[(n - 1) // 2]
        assert mt.equal(t.sort(descending=True).values, tensor(np.sort(x.astype("f4"))[::-1].copy()))


def test_medians(device: str) -> None:
    x = np.array([[4.0, 1.0, 3.0, 2.0], [NAN, 1.0, NAN, 5.0]])
    assert tensor(x[0]).median() == 2 and tensor(x).median().isnan() and tensor(x).nanmedian() == 2
    values, places = tensor(x).median(1)
    assert places.tolist() == [3, 0] and values[0] == 2 and values[1].isnan()
    values, places = tensor(x).nanmedian(1, keepdim=True)
    assert places.tolist() == [[3], [1]] and values.tolist() == [[2], [1]]
    assert tensor(np.array([NAN, NAN])).nanmedian().isnan()
    assert mt.zeros(0).median().isnan() and tensor(np.array([5, 1, 3])).median().dtype == mt.int64


def test_empty_and_0d(device: str) -> None:
    zero = tensor(np.array(3.0))
    for f in (lambda t: t.sort(), lambda t: t.topk(1), lambda t: t.kthvalue(1), lambda t: t.median(0),
              lambda t: t.mode(), lambda t: t.cummax(0), lambda t: t.cummin(-1)):  # fmt: skip
        values, places = f(zero)
        assert values.shape == () and values == 3 and places == 0
    assert zero.argsort() == 0 and zero.median() == 3 and zero.logcumsumexp(0) == 3 and zero.quantile(0.3) == 3
    empty = mt.zeros(2, 0, 3)
    assert empty.sort(1)[0].shape == (2, 0, 3) and empty.topk(0, 1)[1].shape == (2, 0, 3)
    assert empty.kthvalue(2, 2)[0].shape == (2, 0) and empty.mode(0, keepdim=True)[0].shape == (1, 0, 3)
    assert empty.cummax(1)[0].shape == empty.logcumsumexp(1).shape == (2, 0, 3)
    assert mt.unique(mt.zeros(0), return_inverse=True)[1].shape == (0,)
    with refuses(IndexError, "non-zero size"):
        empty.median(1)
    with refuses(RuntimeError, "non-empty"):
        empty.quantile(0.5)


def test_what_is_refused(device: str) -> None:
    x = mt.ones(2, 3)
    with refuses(RuntimeError, "out of range", "k=4"):
        x.topk(4)
    with refuses(RuntimeError, "out of range"):
        x.kthvalue(0)
    with refuses(IndexError, "range"):
        x.sort(2)
    with refuses(RuntimeError, "bool"):
        x.bool().topk(1)
    with refuses(NotImplementedError):
        x.bool().median()
    for f in (lambda: x.sort(dim=None), lambda: x.sort(stable=1), lambda: x.topk(1.0), lambda: mt.isin(1, 2)):
        with refuses(TypeError):
            f()
    for f in (
        lambda: x.quantile(1.5), lambda: x.int().quantile(0.5), lambda: x.quantile(0.5, interpolation="cubic"),
        lambda: x.quantile(mt.tensor([[0.5]])), lambda: x.quantile(mt.tensor([0.5, NAN])),
        lambda: mt.searchsorted(x, mt.ones(3, 3)), lambda: mt.searchsorted(x[0], x, side="middle"),
        lambda: mt.searchsorted(x[0], x, side="left", right=True), lambda: mt.bucketize(x, x),
        lambda: mt.searchsorted(x[0], x, sorter=mt.tensor([0, 1, 7])),
        lambda: mt.searchsorted(x[0], x, sorter=mt.tensor([0, 1])),
        lambda: mt.bincount(mt.tensor([-1, 2])), lambda: mt.bincount(mt.ones(2, 2).long()),
        lambda: mt.bincount(mt.tensor([1, 2]), mt.ones(3)), lambda: x.histc(0), lambda: x.histc(4, 2, 1),
        lambda: mt.tensor([1.0, NAN]).histc(3), lambda: mt.histogram(x, 3, range=(2.0, 1.0)),
        lambda: mt.histogram(x, 3, weight=mt.ones(4)), lambda: mt.histogramdd(x, [2]),
        lambda: mt.zeros(2, 0).unique(dim=0),
    ):  # fmt: skip
        with refuses(RuntimeError):
            f()
    for f in (lambda: x.int().histc(3), lambda: x.bincount(), lambda: x.int().logcumsumexp(0)):
        with refuses(NotImplementedError):
            f()


# --- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 2)], ids=str)
def test_gradients(shape: tuple[int, ...], device: str) -> None:
    x = mixed(shape)
    for dim in range(max(len(shape), 1)):
        for f in (
            lambda t, d=dim: t.sort(d)[0] ** 2, lambda t, d=dim: t.sort(d, True)[0] ** 2,
            lambda t, d=dim: t.topk(1, d)[0] ** 2, lambda t, d=dim: t.kthvalue(1, d, keepdim=True)[0] ** 2,
            lambda t, d=dim: t.median(d)[0] ** 2, lambda t, d=dim: t.nanmedian(d, True)[0] ** 2,
            lambda t, d=dim: t.mode(d)[0] ** 2, lambda t, d=dim: t.cummax(d)[0] ** 2,
            lambda t, d=dim: t.cummin(d)[0] ** 2, lambda t, d=dim: t.max(d)[0] ** 2,
            lambda t, d=dim: t.logcumsumexp(d), lambda t, d=dim: t.quantile(0.3, d) ** 2,
        ):  # fmt: skip
            check_gradient(f, x)
    check_gradient(lambda t: t.median() ** 2, x)
    check_gradient(lambda t: t.msort() ** 2 if t.ndim else t * 1, x)
    check_gradient(lambda t: t.nanquantile(mt.tensor([0.2, 0.9], dtype=mt.float64)) ** 2, x)


def test_gradients_of_elements_chosen_twice(device: str) -> None:
    x = tensor(np.array([[1.0, 3.0, 2.0, 0.0]])).requires_grad_(True)
    x.cummax(1).values.sum().backward()
    assert x.grad.tolist() == [[1, 3, 0, 0]]
    assert x.sort().values.grad_fn.name() == "SortBackward0" and not x.sort().indices.requires_grad


@only_here
def test_logcumsumexp_far_out(device: str) -> None:
    x = tensor(np.array([-np.inf, -np.inf, 1000.0, 1000.0, -1000.0])).requires_grad_(True)
    y = x.logcumsumexp(0)
    assert_near(y, np.array([-np.inf, -np.inf, 1000, 1000 + np.log(2), 1000 + np.log(2)]))
    y[2:].sum().backward()
    assert_near(x.grad, np.array([0, 0, 2.0, 1.0, 0]))


# --- quantiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles(method: str, device: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 6))
    levels = np.array([0.0, 0.25, 0.4, 1.0])
    for axis, keep in itertools.product((None, 0, 1, 2, -1), (False, True)):
        for q in (0.3, levels):
            # NumPy rounds a tie of "nearest" differently; there is none here
            want = np.quantile(x, q, axis=axis, method=method, keepdims=keep)
            for _, t in layouts(x):
                got = mt.quantile(t, q if isinstance(q, float) else tensor(q), axis, keep, interpolation=method)
                assert_near(got, np.asarray(want), 1e-13)


def test_quantiles_and_nan(device: str) -> None:
    x = np.array([[1.0, NAN, 3.0, 2.0], [NAN, NAN, NAN, NAN], [4.0, 1.0, 2.0, 3.0]])
    got = tensor(x).quantile(0.5, 1)
    assert got[:2].isnan().all() and got[2] == 2.5
    got = tensor(x).nanquantile(tensor(np.array([0.0, 0.5])), 1)
    assert got[:, 0].tolist() == [1, 2] and got[:, 1].isnan().all() and got[:, 2].tolist() == [1, 2.5]


# --- unique, searching, membership ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DTYPES)
def test_unique(name: str, device: str) -> None:
    x = round_to(np.random.default_rng(0).integers(0, 2 if name == "bool" else 5, (4, 6)), name)
    want, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    for _, t in layouts(x, name):
        got = mt.unique(t, return_inverse=True, return_counts=True)
        assert got[0].dtype == dtype_of(name)
        for a, b in zip(got, (want, inverse.reshape(x.shape), counts)):
            np.testing.assert_array_equal(array(a), b)
        for dim in (0, 1):
            got = mt.unique(t, return_inverse=True, return_counts=True, dim=dim)
            again = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
            for a, b in zip(got, again):
                np.testing.assert_array_equal(array(a), b.reshape(a.shape))
    assert_same(mt.unique(tensor(x, name), sorted=False), want)


def test_unique_consecutive(device: str) -> None:
    x = tensor(np.array([1, 1, 2, 2, 2, 1, 3]))
    result, inverse, counts = x.unique_consecutive(return_inverse=True, return_counts=True)
    assert result.tolist() == [1, 2, 1, 3]
    assert inverse.tolist() == [0, 0, 1, 1, 1, 2, 3] and counts.tolist() == [2, 3, 1, 1]
    rows = tensor(np.array([[1, 2], [1, 2], [3, 4]]))
    assert rows.unique_consecutive(dim=0).tolist() == [[1, 2], [3, 4]]
    assert rows.unique_consecutive(dim=1).tolist() == rows.tolist()
    assert rows.unique(dim=0).tolist() == [[1, 2], [3, 4]]
    x = tensor(np.array([NAN, 1.0, NAN, 0.0, -0.0]))
    assert x.unique(return_counts=True)[1].tolist() == [2, 1, 1, 1]  # not a number equals nothing


def test_searching_rows(device: str) -> None:
    rng = np.random.default_rng(0)
    lines, values = np.sort(rng.standard_normal((2, 3, 8))), rng.standard_normal((2, 3, 5))
    want = np.array([[np.searchsorted(lines[i, j], values[i, j]) for j in range(3)] for i in range(2)])
    assert_same(mt.searchsorted(tensor(lines), tensor(values)), want)
    shuffled = rng.standard_normal((2, 8))
    order = np.argsort(shuffled)
    got = mt.searchsorted(tensor(shuffled), tensor(values[:, 0]), sorter=tensor(order), side="right", out_int32=True)
    assert got.dtype == mt.int32
    for i in range(2):
        np.testing.assert_array_equal(array(got)[i], np.searchsorted(shuffled[i], values[i, 0], "right", order[i]))
    line = tensor(np.array([1, 3, 5]))
    assert mt.searchsorted(line, 3.5) == 2 and mt.bucketize(9, line) == 3 and mt.searchsorted(line, tensor(NAN)) == 3


def test_isin(device: str) -> None:
    x, y = np.random.default_rng(0).integers(0, 30, (5, 6)), np.arange(0, 30, 4)
    for name in ("uint8", "int64", "float16", "float32"):
        for invert in (False, True):
            got = mt.isin(tensor(x, name), tensor(y, name), invert=invert)
            assert_same(got, np.isin(x, y, invert=invert))
    assert mt.isin(3, tensor(y)).tolist() is False and mt.isin(tensor(x), 3).sum() == (x == 3).sum()
    assert not mt.isin(tensor(np.array([NAN])), tensor(np.array([NAN]))).any()


# --- counting ---------------------------------------------------------------------------------------------------------


def test_histograms(device: str) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((20, 5)), rng.random((20, 5))
    for bounds in (None, (-1.0, 0.75)):
        for density in (False, True):
            want, edges = np.histogram(x, 7, bounds, density=density, weights=weight)
            for _, t in layouts(x):
                got = mt.histogram(t, 7, range=bounds, weight=tensor(weight), density=density)
                assert_near(got.hist, want, 1e-13)
                assert_near(got.bin_edges, edges, 1e-13)
    edges = np.array([-2.0, -0.5, 0.0, 0.1, 3.0])
    assert_near(mt.histogram(tensor(x), tensor(edges)).hist, np.histogram(x, edges)[0], 0)
    assert_near(tensor(x).histc(6), np.histogram(x, 6)[0], 0)
    assert_near(tensor(x).histc(6, -1, 1), np.histogram(x, 6, (-1, 1))[0], 0)
    points = rng.standard_normal((50, 3))
    got = mt.histogramdd(tensor(points), [2, 3, 4], density=True)
    want, edges = np.histogramdd(points, [2, 3, 4], density=True)
    assert_near(got.hist, want, 1e-13)
    for a, b in zip(got.bin_edges, edges):
        assert_near(a, b, 1e-13)


def test_counting(device: str) -> None:
    assert mt.bincount(tensor(np.array([], dtype="i8")), minlength=2).tolist() == [0, 0]
    assert mt.bincount(tensor(np.array([1, 1], "u1")), tensor(np.array([0.5, 1], "f4"))).dtype == mt.float32
    assert mt.bincount(tensor(np.array([1])), tensor(np.array([2]))).dtype == mt.float64
    assert mt.argwhere(tensor(np.array([[0, 1], [2, 0]]))).tolist() == [[0, 1], [1, 0]]
