"""The gamma distribution and its relatives."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .distribution import Distribution, ExponentialFamily
from .utils import broadcast_all, standard_normal, tiny

TERMS = 400      # of the series for the derivative
LARGE = 60.0     # from here on the cube of a normal variable is close enough


def standard_gamma(concentration: Tensor) -> Tensor:
    """Gamma variables of rate 1, differentiable; not PyTorch's numbers from the same seed.

    Marsaglia and Tsang's method: the cube of a normal variable, of which few are refused.
    """
    alpha = concentration.detach().double()
    small = alpha < 1
    d = minitorch.where(small, alpha + 1, alpha) - 1 / 3
    c = (9 * d).rsqrt()
    result, waiting = minitorch.zeros_like(alpha), minitorch.ones_like(alpha, dtype=minitorch.bool)
    while waiting.any():
        z, u = standard_normal(alpha.shape, alpha), minitorch.rand_like(alpha)
        v = (1 + c * z) ** 3
        taken = waiting & (v > 0) & (u.log() < 0.5 * z * z + d * (1 - v + v.clamp(min=1e-300).log()))
        result = minitorch.where(taken, d * v, result)
        waiting = waiting & ~taken & (alpha == alpha)
    boost = minitorch.rand_like(alpha).clamp(min=1e-300) ** (1 / alpha)
    value = minitorch.where(small, result * boost, result)
    sample = value.to(concentration.dtype).clamp(min=tiny(concentration.dtype))
    if not concentration.requires_grad:
        return sample
    slope = _derivative(value.clamp(min=1e-300), alpha).to(concentration.dtype)
    return sample + (concentration - concentration.detach()) * slope


def _derivative(x: Tensor, alpha: Tensor) -> Tensor:
    r"""dx/dα for a gamma variable whose probability :math:`P(\alpha, x)` stays: :math:`-\partial_\alpha P / p(x)`.

    P is :math:`x^\alpha e^{-x} \sum_n x^n / \Gamma(\alpha + n + 1)`, differentiated term by term; for large α the
    variable is nearly :math:`\alpha (1 - 1 / 9\alpha + z / 3 \sqrt\alpha)^3` of a fixed z (Wilson and Hilferty).
    """
    a = alpha.clamp(max=LARGE)
    log_x, total = x.log(), minitorch.zeros_like(x)
    log_term = a * log_x - x - (a + 1).lgamma()
    psi = (a + 1).digamma()
    for n in range(TERMS):
        total = total + log_term.exp() * (log_x - psi)
        log_term = log_term + log_x - (a + n + 1).log()
        psi = psi + 1 / (a + n + 1)
    density = ((a - 1) * log_x - x - a.lgamma()).exp().clamp(min=1e-300)
    series = -total / density
    root = (x / alpha) ** (1 / 3)
    z = (root - 1 + 1 / (9 * alpha)) * 3 * alpha.sqrt()
    cube = root**3 + 3 * root**2 * (1 / (9 * alpha) - z / (6 * alpha.sqrt()))
    return minitorch.where((alpha < LARGE) & (x < 0.5 * TERMS), series, cube)


class Gamma(ExponentialFamily):
    r"""Waiting for `concentration` events that happen at a `rate`.

    .. math:: p(x) = \frac{\beta^\alpha}{\Gamma(\alpha)} x^{\alpha - 1} e^{-\beta x}

    >>> minitorch.distributions.Gamma(2.0, 1.0).log_prob(minitorch.tensor(1.0))
    tensor(-1.)
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, (), validate_args)

    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate.pow(2))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        shape = self._extended_shape(sample_shape)
        return standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        alpha, rate = self.concentration, self.rate
        return minitorch.xlogy(alpha, rate) + minitorch.xlogy(alpha - 1, value) - rate * value - alpha.lgamma()

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        alpha = self.concentration
        return alpha - self.rate.log() + alpha.lgamma() + (1.0 - alpha) * alpha.digamma()


class Chi2(Gamma):
    """The sum of `df` squared normal variables."""

    arg_constraints: ClassVar[dict[str, Any]] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        df, = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args)

    df = property(lambda self: self.concentration * 2)


class Dirichlet(ExponentialFamily):
    """Probabilities: gamma variables divided by their sum.

    Args:
        concentration: of each, along the last dimension.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors of shape ``sample_shape + batch_shape + (K,)``."""
        gammas = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        return gammas / gammas.sum(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        c = self.concentration
        return minitorch.xlogy(c - 1.0, value).sum(-1) + c.sum(-1).lgamma() - c.lgamma().sum(-1)

    mean = property(lambda self: self.concentration / self.concentration.sum(-1, keepdim=True))

    @property
    def mode(self) -> Tensor:
        """The likeliest probabilities."""
        less = (self.concentration - 1).clamp(min=0.0)
        mode = less / less.sum(-1, True)
        corner = (self.concentration < 1).all(-1, keepdim=True)
        first = mode.argmax(-1, keepdim=True) == minitorch.arange(mode.shape[-1], device=mode.device)
        return minitorch.where(corner, first.to(mode.dtype), mode)

    @property
    def variance(self) -> Tensor:
        """The entries' variances."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        c, k = self.concentration, self.concentration.shape[-1]
        total = c.sum(-1)
        return (c.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma()
                - ((c - 1.0) * c.digamma()).sum(-1))


class StudentT(Distribution):
    """A normal variable divided by a standard deviation that was estimated with `df` degrees of freedom."""

    arg_constraints: ClassVar[dict[str, Any]] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, (), validate_args)

    mean = property(lambda self: minitorch.where(self.df > 1, self.loc, math.nan))
    mode = property(lambda self: self.loc)

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        heavy = minitorch.where(self.df > 1, math.inf, math.nan)
        usual = self.scale**2 * self.df / (self.df - 2)
        return minitorch.where(self.df > 2, usual, heavy).to(self.df.dtype)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        return self.loc + self.scale * x * (self._chi2.rsample(sample_shape) / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        y = (value - self.loc) / self.scale
        constant = (self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi) + (0.5 * self.df).lgamma()
                    - (0.5 * (self.df + 1.0)).lgamma())
        return -0.5 * (self.df + 1.0) * (y**2.0 / self.df).log1p() - constant

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + more * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta
