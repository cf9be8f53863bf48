"""One of several."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .distribution import Distribution
from .utils import clamp_probs, lazy_property, logits_to_probs, probs_to_logits


class Categorical(Distribution):
    """The numbers 0 to K - 1 with given probabilities.

    Args:
        probs: the probabilities, along the last dimension; they are divided by their sum.
        logits: their logarithms, up to a constant, instead.

    >>> policy = minitorch.distributions.Categorical(minitorch.tensor([1.0, 1.0, 2.0]))
    >>> policy.log_prob(minitorch.tensor(2)).exp(), policy.entropy()
    (tensor(0.5000), tensor(1.0397))
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = probs if logits is None else logits
        if given.ndim < 1:
            raise ValueError(f"`{'probs' if logits is None else 'logits'}` parameter must be at least one-dimensional.")
        if logits is None:
            self.__dict__["probs"] = probs / probs.sum(-1, keepdim=True)
        else:
            self.__dict__["logits"] = logits - logits.logsumexp(-1, keepdim=True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], (), validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self.__dict__.get("probs", self.__dict__.get("logits")).shape

    @constraints.dependent_property(is_discrete=True)
    def support(self) -> Any:
        """The numbers from 0 to K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    mean = property(lambda self: self.probs.new_full(self._extended_shape(), float("nan")))
    variance = property(lambda self: self.probs.new_full(self._extended_shape(), float("nan")))
    mode = property(lambda self: self.probs.argmax(-1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Numbers, int64, of shape ``sample_shape + batch_shape``."""
        sample_shape = minitorch.Size(sample_shape)
        with minitorch.no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            return minitorch.multinomial(rows, sample_shape.numel(), True).T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        shape = minitorch.broadcast_shapes(value.shape[:-1], self.logits.shape[:-1])
        logits, value = self.logits.expand((*shape, self._num_events)), value.expand((*shape, 1))
        return logits.gather(-1, value).squeeze(-1)

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return -(self.logits.clamp(min=minitorch.finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The numbers from 0 to K - 1."""
        return self._all_values(minitorch.arange(self._num_events, device=self.logits.device), expand)


class OneHotCategorical(Distribution):
    """`Categorical`, whose values are vectors with a 1 at their number and 0 elsewhere."""

    arg_constraints: ClassVar[dict[str, Any]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits, validate_args)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], False)
        self._validate_args = self._categorical._validate_args

    logits = property(lambda self: self._categorical.logits)
    probs = property(lambda self: self._categorical.probs)
    param_shape = property(lambda self: self._categorical.param_shape)
    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))
    mode = property(lambda self: self._encode(self._categorical.mode))

    def _encode(self, number: Tensor) -> Tensor:
        values = minitorch.arange(self.event_shape[0], device=number.device)
        return (number.unsqueeze(-1) == values).to(self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors of shape ``sample_shape + batch_shape + (K,)``."""
        return self._encode(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The K vectors."""
        n = self.event_shape[0]
        values = minitorch.eye(n, dtype=self.probs.dtype, device=self.probs.device)
        values = values.view((n, *(1,) * len(self.batch_shape), n))
        return values.expand((n, *self.batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical`, whose samples pass their gradients on to the probabilities.

    Source: Bengio, Léonard and Courville, arXiv:1308.3432.
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors, with the derivative of the probabilities."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class RelaxedOneHotCategorical(Distribution):
    """Gumbel-softmax: soft one-hot vectors, whose samples can be differentiated.

    Args:
        temperature: the lower the closer to one-hot.

    Source: Jang, Gu and Poole, arXiv:1611.01144; Maddison, Mnih and Teh, arXiv:1611.00712.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits, validate_args)
        self.temperature = temperature if isinstance(temperature, Tensor) else minitorch.tensor(float(temperature))
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], False)
        self._validate_args = self._categorical._validate_args

    logits = property(lambda self: self._categorical.logits)
    probs = property(lambda self: self._categorical.probs)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors of shape ``sample_shape + batch_shape + (K,)``."""
        shape = self._extended_shape(sample_shape)
        uniforms = clamp_probs(minitorch.rand(shape, dtype=self.logits.dtype, device=self.logits.device))
        scores = (self.logits.expand(shape) - (-(uniforms.log())).log()) / self.temperature
        return (scores - scores.logsumexp(-1, keepdim=True)).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        n, logs = self.event_shape[0], value.log()
        score = self.logits - logs * self.temperature
        constant = self.logits.new_tensor(float(n)).lgamma() + (n - 1) * self.temperature.log()
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + constant - logs.sum(-1)
