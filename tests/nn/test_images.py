"""Padding, resizing, sampling: against what each place of the result is defined to show."""

import numpy as np
import pytest

import minitorch
from minitorch.nn import functional as F

X = np.random.default_rng(0).standard_normal((2, 3, 5, 6))


@pytest.mark.parametrize("mode, numpy_mode", [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge"),
                                              ("circular", "wrap")])
@pytest.mark.parametrize("padding", [(1, 2), (3, 0, 1, 4), (0, 0, 0, 0)])
def test_pad(mode, numpy_mode, padding):
    if len(padding) == 2 and mode != "constant":
        x = X[0]
    else:
        x = X
    widths = [(0, 0)] * (x.ndim - len(padding) // 2) + [padding[k:k + 2] for k in range(len(padding) - 2, -1, -2)]
    ours = F.pad(minitorch.tensor(x), padding, mode)
    np.testing.assert_array_equal(ours.numpy(), np.pad(x, widths, numpy_mode))


def test_pad_negative_value_and_gradient():
    x = minitorch.tensor(X, requires_grad=True)
    y = F.pad(x, (-1, 2, 3, -2), value=7.0)
    np.testing.assert_array_equal(y.detach().numpy(), np.pad(X[:, :, :-2, 1:], ((0, 0), (0, 0), (3, 0), (0, 2)),
                                                             constant_values=7))
    y.sum().backward()
    assert x.grad.sum().item() == X[:, :, :-2, 1:].size and (x.grad[..., 0] == 0).all()
    for bad in ((1,), (-4, -3), (1,) * 10):
        with pytest.raises(RuntimeError):
            F.pad(minitorch.tensor(X), bad)
    for mode, bad in (("reflect", (6, 0)), ("circular", (7, 0))):
        with pytest.raises(RuntimeError):
            F.pad(minitorch.tensor(X), (*bad, 0, 0), mode)


def hat(t):
    return np.maximum(0, 1 - abs(t))


def cubic(t, a=-0.75):
    t = abs(t)
    return np.where(t <= 1, (a + 2) * t**3 - (a + 3) * t**2 + 1,
                    np.where(t < 2, a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a, 0))


def matrix(n, out, kernel, align):
    """The weight of each pixel in each pixel of the result; what lies outside counts as the edge."""
    centres = np.arange(out) * ((n - 1) / (out - 1)) if align else (np.arange(out) + 0.5) * n / out - 0.5
    weights = np.zeros((out, n))
    for place in range(-4, n + 4):
        weights[:, min(max(place, 0), n - 1)] += kernel(centres - place)
    return weights


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(9, 4), (2, 11), (5, 6)])
def test_interpolate(mode, size, align):
    kernel = hat if mode == "bilinear" else cubic
    a, b = matrix(5, size[0], kernel, align), matrix(6, size[1], kernel, align)
    ours = F.interpolate(minitorch.tensor(X), size, mode=mode, align_corners=align)
    np.testing.assert_allclose(ours.numpy(), a @ X @ b.T, rtol=1e-9, atol=1e-11)


def test_nearest_and_area():
    ours = F.interpolate(minitorch.tensor(X), (10, 3))
    np.testing.assert_array_equal(ours.numpy(), X[:, :, np.arange(10) // 2][..., np.arange(3) * 2])
    exact = F.interpolate(minitorch.tensor(X), scale_factor=(1, 0.5), mode="nearest-exact")
    np.testing.assert_array_equal(exact.numpy(), X[..., 1::2])
    area = F.interpolate(minitorch.tensor(X), (5, 2), mode="area")
    np.testing.assert_allclose(area.numpy(), X.reshape(2, 3, 5, 2, 3).mean(-1))
    smooth = F.interpolate(minitorch.ones(1, 1, 16, 16), (5, 3), mode="bicubic", antialias=True)
    np.testing.assert_allclose(smooth.numpy(), 1, rtol=1e-6)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_sampling_at_the_pixels_gives_the_image(mode, align):
    grid = F.affine_grid(minitorch.eye(2, 3, dtype=minitorch.float64).expand(2, 2, 3), X.shape, align)
    for padding in ("zeros", "border", "reflection"):
        ours = F.grid_sample(minitorch.tensor(X), grid, mode, padding, align)
        np.testing.assert_allclose(ours.numpy(), X, rtol=1e-9, atol=1e-9)


def test_sampling_outside():
    x = minitorch.tensor([[[[1., 2., 3.]]]])
    grid = minitorch.tensor([[[[-3., 0.], [3., 0.], [float("nan"), 0.]]]])
    assert F.grid_sample(x, grid, padding_mode="zeros", align_corners=True)[..., :2].tolist() == [[[[0, 0]]]]
    assert F.grid_sample(x, grid, padding_mode="border", align_corners=True).tolist() == [[[[1, 3, 1]]]]
    assert F.grid_sample(x, grid, padding_mode="reflection", align_corners=True)[..., :2].tolist() == [[[[3, 1]]]]


def test_sampling_gradients():
    rng = np.random.default_rng(1)
    x = minitorch.tensor(X[:1], requires_grad=True)
    grid = minitorch.tensor(rng.uniform(-1.2, 1.2, (1, 4, 3, 2)), requires_grad=True)
    for mode in ("bilinear", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            direction = [minitorch.tensor(rng.standard_normal(t.shape)) for t in (x, grid)]
            out = F.grid_sample(x, grid, mode, padding, False)
            exact = sum((g * d).sum() for g, d in zip(minitorch.autograd.grad((out**2).sum(), (x, grid)), direction))
            step, moved = 1e-7, []
            for s in (step, -step):
                values = [t.detach() + s * d for t, d in zip((x, grid), direction)]
                moved.append((F.grid_sample(*values, mode, padding, False)**2).sum().item())
            assert exact.item() == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-4)


def test_shuffles():
    x = minitorch.arange(2 * 8 * 2 * 3.0).reshape(2, 8, 2, 3)
    y = F.pixel_shuffle(x, 2)
    assert y.shape == (2, 2, 4, 6) and minitorch.equal(F.pixel_unshuffle(y, 2), x)
    assert y[0, 0, :2, :2].tolist() == x[0, :4, 0, 0].reshape(2, 2).tolist()
    assert minitorch.equal(F.channel_shuffle(F.channel_shuffle(x, 2), 4), x)
