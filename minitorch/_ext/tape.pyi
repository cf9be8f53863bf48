# Written by tools/stubs.py
from collections.abc import Sequence
from typing import Any, final

from minitorch import Tensor
from minitorch.utils.hooks import RemovableHandle

@final
class Replay: ...

@final
class Hooks: ...

def retain_grad(self: Tensor) -> None: ...
def retains_grad(self: Tensor) -> bool: ...
def register_hook(self: Tensor, hook: Any) -> RemovableHandle: ...
def register_post_accumulate_grad_hook(self: Tensor, hook: Any) -> Tensor: ...
def node_register_hook(node: Any, fn: Any) -> Tensor: ...
def node_register_prehook(node: Any, fn: Any) -> Tensor: ...
def run_post_accumulate_hooks(tensor: Tensor) -> Tensor: ...
def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor] | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None: ...
def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None: ...
def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    allow_unused: bool = False,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]: ...
def leads_elsewhere(outputs: Tensor | Sequence[Tensor], sources: Any) -> Tensor: ...
