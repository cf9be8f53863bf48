"""Densities, moments, samples and divergences beside PyTorch's."""

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

POSITIVE = np.array([0.3, 1.0, 2.5])
REAL = np.array([-1.2, 0.3, 2.0])
PROBS = np.array([0.1, 0.5, 0.8])
ROWS = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
LOWER = np.array([[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [-0.3, 0.4, 0.7]])

# name: (arguments, values for log_prob, whether samples are PyTorch's)
CASES = {
    "Normal": ((REAL, POSITIVE), REAL + 0.1, True), "LogNormal": ((REAL, POSITIVE), POSITIVE, True),
    "HalfNormal": ((POSITIVE,), POSITIVE, True), "Uniform": ((REAL, REAL + POSITIVE), REAL + 0.1, True),
    "Exponential": ((POSITIVE,), POSITIVE, True), "Laplace": ((REAL, POSITIVE), REAL + 0.4, True),
    "Cauchy": ((REAL, POSITIVE), REAL + 0.4, True), "HalfCauchy": ((POSITIVE,), POSITIVE, True),
    "Gumbel": ((REAL, POSITIVE), REAL + 0.4, True), "Weibull": ((POSITIVE, POSITIVE), POSITIVE, True),
    "Pareto": ((POSITIVE, POSITIVE), POSITIVE + 0.5, True), "Gamma": ((POSITIVE, POSITIVE), POSITIVE, False),
    "Chi2": ((POSITIVE,), POSITIVE, False), "Beta": ((POSITIVE, POSITIVE + 0.2), PROBS, False),
    "Dirichlet": ((ROWS * 4,), ROWS, False), "StudentT": ((POSITIVE + 0.2, REAL, POSITIVE), REAL + 0.3, False),
    "Bernoulli": ((PROBS,), np.array([0.0, 1.0, 1.0]), True), "Geometric": ((PROBS,), np.array([0.0, 2.0, 5.0]), True),
    "Categorical": ((ROWS,), np.array([2, 0]), True), "OneHotCategorical": ((ROWS,), np.eye(3)[[2, 0]], True),
    "OneHotCategoricalStraightThrough": ((ROWS,), np.eye(3)[[2, 0]], True),
    "Poisson": ((POSITIVE,), np.array([0.0, 2.0, 4.0]), False),
    "Binomial": ((np.array(5.0), PROBS), np.array([0.0, 2.0, 5.0]), False),
    "NegativeBinomial": ((np.array(4.0), PROBS), np.array([0.0, 2.0, 5.0]), False),
    "Multinomial": ((6, ROWS), np.array([[1.0, 2.0, 3.0], [4.0, 2.0, 0.0]]), True),
    "RelaxedBernoulli": ((np.array(0.7), PROBS), np.array([0.2, 0.5, 0.9]), True),
    "RelaxedOneHotCategorical": ((np.array(0.7), ROWS), ROWS[::-1].copy(), True),
    "MultivariateNormal": ((REAL, "scale_tril", LOWER), np.stack([REAL, POSITIVE]), True),
}


def made(library, name, dtype="float64"):
    arguments, value, _ = CASES[name]

    def tensor(x):
        return library.tensor(x, dtype=getattr(library, dtype)) if isinstance(x, np.ndarray) else x

    keywords = {}
    if name == "MultivariateNormal":
        arguments, keywords = arguments[:1], {"scale_tril": tensor(arguments[2])}
    made = getattr(library.distributions, name)(*map(tensor, arguments), **keywords)
    return made, library.tensor(value) if value.dtype.kind == "i" else tensor(value)


def numbers(x):
    return x.detach().double().numpy()


def close(a, b, tolerance=1e-6):
    assert tuple(a.shape) == tuple(b.shape)
    np.testing.assert_allclose(numbers(a), numbers(b), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_numbers(name):
    (ours, value), (theirs, same) = made(minitorch, name), made(torch, name)
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape) and tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample
    close(ours.log_prob(value), theirs.log_prob(same))
    for attribute in ("mean", "variance", "stddev", "mode", "entropy"):
        try:
            expected = getattr(theirs, attribute)
            expected = expected() if callable(expected) else expected
        except NotImplementedError:
            continue
        got = getattr(ours, attribute)
        close(got() if callable(got) else got, expected)
    for function, argument in (("cdf", value), ("icdf", minitorch.tensor(PROBS))):
        try:
            expected = getattr(theirs, function)(torch.tensor(numbers(argument)))
        except (NotImplementedError, ValueError):
            continue
        try:
            close(getattr(ours, function)(argument), expected)
        except NotImplementedError:
            assert name in ("Gamma", "Chi2")
    if theirs.has_enumerate_support:
        for expand in (False, True):
            close(ours.enumerate_support(expand), theirs.enumerate_support(expand))


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][2]])
def test_samples(name):
    def run(library):
        library.manual_seed(7)
        made_ = made(library, name, "float32")[0]
        samples = [made_.sample(), made_.sample((20,))]
        return samples + ([made_.rsample((3, 2))] if made_.has_rsample else [])

    for a, b in zip(run(minitorch), run(torch), strict=True):
        assert str(a.dtype) == str(b.dtype)
        close(a, b, 2e-5)


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name][2]])
def test_samples_have_the_right_moments(name):
    minitorch.manual_seed(3)
    distribution = made(minitorch, name)[0]
    if name == "StudentT":
        return
    samples = numbers(distribution.sample((20_000,)))
    np.testing.assert_allclose(samples.mean(0), numbers(distribution.mean), atol=6 * np.sqrt(
        numbers(distribution.variance).max() / 20_000))
    np.testing.assert_allclose(samples.var(0), numbers(distribution.variance), rtol=0.25)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("HalfCauchy", "StudentT", "Chi2",
                                                                      "MultivariateNormal")])
def test_expand(name):
    ours, theirs = made(minitorch, name)[0], made(torch, name)[0]
    shape = (4, *theirs.batch_shape)
    a, b = ours.expand(shape), theirs.expand(shape)
    assert tuple(a.batch_shape) == tuple(b.batch_shape) and tuple(a.sample((2,)).shape) == tuple(b.sample((2,)).shape)
    close(a.log_prob(made(minitorch, name)[1]), b.log_prob(made(torch, name)[1]))


PAIRS = ["Normal", "LogNormal", "HalfNormal", "Bernoulli", "Categorical", "OneHotCategorical", "Dirichlet", "Beta",
         "Gamma", "Exponential", "Laplace", "Poisson", "Geometric", "Binomial", "MultivariateNormal"]


@pytest.mark.parametrize("name", PAIRS)
def test_divergences(name):
    def run(library):
        arguments, _, _ = CASES[name]
        keywords, others = {}, [x if isinstance(x, int) else np.asarray(x) for x in arguments if not isinstance(x, str)]
        tensor = library.tensor
        if name == "MultivariateNormal":
            p = library.distributions.MultivariateNormal(tensor(REAL), scale_tril=tensor(LOWER))
            q = library.distributions.MultivariateNormal(tensor(POSITIVE), scale_tril=tensor(
                np.stack([LOWER, LOWER * 2])))
        else:
            turned = [x if x.ndim == 0 else x[::-1].copy() for x in others]
            cls = getattr(library.distributions, name)
            p, q = cls(*map(tensor, others), **keywords), cls(*map(tensor, turned), **keywords)
        return library.distributions.kl_divergence(p, q)

    close(run(minitorch), run(torch))


def test_other_divergences():
    def run(library):
        d, t = library.distributions, library.tensor
        wide = d.Uniform(t(-2.0), t(3.0))
        normals = [d.Independent(d.Normal(t(loc), t(POSITIVE)), 1) for loc in (REAL, POSITIVE)]
        return [d.kl_divergence(d.Uniform(t(0.0), t(1.0)), wide), d.kl_divergence(wide, d.Uniform(t(0.0), t(1.0))),
                d.kl_divergence(wide, d.Normal(t(0.5), t(2.0))), d.kl_divergence(*normals)]

    for a, b in zip(run(minitorch), run(torch), strict=True):
        close(a, b)


@pytest.mark.parametrize("name", ["Gamma", "Beta", "Dirichlet", "StudentT"])
def test_derivatives_of_gamma_samples(name):
    """The sum over many samples, whose derivative is that of the mean."""
    minitorch.manual_seed(0)
    base = {"Gamma": [2.5, 1.5], "Beta": [2.0, 3.0], "Dirichlet": [[1.0, 2.0, 3.0]], "StudentT": [5.0, 1.0, 2.0]}[name]
    given = [minitorch.tensor(x, dtype=minitorch.float64, requires_grad=True) for x in base]
    distribution = getattr(minitorch.distributions, name)(*given)
    samples = distribution.rsample((20_000,))
    (samples[..., 0] if name == "Dirichlet" else samples).mean().backward()
    again = [minitorch.tensor(x, dtype=minitorch.float64, requires_grad=True) for x in base]
    mean = getattr(minitorch.distributions, name)(*again).mean
    (mean[..., 0] if name == "Dirichlet" else mean).backward()
    for a, b in zip(given, again, strict=True):
        expected = 0 if b.grad is None else numbers(b.grad)
        np.testing.assert_allclose(numbers(a.grad), expected, atol=0.06)


@pytest.mark.parametrize("alpha", [0.2, 0.9, 1.0, 3.0, 20.0, 55.0, 80.0, 500.0])
def test_derivative_of_one_gamma_sample(alpha):
    from minitorch.distributions.gamma import _derivative

    x = np.array([0.7, 0.8, 1.0, 1.3] if alpha > 60 else [0.1, 0.8, 1.0, 2.0]) * alpha
    ours = numbers(_derivative(minitorch.tensor(x), minitorch.full((4,), alpha, dtype=minitorch.float64)))
    theirs = torch._standard_gamma_grad(torch.full((4,), alpha, dtype=torch.float64), torch.tensor(x)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@pytest.mark.parametrize("make", [
    lambda t: t.ExpTransform(), lambda t: t.SigmoidTransform(), lambda t: t.TanhTransform(),
    lambda t: t.SoftplusTransform(), lambda t: t.AffineTransform(1.0, -2.0), lambda t: t.StickBreakingTransform(),
    lambda t: t.ComposeTransform([t.AffineTransform(0.5, 2.0), t.SigmoidTransform()]), lambda t: t.SoftmaxTransform(),
    lambda t: t.IndependentTransform(t.ExpTransform(), 1), lambda t: t.ExpTransform().inv.inv,
    lambda t: t.ReshapeTransform((3,), (3, 1)),
])
def test_transforms(make):
    results = []
    for library in (minitorch, torch):
        transform, x = make(library.distributions.transforms), library.tensor(np.stack([REAL, POSITIVE]))
        y = transform(x)
        result = [y, transform.inv(y)]
        if transform.bijective:
            result.append(transform.log_abs_det_jacobian(x, y))
        results.append(result)
    for a, b in zip(*results, strict=True):
        close(a, b)


@pytest.mark.parametrize("find", ["biject_to", "transform_to"])
@pytest.mark.parametrize("constraint", "real positive unit_interval simplex lower_cholesky real_vector".split())
def test_transforms_of_constraints(find, constraint):
    if find == "biject_to" and constraint == "lower_cholesky":
        return  # ours is invertible too, theirs refuses

    def run(library):
        d = library.distributions
        return getattr(d, find)(getattr(d.constraints, constraint))(library.tensor(LOWER + 0.1))

    close(run(minitorch), run(torch))


def test_squashed_actions():
    def run(library):
        d = library.distributions
        library.manual_seed(1)
        loc = library.tensor([0.5, -0.5], requires_grad=True)
        policy = d.TransformedDistribution(d.Normal(loc, library.tensor([1.0, 0.5])), [d.TanhTransform(cache_size=1)])
        action = policy.rsample((3,))
        log_prob = policy.log_prob(action)
        log_prob.sum().backward()
        return action, log_prob, loc.grad

    for a, b in zip(run(minitorch), run(torch), strict=True):
        close(a, b, 1e-5)


def test_mixtures():
    def run(library):
        d, t = library.distributions, library.tensor
        library.manual_seed(1)
        one = d.MixtureSameFamily(d.Categorical(t(ROWS)), d.Normal(t(REAL).expand(2, 3), t(POSITIVE).expand(2, 3)))
        two = d.MixtureSameFamily(d.Categorical(t([0.4, 0.6])), d.Independent(d.Normal(t(ROWS), t(1.0)), 1))
        return [one.mean, one.variance, one.log_prob(t([0.3, 0.7])), one.cdf(t([0.3, 0.7])), one.sample((4,)),
                two.mean, two.variance, two.log_prob(t(REAL)), two.sample((4,)), one.expand((5, 2)).sample()]

    for a, b in zip(run(minitorch), run(torch), strict=True):
        close(a, b, 1e-5)


def test_logits():
    def run(library):
        d, t = library.distributions, library.tensor
        rows, coins = d.Categorical(logits=t(ROWS)), d.Bernoulli(logits=t(REAL))
        return [rows.log_prob(t([1, 2])), rows.probs, rows.log_prob(t([[0], [2], [1]])), coins.probs,
                coins.log_prob(t([0.0, 1, 1])), d.Bernoulli(t(PROBS)).logits, d.Normal(0.0, 1.0).log_prob(t(0.5))]

    for a, b in zip(run(minitorch), run(torch), strict=True):
        close(a, b)


@pytest.mark.parametrize("call", [
    lambda d, t: d.Normal(t(0.0), t(-1.0)), lambda d, t: d.Normal(t(float("nan")), t(1.0)),
    lambda d, t: d.Bernoulli(t(1.5)), lambda d, t: d.Bernoulli(), lambda d, t: d.Bernoulli(t(0.5), t(0.5)),
    lambda d, t: d.Categorical(t([-0.5, 1.0])), lambda d, t: d.Categorical(t(0.5)),
    lambda d, t: d.Uniform(t(1.0), t(0.0)),
    lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t(2)), lambda d, t: d.Exponential(t(1.0)).log_prob(t(-1.0)),
    lambda d, t: d.Normal(t([0.0, 1.0]), t(1.0)).log_prob(t([1.0, 2.0, 3.0])),
    lambda d, t: d.Normal(t(0.0), t(1.0)).log_prob(3),
    lambda d, t: d.Beta(t(0.0), t(1.0)), lambda d, t: d.Dirichlet(t([1.0, -1.0])), lambda d, t: d.Poisson(t(-1.0)),
    lambda d, t: d.MultivariateNormal(t([0.0])), lambda d, t: d.Independent(d.Normal(t(0.0), t(1.0)), 1),
    lambda d, t: d.Multinomial(3, t([0.5, 0.5])).log_prob(t([4.0, 4.0])),
    lambda d, t: d.Dirichlet(t([1.0, 1])).log_prob(t([.9, .9])),
])
def test_refused(call):
    for library in (minitorch, torch):
        with pytest.raises(ValueError):
            call(library.distributions, library.tensor)
