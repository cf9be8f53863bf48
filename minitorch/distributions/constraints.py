"""What the values and the parameters of distributions must satisfy."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor


class Constraint:
    """A set of values: `check` says which are in it.

    Attributes:
        is_discrete: whether the values are whole numbers.
        event_dim: how many trailing dimensions make up one value.
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is in the set."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__.lstrip("_") + "()"


class _Real(Constraint):
    def check(self, value: Tensor) -> Tensor:
        return value == value  # all but NaN


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _Bounded(Constraint):
    """Between bounds, either of which may be missing or belong to the set."""

    def __init__(self, low: Any = None, high: Any = None, *, open_low: bool = False, open_high: bool = False,
                 whole: bool = False, name: str = "Interval") -> None:
        self.lower_bound, self.upper_bound, self.is_discrete = low, high, whole
        self.open_low, self.open_high, self.name = open_low, open_high, name

    def check(self, value: Tensor) -> Tensor:
        inside = (value % 1 == 0) if self.is_discrete else value == value
        if self.lower_bound is not None:
            inside = inside & (value > self.lower_bound if self.open_low else value >= self.lower_bound)
        if self.upper_bound is not None:
            inside = inside & (value < self.upper_bound if self.open_high else value <= self.upper_bound)
        return inside

    def __repr__(self) -> str:
        bounds = {"lower_bound": self.lower_bound, "upper_bound": self.upper_bound}
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in bounds.items() if value is not None)})"


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """From `lower_bound` to `upper_bound`, both included."""
    return _Bounded(lower_bound, upper_bound)


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """From `lower_bound`, included, to `upper_bound`, excluded."""
    return _Bounded(lower_bound, upper_bound, open_high=True, name="HalfOpenInterval")


def greater_than(lower_bound: Any) -> Constraint:
    """Above `lower_bound`."""
    return _Bounded(lower_bound, open_low=True, name="GreaterThan")


def greater_than_eq(lower_bound: Any) -> Constraint:
    """`lower_bound` or above."""
    return _Bounded(lower_bound, name="GreaterThanEq")


def less_than(upper_bound: Any) -> Constraint:
    """Below `upper_bound`."""
    return _Bounded(None, upper_bound, open_high=True, name="LessThan")


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers from `lower_bound` to `upper_bound`, both included."""
    return _Bounded(lower_bound, upper_bound, whole=True, name="IntegerInterval")


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _OneHot(Constraint):
    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Multinomial(Constraint):
    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class _LowerTriangular(Constraint):
    event_dim = 2
    positive = False

    def check(self, value: Tensor) -> Tensor:
        n = value.shape[-1]
        places = minitorch.arange(n, device=value.device)
        above = places.unsqueeze(0) > places.unsqueeze(1)
        fits = (value.masked_fill(~above, 0) == 0).all(-1).all(-1)
        return fits & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1) if self.positive else fits


class _LowerCholesky(_LowerTriangular):
    positive = True


class _PositiveDefinite(Constraint):
    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        symmetric = ((value - value.mT).abs() < 1e-6).all(-1).all(-1)
        return symmetric & (minitorch.linalg.cholesky_ex(value).info == 0)


class _Independent(Constraint):
    """A constraint whose last dimensions belong to one value."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        fits = self.base_constraint.check(value)
        for _ in range(self.reinterpreted_batch_ndims):
            fits = fits.all(-1)
        return fits

    def __repr__(self) -> str:
        return f"Independent({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class _Dependent(Constraint):
    """A set that depends on other parameters, and so is not checked by itself."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim


class dependent_property(property):
    """A property of a distribution that is a constraint; of the class itself, `dependent`."""

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> dependent_property:
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint cannot be checked by itself."""
    return isinstance(constraint, (_Dependent, dependent_property))


dependent = _Dependent()
real, boolean, simplex, one_hot = _Real(), _Boolean(), _Simplex(), _OneHot()
unit_interval = interval(0.0, 1.0)
positive, nonnegative = greater_than(0.0), greater_than_eq(0.0)
nonnegative_integer = _Bounded(0, whole=True, name="IntegerGreaterThan")
positive_integer = _Bounded(1, whole=True, name="IntegerGreaterThan")
independent, multinomial = _Independent, _Multinomial
real_vector = independent(real, 1)
lower_triangular, lower_cholesky, positive_definite = _LowerTriangular(), _LowerCholesky(), _PositiveDefinite()
