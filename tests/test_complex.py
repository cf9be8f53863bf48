"""Complex numbers: types, parts, arithmetic, reductions, printing, and gradients by PyTorch's convention."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from helpers import mt

RNG = np.random.default_rng(7)
KINDS = {"complex64": (np.complex64, 2e-5), "complex128": (np.complex128, 1e-12)}


def numbers(*shape: int, kind=np.complex128) -> np.ndarray:
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(kind)


def complex_gradient(f, z: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """d/dx + i d/dy of a real function of a complex array, by central differences."""
    grad = np.zeros_like(z)
    for index in np.ndindex(*z.shape):
        for unit in (1, 1j):
            up, down = z.copy(), z.copy()
            up[index] += step * unit
            down[index] -= step * unit
            grad[index] += unit * (f(up) - f(down)) / (2 * step)
    return grad


def check_gradients(function, *arrays: np.ndarray, second: bool = True) -> None:
    """Compare the gradients of a weighted sum of the function's parts with differences; then those of the gradients."""

    def weighted(result, seed=3):
        parts = mt.view_as_real(result) if result.is_complex() else result
        weights = np.random.default_rng(seed).standard_normal(tuple(parts.shape))
        return (parts * mt.from_numpy(weights)).sum()

    def first(tensors):
        return weighted(function(*tensors))

    def slope(tensors):
        return sum(
            (weighted(g, 5) for g in mt.autograd.grad(first(tensors), tensors, create_graph=True) if g.requires_grad),
            mt.zeros((), dtype=mt.float64),
        )

    for scalar in (first, slope) if second else (first,):
        tensors = [mt.tensor(a).requires_grad_() for a in arrays]
        value = scalar(tensors)
        if not value.requires_grad:
            continue
        got = mt.autograd.grad(value, tensors, allow_unused=True)
        for k, (array, g) in enumerate(zip(arrays, got)):

            def of(changed, k=k, scalar=scalar):
                inputs = [mt.tensor(changed if i == k else a).requires_grad_() for i, a in enumerate(arrays)]
                return scalar(inputs).item()

            if np.iscomplexobj(array):
                want = complex_gradient(of, array)
            else:
                want = complex_gradient(lambda z, of=of: of(z.real.copy()), array + 0j).real
            g = np.zeros_like(array) if g is None else g.numpy()
            assert g.dtype == array.dtype
            np.testing.assert_allclose(g, want, rtol=2e-5, atol=2e-6)


def test_types():
    z = mt.tensor([1 + 2j])
    assert z.dtype is mt.complex64 is mt.cfloat and z.is_complex() and not z.is_floating_point()
    assert mt.complex64.to_real() is mt.float32 and mt.float64.to_complex() is mt.complex128 is mt.cdouble
    assert mt.complex128.itemsize == 16 and mt.complex64.is_complex and mt.finfo(mt.complex64).eps == 2.0**-23
    assert mt.promote_types(mt.complex64, mt.float64) is mt.complex128
    assert mt.promote_types(mt.complex64, mt.int64) is mt.complex64
    assert mt.result_type(mt.ones(2, dtype=mt.float64), 1j) is mt.complex128
    assert mt.result_type(mt.ones(2), mt.tensor(1j, dtype=mt.complex128)) is mt.complex64
    assert mt.result_type(mt.ones(2, dtype=mt.int32), 1j) is mt.complex64
    assert not mt.can_cast(mt.complex64, mt.float64) and mt.can_cast(mt.float64, mt.complex64)
    assert (mt.ones(2) + 1j).dtype is mt.complex64 and (1j * mt.ones(2, dtype=mt.int64)).dtype is mt.complex64
    with pytest.raises(RuntimeError):
        mt.int64.to_complex()


@pytest.mark.parametrize("name", KINDS)
def test_numpy_and_conversions(name):
    array = numbers(3, 4, kind=KINDS[name][0])
    z = mt.from_numpy(array)
    assert z.dtype is getattr(mt, name) and np.array_equal(z.numpy(), array)
    assert np.array_equal(z.t().contiguous().numpy(), array.T)
    assert np.array_equal(z[1:, ::2].clone().numpy(), array[1:, ::2])
    assert z.tolist() == array.tolist() and z[1, 2].item() == array[1, 2].item()
    for other in ("float32", "float64", "int32", "float16", "bool", "uint8", "complex64", "complex128"):
        want = array.real.astype(other) if other[:4] not in ("bool", "comp") else array.astype(other)
        if other != "uint8":  # negative values in an unsigned type are undefined in C
            assert np.array_equal(z.to(getattr(mt, other)).numpy(), want), other
    for source in ("float32", "int16", "bool", "float16"):
        values = np.array([0, 1, 3]).astype(source)
        assert np.array_equal(mt.from_numpy(values).to(z.dtype).numpy(), values.astype(name))
    big = numbers(300, 200, kind=KINDS[name][0])
    assert np.array_equal(mt.from_numpy(big).t().contiguous().numpy(), big.T)
    assert (mt.full((50000,), 2j, dtype=z.dtype) == 2j).all() and (mt.zeros(50000, dtype=z.dtype) == 0).all()


def test_parts_are_views():
    z = mt.tensor([[1 + 2j, 3 + 4j]])
    assert z.real.tolist() == [[1, 3]] and z.imag.tolist() == [[2, 4]]
    z.real[0, 0], z.imag = 9, mt.tensor([[5.0, 6.0]])
    assert z.tolist() == [[9 + 5j, 3 + 6j]]
    mt.view_as_real(z)[..., 0] = 0
    assert z.tolist() == [[5j, 6j]]
    pairs = mt.tensor([[1.0, 2.0], [3.0, 4.0]])
    mt.view_as_complex(pairs)[0] = 7
    assert pairs.tolist() == [[7, 0], [3, 4]]
    assert mt.ones(2).real.tolist() == [1, 1]
    for refused in (lambda: mt.ones(2).imag, lambda: mt.view_as_real(mt.ones(2)),
                    lambda: mt.view_as_complex(mt.ones(3)),
                    lambda: mt.view_as_complex(mt.ones(4, 4)[:, 1:3].t())):  # fmt: skip
        with pytest.raises(RuntimeError):
            refused()


def test_changes_through_views_reach_the_gradient():
    def through_real(z):
        y = z * 1
        y.real.mul_(3)
        mt.view_as_real(y)[..., 1].add_(z.imag * z.imag)
        return y

    def seen_late(z):
        y = z * 1
        part = y.imag
        y.mul_(z)
        return part

    def through_complex(x):
        y = x * 1
        mt.view_as_complex(y).mul_(2j)
        return y

    check_gradients(through_real, numbers(3))
    check_gradients(seen_late, numbers(3))
    check_gradients(through_complex, RNG.standard_normal((3, 2)))


UNARY = ("exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sqrt rsqrt "
         "reciprocal square neg sigmoid sinc abs angle sgn conj conj_physical").split()  # fmt: skip
NUMPY = {
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "rsqrt": lambda z: 1 / np.sqrt(z), "neg": np.negative, "sgn": lambda z: z / abs(z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "conj_physical": np.conj,
    "sinc": lambda z: np.sin(math.pi * z) / (math.pi * z),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNARY)
def test_functions(name, kind):
    dtype, tolerance = KINDS[kind]
    array = numbers(5, 3, kind=dtype)
    want = NUMPY.get(name, getattr(np, name, None))(array.astype(np.complex128))
    function = getattr(mt, name)
    got = function(mt.from_numpy(array)).numpy()
    assert got.dtype == (array.real.dtype if name in ("abs", "angle") else dtype)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    strided = function(mt.from_numpy(array).t()[1:]).numpy()
    np.testing.assert_allclose(strided, want.T[1:], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [n for n in UNARY if n != "acosh"])
def test_function_gradients(name):
    check_gradients(getattr(mt, name), 0.4 * numbers(3) + 0.7 + 0.3j)


def test_arithmetic():
    a, b = numbers(2, 3), numbers(3)
    x = RNG.standard_normal((2, 1))
    for operator in ("__add__", "__sub__", "__mul__", "__truediv__", "__pow__"):
        for other in (b, x, 1 - 2j):
            got = getattr(mt.tensor(a), operator)(mt.tensor(other) if isinstance(other, np.ndarray) else other)
            np.testing.assert_allclose(got.numpy(), getattr(a, operator)(other), rtol=1e-12)
        check_gradients(lambda s, t, o=operator: getattr(s, o)(t), a, b)
        check_gradients(lambda s, t, o=operator: getattr(s, o)(t), a, np.abs(x))
    check_gradients(lambda s, t: t / s, a, x)
    check_gradients(lambda s: mt.add(s, s, alpha=2 - 1j) * (3 + 1j), a)
    check_gradients(lambda s, t: mt.addcmul(s, t, t, value=2j), a, b)
    check_gradients(lambda s, t: mt.where(mt.tensor([True, False, True]), s, t), a, b)
    check_gradients(lambda s, t: mt.complex(s, t), x, x + 1)
    check_gradients(lambda s, t: mt.polar(s, t), np.abs(x), x)
    z = mt.tensor(a)
    z *= 2j
    assert np.allclose(z.numpy(), a * 2j)
    with pytest.raises(RuntimeError):
        mt.ones(2).mul_(1j)


def test_comparison_and_refusals():
    z = mt.tensor([1 + 1j, 2, complex(math.nan, 0), complex(0, math.inf)])
    assert (z == mt.tensor([1 + 1j, 3, 0, 0])).tolist() == [True, False, False, False]
    assert (z != 2).tolist() == [True, False, True, True]
    assert z.isnan().tolist() == [False, False, True, False] and z.isinf().tolist() == [False, False, False, True]
    assert z.isfinite().tolist() == [True, True, False, False] and mt.isreal(z).tolist() == [False, True, True, False]
    for name in ("lt", "maximum", "atan2", "fmod", "floor_divide", "bitwise_and"):
        with pytest.raises(RuntimeError):
            getattr(mt, name)(z, z)
    for name in ("sign", "floor", "round", "erf", "relu", "max", "argmin", "amax", "sort", "topk", "median", "cummax"):
        if hasattr(mt, name):
            with pytest.raises((RuntimeError, TypeError)):
                getattr(mt, name)(z)
    with pytest.raises((RuntimeError, TypeError)):
        float(z[0] * 1j)
    with pytest.raises(RuntimeError):
        mt.full((2,), 1j, dtype=mt.float32)
    with pytest.raises(RuntimeError):
        (z.requires_grad_() * 1).sum().backward()


def test_reductions():
    a = numbers(4, 5)
    z = mt.tensor(a)
    for dim in (None, 0, 1):
        for name, want in (("sum", np.sum), ("mean", np.mean), ("prod", np.prod), ("var", np.var), ("std", np.std)):
            options = {"correction": 0} if name in ("var", "std") else {}
            got = getattr(z, name)(dim, **options) if dim is not None else getattr(z, name)(**options)
            np.testing.assert_allclose(got.numpy(), want(a, axis=dim), rtol=1e-12)
            check_gradients(lambda s, n=name, d=dim, o=options: getattr(s, n)(*[d] * (d is not None), **o), a[:3, :3])
    np.testing.assert_allclose(z.cumsum(1).numpy(), a.cumsum(1))
    np.testing.assert_allclose(z.cumprod(0).numpy(), a.cumprod(0))
    np.testing.assert_allclose(z.norm().numpy(), np.linalg.norm(a))
    check_gradients(lambda s: s.cumsum(0), a[:3, :2])
    check_gradients(lambda s: s.cumprod(0), a[:3, :2])
    check_gradients(lambda s: s.norm(dim=1), a[:3, :2])
    assert z.all() and z.any() and not mt.zeros(3, dtype=mt.cfloat).any()
    many = numbers(40000)
    np.testing.assert_allclose(mt.tensor(many).expand(3, 40000).sum().item(), 3 * many.sum(), rtol=1e-9)
    with_zero = a[:3, :2].copy()
    with_zero[1, 0] = 0
    check_gradients(lambda s: s.prod(0), with_zero)
    check_gradients(lambda s: s.cumprod(0), with_zero)


@pytest.mark.parametrize("kind", KINDS)
def test_products(kind):
    dtype, tolerance = KINDS[kind]
    for m, k, n in itertools.product((1, 3, 70), repeat=3):
        a, b = numbers(m, k, kind=dtype), numbers(k, n, kind=dtype)
        want = a.astype(np.complex128) @ b
        for left in (mt.tensor(a), mt.tensor(np.ascontiguousarray(a.T)).t()):
            np.testing.assert_allclose((left @ mt.tensor(b)).numpy(), want, rtol=50 * tolerance, atol=50 * tolerance)
    batch, vector = numbers(2, 3, 4, kind=dtype), numbers(4, kind=dtype)
    np.testing.assert_allclose((mt.tensor(batch) @ mt.tensor(vector)).numpy(), batch @ vector, rtol=100 * tolerance)
    got = mt.vdot(mt.tensor(vector), mt.tensor(vector))
    np.testing.assert_allclose(got.numpy(), np.vdot(vector, vector), rtol=tolerance * 9)


def test_product_gradients():
    a, b, c = numbers(2, 3), numbers(3, 2), numbers(2, 2)
    check_gradients(lambda s, t: s @ t, a, b)
    check_gradients(lambda s, t: s @ t, numbers(2, 2, 3), numbers(3))
    check_gradients(lambda r, s, t: mt.addmm(r, s, t, alpha=2j, beta=1 - 1j), c, a, b)
    check_gradients(lambda s, t: mt.nn.functional.linear(s, t), a, numbers(2, 3))
    check_gradients(lambda s: mt.vdot(s, s * s), numbers(3))


def test_indexing_and_joining():
    a = numbers(4, 3)
    z = mt.tensor(a)
    index = mt.tensor([2, 0, 2])
    assert np.array_equal(z[index].numpy(), a[[2, 0, 2]]) and np.array_equal(z[z.abs() > 1].numpy(), a[abs(a) > 1])
    assert np.array_equal(mt.cat((z, mt.ones(1, 3))).numpy(), np.concatenate((a, np.ones((1, 3)))))
    assert np.array_equal(mt.stack((z, z), -1).numpy(), np.stack((a, a), -1))
    check_gradients(lambda s: s[index] * s[1], a)
    check_gradients(lambda s: mt.cat((s, s.real)), a)
    check_gradients(lambda s: s.gather(0, mt.tensor([[0, 1, 0], [0, 2, 2]])), a)
    check_gradients(lambda s: s.masked_fill(mt.tensor([True, False, False]), 1j), a)
    check_gradients(lambda s: s.as_strided((3, 2), (1, 1)), a)


def test_compositions():
    a, b = numbers(3), numbers(3)
    check_gradients(lambda s, t: mt.lerp(s, t, 0.3 + 0.1j), a, b)
    check_gradients(mt.logaddexp, a, b)
    check_gradients(lambda s: mt.logsumexp(s, 0), a)
    got = mt.logaddexp(mt.tensor(a), mt.tensor(b))
    np.testing.assert_allclose(got.exp().numpy(), np.exp(a) + np.exp(b), rtol=1e-12)
    np.testing.assert_allclose(mt.logsumexp(mt.tensor(a), 0).exp().numpy(), np.exp(a).sum(), rtol=1e-12)
    np.testing.assert_allclose(mt.float_power(mt.tensor(a), 2.5).numpy(), a**2.5, rtol=1e-12)
    z = mt.tensor(a)
    assert np.allclose(z.lerp_(mt.tensor(b), 0.5).numpy(), (a + b) / 2)
    with pytest.raises(RuntimeError):
        z.abs_()


def test_printing():
    assert repr(mt.tensor([1 + 2j, -3.5 - 4j])) == "tensor([ 1.0000+2.j, -3.5000-4.j])"
    assert repr(mt.tensor(1j, dtype=mt.complex128)) == "tensor(0.+1.j, dtype=torch.complex128)"
    assert repr(mt.tensor([], dtype=mt.complex64)) == "tensor([], dtype=torch.complex64)"


def test_random():
    z = mt.randn(20000, dtype=mt.cfloat)
    assert abs(z.var().item() - 1) < 0.05 and abs(z.real.var().item() - 0.5) < 0.05
    assert mt.rand(5, dtype=mt.cdouble).dtype is mt.complex128


def test_covariances_and_estimated_gradients():
    z = numbers(3, 6)
    np.testing.assert_allclose(mt.cov(mt.tensor(z)).numpy(), np.cov(z), rtol=1e-12)
    np.testing.assert_allclose(mt.corrcoef(mt.tensor(z)).numpy(), np.corrcoef(z), rtol=1e-12)
    for ours, theirs in zip(mt.gradient(mt.tensor(z)), np.gradient(z)):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12)
