"""Products of matrices and vectors: every layout, type and shape against NumPy, with OpenBLAS and without."""
import itertools
import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minitorch
from minitorch._ext import matmul as engine
from minitorch._ext import threads as pool
from minitorch._ext.build import build_info
from minitorch.reference.matmul import matmul as reference

FLOATS = ["float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
EPS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


@pytest.fixture(params=["openblas", "own"])
def kernels(request):
    """Run a test with OpenBLAS and with our own kernels."""
    if request.param == "openblas" and not engine.blas_info()["available"]:
        pytest.skip("OpenBLAS is not here")
    engine._use_blas(request.param == "openblas")
    yield request.param
    engine._use_blas(True)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def values(rng, shape, dtype):
    if dtype in INTEGERS:
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    return rng.standard_normal(shape).astype(dtype)


def assert_product(found, a, b, init=None, beta=1, alpha=1):
    """Against NumPy: exactly for integers, within the bound of a sum in any order for floats."""
    dtype = a.dtype.name
    if dtype in INTEGERS:
        np.testing.assert_array_equal(found, reference(a, b, init, beta=beta, alpha=alpha))
        return
    wide = [None if x is None else x.astype(np.float64) for x in (a, b, init)]
    expected = reference(*wide, beta=beta, alpha=alpha)
    size = reference(*[None if x is None else abs(x) for x in wide], beta=abs(beta), alpha=abs(alpha))
    assert found.shape == expected.shape and found.dtype == a.dtype
    assert (abs(found - expected) <= (a.shape[-1] + 4) * EPS[dtype] * size).all()


def layout(rng, rows, cols, dtype, kind):
    """A matrix as a tensor that lies in memory in some way, and its values."""
    if kind == "contiguous":
        t = minitorch.from_numpy(values(rng, (rows, cols), dtype))
    elif kind == "transposed":
        t = minitorch.from_numpy(values(rng, (cols, rows), dtype)).t()
    elif kind == "padded":
        t = minitorch.from_numpy(values(rng, (rows, cols + 5), dtype))[:, 2:2 + cols]
    elif kind == "padded transposed":
        t = minitorch.from_numpy(values(rng, (cols + 1, rows + 3), dtype))[1:, :rows].t()
    elif kind == "steps":
        t = minitorch.from_numpy(values(rng, (2 * rows, 3 * cols), dtype))[::2, ::3]
    elif kind == "one row repeated":
        t = minitorch.from_numpy(values(rng, (1, cols), dtype)).expand(rows, cols)
    else:
        t = minitorch.from_numpy(values(rng, (rows, 1), dtype)).expand(rows, cols)
    return t, np.ascontiguousarray(t.numpy())


LAYOUTS = ["contiguous", "transposed", "padded", "padded transposed", "steps", "one row repeated",
           "one column repeated"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 8, 8), (3, 5, 7), (9, 11, 300), (1, 40, 30), (40, 1, 30),
                                   (33, 17, 65), (13, 2, 2), (101, 70, 300)], ids=str)
@pytest.mark.parametrize("dtype", [*FLOATS, "int32"])
def test_layouts(kernels, rng, dtype, shape):
    m, n, k = shape
    for left, right in itertools.product(LAYOUTS, repeat=2):
        (a, a_values), (b, b_values) = layout(rng, m, k, dtype, left), layout(rng, k, n, dtype, right)
        assert_product((a @ b).numpy(), a_values, b_values)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("shape", [(5, 6, 7), (100, 30, 520), (20, 1100, 3), (65, 129, 70)], ids=str)
def test_types_and_block_edges(kernels, rng, dtype, shape):
    m, n, k = shape
    a, b = values(rng, (m, k), dtype), values(rng, (k, n), dtype)
    assert_product((minitorch.from_numpy(a) @ minitorch.from_numpy(b)).numpy(), a, b)


BROADCASTS = [
    ((3,), (3,)), ((3,), (3, 2)), ((4, 3), (3,)), ((3,), (5, 3, 2)), ((5, 4, 3), (3,)), ((4, 3), (3, 2)),
    ((5, 4, 3), (3, 2)), ((4, 3), (5, 3, 2)), ((5, 4, 3), (5, 3, 2)), ((5, 4, 3), (1, 3, 2)), ((1, 4, 3), (5, 3, 2)),
    ((2, 5, 4, 3), (5, 3, 2)), ((2, 1, 4, 3), (5, 3, 2)), ((2, 1, 4, 3), (1, 5, 3, 2)), ((2, 5, 4, 3), (3, 2)),
    ((3,), (2, 5, 3, 2)), ((2, 5, 4, 3), (3,)), ((5, 1, 3), (3, 2)), ((5, 4, 1), (1, 2)), ((5, 4, 3), (5, 3, 1)),
    ((6, 2, 1, 4, 3), (2, 5, 3, 2)), ((1, 1, 1, 1, 2, 3), (3, 2)),
]
EMPTIES = [
    ((0,), (0,)), ((0, 3), (3, 2)), ((4, 3), (3, 0)), ((4, 0), (0, 2)), ((0, 4, 3), (3, 2)), ((5, 4, 0), (5, 0, 2)),
    ((0,), (0, 2)), ((4, 0), (0,)), ((0, 4, 3), (0, 3, 2)), ((1, 4, 3), (0, 3, 2)), ((0, 0), (0, 0)),
    ((2, 0, 4, 3), (1, 3, 2)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("shapes", BROADCASTS + EMPTIES, ids=str)
def test_broadcasting(kernels, rng, dtype, shapes):
    a, b = (values(rng, shape, dtype) for shape in shapes)
    for left, right in itertools.product(["plain", "permuted"], repeat=2):
        x, y = minitorch.from_numpy(a), minitorch.from_numpy(b)
        if left == "permuted":
            x = x.permute(*range(x.ndim)[::-1]).contiguous().permute(*range(x.ndim)[::-1])
        if right == "permuted":
            y = y.permute(*range(y.ndim)[::-1]).contiguous().permute(*range(y.ndim)[::-1])
        found = minitorch.matmul(x, y)
        assert tuple(found.shape) == np.matmul(a, b).shape
        assert_product(found.numpy(), a, b)


def test_expanded_batch(kernels, rng):
    """A batch made by expand is not copied, and each of its matrices is the same."""
    a, b = values(rng, (1, 40, 50), "float32"), values(rng, (6, 50, 30), "float32")
    x, y = minitorch.from_numpy(a).expand(6, 40, 50), minitorch.from_numpy(b)
    assert_product((x @ y).numpy(), np.broadcast_to(a, (6, 40, 50)), b)
    assert_product((y.mT @ x.mT).numpy(), np.swapaxes(b, 1, 2), np.swapaxes(np.broadcast_to(a, (6, 40, 50)), 1, 2))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("shapes", [((8, 8), (8, 8)), ((3, 200), (200, 5)), ((2, 4, 30), (30,)), ((4, 0), (0, 3))],
                         ids=str)
def test_half_types_round_once(kernels, rng, dtype, shapes):
    kind = getattr(minitorch, dtype)
    a, b = (minitorch.from_numpy(values(rng, shape, "float32")).to(kind) for shape in shapes)
    found = a @ b
    assert found.dtype is kind
    exact = a.double() @ b.double()
    size = (a.double().abs() @ b.double().abs()).numpy()
    slack = shapes[0][-1] * EPS["float32"] * size
    error = abs(found.double().numpy() - exact.numpy())
    assert (error <= EPS[dtype] * abs(exact.numpy()) * (1 + 1e-6) + slack + 2.0**-25).all()


def test_products_start_from_zero_not_from_garbage(kernels):
    """Memory that held NaN must not reach a product."""
    for shape_a, shape_b in [((9, 70), (70, 9)), ((70, 70), (70,)), ((70,), (70, 70)), ((70, 70), (70, 70)),
                             ((70, 0), (0, 70))]:
        result = minitorch.ones(*shape_a) @ minitorch.ones(*shape_b)
        result.fill_(float("nan"))
        del result
        again = minitorch.ones(*shape_a) @ minitorch.ones(*shape_b)
        assert (again == shape_a[-1]).all()


def test_not_finite(kernels):
    a = minitorch.tensor([[1.0, float("inf")], [float("nan"), 2.0]])
    found = (a @ minitorch.tensor([[1.0, 0.0], [1.0, 1.0]])).numpy()
    np.testing.assert_array_equal(found, [[np.inf, np.inf], [np.nan, np.nan]])
    assert np.isnan((a @ minitorch.zeros(2, 2)).numpy()).all()                    # inf * 0


def test_number_of_threads_does_not_matter(kernels, rng):
    before = pool.get_num_threads()
    try:
        for m, n, k in [(300, 200, 100), (1, 3000, 300), (3000, 1, 300), (64, 512, 512), (7, 9, 11)]:
            a, b = values(rng, (m, k), "float32"), values(rng, (k, n), "float32")
            found = []
            for threads in (1, 2, 3, 7):
                pool.set_num_threads(threads)
                found.append((minitorch.from_numpy(a) @ minitorch.from_numpy(b)).numpy().copy())
                assert_product(found[-1], a, b)
            if kernels == "own":
                assert all((f == found[0]).all() for f in found)
            pool.set_num_threads(3)
            batch = values(rng, (5, m, k), "float32")
            assert_product((minitorch.from_numpy(batch) @ minitorch.from_numpy(b)).numpy(), batch, b)
    finally:
        pool.set_num_threads(before)


# --- the other functions --------------------------------------------------------------------------------------------

def test_restricted_products(kernels, rng):
    a, b = values(rng, (4, 3), "float64"), values(rng, (3, 5), "float64")
    v = values(rng, 3, "float64")
    t = minitorch.from_numpy
    assert_product(minitorch.mm(t(a), t(b)).numpy(), a, b)
    assert_product(minitorch.mv(t(a), t(v)).numpy(), a, v)
    assert_product(minitorch.dot(t(v), t(v)).numpy(), v, v)
    assert_product(minitorch.vdot(t(v), t(v)).numpy(), v, v)
    assert_product(minitorch.bmm(t(np.stack([a, -a])), t(np.stack([b, b]))).numpy(), np.stack([a, -a]),
                   np.stack([b, b]))
    assert minitorch.dot(t(v), t(v)).shape == ()
    np.testing.assert_array_equal(minitorch.outer(t(v), t(b[0])).numpy(), np.outer(v, b[0]))
    np.testing.assert_array_equal(minitorch.ger(t(v), t(b[0])).numpy(), np.outer(v, b[0]))


def test_outer_promotes():
    found = minitorch.outer(minitorch.tensor([1, 2]), minitorch.tensor([0.5]))
    assert found.dtype is minitorch.float32
    assert found.tolist() == [[0.5], [1.0]]


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (3,)), ((3,), (4, 3)), ((2, 5, 3), (4, 3)), ((), (2, 3)),
                                    ((2, 3), ()), ((2, 0), (4, 0))], ids=str)
def test_inner(kernels, rng, shapes):
    a, b = (values(rng, shape, "float64") for shape in shapes)
    np.testing.assert_allclose(minitorch.inner(minitorch.from_numpy(np.asarray(a)),
                                               minitorch.from_numpy(np.asarray(b))).numpy(), np.inner(a, b), rtol=1e-13)


ADDED = [("addmm", (4, 3), (3, 5)), ("addmv", (4, 3), (3,)), ("baddbmm", (2, 4, 3), (2, 3, 5)),
         ("addbmm", (2, 4, 3), (2, 3, 5)), ("addr", (4,), (5,))]


def product_of(name, a, b):
    if name == "addr":
        return np.outer(a, b)
    return (a @ b).sum(0) if name == "addbmm" else a @ b


@pytest.mark.parametrize("beta, alpha", [(1, 1), (0.5, 1), (1, -2.5), (0, 3), (2, 0)])
@pytest.mark.parametrize("name, left, right", ADDED)
def test_added_products(kernels, rng, name, left, right, beta, alpha):
    a, b = values(rng, left, "float64"), values(rng, right, "float64")
    product = product_of(name, a, b)
    shapes = [product.shape, (), (1,) * product.ndim, product.shape[-1:]]
    if product.ndim > 1:
        shapes.append((*product.shape[:-1], 1))
    for shape in shapes:
        init = np.asarray(values(rng, shape, "float64"))
        found = getattr(minitorch, name)(*map(minitorch.from_numpy, (init, a, b)), beta=beta, alpha=alpha)
        np.testing.assert_allclose(found.numpy(), beta * init + alpha * product, rtol=1e-12, atol=1e-12)


def test_added_products_of_integers(rng):
    a, b, init = (values(rng, (5, 5), "int64") for _ in range(3))
    huge = 2**62 + 1                                                              # a double cannot hold it
    found = minitorch.addmm(*map(minitorch.from_numpy, (init, a, b)), alpha=huge, beta=-3)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found.numpy(), init * -3 + (a * huge) @ b)
    parts = minitorch.addmm(*map(minitorch.from_numpy, (init, a, b)), alpha=2.9, beta=-1.5)  # the integer parts
    np.testing.assert_array_equal(parts.numpy(), 2 * (a @ b) - init)
    with pytest.raises(TypeError, match="addmm: alpha must be a number, not str"):
        minitorch.addmm(*map(minitorch.from_numpy, (init, a, b)), alpha="2")


def test_beta_zero_does_not_read_the_input():
    nan = minitorch.full((2, 2), float("nan"))
    assert minitorch.addmm(nan, minitorch.eye(2), minitorch.eye(2), beta=0).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 7, 3), (0, 3), (2, 1, 5, 3), (200, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(kernels, rng, shape, bias):
    x, w, b = values(rng, shape, "float64"), values(rng, (4, 3), "float64"), values(rng, 4, "float64")
    t = minitorch.from_numpy
    found = engine.linear(t(x), t(w), t(b) if bias else None)
    np.testing.assert_allclose(found.numpy(), x @ w.T + (b if bias else 0), rtol=1e-12, atol=1e-12)


def test_linear_of_one_output_without_dimension(rng):
    x, w = values(rng, (7, 3), "float64"), values(rng, 3, "float64")
    t = minitorch.from_numpy
    np.testing.assert_allclose(engine.linear(t(x), t(w)).numpy(), x @ w, rtol=1e-13)
    two = minitorch.tensor(2.0, dtype=minitorch.float64)
    np.testing.assert_allclose(engine.linear(t(x), t(w), two).numpy(), x @ w + 2, rtol=1e-13)


# --- out= -----------------------------------------------------------------------------------------------------------

def test_out(kernels, rng):
    a, b = values(rng, (4, 3), "float32"), values(rng, (3, 5), "float32")
    x, y = minitorch.from_numpy(a), minitorch.from_numpy(b)
    for out in (minitorch.empty(4, 5), minitorch.empty(5, 4).t(), minitorch.empty(0), minitorch.empty(8, 10)[::2, ::2]):
        assert minitorch.mm(x, y, out=out) is out
        assert_product(out.numpy(), a, b)


def test_out_may_share_memory_with_the_operands(kernels, rng):
    a = values(rng, (20, 20), "float32")
    x = minitorch.from_numpy(a.copy())
    assert_product(minitorch.mm(x, x, out=x).numpy(), a, a)
    x = minitorch.from_numpy(a.copy())
    assert_product(minitorch.addmm(x, x, x, out=x).numpy(), a, a, a)


def test_out_is_checked():
    x = minitorch.ones(2, 2)
    with pytest.raises(RuntimeError, match=r"mm: out is float64 \(2, 2\), but the result is float32 \(2, 2\)"):
        minitorch.mm(x, x, out=minitorch.empty(2, 2, dtype=minitorch.float64))
    with pytest.raises(RuntimeError, match=r"mm: out is float32 \(3, 2\), but the result is float32 \(2, 2\)"):
        minitorch.mm(x, x, out=minitorch.empty(3, 2))
    with pytest.raises(RuntimeError, match="mm: out= does not support automatic differentiation"):
        minitorch.mm(x, minitorch.ones(2, 2, requires_grad=True), out=minitorch.empty(2, 2))
    with minitorch.no_grad():
        minitorch.mm(x, minitorch.ones(2, 2, requires_grad=True), out=minitorch.empty(2, 2))


# --- errors ---------------------------------------------------------------------------------------------------------

def ones(*shape, dtype="float32"):
    return minitorch.ones(*shape, dtype=getattr(minitorch, dtype))


@pytest.mark.parametrize("call, message", [
    (lambda: ones(2, 3) @ ones(2, 3), r"matmul: inner dimensions 3 and 2 differ: float32 \(2, 3\) and float32"),
    (lambda: ones(2, 3) @ ones(2), r"matmul: inner dimensions 3 and 2 differ"),
    (lambda: ones(3) @ ones(2), r"matmul: inner dimensions 3 and 2 differ"),
    (lambda: ones(5, 2, 3) @ ones(4, 3, 2), r"matmul: batch dimensions 5 and 4 do not broadcast"),
    (lambda: ones() @ ones(2), r"matmul: both operands need at least one dimension"),
    (lambda: ones(2, 2) @ ones(2, 2, dtype="float64"),
     r"same dtype, but they are float32 \(2, 2\) and float64 \(2, 2\)"),
    (lambda: ones(2, 2, dtype="bool") @ ones(2, 2, dtype="bool"), r"no product of bool tensors"),
    (lambda: minitorch.mm(ones(2), ones(2, 2)), r"mm: the first operand must be a matrix"),
    (lambda: minitorch.mm(ones(2, 2), ones(1, 2, 2)), r"mm: the second operand must be a matrix"),
    (lambda: minitorch.mv(ones(2, 2), ones(2, 2)), r"mv: the second operand must be a vector"),
    (lambda: minitorch.dot(ones(2), ones(3)), r"dot: inner dimensions 2 and 3 differ"),
    (lambda: minitorch.dot(ones(2, 2), ones(2)), r"dot: the first operand must be a vector"),
    (lambda: minitorch.bmm(ones(2, 2), ones(2, 2, 2)), r"bmm: the first operand must be a batch of matrices"),
    (lambda: minitorch.bmm(ones(2, 2, 2), ones(1, 2, 2)), r"bmm: batch sizes 2 and 1 differ"),
    (lambda: minitorch.outer(ones(2, 2), ones(2)), r"outer: the first operand must be a vector"),
    (lambda: minitorch.inner(ones(2, 2), ones(3)), r"inner: the last dimensions 2 and 3 differ"),
    (lambda: minitorch.addmm(ones(3), ones(2, 3), ones(3, 4)),
     r"addmm: the input, float32 \(3,\), cannot be expanded to the shape of the product, \(2, 4\)"),
    (lambda: minitorch.addmm(ones(1, 2, 4), ones(2, 3), ones(3, 4)), r"cannot be expanded"),
    (lambda: minitorch.addmm(ones(4, dtype="float64"), ones(2, 3), ones(3, 4)),
     r"addmm: the input, float64 \(4,\), must have the dtype of the operands"),
    (lambda: minitorch.addbmm(ones(4), ones(5, 2, 3), ones(5, 2, 4)), r"addbmm: inner dimensions 3 and 2 differ"),
    (lambda: engine.linear(ones(2, 3), ones(4, 5)),
     r"linear: the last dimension of the input, float32 \(2, 3\), must be the weight's in_features, 5"),
    (lambda: engine.linear(ones(2, 3), ones(1, 4, 3)), r"linear: the weight must be a matrix"),
    (lambda: engine.linear(ones(2, 3), ones(4, 3), ones(3)), r"linear: the input, float32 \(3,\), cannot be expanded"),
])
def test_refusals_name_the_operation_and_the_shapes(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


@pytest.mark.parametrize("wrong", [None, 2.0, [[1.0]], np.ones((2, 2), np.float32)])
def test_operands_must_be_tensors(wrong):
    with pytest.raises(TypeError):
        minitorch.matmul(ones(2, 2), wrong)
    with pytest.raises(TypeError):
        engine.linear(ones(2, 2), wrong)


def test_a_result_too_large_is_an_error():
    huge = ones(1, 1).expand(2**40, 1)
    with pytest.raises(RuntimeError, match="overflow"):
        huge @ huge.t()


# --- derivatives ----------------------------------------------------------------------------------------------------

def check_derivative(rng, f, *inputs, order=2):
    """f's gradient against central differences along a random direction, and then the gradient's own."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    weight = minitorch.from_numpy(np.asarray(rng.standard_normal(tuple(f(*inputs).shape))))
    along = [minitorch.from_numpy(np.asarray(rng.standard_normal(tuple(x.shape)))) for x in inputs]

    def loss(*xs):
        return (f(*xs) * weight).sum()

    def gradient(*xs):
        return minitorch.autograd.grad(loss(*xs), xs, create_graph=order > 1)

    step = 1e-6
    with minitorch.no_grad():
        up = loss(*[x + step * d for x, d in zip(inputs, along, strict=True)])
        down = loss(*[x - step * d for x, d in zip(inputs, along, strict=True)])
    numeric = (up - down).item() / (2 * step)
    found = gradient(*inputs)
    for x, g in zip(inputs, found, strict=True):
        assert g.shape == x.shape and g.dtype is x.dtype
    assert sum((g * d).sum().item() for g, d in zip(found, along, strict=True)) == pytest.approx(numeric, rel=1e-6,
                                                                                                abs=1e-6)
    if order > 1:
        def joined(*xs):
            parts = minitorch.autograd.grad(loss(*xs), xs, create_graph=True)
            return sum((g * d).sum() for g, d in zip(parts, along, strict=True))
        second_order(rng, joined, inputs)


def second_order(rng, scalar, inputs):
    inputs = [x.detach().requires_grad_() for x in inputs]
    along = [minitorch.from_numpy(np.asarray(rng.standard_normal(tuple(x.shape)))) for x in inputs]
    value = scalar(*inputs)
    if not value.requires_grad:                                                     # linear: the second one is zero
        return
    found = minitorch.autograd.grad(value, inputs, allow_unused=True)
    step = 1e-5
    up = scalar(*[(x + step * d).detach().requires_grad_() for x, d in zip(inputs, along, strict=True)])
    down = scalar(*[(x - step * d).detach().requires_grad_() for x, d in zip(inputs, along, strict=True)])
    numeric = (up - down).item() / (2 * step)
    exact = sum((g * d).sum().item() for g, d in zip(found, along, strict=True) if g is not None)
    assert exact == pytest.approx(numeric, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("shapes", [s for s in BROADCASTS if len(s[0]) < 6] + [((4, 0), (0, 2)), ((0, 3), (3, 2))],
                         ids=str)
def test_derivative_of_matmul(rng, shapes):
    a, b = (minitorch.from_numpy(values(rng, shape, "float64")) for shape in shapes)
    check_derivative(rng, minitorch.matmul, a, b)
    check_derivative(rng, lambda x: minitorch.matmul(x, b), a)
    check_derivative(rng, lambda y: minitorch.matmul(a, y), b)


def test_derivative_through_layouts(rng):
    a, b = (minitorch.from_numpy(values(rng, (4, 4), "float64")) for _ in range(2))
    check_derivative(rng, lambda x, y: x.t() @ y.t(), a, b)
    check_derivative(rng, lambda x, y: x[::2] @ y[:, 1:3], a, b)
    check_derivative(rng, lambda x: x @ x, a)
    check_derivative(rng, lambda x: x @ x.t() @ x, a)


@pytest.mark.parametrize("beta, alpha", [(1, 1), (0.5, -2.5), (0, 3)])
@pytest.mark.parametrize("name, left, right", ADDED)
def test_derivative_of_added_products(rng, name, left, right, beta, alpha):
    a, b = (minitorch.from_numpy(values(rng, shape, "float64")) for shape in (left, right))
    full = product_of(name, a.numpy(), b.numpy()).shape
    for shape in (full, full[-1:]):
        init = minitorch.from_numpy(values(rng, shape, "float64"))
        check_derivative(rng, lambda i, x, y: getattr(minitorch, name)(i, x, y, beta=beta, alpha=alpha), init, a, b)


@pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 7, 3)])
def test_derivative_of_linear(rng, shape):
    x, w, b = (minitorch.from_numpy(values(rng, s, "float64")) for s in (shape, (4, 3), (4,)))
    check_derivative(rng, engine.linear, x, w, b)
    check_derivative(rng, engine.linear, x, w)
    check_derivative(rng, lambda w, b: engine.linear(x, w, b), w, b)


@pytest.mark.parametrize("name", ["inner", "outer", "dot", "mv"])
def test_derivative_of_the_others(rng, name):
    shapes = {"inner": ((2, 5, 3), (4, 3)), "outer": ((3,), (4,)), "dot": ((3,), (3,)), "mv": ((4, 3), (3,))}[name]
    check_derivative(rng, getattr(minitorch, name), *(minitorch.from_numpy(values(rng, s, "float64")) for s in shapes))


def test_gradient_of_one_factor_keeps_only_the_other(rng):
    a = minitorch.ones(3, 3, requires_grad=True)
    b = minitorch.ones(3, 3)
    c = a @ b
    a.detach().mul_(2)                                                              # not needed for a's own gradient
    c.sum().backward()
    assert a.grad.tolist() == [[3.0] * 3] * 3
    c = a @ b
    b.mul_(2)
    with pytest.raises(RuntimeError, match=r"MmBackward0 saved a tensor, float32 \(3, 3\)"):
        c.sum().backward()


def test_names_of_the_derivatives():
    a, v = minitorch.ones(3, 3, requires_grad=True), minitorch.ones(3)
    assert (a @ a).grad_fn.name() == "MmBackward0"
    assert (a @ v).grad_fn.name() == "MvBackward0"
    assert minitorch.bmm(a.unsqueeze(0), a.unsqueeze(0)).grad_fn.name() == "BmmBackward0"
    assert minitorch.dot(a[0], v).grad_fn.name() == "DotBackward0"
    assert minitorch.addmm(v, a, a).grad_fn.name() == "AddmmBackward0"


# --- OpenBLAS and threads -------------------------------------------------------------------------------------------

needs_blas = pytest.mark.skipif(not engine.blas_info()["available"], reason="OpenBLAS is not here")


def run_python(code, **environment):
    return subprocess.run([sys.executable, "-W", "ignore", "-c", code], env={**os.environ, **environment}, check=True,
                          timeout=60, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("m, n, k", [(4, 16, 64), (13, 100, 257), (37, 45, 300), (385, 33, 600), (8, 32, 512)])
@pytest.mark.parametrize("kinds", [("contiguous", "contiguous"), ("transposed", "transposed"),
                                   ("contiguous", "transposed"), ("transposed", "contiguous")])
def test_float_products_over_the_edges_of_the_panels(m, n, k, kinds):
    rng = np.random.default_rng(m)
    (a, x), (b, y) = layout(rng, m, k, "float32", kinds[0]), layout(rng, k, n, "float32", kinds[1])
    assert_product((a @ b).numpy(), x, y)
    init = values(rng, (m, n), "float32")
    assert_product(minitorch.addmm(minitorch.tensor(init), a, b, alpha=2).numpy(), x, y, init, 1, 2)


def test_float_products_do_not_depend_on_the_number_of_threads():
    info = build_info()
    if info["blas"] and not (info["clones"] and "v4" in info["instruction_set"]):
        pytest.skip("these products are OpenBLAS's here, which promises nothing of the kind")
    threads = minitorch.get_num_threads()
    a, b = minitorch.randn(130, 270), minitorch.randn(270, 97)
    try:
        results = []
        for n in (1, 2, 3, 5):
            minitorch.set_num_threads(n)
            results.append((a @ b).numpy())
    finally:
        minitorch.set_num_threads(threads)
    assert all((r == results[0]).all() for r in results)


@needs_blas
def test_openblas_is_opened_at_first_use_and_starts_no_threads():
    code = ("import os, minitorch\n"
            "os.environ['OPENBLAS_NUM_THREADS'] = '5'\n"
            "minitorch.set_num_threads(1)\n"
            "loaded = lambda: 'minitorch/_lib' in open('/proc/self/maps').read()\n"
            "before, count = loaded(), len(os.listdir('/proc/self/task'))\n"
            "x = minitorch.ones(64, 64, dtype=minitorch.float64)\n"
            "y = x @ x\n"
            "assert (y == 64).all()\n"
            "import ctypes; getenv = ctypes.CDLL(None).getenv; getenv.restype = ctypes.c_char_p\n"
            "print(before, loaded(), len(os.listdir('/proc/self/task')) - count)\n"
            "print(getenv(b'OPENBLAS_NUM_THREADS').decode())\n")
    if not os.path.exists("/proc/self/maps"):
        pytest.skip("needs /proc")
    assert run_python(code) == ["False", "True", "0", "5"]


def test_openblas_can_be_switched_off():
    code = ("import minitorch\n"
            "from minitorch._ext import matmul\n"
            "x = minitorch.ones(64, 64, dtype=minitorch.float64)\n"
            "print((x @ x == 64).all().item(), matmul.blas_info()['available'])\n")
    assert run_python(code, MINITORCH_BLAS="0") == ["True", "False"]


def test_from_several_python_threads(kernels, rng):
    a, b = values(rng, (150, 150), "float32"), values(rng, (150, 150), "float32")
    failures = []

    def work():
        try:
            for _ in range(30):
                assert_product((minitorch.from_numpy(a) @ minitorch.from_numpy(b)).numpy(), a, b)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(60)
    assert not failures and not any(w.is_alive() for w in workers)


def multiply_in_child(queue):
    x = minitorch.ones(200, 200)
    queue.put(bool((x @ x == 200).all()))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_child_process(method):
    x = minitorch.ones(200, 200)
    assert (x @ x == 200).all()
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=multiply_in_child, args=(queue,), daemon=True)
    child.start()
    assert queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
