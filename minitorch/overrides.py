"""Classes and objects that stand in for functions: `__torch_function__` of subclasses of `Tensor`, and modes.

A call of a function of the engine, a method or an operator with a tensor of such a class among its arguments goes to
the class: ``cls.__torch_function__(func, types, args, kwargs)``, `types` being the classes that were found.  The one
that subclasses inherit calls `func` and gives its results their class:

>>> import minitorch
>>> class Metres(minitorch.Tensor):
...     pass
>>> length = minitorch.tensor([1., 2.]).as_subclass(Metres)
>>> length * 2
Metres([2., 4.])

A mode hears every call of a `with` block, whatever the arguments are.  Functions that are written in Python are not
heard as such, but what they call is.  Programs without such classes and modes pay nothing for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from . import _tensor
from ._ext import dispatch
from ._ext.tensor import with_class
from ._tensor import Tensor

__all__ = ["BaseTorchFunctionMode", "DisableTorchFunctionSubclass", "TorchFunctionMode", "handle_torch_function",
           "has_torch_function", "is_tensor_like"]

# What is asked of a tensor and does not depend on its class.
_NEVER_ASKED = dispatch.METADATA | {"get_grad_fn", "get_output_nr", "get_rng_state", "is_on_device", "is_leaf"}
# The operators, and the function or method that each is known as.
_KNOWN_AS = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__mul__": "mul", "__rmul__": "mul", "__truediv__": "div",
    "__mod__": "remainder", "__pow__": "pow", "__matmul__": "matmul", "__neg__": "neg", "__abs__": "abs",
    "__lt__": "lt", "__le__": "le", "__gt__": "gt", "__ge__": "ge", "__ne__": "ne",
    "__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_", "__itruediv__": "div_",
}  # fmt: skip
# Of the methods and properties that are written for all tensors, those that ask.
_PRIVATE = {"__repr__", "__deepcopy__", "__contains__", "__iter__"}
_PROPERTIES = ("T", "mT", "H", "mH", "data", "real", "imag")

_here = threading.local()
_installed = False


def _asked(argument: Any) -> bool:
    return _tensor.stands_in(type(argument))


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments is of a class with a `__torch_function__` of its own.

    >>> import minitorch
    >>> minitorch.overrides.has_torch_function((minitorch.ones(2), 3))
    False
    """
    return not dispatch.is_plain() and any(map(_asked, relevant_args))


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any,
                          **kwargs: Any) -> Any:
    """Let the classes of the arguments answer a call of `public_api`, subclasses before the classes they derive from.

    Raises:
        TypeError: if all of them return ``NotImplemented``.
    """
    asked: list[Any] = []
    for argument in filter(_asked, relevant_args):
        if type(argument) not in map(type, asked):
            place = next((k for k, other in enumerate(asked) if isinstance(argument, type(other))), len(asked))
            asked.insert(place, argument)
    types = tuple(map(type, asked))
    for argument in asked:
        result = type(argument).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(f"no implementation found for '{public_api.__name__}' on types that implement "
                    f"__torch_function__: {[cls.__name__ for cls in types]}")


def is_tensor_like(inp: object) -> bool:
    """Whether it is a tensor, or of a class with a `__torch_function__`.

    >>> minitorch.overrides.is_tensor_like([1.0])
    False
    """
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


class DisableTorchFunctionSubclass:
    """Inside, tensors of subclasses are taken as plain ones, in this thread.

    >>> class Metres(minitorch.Tensor):
    ...     pass
    >>> length = minitorch.ones(2).as_subclass(Metres)
    >>> with minitorch.overrides.DisableTorchFunctionSubclass():
    ...     length + 1
    tensor([2., 2.])
    """

    def __enter__(self) -> None:
        self._before = dispatch.set_plain(True)

    def __exit__(self, *exception: object) -> None:
        dispatch.set_plain(self._before)


def _in_class(cls: type[Tensor], func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...],
              kwargs: dict[str, Any]) -> Any:
    """The `__torch_function__` that is inherited."""
    if not all(issubclass(cls, other) for other in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        return _converted(func(*args, **kwargs), cls, args)


def _converted(result: Any, cls: type[Tensor], args: tuple[Any, ...]) -> Any:
    """The tensors of a result as tensors of a class."""
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return result.as_subclass(cls) if any(result is x for x in args) else with_class(cls, result)
    if isinstance(result, (list, tuple)) and any(isinstance(x, Tensor) for x in result):
        parts = [_converted(x, cls, args) for x in result]
        return result._make(parts) if hasattr(result, "_make") else type(result)(parts)
    return result


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[Any]:
    """The arguments of a call, and what is in those that are lists."""
    for argument in (*args, *kwargs.values()):
        yield argument
        if isinstance(argument, (list, tuple)):
            yield from argument


def _stand_in(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Where a call goes that a mode or a class is to hear."""
    modes = getattr(_here, "modes", [])
    if not modes:
        return handle_torch_function(func, _arguments(args, kwargs), *args, **kwargs)
    mode = modes.pop()
    dispatch.set_modes(len(modes))
    try:
        types = tuple({type(x): None for x in _arguments(args, kwargs) if _asked(x)})
        result = mode.__torch_function__(func, types, args, kwargs)
    finally:
        modes.append(mode)
        dispatch.set_modes(len(modes))
    if result is NotImplemented:
        raise TypeError(f"{type(mode).__name__}.__torch_function__ returned NotImplemented for {func.__name__}")
    return result


def _install() -> None:
    """Have the functions of the engine ask, and the methods of all subclasses, from now on."""
    global _installed
    if _installed:
        return
    _installed = True
    asked = [function for function in dispatch.engine_functions() if function.__name__ not in _NEVER_ASKED]
    methods = {name: getattr(Tensor, _KNOWN_AS.get(name, name)) for name in dispatch.operator_names()
               if hasattr(Tensor, name)}
    methods |= {name: method for name, method in vars(Tensor).items()
                if isinstance(method, FunctionType) and (not name.startswith("_") or name in _PRIVATE)}
    methods |= {name: getattr(Tensor, name) for name in _PROPERTIES}
    dispatch.override(_stand_in, _tensor._never_stands_in, asked, methods)
    for cls in Tensor.__subclasses__():                      # even of `Parameter`: what it is added to may stand in
        dispatch.override_methods(cls)


class TorchFunctionMode:
    """An object whose `__torch_function__` hears every call of the `with` blocks that it is entered in, in this thread.

    What it calls itself goes to the mode outside of it.

    >>> class Counting(minitorch.overrides.TorchFunctionMode):
    ...     calls = 0
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         self.calls += 1
    ...         return func(*args, **(kwargs or {}))
    >>> with Counting() as counting:
    ...     x = minitorch.ones(2).exp() + 1
    >>> counting.calls
    3
    """

    def __torch_function__(self, func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __torch_function__")

    def __enter__(self) -> TorchFunctionMode:
        _install()
        modes = _here.__dict__.setdefault("modes", [])
        modes.append(self)
        dispatch.set_modes(len(modes))
        dispatch.hear_operators(True)
        return self

    def __exit__(self, *exception: object) -> None:
        _here.modes.remove(self)
        dispatch.set_modes(len(_here.modes))
        dispatch.hear_operators(False)


class BaseTorchFunctionMode(TorchFunctionMode):
    """The mode that changes nothing."""

    def __torch_function__(self, func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        return func(*args, **(kwargs or {}))
