"""Memory of the device that other libraries made or read: ``__cuda_array_interface__``, and DLPack by way of CuPy.

Both are for hardware.  The addresses of a simulated device are nobody else's, so there it neither gives nor takes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._ext import engine
from .._ext.dtype import ALL
from . import runtime
from .streams import current_stream

if TYPE_CHECKING:
    from .._tensor import Tensor

KIND = 2  # kDLCUDA, the device in DLPack's numbers
LEGACY, PER_THREAD = 1, 2  # streams that both protocols call by numbers


def hardware(what: str) -> Any:
    """CuPy's module of CUDA.

    Raises:
        BufferError: the device is simulated.
        RuntimeError: there is none.
    """
    cuda = getattr(runtime.active(), "cuda", None)
    if cuda is None:
        raise BufferError(f"{what}: the CUDA device is simulated, and its memory is no GPU's: share it from the CPU, "
                          "with .cpu()")
    return cuda


# ---- __cuda_array_interface__, version 3


def interface(tensor: Tensor) -> dict[str, Any]:
    """What ``Tensor.__cuda_array_interface__`` gives, for a reader that uses the tensor after this stream's work."""
    if tensor.dtype.name == "bfloat16":
        raise TypeError("__cuda_array_interface__ has no bfloat16: share it as .view(minitorch.int16)")
    dtype = np.dtype(tensor.dtype.name)
    strides = None if tensor.is_contiguous() else tuple(dtype.itemsize * stride for stride in tensor.stride())
    return {"version": 3, "shape": tuple(tensor.shape), "typestr": dtype.str, "strides": strides,
            "data": (tensor.data_ptr() if tensor.numel() else 0, False),
            "stream": current_stream().cuda_stream or LEGACY}  # fmt: skip


def adopt(described: dict[str, Any], owner: Any) -> Tensor:
    """A tensor over the memory that an interface describes, which `owner` keeps.

    Raises:
        TypeError: there is no such dtype.
        ValueError: masked, of a foreign byte order, or strided as tensors cannot be.
    """
    if described.get("mask") is not None:
        raise ValueError("__cuda_array_interface__: masked arrays are not supported: fill in the masked values first")
    dtype, shape = np.dtype(described["typestr"]), tuple(described["shape"])
    if not dtype.isnative:
        raise ValueError(f"__cuda_array_interface__: the byte order of {described['typestr']} is not this machine's")
    known = next((each for each in ALL if each.name == dtype.name), None)
    if known is None:
        raise TypeError(f"__cuda_array_interface__: there are no tensors of {dtype}; convert the array first")
    strides = _dense(shape, dtype) if described.get("strides") is None else described["strides"]
    if any(stride % dtype.itemsize or stride < 0 for stride in strides):
        raise ValueError(f"__cuda_array_interface__: strides of {strides} bytes for elements of {dtype.itemsize}: they "
                         "must be multiples, and not negative: copy the array first")
    pointer, readonly = described["data"]
    steps = tuple(stride // dtype.itemsize for stride in strides)
    return engine.borrowed(pointer, shape, steps, known, readonly, owner)


def _dense(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """The strides in bytes of an array in C order."""
    strides, step = [], dtype.itemsize
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def from_interface(array: Any) -> Tensor:
    """A tensor over the memory of an object with ``__cuda_array_interface__``.

    The current stream waits for the one that the object was made in.

    Raises:
        BufferError: the device is simulated.
        ValueError: for what a tensor cannot show.
    """
    cuda, described = hardware("as_tensor"), array.__cuda_array_interface__
    result = adopt(described, array)
    if described.get("stream") is not None:
        maker = cuda.ExternalStream(described["stream"])
        if maker.ptr != cuda.get_current_stream().ptr:
            cuda.get_current_stream().wait_event(maker.record())
    return result


# ---- DLPack, whose capsules CuPy makes and reads


def as_cupy(tensor: Tensor) -> Any:
    """A CuPy array over a tensor's memory, which it keeps alive."""
    cuda, dtype = hardware("__dlpack__"), np.dtype(tensor.dtype.name)
    import cupy

    memory = cuda.UnownedMemory(tensor.data_ptr(), max(tensor.untyped_storage().nbytes(), 1), tensor)
    strides = tuple(dtype.itemsize * stride for stride in tensor.stride())
    return cupy.ndarray(tuple(tensor.shape), dtype, cuda.MemoryPointer(memory, 0), strides)


def export(tensor: Tensor, stream: Any = None, **options: Any) -> Any:
    """A capsule for a reader on `stream` (1 the legacy default one, 2 the per-thread one, -1 for no waiting)."""
    return as_cupy(tensor).__dlpack__(stream=stream, **options)


def from_dlpack(source: Any) -> Tensor:
    """A tensor over the device memory of an object with ``__dlpack__``, which waits for its stream."""
    hardware("from_dlpack")
    import cupy

    array = cupy.from_dlpack(source)
    return adopt(array.__cuda_array_interface__, array)
