"""What functions ask of their arguments."""

from __future__ import annotations

from .._tensor import Tensor


def need_tensor(value: object, name: str, argument: str = "input") -> None:
    """Refuse an argument that is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}")
