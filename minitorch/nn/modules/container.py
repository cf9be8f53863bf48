"""Modules and parameters in sequences and dictionaries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain, islice
from operator import attrgetter, index
from typing import Any, TypeVar, overload

from minitorch import Tensor

from ..parameter import Parameter
from .module import Module, _indent, _layout, _type_of

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

T = TypeVar("T", bound="_Indexed")


def _position(key: Any, size: int) -> int:
    """A position from the front, of one that may count from the back."""
    position = index(key)
    if not -size <= position < size:
        raise IndexError(f"index {position} is out of range")
    return position % size


class _Indexed(Module):
    """Submodules named by their positions; what Sequential and ModuleList have in common."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def _name(self, key: Any) -> str:
        return next(islice(self._modules, _position(key, len(self)), None))

    def _renumber(self, modules: Iterable[Module]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def _make(self: T, names: Iterable[str]) -> T:
        """A container of some of this one's modules."""
        raise NotImplementedError

    @overload
    def __getitem__(self, key: int) -> Module: ...

    @overload
    def __getitem__(self: T, key: slice) -> T: ...

    def __getitem__(self: T, key: int | slice) -> Module | T:
        if isinstance(key, slice):
            return self._make(list(self._modules)[key])
        return self._modules[self._name(key)]

    def __setitem__(self, key: int, module: Module) -> None:
        setattr(self, self._name(key), module)

    def __delitem__(self, key: int | slice) -> None:
        for name in list(self._modules)[key] if isinstance(key, slice) else [self._name(key)]:
            delattr(self, name)
        self._renumber(self)

    def append(self: T, module: Module) -> T:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: T, modules: Iterable[Module]) -> T:
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}.extend should be called with an iterable, but got "
                            f"{type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self: T, index: int, module: Module) -> T:
        """Add a module in front of position `index`."""
        if not isinstance(module, Module):
            raise TypeError(f"{_type_of(module)} is not a Module subclass")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Remove a module and return it."""
        module = self[key]
        del self[key]
        return module

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Indexed):
    """Calls its modules one after another, each on the result of the one before.

    Args:
        args: modules, or one OrderedDict of modules by name.

    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Module | OrderedDict[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named: Iterable[tuple[str, Any]] = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """The result of the last module."""
        for module in self._modules.values():
            input = module(input)
        return input

    def _make(self, names: Iterable[str]) -> Sequential:
        return type(self)(OrderedDict((name, self._modules[name]) for name in names))

    def insert(self, index: int, module: Module) -> Sequential:
        """Add a module in front of position `index`."""
        if isinstance(module, Module) and not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index} of {len(self)}")
        return super().insert(index, module)

    def _check(self, other: Any, operation: str) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(f"{operation} supports only objects of Sequential class, but {type(other)} is given.")

    def _check_times(self, times: Any) -> None:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")

    def __add__(self, other: Sequential) -> Sequential:
        self._check(other, "add operator")
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._check(other, "add operator")
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        self._check_times(times)
        return Sequential(*(module for _ in range(times) for module in self))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        self._check_times(times)
        return self.extend(list(self) * (times - 1))


class ModuleList(_Indexed):
    """A list of modules; it has no `forward` of its own.

    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(list(layers.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _make(self, names: Iterable[str]) -> ModuleList:
        return type(self)(self._modules[name] for name in names)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __repr__(self) -> str:
        """Equal neighbours are shown once, with their number."""
        runs: list[list] = []
        for i, text in enumerate(map(repr, self)):
            if runs and runs[-1][1] == text:
                runs[-1][2] += 1
            else:
                runs.append([i, text, 1])
        lines = [f"({start}): " + _indent(text) if count == 1 else
                 f"({start}-{start + count - 1}): {count} x " + _indent(text) for start, text, count in runs]
        return _layout(self._get_name(), [], lines)


class ModuleDict(Module):
    """A dictionary of modules, in the order of insertion.

    >>> choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> choices["tanh"](minitorch.zeros(1))
    tensor([0.])
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove a module and return it."""
        return self._modules.pop(key)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> Iterable[tuple[str, Module]]:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, replacing those whose names are taken."""
        for key, module in _pairs(modules, "ModuleDict"):
            self[key] = module


def _pairs(entries: Any, container: str) -> list[tuple[str, Any]]:
    """The key-value pairs of a mapping or of an iterable of pairs."""
    if not isinstance(entries, Iterable):
        raise TypeError(f"{container}.update should be called with an iterable of key/value pairs, but got "
                        f"{type(entries).__name__}")
    if isinstance(entries, Mapping) or hasattr(entries, "keys"):
        return [(key, entries[key]) for key in entries.keys()]  # noqa: SIM118 - iterating may mean something else
    pairs = [tuple(pair) for pair in entries]
    for i, pair in enumerate(pairs):
        if len(pair) != 2:
            raise ValueError(f"{container} update sequence element #{i} has length {len(pair)}; 2 is required")
    return pairs


def _describe(value: Any, kind: Any) -> str:
    """A line on an entry of a list or dictionary of parameters; `kind` tells its type."""
    if isinstance(value, Tensor):
        name = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"{name} containing: [{kind(value)} of size {'x'.join(map(str, value.shape))}]"
    return f"Object of type: {type(value).__name__}"


def _as_parameter(value: Any) -> Any:
    """Tensors become parameters; anything else may be kept too, but is not learnt."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


class ParameterList(Module):
    """A list of parameters; tensors that are put in become parameters.

    >>> nn.ParameterList([minitorch.zeros(2)])[0].requires_grad
    True
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: int) -> Any: ...

    @overload
    def __getitem__(self, key: slice) -> ParameterList: ...

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return type(self)(self[i] for i in range(*key.indices(len(self))))
        return getattr(self, str(_position(key, len(self))))

    def __setitem__(self, key: int, value: Any) -> None:
        setattr(self, str(_position(key, len(self))), _as_parameter(value))

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def extra_repr(self) -> str:
        """An entry a line."""
        return "\n".join(f"  ({i}): {_describe(value, attrgetter('dtype'))}" for i, value in enumerate(self))


class ParameterDict(Module):
    """A dictionary of parameters, in the order of insertion; tensors that are put in become parameters.

    >>> scales = nn.ParameterDict({"left": minitorch.ones(1)})
    >>> list(scales.keys())
    ['left']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"Index given to ParameterDict must be a str, got {type(key).__name__}")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters."""
        return type(self)(self)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The entry of this key, which becomes `default` if there was none."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The entry of this key, or `default`."""
        return self[key] if key in self._keys else default

    def clear(self) -> None:
        """Remove all entries."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove an entry and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last entry and return it with its key."""
        key = next(reversed(self))
        return key, self.pop(key)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dictionary with these keys, all with the same value."""
        return type(self)((key, default) for key in keys)

    def keys(self) -> Container[str]:
        """The keys."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The keys with their entries."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The entries."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add entries, replacing those whose keys are taken."""
        for key, value in _pairs(parameters, "ParameterDict"):
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        joined = other.copy()
        joined.update(self)
        return joined

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")

    def extra_repr(self) -> str:
        """An entry a line."""
        return "\n".join(f"  ({key}): {_describe(value, Tensor.type)}" for key, value in self.items())
