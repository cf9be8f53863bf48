"""Deep graphs: nothing recurses, whatever is done with a chain of a million nodes, and no memory is left behind."""

from __future__ import annotations

import pytest
from helpers import ORACLE, succeed

SMALL_STACK = "ulimit -s 512;"


def test_a_million_nodes_replayed_and_dropped() -> None:
    """On a stack of half a megabyte."""
    succeed(
        """
    import gc
    x = mt.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del y
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    del y                              # dropped without having been replayed
    gc.collect()
    """,
        prefix=SMALL_STACK,
    )


def test_a_chain_that_saves_tensors() -> None:
    succeed(
        """
    x = mt.ones(3, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y.tanh() * x + y[:]
    z = y.sum()
    z.backward(retain_graph=True)
    del y, z
    """,
        prefix=SMALL_STACK,
    )


def test_views_upon_views_and_in_place_upon_in_place() -> None:
    succeed(
        """
    import gc
    x = mt.ones(4, requires_grad=True)
    y = x * 1
    for _ in range(100_000):
        y = y.view(4)
    y.sum().backward()
    assert x.grad.tolist() == [1] * 4
    z = x * 1
    for _ in range(100_000):
        z.mul_(1.0)
    z.sum().backward()
    assert x.grad.tolist() == [2] * 4
    del y, z
    gc.collect()
    t = mt.zeros(4)
    for _ in range(300_000):
        t = t[:]
    del t
    """,
        prefix=SMALL_STACK,
    )


def test_dropped_by_the_collector() -> None:
    """A long chain that is part of a cycle is freed by gc, which must not recurse either."""
    succeed(
        """
    import gc
    x = mt.ones(1, requires_grad=True)
    y = x
    for _ in range(300_000):
        y = y * 1.0
    x.end = y
    del x, y
    gc.collect()
    """,
        prefix=SMALL_STACK,
    )


def test_a_deep_graph_of_gradients() -> None:
    """create_graph over a long chain, dropped."""
    succeed(
        """
    x = mt.ones(1, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y * y.detach()
    (g,) = mt.autograd.grad(y, x, create_graph=True)
    del g, y
    x = mt.full((1,), 1.0, requires_grad=True)
    y = x
    for _ in range(3_000):
        y = y * x
    (g,) = mt.autograd.grad(y, x, create_graph=True)
    assert g.item() == 3001
    (h,) = mt.autograd.grad(g, x)
    assert h.item() == 3001 * 3000
    """,
        prefix=SMALL_STACK,
    )


def test_a_wide_graph() -> None:
    """A hundred thousand paths into one sum."""
    succeed(
        """
    x = mt.ones(1, requires_grad=True)
    total = sum((x * float(k % 7) for k in range(100_000)), mt.zeros(1))
    total.backward()
    assert x.grad.item() == sum(k % 7 for k in range(100_000))
    parts = mt.stack([x[0] * 1.0 for _ in range(5_000)])
    parts.sum().backward()
    """,
        prefix=SMALL_STACK,
    )


@pytest.mark.skipif(ORACLE, reason="PyTorch's own memory is not on trial")
def test_memory_of_graphs_is_returned() -> None:
    """After a few rounds of a hundred thousand nodes, more of them take no more memory."""
    succeed("""
    import gc, os
    def resident():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    x = mt.ones(10, requires_grad=True)
    def one_round(replay):
        y = x
        for _ in range(100_000):
            y = y * 1.0 + x
        if replay:
            y.sum().backward()
    for k in range(6):
        one_round(k % 2)
    gc.collect()
    before = resident()
    for k in range(8):
        one_round(k % 2)
    gc.collect()
    assert resident() - before < 8, resident() - before
    """)
