"""`gradcheck` finds planted mistakes and says what they look like; `autograd.functional` agrees with `func`."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, assert_near, mt, only_here, refuses

gradcheck, gradgradcheck = mt.autograd.gradcheck, mt.autograd.gradgradcheck
functional = mt.autograd.functional
RNG = np.random.default_rng(4)
SQUARE = RNG.uniform(0.5, 1.5, (3, 3)) * np.array([[1, -1, 1], [1, 1, -1], [-1, 1, 1]])


def leaf(values=SQUARE):
    return mt.tensor(np.array(values)).requires_grad_(True)


def planted(value, derivative):
    """A function with the values of one and the derivative of another."""

    class Planted(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return derivative(x, g)

    return Planted.apply


square = lambda x: x**2  # noqa: E731


def test_right_derivatives_pass() -> None:
    assert gradcheck(lambda x, y: (x @ y, x.exp().sum()), (leaf(), leaf()))
    assert gradcheck(lambda x, k: x * k, (leaf(), 3))
    assert gradcheck(square, (leaf(),), fast_mode=True, check_batched_grad=True)
    assert gradgradcheck(lambda x, y: (x * y).tanh(), (leaf(), leaf()))
    assert gradgradcheck(square, (leaf(),), gen_non_contig_grad_outputs=True)
    assert gradcheck(lambda x: x.t() @ x, leaf(), check_forward_ad=True)


WRONG = {
    "factor": (square, lambda x, g: g * x, ("factor of 2",)),
    "sign": (square, lambda x, g: -2 * g * x, ("sign",)),
    "nothing": (square, lambda x, g: None, ("no gradient arrives",)),
    "transposed": (square, lambda x, g: (2 * g * x).t(), ("transposed",)),
    "mean": (lambda x: x.sum(1), lambda x, g: (g / 3)[:, None].expand(3, 3), ("mean in place of a sum",)),
    "permuted": (square, lambda x, g: (2 * g * x)[mt.tensor([1, 2, 0])], ("right values in other places",)),
    "nan": (square, lambda x, g: 2 * g * x * (x * 0) / (x * 0), ("divides by zero",)),
    "some": (square, lambda x, g: 2 * g * x * mt.tensor([[1.0, 1, 1], [1, 1, 1], [1, 1, 1.5]]), ("[(2, 2)]",)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_derivatives_are_diagnosed(name) -> None:
    value, derivative, words = WRONG[name]
    kind = getattr(mt.autograd, "GradcheckError", RuntimeError)
    for fast in (False, True):
        with refuses(kind, "Jacobian mismatch for output 0 with respect to input 0", "analytical", *words):
            gradcheck(planted(value, derivative), (leaf(),), fast_mode=fast)
    assert not gradcheck(planted(value, derivative), (leaf(),), raise_exception=False)


@only_here
def test_nothing_to_check_is_right() -> None:
    assert gradcheck(lambda x: x[:0].sum() + x.sum(), leaf())
    assert gradcheck(square, leaf(np.zeros((0, 3))))


@only_here
def test_kinks_and_detached_results() -> None:
    with refuses(mt.autograd.GradcheckError, "kink"):
        gradcheck(lambda x: x.relu() * 2, leaf([0.0, 1.0]))
    with refuses(mt.autograd.GradcheckError, "detach"):
        gradcheck(lambda x: x.detach() * 2, leaf())


def test_noise_is_found() -> None:
    kind = getattr(mt.autograd, "GradcheckError", RuntimeError)
    with refuses(kind, "not reentrant"):
        gradcheck(planted(square, lambda x, g: 2 * g * x + g * mt.rand(3, 3) * 1e-9), (leaf(),))
    assert gradcheck(planted(square, lambda x, g: 2 * g * x + g * mt.rand(3, 3) * 1e-9), (leaf(),), nondet_tol=1e-6)


def test_second_derivatives_that_are_wrong() -> None:
    class Wrong(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * (x.detach() * 2 - x)

    assert gradcheck(Wrong.apply, (leaf(),))
    with pytest.raises(RuntimeError):
        gradgradcheck(Wrong.apply, (leaf(),))


def test_what_cannot_be_checked() -> None:
    with refuses(ValueError, "at least one input"):
        gradcheck(square, (mt.ones(2),))
    with pytest.warns(UserWarning, match="double precision"):
        gradcheck(square, (mt.ones(2, requires_grad=True),), atol=0.1)
    with refuses(RuntimeError, "stride 0"):
        gradcheck(square, (mt.ones(1, dtype=mt.float64).expand(3).requires_grad_(True),))


# --- autograd.functional


def f(x, y):
    return (x * y).exp().sum(1), x.sum() * y.sum()


X, Y = mt.tensor(SQUARE * 0.5), mt.tensor(SQUARE.T * 0.3)
V = mt.tensor(RNG.standard_normal((3, 3)))


def test_products_with_jacobians() -> None:
    u = (mt.ones(3, dtype=mt.float64), mt.tensor(2.0, dtype=mt.float64))
    out, (gx, gy) = functional.vjp(f, (X, Y), u)
    _, pull = mt.func.vjp(f, X, Y)
    assert_near(gx, array(pull(u)[0]), 1e-12)
    assert_near(gy, array(pull(u)[1]), 1e-12)
    out, moved = functional.jvp(f, (X, Y), (V, V))
    expected = mt.func.jvp(f, (X, Y), (V, V))
    assert_near(out[0], array(expected[0][0]), 1e-12)
    assert_near(moved[0], array(expected[1][0]), 1e-12)
    assert_near(moved[1], array(expected[1][1]), 1e-12)
    assert not gx.requires_grad


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}])
def test_jacobian(options) -> None:
    blocks = functional.jacobian(f, (X, Y), **options)
    expected = mt.func.jacrev(f, (0, 1))(X, Y)
    for i in range(2):
        for k in range(2):
            assert_near(blocks[i][k], array(expected[i][k]), 1e-12)
    assert_near(functional.jacobian(mt.sin, X[0], **options), np.diag(array(X[0].cos())), 1e-12)


def test_hessian_and_products() -> None:
    g = lambda x: (x**3).sum()  # noqa: E731
    assert_near(functional.hessian(g, X[0]), np.diag(array(6 * X[0])), 1e-12)
    h = functional.hessian(lambda x, y: (x * y**2).sum(), (X[0], Y[0]))
    assert_near(h[0][1], np.diag(array(2 * Y[0])), 1e-12)
    assert_near(functional.hvp(g, X, V)[1], array(6 * X * V), 1e-12)
    assert_near(functional.vhp(g, X, V)[1], array(6 * X * V), 1e-12)
    x = X.clone().requires_grad_(True)
    functional.jacobian(lambda x: (x**3).sum(), x, create_graph=True).sum().backward()
    assert_near(x.grad, array(6 * X), 1e-12)


def test_strict_and_refusals() -> None:
    with refuses(RuntimeError, "independent of input 1", "strict"):
        functional.jacobian(lambda x, y: x * 2, (X, Y), strict=True)
    assert not array(functional.jacobian(lambda x, y: x * 2, (X, Y))[1]).any()
    with refuses(RuntimeError, "invalid size"):
        functional.vjp(mt.sin, X, X[0])
    with refuses(RuntimeError, "single element"):
        functional.hessian(mt.sin, X)
    with pytest.raises(TypeError):
        functional.jacobian(mt.sin, 3)


COMPLEX = mt.tensor([0.3 + 0.7j, -1.2 + 0.4j, 0.9 - 0.5j], dtype=mt.complex128)


@pytest.mark.parametrize(
    "f",
    [mt.sin, mt.abs, lambda z: z.real * z.imag, lambda z: z * z.conj(), mt.sgn, lambda z: mt.fft.fft(z).sum(),
     lambda z: mt.outer(z, z), lambda z: (z.abs() * 2).sqrt()],
)  # fmt: skip
def test_complex_numbers(f) -> None:
    """An element counts as two real ones, of inputs and of outputs."""
    z = COMPLEX.clone().requires_grad_()
    assert mt.autograd.gradcheck(f, (z,)) and mt.autograd.gradgradcheck(f, (z,))
    x = mt.tensor([0.5, 1.5], dtype=mt.float64, requires_grad=True)
    assert mt.autograd.gradcheck(lambda x: mt.complex(x, x * x), (x,))


@only_here
@pytest.mark.cpu_only("there are no complex numbers on the device")
def test_a_conjugated_gradient_is_recognised() -> None:
    class Square(mt.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g * 2 * z

    with refuses(RuntimeError, "conjugated", "imag"):
        mt.autograd.gradcheck(Square.apply, (COMPLEX.clone().requires_grad_(),))


def test_empty_inputs() -> None:
    for shape in ((0,), (3, 0), (0, 3, 2)):
        x = mt.tensor(np.zeros(shape) + 1.0, requires_grad=True)
        assert mt.autograd.gradgradcheck(lambda x: x.exp() * x, (x,))
