"""Bessel functions and Airy's, in float64 by NumPy: `minitorch.special` has them.

Integrals over a period, and over the whole line of what falls like exp(-u^2), are found to all digits by points at
equal distances (Trefethen and Weideman, *The exponentially convergent trapezoidal rule*, SIAM Review 56 (2014)), so
most of these functions are one sum over some hundred nodes. Formulas: *NIST Digital Library of Mathematical
Functions*, chapters 9 and 10.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .._ext.engine import from_numpy
from .._ext.rules import record_rule
from .._tensor import Tensor
from ._common import give, inexact, require_tensor

Array = np.ndarray

_EULER = 0.57721566490153286
_FAR = 25.0                             # from here on the expansions in 1 / x have all digits
_ANGLES = np.arange(128) * (np.pi / 128)
_SINES = np.sin(_ANGLES)
_STEP = 0.125
_NODES = (np.arange(105) - 52) * _STEP
_SQUARES = _NODES * _NODES
_FALLING = np.exp(-_SQUARES) * _STEP


def _function(name: str, derivative: Callable | None = None) -> Callable:
    """Make a function of tensors of one of arrays; ``derivative(x, y)`` is of tensors."""

    def decorate(values: Callable[[Array], Array]) -> Callable:
        def rule(gradients, saved, needs):
            if derivative is None:
                raise NotImplementedError(f"special.{name} has no derivative here, nor in PyTorch; detach() its input")
            return (gradients[0] * derivative(*saved),)

        @functools.wraps(values)
        def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
            require_tensor(input, f"special_{name}")
            x = inexact(input)
            if x.is_complex() or x.dtype.itemsize < 4:
                raise NotImplementedError(f"special.{name}: not implemented for {x.dtype}; convert with .float()")
            with np.errstate(all="ignore"):
                result = from_numpy(values(np.asarray(x.detach().cpu(), np.float64))).to(x.device, x.dtype)
            record_rule(f"Special{name.title().replace('_', '')}Backward0", rule, (result,), (x,), (x, result))
            return give(result, out, f"special_{name}")

        del function.__wrapped__  # which takes arrays
        return function

    return decorate


# --- J and Y ----------------------------------------------------------------------------------------------------------


def _weighted(f: Callable, x: Array, weights: Array) -> Array:
    """The mean over the angles t of f(x sin t) w(t)."""
    return (f(x[..., None] * _SINES) * weights).mean(-1)


def _far(x: Array, order: int) -> tuple[Array, Array]:
    """J and Y of large x: Hankel's expansion, a slowly changing amplitude and phase."""
    p, q, term = np.ones_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(1, 26):
        term = term * (4 * order**2 - (2 * k - 1) ** 2) / (k * 8 * x)
        if k % 2:
            q = q + (-1) ** (k // 2) * term
        else:
            p = p + (-1) ** (k // 2) * term
    # the angle x - pi/4 (- pi/2) by sums, which lose nothing where x is large
    sine, cosine = np.sin(x), np.cos(x)
    c, s = ((cosine + sine) * 0.5**0.5, (sine - cosine) * 0.5**0.5)
    if order:
        c, s = s, -c
    amplitude = np.sqrt(2 / (np.pi * x))
    return amplitude * (p * c - q * s), amplitude * (p * s + q * c)


def _pieces(x: Array, near: Callable, far: Callable, edge: float = _FAR) -> Array:
    """One formula up to an edge, another beyond it."""
    y = np.full_like(x, np.nan)
    small = x <= edge
    y[small] = near(x[small])
    y[x > edge] = far(x[x > edge])
    return y


def _j(x: Array, order: int) -> Array:
    """J_n(x): the mean over t of cos(n t - x sin t)."""
    size = np.abs(x)
    # the powers of x that a small one has are lost in the mean: its series there
    near = _weighted(np.sin, size, _SINES) if order else _weighted(np.cos, size, np.ones(128))
    if order:
        near = np.where(size < 1e-3, size / 2 * (1 - size * size / 8), near)
    return near


def _bessel_j(x: Array, order: int) -> Array:
    size = np.atleast_1d(np.abs(x))
    y = _pieces(size, lambda v: _j(v, order), lambda v: _far(v, order)[0])
    y = np.where(np.isinf(size), 0.0, y).reshape(x.shape)
    return np.copysign(1.0, x) * y if order else y


def _neumann(order: int) -> Array:
    """Weights of the sum over J_(2k + order) in Y: each J is a mean, so the sum is one."""
    k = np.arange(1, 45)[:, None]
    if order:
        return ((-1.0) ** k * (2 * k + 1) / (k * (k + 1)) * np.sin((2 * k + 1) * _ANGLES)).sum(0)
    return ((-1.0) ** k / k * np.cos(2 * k * _ANGLES)).sum(0)


_NEUMANN = _neumann(0), _neumann(1)


def _near_y(x: Array, order: int) -> Array:
    """DLMF 10.8.1, its sums by Neumann's series in J_n(x) (Abramowitz and Stegun 9.1.88)."""
    if order == 0:
        return 2 / np.pi * ((np.log(x / 2) + _EULER) * _j(x, 0) - 2 * _weighted(np.cos, x, _NEUMANN[0]))
    return 2 / np.pi * ((np.log(x / 2) + _EULER - 1) * _j(x, 1) - _j(x, 0) / x - _weighted(np.sin, x, _NEUMANN[1]))


def _bessel_y(x: Array, order: int) -> Array:
    v = np.atleast_1d(x)
    y = _pieces(np.where(v > 0, v, np.nan), lambda u: _near_y(u, order), lambda u: _far(u, order)[1])
    return np.where(v == 0, -np.inf, np.where(np.isposinf(v), 0.0, y)).reshape(x.shape)


@_function("bessel_j0", lambda x, y: -bessel_j1(x))
def bessel_j0(x: Array) -> Array:
    r"""The Bessel function of the first kind of order 0.

    .. math:: J_0(x) = \frac1\pi \int_0^\pi \cos(x \sin t)\,dt

    >>> import minitorch
    >>> minitorch.special.bessel_j0(minitorch.tensor([0., 1.]))
    tensor([1.0000, 0.7652])
    """
    return _bessel_j(x, 0)


@_function("bessel_j1", lambda x, y: (bessel_j0(x) - y / x).where(x != 0, 0.5))
def bessel_j1(x: Array) -> Array:
    r"""The Bessel function of the first kind of order 1.

    .. math:: J_1(x) = \frac1\pi \int_0^\pi \cos(t - x \sin t)\,dt

    >>> import minitorch
    >>> minitorch.special.bessel_j1(minitorch.tensor([0., 1.]))
    tensor([0.0000, 0.4401])
    """
    return _bessel_j(x, 1)


@_function("bessel_y0", lambda x, y: -bessel_y1(x))
def bessel_y0(x: Array) -> Array:
    """The Bessel function of the second kind of order 0; NaN for negative numbers.

    >>> import minitorch
    >>> minitorch.special.bessel_y0(minitorch.tensor([1., 2.]))
    tensor([0.0883, 0.5104])
    """
    return _bessel_y(x, 0)


@_function("bessel_y1", lambda x, y: bessel_y0(x) - y / x)
def bessel_y1(x: Array) -> Array:
    """The Bessel function of the second kind of order 1; NaN for negative numbers.

    >>> import minitorch
    >>> minitorch.special.bessel_y1(minitorch.tensor([1., 2.]))
    tensor([-0.7812, -0.1070])
    """
    return _bessel_y(x, 1)


# --- K and Ai ---------------------------------------------------------------------------------------------------------


def _scaled_k(z: Array, numerator: Callable) -> Array:
    """exp(z) K(z) by the integral of exp(-z (cosh t - 1)) cosh(n t) over t > 0, with u = (2z)^(1/2) sinh(t/2)."""
    ratio = _SQUARES / (2 * z[..., None])
    return np.sqrt(1 / (2 * z)) * (_FALLING * numerator(ratio) / np.sqrt(1 + ratio)).sum(-1)


_CHANGE = (lambda r: 1.0), (lambda r: 1 + 2 * r)           # cosh(0), and cosh(t) = 1 + 2 sinh(t/2)^2


def _series_k(x: Array, order: int) -> Array:
    """DLMF 10.31.1 and 2, for small x."""
    power, total, digamma = np.ones_like(x), np.zeros_like(x), -_EULER
    quarter, log = x * x / 4, np.log(x / 2)
    for k in range(20):
        if order == 0:
            total = total + power * (digamma - log)
            power = power * quarter / (k + 1) ** 2
        else:
            total = total + power * (log - digamma - 0.5 / (k + 1))
            power = power * quarter / ((k + 1) * (k + 2))
        digamma += 1 / (k + 1)
    return total if order == 0 else 1 / x + x / 2 * total


def _bessel_k(x: Array, order: int, scaled: bool) -> Array:
    v = np.atleast_1d(x)
    v = np.where(v > 0, v, np.nan)

    def near(u: Array) -> Array:
        return _series_k(u, order) * (np.exp(u) if scaled else 1)

    def far(u: Array) -> Array:
        y = _scaled_k(u, _CHANGE[order])
        return y if scaled else y * np.exp(-u)

    y = _pieces(v, near, far, 2.0)
    return np.where(np.atleast_1d(x) == 0, np.inf, np.where(np.isposinf(v), 0.0, y)).reshape(x.shape)


@_function("modified_bessel_k0", lambda x, y: -modified_bessel_k1(x))
def modified_bessel_k0(x: Array) -> Array:
    r"""The modified Bessel function of the second kind of order 0; NaN for negative numbers.

    .. math:: K_0(x) = \int_0^\infty e^{-x \cosh t}\,dt

    >>> import minitorch
    >>> minitorch.special.modified_bessel_k0(minitorch.tensor([1., 2.]))
    tensor([0.4210, 0.1139])
    """
    return _bessel_k(x, 0, False)


@_function("modified_bessel_k1", lambda x, y: -modified_bessel_k0(x) - y / x)
def modified_bessel_k1(x: Array) -> Array:
    r"""The modified Bessel function of the second kind of order 1; NaN for negative numbers.

    .. math:: K_1(x) = \int_0^\infty e^{-x \cosh t} \cosh t\,dt

    >>> import minitorch
    >>> minitorch.special.modified_bessel_k1(minitorch.tensor([1., 2.]))
    tensor([0.6019, 0.1399])
    """
    return _bessel_k(x, 1, False)


@_function("scaled_modified_bessel_k0", lambda x, y: y - scaled_modified_bessel_k1(x))
def scaled_modified_bessel_k0(x: Array) -> Array:
    """exp(x) times `modified_bessel_k0`, which does not underflow.

    >>> import minitorch
    >>> minitorch.special.scaled_modified_bessel_k0(minitorch.tensor([1., 2.]))
    tensor([1.1445, 0.8416])
    """
    return _bessel_k(x, 0, True)


@_function("scaled_modified_bessel_k1", lambda x, y: y - scaled_modified_bessel_k0(x) - y / x)
def scaled_modified_bessel_k1(x: Array) -> Array:
    """exp(x) times `modified_bessel_k1`, which does not underflow.

    >>> import minitorch
    >>> minitorch.special.scaled_modified_bessel_k1(minitorch.tensor([1., 2.]))
    tensor([1.6362, 1.0335])
    """
    return _bessel_k(x, 1, True)


@_function("spherical_bessel_j0", lambda x, y: ((x.cos() - y) / x).where(x != 0, 0.0))
def spherical_bessel_j0(x: Array) -> Array:
    r"""The spherical Bessel function of the first kind of order 0.

    .. math:: j_0(x) = \frac{\sin x}{x}

    >>> import minitorch
    >>> minitorch.special.spherical_bessel_j0(minitorch.tensor([0., 1.]))
    tensor([1.0000, 0.8415])
    """
    return np.where(np.isinf(x), 0.0, np.sinc(x / np.pi))


def _airy_series(x: Array) -> Array:
    """DLMF 9.4.1: the two power series of the solutions that are 1 and x at 0."""
    cube, one, other = x**3, np.ones_like(x), x.copy()
    f, g = one, other
    for k in range(1, 20):
        one = one * cube / ((3 * k - 1) * 3 * k)
        other = other * cube / (3 * k * (3 * k + 1))
        f, g = f + one, g + other
    return 0.355028053887817239260 * f - 0.258819403792806798405 * g


def _airy_beyond(z: Array) -> Array:
    """DLMF 9.6.2: (z / 3)^(1/2) K_(1/3)(2/3 z^(3/2)) / pi."""
    zeta = z * np.sqrt(z) * (2 / 3)
    return np.sqrt(z / 3) / np.pi * np.exp(-zeta) * _scaled_k(
        zeta, lambda ratio: np.cosh(2 / 3 * np.arcsinh(np.sqrt(ratio))))


def _airy(x: Array) -> Array:
    y = np.full_like(x, np.nan)
    for chosen, formula in (
        ((x >= -1) & (x <= 1), _airy_series),
        (x > 1, _airy_beyond),
        # DLMF 9.2.12: what turning the plane by a third makes of it
        (x < -1, lambda v: 2 * (np.exp(1j * np.pi / 3) * _airy_beyond(-v * np.exp(1j * np.pi / 3))).real),
    ):
        y[chosen] = formula(x[chosen])
    return np.where(np.isinf(x), 0.0, y)


@_function("airy_ai")
def airy_ai(x: Array) -> Array:
    """Airy's function Ai, the solution of y'' = x y that falls for positive x. Not differentiable, as in PyTorch.

    >>> import minitorch
    >>> minitorch.special.airy_ai(minitorch.tensor([0., 1.]))
    tensor([0.3550, 0.1353])
    """
    return _airy(np.atleast_1d(x)).reshape(x.shape)
