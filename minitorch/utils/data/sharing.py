"""Values with tensors between processes: the numbers go through shared memory, and are not copied when they arrive."""

from __future__ import annotations

import io
import mmap
import os
import pickle
import tempfile
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor

ALIGNMENT = 64
SMALL = 32 << 10  # bytes up to which a pipe is quicker than a mapping
Packed = tuple[bytes, list, Any]


def new_directory() -> str:
    """Where the files of shared memory will be: in memory itself if the system says where that is."""
    return tempfile.mkdtemp(prefix="minitorch-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


class _Pickler(pickle.Pickler):
    """Leaves tensors out and lists them."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[Tensor] = []
        self.places: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        if type(value) is not Tensor or value.requires_grad or value.__dict__:
            return None
        if id(value) not in self.places:
            self.places[id(value)] = len(self.tensors)
            self.tensors.append(value)
        return self.places[id(value)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, body: bytes, tensors: list[Tensor]) -> None:
        super().__init__(io.BytesIO(body))
        self.tensors = tensors

    def persistent_load(self, place: int) -> Tensor:
        return self.tensors[place]


def _bits(tensor: Tensor) -> np.ndarray:
    """The numbers as an array; NumPy has no bfloat16, so of that the bits."""
    tensor = tensor.contiguous()
    return (tensor.view(minitorch.int16) if tensor.dtype == minitorch.bfloat16 else tensor).numpy()


def pack(value: Any, directory: str) -> Packed:
    """A value as bytes, what its tensors are, and their numbers: the name of a file in `directory`, or bytes if few."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(value)
    arrays = [_bits(tensor) for tensor in pickler.tensors]
    specs, end = [], 0
    for tensor, array in zip(pickler.tensors, arrays, strict=True):
        specs.append((end, array.shape, array.dtype.str, str(tensor.dtype)))
        end += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    places = [(start, array.reshape(-1).view(np.uint8)) for (start, *_), array in zip(specs, arrays, strict=True)]
    return file.getvalue(), specs, _file(places, end, directory) if end > SMALL else _bytes(places, end)


def _bytes(places: list[tuple[int, np.ndarray]], size: int) -> bytearray:
    memory = bytearray(size)
    numbers = np.frombuffer(memory, np.uint8)
    for start, array in places:
        numbers[start:start + array.size] = array
    return memory


def _file(places: list[tuple[int, np.ndarray]], size: int, directory: str) -> str | bytearray:
    """The name of a file with the numbers; bytes if there is no memory left for it.

    It is written, not mapped: that is quicker for new memory, and where none is left, an error instead of a signal.
    """
    descriptor, name = tempfile.mkstemp(dir=directory)
    try:
        for start, array in places:
            written = 0
            while written < array.size:
                written += os.pwrite(descriptor, array[written:].data, start + written)
        os.ftruncate(descriptor, size)
        return name
    except OSError:
        os.unlink(name)
        return _bytes(places, size)
    finally:
        os.close(descriptor)


def unpack(packed: Packed) -> Any:
    """The value again, its tensors in the memory that was written; the file is removed, the memory lives with them."""
    body, specs, memory = packed
    if isinstance(memory, str):
        with open(memory, "r+b") as file:
            memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
            os.unlink(file.name)
    return _Unpickler(body, [_tensor(memory, *spec) for spec in specs]).load()


def _tensor(memory: Any, start: int, shape: tuple[int, ...], array_type: str, dtype: str) -> Tensor:
    count = int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(memory, array_type, count, start) if count else np.empty(0, array_type)
    tensor = minitorch.from_numpy(array.reshape(shape))
    return tensor.view(minitorch.bfloat16) if dtype == "torch.bfloat16" else tensor
