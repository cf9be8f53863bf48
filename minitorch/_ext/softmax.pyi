# Written by tools/stubs.py
from typing import final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import DType, Number

class AlongBackward(Node): ...

@final
class SoftmaxBackward(AlongBackward): ...

@final
class LogSoftmaxBackward(AlongBackward): ...

@final
class NllLossBackward(Node): ...

def softmax(input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None) -> Tensor: ...
def log_softmax(input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None) -> Tensor: ...
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: str | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: str | None = None,
    reduction: str = "mean",
    label_smoothing: Number = 0.0,
) -> Tensor: ...
