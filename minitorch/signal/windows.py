r"""Windows of ``M`` samples: symmetric ones, or (``sym=False``) periodic ones for the Fourier transform.

A periodic window is the symmetric one that is longer by one sample, without its last.  Below N is M - 1 for a symmetric
window and M for a periodic one.

>>> import minitorch
>>> minitorch.signal.windows.hann(5)
tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from .._creation import _check, _finish
from .._ext import engine
from .._ext.dtype import dtype, get_default_dtype
from .._tensor import Tensor

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming",
           "hann", "kaiser", "nuttall"]


def _window(name: str, M: int, sym: bool, formula: Callable, dtype: dtype | None, layout, device,
            requires_grad: bool) -> Tensor:
    """The values of a formula of the sample's number n and of N."""
    kind = dtype or get_default_dtype()
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and str(layout) != "torch.strided":
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if not kind.is_floating_point or kind.name not in ("float32", "float64"):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    _check(device)
    n = np.arange(M, dtype=np.float64)
    values = formula(n, M - 1 if sym else M) if M > 1 else np.ones(M)
    return _finish(engine.from_numpy(np.asarray(values, dtype=np.float64)).to(kind), None, requires_grad, device)


def bartlett(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
             requires_grad: bool = False) -> Tensor:
    r"""A triangle.

    .. math:: w_n = 1 - \bigl|\tfrac{2n}{N} - 1\bigr|
    """
    return _window("bartlett", M, sym, lambda n, N: 1 - np.abs(2 * n / N - 1), dtype, layout, device, requires_grad)


def cosine(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
           requires_grad: bool = False) -> Tensor:
    r"""Half a wave.

    .. math:: w_n = \sin\frac{\pi (n + 1/2)}{N + 1}
    """
    return _window("cosine", M, sym, lambda n, N: np.sin(np.pi * (n + 0.5) / (N + 1)), dtype, layout, device,
                   requires_grad)


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True,
                dtype: dtype | None = None, layout=None, device=None, requires_grad: bool = False) -> Tensor:
    r"""Decay to both sides of a centre, which is N/2 unless given (for periodic windows only).

    .. math:: w_n = \exp\bigl(-|n - c| / \tau\bigr)
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    return _window("exponential", M, sym, lambda n, N: np.exp(-np.abs(n - (N / 2 if center is None else center)) / tau),
                   dtype, layout, device, requires_grad)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
             requires_grad: bool = False) -> Tensor:
    r"""A bell.

    .. math:: w_n = \exp\Bigl(-\tfrac12 \bigl(\tfrac{n - N/2}{\sigma}\bigr)^2\Bigr)
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    return _window("gaussian", M, sym, lambda n, N: np.exp(-0.5 * ((n - N / 2) / std) ** 2), dtype, layout, device,
                   requires_grad)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
           requires_grad: bool = False) -> Tensor:
    r"""Kaiser's window.

    .. math:: w_n = I_0\Bigl(\beta \sqrt{1 - (\tfrac{2n}{N} - 1)^2}\Bigr) / I_0(\beta)
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _window("kaiser", M, sym,
                   lambda n, N: np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * n / N - 1) ** 2))) / np.i0(beta), dtype,
                   layout, device, requires_grad)


def general_cosine(M: int, *, a: Iterable, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
                   requires_grad: bool = False) -> Tensor:
    r"""A sum of cosines.

    .. math:: w_n = \sum_i (-1)^i a_i \cos\frac{2\pi i n}{N}
    """
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    weights = list(a)
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    return _window("general_cosine", M, sym,
                   lambda n, N: sum((-1) ** i * w * np.cos(2 * np.pi * i * n / N) for i, w in enumerate(weights)),
                   dtype, layout, device, requires_grad)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, dtype: dtype | None = None, layout=None,
                    device=None, requires_grad: bool = False) -> Tensor:
    r"""A cosine on a pedestal: :math:`w_n = \alpha - (1 - \alpha) \cos\frac{2\pi n}{N}`."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


def hamming(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
            requires_grad: bool = False) -> Tensor:
    """`general_hamming` with alpha 0.54."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
         requires_grad: bool = False) -> Tensor:
    """`general_hamming` with alpha 0.5: a raised cosine."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)


def blackman(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
             requires_grad: bool = False) -> Tensor:
    """`general_cosine` with Blackman's coefficients 0.42, 0.5 and 0.08."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


def nuttall(M: int, *, sym: bool = True, dtype: dtype | None = None, layout=None, device=None,
            requires_grad: bool = False) -> Tensor:
    """`general_cosine` with Nuttall's four coefficients of the least side lobes."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, layout=layout,
                          device=device, requires_grad=requires_grad)
