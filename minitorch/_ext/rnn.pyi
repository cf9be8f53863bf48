# Written by tools/stubs.py
from typing import Any, final

from minitorch import Tensor
from minitorch._ext.tensor import Node
from minitorch._types import Number

class Sizes:
    def __init__(self, args: Any, kwargs: Any) -> None: ...
    @property
    def first(self) -> Any: ...
    @property
    def count(self) -> Any: ...
    @property
    def steps(self) -> Any: ...
    @property
    def batch(self) -> Any: ...
    @property
    def apart(self) -> Any: ...
    @property
    def rows(self) -> Any: ...

@final
class RnnBackward(Node): ...

CELLS: Any

def rnn_layer(
    kind: Any, sizes: Sizes, sums: Any, h0: Any, c0: Any, weight: Tensor | Number, bias: Any, reverse: Any
) -> Tensor: ...
