"""Memory that processes share: a file without a name, mapped by each; the file itself goes through queues and pipes."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from multiprocessing import reduction
from typing import Any

import numpy as np

from .._ext import engine
from .._ext import tensor as tensor_engine
from .._tensor import Tensor

_known: weakref.WeakValueDictionary[tuple[int, int], SharedMemory] = weakref.WeakValueDictionary()


class SharedMemory:
    """The mapped file under one or more tensors; each process has one for each file."""

    def __init__(self, descriptor: int, nbytes: int) -> None:
        self.descriptor = descriptor
        self.array = np.frombuffer(mmap.mmap(descriptor, max(nbytes, 1)), np.uint8)[:nbytes]
        self.replaced: object = None  # the memory that was copied here: another thread may be reading it
        _known[_identity(descriptor)] = self
        weakref.finalize(self, os.close, descriptor)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("minitorch")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def is_shared(tensor: Tensor) -> bool:
    """Whether other processes may show a tensor's memory: it was shared, or is a device's."""
    return tensor.is_cuda or isinstance(engine.memory_owner(tensor), SharedMemory)


def share(tensor: Tensor) -> SharedMemory:
    """Move the memory under a tensor, with every tensor that shows it, to where other processes can map it.

    Raises:
        RuntimeError: if there is not so much memory.
    """
    owner = engine.memory_owner(tensor)
    if isinstance(owner, SharedMemory):
        return owner
    data = engine.storage_bytes(tensor).numpy()
    descriptor = _new_file()
    try:
        # Written, not copied into a mapping: where no memory is left that is an error instead of a signal.
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data.data if data.nbytes else b"\0")
        memory = SharedMemory(descriptor, data.nbytes)
    except OSError as error:
        os.close(descriptor)
        raise RuntimeError(f"share_memory_: there is no shared memory for {data.nbytes} bytes: {error}") from error
    memory.replaced = engine.move_memory(tensor, memory.array, memory)
    return memory


# --- through queues and pipes -----------------------------------------------------------------------------------------


def _reduce_memory(memory: SharedMemory) -> tuple:
    return _rebuild_memory, (reduction.DupFd(memory.descriptor), len(memory.array))


def _rebuild_memory(handle: Any, nbytes: int) -> SharedMemory:
    descriptor = handle.detach()
    known = _known.get(_identity(descriptor))
    if known is None:
        return SharedMemory(descriptor, nbytes)
    os.close(descriptor)
    return known


def _reduce_tensor(tensor: Tensor) -> tuple:
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(f"a tensor inside a graph, {tuple(tensor.shape)} of {tensor.dtype}, cannot go to another "
                           "process, since its graph cannot: detach() it first")
    if tensor.is_cuda:
        return tensor.__reduce_ex__(2)  # a copy, by the CPU
    return _rebuild_tensor, (type(tensor), share(tensor), tensor.dtype, tuple(tensor.shape), tensor.stride(),
                             tensor.storage_offset(), tensor.requires_grad, dict(tensor.__dict__))  # fmt: skip


def _rebuild_tensor(
    cls: type, memory: SharedMemory, dtype: Any, shape: tuple[int, ...], stride: tuple[int, ...], offset: int,
    requires_grad: bool, attributes: dict,
) -> Tensor:  # fmt: skip
    data = engine.from_numpy(memory.array)
    engine.move_memory(data, memory.array, memory)
    elements = data[: len(data) // dtype.itemsize * dtype.itemsize].view(dtype)
    result = tensor_engine.as_subclass(cls, elements.as_strided(shape, stride, offset), requires_grad)
    result.__dict__.update(attributes)
    return result


def register_reductions() -> None:
    """Let the queues and pipes of `multiprocessing` send tensors so."""
    from ..nn import Parameter

    reduction.ForkingPickler.register(SharedMemory, _reduce_memory)
    for kind in (Tensor, Parameter):
        reduction.ForkingPickler.register(kind, _reduce_tensor)


# --- PyTorch's names for it -------------------------------------------------------------------------------------------


def get_all_sharing_strategies() -> set[str]:
    """How memory goes to another process: as the descriptor of a file."""
    return {"file_descriptor"}


def get_sharing_strategy() -> str:
    """The one way there is."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose the one way there is.

    Raises:
        NotImplementedError: for any other.
    """
    if new_strategy not in get_all_sharing_strategies():
        raise NotImplementedError(f"set_sharing_strategy: there is 'file_descriptor', not {new_strategy!r}; if a "
                                  "process shares more tensors than it may open files, raise that bound with ulimit -n")
