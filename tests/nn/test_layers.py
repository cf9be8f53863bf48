"""Layers, activations and losses against what they are defined to compute."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import functional as F

X = np.linspace(-8, 8, 33)


def run(function, *arrays, **options):
    return function(*(minitorch.tensor(a) for a in arrays), **options).numpy()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = [
    (nn.ReLU(), lambda x: np.maximum(x, 0)),
    (nn.ReLU6(), lambda x: np.clip(x, 0, 6)),
    (nn.LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    (nn.ELU(0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    (nn.CELU(2.0), lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2))),
    (nn.SELU(), lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    (nn.GELU(), lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2),
    (nn.GELU("tanh"), lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    (nn.SiLU(), lambda x: x * sigmoid(x)),
    (nn.Mish(), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    (nn.Softplus(), lambda x: np.log1p(np.exp(x))),
    (nn.Softplus(2.0, 5.0), lambda x: np.where(2 * x > 5, x, np.log1p(np.exp(2 * x)) / 2)),
    (nn.Softsign(), lambda x: x / (1 + abs(x))),
    (nn.Tanhshrink(), lambda x: x - np.tanh(x)),
    (nn.Sigmoid(), sigmoid),
    (nn.Tanh(), np.tanh),
    (nn.LogSigmoid(), lambda x: -np.log1p(np.exp(-x))),
    (nn.Hardtanh(-2.0, 3.0), lambda x: np.clip(x, -2, 3)),
    (nn.Hardsigmoid(), lambda x: np.clip(x + 3, 0, 6) / 6),
    (nn.Hardswish(), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (nn.Hardshrink(1.1), lambda x: np.where(abs(x) > 1.1, x, 0)),
    (nn.Softshrink(1.1), lambda x: np.sign(x) * np.maximum(abs(x) - 1.1, 0)),
    (nn.Threshold(1.1, 20.0), lambda x: np.where(x > 1.1, x, 20)),
    (nn.PReLU(), lambda x: np.where(x > 0, x, 0.25 * x)),
    (nn.Softmax(0), lambda x: np.exp(x) / np.exp(x).sum()),
    (nn.LogSoftmax(-1), lambda x: x - np.log(np.exp(x).sum())),
    (nn.Softmin(0), lambda x: np.exp(-x) / np.exp(-x).sum()),
    (nn.Identity(1, a=2), lambda x: x),
]


@pytest.mark.parametrize(("module", "formula"), ACTIVATIONS, ids=lambda value: getattr(value, "_get_name", str)())
def test_activation(module, formula):
    y = module.to(minitorch.get_default_device()).double()(minitorch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(y, formula(X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("make", [
    nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Mish, nn.Hardsigmoid, nn.Hardswish, nn.LeakyReLU, nn.ELU, nn.CELU,
    nn.Hardtanh, lambda **options: nn.Threshold(1.1, 20.0, **options)])
def test_in_place_activation_writes_over_its_input(make):
    x = minitorch.tensor(X)
    expected = make()(x)
    assert (x.numpy() == X).all()
    out = make(inplace=True)(x)
    assert out.data_ptr() == x.data_ptr() and (x == expected).all()


def test_reprs():
    assert [repr(m) for m in (nn.ReLU(True), nn.ELU(1.0, True), nn.GELU(), nn.Softmax(1), nn.Hardshrink(), nn.PReLU(),
                              nn.Threshold(1.0, 2.0), nn.Flatten(), nn.LogSigmoid(), nn.Hardswish(True))] == [
        "ReLU(inplace=True)", "ELU(alpha=1.0, inplace=True)", "GELU(approximate='none')", "Softmax(dim=1)",
        "Hardshrink(0.5)", "PReLU(num_parameters=1)", "Threshold(threshold=1.0, value=2.0)",
        "Flatten(start_dim=1, end_dim=-1)", "LogSigmoid()", "Hardswish()"]


def test_softmax_without_dim_warns():
    with pytest.warns(UserWarning, match="dim"):
        assert F.softmax(minitorch.zeros(2, 4))[0, 0] == 0.25
    assert F.softmax(minitorch.zeros(2), 0, dtype=minitorch.float64).dtype == minitorch.float64


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    layer = nn.Linear(3, 4, bias=bias, dtype=minitorch.float64)
    x = np.random.default_rng(0).standard_normal(shape)
    expected = x @ layer.weight.detach().numpy().T + (layer.bias.detach().numpy() if bias else 0)
    np.testing.assert_allclose(layer(minitorch.tensor(x)).detach().numpy(), expected, rtol=1e-12)
    assert repr(layer) == f"Linear(in_features=3, out_features=4, bias={bias})"
    bound = 1 / math.sqrt(3)
    assert all((p.abs() <= bound).all() for p in layer.parameters())


def test_linear_refuses_other_sizes():
    with pytest.raises(RuntimeError):
        nn.Linear(3, 4)(minitorch.ones(2, 5))


def test_dropout():
    x = minitorch.ones(10_000)
    layer = nn.Dropout(0.25)
    y = layer(x)
    assert set(y.unique().tolist() if hasattr(y, "unique") else y.tolist()) == {0.0, float(minitorch.tensor(1 / 0.75))}
    assert abs(float((y == 0).double().mean()) - 0.25) < 0.02
    assert layer.eval()(x) is x and (x == 1).all()
    assert (F.dropout(x, 1.0) == 0).all()
    assert F.dropout(x, 0.5, inplace=True) is x and (x == 0).any()
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError):
            nn.Dropout(bad)
        with pytest.raises(ValueError):
            F.dropout(x, bad)


def test_flatten_and_unflatten():
    x = minitorch.arange(24).reshape(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12) and nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (1, -1))(x).shape == (2, 1, 3, 4)
    assert nn.Unflatten(-1, (2, 2))(x).shape == (2, 3, 2, 2)
    assert (nn.Unflatten(2, (2, 2))(x).flatten(2) == x).all()
    with pytest.raises(RuntimeError, match="do not make up the size 3"):
        nn.Unflatten(1, (2, 2))(x)
    with pytest.raises(TypeError):
        nn.Unflatten(1, 3)


def reduce(loss, reduction):
    return {"none": loss, "sum": loss.sum(), "mean": loss.mean()}[reduction]


A, B = np.random.default_rng(1).random((2, 6, 5)) * 0.98 + 0.01
ELEMENTWISE = [
    (nn.MSELoss, {}, lambda x, y: (x - y) ** 2),
    (nn.L1Loss, {}, lambda x, y: abs(x - y)),
    (nn.SmoothL1Loss, {"beta": 0.4}, lambda x, y: np.where(abs(x - y) < 0.4, (x - y) ** 2 / 0.8, abs(x - y) - 0.2)),
    (nn.SmoothL1Loss, {"beta": 0.0}, lambda x, y: abs(x - y)),
    (nn.HuberLoss, {"delta": 0.4}, lambda x, y: np.where(abs(x - y) <= 0.4, (x - y) ** 2 / 2, 0.4 * abs(x - y) - 0.08)),
    (nn.BCELoss, {}, lambda x, y: -y * np.log(x) - (1 - y) * np.log1p(-x)),
    (nn.BCEWithLogitsLoss, {}, lambda x, y: np.log1p(np.exp(x)) - y * x),
    (nn.KLDivLoss, {}, lambda x, y: y * (np.log(y) - x)),
    (nn.KLDivLoss, {"log_target": True}, lambda x, y: np.exp(y) * (y - x)),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("make", "options", "formula"), ELEMENTWISE)
def test_elementwise_loss(make, options, formula, reduction):
    loss = make(reduction=reduction, **options)
    np.testing.assert_allclose(run(loss, A, B), reduce(formula(A, B), reduction), rtol=1e-11)


def test_loss_options():
    x, y, w = minitorch.tensor(A), minitorch.tensor(B), minitorch.tensor(B + 1)
    plain = F.binary_cross_entropy(x, y, reduction="none").numpy()
    np.testing.assert_allclose(F.binary_cross_entropy(x, y, w).numpy(), (plain * (B + 1)).mean())
    p = minitorch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=minitorch.float64)
    weighted = nn.BCEWithLogitsLoss(reduction="none", pos_weight=p)(x, y).numpy()
    expected = B * np.arange(1, 6) * np.log1p(np.exp(-A)) + (1 - B) * (A + np.log1p(np.exp(-A)))
    np.testing.assert_allclose(weighted, expected)
    np.testing.assert_allclose(F.mse_loss(x, y, weight=w).numpy(), ((A - B) ** 2 * (B + 1)).sum() / (B + 1).sum())
    assert F.kl_div(x, y, reduction="batchmean") == F.kl_div(x, y, reduction="sum") / 6
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False)(x, y) == F.mse_loss(x, y, reduction="sum")
    with pytest.warns(UserWarning, match="broadcast"):
        F.mse_loss(x, y[:1])


def test_losses_refuse():
    x, y = minitorch.tensor(A), minitorch.tensor(B)
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        F.mse_loss(x, y, reduction="avg")
    for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        with pytest.raises(ValueError, match="size"):
            loss(x, y[:1])
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        F.binary_cross_entropy(x * 2, y)
    with pytest.raises(RuntimeError):
        F.huber_loss(x, y, delta=0.0)
    with pytest.raises(RuntimeError):
        F.smooth_l1_loss(x, y, beta=-1.0)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(reduction, weighted, smoothing):
    y = np.array([0, 4, 2, -100, 1, 2])
    w = np.array([1.0, 2.0, 0.5, 3.0, 0.25]) if weighted else np.ones(5)
    target = np.eye(5)[y.clip(0)] * (1 - smoothing) + smoothing / 5
    kept = y >= 0
    loss = -(target * w * log_softmax(A)).sum(1) * kept
    expected = {"none": loss, "sum": loss.sum(), "mean": loss.sum() / (w[y.clip(0)] * kept).sum()}[reduction]
    weight = minitorch.tensor(w) if weighted else None
    module = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing)
    np.testing.assert_allclose(run(module, A, y), expected, rtol=1e-11)
    if not smoothing:
        nll = nn.NLLLoss(weight, reduction=reduction)
        np.testing.assert_allclose(run(nll, log_softmax(A), y), expected, rtol=1e-11)


def test_cross_entropy_of_probabilities_and_other_shapes():
    p = B / B.sum(1, keepdims=True)
    np.testing.assert_allclose(run(nn.CrossEntropyLoss(), A, p), -(p * log_softmax(A)).sum(1).mean(), rtol=1e-11)
    np.testing.assert_allclose(run(nn.CrossEntropyLoss(), A[0], np.array(2)), -log_softmax(A[:1])[0, 2], rtol=1e-11)
    x = np.moveaxis(A.reshape(2, 3, 5), -1, 1)
    y = np.array([[0, 1, 2], [3, 4, 0]])
    flat = run(nn.CrossEntropyLoss(ignore_index=0), A, y.reshape(-1))
    np.testing.assert_allclose(run(nn.CrossEntropyLoss(ignore_index=0), x, y), flat, rtol=1e-11)


def test_loss_weights_are_buffers():
    loss = nn.CrossEntropyLoss(minitorch.ones(3)).double()
    assert loss.weight.dtype == minitorch.float64 and list(loss.state_dict()) == ["weight"]


def test_normalize_and_one_hot():
    x = minitorch.tensor([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(F.normalize(x).numpy(), [[0.6, 0.8], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(F.normalize(x, 1, 0).numpy(), [[1, 1], [0, 0]], rtol=1e-6)
    assert F.one_hot(minitorch.tensor([[0, 2], [1, 1]])).tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert F.one_hot(minitorch.tensor([], dtype=minitorch.int64), 4).shape == (0, 4)
    for bad, classes in [([-1], 3), ([3], 3), ([1], 0)]:
        with pytest.raises(RuntimeError):
            F.one_hot(minitorch.tensor(bad), classes)
    with pytest.raises(RuntimeError):
        F.one_hot(x)
