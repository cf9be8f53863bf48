"""Distributions of whole numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .bernoulli import BinaryParameters
from .categorical import Categorical
from .distribution import Distribution, ExponentialFamily
from .gamma import Gamma
from .utils import binary_cross_entropy, broadcast_all, tiny


class Geometric(BinaryParameters):
    """How often a coin fails before it first succeeds."""

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._shape, (), validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError("Expected parameter probs of distribution Geometric to be positive, but found invalid "
                             f"values:\n{self.probs}")

    mean = property(lambda self: 1.0 / self.probs - 1.0)
    mode = property(lambda self: minitorch.zeros_like(self.probs))
    variance = property(lambda self: (1.0 / self.probs - 1.0) / self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        with minitorch.no_grad():
            u = minitorch.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype, device=self.probs.device)
            return (u.clamp(min=tiny(u.dtype)).log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        probs = self.probs.masked_fill((self.probs == 1) & (value == 0), 0)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return binary_cross_entropy(self.logits, self.probs) / self.probs


class Poisson(ExponentialFamily):
    """How many events happen that happen at a `rate`."""

    arg_constraints: ClassVar[dict[str, Any]] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self.rate, = broadcast_all(rate)
        super().__init__(self.rate.shape, (), validate_args)

    mean = variance = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        with minitorch.no_grad():
            return minitorch.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        return minitorch.xlogy(value, self.rate) - self.rate - (value + 1).lgamma()


class Binomial(BinaryParameters):
    """How many of `total_count` coins show 1."""

    arg_constraints: ClassVar[dict[str, Any]] = {
        "total_count": constraints.nonnegative_integer, **BinaryParameters.arg_constraints}
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.total_count, = self._take(probs, logits, total_count)
        super().__init__(self._shape, (), validate_args)

    @constraints.dependent_property(is_discrete=True)
    def support(self) -> Any:
        """From 0 to total_count."""
        return constraints.integer_interval(0, self.total_count)

    mean = property(lambda self: self.total_count * self.probs)
    mode = property(lambda self: ((self.total_count + 1) * self.probs).floor().minimum(self.total_count))
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        shape = self._extended_shape(sample_shape)
        with minitorch.no_grad():
            return minitorch.binomial(self.total_count.expand(shape).to(self.probs.dtype), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return ways + value * logits - n * (logits.clamp(min=0) + (-logits.abs()).exp().log1p())

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        if not (self.total_count == self.total_count.max()).all():
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The numbers from 0 to total_count."""
        if not (self.total_count == self.total_count.max()).all():
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        return self._all_values(minitorch.arange(1 + int(self.total_count.max()), dtype=self.probs.dtype), expand)


class NegativeBinomial(BinaryParameters):
    """How many successes before `total_count` failures."""

    arg_constraints: ClassVar[dict[str, Any]] = {
        "total_count": constraints.nonnegative, "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
                 ) -> None:
        self.total_count, = self._take(probs, logits, total_count)
        super().__init__(self._shape, (), validate_args)

    mean = property(lambda self: self.total_count * self.logits.exp())
    mode = property(lambda self: ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0))
    variance = property(lambda self: self.mean / (-self.logits).sigmoid())

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        with minitorch.no_grad():
            return minitorch.poisson(Gamma(self.total_count, (-self.logits).exp(), False).sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        n, logsigmoid = self.total_count, minitorch.nn.functional.logsigmoid
        ways = (n + value).lgamma() - (1.0 + value).lgamma() - n.lgamma()
        ways = ways.masked_fill(n + value == 0.0, 0.0)
        return n * logsigmoid(-self.logits) + value * logsigmoid(self.logits) + ways


class Multinomial(Distribution):
    """How often each of K comes among `total_count` draws."""

    arg_constraints: ClassVar[dict[str, Any]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count, self._categorical = total_count, Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], False)
        self._validate_args = Distribution._validate_args if validate_args is None else validate_args

    logits = property(lambda self: self._categorical.logits)
    probs = property(lambda self: self._categorical.probs)
    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that sum to total_count."""
        return constraints.multinomial(self.total_count)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Counts of shape ``sample_shape + batch_shape + (K,)``."""
        drawn = self._categorical.sample((self.total_count, *sample_shape)).unsqueeze(-1)
        return (drawn == minitorch.arange(self.event_shape[0], device=drawn.device)).sum(0).to(self.probs.dtype)

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        n, total = self.probs.new_tensor(float(self.total_count)), self.total_count
        counts = Binomial(total, self.probs).enumerate_support(False)[1:]
        weights = Binomial(total, self.probs).log_prob(counts).exp()
        return total * self._categorical.entropy() - (n + 1).lgamma() + (weights * (counts + 1).lgamma()).sum((0, -1))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        logits, value = minitorch.broadcast_tensors(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -float("inf")), 0)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)
