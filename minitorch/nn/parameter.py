"""Tensors that a module owns: what it learns, and what it only remembers."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._tensor import _never_stands_in


class Parameter(Tensor):
    """A tensor that a :class:`~minitorch.nn.Module` lists among its parameters when it is assigned to an attribute.

    It shares the memory of `data` and is a leaf of the graph, whatever `data` was.

    >>> nn.Parameter(minitorch.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __torch_function__ = _never_stands_in

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = minitorch.empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: expected a Tensor, got {type(data).__name__}; minitorch.tensor() makes one")
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = copy = type(self)(self.data.clone(), self.requires_grad)
            _copy_attributes(self, copy, memo)
        return memo[id(self)]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: int) -> tuple:
        return _rebuild, (type(self), self.data, (self.requires_grad,), dict(self.__dict__))


class Buffer(Tensor):
    """A tensor that a module keeps but does not learn; assigning it to an attribute registers it.

    Args:
        persistent: list it in the module's :meth:`~minitorch.nn.Module.state_dict`.

    >>> module = nn.Module()
    >>> module.mean = nn.Buffer(minitorch.zeros(2))
    >>> list(module.state_dict())
    ['mean']
    """

    persistent: bool
    __torch_function__ = _never_stands_in

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = minitorch.empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Buffer: expected a Tensor, got {type(data).__name__}; minitorch.tensor() makes one")
        buffer = Tensor._make_subclass(cls, data, data.requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        if id(self) not in memo:
            memo[id(self)] = copy = type(self)(self.data.clone(), persistent=self.persistent)
            copy.requires_grad_(self.requires_grad)
            _copy_attributes(self, copy, memo)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: int) -> tuple:
        attributes = dict(self.__dict__)
        return _rebuild, (type(self), self.data.requires_grad_(self.requires_grad), (), attributes)


class UninitializedTensorMixin:
    """What is to become a parameter or buffer as soon as its shape is known."""

    cls_to_become: type = Tensor

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary one of this shape, not filled."""
        self.data = minitorch.empty(shape, dtype=dtype or self.data.dtype, device=device)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """Not known yet."""
        raise RuntimeError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens "
                           "in `load_state_dict` when trying to load an uninitialized parameter into an initialized "
                           "one. Call `forward` to initialize the parameters before accessing their attributes.")

    def share_memory_(self) -> Any:
        """Not possible yet."""
        raise RuntimeError("Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize "
                           "the parameters before calling `module.share_memory()`.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def is_lazy(param: Any) -> bool:
    """Whether something is a parameter or buffer whose shape is not known yet."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A `Parameter` whose shape is not known yet; lazy modules give it one at their first call."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        data = minitorch.empty(0, dtype=dtype, device=device)
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: int) -> tuple:
        return type(self), (self.requires_grad, None, self.dtype)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A `Buffer` whose shape is not known yet."""

    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        buffer = Tensor._make_subclass(cls, minitorch.empty(0, dtype=dtype, device=device), requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedBuffer:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, None, self.dtype, self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: int) -> tuple:
        return type(self), (self.requires_grad, None, self.dtype, self.persistent)


def _copy_attributes(source: Tensor, copy: Tensor, memo: dict[int, Any]) -> None:
    """What a program has put on the tensor goes with its copies."""
    if source.__dict__:
        from copy import deepcopy

        copy.__dict__.update(deepcopy(source.__dict__, memo))


def _rebuild(cls: type, data: Tensor, arguments: tuple, attributes: dict[str, Any]) -> Tensor:
    tensor = cls(data, *arguments)
    tensor.__dict__.update(attributes)
    return tensor
