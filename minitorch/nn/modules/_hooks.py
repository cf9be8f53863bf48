"""Hooks around what modules compute, and on the gradients that pass through them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from minitorch import Tensor
from minitorch.utils.hooks import RemovableHandle

# Hooks of every module there is: `register_module_forward_hook` and the like.
global_forward_pre_hooks: dict[int, Callable] = {}
global_forward_hooks: dict[int, Callable] = {}
global_forward_hooks_with_kwargs: dict[int, bool] = {}
global_forward_hooks_always_called: dict[int, bool] = {}
global_backward_pre_hooks: dict[int, Callable] = {}
global_backward_hooks: dict[int, Callable] = {}


def move_to_front(table: dict[int, Any], key: int) -> None:
    """Make an entry the first."""
    entries = [(k, table[k]) for k in table if k != key]
    first = table[key]
    table.clear()
    table[key] = first
    table.update(entries)


# --- backward -----------------------------------------------------------------------------------------------------

def _tensors_of(value: Any) -> tuple[list[Tensor], Callable[[list[Tensor]], Any]]:
    """The tensors of a module's arguments or result that may have gradients, and what puts others in their place.

    As PyTorch has it, only a tensor itself, or the members of one tuple, are looked at.
    """
    if isinstance(value, Tensor):
        return [value], lambda tensors: tensors[0]
    if not isinstance(value, tuple):
        return [], lambda tensors: value
    places = [k for k, part in enumerate(value) if isinstance(part, Tensor)]

    def rebuild(tensors: list[Tensor]) -> Any:
        parts = list(value)
        for k, tensor in zip(places, tensors):
            parts[k] = tensor
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)

    return [value[k] for k in places], rebuild


@functools.cache
def _module_hook() -> Any:
    """The Function that gradients pass; made once, since a class is garbage that only the collector finds."""
    from minitorch.autograd import Function

    class ModuleHook(Function):
        """What does nothing, but has all tensors for its arguments."""

        @staticmethod
        def forward(ctx: Any, hook: Callable[[tuple], Any], *inputs: Tensor) -> tuple[Tensor, ...]:
            """The inputs themselves."""
            ctx.set_materialize_grads(False)
            ctx.hook = hook
            return tuple(t.view_as(t) for t in inputs)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
            """What the hook makes of the gradients."""
            return (None, *ctx.hook(grads))

    return ModuleHook


def _through(tensors: list[Tensor], hook: Callable[[tuple], Any]) -> list[Tensor]:
    """The same tensors behind one node, whose gradients `hook` sees all at once and may replace."""
    wanted = [t for t in tensors if t.requires_grad]
    if not wanted:
        return tensors
    passed = iter(_module_hook().apply(hook, *wanted))
    return [next(passed) if t.requires_grad else t for t in tensors]


class BackwardHooks:
    """The hooks on one call of a module: on the gradients of its result, then on those of its arguments."""

    def __init__(self, module: Any, pre_hooks: list[Callable], hooks: list[Callable]) -> None:
        self.module, self.pre_hooks, self.hooks = module, pre_hooks, hooks
        self.grad_output: tuple | None = None
        self.n_inputs, self.input_places = 0, []
        self.output_places: list[int] = []
        self.n_outputs = 0
        self.has_inputs = False

    def on_inputs(self, args: tuple) -> tuple:
        """The arguments, watched."""
        if not self.hooks:
            return args
        tensors, rebuild = _tensors_of(args)
        self.n_inputs = len(args)
        self.input_places = [k for k, part in enumerate(args) if isinstance(part, Tensor) and part.requires_grad]
        self.has_inputs = bool(self.input_places)
        return rebuild(_through(tensors, self._after))

    def on_outputs(self, result: Any) -> Any:
        """The result, watched."""
        tensors, rebuild = _tensors_of(result)
        parts = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(parts)
        self.output_places = [k for k, part in enumerate(parts) if isinstance(part, Tensor) and part.requires_grad]
        if not tensors:
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                          f"received {type(result)}", stacklevel=4)
            return result
        return rebuild(_through(tensors, self._before))

    def _before(self, grads: tuple) -> tuple:
        """The gradients of the result have come."""
        whole = _spread(grads, self.output_places, self.n_outputs)
        for hook in self.pre_hooks:
            found = hook(self.module, whole)
            if found is not None:
                whole = found if isinstance(found, tuple) else (found,)
                if len(whole) != self.n_outputs:
                    raise RuntimeError("Backward pre hook returned an invalid number of grad_output, got "
                                       f"{len(whole)}, but expected {self.n_outputs}")
        self.grad_output = whole
        if self.hooks and not self.has_inputs:  # nothing before the module wants a gradient
            for hook in self.hooks:
                if hook(self.module, _spread((), [], self.n_inputs), whole) is not None:
                    raise RuntimeError("backward hooks where no input requires gradient should always return None or "
                                       "None for all gradients.")
        return tuple(whole[k] for k in self.output_places)

    def _after(self, grads: tuple) -> tuple:
        """The gradients of the arguments have come."""
        whole = _spread(grads, self.input_places, self.n_inputs)
        if self.grad_output is None:
            raise RuntimeError("Module backward hook for grad_input is called before the grad_output one. This happens "
                               "because the gradient in your nn.Module flows to the Module's input without passing "
                               "through the Module's output.")
        for hook in self.hooks:
            found = hook(self.module, whole, self.grad_output)
            if found is not None:
                whole = found if isinstance(found, tuple) else (found,)
                if len(whole) != self.n_inputs:
                    raise RuntimeError("Backward hook returned an invalid number of grad_input, got "
                                       f"{len(whole)}, but expected {self.n_inputs}")
        self.grad_output = None
        return tuple(whole[k] for k in self.input_places)


def _spread(grads: tuple, places: list[int], count: int) -> tuple:
    """Gradients at the places of their tensors, None elsewhere."""
    whole: list[Any] = [None] * count
    for k, grad in zip(places, grads):
        whole[k] = grad
    return tuple(whole)


# --- of every module ----------------------------------------------------------------------------------------------

def _register(table: dict[int, Callable], hook: Callable, *flags: dict[int, bool]) -> RemovableHandle:
    handle = RemovableHandle(table, extra_dict=list(flags))
    table[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before `forward` of every module."""
    return _register(global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after `forward` of every module."""
    flags = [global_forward_hooks_with_kwargs] * with_kwargs + [global_forward_hooks_always_called] * always_call
    return _register(global_forward_hooks, hook, *flags)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` when the gradients of a module's result have come, for every module."""
    return _register(global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` when those of its arguments have, for every module."""
    return _register(global_backward_hooks, hook)


register_module_backward_hook = register_module_full_backward_hook
