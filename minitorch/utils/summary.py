"""What a model is made of: its layers, the shapes of what they give, parameters and work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import minitorch
from minitorch import Tensor, nn


@dataclass
class Layer:
    """A line of a `Summary`.

    Attributes:
        name: where it is in the model, as in its state dict.
        kind: its class.
        depth: how many modules it is inside of.
        output: the shapes of what it gave.
        parameters: how many numbers it has itself, without its parts'; those it shares count once.
        flops: the multiplications and additions of its products, its parts' included.
    """

    name: str
    kind: str
    depth: int
    output: list[tuple[int, ...]]
    parameters: int
    flops: int


@dataclass
class Summary:
    """The layers of a model; printed, a table.

    Attributes:
        layers: in the order they are used.
        parameters, trainable: how many numbers there are, and how many of them are learned.
        nbytes: the memory of the parameters.
        flops: of all layers.
    """

    layers: list[Layer]
    parameters: int
    trainable: int
    nbytes: int
    flops: int
    columns: tuple[str, ...] = field(default=("layer", "output", "parameters", "FLOPs"), repr=False)

    def __str__(self) -> str:
        rows = [self.columns, *(
            ("  " * layer.depth + (f"{layer.name.rpartition('.')[2]}: " if layer.name else "") + layer.kind,
             ", ".join(map(str, map(tuple, layer.output))), f"{layer.parameters:,}" if layer.parameters else "-",
             _short(layer.flops) if layer.flops else "-")
            for layer in self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([
            lines[0], rule, *lines[1:], rule,
            f"{self.parameters:,} parameters, {self.trainable:,} of them trainable, {_short(self.nbytes)}B",
            f"{_short(self.flops)}FLOPs in one forward pass",
        ])


def _short(number: float) -> str:
    """With a prefix instead of zeros.

    >>> _short(1234567)
    '1.23 M'
    """
    power = min(int(math.log10(number) // 3), 5) if number >= 1000 else 0
    return f"{number / 1000**power:.3g} {'kMGTP'[power - 1] if power else ''}"


def summary(model: nn.Module, *inputs: Any, input_size: Any = None, dtype: Any = None) -> Summary:
    """Run a model once and list its layers.

    Args:
        inputs: what to call it with; or
        input_size: the shape of one input, the batch included, or a list of shapes; zeros are used.
        dtype: of these.

    Returns:
        a `Summary`, to print or to ask.

    >>> print(summary(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), input_size=(1, 4)))
    layer        output  parameters  FLOPs
    --------------------------------------
    Sequential   (1, 2)           -    96
      0: Linear  (1, 8)          40    64
      1: ReLU    (1, 8)           -      -
      2: Linear  (1, 2)          18    32
    --------------------------------------
    58 parameters, 58 of them trainable, 232 B
    96 FLOPs in one forward pass
    """
    if not inputs:
        if input_size is None:
            raise ValueError("summary: give inputs to call the model with, or input_size")
        sizes = [input_size] if all(isinstance(n, int) for n in input_size) else list(input_size)
        inputs = tuple(minitorch.zeros(tuple(size), dtype=dtype or minitorch.get_default_dtype()) for size in sizes)
    names = {id(module): name for name, module in model.named_modules()}
    layers: list[Layer] = []
    work: list[list[int]] = [[0]]
    seen: set[int] = set()
    handles = []

    def before(module: nn.Module, given: Any) -> None:
        own = [p for p in module.parameters(recurse=False) if id(p) not in seen]
        seen.update(map(id, own))
        name = names[id(module)]
        layers.append(Layer(name, type(module).__name__, len(work) - 1, [], sum(p.numel() for p in own), 0))
        work.append([len(layers) - 1, 0])

    def after(module: nn.Module, given: Any, result: Any) -> None:
        index, inner = work.pop()
        layer = layers[index]
        layer.output = [tuple(tensor.shape) for tensor in _tensors(result)]
        layer.flops = inner + flops(module, given, result)
        work[-1][-1] += layer.flops

    training = model.training
    try:
        for module in model.modules():
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
        model.eval()
        with minitorch.no_grad():
            model(*inputs)
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    parameters = list(model.parameters())
    return Summary(
        layers, sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad),
        sum(p.numel() * p.element_size() for p in parameters), work[0][0])


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        value = value.values()
    if isinstance(value, (list, tuple)) or type(value).__name__ == "dict_values":
        for item in value:
            yield from _tensors(item)


def flops(module: nn.Module, given: Any, result: Any) -> int:
    """The multiplications and additions of a module's own products: of linear, convolutional and recurrent ones."""
    outputs = next((tensor.numel() for tensor in _tensors(result)), 0)
    inputs = next(_tensors(given), None)
    kind = type(module).__name__
    if kind in ("Linear", "LazyLinear", "NonDynamicallyQuantizableLinear"):
        return 2 * outputs * module.in_features
    if kind == "Bilinear":
        return 2 * outputs * module.in1_features * (module.in2_features + 1)
    if "Conv" in kind and hasattr(module, "kernel_size") and inputs is not None:
        size = math.prod(module.kernel_size)
        if "Transpose" in kind:
            return 2 * inputs.numel() * (module.out_channels // module.groups) * size
        return 2 * outputs * (module.in_channels // module.groups) * size
    if kind in ("RNN", "LSTM", "GRU") and inputs is not None:
        steps = inputs.numel() // module.input_size
        return 2 * steps * sum(weight.numel() for name, weight in module.named_parameters() if "weight" in name)
    return 0
