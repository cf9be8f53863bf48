"""Tools around training: data, hooks, progress."""

from . import data, hooks

__all__ = ["data", "hooks"]
