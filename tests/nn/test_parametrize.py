"""Parameters computed from others: parametrisation, weight and spectral norm, pruning, fusion."""

import copy

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn.utils import parametrizations, parametrize, prune

X = np.random.default_rng(0).standard_normal((5, 4)).astype("f4")


class Symmetric(nn.Module):
    def forward(self, w):
        return w + w.T

    def right_inverse(self, w):
        return w / 2


def test_registering_assigning_removing():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    assert minitorch.equal(layer.weight, layer.weight.T) and type(layer).__name__ == "ParametrizedLinear"
    assert set(layer.state_dict()) == {"bias", "parametrizations.weight.original"}
    layer.weight = minitorch.ones(3, 3)
    assert (layer.weight == 1).all()
    with parametrize.cached():
        assert layer.weight is layer.weight
    twin = copy.deepcopy(layer)
    parametrize.register_parametrization(layer, "weight", nn.Tanh())
    assert (twin.weight == 1).all() and (layer.weight < 1).all()
    (layer(minitorch.ones(1, 3))).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)
    assert not parametrize.is_parametrized(layer) and parametrize.is_parametrized(twin, "weight")
    with pytest.raises(ValueError, match="shape"):
        parametrize.register_parametrization(nn.Linear(3, 2), "weight", nn.Flatten(0))
    with pytest.raises(ValueError, match="does not have"):
        parametrize.register_parametrization(nn.Linear(3, 2), "none", nn.Tanh())


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, parametrizations.weight_norm])
def test_weight_norm_keeps_the_weight(norm):
    plain = nn.Linear(4, 3)
    layer = norm(copy.deepcopy(plain))
    np.testing.assert_allclose(layer(minitorch.tensor(X)).detach().numpy(), plain(minitorch.tensor(X)).detach().numpy(),
                               rtol=1e-5, atol=1e-6)
    assert len(list(layer.parameters())) == 3


@pytest.mark.parametrize("norm", [nn.utils.spectral_norm, parametrizations.spectral_norm])
def test_spectral_norm(norm):
    layer = norm(nn.Linear(4, 3))
    for _ in range(200):
        layer(minitorch.tensor(X))
    layer.eval()
    layer(minitorch.tensor(X))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("shape", [(4, 4), (6, 4), (4, 6)])
@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
def test_orthogonal(kind, shape):
    layer = parametrizations.orthogonal(nn.Linear(shape[1], shape[0]).double(), orthogonal_map=kind)
    for _ in range(2):
        w = layer.weight if shape[0] <= shape[1] else layer.weight.T
        np.testing.assert_allclose((w @ w.T).detach().numpy(), np.eye(min(shape)), atol=1e-9)
        layer.weight.sum().backward()
        with minitorch.no_grad():
            original = layer.parametrizations.weight.original
            original -= 0.1 * original.grad


def test_pruning():
    layer = nn.Linear(4, 3)
    prune.l1_unstructured(layer, "weight", 0.25)
    assert int(layer.weight_mask.sum()) == 9
    kept = abs(layer.weight_orig[layer.weight_mask == 1]).min()
    assert (abs(layer.weight_orig[layer.weight_mask == 0]) <= kept).all()
    prune.ln_structured(layer, "weight", 1, n=2, dim=0)
    assert (layer.weight_mask.sum(1) == 0).sum() == 1 and prune.is_pruned(layer)
    layer(minitorch.tensor(X)).sum().backward()
    assert (layer.weight_orig.grad[layer.weight_mask == 0] == 0).all()
    prune.remove(layer, "weight")
    assert set(layer.state_dict()) == {"weight", "bias"} and (layer.weight == 0).any()
    two = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    prune.global_unstructured([(two[0], "weight"), (two[1], "weight")], prune.L1Unstructured, amount=5)
    assert int(sum((1 - m.weight_mask).sum() for m in two)) == 5
    for bad in (1.5, -1):
        with pytest.raises(ValueError):
            prune.l1_unstructured(nn.Linear(2, 2), "weight", bad)


def test_fusion_does_the_same():
    for layer, bn, x in ((nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), minitorch.randn(2, 3, 6, 6)),
                         (nn.ConvTranspose2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), minitorch.randn(2, 3, 6, 6)),
                         (nn.Linear(4, 3), nn.BatchNorm1d(3), minitorch.tensor(X))):
        bn(layer(x))
        net = nn.Sequential(layer, bn).eval()
        if isinstance(layer, nn.Linear):
            fused = nn.utils.fuse_linear_bn_eval(layer, bn)
        else:
            fused = nn.utils.fuse_conv_bn_eval(layer, bn, transpose=isinstance(layer, nn.ConvTranspose2d))
        np.testing.assert_allclose(fused(x).detach().numpy(), net(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_skip_init_uses_up_no_random_numbers():
    minitorch.manual_seed(0)
    expected = minitorch.rand(2)
    minitorch.manual_seed(0)
    nn.utils.skip_init(nn.Linear, 3, 4)
    assert minitorch.equal(minitorch.rand(2), expected)


def test_lazy_modules():
    net = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
    with pytest.raises(RuntimeError, match="shape"):
        _ = net[0].weight.shape
    y = net(minitorch.tensor(X))
    assert type(net[0]) is nn.Linear and net[2].in_features == 3
    other = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
    other.load_state_dict(net.state_dict())
    assert minitorch.equal(other(minitorch.tensor(X)), y)
    image = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d())
    assert image(minitorch.ones(2, 3, 5, 5)).shape == (2, 4, 3, 3) and type(image[1]) is nn.BatchNorm2d
