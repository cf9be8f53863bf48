"""Tables of vectors: rows, sums of rows, and what their gradients come to."""

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import functional as F


def table(rows=6, width=3):
    values = np.random.default_rng(0).standard_normal((rows, width))
    return minitorch.tensor(values, requires_grad=True)


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (2, 1, 4)])
def test_rows(shape):
    weight = table()
    index = np.random.default_rng(1).integers(0, 6, shape)
    out = F.embedding(minitorch.tensor(index), weight)
    np.testing.assert_array_equal(out.detach().numpy(), weight.detach().numpy()[index])
    g = np.random.default_rng(2).standard_normal(out.shape)
    out.backward(minitorch.tensor(g))
    expected = np.zeros((6, 3))
    np.add.at(expected, index, g)
    np.testing.assert_allclose(weight.grad.numpy(), expected)


def test_options():
    weight, index = table(), minitorch.tensor([1, 1, 4, 2])
    F.embedding(index, weight, padding_idx=-2, scale_grad_by_freq=True).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy()[:, 0], [0, 1, 1, 0, 0, 0])
    limited = weight.detach().clone()
    F.embedding(index, limited, max_norm=0.5)
    norms = limited.norm(2, 1)
    assert (norms[[1, 2, 4]] <= 0.5 + 1e-6).all() and minitorch.equal(limited[[0, 3, 5]], weight.detach()[[0, 3, 5]])
    layer = nn.Embedding(4, 2, padding_idx=1)
    assert (layer.weight[1] == 0).all() and repr(layer) == "Embedding(4, 2, padding_idx=1)"


def test_second_derivative():
    weight = table()
    out = F.embedding(minitorch.tensor([0, 0, 2]), weight)
    (g,) = minitorch.autograd.grad((out**3).sum(), weight, create_graph=True)
    (gg,) = minitorch.autograd.grad((g * g).sum(), weight)
    w = minitorch.tensor(weight.detach().numpy(), requires_grad=True)
    (h,) = minitorch.autograd.grad((2 * w[0]**3 + w[2]**3).sum(), w, create_graph=True)
    (hh,) = minitorch.autograd.grad((h * h).sum(), w)
    np.testing.assert_allclose(gg.numpy(), hh.numpy(), rtol=1e-12)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode):
    weight = table()
    index, offsets = [0, 5, 5, 2, 3, 1], [0, 2, 2, 5]
    out = F.embedding_bag(minitorch.tensor(index), weight, minitorch.tensor(offsets), mode=mode, padding_idx=3)
    bags = [[0, 5], [], [5, 2], [1]]
    w = minitorch.tensor(weight.detach().numpy(), requires_grad=True)
    rows = [getattr(w[bag], {"max": "amax"}.get(mode, mode))(0) if bag else w[0] * 0 for bag in bags]
    expected = minitorch.stack(rows)
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy())
    (out**2).sum().backward()
    (expected**2).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), w.grad.numpy())


def test_weighted_bags():
    weight = table()
    factors = minitorch.tensor([[1., 2.], [3., -1.]], dtype=minitorch.float64, requires_grad=True)
    index = minitorch.tensor([[0, 1], [1, 1]])
    F.embedding_bag(index, weight, mode="sum", per_sample_weights=factors).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy()[:2, 0], [1, 4])
    np.testing.assert_allclose(factors.grad.numpy(), weight.detach().numpy().sum(1)[index.numpy()])


def test_what_is_refused():
    weight = table()
    for bad in ([6], [-1]):
        with pytest.raises(IndexError):
            F.embedding(minitorch.tensor(bad), weight)
        with pytest.raises(IndexError):
            F.embedding_bag(minitorch.tensor(bad), weight, minitorch.tensor([0]))
    with pytest.raises(RuntimeError):
        F.embedding(minitorch.tensor([0.5]), weight)
    with pytest.raises(RuntimeError, match="2-D"):
        F.embedding(minitorch.tensor([0]), weight[0])
    for offsets in ([1], [0, 9], [0, 2, 1]):
        with pytest.raises(RuntimeError):
            F.embedding_bag(minitorch.tensor([0, 1, 2]), weight, minitorch.tensor(offsets))
    with pytest.raises(ValueError):
        F.embedding_bag(minitorch.tensor([0, 1, 2]), weight)
    with pytest.raises(NotImplementedError):
        F.embedding(minitorch.tensor([0]), weight, sparse=True)
