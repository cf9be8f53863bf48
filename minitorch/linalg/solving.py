"""Systems of linear equations: general ones, triangular ones, inverses."""

from __future__ import annotations

from math import prod

from .. import return_types
from .._creation import eye
from .._ext.tensor import is_grad_enabled
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
    triu,
)

__all__ = ["inv", "inv_ex", "solve", "solve_ex", "solve_triangular", "tensorinv", "tensorsolve"]

_getrf, _getrs, _trsm = primitive("getrf"), primitive("getrs"), primitive("trsm")
_SINGULAR = "The solver failed because the input matrix is singular."
_NO_INVERSE = ("The diagonal element {} is zero, the inversion could not be completed because the input matrix is "
               "singular.")


# --- general ---------------------------------------------------------------------------------------------------------


def _solve_rule(gradients, saved, needs):
    """A X = B:  dB = A^-H dX,  dA = -dB X^H."""
    (g,), (a, x, factors, pivots) = gradients, saved
    gb = solve(mH(a), g) if is_grad_enabled() else _getrs(factors, pivots, g, "C")
    return -(gb @ mH(x)) if needs[0] else None, gb if needs[1] else None


def _solve_matrices(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """A X = B for operands of the same batch."""
    factors, pivots, info = _getrf(a)
    x = _getrs(factors, pivots, b, "N")
    record_rule("LinalgSolveExBackward0", _solve_rule, (x,), (a, b), (a, x, factors, pivots))
    return x, info


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether right-hand sides are one vector for each matrix."""
    return b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])


def _solved(name: str, a: Tensor, b: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    check_matrices(name, a, square=True)
    check_same_dtype(name, a, b)
    if b.ndim == 0:
        raise RuntimeError(f"{name}: The input tensor B must have at least 1 dimension, but it is 0-d")
    vector = is_vector(a, b)
    if vector and not left:
        raise RuntimeError(f"{name}: B of shape {tuple(b.shape)} is a vector: left=False needs matrices")
    if vector:
        b = b.unsqueeze(-1)
    if b.shape[-2 if left else -1] != a.shape[-1]:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                           f"({tuple(a.shape)} and {tuple(b.shape)})")
    a, b = broadcast_batches(name, a, b)
    if left:
        x, info = _solve_matrices(a, b)
    else:
        x, info = _solve_matrices(a.mT, b.mT)
        x = x.mT
    return x.squeeze(-1) if vector else x, info


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    r"""Solve systems of linear equations, by LU factors with row exchanges.

    .. math:: A X = B \quad\text{or, with left=False,}\quad X A = B

    Shape:
        ``A`` ``(*, n, n)`` and ``B`` ``(*, n, k)`` give ``(*, n, k)``; ``B`` ``(*, n)`` or ``(n,)`` gives ``(*, n)``.

    Raises:
        LinAlgError: if a matrix is singular (names which).

    >>> import minitorch
    >>> minitorch.linalg.solve(minitorch.tensor([[2., 1.], [0., 4.]]), minitorch.tensor([4., 8.]))
    tensor([1., 2.])
    """
    x, info = _solved("linalg.solve", A, B, left)
    check_info("linalg.solve", info, _SINGULAR)
    return give(x, out, "linalg.solve")


def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out=None
) -> return_types.linalg_solve_ex:
    """`solve` that does not raise: ``info`` is 0, or the number of a zero pivot.

    >>> import minitorch
    >>> minitorch.linalg.solve_ex(minitorch.zeros(1, 1), minitorch.ones(1)).info
    tensor(1, dtype=torch.int32)
    """
    x, info = _solved("linalg.solve_ex", A, B, left)
    if check_errors:
        check_info("linalg.solve_ex", info, _SINGULAR)
    return give_all(return_types.linalg_solve_ex, (x, info), out, "linalg.solve_ex")


# --- triangular ------------------------------------------------------------------------------------------------------


def _triangular_rule(upper: bool, unit: bool):
    def rule(gradients, saved, needs):
        """A X = B:  dB = A^-H dX,  dA = -(dB X^H) on the triangle that was read."""
        (g,), (a, x) = gradients, saved
        gb = solve_triangular(mH(a), g, upper=not upper, unitriangular=unit)
        ga = None
        if needs[0]:
            ga = -triu(gb @ mH(x), int(unit)) if upper else -tril(gb @ mH(x), -int(unit))
        return ga, gb if needs[1] else None

    return rule


_TRIANGULAR_RULES = {(upper, unit): _triangular_rule(upper, unit) for upper in (False, True) for unit in (False, True)}


def solve_triangular(input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False,
                     out: Tensor | None = None) -> Tensor:
    r"""Solve systems with triangular matrices; the other triangle is not read, and nothing checks for zeros.

    Args:
        upper: which triangle.
        left: solve :math:`A X = B`; else :math:`X A = B`.
        unitriangular: take the diagonal to be ones, without reading it.

    Shape:
        ``input`` ``(*, n, n)`` and ``B`` ``(*, n, k)`` (``(*, k, n)`` with left=False) give the shape of ``B``.

    >>> import minitorch
    >>> a, b = minitorch.tensor([[2., 0.], [1., 4.]]), minitorch.tensor([[2.], [9.]])
    >>> minitorch.linalg.solve_triangular(a, b, upper=False)
    tensor([[1.],
            [2.]])
    """
    name = "linalg.solve_triangular"
    check_matrices(name, input, square=True)
    check_matrices(name, B, what="B")
    check_same_dtype(name, input, B)
    if B.shape[-2 if left else -1] != input.shape[-1]:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                           f"({tuple(input.shape)} and {tuple(B.shape)})")
    a, b = broadcast_batches(name, input, B)
    if not left:
        return give(solve_triangular(a.mT, b.mT, upper=not upper, unitriangular=unitriangular).mT, out, name)
    x = _trsm(a, b, upper, unitriangular)
    record_rule("LinalgSolveTriangularBackward0", _TRIANGULAR_RULES[bool(upper), bool(unitriangular)], (x,), (a, b),
                (a, x))
    return give(x, out, name)


def triangular_solve(input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False,
                     unitriangular: bool = False, *, out=None) -> return_types.triangular_solve:
    """`linalg.solve_triangular` by its old name: the right-hand sides come first.

    >>> import minitorch
    >>> minitorch.triangular_solve(minitorch.tensor([[8.]]), minitorch.tensor([[2.]])).solution
    tensor([[4.]])
    """
    check_matrices("triangular_solve", A, square=True)
    check_matrices("triangular_solve", input, what="b")
    a, b = broadcast_batches("triangular_solve", A, input)
    matrix = a.mT if transpose else a
    x = solve_triangular(matrix, b, upper=upper != transpose, unitriangular=unitriangular)
    return give_all(return_types.triangular_solve, (x, a.clone()), out, "triangular_solve")


# --- inverses --------------------------------------------------------------------------------------------------------


def _inv_rule(gradients, saved, needs):
    """X = A^-1:  dA = -X^H dX X^H."""
    (g,), (x,) = gradients, saved
    return (-(mH(x) @ g @ mH(x)),)


def _inverse(name: str, a: Tensor) -> tuple[Tensor, Tensor]:
    check_matrices(name, a, square=True)
    factors, pivots, info = _getrf(a)
    identity = eye(a.shape[-1], dtype=a.dtype, device=a.device).expand(a.shape)
    x = _getrs(factors, pivots, identity, "N")
    record_rule("LinalgInvExBackward0", _inv_rule, (x,), (a,), (x,))
    return x, info


def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    r"""The inverse of square matrices. To solve equations, `solve` is faster and more accurate.

    .. math:: A A^{-1} = I

    Raises:
        LinAlgError: if a matrix is singular (names which).

    >>> import minitorch
    >>> minitorch.linalg.inv(minitorch.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    x, info = _inverse("linalg.inv", A)
    check_info("linalg.inv", info, _NO_INVERSE)
    return give(x, out, "linalg.inv")


def inv_ex(A: Tensor, *, check_errors: bool = False, out=None) -> return_types.linalg_inv_ex:
    """`inv` that does not raise: ``info`` is 0, or the number of a zero pivot.

    >>> import minitorch
    >>> minitorch.linalg.inv_ex(minitorch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    x, info = _inverse("linalg.inv_ex", A)
    if check_errors:
        check_info("linalg.inv_ex", info, _NO_INVERSE)
    return give_all(return_types.linalg_inv_ex, (x, info), out, "linalg.inv_ex")


def tensorinv(input: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the map that `tensordot` makes of a tensor: its first ``ind`` dimensions are the rows.

    >>> import minitorch
    >>> minitorch.linalg.tensorinv(minitorch.eye(6).reshape(2, 3, 6)).shape
    torch.Size([6, 2, 3])
    """
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: expected a strictly positive integer for 'ind', not {ind}")
    rows, columns = tuple(input.shape[:ind]), tuple(input.shape[ind:])
    if prod(rows) != prod(columns):
        raise RuntimeError(f"linalg.tensorinv: expected input to satisfy the requirement prod({rows}) == "
                           f"prod({columns}), but {prod(rows)} != {prod(columns)}")
    inverse, info = _inverse("linalg.tensorinv", input.reshape(prod(rows), prod(columns)))
    check_info("linalg.tensorinv", info, _NO_INVERSE)
    return give(inverse.reshape(*columns, *rows), out, "linalg.tensorinv")


def tensorsolve(input: Tensor, other: Tensor, dims=None, *, out: Tensor | None = None) -> Tensor:
    """Solve ``tensordot(A, X, X.ndim) == B`` for X; ``dims`` of A are moved to its end first.

    >>> import minitorch
    >>> minitorch.linalg.tensorsolve(minitorch.eye(6).reshape(2, 3, 6), minitorch.ones(2, 3)).shape
    torch.Size([6])
    """
    a = input
    if dims is not None:
        dims = [dims] if isinstance(dims, int) else list(dims)
        a = a.movedim(dims, list(range(-len(dims), 0)))
    shape = tuple(a.shape[other.ndim:])
    if prod(shape) != other.numel():
        raise RuntimeError(f"linalg.tensorsolve: expected A to satisfy the requirement prod({tuple(other.shape)}) == "
                           f"prod({shape}), the dimensions of A ({tuple(a.shape)}) behind those of B")
    n = prod(shape)
    x = solve(a.reshape(n, n), other.reshape(n))
    return give(x.reshape(shape), out, "linalg.tensorsolve")
