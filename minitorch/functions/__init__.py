"""Functions of `minitorch` that are easier said in Python than in the engine, a file a subject.

The convention is the engine's: every name in a file's ``__all__`` is a function of `minitorch`, and those whose first
parameter is called ``input`` are methods of `Tensor` too, unless the class has one of that name.
"""

from __future__ import annotations

from .._ext import pointwise as _pointwise
from .._tensor import Tensor
from . import comparing, complex_numbers, shaping, spectral

SUBJECTS = (comparing, complex_numbers, shaping, spectral)


def _first_parameter(function: object) -> str | None:
    code = getattr(function, "__code__", None)
    return code.co_varnames[0] if code is not None and code.co_argcount else None


for _subject in SUBJECTS:
    for _name in _subject.__all__:
        _function = getattr(_subject, _name)
        globals()[_name] = _function
        if _first_parameter(_function) == "input" and _name not in vars(Tensor):
            setattr(Tensor, _name, _function)
del _subject, _name, _function

__all__ = [name for subject in SUBJECTS for name in subject.__all__]


def _where(self, condition, other):
    """``self`` where the condition is True, ``other`` elsewhere."""
    return comparing.where(condition, self, other)


def _polygamma(self, n):
    """`minitorch.polygamma` of order ``n``."""
    return _pointwise.polygamma(n, self)


Tensor.where, Tensor.polygamma = _where, _polygamma
