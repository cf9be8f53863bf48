"""What worker processes of the DataLoader give, beside PyTorch's: order, seeds and random numbers."""

import random
from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def made(library, kind):
    """The same data set for either library."""
    data = library.utils.data

    class Draws(data.Dataset):
        def __len__(self):
            return 11

        def __getitem__(self, i):
            info = data.get_worker_info()
            return [i, info.id, info.seed, random.random(), np.random.rand(), library.rand(()).item()]

    class Stream(data.IterableDataset):
        def __iter__(self):
            info = data.get_worker_info()
            for i in range(7 if info.id else 4):
                yield [i, info.id, info.seed, library.rand(()).item()]

    return Draws() if kind == "map" else Stream()


@pytest.mark.parametrize("options", [
    {"batch_size": 3, "shuffle": True}, {"batch_size": None}, {"batch_size": 2, "persistent_workers": True},
    {"batch_size": 4, "drop_last": True, "own": True},
])
@pytest.mark.parametrize("kind", ["map", "stream"])
def test_batches(kind, options):
    if kind == "stream" and "shuffle" in options:
        return

    def run(library):
        library.manual_seed(11)
        given = {key: value for key, value in options.items() if key != "own"}
        if "own" in options:
            given["generator"] = library.Generator().manual_seed(4)
        loader = library.utils.data.DataLoader(
            made(library, kind), num_workers=3, multiprocessing_context="fork", collate_fn=list, **given)
        return [list(loader) for _ in range(2)], library.rand(2).tolist()

    assert run(minitorch) == run(torch)


@pytest.mark.parametrize("lengths", [[3, 7, 1], [0.5, 0.3, 0.2], [0.33, 0.33, 0.34]])
def test_random_split(lengths):
    def run(library):
        generator = library.Generator().manual_seed(5)
        return [list(part) for part in library.utils.data.random_split(range(11), lengths, generator)]

    assert run(minitorch) == run(torch)


@pytest.mark.parametrize("make", [
    lambda d: d.RandomSampler(range(10)), lambda d: d.RandomSampler(range(10), True, 50),
    lambda d: d.RandomSampler(range(10), num_samples=23), lambda d: d.SubsetRandomSampler([4, 2, 9, 1]),
    lambda d: d.WeightedRandomSampler([0.1, 0.5, 2.0, 1.0], 20),
    lambda d: d.WeightedRandomSampler([0.1, 0.5, 2.0, 1.0], 4, replacement=False),
    lambda d: d.BatchSampler(d.RandomSampler(range(10)), 3, False),
])
def test_samplers(make):
    def run(library):
        library.manual_seed(1)
        return list(make(library.utils.data))

    assert run(minitorch) == run(torch)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("size", "replicas"), [(10, 3), (2, 5), (12, 4), (7, 1)])
def test_distributed_sampler(size, replicas, drop_last):
    def run(library):
        orders = []
        for rank in range(replicas):
            sampler = library.utils.data.DistributedSampler(range(size), replicas, rank, seed=3, drop_last=drop_last)
            sampler.set_epoch(2)
            orders.append((len(sampler), list(sampler)))
        return orders

    assert run(minitorch) == run(torch)


def plain(value):
    """Types and values, comparable between libraries."""
    if hasattr(value, "tolist"):
        return type(value).__name__, str(getattr(value, "dtype", "")), value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    return value


class Pair(NamedTuple):
    a: object
    b: object


BATCHES = {
    "ints": lambda t: [1, 2, 3], "floats": lambda t: [1.0, 2.5], "bools": lambda t: [True, False],
    "strings": lambda t: ["a", "b"], "bytes": lambda t: [b"a", b"b"], "tensors": lambda t: [t.ones(2), t.zeros(2)],
    "scalars": lambda t: [np.float32(1), np.float32(2)], "int8": lambda t: [np.int8(1), np.int8(2)],
    "arrays": lambda t: [np.arange(2), np.arange(2)], "half": lambda t: [np.ones(2, np.float16)] * 2,
    "zero-d": lambda t: [np.array(1.5), np.array(2.5)], "tuples": lambda t: [(1, "a", t.ones(1)), (2, "b", t.zeros(1))],
    "lists": lambda t: [[1, 2.0], [3, 4.0]], "dicts": lambda t: [{"x": 1, "y": [2]}, {"x": 3, "y": [4]}],
    "ordered": lambda t: [OrderedDict(a=1), OrderedDict(a=2)], "named": lambda t: [Pair(1, "x"), Pair(2, "y")],
    "default": lambda t: [defaultdict(list, a=[1]), defaultdict(list, a=[2])], "nested": lambda t: [((1, (2,)),)] * 2,
}


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_collating_and_converting(make):
    for function in ("default_collate", "default_convert"):
        ours, theirs = (plain(getattr(library.utils.data, function)(make(library))) for library in (minitorch, torch))
        assert ours == theirs


@pytest.mark.parametrize("batch", [[None, None], [object()], [np.array(["a"])], [[1], [1, 2]]])
def test_what_cannot_be_collated(batch):
    errors = []
    for library in (minitorch, torch):
        with pytest.raises((TypeError, RuntimeError)) as caught:
            library.utils.data.default_collate(batch)
        errors.append(caught.type)
    assert errors[0] is errors[1]
