"""What programs ask of PyTorch's compiler.  There is none here: operations run as they are called, at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting", "reset"]

T = TypeVar("T")
_said = False


def compile(
    model: T | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> T | Callable[[T], T]:
    """The function or module itself: its results are what compiled code would give.

    Says so once in a warning, unless with ``disable=True``.  As a decorator with arguments it takes what follows.

    Raises:
        NotImplementedError: for a `backend` of one's own, which would be given a graph that nobody makes.

    >>> import minitorch
    >>> minitorch.compile(disable=True)(minitorch.sin)(minitorch.tensor(0.))
    tensor(0.)
    """
    global _said
    if callable(backend) and not disable:
        raise NotImplementedError("compile: there is no graph to give to a backend of your own: call it yourself, or "
                                  "leave `backend` out")  # fmt: skip
    if not (_said or disable):
        _said = True
        warnings.warn("compile: minitorch runs every operation at once and compiles nothing; the function is returned "
                      "as it is", UserWarning, 2)  # fmt: skip
    return (lambda model: model) if model is None else model


def disable(fn: T | None = None, recursive: bool = True, *, reason: str | None = None) -> T | Callable[[T], T]:
    """The function itself, which nothing compiles; also a decorator with arguments."""
    return (lambda fn: fn) if fn is None else fn


def is_compiling() -> bool:
    """Whether code is being compiled: never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def reset() -> None:
    """Forget what was compiled, which is nothing."""
