"""Several threads and one graph, a replay inside a replay, and what is left behind by either."""

from __future__ import annotations

import gc
import resource
import threading
import weakref

import pytest
from helpers import mt, refuses


def leaf(*values):
    return mt.tensor(list(values), dtype=mt.float64, requires_grad=True)


def at_once(n, work) -> None:
    """Run ``work(k)`` in n threads that start together; what one raises is raised here."""
    barrier, errors = threading.Barrier(n), []

    def run(k):
        try:
            barrier.wait()
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("size", [3, 70_000])
def test_one_graph_replayed_by_many(size: int) -> None:
    """Every thread adds the same gradient to the same leaves; none may be lost, however long an addition takes."""
    threads, rounds = 4, 25
    w = mt.ones(size, dtype=mt.float64, requires_grad=True)
    h = w * 3
    for _ in range(10):
        h = h * 1.0 + w
    loss = (h * h).sum()
    (expected,) = mt.autograd.grad(loss, w, retain_graph=True)
    at_once(threads, lambda k: [loss.backward(retain_graph=True) for _ in range(rounds)])
    assert mt.allclose(w.grad, expected * (threads * rounds))


def test_grad_of_one_graph_by_many() -> None:
    x = leaf(1.0, 2.0)
    h = x
    for _ in range(50):
        h = (h * 1.01).sin() + x
    (expected,) = mt.autograd.grad(h.sum(), x, retain_graph=True)

    def work(k):
        for _ in range(50):
            (g,) = mt.autograd.grad(h.sum(), x, retain_graph=True)
            assert mt.equal(g, expected)

    at_once(4, work)


def test_a_replay_that_sets_out_late() -> None:
    """One is made first, sets out while another is on its way, and leaves that one all of its gradient."""
    halted, go_on, found = threading.Event(), threading.Event(), []

    class Halt(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            halted.set()
            assert go_on.wait(60)
            return g

    x = leaf(1.0, 2.0)

    def other():
        found.extend(mt.autograd.grad((Halt.apply(x * 2) + x).sum(), x))  # x has 1 of its 3 when this halts

    thread = threading.Thread(target=other)

    def late():
        thread.start()
        assert halted.wait(60)
        yield (x * 5).sum()

    (g,) = mt.autograd.grad(late(), x)
    go_on.set()
    thread.join()
    assert g.tolist() == [5, 5] and found[0].tolist() == [3, 3]


def test_graphs_of_their_own_with_shared_leaves() -> None:
    w = mt.ones(50_000, dtype=mt.float64, requires_grad=True)
    calls = []
    w.register_hook(lambda g: calls.append(1))

    def work(k):
        for _ in range(20):
            ((w * (k + 1)).sum() + (w * 2).sum()).backward()

    at_once(4, work)
    assert mt.equal(w.grad, mt.full_like(w, 20.0 * (1 + 2 + 3 + 4 + 4 * 2)))
    assert len(calls) == 80, "a hook hears of the whole gradient of a replay once"


def test_a_graph_made_elsewhere() -> None:
    """Recording is a matter of the thread; replaying may be done by another one."""
    made = {}

    def work(k):
        x = leaf(float(k))
        made[k] = x, (x * x).sum()
        with mt.no_grad():
            assert not (x * 2).requires_grad

    at_once(3, work)
    for k, (x, y) in made.items():
        y.backward()
        assert x.grad.item() == 2 * k


def test_a_graph_is_given_back_once() -> None:
    """Without retain_graph one of the threads may be too late; the leaf then has one thread's gradient or none more."""
    for _ in range(20):
        x = leaf(2.0)
        y = x.exp().exp().sum()
        (expected,) = mt.autograd.grad(y, x, retain_graph=True)
        refused = []

        def work(k, y=y, refused=refused):
            try:
                y.backward()
            except RuntimeError as error:
                assert "second time" in str(error)
                refused.append(k)

        at_once(3, work)
        assert mt.allclose(x.grad, expected * (3 - len(refused)))


def test_a_replay_inside_a_replay() -> None:
    """In a hook and in a Function, of another graph and of leaves that the outer one fills too."""
    x, inner = leaf(3.0), leaf(5.0)

    class Inside(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with mt.enable_grad():
                y = x.detach().requires_grad_()
                (y**3).sum().backward()
                (inner * 2).sum().backward()
            return g * y.grad

    h = x * 2

    def hook(grad):
        with mt.enable_grad():
            (x * 10).sum().backward()
            (inner * inner).sum().backward()

    h.register_hook(hook)
    (Inside.apply(h) * x).sum().backward()
    # d(8 x^4) = 32 x^3, and what the hook added
    assert x.grad.item() == pytest.approx(32 * 27 + 10)
    assert inner.grad.item() == pytest.approx(2 + 10)


def test_many_replays_inside_each_other() -> None:
    depth = []

    class Nested(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            ctx.n = n
            return x * 2

        @staticmethod
        def backward(ctx, g):
            depth.append(ctx.n)
            if ctx.n:
                with mt.enable_grad():
                    y = mt.ones(1, requires_grad=True)
                    Nested.apply(y, ctx.n - 1).sum().backward()
            return g * 2, None

    x = mt.ones(1, requires_grad=True)
    Nested.apply(x, 60).sum().backward()
    assert depth == list(range(60, -1, -1)) and x.grad.item() == 2


def test_an_exception_leaves_what_pytorch_leaves() -> None:
    """Leaves that had their whole gradient have it; the others have none of it, and the graph can be replayed."""
    a, b = leaf(1.0), leaf(2.0)
    h = a * 2 + a

    def bad(grad):
        raise ValueError("not this one")

    handle = h.register_hook(bad)
    y = (h * b).sum()
    with refuses(ValueError, "not this one"):
        y.backward(retain_graph=True)
    assert a.grad is None and b.grad.item() == 3
    assert mt.is_grad_enabled()
    handle.remove()
    b.grad = None
    y.backward()
    assert a.grad.item() == 6 and b.grad.item() == 3
    # in a hook of a leaf: its own gradient is not added, nor that of those after it
    c, d = leaf(1.0), leaf(1.0)
    c.register_hook(bad)
    with refuses(ValueError, "not this one"):
        (d.exp() + c * 2).sum().backward()
    assert c.grad is None and d.grad is None

    # a Function that fails
    class Bad(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise TypeError("an error of its own")

    with refuses(TypeError, "of its own"):
        Bad.apply(c.exp() * d).sum().backward()
    assert c.grad is None and d.grad is None


# --- what is left behind ---------------------------------------------------------------------------------------------


class Counted:
    """Counts the tensors that live, by weak references: nothing but reference counting is at work."""

    def __init__(self) -> None:
        self.references: list[weakref.ref] = []

    def __call__(self, t):
        self.references.append(weakref.ref(t))
        return t

    def alive(self) -> int:
        return sum(reference() is not None for reference in self.references)


def plain(x, note):
    return note(note(x * 2).tanh()).sum()


def with_hooks(x, note):
    h = note(x * 2)
    h.register_hook(lambda g: note(g * 1))
    h.register_hook(lambda g, h=None: None)
    h.grad_fn.register_hook(lambda inputs, outputs: None)
    h.grad_fn.register_prehook(lambda outputs: None)
    h.retain_grad()
    h.grad_fn.metadata["note"] = "kept"
    return note(h.tanh()).sum()


def with_closures(x, note):
    h = note(x * 2)
    scale = note(h.detach() + 1)
    y = note(h.exp())
    y.register_hook(lambda g: g * scale)
    return (y * scale).sum()


def with_views(x, note):
    h = note(x * 2)
    v = note(h[0])
    v.mul_(3)
    h[1:].add_(v)
    return note(h.view(-1)).sum()


def with_function(x, note):
    class Own(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(x, y)
            ctx.other = note(x * 3)
            return y

        @staticmethod
        def backward(ctx, g):
            _, y = ctx.saved_tensors
            return g * y * ctx.other

    return note(Own.apply(note(x * 2))).sum()


def with_packing(x, note):
    with mt.autograd.graph.saved_tensors_hooks(lambda t: (note(t),), lambda packed: packed[0]):
        return note((x * 2).exp()).sum()


def with_checkpoint(x, note):
    def part(x):
        return note(note(x * 2).tanh())

    return mt.utils.checkpoint.checkpoint(part, x, use_reentrant=False).sum()


def with_second_derivatives(x, note):
    y = note((x * x).exp())
    (g,) = mt.autograd.grad(y.sum(), x, create_graph=True)
    return (note(g) ** 2).sum()


STEPS = [plain, with_hooks, with_closures, with_views, with_function, with_packing, with_checkpoint,
         with_second_derivatives]  # fmt: skip


@pytest.mark.parametrize("forward", STEPS, ids=lambda f: f.__name__)
def test_a_step_leaves_nothing(forward) -> None:
    """Neither a replayed graph nor one that is dropped before: no tensor waits for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for replayed in (True, False):
            x, note = mt.rand(3, 3, dtype=mt.float64).requires_grad_(), Counted()
            loss = forward(x, note)
            if replayed:
                loss.backward()
            assert note.references
            del loss
            assert note.alive() == 0, f"{note.alive()} of {len(note.references)} tensors live"
            node = weakref.ref((x * 2).grad_fn)
            assert node() is None
    finally:
        gc.enable()


def test_a_step_of_training_leaves_nothing() -> None:
    gc.collect()
    model = mt.nn.Sequential(mt.nn.Linear(4, 8), mt.nn.BatchNorm1d(8), mt.nn.ReLU(), mt.nn.Linear(8, 2))
    model.register_full_backward_hook(lambda module, inputs, outputs: None)
    model[0].register_forward_hook(lambda module, inputs, output: output * 1)
    optimizer = mt.optim.Adam(model.parameters())
    live = []
    gc.disable()
    try:
        for _ in range(4):
            optimizer.zero_grad()
            loss = mt.nn.functional.cross_entropy(model(mt.rand(5, 4)), mt.tensor([0, 1, 0, 1, 0]))
            loss.backward()
            optimizer.step()
            del loss
            live.append(sum(isinstance(o, mt.Tensor) for o in gc.get_objects()))
            memory = mt.memory_stats()["allocated"]
            live.append(memory)
    finally:
        gc.enable()
    assert live[2:4] == live[4:6] == live[6:8]


def test_a_million_nodes(device) -> None:
    """Recorded, replayed and dropped in a bounded number of bytes a node."""
    n = 1_000_000 if device == "cpu" else 50_000            # each takes a launch there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x = mt.ones(1, requires_grad=True)
    y = x
    for _ in range(n // 2):
        y = y * 1.0 + x
    y.backward()
    assert x.grad.item() == n // 2 + 1
    del y
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 1500 * n, f"{grown / n:.0f} bytes a node"
