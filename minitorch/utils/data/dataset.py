"""Data sets: collections of samples, by index or as a stream."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import minitorch
from minitorch import Tensor

from .sampler import place_of

T = TypeVar("T", covariant=True)
Gather = Callable[[Tensor], "list[Tensor]"]


class Dataset(Generic[T]):
    """Samples by index: a subclass defines ``__getitem__``, and ``__len__`` for most uses.

    It may define ``__getitems__(indices)``, which returns a list of samples, where that is faster.
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], Iterable[T]):
    """Samples as a stream: a subclass defines ``__iter__``."""

    def __add__(self, other: Dataset[T]) -> ChainDataset:
        return ChainDataset([self, other])


class TensorDataset(Dataset["tuple[Tensor, ...]"]):
    """Samples are the slices of tensors along their first dimension.

    Raises:
        AssertionError: if the first dimensions differ.

    >>> data = minitorch.utils.data.TensorDataset(minitorch.arange(3), minitorch.arange(3) ** 2)
    >>> data[2]
    (tensor(2), tensor(4))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.shape[0] != tensors[0].shape[0] for tensor in tensors):
            raise AssertionError(f"Size mismatch between tensors: {[tensor.shape[0] for tensor in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class StackDataset(Dataset[Any]):
    """Data sets side by side: a sample is a tuple of their samples, or a dictionary if they are given names.

    Raises:
        ValueError: if they have different lengths, or there are none.

    >>> minitorch.utils.data.StackDataset(image=["a", "b"], label=[3, 4])[1]
    {'image': 'b', 'label': 4}
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset takes data sets either by position or by name" if args else
                             "At least one dataset should be passed")
        self.datasets = kwargs or args
        self._length = len(next(iter(self._parts())))
        if any(len(part) != self._length for part in self._parts()):
            raise ValueError(f"Size mismatch between datasets: {[len(part) for part in self._parts()]}")

    def _parts(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def _sample(self, values: Sequence[Any]) -> Any:
        return dict(zip(self.datasets, values, strict=True)) if isinstance(self.datasets, dict) else tuple(values)

    def __getitem__(self, index: Any) -> Any:
        return self._sample([part[index] for part in self._parts()])

    def __getitems__(self, indices: list[int]) -> list[Any]:
        columns = [_samples(part, indices) for part in self._parts()]
        return [self._sample(values) for values in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


def _samples(dataset: Any, indices: list[int]) -> list[Any]:
    """The samples at these indices, in one go if the data set can."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[i] for i in indices]
    samples = dataset.__getitems__(indices)
    if len(samples) != len(indices):
        raise ValueError(f"{type(dataset).__name__}.__getitems__ gave {len(samples)} samples for {len(indices)} "
                         "indices")
    return samples


class ConcatDataset(Dataset[T]):
    """Data sets one after another.

    >>> len(minitorch.utils.data.ConcatDataset([[1, 2], [3]]))
    3
    """

    datasets: list[Dataset[T]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T:
        size = len(self)
        if not -size <= index < size:
            raise (ValueError if index < 0 else IndexError)(f"index {index} is out of range for {size} samples")
        index %= size
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset):
    """Streams one after another."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class Subset(Dataset[T]):
    """The samples of a data set at these indices.

    >>> minitorch.utils.data.Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    dataset: Dataset[T]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T]:
        return _samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[T], lengths: Sequence[int | float], generator: Any = None) -> list[Subset[T]]:
    """Divide a data set at random.

    Args:
        lengths: the sizes of the parts, or fractions that sum to 1.
        generator: where the permutation is drawn from; by default from the global one.

    Raises:
        ValueError: if the sizes do not sum to the data set's.

    >>> [len(part) for part in minitorch.utils.data.random_split(range(10), [0.7, 0.3])]
    [7, 3]
    """
    size = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        fractions, lengths = lengths, [math.floor(size * fraction) for fraction in lengths]
        for i in range(size - sum(lengths)):
            lengths[i % len(fractions)] += 1
        for i, length in enumerate(lengths):
            if length == 0:
                warnings.warn(f"random_split: the part at index {i} is empty", stacklevel=2)
    if sum(lengths) != size:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset: "
                         f"{sum(lengths)} and {size}")
    order = minitorch.randperm(size, generator=generator, device=place_of(generator)).tolist()
    return [Subset(dataset, order[end - length:end]) for end, length in zip(accumulate(lengths), lengths, strict=True)]


def gatherer(dataset: Dataset) -> Gather | None:
    """How to fetch a batch of this data set in one go, from a tensor of indices; None if there is no such way.

    What it fetches is what collating the samples one by one gives.  A subclass may have changed what a sample is, so
    only the classes themselves count.
    """
    if type(dataset) is TensorDataset:
        tensors = dataset.tensors
        return lambda indices: [tensor.index_select(0, indices) for tensor in tensors]
    if type(dataset) is Subset and (gather := gatherer(dataset.dataset)):
        size = len(dataset.dataset)
        inside = range(size)
        if isinstance(dataset.indices, (list, range)) and all(type(i) is int and i in inside for i in dataset.indices):
            own = minitorch.tensor(list(dataset.indices), dtype=minitorch.int64)
            return lambda indices: gather(own.index_select(0, indices))
    return None
