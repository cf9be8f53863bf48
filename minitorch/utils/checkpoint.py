"""Checkpointing: memory for time, by computing a part of the forward once more in the backward."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import minitorch

from .._ext import dispatch, tape
from .._ext.tensor import _top_saved_hooks
from .._tensor import Tensor
from ..autograd.function import Function
from ..autograd.grad_mode import enable_grad
from ..autograd.graph import saved_tensors_hooks
from ..func.wrapping import named
from ._pytree import tree_leaves, tree_map

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn", "set_checkpoint_early_stop"]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not save what the first did."""


_early_stop = [True]


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, whether a second run may end as soon as everything needed has been computed again."""
    _early_stop.append(enable)
    try:
        yield
    finally:
        _early_stop.pop()


def noop_context_fn() -> tuple[Any, Any]:
    """Nothing around either run."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function, keep nothing of its inside for the backward, and call it again there.

    Args:
        use_reentrant: True runs the function unrecorded and replays a graph of its own in the backward; False, which
            nests and works with `autograd.grad`, records as usual but saves nothing.
        context_fn: makes two context managers, for the first run and for the second.
        determinism_check: ``"default"`` compares shapes and types of what the runs save, ``"none"`` does not.
        early_stop: end the second run as soon as everything needed is there.
        debug: if the runs differ, list the operations of both (``use_reentrant=False`` only).
        preserve_rng_state: give the second run the random numbers of the first (the default).

    Source: Chen, Xu, Zhang, Guestrin, *Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174.

    >>> import minitorch
    >>> from minitorch.utils.checkpoint import checkpoint
    >>> x = minitorch.ones(2, requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4783, -2.4783])
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant is None:
        warnings.warn("minitorch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
                      "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
                      "you can pass use_reentrant=True.", stacklevel=2)  # fmt: skip
        use_reentrant = True
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of 'default', 'none', but got {determinism_check!r}")
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        if not any(isinstance(x, Tensor) and x.requires_grad for x in args) and minitorch.is_grad_enabled():
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return Reentrant.apply(function, preserve, *args)
    first, second = context_fn()
    run = Run(function, args, kwargs, preserve, second, determinism_check == "default", early_stop, debug)
    with saved_tensors_hooks(run.pack, run.unpack), first, run.listing(0):
        return function(*args, **kwargs)


class Reentrant(Function):
    """Runs a function unrecorded; its backward records it again and replays that."""

    @staticmethod
    def forward(ctx, function, preserve, *args):
        ctx.function = function
        ctx.states = minitorch.random.all_states() if preserve else None
        ctx.precision = precision()
        ctx.places = [k for k, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.save_for_backward(*[args[k] for k in ctx.places])
        return function(*args)

    @staticmethod
    def backward(ctx, *grads):
        if not tape._pass_fills_all():
            raise RuntimeError("When use_reentrant=True, minitorch.utils.checkpoint is incompatible with .grad() or "
                               "passing an `inputs` parameter to .backward(): the part replayed inside would fill all "
                               "leaves. Pass use_reentrant=False")  # fmt: skip
        args = list(ctx.others)
        for k, x in zip(ctx.places, ctx.saved_tensors):
            args[k] = x.detach().requires_grad_(x.requires_grad)
        with same_numbers(ctx.states), ctx.precision(), enable_grad():
            outputs = ctx.function(*args)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(y, g) for y, g in zip(outputs, grads) if isinstance(y, Tensor) and y.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        tape.backward([y for y, _ in pairs], [g for _, g in pairs])
        return (None, None, *[x.grad if isinstance(x, Tensor) else None for x in args])


@contextlib.contextmanager
def same_numbers(states: Any) -> Iterator[None]:
    """Inside, the random numbers are those that came after a state; outside, they go on as if nothing had been."""
    if states is None:
        yield
        return
    now = minitorch.random.all_states()
    minitorch.random.set_all_states(states)
    try:
        yield
    finally:
        minitorch.random.set_all_states(now)


def precision() -> Callable[[], Any]:
    """What makes a region of the mixed precision that is in use now."""
    enabled = minitorch.is_autocast_enabled("cpu")
    settings = {"dtype": minitorch.get_autocast_dtype("cpu"), "cache_enabled": minitorch.is_autocast_cache_enabled()}

    def again() -> Any:
        if not enabled and not minitorch.is_autocast_enabled("cpu"):
            return contextlib.nullcontext()
        return minitorch.autocast("cpu", enabled=enabled, **settings)

    return again


class Listing:
    """A listener that writes down the operations of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        self.lines.append(f"{named(function)[0]}({', '.join(f'{t.dtype} {tuple(t.shape)}' for t in tensors)})")
        return function(*args, **kwargs)


class Stop(Exception):
    """Ends a second run that has computed all that is needed."""


class Kept:
    """What stands for a saved tensor: its number in the run."""

    def __init__(self, number: int, tensor: Tensor) -> None:
        self.number = number
        self.meta = (tuple(tensor.shape), tensor.dtype)


class Run:
    """One checkpointed call: what it takes to do it again.

    Its own arguments go through the hooks that are in use outside, so that a checkpoint inside another keeps nothing.
    """

    def __init__(self, function, args, kwargs, preserve, context, check, early_stop, debug) -> None:
        self.function, self.context, self.check = function, context, check
        self.precision = precision()
        self.listings = (Listing(), Listing()) if debug else None
        self.early_stop = early_stop and _early_stop[-1]
        self.states = minitorch.random.all_states() if preserve else None
        outer = _top_saved_hooks()
        recorded = minitorch.is_grad_enabled() and any(
            isinstance(x, Tensor) and x.requires_grad for x in tree_leaves((args, kwargs))
        )

        def keep(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return lambda: x
            wanted, data = x.requires_grad, x.detach()
            if not recorded or outer is None or x.is_leaf:
                return lambda: data.detach().requires_grad_(wanted)
            packed, unpack = outer[0](data), outer[1]
            return lambda: unpack(packed).detach().requires_grad_(wanted)

        self.arguments = tree_map(keep, (args, kwargs))
        self.saved: list[Kept] = []
        self.values: dict[int, Tensor] = {}

    @contextlib.contextmanager
    def listing(self, which: int) -> Iterator[None]:
        """Write down the operations of the first or second run, if that is asked for."""
        if self.listings is None:
            yield
            return
        self.listings[which].lines.clear()
        dispatch.push(self.listings[which], True)
        try:
            yield
        finally:
            dispatch.pop(self.listings[which], True)

    def listed(self) -> str:
        """The operations of both runs, for a message."""
        if self.listings is None:
            return ". Pass debug=True to see the operations of both runs"
        first, second = ("\n  ".join(listing.lines) for listing in self.listings)
        return f"\nOperations of the first run:\n  {first}\nOperations of the second run:\n  {second}"

    def pack(self, tensor: Tensor) -> Kept:
        """Keep a number in place of a tensor."""
        kept = Kept(len(self.saved), tensor)
        self.saved.append(kept)
        return kept

    def unpack(self, kept: Kept) -> Tensor:
        """The tensor of a number, computed again if it is not there."""
        if kept.number not in self.values:
            self.again()
        if kept.number not in self.values:
            raise CheckpointError(
                f"checkpoint: A different number of tensors was saved during the original forward and recomputation: "
                f"{len(self.saved)} and then {len(self.values)}. Does {name_of(self.function)} depend on "
                f"something that has changed in between?{self.listed()}"
            )
        return self.values.pop(kept.number)

    def again(self) -> None:
        """The second run: fill `values`."""
        self.values.clear()
        count = 0

        def note(tensor: Tensor) -> Tensor:
            nonlocal count
            if count < len(self.saved) and self.check:
                before, now = self.saved[count].meta, (tuple(tensor.shape), tensor.dtype)
                if before != now:
                    raise CheckpointError(
                        "checkpoint: Recomputed values for the following tensors have different metadata than during "
                        f"the forward pass: tensor {count} of {name_of(self.function)} was {before} and is {now}"
                        + self.listed()
                    )
            self.values[count] = tensor.detach()
            count += 1
            if self.early_stop and count == len(self.saved):
                raise Stop
            return tensor

        args, kwargs = tree_map(lambda make: make(), self.arguments)
        with (
            same_numbers(self.states),
            self.precision(),
            enable_grad(),
            saved_tensors_hooks(note, lambda tensor: tensor),
            self.context,
            self.listing(1),
            contextlib.suppress(Stop),
        ):
            self.function(*args, **kwargs)


def name_of(function: Any) -> str:
    """What a message calls a function."""
    return getattr(function, "__qualname__", type(function).__name__)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Call the parts of a sequence one after the other, all but the last segment of them checkpointed.

    Args:
        functions: a `Sequential`, or a sequence of functions of one argument.
        segments: into how many parts to cut it.

    >>> import minitorch
    >>> layers = [minitorch.sin, minitorch.exp, minitorch.cos]
    >>> x = minitorch.zeros(1, requires_grad=True)
    >>> minitorch.utils.checkpoint.checkpoint_sequential(layers, 2, x, use_reentrant=False)
    tensor([0.5403], grad_fn=<CosBackward0>)
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    parts: Sequence[Any] = list(functions.children()) if isinstance(functions, minitorch.nn.Sequential) else functions
    length = max(len(parts) // segments, 1)

    def segment(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for part in parts[start:end]:
                x = part(x)
            return x

        return run

    last = length * (segments - 1)
    for start in range(0, last, length):
        input = checkpoint(
            segment(start, start + length), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return segment(last, len(parts))(input)
