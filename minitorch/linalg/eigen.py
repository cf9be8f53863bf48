"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from .. import return_types
from .._creation import eye
from .._tensor import Tensor
from ..functions.complex_numbers import complex
from ._common import (
    beneath,
    check_info,
    check_matrices,
    check_phase,
    differentiated,
    give,
    give_all,
    mH,
    primitive,
    record_rule,
)
from .solving import solve

__all__ = ["eig", "eigh", "eigvals", "eigvalsh"]

_syevd, _geev = primitive("syevd"), primitive("geev")
_REASON = ("The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
           "eigenvalues (error code: {}).")


def _eigh_rule(gradients, saved, needs):
    """A = V diag(w) V^H:  dA = V (diag(dw) + V^H dV / E) V^H,  E_ij = w_j - w_i, and the diagonal left out of it."""
    (gw, gv), (w, v) = gradients, saved
    if gv is None:
        return ((v * gw.unsqueeze(-2)) @ mH(v),)
    diagonal = eye(w.shape[-1], dtype=w.dtype, device=w.device)
    gaps = w.unsqueeze(-2) - w.unsqueeze(-1) + diagonal
    inner = mH(v) @ gv
    check_phase("linalg_eigh_backward", inner, "eigenvectors")
    middle = (inner / gaps) * (1 - diagonal)
    if gw is not None:
        middle = middle + gw.unsqueeze(-1) * diagonal
    return (v @ middle @ mH(v),)


def _check_uplo(name: str, uplo: str) -> bool:
    if not isinstance(uplo, str) or uplo.upper() not in ("U", "L"):
        raise RuntimeError(f"{name}: Expected UPLO argument to be 'L' or 'U', but got {uplo!r}")
    return uplo.upper() == "U"


def eigh(input: Tensor, UPLO: str = "L", *, out=None) -> return_types.linalg_eigh:
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
    return give_all(return_types.linalg_eigh, (w, v), out, name)


def eigvalsh(input: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues, ascending, of symmetric (Hermitian) matrices; see `eigh`.

    >>> import minitorch
    >>> minitorch.linalg.eigvalsh(minitorch.tensor([[2., 1.], [1., 2.]]))
    tensor([1., 3.])
    """
    name = "linalg.eigvalsh"
    if differentiated(input):
        return give(eigh(input, UPLO)[0], out, name)
    check_matrices(name, input, square=True)
    w, _, info = _syevd(input, False, _check_uplo(name, UPLO))
    check_info(name, info, _REASON)
    return give(w, out, name)


# --- matrices without symmetry ---------------------------------------------------------------------------------------


def _eig_rule(gradients, saved, needs):
    """A = V diag(w) V^-1, columns of length 1:  dA = V^-H (diag(dw) + M) V^H,

    M = (V^H dV - V^H V diag(Re(V^H dV))) / conj(E),  E_ij = w_j - w_i, and the diagonal left out of it.
    """
    (gw, gv), (w, v) = gradients, saved
    adjoint = mH(v)
    if gv is None:
        return (solve(adjoint, gw.unsqueeze(-1) * adjoint),)
    diagonal = eye(w.shape[-1], dtype=w.dtype, device=w.device)
    inner = adjoint @ gv
    check_phase("linalg_eig_backward", inner, "eigenvectors")
    lengths = inner.diagonal(0, -2, -1).real.unsqueeze(-2)
    gaps = (w.unsqueeze(-2) - w.unsqueeze(-1)).conj() + diagonal
    middle = (inner - (adjoint @ v) * lengths) / gaps * (1 - diagonal)
    if gw is not None:
        middle = middle + gw.unsqueeze(-1) * diagonal
    return (solve(adjoint, middle @ adjoint),)


def _real_eig_rule(gradients, saved, needs):
    """The same for real A."""
    return (_eig_rule(gradients, saved, needs)[0].real,)


def _paired(packed: Tensor, imaginary: Tensor) -> Tensor:
    """The eigenvectors of real matrices: those of conjugate eigenvalues are two columns, real and imaginary part."""
    first, second = (imaginary > 0).unsqueeze(-2), (imaginary < 0).unsqueeze(-2)
    real = packed.roll(1, -1).where(second, packed)
    imag = packed.roll(-1, -1).where(first, -packed).masked_fill(~(first | second), 0)
    return complex(real, imag)


def _eigen(name: str, a: Tensor, vectors: bool) -> tuple[Tensor, Tensor | None]:
    """Eigenvalues, as complex numbers, and eigenvectors."""
    check_matrices(name, a, square=True)
    w, v, info = _geev(a, vectors)
    if info.numel() and int(beneath(info).min()) < 0:
        raise RuntimeError(f"torch.{name}: input tensor should not contain infs or NaNs: look for them by "
                           "A.isfinite().all()")
    check_info(name, info, _REASON)
    if not a.is_complex():
        imaginary = w[..., 1, :]
        w, v = complex(w[..., 0, :], imaginary), _paired(v, imaginary) if vectors else None
    return w, v


def eig(input: Tensor, *, out=None) -> return_types.linalg_eig:
    r"""The eigenvalues and eigenvectors of square matrices, as complex numbers in no particular order.

    .. math:: A = V \mathrm{diag}(w) V^{-1}

    Shape:
        ``(*, n, n)`` gives ``(*, n)`` and ``(*, n, n)``, the vectors being its columns, of length 1.

    Raises:
        RuntimeError: if A contains NaN or inf; in backward, if the loss depends on the phase of eigenvectors.

    Derivatives of vectors are finite only where the eigenvalues differ.  Symmetric matrices are better served by
    `eigh`.

    Source: Boeddeker, Hanebrink, Drude, Heymann, Haeb-Umbach, *On the Computation of Complex-valued Gradients with
    Application to Statistically Optimum Beamforming*, arXiv:1701.00392, section 4.16.

    >>> import minitorch
    >>> minitorch.linalg.eig(minitorch.tensor([[0., -1.], [1., 0.]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    name = "linalg.eig"
    w, v = _eigen(name, input, True)
    rule = _eig_rule if input.is_complex() else _real_eig_rule
    record_rule("LinalgEigBackward0", rule, (w, v), (input,), (w, v))
    return give_all(return_types.linalg_eig, (w, v), out, name)


def eigvals(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of square matrices, as complex numbers; see `eig`.

    >>> import minitorch
    >>> minitorch.linalg.eigvals(minitorch.tensor([[2., 1.], [0., 3.]]))
    tensor([2.+0.j, 3.+0.j])
    """
    name = "linalg.eigvals"
    if differentiated(input):
        return give(eig(input)[0], out, name)
    return give(_eigen(name, input, False)[0], out, name)
