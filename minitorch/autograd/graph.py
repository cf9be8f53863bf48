"""The graph as data, and hooks on what it saves."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .._ext import tensor as engine
from .._ext.tape import _is_ahead, _pass_number, _set_edge_class
from .._ext.tensor import _pop_saved_hooks, _push_saved_hooks
from .._tensor import Tensor
from ..utils.hooks import RemovableHandle

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class saved_tensors_hooks:
    """Inside, what operations save for their backward goes through ``pack_hook``; ``unpack_hook`` brings it back.

    Args:
        pack_hook: gets each tensor as it is saved; what it returns is kept in its place.
        unpack_hook: gets that when the backward needs it, and returns a tensor of the same values.

    >>> import minitorch
    >>> x = minitorch.tensor([1., 2.], requires_grad=True)
    >>> with minitorch.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), minitorch.tensor):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        if _disabled:
            raise RuntimeError(_disabled[-1])
        _push_saved_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception: object) -> None:
        _pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Inside, what is saved for the backward waits in the CPU's memory, as a copy of its own.

    >>> import minitorch
    >>> x = minitorch.ones(2, requires_grad=True)
    >>> with minitorch.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> tuple[Any, Tensor]:
            return tensor.device, tensor.detach().clone().cpu()

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, tensor = packed
            return tensor.to(device)

        super().__init__(pack, unpack)


_disabled: list[str] = []


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, `saved_tensors_hooks` is an error with this message."""
    _disabled.append(error_message)
    try:
        yield
    finally:
        _disabled.pop()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Inside, tensors may be changed in place after they were saved: a copy is what is saved.

    >>> import minitorch
    >>> x = minitorch.ones(2, requires_grad=True)
    >>> with minitorch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x * 2
    ...     z = y * y
    ...     _ = y.zero_()
    ...     z.sum().backward()
    >>> x.grad
    tensor([8., 8.])
    """
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        yield


class Node(abc.ABC):  # noqa: B024
    """What a ``grad_fn`` and the ends of the graph are instances of; see `Tensor.grad_fn`."""


Node.register(engine.Node)
Node.register(engine.AccumulateGrad)


class GradientEdge(NamedTuple):
    """A place in the graph: a node and which of its outputs."""

    node: Node
    output_nr: int


_set_edge_class(GradientEdge)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of a tensor arrives in the graph.

    >>> import minitorch
    >>> x = minitorch.ones(2, requires_grad=True)
    >>> minitorch.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    if tensor.grad_fn is not None:
        return GradientEdge(tensor.grad_fn, tensor.output_nr)
    return GradientEdge(tensor.view_as(tensor).grad_fn.next_functions[0][0], 0)


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Count a change of memory that the library cannot see, so that saved values are known to be stale."""
    from .._ext.tensor import count_change

    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        count_change(t)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` when the gradients of several tensors have been computed.

    Args:
        mode: ``"all"``: once a backward pass has all that it computes, with the sequence of them (None for a tensor
            that it does not reach); ``"any"``: with the first of each pass.

    >>> import minitorch
    >>> a, b = (minitorch.ones(1, requires_grad=True) for _ in range(2))
    >>> handle = minitorch.autograd.graph.register_multi_grad_hook([a, b], lambda grads: print(len(grads)))
    >>> (a * b).backward()
    2
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode must be 'all' or 'any', not {mode!r}")
    lock = threading.Lock()
    arrived: dict[int, list[Tensor | None]] = {}  # of each backward pass
    expected: dict[int, int] = {}
    last = 0

    def note(position: int, grad: Tensor) -> None:
        nonlocal last
        number = _pass_number()
        if mode == "any":
            with lock:
                first, last = last != number, number
            if first:
                fn(grad)
            return
        with lock:
            if number not in arrived:
                arrived[number] = [None] * len(tensors)
                expected[number] = sum(map(_is_ahead, tensors))
            arrived[number][position] = grad
            expected[number] -= 1
            complete = expected[number] <= 0
        if complete:
            del expected[number]
            fn(arrived.pop(number))

    handles = []
    for k, tensor in enumerate(tensors):
        handles.append(tensor.register_hook(lambda grad, k=k: note(k, grad)))
    return _Handles(handles)


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({})
        self.handles = handles

    def remove(self) -> None:
        """Take all the hooks away."""
        for handle in self.handles:
            handle.remove()
