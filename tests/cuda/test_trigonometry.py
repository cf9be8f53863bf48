"""Sines of large doubles, whose reduction on the device is its own, against more digits."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt

mpmath = pytest.importorskip("mpmath")


def arguments() -> np.ndarray:
    """Of every size; the double nearest to a multiple of pi/2; multiples of pi/2, rounded; what is no number."""
    rng = np.random.default_rng(0)
    anywhere = np.ldexp(rng.uniform(1, 2, 300), rng.integers(-3, 1024, 300)) * rng.choice([-1, 1], 300)
    near = np.rint(np.ldexp(rng.uniform(1, 2, 100), rng.integers(18, 200, 100))) * (np.pi / 2)
    edges = [np.ldexp(6381956970095103.0, 797), 2.0**20, np.nextafter(2.0**20, 9e9), -(2.0**21), 1.7976931348623157e308]
    return np.concatenate([anywhere, near, edges, [np.inf, -np.inf, np.nan, 0.0, -0.0]])


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_arguments(name: str) -> None:
    x = arguments()
    with mpmath.workprec(1200):
        function = getattr(mpmath, name)
        exact = np.array([float(function(mpmath.mpf(v))) if np.isfinite(v) else np.nan for v in x.tolist()])
    found = getattr(mt.tensor(x).cuda(), name)().cpu().numpy()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    known = np.isfinite(exact)
    assert (np.abs(found - exact)[known] / np.spacing(np.abs(exact[known]))).max() < 2
    np.testing.assert_array_equal(np.signbit(found[-2:]), np.signbit(exact[-2:] if name == "cos" else x[-2:]))
