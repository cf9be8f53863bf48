# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Dims, Number

@final
class AddRowsBackward(Node): ...

@final
class EmbeddingBackward(Node): ...

def embedding(
    weight: Tensor | Number, indices: Any, padding_idx: Any = -1, scale_grad_by_freq: Any = False, sparse: Any = False
) -> Tensor: ...
def sum_of_rows(weight: Tensor | Number, source: Dims, target: Tensor, factors: Any, rows: Any) -> Tensor: ...
def greatest_rows(weight: Tensor | Number, source: Dims, target: Tensor, rows: Any) -> Tensor: ...
