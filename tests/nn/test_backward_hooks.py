"""Hooks on the gradients of modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from helpers import array, assert_near, mt, refuses

nn = mt.nn


def test_full_hooks_see_and_replace() -> None:
    layer, seen = nn.Linear(3, 2), []
    x = mt.ones(4, 3, requires_grad=True)
    handle = layer.register_full_backward_hook(lambda m, gi, go: seen.append((m, gi, go)))
    layer(x).sum().backward()
    (module, (gi,), (go,)) = seen[0]
    assert module is layer and tuple(gi.shape) == (4, 3) and tuple(go.shape) == (4, 2)
    assert_near(gi, array(mt.ones(4, 2) @ layer.weight))
    handle.remove()
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x.grad = None
    layer(x).sum().backward()
    assert len(seen) == 1
    assert_near(x.grad, array(10 * mt.ones(4, 2) @ layer.weight))


def test_pre_hooks() -> None:
    layer, seen = nn.Linear(3, 2), []
    x = mt.ones(4, 3, requires_grad=True)
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append(array(go[0])[0, 0]))
    layer(x).sum().backward()
    assert seen == [3.0]
    assert_near(layer.bias.grad, array(mt.full((2,), 12.0)))


def test_inputs_without_gradients_and_nesting() -> None:
    model, seen = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)), []
    for k, part in enumerate([model, *model]):
        part.register_full_backward_hook(lambda m, gi, go, k=k: seen.append((k, gi[0] is None, go[0] is None)))
    model(mt.ones(2, 3)).sum().backward()
    assert sorted(seen) == [(0, True, False), (1, True, False), (2, False, False), (3, False, False)]


def test_wrong_hooks() -> None:
    layer = nn.Linear(3, 2)
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with refuses(RuntimeError, "grad_input"):
        layer(mt.ones(1, 3, requires_grad=True)).sum().backward()


def test_several_outputs() -> None:
    class Two(nn.Module):
        def forward(self, x, y):
            return x * 2, y * 3

    two, seen = Two(), []
    two.register_full_backward_hook(lambda m, gi, go: seen.append([g is None for g in (*gi, *go)]))
    x, y = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    a, b = two(x, y)
    (a + b).sum().backward()
    assert seen == [[False] * 4]
    with pytest.warns(UserWarning, match="Tensor or a tuple"):

        class Text(nn.Module):
            def forward(self, x):
                return {"y": x}

        text = Text()
        text.register_full_backward_hook(lambda m, gi, go: None)
        text(x)
