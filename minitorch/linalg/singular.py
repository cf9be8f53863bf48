"""Singular values, and what they tell: pseudo-inverses, ranks, condition numbers, least squares."""

from __future__ import annotations

from .. import return_types
from .._creation import eye
from .._ext.engine import empty
from .._tensor import Tensor
from ._common import (
    beneath,
    broadcast_batches,
    check_info,
    check_matrices,
    check_phase,
    check_same_dtype,
    differentiated,
    eps,
    give,
    give_all,
    mH,
    primitive,
    record_rule,
)
from .eigen import eigh, eigvalsh
from .solving import inv_ex, is_vector

__all__ = ["cond", "lstsq", "matrix_rank", "pinv", "svd", "svdvals"]

_gesdd, _gels = primitive("gesdd"), primitive("gels")
_REASON = ("The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
           "singular values (error code: {}).")


# --- the decomposition -----------------------------------------------------------------------------------------------


def _svd_rule(gradients, saved, needs):
    r"""A = U diag(s) V^H of r = min(m, n) singular values.

    dA = U (diag(ds) + sk(U^H dU) / E s + s sk(V^H dV) / E) V^H + (1 - U U^H) dU s^-1 V^H + U s^-1 dV^H (1 - V V^H),
    where sk(X) = X - X^H and E_ij = s_j^2 - s_i^2, and the diagonals of those quotients are 0; of complex matrices
    the phase of U is fixed with V's, which adds Im(U^H dU) / s on the diagonal.
    """
    (gu, gs, gvh), (u, s, vh) = gradients, saved
    m, n, r = u.shape[-2], vh.shape[-1], s.shape[-1]
    u, vh = u[..., :r], vh[..., :r, :]
    if gu is None and gvh is None:
        return ((u * gs.unsqueeze(-2)) @ vh,)
    diagonal = eye(r, dtype=s.dtype, device=s.device)
    row, column = s.unsqueeze(-2), s.unsqueeze(-1)
    gaps = (row - column) * (row + column) + diagonal
    middle = gs.unsqueeze(-1) * diagonal if gs is not None else 0
    if u.is_complex():  # u and v of a value turn together
        turn = 0 if gu is None else mH(u) @ gu[..., :r]
        check_phase("svd_backward", turn if gvh is None else turn + vh @ mH(gvh[..., :r, :]), "singular vectors")
    if gu is not None:
        gu = gu[..., :r]
        inner = mH(u) @ gu
        middle = middle + _skew(inner) * (1 - diagonal) / gaps * row
        if inner.is_complex():
            middle = middle + (_skew(inner) / 2) * diagonal / row
    if gvh is not None:
        gvh = gvh[..., :r, :]
        middle = middle + _skew(vh @ mH(gvh)) * (1 - diagonal) / gaps * column
    ga = u @ middle @ vh
    if gu is not None and m > r:
        rest = gu / row
        ga = ga + (rest - u @ (mH(u) @ rest)) @ vh
    if gvh is not None and n > r:
        rest = gvh / column
        ga = ga + u @ (rest - (rest @ mH(vh)) @ vh)
    return (ga,)


def _skew(a: Tensor) -> Tensor:
    return a - mH(a)


def _check_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(f"{name}: keyword argument `driver=` is only supported on CUDA inputs; leave it out")


def _decomposed(name: str, a: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    check_matrices(name, a)
    m, n = a.shape[-2:]
    if m == 0 or n == 0:  # LAPACK does nothing then: an orthogonal matrix is the identity
        u = eye(m, m if full else 0, dtype=a.dtype, device=a.device).expand(*a.shape[:-2], -1, -1).clone()
        vh = eye(n if full else 0, n, dtype=a.dtype, device=a.device).expand(*a.shape[:-2], -1, -1).clone()
        s = a.abs().sum((-2, -1))[..., None].expand(*a.shape[:-2], 0)
    else:
        u, s, vh, info = _gesdd(a, True, full)
        check_info(name, info, _REASON)
    record_rule("LinalgSvdBackward0", _svd_rule, (u, s, vh), (a,), (u, s, vh))
    return u, s, vh


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out=None) -> return_types.linalg_svd:
    r"""The singular value decomposition; singular values descend.

    .. math:: A = U \mathrm{diag}(s) V^H

    Args:
        full_matrices: U and V square; else only the columns that belong to a singular value.

    Shape:
        ``(*, m, n)`` gives ``(*, m, m)``, ``(*, k)`` and ``(*, n, n)``, or ``(*, m, k)``, ``(*, k)`` and ``(*, k, n)``,
        k = min(m, n).

    Derivatives of U and V are finite only where the singular values differ.

    >>> import minitorch
    >>> minitorch.linalg.svd(minitorch.tensor([[3., 0.], [0., -4.]])).S
    tensor([4., 3.])
    """
    _check_driver("linalg.svd", driver)
    return give_all(return_types.linalg_svd, _decomposed("linalg.svd", A, full_matrices), out, "linalg.svd")


def svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values, descending; see `svd`.

    >>> import minitorch
    >>> minitorch.linalg.svdvals(minitorch.tensor([[3., 0.], [0., -4.]]))
    tensor([4., 3.])
    """
    name = "linalg.svdvals"
    _check_driver(name, driver)
    if 0 in A.shape[-2:] or differentiated(A):
        return give(_decomposed(name, A, False)[1], out, name)
    check_matrices(name, A)
    _, s, _, info = _gesdd(A, False, False)
    check_info(name, info, _REASON)
    return give(s, out, name)


def svd_old(input: Tensor, some: bool = True, compute_uv: bool = True, *, out=None) -> return_types.svd:
    r"""`linalg.svd` by its old name and with V rather than its adjoint: :math:`A = U \mathrm{diag}(s) V^H`.

    >>> import minitorch
    >>> minitorch.svd(minitorch.ones(3, 2)).V.shape
    torch.Size([2, 2])
    """
    m, n = input.shape[-2:] if input.ndim > 1 else (0, 0)
    if compute_uv:
        u, s, vh = _decomposed("svd", input, not some)
        return give_all(return_types.svd, (u, s, mH(vh)), out, "svd")
    s = svdvals(input)
    batch = input.shape[:-2]
    return give_all(return_types.svd, (input.new_zeros(*batch, m, m), s, input.new_zeros(*batch, n, n)), out, "svd")


# --- how small is zero -----------------------------------------------------------------------------------------------


def _tolerance(name: str, a: Tensor, largest: Tensor, atol, rtol) -> Tensor:
    """max(atol, rtol * largest) for each matrix; rtol is a few rounding errors unless it or atol is given."""
    for bound in (atol, rtol):
        if isinstance(bound, Tensor) and bound.is_complex():
            raise RuntimeError(f"{name}: atol and rtol tensors of complex type are not supported")
    if rtol is None:
        default = eps(a) * max(a.shape[-2:])
        if isinstance(atol, Tensor):
            rtol = (atol <= 0).to(largest.dtype) * default
        else:
            rtol = 0.0 if atol is not None and atol > 0 else default
    relative = rtol * largest
    if atol is None:
        return relative
    if isinstance(atol, Tensor):
        return atol.maximum(relative) if atol.dtype == relative.dtype else atol.to(relative.dtype).maximum(relative)
    return relative.clamp(min=atol)


def pinv(input: Tensor, rcond=None, hermitian: bool = False, *, atol=None, rtol=None,
         out: Tensor | None = None) -> Tensor:
    r"""The pseudo-inverse: singular values below max(atol, rtol · the largest) count as zero.

    .. math:: A^+ = V \mathrm{diag}(1 / s) U^H

    Args:
        rcond: an older name of ``rtol``, whose default is max(m, n) rounding errors.
        hermitian: take A for symmetric (Hermitian), read the lower triangle, and use eigenvalues.

    Shape:
        ``(*, m, n)`` gives ``(*, n, m)``.

    >>> import minitorch
    >>> minitorch.linalg.pinv(minitorch.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    name = "linalg.pinv"
    check_matrices(name, input, square=hermitian)
    rtol = rcond if rcond is not None else rtol
    if input.numel() == 0:
        return give(input.mT.clone(), out, name)
    a = input.detach()
    if hermitian:
        s, u = eigh(a)
        size = s.abs()
        vh, largest = mH(u), size.amax(-1)
    else:
        u, s, vh = _decomposed(name, a, False)
        size, largest = s, s[..., 0]
    tolerance = _tolerance(name, a, largest, atol, rtol).unsqueeze(-1)
    kept = size > tolerance
    if kept.ndim > size.ndim:  # of several tolerances each has its inverse, and each a gradient
        input = input.expand(*kept.shape[:-1], *input.shape[-2:])
    inverse = s.masked_fill(~kept, 1).reciprocal().masked_fill(~kept, 0)
    p = (mH(vh) * inverse.unsqueeze(-2)) @ mH(u)
    record_rule("LinalgPinvBackward0", _pinv_rule, (p,), (input,), (input, p))
    return give(p, out, name)


def _pinv_rule(gradients, saved, needs):
    """P = A^+ at constant rank:  dA = -P^H dP P^H + (1 - A P) dP^H P P^H + P^H P dP^H (1 - P A)."""
    (g,), (a, p) = gradients, saved
    return (_pinv_gradient(g, a, p),)


def _pinv_gradient(g: Tensor, a: Tensor, p: Tensor) -> Tensor:
    gh, ph = mH(g), mH(p)
    left = gh @ p @ ph
    right = ph @ p @ gh
    return -(ph @ g @ ph) + (left - a @ (p @ left)) + (right - (right @ p) @ a)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` by its old name; singular values below ``rcond`` times the largest count as zero.

    >>> import minitorch
    >>> minitorch.pinverse(minitorch.tensor([[2.], [0.]]))
    tensor([[0.5000, 0.0000]])
    """
    return pinv(input, rcond)


def matrix_rank(input: Tensor, tol=None, hermitian: bool = False, *, atol=None, rtol=None,
                out: Tensor | None = None) -> Tensor:
    """How many singular values are above max(atol, rtol · the largest).

    Args:
        tol: an older name of ``atol``, with ``rtol`` 0.
        hermitian: take the matrices for symmetric (Hermitian), and use eigenvalues.

    >>> import minitorch
    >>> minitorch.linalg.matrix_rank(minitorch.ones(3, 3))
    tensor(1)
    """
    name = "linalg.matrix_rank"
    check_matrices(name, input, square=hermitian)
    a = input.detach()
    if tol is not None:
        atol, rtol = tol, 0.0
    if a.shape[-1] == 0 or a.shape[-2] == 0:
        from .._ext.engine import zeros

        return give(zeros(*a.shape[:-2], dtype=_int64(), device=a.device), out, name)
    size = eigvalsh(a).abs() if hermitian else svdvals(a)
    tolerance = _tolerance(name, a, size.amax(-1), atol, rtol)
    return give((size > tolerance.unsqueeze(-1)).sum(-1), out, name)


def _int64():
    from .._ext.dtype import ALL

    return ALL[5]


def cond(input: Tensor, p=None, *, out: Tensor | None = None) -> Tensor:
    r"""The condition number in a norm: how much equations magnify relative errors.

    .. math:: \kappa_p(A) = \|A\|_p \, \|A^{-1}\|_p

    Args:
        p: as ``ord`` of `matrix_norm`; None, 2 and -2 take singular values, and any shape.

    Returns:
        inf for singular matrices.

    >>> import minitorch
    >>> minitorch.linalg.cond(minitorch.tensor([[4., 0.], [0., 2.]]))
    tensor(2.)
    """
    name = "linalg.cond"
    check_matrices(name, input)
    if p is None or p in (2, -2):
        if 0 in input.shape[-2:]:
            raise RuntimeError(f"{name}: there is no condition number of an empty matrix, {tuple(input.shape)}")
        s = svdvals(input)
        return give(s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1], out, name)
    from .norms import matrix_norm

    if p not in ("fro", "nuc", 1, -1, float("inf"), float("-inf")):
        raise RuntimeError(f"{name}: Order {p} is not supported: use None, 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc'")
    check_matrices(name, input, square=True)
    if input.shape[-1] == 0:
        return give(matrix_norm(input, p) if p in ("fro", "nuc") else input.abs().sum((-2, -1)), out, name)
    inverse, info = inv_ex(input)
    number = matrix_norm(input, p) * matrix_norm(inverse, p)
    return give(number.masked_fill(info != 0, float("inf")) if bool((beneath(info) != 0).any()) else number, out, name)


# --- least squares ---------------------------------------------------------------------------------------------------


def _lstsq_rule(gradients, saved, needs):
    """X = A^+ B:  dB = A^+H dX,  dA by the derivative of the pseudo-inverse, for dP = dX B^H.

    Sums of squares of R = A X - B, where X makes them least:  dA = 2 R dr X^H,  dB = -2 R dr.
    """
    (g, g_residuals), (a, b) = gradients, saved
    p = pinv(a)
    ga = gb = None
    if g is not None:
        ga, gb = _pinv_gradient(g @ mH(b), a, p) if needs[0] else None, mH(p) @ g if needs[1] else None
    if g_residuals is not None and g_residuals.numel() and a.shape[-2] > a.shape[-1]:
        x = p @ b
        rest = 2 * (a @ x - b) * g_residuals.unsqueeze(-2)
        ga, gb = rest @ mH(x) + (0 if ga is None else ga), (0 if gb is None else gb) - rest
    return ga, gb


def lstsq(
    input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> return_types.linalg_lstsq:
    r"""Least squares: the X of least norm among those that make the residual least.

    .. math:: \min_X \|A X - B\|_F

    Args:
        rcond: singular values below this times the largest count as zero; max(m, n) rounding errors unless given.
        driver: ``"gelsy"`` (default: QR with column exchanges), ``"gels"`` (QR; A must have full rank), ``"gelsd"``
            or ``"gelss"`` (singular values).

    Returns:
        ``solution``; ``residuals``, sums of squares, empty unless m > n and the rank, if the driver finds it, is n;
        ``rank``, empty for gels; ``singular_values``, empty for gels and gelsy.

    >>> import minitorch
    >>> a, b = minitorch.tensor([[1., 0.], [1., 1.], [1., 2.]]), minitorch.tensor([[1.], [3.], [5.]])
    >>> minitorch.linalg.lstsq(a, b).solution.round(decimals=3)
    tensor([[1.],
            [2.]])
    """
    name = "torch.linalg.lstsq"
    check_matrices(name, input, what="input")
    if b.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension, but it is 0-d")
    check_same_dtype(name, input, b)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), not {driver!r}")
    driver = driver or "gelsy"
    vector = is_vector(input, b)
    if b.ndim not in (input.ndim, input.ndim - 1) and not vector:
        raise RuntimeError(f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - "
                           f"other.dim()) <= 1, but they are {input.ndim} and {b.ndim}")
    right = b.unsqueeze(-1) if vector else b
    if right.shape[-2] != input.shape[-2]:
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({-1 if vector else -2}), but they are "
                           f"{input.shape[-2]} and {right.shape[-2]}")
    a, right = broadcast_batches(name, input, right)
    (m, n), k = a.shape[-2:], right.shape[-1]
    bound = eps(a) * max(m, n) if rcond is None else float(rcond)
    if m == 0 or n == 0 or k == 0:
        x, residuals = a.new_zeros(*a.shape[:-2], n, k), a.new_zeros(*a.shape[:-2], k) if m > n else a.new_empty(0)
        residuals = residuals.abs()
        rank = a.new_zeros(0 if driver == "gels" else a.shape[:-2], dtype=_int64())
        s = residuals.new_zeros(*a.shape[:-2], min(m, n)) if driver in ("gelsd", "gelss") else residuals.new_empty(0)
    else:
        x, residuals, rank, s = _least_squares(name, a, right, driver, bound)
    record_rule("LinalgLstsqBackward0", _lstsq_rule, (x, residuals), (a, right), (a, right))
    if vector:
        x = x.squeeze(-1)
    return return_types.linalg_lstsq((x, residuals, rank, s))


def _least_squares(name: str, a: Tensor, b: Tensor, driver: str, bound: float):
    m, n = a.shape[-2:]
    work, s, rank, info = _gels(a, b, driver, bound)
    check_info(name, info, "The least squares solution could not be computed because the input matrix does not have "
               "full rank (error code: {}).")
    x, below = work[..., :n, :].contiguous(), work[..., n:m, :]
    residuals = a.new_empty(0).abs()
    if m > n and driver != "gelsy" and (rank is None or bool((beneath(rank) == n).all())):
        residuals = (below.abs() * below.abs()).sum(-2)
    rank = empty(0, dtype=_int64(), device=a.device) if rank is None else rank.to(_int64())
    return x, residuals, rank, residuals.new_empty(0) if s is None else s
