"""Modules as functions of their parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import minitorch

from .._tensor import Tensor

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers in place of its own, which stay as they are.

    Args:
        parameter_and_buffer_dicts: the tensors by name, in one dictionary or several; its own for the rest.
        args: the argument of the module, or a tuple of them.
        tie_weights: a tensor that the module has under several names is replaced under all.
        strict: every name must be there, and no other; without it, names that the module does not have are ignored.

    >>> import minitorch
    >>> layer = minitorch.nn.Linear(2, 1, bias=False)
    >>> minitorch.func.functional_call(layer, {"weight": minitorch.ones(1, 2)}, minitorch.tensor([[3., 4.]]))
    tensor([[7.]])
    """
    given: dict[str, Tensor] = {}
    for one in (
        (parameter_and_buffer_dicts,) if isinstance(parameter_and_buffer_dicts, dict) else parameter_and_buffer_dicts
    ):
        for name in one:
            if name in given:
                raise ValueError(f"{name} appears in multiple dictionaries; behavior of functional call is ambiguous")
        given.update(one)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with swapped(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def places_of(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer is kept: its table and its key there."""
    places = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for table in (owner._parameters, owner._buffers):
            for key in table:
                places[f"{prefix}.{key}" if prefix else key] = (table, key)
    return places


@contextlib.contextmanager
def swapped(module: Any, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    """Inside, a module has these tensors in place of its own."""
    places = places_of(module)
    unexpected = [name for name in given if name not in places]
    missing = [name for name, (table, key) in places.items() if name not in given and table[key] is not None]
    if strict and (unexpected or missing):
        raise RuntimeError(f"functional_call: Missing key(s): {missing}. Unexpected key(s): {unexpected}.")
    given = {name: tensor for name, tensor in given.items() if name in places}
    tensors = dict(given)
    if tie_weights:
        by_identity = {id(places[name][0][places[name][1]]): tensor for name, tensor in given.items()}
        for name, (table, key) in places.items():
            if table[key] is not None and id(table[key]) in by_identity and name not in tensors:
                tensors[name] = by_identity[id(table[key])]
    before = [(table, key, table[key]) for table, key in (places[name] for name in tensors)]
    try:
        for name, tensor in tensors.items():
            table, key = places[name]
            table[key] = tensor
        yield
    finally:
        for table, key, tensor in before:
            table[key] = tensor


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one kind, stacked: for `vmap` over an ensemble.

    >>> import minitorch
    >>> params, buffers = minitorch.func.stack_module_state([minitorch.nn.Linear(2, 3) for _ in range(4)])
    >>> params["weight"].shape
    torch.Size([4, 3, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")

    def stacked(tables: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        result = {}
        for name in tables[0]:
            each = [table[name] for table in tables]
            wanted = {t.requires_grad for t in each}
            if len(wanted) > 1:
                raise RuntimeError(f"stack_module_state: {name} requires grad in some of the models only")
            result[name] = minitorch.stack([t.detach() for t in each]).requires_grad_(wanted.pop())
        return result

    return (
        stacked([dict(model.named_parameters()) for model in models]),
        stacked([dict(model.named_buffers()) for model in models]),
    )
