"""Automatic differentiation: replaying what was recorded."""

from .._ext.tape import backward, grad
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]


def __getattr__(name: str):
    if name == "Function":
        raise NotImplementedError("autograd.Function is not supported yet: compose differentiable operations")
    if name == "Variable":
        from .._tensor import Tensor

        return Tensor
    raise AttributeError(f"module 'minitorch.autograd' has no attribute {name!r}")
