"""DLPack: tensors of other libraries without copying, both ways.

NumPy makes and reads the capsules (``__dlpack__`` of its arrays, which are over the tensors' memory), so their versions
are those that NumPy knows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._ext import engine
from .._tensor import Tensor
from ..cuda import sharing

__all__ = ["from_dlpack", "to_dlpack"]

CPU = (1, 0)  # the device in DLPack's numbers: kDLCPU, and its index


class _Holder:
    """A capsule by itself, in the form of the protocol."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's tensor, or of a capsule that one gave.

    Args:
        ext_tensor: an object with ``__dlpack__`` and ``__dlpack_device__``, or a capsule.
        device: where the result goes.
        copy: True always copies.

    Raises:
        BufferError: the tensor is not in the CPU's memory, or of a type that NumPy does not have.

    >>> import minitorch, numpy
    >>> a = numpy.zeros(2)
    >>> minitorch.from_dlpack(a)[0] = 1
    >>> a
    array([1., 0.])
    """
    if isinstance(ext_tensor, Tensor):
        result = ext_tensor.detach()
    else:
        if not hasattr(ext_tensor, "__dlpack__") and type(ext_tensor).__name__ != "PyCapsule":
            raise TypeError(f"from_dlpack: expected an object with __dlpack__, or a capsule, not "
                            f"{type(ext_tensor).__name__}")
        source = ext_tensor if hasattr(ext_tensor, "__dlpack__") else _Holder(ext_tensor)
        kind, index = source.__dlpack_device__()
        if (kind, index) == (sharing.KIND, 0):
            result = sharing.from_dlpack(source)
        elif kind == CPU[0]:
            result = engine.from_numpy(np.from_dlpack(source))
        else:
            raise BufferError(f"from_dlpack: the tensor is on device {index} of type {kind}, neither on the CPU nor on "
                              "the first GPU: move it there first")
    result = result.clone() if copy else result
    return result if device is None else result.to(device)


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule of a tensor's memory, for one reader; objects with ``__dlpack__``, as tensors are, need none.

    >>> import minitorch
    >>> minitorch.from_dlpack(minitorch.to_dlpack(minitorch.ones(2)))
    tensor([1., 1.])
    """
    return export(tensor)


def export(tensor: Tensor, stream: Any = None, **options: Any) -> Any:
    """What ``Tensor.__dlpack__`` gives; `stream`: the reader's, of a tensor on a GPU, in DLPack's numbers.

    Raises:
        BufferError: the tensor requires grad, is on a simulated device, or is bfloat16, which NumPy does not have.
    """
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if tensor.dtype.name == "bfloat16":
        raise BufferError(f"only tensors that NumPy has a type for go out by DLPack, not {tensor.dtype}: convert it, "
                          "with .to(dtype), or share its bits, with .view(minitorch.int16)")
    options = {name: value for name, value in options.items() if value is not None}
    if tensor.is_cuda:
        return sharing.export(tensor, stream, **options)
    if stream not in (None, -1):
        raise BufferError("__dlpack__: a tensor of the CPU is in no stream; leave stream=None")
    array = tensor.numpy()
    try:
        return array.__dlpack__(**options)
    except TypeError:  # a NumPy before 2.1, which knows capsules without versions only
        return array.__dlpack__()
