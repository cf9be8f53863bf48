"""The part of a data set that one of several processes goes through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized

import minitorch

from .sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index from `rank` on, so that all processes together go through a data set.

    The numbers are PyTorch's.  There is no `distributed` to ask, so `num_replicas` and `rank` must be given.

    Args:
        shuffle: in an order that depends on `seed` and on the epoch that `set_epoch` was given.
        drop_last: leave out what would make the parts differ in size, instead of repeating some indices.

    Raises:
        RuntimeError: without `num_replicas` and `rank`.
        ValueError: if the rank is not below `num_replicas`.

    >>> DistributedSampler = minitorch.utils.data.DistributedSampler
    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in range(2)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("DistributedSampler: give num_replicas and rank, there is no distributed package to ask")
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        size = len(dataset)
        drops = drop_last and size % num_replicas
        self.num_samples = math.ceil((size - num_replicas if drops else size) / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        if self.shuffle:
            generator = minitorch.Generator().manual_seed(self.seed + self.epoch)
            indices = minitorch.randperm(len(self.dataset), generator=generator, device="cpu").tolist()
        else:
            indices = list(range(len(self.dataset)))
        if not self.drop_last and indices:
            indices *= math.ceil(self.total_size / len(indices))
        return iter(indices[self.rank:self.total_size:self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Which pass this is, for the order of the next."""
        self.epoch = epoch
