"""Linear algebra against NumPy, through LAPACK and through its NumPy twins; errors; derivatives of both orders."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, check_gradient, mt, only_here, refuses

LA = mt.linalg
RNG = np.random.default_rng(5)
SHAPES = [(3, 3), (4, 2), (2, 4), (1, 1), (2, 3, 3), (2, 1, 3, 2), (0, 3, 3), (0, 0), (3, 0), (0, 3)]
SQUARE = [(3, 3), (1, 1), (5, 5), (2, 3, 3), (2, 1, 2, 2), (0, 3, 3), (0, 0), (2, 0, 0)]


@pytest.fixture(params=["lapack", "twins"], autouse=True)
def library(request):
    """Run a test with OpenBLAS and without."""
    if request.param == "twins":
        engine = pytest.importorskip("minitorch._ext.matmul")
        engine._use_blas(False)
        yield request.param
        engine._use_blas(True)
    else:
        yield request.param


def draw(*shape: int, kind: str = "float64") -> np.ndarray:
    values = RNG.standard_normal(shape)
    return np.asarray(values + 1j * RNG.standard_normal(shape) if kind.startswith("complex") else values, kind)


def adjoint(a: np.ndarray) -> np.ndarray:
    return a.conj().swapaxes(-1, -2)


def positive(*shape: int, kind: str = "float64") -> np.ndarray:
    a = draw(*shape, kind=kind)
    return a @ adjoint(a) + np.eye(shape[-1], dtype=kind)


def near(t, expected, kind="float64") -> None:
    rtol = 1e-9 if kind in ("float64", "complex128") else 2e-4
    np.testing.assert_allclose(array(t), expected, rtol=rtol, atol=rtol)


@pytest.fixture(params=["float32", "float64", "complex64", "complex128"])
def kind(request) -> str:
    return request.param


@pytest.mark.parametrize("shape", SQUARE)
def test_cholesky(shape, kind) -> None:
    a = positive(*shape, kind=kind)
    low, up = LA.cholesky(mt.tensor(a)), LA.cholesky(mt.tensor(a), upper=True)
    near(low, np.linalg.cholesky(a), kind)
    near(up, adjoint(np.linalg.cholesky(a)), kind)
    b = draw(*shape[:-1], 2, kind=kind)
    near(mt.tensor(a) @ mt.cholesky_solve(mt.tensor(b), low), b, kind)
    near(mt.cholesky_inverse(up, upper=True), np.linalg.inv(a), kind)


@pytest.mark.parametrize("shape", SHAPES)
def test_qr(shape, kind) -> None:
    a = draw(*shape, kind=kind)
    for mode in ("reduced", "complete"):
        q, r = LA.qr(mt.tensor(a), mode)
        near(q @ r, a, kind)
        near(q.mH @ q, np.broadcast_to(np.eye(q.shape[-1]), (*shape[:-2], q.shape[-1], q.shape[-1])), kind)
        near(r, np.triu(array(r)), kind)
    near(LA.qr(mt.tensor(a), "r").R, array(LA.qr(mt.tensor(a)).R), kind)
    factors, tau = mt.geqrf(mt.tensor(a))
    if shape[-2] >= shape[-1]:
        near(LA.householder_product(factors, tau), array(LA.qr(mt.tensor(a)).Q), kind)
    full = LA.qr(mt.tensor(a), "complete").Q
    c = draw(*shape[:-2], shape[-2], 2, kind=kind)
    near(mt.ormqr(factors, tau, mt.tensor(c)), array(full) @ c, kind)
    near(mt.ormqr(factors, tau, mt.tensor(adjoint(c)), left=False, transpose=True), adjoint(array(full) @ c), kind)


@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape, kind) -> None:
    a = draw(*shape, kind=kind)
    p, low, up = LA.lu(mt.tensor(a))
    near(p @ low @ up, a, kind)
    near(low, np.tril(array(low), -1) + np.eye(*low.shape[-2:]), kind)
    factors, pivots, info = LA.lu_factor_ex(mt.tensor(a))
    assert pivots.dtype == info.dtype == mt.int32
    assert not array(info).any()
    if shape[-1] == shape[-2]:
        b = draw(*shape[:-1], 3, kind=kind)
        near(mt.tensor(a) @ LA.lu_solve(factors, pivots, mt.tensor(b)), b, kind)
        near(mt.tensor(adjoint(a)) @ LA.lu_solve(factors, pivots, mt.tensor(b), adjoint=True), b, kind)
        c = b.swapaxes(-1, -2)
        near(LA.lu_solve(factors, pivots, mt.tensor(c), left=False) @ mt.tensor(a), c, kind)


@pytest.mark.parametrize("shape", SQUARE)
def test_solve_and_inverse(shape, kind) -> None:
    a = draw(*shape, kind=kind) + 3 * np.eye(shape[-1], dtype=kind)
    b = draw(*shape[:-1], 2, kind=kind)
    near(LA.solve(mt.tensor(a), mt.tensor(b)), np.linalg.solve(a, b), kind)
    near(LA.solve(mt.tensor(a), mt.tensor(b[..., 0])), np.linalg.solve(a, b)[..., 0], kind)
    near(LA.solve(mt.tensor(a).mT, mt.tensor(b).mT, left=False), np.linalg.solve(a, b).swapaxes(-1, -2), kind)
    near(LA.inv(mt.tensor(a)), np.linalg.inv(a), kind)
    near(LA.det(mt.tensor(a)), np.linalg.det(a), kind)
    near(LA.slogdet(mt.tensor(a)).logabsdet, np.linalg.slogdet(a)[1], kind)
    near(LA.slogdet(mt.tensor(a)).sign, np.linalg.slogdet(a)[0], kind)
    near(LA.matrix_power(mt.tensor(a), -3), np.linalg.matrix_power(a, -3) if a.size else a, kind)


def test_solve_broadcasts() -> None:
    a, b = draw(3, 3) + 3 * np.eye(3), draw(4, 2, 3, 2)
    near(LA.solve(mt.tensor(a), mt.tensor(b)), np.linalg.solve(a, b))
    near(LA.solve_triangular(mt.tensor(a), mt.tensor(b), upper=True), np.linalg.solve(np.triu(a), b))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_solve_triangular(upper, unit, left, transposed) -> None:
    a, b = draw(2, 4, 4) + 4 * np.eye(4), draw(2, 4, 4)
    t = mt.tensor(a.swapaxes(-1, -2).copy()).mT if transposed else mt.tensor(a)
    triangle = np.triu(a) if upper else np.tril(a)
    if unit:
        triangle = triangle - triangle * np.eye(4) + np.eye(4)
    x = LA.solve_triangular(t, mt.tensor(b), upper=upper, left=left, unitriangular=unit)
    near(mt.tensor(triangle) @ x if left else x @ mt.tensor(triangle), b)


def test_many_right_hand_sides_are_shared_out() -> None:
    a, b = draw(80, 80) + 9 * np.eye(80), draw(80, 301)
    near(LA.solve(mt.tensor(a), mt.tensor(b)), np.linalg.solve(a, b))
    near(LA.solve_triangular(mt.tensor(a), mt.tensor(b), upper=False), np.linalg.solve(np.tril(a), b))


@pytest.mark.parametrize("hermitian", [False, True])
def test_ldl(hermitian) -> None:
    a, b = draw(3, 6, 6), draw(3, 6, 2)
    a = a + a.swapaxes(-1, -2)
    factors, pivots = LA.ldl_factor(mt.tensor(a), hermitian=hermitian)
    near(mt.tensor(a) @ LA.ldl_solve(factors, pivots, mt.tensor(b), hermitian=hermitian), b)


@pytest.mark.parametrize("shape", SQUARE)
def test_eigh(shape, kind) -> None:
    a = positive(*shape, kind=kind)
    w, v = LA.eigh(mt.tensor(a))
    near((v * w.unsqueeze(-2)) @ v.mH, a, kind)
    near(LA.eigvalsh(mt.tensor(np.triu(a)), UPLO="U"), np.linalg.eigvalsh(a), kind)


@pytest.mark.parametrize("shape", SQUARE)
def test_eig(shape, kind) -> None:
    a = draw(*shape, kind=kind)
    w, v = LA.eig(mt.tensor(a))
    assert w.dtype == v.dtype == (mt.complex128 if kind in ("float64", "complex128") else mt.complex64)
    near(mt.tensor(a).to(v.dtype) @ v, array(v * w.unsqueeze(-2)), kind)
    near(mt.linalg.vector_norm(v, dim=-2), np.ones(w.shape), kind)
    near(LA.eigvals(mt.tensor(a)).abs().sort(-1).values, np.sort(np.abs(np.linalg.eigvals(a)), -1), kind)
    for values in (w, LA.eigvals(mt.tensor(a).requires_grad_())):
        near(values.sum(-1), a.trace(axis1=-2, axis2=-1), kind)


def test_eig_refuses_what_is_not_finite() -> None:
    for bad in (np.nan, np.inf):
        with refuses(RuntimeError, "should not contain infs or NaNs"):
            LA.eigvals(mt.full((2, 2), bad))


def test_a_loss_that_depends_on_the_phase_of_vectors_is_refused() -> None:
    for vectors in (lambda a: LA.eig(a)[1], lambda a: LA.eigh(a)[1], lambda a: LA.svd(a)[0]):
        a = mt.tensor(draw(3, 3, kind="complex128")).requires_grad_()
        with refuses(RuntimeError, "phi"):
            vectors(a).sum().abs().backward()


@pytest.mark.parametrize("shape", SHAPES)
def test_svd(shape, kind) -> None:
    a = draw(*shape, kind=kind)
    u, s, vh = LA.svd(mt.tensor(a), full_matrices=False)
    near((u * s.unsqueeze(-2)) @ vh, a, kind)
    full = LA.svd(mt.tensor(a))
    assert tuple(full.U.shape) == (*shape[:-2], shape[-2], shape[-2])
    assert tuple(full.Vh.shape) == (*shape[:-2], shape[-1], shape[-1])
    near(full.U.mH @ full.U, np.broadcast_to(np.eye(shape[-2]), full.U.shape), kind)
    near(LA.svdvals(mt.tensor(a)), array(s), kind)
    if a.size:
        near(LA.pinv(mt.tensor(a)), np.linalg.pinv(a), kind)
        np.testing.assert_array_equal(array(LA.matrix_rank(mt.tensor(a))), np.linalg.matrix_rank(a))


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 3)])
def test_lstsq(driver, shape) -> None:
    a, b = draw(2, *shape), draw(2, shape[0], 2)
    x, residuals, rank, s = LA.lstsq(mt.tensor(a), mt.tensor(b), driver=driver)
    expected = np.linalg.pinv(a) @ b
    near(x, expected)
    if shape[0] > shape[1] and driver != "gelsy":
        near(residuals, ((a @ expected - b) ** 2).sum(-2))
    assert tuple(rank.shape) == ((0,) if driver == "gels" else (2,))
    if driver in ("gelsd", "gelss"):
        near(s, np.linalg.svd(a, compute_uv=False))


ORDERS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize("order", ORDERS)
def test_matrix_norms(order) -> None:
    a = draw(3, 4)
    near(LA.matrix_norm(mt.tensor(a), order), np.linalg.norm(a, order))
    near(LA.norm(mt.tensor(np.stack([a, a])), order, dim=(2, 1)), np.full(2, np.linalg.norm(a.T, order)))
    assert LA.matrix_norm(mt.tensor(a), order, keepdim=True).shape == (1, 1)
    square = draw(3, 3)
    near(LA.cond(mt.tensor(square), order), np.linalg.cond(square, order))


@pytest.mark.parametrize("order", [0, 1, 2, 3.5, np.inf, -np.inf, -1])
def test_vector_norms(order) -> None:
    a = draw(3, 4)
    near(LA.vector_norm(mt.tensor(a), order), np.linalg.norm(a.ravel(), order))
    near(LA.norm(mt.tensor(a), order, dim=1), np.linalg.norm(a, order, axis=1))


def test_matrix_exp() -> None:
    for scale in (0, 1e-6, 0.1, 1, 30):
        skew = draw(2, 4, 4)
        skew = scale * (skew - skew.swapaxes(-1, -2))
        w, v = np.linalg.eig(skew)
        near(LA.matrix_exp(mt.tensor(skew)), (v * np.exp(w)[:, None, :] @ np.linalg.inv(v)).real)
    assert np.isnan(array(LA.matrix_exp(mt.tensor(np.full((2, 2), np.nan))))).all()


def test_products() -> None:
    a, b, c = draw(2, 3), draw(3, 4), draw(4)
    near(LA.multi_dot([mt.tensor(a), mt.tensor(b), mt.tensor(c)]), a @ b @ c)
    x, y = draw(4, 3), draw(4, 3)
    near(LA.cross(mt.tensor(x), mt.tensor(y)), np.cross(x, y))
    near(LA.vecdot(mt.tensor(x), mt.tensor(y)), (x * y).sum(-1))
    near(mt.vander(mt.tensor(c), 3), np.vander(c, 3))
    t = draw(2, 3, 6)
    near(LA.tensorinv(mt.tensor(t), 2), np.linalg.tensorinv(t, 2))
    near(LA.tensorsolve(mt.tensor(t), mt.tensor(t[..., 0])), np.linalg.tensorsolve(t, t[..., 0]))
    assert mt.trace(mt.tensor([[1, 2], [3, 4]])).item() == 5


@pytest.mark.parametrize("layout", ["transposed", "strided", "expanded"])
def test_layouts(layout) -> None:
    a = positive(2, 3, 3)
    if layout == "transposed":
        t = mt.tensor(a.swapaxes(-1, -2).copy()).mT
    elif layout == "strided":
        t = mt.tensor(np.repeat(a, 2, -1))[..., ::2]
    else:
        a = np.broadcast_to(a[:1], a.shape)
        t = mt.tensor(a[:1].copy()).expand(2, 3, 3)
    near(LA.inv(t), np.linalg.inv(a))
    near(LA.cholesky(t), np.linalg.cholesky(a))
    near(LA.svdvals(t), np.linalg.svd(a, compute_uv=False))
    near(t, a)  # not overwritten


# --- errors ----------------------------------------------------------------------------------------------------------


def test_singular_matrices_are_named() -> None:
    a = np.stack([np.eye(2), np.zeros((2, 2))])
    with pytest.raises(LA.LinAlgError, match="Batch element 1"):
        LA.inv(mt.tensor(a))
    with pytest.raises(LA.LinAlgError, match="Batch element 1"):
        LA.solve(mt.tensor(a), mt.tensor(a))
    with pytest.raises(LA.LinAlgError, match="order 1"):
        LA.cholesky(mt.tensor(-np.eye(2)))
    assert array(LA.inv_ex(mt.tensor(a)).info).tolist() == [0, 1]
    assert issubclass(LA.LinAlgError, RuntimeError)
    assert LA.det(mt.tensor(a)).tolist() == [1, 0]
    assert np.isinf(LA.cond(mt.tensor(a[1]), 1).item())


def test_refusals() -> None:
    x = mt.ones(2, 3)
    for function in (LA.inv, LA.det, LA.cholesky, LA.eigh, LA.matrix_exp, LA.slogdet):
        with refuses(RuntimeError, "square"):
            function(x)
    for function in (LA.svd, LA.qr, LA.lu, LA.pinv):
        with refuses(RuntimeError, "at least 2"):
            function(mt.ones(3))
        with refuses(RuntimeError):
            function(mt.ones(3, 3, dtype=mt.int64))
    with refuses(RuntimeError, "(2, 2)", "(3, 1)"):
        LA.solve(mt.ones(2, 2), mt.ones(3, 1))
    with refuses(RuntimeError, "dtype"):
        LA.solve(mt.eye(2), mt.ones(2, 1, dtype=mt.float64))
    with refuses(RuntimeError, "pivot"):
        LA.lu_solve(mt.eye(2), mt.tensor([1, 7], dtype=mt.int32), mt.ones(2, 1))


@only_here
def test_primitives_refuse_what_lapack_would_read_beside() -> None:
    from minitorch._ext import lapack

    eye = mt.eye(3)
    for call in (
        lambda: lapack.getrs(eye, mt.tensor([1, 2, 9], dtype=mt.int32), eye, "N"),
        lambda: lapack.getrs(eye, mt.tensor([1, 2], dtype=mt.int32), eye, "N"),
        lambda: lapack.potrf(mt.ones(2, 3), False),
        lambda: lapack.trsm(eye, mt.ones(2, 2), True, False),
        lambda: lapack.orgqr(mt.ones(2, 3), mt.ones(2)),
        lambda: lapack.ormqr(eye, mt.ones(4), eye, True, False),
        lambda: lapack.gesdd(mt.ones(3), True, True),
        lambda: lapack.geev(mt.ones(3, 3, dtype=mt.int64), True),
        lambda: lapack.gels(eye, mt.ones(2, 2), "gelsd", 0.1),
    ):
        with pytest.raises(RuntimeError):
            call()


# --- derivatives -----------------------------------------------------------------------------------------------------

WELL = positive(2, 3, 3)
WIDE, TALL = draw(2, 2, 4), draw(2, 4, 2)


def _gauge_free(u, s, vh):
    """What does not depend on the signs of singular vectors."""
    return s, u * u, vh * vh


DIFFERENTIABLE = {
    "cholesky": (lambda a: LA.cholesky(a + a.mT), [WELL]),
    "cholesky upper": (lambda a: LA.cholesky(a + a.mT, upper=True), [WELL]),
    "inv": (LA.inv, [WELL]),
    "solve": (LA.solve, [WELL, draw(2, 3, 2)]),
    "solve right": (lambda a, b: LA.solve(a, b, left=False), [WELL, draw(2, 2, 3)]),
    "solve_triangular": (lambda a, b: LA.solve_triangular(a, b, upper=True), [WELL, draw(2, 3, 2)]),
    "unitriangular": (lambda a, b: LA.solve_triangular(a, b, upper=False, unitriangular=True), [WELL, draw(2, 3, 2)]),
    "det": (LA.det, [WELL]),
    "slogdet": (lambda a: LA.slogdet(a).logabsdet, [WELL]),
    "logdet": (mt.logdet, [WELL]),
    "qr tall": (lambda a: tuple(LA.qr(a)), [TALL]),
    "qr wide": (lambda a: tuple(LA.qr(a)), [WIDE]),
    "lu": (lambda a: tuple(LA.lu(a))[1:], [WELL]),
    "lu tall": (lambda a: tuple(LA.lu(a))[1:], [TALL]),
    "lu wide": (lambda a: tuple(LA.lu(a))[1:], [WIDE]),
    "lu_solve": (lambda a, b: LA.lu_solve(*LA.lu_factor(a), b), [WELL, draw(2, 3, 2)]),
    "eigh": (lambda a: (LA.eigh(a + a.mT).eigenvalues, LA.eigh(a + a.mT).eigenvectors ** 2), [WELL]),
    "svd tall": (lambda a: _gauge_free(*LA.svd(a, full_matrices=False)), [TALL]),
    "svd wide": (lambda a: _gauge_free(*LA.svd(a, full_matrices=False)), [WIDE]),
    "pinv": (LA.pinv, [TALL]),
    "lstsq": (lambda a, b: LA.lstsq(a, b).solution, [TALL, draw(2, 4, 2)]),
    "matrix_exp": (LA.matrix_exp, [draw(2, 3, 3)]),
    "nuclear norm": (lambda a: LA.matrix_norm(a, "nuc"), [TALL]),
    "householder_product": (LA.householder_product, [0.5 * TALL, draw(2, 2)]),
    "cross": (LA.cross, [draw(2, 3), draw(2, 3)]),
}


def _phase_free(u, s, vh):
    """What does not depend on the phases of singular vectors, in real numbers."""
    return s, u.abs(), vh.abs(), mt.view_as_real(u @ vh)


def _hermitian(a):
    return a @ a.mH + mt.eye(a.shape[-1])


POINT, POINTS = draw(3, 3, kind="complex128"), draw(3, 2, kind="complex128")
CTALL, CWIDE = draw(4, 3, kind="complex128"), draw(2, 3, kind="complex128")

COMPLEX = {
    "eig": (lambda a: (LA.eig(a)[0], LA.eig(a)[1].abs()), [POINT]),
    "eig of real": (lambda a: (LA.eig(a.real)[0], LA.eig(a.real)[1].abs()), [POINT]),
    "eigh": (lambda a: (LA.eigh(a + a.mH)[0], LA.eigh(a + a.mH)[1].abs()), [POINT]),
    "svd tall": (lambda a: _phase_free(*LA.svd(a, full_matrices=False)), [CTALL]),
    "svd wide": (lambda a: _phase_free(*LA.svd(a, full_matrices=False)), [CWIDE]),
    "cholesky": (lambda a: LA.cholesky(_hermitian(a)), [POINT]),
    "cholesky upper": (lambda a: LA.cholesky(_hermitian(a), upper=True), [POINT]),
    "cholesky_solve": (lambda a, b: mt.cholesky_solve(b, LA.cholesky(_hermitian(a))), [POINT, POINTS]),
    "qr tall": (lambda a: tuple(LA.qr(a)), [CTALL]),
    "qr wide": (lambda a: tuple(LA.qr(a)), [CWIDE]),
    "lu tall": (lambda a: tuple(LA.lu(a))[1:], [CTALL]),
    "lu wide": (lambda a: tuple(LA.lu(a))[1:], [CWIDE]),
    "lu_solve": (lambda a, b: LA.lu_solve(*LA.lu_factor(a), b, adjoint=True), [POINT, POINTS]),
    "det": (LA.det, [POINT]),
    "slogdet": (lambda a: tuple(LA.slogdet(a)), [POINT]),
    "inv": (LA.inv, [POINT]),
    "solve": (LA.solve, [POINT, POINTS]),
    "solve right": (lambda a, b: LA.solve(a, b, left=False), [POINT, CWIDE]),
    "solve_triangular": (lambda a, b: LA.solve_triangular(a, b, upper=True), [POINT, POINTS]),
    "pinv": (LA.pinv, [CTALL]),
    "pinv hermitian": (lambda a: LA.pinv(a + a.mH, hermitian=True), [POINT]),
    "lstsq": (lambda a, b: tuple(LA.lstsq(a, b, driver="gels")[:2]), [CTALL, draw(4, 2, kind="complex128")]),
    "matrix_exp": (LA.matrix_exp, [POINT]),
    "nuclear norm": (lambda a: LA.matrix_norm(a, "nuc"), [CTALL]),
    "householder_product": (LA.householder_product, [0.5 * CTALL, draw(3, kind="complex128")]),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_derivatives(name) -> None:
    """Of the parts of the results, by the parts of the inputs."""
    function, points = COMPLEX[name]

    def by_parts(*parts):
        results = function(*(mt.view_as_complex(part) for part in parts))
        results = results if isinstance(results, tuple) else (results,)
        return tuple(mt.view_as_real(t) if t.is_complex() else t for t in results)

    check_gradient(by_parts, *(np.stack([z.real, z.imag], -1) for z in points), rtol=1e-5, step=1e-4)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives(name) -> None:
    function, points = DIFFERENTIABLE[name]
    check_gradient(function, *points, rtol=1e-6)


def test_derivative_of_a_determinant_that_is_zero() -> None:
    for a in (np.diag([1.0, 2, 0]), np.diag([1.0, 0, 0]), np.ones((3, 3))):
        t = mt.tensor(a).requires_grad_(True)
        LA.det(t).backward()
        u, s, vh = np.linalg.svd(a)
        others = np.array([np.delete(s, k).prod() for k in range(3)])
        near(t.grad, np.linalg.det(u) * np.linalg.det(vh) * (u * others) @ vh)
