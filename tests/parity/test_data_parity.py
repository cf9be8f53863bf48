"""What worker processes of the DataLoader give, beside PyTorch's: order, seeds and random numbers."""

import random

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
