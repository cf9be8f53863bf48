"""Recording and replaying: backward, autograd.grad, modes, leaves, hooks, and what is refused."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
from helpers import array, assert_same, mt, only_here, refuses, tensor


def leaf(*values, dtype=None):
    return mt.tensor(list(values) if len(values) != 1 else values[0], dtype=dtype or mt.float64).requires_grad_(True)


# --- what requires gradients


def test_requires_grad() -> None:
    x = mt.tensor([1.0])
    assert not x.requires_grad and x.is_leaf and x.grad is None and x.grad_fn is None
    assert x.requires_grad_() is x and x.requires_grad
    assert x.requires_grad_(False) is x and not x.requires_grad
    x.requires_grad = True
    assert x.requires_grad and (x * 2).requires_grad and not (x * 2).is_leaf and (x * 2).grad_fn is not None
    assert not (mt.tensor([1.0]) * 2).requires_grad and (mt.tensor([1.0]) * x).requires_grad
    assert mt.zeros(2, requires_grad=True).requires_grad and mt.tensor([1.0], requires_grad=True).requires_grad
    assert not mt.zeros(2, requires_grad=False).requires_grad
    assert not x.detach().requires_grad and not x.clone().detach().requires_grad and x.clone().requires_grad


def test_requires_grad_false_means_false() -> None:
    x = leaf(1.0, 2.0)
    x.requires_grad_(False)
    y = leaf(3.0, 4.0)
    (x * y).sum().backward()
    assert x.grad is None and y.grad.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_only_floats_require_grad(name: str) -> None:
    t = tensor([1, 0], name)
    with refuses(RuntimeError, "float"):
        t.requires_grad_()
    with refuses(RuntimeError, "float"):
        t.requires_grad = True
    t.requires_grad_(False)
    with refuses(RuntimeError, "float"):
        mt.zeros(2, dtype=getattr(mt, name), requires_grad=True)


def test_requires_grad_of_what_is_computed() -> None:
    y = leaf(1.0) * 2
    with refuses(RuntimeError, "leaf"):
        y.requires_grad_(False)
    with refuses(RuntimeError, "leaf"):
        y.requires_grad = False
    y.requires_grad_(True)


# --- backward


def test_accumulation() -> None:
    x = leaf(1.0, 2.0)
    for k in range(1, 4):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2 * k, 4 * k]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert x.grad.dtype == x.dtype and x.grad.shape == x.shape and not x.grad.requires_grad


def test_accumulation_is_into_a_tensor_of_its_own() -> None:
    """The gradient handed out does not alias the one handed in, nor another leaf's."""
    x, y, g = leaf(1.0, 2.0), leaf(3.0, 4.0), mt.tensor([1.0, 1.0], dtype=mt.float64)
    (x + y).backward(g)
    x.grad.mul_(5)
    assert y.grad.tolist() == [1, 1] and g.tolist() == [1, 1]
    held = y.grad
    (x + y).backward(g)
    assert y.grad is held and held.tolist() == [2, 2] and g.tolist() == [1, 1]
    z = leaf(1.0, 2.0)
    z.backward(g)
    z.grad.add_(1)
    assert g.tolist() == [1, 1]


def test_repeated_operands() -> None:
    a = leaf(3.0)
    b = a + a
    c = b + b
    d = c * c
    (d * a).backward()
    assert a.grad.item() == 3 * 16 * 9  # 16 a^3
    x = leaf(2.0)
    (x * x * x).backward()
    assert x.grad.item() == 12
    x = leaf(1.0, 2.0)
    mt.stack([x, x, x]).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_shared_nodes_are_visited_once() -> None:
    """A ladder of 60 doublings has 2^60 paths."""
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_topological_order() -> None:
    """A node waits for every gradient that it is owed, however much longer one path is than another."""
    x = leaf(0.5)
    a = x * 1
    long = a
    for _ in range(20):
        long = long * 1.1
    y = a * long + long * a + a
    y.backward()
    assert np.isclose(x.grad.item(), 4 * 0.5 * 1.1**20 + 1)


def test_backward_of_a_leaf() -> None:
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1


def test_needs_a_gradient_unless_it_is_one_number() -> None:
    x = leaf(1.0, 2.0)
    with refuses(RuntimeError, "scalar"):
        (x * 2).backward()
    (x * 2).backward(mt.ones(2, dtype=mt.float64))
    assert x.grad.tolist() == [2, 2]
    (x[:1] * 2).backward()  # one element is enough, whatever its shape
    assert x.grad.tolist() == [4, 2]


def test_wrong_gradients_handed_in() -> None:
    x = leaf(1.0, 2.0)
    for g in (mt.ones(3, dtype=mt.float64), mt.ones(2, 1, dtype=mt.float64), mt.ones((), dtype=mt.float64)):
        with refuses(RuntimeError, "shape"):
            (x * 2).backward(g)
    for g in ("a", [1.0, 1.0]):
        with refuses((TypeError, RuntimeError)):
            (x * 2).backward(g)
    assert x.grad is None


def test_nothing_to_differentiate() -> None:
    with refuses(RuntimeError, "grad"):
        mt.tensor(1.0).backward()
    with refuses(RuntimeError, "grad"):
        mt.autograd.grad(mt.tensor(1.0), leaf(1.0))
    with mt.no_grad():
        y = leaf(1.0) * 2
    with refuses(RuntimeError, "grad"):
        y.backward()


def test_retain_graph() -> None:
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    assert x.grad.item() == 12
    y.backward()
    with refuses(RuntimeError, "second time"):
        y.backward()
    assert x.grad.item() == 18
    shared = (x * x).exp()
    shared.backward()
    with refuses(RuntimeError, "second time"):
        (shared * 2).backward()


def test_backward_twice_of_what_saves_nothing() -> None:
    x = leaf(3.0)
    y = x + 1
    y.backward()
    y.backward()
    assert x.grad.item() == 2


def test_backward_into_chosen_inputs() -> None:
    x, y = leaf(2.0), leaf(3.0)
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 3 and y.grad is None
    with refuses(RuntimeError):
        (x * y).backward(inputs=[])


def test_autograd_backward() -> None:
    x = leaf(1.0, 2.0)
    mt.autograd.backward([x.sum(), (x * x).sum()])
    assert x.grad.tolist() == [3, 5]
    x.grad = None
    mt.autograd.backward([x * 2, x.sum()], [mt.tensor([1.0, 10.0], dtype=mt.float64), None])
    assert x.grad.tolist() == [3, 21]


# --- autograd.grad


def test_grad() -> None:
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = mt.autograd.grad(x * y * y, (x, y))
    assert gx.item() == 9 and gy.item() == 12 and x.grad is None and y.grad is None
    assert isinstance(mt.autograd.grad(x * y, [x]), tuple)
    (gx,) = mt.autograd.grad([x * y, x * 2], x, [mt.tensor(1.0, dtype=mt.float64), mt.tensor(10.0, dtype=mt.float64)])
    assert gx.item() == 23


def test_grad_unused() -> None:
    x, y = leaf(2.0), leaf(3.0)
    with refuses(RuntimeError, "allow_unused"):
        mt.autograd.grad(x * 2, (x, y))
    gx, gy = mt.autograd.grad(x * 2, (x, y), allow_unused=True)
    assert gx.item() == 2 and gy is None
    gx, gy = mt.autograd.grad(x * 2, (x, y), materialize_grads=True)
    assert gy.item() == 0
    with refuses(RuntimeError, "grad"):
        mt.autograd.grad(x * 2, mt.tensor(1.0))


def test_grad_of_an_intermediate() -> None:
    x = leaf(2.0)
    h = x * x
    y = h * h * 3
    gh, gx = mt.autograd.grad(y, (h, x))
    assert gh.item() == 24 and gx.item() == 96 and x.grad is None and h.grad_fn is not None
    (one,) = mt.autograd.grad(h, h)
    assert one.item() == 1


def test_grad_of_the_same_twice() -> None:
    x = leaf(2.0)
    a, b = mt.autograd.grad(x * x, (x, x))
    assert a.item() == 4 and b.item() == 4


def test_create_graph() -> None:
    x = leaf(2.0)
    y = x**4
    (g1,) = mt.autograd.grad(y, x, create_graph=True)
    (g2,) = mt.autograd.grad(g1, x, create_graph=True)
    (g3,) = mt.autograd.grad(g2, x, create_graph=True)
    (g4,) = mt.autograd.grad(g3, x)
    assert [g.item() for g in (g1, g2, g3, g4)] == [32, 48, 48, 24]
    assert g1.requires_grad and not g4.requires_grad
    y = x**3
    y.backward(create_graph=True)
    assert x.grad.requires_grad and x.grad.item() == 12
    g = x.grad
    x.grad = None
    g.backward()
    assert x.grad.item() == 12


def test_gradient_penalty() -> None:
    """A gradient inside a loss, as a student writes it."""
    w = leaf(1.0, -2.0)
    x = leaf(0.5, 1.5)
    out = mt.tanh((w * x).sum())
    (g,) = mt.autograd.grad(out, x, create_graph=True)
    ((g.norm() - 1) ** 2).backward()
    h, base = 1e-5, array(w)

    def penalty(values):
        s = 1 - np.tanh((values * np.array([0.5, 1.5])).sum()) ** 2
        return (np.linalg.norm(values * s) - 1) ** 2

    want = [(penalty(base + h * e) - penalty(base - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(array(w.grad), want, rtol=1e-6)


# --- modes


def test_no_grad() -> None:
    x = leaf(1.0)
    with mt.no_grad():
        assert not mt.is_grad_enabled() and not (x * 2).requires_grad and (x * 2).is_leaf
        with mt.enable_grad():
            assert mt.is_grad_enabled() and (x * 2).requires_grad
        assert not mt.is_grad_enabled()
        assert mt.zeros(1, requires_grad=True).requires_grad
    assert mt.is_grad_enabled() and (x * 2).requires_grad


def test_modes_end_with_an_error() -> None:
    with pytest.raises(ValueError), mt.no_grad():
        raise ValueError
    assert mt.is_grad_enabled()


def test_modes_as_decorators() -> None:
    x = leaf(1.0)

    @mt.no_grad()
    def without(scale, *, offset=0):
        """Its documentation."""
        assert not mt.is_grad_enabled()
        return x * scale + offset

    @mt.enable_grad()
    def with_grad():
        return x * 2

    assert not without(2, offset=1).requires_grad and without(2, offset=1).item() == 3 and mt.is_grad_enabled()
    assert without.__name__ == "without" and without.__doc__ == "Its documentation."
    with mt.no_grad():
        assert with_grad().requires_grad and not mt.is_grad_enabled()

    @mt.no_grad
    def bare():
        return mt.is_grad_enabled()

    assert bare() is False and mt.is_grad_enabled()

    @mt.no_grad()
    def numbers():
        for k in range(2):
            yield mt.is_grad_enabled(), k

    for enabled, _ in numbers():
        assert not enabled and mt.is_grad_enabled()


def test_set_grad_enabled() -> None:
    x = leaf(1.0)
    with mt.set_grad_enabled(False):
        assert not (x * 2).requires_grad
        with mt.set_grad_enabled(True):
            assert (x * 2).requires_grad
    assert mt.is_grad_enabled()
    try:
        mt.set_grad_enabled(False)  # takes effect at once
        assert not mt.is_grad_enabled() and not (x * 2).requires_grad
    finally:
        mt.set_grad_enabled(True)

    @mt.set_grad_enabled(False)
    def f():
        return mt.is_grad_enabled()

    assert mt.is_grad_enabled() and f() is False and mt.is_grad_enabled()


def test_modes_are_a_threads_own() -> None:
    seen = []
    with mt.no_grad():
        thread = threading.Thread(target=lambda: seen.append(mt.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_in_backward_grad_mode_is_as_asked() -> None:
    seen = []
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: seen.append(mt.is_grad_enabled()))
    y.backward(retain_graph=True)
    y.backward(create_graph=True)
    assert seen == [False, True] and mt.is_grad_enabled()


def test_inference_mode() -> None:
    with mt.inference_mode():
        assert not (leaf(1.0) * 2).requires_grad


# --- leaves, detach, retain_grad, hooks


def test_detach() -> None:
    x = leaf(1.0, 2.0)
    d = x.detach()
    assert not d.requires_grad and d.data_ptr() == x.data_ptr() and d.is_leaf
    y = x * x
    (y.detach() * y).sum().backward()
    assert x.grad.tolist() == [2, 16]
    z = x * 2
    assert z.detach_() is z and not z.requires_grad and z.grad_fn is None
    x.data.fill_(7)  # through .data is not recorded
    assert x.tolist() == [7, 7] and x.requires_grad


def test_retain_grad() -> None:
    x = leaf(3.0)
    y = x * x
    z = y * 2
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    z.backward()
    assert y.grad.item() == 2 and x.grad.item() == 12
    x.retain_grad()  # nothing to do on a leaf
    with refuses(RuntimeError, "require"):
        mt.tensor(1.0).retain_grad()


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_grad_of_what_is_computed_is_not_kept() -> None:
    x = leaf(3.0)
    y = x * x
    (y * 2).backward()
    assert y.grad is None


def test_hooks() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    handle = y.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert seen == [[1, 1]] and x.grad.tolist() == [30, 30]
    handle.remove()
    y.sum().backward()
    assert seen == [[1, 1]]
    with refuses(RuntimeError, "require"):
        mt.tensor(1.0).register_hook(lambda g: g)


def test_errors_of_hooks_reach_the_caller() -> None:
    x = leaf(1.0)
    y = x * 2
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (y * 2).backward()
    assert mt.is_grad_enabled()
    (x * 2).backward()
    assert x.grad.item() == 2


def test_grad_attribute() -> None:
    x = leaf(1.0, 2.0)
    x.grad = mt.ones(2, dtype=mt.float64)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3, 3]
    del x.grad
    assert x.grad is None
    for bad in (mt.ones(3, dtype=mt.float64), mt.ones(2, dtype=mt.float32)):
        with refuses(RuntimeError):
            x.grad = bad
    for bad in (1.0, "a", [1.0, 2.0]):
        with refuses(TypeError):
            x.grad = bad


def test_gradients_of_views_of_leaves() -> None:
    base = leaf(1.0, 2.0, 3.0)
    view = base[1:]
    assert not view.is_leaf
    (view * view).sum().backward()
    assert base.grad.tolist() == [0, 4, 6]


# --- numbers out of graphs


def test_item_and_tolist() -> None:
    x = leaf(2.0)
    assert (x * 2).item() == 4 and (x * 2).tolist() == 4
    assert float((x * 2).detach()) == 4
    assert "requires_grad=True" in repr(x) and "grad_fn" in repr(x * 2)


def test_deepcopy_and_pickle() -> None:
    import copy
    import pickle

    x = leaf(1.0, 2.0)
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other.requires_grad and other.is_leaf and other.data_ptr() != x.data_ptr()
        assert_same(other, array(x))
    with refuses(RuntimeError, "deepcopy"):
        copy.deepcopy(x * 2)


# --- memory


class Ghost:
    """Stands beside a tensor to see it collected."""


def test_graphs_are_freed_at_once() -> None:
    """Dropping the output frees what the graph holds, with the collector off."""
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        h = x.exp()
        h.ghost = Ghost()
        ghost = weakref.ref(h.ghost)
        y = (h * h).sum()
        del h
        y.backward()
        del y
        assert ghost() is None
    finally:
        gc.enable()


def test_saved_tensors_are_freed_by_backward() -> None:
    x = leaf(1.0, 2.0)
    h = x * 2
    ghost = weakref.ref(h)
    y = (h * h).sum()
    del h
    y.backward()
    gc.collect()
    assert ghost() is None


@only_here
def test_cycles_are_collected() -> None:
    """Through attributes, graphs and hooks."""

    def make():
        x = leaf(1.0)
        x.ghost = Ghost()
        y = x * 2
        x.output = y  # x -> y -> its node -> x
        y.itself = y
        y.register_hook(lambda g: (g, y, x)[0])
        return weakref.ref(x.ghost)

    ghosts = [make() for _ in range(5)]
    gc.collect()
    assert all(g() is None for g in ghosts)


@only_here
def test_cycles_through_the_graph_of_a_gradient_are_collected() -> None:
    def make():
        x = leaf(2.0)
        x.ghost = Ghost()
        (x**3).backward(create_graph=True)  # x -> x.grad -> its graph -> x
        return weakref.ref(x.ghost)

    ghosts = [make() for _ in range(5)]
    gc.collect()
    assert all(g() is None for g in ghosts)


def test_backward_from_several_threads() -> None:
    """Graphs of different threads share leaves' values, not their gradients' fate."""
    w = mt.tensor(np.arange(1.0, 5.0))
    results = {}

    def work(k):
        x = mt.full((4,), float(k), dtype=mt.float64).requires_grad_(True)
        for _ in range(200):
            x.grad = None
            ((x * w).exp() * 1e-3).sum().backward()
        results[k] = array(x.grad)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, g in results.items():
        np.testing.assert_allclose(g, np.arange(1.0, 5.0) * np.exp(k * np.arange(1.0, 5.0)) * 1e-3)


def test_backward_inside_backward() -> None:
    x = leaf(2.0)
    y = x * x

    def inner(g):
        with mt.enable_grad():
            z = leaf(3.0)
            (z * z).backward()
        return g * z.grad

    y.register_hook(inner)
    y.backward()
    assert x.grad.item() == 24
