"""Convolutions against their definition in plain loops; gradients of both orders; what is refused."""

import itertools

import numpy as np
import pytest
from helpers import array, check_gradient, mt, tensor

F = mt.nn.functional
RNG = np.random.default_rng(0)


def true_conv(x, w, bias, stride, pad, dilation, groups):
    """The sum of the definition, tap by tap."""
    dims = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in pad]])
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per_in, per_out = w.shape[1], w.shape[0] // groups
    for group in range(groups):
        inputs, outputs = slice(group * per_in, (group + 1) * per_in), slice(group * per_out, (group + 1) * per_out)
        for tap in itertools.product(*map(range, w.shape[2:])):
            places = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, out, stride))
            part = x[(slice(None), inputs, *places)]
            y[:, outputs] += np.einsum("ni...,oi->no...", part, w[(outputs, slice(None), *tap)])
    return y + bias.reshape(1, -1, *[1] * dims)


# (batch, in, out channels, input, kernel, stride, padding, dilation, groups); the layouts take other ways in the engine
CASES = {
    "plain": (2, 3, 5, (7, 9), (3, 3), (1, 1), (0, 0), (1, 1), 1),
    "1x1": (2, 20, 11, (5, 6), (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "strided": (2, 4, 6, (7, 9), (3, 2), (2, 3), (1, 1), (1, 1), 2),
    "dilated": (1, 4, 8, (17, 19), (3, 3), (2, 3), (1, 0), (1, 2), 4),
    "wide": (1, 9, 70, (11, 29), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "many images": (200, 2, 3, (2, 3), (2, 2), (1, 1), (0, 0), (1, 1), 1),
    "whole": (5, 6, 7, (4, 4), (4, 4), (1, 1), (0, 0), (1, 1), 1),
    "depthwise": (2, 6, 6, (8, 40), (3, 3), (1, 1), (1, 1), (1, 1), 6),
    "depthwise strided": (2, 6, 12, (8, 9), (3, 3), (2, 2), (1, 1), (1, 1), 6),
    "to one": (2, 33, 1, (20, 21), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "from one": (2, 1, 33, (20, 21), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "far": (1, 2, 2, (3, 3), (3, 3), (1, 1), (5, 5), (2, 2), 1),
    "stride past kernel": (2, 3, 4, (11, 13), (2, 2), (4, 3), (0, 1), (1, 1), 1),
    "tiles": (3, 13, 21, (15, 17), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "tiles of groups": (5, 24, 48, (9, 30), (3, 3), (1, 1), (0, 1), (1, 1), 2),
    "tiles of one row of images": (40, 16, 12, (8, 8), (3, 2), (1, 1), (1, 1), (1, 1), 1),
    "tiles of phases": (2, 16, 24, (33, 29), (5, 4), (2, 2), (2, 1), (1, 1), 1),
    "tiles of phases across": (2, 24, 32, (14, 40), (3, 6), (1, 2), (3, 2), (1, 1), 2),
    "sequence": (3, 4, 8, (50,), (5,), (2,), (2,), (2,), 2),
    "volume": (2, 4, 6, (5, 6, 7), (2, 3, 3), (1, 2, 1), (1, 1, 0), (2, 1, 1), 2),
}  # fmt: skip


def made(case, dtype="float64"):
    batch, inputs, outputs, size, kernel, *_, groups = case
    shapes = (batch, inputs, *size), (outputs, inputs // groups, *kernel), (outputs,)
    return [np.random.default_rng(1).standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 2e-5)])
@pytest.mark.parametrize("name", CASES)
def test_against_definition(name, dtype, tolerance):
    """Forward, and both gradients by the adjoint identity <g, X * W> with the transposed operations."""
    *_, stride, pad, dilation, groups = CASES[name]
    x, w, bias = made(CASES[name], dtype)
    convolve = (F.conv1d, F.conv2d, F.conv3d)[len(stride) - 1]
    leaves = [mt.tensor(a, requires_grad=True) for a in (x, w, bias)]
    y = convolve(*leaves, stride, pad, dilation, groups)
    expected = true_conv(*(a.astype("f8") for a in (x, w, bias)), stride, pad, dilation, groups)
    assert y.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(array(y.detach()), expected, rtol=0, atol=tolerance * scale)
    g = RNG.standard_normal(expected.shape).astype(dtype)
    dx, dw, db = (array(t).astype("f8") for t in mt.autograd.grad(y, leaves, mt.tensor(g)))
    for value, gradient, step in ((x, dx, RNG.standard_normal(x.shape)), (w, dw, RNG.standard_normal(w.shape))):
        moved = [step if value is a else a.astype("f8") for a in (x, w)]
        change = true_conv(*moved, np.zeros(len(bias)), stride, pad, dilation, groups)
        true = (g.astype("f8") * change).sum()
        assert abs((gradient * step).sum() - true) < 50 * tolerance * np.sqrt(change.size) * scale
    np.testing.assert_allclose(db, g.astype("f8").sum((0, *range(2, g.ndim))), rtol=0, atol=tolerance * g.size**0.5)


@pytest.mark.parametrize("name", ["strided", "depthwise strided", "to one", "volume", "stride past kernel"])
def test_gradients_of_both_orders(name):
    *_, stride, pad, dilation, groups = CASES[name]
    x, w, bias = made(CASES[name])
    convolve = (F.conv1d, F.conv2d, F.conv3d)[len(stride) - 1]
    check_gradient(lambda x, w, b: convolve(x, w, b, stride, pad, dilation, groups), x[:1, :, :5], w, bias)


@pytest.mark.parametrize("stride, pad, extra, dilation, groups", [(1, 0, 0, 1, 1), (2, 1, 1, 1, 2), (3, 2, 2, 2, 1)])
def test_transposed(stride, pad, extra, dilation, groups):
    """It is the gradient of a convolution's input, and has gradients of its own."""
    g, w, bias = (RNG.standard_normal(s) for s in ((2, 4, 5, 6), (4, 6 // groups, 3, 2), (6,)))

    def transposed(g, w, b):
        return F.conv_transpose2d(g, w, b, stride, pad, extra, groups, dilation)

    y = transposed(*map(mt.tensor, (g, w, bias)))
    x = mt.zeros(y.shape, dtype=mt.float64, requires_grad=True)
    forward = F.conv2d(x, mt.tensor(w), None, stride, pad, dilation, groups)
    (expected,) = mt.autograd.grad(forward, x, mt.tensor(g))
    np.testing.assert_allclose(array(y), array(expected) + bias.reshape(1, -1, 1, 1), atol=1e-12)
    check_gradient(transposed, g[:1, :, :2, :2], w, bias)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_keeps_the_size(kernel, dilation):
    x, w = mt.randn(1, 2, 9, dtype=mt.float64), mt.randn(3, 2, kernel, dtype=mt.float64)
    y = F.conv1d(x, w, padding="same", dilation=dilation)
    total = dilation * (kernel - 1)
    around = np.pad(array(x), [(0, 0), (0, 0), (total // 2, total - total // 2)])
    np.testing.assert_allclose(array(y), array(F.conv1d(tensor(around), w, dilation=dilation)), atol=1e-12)
    assert y.shape == (1, 3, 9)


def test_types_and_layouts():
    x, w = RNG.integers(-5, 5, (2, 3, 6, 7)), RNG.integers(-5, 5, (4, 3, 3, 3))
    expected = true_conv(x, w, np.zeros(4), (1, 1), (0, 0), (1, 1), 1)
    for name in ("int64", "float64", "float32", "float16", "bfloat16"):
        y = F.conv2d(tensor(x, name), tensor(w, name))
        assert y.dtype == getattr(mt, name)
        np.testing.assert_allclose(array(y.double()), expected, rtol=1e-2)
    y = F.conv2d(mt.tensor(x.transpose(3, 2, 1, 0).copy()).permute(3, 2, 1, 0), mt.tensor(w.copy()[::1]))
    np.testing.assert_array_equal(array(y), expected)
    alone = F.conv2d(mt.tensor(x[0]), mt.tensor(w))
    np.testing.assert_array_equal(array(alone), expected[0])
    assert F.conv2d(mt.zeros(0, 3, 6, 7), mt.zeros(4, 3, 3, 3)).shape == (0, 4, 4, 5)


def test_not_a_number_stays_where_it_is():
    x = mt.zeros(1, 1, 5, 40)
    x[0, 0, 2, 20] = float("nan")
    for outputs in (1, 12):
        y = array(F.conv2d(x, mt.ones(outputs, 1, 3, 3), padding=1))
        assert np.isnan(y).sum() == 9 * outputs and np.isnan(y[0, 0, 1:4, 19:22]).all()


@pytest.mark.parametrize("channels, limit", [(16, 8e-7), (64, 1.5e-6)])
def test_rounding_of_tiles(channels, limit):
    """Root mean squares of the errors, relative to the values'; a sum in order has about half of it."""
    rng = np.random.default_rng(2)
    x, w, g = (
        rng.standard_normal(s) for s in [(4, channels, 24, 24), (channels, channels, 3, 3), (4, channels, 24, 24)]
    )
    results = []
    for dtype in ("float32", "float64"):
        leaves = [mt.tensor(a.astype("float32").astype(dtype), requires_grad=True) for a in (x, w)]
        y = F.conv2d(*leaves, padding=1)
        gradients = mt.autograd.grad(y, leaves, mt.tensor(g.astype("float32").astype(dtype)))
        results.append([array(t.detach()) for t in (y, *gradients)])
    for ours, true in zip(*results):
        assert np.sqrt(np.mean((ours - true) ** 2) / np.mean(true**2)) < limit


@pytest.mark.parametrize("name", ["wide", "tiles", "tiles of phases"])
def test_threads_do_not_change_results(name):
    *_, stride, pad, _, _ = CASES[name]
    x, w, _ = made(CASES[name], "float32")
    results = []
    before = mt.get_num_threads()
    try:
        for threads in (1, 2, 3):
            mt.set_num_threads(threads)
            leaves = [mt.tensor(np.repeat(x, 8, 0), requires_grad=True), mt.tensor(w, requires_grad=True)]
            y = F.conv2d(*leaves, stride=stride, padding=pad)
            results.append([array(t.detach()) for t in (y, *mt.autograd.grad(y.sum(), leaves))])
    finally:
        mt.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, w: F.conv2d(x, w[:, :2]),
        lambda x, w: F.conv2d(x, w, stride=0),
        lambda x, w: F.conv2d(x, w, padding=-1),
        lambda x, w: F.conv2d(x, w, dilation=0),
        lambda x, w: F.conv2d(x, w, dilation=9),
        lambda x, w: F.conv2d(x, w, groups=0),
        lambda x, w: F.conv2d(x, w, groups=2),
        lambda x, w: F.conv2d(x, w, mt.ones(5)),
        lambda x, w: F.conv2d(x, w, padding="circular"),
        lambda x, w: F.conv2d(x, w, padding="same", stride=2),
        lambda x, w: F.conv2d(x, w, stride=(1, 1, 1)),
        lambda x, w: F.conv2d(x, w, padding=2**62),
        lambda x, w: F.conv2d(x.double(), w),
        lambda x, w: F.conv2d(x[0, 0], w),
        lambda x, w: F.conv3d(x, w),
        lambda x, w: F.conv2d(x.bool(), w.bool()),
        lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1), output_padding=1),
        lambda x, w: F.conv_transpose2d(x, w),
        lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1), padding=5),
        lambda x, w: F.unfold(x, 9),
        lambda x, w: F.fold(x[0], (4, 4), 2),
    ],
)
def test_refused(call):
    with pytest.raises(RuntimeError):
        call(mt.ones(2, 3, 5, 6), mt.ones(4, 3, 3, 3))


@pytest.mark.parametrize("kernel, dilation, pad, stride", [(2, 1, 0, 1), ((2, 3), 2, (1, 2), 1), (3, 1, 1, 2)])
def test_unfold_and_fold(kernel, dilation, pad, stride):
    """The columns times the weights are the convolution; to fold is the transpose of to unfold."""
    x, options = RNG.standard_normal((2, 3, 7, 8)), {"dilation": dilation, "padding": pad, "stride": stride}
    columns = F.unfold(mt.tensor(x), kernel, **options)
    w = mt.randn(4, 3, *((kernel,) * 2 if isinstance(kernel, int) else kernel), dtype=mt.float64)
    y = F.conv2d(mt.tensor(x), w, None, stride, pad, dilation)
    np.testing.assert_allclose(array(w.reshape(4, -1) @ columns), array(y.reshape(2, 4, -1)), atol=1e-12)
    other = mt.randn(columns.shape, dtype=mt.float64)
    folded = F.fold(other, (7, 8), kernel, **options)
    np.testing.assert_allclose((array(folded) * x).sum(), float((other * columns).sum()), rtol=1e-10)
    check_gradient(lambda x: F.unfold(x, kernel, **options), x[:1, :1])
    check_gradient(lambda c: F.fold(c, (7, 8), kernel, **options), array(other[:1]))
