"""Functions of `minitorch` that are easier said in Python than in the engine, a file a subject.

The convention is the engine's: every name in a file's ``__all__`` is a function of `minitorch`, and those whose first
parameter is called ``input`` are methods of `Tensor` too, unless the class has one of that name; those whose first
is called ``self`` are methods only.
"""

from __future__ import annotations

import inspect

from .._ext import pointwise as _pointwise
from .._tensor import Tensor
from . import (
    calculus,
    comparing,
    complex_numbers,
    counting,
    creating,
    diagonals,
    einsum,
    gamma,
    indexing,
    joining,
    linear_algebra,
    numbers,
    ordering,
    products,
    shaping,
    spectral,
)

SUBJECTS = (
    calculus,
    comparing,
    complex_numbers,
    counting,
    creating,
    diagonals,
    einsum,
    gamma,
    indexing,
    joining,
    linear_algebra,
    numbers,
    ordering,
    products,
    shaping,
    spectral,
)
NOT_METHODS = {"bucketize", "histogramdd"}


def _first_parameter(function: object) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_varnames[0] if code is not None and code.co_argcount else None


_public: list[str] = []
for _subject in SUBJECTS:
    for _name in _subject.__all__:
        _function = getattr(_subject, _name)
        _first = _first_parameter(_function)
        if _first != "self":
            globals()[_name] = _function
            _public.append(_name)
        if _first in ("input", "self") and _name not in NOT_METHODS | vars(Tensor).keys():
            setattr(Tensor, _name, _function)
del _subject, _name, _function, _first

__all__ = _public


def _where(self, condition, other):
    """``self`` where the condition is True, ``other`` elsewhere."""
    return comparing.where(condition, self, other)


def _polygamma(self, n):
    """`minitorch.polygamma` of order ``n``."""
    return _pointwise.polygamma(n, self)


def _polygamma_(self, n):
    """`minitorch.polygamma` of order ``n``, in place."""
    return self.copy_(_pointwise.polygamma(n, self))


Tensor.where, Tensor.polygamma, Tensor.polygamma_ = _where, _polygamma, _polygamma_
Tensor.mvlgamma_ = gamma.mvlgamma_
