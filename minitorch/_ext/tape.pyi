# Written by tools/stubs.py
from collections.abc import Sequence
from typing import Any, final

from typing_extensions import Self

from minitorch import Tensor

@final
class Replay: ...

class RetainGrad:
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

def retain_grad(self: Tensor) -> None: ...
def retains_grad(self: Tensor) -> bool: ...

class RemovableHandle:
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: Any) -> None: ...
    def __init__(self, hooks: Any, entry: Any) -> None: ...
    def remove(self) -> None: ...

def register_hook(self: Tensor, hook: Any) -> RemovableHandle: ...
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
