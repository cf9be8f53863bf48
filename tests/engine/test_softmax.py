"""The softmax family and cross entropy: values against wider arithmetic, extremes, options, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import FLOATS, array, assert_near, layouts, mt, name_of, refuses, round_to, tensor

F = mt.nn.functional
RTOL = {"float16": 2e-3, "bfloat16": 1.6e-2, "float32": 2e-6, "float64": 1e-14}


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    x = x.astype("f8")
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def nll(logp: np.ndarray, target: np.ndarray, weight=None, ignore_index: int = -100, reduction: str = "mean"):
    """Of (n, c) and (n,), element by element."""
    weight = np.ones(logp.shape[1]) if weight is None else weight
    each = np.array([0.0 if t == ignore_index else -weight[t] * logp[i, t] for i, t in enumerate(target)])
    total = sum(0.0 if t == ignore_index else weight[t] for t in target)
    return each if reduction == "none" else each.sum() / (total if reduction == "mean" else 1)


@pytest.mark.parametrize("name", FLOATS)
def test_values(name: str, device: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((5,), (3, 4), (2, 3, 4), (7, 1), (1, 130), (130, 3)):
        x = round_to(rng.standard_normal(shape) * 5, name)
        for dim in range(-1, len(shape)):
            for layout, t in layouts(x, name):
                logp = log_softmax(x, dim)
                assert_near(mt.log_softmax(t, dim), logp, RTOL[name], note=layout)
                assert_near(mt.softmax(t, dim), np.exp(logp), RTOL[name], note=layout)
                assert_near(F.softmax(t, dim=dim), np.exp(logp), RTOL[name])
                assert_near(t.log_softmax(dim), logp, RTOL[name])
    if name in ("float32", "float64"):
        np.testing.assert_allclose(array(mt.softmax(tensor(x, name), 0)).sum(0), 1, rtol=1e-6)


def test_extremes(device: str) -> None:
    x = np.array([[1000.0, 0.0], [-1000.0, -1000.0], [1e38, -1e38]])
    assert mt.softmax(tensor(x, "float32"), 1).tolist() == [[1, 0], [0.5, 0.5], [1, 0]]
    assert_near(mt.log_softmax(tensor(x), 1), np.array([[0, -1000], [-math.log(2)] * 2, [0, -2e38]]), 1e-15)
    masked = tensor([[-np.inf, 1.0, 1.0]])
    assert mt.softmax(masked, 1).tolist() == [[0, 0.5, 0.5]]
    assert mt.log_softmax(masked, 1)[0, 0] == -np.inf
    assert (
        mt.softmax(tensor([[-np.inf, -np.inf]]), 1).isnan().all() and mt.softmax(tensor([np.nan, 1.0]), 0).isnan().all()
    )
    assert mt.softmax(tensor([np.inf, 1.0]), 0).isnan().any()


def test_shapes_and_dtypes(device: str) -> None:
    assert (
        mt.softmax(tensor(3.0), 0).item() == 1
        and mt.softmax(mt.zeros(0, 3), 1).shape == (0, 3)
        and mt.log_softmax(mt.zeros(3, 0), 1).shape == (3, 0)
    )
    assert mt.softmax(tensor([1, 2]), 0, dtype=mt.float32).dtype == mt.float32
    assert mt.softmax(tensor([1.0, 2.0], "float16"), 0, dtype=mt.float64).dtype == mt.float64
    assert name_of(mt.log_softmax(tensor([1.0], "bfloat16"), 0).dtype) == "bfloat16"
    with refuses(IndexError, "2"):
        mt.softmax(mt.zeros(3, 3), 2)
    with refuses((RuntimeError, NotImplementedError), "softmax"):
        mt.softmax(tensor([1, 2]), 0)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_cross_entropy(name: str, reduction: str, device: str) -> None:
    rng = np.random.default_rng(1)
    n, c = 33, 7
    x, target, weight = rng.standard_normal((n, c)) * 3, rng.integers(0, c, n), rng.uniform(0.5, 2, c)
    logp = log_softmax(round_to(x, name), 1)
    for options in ({}, {"weight": weight}, {"ignore_index": 2}, {"weight": weight, "ignore_index": 2}):
        want = np.asarray(nll(logp, target, reduction=reduction, **options))
        given = {**options, **({"weight": tensor(weight, name)} if "weight" in options else {})}
        for layout, t in layouts(x, name):
            assert_near(
                F.cross_entropy(t, tensor(target), reduction=reduction, **given), want, RTOL[name] * 3, note=layout
            )
        assert_near(F.nll_loss(tensor(logp, name), tensor(target), reduction=reduction, **given), want, RTOL[name] * 3)
    smooth = 0.9 * nll(logp, target, reduction="none") - 0.1 * logp.mean(1)
    want = {"mean": smooth.mean(), "sum": smooth.sum(), "none": smooth}[reduction]
    assert_near(
        F.cross_entropy(tensor(x, name), tensor(target), reduction=reduction, label_smoothing=0.1),
        np.asarray(want),
        RTOL[name] * 3,
    )
    p = np.exp(log_softmax(rng.standard_normal((n, c)), 1))
    each = -(p * logp).sum(1)
    want = {"mean": each.mean(), "sum": each.sum(), "none": each}[reduction]
    assert_near(
        F.cross_entropy(tensor(x, name), tensor(p, name), reduction=reduction), np.asarray(want), RTOL[name] * 3
    )


def test_cross_entropy_over_places(device: str) -> None:
    """(n, c, d1, d2) with targets (n, d1, d2), and one sample (c) with a number."""
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((2, 5, 3, 4)), rng.integers(0, 5, (2, 3, 4))
    flat = np.moveaxis(x, 1, -1).reshape(-1, 5)
    each = nll(log_softmax(flat, 1), target.ravel(), reduction="none")
    assert_near(F.cross_entropy(tensor(x), tensor(target)), np.asarray(each.mean()), 1e-14)
    assert_near(F.cross_entropy(tensor(x), tensor(target), reduction="none"), each.reshape(2, 3, 4), 1e-13)
    assert_near(F.cross_entropy(tensor(flat[0]), tensor(int(target[0, 0, 0]))), np.asarray(each[0]), 1e-13)


def test_cross_entropy_extremes(device: str) -> None:
    assert F.cross_entropy(tensor([[1000.0, 0.0]]), tensor([1])).item() == 1000
    assert F.cross_entropy(tensor([[1000.0, 0.0]]), tensor([0])).item() == 0
    assert F.cross_entropy(tensor([[1.0, 0.0]]), tensor([-100])).isnan()
    assert F.cross_entropy(tensor([[1.0, 0.0]]), tensor([-100]), reduction="sum").item() == 0
    assert F.cross_entropy(mt.zeros(0, 3), mt.zeros(0, dtype=mt.int64)).isnan()


def test_refusals(device: str) -> None:
    x, t = mt.zeros(3, 4), tensor([0, 1, 2])
    for bad in (4, -1, -101, 2**40):
        with refuses(IndexError, str(bad)):
            F.cross_entropy(x, tensor([0, 1, bad]))
        with refuses(IndexError, str(bad)):
            F.nll_loss(x, tensor([0, 1, bad]))
    for f in (
        lambda: F.cross_entropy(x, tensor([0, 1])),
        lambda: F.cross_entropy(x, mt.zeros(3, 5)),
        lambda: F.cross_entropy(x, t, weight=mt.zeros(3)),
        lambda: F.nll_loss(x, mt.zeros(3)),
        lambda: F.cross_entropy(x, t.to(mt.float32)),
    ):
        with refuses((RuntimeError, ValueError)):
            f()
    with refuses(ValueError, "reduction"):
        F.cross_entropy(x, t, reduction="average")
    with refuses((TypeError, RuntimeError)):
        F.cross_entropy(x, [0, 1, 2])
