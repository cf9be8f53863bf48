"""Going through a data set in batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, gatherer
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed, index_batches

if TYPE_CHECKING:
    from .workers import WorkersIterator

T = TypeVar("T", covariant=True)


class DataLoader(Generic[T]):
    """The batches of a data set, each pass in a new order if shuffled.

    The order and the random numbers used are PyTorch's from the same seed.

    Args:
        dataset: samples by index or as a stream.
        batch_size: samples in a batch; None gives single samples.
        shuffle: in random order.
        sampler: an order of indices.
        batch_sampler: an order of lists of indices.
        num_workers: processes that make batches beside this one; 0 makes them here, which for data in memory
            (`TensorDataset`) is fastest.
        collate_fn: makes a batch of a list of samples; `default_collate` if not given.
        pin_memory: give batches in pinned memory, for ``to("cuda", non_blocking=True)``; where there is no CUDA device,
            a warning says so and they are as they are.
        pin_memory_device: of which device; there is one.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds to wait for a batch from a worker; 0 waits for ever.
        worker_init_fn: called with its number in each worker.
        multiprocessing_context: how processes start, ``"fork"`` or ``"spawn"``, or a context.
        generator: where random orders are drawn from; by default the global one.
        prefetch_factor: batches to ask of each worker ahead, by default 2.
        persistent_workers: keep the workers for the next pass.
        in_order: give batches in the order they were asked for, not as they arrive.

    Tensors come from the workers through shared memory and are not copied here.  An exception in a worker is raised
    here, with its traceback.

    Raises:
        ValueError: for options that exclude each other.
        RuntimeError: if a worker dies, or takes longer than `timeout`.

    >>> data = minitorch.utils.data.TensorDataset(minitorch.arange(5))
    >>> [len(x) for x, in minitorch.utils.data.DataLoader(data, batch_size=2, shuffle=True)]
    [2, 2, 1]
    """

    _fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")

    def __init__(
        self,
        dataset: Dataset[T],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler | Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, multiprocessing_context, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self._pin = _pinning() if pin_memory else None
        stream = isinstance(dataset, IterableDataset)
        if stream:
            _check_stream(shuffle, sampler, batch_sampler)
        elif shuffle not in (None, True, False):
            raise ValueError(f"DataLoader: expected a bool for shuffle, got {shuffle!r}")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                                 "drop_last")
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if stream:
                sampler = _Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.generator, self.collate_fn = dataset, generator, collate_fn
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor, self.persistent_workers = prefetch_factor, persistent_workers
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.multiprocessing_context = _context(multiprocessing_context)
        self._iterator: WorkersIterator | None = None
        self._initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._fixed and "_initialized" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            return self._here()
        from .workers import WorkersIterator  # and with it multiprocessing, only where there are workers

        if not self.persistent_workers:
            return WorkersIterator(self)
        if self._iterator is None or self._iterator.closed:
            self._iterator = WorkersIterator(self)
        else:
            self._iterator.reset()
        return self._iterator

    def _here(self) -> Iterator[Any]:
        """The batches, made in this process."""
        stream = isinstance(self.dataset, IterableDataset)
        batches = None if stream else _in_one_go(self) or _one_by_one(self)
        draw_seed(self.generator)  # PyTorch draws one for its workers at this point, even if there are none
        batches = _from_stream(self) if batches is None else batches
        return batches if self._pin is None else map(self._pin, batches)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            size = len(self.dataset)
            if self.batch_size is None:
                return size
            return size // self.batch_size if self.drop_last else -(-size // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)


def _pinning() -> Callable[[Any], Any] | None:
    """What puts a batch into pinned memory; None, with a warning, where there is no device."""
    from minitorch.cuda import runtime

    from .pinning import pin_memory

    try:
        runtime.active()
    except RuntimeError as error:
        warnings.warn(f"DataLoader: pin_memory does nothing here: {error}", stacklevel=3)
        return None
    return pin_memory


def _check_workers(
    num_workers: int, timeout: float, context: Any, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    """Refuse numbers that make no sense, and without worker processes what needs them."""
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if num_workers == 0 and (timeout or context is not None or prefetch_factor is not None or persistent_workers):
        raise ValueError("DataLoader: timeout, multiprocessing_context, prefetch_factor and persistent_workers need "
                         "num_workers > 0")


def _context(given: Any) -> Any:
    """A way to start processes, from its name."""
    if given is None:
        return None
    import multiprocessing

    if isinstance(given, str):
        if given not in multiprocessing.get_all_start_methods():
            raise ValueError("multiprocessing_context option should specify a valid start method in "
                             f"{multiprocessing.get_all_start_methods()!r}, but got {given!r}")
        return multiprocessing.get_context(given)
    if not isinstance(given, multiprocessing.context.BaseContext):
        raise TypeError("multiprocessing_context option should be a valid context object or a string specifying the "
                        f"start method, but got {given!r}")
    return given


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    """Refuse what needs indices."""
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                             f"{name}={value}")


class _Endless(Sampler[None]):
    """The sampler of a stream, which has no indices."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _in_one_go(loader: DataLoader) -> Iterator[Any] | None:
    """Batches of tensors fetched by a tensor of indices; None where samples must be fetched one by one."""
    if loader.collate_fn is not default_collate or loader.batch_sampler is None:
        return None
    gather = gatherer(loader.dataset)
    batches = index_batches(loader.batch_sampler) if gather else None
    return None if batches is None else map(gather, batches)


def _one_by_one(loader: DataLoader) -> Iterator[Any]:
    """Samples fetched by their indices and collated."""
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return (collate(dataset[index]) for index in loader.sampler)
    getitems = getattr(dataset, "__getitems__", None)
    if callable(getitems):
        return (collate(getitems(indices)) for indices in loader.batch_sampler)
    return (collate([dataset[index] for index in indices]) for indices in loader.batch_sampler)


def _from_stream(loader: DataLoader) -> Iterator[Any]:
    """Samples in the order they come."""
    samples = iter(loader.dataset)
    if loader.batch_sampler is None:
        return map(loader.collate_fn, samples)
    return _batches_of_stream(samples, loader)


def _batches_of_stream(samples: Iterator[Any], loader: DataLoader) -> Iterator[Any]:
    from itertools import islice

    while batch := list(islice(samples, loader.batch_size)):
        if len(batch) == loader.batch_size or not loader.drop_last:
            yield loader.collate_fn(batch)
