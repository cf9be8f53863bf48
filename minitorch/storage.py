"""The memory under tensors as an object of Python: what `Tensor.untyped_storage` gives."""

from __future__ import annotations

from ._ext import engine
from ._ext.dtype import dtype


class UntypedStorage:
    """The bytes under one or more tensors.

    >>> import minitorch
    >>> x = minitorch.arange(6)
    >>> x[2:].untyped_storage().nbytes()
    48
    """

    def __init__(self, data) -> None:
        self._bytes = data

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._bytes.numel()

    __len__ = size = nbytes

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._bytes.data_ptr()

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        return self._bytes.tolist()

    def __getitem__(self, index):
        return self._bytes[index].item() if isinstance(index, int) else UntypedStorage(self._bytes[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and (self.data_ptr(), self.nbytes()) == (
            other.data_ptr(), other.nbytes())

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))

    @property
    def device(self):
        """Where the memory is."""
        return self._bytes.device

    def __repr__(self) -> str:
        return f"UntypedStorage of {self.nbytes()} bytes on {self.device}"


class TypedStorage:
    """The elements under one or more tensors, one after another: what `Tensor.storage` gives."""

    def __init__(self, data) -> None:
        self._data = data

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return self._data.dtype

    def size(self) -> int:
        """The number of elements."""
        return self._data.numel()

    __len__ = size

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._data.numel() * self._data.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._data.data_ptr()

    def tolist(self) -> list:
        """The elements as numbers."""
        return self._data.tolist()

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return untyped_storage(self._data)

    def __getitem__(self, index):
        return self._data[index].item() if isinstance(index, int) else TypedStorage(self._data[index])

    def __setitem__(self, index, value) -> None:
        self._data[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def __repr__(self) -> str:
        numbers = "\n ".join(map(str, self.tolist()))
        return f" {numbers}\n[TypedStorage(dtype={self.dtype}, device=cpu) of size {self.size()}]"


def untyped_storage(tensor) -> UntypedStorage:
    """The bytes under a tensor."""
    return UntypedStorage(engine.storage_bytes(tensor))


def typed_storage(tensor) -> TypedStorage:
    """All elements of the memory under a tensor."""
    data = engine.storage_bytes(tensor)
    size = tensor.itemsize
    return TypedStorage(data[: data.numel() // size * size].view(tensor.dtype))
