"""Distributions by themselves: densities that sum to 1, samples that follow them, constraints and refusals."""

import numpy as np
import pytest

import minitorch
from minitorch import distributions as d

GRID = minitorch.linspace(-60, 60, 240_001, dtype=minitorch.float64)


@pytest.mark.parametrize("kind, parameters", [
    (d.Normal, (0.3, 1.2)), (d.Laplace, (-0.4, 0.8)), (d.Gumbel, (0.2, 0.9)), (d.LogNormal, (0.1, 0.4)),
    (d.HalfNormal, (1.5,)), (d.Uniform, (-1.0, 2.0)), (d.Exponential, (0.7,)), (d.Gamma, (2.5, 1.3)),
    (d.Beta, (2.0, 3.0)), (d.StudentT, (6.0,)), (d.Weibull, (1.2, 1.5)),
    (d.TransformedDistribution, (d.Normal(0.0, 1.0), [d.AffineTransform(1.0, -2.0)])),
])  # fmt: skip
def test_densities_sum_to_one_and_samples_follow(kind, parameters):
    minitorch.manual_seed(0)
    distribution = kind(*parameters)
    inside = distribution.support.check(GRID) if not isinstance(distribution, d.Uniform) else (GRID > -1) & (GRID < 2)
    x = GRID[inside]
    density = distribution.log_prob(x).exp().numpy()
    assert abs(np.nansum(density[np.isfinite(density)]) * 120 / 240_000 - 1) < 1e-2
    samples = distribution.sample((20_000,)).double().numpy()
    for quantile in (0.1, 0.5, 0.9):
        place = np.quantile(samples, quantile)
        assert abs(np.nansum(density[x.numpy() <= place]) * 120 / 240_000 - quantile) < 0.02


def test_policy_gradient():
    """The oldest use: raise the probability of what was rewarded."""
    minitorch.manual_seed(1)
    logits = minitorch.nn.Parameter(minitorch.zeros(4))
    optimizer = minitorch.optim.Adam([logits], lr=0.1)
    for _ in range(60):
        policy = d.Categorical(logits=logits)
        action = policy.sample((16,))
        reward = (action == 2).float()
        loss = -(policy.log_prob(action) * (reward - reward.mean())).mean() - 0.001 * policy.entropy()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert d.Categorical(logits=logits).probs[2] > 0.8


def test_reparameterised_gradients():
    loc = minitorch.tensor([0.5, -1.0], requires_grad=True)
    scale = minitorch.tensor([1.0, 2.0], requires_grad=True)
    noise = (d.Normal(loc, scale).rsample((5,)) - loc) / scale
    minitorch.manual_seed(0)
    sample = d.Normal(loc, scale).rsample((5,))
    sample.sum().backward()
    assert loc.grad.tolist() == [5, 5] and not d.Normal(loc, scale).sample().requires_grad
    np.testing.assert_allclose(scale.grad.numpy(), ((sample - loc) / scale).sum(0).detach().numpy(), rtol=1e-5)
    assert noise.shape == (5, 2)


def test_kl_is_an_expectation():
    minitorch.manual_seed(0)
    p, q = d.Gamma(2.0, 1.0), d.Gamma(3.0, 1.5)
    samples = p.sample((40_000,))
    estimate = (p.log_prob(samples) - q.log_prob(samples)).mean()
    assert abs(estimate - d.kl_divergence(p, q)) < 0.02
    with pytest.raises(NotImplementedError, match="register_kl"):
        d.kl_divergence(p, d.Normal(0.0, 1.0))

    class Mine(d.Normal):
        pass

    @d.register_kl(Mine, Mine)
    def rule(p, q):
        return minitorch.tensor(42.0)

    assert d.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == 42
    with pytest.raises(TypeError):
        d.register_kl(int, d.Normal)


def test_validation_can_be_turned_off():
    bad = d.Normal(minitorch.tensor(0.0), minitorch.tensor(-1.0), validate_args=False)
    assert bad.scale == -1
    with pytest.raises(ValueError, match=r"parameter scale .* the constraint GreaterThan\(lower_bound=0.0\)"):
        d.Normal(minitorch.tensor(0.0), minitorch.tensor(-1.0))
    d.Distribution.set_default_validate_args(False)
    try:
        d.Normal(minitorch.tensor(0.0), minitorch.tensor(-1.0))
    finally:
        d.Distribution.set_default_validate_args(True)


def test_own_distribution():
    class Half(d.Distribution):
        support = d.constraints.real

        def rsample(self, sample_shape=()):
            return minitorch.full(self._extended_shape(sample_shape), 0.5)

    half = Half((2,))
    assert half.sample((3,)).shape == (3, 2) and repr(half) == "Half()"
    for call in (lambda: half.mean, lambda: half.entropy(), lambda: half.cdf(1)):
        with pytest.raises(NotImplementedError, match="Half has no"):
            call()


@pytest.mark.parametrize("total", [0, 1, 30])
def test_large_and_small_counts(total):
    minitorch.manual_seed(0)
    counts = d.Binomial(total, minitorch.tensor(0.3)).sample((2000,))
    assert abs(counts.mean() - total * 0.3) < 0.3 and counts.max() <= total and counts.min() >= 0
    rates = minitorch.tensor([0.0, 0.5, 200.0])
    poisson = d.Poisson(rates).sample((2000,))
    np.testing.assert_allclose(poisson.mean(0).numpy(), rates.numpy(), atol=1.5)
    np.testing.assert_allclose(poisson.var(0).numpy(), rates.numpy(), rtol=0.15)


def test_covariances():
    covariance = minitorch.tensor([[2.0, 0.5], [0.5, 1.0]])
    one = d.MultivariateNormal(minitorch.zeros(2), covariance)
    two = d.MultivariateNormal(minitorch.zeros(2), precision_matrix=minitorch.linalg.inv(covariance))
    x = minitorch.tensor([0.3, -0.7])
    np.testing.assert_allclose(float(one.log_prob(x)), float(two.log_prob(x)), rtol=1e-5)
    np.testing.assert_allclose(two.covariance_matrix.numpy(), covariance.numpy(), rtol=1e-5)
