"""The side of a `DataLoader` that gives work to its worker processes and takes their batches."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import time
import weakref
from collections.abc import Iterator
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from .dataset import IterableDataset
from .sampler import draw_seed
from .sharing import new_directory, unpack
from .worker import DATA, RAISED, Task, work

if TYPE_CHECKING:
    from .dataloader import DataLoader

PATIENCE = 5.0  # seconds for a worker to end by itself


class WorkersIterator(Iterator[Any]):
    """A pass through a data set, whose batches are made in other processes.

    Each batch has a number.  Numbers are asked of the workers in turn, some ahead of what is being used, and given out
    in their order however they arrive.
    """

    def __init__(self, loader: DataLoader) -> None:
        self.loader = loader
        self.timeout, self.in_order = loader.timeout, loader.in_order
        self.stream = isinstance(loader.dataset, IterableDataset)
        self.indices: Iterator[Any] = iter(())
        seed = draw_seed(loader.generator)
        self.directory = new_directory()
        self.processes: list[Any] = []
        self.pipes: list[connection.Connection] = []
        self._finalizer = weakref.finalize(self, _end, os.getpid(), self.processes, self.pipes, self.directory)
        context = loader.multiprocessing_context or multiprocessing.get_context()
        forks = context.get_start_method() == "fork"
        for number in range(loader.num_workers):
            ours, theirs = context.Pipe()
            self.pipes.append(ours)
            task = Task(loader.dataset, loader.collate_fn, loader.batch_sampler is not None, loader.drop_last, seed,
                        number, loader.num_workers, loader.worker_init_fn, self.directory)
            process = context.Process(target=work, args=(task, theirs, list(self.pipes) if forks else []), daemon=True)
            process.start()
            self.processes.append(process)
            theirs.close()
        self._start()

    def reset(self) -> None:
        """Begin another pass with the same workers."""
        while self.pending:  # batches that were asked for and are not wanted any more
            self._receive(None)
        for worker in range(len(self.pipes)):
            self._ask(worker, None, None)
        self._start()

    def _start(self) -> None:
        loader = self.loader
        self.indices = iter(loader.sampler if loader.batch_sampler is None else loader.batch_sampler)
        self.asked = self.given = self.turn = 0
        self.pending: dict[int, int] = {}       # number of a batch that is being made: its worker
        self.arrived: dict[int, Any] = {}       # number: kind and value
        self.active = [True] * len(self.pipes)  # whether a worker's stream has not ended
        for _ in range(max(loader.prefetch_factor, 1) * len(self.pipes)):
            self._ask_next()

    def _ask_next(self) -> None:
        """Ask the next worker for the next batch, if there are both."""
        if not any(self.active):
            return
        try:
            indices = next(self.indices)
        except StopIteration:
            return
        while not self.active[self.turn]:
            self.turn = (self.turn + 1) % len(self.pipes)
        self._ask(self.turn, self.asked, indices)
        self.pending[self.asked] = self.turn
        self.asked += 1
        self.turn = (self.turn + 1) % len(self.pipes)

    def _ask(self, worker: int, number: int | None, indices: Any) -> None:
        try:
            self.pipes[worker].send((number, indices))
        except OSError:
            self._fail([worker])

    def __iter__(self) -> WorkersIterator:
        return self

    def __next__(self) -> Any:
        while True:
            number = self.given if self.in_order else next(iter(self.arrived), None)
            if number in self.arrived:
                kind, value = self.arrived.pop(number)
                self.given += 1
                self._ask_next()
                if kind == RAISED:
                    value.reraise()
                return value if self.loader._pin is None else self.loader._pin(value)
            if self.in_order and self.given < self.asked and number not in self.pending:
                self.given += 1  # a stream had ended before this batch
            elif not self.pending:
                if not self.loader.persistent_workers:
                    self.close()
                raise StopIteration
            else:
                self._receive(self.timeout or None)

    def _receive(self, timeout: float | None) -> None:
        """Wait for batches and keep them; a worker that has died is an error."""
        busy = set(self.pending.values())
        watched: list[Any] = [self.pipes[worker] for worker in busy]
        sentinels = [self.processes[worker].sentinel for worker in busy]
        ready = connection.wait(watched + sentinels, timeout)
        if not ready:
            self.close()
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        messages = 0
        for worker in busy:
            if self.pipes[worker] in ready:
                try:
                    number, kind, packed = self.pipes[worker].recv()
                except (EOFError, OSError):
                    continue
                messages += 1
                self._take(number, kind, unpack(packed))
        if not messages:
            self._fail([worker for worker in busy if self.processes[worker].sentinel in ready])

    def _take(self, number: int, kind: int, value: Any) -> None:
        worker = self.pending.pop(number)
        if kind in (DATA, RAISED):
            self.arrived[number] = (kind, value)
        else:  # this worker's stream has ended; another takes its place in the queue
            self.active[worker] = False
            self._ask_next()

    def _fail(self, workers: list[int]) -> None:
        ended = []
        for worker in workers or range(len(self.processes)):
            self.processes[worker].join(PATIENCE)
            if self.processes[worker].exitcode is not None:
                ended.append(f"{self.processes[worker].pid}, exit code {self.processes[worker].exitcode}")
        self.close()
        raise RuntimeError(f"DataLoader worker (pid(s) {'; '.join(ended)}) exited unexpectedly; a negative exit code "
                           "is the signal that killed it; num_workers=0 shows what it was doing")

    @property
    def closed(self) -> bool:
        """Whether the workers have ended."""
        return not self._finalizer.alive

    def close(self) -> None:
        """End the workers and remove what they left."""
        self.pending = {}
        self._finalizer()


def _end(owner: int, processes: list[Any], pipes: list[connection.Connection], directory: str) -> None:
    if os.getpid() != owner:
        return  # a copy in a forked process
    for pipe in pipes:
        with contextlib.suppress(OSError):
            pipe.send(None)  # closing alone may not be noticed: a process forked since has the pipe too
        pipe.close()
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
    shutil.rmtree(directory, ignore_errors=True)
