# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Number

@final
class AttentionBackward(Node): ...

def attention(query: Any, key: Any, value: Number, mask: Tensor, causal: Any, scale: Number) -> Tensor: ...
