"""Normalisation against its formula, running moments, gradients of both orders, hard numbers, what is refused."""

import numpy as np
import pytest
from helpers import array, check_gradient, mt, tensor

F, nn = mt.nn.functional, mt.nn
RNG = np.random.default_rng(0)
W, B = RNG.uniform(0.5, 2, 6), RNG.standard_normal(6)


def normal(x, axes, eps=1e-5, centred=True):
    middle = x.mean(axes, keepdims=True) if centred else 0
    return (x - middle) / np.sqrt(((x - middle) ** 2).mean(axes, keepdims=True) + eps)


def by_channel(v, x):
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


SHAPES = [(4, 6), (3, 6, 5), (3, 6, 4, 5), (2, 6, 2, 3, 4), (1, 6, 40), (300, 6)]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5), ("bfloat16", 3e-2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm(shape, dtype, tolerance):
    x = array(tensor(RNG.standard_normal(shape) * 3 + 2, dtype).double())
    axes, count = (0, *range(2, x.ndim)), x.size // 6
    mean, var = mt.zeros(6, dtype=mt.float64), mt.ones(6, dtype=mt.float64)
    y = F.batch_norm(tensor(x, dtype), mean, var, mt.tensor(W), mt.tensor(B), True, 0.3)
    expected = normal(x, axes) * by_channel(W, x) + by_channel(B, x)
    np.testing.assert_allclose(array(y.double()), expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(array(mean), 0.3 * x.mean(axes), atol=tolerance)
    np.testing.assert_allclose(array(var), 0.7 + 0.3 * x.var(axes) * count / (count - 1), rtol=max(tolerance, 1e-6))
    y = F.batch_norm(tensor(x, dtype), mt.tensor(B), mt.tensor(W), training=False)
    expected = (x - by_channel(B, x)) / np.sqrt(by_channel(W, x) + 1e-5)
    np.testing.assert_allclose(array(y.double()), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(4, 6), (3, 6, 2), (1, 6, 20), (2, 6, 4, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_gradients(shape, training):
    x = RNG.standard_normal(shape)
    moments = (None, None) if training else (mt.tensor(B), mt.tensor(W))
    check_gradient(lambda x, w, b: F.batch_norm(x, *moments, w, b, training), x, W, B)
    check_gradient(lambda x: F.batch_norm(x, *moments, None, None, training), x)


@pytest.mark.parametrize("shape, groups", [((3, 6, 4), 2), ((2, 6, 3, 3), 3), ((2, 6, 5), 6), ((2, 6), 1)])
def test_group_norm(shape, groups):
    x = RNG.standard_normal(shape)
    grouped = normal(x.reshape(shape[0], groups, -1), 2).reshape(shape)
    y = F.group_norm(mt.tensor(x), groups, mt.tensor(W), mt.tensor(B))
    np.testing.assert_allclose(array(y), grouped * by_channel(W, x) + by_channel(B, x), rtol=1e-10, atol=1e-12)
    check_gradient(lambda x, w, b: F.group_norm(x, groups, w, b), x, W, B)
    if groups == 6:
        y = F.instance_norm(mt.tensor(x), None, None, mt.tensor(W), mt.tensor(B))
        np.testing.assert_allclose(array(y), grouped * by_channel(W, x) + by_channel(B, x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("lead, rows", [((4,), (6,)), ((), (6,)), ((2, 3), (2, 3)), ((50,), (130,)), ((0,), (6,))])
def test_layer_and_rms_norm(lead, rows):
    x, w, b = RNG.standard_normal((*lead, *rows)), RNG.uniform(0.5, 2, rows), RNG.standard_normal(rows)
    axes = tuple(range(len(lead), x.ndim))
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        y = F.layer_norm(tensor(x, dtype), rows, tensor(w, dtype), tensor(b, dtype))
        np.testing.assert_allclose(array(y), normal(x, axes) * w + b, rtol=tolerance, atol=tolerance)
        y = F.rms_norm(tensor(x, dtype), rows, tensor(w, dtype), 1e-3)
        np.testing.assert_allclose(array(y), normal(x, axes, 1e-3, False) * w, rtol=tolerance, atol=tolerance)
    if x.size and x.size < 1000:
        check_gradient(lambda x, w, b: F.layer_norm(x, rows, w, b), x, w, b)
        check_gradient(lambda x, w: F.rms_norm(x, rows, w, 1e-3), x, w)


def test_layer_norm_gradient_of_many_rows():
    """Rows in several chunks; the gradient of a sum, which is one value shown everywhere, and one that is not."""
    x, w = RNG.standard_normal((4000, 33)), RNG.uniform(0.5, 2, 33)
    hat = normal(x, 1)
    for g in (np.ones_like(x), RNG.standard_normal(x.shape)):
        leaves = mt.tensor(x, requires_grad=True), mt.tensor(w, requires_grad=True), mt.zeros(33, dtype=mt.float64)
        leaves[2].requires_grad_()
        y = F.layer_norm(leaves[0], (33,), *leaves[1:])
        (y.sum() if g.min() == 1 else (y * mt.tensor(g)).sum()).backward()
        gw, rstd = g * w, 1 / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        dx = rstd * (gw - gw.mean(1, keepdims=True) - hat * (gw * hat).mean(1, keepdims=True))
        np.testing.assert_allclose(array(leaves[0].grad), dx, atol=1e-11)
        np.testing.assert_allclose(array(leaves[1].grad), (g * hat).sum(0), atol=1e-10)
        np.testing.assert_allclose(array(leaves[2].grad), g.sum(0), atol=1e-10)


def test_far_from_zero():
    """A mean a thousand times the deviation: squares of sums would leave no digit of float32."""
    x = (1000 + RNG.standard_normal((8, 3, 40, 40))).astype("f4")
    y = array(F.batch_norm(mt.tensor(x), None, None, training=True))
    np.testing.assert_allclose(y, normal(x.astype("f8"), (0, 2, 3)), atol=2e-3)
    rows = x.reshape(24, -1)
    y = array(F.layer_norm(mt.tensor(rows), (1600,)))
    np.testing.assert_allclose(y, normal(rows.astype("f8"), 1), atol=2e-3)


def test_momentum_none_is_the_mean_over_batches():
    layer, batches = nn.BatchNorm1d(3, momentum=None), RNG.standard_normal((4, 10, 3)).astype("f4")
    for batch in batches:
        layer(mt.tensor(batch))
    np.testing.assert_allclose(array(layer.running_mean), batches.mean((0, 1)), atol=1e-6)
    assert layer.num_batches_tracked == 4
    layer.eval()
    layer(mt.tensor(batches[0]))
    assert layer.num_batches_tracked == 4


def test_without_running_moments():
    layer, x = nn.BatchNorm2d(3, track_running_stats=False).eval(), mt.randn(4, 3, 5, 5)
    assert list(layer.state_dict()) == ["weight", "bias"]
    np.testing.assert_allclose(array(layer(x).detach()), normal(array(x), (0, 2, 3)), atol=1e-5)


def test_instance_norm_keeps_moments():
    x, layer = RNG.standard_normal((4, 3, 50)), nn.InstanceNorm1d(3, track_running_stats=True).double()
    layer(mt.tensor(x))
    np.testing.assert_allclose(array(layer.running_mean), 0.1 * x.mean((0, 2)))
    np.testing.assert_allclose(array(layer.running_var), 0.9 + 0.1 * x.var(2, ddof=1).mean(0))
    layer.eval()
    expected = (x - array(layer.running_mean)[:, None]) / np.sqrt(array(layer.running_var)[:, None] + 1e-5)
    np.testing.assert_allclose(array(layer(mt.tensor(x))), expected)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_local_response_norm(size):
    x = RNG.standard_normal((2, 6, 3))
    squares = np.pad(x**2, [(0, 0), (size // 2, (size - 1) // 2), (0, 0)])
    means = sum(squares[:, i:i + 6] for i in range(size)) / size
    y = F.local_response_norm(mt.tensor(x), size, 0.7, 0.6, 1.5)
    np.testing.assert_allclose(array(y), x / (1.5 + 0.7 * means) ** 0.6)
    check_gradient(lambda x: F.local_response_norm(x, size, 0.7, 0.6, 1.5), x)


def test_threads_do_not_change_results():
    x, before, results = mt.randn(300, 200), mt.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            mt.set_num_threads(threads)
            leaf, w = x.clone().requires_grad_(), mt.ones(200, requires_grad=True)
            F.layer_norm(leaf, (200,), w).square().sum().backward()
            results.append((array(leaf.grad), array(w.grad)))
    finally:
        mt.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "error, call",
    [
        (ValueError, lambda x: F.batch_norm(x[:1, :, 0], None, None, training=True)),
        (RuntimeError, lambda x: F.batch_norm(x, None, None)),
        (RuntimeError, lambda x: F.batch_norm(x, mt.zeros(5), mt.ones(5))),
        (RuntimeError, lambda x: F.batch_norm(x, None, None, mt.ones(7), training=True)),
        (RuntimeError, lambda x: F.batch_norm(x.long(), None, None, training=True)),
        (RuntimeError, lambda x: F.layer_norm(x, (3,))),
        (RuntimeError, lambda x: F.layer_norm(x, ())),
        (RuntimeError, lambda x: F.layer_norm(x, (4,), mt.ones(3))),
        (RuntimeError, lambda x: F.group_norm(x, 4)),
        (RuntimeError, lambda x: F.group_norm(x, 0)),
        (ValueError, lambda x: F.instance_norm(x[..., :1])),
        (ValueError, lambda x: F.local_response_norm(x[0], 2)),
        (ValueError, lambda x: nn.BatchNorm2d(6)(x)),
        (ValueError, lambda x: nn.GroupNorm(4, 6)),
    ],
)
def test_refused(error, call):
    with pytest.raises(error):
        call(mt.ones(2, 6, 4))
