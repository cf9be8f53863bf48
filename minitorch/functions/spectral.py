"""The short-time Fourier transform and its inverse."""

from __future__ import annotations

import warnings

from .. import fft as _fft
from .._ext import arithmetic as _arithmetic
from .._ext import engine as _engine
from .._ext import index as _index
from .._ext import shaping as _shaping
from .._tensor import Tensor

__all__ = ["istft", "stft"]


def _places(n: int, pad: int, mode: str) -> list[int]:
    """Which of n samples stand at each place of a signal that is extended by `pad` on either side."""
    if mode == "reflect":
        if pad >= n:
            raise RuntimeError("stft: Padding size should be less than the corresponding input dimension, but got: "
                               f"padding ({pad}, {pad}) for {n} samples")  # fmt: skip
        return [*range(pad, 0, -1), *range(n), *range(n - 2, n - 2 - pad, -1)]
    if mode == "circular":
        if pad > n:
            raise RuntimeError(f"stft: Padding value causes wrapping around more than once: {pad} for {n} samples")
        return [*range(n - pad, n), *range(n), *range(pad)]
    return [0] * pad + [*range(n)] + [n - 1] * pad  # replicate


def _centred(x: Tensor, pad: int, mode: str) -> Tensor:
    """The signals (rows) with `pad` more samples on either side."""
    if mode == "constant":
        zeros = x.new_zeros((*x.shape[:-1], pad))
        return _index.cat((zeros, x, zeros), -1)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"stft: pad_mode {mode!r}: it is 'reflect', 'constant', 'replicate' or 'circular'")
    return x.index_select(-1, _engine.tensor(_places(x.shape[-1], pad, mode), device=x.device))


def _window(name: str, window: Tensor | None, win_length: int, n_fft: int, like: Tensor) -> Tensor | None:
    """The window with zeros on either side, so that it is as long as a frame; None for one of ones."""
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={win_length}")
    if window is not None and (window.ndim != 1 or window.shape[0] != win_length):
        raise RuntimeError(f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but got "
                           f"window with size {list(window.shape)}")  # fmt: skip
    if window is None:
        if win_length == n_fft:
            return None
        window = _engine.ones(win_length, dtype=like.dtype.to_real(), device=like.device)
    if win_length < n_fft:
        left = (n_fft - win_length) // 2
        window = _index.cat((window.new_zeros(left), window, window.new_zeros(n_fft - win_length - left)))
    return window


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The Fourier transforms of overlapping pieces of a signal, each multiplied by a window.

    .. math:: X_{\\omega m} = \\sum_{k=0}^{n-1} w_k\\,x_{mh + k}\\,e^{-2\\pi i \\omega k / n}

    Args:
        n_fft: the samples of a piece, n.
        hop_length: the samples from one piece to the next, h; ``n_fft // 4`` unless given.
        win_length, window: a window shorter than a piece is filled up with zeros; of ones unless given.
        center: extend the signal by half a piece on either side (as ``pad_mode`` says), so that piece m is centred at
            sample mh.
        normalized: divide by the root of n.
        onesided: only the first half of the frequencies, since the others are conjugates; of real signals by default.
        return_complex: False: the parts in a last dimension.
        align_to_window: not supported.

    Shape:
        ``(samples)`` or ``(batch, samples)`` gives ``(frequencies, pieces)`` or ``(batch, frequencies, pieces)``.

    Raises:
        RuntimeError: for lengths that do not fit, and without ``return_complex`` for real signals.

    >>> import minitorch
    >>> minitorch.stft(minitorch.ones(8), 4, window=minitorch.ones(4), return_complex=True).abs()[:, 0]
    tensor([4., 0., 0.])
    """
    if align_to_window is not None:
        if center:
            raise RuntimeError("stft align_to_window should only be set when center = false")
        raise NotImplementedError("stft: align_to_window is not supported; pad the signal instead")
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if input.ndim not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, not one of shape {tuple(input.shape)}")
    if not input.is_complex() and not input.is_floating_point():
        raise RuntimeError(f"stft: expected a tensor of floating point or complex values, not of {input.dtype}")
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not is_complex:
            raise RuntimeError("stft requires the return_complex parameter be given for real inputs: give "
                               "return_complex=True")  # fmt: skip
        return_complex = True
    x = _centred(input, n_fft // 2, pad_mode) if center else input
    if not 0 < n_fft <= x.shape[-1]:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {x.shape[-1]}, the samples, but got n_fft={n_fft}")
    if hop_length <= 0:
        raise RuntimeError(f"stft: expected hop_length > 0, but got hop_length={hop_length}")
    window = _window("stft", window, win_length, n_fft, x)
    pieces = x.unfold(-1, n_fft, hop_length)
    if window is not None:
        pieces = pieces * window
    norm = "ortho" if normalized else None
    if onesided is None:
        onesided = not is_complex
    if onesided:
        if is_complex:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        result = _fft.rfft(pieces, norm=norm)
    else:
        result = _fft.fft(pieces, norm=norm)
    result = result.transpose(-1, -2)
    return result if return_complex else _shaping.view_as_real(result)


def _overlapped(pieces: Tensor, hop: int) -> Tensor:
    """(batch, pieces, samples) added up at `hop` samples from one to the next."""
    batch, count, n = pieces.shape
    places = _engine.tensor([start + i for start in range(0, count * hop, hop) for i in range(n)], device=pieces.device)
    flat = pieces.reshape(batch, count * n)
    return pieces.new_zeros((batch, n + hop * (count - 1))).scatter_add(1, places.expand(batch, -1), flat)


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The inverse of `stft`: the signal whose transforms are closest to these.

    .. math:: x_j = \\frac{\\sum_m w_{j - mh}\\,\\hat x^{(m)}_{j - mh}}{\\sum_m w_{j - mh}^2}

    Args:
        length: of the signal; longer ones end in zeros.
        Others: as of `stft`.

    Raises:
        RuntimeError: if the windows leave a sample uncovered, or lengths do not fit.

    Source: Griffin and Lim, *Signal Estimation from Modified Short-Time Fourier Transform* (1984).

    >>> import minitorch
    >>> x = minitorch.arange(8.)
    >>> window = minitorch.ones(4)
    >>> minitorch.istft(minitorch.stft(x, 4, window=window, return_complex=True), 4, window=window)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    if not input.is_complex():
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft with "
                           "return_complex=True.")  # fmt: skip
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if input.ndim not in (2, 3) or input.numel() == 0:
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions that is not empty, not one of shape "
                           f"{tuple(input.shape)}")  # fmt: skip
    onesided = input.shape[-2] != n_fft if onesided is None else onesided
    frequencies = n_fft // 2 + 1 if onesided else n_fft
    if input.shape[-2] != frequencies:
        raise RuntimeError(f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match "
                           f"{frequencies} when onesided={onesided}, but got {input.shape[-2]}")  # fmt: skip
    if not 0 < hop_length <= win_length:
        raise RuntimeError(f"istft: expected 0 < hop_length <= win_length, but got hop_length={hop_length} and "
                           f"win_length={win_length}")  # fmt: skip
    window = _window("istft", window, win_length, n_fft, input)
    if window is not None and window.is_complex() and not return_complex:
        raise RuntimeError("istft: complex windows are incompatible with return_complex=False")
    pieces = (input if input.ndim == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        if onesided:
            raise RuntimeError("istft: cannot have onesided output if window or input is complex")
        pieces = _fft.ifft(pieces, norm=norm)
    else:
        if not onesided:
            pieces = pieces.narrow(-1, 0, n_fft // 2 + 1)
        pieces = _fft.irfft(pieces, n_fft, norm=norm)
    count = pieces.shape[1]
    if window is None:
        window = _engine.ones(n_fft, dtype=input.dtype.to_real(), device=input.device)
    signal = _overlapped(pieces * window, hop_length)
    cover = _overlapped((window * window).expand(1, count, n_fft), hop_length)
    start = n_fft // 2 if center else 0
    whole = signal.shape[1]
    end = start + length if length is not None else whole - start if center else whole
    stop = min(end, whole)
    if stop <= start:
        raise RuntimeError(f"istft: no samples remain: the pieces cover {whole}, of which {start} at each end are cut")
    signal, cover = signal[:, start:stop], cover[:, start:stop]
    if float(cover.detach().abs().min()) < 1e-11:
        raise RuntimeError("istft: window overlap add min: 1: the windows leave samples uncovered, where they are zero")
    signal = _arithmetic.div(signal, cover)
    if end > whole:
        message = ("The length of signal is shorter than the length parameter. Result is being padded with zeros in "
                   "the tail. Please check your center and hop_length settings.")  # fmt: skip
        warnings.warn(message, UserWarning, stacklevel=2)
        signal = _index.cat((signal, signal.new_zeros((signal.shape[0], end - whole))), 1)
    return signal if input.ndim == 3 else signal[0]
