"""Tensors that stand for another while a transform is at work: what `vmap` and forward-mode derivatives are made of.

A transform is a listener (see `minitorch._ext.dispatch`): it hears every operation, and where one of its own wrapped
tensors is among the operands, does something else instead.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import minitorch

from .._ext import dispatch
from .._tensor import Tensor, _never_stands_in

# Python's operators, as the functions that they mean
OPERATORS: dict[Any, str] = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.truediv: "div",
    operator.floordiv: "floor_divide",
    operator.mod: "remainder",
    operator.pow: "pow",
    operator.and_: "bitwise_and",
    operator.or_: "bitwise_or",
    operator.xor: "bitwise_xor",
    operator.lshift: "bitwise_left_shift",
    operator.rshift: "bitwise_right_shift",
    operator.matmul: "matmul",
    operator.neg: "neg",
    operator.pos: "positive",
    operator.abs: "abs",
    operator.invert: "bitwise_not",
    operator.eq: "eq",
    operator.ne: "ne",
    operator.lt: "lt",
    operator.le: "le",
    operator.gt: "gt",
    operator.ge: "ge",
}
IN_PLACE_OPERATORS: dict[Any, str] = {
    operator.iadd: "add_",
    operator.isub: "sub_",
    operator.imul: "mul_",
    operator.itruediv: "div_",
    operator.ifloordiv: "floor_divide_",
    operator.imod: "remainder_",
    operator.ipow: "pow_",
    operator.iand: "bitwise_and_",
    operator.ior: "bitwise_or_",
    operator.ixor: "bitwise_xor_",
}


def named(function: Any) -> tuple[str, Any]:
    """The name that rules know a function by, and the function to call."""
    if function in OPERATORS:
        name = OPERATORS[function]
        return name, getattr(minitorch, name)
    if function in IN_PLACE_OPERATORS:
        name = IN_PLACE_OPERATORS[function]
        return name, getattr(Tensor, name)
    if function.__name__ == "unfold" and function.__module__ == "minitorch._ext.conv":
        return "im2col", function  # which is not `Tensor.unfold`
    return function.__name__, function


@cache
def signature(function: Any) -> inspect.Signature:
    """The parameters of an engine function."""
    return inspect.signature(function)


def bound(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """The arguments of a call by name, with the defaults of those that were left out."""
    arguments = signature(function).bind(*args, **kwargs)
    arguments.apply_defaults()
    return arguments


class Wrapped(Tensor):
    """A tensor that stands for `value` while its transform is at work.

    Its own shape and type are those that the transformed program sees.
    """

    value: Tensor
    level: Any
    __torch_function__ = _never_stands_in

    def _only_inside(self) -> None:
        if not dispatch.listeners():
            raise RuntimeError(
                f"a tensor of a transform ({type(self).__name__}) is used after the transform has ended: return it "
                "from the transformed function instead of storing it elsewhere"
            )

    @property
    def T(self):
        """The dimensions in reverse order."""
        return self.permute(*range(self.ndim - 1, -1, -1))

    @property
    def mT(self):
        """The last two dimensions exchanged."""
        return self.transpose(-2, -1)

    @property
    def data(self):
        """The same values outside the graph."""
        return self.detach()

    @property
    def grad(self):
        """Gradients are not added up inside transforms."""
        return None

    @property
    def requires_grad(self):
        """Whether what it stands for does."""
        return self.value.requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted):
        self.value.requires_grad_(wanted)

    @property
    def is_leaf(self):
        """Whether what it stands for is."""
        return self.value.is_leaf

    @property
    def grad_fn(self):
        """Where what it stands for comes from."""
        return self.value.grad_fn

    def __iter__(self):
        return iter(self.unbind(0))

    def __contains__(self, value):
        return bool((self == value).any())

    def __array__(self, *args, **kwargs):
        raise RuntimeError("numpy() of a tensor inside a transform: its values are not known as such there")


def _guarded(name: str) -> Callable[..., Any]:
    def method(self, *others):
        self._only_inside()
        return getattr(Tensor, name)(self, *others)

    method.__name__ = name
    return method


for _name in dispatch.operator_names():
    if _name != "__len__":
        setattr(Wrapped, _name, _guarded(_name))
Wrapped.__hash__ = Tensor.__hash__  # type: ignore[method-assign]
del _name
