"""Tools around training: data, hooks, progress."""

from . import data, hooks

__all__ = ["data", "hooks"]


def __getattr__(name: str):
    # what builds upon the whole package is imported when it is asked for
    if name == "checkpoint":
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'minitorch.utils' has no attribute {name!r}")
