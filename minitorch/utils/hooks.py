"""Handles by which hooks are removed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class RemovableHandle:
    """What registering a hook returns: `remove` takes it away, as does leaving a ``with`` block.

    >>> hooks = {}
    >>> handle = RemovableHandle(hooks)
    >>> hooks[handle.id] = print
    >>> handle.remove()
    >>> hooks
    {}
    """

    next_id = 0

    def __init__(
        self, hooks_dict: dict[int, Any], *, extra_dict: dict[int, Any] | Sequence[dict[int, Any]] = ()
    ) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.tables = [hooks_dict, *([extra_dict] if isinstance(extra_dict, dict) else extra_dict)]

    def remove(self) -> None:
        """Take the hook away; once more does nothing."""
        for table in self.tables:
            table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
