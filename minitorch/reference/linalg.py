"""LAPACK's routines in NumPy: what each primitive of the engine's ``lapack`` must compute, a matrix at a time.

Where OpenBLAS is absent these do the work of `minitorch.linalg`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _batched(*ranks: int) -> Callable:
    """A function of matrices (rank 2) and vectors (rank 1), for batches of them; None among its results stays None.

    An operand with one matrix serves for all, and what is beyond the operands are options.
    """

    def decorate(one: Callable) -> Callable:
        @functools.wraps(one)
        def many(*arguments):
            operands, options = arguments[: len(ranks)], arguments[len(ranks) :]
            batch = operands[-1].shape[: operands[-1].ndim - ranks[-1]]
            count = int(np.prod(batch))
            stacks = []
            for operand, rank in zip(operands, ranks):
                core = operand.shape[operand.ndim - rank :]
                own = int(np.prod(operand.shape[: operand.ndim - rank]))
                stacks.append(np.broadcast_to(operand.reshape(own, *core), (count, *core)))
            # of an empty batch, the shapes that an empty matrix of that size gives
            samples = zip(*stacks) if count else [[np.zeros(s.shape[1:], s.dtype) for s in stacks]]
            results = [one(*(np.array(x) for x in xs), *options) for xs in samples]
            if not isinstance(results[0], tuple):
                results = [(result,) for result in results]
            packed = tuple(
                None if column[0] is None
                else np.stack([np.asarray(c) for c in column])[:count].reshape((*batch, *np.shape(column[0])))
                for column in zip(*results)
            )
            return packed if len(packed) > 1 else packed[0]

        return many

    return decorate


@_batched(2)
def potrf(a: Array, upper: bool):
    """Row by row: l_jj = sqrt(a_jj - sum l_jk^2), l_ij = (a_ij - sum l_ik l_jk) / l_jj."""
    source = a.conj().T if upper else a
    low = np.zeros_like(a)
    info = np.int32(0)
    for j in range(len(a)):
        pivot = (source[j, j] - low[j, :j] @ low[j, :j].conj()).real
        if not pivot > 0:
            low[j:, j:] = np.tril(source[j:, j:])
            info = np.int32(j + 1)
            break
        low[j, j] = np.sqrt(pivot)
        low[j + 1 :, j] = (source[j + 1 :, j] - low[j + 1 :, :j] @ low[j, :j].conj()) / low[j, j]
    return low.conj().T.copy() if upper else low, info


@_batched(2)
def getrf(a: Array):
    """Gauss: bring the largest element of a column to the diagonal, subtract multiples of its row from those below."""
    m, n = a.shape
    pivots, info = np.zeros(min(m, n), np.int32), np.int32(0)
    for j in range(min(m, n)):
        p = j + int(np.argmax(np.abs(a[j:, j])))
        pivots[j] = p + 1
        if a[p, j] == 0:
            info = info or np.int32(j + 1)
            continue
        a[[j, p]] = a[[p, j]]
        a[j + 1 :, j] /= a[j, j]
        a[j + 1 :, j + 1 :] -= np.outer(a[j + 1 :, j], a[j, j + 1 :])
    return a, pivots, info


def _substitute(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    """Solve with a triangle, from its end."""
    x = b.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in reversed(range(len(a))) if upper else range(len(a)):
            known = slice(i + 1, None) if upper else slice(0, i)
            x[i] -= a[i, known] @ x[known]
            if not unit:
                x[i] /= a[i, i]
    return x


@_batched(2, 2)
def trsm(a: Array, b: Array, upper: bool, unit: bool):
    """A X = B for a triangle of A."""
    return _substitute(a, b, upper, unit)


def _order(pivots: Array) -> list[int]:
    """Where the exchanges of rows leave each."""
    order = list(range(len(pivots)))
    for j, p in enumerate(pivots):
        order[j], order[p - 1] = order[p - 1], order[j]
    return order


def getrs(factors: Array, pivots: Array, b: Array, trans: str):
    """A X = B, or with the transposed or adjoint A, by L and U."""
    if factors.ndim == 2:
        factors, pivots = factors[None], pivots[None]
    return _getrs(factors, pivots, b, trans)


@_batched(2, 1, 2)
def _getrs(factors: Array, pivots: Array, b: Array, trans: str):
    order = _order(pivots)
    if trans == "N":
        return _substitute(factors, _substitute(factors, b[order], False, True), True, False)
    adjoint = factors.T if trans == "T" else factors.conj().T
    x = np.empty_like(b)
    x[order] = _substitute(adjoint, _substitute(adjoint, b, False, False), True, True)
    return x


@_batched(2)
def sytrf(a: Array, hermitian: bool):
    """L D L^T by Bunch and Kaufman's pivots, from the lower triangle.

    Source: Bunch and Kaufman, Math. Comp. 31 (1977); Golub and Van Loan, *Matrix Computations*, section 4.4.
    """
    n, pivots, info = len(a), np.zeros(len(a), np.int32), np.int32(0)
    a = np.tril(a)
    alpha, k = (1 + np.sqrt(17)) / 8, 0

    def adjoint(x: Array) -> Array:
        return x.conj() if hermitian else x

    while k < n:
        below = np.abs(a[k + 1 :, k])
        r = k + 1 + int(np.argmax(below)) if below.size else k
        size, largest = abs(a[k, k]), below.max(initial=0)
        step, p = 1, k
        if max(size, largest) == 0:
            info = info or np.int32(k + 1)
            pivots[k] = k + 1
            k += 1
            continue
        if size < alpha * largest:
            other = max(np.abs(a[r, k:r]).max(initial=0), np.abs(a[r + 1 :, r]).max(initial=0))
            if size * other < alpha * largest**2:
                step, p = (1, r) if abs(a[r, r]) >= alpha * other else (2, r)
        q = k + step - 1
        if p != q:  # exchange rows and columns q and p of what is left
            whole = a + adjoint(np.tril(a, -1)).T
            whole[[q, p], k:] = whole[[p, q], k:]
            whole[k:, [q, p]] = whole[k:, [p, q]]
            a[k:, k:] = np.tril(whole[k:, k:])
        block = a[k : k + step, k : k + step]
        block = block + adjoint(np.tril(block, -1)).T
        rows = a[k + step :, k : k + step]
        multipliers = rows @ np.linalg.inv(block)
        a[k + step :, k + step :] -= np.tril(multipliers @ block @ adjoint(multipliers).T)
        a[k + step :, k : k + step] = multipliers
        pivots[k : k + step] = p + 1 if step == 1 else -(p + 1)
        k += step
    return a, pivots, info


@_batched(2, 1, 2)
def sytrs(factors: Array, pivots: Array, b: Array, hermitian: bool):
    """A X = B, by the factors of `sytrf`: exchanges, L, D, L^T."""
    n, x, blocks, k = len(factors), b.copy(), [], 0
    while k < n:
        step = 1 if pivots[k] > 0 else 2
        blocks.append((k, step, k + step - 1, abs(int(pivots[k])) - 1))
        k += step
    for k, step, q, p in blocks:
        x[[q, p]] = x[[p, q]]
        x[k + step :] -= factors[k + step :, k : k + step] @ x[k : k + step]
    for k, step, _, _ in blocks:
        low = np.tril(factors[k : k + step, k : k + step])
        high = np.tril(low, -1)
        block = low + (high.conj() if hermitian else high).T
        x[k : k + step] = np.linalg.solve(block, x[k : k + step])
    for k, step, q, p in reversed(blocks):
        multipliers = factors[k + step :, k : k + step]
        x[k : k + step] -= (multipliers.conj() if hermitian else multipliers).T @ x[k + step :]
        x[[q, p]] = x[[p, q]]
    return x


@_batched(2)
def geqrf(a: Array):
    """Householder reflections that leave R, their vectors below it."""
    if 0 in a.shape:
        return a, np.zeros(min(a.shape), a.dtype)
    factors, tau = np.linalg.qr(a, mode="raw")
    return np.ascontiguousarray(factors.T), tau


def _reflect(a: Array, tau: Array, c: Array, adjoint: bool) -> Array:
    """The product of the reflections 1 - tau v v^H, or its adjoint, times C."""
    for k in range(len(tau)) if adjoint else reversed(range(len(tau))):
        v = np.concatenate([np.zeros(k, a.dtype), np.ones(1, a.dtype), a[k + 1 :, k]])
        c = c - (tau[k].conj() if adjoint else tau[k]) * np.outer(v, v.conj() @ c)
    return c


@_batched(2, 1)
def orgqr(a: Array, tau: Array):
    """The first columns of the product of reflections."""
    return _reflect(a, tau, np.eye(*a.shape, dtype=a.dtype), False)


def ormqr(a: Array, tau: Array, c: Array, left: bool, adjoint: bool):
    """The product of reflections, or its adjoint, times C, or C times it."""
    return _ormqr(a, tau, c, left, adjoint)


@_batched(2, 1, 2)
def _ormqr(a: Array, tau: Array, c: Array, left: bool, adjoint: bool):
    if left:
        return _reflect(a, tau, c, adjoint)
    return _reflect(a, tau, c.conj().T, not adjoint).conj().T


@_batched(2)
def syevd(a: Array, vectors: bool, upper: bool):
    """Eigenvalues and eigenvectors from a triangle."""
    w, v = np.linalg.eigh(a, "U" if upper else "L")
    return w, v if vectors else None, np.int32(0)


@_batched(2)
def gesdd(a: Array, vectors: bool, full: bool):
    """Singular values and vectors."""
    if not vectors:
        return None, np.linalg.svd(a, compute_uv=False), None, np.int32(0)
    return *np.linalg.svd(a, full_matrices=full), np.int32(0)


@_batched(2)
def geev(a: Array, vectors: bool):
    """Eigenvalues and right eigenvectors; of real matrices, real and imaginary parts apart (see the engine's)."""
    bad = not np.isfinite(a).all()
    w, v = np.linalg.eig(np.zeros_like(a) if bad else a)
    info = np.int32(-1 if bad else 0)
    if a.dtype.kind == "c":
        return w, v if vectors else None, info
    packed = np.where(w.imag[None, :] < 0, -v.imag, v.real).astype(a.dtype)
    return np.stack([w.real, w.imag]).astype(a.dtype), packed if vectors else None, info


@_batched(2, 2)
def gels(a: Array, b: Array, driver: str, rcond: float):
    """Least squares; below the solution rows whose squares add up to the residuals' (all in one of them)."""
    x, _, rank, s = np.linalg.lstsq(a, b, rcond=rcond)
    m, n = a.shape
    work = np.zeros((max(m, n), b.shape[1]), b.dtype)
    work[:n] = x
    if m > n:
        work[n] = np.linalg.norm(a @ x - b, axis=0)
    short = driver == "gels" and rank < min(m, n)
    return (work, None if driver in ("gels", "gelsy") else s, None if driver == "gels" else np.int32(rank),
            np.int32(1 if short else 0))
