"""What runs in a worker process of a `DataLoader`."""

from __future__ import annotations

import multiprocessing
import queue
import random
import shutil
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection
from typing import Any

import numpy as np

import minitorch

from . import worker_info
from .collate import default_collate
from .dataset import Dataset, IterableDataset, gatherer
from .sharing import pack
from .worker_info import WorkerInfo

DATA, RAISED, ENDED = range(3)


class Raised:
    """An exception on its way to another process, with its traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.type, self.where = type(error), where
        self.text = "".join(traceback.format_exception(error))

    def reraise(self) -> None:
        """Raise it here, the traceback in the message."""
        message: Any = f"Caught {self.type.__name__} {self.where}.\nOriginal {self.text}"
        try:
            error = self.type(_Verbatim(message) if self.type is KeyError else message)
        except Exception:  # its class wants other arguments
            raise RuntimeError(message) from None
        raise error


class _Verbatim(str):
    """KeyError prints the representation of its message, which is one long line."""

    def __repr__(self) -> str:
        return str(self)


@dataclass
class Task:
    """All that a worker needs to know; under spawn it is pickled."""

    dataset: Dataset
    collate: Callable
    batched: bool
    drop_last: bool
    base_seed: int
    number: int
    workers: int
    init: Callable[[int], None] | None
    directory: str


def fetcher(task: Task) -> Callable[[Any], Any]:
    """How to get a batch from its indices; of a stream, the next one, or StopIteration."""
    dataset, collate = task.dataset, task.collate
    if isinstance(dataset, IterableDataset):
        samples = iter(dataset)

        def following(indices: Any) -> Any:
            if not task.batched:
                return collate(next(samples))
            batch = list(islice(samples, len(indices)))
            if not batch or (task.drop_last and len(batch) < len(indices)):
                raise StopIteration
            return collate(batch)

        return following
    if not task.batched:
        return lambda index: collate(dataset[index])
    gather = gatherer(dataset) if collate is default_collate else None
    if gather is not None:
        return lambda indices: gather(minitorch.tensor(indices, dtype=minitorch.int64))
    getitems = getattr(dataset, "__getitems__", None)
    if callable(getitems):
        return lambda indices: collate(getitems(indices))
    return lambda indices: collate([dataset[index] for index in indices])


def seed_everything(base_seed: int, number: int) -> None:
    """Seed Python's, our and NumPy's random numbers of a worker, as PyTorch does."""
    random.seed(base_seed + number)
    minitorch.manual_seed(base_seed + number)
    words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))


def work(task: Task, pipe: connection.Connection, close: list[connection.Connection]) -> None:
    """The life of a worker: batches for indices, until the other side is gone.

    Args:
        close: the other side's ends of pipes, which a forked process has too.
    """
    for other in close:
        other.close()
    minitorch.set_num_threads(1)
    seed_everything(task.base_seed, task.number)
    worker_info.info = WorkerInfo(task.number, task.workers, task.base_seed + task.number, task.dataset)
    where = f"in DataLoader worker process {task.number}"
    fetch, broken = None, None
    try:
        if task.init is not None:
            task.init(task.number)
    except Exception as error:
        broken = Raised(error, where)
    asked, ended = queue.SimpleQueue(), threading.Event()
    threading.Thread(target=_listen, args=(pipe, asked, ended, task.directory), daemon=True).start()
    try:
        while (request := asked.get()) is not None and not ended.is_set():
            number, indices = request
            if number is None:  # another pass
                fetch = None
                continue
            kind, value = DATA, None
            try:
                if broken is not None:
                    kind, value, broken = RAISED, broken, None
                else:
                    fetch = fetch or fetcher(task)
                    value = fetch(indices)
                packed = pack(value, task.directory)
            except Exception as error:
                stream = isinstance(task.dataset, IterableDataset)
                kind = ENDED if stream and isinstance(error, StopIteration) else RAISED
                packed = pack(None if kind == ENDED else Raised(error, where), task.directory)
            del value
            pipe.send((number, kind, packed))
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # the main process is gone, or will say so itself


def _listen(pipe: connection.Connection, asked: queue.SimpleQueue, ended: threading.Event, directory: str) -> None:
    """Read what is asked of this worker at once, so that asking never waits; None is the end."""
    parent = multiprocessing.parent_process()
    watched = [pipe] if parent is None else [pipe, parent.sentinel]
    request = ()
    while request is not None:
        try:
            ready = connection.wait(watched)
            request = pipe.recv() if pipe in ready else None
        except (EOFError, OSError):
            ready, request = [], None
        if request is None:
            ended.set()
            if pipe not in ready:  # the main process died without a word, and cannot clean up after itself
                shutil.rmtree(directory, ignore_errors=True)
        asked.put(request)
