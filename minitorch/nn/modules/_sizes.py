"""Arguments that are one number for all dimensions, or one for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def per_dimension(value: Any, dims: int) -> tuple:
    """`value` for each of `dims` dimensions, unless it already says one for each."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * dims
