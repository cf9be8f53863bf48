"""Reductions inside: every way to walk (rows, columns, segments, gathered values), and what derivatives keep."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import array, assert_near, check_gradient, mt, only_here, tensor

# around the sizes at which the walk changes: a block, a tile of columns, a segment of a long reduction
SHAPES = [(1,), (31,), (1024,), (1025,), (300001,), (1024, 3), (3, 5000), (70, 1030), (2, 40000, 9), (5, 64, 7, 7),
          (40000, 16), (65, 2, 3, 33)]  # fmt: skip
THREADS = pytest.mark.parametrize("threads", [1, 2, 3])


@pytest.fixture
def threads_restored():
    before = mt.get_num_threads()
    yield
    mt.set_num_threads(before)


def orders(x: np.ndarray):
    """The same values in memory orders that the walk must tell apart, with the way back to the order of `x`."""
    yield tensor(x)
    if x.ndim > 1:
        for order in [tuple(reversed(range(x.ndim))), (1, 0, *range(2, x.ndim))]:
            yield tensor(np.ascontiguousarray(x.transpose(order))).permute(*np.argsort(order))
    yield tensor(np.repeat(x, 2, -1))[..., ::2]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_walk(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    whole = np.round(x * 100).astype(np.int32)
    for n in range(1, len(shape) + 1):
        for dims in itertools.combinations(range(len(shape)), n):
            for t in orders(x):
                assert_near(t.sum(dims), x.sum(dims), 1e-13)
                assert_near(t.amax(dims), x.max(dims), 0)
                assert_near(t.var(dims, correction=0), x.var(dims), 1e-12)
                assert_near(t.logsumexp(dims), np.log(np.exp(x).sum(dims)), 1e-13)
            for t in orders(whole):
                np.testing.assert_array_equal(array(t.sum(dims)), whole.sum(dims))
                np.testing.assert_array_equal(array(t.amin(dims)), whole.min(dims))
                np.testing.assert_array_equal(array((t > 0).any(dims)), (whole > 0).any(dims))
    for d in range(len(shape)):
        for values in (x, x.astype("f4"), whole // 100):
            for t in orders(values):
                np.testing.assert_array_equal(array(t.argmax(d)), values.argmax(d))
                np.testing.assert_array_equal(array(t.min(d).indices), values.argmin(d))
                np.testing.assert_array_equal(array(t.min(d).values), values.min(d))
        for t in orders(x):
            assert_near(t.cumsum(d), x.cumsum(d), 1e-12)


@pytest.mark.parametrize("shape", SHAPES[3:], ids=str)
def test_threads_do_not_change_a_bit(shape: tuple[int, ...], threads_restored) -> None:
    x = np.random.default_rng(1).standard_normal(shape).astype("f4")
    operations = [lambda t, d: t.sum(d), lambda t, d: t.std(d), lambda t, d: t.logsumexp(d), lambda t, d: t.norm(3, d),
                  lambda t, d: t.norm(dim=d), lambda t, d: t.cumsum(d or 0)]  # fmt: skip
    for d in [None, *range(len(shape))]:
        for operation in operations:
            if d is None and operation is operations[2]:
                continue
            results = []
            for threads in (1, 2, 3):
                mt.set_num_threads(threads)
                results.append(array(operation(tensor(x), d)))
            assert (results[0] == results[1]).all() and (results[0] == results[2]).all()


def test_equal_values_are_not_added_up() -> None:
    """A sum along a dimension of stride 0 is a product."""
    t = tensor(np.array([[0.1], [0.2]], "f4")).expand(2, 10_000_019)
    np.testing.assert_array_equal(array(t.sum(1)), (np.array([0.1, 0.2], "f4").astype("f8") * 10_000_019).astype("f4"))
    assert tensor(np.array([3])).expand(7, 1).sum().item() == 21
    assert_near(tensor(np.array([0.5])).expand(4).mean(), np.array(0.5), 0)


def test_variance_far_from_zero() -> None:
    x = np.random.default_rng(2).standard_normal((20000, 3)).astype("f4") + np.float32(10000)
    for t in orders(x):
        for d in (0, 1, (0, 1)):
            assert_near(t.var(d), x.astype("f8").var(d, ddof=1), 2e-6)
    assert (mt.full((100_000,), 0.1).var() == 0).item()


def test_extremes_of_what_is_not_a_number() -> None:
    nan = float("nan")
    x = tensor(np.array([[1, nan, nan, 2], [nan, 1, 5, 5], [-np.inf] * 4]))
    assert array(x.argmax(1)).tolist() == array(x.argmin(1)).tolist() == [1, 0, 0]
    assert array(x.t().contiguous().t().argmax(1)).tolist() == [1, 0, 0]
    assert np.isnan(array(x.amax(1))).tolist() == [True, True, False] and x[2].max() == -np.inf
    long = np.zeros(5000)
    long[4000] = nan
    assert tensor(long).argmax() == 4000 and np.isnan(tensor(long).max().item())


def test_gradient_where_factors_vanish() -> None:
    """To the second order, which no division may spoil."""
    for x in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.0, 0.0, 3.0], [4.0]):
        check_gradient(lambda t: t.prod().reshape(1), np.array(x))
        check_gradient(lambda t: t.cumprod(0), np.array(x))
    check_gradient(lambda t: t.prod(1), np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0], [1.0, 2.0, 3.0]]))
    check_gradient(lambda t: t.cumprod(0), np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 2.0]]))


def test_gradient_of_norms() -> None:
    x = np.array([[3.0, -4.0, 1.0], [0.5, 2.0, -1.0]])
    for p in (1, 2, 3, 1.5, 0.5, -1, float("inf"), -float("inf")):
        check_gradient(lambda t, p=p: t.norm(p).reshape(1), x)
        check_gradient(lambda t, p=p: t.norm(p, 1, True), x)
    t = mt.zeros(3, requires_grad=True)
    (t.norm() + t.norm(3) + t.norm(0)).backward()
    assert t.grad.tolist() == [0, 0, 0]


def test_gradient_in_place() -> None:
    x = np.random.default_rng(3).standard_normal((3, 4))
    check_gradient(lambda t: (t * 2).cumsum_(1), x)
    check_gradient(lambda t: (t * 2).cumprod_(0), x)


def test_gradient_is_shared_by_equals() -> None:
    x = tensor(np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])).requires_grad_(True)
    x.amax(1).sum().backward()
    assert_near(x.grad, np.array([[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]), 1e-15)
    x.grad = None
    x.max(1).values.sum().backward()
    assert x.grad.tolist() == [[0, 1, 0], [1, 0, 0]]


@only_here
def test_names() -> None:
    x = mt.ones(2, 3, requires_grad=True)
    names = {
        "SumBackward0": x.sum(), "SumBackward1": x.sum(0), "MeanBackward0": x.mean(), "MeanBackward1": x.mean(1),
        "ProdBackward0": x.prod(), "ProdBackward1": x.prod(0), "MaxBackward1": x.max(), "MaxBackward0": x.max(0).values,
        "AmaxBackward0": x.amax(), "MinBackward0": x.min(0).values, "VarBackward0": x.var(), "StdBackward0": x.std(0),
        "VarMeanBackward0": mt.var_mean(x)[0], "LinalgVectorNormBackward0": x.norm(),
        "LogsumexpBackward0": x.logsumexp(0), "CumsumBackward0": x.cumsum(0), "CumprodBackward0": x.cumprod(0),
    }  # fmt: skip
    for name, y in names.items():
        assert y.grad_fn.name() == name
        if isinstance(y, mt.Tensor):
            y.sum().backward()
    assert x.grad is not None
    text = repr(x.detach().cpu().max(1))
    assert text.startswith("torch.return_types.max(\nvalues=tensor([1., 1.]),\nindices=tensor(")


def test_arguments() -> None:
    x = mt.ones(2, 3)
    assert x.sum(axis=0, keepdims=True).shape == (1, 3) and x.max(dim=1, keepdims=True).values.shape == (2, 1)
    for call in [lambda: x.sum(0, 1), lambda: x.sum(1.5), lambda: x.argmax((0, 1)), lambda: x.prod((0, 1))]:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(RuntimeError):
        x.var(0, unbiased=True, correction=0) if mt.__name__ == "torch" else x.long().mean()
    out = mt.empty(0)
    assert mt.sum(x, 0, out=out) is out and out.tolist() == [2, 2, 2]
