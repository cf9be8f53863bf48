"""Cholesky's factorisation of positive definite matrices, and what is solved with it."""

from __future__ import annotations

from .. import return_types
from .._creation import eye
from .._tensor import Tensor
from ._common import (
    broadcast_batches,
    check_info,
    check_matrices,
    check_same_dtype,
    give,
    give_all,
    mH,
    primitive,
    record_rule,
    tril,
)
from .solving import solve_triangular

__all__ = ["cholesky", "cholesky_ex"]

_potrf = primitive("potrf")


def _rule(gradients, saved, needs, upper):
    """A = L L^H:  dA = (S + S^H) / 2,  S = L^-H phi(L^H dL) L^-1,  phi: lower triangle, its diagonal halved."""
    (factor,), (g,) = saved, gradients
    if upper:
        factor, g = mH(factor), mH(g)
    inner = tril(mH(factor) @ g)
    inner = inner - 0.5 * _diagonal_part(inner)
    adjoint = mH(factor)
    half = solve_triangular(adjoint, inner, upper=True)
    s = solve_triangular(adjoint, mH(half), upper=True)
    return (0.5 * (s + mH(s)),)


def _diagonal_part(a: Tensor) -> Tensor:
    real = a.real if a.is_complex() else a
    return real * eye(a.shape[-1], dtype=real.dtype, device=real.device)


def _factor(name: str, a: Tensor, upper: bool) -> tuple[Tensor, Tensor]:
    check_matrices(name, a, square=True)
    factor, info = _potrf(a, upper)
    record_rule("LinalgCholeskyExBackward0", _RULES[upper], (factor,), (a,), (factor,))
    return factor, info


def _lower_rule(gradients, saved, needs):
    return _rule(gradients, saved, needs, False)


def _upper_rule(gradients, saved, needs):
    return _rule(gradients, saved, needs, True)


_RULES = (_lower_rule, _upper_rule)
_REASON = "The factorization could not be completed because the input is not positive-definite (the leading minor of " \
          "order {} is not positive-definite)."


def cholesky(input: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    r"""The Cholesky factor of symmetric (Hermitian) positive definite matrices; only one triangle is read.

    .. math:: A = L L^H \quad\text{or, with upper,}\quad A = U^H U

    Shape:
        ``(*, n, n)`` gives the same.

    Raises:
        LinAlgError: if a matrix is not positive definite (names which).

    >>> import minitorch
    >>> minitorch.linalg.cholesky(minitorch.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    factor, info = _factor("linalg.cholesky", input, upper)
    check_info("linalg.cholesky", info, _REASON)
    return give(factor, out, "linalg.cholesky")


def cholesky_ex(
    input: Tensor, *, upper: bool = False, check_errors: bool = False, out=None
) -> return_types.linalg_cholesky_ex:
    """`cholesky` that does not raise: ``info`` is 0, or the order of a leading minor that is not positive.

    >>> import minitorch
    >>> minitorch.linalg.cholesky_ex(minitorch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    factor, info = _factor("linalg.cholesky_ex", input, upper)
    if check_errors:
        check_info("linalg.cholesky_ex", info, _REASON)
    return give_all(return_types.linalg_cholesky_ex, (factor, info), out, "linalg.cholesky_ex")


def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    r"""Solve :math:`A X = B` given the Cholesky factor of A.

    Args:
        input: the right-hand sides B, ``(*, n, k)``.
        L: the factor, ``(*, n, n)``.

    >>> import minitorch
    >>> minitorch.cholesky_solve(minitorch.tensor([[8.]]), minitorch.tensor([[2.]]))
    tensor([[2.]])
    """
    name = "cholesky_solve"
    check_matrices(name, L, square=True, what="L")
    check_matrices(name, input, what="B")
    check_same_dtype(name, L, input)
    if L.shape[-1] != input.shape[-2]:
        raise RuntimeError(f"{name}: Incompatible matrix sizes: each L is {L.shape[-1]} by {L.shape[-1]} but each B is "
                           f"{input.shape[-2]} by {input.shape[-1]}")
    b, factor = broadcast_batches(name, input, L)
    x = _solved(b.detach(), factor.detach(), upper)
    record_rule("CholeskySolveBackward0", _SOLVE_RULES[upper], (x,), (b, factor), (factor, x))
    return give(x, out, name)


def _solved(b: Tensor, factor: Tensor, upper: bool) -> Tensor:
    lower, higher = (mH(factor), factor) if upper else (factor, mH(factor))
    return solve_triangular(higher, solve_triangular(lower, b, upper=False), upper=True)


def _solve_rule(upper: bool):
    def rule(gradients, saved, needs):
        """L L^H X = B:  dB = A^-1 dX,  dL = -(dB X^H + X dB^H) L, as of a factor whose other triangle counts too."""
        (g,), (factor, x) = gradients, saved
        gb = cholesky_solve(g, factor, upper)
        if not needs[1]:
            return gb, None
        ga = gb @ mH(x)
        ga = ga + mH(ga)
        return gb, -(factor @ ga if upper else ga @ factor)

    return rule


_SOLVE_RULES = (_solve_rule(False), _solve_rule(True))


def cholesky_inverse(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    r"""The inverse of A given its Cholesky factor.

    >>> import minitorch
    >>> minitorch.cholesky_inverse(minitorch.tensor([[2.]]))
    tensor([[0.2500]])
    """
    check_matrices("cholesky_inverse", input, square=True)
    identity = eye(input.shape[-1], dtype=input.dtype, device=input.device)
    factor = input
    inverse = solve_triangular(mH(factor) if upper else factor, identity.expand(input.shape), upper=False)
    return give(mH(inverse) @ inverse, out, "cholesky_inverse")


def cholesky_old(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """`minitorch.linalg.cholesky` by its old name."""
    return cholesky(input, upper=upper, out=out)
