"""The beta distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .distribution import ExponentialFamily
from .gamma import Dirichlet
from .utils import broadcast_all


class Beta(ExponentialFamily):
    r"""A probability about which is known what `concentration1` ones and `concentration0` zeros tell.

    .. math:: p(x) = \frac{\Gamma(\alpha + \beta)}{\Gamma(\alpha) \Gamma(\beta)} x^{\alpha - 1} (1 - x)^{\beta - 1}

    >>> minitorch.distributions.Beta(2.0, 2.0).log_prob(minitorch.tensor(0.5)).exp()
    tensor(1.5000)
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        ones, zeros = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(minitorch.stack([ones, zeros], -1), validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, (), validate_args)

    concentration1 = property(lambda self: self._dirichlet.concentration[..., 0])
    concentration0 = property(lambda self: self._dirichlet.concentration[..., 1])
    mean = property(lambda self: self.concentration1 / (self.concentration1 + self.concentration0))
    mode = property(lambda self: self._dirichlet.mode[..., 0])

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape``."""
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self._dirichlet.log_prob(minitorch.stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return self._dirichlet.entropy()
