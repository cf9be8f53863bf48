"""Affine maps: linear, bilinear."""

from __future__ import annotations

from minitorch._ext.matmul import linear

__all__ = ["linear"]
