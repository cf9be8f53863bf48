"""Arguments of layers in one, two or three dimensions, by the names that programs import them under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._sizes import per_dimension


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple]:
    """A function that repeats a number n times, and leaves what is iterable as it is, but for the type."""

    def parse(x: Any) -> tuple:
        return per_dimension(x, n)

    parse.__name__ = name
    return parse


_single, _pair = _ntuple(1, "_single"), _ntuple(2, "_pair")
_triple, _quadruple = _ntuple(3, "_triple"), _ntuple(4, "_quadruple")
