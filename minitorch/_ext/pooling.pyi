# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Dims, Sizes

@final
class Windows: ...

class PoolNode(Node): ...

@final
class MaxPoolBackward(PoolNode): ...

@final
class PutBackward(PoolNode): ...

@final
class TakeBackward(PoolNode): ...

@final
class AvgPoolBackward(PoolNode): ...

@final
class SpreadBackward(PoolNode): ...

def max_pool(
    x: Any,
    dims: Dims,
    kernel_size: Any,
    stride: Sizes,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    return_indices: Any,
    name: Any,
) -> Tensor: ...
def adaptive_max_pool(x: Any, dims: Dims, output_size: Any, return_indices: Any, name: Any) -> Tensor: ...
def fractional_max_pool(
    x: Any, dims: Dims, kernel_size: Any, output_size: Any, samples: Any, return_indices: Any, name: Any
) -> Tensor: ...
def avg_pool(
    x: Any,
    dims: Dims,
    kernel_size: Any,
    stride: Sizes,
    padding: Any,
    ceil_mode: Any,
    count_include_pad: Any,
    divisor_override: Any,
    name: Any,
) -> Tensor: ...
def adaptive_avg_pool(x: Any, dims: Dims, output_size: Any, name: Any) -> Tensor: ...
def max_unpool(x: Any, indices: Any, dims: Dims, output_size: Any, name: Any) -> Tensor: ...
