# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Number

@final
class Sets: ...

@final
class NormBackward(Node): ...

def batch_norm(
    x: Any,
    weight: Tensor | Number,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: Any,
    momentum: Any,
    eps: Number,
) -> Tensor: ...
def group_norm(
    x: Any, num_groups: Any, weight: Tensor | Number, bias: Any, eps: Number, name: Any = "group_norm"
) -> Tensor: ...
def row_norm(
    x: Any, normalized_shape: Any, weight: Tensor | Number, bias: Any, eps: Number, centred: Any, name: Any
) -> Tensor: ...
