"""Hooks on the gradients of a module: its inputs and outputs pass through a node each that calls them."""

from __future__ import annotations

import warnings
from typing import Any

from minitorch import Tensor
from minitorch.autograd import Function


class Boundary(Function):
    """Passes tensors on; their gradients go through a callback."""

    @staticmethod
    def forward(ctx, callback, *tensors):
        ctx.callback = callback
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.callback(grads))


class BackwardHooks:
    """The hooks of one call of a module."""

    def __init__(self, module: Any, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.n_inputs = self.n_outputs = 0
        self.grad_outputs: tuple[Tensor | None, ...] | None = None

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those tensors that require grad behind the boundary."""
        self.n_inputs = len(args)
        self.input_places = [k for k, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        return passed(args, self.input_places, self.at_inputs) if self.hooks else args

    def outputs(self, output: Any) -> Any:
        """The results, behind a boundary of their own."""
        results = output if isinstance(output, tuple) else (output,)
        if not all(isinstance(x, Tensor) for x in results):
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                          f"received {type(output)}", stacklevel=4)  # fmt: skip
            return output
        self.n_outputs = len(results)
        self.output_places = [k for k, x in enumerate(results) if x.requires_grad]
        results = passed(results, self.output_places, self.at_outputs)
        return results if isinstance(output, tuple) else results[0]

    def at_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the outputs have come: the pre-hooks may replace them."""
        whole = spread(grads, self.output_places, self.n_outputs)
        for hook in self.pre_hooks:
            found = hook(self.module, whole)
            if found is not None:
                whole = replaced(found, whole, "grad_output", "full_backward_pre_hook")
        self.grad_outputs = whole
        if self.hooks and not self.input_places:  # nothing of the inputs will come
            for hook in self.hooks:
                if hook(self.module, (None,) * self.n_inputs, whole) is not None:
                    raise RuntimeError("backward hook for Modules where no input requires gradient should always "
                                       "return None or None for all gradients.")  # fmt: skip
        return tuple(whole[k] for k in self.output_places)

    def at_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the inputs have come: the hooks see both, and may replace these."""
        whole = spread(grads, self.input_places, self.n_inputs)
        for hook in self.hooks:
            found = hook(self.module, whole, self.grad_outputs)
            if found is not None:
                whole = replaced(found, whole, "grad_input", "full_backward_hook")
        self.grad_outputs = None
        return tuple(whole[k] for k in self.input_places)


def passed(values: tuple[Any, ...], places: list[int], callback: Any) -> tuple[Any, ...]:
    """The values with some of them behind a boundary."""
    if not places:
        return values
    result = list(values)
    for k, t in zip(places, Boundary.apply(callback, *[values[k] for k in places])):
        result[k] = t
    return tuple(result)


def spread(grads: tuple[Any, ...], places: list[int], n: int) -> tuple[Any, ...]:
    result: list[Any] = [None] * n
    for k, g in zip(places, grads):
        result[k] = g
    return tuple(result)


def replaced(found: Any, before: tuple[Any, ...], what: str, hook: str) -> tuple[Any, ...]:
    found = found if isinstance(found, tuple) else (found,)
    if len(found) != len(before):
        raise RuntimeError(f"{hook}: Backward hook returned an invalid number of {what}, got {len(found)}, but "
                           f"expected {len(before)}")  # fmt: skip
    return found
