"""Tensors between processes: shared, not copied; and what spawn makes of processes that fail."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time

import numpy as np
import pytest

import minitorch
import minitorch.multiprocessing as mp
from minitorch import nn
from minitorch.multiprocessing.memory import share

STARTS = [start for start in ("fork", "spawn", "forkserver") if start in multiprocessing.get_all_start_methods()]
pytestmark = [
    pytest.mark.filterwarnings("ignore:The given NumPy array is not writable"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
    pytest.mark.cpu_only("processes share memory of the CPU"),
]


def test_sharing_keeps_values_views_and_arrays() -> None:
    x = minitorch.arange(6.0)
    row, array = x.view(2, 3)[1], x.numpy()
    assert not x.is_shared() and x.share_memory_() is x
    assert x.is_shared() and row.is_shared() and share(x) is share(row)
    row[0] = 9
    others = [minitorch.full((6,), 7.0) for _ in range(64)]  # which would take the memory it was, were that free
    assert x.tolist() == [0, 1, 2, 9, 4, 5] and len(others) == 64
    assert array.tolist() == [0, 1, 2, 3, 4, 5]  # NumPy's is the memory it was
    assert not x.clone().is_shared() and not pickle.loads(pickle.dumps(x)).is_shared()
    for there in (np.frombuffer(b"\2\2\2", np.uint8), np.full(3, 2)):  # the first is not for writing
        y = minitorch.from_numpy(there).share_memory_()
        assert y.add_(1).tolist() == [3, 3, 3] and there.tolist() == [2, 2, 2]
    for empty in (minitorch.empty(0), minitorch.empty(3, 0, dtype=minitorch.complex64)):
        assert empty.share_memory_().is_shared()


def test_modules_share_parameters_buffers_and_gradients() -> None:
    model = nn.BatchNorm1d(2)
    model(minitorch.ones(3, 2)).sum().backward()
    assert model.share_memory() is model
    assert all(t.is_shared() for t in [*model.parameters(), *model.buffers(), model.weight.grad])


def test_the_graph_notices_that_nothing_changed() -> None:
    w = minitorch.ones(2, requires_grad=True)
    y = (w * w).sum()
    w.share_memory_()
    y.backward()
    assert w.grad.tolist() == [2, 2]


def _answer(given, answers) -> None:
    tensors = given.get()
    tensors[0].add_(1)
    answers.put([(type(t), t.dtype, t.requires_grad, t.is_shared()) for t in tensors])
    answers.put(minitorch.arange(3) + 5)
    given.get()  # the sender lives until its tensor has arrived


@pytest.mark.parametrize("start", STARTS)
def test_queues(start) -> None:
    context = mp.get_context(start)
    given, answers = context.SimpleQueue(), context.SimpleQueue()
    process = context.Process(target=_answer, args=(given, answers))
    process.start()
    x = minitorch.zeros(2, 3)
    sent = [x, x.T, x[1, 1:], nn.Parameter(minitorch.ones(2)), minitorch.ones(2, dtype=minitorch.bfloat16),
            minitorch.tensor(True), minitorch.empty(0, 4), minitorch.ones(3, dtype=minitorch.complex128)]  # fmt: skip
    given.put(sent)
    assert answers.get() == [(type(t), t.dtype, t.requires_grad, True) for t in sent]
    assert x.tolist() == [[1, 1, 1]] * 2
    assert answers.get().tolist() == [5, 6, 7]
    given.put(None)
    process.join()
    assert process.exitcode == 0


def test_what_arrives_is_what_was_sent() -> None:
    receiver, sender = mp.Pipe(duplex=False)
    x = minitorch.randn(4, 5)
    parts = [x[1:, ::2], x.T, x.view(2, 10)[:, 3], x.to(minitorch.bfloat16), x > 0, x.long()[2]]
    sender.send(parts)
    for sent, got in zip(parts, receiver.recv(), strict=True):
        assert got.dtype == sent.dtype and got.stride() == sent.stride() and got.equal(sent)
    sender.send(x)
    assert receiver.recv().data_ptr() == x.data_ptr()  # the file is mapped once
    with pytest.raises(RuntimeError, match="detach"):
        sender.send(x.requires_grad_() * 2)


def test_files_are_closed() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not list open files")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        minitorch.ones(3).share_memory_()
    assert len(os.listdir("/proc/self/fd")) <= before


def _descend(rank, model, done) -> None:
    minitorch.manual_seed(rank)
    optimizer = minitorch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(150):
        x = minitorch.randn(16, 2)
        optimizer.zero_grad()
        ((model(x) - x @ minitorch.tensor([[1.0], [-2.0]])) ** 2).mean().backward()
        optimizer.step()
    done[rank] = 1


@pytest.mark.parametrize("start", STARTS)
def test_processes_train_one_model(start) -> None:
    model, done = nn.Linear(2, 1).share_memory(), minitorch.zeros(2).share_memory_()
    assert mp.start_processes(_descend, (model, done), nprocs=2, start_method=start) is None
    assert done.tolist() == [1, 1]
    np.testing.assert_allclose(model.weight.detach().numpy(), [[1, -2]], atol=1e-3)


def _fail(rank, how) -> None:
    if rank:
        time.sleep(60)
    elif how == "raise":
        raise ValueError("number zero")
    elif how == "exit":
        os._exit(3)
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def test_failures_end_the_others() -> None:
    started = time.monotonic()
    with pytest.raises(mp.ProcessRaisedException, match="number zero") as raised:
        mp.spawn(_fail, ("raise",), nprocs=2)
    assert raised.value.error_index == 0 and "Traceback" in str(raised.value)
    with pytest.raises(mp.ProcessExitedException, match="exit code 3") as ended:
        mp.start_processes(_fail, ("exit",), nprocs=2, start_method=STARTS[0])
    assert pickle.loads(pickle.dumps(ended.value)).exit_code == 3
    with pytest.raises(mp.ProcessExitedException, match="SIGKILL"):
        mp.start_processes(_fail, ("kill",), nprocs=2, start_method=STARTS[0])
    assert time.monotonic() - started < 45


def test_joining_later() -> None:
    context = mp.start_processes(time.sleep, (), nprocs=1, join=False, start_method=STARTS[0])
    while not context.join(timeout=5):
        pass
    assert context.join() and len(context.pids()) == 1


def test_refusals() -> None:
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy("file_descriptor")
    with pytest.raises(NotImplementedError, match="ulimit"):
        mp.set_sharing_strategy("file_system")
    with pytest.raises(ValueError, match="start_processes"):
        mp.spawn(time.sleep, start_method="fork")
