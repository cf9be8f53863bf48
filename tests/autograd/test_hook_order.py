"""When hooks are called, and what they find: PyTorch's order, down to when a leaf gets its gradient."""

from __future__ import annotations

import pytest
from helpers import mt, refuses

graph = mt.autograd.graph


def leaf(*values):
    return mt.tensor(list(values), requires_grad=True)


def test_the_order() -> None:
    """A node's tensor hooks, then its pre-hooks, then its hooks; a leaf's as soon as nothing can add to it."""
    log = []
    x, w1, w2 = leaf(1.0), leaf(2.0), leaf(3.0)
    for name, t in (("x", x), ("w1", w1), ("w2", w2)):
        t.register_hook(lambda g, name=name: log.append(name))
        t.register_post_accumulate_grad_hook(lambda t, name=name: log.append(name + " filled"))
    h = x * w1
    h.register_hook(lambda g: log.append("h"))
    y = (h * w2).tanh()
    y.grad_fn.register_prehook(lambda outputs: log.append("y pre"))
    y.grad_fn.register_hook(lambda inputs, outputs: log.append("y node"))
    y.register_hook(lambda g: log.append("y"))
    h.grad_fn.register_hook(lambda inputs, outputs: log.append("h node"))
    y.backward()
    assert log == ["y", "y pre", "y node", "w2", "w2 filled", "h", "h node", "x", "x filled", "w1", "w1 filled"]


def test_a_hook_finds_the_leaves_behind_it_filled() -> None:
    w1, w2, found = leaf(2.0), leaf(5.0), []
    h = w1 * 2
    h.register_hook(lambda g: found.append((w1.grad, w2.grad.tolist())))
    (h * w2).backward()
    assert found == [(None, [4.0])] and w1.grad.item() == 10
    # a leaf that is used again further back is filled once, when that is done
    w, x, seen = leaf(2.0), leaf(3.0), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    h = x
    for _ in range(3):
        h = h * w
        h.register_hook(lambda g: seen.append(w.grad))
    h.backward()
    assert seen == [None, None, None, [36.0]]


def test_parameters_may_be_stepped_in_the_backward() -> None:
    """Their gradients need never be there all at once."""
    parameters = [leaf(1.0), leaf(2.0), leaf(3.0)]
    alive = []

    def step(p):
        alive.append(sum(q.grad is not None for q in parameters))
        with mt.no_grad():
            p.sub_(p.grad)
        p.grad = None

    for p in parameters:
        p.register_post_accumulate_grad_hook(step)
    ((parameters[0].exp() * parameters[1]).sin() * parameters[2]).backward()
    assert alive == [1, 1, 1] and all(p.grad is None for p in parameters)


def test_hooks_of_several_tensors() -> None:
    """Once a pass, with None for what it does not reach."""
    for mode, expected in (("all", [[2.0, 1.0, None], [6.0, 3.0, 2.0], [None, None, 2.0]]), ("any", [2.0, 2.0, 2.0])):
        log, (a, b, c) = [], (leaf(1.0), leaf(2.0), leaf(3.0))

        def note(grads, log=log, mode=mode):
            log.append(grads.item() if mode == "any" else [g if g is None else g.item() for g in grads])

        handle = graph.register_multi_grad_hook((a, b, c), note, mode=mode)
        (a * b).backward()
        (a * b * c).backward()
        (c * 2).backward()
        handle.remove()
        (c * 2).backward()
        assert len(log) == 3 and (mode == "any" or log == expected)


def test_grad_calls_only_the_hooks_on_its_way() -> None:
    log, a, b = [], leaf(2.0), leaf(3.0)
    a.register_hook(lambda g: log.append("a"))
    b.register_hook(lambda g: log.append("b"))
    mt.autograd.grad(a * b, [a])
    assert log == ["a"]


def test_a_kept_gradient_is_that_of_what_the_tensor_became() -> None:
    x = leaf(1.0, 2.0)
    h = x * 1
    h.retain_grad()
    h.mul_(3)
    (h * 2).sum().backward()
    assert h.grad.tolist() == [2, 2] and x.grad.tolist() == [6, 6] and h.retains_grad


def test_places_in_the_graph_as_arguments() -> None:
    x = leaf(2.0, 3.0)
    h = x * 2
    edge = graph.get_gradient_edge(h)
    y = (h * h).sum()
    del h
    inside, at_leaf = mt.autograd.grad(y, [edge, graph.get_gradient_edge(x)], retain_graph=True)
    assert inside.tolist() == [8, 12] and at_leaf.tolist() == [16, 24]
    assert mt.autograd.grad(edge, x, grad_outputs=(mt.ones(2),), retain_graph=True)[0].tolist() == [2, 2]
    mt.autograd.backward(edge, grad_tensors=(mt.ones(2),), inputs=[graph.get_gradient_edge(x)])
    assert x.grad.tolist() == [2, 2]
    for node in (edge.node, graph.get_gradient_edge(x).node):
        assert isinstance(node, graph.Node)
    with refuses(RuntimeError, "does not require grad"):
        graph.get_gradient_edge(mt.ones(1))


def test_hooks_on_what_a_node_keeps() -> None:
    log, x = [], leaf(2.0, 3.0)

    def pack(t):
        log.append("pack")
        return t * 2

    def unpack(t):
        log.append("unpack")
        return t

    y = x * x
    y.grad_fn._raw_saved_self.register_hooks(pack, unpack)
    assert log == ["pack"]
    with refuses(RuntimeError, "already been set"):
        y.grad_fn._raw_saved_self.register_hooks(pack, unpack)
    y.sum().backward()
    assert log == ["pack", "unpack"] and x.grad.tolist() == [6, 9]
    assert "_raw_saved_result" in dir(x.exp().grad_fn)

    class Twice(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    z = leaf(1.0)
    y = Twice.apply(z)
    y.grad_fn._raw_saved_tensors[0].register_hooks(lambda t: t * 5, lambda t: t)
    y.backward()
    assert z.grad.item() == 10


def test_a_pack_hook_may_not_change_its_input() -> None:
    with graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t), refuses(RuntimeError, "in place"):
        (leaf(1.0) * 1).exp()


@pytest.mark.parametrize("name", ["mat2 of mm", "vec of mv", "mat1 of addmm", "tensor of dot"])
def test_names_of_what_is_kept(name) -> None:
    a, x = mt.ones(2, 2, requires_grad=True), leaf(1.0, 2.0)
    nodes = {"mm": a @ a, "mv": a @ x, "addmm": mt.addmm(a, a, a), "dot": x.dot(x)}
    kept, _, operation = name.partition(" of ")
    node = nodes[operation].grad_fn
    assert mt.is_tensor(getattr(node, "_saved_" + kept))
