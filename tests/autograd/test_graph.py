"""Hooks of every kind, the graph as data, and the options of `grad` and `backward`."""

from __future__ import annotations

import contextlib
import gc
import weakref

import numpy as np
import pytest
from helpers import array, assert_near, mt, only_here, refuses

X = np.array([[0.5, 1.5, -2.5], [0.7, -1.1, 3.0]])
graph = mt.autograd.graph


def leaf(values=X):
    return mt.tensor(np.array(values)).requires_grad_(True)


# --- hooks


def test_tensor_hooks_in_order_and_removed() -> None:
    x, seen = leaf(), []
    y = x * 2
    first = y.register_hook(lambda g: seen.append("first") or g * 2)
    y.register_hook(lambda g: seen.append(float(array(g)[0, 0])))
    x.register_hook(lambda g: seen.append("leaf"))
    y.sum().backward()
    assert seen == ["first", 2.0, "leaf"]
    assert_near(x.grad, np.full((2, 3), 4.0))
    first.remove()
    first.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert_near(x.grad, np.full((2, 3), 2.0))
    with x.register_hook(lambda g: g * 0):
        (x * 2).sum().backward()
    assert_near(x.grad, np.full((2, 3), 2.0))


def test_the_same_hook_twice_is_removed_once() -> None:
    x = leaf()
    double = lambda g: g * 2  # noqa: E731
    handle = x.register_hook(double)
    x.register_hook(double)
    handle.remove()
    x.sum().backward()
    assert_near(x.grad, np.full((2, 3), 2.0))


def test_a_hook_on_one_of_several_outputs() -> None:
    x = leaf()
    a, b = x.unbind(0)
    b.register_hook(lambda g: g * 10)
    (a + b).sum().backward()
    assert_near(x.grad, np.array([[1.0] * 3, [10.0] * 3]))


def test_post_accumulate_hooks() -> None:
    x, seen = leaf(), []

    def hook(t):
        seen.append(array(t.grad)[0, 0])
        t.grad = None

    handle = x.register_post_accumulate_grad_hook(hook)
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    assert seen == [3.0, 4.0] and x.grad is None
    handle.remove()
    (x * 4).sum().backward()
    assert len(seen) == 2 and x.grad is not None
    with refuses(RuntimeError, "non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(hook)


def test_node_hooks() -> None:
    x, seen = leaf(), []
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: seen.append("pre") or (grads[0] * 3,))
    handle = y.grad_fn.register_hook(lambda inputs, outputs: seen.append((len(inputs), len(outputs))))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 5, *inputs[1:]))
    y.sum().backward(retain_graph=True)
    assert seen[0] == "pre" and seen[1][1] == 1
    assert_near(x.grad, np.full((2, 3), 30.0))
    handle.remove()
    y.sum().backward()
    assert len(seen) == 3


def test_retain_grad_sees_what_hooks_made() -> None:
    x = leaf()
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 7)
    assert y.retains_grad
    y.sum().backward()
    assert_near(y.grad, np.full((2, 3), 7.0))


def test_hooks_that_go_wrong() -> None:
    x = leaf()
    y = x * 2
    handle = y.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError):
        y.sum().backward(retain_graph=True)
    handle.remove()

    def fails(g):
        raise KeyError("mine")

    handle = x.register_hook(fails)
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward(retain_graph=True)
    assert x.grad is None
    handle.remove()
    y.sum().backward()
    with refuses(RuntimeError, "doesn't require grad"):
        mt.ones(2).register_hook(lambda g: g)


def test_multi_grad_hooks() -> None:
    a, b, seen = leaf(), leaf(), []
    handle = graph.register_multi_grad_hook([a, b], lambda grads: seen.append(len(grads)))
    (a * b).sum().backward()
    (a * b).sum().backward()
    assert seen == [2, 2]
    handle.remove()
    (a * b).sum().backward()
    assert seen == [2, 2]


# --- what is saved


def test_saved_tensors_hooks() -> None:
    packed = []

    def pack(t):
        packed.append(tuple(t.shape))
        return t.numpy().copy() if not t.requires_grad else t.detach().numpy().copy()

    x = leaf()
    with graph.saved_tensors_hooks(pack, lambda kept: mt.tensor(kept)):
        y = (x.exp() * x).tanh()
    count = len(packed)
    z = y * y
    assert count == 4 and len(packed) == count
    (g,) = mt.autograd.grad(z.sum(), x, create_graph=True)
    (h,) = mt.autograd.grad(g.sum(), x)
    w = leaf()
    v = (w.exp() * w).tanh() ** 2
    (g2,) = mt.autograd.grad(v.sum(), w, create_graph=True)
    (h2,) = mt.autograd.grad(g2.sum(), w)
    assert_near(g, array(g2), 1e-12)
    assert_near(h, array(h2), 1e-12)


@pytest.mark.parametrize("size", [5, 70_000])
@pytest.mark.parametrize("name", ["div", "pow", "atan2", "hypot"])
def test_a_derivative_of_several_unpacked_tensors(name: str, size: int) -> None:
    """What a hook makes anew belongs to the derivative alone, which must keep all of it until it is computed."""
    found, values = [], [mt.rand(size, dtype=mt.float64) + 1 for _ in range(2)]
    for hooks in (contextlib.nullcontext(), graph.saved_tensors_hooks(lambda t: t.detach().clone(), mt.clone)):
        a, b = (value.clone().requires_grad_() for value in values)
        with hooks:
            y = getattr(mt, name)(a, b)
        y.sum().backward()
        found.append((a.grad, b.grad))
    assert all(mt.equal(with_hooks, without) for with_hooks, without in zip(*found))


def test_saved_tensors_hooks_nest_and_end() -> None:
    seen = []
    x = leaf()
    with graph.saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t):
        with graph.saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t):
            y = x.exp()
        z = y.exp()
    (z.exp()).sum().backward()
    assert seen == ["inner", "outer"]
    with pytest.raises(TypeError):
        with graph.saved_tensors_hooks(lambda t: t, lambda t: "no tensor"):
            y = x.exp()
        y.sum().backward()
    with (
        refuses(RuntimeError, "no hooks in this place"),
        graph.disable_saved_tensors_hooks("no hooks in this place"),
        graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    ):
        pass


def test_hooks_see_functions_too() -> None:
    class Cube(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x**3
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * 3 * y / x

    x = leaf()
    with graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = Cube.apply(x)
    y.sum().backward()
    assert_near(x.grad, 3 * X**2, 1e-12)


def test_save_on_cpu_and_mutation() -> None:
    x = leaf()
    with graph.save_on_cpu():
        y = (x * x).sum()
    y.backward()
    assert_near(x.grad, 2 * X)
    x = leaf()
    with graph.allow_mutation_on_saved_tensors():
        y = x * 2
        z = (y * y).sum()
        y.zero_()
        z.backward()
    assert_near(x.grad, 8 * X)


# --- the graph as data


def test_names_edges_and_saved_values() -> None:
    x, w = leaf(), leaf()
    y = (x * w).exp()
    node = y.grad_fn
    assert node.name() == "ExpBackward0"
    (mul, number), *_ = node.next_functions
    assert mul.name() == "MulBackward0" and number == 0
    (end, _), (other, _) = mul.next_functions
    assert end.variable is x and other.variable is w
    assert end is mul.next_functions[0][0]
    assert mul._saved_self is x and mul._saved_other is w
    assert_near(node._saved_result, array(y))
    node.metadata["note"] = 5
    assert node.metadata == {"note": 5}
    with pytest.raises(AttributeError):
        _ = node._saved_nothing
    assert (x**2.5).grad_fn._saved_exponent == 2.5
    y.sum().backward()
    with refuses(RuntimeError, "_saved_result"):
        _ = node._saved_result


def test_leaves_and_output_numbers() -> None:
    x = leaf()
    a, b = x.unbind(0)
    assert (x.is_leaf, a.is_leaf, x.output_nr) == (True, False, 0)
    assert x.grad_fn is None and mt.ones(1).is_leaf
    edge = graph.get_gradient_edge(b)
    assert edge.node is b.grad_fn and edge.output_nr == b.output_nr
    assert graph.get_gradient_edge(x).node.variable is x
    with pytest.raises(RuntimeError):
        graph.get_gradient_edge(mt.ones(1))


# --- grad and backward


def test_options_of_grad() -> None:
    x, unused = leaf(), leaf()
    y = x * x
    z = y.sum()
    gx, gy = mt.autograd.grad(z, [x, y])
    assert_near(gx, 2 * X)
    assert_near(gy, np.ones((2, 3)))
    y = x * x
    with refuses(RuntimeError, "allow_unused=True"):
        mt.autograd.grad(y.sum(), [x, unused], retain_graph=True)
    assert mt.autograd.grad(y.sum(), [x, unused], retain_graph=True, allow_unused=True)[1] is None
    zeros = mt.autograd.grad(y.sum(), [x, unused], retain_graph=True, materialize_grads=True)[1]
    assert_near(zeros, np.zeros((2, 3)))
    (g,) = mt.autograd.grad([y, y.sum()], [x], [mt.ones_like(y), None])
    assert_near(g, 4 * X)
    assert x.grad is None


def test_batched_grads() -> None:
    x = leaf(X[0])
    y = x**3
    (rows,) = mt.autograd.grad(y, x, mt.eye(3, dtype=mt.float64), is_grads_batched=True)
    assert_near(rows, np.diag(3 * X[0] ** 2), 1e-12)


def test_backward_into_some_inputs() -> None:
    a, b = leaf(), leaf()
    y = a * 2
    (y * b).sum().backward(inputs=[a, y])
    assert b.grad is None
    assert_near(a.grad, 2 * X)
    assert_near(y.grad, X)
    with refuses(RuntimeError, "cannot be empty"):
        (a * 2).sum().backward(inputs=[])


def test_modes_as_decorators() -> None:
    x = leaf()

    @mt.no_grad()
    def plain(x):
        return x * 2

    @mt.inference_mode()
    def inferred(x):
        return x * 2, mt.is_inference_mode_enabled()

    @mt.enable_grad()
    def recorded(x):
        return x * 2

    assert not plain(x).requires_grad and not inferred(x)[0].requires_grad and inferred(x)[1]
    with mt.no_grad():
        assert recorded(x).requires_grad
    assert plain.__name__ == "plain"


def test_variables() -> None:
    v = mt.autograd.Variable(mt.ones(2), requires_grad=True)
    (v * 2).sum().backward()
    assert array(v.grad).tolist() == [2, 2] and isinstance(v, mt.autograd.Variable)


# --- memory


@only_here
def test_graphs_are_freed_by_counting_references() -> None:
    x = leaf()
    gc.disable()
    try:
        live = []
        for _ in range(3):
            y = x * 2
            live.append(weakref.ref(y))
            y.register_hook(lambda g: g * 2)
            y.retain_grad()
            z = y.exp()
            z.grad_fn.register_hook(lambda i, o: None)
            z.sum().backward()
            live.append(weakref.ref(z.grad_fn))
            del y, z
        assert [r() for r in live] == [None] * 6
    finally:
        gc.enable()
