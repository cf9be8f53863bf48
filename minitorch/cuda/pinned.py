"""Pinned memory of the host, which a GPU copies from and to by itself while the program goes on.

A simulated device has no such engine: its pinned memory is plain memory that is marked, and its copies are waited for.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .._ext import engine
from .._ext.loops import owner_of
from . import runtime

if TYPE_CHECKING:
    from .._tensor import Tensor
    from .streams import Stream

_local = threading.local()


class PinnedBlock:
    """Pinned memory as an array: what a run time gives, kept as long as a tensor shows it."""

    def __init__(self, nbytes: int) -> None:
        memory = runtime.active().allocate_pinned(nbytes)
        self._memory = memory
        address = memory.ctypes.data if isinstance(memory, np.ndarray) else int(memory.ptr)
        self.__array_interface__ = {"version": 3, "shape": (nbytes,), "typestr": "|u1", "data": (address, False)}


def is_pinned(tensor: Tensor) -> bool:
    """Whether a tensor shows pinned memory."""
    return isinstance(getattr(owner_of(tensor), "base", None), PinnedBlock)


def pin(tensor: Tensor) -> Tensor:
    """The tensor in pinned memory: itself if it is there.

    Raises:
        RuntimeError: there is no device, or the tensor is on it.
    """
    if is_pinned(tensor):
        return tensor
    if tensor.is_cuda:
        raise RuntimeError(f"cannot pin a tensor of {tensor.device}: only tensors on the CPU can be pinned")
    like = engine.empty_like(tensor.detach())
    flat = engine.from_numpy(np.asarray(PinnedBlock(max(tensor.nbytes, tensor.itemsize)))).view(tensor.dtype)
    return flat[: tensor.numel()].as_strided(tensor.shape, like.stride()).copy_(tensor)


def pin_new(tensor: Tensor, out: Tensor | None) -> Tensor:
    """What a function that makes tensors returns where `pin_memory` was asked for."""
    if out is not None:
        raise RuntimeError("pin_memory is about new memory, and out has its own: leave one of them out")
    return pin(tensor)


@contextlib.contextmanager
def not_waiting(non_blocking: bool = True) -> Iterator[None]:
    """Inside, copies between pinned memory and the device are not waited for."""
    before = asynchronous()
    _local.asynchronous = bool(non_blocking)
    try:
        yield
    finally:
        _local.asynchronous = before


def asynchronous() -> bool:
    """Whether copies need not be waited for."""
    return getattr(_local, "asynchronous", False)


def record_stream(tensor: Tensor, stream: Stream) -> None:
    """Let memory that is freed be used again only after what the stream has been given by then.

    Raises:
        NotImplementedError: the tensor is not on the device.
        TypeError: `stream` is no stream.
    """
    from .streams import Stream

    if not isinstance(stream, Stream):
        raise TypeError(f"record_stream: expected a minitorch.cuda.Stream, not {type(stream).__name__}")
    if not tensor.is_cuda:
        raise NotImplementedError("record_stream is for tensors on cuda: memory of the CPU is in no stream")
    used: Any = getattr(owner_of(tensor), "used_in", None)
    if used is not None and stream._stream is not None:
        used.append(stream._stream)
