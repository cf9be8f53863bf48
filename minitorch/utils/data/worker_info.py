"""What a worker process of a `DataLoader` knows about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker process knows about itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: what its random numbers were seeded with.
        dataset: its own copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


info: WorkerInfo | None = None  # set in a worker


def get_worker_info() -> WorkerInfo | None:
    """What this worker process knows about itself; None outside one.

    A stream (`IterableDataset`) asks it which part of the data is its own.

    >>> minitorch.utils.data.get_worker_info() is None
    True
    """
    return info
