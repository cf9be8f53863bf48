"""`utils.checkpoint`: the same gradients with less kept, also nested, with the same random numbers."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest
from helpers import array, assert_near, mt, only_here, refuses

module = importlib.import_module(f"{mt.__name__}.utils.checkpoint")
checkpoint = module.checkpoint
F = mt.nn.functional
X = np.array([[0.5, 1.5, -2.5], [0.7, -1.1, 3.0]])
BOTH = pytest.mark.parametrize("reentrant", [True, False])


def leaf(values=X):
    return mt.tensor(np.array(values)).requires_grad_(True)


def block(x, y):
    return (x.exp() * y).tanh() + x, (x * y).sin()


@BOTH
def test_gradients(reentrant) -> None:
    x, y, u, v = leaf(), leaf(), leaf(), leaf()
    a, b = checkpoint(block, x * 1, y, use_reentrant=reentrant)
    (a * b).sum().backward()
    a, b = block(u * 1, v)
    (a * b).sum().backward()
    assert_near(x.grad, array(u.grad), 1e-12)
    assert_near(y.grad, array(v.grad), 1e-12)


@BOTH
def test_parameters_and_random_numbers(reentrant) -> None:
    mt.manual_seed(5)
    model = mt.nn.Sequential(mt.nn.Linear(3, 8), mt.nn.Tanh(), mt.nn.Dropout(0.5), mt.nn.Linear(8, 2)).double()
    x = leaf()
    grads = []
    for how in (False, True):
        model.zero_grad()
        mt.manual_seed(7)
        y = checkpoint(model, x, use_reentrant=reentrant) if how else model(x)
        after = mt.rand(1)
        (y * y).sum().backward()
        grads.append([array(p.grad) for p in model.parameters()] + [array(after)])
        assert mt.rand(1) != after
    for p, q in zip(*grads):
        np.testing.assert_allclose(p, q, rtol=1e-12)


@BOTH
def test_nested(reentrant) -> None:
    x, u = leaf(), leaf()

    def inner(t):
        return t.exp() * t

    def outer(t):
        t = t.sin() * t
        t = checkpoint(inner, t, use_reentrant=reentrant)
        return checkpoint(inner, t * 0.1, use_reentrant=reentrant).cos()

    checkpoint(outer, x, use_reentrant=reentrant).sum().backward()
    inner(inner(u.sin() * u) * 0.1).cos().sum().backward()
    assert_near(x.grad, array(u.grad), 1e-12)


def test_with_grad_twice_and_keywords() -> None:
    x = leaf()
    y = checkpoint(lambda x, *, k: (x * k).exp(), x, use_reentrant=False, k=2).sum()
    (g,) = mt.autograd.grad(y, x, retain_graph=True)
    assert_near(g, 2 * np.exp(2 * X), 1e-12)
    (g,) = mt.autograd.grad(y, x)
    assert_near(g, 2 * np.exp(2 * X), 1e-12)


def test_runs_and_what_is_kept() -> None:
    runs = []

    def counted(x):
        runs.append(1)
        return x.exp().exp()

    x = leaf(X / 4)
    y = checkpoint(counted, x, use_reentrant=False)
    assert len(runs) == 1
    y.sum().backward()
    assert len(runs) == 2
    with mt.no_grad():
        checkpoint(counted, x, use_reentrant=False)
    assert len(runs) == 3


def test_context_functions() -> None:
    seen = []

    class Note:
        def __init__(self, text):
            self.text = text

        def __enter__(self):
            seen.append(self.text)

        def __exit__(self, *exception):
            pass

    x = leaf()
    y = checkpoint(mt.exp, x, use_reentrant=False, context_fn=lambda: (Note("first"), Note("second")))
    assert seen == ["first"]
    y.sum().backward()
    assert seen == ["first", "second"]


@BOTH
def test_sequential(reentrant) -> None:
    model = mt.nn.Sequential(*[mt.nn.Linear(3, 3) for _ in range(5)]).double()
    x, u = leaf(), leaf()
    module.checkpoint_sequential(model, 2, x, use_reentrant=reentrant).sum().backward()
    model(u).sum().backward()
    assert_near(x.grad, array(u.grad), 1e-12)


def test_runs_that_differ() -> None:
    state = [True]

    def changes(x):
        return x.exp() if state[0] else x[0].exp()

    y = checkpoint(changes, leaf(), use_reentrant=False)
    state[0] = False
    with refuses(module.CheckpointError, "different metadata"):
        y.sum().backward()


def test_warnings_and_refusals() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checkpoint(mt.exp, leaf())
    assert any("use_reentrant" in str(w.message) for w in caught)
    with pytest.raises(ValueError):
        checkpoint(mt.exp, leaf(), use_reentrant=True, k=3)


@pytest.mark.cpu_only("it counts the memory of the CPU")
@only_here
def test_memory() -> None:
    def deep(x):
        for _ in range(10):
            x = x.exp().log()
        return x

    x = mt.ones(100_000, requires_grad=True)
    before = mt.memory_stats()["allocated"]
    kept = deep(x)
    plain = mt.memory_stats()["allocated"] - before
    del kept
    kept = checkpoint(lambda x: checkpoint(deep, x * 1, use_reentrant=False), x, use_reentrant=False)
    assert mt.memory_stats()["allocated"] - before < plain / 5
    kept.sum().backward()


@pytest.mark.parametrize("reentrant", [True, False])
def test_the_second_run_has_the_precision_of_the_first(reentrant: bool) -> None:
    kinds = []

    def f(x):
        y = x[None] @ x[:, None]
        kinds.append(y.dtype)
        return y.float()

    x = mt.tensor([2.0, 3.0], requires_grad=True)
    with mt.autocast("cpu"):
        y = checkpoint(f, x, use_reentrant=reentrant)
    y.sum().backward()
    with mt.autocast("cpu"):
        checkpoint(f, x, use_reentrant=reentrant).sum().backward()
        y = checkpoint(lambda x: x, x, use_reentrant=reentrant)
    assert set(kinds) == {mt.bfloat16} and x.grad.tolist() == [8, 12]


def test_a_reentrant_one_fills_all_leaves_or_none() -> None:
    x, w = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    y = checkpoint(lambda x: x * w, x, use_reentrant=True).sum()
    with refuses(RuntimeError, "incompatible with .grad()", "use_reentrant=False"):
        mt.autograd.grad(y, x)
    with refuses(RuntimeError, "inputs"):
        y.backward(inputs=[x])
    assert w.grad is None


def test_debug_lists_the_operations_of_both_runs() -> None:
    runs = []

    def f(x):
        runs.append(1)
        return x.exp() if len(runs) == 1 else mt.cat([x, x]).exp()

    x = mt.ones(2, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False, debug=True).sum()
    with refuses(mt.utils.checkpoint.CheckpointError, "first run", "exp(torch.float32 (2,))", "second run", "cat("):
        y.backward()
    with refuses(ValueError, "use_reentrant=False"):
        checkpoint(f, x, use_reentrant=True, debug=True)
