"""Turning recording off and on, for a block or for a function."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import TypeVar, overload

from .._ext.tensor import _set_grad_enabled, _set_inference_mode, is_grad_enabled

Function = TypeVar("Function", bound=Callable)


class _Mode:
    """A context manager that also decorates functions and generators; of its class an instance is made for each use."""

    def __call__(self, function: Function) -> Function:
        if isinstance(function, type):
            raise TypeError(f"{type(self).__name__} decorates functions, not the class {function.__name__}")
        if isinstance(function, types.FunctionType) and function.__code__.co_flags & 0x20:  # a generator function
            return self._decorate_generator(function)

        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self._again():
                return function(*args, **kwargs)

        return inside

    def _decorate_generator(self, function):
        @functools.wraps(function)
        def inside(*args, **kwargs):
            # the mode holds while the generator runs, not while its caller does
            generator = function(*args, **kwargs)
            sent = None
            while True:
                try:
                    with self._again():
                        value = generator.send(sent)
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield value
                except GeneratorExit:
                    generator.close()
                    raise

        return inside

    def _again(self):
        return type(self)()


class no_grad(_Mode):
    """Nothing is recorded inside: results do not require grad.

    >>> import minitorch
    >>> x = minitorch.ones(1, requires_grad=True)
    >>> with minitorch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    @overload
    def __new__(cls, function: None = None) -> no_grad: ...

    @overload
    def __new__(cls, function: Function) -> Function: ...

    def __new__(cls, function=None):
        # `@no_grad` without parentheses decorates too
        return super().__new__(cls) if function is None else super().__new__(cls)(function)

    def __enter__(self) -> None:
        self.before = _set_grad_enabled(False)

    def __exit__(self, *exception) -> None:
        _set_grad_enabled(self.before)


class enable_grad(no_grad):
    """Recording is on inside, also within `no_grad`.

    >>> import minitorch
    >>> x = minitorch.ones(1, requires_grad=True)
    >>> with minitorch.no_grad(), minitorch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    def __enter__(self) -> None:
        self.before = _set_grad_enabled(True)


class set_grad_enabled(_Mode):
    """Turn recording on or off, from now on or inside a ``with``.

    >>> import minitorch
    >>> with minitorch.set_grad_enabled(False):
    ...     minitorch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before = _set_grad_enabled(mode)

    def __call__(self, function: Function) -> Function:
        _set_grad_enabled(self.before)
        return super().__call__(function)

    def _again(self):
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        _set_grad_enabled(self.mode)

    def __exit__(self, *exception) -> None:
        _set_grad_enabled(self.before)


class inference_mode(_Mode):
    """Nothing is recorded inside, and the tensors that are made there can never become part of a graph.

    Changes of those are not counted either; see `is_inference`.  ``inference_mode(False)`` ends an outer one.

    >>> import minitorch
    >>> with minitorch.inference_mode():
    ...     minitorch.is_grad_enabled()
    False
    """

    @overload
    def __new__(cls, mode: bool = True) -> inference_mode: ...

    @overload
    def __new__(cls, mode: Function) -> Function: ...

    def __new__(cls, mode=True):
        if callable(mode):
            return super().__new__(cls)(mode)
        return super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _again(self):
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        grad = is_grad_enabled()
        self.before = _set_inference_mode(self.mode), grad

    def __exit__(self, *exception) -> None:
        _set_inference_mode(self.before[0])
        _set_grad_enabled(self.before[1])
