"""Indexing by tensors, gathering and scattering, sorting."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import DTYPES, array, assert_same, layouts, mt, numpy_type, refuses, round_to, tensor

A = np.arange(60.0).reshape(3, 4, 5)
LATER = (
    "gather",
    "scatter",
    "scatter_add",
    "index_select",
    "index_add",
    "index_fill",
    "sort",
    "argsort",
    "topk",
    "masked_select",
    "take_along_dim",
    "nonzero",
)


def needs(*names: str) -> None:
    """Skip, visibly, what the engine does not have yet."""
    for name in names:
        if name in LATER and not hasattr(mt, name):
            pytest.skip(f"{name} is not there yet")


INDEX = {
    "one": (np.array([2, 0, 0]),),
    "negative": (np.array([-1, 0, -3]),),
    "2-d": (np.array([[0, 1], [2, 2]]),),
    "pair": (np.array([0, 2]), np.array([3, 1])),
    "broadcast": (np.array([[0], [2]]), np.array([1, 3])),
    "middle": (slice(None), np.array([3, 0])),
    "last": (Ellipsis, np.array([4, 0, 4])),
    "apart": (np.array([0, 2]), slice(None), np.array([1, 3])),
    "after int": (1, np.array([3, 0])),
    "int between": (np.array([0, 2]), 1, np.array([1, 3])),
    "slices": (slice(1, None), np.array([0, 0, 2]), slice(None, None, 2)),
    "new axis": (None, np.array([1, 0])),
    "three": (np.array([0, 1]), np.array([1, 2]), np.array([3, 4])),
    "empty": (np.zeros(0, int),),
    "0-d": (np.array(1),),
    "mask": (A > 30,),
    "mask rows": (np.array([True, False, True]),),
    "mask columns": (slice(None), np.array([True, False, True, True])),
    "mask last": (Ellipsis, np.array([True, False, False, True, True])),
    "mask none": (A > 1000,),
    "mask 2-d": (A[:, :, 0] > 20,),
}


@pytest.mark.parametrize("key", INDEX)
def test_by_tensors(key: str, device: str) -> None:
    index = INDEX[key]
    ours = tuple(tensor(i) if isinstance(i, np.ndarray) else i for i in index)
    for layout, t in layouts(A):
        assert_same(t[ours if len(ours) > 1 else ours[0]], np.array(A[index]), layout)
    t = tensor(A)
    if key != "0-d":
        t[ours].fill_(-1)  # what is selected is a copy
    assert_same(t, A)


@pytest.mark.parametrize("key", INDEX)
def test_assignment_by_tensors(key: str, device: str) -> None:
    index = INDEX[key]
    ours = tuple(tensor(i) if isinstance(i, np.ndarray) else i for i in index)
    for layout, t in layouts(A):
        a = A.copy()
        a[index] = -1.5
        t[ours] = -1.5
        assert_same(t, a, layout)
    if key in ("one", "negative", "2-d"):
        return  # repeated places: which value stays is not said
    a, t = A.copy(), tensor(A)
    values = np.random.default_rng(0).standard_normal(a[index].shape)
    a[index] = values
    t[ours] = tensor(values)
    assert_same(t, a)


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(name: str, device: str) -> None:
    x = round_to(np.random.default_rng(0).integers(0, 2, (4, 3)), name)
    for index in ("int64", "int32"):
        assert_same(tensor(x, name)[tensor([3, 0, 0], index)], x[[3, 0, 0]])
    assert_same(tensor(x, name)[[1, 2]], x[[1, 2]])
    t = tensor(x, name)
    t[tensor([1, 2])] = tensor(1, name)
    x[[1, 2]] = 1
    assert_same(t, x.astype(numpy_type(name)))


def test_refusals(device: str) -> None:
    t = tensor(A)
    for f in (
        lambda: t[tensor([3])],
        lambda: t[tensor([-4])],
        lambda: t[:, tensor([2**40])],
        lambda: t[tensor([0]), tensor([4])],
        lambda: t[tensor([-(2**63)])],
    ):
        with refuses(IndexError, "out of"):
            f()
    for f in (
        lambda: t[tensor([True, False])],
        lambda: t[tensor([0, 1]), tensor([0, 1, 2])],
        lambda: t[tensor([0]), tensor([0]), tensor([0]), tensor([0])],
        lambda: t[tensor([0.5])],
        lambda: t[tensor(A[:, :3] > 0)],
    ):
        with refuses((IndexError, RuntimeError)):
            f()
    with refuses((RuntimeError, ValueError)):
        t[tensor([0, 1])] = tensor([1.0, 2.0, 3.0])
    with refuses(IndexError):
        t[tensor([7])] = 0.0
    assert_same(t, A)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_index_select(dim: int, device: str) -> None:
    needs("index_select")
    index = [1, 0, 1, 2]
    for layout, t in layouts(A):
        assert_same(mt.index_select(t, dim, tensor(index)), np.take(A, index, dim), layout)
    with refuses((IndexError, RuntimeError)):
        mt.index_select(tensor(A), dim, tensor([9]))
    with refuses((IndexError, RuntimeError)):
        mt.index_select(tensor(A), dim, tensor([-1]))


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_gather_and_scatter(dim: int, device: str) -> None:
    needs("gather", "scatter", "scatter_add")
    rng = np.random.default_rng(0)
    index = rng.integers(0, 3, A.shape)
    for layout, t in layouts(A):
        assert_same(mt.gather(t, dim, tensor(index)), np.take_along_axis(A, index, dim), layout)
    small = index[:2, :2, :2]
    assert_same(
        mt.gather(tensor(A), dim, tensor(small)),
        np.take_along_axis(A[tuple(slice(None) if d == dim % 3 else slice(2) for d in range(3))], small, dim),
    )
    places = np.argsort(rng.random(A.shape), dim)
    want = np.zeros_like(A)
    np.put_along_axis(want, places, A, dim)
    assert_same(mt.zeros(3, 4, 5, dtype=mt.float64).scatter(dim, tensor(places), tensor(A)), want)
    np.put_along_axis(want, index, 7.0, dim)
    assert_same(tensor(want).scatter(dim, tensor(index), 7.0), want)
    want = np.zeros_like(A)
    for at in np.ndindex(A.shape):
        to = list(at)
        to[dim] = index[at]
        want[tuple(to)] += A[at]
    assert_same(mt.zeros(3, 4, 5, dtype=mt.float64).scatter_add(dim, tensor(index), tensor(A)), want)
    for bad in (np.full((1, 1, 1), 9), np.full((1, 1, 1), -1)):
        with refuses((RuntimeError, IndexError), "index"):
            mt.gather(tensor(A), dim, tensor(bad))
        with refuses((RuntimeError, IndexError), "index"):
            tensor(A).scatter(dim, tensor(bad), tensor(A))
    with refuses(RuntimeError, "int64"):
        mt.gather(tensor(A), dim, tensor(index.astype("f4")))


def test_masked(device: str) -> None:
    mask = A > 17
    for layout, t in layouts(A):
        assert_same(t.masked_fill(tensor(mask), -1.0), np.where(mask, -1, A), layout)
        copy = t.clone()
        assert copy.masked_fill_(tensor(mask[:1]), 0.5) is copy
        assert_same(copy, np.where(mask[:1], 0.5, A))
    with refuses(RuntimeError, "bool"):
        tensor(A).masked_fill(tensor(mask.astype("i8")), 0.0)
    needs("masked_select", "nonzero")
    assert_same(mt.masked_select(tensor(A), tensor(mask)), A[mask])
    assert_same(mt.nonzero(tensor(mask)), np.argwhere(mask))


@pytest.mark.parametrize("name", [n for n in DTYPES if n != "bool"])
def test_sort(name: str, device: str) -> None:
    needs("sort", "argsort", "topk")
    rng = np.random.default_rng(0)
    x = round_to(rng.integers(0, 20, (5, 40)), name)
    for layout, t in layouts(x, name):
        for dim in (0, 1):
            for descending in (False, True):
                values, index = mt.sort(t, dim=dim, descending=descending, stable=True)
                order = np.argsort(-x.astype("f8") if descending else x.astype("f8"), dim, kind="stable")
                assert_same(index, order, layout)
                assert_same(values, np.take_along_axis(x, order, dim), layout)
    values, index = mt.topk(tensor(x, name), 3, 1)
    assert_same(
        values,
        -np.sort(-x.astype("f8"), 1)[:, :3].astype(x.dtype) if x.dtype.kind != "u" else np.sort(x, 1)[:, ::-1][:, :3],
    )
    np.testing.assert_array_equal(np.take_along_axis(x, array(index), 1), array(values))


def test_sort_puts_nan_last(device: str) -> None:
    needs("sort")
    x = tensor([2.0, np.nan, -np.inf, np.inf, -0.0, 0.0])
    assert mt.sort(x).indices.tolist()[-1] == 1 and mt.sort(x, descending=True).indices.tolist()[0] == 1
    assert mt.sort(mt.zeros(0)).values.shape == (0,) and mt.sort(tensor(3.0)).values.item() == 3
