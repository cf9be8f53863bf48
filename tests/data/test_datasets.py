"""The data sets that come with the package."""

import minitorch
from minitorch import datasets


def test_digits():
    images, labels = datasets.digits()
    assert images.shape == (1797, 8, 8) and images.dtype == minitorch.float32
    assert labels.shape == (1797,) and labels.dtype == minitorch.int64
    assert images.min() == 0 and images.max() == 1 and ((images * 16) % 1 == 0).all()
    assert [int((labels == k).sum()) for k in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert round(float(images.double().mean()) * 16, 6) == 4.884165  # of the original file


def test_moons():
    points, classes = datasets.moons(101, noise=0.0)
    assert points.shape == (101, 2) and classes.tolist() == [0] * 51 + [1] * 50
    first = points[:51]
    assert ((first.square().sum(1) - 1).abs() < 1e-5).all() and (first[:, 1] > -1e-5).all()
    second = points[51:] - minitorch.tensor([1.0, 0.5])
    assert ((second.square().sum(1) - 1).abs() < 1e-5).all() and (second[:, 1] < 1e-5).all()


def test_spirals():
    points, classes = datasets.spirals(90, 3, noise=0.0)
    assert points.shape == (90, 2) and [int((classes == k).sum()) for k in range(3)] == [30, 30, 30]
    radius = points.square().sum(1).sqrt()
    assert (radius[1:] > radius[:-1]).all() and float((radius[-1] - 1).abs()) < 1e-5


def test_made_data_follow_the_generator():
    for make in (datasets.moons, datasets.spirals):
        one, two = (make(30, generator=minitorch.Generator().manual_seed(4))[0] for _ in range(2))
        assert (one == two).all() and not (make(30)[0] == one).all()
