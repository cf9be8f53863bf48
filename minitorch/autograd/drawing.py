"""The graph of recorded operations as text, Mermaid, DOT and SVG.

`observe` does a backward pass for show, which tells what flows along each edge; `Graph` draws what it saw.
"""

from __future__ import annotations

import contextlib
import html
from collections.abc import Iterator
from typing import Any

from .._ext.tensor import AccumulateGrad, _watch_nodes
from .._tensor import Tensor
from . import anomaly_mode

__all__ = ["Graph", "Observation", "Step", "by_module", "draw", "observe"]


class Step:
    """One node of a backward pass: what came in, from whom, what it had saved, and what it passed on."""

    def __init__(self, node: Any, incoming: tuple[Any, ...]) -> None:
        self.node, self.incoming = node, incoming
        self.outgoing: tuple[Any, ...] = ()
        self.saved: dict[str, Any] = dict(node._saved)
        self.sources: list[tuple[Any, Any]] = []
        self.module = node.metadata.get("module", "")


class Observation:
    """All steps of a backward pass, in their order."""

    def __init__(self, start: Any) -> None:
        self.start = start
        self.steps: list[Step] = []

    def connect(self) -> None:
        """Note for each step where its gradients came from."""
        by_node = {id(step.node): step for step in self.steps}
        for step in self.steps:
            for (target, _), part in zip(step.node.next_functions, step.outgoing):
                if target is not None and part is not None and id(target) in by_node:
                    by_node[id(target)].sources.append((step.node, part))

    def arrivals(self) -> list[tuple[Any, list[Any]]]:
        """Each leaf with the gradients that reached it."""
        found: dict[int, tuple[Any, list[Any]]] = {}
        for step in self.steps:
            for (target, _), part in zip(step.node.next_functions, step.outgoing):
                if isinstance(target, AccumulateGrad) and part is not None:
                    found.setdefault(id(target), (target, []))[1].append(part)
        return list(found.values())


def nodes_behind(start: Any) -> list[Any]:
    """Every node that a node leads to, itself the first."""
    seen, found, todo = set(), [], [start]
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        found.append(node)  # which also keeps it, so that its id stays its own
        todo.extend(target for target, _ in node.next_functions)
    return found


def observe(output: Tensor, gradient: Tensor | None = None) -> Observation:
    """Do a backward pass that leaves everything as it is, and tell what each node did."""
    if not output.requires_grad or output.grad_fn is None:
        raise RuntimeError("there is no graph behind this tensor: it is a leaf, or was computed without gradients")
    seen = Observation(output.grad_fn)
    nodes = [node for node in nodes_behind(output.grad_fn) if not isinstance(node, AccumulateGrad)]
    with contextlib.ExitStack() as stack:
        for node in nodes:

            def before(grads: Any, node: Any = node) -> None:
                seen.steps.append(Step(node, grads))

            def after(inputs: Any, outputs: Any) -> None:
                seen.steps[-1].outgoing = inputs

            stack.enter_context(node.register_prehook(before))
            stack.enter_context(node.register_hook(after))
        leaves = [node.variable for node in nodes_behind(output.grad_fn) if isinstance(node, AccumulateGrad)]
        from .._ext.tape import grad

        grad(output, leaves, gradient, retain_graph=True, allow_unused=True)
    seen.connect()
    return seen


@contextlib.contextmanager
def by_module(model: Any) -> Iterator[None]:
    """Inside, what the parts of a model record is known to be theirs; drawings are then grouped by module.

    >>> import minitorch
    >>> from minitorch.autograd.drawing import by_module, draw
    >>> model = minitorch.nn.Sequential(minitorch.nn.Linear(2, 2), minitorch.nn.ReLU())
    >>> with by_module(model):
    ...     loss = model(minitorch.ones(1, 2)).sum()
    >>> "0: Linear" in draw(loss, "dot", model)
    True
    """
    current: list[str] = []

    def enter(module: Any, args: Any, label: str) -> None:
        current.append(label)

    def leave(module: Any, args: Any, output: Any) -> None:
        current.pop()

    def note(node: Any) -> None:
        if current and current[-1]:
            node.metadata["module"] = current[-1]

    if anomaly_mode.is_anomaly_enabled():
        raise RuntimeError("by_module and anomaly mode both watch the nodes: use one at a time")
    with contextlib.ExitStack() as stack:
        for name, module in model.named_modules():
            label = f"{name}: {type(module).__name__}" if name else ""
            stack.enter_context(
                module.register_forward_pre_hook(lambda module, args, label=label: enter(module, args, label))
            )
            stack.enter_context(module.register_forward_hook(leave))
        _watch_nodes(note, None)
        stack.callback(_watch_nodes, None, None)
        yield


# --- drawing --------------------------------------------------------------------------------------------------------

COLOURS = ["#dbe9f6", "#e2f0d9", "#fdebd3", "#eadcf4", "#fbdcdc", "#d9f0ee", "#f6f3c9", "#e6e6e6"]


class Graph:
    """A graph to draw: nodes in the order of the backward pass, then the leaves."""

    def __init__(self, observation: Observation, names: dict[int, str] | None = None) -> None:
        self.names = names or {}
        self.nodes = [step.node for step in observation.steps]
        self.steps = {id(step.node): step for step in observation.steps}
        self.leaves = [leaf for leaf, _ in observation.arrivals()]
        self.ids = {id(node): f"n{k}" for k, node in enumerate([*self.nodes, *self.leaves])}
        self.groups = list(dict.fromkeys(step.module for step in observation.steps if step.module))

    def label(self, node: Any) -> str:
        """The name of a node, or of the leaf that it is the end of."""
        if isinstance(node, AccumulateGrad):
            name = self.names.get(id(node.variable))
            return name or f"leaf {'×'.join(map(str, node.variable.shape)) or 'number'}"
        return node.name()

    def group(self, node: Any) -> str:
        """The module that a node belongs to, if that was noted."""
        step = self.steps.get(id(node))
        return step.module if step is not None else ""

    def shape(self, node: Any) -> str:
        """The shape of what a node gave in the forward."""
        if isinstance(node, AccumulateGrad):
            shape = node.variable.shape
        else:
            shape = next((g.shape for g in self.steps[id(node)].incoming if g is not None), ())
        return "×".join(map(str, shape)) or "·"

    def edges(self) -> Iterator[tuple[Any, Any, str]]:
        """From each node to what it passes gradients to, with the shape of those."""
        for node in self.nodes:
            for target, _ in node.next_functions:
                if target is not None and id(target) in self.ids:
                    yield node, target, self.shape(target)

    def text(self) -> str:
        """Indented lines; what was shown before is only named."""
        lines: list[str] = []
        seen: set[int] = set()
        todo = [(self.nodes[0], 0)] if self.nodes else []
        while todo:
            node, depth = todo.pop()
            again = id(node) in seen
            group = f"  [{self.group(node)}]" if self.group(node) else ""
            lines.append(f"{'  ' * depth}{self.label(node)} {self.shape(node)}{group}{' (above)' if again else ''}")
            if again or isinstance(node, AccumulateGrad):
                continue
            seen.add(id(node))
            below = [t for t, _ in node.next_functions if t is not None and id(t) in self.ids]
            todo.extend((target, depth + 1) for target in reversed(below))
        return "\n".join(lines)

    def mermaid(self) -> str:
        """A flowchart for Mermaid, as Markdown on many sites shows it."""
        lines = ["flowchart TD"]
        for group in [*self.groups, ""]:
            members = [n for n in (*self.nodes, *self.leaves) if self.group(n) == group]
            if group:
                lines.append(f'  subgraph g{self.groups.index(group)}["{group}"]')
            for n in members:
                left, right = ("([", "])") if isinstance(n, AccumulateGrad) else ("[", "]")
                lines.append(f'  {"  " if group else ""}{self.ids[id(n)]}{left}"{self.label(n)}"{right}')
            if group:
                lines.append("  end")
        lines += [f"  {self.ids[id(a)]} -->|{shape}| {self.ids[id(b)]}" for a, b, shape in self.edges()]
        return "\n".join(lines)

    def dot(self) -> str:
        """A digraph for Graphviz."""
        lines = ["digraph backward {", '  node [shape=box, fontname="sans-serif"];']
        for group in [*self.groups, ""]:
            if group:
                lines.append(f'  subgraph cluster_{self.groups.index(group)} {{ label="{group}";')
            for n in (*self.nodes, *self.leaves):
                if self.group(n) == group:
                    style = ", shape=ellipse" if isinstance(n, AccumulateGrad) else ""
                    lines.append(f'    {self.ids[id(n)]} [label="{self.label(n)}"{style}];')
            if group:
                lines.append("  }")
        lines += [f'  {self.ids[id(a)]} -> {self.ids[id(b)]} [label="{shape}"];' for a, b, shape in self.edges()]
        return "\n".join([*lines, "}"])

    def svg(self) -> str:
        """A picture that needs nothing else."""
        return Picture(self).svg()


class Picture:
    """The layout of a graph: a row for each distance from the output, crossings made few by averaging."""

    ROW, GAP, HEIGHT = 74, 22, 34

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.everything = [*graph.nodes, *graph.leaves]
        self.edges = list(graph.edges())
        depth = {id(n): 0 for n in self.everything}
        for a, b, _ in self.edges:  # in the order of the backward pass, so that a is done before what it leads to
            depth[id(b)] = max(depth[id(b)], depth[id(a)] + 1)
        self.rows: list[list[Any]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
        for n in self.everything:
            self.rows[depth[id(n)]].append(n)
        self.x: dict[int, float] = {}
        self.y = {id(n): 30 + depth[id(n)] * self.ROW for n in self.everything}
        self.width = max((self.place(row) for row in self.rows), default=0)
        for row in self.rows:
            self.place(row)
        for _ in range(4):
            self.settle()

    def width_of(self, node: Any) -> float:
        """How wide a box must be for its text."""
        return 7.4 * max(len(self.graph.label(node)), len(self.graph.group(node)) * 0.8, 6) + 18

    def place(self, row: list[Any]) -> float:
        """Put a row's boxes one beside the other; return how wide they are together."""
        x = float(self.GAP)
        for n in row:
            self.x[id(n)] = x + self.width_of(n) / 2
            x += self.width_of(n) + self.GAP
        return x

    def settle(self) -> None:
        """Order each row by where its neighbours above are, and centre it."""
        above: dict[int, list[float]] = {}
        for a, b, _ in self.edges:
            above.setdefault(id(b), []).append(self.x[id(a)])
        for row in self.rows:
            row.sort(key=lambda n: sum(above.get(id(n), [self.x[id(n)]])) / len(above.get(id(n), [0])))
            shift = (self.width - self.place(row)) / 2
            for n in row:
                self.x[id(n)] += shift

    def svg(self) -> str:
        """The picture."""
        height = 60 + self.ROW * len(self.rows)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{height}" '
            f'viewBox="0 0 {self.width:.0f} {height}" font-family="sans-serif" font-size="12">',
            '<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
            '<path d="M0,1 L7,4 L0,7 z" fill="#666"/></marker></defs>',
            f'<rect width="{self.width:.0f}" height="{height}" fill="white"/>',
        ]
        parts += [self.edge(*edge) for edge in self.edges]
        parts += [self.box(n) for n in self.everything]
        return "\n".join([*parts, "</svg>"])

    def edge(self, a: Any, b: Any, shape: str) -> str:
        """A curve from a box to the next, with a shape beside it."""
        x1, y1 = self.x[id(a)], self.y[id(a)] + self.HEIGHT / 2
        x2, y2 = self.x[id(b)], self.y[id(b)] - self.HEIGHT / 2 - 1
        middle = (y1 + y2) / 2
        return (
            f'<path d="M{x1:.1f},{y1:.1f} C{x1:.1f},{middle:.1f} {x2:.1f},{middle:.1f} {x2:.1f},{y2:.1f}" fill="none" '
            f'stroke="#666" marker-end="url(#a)"/><text x="{(x1 + x2) / 2 + 4:.1f}" y="{middle + 4:.1f}" fill="#555" '
            f'font-size="10">{html.escape(shape)}</text>'
        )

    def box(self, node: Any) -> str:
        """A node: its name, and its module below."""
        graph, w = self.graph, self.width_of(node)
        group, x, y = graph.group(node), self.x[id(node)], self.y[id(node)]
        fill = COLOURS[graph.groups.index(group) % len(COLOURS)] if group else "#ffffff"
        leaf = isinstance(node, AccumulateGrad)
        text = (f'<text x="{x:.1f}" y="{y + (0 if group else 4):.1f}" text-anchor="middle">'
                f"{html.escape(graph.label(node))}</text>")  # fmt: skip
        if group:
            text += (f'<text x="{x:.1f}" y="{y + 13:.1f}" text-anchor="middle" font-size="9" fill="#555">'
                     f"{html.escape(group)}</text>")  # fmt: skip
        return (
            f'<rect x="{x - w / 2:.1f}" y="{y - self.HEIGHT / 2:.1f}" width="{w:.1f}" height="{self.HEIGHT}" '
            f'rx="{17 if leaf else 4}" fill="{"#fff7d6" if leaf else fill}" stroke="#444"/>{text}'
        )


def draw(output: Tensor, format: str = "text", model: Any = None, names: dict[str, Tensor] | None = None) -> str:
    """The graph behind a tensor as ``"text"``, ``"mermaid"``, ``"dot"`` or ``"svg"``.

    Args:
        model: a module, whose parameters are called by their names; see `by_module` for grouping.
        names: names of further leaves.

    >>> import minitorch
    >>> from minitorch.autograd.drawing import draw
    >>> w = minitorch.ones(3, requires_grad=True)
    >>> print(draw((w * 2).exp().sum(), names={"w": w}))
    SumBackward0 ·
      ExpBackward0 3
        MulBackward0 3
          w 3
    """
    if format not in ("text", "mermaid", "dot", "svg"):
        raise ValueError(f"draw: format must be 'text', 'mermaid', 'dot' or 'svg', not {format!r}")
    known = {id(t): name for name, t in (names or {}).items()}
    if model is not None:
        known.update({id(p): name for name, p in model.named_parameters()})
    gradient = None if output.numel() == 1 else output.detach() * 0 + 1
    return getattr(Graph(observe(output, gradient), known), format)()
