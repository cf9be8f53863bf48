"""`vmap`: a function of one thing as a function of a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import minitorch

from .._ext import dispatch
from .._tensor import Tensor
from ..utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from .batching import Level, batch

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    r"""The function that maps ``func`` over a dimension of its arguments, for all of the batch at once.

    .. math:: \mathrm{vmap}(f)(x)_i = f(x_i)

    Args:
        in_dims: the dimension to map over, for all arguments or (nested like them) for each; None for those that are
            the same for all, as arguments by keyword are.
        out_dims: where the batch is to be in the results.
        randomness: ``"error"`` refuses random operations, ``"same"`` gives each element the same numbers,
            ``"different"`` numbers of its own.
        chunk_size: how much of the batch to do at once; all, unless given.

    Raises:
        ValueError: if the arguments do not fit ``in_dims``, or their batches are not of one size.
        RuntimeError: for what needs the values of a single element, such as ``item()`` or ``if``.

    >>> import minitorch
    >>> minitorch.vmap(minitorch.dot)(minitorch.ones(2, 3), minitorch.ones(2, 3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten(args)
        dims = broadcast_dims(in_dims, spec, args)
        size = batch_size(leaves, dims)

        def call(leaves: list[Any], size: int) -> Any:
            level = Level(size, randomness)
            wrapped = [x if d is None else batch(in_front(x, d), level) for x, d in zip(leaves, dims)]
            dispatch.push(level, True)
            try:
                output = func(*tree_unflatten(wrapped, spec), **kwargs)
            finally:
                dispatch.pop(level, True)
            return unwrap(output, out_dims, level)

        if chunk_size is None or chunk_size >= size:
            return call(leaves, size)
        return in_chunks(call, leaves, dims, size, chunk_size, out_dims)

    return mapped


def in_front(x: Tensor, dim: int) -> Tensor:
    """The batch in the first dimension."""
    return x if dim % x.ndim == 0 else x.movedim(dim, 0)


def in_chunks(call: Any, leaves: list[Any], dims: list[Any], size: int, chunk_size: int, out_dims: Any) -> Any:
    """The parts of a batch, one after the other."""
    parts = []
    for start in range(0, size, chunk_size):
        n = min(chunk_size, size - start)
        parts.append(call([x if d is None else x.narrow(d, start, n) for x, d in zip(leaves, dims)], n))
    flat = [tree_flatten(part) for part in parts]
    where = broadcast_dims(out_dims, flat[0][1], parts[0], "out_dims")
    joined = [minitorch.cat(each, 0 if d is None else d) for d, *each in zip(where, *(leaves for leaves, _ in flat))]
    return tree_unflatten(joined, flat[0][1])


def broadcast_dims(dims: Any, spec: TreeSpec, args: Any, name: str = "in_dims") -> list[int | None]:
    """One dimension for each leaf of the arguments."""
    if dims is not None and not isinstance(dims, (int, tuple, list, dict)):
        raise ValueError(f"vmap: expected `{name}` to be int or a (potentially nested) tuple matching the structure of "
                         f"inputs, got: {type(dims)}.")  # fmt: skip
    if dims is None or isinstance(dims, int):
        return [dims] * spec.num_leaves
    return spread(dims, spec, f"vmap: {name} is not compatible with the structure: {name}={dims} but there are "
                              f"{len(args) if isinstance(args, (tuple, list)) else 1} values")  # fmt: skip


def spread(dims: Any, spec: TreeSpec, message: str) -> list[int | None]:
    """The batch dimension of each leaf of a tree, from a tree that may stop above the leaves."""
    if dims is None or isinstance(dims, int):
        return [dims] * spec.num_leaves
    if spec.type is None or len(dims) != len(spec.children):
        raise ValueError(message)
    each = [dims[key] for key in spec.context[0]] if isinstance(dims, dict) else dims
    return [d for part, child in zip(each, spec.children) for d in spread(part, child, message)]


def batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    """How many elements the batches have, which must agree."""
    sizes = {}
    for x, d in zip(leaves, dims):
        if d is None:
            continue
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap "
                             "over "
                             "non-Tensor arguments, please use None as the respective in_dim")  # fmt: skip
        if d < -x.ndim or d >= x.ndim:
            raise ValueError(f"vmap: Got in_dim={d} for some input, but that input is a Tensor of dimensionality "
                             f"{x.ndim} so expected in_dim to satisfy -{x.ndim} <= in_dim < {x.ndim}.")  # fmt: skip
        sizes[x.shape[d]] = True
    if not sizes:
        raise ValueError("vmap: at least one argument must be a Tensor that is mapped over (in_dims is None for all)")
    if len(sizes) > 1:
        raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                         f"{list(sizes)} for the mapped dimension")  # fmt: skip
    return next(iter(sizes))


def unwrap(output: Any, out_dims: Any, level: Level) -> Any:
    """The results as plain batches, with the batch where it is wanted."""
    leaves, spec = tree_flatten(output)
    dims = broadcast_dims(out_dims, spec, output, "out_dims")
    results = []
    for x, d in zip(leaves, dims):
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: the function must only return Tensors, got type {type(x)} as the return.")
        if d is None:
            if level.holds(x):
                raise ValueError("vmap: out_dims=None for a result that differs between the elements of the batch")
            results.append(x)
            continue
        value = level.whole(x)
        if d < -value.ndim or d >= value.ndim:
            raise IndexError(f"vmap: out_dim {d} is out of range for a result of {x.ndim} dimensions and the batch")
        results.append(value if d % value.ndim == 0 else value.movedim(0, d))
    return tree_unflatten(results, spec)
