# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor, return_types
from minitorch._ext.tensor import Node
from minitorch._types import Dims, DType, Number

class ReduceBackward(Node): ...

@final
class SumBackward(ReduceBackward): ...

@final
class MeanBackward(ReduceBackward): ...

@final
class ProdBackward(ReduceBackward): ...

@final
class ExtremeBackward(ReduceBackward): ...

class ChoiceBackward(Node): ...

@final
class VarBackward(ReduceBackward): ...

@final
class NormBackward(ReduceBackward): ...

@final
class LogsumexpBackward(ReduceBackward): ...

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
def var(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def std(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    out: Tensor | None = None,
    axis: Dims | None = None,
    keepdims: bool | None = None,
) -> Tensor: ...
def var_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]: ...
def std_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]: ...
def norm(
    input: Tensor,
    p: float | str = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: DType | None = None,
) -> Tensor: ...
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor: ...
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
