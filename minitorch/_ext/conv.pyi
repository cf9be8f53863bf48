# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Number, Sizes

class Geometry: ...

@final
class Taps: ...

class ConvolutionNode(Node): ...

@final
class ConvolutionBackward(ConvolutionNode): ...

@final
class ConvolutionInputBackward(ConvolutionNode): ...

@final
class ConvolutionWeightBackward(ConvolutionNode): ...

@final
class Im2ColBackward(ConvolutionNode): ...

def conv1d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Tensor: ...
def conv2d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Tensor: ...
def conv3d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Tensor: ...
def conv_transpose1d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Tensor: ...
def conv_transpose2d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Tensor: ...
def conv_transpose3d(
    input: Tensor,
    weight: Tensor | Number,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Tensor: ...
def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Sizes = 1) -> Tensor: ...
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Sizes = 1
) -> Tensor: ...
