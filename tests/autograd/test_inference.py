"""Inference mode: its tensors never become part of a graph, and their changes are not counted."""

from __future__ import annotations

import copy

import pytest
from helpers import mt, refuses


def made_inside():
    with mt.inference_mode():
        return mt.ones(2)


def leaf():
    return mt.tensor([2.0, 3.0], requires_grad=True)


def test_which_tensors_are() -> None:
    """Those that are made inside, and views of them; what is computed from them outside is a normal tensor."""
    x = mt.ones(2)
    with mt.inference_mode():
        a = mt.ones(2)
        inside = [a, a.view(2), a + 1, a.detach(), x + 1, mt.from_numpy(a.numpy())]
        assert all(t.is_inference() for t in inside)
        assert not x.view(2).is_inference() and not x.is_inference()
    assert all(t.is_inference() for t in (a, a.view(2), a.detach(), a.contiguous())) and mt.is_inference(a)
    assert not any(t.is_inference() for t in (a + 1, a.clone(), copy.deepcopy(a), mt.from_numpy(a.numpy())))


def test_changes_in_place() -> None:
    a = made_inside()
    for change in (lambda: a.add_(1), lambda: a.__setitem__(0, 2.0), lambda: mt.add(mt.ones(2), 1, out=a), a.zero_):
        with refuses(RuntimeError, "inference tensor", "clone"):
            change()
        with mt.no_grad(), refuses(RuntimeError, "inference tensor"):
            change()
    with mt.inference_mode():
        a.add_(1)
    assert a.tolist() == [2, 2]
    with refuses(RuntimeError, "version"):
        a._version  # noqa: B018
    x = mt.ones(2)
    with mt.inference_mode():
        x.add_(1)
    assert x.tolist() == [2, 2] and x._version == 1


def test_no_part_of_a_graph() -> None:
    """What an operation need not save it may take; anything else is refused, by name."""
    a, w = made_inside(), leaf()
    assert (w + a).requires_grad
    with refuses(RuntimeError, "Inference tensors cannot be saved", "Mul", "float32 (2,)"):
        w * a
    with refuses(RuntimeError, "Inference tensors cannot be saved"):
        mt.nn.Linear(2, 2)(a)
    with mt.no_grad():
        assert not mt.nn.Linear(2, 2)(a).is_inference()

    class Own(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g, None

    with refuses(RuntimeError, "Inference tensors cannot be saved", "Own"):
        Own.apply(w, a)
    (w * 3).backward(a)
    assert w.grad.tolist() == [3, 3] and not w.grad.is_inference()


def test_requires_grad() -> None:
    a = made_inside()
    with refuses(RuntimeError, "requires_grad", "inference"):
        a.requires_grad_()
    with refuses(RuntimeError, "requires_grad", "inference"):
        mt.nn.Parameter(a)
    with mt.inference_mode():
        b = mt.ones(2, requires_grad=True)
        assert b.requires_grad and b.is_leaf and not (b * 2).requires_grad
    assert (b + 1).requires_grad


def test_modes_inside() -> None:
    with mt.inference_mode():
        assert not mt.is_grad_enabled()
        with mt.enable_grad():
            assert mt.is_grad_enabled() and mt.is_inference_mode_enabled()
            assert not (leaf() * 2).requires_grad
        assert not mt.is_grad_enabled()
        with mt.inference_mode(False):
            assert mt.is_grad_enabled() and not mt.is_inference_mode_enabled()
            x = leaf()
            assert not x.is_inference() and (x * 2).requires_grad
        assert mt.is_inference_mode_enabled() and not mt.is_grad_enabled()
    assert mt.is_grad_enabled() and (leaf() * 2).requires_grad
    with mt.no_grad():
        with mt.inference_mode():
            pass
        assert not mt.is_grad_enabled()


def test_views_that_must_not_be_changed() -> None:
    """The gradient of the change would have to reach a base that knows nothing of the view."""
    for mode, name in ((mt.no_grad, "no_grad"), (mt.inference_mode, "inference")):
        for base in (leaf(), leaf() * 1, mt.ones(2)):
            with mode():
                view = base.view(2)
            assert view._is_view() and not view.requires_grad
            for v in (view, view[:1]):
                with refuses(RuntimeError, f"created in {name} mode"):
                    v.mul_(leaf()[: v.shape[0]])
        with mode():
            base.view(2).mul_(3)
    with mt.no_grad():
        view = mt.ones(2).view(2)
    assert view.mul_(3).tolist() == [3, 3]


@pytest.mark.parametrize("cut", ["unbind", "split", "chunk", "iterate"])
def test_one_of_several_views(cut: str) -> None:
    def pieces(h):
        return {"unbind": h.unbind, "split": lambda: h.split(1), "chunk": lambda: h.chunk(2),
                "iterate": lambda: list(h)}[cut]()  # fmt: skip

    h = leaf().repeat(2, 1) * 1
    for piece in pieces(h):
        for v in (piece, piece.view(-1)):
            with refuses(RuntimeError, "multiple views", "mul_"):
                v.mul_(2)
        with mt.no_grad():
            piece.mul_(2)
    plain = mt.ones(2, 2)
    pieces(plain)[0].mul_(2)
    assert plain.sum().item() == 6
    h = mt.ones(2, 2, requires_grad=True) * 1
    h.unsafe_split(1)[0].mul_(3)
    h.tensor_split(2)[1].mul_(5)
    assert h.tolist() == [[3, 3], [5, 5]]


def test_a_view_that_a_function_made() -> None:
    class Flat(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g.view(2, 2)

    class Same(Flat):
        @staticmethod
        def forward(ctx, x):
            return x

    for function in (Flat, Same):
        y = function.apply(mt.ones(2, 2, requires_grad=True) * 1)
        with refuses(RuntimeError, "custom Function"):
            y.mul_(2)
