"""First and second derivatives of every differentiable pointwise operation, by random projection."""

from __future__ import annotations

import itertools
import operator
from functools import partial

import numpy as np
import pytest
from engine.specs import SPECS, Spec
from helpers import ORACLE, array, assert_near, check_gradient, layouts, mt, tensor

SMOOTH = [s for s in SPECS if s.smooth is not None and s.name not in ("clamp", "fmod", "remainder", "copysign")]
STEEP = (
    "acos",
    "acosh",
    "addcdiv",
    "asin",
    "atanh",
    "digamma",
    "div",
    "erfinv",
    "float_power",
    "lgamma",
    "log",
    "log10",
    "log2",
    "logit",
    "pow",
    "reciprocal",
    "rsqrt",
    "true_divide",
    "xlog1py",
    "xlogy",
)  # near the ends of their domains
RTOL = {"erfinv": 1e-6, "tan": 1e-7, "lgamma": 1e-6, "digamma": 1e-6, "logit": 1e-6}


def operation(spec: Spec):
    f = operator.attrgetter(f"{spec.module}.{spec.name}" if spec.module else spec.name)(mt)
    return lambda *xs: f(*xs, *spec.arguments)


def points(spec: Spec, n: int = 6) -> list[np.ndarray]:
    """Different values for each operand, so that no two are equal or cancel."""
    x = np.asarray(spec.smooth)
    return (
        [np.roll(x, 3 * k)[: 2 * n].reshape(2, -1) * (1 + 0.07 * k) for k in range(spec.arity)]
        if spec.name not in ("asin", "acos", "atanh", "erfinv")
        else [x.reshape(2, -1)]
    )


@pytest.mark.parametrize("spec", SMOOTH, ids=lambda s: s.name)
def test_gradients(spec: Spec) -> None:
    order = 1 if ORACLE and spec.name == "hardsigmoid" else 2  # PyTorch stops there
    check_gradient(
        operation(spec),
        *points(spec),
        order=order,
        step=1e-4 if spec.name in STEEP else 1e-3,
        rtol=RTOL.get(spec.name, 3e-8),
    )


@pytest.mark.parametrize("spec", [s for s in SMOOTH if s.arity == 1], ids=lambda s: s.name)
def test_gradients_through_strides(spec: Spec) -> None:
    """Of a strided operand, with an expanded gradient coming in: as of a contiguous one."""
    x = points(spec)[0]
    f = operation(spec)
    plain = tensor(x).requires_grad_(True)
    f(plain).sum().backward()
    for layout, t in layouts(x):
        t = t.detach().requires_grad_(True)
        f(t).sum().backward()
        assert_near(t.grad, array(plain.grad), 1e-13, note=layout)
        leaf = t.detach().clone().requires_grad_(True)
        f(leaf.t()).backward(mt.ones(1, 1, dtype=mt.float64).expand(*leaf.t().shape))
        assert_near(leaf.grad, array(plain.grad), 1e-13, note=layout)


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("spec", SMOOTH, ids=lambda s: s.name)
def test_gradients_in_other_dtypes(spec: Spec, name: str) -> None:
    """Agree with float64's to the dtype's precision."""
    if ORACLE and (spec.name, name) == ("sinc", "bfloat16"):
        pytest.skip("PyTorch cancels near 0")
    xs = points(spec)
    f = operation(spec)
    wide = [tensor(array(tensor(x, name)).astype("f8")).requires_grad_(True) for x in xs]
    narrow = [tensor(x, name).requires_grad_(True) for x in xs]
    f(*wide).sum().backward()
    f(*narrow).sum().backward()
    for a, b in zip(narrow, wide):
        assert a.grad.dtype == a.dtype and a.grad.shape == a.shape
        assert_near(
            array(a.grad).astype("f8"), array(b.grad), {"float32": 1e-5, "float16": 2e-2, "bfloat16": 8e-2}[name]
        )


SHAPES = [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (4, 1, 1), (4, 1, 3), (4, 2, 3)]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "atan2", "logaddexp"])
def test_broadcasting(name: str) -> None:
    """Every pair of shapes that broadcast: each gradient is summed to its operand's shape."""
    rng = np.random.default_rng(0)
    for a, b in itertools.product(SHAPES, SHAPES):
        x, y = rng.uniform(0.5, 2, a), rng.uniform(2.1, 3, b)
        if name == "maximum":
            y = np.where(rng.integers(0, 2, b), y, y - 1.9)
        check_gradient(getattr(mt, name), x, y, order=2 if len(a) + len(b) < 4 else 1)


def test_broadcasting_of_three() -> None:
    rng = np.random.default_rng(1)
    triples = [((2, 3), (3,), (2, 1)), ((), (2, 3), (1, 3)), ((4, 1, 1), (2, 1), (3,))]
    for shapes in triples:
        xs = [rng.uniform(0.5, 2, s) for s in shapes]
        for f in (mt.addcmul, mt.addcdiv, mt.lerp):
            check_gradient(f, *xs)
        condition = mt.tensor(rng.integers(0, 2, np.broadcast_shapes(*shapes)).astype(bool))
        check_gradient(partial(mt.where, condition), *xs[:2])


def test_sizes_of_zero_and_one() -> None:
    for shape in ((0,), (2, 0), (1, 1)):
        x = mt.ones(shape, dtype=mt.float64).requires_grad_(True)
        (x * mt.ones(1, dtype=mt.float64) + x.exp()).sum().backward()
        assert x.grad.shape == shape
    scale = mt.ones(1).requires_grad_(True)
    (mt.ones(0, 3) * scale).sum().backward()
    assert scale.grad.tolist() == [0.0]


def test_numbers_as_operands() -> None:
    x = np.array([0.5, 1.5, 2.5])
    for f in (
        lambda x: x + 2,
        lambda x: 3 - x,
        lambda x: x * 2.5,
        lambda x: 2 / x,
        lambda x: x / 4,
        lambda x: x**3,
        lambda x: x**-1.5,
        lambda x: 2**x,
        lambda x: x**2,
        lambda x: x**0.5,
        lambda x: x**0,
        lambda x: x**1,
        lambda x: x % 0.7,
        lambda x: mt.fmod(x, 0.7),
        lambda x: -x,
        lambda x: abs(x - 1),
        lambda x: mt.where(x > 1, x, 0.0),
        lambda x: x.clamp(1, 2),
        lambda x: x.clamp(min=1),
        lambda x: x.clamp(max=1),
        lambda x: x.clip(1, 2),
        lambda x: mt.add(x, x, alpha=3),
        lambda x: mt.sub(x, x * x, alpha=3),
        lambda x: mt.lerp(x, x * x, 0.3),
        lambda x: mt.lerp(x, x * x, 0.8),
        lambda x: x.addcmul(x, x, value=0.5),
        lambda x: x.addcdiv(x * x, x, value=0.5),
        lambda x: mt.xlogy(x, 2.0),
        lambda x: mt.copysign(x, -1.0),
        lambda x: mt.nn.functional.gelu(x, approximate="tanh"),
        lambda x: mt.nn.functional.leaky_relu(x - 1, 0.2),
        lambda x: mt.nn.functional.elu(x - 1, 0.7),
        lambda x: mt.nn.functional.celu(x - 1, 0.7),
        lambda x: mt.nn.functional.softplus(x, 2.0, 4.0),
        lambda x: mt.nn.functional.hardtanh(x, 0.7, 2.0),
        lambda x: x.to(mt.float64) * 2,
        lambda x: x.clone(),
        lambda x: x.masked_fill(x > 1, 7.0),
    ):
        check_gradient(f, x)


def test_clamp_by_tensors() -> None:
    x, low, high = np.array([0.1, 1.0, 3.0, 2.0]), np.array([0.5, 0.6, 0.7, 2.5]), np.array([2.0, 2.1, 2.2, 2.3])
    check_gradient(mt.clamp, x, low, high)
    check_gradient(lambda x, low: mt.clamp(x, min=low), x, low)
    check_gradient(lambda x, high: mt.clamp(x, max=high), x, high)


def test_remainders() -> None:
    x, y = np.array([5.3, -5.3, 5.3, -5.3]), np.array([2.1, 2.1, -2.1, -2.1])
    check_gradient(mt.remainder, x, y)
    check_gradient(mt.fmod, x, y)
    check_gradient(lambda x: mt.copysign(x, tensor([1.0, -1.0, -1.0, 1.0])), x)


KINKS = {  # at the kink: PyTorch's choice
    "abs": (0.0, 0.0),
    "relu": (0.0, 0.0),
    "relu6": (6.0, 0.0),
    "leaky_relu": (0.0, 0.01),
    "elu": (0.0, 1.0),
    "hardtanh": (1.0, 0.0),
    "sign": (0.5, 0.0),
    "floor": (0.5, 0.0),
    "ceil": (0.5, 0.0),
    "round": (0.3, 0.0),
    "trunc": (0.3, 0.0),
    "sqrt": (0.0, np.inf),
    "square": (0.0, 0.0),
    "log": (0.0, np.inf),
    "softshrink": (0.5, 0.0),
    "hardshrink": (0.5, 0.0),
    "sinc": (0.0, 0.0),
    "frac": (0.5, 1.0),
    "hardsigmoid": (3.0, 0.0),
    "hardswish": (0.0, 0.5),
}


@pytest.mark.parametrize("name", sorted(KINKS))
def test_where_there_is_no_derivative(name: str) -> None:
    at, slope = KINKS[name]
    spec = next(s for s in SPECS if s.name == name)
    x = mt.tensor([at, at]).requires_grad_(True)
    operation(spec)(x).sum().backward()
    np.testing.assert_allclose(array(x.grad), slope, rtol=1e-6)


def test_ties_share_the_gradient() -> None:
    x, y = (mt.tensor([1.0, 2.0]).requires_grad_(True) for _ in range(2))
    mt.maximum(x, y).sum().backward()
    assert x.grad.tolist() == [0.5, 0.5] and y.grad.tolist() == [0.5, 0.5]
    z = mt.tensor([1.0, 2.0]).requires_grad_(True)
    z.clamp(1, 2).sum().backward()
    assert z.grad.tolist() == [1.0, 1.0]


def test_pow_at_zero() -> None:
    """x ** 0 has slope 0 at 0, x ** 1 has 1, x ** 2 has 0; and 0 ** y has slope 0 in y."""
    for exponent, slope in ((0, 0.0), (1, 1.0), (2, 0.0), (0.0, 0.0), (3.0, 0.0)):
        x = mt.tensor([0.0]).requires_grad_(True)
        (x**exponent).sum().backward()
        assert x.grad.tolist() == [slope], exponent
        x = mt.tensor([0.0]).requires_grad_(True)
        y = mt.tensor([float(exponent)]).requires_grad_(True)
        (x**y).sum().backward()
        assert x.grad.tolist() == [slope] and (y.grad.tolist() == [0.0] or exponent == 0), exponent


def test_where_passes_no_nan() -> None:
    """The branch that is not taken gets 0, not NaN, where its own derivative is finite."""
    x = mt.tensor([0.0, 2.0]).requires_grad_(True)
    mt.where(x > 1, x * 2, x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 2.0]


@pytest.mark.parametrize("name", ["eq", "lt", "isnan", "logical_not", "floor_divide", "argmax", "any"])
def test_results_without_gradient(name: str) -> None:
    x = mt.tensor([1.0, 2.0]).requires_grad_(True)
    f = getattr(mt, name)
    if name == "floor_divide":
        try:
            f(x, 2.0).sum().backward()
        except RuntimeError as error:
            assert "floor_divide" in str(error) or "grad" in str(error)
        return
    y = f(x, x) if name in ("eq", "lt") else f(x)
    assert not y.requires_grad and y.grad_fn is None


def test_mixed_dtypes() -> None:
    """A gradient comes back in its operand's own dtype."""
    x = mt.tensor([1.0, 2.0], dtype=mt.float32).requires_grad_(True)
    y = mt.tensor([3.0, 4.0], dtype=mt.float64).requires_grad_(True)
    h = mt.tensor(2.0, dtype=mt.float16).requires_grad_(True)
    z = x * y * h
    assert z.dtype == mt.float64
    z.sum().backward()
    assert (x.grad.dtype, y.grad.dtype, h.grad.dtype) == (mt.float32, mt.float64, mt.float16)
    assert x.grad.tolist() == [6.0, 8.0] and y.grad.tolist() == [2.0, 4.0] and h.grad.item() == 11
    x.grad = None
    (x * mt.tensor([2, 3])).sum().backward()
    assert x.grad.tolist() == [2.0, 3.0] and x.grad.dtype == mt.float32
