"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from .. import return_types
from .._creation import eye
from .._tensor import Tensor
from ._common import check_info, check_matrices, deliver, deliver_all, differentiated, mH, primitive, record_rule

__all__ = ["eigh", "eigvalsh"]

_syevd = primitive("syevd")
_REASON = ("The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
           "eigenvalues (error code: {}).")


def _eigh_rule(gradients, saved, needs):
    """A = V diag(w) V^H:  dA = V (diag(dw) + V^H dV / E) V^H,  E_ij = w_j - w_i, and the diagonal left out of it."""
    (gw, gv), (w, v) = gradients, saved
    if gv is None:
        return ((v * gw.unsqueeze(-2)) @ mH(v),)
    diagonal = eye(w.shape[-1], dtype=w.dtype)
    gaps = w.unsqueeze(-2) - w.unsqueeze(-1) + diagonal
    middle = (mH(v) @ gv / gaps) * (1 - diagonal)
    if gw is not None:
        middle = middle + gw.unsqueeze(-1) * diagonal
    return (v @ middle @ mH(v),)


def _check_uplo(name: str, uplo: str) -> bool:
    if not isinstance(uplo, str) or uplo.upper() not in ("U", "L"):
        raise RuntimeError(f"{name}: Expected UPLO argument to be 'L' or 'U', but got {uplo!r}")
    return uplo.upper() == "U"


def eigh(input: Tensor, UPLO: str = "L", *, out=None):
    r"""The eigenvalues, ascending, and orthonormal eigenvectors of symmetric (Hermitian) matrices.

    .. math:: A = V \mathrm{diag}(w) V^H

    Args:
        UPLO: the triangle that is read, ``"L"`` or ``"U"``.

    Shape:
        ``(*, n, n)`` gives ``(*, n)`` and ``(*, n, n)``, the vectors being its columns.

    Derivatives of vectors are finite only where the eigenvalues differ.

    >>> import minitorch
    >>> minitorch.linalg.eigh(minitorch.tensor([[2., 1.], [1., 2.]])).eigenvalues
    tensor([1., 3.])
    """
    name = "linalg.eigh"
    check_matrices(name, input, square=True)
    w, v, info = _syevd(input, True, _check_uplo(name, UPLO))
    check_info(name, info, _REASON)
    record_rule("LinalgEighBackward0", _eigh_rule, (w, v), (input,), (w, v))
    return deliver_all(return_types.linalg_eigh, (w, v), out, name)


def eigvalsh(input: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues, ascending, of symmetric (Hermitian) matrices; see `eigh`.

    >>> import minitorch
    >>> minitorch.linalg.eigvalsh(minitorch.tensor([[2., 1.], [1., 2.]]))
    tensor([1., 3.])
    """
    name = "linalg.eigvalsh"
    if differentiated(input):
        return deliver(eigh(input, UPLO)[0], out, name)
    check_matrices(name, input, square=True)
    w, _, info = _syevd(input, False, _check_uplo(name, UPLO))
    check_info(name, info, _REASON)
    return deliver(w, out, name)
