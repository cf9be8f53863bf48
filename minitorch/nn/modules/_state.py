"""Saving and loading what a module holds: ``state_dict`` and ``load_state_dict``."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import minitorch
from minitorch import Tensor
from minitorch.utils.hooks import RemovableHandle

from ..parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` returns: the keys that did not fit."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<All keys matched successfully>" if not any(self) else super().__repr__()

    __str__ = __repr__


class StateMixin:
    """The part of :class:`Module` that saves and loads."""

    def state_dict(
        self, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by their dotted names, sharing memory with the module.

        Args:
            destination: a dictionary to add to.
            prefix: put in front of every name.
            keep_vars: the parameters themselves rather than detached tensors.

        >>> list(nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook, returns in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is not None:
                if not returns:
                    raise RuntimeError("state_dict post-hook must return None")
                destination = result
        return destination

    def _own_state(self) -> dict[str, Tensor]:
        """This module's parameters and persistent buffers, without those of its children."""
        tensors = {name: p for name, p in self._parameters.items() if p is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                tensors[name] = buffer
        return tensors

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Add this module's own tensors to `destination`; a subclass may add more."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What else goes into the state dict; a subclass that defines it defines `set_extra_state` too."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: define get_extra_state and set_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: define get_extra_state and set_extra_state")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy tensors into the module's parameters and buffers by name.

        Args:
            state_dict: what `state_dict` gave.
            strict: refuse missing and unexpected names.
            assign: take the tensors themselves, with their types, instead of copying their values.

        Returns:
            the missing and the unexpected names.

        Raises:
            RuntimeError: if names or shapes do not fit; all that do not are listed.

        >>> a, b = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", {})
        state_dict = OrderedDict(state_dict)  # hooks may change it
        _load(self, state_dict, "", metadata, assign, missing, unexpected, errors)
        if strict:
            for kind, names in (("Unexpected", unexpected), ("Missing", missing)):
                if names:
                    errors.insert(0, f"{kind} key(s) in state_dict: " + ", ".join(f'"{n}"' for n in names) + ". ")
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own tensors and note what does not fit; a subclass may convert older forms first."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = self._own_state()
        for name, tensor in own.items():
            if prefix + name in state_dict:
                error = _load_tensor(self, name, tensor, state_dict[prefix + name], prefix, local_metadata)
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(prefix + name)
        if _overrides(self, "set_extra_state"):
            if prefix + EXTRA_STATE in state_dict:
                self.set_extra_state(state_dict[prefix + EXTRA_STATE])
            elif strict:
                missing_keys.append(prefix + EXTRA_STATE)
        elif strict and prefix + EXTRA_STATE in state_dict:
            unexpected_keys.append(prefix + EXTRA_STATE)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != prefix + EXTRA_STATE:
                    head, dot, _ = key[len(prefix):].partition(".")
                    if head not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` collects."""
        handle = RemovableHandle(self._state_dict_pre_hooks)
        self._state_dict_pre_hooks[handle.id] = hook
        return handle

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after `state_dict` has collected."""
        return self._register_state_dict_hook(hook, returns=False)

    def _register_state_dict_hook(self, hook: Callable, returns: bool = True) -> RemovableHandle:
        handle = RemovableHandle(self._state_dict_hooks)
        self._state_dict_hooks[handle.id] = hook, returns
        return handle

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` first."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        handle = RemovableHandle(self._load_state_dict_pre_hooks)
        self._load_state_dict_pre_hooks[handle.id] = hook if with_module else _WithoutModule(hook)
        return handle

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change those lists in place."""
        handle = RemovableHandle(self._load_state_dict_post_hooks)
        self._load_state_dict_post_hooks[handle.id] = hook
        return handle


class _WithoutModule:
    """A hook that does not want the module, as something that pickles."""

    def __init__(self, hook: Callable) -> None:
        self.hook = hook

    def __call__(self, module: Module, *args: Any) -> None:
        self.hook(*args)


def _overrides(module: StateMixin, method: str) -> bool:
    return getattr(type(module), method) is not getattr(StateMixin, method)


def _load(
    module: Module,
    state: dict[str, Any],
    prefix: str,
    metadata: Mapping[str, Any],
    assign: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load `module` and what is below it."""
    local_metadata = dict(metadata.get(prefix[:-1], {}))
    if assign:
        local_metadata["assign_to_params_buffers"] = True
    module._load_from_state_dict(state, prefix, local_metadata, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            inside = f"{prefix}{name}."
            below = {key: value for key, value in state.items() if key.startswith(inside)}
            _load(child, below, inside, metadata, assign, missing, unexpected, errors)
    keys = _IncompatibleKeys(missing, unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise RuntimeError("load_state_dict post-hook must return None: it changes the lists of keys in place")


def _load_tensor(
    module: Module, name: str, tensor: Tensor, value: Any, prefix: str, local_metadata: Mapping[str, Any]
) -> str | None:
    """Load one tensor; returns what is wrong with it."""
    key = prefix + name
    if not isinstance(value, Tensor):
        return (f'While copying the parameter named "{key}", expected a Tensor from checkpoint '
                f"but received {type(value)}")
    if tensor.shape == () and value.shape == (1,):
        value = value[0]
    if tensor.shape != value.shape:
        return (f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                f"the shape in current model is {tensor.shape}.")
    try:
        with minitorch.no_grad():
            if not local_metadata.get("assign_to_params_buffers"):
                tensor.copy_(value)
            elif isinstance(tensor, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad_(tensor.requires_grad)
                else:
                    value = Parameter(value, requires_grad=tensor.requires_grad)
                setattr(module, name, value)
            else:
                module._buffers[name] = value
    except Exception as error:
        return f'While copying the parameter named "{key}" of shape {tensor.shape}: {type(error).__name__}: {error}'
    return None
