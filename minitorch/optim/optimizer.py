"""The base of all optimizers: groups of parameters, their options and their state."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch.utils.hooks import RemovableHandle

_HOOKS = ("_step_pre_hooks", "_step_post_hooks", "_state_dict_pre_hooks", "_state_dict_post_hooks",
          "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


class Optimizer:
    """Changes parameters by their gradients.

    A subclass gives the `defaults` of its options and defines `step`.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of ``"params"`` and options for those.
        defaults: the options of groups that do not say otherwise.

    Attributes:
        param_groups: dictionaries of ``"params"`` and options; changing an option changes the next step.
        state: for each parameter, what the optimizer remembers of it.
    """

    state: defaultdict[Tensor, dict[str, Any]]
    param_groups: list[dict[str, Any]]
    _step_pre_hooks: dict[int, Callable]
    _step_post_hooks: dict[int, Callable]
    _state_dict_pre_hooks: dict[int, Callable]
    _state_dict_post_hooks: dict[int, Callable]
    _load_state_dict_pre_hooks: dict[int, Callable]
    _load_state_dict_post_hooks: dict[int, Callable]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                            f"{params.type()}")
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self.__dict__.update({name: {} for name in _HOOKS})
        self._stepping = self._opt_called = False
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once.

        Args:
            closure: computes the loss and its gradients again; `step` returns what it returns.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def _loss(self, closure: Callable[[], Any] | None) -> Any:
        if closure is None:
            return None
        with minitorch.enable_grad():
            return closure()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = param.grad.detach().zero_()

    # --- groups --------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with options of their own.

        Raises:
            ValueError: if a parameter is in a group already, is not a leaf, or a required option is missing.
            TypeError: if they are not tensors, or a set, which has no order.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of "
                            "tensors in sets will change between runs. Please use a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        if any(isinstance(param, tuple) for param in params):
            if not all(isinstance(param, tuple) for param in params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = [name for name, _ in params]
            params = [param for _, param in params]
        known = {id(param) for group in self.param_groups for param in group["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not (param.is_leaf or param.retains_grad or self.defaults.get("differentiable")):
                raise ValueError("can't optimize a non-leaf Tensor")
            if id(param) in known:
                raise ValueError("some parameters appear in more than one parameter group")
        if len({id(param) for param in params}) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters: they get several steps at "
                          "once", stacklevel=3)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if self.param_groups and ("param_names" in param_group) != ("param_names" in self.param_groups[0]):
            raise ValueError("all optimizer param groups should be with/without names. Cannot mix them")
        param_group["params"] = params
        self.param_groups.append(param_group)

    # --- saving and loading --------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state and the options; parameters are replaced by their positions.

        >>> p = nn.Parameter(minitorch.zeros(2))
        >>> minitorch.optim.SGD([p], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        for pre in self._state_dict_pre_hooks.values():
            pre(self)
        position: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                position.setdefault(id(param), len(position))
            saved = {name: value for name, value in group.items() if name != "params"}
            saved["params"] = [position[id(param)] for param in group["params"]]
            groups.append(saved)
        state = {position[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for post in self._state_dict_post_hooks.values():
            result = _replaced(post(self, result), result)
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state and the options from what `state_dict` gave; parameters are matched by position.

        Raises:
            ValueError: if the groups or their sizes differ.
        """
        state_dict = dict(state_dict)
        for pre in self._load_state_dict_pre_hooks.values():
            state_dict = _replaced(pre(self, state_dict), state_dict)
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups: "
                             f"{len(saved)}, not {len(self.param_groups)}")
        for theirs, ours in zip(saved, self.param_groups, strict=True):
            if len(theirs["params"]) != len(ours["params"]):
                raise ValueError("loaded state dict contains a parameter group that doesn't match the size of "
                                 f"optimizer's group: {len(theirs['params'])} parameters, not {len(ours['params'])}")
        params = {
            position: param
            for theirs, ours in zip(saved, self.param_groups, strict=True)
            for position, param in zip(theirs["params"], ours["params"], strict=True)
        }
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            state[params.get(key, key)] = _suited(params[key], value) if key in params else value
        groups = []
        for theirs, ours in zip(saved, self.param_groups, strict=True):
            group = {name: _copy(value) for name, value in theirs.items() if name != "params"}
            if "param_names" in ours:
                group["param_names"] = ours["param_names"]
            groups.append({**group, "params": ours["params"]})
        self.__setstate__({"state": state, "param_groups": groups})
        for post in self._load_state_dict_post_hooks.values():
            post(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Options that are newer than what is loaded get their defaults."""
        fresh = {**{name: {} for name in _HOOKS}, "_stepping": False, "_opt_called": False}
        self.__dict__.update({**fresh, **self.__dict__, **state})
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    # --- hooks ---------------------------------------------------------------------------------------------------

    def _register(self, table: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        hooks: dict[int, Callable] = self.__dict__[table]
        handle = RemovableHandle(hooks)
        others = dict(hooks) if prepend else {}
        for key in others:
            del hooks[key]
        hooks[handle.id] = hook
        hooks.update(others)
        return handle

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new arguments, the optimizer first."""
        return self._register("_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register("_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`; before the other hooks if `prepend`."""
        return self._register("_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another."""
        return self._register("_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before `load_state_dict`; it may return another to load."""
        return self._register("_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return self._register("_load_state_dict_post_hooks", hook, prepend)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
        return text + ")"


def _replaced(returned: Any, value: Any) -> Any:
    """What a hook returned, or if that is None what it was given."""
    return value if returned is None else returned


class _Required:
    """The default of an option that has none."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


_before_all: dict[int, Callable] = {}
_after_all: dict[int, Callable] = {}


def register_optimizer_step_pre_hook(hook: Callable) -> RemovableHandle:
    """`Optimizer.register_step_pre_hook` for all optimizers."""
    handle = RemovableHandle(_before_all)
    _before_all[handle.id] = hook
    return handle


def register_optimizer_step_post_hook(hook: Callable) -> RemovableHandle:
    """`Optimizer.register_step_post_hook` for all optimizers."""
    handle = RemovableHandle(_after_all)
    _after_all[handle.id] = hook
    return handle


def _with_hooks(step: Callable) -> Callable:
    """`step` between the hooks; where a subclass's step calls its parent's, only around the outer one."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True  # which learning rate schedules want to know
        if self._stepping or not (self._step_pre_hooks or self._step_post_hooks or _before_all or _after_all):
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            arguments: tuple = (self, *args)
            for hook in (*_before_all.values(), *self._step_pre_hooks.values()):
                result = hook(self, arguments, kwargs)
                if result is not None:
                    if not (isinstance(result, tuple) and len(result) == 2):
                        raise RuntimeError("a step pre-hook must return None or a tuple of (new_args, new_kwargs), but "
                                           f"got {result}")
                    arguments, kwargs = result
            outcome = step(*arguments, **kwargs)
            for hook in (*self._step_post_hooks.values(), *_after_all.values()):
                hook(self, arguments, kwargs)
            return outcome
        finally:
            self._stepping = False

    return hooked


def _copy(value: Any) -> Any:
    """Options are numbers, tuples, or tensors that the next step may change."""
    return value.clone() if isinstance(value, Tensor) else value


def _suited(param: Tensor, state: Any) -> Any:
    """A copy of a parameter's loaded state in the parameter's type; the number of steps keeps its own."""
    if isinstance(state, Tensor):
        return state.to(param.dtype if param.is_floating_point() else state.dtype, copy=True)
    if isinstance(state, dict):
        return {
            name: value.clone() if name == "step" and isinstance(value, Tensor) else _suited(param, value)
            for name, value in state.items()
        }
    if isinstance(state, (list, tuple)):
        return type(state)(_suited(param, value) for value in state)
    return state


def check_options(name: str, options: dict[str, Any]) -> None:
    """Refuse what is meant for CUDA graphs, and options that exclude each other.

    `foreach` and `fused` choose between PyTorch's implementations; ours is one, always fused, so they change nothing.
    """
    if options.get("foreach") and options.get("fused"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if options.get("fused") and options.get("differentiable"):
        raise RuntimeError("`fused` does not support `differentiable`")
    if options.get("capturable"):
        raise NotImplementedError(f"{name}: capturable=True is for CUDA graphs, which are not supported; leave it out")


def check_at_least(name: str, value: float, low: float = 0.0) -> None:
    """Refuse a negative option; `name` starts the message."""
    if not low <= value:
        raise ValueError(f"Invalid {name}: {value}")


def check_lr(lr: Any) -> None:
    """Refuse a negative learning rate, or a tensor of several."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_at_least("learning rate", float(lr))


def check_betas(betas: Any) -> None:
    """Refuse weights of running averages outside [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0 <= float(beta) < 1:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
