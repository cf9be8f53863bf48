"""Nested containers (dicts, lists, tuples) as flat lists of what they hold, and back."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = [
    "TreeSpec",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_leaves",
    "tree_map",
    "tree_map_only",
    "tree_unflatten",
]


class TreeSpec(NamedTuple):
    """The shape of a nested container: the type of each and what is below it; a leaf has the type None."""

    type: type | None
    context: Any
    children: tuple[TreeSpec, ...]

    @property
    def num_leaves(self) -> int:
        """How many things the container holds in all."""
        return 1 if self.type is None else sum(child.num_leaves for child in self.children)


LEAF = TreeSpec(None, None, ())


def _open(tree: Any) -> tuple[list[Any], Any] | None:
    """What a container holds directly, and what else is needed to make it again; None for a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict, defaultdict):
        return list(tree.values()), (list(tree), getattr(tree, "default_factory", None))
    if kind in (list, tuple) or isinstance(tree, tuple):
        return list(tree), None
    return None


def _close(kind: type, context: Any, children: list[Any]) -> Any:
    if kind in (dict, OrderedDict):
        return kind(zip(context[0], children))
    if kind is defaultdict:
        return defaultdict(context[1], zip(context[0], children))
    return kind(*children) if hasattr(kind, "_fields") else kind(children)


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The things that a nested container holds, in order, and its shape.

    >>> tree_flatten({"a": [1, 2], "b": 3})[0]
    [1, 2, 3]
    """
    opened = _open(tree)
    if opened is None:
        return [tree], LEAF
    leaves: list[Any] = []
    specs = []
    for child in opened[0]:
        some, spec = tree_flatten(child)
        leaves += some
        specs.append(spec)
    return leaves, TreeSpec(type(tree), opened[1], tuple(specs))


def tree_unflatten(leaves: list[Any], spec: TreeSpec) -> Any:
    """The nested container of a shape that holds these things.

    >>> leaves, spec = tree_flatten((1, [2]))
    >>> tree_unflatten([5, 6], spec)
    (5, [6])
    """
    remaining = iter(leaves)

    def build(spec: TreeSpec) -> Any:
        if spec.type is None:
            return next(remaining)
        return _close(spec.type, spec.context, [build(child) for child in spec.children])

    return build(spec)


def tree_leaves(tree: Any) -> list[Any]:
    """The things that a nested container holds."""
    return tree_flatten(tree)[0]


def tree_map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """The same nested container with a function applied to each thing in it (and to those of others beside it).

    >>> tree_map(lambda x: x + 1, {"a": [1, 2]})
    {'a': [2, 3]}
    """
    leaves, spec = tree_flatten(tree)
    others = [tree_leaves(other) for other in rest]
    return tree_unflatten([function(*each) for each in zip(leaves, *others)], spec)


def tree_map_only(kind: Any, function: Callable[[Any], Any], tree: Any) -> Any:
    """`tree_map` for the things of a type; the others stay."""
    return tree_map(lambda x: function(x) if isinstance(x, kind) else x, tree)


def tree_any(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether a predicate holds for anything in a nested container."""
    return any(map(predicate, tree_leaves(tree)))


def tree_all(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether a predicate holds for everything in a nested container."""
    return all(map(predicate, tree_leaves(tree)))
