"""Fourier transforms against NumPy's, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import mt
from test_complex import check_gradients, numbers

RNG = np.random.default_rng(11)
NORMS = (None, "backward", "ortho", "forward")
REAL_INPUT = ("rfft", "ihfft", "rfft2", "rfftn")


def data(name: str, *shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) if name in REAL_INPUT or name.startswith("ih") else numbers(*shape)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, norm):
    ours, numpys = getattr(mt.fft, name), getattr(np.fft, name)
    for shape, n, dim in (((5,), None, -1), ((3, 6), None, 0), ((3, 6), 4, -1), ((3, 5), 9, 1), ((2, 1, 4), 1, 2)):
        a = data(name, *shape)
        if n is None and shape[dim] < 2:
            continue
        want = numpys(a, n, dim, norm)
        np.testing.assert_allclose(ours(mt.tensor(a), n, dim, norm).numpy(), want, atol=1e-12)
        single = a.astype(np.complex64 if np.iscomplexobj(a) else np.float32)
        got = ours(mt.tensor(single), n, dim, norm)
        assert got.dtype in (mt.complex64, mt.float32)
        np.testing.assert_allclose(got.numpy(), want, atol=1e-4)
        check_gradients(lambda x, n=n, d=dim: ours(x, n, d, norm), a, second=len(shape) == 1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
def test_several_dimensions(name, norm):
    a = data(name, 2, 3, 4)
    for s, dim in ((None, None), ((3, 4), None), (None, (0, 2)), ((2, -1), (2, 1)), ((5,), (1,))):
        numpys = s if s is None else [a.shape[d] if k == -1 else k for k, d in zip(s, dim or (1, 2))]
        axes = dim if dim is not None or s is None else tuple(range(3 - len(s), 3))
        if name == "irfft" and s == (2, -1):
            numpys = None
        if numpys is None and s is not None:
            continue
        want = getattr(np.fft, name + "n")(a, numpys, axes, norm)
        np.testing.assert_allclose(getattr(mt.fft, name + "n")(mt.tensor(a), s, dim, norm).numpy(), want, atol=1e-12)
    want = getattr(np.fft, name + "2")(a, norm=norm)
    np.testing.assert_allclose(getattr(mt.fft, name + "2")(mt.tensor(a), norm=norm).numpy(), want, atol=1e-12)
    check_gradients(lambda x: getattr(mt.fft, name + "n")(x, norm=norm), a[:, :2], second=False)


def test_hermitian_in_several_dimensions():
    x = RNG.standard_normal((3, 6))
    spectrum = mt.fft.ihfftn(mt.tensor(x))
    np.testing.assert_allclose(mt.fft.hfftn(spectrum, (3, 6)).numpy(), x, atol=1e-12)
    np.testing.assert_allclose(spectrum.numpy(), np.fft.ifftn(x)[:, :4], atol=1e-12)
    there = mt.fft.ihfft2(mt.tensor(x), norm="ortho")
    np.testing.assert_allclose(mt.fft.hfft2(there, norm="ortho").numpy(), x, atol=1e-12)
    check_gradients(lambda t: mt.fft.hfftn(t), numbers(2, 3), second=False)
    check_gradients(lambda t: mt.fft.ihfftn(t), x[:2, :4], second=False)


def test_frequencies_and_shifts():
    for n in (1, 4, 5):
        np.testing.assert_allclose(mt.fft.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5), rtol=1e-6)
        np.testing.assert_allclose(mt.fft.rfftfreq(n, d=2.0).numpy(), np.fft.rfftfreq(n, 2.0), rtol=1e-6)
        a = np.arange(3 * n).reshape(3, n)
        assert np.array_equal(mt.fft.fftshift(mt.tensor(a)).numpy(), np.fft.fftshift(a))
        assert np.array_equal(mt.fft.ifftshift(mt.tensor(a), dim=1).numpy(), np.fft.ifftshift(a, 1))
    check_gradients(lambda x: mt.fft.fftshift(x), RNG.standard_normal((2, 3)))


def test_refusals():
    x = mt.ones(4)
    for call in (lambda: mt.fft.fft(x, 0), lambda: mt.fft.fft(x, norm="other"), lambda: mt.fft.rfft(x * 1j),
                 lambda: mt.fft.fftn(mt.ones(2, 2), dim=(0, 0)), lambda: mt.fft.fftn(x, s=(2, 2)),
                 lambda: mt.fft.fft(x.half()), lambda: mt.fft.rfftn(x, dim=()), lambda: mt.fft.irfft(mt.ones(1)),
                 lambda: mt.fft.fftn(mt.ones(2, 2), s=(2,), dim=(0, 1))):  # fmt: skip
        with pytest.raises(RuntimeError):
            call()
    with pytest.raises(IndexError):
        mt.fft.fft(x, dim=1)
    with pytest.raises(IndexError):
        mt.fft.fft(mt.tensor(2.0))
    assert mt.fft.fft(mt.arange(3)).dtype is mt.complex64
    out = mt.empty(0, dtype=mt.complex64)
    assert mt.fft.fft(x, out=out) is out and out.shape == (4,)


OPTIONS = [{}, {"center": False}, {"normalized": True}, {"onesided": False}, {"hop_length": 3}]


@pytest.mark.parametrize("options", OPTIONS)
def test_stft_and_back(options):
    x = RNG.standard_normal((2, 30))
    window = mt.tensor(0.5 + RNG.random(8))
    spectrum = mt.stft(mt.tensor(x), 8, window=window, return_complex=True, **options)
    back = mt.istft(spectrum, 8, window=window, **options)
    n = back.shape[1]
    np.testing.assert_allclose(back.numpy(), x[:, :n], atol=1e-12)
    assert n >= 24
    check_gradients(lambda t: mt.stft(t, 8, window=window, return_complex=True, **options), x[0, :12], second=False)
    check_gradients(lambda s: mt.istft(s, 8, window=window, **options), spectrum[0, :, :4].numpy(), second=False)
