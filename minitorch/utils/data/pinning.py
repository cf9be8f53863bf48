"""Batches in pinned memory, for `DataLoader`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minitorch import Tensor

__all__ = ["pin_memory"]


def pin_memory(data: Any, device: Any = None) -> Any:
    """The same with every tensor in pinned memory: of mappings, sequences, and what has a method `pin_memory`."""
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, Mapping):
        values = {key: pin_memory(value) for key, value in data.items()}
        try:
            return type(data)(values)  # type: ignore[call-arg]
        except TypeError:  # a mapping that is made otherwise
            return values
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(pin_memory, data))
    if isinstance(data, Sequence):
        values = [pin_memory(value) for value in data]
        try:
            return type(data)(values)  # type: ignore[call-arg]
        except TypeError:
            return values
    return data
