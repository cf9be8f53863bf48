"""LU factors with row exchanges, and LDL factors of symmetric matrices."""

from __future__ import annotations

import math

from .. import return_types
from .._creation import arange, eye
from .._ext.engine import from_numpy
from .._ext.index import cat
from .._tensor import Tensor
from ._common import (
    beneath,
    broadcast_batches,
    check_info,
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

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve", "lu", "lu_factor", "lu_factor_ex", "lu_solve"]

_getrf, _getrs, _sytrf, _sytrs = primitive("getrf"), primitive("getrs"), primitive("sytrf"), primitive("sytrs")


# --- LU --------------------------------------------------------------------------------------------------------------


def _lu_rule(gradients, saved, needs):
    r"""P^T A = L U of m rows and n columns, k = min(m, n), in the first k rows and columns:

    with M = L^-1 P^T dA U^-1 there,  dL = L tril(M, -1)  and  dU = triu(M) U;  what is left of L (m > n) is
    dA U^-1 - L triu(M), what is left of U (m < n) is L^-1 dA - tril(M, -1) U.
    """
    (g,), (factors, pivots) = gradients, saved
    m, n = factors.shape[-2:]
    k = min(m, n)
    low = tril(factors[..., :k], -1) + eye(m, k, dtype=factors.dtype, device=factors.device)
    high = triu(factors[..., :k, :])
    g_low, g_high = tril(g[..., :k], -1), triu(g[..., :k, :])
    square_low, square_high = low[..., :k, :], high[..., :k]
    below = mH(square_low) @ g_low[..., :k, :]
    above = g_high[..., :k] @ mH(square_high)
    if m > n:
        above = above - mH(low[..., k:, :]) @ g_low[..., k:, :]
    elif m < n:
        below = below - g_high[..., k:] @ mH(high[..., k:])
    middle = tril(below, -1) + triu(above)
    left = solve_triangular(mH(square_low), middle, upper=True, unitriangular=True)
    ga = solve_triangular(mH(square_high), left, upper=False, left=False)
    if m > n:
        ga = cat([ga, solve_triangular(mH(square_high), g_low[..., k:, :], upper=False, left=False)], -2)
    elif m < n:
        ga = cat([ga, solve_triangular(mH(square_low), g_high[..., k:], upper=True, unitriangular=True)], -1)
    return (_permutation(pivots, m).to(ga.dtype) @ ga,)


def _permutation(pivots: Tensor, m: int) -> Tensor:
    """The matrices P of A = P L U as bools: row ``order[j]`` of A became row j."""
    order = _order(pivots, m)
    return order.unsqueeze(-2) == arange(m, device=pivots.device).unsqueeze(-1)


def _order(pivots: Tensor, m: int) -> Tensor:
    """The rows of A in the order that the exchanges of rows j and pivots[j] - 1, one after the other, leave."""
    import numpy as np

    steps = pivots.detach().cpu().numpy()
    steps = steps.reshape(math.prod(steps.shape[:-1]), steps.shape[-1])
    order = np.tile(np.arange(m), (len(steps), 1))
    each = np.arange(len(steps))
    for j in range(steps.shape[1]):
        other = steps[:, j] - 1
        order[each, j], order[each, other] = order[each, other], order[each, j].copy()
    return from_numpy(order.reshape(*pivots.shape[:-1], m)).to(pivots.device)


def _factored(name: str, a: Tensor, pivot: bool) -> tuple[Tensor, Tensor, Tensor]:
    check_matrices(name, a)
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU: leave pivot=True")
    factors, pivots, info = _getrf(a)
    record_rule("LinalgLuFactorExBackward0", _lu_rule, (factors,), (a,), (factors, pivots))
    return factors, pivots, info


_ZERO_PIVOT = ("U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you still want to "
               "perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)")


def lu_factor(A: Tensor, *, pivot: bool = True, out=None) -> return_types.linalg_lu_factor:
    r"""The LU factorisation with row exchanges in compact form, for `lu_solve`.

    .. math:: A = P L U

    Shape:
        ``(*, m, n)`` gives L and U in one tensor of that shape, and int32 pivots ``(*, min(m, n))``, counted from 1.

    Raises:
        LinAlgError: if a pivot is zero.

    >>> import minitorch
    >>> minitorch.linalg.lu_factor(minitorch.tensor([[1., 2.], [2., 8.]])).LU
    tensor([[ 2.0000,  8.0000],
            [ 0.5000, -2.0000]])
    """
    factors, pivots, info = _factored("torch.linalg.lu_factor", A, pivot)
    check_info("torch.linalg.lu_factor", info, _ZERO_PIVOT)
    return give_all(return_types.linalg_lu_factor, (factors, pivots), out, "linalg.lu_factor")


def lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False, out=None
) -> return_types.linalg_lu_factor_ex:
    """`lu_factor` that does not raise: ``info`` is 0, or the number of a zero pivot.

    >>> import minitorch
    >>> minitorch.linalg.lu_factor_ex(minitorch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    results = _factored("torch.linalg.lu_factor_ex", A, pivot)
    if check_errors:
        check_info("torch.linalg.lu_factor_ex", results[2], _ZERO_PIVOT)
    return give_all(return_types.linalg_lu_factor_ex, results, out, "linalg.lu_factor_ex")


def lu(A: Tensor, *, pivot: bool = True, out=None) -> return_types.linalg_lu:
    r"""The LU factorisation with row exchanges: a permutation matrix, a lower and an upper triangle.

    .. math:: A = P L U

    Shape:
        ``(*, m, n)`` gives ``(*, m, m)``, ``(*, m, k)`` and ``(*, k, n)`` with k = min(m, n).

    >>> import minitorch
    >>> minitorch.linalg.lu(minitorch.tensor([[1., 2.], [2., 8.]])).U
    tensor([[ 2.,  8.],
            [ 0., -2.]])
    """
    factors, pivots, _ = _factored("linalg.lu", A, pivot)
    return give_all(return_types.linalg_lu, lu_unpack(factors, pivots), out, "linalg.lu")


def _range_of(pivots: Tensor) -> tuple[int, int]:
    """The smallest and the largest pivot."""
    if not pivots.numel():
        return 0, 0
    values = beneath(pivots)
    return int(values.min()), int(values.max())


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, out=None
) -> return_types.lu_unpack:
    """The matrices P, L and U from the compact form that `lu_factor` gives; empty where they are not asked for.

    >>> import minitorch
    >>> minitorch.lu_unpack(*minitorch.linalg.lu_factor(minitorch.tensor([[1., 2.], [2., 8.]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    factors, pivots = LU_data, LU_pivots
    if unpack_pivots and str(pivots.dtype) != "torch.int32":
        raise RuntimeError(f"torch.lu_unpack: LU_pivots is expected to be a tensor of dtype torch.int32, not "
                           f"{pivots.dtype}: pass the pivots as lu_factor gave them")
    m, n = factors.shape[-2:]
    k = min(m, n)
    p = low = high = factors.new_empty(0)
    if unpack_data:
        low = tril(factors[..., :k], -1) + eye(m, k, dtype=factors.dtype, device=factors.device)
        high = triu(factors[..., :k, :])
    if unpack_pivots:
        first, last = _range_of(pivots)
        if pivots.numel() and not 1 <= first <= last <= m:
            raise RuntimeError(f"torch.lu_unpack: the pivots must be between 1 and {m}, the number of rows; pass them "
                               "as lu_factor gave them")
        p = _permutation(pivots, m).to(factors.dtype)
    return give_all(return_types.lu_unpack, (p, low, high), out, "lu_unpack")


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
             out: Tensor | None = None) -> Tensor:
    r"""Solve :math:`A X = B`, or with the adjoint of A, or :math:`X A = B`, given what `lu_factor` gave.

    >>> import minitorch
    >>> factors, pivots = minitorch.linalg.lu_factor(minitorch.tensor([[1., 2.], [2., 8.]]))
    >>> minitorch.linalg.lu_solve(factors, pivots, minitorch.tensor([[3.], [10.]]))
    tensor([[1.],
            [1.]])
    """
    name = "linalg.lu_solve"
    check_matrices(name, LU, square=True, what="LU")
    check_matrices(name, B, what="B")
    check_same_dtype(name, LU, B)
    if str(pivots.dtype) != "torch.int32":
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32, not {pivots.dtype}: pass "
                           "them as lu_factor gave them")
    if pivots.shape != LU.shape[:-1]:
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix: pivots "
                           f"{tuple(pivots.shape)} for LU {tuple(LU.shape)}")
    n = LU.shape[-1]
    if B.shape[-2 if left else -1] != n:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                           f"({tuple(LU.shape)} and {tuple(B.shape)})")
    factors, b = broadcast_batches(name, LU, B)
    exchanged = pivots.expand(factors.shape[:-1])
    first, last = _range_of(pivots)
    if pivots.numel() and not 1 <= first <= last <= n:
        raise RuntimeError(f"{name}: Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass "
                           f"the result of lu_factor? They lie between {first} and {last} "
                           f"for matrices of {n} rows")
    if differentiated(factors, b):
        return give(_solved_by_triangles(factors, exchanged, b, left, adjoint), out, name)
    if left:
        return give(_getrs(factors, exchanged.contiguous(), b, "C" if adjoint else "N"), out, name)
    # X A = B is A^H X^H = B^H
    return give(mH(_getrs(factors, exchanged.contiguous(), mH(b), "N" if adjoint else "C")), out, name)


def _solved_by_triangles(factors: Tensor, pivots: Tensor, b: Tensor, left: bool, adjoint: bool) -> Tensor:
    """`lu_solve` in differentiable operations."""
    if not left:
        return mH(_solved_by_triangles(factors, pivots, mH(b), True, not adjoint))
    p = _permutation(pivots, factors.shape[-1]).to(factors.dtype)
    if adjoint:
        x = solve_triangular(mH(factors), b, upper=False)
        return p @ solve_triangular(mH(factors), x, upper=True, unitriangular=True)
    x = solve_triangular(factors, p.mT @ b, upper=False, unitriangular=True)
    return solve_triangular(factors, x, upper=True)


def lu_solve_old(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`linalg.lu_solve` by its old name: the right-hand sides come first."""
    return lu_solve(LU_data, LU_pivots, input, out=out)


def lu_old(input: Tensor, pivot: bool = True, get_infos: bool = False, out=None) -> tuple[Tensor, ...]:
    """`linalg.lu_factor` by its old name; with ``get_infos`` also LAPACK's info for each matrix.

    >>> import minitorch
    >>> minitorch.lu(minitorch.eye(2))[1]
    tensor([1, 2], dtype=torch.int32)
    """
    factors, pivots, info = _factored("lu", input, pivot)
    results = (factors, pivots, info) if get_infos else (factors, pivots)
    if not get_infos:
        check_info("lu", info, _ZERO_PIVOT)
    if out is not None:
        return tuple(give(result, target, "lu") for result, target in zip(results, out))
    return results


# --- LDL -------------------------------------------------------------------------------------------------------------


def _no_ldl_rule(gradients, saved, needs):
    raise NotImplementedError("the derivative for 'linalg_ldl_factor' is not implemented: use linalg.solve, or "
                              "linalg.cholesky for positive definite matrices")


def _ldl(name: str, a: Tensor, hermitian: bool) -> tuple[Tensor, Tensor, Tensor]:
    check_matrices(name, a, square=True)
    results = _sytrf(a, hermitian)
    factors = tril(results[0])
    record_rule("LinalgLdlFactorExBackward0", _no_ldl_rule, (factors,), (a,), ())
    return factors, results[1], results[2]


_ZERO_BLOCK = "D[{0},{0}] is zero. Using it in linalg.ldl_solve would result in a division by zero."


def ldl_factor(input: Tensor, *, hermitian: bool = False, out=None) -> return_types.linalg_ldl_factor:
    r"""The LDL factorisation of symmetric (or, with ``hermitian``, Hermitian) matrices in compact form.

    .. math:: A = L D L^T, \quad D \text{ of blocks of one or two}

    Only the lower triangles are read. Not differentiable.

    >>> import minitorch
    >>> minitorch.linalg.ldl_factor(minitorch.tensor([[4., 2.], [2., 5.]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 4.0000]])
    """
    factors, pivots, info = _ldl("torch.linalg.ldl_factor", input, hermitian)
    check_info("torch.linalg.ldl_factor", info, _ZERO_BLOCK)
    return give_all(return_types.linalg_ldl_factor, (factors, pivots), out, "linalg.ldl_factor")


def ldl_factor_ex(
    input: Tensor, *, hermitian: bool = False, check_errors: bool = False, out=None
) -> return_types.linalg_ldl_factor_ex:
    """`ldl_factor` that does not raise: ``info`` is 0, or the number of a zero block of D.

    >>> import minitorch
    >>> minitorch.linalg.ldl_factor_ex(minitorch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    results = _ldl("torch.linalg.ldl_factor_ex", input, hermitian)
    if check_errors:
        check_info("torch.linalg.ldl_factor_ex", results[2], _ZERO_BLOCK)
    return give_all(return_types.linalg_ldl_factor_ex, results, out, "linalg.ldl_factor_ex")


def _no_ldl_solve_rule(gradients, saved, needs):
    raise NotImplementedError("the derivative for 'linalg_ldl_solve' is not implemented: use linalg.solve")


def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Tensor | None = None) -> Tensor:
    """Solve :math:`A X = B` given what `ldl_factor` gave. Not differentiable.

    >>> import minitorch
    >>> factors, pivots = minitorch.linalg.ldl_factor(minitorch.tensor([[4., 2.], [2., 5.]]))
    >>> minitorch.linalg.ldl_solve(factors, pivots, minitorch.tensor([[6.], [7.]]))
    tensor([[1.],
            [1.]])
    """
    name = "linalg.ldl_solve"
    check_matrices(name, LD, square=True, what="LD")
    check_matrices(name, B, what="B")
    check_same_dtype(name, LD, B)
    if str(pivots.dtype) != "torch.int32":
        raise RuntimeError(f"{name}: Expected pivots to be integers, torch.int32, not {pivots.dtype}")
    if pivots.shape != LD.shape[:-1] or B.shape[-2] != LD.shape[-1]:
        raise RuntimeError(f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same and B to have as many "
                           f"rows, but they are {tuple(LD.shape)}, {tuple(pivots.shape)} and {tuple(B.shape)}")
    factors, b = broadcast_batches(name, LD, B)
    x = _sytrs(factors, pivots.expand(factors.shape[:-1]).contiguous(), b, hermitian)
    record_rule("LinalgLdlSolveBackward0", _no_ldl_solve_rule, (x,), (factors, b), ())
    return give(x, out, name)
