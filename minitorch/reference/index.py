"""Reading and writing at places that are themselves data.

An index outside its dimension is an IndexError; none is negative here, callers have wrapped those.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def _places(index: np.ndarray, axis: int, size: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """For every element of `index`: where it stands, and where it points along `axis`."""
    for place in np.ndindex(index.shape):
        at = int(index[place])
        if not 0 <= at < size:
            raise IndexError(f"index {at} is out of bounds for dimension {axis} with size {size}")
        yield place, (*place[:axis], at, *place[axis + 1 :])


def index_select(x: np.ndarray, axis: int, index: np.ndarray) -> np.ndarray:
    """The slices of `x` along `axis` that a one-dimensional `index` lists."""
    if index.size and not (index.min() >= 0 and index.max() < x.shape[axis]):
        raise IndexError(f"index out of bounds for dimension {axis} with size {x.shape[axis]}")
    return np.take(x, index, axis)


def gather(x: np.ndarray, axis: int, index: np.ndarray) -> np.ndarray:
    """y[i, j, k] = x[i, index[i, j, k], k], with `axis` 1."""
    y = np.empty(index.shape, x.dtype)
    for here, there in _places(index, axis, x.shape[axis]):
        y[here] = x[there]
    return y


def scatter(x: np.ndarray, axis: int, index: np.ndarray, source: np.ndarray) -> np.ndarray:
    """y = x, but y[i, index[i, j, k], k] = source[i, j, k]; which of several to one place stays is not defined."""
    y = x.copy()
    for here, there in _places(index, axis, x.shape[axis]):
        y[there] = source[here]
    return y


def scatter_add(x: np.ndarray, axis: int, index: np.ndarray, source: np.ndarray) -> np.ndarray:
    """y = x, and y[i, index[i, j, k], k] += source[i, j, k], however often a place comes up."""
    y = x.copy()
    for here, there in _places(index, axis, x.shape[axis]):
        y[there] += source[here]
    return y
