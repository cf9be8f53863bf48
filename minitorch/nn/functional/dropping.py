"""Dropout of every kind."""

from __future__ import annotations

import math
import warnings

import minitorch
from minitorch import Tensor
from minitorch._ext import random as _random

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

# What dropped units of a self-normalising network become: minus scale times alpha of `selu`.
_SATURATED = -1.7580993408473766


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    r"""Zero each element with probability `p` and scale the others by :math:`1 / (1 - p)`, if `training`.

    Raises:
        ValueError: if `p` is not in [0, 1].
    """
    _check_probability(p)
    return (_random.dropout_ if inplace else _random.dropout)(input, p, training)


def _kept(input: Tensor, p: float, features: bool) -> Tensor:
    """1 where something is kept, 0 where it is dropped; for whole channels, or for each element."""
    shape = (*input.shape[:2], *[1] * (input.ndim - 2)) if features else input.shape
    return minitorch.empty(shape, dtype=input.dtype, device=input.device).bernoulli_(1 - p)


def _drop_features(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """Drop whole channels of (N, C, ...)."""
    if p == 0 or not training or input.numel() == 0:
        return input
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    noise = _kept(input, p, True).div_(1 - p) if p < 1 else 0.0
    return input.mul_(noise) if inplace else input * noise


def _drop_channels(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, dims: tuple[int, int]
) -> Tensor:
    """`_drop_features`, of an input that may have no batch."""
    _check_probability(p)
    if input.ndim not in dims:
        message = f"{name}: Expected {dims[0]}D or {dims[1]}D input, but received a {input.ndim}D input"
        if name == "dropout1d":
            raise RuntimeError(message + "; use dropout instead")
        warnings.warn(f"{message}. It is taken as a batch of channels; for elements use dropout", stacklevel=3)
    if input.ndim == dims[0] and name != "dropout2d":
        if inplace:
            _drop_features(input.unsqueeze(0), p, training, True)
            return input
        return _drop_features(input.unsqueeze(0), p, training, False).squeeze(0)
    if input.ndim == 3 and name == "dropout2d":
        warnings.warn("dropout2d: Received a 3-D input to dropout2d and assuming that channel-wise 1-D dropout "
                      "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim",
                      stacklevel=3)
    return _drop_features(input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of ``(N, C, L)`` or ``(C, L)``."""
    return _drop_channels("dropout1d", input, p, training, inplace, (2, 3))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of ``(N, C, H, W)``.

    Source: Tompson and others, arXiv:1411.4280.
    """
    return _drop_channels("dropout2d", input, p, training, inplace, (3, 4))


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _drop_channels("dropout3d", input, p, training, inplace, (4, 5))


def _alpha(input: Tensor, p: float, training: bool, inplace: bool, features: bool) -> Tensor:
    _check_probability(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    a = 1 / math.sqrt((_SATURATED**2 * p + 1) * (1 - p))
    kept = _kept(input, p, features)
    shift = (1 - kept) * (_SATURATED * a) - a * _SATURATED * p
    return input.mul_(kept * a).add_(shift) if inplace else input * (kept * a) + shift


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    r"""Dropout for networks of `selu`: what is dropped saturates, and mean 0 and variance 1 are kept.

    .. math:: y = a\,(m x + (1 - m) \alpha') - a\,p\,\alpha', \qquad a = ((1 - p)(1 + p \alpha'^2))^{-1/2}

    with :math:`\alpha' = -1.758...`, the limit of `selu`, and :math:`m` 0 with probability :math:`p`, else 1.

    Source: Klambauer and others, arXiv:1706.02515.
    """
    return _alpha(input, p, training, inplace, False)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of ``(N, C, ...)``."""
    return _alpha(input, p, training, inplace, True)
