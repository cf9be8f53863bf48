"""Mixtures."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from .categorical import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """One of several distributions of a kind, drawn at random.

    Args:
        mixture_distribution: which, a `Categorical`.
        component_distribution: the distributions, along the last batch dimension.

    >>> d = minitorch.distributions
    >>> mixture = d.MixtureSameFamily(d.Categorical(minitorch.ones(2)), d.Normal(minitorch.tensor([-1.0, 1.0]), 0.5))
    >>> mixture.mean, mixture.variance
    (tensor(0.), tensor(1.2500))
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        shape, n = component_distribution.batch_shape, mixture_distribution.param_shape[-1]
        if shape[-1] != n:
            raise ValueError(f"`mixture_distribution` component ({n}) does not equal "
                             f"`component_distribution.batch_shape[-1]` ({shape[-1]})")
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._event_dims = len(component_distribution.event_shape)
        super().__init__(shape[:-1], component_distribution.event_shape, validate_args)

    mixture_distribution = property(lambda self: self._mixture_distribution)
    component_distribution = property(lambda self: self._component_distribution)
    support = property(lambda self: self._component_distribution.support)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Distribution:
        """The same for a larger `batch_shape`."""
        n = self.mixture_distribution.param_shape[-1]
        return MixtureSameFamily(self.mixture_distribution.expand(batch_shape),
                                 self.component_distribution.expand((*batch_shape, n)), self._validate_args)

    def _weights(self) -> Tensor:
        probs = self.mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_dims))

    @property
    def mean(self) -> Tensor:
        """The mean of the means."""
        return (self._weights() * self.component_distribution.mean).sum(-1 - self._event_dims)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances, and the variance of the means."""
        dim, weights = -1 - self._event_dims, self._weights()
        away = self.component_distribution.mean - self.mean.unsqueeze(dim)
        return (weights * self.component_distribution.variance).sum(dim) + (weights * away.pow(2)).sum(dim)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape + event_shape``."""
        with minitorch.no_grad():
            which = self.mixture_distribution.sample(sample_shape)
            values = self.component_distribution.sample(sample_shape)
            dim = values.ndim - 1 - self._event_dims
            which = which.reshape((*which.shape, *(1,) * (self._event_dims + 1)))
            shape = (*values.shape[:dim], 1, *values.shape[dim + 1:])
            return values.gather(dim, which.expand(shape)).squeeze(dim)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        parts = self.component_distribution.log_prob(value.unsqueeze(-1 - self._event_dims))
        return (parts + self.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one."""
        self._validate_sample(value)
        return (self.component_distribution.cdf(value.unsqueeze(-1)) * self.mixture_distribution.probs).sum(-1)
