"""Signals: so far the windows that they are cut with."""

from . import windows

__all__ = ["windows"]
