"""Bessel functions and orthogonal polynomials against high precision, identities and differences."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import check_gradient, mt, refuses

mpmath = pytest.importorskip("mpmath")
S = mt.special
PLACES = [1e-300, 1e-10, 1e-4, 9e-4, 1.1e-3, 0.3, 0.99, 1.01, 1.9, 2.1, 3, 7, 15, 24.9, 25.1, 40, 700, 1e4]
BESSEL = {
    "bessel_j0": lambda x: mpmath.besselj(0, x),
    "bessel_j1": lambda x: mpmath.besselj(1, x),
    "bessel_y0": lambda x: mpmath.bessely(0, x),
    "bessel_y1": lambda x: mpmath.bessely(1, x),
    "modified_bessel_k0": lambda x: mpmath.besselk(0, x),
    "modified_bessel_k1": lambda x: mpmath.besselk(1, x),
    "scaled_modified_bessel_k0": lambda x: mpmath.besselk(0, x) * mpmath.exp(x),
    "scaled_modified_bessel_k1": lambda x: mpmath.besselk(1, x) * mpmath.exp(x),
    "spherical_bessel_j0": lambda x: mpmath.sin(x) / x,
}


@pytest.mark.parametrize("name", BESSEL)
def test_bessel(name) -> None:
    """To 2e-15 of the value, or of the amplitude of what oscillates."""
    got = getattr(S, name)(mt.tensor(PLACES, dtype=mt.float64)).numpy()
    with mpmath.workdps(40):
        for x, y in zip(PLACES, got):
            want = BESSEL[name](mpmath.mpf(x))
            amplitude = 1 / max(1, x) ** 0.5 if "modified" not in name else 0
            if abs(want) > 1e-300:
                assert abs(mpmath.mpf(float(y)) - want) <= 2e-15 * max(abs(want), amplitude), x


def test_airy() -> None:
    places = np.array([*PLACES[:-2], 100, -0.5, -1.01, -3, -10, -25, -100])
    got = S.airy_ai(mt.tensor(places)).numpy()
    with mpmath.workdps(40):
        for x, y in zip(places, got):
            want = mpmath.airyai(mpmath.mpf(float(x)))
            # the phase 2/3 |x|^(3/2) is rounded
            bound = 2e-15 * max(1, abs(x) ** 1.5) * (max(abs(want), 0.5 * abs(x) ** -0.25) if x < 0 else abs(want))
            assert abs(mpmath.mpf(float(y)) - want) <= bound, x


def test_ends() -> None:
    inf = mt.tensor([float("inf"), float("nan"), 0.0, -1.0])
    for name, expected in {
        "bessel_j0": [0, np.nan, 1, 0.7651976865579666], "bessel_j1": [0, np.nan, 0, -0.4400505857449335],
        "bessel_y0": [0, np.nan, -np.inf, np.nan], "modified_bessel_k1": [0, np.nan, np.inf, np.nan],
        "spherical_bessel_j0": [0, np.nan, 1, 0.8414709848078965], "airy_ai": [0, np.nan, 0.35502805, 0.53556088],
    }.items():
        np.testing.assert_allclose(getattr(S, name)(inf).numpy(), expected, rtol=1e-6, err_msg=name)


def test_types_and_shapes() -> None:
    assert S.bessel_j0(mt.tensor([1, 2])).dtype == mt.float32
    assert S.bessel_j0(mt.zeros(0, 3)).shape == (0, 3)
    assert S.bessel_j0(mt.tensor(1.0)).shape == ()
    out = mt.empty(2)
    assert S.airy_ai(mt.zeros(2), out=out) is out
    with refuses(NotImplementedError, "bessel_j0"):
        S.bessel_j0(mt.zeros(2, dtype=mt.float16))
    with refuses(NotImplementedError, "derivative"):
        S.airy_ai(mt.zeros(2, requires_grad=True)).sum().backward()


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_derivatives(name) -> None:
    check_gradient(getattr(S, name), [0.5, 1.5, 3.0, 8.0], rtol=1e-6)


def test_polynomials_by_their_definitions() -> None:
    t = np.linspace(0.1, 3.0, 7)
    x = mt.tensor(np.cos(t)).unsqueeze(-1)
    n = np.arange(12)
    degree = mt.tensor(n)
    t = t[:, None]
    for name, want in {
        "chebyshev_polynomial_t": np.cos(n * t),
        "chebyshev_polynomial_u": np.sin((n + 1) * t) / np.sin(t),
        "chebyshev_polynomial_v": np.cos((n + 0.5) * t) / np.cos(t / 2),
        "chebyshev_polynomial_w": np.sin((n + 0.5) * t) / np.sin(t / 2),
    }.items():
        np.testing.assert_allclose(getattr(S, name)(x, degree).numpy(), want, atol=1e-11)
        shifted = getattr(S, "shifted_" + name)((x + 1) / 2, degree).numpy()
        np.testing.assert_allclose(shifted, want, atol=1e-11)
    for name, basis in {
        "hermite_polynomial_h": np.polynomial.hermite.hermval,
        "hermite_polynomial_he": np.polynomial.hermite_e.hermeval,
        "laguerre_polynomial_l": np.polynomial.laguerre.lagval,
        "legendre_polynomial_p": np.polynomial.legendre.legval,
    }.items():
        want = basis(x.numpy()[:, 0], np.eye(12)).T
        np.testing.assert_allclose(getattr(S, name)(x, degree).numpy(), want, rtol=1e-9, err_msg=name)


def test_polynomials_take_numbers_and_negative_degrees() -> None:
    assert S.legendre_polynomial_p(mt.tensor([0.5, 2.0]), mt.tensor([-1, 0])).tolist() == [0, 1]
    assert S.chebyshev_polynomial_t(0.5, mt.tensor([2, 3])).tolist() == [-0.5, -1.0]
    assert S.chebyshev_polynomial_t(mt.tensor([2]), 2).dtype == mt.float32
    check_gradient(lambda x: S.hermite_polynomial_h(x, 5), [0.3, -1.2])
    with refuses(TypeError, "Tensor"):
        S.hermite_polynomial_h(0.5, 2)
