"""Allocation, views, copies and fills."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def widen(bits: np.ndarray) -> np.ndarray:
    """bfloat16 bits as float32 values: they are the upper half of them.

    >>> widen(np.array([0x3FC0], np.uint16))
    array([1.5], dtype=float32)
    """
    return (bits.astype(np.uint32) << 16).view(np.float32)


def narrow(values: np.ndarray) -> np.ndarray:
    """float32 values rounded to bfloat16 bits, to the nearest and ties to even.

    >>> hex(narrow(np.array([1.5], np.float32))[0])
    '0x3fc0'
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), 0x7FC0, rounded).astype(np.uint16)


def strided(buffer: np.ndarray, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> np.ndarray:
    """The view of a flat buffer whose element (i, j, ...) is ``buffer[offset + i strides[0] + j strides[1] + ...]``.

    >>> strided(np.arange(6), (3, 2), (1, 3))
    array([[0, 3],
           [1, 4],
           [2, 5]])
    """
    view = np.lib.stride_tricks.as_strided
    return view(buffer[offset:], tuple(shape), [stride * buffer.itemsize for stride in strides])


def copy(target: np.ndarray, source: np.ndarray) -> None:
    """Write `source`, broadcast and converted, into `target`; read all of it first, should they overlap.

    Floats become integers by dropping the fraction (what does not fit is not defined, but is no trap), anything that is
    not zero becomes True, integers wrap around.
    """
    with np.errstate(all="ignore"):
        target[...] = source.astype(target.dtype)


def fill(target: np.ndarray, value: complex) -> None:
    """Write one number everywhere."""
    copy(target, np.asarray(value))
