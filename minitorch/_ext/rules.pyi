# Written by tools/stubs.py
from collections.abc import Sequence
from typing import Any

from minitorch import Tensor
from minitorch._ext.tensor import Node

class RuleBackward(Node): ...

def record_rule(
    title: Any, rule: Any, outputs: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor], saved: Any
) -> Tensor: ...
