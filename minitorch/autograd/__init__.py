"""Automatic differentiation: replaying what was recorded, and everything around it."""

from .._ext.tape import backward, grad
from . import function, graph
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function",
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
    if name == "Variable":
        from .._tensor import Tensor

        return Tensor
    raise AttributeError(f"module 'minitorch.autograd' has no attribute {name!r}")
