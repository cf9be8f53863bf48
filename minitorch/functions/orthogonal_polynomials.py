"""Orthogonal polynomials, by their recurrences: `minitorch.special` has them.

Each is p_(k+1)(x) = a_k(x) p_k(x) - b_k p_(k-1)(x) from two first ones; negative degrees are 0. Being made of
differentiable operations they have all derivatives with respect to x.

Source: *NIST Digital Library of Mathematical Functions*, chapter 18.
"""

from __future__ import annotations

from collections.abc import Callable

from .._ext.arithmetic import result_type
from .._ext.dtype import ALL
from .._ext.engine import tensor
from .._tensor import Tensor
from ._common import give, inexact

__all__ = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]

_int64, _float64 = ALL[5], ALL[9]


def _polynomial(name: str, x: object, n: object, out: Tensor | None, first: Callable, step: Callable) -> Tensor:
    """The polynomial of each degree at each place; ``step(k, x, p_k, p_(k-1))`` gives the next."""
    if not isinstance(x, Tensor) and not isinstance(n, Tensor):
        raise TypeError(f"special.{name}: one of input and n must be a Tensor, not {type(x).__name__} and "
                        f"{type(n).__name__}")
    kind = result_type(x, n)
    device = (x if isinstance(x, Tensor) else n).device
    x = x if isinstance(x, Tensor) else tensor(x, device=device)
    n = n if isinstance(n, Tensor) else tensor(n, device=device)
    if kind.is_complex:
        raise NotImplementedError(f"special.{name}: not implemented for complex numbers")
    kind = kind if kind.is_floating_point else inexact(x if not x.is_floating_point() else n).dtype
    degree, x = n.detach().to(_int64), x.to(_float64)
    last = int(degree.max()) if degree.numel() else -1
    before, now = x * 0 + 1, first(x)
    result = (degree == 0).where(degree != 0, 0) + x * 0       # the shape, and 0 for negative degrees
    result = before.where(degree == 0, result)
    for k in range(1, last + 1):
        result = now.where(degree == k, result)
        before, now = now, step(k, x, now, before)
    return give(result.to(kind), out, f"special_{name}")


def chebyshev_polynomial_t(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Chebyshev's polynomials of the first kind.

    .. math:: T_n(\cos t) = \cos(n t)

    >>> import minitorch
    >>> minitorch.special.chebyshev_polynomial_t(minitorch.tensor([0.5, 2.]), 2)
    tensor([-0.5000,  7.0000])
    """
    return _polynomial("chebyshev_polynomial_t", input, n, out, lambda x: x, lambda k, x, p, q: 2 * x * p - q)


def chebyshev_polynomial_u(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Chebyshev's polynomials of the second kind.

    .. math:: U_n(\cos t) = \frac{\sin((n + 1) t)}{\sin t}
    """
    return _polynomial("chebyshev_polynomial_u", input, n, out, lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - q)


def chebyshev_polynomial_v(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Chebyshev's polynomials of the third kind.

    .. math:: V_n(\cos t) = \frac{\cos((n + \frac12) t)}{\cos(\frac12 t)}
    """
    return _polynomial("chebyshev_polynomial_v", input, n, out, lambda x: 2 * x - 1, lambda k, x, p, q: 2 * x * p - q)


def chebyshev_polynomial_w(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Chebyshev's polynomials of the fourth kind.

    .. math:: W_n(\cos t) = \frac{\sin((n + \frac12) t)}{\sin(\frac12 t)}
    """
    return _polynomial("chebyshev_polynomial_w", input, n, out, lambda x: 2 * x + 1, lambda k, x, p, q: 2 * x * p - q)


def _shifted(x):
    return 2 * x - 1


def shifted_chebyshev_polynomial_t(input, n, *, out: Tensor | None = None) -> Tensor:
    """`chebyshev_polynomial_t` of 2x - 1."""
    return chebyshev_polynomial_t(_shifted(input), n, out=out)


def shifted_chebyshev_polynomial_u(input, n, *, out: Tensor | None = None) -> Tensor:
    """`chebyshev_polynomial_u` of 2x - 1."""
    return chebyshev_polynomial_u(_shifted(input), n, out=out)


def shifted_chebyshev_polynomial_v(input, n, *, out: Tensor | None = None) -> Tensor:
    """`chebyshev_polynomial_v` of 2x - 1."""
    return chebyshev_polynomial_v(_shifted(input), n, out=out)


def shifted_chebyshev_polynomial_w(input, n, *, out: Tensor | None = None) -> Tensor:
    """`chebyshev_polynomial_w` of 2x - 1."""
    return chebyshev_polynomial_w(_shifted(input), n, out=out)


def hermite_polynomial_h(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Hermite's polynomials, as physicists have them.

    .. math:: H_{n+1}(x) = 2 x H_n(x) - 2 n H_{n-1}(x)

    >>> import minitorch
    >>> minitorch.special.hermite_polynomial_h(minitorch.tensor([0.5, 2.]), 3)
    tensor([-5., 40.])
    """
    return _polynomial("hermite_polynomial_h", input, n, out, lambda x: 2 * x,
                       lambda k, x, p, q: 2 * x * p - 2 * k * q)  # fmt: skip


def hermite_polynomial_he(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Hermite's polynomials, as probability theory has them.

    .. math:: He_{n+1}(x) = x He_n(x) - n He_{n-1}(x)
    """
    return _polynomial("hermite_polynomial_he", input, n, out, lambda x: x, lambda k, x, p, q: x * p - k * q)


def laguerre_polynomial_l(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Laguerre's polynomials.

    .. math:: (n + 1) L_{n+1}(x) = (2 n + 1 - x) L_n(x) - n L_{n-1}(x)
    """
    return _polynomial("laguerre_polynomial_l", input, n, out, lambda x: 1 - x,
                       lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1))  # fmt: skip


def legendre_polynomial_p(input, n, *, out: Tensor | None = None) -> Tensor:
    r"""Legendre's polynomials.

    .. math:: (n + 1) P_{n+1}(x) = (2 n + 1) x P_n(x) - n P_{n-1}(x)
    """
    return _polynomial("legendre_polynomial_p", input, n, out, lambda x: x,
                       lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1))  # fmt: skip
