"""The softmax family and the losses on it, with what each passes back."""

from __future__ import annotations

import numpy as np

from .reduce import _wide, logsumexp


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """x - log sum exp(x) along `axis`."""
    wide = _wide(x)
    with np.errstate(all="ignore"):
        return (wide - _wide(logsumexp(wide, axis, keepdims=True))).astype(x.dtype)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """exp(x) / sum exp(x) along `axis`."""
    return np.exp(log_softmax(_wide(x), axis)).astype(x.dtype)


def log_softmax_gradient(g: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """g - softmax(x) sum g, from the result y."""
    return (_wide(g) - np.exp(_wide(y)) * _wide(g).sum(axis, keepdims=True)).astype(y.dtype)


def softmax_gradient(g: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """y (g - sum g y), from the result y."""
    gy = _wide(g) * _wide(y)
    return (gy - _wide(y) * gy.sum(axis, keepdims=True)).astype(y.dtype)


def nll_loss(
    logp: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> np.ndarray:
    """-weight[t] logp[i, t] for each row i of (n, c) with target t; the mean is weighted.

    A target outside 0 .. c-1 that is not `ignore_index` is an IndexError.
    """
    losses, weights = np.zeros(len(target), logp.dtype), np.zeros(len(target), logp.dtype)
    for i, t in enumerate(target):
        if t == ignore_index:
            continue
        if not 0 <= t < logp.shape[1]:
            raise IndexError(f"Target {t} is out of bounds.")
        weights[i] = 1 if weight is None else weight[t]
        losses[i] = -weights[i] * logp[i, t]
    if reduction == "none":
        return losses
    with np.errstate(all="ignore"):
        return np.asarray(losses.sum() / (weights.sum() if reduction == "mean" else 1))


def cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> np.ndarray:
    """`nll_loss` of `log_softmax`."""
    return nll_loss(log_softmax(_wide(x), 1), target, weight, ignore_index, reduction).astype(x.dtype)


def cross_entropy_gradient(x: np.ndarray, target: np.ndarray, ignore_index: int = -100) -> np.ndarray:
    """Of the unweighted mean: (softmax(x) - one_hot(target)) / count."""
    kept = target != ignore_index
    y = softmax(_wide(x), 1)
    y[np.flatnonzero(kept), target[kept]] -= 1
    return (y * kept[:, None] / kept.sum()).astype(x.dtype)
