# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor, return_types
from minitorch._ext.reduce import ReduceBackward
from minitorch._ext.tensor import Node
from minitorch._types import Dims, Number

@final
class ExtremeBackward(ReduceBackward): ...

class ChoiceBackward(Node): ...

def max(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    other: Tensor | Number | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Any: ...
def min(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    other: Tensor | Number | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Any: ...
def amax(
    input: Tensor,
    dim: Dims = (),
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def amin(
    input: Tensor,
    dim: Dims = (),
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def aminmax(
    input: Tensor, *, dim: Dims | None = None, keepdim: bool = False, out: Tensor | None = None
) -> return_types.aminmax: ...
def argmax(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def argmin(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
