"""Worker processes of the DataLoader: the same batches as without, seeds, errors, deaths, and no hang."""

import glob
import multiprocessing
import os
import pathlib
import pickle
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import minitorch
from minitorch.utils import data
from minitorch.utils.data import sharing

STARTS = [start for start in ("fork", "spawn") if start in multiprocessing.get_all_start_methods()]
pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
    pytest.mark.cpu_only("workers hand over memory of the CPU"),
]


class Numbers(data.Dataset):
    """Samples of several kinds: a tensor of some size, a number and a string."""

    def __init__(self, size=23, width=5, dtype=minitorch.float32):
        self.size, self.width, self.dtype = size, width, dtype

    def __len__(self):
        return self.size

    def __getitem__(self, i):
        return {"x": minitorch.full((self.width,), i, dtype=self.dtype), "i": i, "name": str(i)}


class Failing(Numbers):
    def __init__(self, error, at):
        super().__init__()
        self.error, self.at = error, at

    def __getitem__(self, i):
        if i == self.at:
            raise self.error
        return i


class Deadly(Numbers):
    def __getitem__(self, i):
        if i == 9:
            os.kill(os.getpid(), signal.SIGKILL)
        return i


class Slow(Numbers):
    def __getitem__(self, i):
        time.sleep(60 if i == 3 else 0)
        return i


class Draws(Numbers):
    def __getitem__(self, i):
        info = data.get_worker_info()
        return info.id, info.seed - info.id, random.random(), minitorch.rand(()).item(), np.random.rand()


class Parts(data.IterableDataset):
    """A stream that is divided among the workers, unevenly."""

    def __iter__(self):
        info = data.get_worker_info()
        number = 0 if info is None else info.id
        yield from range(number * 100, number * 100 + (5 if number else 12))


class Pid(Numbers):
    def __getitem__(self, i):
        return os.getpid()


class TwoArguments(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


def note_worker(number):
    random.seed(number)


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert x.keys() == y.keys() and x["name"] == y["name"]
        for key in ("x", "i"):
            assert x[key].dtype == y[key].dtype and x[key].shape == y[key].shape and (x[key] == y[key]).all()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("width", [5, 20_000])  # through the pipe, and through shared memory
def test_the_batches_are_those_without_workers(start, width):
    numbers = Numbers(width=width)
    for options in ({"batch_size": 4, "shuffle": True}, {"batch_size": 4, "drop_last": True}, {"batch_size": None},
                    {"batch_sampler": [[3, 1], [2], [5, 4, 6]]}):
        minitorch.manual_seed(3)
        expected = list(data.DataLoader(numbers, **options))
        minitorch.manual_seed(3)
        seen = list(data.DataLoader(numbers, num_workers=2, multiprocessing_context=start, **options))
        if options.get("batch_size", 1) is None:
            assert all((a["x"] == b["x"]).all() and a["i"] == b["i"] for a, b in zip(expected, seen, strict=True))
        else:
            same(expected, seen)


def test_tensor_datasets_and_subsets():
    tensors = data.TensorDataset(minitorch.arange(11), minitorch.arange(22.0).reshape(11, 2))
    for dataset in (tensors, data.Subset(tensors, [5, 2, 7, 1])):
        for a, b in zip(data.DataLoader(dataset, 3), data.DataLoader(dataset, 3, num_workers=2), strict=True):
            assert all((x == y).all() for x, y in zip(a, b, strict=True))


def test_arriving_tensors_are_not_copied_and_leave_no_files():
    before = set(glob.glob("/dev/shm/minitorch-*"))
    loader = data.DataLoader(Numbers(width=50_000), batch_size=4, num_workers=2)
    kept = [batch["x"] for batch in loader]
    assert set(glob.glob("/dev/shm/minitorch-*")) <= before
    kept[0] += 1
    assert kept[0][1, 7] == 2 and kept[-1][-1, -1] == 22


@pytest.mark.parametrize("dtype", [minitorch.bfloat16, minitorch.float16, minitorch.bool, minitorch.int8])
def test_packing(tmp_path, dtype):
    big, small = minitorch.ones(300, 300).to(dtype), minitorch.zeros(0, 3, dtype=dtype)
    parameter = minitorch.nn.Parameter(minitorch.ones(2))
    value = {"a": [big, big.t()[::2], small, minitorch.tensor(1).to(dtype), big], "b": ("text", None), "p": parameter}
    out = sharing.unpack(pickle.loads(pickle.dumps(sharing.pack(value, str(tmp_path)))))
    for a, b in zip(value["a"], out["a"], strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
    assert out["a"][0] is out["a"][4] and out["b"] == value["b"] and type(out["p"]) is minitorch.nn.Parameter
    assert out["p"].requires_grad and not list(tmp_path.iterdir())


def test_packing_without_memory_to_share(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    value = minitorch.arange(100_000)
    packed = sharing.pack(value, str(tmp_path))
    assert not isinstance(packed[2], str) and (sharing.unpack(packed) == value).all()


def test_streams():
    assert sorted(data.DataLoader(Parts(), batch_size=None, num_workers=2)) == [*range(12), *range(100, 105)]
    batches = [b.tolist() for b in data.DataLoader(Parts(), batch_size=4, num_workers=2)]
    assert batches == [[0, 1, 2, 3], [100, 101, 102, 103], [4, 5, 6, 7], [104], [8, 9, 10, 11]]
    assert len(list(data.DataLoader(Parts(), batch_size=4, num_workers=2, drop_last=True))) == 4


def test_seeds():
    def draws(seed):
        minitorch.manual_seed(seed)
        return list(data.DataLoader(Draws(6), batch_size=None, num_workers=2))

    first = draws(5)
    assert first == draws(5) and first != draws(6)
    assert len({tuple(sample[2:]) for sample in first}) == 6 and len({sample[1] for sample in first}) == 1
    assert {sample[0] for sample in first} == {0, 1}


def test_worker_init_function():
    loader = data.DataLoader(Draws(4), batch_size=None, num_workers=2, worker_init_fn=note_worker)
    expected = [random.Random(0).random(), random.Random(1).random()]
    assert [sample[2] for sample in loader][:2] == expected


def test_persistent_workers():
    loader = data.DataLoader(Pid(8), batch_size=None, num_workers=2, persistent_workers=True, shuffle=True)
    first, second = set(loader), set(loader)
    assert first == second and len(first) == 2
    iterator = iter(loader)
    next(iterator)
    assert set(loader) == first  # a pass that was broken off
    loader = data.DataLoader(Pid(8), batch_size=None, num_workers=2)
    assert not set(loader) & set(loader)
    loader = data.DataLoader(Parts(), batch_size=None, num_workers=2, persistent_workers=True)
    assert sorted(loader) == sorted(loader) == [*range(12), *range(100, 105)]


def test_any_order():
    loader = data.DataLoader(Numbers(12), batch_size=None, num_workers=3, in_order=False)
    assert sorted(sample["i"] for sample in loader) == list(range(12))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("error", [KeyError("lost"), ValueError("wrong"), TwoArguments(1, 2)])
def test_exceptions_come_with_their_traceback(start, error):
    loader = data.DataLoader(Failing(error, 5), batch_size=2, num_workers=2, multiprocessing_context=start)
    expected = RuntimeError if isinstance(error, TwoArguments) else type(error)
    seen = []
    with pytest.raises(expected) as caught:
        for batch in loader:
            seen.append(batch.tolist())
    assert seen == [[0, 1], [2, 3]]
    text = str(caught.value)
    assert f"Caught {type(error).__name__} in DataLoader worker process 0.\nOriginal Traceback" in text
    assert "raise self.error" in text


def test_exceptions_elsewhere():
    def broken(number):
        raise ZeroDivisionError("in the beginning")

    with pytest.raises(ZeroDivisionError, match="in the beginning"):
        list(data.DataLoader(Numbers(), num_workers=1, worker_init_fn=broken))
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match=r"in DataLoader worker process"):
        list(data.DataLoader(Numbers(), num_workers=1, collate_fn=lambda samples: lambda: None))


def test_a_worker_that_dies():
    start = time.perf_counter()
    with pytest.raises(RuntimeError, match=r"worker \(pid\(s\) \d+, exit code -9\) exited unexpectedly"):
        list(data.DataLoader(Deadly(), batch_size=2, num_workers=2))
    assert time.perf_counter() - start < 20
    loader = data.DataLoader(Deadly(), batch_size=2, num_workers=1, persistent_workers=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            list(loader)


def test_timeout(monkeypatch):
    monkeypatch.setattr("minitorch.utils.data.workers.PATIENCE", 0.2)
    with pytest.raises(RuntimeError, match="timed out after 1 seconds"):
        list(data.DataLoader(Slow(), batch_size=None, num_workers=1, timeout=1))


def test_breaking_off_ends_the_workers():
    before = set(multiprocessing.active_children())
    for _ in data.DataLoader(Numbers(100), num_workers=2):
        break
    deadline = time.monotonic() + 10
    while set(multiprocessing.active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not set(multiprocessing.active_children()) - before


def test_many_indices_at_once():
    """More than a pipe holds, both ways."""
    tensors = data.TensorDataset(minitorch.arange(300_000))
    loader = data.DataLoader(tensors, batch_size=100_000, num_workers=1, prefetch_factor=3)
    assert sum(batch.sum() for batch, in loader) == 300_000 * 299_999 // 2


SCRIPT = """
import os, time
import minitorch
from minitorch.utils.data import DataLoader, Dataset

class Pids(Dataset):
    def __len__(self):
        return 50
    def __getitem__(self, i):
        return os.getpid()

loader = iter(DataLoader(Pids(), batch_size=None, num_workers=2, multiprocessing_context="fork"))
print(next(loader), next(loader), flush=True)
HOW
"""


@pytest.mark.skipif("fork" not in STARTS, reason="needs fork")
@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 9)", "raise SystemExit(0)"])
def test_workers_end_with_the_main_process(how):
    root = str(pathlib.Path(minitorch.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", SCRIPT.replace("HOW", how)], stdout=subprocess.PIPE, timeout=60,
                          env={**os.environ, "PYTHONPATH": root})
    for pid in map(int, done.stdout.split()):
        deadline = time.monotonic() + 10
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            with open(f"/proc/{pid}/stat") as file:
                if " Z " in file.read():
                    break
            time.sleep(0.05)
        else:
            assert not os.path.exists(f"/proc/{pid}")
