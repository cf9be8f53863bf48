"""Samplers: the order in which a data set is gone through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import minitorch
from minitorch import Tensor

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """An order of indices: a subclass defines ``__iter__`` and usually ``__len__``."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class _InChunks(Sampler[int]):
    """A sampler that makes its indices many at a time, as tensors."""

    def _chunks(self) -> Iterator[Tensor]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        for chunk in self._chunks():
            yield from chunk.tolist()


class SequentialSampler(_InChunks):
    """From the first to the last.

    >>> list(minitorch.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def _chunks(self) -> Iterator[Tensor]:
        yield minitorch.arange(len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_InChunks):
    """At random.

    Args:
        replacement: an index may come again.
        num_samples: how many to draw; as many as there are if not given.
        generator: where to draw from.  By default one of its own, seeded from the global one at each pass.

    >>> sorted(minitorch.utils.data.RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError("num_samples should be a positive integer value, but got "
                             f"num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many indices a pass gives; the data set may change its size in between."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def _chunks(self) -> Iterator[Tensor]:
        # The sizes and the order of these draws are PyTorch's, a last permutation of which nothing is used included.
        size = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = minitorch.Generator().manual_seed(draw_seed())
        place = place_of(generator)
        if self.replacement:
            for _ in range(self.num_samples // 32):
                yield minitorch.randint(0, size, (32,), generator=generator, device=place)
            yield minitorch.randint(0, size, (self.num_samples % 32,), generator=generator, device=place)
        else:
            for _ in range(self.num_samples // size):
                yield minitorch.randperm(size, generator=generator, device=place)
            yield minitorch.randperm(size, generator=generator, device=place)[: self.num_samples % size]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """These indices at random, each once."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        place = place_of(self.generator)
        for i in minitorch.randperm(len(self.indices), generator=self.generator, device=place).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices with probabilities in proportion to `weights`.

    Args:
        num_samples: how many to draw.
        replacement: an index may come again.

    >>> list(minitorch.utils.data.WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        place = weights.device if isinstance(weights, Tensor) else place_of(generator)
        self.weights = minitorch.as_tensor(weights, dtype=minitorch.float64, device=place)
        if self.weights.ndim != 1:
            raise ValueError("weights should be a 1d sequence but given weights have shape "
                             f"{tuple(self.weights.shape)}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = minitorch.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler["list[int]"]):
    """The indices of another sampler in lists of `batch_size`.

    Args:
        drop_last: leave out a last list that is shorter.

    >>> list(minitorch.utils.data.BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)


def draw_seed(generator: Any = None) -> int:
    """A seed for another generator."""
    seed = minitorch.empty((), dtype=minitorch.int64, device=place_of(generator))
    return seed.random_(generator=generator).item()


def place_of(generator: Any) -> Any:
    """The device that a generator draws on; without one the CPU, whatever the default device is."""
    return "cpu" if generator is None else generator.device


def index_batches(sampler: Iterable) -> Iterator[Tensor] | None:
    """The batches of a BatchSampler as tensors of indices, drawn when its lists would be; None for other samplers."""
    if type(sampler) is BatchSampler and type(sampler.sampler) in (SequentialSampler, RandomSampler):
        return _cut(sampler.sampler._chunks(), sampler.batch_size, sampler.drop_last)
    return None


def _cut(chunks: Iterator[Tensor], size: int, drop_last: bool) -> Iterator[Tensor]:
    rest = minitorch.empty(0, dtype=minitorch.int64)
    for chunk in chunks:
        if len(rest):
            chunk = minitorch.cat([rest, chunk])
        full = len(chunk) // size * size
        for start in range(0, full, size):
            yield chunk[start:start + size]
        rest = chunk[full:]
    if len(rest) and not drop_last:
        yield rest
