"""The error for an attribute that a module does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import Module


class MissingAttribute(AttributeError):
    """An AttributeError that suggests the near name, which it looks for only when shown: `hasattr` stays cheap."""

    def __init__(self, module: Module, name: str) -> None:
        super().__init__(name=name)
        self.module = module

    def __str__(self) -> str:
        from difflib import get_close_matches

        near = get_close_matches(self.name, [name for name in dir(self.module) if not name.startswith("__")], n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        return f"'{type(self.module).__name__}' object has no attribute '{self.name}'{hint}"

    def __reduce__(self) -> tuple:
        return AttributeError, (str(self),)
