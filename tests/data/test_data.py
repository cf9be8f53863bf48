"""Data sets, samplers, collating and the loader."""

from collections import namedtuple

import numpy as np
import pytest

import minitorch
from minitorch.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
)


def pairs(n=10):
    return TensorDataset(minitorch.arange(n * 3.0).reshape(n, 3), minitorch.arange(n))


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, i):
        return i * i


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def listed(batches):
    return [batch.tolist() for batch in batches]


def test_tensor_dataset():
    data = pairs()
    x, y = data[3]
    assert len(data) == 10 and x.tolist() == [9, 10, 11] and y == 3
    assert data[-1][1] == 9 and data[2:4][1].tolist() == [2, 3]
    with pytest.raises(AssertionError, match=r"\[2, 3\]"):
        TensorDataset(minitorch.ones(2), minitorch.ones(3))
    with pytest.raises(IndexError):
        data[10]


def test_joined_and_partial_sets():
    joined = ConcatDataset([[1, 2], [3], [4, 5]])
    assert [joined[i] for i in range(5)] == [1, 2, 3, 4, 5] and joined[-1] == 5 and joined[-5] == 1
    assert len(Squares() + Squares()) == 14
    for bad in (5, -6):
        with pytest.raises((IndexError, ValueError)):
            joined[bad]
    with pytest.raises(AssertionError):
        ConcatDataset([])
    with pytest.raises(AssertionError):
        ConcatDataset([Stream(1)])
    part = Subset(Squares(), [6, 1])
    assert len(part) == 2 and part[0] == 36 and part.__getitems__([1, 0]) == [1, 36]
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2] and len(ChainDataset([Stream(2), Stream(3)])) == 5
    with pytest.raises(NotImplementedError):
        Dataset()[0]


def test_random_split():
    minitorch.manual_seed(0)
    parts = random_split(range(10), [3, 7])
    assert [len(p) for p in parts] == [3, 7] and sorted(i for p in parts for i in p.indices) == list(range(10))
    assert [len(p) for p in random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    one, two = (random_split(range(9), [4, 5], minitorch.Generator().manual_seed(1))[0].indices for _ in range(2))
    assert one == two
    with pytest.raises(ValueError):
        random_split(range(10), [3, 3])
    with pytest.raises(ValueError):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="empty"):
        random_split(range(1), [0.5, 0.5])


def test_samplers():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    order = list(RandomSampler(range(20)))
    assert sorted(order) == list(range(20)) and order != list(range(20))
    assert len(list(RandomSampler(range(5), num_samples=12))) == 12
    drawn = list(RandomSampler(range(5), replacement=True, num_samples=40))
    assert len(drawn) == 40 and set(drawn) <= set(range(5))
    assert sorted(SubsetRandomSampler([4, 7, 9])) == [4, 7, 9]
    assert list(WeightedRandomSampler([0.0, 0.0, 1.0], 3)) == [2, 2, 2]
    assert sorted(WeightedRandomSampler([1.0, 1.0], 2, replacement=False)) == [0, 1]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]] and len(BatchSampler(range(5), 2, True)) == 2
    assert list(BatchSampler(range(5), 2, False))[-1] == [4] and len(BatchSampler(range(5), 2, False)) == 3
    for call, error in [
        (lambda: RandomSampler([]), ValueError), (lambda: RandomSampler([1], num_samples=-1), ValueError),
        (lambda: RandomSampler([1], replacement=1), TypeError), (lambda: BatchSampler([1], 0, False), ValueError),
        (lambda: BatchSampler([1], 1, 0), ValueError), (lambda: WeightedRandomSampler([1.0], 0), ValueError),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError), (lambda: list(Sampler()), NotImplementedError),
    ]:
        with pytest.raises(error):
            call()


Point = namedtuple("Point", "x y")


def test_default_collate():
    one = minitorch.ones(2)
    assert default_collate([one, one * 2]).tolist() == [[1, 1], [2, 2]]
    assert default_collate([np.ones(2), np.zeros(2)]).dtype == minitorch.float64
    assert default_collate([1.5, 2.5]).dtype == minitorch.float64
    assert default_collate([1, 2]).dtype == minitorch.int64 and default_collate([True]).dtype == minitorch.bool
    assert default_collate([np.float32(1), np.float32(2)]).dtype == minitorch.float32
    assert default_collate(["a", "b"]) == ["a", "b"]
    out = default_collate([{"x": 1, "y": ("a", 2.0)}, {"x": 3, "y": ("b", 4.0)}])
    assert out["x"].tolist() == [1, 3] and out["y"][0] == ("a", "b") and out["y"][1].tolist() == [2, 4]
    point = default_collate([Point(1, 2), Point(3, 4)])
    assert isinstance(point, Point) and point.x.tolist() == [1, 3]
    assert default_collate([[1, 2], [3, 4]])[1].tolist() == [2, 4]
    for bad, error in [([(1, 2), (1,)], RuntimeError), ([object()], TypeError), ([np.array(["a"])], TypeError),
                       ([one, minitorch.ones(3)], RuntimeError)]:
        with pytest.raises(error):
            default_collate(bad)


def test_default_convert():
    data = {"a": np.ones(2), "b": [np.int64(3), "text"], "c": (1, np.zeros(1)), "d": Point(np.ones(1), 2)}
    out = default_convert(data)
    assert out["a"].tolist() == [1, 1] and out["b"][0] == 3 and out["b"][1] == "text"
    assert out["c"][1].tolist() == [0] and isinstance(out["d"], Point)
    assert isinstance(out["a"], minitorch.Tensor) and isinstance(out["d"].x, minitorch.Tensor)


def test_loader_in_order():
    assert listed(DataLoader(Squares(), 3)) == [[0, 1, 4], [9, 16, 25], [36]]
    assert listed(DataLoader(Squares(), 3, drop_last=True)) == [[0, 1, 4], [9, 16, 25]]
    assert list(DataLoader(Squares(), None)) == [i * i for i in range(7)]
    assert list(DataLoader(Squares(), 4, collate_fn=sum)) == [14, 77]
    assert [len(DataLoader(Squares(), n, drop_last=d)) for n, d in [(3, False), (3, True), (None, False)]] == [3, 2, 7]
    assert listed(DataLoader(Squares(), sampler=[3, 1], batch_size=2)) == [[9, 1]]
    assert listed(DataLoader(Squares(), batch_sampler=[[0], [1, 2]])) == [[0], [1, 4]]
    assert len(DataLoader(Squares())) == 7


def test_loader_of_a_stream():
    assert listed(DataLoader(Stream(5), 2)) == [[0, 1], [2, 3], [4]]
    assert listed(DataLoader(Stream(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(2), None)) == [0, 1]
    assert [len(DataLoader(Stream(5), n, drop_last=d)) for n, d in [(2, False), (2, True), (None, False)]] == [3, 2, 5]


class Plain(TensorDataset):
    """The same samples, fetched one by one."""


@pytest.mark.parametrize("options", [
    {}, {"shuffle": True}, {"shuffle": True, "drop_last": True},
    {"batch_size": 7}, {"batch_size": 64}, {"batch_size": 1},
    {"sampler": "replacement"}, {"sampler": "long"}, {"shuffle": True, "generator": True}, {"sampler": "list"},
])
@pytest.mark.parametrize("part", [False, True])
def test_batches_in_one_go_equal_those_one_by_one(options, part):
    def batches(cls):
        tensors = minitorch.arange(90.0).reshape(30, 3), minitorch.arange(30, dtype=minitorch.int16)
        data = cls(*tensors)
        if part:
            data = Subset(Subset(data, range(29, -1, -1)), [5, 9, 9, 3, 20, 17, 0, 11])
        minitorch.manual_seed(5)
        given = {"batch_size": 4, **options}
        if "generator" in given:
            given["generator"] = minitorch.Generator().manual_seed(2)
        given["sampler"] = {"replacement": RandomSampler(data, True, 37), "long": RandomSampler(data, num_samples=75),
                            "list": [1, 0, -1], None: None}[given.get("sampler")]
        loader = DataLoader(data, **given)
        seen = []
        for _ in range(2):
            for batch in loader:
                seen.append([(type(batch), x.tolist(), x.dtype) for x in batch])
                seen.append(minitorch.randint(0, 1000, (1,)).item())
                if given.get("generator"):
                    seen.append(minitorch.rand(1, generator=given["generator"], device="cpu").item())
        return seen

    assert batches(TensorDataset) == batches(Plain)


def test_batches_are_copies():
    data = pairs()
    batch = next(iter(DataLoader(data, 10)))
    batch[0].zero_()
    assert data[1][0].tolist() == [3, 4, 5]


def test_fetching_many_at_once():
    class Many(Squares):
        def __getitems__(self, indices):
            return [-i for i in indices]

    assert listed(DataLoader(Many(), 4)) == [[0, -1, -2, -3], [-4, -5, -6]]


def test_loader_refuses():
    data, stream = Squares(), Stream(2)
    for options, error in [
        ({"num_workers": 2, "prefetch_factor": -1}, ValueError), ({"num_workers": -1}, ValueError),
        ({"num_workers": 1, "multiprocessing_context": "thread"}, ValueError), ({"timeout": -1}, ValueError),
        ({"timeout": 1}, ValueError), ({"prefetch_factor": 2}, ValueError), ({"persistent_workers": True}, ValueError),
        ({"shuffle": True, "sampler": [1]}, ValueError), ({"shuffle": 3}, ValueError),
        ({"batch_sampler": [[1]], "batch_size": 2}, ValueError),
        ({"batch_sampler": [[1]], "drop_last": True}, ValueError),
        ({"batch_size": None, "drop_last": True}, ValueError), ({"batch_size": 0}, ValueError),
    ]:
        with pytest.raises(error):
            DataLoader(data, **options)
    for options in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="IterableDataset"):
            DataLoader(stream, **options)
    loader = DataLoader(data)
    with pytest.raises(ValueError, match="after DataLoader is initialized"):
        loader.batch_size = 3
    assert get_worker_info() is None


@pytest.mark.cpu_only("with a device there is memory to pin")
def test_pinning_without_a_device_warns():
    with pytest.warns(UserWarning, match="pin_memory"):
        DataLoader(Squares(), pin_memory=True)
