"""Pooling against NumPy's windows, ties and NaN, gradients of both orders, what is refused."""

import itertools

import numpy as np
import pytest
from helpers import array, check_gradient, mt, tensor

F = mt.nn.functional
RNG = np.random.default_rng(0)


def distinct(*shape):
    """Values far enough apart for finite differences."""
    return RNG.permutation(int(np.prod(shape))).reshape(shape) / 8.0


def true_windows(x, kernel, stride, pad, dilation, ceil, fill):
    """Each window's values and where they stand; outside there is `fill`."""
    size, lists = x.shape[-len(kernel):], []
    for n, k, s, p, d in zip(size, kernel, stride, pad, dilation):
        span = d * (k - 1) + 1
        out = (n + 2 * p - span + (s - 1 if ceil else 0)) // s + 1
        out -= ceil and (out - 1) * s >= n + p
        lists.append([[o * s - p + t * d for t in range(k)] for o in range(out)])
    shape = [len(one) for one in lists]
    values = np.full((*x.shape[:-len(kernel)], *shape, int(np.prod(kernel))), fill, float)
    places = np.full((*shape, int(np.prod(kernel))), -1)
    for o in itertools.product(*map(range, shape)):
        for i, place in enumerate(itertools.product(*(one[j] for one, j in zip(lists, o)))):
            if all(0 <= a < n for a, n in zip(place, size)):
                values[(..., *o, i)] = x[(..., *place)]
                places[(*o, i)] = np.ravel_multi_index(place, size)
    return values, places


CASES = [
    ((2, 3, 8, 10), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 9, 70), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 3, 7, 9), (3, 2), (2, 1), (1, 1), (1, 1), True),
    ((1, 2, 7, 9), (3, 3), (1, 2), (1, 0), (2, 3), True),
    ((2, 11), (3,), (2,), (1,), (1,), True),
    ((1, 2, 5, 6, 7), (2, 3, 2), (2, 1, 2), (1, 1, 0), (1, 1, 1), True),
]


@pytest.mark.parametrize("shape, kernel, stride, pad, dilation, ceil", CASES)
def test_max_pool(shape, kernel, stride, pad, dilation, ceil):
    x, dims = distinct(*shape), len(kernel)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[dims - 1]
    values, places = true_windows(x, kernel, stride, pad, dilation, ceil, -np.inf)
    best = values.argmax(-1)
    for name in ("float64", "float32", "bfloat16", "int64"):
        given = x * 8 if name == "int64" else x % 32 if name == "bfloat16" else x
        values, _ = true_windows(given, kernel, stride, pad, dilation, ceil, -np.inf)
        y = pool(tensor(given.astype("i8") if name == "int64" else given, name), kernel, stride, pad, dilation, ceil)
        np.testing.assert_array_equal(array(y.double()), values.max(-1))
    y, index = pool(mt.tensor(x), kernel, stride, pad, dilation, ceil, return_indices=True)
    expected = np.take_along_axis(np.broadcast_to(places, (*best.shape, places.shape[-1])), best[..., None], -1)
    np.testing.assert_array_equal(array(index), expected[..., 0])
    check_gradient(lambda x: pool(x, kernel, stride, pad, dilation, ceil), x, step=1e-2)


@pytest.mark.parametrize("shape, kernel, stride, pad, dilation, ceil", [c for c in CASES if set(c[4]) == {1}])
@pytest.mark.parametrize("count_pad, divisor", [(True, None), (False, None), (True, 5)])
def test_avg_pool(shape, kernel, stride, pad, dilation, ceil, count_pad, divisor):
    x, dims = RNG.standard_normal(shape), len(kernel)
    options = {"ceil_mode": ceil, "count_include_pad": count_pad}
    if dims > 1:
        options["divisor_override"] = divisor
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[dims - 1]
    values, places = true_windows(x, kernel, stride, pad, dilation, ceil, 0.0)
    sizes = np.full(values.shape[:-1], float(values.shape[-1])) if count_pad else (places >= 0).sum(-1)
    if count_pad:  # what reaches over the padding does not count
        spans = [[min(o * s - p + k, n + p) - (o * s - p) for o in range(values.shape[-1 - dims + i])]
                 for i, (n, k, s, p) in enumerate(zip(shape[-dims:], kernel, stride, pad))]
        sizes = np.prod(np.meshgrid(*spans, indexing="ij"), axis=0)
    if divisor and dims > 1:
        sizes = divisor
    y = pool(mt.tensor(x), kernel, stride, pad, **options)
    np.testing.assert_allclose(array(y), values.sum(-1) / sizes, atol=1e-14)
    check_gradient(lambda x: pool(x, kernel, stride, pad, **options), x)


@pytest.mark.parametrize(
    "size, out", [((7,), 3), ((5, 8), (5, 3)), ((4, 6), 1), ((4, 3), (7, 2)), ((3, 4, 5), (2, 2, 2))]
)
def test_adaptive(size, out):
    dims = len(size)
    out = (out,) * dims if isinstance(out, int) else out
    x = distinct(2, 2, *size)
    mean = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[dims - 1]
    best = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[dims - 1]
    expected_mean, expected_best = np.zeros((2, 2, *out)), np.zeros((2, 2, *out))
    for o in itertools.product(*map(range, out)):
        window = x[(..., *[slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(o, size, out)])]
        expected_mean[(..., *o)] = window.mean(tuple(range(2, 2 + dims)))
        expected_best[(..., *o)] = window.max(tuple(range(2, 2 + dims)))
    np.testing.assert_allclose(array(mean(mt.tensor(x), out)), expected_mean)
    np.testing.assert_array_equal(array(best(mt.tensor(x), out)), expected_best)
    check_gradient(lambda x: mean(x, out), x)
    check_gradient(lambda x: best(x, out), x, step=1e-2)


def test_ties_and_not_a_number():
    """The first of equals counts; one that is not a number wins."""
    for width in (2, 40):
        x = mt.ones(1, 2, width)
        assert array(F.max_pool2d(x, 2, return_indices=True)[1]).ravel().tolist() == list(range(0, width, 2))
        x[0, 1, 1] = float("nan")
        y, index = F.max_pool2d(x, 2, return_indices=True)
        assert np.isnan(array(y)[0, 0, 0]) and index[0, 0, 0] == width + 1
        assert np.isnan(array(F.max_pool2d(x, 2))).sum() == 1


def test_unpool():
    x = distinct(1, 2, 6, 8)
    y, index = F.max_pool2d(mt.tensor(x), 2, return_indices=True)
    back = array(F.max_unpool2d(y, index, 2))
    assert (back[back != 0] == x[back != 0]).all() and (back != 0).sum() >= 23
    assert F.max_unpool2d(y, index, 2, output_size=(7, 9)).shape == (1, 2, 7, 9)
    check_gradient(lambda y: F.max_unpool2d(y, index, 2), array(y))
    for bad in (-1, 48, 2**62):
        with pytest.raises(RuntimeError, match="invalid max index"):
            F.max_unpool2d(y, mt.full(index.shape, bad, dtype=mt.int64), 2)
    with pytest.raises(ValueError):
        F.max_unpool2d(y, index, 2, output_size=(9, 9))


def test_fractional():
    x = mt.arange(81.0, dtype=mt.float64).view(1, 1, 9, 9)
    samples = mt.tensor([[[0.0, 0.5]]], dtype=mt.float64)
    _, index = F.fractional_max_pool2d(x, 2, 4, return_indices=True, _random_samples=samples)
    # steps of 7 / 3: rows by the second sample, columns by the first
    rows, columns = [int((i + 0.5) * 7 / 3) - 1 for i in range(3)] + [7], [int(i * 7 / 3) for i in range(3)] + [7]
    expected = [[(r + 1) * 9 + c + 1 for c in columns] for r in rows]
    np.testing.assert_array_equal(array(index)[0, 0], expected)
    check_gradient(lambda x: F.fractional_max_pool2d(x, 2, 4, _random_samples=samples), array(x), step=1e-2)
    with pytest.raises(ValueError):
        F.fractional_max_pool2d(x, 2)


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_lp(p):
    x = RNG.uniform(0.5, 2, (1, 2, 6, 6))
    values, _ = true_windows(x, (2, 2), (2, 2), (0, 0), (1, 1), False, 0)
    np.testing.assert_allclose(array(F.lp_pool2d(mt.tensor(x), p, 2)), (values**p).sum(-1) ** (1 / p))
    check_gradient(lambda x: F.lp_pool2d(x, p, 2), x)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: F.max_pool2d(x, 2, padding=2),
        lambda x: F.max_pool2d(x, 0),
        lambda x: F.max_pool2d(x, 2, stride=0),
        lambda x: F.max_pool2d(x, 7),
        lambda x: F.max_pool2d(x, (2, 2, 2)),
        lambda x: F.max_pool2d(x[0, 0], 2),
        lambda x: F.max_pool2d(x[:, :0], 2),
        lambda x: F.max_pool2d(x.bool(), 2),
        lambda x: F.max_pool2d(x, 2**62),
        lambda x: F.avg_pool2d(x, 2, divisor_override=0),
        lambda x: F.avg_pool2d(x, -1),
        lambda x: F.adaptive_avg_pool2d(x, (-1, 2)),
        lambda x: F.adaptive_avg_pool2d(x, (1, 2, 3)),
    ],
)
def test_refused(call):
    with pytest.raises(RuntimeError):
        call(mt.ones(1, 2, 5, 6))


def test_no_images():
    assert F.max_pool2d(mt.zeros(0, 3, 4, 4), 2).shape == (0, 3, 2, 2)
    assert F.adaptive_avg_pool2d(mt.zeros(0, 3, 4, 4), 1).shape == (0, 3, 1, 1)


def test_unpooling_places_that_meet():
    """The gradient reads a place for each of those that were put there; its own derivative adds them up."""
    i = mt.tensor([[[0, 2, 2]]])
    x = mt.tensor([[[1.0, 2.0, 3.0]]], dtype=mt.float64, requires_grad=True)
    assert mt.autograd.gradgradcheck(lambda x: mt.nn.functional.max_unpool1d(x, i, 2, output_size=(6,)), (x,))
