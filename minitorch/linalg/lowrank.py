"""Decompositions of low rank, by random projections."""

from __future__ import annotations

from .._ext.random import randn
from .._tensor import Tensor
from ._common import check_matrices, mH
from .orthogonal import qr
from .singular import svd

__all__ = ["pca_lowrank", "svd_lowrank"]


def _range_of(a: Tensor, q: int, iterations: int, mean: Tensor | None) -> Tensor:
    """An orthonormal basis of q columns that nearly spans A's range: A times random vectors, sharpened by powers."""

    def times(x: Tensor) -> Tensor:
        return a @ x if mean is None else a @ x - mean @ x

    def adjoint_times(x: Tensor) -> Tensor:
        return mH(a) @ x if mean is None else mH(a) @ x - mH(mean) @ x

    basis = qr(times(randn(a.shape[-1], q, dtype=a.dtype, device=a.device)))[0]
    for _ in range(iterations):
        basis = qr(times(qr(adjoint_times(basis))[0]))[0]
    return basis


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The largest q singular values and vectors of A, or of A - M, nearly.

    .. math:: A \approx U \mathrm{diag}(s) V^H

    Args:
        q: a little more than the rank that is looked for.
        niter: how often the projection is sharpened by a product with :math:`A A^H`.

    Shape:
        ``(*, m, n)`` gives ``(*, m, q)``, ``(*, q)`` and ``(*, n, q)``.

    Source: Halko, Martinsson, Tropp, *Finding structure with randomness*, arXiv:0909.4061, algorithms 4.4 and 5.1.

    >>> import minitorch
    >>> u, s, v = minitorch.svd_lowrank(minitorch.ones(20, 10), q=2)
    >>> s[0].round(decimals=3)
    tensor(14.1420)
    """
    check_matrices("svd_lowrank", A)
    q = 6 if q is None else q
    m, n = A.shape[-2:]
    if not 0 <= q <= min(m, n):
        raise ValueError(f"svd_lowrank: q (={q}) must be between 0 and {min(m, n)}, the smaller of the matrices' sizes")
    mean = None if M is None else M.expand(A.shape)
    wide = m < n
    a, mean = (mH(A), None if mean is None else mH(mean)) if wide else (A, mean)
    basis = _range_of(a, q, 2 if niter is None else niter, mean)
    small = mH(basis) @ a if mean is None else mH(basis) @ (a - mean)
    u, s, vh = svd(small, full_matrices=False)
    u, v = basis @ u, mH(vh)
    return (v, s, u) if wide else (u, s, v)


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    r"""Principal components: `svd_lowrank` of the matrix, its rows' mean taken away if ``center``.

    >>> import minitorch
    >>> u, s, v = minitorch.pca_lowrank(minitorch.arange(20.).reshape(10, 2), q=1)
    >>> s.round(decimals=2)
    tensor([25.6900])
    """
    check_matrices("pca_lowrank", A)
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"pca_lowrank: q (={q}) must be between 0 and {min(m, n)}, the smaller of the matrices' sizes")
    if niter < 0:
        raise ValueError(f"pca_lowrank: niter (={niter}) must not be negative")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
