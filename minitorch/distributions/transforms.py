"""Invertible functions that make distributions from others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch.nn import functional as F

from . import constraints
from .constraints import Constraint
from .utils import sum_rightmost, tiny


class Transform:
    """A function, its inverse, and the logarithm of how much it stretches: a subclass defines the three.

    Args:
        cache_size: 1 keeps the last argument and result, so that the inverse of a result is exact.
    """

    bijective = False
    domain: Constraint = constraints.real
    codomain: Constraint = constraints.real

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._cached: tuple[Any, Any] = (None, None)

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and x is self._cached[0]:
            return self._cached[1]
        y = self._call(x)
        self._cached = (x, y) if self._cache_size else (None, None)
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and y is self._cached[1]:
            return self._cached[0]
        x = self._inverse(y)
        self._cached = (x, y) if self._cache_size else (None, None)
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm of the derivative's size, at an argument and its result."""
        raise NotImplementedError

    @property
    def inv(self) -> Transform:
        """The inverse."""
        return _Inverse(self)

    @property
    def event_dim(self) -> int:
        """How many dimensions of the argument it changes as one."""
        return self.domain.event_dim

    def forward_shape(self, shape: Any) -> Any:
        """The shape of the result."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of the argument."""
        return shape

    def __repr__(self) -> str:
        return type(self).__name__ + "()"


class _Inverse(Transform):
    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self.bijective, self._forward = transform.bijective, transform
        self.domain, self.codomain = transform.codomain, transform.domain

    @property
    def sign(self) -> Any:
        """Whether it rises or falls: as the transform."""
        return self._forward.sign

    @property
    def inv(self) -> Transform:
        return self._forward

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._forward.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._forward!r})"


class ComposeTransform(Transform):
    """One after another."""

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = list(parts)
        self.bijective = all(part.bijective for part in self.parts)
        if self.parts:
            self.domain, self.codomain = self.parts[0].domain, self.parts[-1].codomain

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    @property
    def event_dim(self) -> int:
        return max((part.event_dim for part in self.parts), default=0)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.parts:
            return minitorch.zeros_like(x)
        total: Any = 0
        for part in self.parts:
            following = part(x)
            total = total + sum_rightmost(part.log_abs_det_jacobian(x, following), self.event_dim - part.event_dim)
            x = following
        return total

    def __repr__(self) -> str:
        return f"ComposeTransform({self.parts!r})"


class IndependentTransform(Transform):
    """A transform whose last dimensions count as one value."""

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.base_transform, self.reinterpreted_batch_ndims = base_transform, reinterpreted_batch_ndims
        self.bijective = base_transform.bijective
        self.domain = constraints.independent(base_transform.domain, reinterpreted_batch_ndims)
        self.codomain = constraints.independent(base_transform.codomain, reinterpreted_batch_ndims)

    def _call(self, x: Tensor) -> Tensor:
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.base_transform._inv_call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)


class ReshapeTransform(Transform):
    """Another shape of the value."""

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError("in_shape, out_shape have different numbers of elements")
        self.domain = constraints.independent(constraints.real, len(self.in_shape))
        self.codomain = constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Any) -> Any:
        return (*shape[: len(shape) - len(self.in_shape)], *self.out_shape)

    def inverse_shape(self, shape: Any) -> Any:
        return (*shape[: len(shape) - len(self.out_shape)], *self.in_shape)


class ExpTransform(Transform):
    """exp."""

    bijective, codomain, sign = True, constraints.positive, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """A power of positive numbers."""

    bijective, domain, codomain = True, constraints.positive, constraints.positive

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent if isinstance(exponent, Tensor) else minitorch.tensor(float(exponent))

    @property
    def sign(self) -> Any:
        """Whether it rises or falls."""
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()


class SigmoidTransform(Transform):
    """The logistic function; its inverse is the logit."""

    bijective, codomain, sign = True, constraints.unit_interval, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.sigmoid().clamp(min=tiny(x.dtype), max=1.0 - minitorch.finfo(x.dtype).eps)

    def _inverse(self, y: Tensor) -> Tensor:
        y = y.clamp(min=tiny(y.dtype), max=1.0 - minitorch.finfo(y.dtype).eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -F.softplus(-x) - F.softplus(x)


class SoftplusTransform(Transform):
    """log(1 + exp(x))."""

    bijective, codomain, sign = True, constraints.positive, 1

    def _call(self, x: Tensor) -> Tensor:
        return F.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -F.softplus(-x)


class TanhTransform(Transform):
    """tanh, the squashing of actions in reinforcement learning."""

    bijective, codomain, sign = True, constraints.interval(-1.0, 1.0), 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - F.softplus(-2.0 * x))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TanhTransform)

    __hash__ = Transform.__hash__


class AbsTransform(Transform):
    """The absolute value, whose inverse is taken to be positive."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """loc + scale x."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim
        self.domain = self.codomain = constraints.independent(constraints.real, event_dim)

    @property
    def sign(self) -> Any:
        """Whether it rises or falls."""
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale if isinstance(self.scale, Tensor) else x.new_tensor(float(self.scale))
        return sum_rightmost(scale.abs().log().expand(x.shape), self._event_dim)


class SoftmaxTransform(Transform):
    """softmax, which is not invertible: its inverse is the logarithm."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(Transform):
    """From real vectors to probabilities of one more entry: each takes a part of what is left."""

    bijective, domain, codomain = True, constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        offset = x.shape[-1] + 1 - minitorch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
        part = (x - offset.log()).sigmoid().clamp(min=tiny(x.dtype), max=1.0 - minitorch.finfo(x.dtype).eps)
        left = (1 - part).cumprod(-1)
        one = minitorch.ones_like(x[..., :1])
        return minitorch.cat([part, one], -1) * minitorch.cat([one, left], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        kept = y[..., :-1]
        offset = y.shape[-1] - minitorch.arange(1, kept.shape[-1] + 1, dtype=y.dtype, device=y.device)
        left = (1 - kept.cumsum(-1)).clamp(min=tiny(y.dtype))
        return kept.log() - left.log() + offset.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        offset = x.shape[-1] + 1 - minitorch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
        x = x - offset.log()
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: Any) -> Any:
        return (*shape[:-1], shape[-1] - 1)


class LowerCholeskyTransform(Transform):
    """From square matrices to lower triangles with a positive diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n = x.shape[-1]
        columns = minitorch.arange(n, device=x.device).unsqueeze(0)
        rows = columns.mT
        eye = (rows == columns).to(x.dtype)
        return x * (rows > columns).to(x.dtype), x.diagonal(dim1=-2, dim2=-1), eye

    def _call(self, x: Tensor) -> Tensor:
        below, diagonal, eye = self._parts(x)
        return below + eye * diagonal.exp().unsqueeze(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        below, diagonal, eye = self._parts(y)
        return below + eye * diagonal.log().unsqueeze(-1)


identity_transform = ComposeTransform([])


def biject_to(constraint: Constraint) -> Transform:
    """An invertible transform from all real numbers to a constrained set."""
    if isinstance(constraint, type(constraints.real_vector)):
        return IndependentTransform(biject_to(constraint.base_constraint), constraint.reinterpreted_batch_ndims)
    if constraint is constraints.simplex:
        return StickBreakingTransform()
    return _to(constraint)


def transform_to(constraint: Constraint) -> Transform:
    """A transform from all real numbers to a constrained set, which need not be invertible.

    >>> minitorch.distributions.transform_to(minitorch.distributions.constraints.positive)(minitorch.tensor(0.0))
    tensor(1.)
    """
    if isinstance(constraint, type(constraints.real_vector)):
        return IndependentTransform(transform_to(constraint.base_constraint), constraint.reinterpreted_batch_ndims)
    if constraint is constraints.simplex:
        return SoftmaxTransform()
    return _to(constraint)


def _to(constraint: Constraint) -> Transform:
    if constraint is constraints.real:
        return identity_transform
    if constraint is constraints.lower_cholesky:
        return LowerCholeskyTransform()
    low, high = getattr(constraint, "lower_bound", None), getattr(constraint, "upper_bound", None)
    if constraint.is_discrete or (low is None and high is None):
        raise NotImplementedError(f"there is no transform from real numbers to {constraint!r}")
    if low is None:
        return ComposeTransform([ExpTransform(), AffineTransform(high, -1)])
    if high is None:
        numbers = isinstance(low, (int, float)) and low == 0
        return ExpTransform() if numbers else ComposeTransform([ExpTransform(), AffineTransform(low, 1)])
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low == 0 and high == 1:
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])
