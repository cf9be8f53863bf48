"""What programs ask of PyTorch's scripting compiler, which is not here: its marks on functions mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

__all__ = [
    "Final", "export", "ignore", "is_scripting", "is_tracing", "load", "save", "script", "script_if_tracing", "trace",
    "unused",
]

T = TypeVar("T", bound=Callable)


def is_scripting() -> bool:
    """Whether this is scripted code: never."""
    return False


def is_tracing() -> bool:
    """Whether a trace is being made: never."""
    return False


def export(fn: T) -> T:
    """Mark a method for scripting: itself."""
    return fn


unused = script_if_tracing = export


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Mark a function that is not to be scripted: itself; also a decorator with arguments."""
    return drop if callable(drop) else export


def _refuse(name: str, instead: str) -> Callable[..., NoReturn]:
    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"jit.{name}: minitorch has no TorchScript: {instead}")

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = f"Refused: {instead}."
    return refused


script = _refuse("script", "call the function or module as it is")
trace = _refuse("trace", "call the function or module as it is")
save = _refuse("save", "save the module's state_dict() by minitorch.save")
load = _refuse("load", "make the module in Python, and load its state_dict()")
