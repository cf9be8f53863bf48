"""Parameters that are computed from others: a module's tensor as the result of modules.

`register_parametrization` puts what the tensor is computed from into ``module.parametrizations`` and makes the attribute
a property, by giving the module a class of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import minitorch
from minitorch import Tensor

from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]

_cache_users = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute parametrised tensors once within this block, however often they are used."""
    global _cache_users
    _cache_users += 1
    try:
        yield
    finally:
        _cache_users -= 1
        if not _cache_users:
            _cache.clear()


def _as_original(value: Tensor, like: Tensor) -> Tensor:
    """A parameter again, if that is what it comes from."""
    return Parameter(value, requires_grad=like.requires_grad) if isinstance(like, Parameter) else value


class ParametrizationList(ModuleList):
    """The modules, one after another, that compute a tensor, and what they compute it from: ``original``.

    If the first module's `right_inverse` gives several tensors, these are ``original0``, ``original1`` and so on.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        with minitorch.no_grad():
            value: Any = original
            for module in reversed(self):
                if hasattr(module, "right_inverse"):
                    try:
                        value = module.right_inverse(value)
                    except NotImplementedError:
                        pass
        if not isinstance(value, (Tensor, Sequence)):
            raise ValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors, got {type(value).__name__}")
        self.is_tensor = isinstance(value, Tensor)
        self.ntensors = 1 if self.is_tensor else len(value)
        if self.is_tensor:
            if not unsafe and value.dtype != original.dtype:
                raise ValueError("When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                                 f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {value.dtype}")
            self._register("original", value, original)
        else:
            for i, part in enumerate(value):
                if not isinstance(part, Tensor):
                    raise ValueError(f"`right_inverse` must return a Tensor or a Sequence of tensors, got element {i} of "
                                     f"type {type(part).__name__}.")
                self._register(f"original{i}", part, original)
        if not unsafe:
            self._check(original)

    def _register(self, name: str, value: Tensor, like: Tensor) -> None:
        if isinstance(like, Parameter):
            if value is like or (value.shape == like.shape and value.data_ptr() == like.data_ptr()):
                self.register_parameter(name, like)  # the parameter itself, which an optimizer may know
            else:
                self.register_parameter(name, Parameter(value, requires_grad=like.requires_grad))
        else:
            self.register_buffer(name, value)

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def _check(self, original: Tensor) -> None:
        """The parametrised tensor must be one that may stand for the original."""
        result = self()
        if not isinstance(result, Tensor):
            raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
        if result.dtype != original.dtype:
            raise ValueError("Registering a parametrization may not change the dtype of the tensor, unless `unsafe` flag "
                             f"is enabled.\nunparametrized dtype: {original.dtype}\nparametrized dtype: {result.dtype}")
        if result.shape != original.shape:
            raise ValueError("Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag "
                             f"is enabled.\nunparametrized shape: {original.shape}\nparametrized shape: {result.shape}")

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrised tensor becomes `value`: what assigning to it does."""
        with minitorch.no_grad():
            found: Any = value
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                found = module.right_inverse(found)
            parts = [found] if self.is_tensor else list(found)
            if len(parts) != self.ntensors:
                raise ValueError("'right_inverse' must return a sequence of tensors of length "
                                 f"{self.ntensors}, got {len(parts)}")
            for original, part in zip(self._originals(), parts):
                if original.dtype != part.dtype:
                    raise ValueError(f"The tensor returned by `right_inverse` has dtype {part.dtype} while `original` has "
                                     f"dtype {original.dtype}")
                original.data = part.detach().clone() if part is value else part.detach()

    def forward(self) -> Tensor:
        """The parametrised tensor."""
        modules = iter(self)
        value = next(modules)(*self._originals())
        for module in modules:
            value = module(value)
        return value


# --- the class of a parametrised module ----------------------------------------------------------------------------

def _give_own_class(module: Module) -> None:
    """Make the module the only one of a new class, on which properties can be put."""
    cls = type(module)

    def deepcopy_parametrized(self: Module, memo: dict[int, Any]) -> Module:
        copy = self.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__ = deepcopy(self.__dict__, memo)
        # a class of its own, too
        copy.__class__ = type(cls.__name__, (cls,), {})
        copy.__class__.__name__ = type(self).__name__
        for name, value in vars(type(self)).items():
            if isinstance(value, property) or name in ("__deepcopy__", "__getstate__"):
                setattr(copy.__class__, name, value)
        return copy

    def no_state(self: Module) -> None:
        raise RuntimeError("Serialization of parametrized modules is only supported through state_dict(): its class "
                           "exists in this process alone")

    body: dict[str, Any] = {"__getstate__": no_state}
    if not hasattr(cls, "__deepcopy__"):
        body["__deepcopy__"] = deepcopy_parametrized
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), body)


def _give_property(module: Module, name: str) -> None:
    def get(self: Module) -> Tensor:
        if not _cache_users:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def put(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, put))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Make a parameter or buffer the result of a module, ``parametrization(original)``.

    Registering again on the same name computes on from there.  Assigning to the tensor calls the parametrisation's
    `right_inverse`, if it has one.

    Args:
        unsafe: allow another shape or type.

    >>> class Symmetric(nn.Module):
    ...     def forward(self, w):
    ...         return (w + w.T) / 2
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> minitorch.equal(layer.weight, layer.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        steps = module.parametrizations[tensor_name]
        if not unsafe:
            value = getattr(module, tensor_name)
            result = parametrization(value)
            if not isinstance(result, Tensor):
                raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
            for what in ("dtype", "shape"):
                if getattr(result, what) != getattr(value, what):
                    raise ValueError(f"Registering a parametrization may not change the {what} of the tensor, unless the "
                                     f"`unsafe` flag is enabled.\nmodule.{tensor_name}.{what}: {getattr(value, what)}\n"
                                     f"parametrization(module.{tensor_name}).{what}: {getattr(result, what)}")
        steps.append(parametrization)
        steps.unsafe = steps.unsafe or unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        steps = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_own_class(module)
            module.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        module.parametrizations[tensor_name] = steps
    else:
        raise ValueError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
                         f"'{tensor_name}'")
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrised tensors, or one of this name."""
    found = module.__dict__.get("_modules", {}).get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a tensor an ordinary one again.

    Args:
        leave_parametrized: with its parametrised value, else with the original one.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    steps = module.parametrizations[tensor_name]
    if steps.is_tensor:
        original = steps.original
        if leave_parametrized:
            with minitorch.no_grad():
                original.data = getattr(module, tensor_name).detach().clone()
    else:
        if not leave_parametrized:
            raise ValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in "
                             "terms of a sequence of tensors.")
        value = getattr(module, tensor_name).detach()
        original = _as_original(value, steps.original0)
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of a module, before it was given one of its own."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Parametrise the tensors of one module as those of another are, with the same values."""
    if not is_parametrized(from_module):
        return to_module
    if tensor_name is not None and not isinstance(from_module.parametrizations[tensor_name], ParametrizationList):
        raise AssertionError(f"{tensor_name} is not parametrized")
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        steps = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(steps._originals()[0].detach().clone()))
        for step in steps:
            register_parametrization(to_module, name, step, unsafe=steps.unsafe)
        for mine, theirs in zip(to_module.parametrizations[name]._originals(), steps._originals()):
            mine.data = theirs.detach().clone()
    return to_module
