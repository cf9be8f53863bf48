"""Orthogonal factors: QR and Householder reflections."""

from __future__ import annotations

from .. import return_types
from .._creation import eye
from .._ext.index import cat
from .._tensor import Tensor
from ._common import (
    check_matrices,
    check_same_dtype,
    differentiated,
    give,
    give_all,
    mH,
    primitive,
    record_rule,
    tril,
    triu,
)
from .solving import solve_triangular

__all__ = ["householder_product", "qr"]

_geqrf, _orgqr, _ormqr = primitive("geqrf"), primitive("orgqr"), primitive("ormqr")


def _qr_rule(gradients, saved, needs):
    """A = Q R of m rows and n columns.

    Tall:  dA = (dQ + Q C(R dR^H - dQ^H Q)) R^-H, where C(M) = tril(M) + tril(M, -1)^H with a real diagonal.
    Wide:  with R = (U, V) and A = (X, Y), X is square, and Y = Q V adds Y dV^H to dQ and Q dV to dA.
    """
    (gq, gr), (q, r) = gradients, saved
    m, n = q.shape[-2], r.shape[-1]
    if q.shape[-1] != r.shape[-2] or q.shape[-1] != min(m, n):
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols: use "
                           "mode='reduced'")
    if gq is None:
        gq = q * 0
    if gr is None:
        gr = r * 0
    if m >= n:
        return (_tall(gq, gr, q, r),)
    u, v, gu, gv = r[..., :m], r[..., m:], gr[..., :m], gr[..., m:]
    return (cat([_tall(gq + (q @ v) @ mH(gv), gu, q, u), q @ gv], -1),)


def _tall(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    below = r @ mH(gr) - mH(gq) @ q
    strict = tril(below, -1)
    diagonal = below.diagonal(0, -2, -1)
    if below.is_complex():
        diagonal = diagonal.real.to(below.dtype)
    middle = strict + mH(strict) + diagonal.unsqueeze(-1) * eye(below.shape[-1], dtype=below.dtype, device=below.device)
    return solve_triangular(mH(triu(r)), gq + q @ middle, upper=False, left=False)


def _no_q_rule(gradients, saved, needs):
    raise RuntimeError("The derivative of linalg.qr depends on Q, which is not computed when mode='r': use "
                       "mode='reduced' if you are going to call backward")


def qr(A: Tensor, mode: str = "reduced", *, out=None) -> return_types.linalg_qr:
    r"""The QR factorisation: Q has orthonormal columns, R is upper triangular.

    .. math:: A = Q R

    Args:
        mode: ``"reduced"``; ``"complete"``: Q square; ``"r"``: R alone, Q empty.

    Shape:
        ``(*, m, n)`` gives ``(*, m, k)`` and ``(*, k, n)`` with k = min(m, n), or m in mode ``"complete"``.

    >>> import minitorch
    >>> q, r = minitorch.linalg.qr(minitorch.tensor([[3., 1.], [4., 2.]]))
    >>> r
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
    """
    name = "linalg.qr"
    check_matrices(name, A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode {mode!r} but expected one of 'reduced' (default), 'r', or "
                           "'complete'")
    m, n = A.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    factors, tau = _geqrf(A)
    r = triu(factors[..., :k, :])
    if k > factors.shape[-2]:
        r = cat([r, r.new_zeros(*r.shape[:-2], k - r.shape[-2], n)], -2)
    if mode == "r":
        q = A.new_empty(0)
        record_rule("LinalgQrBackward0", _no_q_rule, (r,), (A,), ())
    else:
        q = factors[..., :k]
        if k > n:
            q = cat([q, q.new_zeros(*q.shape[:-2], m, k - n)], -1)
        q = _orgqr(q, tau)
        record_rule("LinalgQrBackward0", _qr_rule, (q, r), (A,), (q, r))
    return give_all(return_types.linalg_qr, (q, r), out, name)


def qr_old(input: Tensor, some: bool = True, *, out=None) -> return_types.qr:
    """`linalg.qr` by its old name; ``some=False`` is mode ``"complete"``.

    >>> import minitorch
    >>> minitorch.qr(minitorch.ones(3, 2)).Q.shape
    torch.Size([3, 2])
    """
    return give_all(return_types.qr, qr(input, "reduced" if some else "complete"), out, "qr")


def geqrf(input: Tensor, *, out=None) -> return_types.geqrf:
    """LAPACK's form of QR: R with the Householder vectors of Q below it, and their factors.

    >>> import minitorch
    >>> minitorch.geqrf(minitorch.ones(3, 2)).tau.shape
    torch.Size([2])
    """
    check_matrices("geqrf", input)
    factors, tau = _geqrf(input)
    record_rule("GeqrfBackward0", _geqrf_rule, (factors, tau), (input,), ())
    return give_all(return_types.geqrf, (factors, tau), out, "geqrf")


def _geqrf_rule(gradients, saved, needs):
    raise NotImplementedError("the derivative for 'geqrf' is not implemented: use linalg.qr")


# --- products of reflections -----------------------------------------------------------------------------------------


def _check_reflections(name: str, a: Tensor, tau: Tensor) -> None:
    check_matrices(name, a, what="input")
    m, n = a.shape[-2:]
    if n > m:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1], but the "
                           f"matrices are {m} by {n}")
    if tau.ndim != a.ndim - 1 or tau.shape[:-1] != a.shape[:-2]:
        raise RuntimeError(f"{name}: Expected tau to have one dimension less than input and the same batch dimensions, "
                           f"but they are {tuple(tau.shape)} and {tuple(a.shape)}")
    if tau.shape[-1] > n:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1], but there are "
                           f"{tau.shape[-1]} factors for {n} vectors")
    check_same_dtype(name, a, tau)


def _reflected(a: Tensor, tau: Tensor, c: Tensor, adjoint: bool) -> Tensor:
    """H_1 ... H_k C (or the adjoint) one reflection H = 1 - tau v v^H at a time, in differentiable operations."""
    count = tau.shape[-1]
    vectors = tril(a, -1) + eye(a.shape[-2], a.shape[-1], dtype=a.dtype, device=a.device)
    for k in range(count) if adjoint else reversed(range(count)):
        v, factor = vectors[..., k : k + 1], tau[..., k, None, None]
        c = c - (factor.conj() if adjoint and a.is_complex() else factor) * (v @ (mH(v) @ c))
    return c


def householder_product(input: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    r"""The first columns of a product of Householder reflections: Q of what `geqrf` gives.

    .. math:: Q = H_1 H_2 \cdots H_k, \quad H_i = I - \tau_i v_i v_i^H

    Shape:
        ``input`` ``(*, m, n)`` with the vectors below its diagonal and ``tau`` ``(*, k)`` give ``(*, m, n)``.

    >>> import minitorch
    >>> a, tau = minitorch.geqrf(minitorch.tensor([[3., 1.], [4., 2.]]))
    >>> minitorch.linalg.householder_product(a, tau)
    tensor([[-0.6000, -0.8000],
            [-0.8000,  0.6000]])
    """
    name = "linalg.householder_product"
    _check_reflections(name, input, tau)
    if differentiated(input, tau):
        identity = eye(*input.shape[-2:], dtype=input.dtype, device=input.device).expand(input.shape)
        return give(_reflected(input, tau, identity, False), out, name)
    return give(_orgqr(input, tau), out, name)


def orgqr(input: Tensor, input2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`linalg.householder_product` by LAPACK's name."""
    return householder_product(input, input2, out=out)


def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False, *,
          out: Tensor | None = None) -> Tensor:
    r"""Multiply matrices by a product of Householder reflections, as a whole.

    Args:
        input: the vectors, as `geqrf` gives them.
        input2: their factors.
        input3: the matrices C.
        left: Q C; else C Q.
        transpose: by the adjoint of Q.

    >>> import minitorch
    >>> a, tau = minitorch.geqrf(minitorch.tensor([[3., 1.], [4., 2.]]))
    >>> minitorch.ormqr(a, tau, minitorch.eye(2))
    tensor([[-0.6000, -0.8000],
            [-0.8000,  0.6000]])
    """
    name = "ormqr"
    a, tau, c = input, input2, input3
    check_matrices(name, a, what="input")
    check_matrices(name, c, what="other")
    rows = c.shape[-2 if left else -1]
    if tau.ndim != a.ndim - 1 or tau.shape[:-1] != a.shape[:-2] or c.ndim != a.ndim or c.shape[:-2] != a.shape[:-2]:
        raise RuntimeError(f"{name}: batch dimensions of input, tau and other should be equal, and tau have one "
                           f"dimension less: {tuple(a.shape)}, {tuple(tau.shape)} and {tuple(c.shape)}")
    if tau.shape[-1] > min(rows, a.shape[-1]) or a.shape[-2] != rows:
        raise RuntimeError(f"{name}: {tau.shape[-1]} reflections of {a.shape[-2]} elements do not fit matrices of "
                           f"shape {tuple(c.shape)} with left={left}")
    check_same_dtype(name, a, tau)
    check_same_dtype(name, a, c)
    if not differentiated(a, tau, c):
        return give(_ormqr(a, tau, c, left, transpose), out, name)
    if left:
        return give(_reflected(a, tau, c, transpose), out, name)
    return give(mH(_reflected(a, tau, mH(c), not transpose)), out, name)
