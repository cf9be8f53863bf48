"""`Variable`, which tensors that can be differentiated were called once."""

from __future__ import annotations

from .._tensor import Tensor

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor, requires_grad=True)``: the tensor's memory as a leaf; old programs write it.

    >>> import minitorch
    >>> x = minitorch.autograd.Variable(minitorch.ones(2), requires_grad=True)
    >>> x.requires_grad, isinstance(x, minitorch.autograd.Variable)
    (True, True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = False, volatile: bool | None = None) -> Tensor:
        if data is None:
            return Tensor().requires_grad_(requires_grad)
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            raise NotImplementedError("Variable: volatile is gone from PyTorch too: use no_grad()")
        return data.detach().requires_grad_(requires_grad)
