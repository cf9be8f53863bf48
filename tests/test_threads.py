"""The thread pool: what it splits, and that nothing makes it hang."""
import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from minitorch._ext import threads as pool


def square(values, grain=1, nested=False, times=1):
    pool._test_square(values.ctypes.data, values.size, grain, nested, times)


def pieces(n, grain):
    begin, end = np.full(n, -1, np.intp), np.full(n, -1, np.intp)
    pool._test_pieces(begin.ctypes.data, end.ctypes.data, n, grain)
    return [(int(b), int(e)) for b, e in zip(begin, end, strict=True) if b >= 0]


def check_square(n=10_007, **how):
    values = np.arange(n, dtype=np.float64)
    expected = values**2
    square(values, **how)
    np.testing.assert_array_equal(values, expected)


@pytest.fixture(autouse=True)
def three_threads():
    before = pool.get_num_threads()
    pool.set_num_threads(3 if pool.pool_info()["built_with_threads"] else 1)
    yield
    pool.set_num_threads(before)


needs_threads = pytest.mark.skipif(not pool.pool_info()["built_with_threads"], reason="built without threads")
needs_fork = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 100, 10_007])
@pytest.mark.parametrize("grain", [-1, 0, 1, 7, 1 << 40])
def test_every_element_once(n, grain):
    check_square(n, grain=grain)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 10, 99])
@pytest.mark.parametrize("grain", [1, 2, 4, 50])
def test_pieces_cover_and_respect_the_grain(n, grain):
    found = pieces(n, grain)
    assert found[0][0] == 0 and found[-1][1] == n
    assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    assert len(found) <= pool.get_num_threads()
    assert len(found) == max(1, min(pool.get_num_threads(), n // grain))
    lengths = [e - b for b, e in found]
    assert max(lengths) - min(lengths) <= 1
    assert len(found) == 1 or min(lengths) >= grain


def test_bursts_and_sleeps():
    """Jobs before, while and after the workers fall asleep."""
    for pause in (0, 0, 0, 1e-4, 0, 0.01, 0):
        for _ in range(50):
            check_square(1000)
        time.sleep(pause)


def test_nested_call_runs_in_its_caller():
    check_square(nested=True)


def test_many_small_jobs():
    values = np.ones(64)
    square(values, times=20_000)
    assert (values == 1).all()


def test_from_several_python_threads():
    failures = []

    def work():
        try:
            for _ in range(200):
                check_square(5000)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for n in (1, 2, 4, 3, 1, 3):  # resizing waits for its turn
        pool.set_num_threads(n) if n == 1 or pool.pool_info()["built_with_threads"] else None
        time.sleep(0.005)
    for w in workers:
        w.join(60)
    assert not failures and not any(w.is_alive() for w in workers)


@needs_threads
def test_workers_start_at_first_use_and_leave_when_not_wanted():
    pool.set_num_threads(1)
    assert pool.pool_info()["workers_started"] == 0
    pool.set_num_threads(4)
    assert pool.pool_info()["workers_started"] == 0
    check_square()
    assert pool.pool_info()["workers_started"] == 3
    pool.set_num_threads(2)
    check_square()
    assert pool.pool_info()["workers_started"] == 1


def test_num_threads_is_checked():
    with pytest.raises(RuntimeError, match="positive number of threads, got 0"):
        pool.set_num_threads(0)
    with pytest.raises(RuntimeError, match="got -2"):
        pool.set_num_threads(-2)
    for wrong in (1.0, "2", None, True):
        with pytest.raises(TypeError, match="expected an int"):
            pool.set_num_threads(wrong)


@needs_threads
def test_num_threads_takes_what_counts_as_an_integer():
    pool.set_num_threads(np.int64(2))
    assert pool.get_num_threads() == 2
    pool.set_num_threads(10**30)
    assert pool.get_num_threads() == 256


def report_from_child(queue):
    check_square()
    queue.put(pool.pool_info()["workers_started"])


def child_works(method):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=report_from_child, args=(queue,), daemon=True)
    child.start()
    started = queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    return started


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_child_process(method):
    check_square()
    started = child_works(method)
    if method == "fork":
        assert started == pool.get_num_threads() - 1
    check_square()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_while_another_thread_is_inside():
    stop = threading.Event()

    def keep_busy():
        values = np.ones(20_000)
        while not stop.is_set():
            square(values, times=50)

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                check_square()
                os._exit(0)
            deadline = time.monotonic() + 60
            while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
                assert time.monotonic() < deadline, "the child hangs"
                time.sleep(0.001)
            assert done[1] == 0
    finally:
        stop.set()
        busy.join(60)
    assert not busy.is_alive()
    check_square()


@needs_fork
def test_grandchild():
    """A forked child's own workers survive nothing either: its children start theirs."""
    code = ("import os, numpy as np\n"
            "from minitorch._ext import threads as pool\n"
            "pool.set_num_threads(3)\n"
            "x = np.full(1000, 2.0)\n"
            "for depth in range(3):\n"
            "    pool._test_square(x.ctypes.data, x.size)\n"
            "    child = os.fork()\n"
            "    if child:\n"
            "        raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
            "raise SystemExit(0 if (x == 2.0**8).all() else 1)\n")
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def threads_of_new_process(code="pool.get_num_threads()", **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("MINITORCH_NUM_THREADS", "OMP_NUM_THREADS")}
    return subprocess.run([sys.executable, "-c", f"from minitorch._ext import threads as pool; print({code})"],
                          env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=True)


@needs_threads
def test_environment():
    assert threads_of_new_process().stdout.split() == [str(pool.available_cpus())]
    assert threads_of_new_process(OMP_NUM_THREADS="3,2").stdout.split() == ["3"]
    assert threads_of_new_process(OMP_NUM_THREADS="3", MINITORCH_NUM_THREADS="5").stdout.split() == ["5"]
    wrong = threads_of_new_process(MINITORCH_NUM_THREADS="many")
    assert wrong.stdout.split() == [str(pool.available_cpus())]
    assert "MINITORCH_NUM_THREADS='many' is not a positive number" in wrong.stderr


def test_exit_with_a_thread_still_working():
    code = ("import threading, numpy as np\n"
            "from minitorch._ext import threads as pool\n"
            "x = np.ones(100_000)\n"
            "def work():\n"
            "    while True: pool._test_square(x.ctypes.data, x.size)\n"
            "threading.Thread(target=work, daemon=True).start()\n"
            "pool._test_square(x.ctypes.data, x.size)\n")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
