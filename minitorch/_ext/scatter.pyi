# Written by tools/stubs.py
from typing import Any

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Dims, Number

class ScatterBackward(Node): ...
class ScatterReduceBackward(Node): ...

def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None
) -> Tensor: ...
def scatter_(
    self: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
) -> Tensor: ...
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
def scatter_add_(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor: ...
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def scatter_reduce(
    input: Tensor,
    dim: Dims,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: Any = True,
    out: Tensor | None = None,
) -> Tensor: ...
def index_add_(self: Tensor, dim: Dims, index: Tensor, source: Dims, *, alpha: Number = 1) -> Tensor: ...
def index_add(
    input: Tensor, dim: Dims, index: Tensor, source: Dims, *, alpha: Number = 1, out: Tensor | None = None
) -> Tensor: ...
def index_copy_(self: Tensor, dim: Dims, index: Tensor, source: Dims) -> Tensor: ...
def index_copy(input: Tensor, dim: Dims, index: Tensor, source: Dims, *, out: Tensor | None = None) -> Tensor: ...
def index_fill_(self: Tensor, dim: Dims, index: Tensor, value: Number) -> Tensor: ...
def index_fill(input: Tensor, dim: Dims, index: Tensor, value: Number) -> Tensor: ...
