"""Ordering along an axis, searching in what is sorted, and counting.

Not a number is larger than every number, and equal to itself; 0 and -0 are equal.  Where equal ones leave a choice of
the place, the twin takes the first; a device may take another, but must take the same on every run.
"""

from __future__ import annotations

import numpy as np


def sort(x: np.ndarray, axis: int = -1, descending: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The values in order and where each came from; equal ones keep their order."""
    if descending:  # from the back, so that equal ones keep their order
        values, index = sort(np.flip(x, axis), axis)
        return np.flip(values, axis), x.shape[axis] - 1 - np.flip(index, axis)
    index = np.argsort(x, axis, kind="stable")
    return np.take_along_axis(x, index, axis), index


def topk(x: np.ndarray, k: int, axis: int = -1, largest: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The first k in descending order, or in ascending order."""
    values, index = sort(x, axis, largest)
    return np.take(values, np.arange(k), axis), np.take(index, np.arange(k), axis)


def kthvalue(x: np.ndarray, k: int, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The k-th smallest, counted from 1."""
    values, index = sort(x, axis)
    return np.take(values, k - 1, axis), np.take(index, k - 1, axis)


def median(x: np.ndarray, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The middle one, of an even number the smaller of two; the first that is not a number, if there is one."""
    wrong = np.isnan(x)
    values, index = kthvalue(x, (x.shape[axis] + 1) // 2, axis)
    first = wrong.argmax(axis)
    return np.where(wrong.any(axis), np.nan, values).astype(x.dtype), np.where(wrong.any(axis), first, index)


def mode(x: np.ndarray, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The commonest, of several the smallest."""
    rows = np.moveaxis(x, axis, -1)
    values, index = np.empty(rows.shape[:-1], x.dtype), np.empty(rows.shape[:-1], np.int64)
    for place in np.ndindex(rows.shape[:-1]):
        each, first, counts = np.unique(rows[place], return_index=True, return_counts=True)
        values[place], index[place] = each[counts.argmax()], first[counts.argmax()]
    return values, index


def searchsorted(line: np.ndarray, values: np.ndarray, right: bool = False) -> np.ndarray:
    """How many elements of a sorted line are smaller than each value (with `right`, not larger)."""
    return np.searchsorted(line, values, "right" if right else "left")


def bincount(x: np.ndarray, weights: np.ndarray | None = None, minlength: int = 0) -> np.ndarray:
    """How often each number occurs, or the sum of its weights."""
    return np.bincount(x, weights, minlength)
