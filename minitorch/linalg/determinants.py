"""Determinants."""

from __future__ import annotations

from .. import return_types
from .._ext.tensor import is_grad_enabled
from .._tensor import Tensor
from ._common import beneath, check_matrices, give, give_all, mH, primitive, record_rule
from .solving import _solve_matrices, inv_ex

__all__ = ["det", "slogdet"]

_getrf, _getrs, _gesdd = primitive("getrf"), primitive("getrs"), primitive("gesdd")


def _parity(pivots: Tensor) -> Tensor:
    """1 for an even number of row exchanges, -1 for an odd one."""
    from .._creation import arange

    exchanges = (pivots != arange(1, pivots.shape[-1] + 1, device=pivots.device)).sum(-1)
    return 1 - 2 * (exchanges % 2)


def _det_rule(gradients, saved, needs):
    """dA = dd conj(d) A^-H; where d is 0 that is the adjugate, which singular values give without a division."""
    (g,), (a, d) = gradients, saved
    scale = (g * (d.conj() if d.is_complex() else d))[..., None, None]
    if is_grad_enabled() or bool((beneath(d) != 0).all()):
        return (scale * mH(inv_ex(a)[0]),)
    u, s, vh, _ = _gesdd(a, True, False)
    others = _products_of_others(s)
    phase = det(u) * det(vh)
    phase = phase.conj() if phase.is_complex() else phase
    return ((g * phase)[..., None, None] * (u * others.unsqueeze(-2)) @ vh,)


def _products_of_others(s: Tensor) -> Tensor:
    """For each element the product of all others."""
    n = s.shape[-1]
    rows = s.unsqueeze(-2).expand(*s.shape, n)
    from .._creation import eye

    return rows.masked_fill(eye(n, dtype=s.dtype, device=s.device) == 1, 1).prod(-1)


def det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    r"""The determinants of square matrices.

    Shape:
        ``(*, n, n)`` gives ``(*)``.

    >>> import minitorch
    >>> minitorch.linalg.det(minitorch.tensor([[1., 2.], [3., 4.]]))
    tensor(-2.0000)
    """
    check_matrices("linalg.det", A, square=True)
    factors, pivots, _ = _getrf(A)
    d = factors.diagonal(0, -2, -1).prod(-1) * _parity(pivots).to(A.dtype)
    record_rule("LinalgDetBackward0", _det_rule, (d,), (A,), (A, d))
    return give(d, out, "linalg.det")


def _slogdet_rule(gradients, saved, needs):
    """d log|det A| = tr(A^-1 dA); the sign of a real determinant is constant, that of a complex one turns with it."""
    (g_sign, g), (a, sign, factors, pivots) = gradients, saved
    scale = g
    if a.is_complex():
        scale = 0 if g is None else g.to(a.dtype)
        if g_sign is not None:
            turn = g_sign * sign.conj()
            scale = scale + (turn - turn.conj()) / 2
    elif g is None:
        return (a * 0,)
    from .._creation import eye

    identity = eye(a.shape[-1], dtype=a.dtype, device=a.device).expand(a.shape)
    if is_grad_enabled():
        inverse, _ = _solve_matrices(mH(a), identity)
    else:
        inverse = _getrs(factors, pivots, identity.clone(), "C")
    return (scale[..., None, None] * inverse,)


def slogdet(A: Tensor, *, out=None) -> return_types.linalg_slogdet:
    r"""The sign and the logarithm of the absolute value of determinants, which may overflow themselves.

    .. math:: \det A = \mathrm{sign} \cdot e^{\mathrm{logabsdet}}

    >>> import minitorch
    >>> minitorch.linalg.slogdet(minitorch.tensor([[0., 2.], [2., 0.]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(1.3863))
    """
    return give_all(return_types.linalg_slogdet, _slogdet("linalg.slogdet", A), out, "linalg.slogdet")


def _slogdet(name: str, a: Tensor) -> tuple[Tensor, Tensor]:
    check_matrices(name, a, square=True)
    factors, pivots, _ = _getrf(a)
    diagonal = factors.diagonal(0, -2, -1)
    sign = diagonal.sgn().prod(-1) * _parity(pivots).to(a.dtype)
    logabsdet = diagonal.abs().log().sum(-1)
    record_rule("LinalgSlogdetBackward0", _slogdet_rule, (sign, logabsdet), (a,), (a, sign, factors, pivots))
    return sign, logabsdet


def logdet(input: Tensor) -> Tensor:
    r"""The logarithm of determinants: NaN where they are negative, -inf where they are 0.

    >>> import minitorch
    >>> minitorch.logdet(minitorch.eye(2) * 2)
    tensor(1.3863)
    """
    sign, logabsdet = _slogdet("logdet", input)
    if input.is_complex():
        return sign.log() + logabsdet
    return logabsdet.masked_fill(sign.detach() < 0, float("nan"))
