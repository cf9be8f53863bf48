"""Coins."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .distribution import Distribution, ExponentialFamily
from .utils import binary_cross_entropy, broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits


class BinaryParameters(Distribution):
    """A probability, given by itself (`probs`) or as the logarithm of its odds (`logits`); the other is computed."""

    arg_constraints: ClassVar[dict[str, Any]] = {"probs": constraints.unit_interval, "logits": constraints.real}

    def _take(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given, *rest = broadcast_all(probs if logits is None else logits, *others)
        self.__dict__["probs" if logits is None else "logits"] = given
        self._shape = given.shape
        return tuple(rest)

    @lazy_property
    def logits(self) -> Tensor:
        """log(p / (1 - p))."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """p."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._shape


class Bernoulli(BinaryParameters, ExponentialFamily):
    """1 with probability p, and else 0.

    Args:
        probs: p.
        logits: log(p / (1 - p)), instead.

    >>> minitorch.distributions.Bernoulli(0.25).log_prob(minitorch.tensor(1.0)).exp()
    tensor(0.2500)
    """

    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._shape, (), validate_args)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self) -> Tensor:
        """The likelier value; NaN if both are."""
        return (self.probs >= 0.5).to(self.probs.dtype).masked_fill(self.probs == 0.5, float("nan"))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        with minitorch.no_grad():
            return minitorch.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        return -binary_cross_entropy(self.logits, value)

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return binary_cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1."""
        return self._all_values(minitorch.arange(2, dtype=self.probs.dtype, device=self.probs.device), expand)


class RelaxedBernoulli(BinaryParameters):
    """A soft coin, whose samples can be differentiated: the lower the temperature the closer to 0 or 1.

    Source: Maddison, Mnih and Teh, *The concrete distribution*, arXiv:1611.00712.
    """

    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature if isinstance(temperature, Tensor) else minitorch.tensor(float(temperature))
        self._take(probs, logits)
        super().__init__(self._shape, (), validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        uniforms = clamp_probs(minitorch.rand(shape, dtype=probs.dtype, device=probs.device))
        noise = uniforms.log() - (-uniforms).log1p()
        return ((noise + probs.log() - (-probs).log1p()) / self.temperature).sigmoid()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        y = probs_to_logits(value, is_binary=True)
        x = self.logits - y * self.temperature
        return self.temperature.log() + x - 2 * x.exp().log1p() - y + 2 * minitorch.nn.functional.softplus(y)
