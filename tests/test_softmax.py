"""The softmax family inside: rows, columns, the gradient that the forward makes, and half types."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, assert_near, check_gradient, mt, tensor

F = mt.nn.functional
RTOL = {"float64": 1e-13, "float32": 2e-6, "float16": 2e-3, "bfloat16": 2e-2}


def true_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytest.mark.parametrize("name", RTOL)
@pytest.mark.parametrize("shape", [(3, 2), (64, 33), (7, 1000), (1000, 7), (2, 30, 300), (3, 2, 5, 2), (5,)], ids=str)
def test_softmax_and_gradient(shape: tuple[int, ...], name: str) -> None:
    rng = np.random.default_rng(0)
    x, g = (array(tensor(rng.standard_normal(shape) * 3, name)).astype("f8") for _ in range(2))
    for dim in range(len(shape)):
        for transposed in (False, True):
            leaf = tensor(x.T if transposed else x, name).requires_grad_(True)
            t = leaf.permute(*reversed(range(leaf.ndim))) if transposed else leaf
            y = true_softmax(x, dim)
            assert_near(mt.softmax(t, dim), y, RTOL[name])
            assert_near(mt.log_softmax(t, dim), np.log(y), RTOL[name])
            (dx,) = mt.autograd.grad(mt.softmax(t, dim), t, tensor(g, name))
            assert dx.dtype == t.dtype
            assert_near(dx, y * (g - (g * y).sum(dim, keepdims=True)), 4 * RTOL[name])
            (dx,) = mt.autograd.grad(mt.log_softmax(t, dim), t, tensor(g, name))
            assert_near(dx, g - y * g.sum(dim, keepdims=True), 4 * RTOL[name])
            (dx,) = mt.autograd.grad(mt.log_softmax(t, dim).sum(), t)  # a gradient of stride 0
            assert_near(dx, 1 - y * shape[dim], 4 * RTOL[name])


def test_small_probabilities_vanish() -> None:
    x = tensor(np.array([0.0, -80.0, -86.0, -90.0, -200.0, -np.inf], "f4"))
    y = array(x.softmax(0))
    assert_near(y[1:3], np.exp([-80.0, -86.0]), 1e-6)
    assert (y[3:] <= 1.2e-38).all() and (y[4:] == 0).all()
    assert array(x.log_softmax(0)).tolist() == [0, -80, -86, -90, -200, -np.inf]
    for bad in ([np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]):
        assert np.isnan(array(tensor(np.array(bad)).softmax(0))).all()


def true_loss(x, target, weight, smoothing, ignored):
    n, classes = x.shape
    logs = np.log(true_softmax(x, 1))
    keep = target != ignored
    w = np.where(keep, weight[np.where(keep, target, 0)], 0)
    plain = -w * logs[np.arange(n), np.where(keep, target, 0)]
    spread = -(logs * weight).sum(1) / classes * keep
    return (1 - smoothing) * plain + smoothing * spread, w.sum()


@pytest.mark.parametrize("name", RTOL)
@pytest.mark.parametrize("shape", [(100, 2), (70, 33), (5, 1200), (300, 300)], ids=str)
def test_cross_entropy(shape: tuple[int, int], name: str) -> None:
    """Values and gradients, for all options; twice, since the forward's gradient can be given away but once."""
    rng = np.random.default_rng(1)
    x = array(tensor(rng.standard_normal(shape), name)).astype("f8")
    weight = array(tensor(rng.uniform(0.5, 1.5, shape[1]), name)).astype("f8")
    target = rng.integers(0, shape[1], shape[0])
    for weighted, smoothing, ignored, reduction in [
        (False, 0, -100, "mean"), (True, 0, -100, "mean"), (False, 0.1, 1, "mean"), (True, 0.3, 0, "sum"),
        (True, 0.2, 1, "none"), (False, 0, 1, "sum"), (True, 0, 0, "none"),
    ]:  # fmt: skip
        w = weight if weighted else np.ones(shape[1])
        losses, total = true_loss(x, target, w, smoothing, ignored)
        scale = {"mean": 1 / total, "sum": 1, "none": 1}[reduction]
        t = tensor(x, name).requires_grad_(True)
        options = {"weight": tensor(weight, name) if weighted else None, "label_smoothing": smoothing,
                       "ignore_index": ignored, "reduction": reduction}  # fmt: skip
        y = F.cross_entropy(t, tensor(target), **options)
        rtol = RTOL[name]
        assert_near(y, losses if reduction == "none" else np.asarray(losses.sum() * scale), 4 * rtol)
        onehot = np.eye(shape[1])[target]
        keep = (target != ignored)[:, None]
        spread = smoothing / shape[1] * w * keep
        hit = (1 - smoothing) * w[target][:, None] * onehot * keep
        p = true_softmax(x, 1)
        gradient = ((hit + spread).sum(1, keepdims=True) * p - hit - spread) * scale
        for factor in (1, -2.5):
            (dx,) = mt.autograd.grad(y, t, tensor(np.full(tuple(y.shape), factor), name), retain_graph=True)
            assert dx.dtype == t.dtype
            assert_near(dx, gradient * factor, 8 * rtol)
        assert F.cross_entropy(t.detach(), tensor(target), **options).tolist() == y.tolist()


def test_a_second_backward_needs_the_graph() -> None:
    x = mt.zeros(2, 3, requires_grad=True)
    y = F.cross_entropy(x, tensor(np.array([0, 1])))
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert_near(x.grad, 2 * array(first), 1e-6)
    with pytest.raises(RuntimeError):
        y.backward()


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"ignore_index": 1}, {"weight": True}], ids=str)
def test_a_second_backward_has_the_numbers_of_the_first(name: str, options: dict) -> None:
    dtype = getattr(mt, name)
    mt.manual_seed(0)
    for n in (3, 17, 100):
        x, t = (mt.randn(9, n) * 5).to(dtype).requires_grad_(), mt.randint(0, n, (9,))
        given = {**options, "weight": mt.rand(n).to(dtype)} if "weight" in options else options
        loss = mt.nn.functional.cross_entropy(x, t, **given) * 1.7
        first, *others = (mt.autograd.grad(loss, x, retain_graph=True)[0] for _ in range(3))
        assert all(first.equal(g) for g in others)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_second_derivatives(reduction: str) -> None:
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((4, 3)), tensor(np.array([0, 2, 1, 2]))
    weight = tensor(np.array([0.5, 1.0, 2.0]))
    for options in ({}, {"weight": weight}, {"label_smoothing": 0.2, "ignore_index": 1}):
        check_gradient(lambda t, o=options: F.cross_entropy(t, target, reduction=reduction, **o).reshape(-1), x)
    check_gradient(lambda t: F.cross_entropy(t, t.softmax(1) * 2, reduction=reduction, weight=weight).reshape(-1), x)
    check_gradient(lambda t: F.nll_loss(t, target, reduction=reduction, weight=weight).reshape(-1), x)
    places = tensor(rng.integers(0, 3, (4, 2)))
    check_gradient(
        lambda t: F.cross_entropy(t, places, reduction=reduction).reshape(-1), rng.standard_normal((4, 3, 2))
    )


def test_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(3)
    x, target, before = rng.standard_normal((600, 301)).astype("f4"), rng.integers(0, 301, 600), mt.get_num_threads()
    results = []
    for threads in (1, 2, 3):
        mt.set_num_threads(threads)
        t = tensor(x).requires_grad_(True)
        loss = F.cross_entropy(t, tensor(target)) + mt.softmax(t, 0).square().sum() + mt.log_softmax(t, 1).mean()
        loss.backward()
        results.append((loss.item(), array(t.grad)))
    mt.set_num_threads(before)
    for loss, gradient in results[1:]:
        assert loss == results[0][0] and (gradient == results[0][1]).all()


def test_refusals() -> None:
    x, target = mt.zeros(4, 5), tensor(np.array([0, 4, 2, 1]))
    for error, call in [
        (IndexError, lambda: F.cross_entropy(x, target + 3)),
        (IndexError, lambda: F.nll_loss(x, target - 1)),
        (RuntimeError, lambda: F.cross_entropy(x, target.float())),
        (ValueError, lambda: F.cross_entropy(x, target[:3])),
        (ValueError, lambda: F.cross_entropy(x, target, reduction="average")),
        (RuntimeError, lambda: F.cross_entropy(x, target, weight=mt.ones(4))),
        (RuntimeError, lambda: F.cross_entropy(x, target, label_smoothing=1.5)),
        (RuntimeError, lambda: F.cross_entropy(mt.zeros(2, 3, 4), mt.zeros(2, 5, dtype=mt.int64))),
        (NotImplementedError, lambda: F.cross_entropy(x.long(), target)),
        (NotImplementedError, lambda: mt.softmax(x.long(), 0)),
        (IndexError, lambda: mt.softmax(x, 2)),
    ]:
        with pytest.raises(error):
            call()
