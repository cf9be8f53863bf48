"""What a backward pass does, in words and numbers: `explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from .drawing import Graph, Observation, observe
from .grad_mode import no_grad

__all__ = ["Explanation", "explain"]


class Explanation:
    """The steps of a backward pass; `print` it, or look at `graph` and `steps`."""

    def __init__(self, observation: Observation, names: dict[int, str], shown: int) -> None:
        self.observation, self.shown = observation, shown
        self.graph = Graph(observation, names)
        self.steps = observation.steps

    def value(self, t: Any) -> str:
        """A tensor in a line: its elements if they are few, otherwise what is to know about them."""
        if t is None:
            return "nothing"
        if not hasattr(t, "shape"):
            return repr(t)
        shape = "×".join(map(str, t.shape)) or "a number"
        with no_grad():
            t = t.detach()
            if 0 < t.numel() <= self.shown:
                elements = str(t.tolist()) if t.ndim else f"{t.item():.6g}"
                return f"{rounded(t.tolist())} ({shape})" if t.ndim else elements
            if t.numel() == 0 or not t.dtype.is_floating_point:
                return f"{shape} {t.dtype}"
            return (f"{shape}, from {t.min().item():.4g} to {t.max().item():.4g}, of length "
                    f"{t.double().square().sum().sqrt().item():.4g}")  # fmt: skip

    def lines(self) -> Iterable[str]:
        """The text, line by line."""
        graph, observation = self.graph, self.observation
        yield f"The backward pass from {graph.label(observation.start)}, {len(self.steps)} steps:"
        for number, step in enumerate(self.steps, 1):
            node = step.node
            yield ""
            yield f"{number}. {graph.label(node)}" + (f"   [{step.module}]" if step.module else "")
            yield from (f"     {line}" for line in formula_lines(node))
            for name, kept in step.saved.items():
                yield f"     saved {name}: {self.value(kept)}"
            if len(step.sources) > 1:
                yield "     gradients met here and were added:"
                for source, part in step.sources:
                    yield f"       from {graph.label(source)}: {self.value(part)}"
            for nr, g in enumerate(step.incoming):
                yield f"     came in{f' for output {nr}' if len(step.incoming) > 1 else ''}: {self.value(g)}"
            for k, (target, _) in enumerate(node.next_functions):
                if target is None:
                    continue
                part = step.outgoing[k] if k < len(step.outgoing) else None
                yield f"     sent to {graph.label(target)}: {self.value(part)}"
        yield ""
        yield "What arrived at the leaves:"
        for leaf, parts in observation.arrivals():
            total = sum(parts[1:], parts[0])
            sums = f", the sum of {len(parts)}" if len(parts) > 1 else ""
            yield f"  {graph.label(leaf)}: {self.value(total)}{sums}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def mermaid(self) -> str:
        """The graph for Mermaid; see `minitorch.autograd.drawing`."""
        return self.graph.mermaid()

    def dot(self) -> str:
        """The graph for Graphviz."""
        return self.graph.dot()

    def svg(self) -> str:
        """The graph as a picture."""
        return self.graph.svg()

    def _repr_svg_(self) -> str:
        return self.svg()


def rounded(values: Any) -> str:
    """Nested lists of numbers, each to a few digits."""
    if isinstance(values, list):
        return "[" + ", ".join(map(rounded, values)) + "]"
    return f"{values:.5g}" if isinstance(values, float) else str(values)


def formula_lines(node: Any) -> Iterable[str]:
    """What an operation computes, and its derivative, from where the library has it written."""
    formula = getattr(node, "formula", None)
    if formula is None:
        text = (type(node).__doc__ or "").strip().split("\n\n")[0]
        custom = getattr(type(node), "_forward_cls", None)
        if custom is not None:
            text = (custom.__doc__ or "").strip().split("\n")[0] or f"{custom.__name__}.backward"
            yield f"its derivative is {custom.__name__}.backward: {text}" if custom.__doc__ else f"{text}, in Python"
        elif text:
            yield " ".join(text.split())
        return
    yield f"y = {formula['y']}"
    for operand, text in zip(formula["operands"], formula["gradients"]):
        if text is not None:
            yield f"d{operand} = {text}   where g = dy"


def explain(output: Any, model: Any = None, *, gradient: Any = None, names: dict[str, Any] | None = None,
            elements: int = 12) -> Explanation:  # fmt: skip
    """Do a backward pass for show: what each node computes, gets and passes on.  No ``grad`` changes.

    Args:
        output: where to begin; a single number, unless ``gradient`` is given.
        model: a module, whose parameters are called by their names.
        gradient: the gradient to begin with.
        names: names of further leaves; local variables of the caller are known by theirs.
        elements: tensors of up to so many elements are shown whole.

    >>> import minitorch
    >>> a = minitorch.tensor(2., requires_grad=True)
    >>> b = a * a
    >>> print(minitorch.explain(b + b))
    The backward pass from AddBackward0, 2 steps:
    <BLANKLINE>
    1. AddBackward0
         y = x1 + x2
         dx1 = g   where g = dy
         dx2 = g   where g = dy
         came in: 1
         sent to MulBackward0: 1
         sent to MulBackward0: 1
    <BLANKLINE>
    2. MulBackward0
         y = x1 * x2
         dx1 = g * x2   where g = dy
         dx2 = g * x1   where g = dy
         saved self: 2
         saved other: 2
         gradients met here and were added:
           from AddBackward0: 1
           from AddBackward0: 1
         came in: 2
         sent to a: 4
         sent to a: 4
    <BLANKLINE>
    What arrived at the leaves:
      a: 8, the sum of 2
    """
    known: dict[int, str] = {}
    frame = sys._getframe(1)
    for scope in (frame.f_globals, frame.f_locals):
        known.update({id(t): name for name, t in scope.items() if hasattr(t, "grad_fn") and not name.startswith("_")})
    if model is not None:
        known.update({id(p): name for name, p in model.named_parameters()})
    known.update({id(t): name for name, t in (names or {}).items()})
    return Explanation(observe(output, gradient), known, elements)
