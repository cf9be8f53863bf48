"""The allocator, and that nothing leaks: not tensors, not errors, not threads."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from helpers import array, assert_same, mt, only_here, succeed, tensor

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@only_here
def test_statistics_and_empty_cache() -> None:
    """Live bytes follow tensors; freed blocks are kept until they are asked back."""
    gc.collect()
    mt.empty_cache()
    before = mt.memory_stats()
    assert isinstance(before, dict) and all(isinstance(v, int) for v in before.values())
    live = next(
        k
        for k in ("allocated_bytes.all.current", "allocated_bytes", "allocated", "live_bytes", "in_use")
        if k in before
    )
    x = mt.zeros(1 << 20)
    during = mt.memory_stats()
    assert during[live] - before[live] >= 4 << 20
    v = x[5:]
    del x
    assert mt.memory_stats()[live] == during[live], "a view keeps the storage"
    del v
    assert mt.memory_stats()[live] == before[live]
    mt.empty_cache()
    after = mt.memory_stats()
    assert after[live] == before[live]


@only_here
def test_blocks_are_reused() -> None:
    x = mt.zeros(1 << 18)
    address = x.data_ptr()
    del x
    assert mt.zeros(1 << 18).data_ptr() == address


def test_alignment() -> None:
    for n in (1, 3, 17, 1000, 100_003):
        for dtype in (mt.uint8, mt.float32, mt.float64):
            assert mt.empty(n, dtype=dtype).data_ptr() % 64 == 0


RESIDENT = """
import gc, os
def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
def flat(work, rounds, limit=6.0):
    for _ in range(max(1, rounds // 5)):
        work()
    gc.collect()
    before = resident()
    for _ in range(rounds):
        work()
    gc.collect()
    grown = resident() - before
    assert grown < limit, f"{grown:.1f} MiB more"
"""


@only_here
def test_a_million_mixed_operations() -> None:
    """At constant memory: pointwise, views, reductions, products, indexing, gradients, errors."""
    succeed(
        RESIDENT
        + """
import numpy as np
x = mt.ones(8, 4)
w = mt.ones(4, 4, requires_grad=True)
index = mt.tensor([0, 2, 2])
mask = x > 0
def views(y, z):
    z = z.t().contiguous().view(-1)[3:20].reshape(17, 1).expand(17, 3).sum(0).mean()
    return z.item(), y.tolist(), repr(y.shape), mt.from_numpy(y.numpy()), y.clone(), y[index], y[mask], y.permute(1, 0)
def reductions(y):
    return (y.sum(1, keepdim=True), y.amax(0), y.argmax(1), y.max(0), mt.softmax(y, 1), y.std(), y.cumsum(0), y.norm(),
            (y > 0).any(), y.prod(1))
def mixed(y):
    h = y @ w.detach()
    t = mt.zeros(3)
    t[1] = 5
    return mt.where(mask, y, h), mt.cat([y, h]), mt.stack([y, h]), y.to(mt.float64)
def gradients():
    loss = mt.nn.functional.cross_entropy(x @ w, mt.zeros(8, dtype=mt.int64))
    loss.backward()
    (g,) = mt.autograd.grad(((x @ w) ** 2).sum(), w, create_graph=True)
    g.sum().backward()
    w.grad = None
def errors():
    for f in (lambda: x + mt.zeros(3, 3), lambda: x[99], lambda: x.view(5, 5)):
        try:
            f()
        except (RuntimeError, IndexError):
            pass
def work():
    for _ in range(2):
        y = x + 1
        y = (y * 2.5 - x) / 3
        y.add_(1)
        y.mul_(x)
        views(y, y.exp().log().tanh().sigmoid().relu())
        reductions(y)
        mixed(y)
        gradients()
        errors()
        with mt.no_grad():
            w * 2
flat(work, 10_000)
""",
        timeout=400,
    )


@only_here
@pytest.mark.parametrize(
    "work",
    [
        "t = mt.zeros(3, 3); t.itself = t",
        "x = mt.ones(3, requires_grad=True); (x ** 2).sum().backward(create_graph=True)",
        "x = mt.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: (y, g)[1]); x.y = y",
        "mt.from_numpy(np.ones(1000)).numpy()",
        "mt.ones(1000)[::2].numpy()",
        "[f() for f in failing]",
        "mt.tensor([[1.0, 2.0], [3.0, 4.0]]).tolist()",
        "mt.zeros(2, 3, 4, 5, 6, 7).permute(5, 4, 3, 2, 1, 0).contiguous()",
        "mt.empty(12345 + k % 100); k += 1",
        "x = mt.ones(5, requires_grad=True); y = x.exp(); y.zero_(); failing[0](); del y",
        "mt.promote_types(mt.float16, mt.int8); mt.finfo(mt.float32).eps; mt.ones(2, dtype=mt.int8) + 1.5",
        "x = mt.ones(3, 4, requires_grad=True); y = x * 1; y[0] = 3; y[1:].mul_(2); y.sum().backward()",
    ],
    ids=[
        "cycle",
        "double backward",
        "hook",
        "array",
        "strided array",
        "errors",
        "lists",
        "many dimensions",
        "sizes",
        "version error",
        "dtypes",
        "in place",
    ],
)
def test_leaks(work: str) -> None:
    succeed(
        RESIDENT
        + f"""
import numpy as np
def error(f):
    def run():
        try:
            f()
        except Exception:
            pass
        else:
            raise AssertionError("no error")
    return run
failing = [error(f) for f in (
    lambda: mt.zeros(2) + mt.zeros(3), lambda: mt.zeros(2)[5], lambda: mt.zeros(2).view(3),
    lambda: mt.zeros(2, 2) @ mt.zeros(3, 3), lambda: mt.tensor([[1], [2, 3]]), lambda: mt.zeros(2**50),
    lambda: mt.zeros(3).sum(7), lambda: mt.tensor([1]) // 0)]
k = 0
def one():
    global k
    {work}
    gc.collect() if k % 50 == 0 else None
flat(lambda: [one() for _ in range(100)], 12, 3.0)
"""
    )


def test_many_threads_at_once() -> None:
    """Results are right, whichever threads run them, and the number of threads of the engine may change meanwhile."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((64, 64)).astype("f4"), rng.standard_normal(200_000).astype("f4")
    want_product, want_sum = a @ a, b.sum(dtype="f8")
    errors = []

    def work(seed: int) -> None:
        try:
            x, y = tensor(a), tensor(b)
            for k in range(60):
                np.testing.assert_allclose(array(x @ x), want_product, rtol=1e-4, atol=1e-4)
                assert abs(float(y.sum()) - want_sum) < 0.1
                assert_same((y + 1)[::1000], (b + 1)[::1000])
                parts = [mt.full((n,), float(n)) for n in range(seed, 200, 7)]
                assert all(p.sum() == n * n for p, n in zip(parts, range(seed, 200, 7)))
                if seed == 0:
                    mt.set_num_threads(1 + k % 3)
        except BaseException as error:  # handed to the test's own thread
            errors.append(error)

    before = mt.get_num_threads()
    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        assert not any(t.is_alive() for t in threads), "a thread hangs"
    finally:
        mt.set_num_threads(before)
    assert not errors, errors[0]


def test_tensors_may_die_in_another_thread() -> None:
    import queue

    pipe: queue.Queue = queue.Queue(100)

    def drop() -> None:
        while pipe.get() is not None:
            pass

    thread = threading.Thread(target=drop)
    thread.start()
    for k in range(5000):
        pipe.put(mt.ones(k % 500 + 1) * 2)
    pipe.put(None)
    thread.join(60)
    assert not thread.is_alive()


def test_the_lock_is_released_in_kernels() -> None:
    """Another Python thread runs while a long operation does."""
    counted = [0]
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    x = mt.ones(1500, 1500)
    thread.start()
    try:
        before = counted[0]
        for _ in range(5):
            x = (x @ x) * 1e-4
        assert counted[0] - before > 100
    finally:
        stop.set()
        thread.join()


WORK = """
x = mt.ones(400, 400, requires_grad=True)
y = (x @ x).sum()
y.backward()
assert y.item() == 400.0 ** 3 and x.grad[0, 0].item() == 800
big = mt.ones(3_000_000)
assert (big + 1).sum().item() == 6_000_000
"""


@only_here  # PyTorch's children hang
@pytest.mark.parametrize("when", ["before", "after", "both"])
def test_forked_children(when: str) -> None:
    """Compute, whether or not the parent has used its threads, and can be waited for; the parent goes on."""
    parent = "" if when == "before" else WORK
    succeed(
        f"""
import os, sys
mt.set_num_threads(2)
{parent}
for generation in range(3):
    child = os.fork()
    if child == 0:
        code = 1
        try:
{chr(10).join("            " + line for line in WORK.strip().splitlines())}
            grandchild = os.fork()
            if grandchild == 0:
                assert (mt.ones(100_000) + 1).sum().item() == 200_000
                os._exit(0)
            assert os.waitpid(grandchild, 0)[1] == 0
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
{WORK if when == "both" else ""}
""",
        timeout=120,
    )


@only_here
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes(method: str, tmp_path) -> None:
    """multiprocessing both ways, tensors going there and back."""
    script = tmp_path / "workers.py"
    script.write_text(f"""
import multiprocessing
import {mt.__name__} as mt

def work(t):
    return (t @ t.T).sum().item(), mt.ones(200_000).sum().item()

if __name__ == "__main__":
    x = mt.ones(300, 300)
    (x @ x).sum()
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        for total, ones in pool.map(work, [x * k for k in range(6)], chunksize=1):
            assert ones == 200_000, ones
        results = [r[0] for r in pool.map(work, [x * k for k in range(6)])]
    assert results == [27_000_000.0 * k * k for k in range(6)], results
    print("done")
""")
    assert "done" in succeed(
        f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
        if method == "fork"
        else f"""
import subprocess, sys
print(subprocess.run([sys.executable, {str(script)!r}], check=True, capture_output=True, text=True).stdout)
""",
        timeout=120,
    )


def test_numbers_of_threads() -> None:
    before = mt.get_num_threads()
    assert before >= 1
    try:
        for n in (1, 2, 5):
            mt.set_num_threads(n)
            assert mt.get_num_threads() == n
            assert (mt.ones(1_000_000) * 2).sum() == 2_000_000
        for bad in (0, -1):
            with pytest.raises((RuntimeError, ValueError)):
                mt.set_num_threads(bad)
        for bad in ("a", None, 1.5):
            with pytest.raises((TypeError, RuntimeError)):
                mt.set_num_threads(bad)
    finally:
        mt.set_num_threads(before)


@only_here
def test_exit_with_work_and_tensors_alive() -> None:
    """The interpreter ends cleanly with graphs, threads and cached memory about, also from a daemon thread at work."""
    succeed("""
import threading
x = mt.ones(1000, 1000, requires_grad=True)
y = (x @ x).tanh()
y.me = y
def spin():
    a = mt.ones(300, 300)
    while True:
        a = (a @ a) * 1e-3
threading.Thread(target=spin, daemon=True).start()
(mt.ones(2_000_000) + 1).sum()
""")
