"""Making a batch of samples: tensors are stacked, and what holds tensors is kept as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor


def default_collate(batch: Sequence) -> Any:
    """Stack samples along a new first dimension.

    Tensors, NumPy arrays and numbers become one tensor (floats a float64 one); mappings, tuples and lists are
    collated entry by entry, where a tuple becomes a list; strings stay a list.

    Raises:
        RuntimeError: if tensors have different shapes, or sequences different lengths.
        TypeError: if samples are of another type.

    >>> minitorch.utils.data.default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return minitorch.stack(list(batch), 0)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(f"default_collate: arrays of type {first.dtype} cannot become a tensor")
        return minitorch.stack([minitorch.as_tensor(array) for array in batch], 0)
    if isinstance(first, (np.bool_, np.number)):
        return minitorch.as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return minitorch.tensor(batch, dtype=minitorch.float64)
    if isinstance(first, int):
        return minitorch.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*columns)
        return columns if isinstance(first, tuple) else _like(first, columns)
    raise TypeError("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
                    f"{type(first)}; give DataLoader a collate_fn")


def default_convert(data: Any) -> Any:
    """Make tensors of NumPy arrays and numbers, also inside mappings and sequences; what `batch_size` None does.

    >>> import numpy
    >>> minitorch.utils.data.default_convert({"x": numpy.zeros(2), "name": "a"})
    {'x': tensor([0., 0.], dtype=torch.float64), 'name': 'a'}
    """
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUO" else minitorch.as_tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(original: Any, content: Any) -> Any:
    """`content` as a collection of the type of `original`, if that can be made of it."""
    try:
        return type(original)(content)
    except TypeError:
        return content
