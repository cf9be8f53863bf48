"""Automatic differentiation: replaying what was recorded, and everything around it."""

from .._ext.tape import backward, grad
from . import function, graph
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .variable import Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "enable_grad",
    "function",
    "grad",
    "graph",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]


def __getattr__(name: str):
    # those that build upon the whole package, imported when they are asked for
    if name in ("forward_ad",):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'minitorch.autograd' has no attribute {name!r}")
