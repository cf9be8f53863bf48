"""Derivatives of functions, as functions: they compose with each other and with `vmap`.

All of them call the function on tracked copies of its arguments and replay the tape.  Under `vmap` the tape holds
operations on whole batches, so one replay gives the derivative of every element.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import minitorch

from .._ext import dispatch, tape
from .._tensor import Tensor
from ..autograd.grad_mode import enable_grad
from ..utils._pytree import tree_flatten, tree_map, tree_unflatten
from .batching import Level, batch

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]

Argnums = int | tuple[int, ...]


# --- between a tensor under vmap and the batch of all its elements ----------------------------------------------------


def active_levels() -> list[Level]:
    """The vmaps at work, the outermost first."""
    return [listener for listener in dispatch.listeners() if isinstance(listener, Level)]


def physical(x: Tensor, levels: Sequence[Level]) -> Tensor:
    """The batch that a tensor stands for, its dimensions in front, the outermost first."""
    for k in range(len(levels) - 1, -1, -1):
        with dispatch.only(*levels[:k]):
            x = levels[k].whole(x)
    return x


def logical(x: Tensor, levels: Sequence[Level]) -> Tensor:
    """The tensor that stands for a batch of all levels."""
    for level in levels:
        x = batch(x, level)
    return x


class Tracked:
    """The tensors of some arguments as sources of derivatives: apart from those outside, but leading back to them."""

    def __init__(self, arguments: Any) -> None:
        self.levels = active_levels()
        self.outer_grad = minitorch.is_grad_enabled()
        leaves, self.spec = tree_flatten(arguments)
        for x in leaves:
            if not isinstance(x, Tensor):
                raise ValueError(
                    f"derivatives are by tensors, but an argument to differentiate by is a {type(x).__name__}"
                )
            if not x.dtype.is_floating_point:
                raise RuntimeError(f"derivatives are by real numbers, but an argument to differentiate by is {x.dtype}")
        self.sources: list[Tensor] = []
        for x in leaves:
            with enable_grad():
                whole = physical(x, self.levels)
                with dispatch.only():
                    self.sources.append(
                        whole.view_as(whole) if whole.requires_grad else whole.detach().requires_grad_()
                    )
        self.shapes = [tuple(x.shape) for x in leaves]
        self.arguments = tree_unflatten([logical(s, self.levels) for s in self.sources], self.spec)

    def call(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function with recording on."""
        with enable_grad():
            return func(*args, **kwargs)

    def outputs(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The batches of some results."""
        return [physical(t, self.levels) for t in tensors]

    def create_graph(self, outputs: Sequence[Tensor]) -> bool:
        """Whether somebody outside may differentiate the derivative."""
        return self.outer_grad and tape.leads_elsewhere([y for y in outputs if y.requires_grad], self.sources)

    def pull(self, outputs: Sequence[Tensor], vectors: Sequence[Tensor], retain: bool, create: bool) -> list[Tensor]:
        """The products of vectors with the Jacobian, for each source."""
        with dispatch.only():
            pairs = [(y, v) for y, v in zip(outputs, vectors) if y.requires_grad]
            if not pairs:
                return [minitorch.zeros_like(s) for s in self.sources]
            return list(
                tape.grad(
                    [y for y, _ in pairs],
                    self.sources,
                    [v.to(y.dtype) for y, v in pairs],
                    retain_graph=retain or create,
                    create_graph=create,
                    allow_unused=True,
                    materialize_grads=True,
                )
            )

    def released(self, tree: Any, create: bool) -> Any:
        """Results for the caller: outside the graph, unless somebody there may differentiate them."""
        return tree if create else tree_map(lambda t: t.detach() if isinstance(t, Tensor) else t, tree)


def chosen(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """The arguments to differentiate by."""
    count = len(args)
    for k in (argnums,) if isinstance(argnums, int) else argnums:
        if not -count <= k < count:
            raise RuntimeError(f"Got argnum={k}, but only {count} positional inputs")
    return args[argnums] if isinstance(argnums, int) else tuple(args[k] for k in argnums)


def replaced(args: tuple[Any, ...], argnums: Argnums, by: Any) -> tuple[Any, ...]:
    """All arguments, with those replaced."""
    result = list(args)
    for k, x in ((argnums, by),) if isinstance(argnums, int) else zip(argnums, by):
        result[k] = x
    return tuple(result)


def with_aux(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    """The output and what came beside it."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{what}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def tensors_of(output: Any, what: str) -> tuple[list[Tensor], Any]:
    """The leaves of a tree, which must be tensors, and its structure."""
    leaves, spec = tree_flatten(output)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{what}: Expected f(*args) to return only tensors, got type {type(x)}")
    return leaves, spec


# --- by replaying -------------------------------------------------------------------------------------------------


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that returns the gradient of ``func`` and its value; see `grad`.

    >>> import minitorch
    >>> minitorch.func.grad_and_value(lambda x: x**2)(minitorch.tensor(3.))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        tracked = Tracked(chosen(args, argnums))
        result = tracked.call(func, replaced(args, argnums, tracked.arguments), kwargs)
        output, aux = with_aux(result, has_aux, "grad_and_value")
        if not isinstance(output, Tensor):
            raise RuntimeError(f"grad: Expected f(*args) to return a tensor, got {type(output)}")
        if output.ndim != 0:
            raise RuntimeError(f"grad: Expected f(*args) to return a scalar tensor, got tensor with {output.ndim} "
                               "dims. "
                               "Maybe you wanted to use the vjp or jacrev APIs instead?")  # fmt: skip
        outputs = tracked.outputs([output])
        create = tracked.create_graph(outputs)
        with dispatch.only():
            ones = [minitorch.ones_like(outputs[0])]
        grads = tracked.pull(outputs, ones, False, create)
        grads = tree_unflatten([logical(g, tracked.levels) for g in grads], tracked.spec)
        grads, value, aux = (tracked.released(t, create) for t in (grads, output, aux))
        return (grads, (value, aux)) if has_aux else (grads, value)

    return both


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that returns the gradient of ``func``, whose result is a single number.

    Args:
        argnums: the argument, or several, to differentiate by; each may be a nested container of tensors.
        has_aux: ``func`` returns a pair; its second part is returned beside the gradient.

    >>> import minitorch
    >>> from minitorch.func import grad, vmap
    >>> grad(grad(minitorch.sin))(minitorch.tensor(0.5)) == -minitorch.tensor(0.5).sin()
    tensor(True)
    >>> vmap(grad(lambda x: (x * x).sum()))(minitorch.tensor([[1., 2.], [3., 4.]]))
    tensor([[2., 4.],
            [6., 8.]])
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``func`` at some arguments, and the function that multiplies a vector by the Jacobian there.

    >>> import minitorch
    >>> value, pull = minitorch.func.vjp(minitorch.sin, minitorch.zeros(2))
    >>> pull(minitorch.tensor([1., 2.]))
    (tensor([1., 2.]),)
    """
    tracked = Tracked(primals)
    output, aux = with_aux(tracked.call(func, tracked.arguments, {}), has_aux, "vjp")
    results, spec = tensors_of(output, "vjp")
    outputs = tracked.outputs(results)
    outer = tracked.create_graph(outputs)

    def pull(vectors: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        leaves, given = tree_flatten(vectors)
        if given != spec:
            raise RuntimeError(f"vjp: Expected pytree structure of cotangents to be the same as pytree structure of "
                               f"outputs to the function. cotangents: {given}, primal output: {spec}")  # fmt: skip
        for v, y in zip(leaves, results):
            if tuple(v.shape) != tuple(y.shape):
                raise RuntimeError(
                    f"vjp: a cotangent of shape {tuple(v.shape)} for an output of shape {tuple(y.shape)}"
                )
        return tree_unflatten(pull_leaves(leaves, retain_graph, create_graph, active_levels()), tracked.spec)

    def pull_leaves(leaves: list[Tensor], retain: bool, create: bool | None, levels: list[Level]) -> list[Tensor]:
        if len(levels) > len(tracked.levels):  # vmapped over vectors, as Jacobians are made
            level, outer_levels = levels[-1], levels[:-1]
            with dispatch.only(*outer_levels):
                if not any(map(level.holds, leaves)):
                    return pull_leaves(leaves, retain, create, outer_levels)
                rows = [
                    pull_leaves([level.element(v, i) for v in leaves], True, create, outer_levels)
                    for i in range(level.size)
                ]
                return [batch(minitorch.stack(column), level) for column in zip(*rows)]
        wanted = create or (create is None and (outer or differentiable(leaves)))
        vectors = [physical(v, levels) for v in leaves]
        return [logical(g, levels) for g in tracked.pull(outputs, vectors, retain, wanted)]

    output, aux = (tracked.released(t, outer) for t in (output, aux))
    return (output, pull, aux) if has_aux else (output, pull)


def differentiable(leaves: Sequence[Tensor]) -> bool:
    """Whether what is computed from the leaves is recorded."""
    return minitorch.is_grad_enabled() and any(v.requires_grad for v in leaves)


def each_row(tracked: Tracked, output: Tensor, create: bool) -> list[Tensor]:
    """The Jacobian of an output by each source: replayed once for each element of the output."""
    lead = len(tracked.levels)
    with dispatch.only():
        count = math.prod(output.shape[lead:])
        rows = []
        for k in range(count):
            vector = minitorch.zeros((*output.shape[:lead], count), dtype=output.dtype, device=output.device)
            vector[..., k] = 1
            rows.append(tracked.pull([output], [vector.view(output.shape)], True, create))
        if not rows:
            return [s.new_zeros((*output.shape, *s.shape[lead:])) for s in tracked.sources]
        return [
            minitorch.stack(column, lead).reshape(*output.shape, *s.shape[lead:])
            for column, s in zip(zip(*rows), tracked.sources)
        ]


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that returns the Jacobian of ``func``, ``(*output, *input)``, replaying once for an output element.

    Args:
        argnums: the argument, or several, to differentiate by.
        has_aux: ``func`` returns a pair; its second part is returned beside the Jacobian.
        chunk_size: rows are computed one at a time whatever is given here.

    >>> import minitorch
    >>> minitorch.func.jacrev(lambda x: x**2)(minitorch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        tracked = Tracked(chosen(args, argnums))
        result = tracked.call(func, replaced(args, argnums, tracked.arguments), kwargs)
        output, aux = with_aux(result, has_aux, "jacrev")
        results, spec = tensors_of(output, "jacrev")
        outputs = tracked.outputs(results)
        create = tracked.create_graph(outputs)
        blocks = []
        for y in outputs:
            columns = each_row(tracked, y, create)
            blocks.append(tree_unflatten([logical(c, tracked.levels) for c in columns], tracked.spec))
        jacobians, aux = (tracked.released(t, create) for t in (tree_unflatten(blocks, spec), aux))
        return (jacobians, aux) if has_aux else jacobians

    return jacobian


# --- along a direction: the derivative of vᵀJ by v is J -----------------------------------------------------------


class Pushed:
    """Products of a Jacobian with directions: vᵀJ is linear in v, and what it multiplies a direction by is J."""

    def __init__(self, tracked: Tracked, outputs: list[Tensor]) -> None:
        self.tracked, self.outputs = tracked, outputs
        self.create = tracked.create_graph(outputs)
        with dispatch.only(), enable_grad():
            self.probes = [minitorch.zeros_like(y).requires_grad_() for y in outputs if y.requires_grad]
            real = [y for y in outputs if y.requires_grad]
            found = (
                tape.grad(real, tracked.sources, self.probes, create_graph=True, allow_unused=True)
                if real
                else [None] * len(tracked.sources)
            )
            self.products = [None if g is None or not g.requires_grad else g for g in found]

    def along(self, directions: Sequence[Tensor], create: bool = False) -> list[Tensor]:
        """The tangent of each output."""
        create = create or self.create
        with dispatch.only():
            pairs = [(g, t.to(g.dtype)) for g, t in zip(self.products, directions) if g is not None]
            tangents = iter(
                tape.grad(
                    [g for g, _ in pairs],
                    self.probes,
                    [t for _, t in pairs],
                    retain_graph=True,
                    create_graph=create,
                    allow_unused=True,
                    materialize_grads=True,
                )
                if pairs
                else [minitorch.zeros_like(p) for p in self.probes]
            )
            return [next(tangents) if y.requires_grad else minitorch.zeros_like(y) for y in self.outputs]


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of ``func`` at ``primals``, and how it changes along ``tangents``.

    >>> import minitorch
    >>> minitorch.func.jvp(minitorch.square, (minitorch.tensor(3.),), (minitorch.tensor(1.),))
    (tensor(9.), tensor(6.))
    """
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a non-empty tuple of tensors")
    directions, spec = tree_flatten(tangents)
    tracked = Tracked(primals)
    if spec != tracked.spec:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the same python "
                           "structure. "
                           f"For example, if primals is a tuple of 3 tensors, tangents also must be. Got "
                           f"{tracked.spec} "
                           f"and {spec}")  # fmt: skip
    for t, shape in zip(directions, tracked.shapes):
        if tuple(t.shape) != shape:
            raise RuntimeError(f"jvp: a tangent of shape {tuple(t.shape)} for a primal of shape {shape}")
    output, aux = with_aux(tracked.call(func, tracked.arguments, {}), has_aux, "jvp")
    results, out_spec = tensors_of(output, "jvp")
    pushed = Pushed(tracked, tracked.outputs(results))
    if strict and any(g is None for g in pushed.products):
        raise RuntimeError("jvp(f, primals, tangents, strict=True): an output does not depend on an input")
    vectors = [physical(t, tracked.levels) for t in directions]
    create = pushed.create or (tracked.outer_grad and any(v.requires_grad for v in vectors))
    moved = [logical(t, tracked.levels) for t in pushed.along(vectors, create)]
    output, aux = (tracked.released(t, pushed.create) for t in (output, aux))
    moved = tracked.released(tree_unflatten(moved, out_spec), create)
    return (output, moved, aux) if has_aux else (output, moved)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func`` at some arguments, and the linear function that it is like near them.

    >>> import minitorch
    >>> value, linear = minitorch.func.linearize(minitorch.square, minitorch.tensor(3.))
    >>> linear(minitorch.tensor(2.))
    tensor(12.)
    """
    tracked = Tracked(primals)
    output = tracked.call(func, tracked.arguments, {})
    results, spec = tensors_of(output, "linearize")
    pushed = Pushed(tracked, tracked.outputs(results))

    def linear(*tangents: Any) -> Any:
        directions = [physical(t, tracked.levels) for t in tree_flatten(tangents)[0]]
        moved = [logical(t, tracked.levels) for t in pushed.along(directions)]
        return tracked.released(tree_unflatten(moved, spec), pushed.create)

    return tracked.released(output, pushed.create), linear


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The function that returns the Jacobian of ``func``, ``(*output, *input)``, in one pass for each input element.

    Args:
        argnums: the argument, or several, to differentiate by.
        has_aux: ``func`` returns a pair; its second part is returned beside the Jacobian.
        randomness: as of `vmap`; the function is called once, so its random numbers are the same for all columns.

    >>> import minitorch
    >>> minitorch.func.jacfwd(lambda x: x**2)(minitorch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        tracked = Tracked(chosen(args, argnums))
        result = tracked.call(func, replaced(args, argnums, tracked.arguments), kwargs)
        output, aux = with_aux(result, has_aux, "jacfwd")
        results, spec = tensors_of(output, "jacfwd")
        outputs = tracked.outputs(results)
        pushed = Pushed(tracked, outputs)
        columns = [each_column(pushed, outputs, k) for k in range(len(tracked.sources))]
        blocks = [
            tree_unflatten([logical(columns[k][j], tracked.levels) for k in range(len(columns))], tracked.spec)
            for j in range(len(outputs))
        ]
        jacobians, aux = (tracked.released(t, pushed.create) for t in (tree_unflatten(blocks, spec), aux))
        return (jacobians, aux) if has_aux else jacobians

    return jacobian


def each_column(pushed: Pushed, outputs: list[Tensor], k: int) -> list[Tensor]:
    """The Jacobian of each output by source k, one element of that after the other."""
    tracked, source = pushed.tracked, pushed.tracked.sources[k]
    lead = len(tracked.levels)
    with dispatch.only():
        shape = source.shape[lead:]
        count = math.prod(shape)
        passes = []
        for i in range(count):
            direction = minitorch.zeros((*source.shape[:lead], count), dtype=source.dtype, device=source.device)
            direction[..., i] = 1
            directions = [minitorch.zeros_like(s) for s in tracked.sources]
            directions[k] = direction.view(source.shape)
            passes.append(pushed.along(directions))
        if not passes:
            return [y.new_zeros((*y.shape, *shape)) for y in outputs]
        return [minitorch.stack(each, -1).reshape(*y.shape, *shape) for each, y in zip(zip(*passes), outputs)]


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that returns the second derivatives of ``func``, of shape ``(*output, *input, *input)``.

    >>> import minitorch
    >>> minitorch.func.hessian(lambda x: (x**3).sum())(minitorch.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
