"""Reductions and scans.  ``axis`` is a number, a tuple, or None for every dimension."""

from __future__ import annotations

import math

import numpy as np

Axis = int | tuple[int, ...] | None


def _wide(x: np.ndarray) -> np.ndarray:
    """What sums are taken in: floats in more precision, integers and bool in int64."""
    if x.dtype.kind == "f":
        return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)
    return x.astype(np.int64)


def _narrow(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A sum in the type of the result: that of the operand, or int64 for integers."""
    return np.asarray(y).astype(x.dtype if x.dtype.kind == "f" else np.int64)


def sum(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """The sum; of nothing, 0.  Devices: within (log2 n + O(1)) eps sum |x|, as pairwise summation."""
    return _narrow(_wide(x).sum(axis=axis, keepdims=keepdims), x)


def mean(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """The sum over the count; of nothing, NaN."""
    total = _wide(x).sum(axis=axis, keepdims=keepdims)
    with np.errstate(all="ignore"):
        return _narrow(total / np.float64(x.size / max(total.size, 1)), x)


def prod(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """The product; of nothing, 1."""
    return _narrow(_wide(x).prod(axis=axis, keepdims=keepdims), x)


def amax(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """The largest; NaN if there is one; of nothing, an error."""
    return np.asarray(x.max(axis=axis, keepdims=keepdims))


def amin(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """The smallest; NaN if there is one; of nothing, an error."""
    return np.asarray(x.min(axis=axis, keepdims=keepdims))


def argmax(x: np.ndarray, axis: int | None = None, keepdims: bool = False) -> np.ndarray:
    """The place of the first NaN, else of the first of the largest."""
    return np.asarray(x.argmax(axis=axis, keepdims=keepdims))


def argmin(x: np.ndarray, axis: int | None = None, keepdims: bool = False) -> np.ndarray:
    """The place of the first NaN, else of the first of the smallest."""
    return np.asarray(x.argmin(axis=axis, keepdims=keepdims))


def any(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """Whether one is not zero (NaN is not); of nothing, False."""
    return np.asarray((x != 0).any(axis=axis, keepdims=keepdims))


def all(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """Whether none is zero; of nothing, True."""
    return np.asarray((x != 0).all(axis=axis, keepdims=keepdims))


def var(x: np.ndarray, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> np.ndarray:
    """The mean square distance from the mean, over the count less `correction`, taken in two passes."""
    x_wide = _wide(x)
    with np.errstate(all="ignore"):
        centred = x_wide - x_wide.mean(axis=axis, keepdims=True)
        total = np.square(centred).sum(axis=axis, keepdims=keepdims)
        return _narrow(total / max(x.size / max(total.size, 1) - correction, 0), x)


def logsumexp(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    """log sum exp(x), with the largest taken out first; of nothing, -inf."""
    wide = _wide(x)
    top = wide.max(axis=axis, keepdims=True, initial=-math.inf)
    top = np.where(np.isinf(top), 0, top)
    with np.errstate(all="ignore"):
        y = np.log(np.exp(wide - top).sum(axis=axis, keepdims=True)) + top
    return _narrow(y if keepdims else y.squeeze(tuple(range(x.ndim)) if axis is None else axis), x)


def cumsum(x: np.ndarray, axis: int) -> np.ndarray:
    """Each element's sum with all before it."""
    return _narrow(_wide(x).cumsum(axis=axis), x)


def cumprod(x: np.ndarray, axis: int) -> np.ndarray:
    """Each element's product with all before it."""
    return _narrow(_wide(x).cumprod(axis=axis), x)


def cummax(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest so far and its place: of equal ones the last, and so of those that are not a number."""
    return _extreme_so_far(np.maximum, x, axis)


def cummin(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The smallest so far and its place."""
    return _extreme_so_far(np.minimum, x, axis)


def _extreme_so_far(choose: np.ufunc, x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    values = choose.accumulate(x, axis)
    here = np.arange(x.shape[axis]).reshape([-1 if d == axis % x.ndim else 1 for d in range(x.ndim)])
    taken = np.where((x == values) | (x != x), here, 0)
    index = np.maximum.accumulate(taken, axis)
    return np.take_along_axis(x, index, axis), index


def logcumsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    """log sum exp of each element and all before it."""
    with np.errstate(all="ignore"):
        return _narrow(np.logaddexp.accumulate(_wide(x), axis), x)
