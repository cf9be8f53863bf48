# Written by tools/stubs.py
from typing import final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Dims, DType

class ReduceBackward(Node): ...

@final
class SumBackward(ReduceBackward): ...

@final
class MeanBackward(ReduceBackward): ...

@final
class ProdBackward(ReduceBackward): ...

class ScanBackward(Node): ...

@final
class CumsumBackward(ScanBackward): ...

@final
class CumprodBackward(ScanBackward): ...

def sum(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def mean(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def nansum(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
def nanmean(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
def count_nonzero(input: Tensor, dim: Dims | None = None) -> Tensor: ...
def prod(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def any(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def all(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def cumsum(
    input: Tensor,
    dim: Dims | None = None,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
) -> Tensor: ...
def cumsum_(self: Tensor, dim: Dims, *, dtype: DType | None = None) -> Tensor: ...
def cumprod(
    input: Tensor,
    dim: Dims | None = None,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
) -> Tensor: ...
def cumprod_(self: Tensor, dim: Dims, *, dtype: DType | None = None) -> Tensor: ...
