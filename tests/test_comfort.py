"""Summaries of models, the learning-rate finder, and statistics with verdicts."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.utils.lr_finder import find_lr
from minitorch.utils.summary import summary
from minitorch.utils.watch import Watch


class Two(nn.Module):
    """Two heads on a shared layer, one of them used twice."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 6), nn.Tanh())
        self.head = nn.Linear(6, 3)
        self.head.weight.requires_grad_(False)

    def forward(self, x, y):
        return {"a": self.head(self.body(x)), "b": [self.head(self.body(y))]}


def test_summary():
    model = Two()
    result = summary(model, minitorch.ones(4, 5), minitorch.ones(2, 5))
    assert result.parameters == 5 * 6 + 6 + 6 * 3 + 3 == sum(p.numel() for p in model.parameters())
    assert result.trainable == result.parameters - 18 and result.nbytes == 4 * result.parameters
    once = ["body", "body.0", "body.1", "head"]
    assert [layer.name for layer in result.layers] == ["", *once, *once]
    assert result.layers[0].output == [(4, 3), (2, 3)] and result.layers[2].output == [(4, 6)]
    assert [layer.parameters for layer in result.layers] == [0, 0, 36, 0, 21, 0, 0, 0, 0]
    assert result.flops == 6 * 2 * (5 * 6 + 6 * 3) and result.layers[1].flops == 4 * 2 * 30
    assert "57 parameters, 39 of them trainable" in str(result) and model.training
    assert not model._forward_hooks and not model._forward_pre_hooks
    assert summary(model, input_size=[(4, 5), (2, 5)]).flops == result.flops
    with pytest.raises(ValueError, match="input_size"):
        summary(model)


def test_summary_of_convolutions():
    if not hasattr(nn, "Conv2d"):
        pytest.skip("needs nn.Conv2d")
    result = summary(nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.ReLU()), input_size=(2, 4, 10, 10))
    assert result.layers[1].output == [(2, 8, 8, 8)] and result.flops == 2 * (2 * 8 * 8 * 8) * 2 * 9


def test_learning_rate_finder():
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = minitorch.optim.SGD(model.parameters(), lr=0.123, momentum=0.9)
    x = minitorch.randn(256, 4)
    data = minitorch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loader = minitorch.utils.data.DataLoader(data, 32)
    curve = find_lr(model, optimizer, nn.functional.mse_loss, loader, 1e-5, 100.0, 80)
    assert 1e-3 < curve.suggestion < 1 and len(curve.rates) < 80 and curve.rates[0] == 1e-5
    assert all((before[name] == value).all() for name, value in model.state_dict().items())
    assert optimizer.param_groups[0]["lr"] == 0.123 and not optimizer.state and "suggested" in str(curve)
    with pytest.raises(ValueError, match="0 < start < end"):
        find_lr(model, optimizer, nn.functional.mse_loss, loader, 1.0, 0.1)


def watched(model, x):
    with Watch(model) as watch:
        for _ in range(2):
            model(x).square().mean().backward()
    return watch


def test_statistics():
    minitorch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1)), minitorch.randn(100, 6)
    watch = watched(model, x)
    y = model[0](x).detach().numpy()
    first, relu, _ = watch.layers()
    np.testing.assert_allclose([first.mean, first.std], [y.mean(), y.std()], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(relu.zeros, (y <= 0).mean())
    assert relu.dead == (y <= 0).all(0).mean() and first.gradient > 0 and watch.verdicts() == {}
    assert not model[0]._forward_hooks and str(watch).count("well") == 3


def test_verdicts():
    minitorch.manual_seed(0)
    x = minitorch.randn(64, 8)
    dead = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    with minitorch.no_grad():
        dead[0].bias.fill_(-100)
    verdicts = watched(dead, x).verdicts()
    assert verdicts["1"].startswith("dead: 100%") and verdicts["0"] == "no gradient reaches it"
    full = nn.Sequential(nn.Linear(8, 8), nn.Tanh())
    with minitorch.no_grad():
        full[0].weight.mul_(100)
    assert watched(full, x).verdicts()["1"].startswith("saturated")
    deep = nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(8, 8), nn.Sigmoid())])
    verdicts = watched(deep, x).verdicts()
    assert any(verdict.startswith("vanishing") for name, verdict in verdicts.items() if int(name) < 4)
    with minitorch.no_grad():
        deep[4].weight.fill_(math.inf)
    assert any(verdict.startswith("not finite") for verdict in watched(deep, x).verdicts().values())
