"""Statistics of a network's activations and gradients, with a verdict in words."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

from minitorch import Tensor, nn


@dataclass
class LayerStatistics:
    """What a layer gave and what came back to it, over all batches watched.

    Attributes:
        mean, std: of its outputs.
        zeros: the part of its outputs that are 0.
        dead: the part of its units (channels, features) that were 0 for every sample.
        saturated: the part of a sigmoid's or tanh's outputs that are near its bounds.
        gradient: the root mean square of the loss's derivative by its outputs; None before a backward pass.
        finite: whether all of these were finite.
    """

    name: str
    kind: str
    mean: float = 0.0
    std: float = 0.0
    zeros: float = 0.0
    dead: float = 0.0
    saturated: float = 0.0
    gradient: float | None = None
    finite: bool = True


class _Sums:
    """Running sums of a layer."""

    def __init__(self) -> None:
        self.count = self.total = self.squares = self.zeros = self.saturated = 0.0
        self.grad_count = self.grad_squares = 0.0
        self.active: Tensor | None = None
        self.finite = True


class Watch:
    """Watches the layers of a model while it is used in a ``with`` block, and then says how they do.

    Args:
        model: whose innermost modules are watched.

    >>> model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> with Watch(model) as watch:
    ...     model(minitorch.ones(8, 4)).sum().backward()
    >>> [layer.kind for layer in watch.layers()]
    ['Linear', 'ReLU', 'Linear']
    """

    def __init__(self, model: nn.Module) -> None:
        self.modules = {name: module for name, module in model.named_modules() if not list(module.children())}
        self._sums = {name: _Sums() for name in self.modules}
        self._handles: list[Any] = []

    def __enter__(self) -> Watch:
        for name, module in self.modules.items():
            self._handles.append(module.register_forward_hook(functools.partial(self._after, name)))
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _after(self, name: str, module: nn.Module, given: Any, result: Any) -> None:
        output = result[0] if isinstance(result, tuple) else result
        if not isinstance(output, Tensor) or not output.is_floating_point() or not output.numel():
            return
        sums, y = self._sums[name], output.detach().float()
        sums.count += y.numel()
        sums.total += y.sum().item()
        sums.squares += (y * y).sum().item()
        sums.finite = sums.finite and math.isfinite(sums.squares)
        sums.zeros += (y == 0).sum().item()
        sums.saturated += _saturated(module, y)
        dim = 1 if y.ndim in (2, 4, 5) else y.ndim - 1
        active = (y.movedim(dim, 0).reshape(y.shape[dim], -1) != 0).any(1) if y.ndim else y.reshape(1) != 0
        same = sums.active is not None and sums.active.shape == active.shape
        sums.active = sums.active | active if same else active
        if output.requires_grad:
            output.register_hook(functools.partial(self._gradient, name))

    def _gradient(self, name: str, grad: Tensor) -> None:
        sums, g = self._sums[name], grad.detach().float()
        sums.grad_count += g.numel()
        sums.grad_squares += (g * g).sum().item()
        sums.finite = sums.finite and math.isfinite(sums.grad_squares)

    def layers(self) -> list[LayerStatistics]:
        """The statistics of all layers that were used."""
        found = []
        for name, sums in self._sums.items():
            if not sums.count:
                continue
            mean = sums.total / sums.count
            gradient = math.sqrt(sums.grad_squares / sums.grad_count) if sums.grad_count and sums.finite else None
            found.append(LayerStatistics(
                name, type(self.modules[name]).__name__, mean,
                math.sqrt(max(sums.squares / sums.count - mean * mean, 0.0)) if sums.finite else math.nan,
                sums.zeros / sums.count, 1 - sums.active.float().mean().item(), sums.saturated / sums.count, gradient,
                sums.finite))
        return found

    def verdicts(self) -> dict[str, str]:
        """What is wrong, by layer; those that do well are not in it."""
        layers = self.layers()
        gradients = sorted(layer.gradient for layer in layers if layer.gradient)
        usual = gradients[len(gradients) // 2] if gradients else 0.0
        found = {layer.name: _verdict(layer, usual) for layer in layers}
        return {name: verdict for name, verdict in found.items() if verdict}

    def __str__(self) -> str:
        verdicts = self.verdicts()
        rows = [("layer", "mean", "std", "zeros", "gradient", "")]
        for layer in self.layers():
            gradient = "-" if layer.gradient is None else f"{layer.gradient:.2g}"
            rows.append((f"{layer.name} {layer.kind}", f"{layer.mean:.3g}", f"{layer.std:.3g}", f"{layer.zeros:.0%}",
                         gradient, verdicts.get(layer.name, "well")))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(
            f"{text:<{width}}" if i in (0, 5) else f"{text:>{width}}" for i, (text, width) in enumerate(
                zip(row, widths, strict=True))).rstrip() for row in rows)


def _saturated(module: nn.Module, y: Tensor) -> float:
    if isinstance(module, nn.Tanh):
        return (y.abs() > 0.97).sum().item()
    if isinstance(module, nn.Sigmoid):
        return ((y - 0.5).abs() > 0.485).sum().item()
    return 0.0


def _verdict(layer: LayerStatistics, usual: float) -> str:
    """What is wrong with a layer, whose neighbours' gradients are `usual`."""
    if not layer.finite:
        return "not finite: a smaller learning rate, or clip the gradients"
    if layer.dead > 0.5:
        return f"dead: {layer.dead:.0%} of the units are 0 for every sample; a smaller learning rate, or LeakyReLU"
    if layer.saturated > 0.5:
        return f"saturated: {layer.saturated:.0%} of the outputs are at the bounds; smaller weights, or normalise"
    if layer.gradient == 0:
        return "no gradient reaches it"
    if layer.gradient is not None and usual:
        if layer.gradient < 1e-3 * usual:
            return "vanishing gradient: a residual connection or a normalisation before it helps"
        if layer.gradient > 1e3 * usual:
            return "exploding gradient: clip it, or use smaller weights"
    if layer.std < 1e-6:
        return "constant: it gives the same for every input"
    return ""
