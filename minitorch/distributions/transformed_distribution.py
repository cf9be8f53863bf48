"""Distributions of functions of random variables."""

from __future__ import annotations

from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from .distribution import Distribution
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .utils import sum_rightmost


class TransformedDistribution(Distribution):
    r"""The distribution of :math:`f(x)` for a random :math:`x` and an invertible :math:`f`.

    .. math:: \log p(y) = \log p_x(f^{-1}(y)) - \log |f'(f^{-1}(y))|

    Args:
        base_distribution: that of :math:`x`.
        transforms: one, or a list to apply one after another.

    >>> d = minitorch.distributions
    >>> squashed = d.TransformedDistribution(d.Normal(0.0, 1.0), d.transforms.TanhTransform())
    >>> squashed.log_prob(minitorch.tensor(0.0))
    tensor(-0.9189)
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        chain = ComposeTransform(self.transforms)
        base_shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        shape = base_shape
        for transform in self.transforms:
            shape = tuple(transform.forward_shape(shape))
        before = base_shape
        parameters = [t for t in self.transforms if hasattr(t, "loc") or hasattr(t, "scale")]
        for transform in parameters:  # their parameters may be larger than the base
            for value in (getattr(transform, "loc", None), getattr(transform, "scale", None)):
                if isinstance(value, Tensor):
                    before = tuple(minitorch.broadcast_shapes(before, value.shape))
        if before != base_shape and shape == base_shape:
            extra = len(base_distribution.event_shape)
            base_distribution = base_distribution.expand(before[: len(before) - extra])
            shape = before
        dims = max([len(base_distribution.event_shape), chain.event_dim,
                    *(transform.codomain.event_dim for transform in self.transforms)])
        needed = chain.event_dim - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, needed) if needed > 0 else base_distribution
        cut = len(shape) - dims
        super().__init__(shape[:cut], shape[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base distribution's samples can be differentiated."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Any:
        """What the last transform gives."""
        if not self.transforms:
            return self.base_dist.support
        codomain = self.transforms[-1].codomain
        extra = len(self.event_shape) - codomain.event_dim
        from . import constraints

        return constraints.independent(codomain, extra) if extra > 0 else codomain

    def expand(self, batch_shape: Any, _instance: Any = None) -> Distribution:
        """The same for a larger `batch_shape`."""
        new = super().expand(batch_shape)
        shape = (*batch_shape, *self.event_shape)
        for transform in reversed(self.transforms):
            shape = tuple(transform.inverse_shape(shape))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        return new

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape + event_shape``."""
        with minitorch.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """`sample`, differentiable with respect to the parameters."""
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        dims, total, y = len(self.event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), dims - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))

    def _rises(self) -> Any:
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one, where all transforms rise or fall."""
        self._validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        return self._forward(self.base_dist.icdf(self._turned(value)))

    def _turned(self, probability: Tensor) -> Tensor:
        sign = self._rises()
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
