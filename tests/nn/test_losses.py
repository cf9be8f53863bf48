"""Losses against what they are defined to compute; CTC against all readings."""

import itertools
import math

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import functional as F


def draw(*shape, seed=0, grad=False):
    return minitorch.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=grad)


def reading(path, blank=0):
    """What a path says: equal neighbours joined, blanks left out."""
    return [c for c, _ in itertools.groupby(path) if c != blank]


@pytest.mark.parametrize("targets", [[[1, 2], [2, 2]], [[1, 1], [1, 2]], [[2, 0], [1, 0]]])
def test_ctc_is_the_sum_over_all_readings(targets):
    lengths = [sum(c != 0 for c in t) for t in targets]
    steps = [4, 3]
    logits = draw(4, 2, 3, grad=True)
    losses = F.ctc_loss(logits.log_softmax(2), minitorch.tensor(targets), steps, lengths, reduction="none")
    p = np.exp(logits.log_softmax(2).detach().numpy())
    for b in range(2):
        total = sum(math.prod(p[t, b, c] for t, c in enumerate(path))
                    for path in itertools.product(range(3), repeat=steps[b])
                    if reading(path) == targets[b][:lengths[b]])
        assert losses[b].item() == pytest.approx(-math.log(total) if total else math.inf, rel=1e-12)
    losses.sum().backward()
    step = 1e-6
    for place in itertools.product(range(4), range(2), range(3)):
        moved = []
        for sign in (1, -1):
            x = logits.detach().clone()
            x[place] += sign * step
            moved.append(F.ctc_loss(x.log_softmax(2), minitorch.tensor(targets), steps, lengths, reduction="sum").item())
        assert logits.grad[place].item() == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-7)


def test_ctc_too_long_targets():
    scores = draw(2, 1, 3, grad=True)
    arguments = scores.log_softmax(2), minitorch.tensor([[1, 1]]), (2,), (2,)
    assert F.ctc_loss(*arguments, reduction="sum").item() == math.inf
    zero = F.ctc_loss(*arguments, reduction="sum", zero_infinity=True)
    zero.backward()
    assert zero.item() == 0 and (scores.grad == 0).all()
    flat = F.ctc_loss(draw(4, 2, 3).log_softmax(2), minitorch.tensor([1, 2, 2]), (4, 3), (2, 1), reduction="none")
    whole = F.ctc_loss(draw(4, 2, 3).log_softmax(2), minitorch.tensor([[1, 2], [2, 0]]), (4, 3), (2, 1),
                       reduction="none")
    np.testing.assert_allclose(flat.numpy(), whole.numpy())
    for bad in ((4, 9), (4, -1)):
        with pytest.raises(RuntimeError):
            F.ctc_loss(draw(4, 2, 3), minitorch.tensor([[1, 2], [2, 0]]), bad, (2, 1))
        with pytest.raises(RuntimeError):
            F.ctc_loss(draw(4, 2, 3), minitorch.tensor([[1, 2], [2, 0]]), (4, 3), bad)
    with pytest.raises(RuntimeError):
        F.ctc_loss(draw(4, 1, 3), minitorch.tensor([[5]]), (4,), (1,))


X, Y = draw(4, 5).numpy(), draw(4, 5, seed=1).numpy()
SIGN = np.sign(draw(4, 5, seed=2).numpy())


def softplus(x):
    return np.logaddexp(0, x)


@pytest.mark.parametrize("loss, target, formula", [
    (nn.SoftMarginLoss, SIGN, softplus(-SIGN * X)),
    (nn.HingeEmbeddingLoss, SIGN, np.where(SIGN > 0, X, np.maximum(0, 1 - X))),
    (nn.PoissonNLLLoss, abs(Y), np.exp(X) - abs(Y) * X),
    (nn.MultiLabelSoftMarginLoss, SIGN > 0, np.where(SIGN > 0, softplus(-X), softplus(X)).mean(1)),
])
def test_elementwise(loss, target, formula):
    target = minitorch.tensor(target.astype(float))
    for reduction, reduce in (("none", lambda v: v), ("mean", np.mean), ("sum", np.sum)):
        ours = loss(reduction=reduction)(minitorch.tensor(X), target)
        np.testing.assert_allclose(ours.numpy(), reduce(formula), rtol=1e-12)


def test_gaussian():
    var = np.exp(Y)
    ours = F.gaussian_nll_loss(minitorch.tensor(X), minitorch.tensor(Y), minitorch.tensor(var), full=True)
    expected = 0.5 * (np.log(2 * np.pi * var) + (X - Y) ** 2 / var)
    np.testing.assert_allclose(ours.item(), expected.mean(), rtol=1e-12)
    with pytest.raises(ValueError, match="negative"):
        F.gaussian_nll_loss(minitorch.tensor(X), minitorch.tensor(Y), minitorch.tensor(-var))


def test_margins():
    classes = np.array([0, 3, 4, 1])
    expected = [sum(max(0, 1 - x[c] + x[j]) for j in range(5) if j != c) / 5 for x, c in zip(X, classes)]
    ours = F.multi_margin_loss(minitorch.tensor(X), minitorch.tensor(classes), reduction="none")
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)
    labels = np.array([[3, 0, -1, 1, 2], [1, -1, 0, 0, 0], [-1, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    expected = []
    for x, row in zip(X, labels):
        named = list(itertools.takewhile(lambda c: c >= 0, row))
        expected.append(sum(max(0, 1 - x[c] + x[j]) for c in named for j in range(5) if j not in named) / 5)
    ours = F.multilabel_margin_loss(minitorch.tensor(X), minitorch.tensor(labels), reduction="none")
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)
    a, p, n = X, Y, SIGN
    near, far, third = (np.linalg.norm(u - v + 1e-6, axis=1) for u, v in ((a, p), (a, n), (p, n)))
    ours = F.triplet_margin_loss(*map(minitorch.tensor, (a, p, n)), swap=True, reduction="none")
    np.testing.assert_allclose(ours.numpy(), np.maximum(0, 1 + near - np.minimum(far, third)), rtol=1e-12)
    for bad in ([5, 0, 0, 0], [-1, 0, 0, 0]):
        with pytest.raises(RuntimeError):
            F.multi_margin_loss(minitorch.tensor(X), minitorch.tensor(bad))


def test_adaptive_softmax_sums_to_one():
    model = nn.AdaptiveLogSoftmaxWithLoss(6, 12, [3, 7], div_value=2.0).double()
    x, target = draw(9, 6), minitorch.arange(9) % 12
    logs = model.log_prob(x)
    np.testing.assert_allclose(logs.exp().sum(1).detach().numpy(), 1, rtol=1e-12)
    output, loss = model(x, target)
    np.testing.assert_allclose(output.detach().numpy(), logs.gather(1, target.unsqueeze(1))[:, 0].detach().numpy())
    assert loss.item() == pytest.approx(-output.mean().item())
    assert minitorch.equal(model.predict(x), logs.argmax(1))
