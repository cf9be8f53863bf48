"""Operations whose derivative is written in Python: `Function`."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from .._ext.function import FunctionNode as FunctionCtx
from .._ext.function import apply_function
from .._ext.tensor import _set_grad_enabled, is_grad_enabled

__all__ = ["Function", "FunctionCtx", "NestedIOFunction", "InplaceFunction", "once_differentiable"]


class Function:
    """An operation with a derivative of its own.

    A subclass has two static methods: ``forward(ctx, *args)`` computes, and notes in ``ctx`` what the derivative needs;
    ``backward(ctx, *grads)`` gets the gradient of each output and returns that of each argument (None where there
    is none).  Call the subclass's ``apply``.

    The notes may also be taken apart from the computation: then ``forward(*args)`` has no ``ctx``, and
    ``setup_context(ctx, inputs, output)`` comes after it.

    Gradients are checked: one for each argument, in its shape; what can be summed or converted to that is.

    >>> import minitorch
    >>> class Cube(minitorch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = minitorch.tensor(2., requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> y.grad_fn.name(), x.grad
    ('CubeBackward', tensor(12.))
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated: its methods are static, call its apply()"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: ``forward(ctx, *args)``, or ``forward(*args)`` if there is a `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Note in ``ctx`` what the derivative needs of the arguments and results of ``forward(*args)``."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradient of each argument, given those of the outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangent of each output, given those of the arguments (None where there is none)."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """The results for a batch at once, and in which dimension they have it."""
        raise NotImplementedError("To use autograd.Function with vmap, set generate_vmap_rule to True or write vmap.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Do the operation; the results belong to the graph if an argument does."""
        if kwargs:
            if not cls._separate():
                raise TypeError(f"{cls.__name__}.apply() takes no keyword arguments: pass them by position")
            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        return apply_function(cls, cls._node_class(), cls._separate(), args)

    @classmethod
    def _separate(cls) -> bool:
        return cls.setup_context is not Function.setup_context

    @classmethod
    def _node_class(cls) -> type:
        """The class of this function's nodes: one of its own, so that it has the function's name."""
        node_class = cls.__dict__.get("_backward_cls")
        if node_class is None:
            node_class = type(cls.__name__ + "Backward", (FunctionCtx,), {"_forward_cls": cls})
            cls._backward_cls = node_class
        return node_class

    @classmethod
    def _derivative(cls) -> Any:
        if cls.backward is Function.backward:
            return cls.vjp
        if cls.vjp is not Function.vjp:
            raise RuntimeError(
                f"Implementing both 'backward' and 'vjp' for a custom Function is not allowed: {cls.__name__} has "
                "both, and they are two names of the same thing"
            )
        return cls.backward


class _Twice(Function):
    """Passes gradients on; differentiating them again is refused."""

    @staticmethod
    def forward(ctx, function_name, *grads):
        ctx.function_name = function_name
        return tuple(None if g is None else g.detach() for g in grads)

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable: "
            f"{ctx.function_name}. Write its backward with differentiable operations and drop the mark"
        )


def once_differentiable(function):
    """Decorates a `Function.backward` whose results cannot be differentiated again.

    It runs unrecorded, and an attempt to differentiate its results is an error rather than a wrong gradient.

    >>> import minitorch
    >>> class Double(minitorch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     @minitorch.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = minitorch.ones(1, requires_grad=True)
    >>> minitorch.autograd.grad(Double.apply(x), x)
    (tensor([2.]),)
    """

    @functools.wraps(function)
    def once(ctx, *grads):
        recording = is_grad_enabled()
        before = _set_grad_enabled(False)
        try:
            results = function(ctx, *grads)
        finally:
            _set_grad_enabled(before)
        given = [g for g in grads if g is not None and g.requires_grad]
        if not recording or not given:
            return results
        single = not isinstance(results, tuple)
        results = (results,) if single else results
        # tied to the incoming gradients, so that whoever differentiates the results gets there
        tied = _tie(type(ctx).__name__, given[0], results)
        return tied[0] if single else tied

    return once


def _tie(name, anchor, results):
    tied = _Twice.apply(name, anchor, *results)
    return tuple(t if r is not None else None for t, r in zip(tied[1:], results))


class InplaceFunction(Function):
    """A `Function` with a note of whether it works in place, as old programs derive from it."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


NestedIOFunction = Function
