"""`autograd.Function`: both forms, everything ctx can do, and the errors that say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, assert_near, check_gradient, mt, only_here, refuses, succeed

Function = mt.autograd.Function
X = np.array([[0.5, 1.5, -2.5], [0.7, -1.1, 3.0]])


def leaf(values=X):
    return mt.tensor(np.array(values)).requires_grad_(True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class SeparateExp(Function):
    """Saves its output, and takes its notes apart from the computation."""

    @staticmethod
    def forward(x, scale):
        return (x * scale).exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.scale = inputs
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y * ctx.scale, None


def test_gradients_of_both_forms() -> None:
    check_gradient(Cube.apply, X)
    check_gradient(lambda x: SeparateExp.apply(x, 0.5), X)
    check_gradient(lambda x: SeparateExp.apply(Cube.apply(x) * 0.1, 0.5) * x, X)


def test_name_and_class_of_the_node() -> None:
    y = Cube.apply(leaf())
    assert y.grad_fn.name() == "CubeBackward" and type(y.grad_fn).__name__ == "CubeBackward"
    assert y.grad_fn.next_functions[0][0].name().endswith("AccumulateGrad")
    assert not Cube.apply(mt.ones(2)).requires_grad
    with mt.no_grad():
        assert not Cube.apply(leaf()).requires_grad


def test_needs_input_grad_and_non_tensors() -> None:
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, a, text, b, *, number=None):
            seen.append(ctx.needs_input_grad)
            assert not mt.is_grad_enabled()
            return a * b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g, None, None

    a = leaf()
    F.apply(a, "text", mt.ones(2, 3)).sum().backward()
    assert seen == [(True, False, False)] * 2
    assert array(a.grad).tolist() == np.ones((2, 3)).tolist()


def test_several_outputs_and_gradients_that_never_came() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2, "between", x * 3

        @staticmethod
        def backward(ctx, ga, _, gb):
            ctx.last = (ga, gb)
            return (0 if ga is None else 2 * ga) + (0 if gb is None else 3 * gb), None

    for materialize in (True, False):
        x = leaf()
        a, text, b = Two.apply(x, materialize)
        assert text == "between" and (a.output_nr, b.output_nr) == (0, 2)
        node = b.grad_fn
        b.sum().backward()
        assert_near(x.grad, np.full((2, 3), 3.0))
        assert (node.last[0] is None) != materialize
    x = leaf()
    a, _, b = Two.apply(x, True)
    (a * b).sum().backward()
    assert_near(x.grad, 12 * X)


def test_none_for_a_gradient() -> None:
    class First(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 1

        @staticmethod
        def backward(ctx, g):
            return g, None

    a, b = leaf(), leaf()
    First.apply(a, b).sum().backward()
    assert b.grad is None and a.grad is not None


def test_mark_dirty() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    def f(x):
        y = x * 1
        z = Double.apply(y)
        assert z is y and y.grad_fn.name() == "DoubleBackward"
        return y * y

    check_gradient(f, X)

    def through_a_view(x):
        y = x * 1
        Double.apply(y[0])
        return y * y

    check_gradient(through_a_view, X)
    with refuses(RuntimeError, "leaf", "in-place"):
        Double.apply(leaf())


def test_mark_non_differentiable_and_integers() -> None:
    class Sorted(Function):
        @staticmethod
        def forward(ctx, x):
            values, places = x.flatten().max(0)
            floats = x * 1
            ctx.mark_non_differentiable(places, floats)
            ctx.where = int(places)
            ctx.shape = x.shape
            return values, places, floats

        @staticmethod
        def backward(ctx, g, g1, g2):
            dx = mt.zeros(6, dtype=mt.float64)
            dx[ctx.where] = 1.0
            return dx.view(ctx.shape) * g

    values, places, floats = Sorted.apply(leaf())
    assert values.requires_grad and not places.requires_grad and not floats.requires_grad
    x = leaf()
    Sorted.apply(x)[0].backward()
    assert array(x.grad).flatten().tolist() == [0, 0, 0, 0, 0, 1]


def test_an_input_passed_on_is_another_tensor() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = leaf()
    y = Same.apply(x)
    assert y is not x and x.is_leaf and y.grad_fn.name() == "SameBackward"
    y.sum().backward()
    assert_near(x.grad, np.full((2, 3), 5.0))


def test_second_derivative_through_a_saved_output() -> None:
    x = leaf()
    (g,) = mt.autograd.grad(SeparateExp.apply(x, 2.0).sum(), x, create_graph=True)
    (h,) = mt.autograd.grad(g.sum(), x)
    assert_near(h, 4 * np.exp(2 * X))


def test_gradients_are_fitted() -> None:
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x.expand(4, *x.shape).clone()

        @staticmethod
        def backward(ctx, g):
            return g.float()

    x = leaf()
    Wide.apply(x).sum().backward()
    assert x.grad.dtype == mt.float64
    assert_near(x.grad, np.full((2, 3), 4.0))


def broken(result):
    class Broken(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return result(g)

    return Broken


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (lambda g: (g, g, g), RuntimeError, ("BrokenBackward", "incorrect number of gradients", "expected 2, got 3")),
        (lambda g: g, RuntimeError, ("BrokenBackward", "expected 2, got 1")),
        (lambda g: (g, g[:, :2]), RuntimeError, ("BrokenBackward", "invalid gradient at index 1", "[2, 2]", "[2, 3]")),
    ],
)
def test_wrong_gradients(result, kind, words) -> None:
    with refuses(kind, *words):
        broken(result).apply(leaf(), leaf()).sum().backward()


@only_here
def test_misuse_that_pytorch_puts_otherwise() -> None:
    with refuses(TypeError, "float"):
        broken(lambda g: (g, 1.0)).apply(leaf(), leaf()).sum().backward()
    with refuses(RuntimeError, "instantiated"):
        Cube()


def test_a_gradient_for_what_is_no_tensor() -> None:
    with refuses(RuntimeError, "gradient different from None at position 1"):
        broken(lambda g: (g, g)).apply(leaf(), 2.0).sum().backward()


def test_errors() -> None:
    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with refuses(NotImplementedError, "backward"):
        NoBackward.apply(leaf()).sum().backward()

    class SavesText(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward("x")
            return x

    with refuses(TypeError, "save_for_backward can only save variables"):
        SavesText.apply(leaf())
    y = Cube.apply(leaf()).sum()
    y.backward()
    with refuses(RuntimeError, "second time"):
        y.backward()
    x = leaf()
    y = x * 1
    z = Cube.apply(y)
    y.add_(1)
    with refuses(RuntimeError, "modified by an inplace operation"):
        z.sum().backward()


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @mt.autograd.function.once_differentiable
        def backward(ctx, g):
            assert not mt.is_grad_enabled()
            return g * 2 * ctx.saved_tensors[0]

    x = leaf()
    Once.apply(x).sum().backward()
    assert_near(x.grad, 2 * X)
    y = Once.apply(x) * x
    (g,) = mt.autograd.grad(y.sum(), x, create_graph=True)
    with refuses(RuntimeError, "once_differentiable"):
        g.sum().backward()


def test_keyword_arguments_and_defaults() -> None:
    class Scaled(Function):
        @staticmethod
        def forward(x, scale=3.0):
            return x * scale

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.scale = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.scale, None

    x = leaf()
    Scaled.apply(x, scale=2.0).sum().backward()
    assert_near(x.grad, np.full((2, 3), 2.0))


def test_an_error_in_forward_restores_the_mode() -> None:
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        Fails.apply(leaf())
    assert mt.is_grad_enabled()


@only_here
def test_a_tensor_outside_that_is_returned_stays_outside() -> None:
    w = leaf()

    class Returns(Function):
        @staticmethod
        def forward(ctx, x):
            return w

        @staticmethod
        def backward(ctx, g):
            return g

    y = Returns.apply(leaf())
    assert w.is_leaf and y.requires_grad


@only_here
def test_a_long_chain_is_replayed_and_dropped() -> None:
    succeed(
        """
    class F(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            y = x + 1
            return y
        @staticmethod
        def backward(ctx, g):
            return g
    class G(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x + 1
        @staticmethod
        def backward(ctx, g):
            return g
    for f in (F, G):
        x = mt.ones(1, requires_grad=True)
        y = x
        for _ in range(50_000):
            y = f.apply(y)
        y.backward()
        assert x.grad.item() == 1
        y = x
        for _ in range(50_000):
            y = f.apply(y)
        del y
    """,
        prefix="ulimit -s 1024;",
    )


def test_saved_tensors_are_freed_with_the_graph() -> None:
    import weakref

    x = leaf()
    y = x * 1
    watch = weakref.ref(y)
    z = Cube.apply(y).sum()
    del y
    assert watch() is not None
    z.backward()
    assert watch() is None
