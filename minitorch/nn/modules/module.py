"""The base of all layers and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import minitorch
from minitorch import Tensor
from minitorch.utils.hooks import RemovableHandle

from ..parameter import Buffer, Parameter
from ._attributes import MissingAttribute
from ._hooks import (  # noqa: F401 - where programs look for them
    BackwardHooks,
    move_to_front,
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from ._hooks import global_backward_hooks as _every_backward_hook
from ._hooks import global_backward_pre_hooks as _every_backward_pre_hook
from ._hooks import global_forward_hooks as _every_forward_hook
from ._hooks import global_forward_hooks_always_called as _every_forward_hook_always
from ._hooks import global_forward_hooks_with_kwargs as _every_forward_hook_with_kwargs
from ._hooks import global_forward_pre_hooks as _every_forward_pre_hook
from ._state import StateMixin

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")


class Module(StateMixin):
    """A function with parameters, made of smaller ones.

    A subclass calls ``super().__init__()``, assigns its parameters and submodules to attributes, which registers
    them, and defines `forward`.  Calling the module calls `forward` and the hooks around it.

    >>> class Model(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden, self.out = nn.Linear(4, 8), nn.Linear(8, 2)
    ...
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> model = Model()
    >>> model(minitorch.ones(5, 4)).shape
    torch.Size([5, 2])
    >>> [name for name, _ in model.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    call_super_init = False
    _version = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if args:
                raise TypeError(f"{type(self).__name__}.__init__() takes 1 positional argument but "
                                f"{len(args) + 1} were given")
            if kwargs:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                                f"'{next(iter(kwargs))}'")
        self.__dict__.update(_fresh_attributes())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the module computes; every subclass defines it."""
        raise NotImplementedError(f"Module [{type(self).__name__}] is missing the required \"forward\" function")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
                or _every_forward_hook or _every_forward_pre_hook or _every_backward_hook or _every_backward_pre_hook):
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # --- registering ---------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name for one that is absent.

        Raises:
            TypeError: if it is not a Parameter or the name no string.
            KeyError: if the name is taken, empty or has a dot.
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{_type_of(param)}' object to parameter '{name}' "
                            "(minitorch.nn.Parameter or None required)")
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"cannot assign a tensor that was computed to parameter '{name}': parameters are leaves "
                             "of the graph; compute it from parameters in forward() instead")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is kept with the module but is not learnt, such as a running mean.

        Args:
            persistent: list it in `state_dict`.

        >>> module = nn.Module()
        >>> module.register_buffer("steps", minitorch.zeros(()))
        >>> module.steps
        tensor(0.)
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{_type_of(tensor)}' object to buffer '{name}' "
                            "(minitorch Tensor or None required)")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under `name`."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_type_of(module)} is not a Module subclass")
        self._check_name("module", name, "_modules")
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str, table: str) -> None:
        """Refuse a name that cannot be an attribute, or that something else has."""
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_type_of(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._take_name("parameters", name, "_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._take_name("module", name, "_modules")
            own["_modules"][name] = value
        elif isinstance(value, Buffer):
            self._take_name("buffers", name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif "_parameters" in own and name in own["_parameters"]:
            if value is not None:
                raise TypeError(f"cannot assign '{_type_of(value)}' as parameter '{name}' "
                                "(minitorch.nn.Parameter or None expected)")
            own["_parameters"][name] = None
        elif "_modules" in own and name in own["_modules"]:
            if value is not None:
                raise TypeError(f"cannot assign '{_type_of(value)}' as child module '{name}' "
                                "(minitorch.nn.Module or None expected)")
            own["_modules"][name] = None
        elif "_buffers" in own and name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{_type_of(value)}' as buffer '{name}' "
                                "(minitorch.nn.Buffer, minitorch.Tensor or None expected)")
            own["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def _take_name(self, kind: str, name: str, table: str) -> None:
        """Make `name` free for an entry of `table`."""
        own = self.__dict__
        if table not in own:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        own.pop(name, None)
        for other in ("_parameters", "_buffers", "_modules"):
            if other != table and other in own:
                own[other].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            entries = own.get(table)
            if entries is not None and name in entries:
                return entries[name]
        raise MissingAttribute(self, name)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        if name not in self.__dict__ and not hasattr(type(self), name):
            raise MissingAttribute(self, name)
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**_fresh_attributes(), **state})

    # --- walking -------------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each after its parent, with dotted names.

        Args:
            remove_duplicate: give a module that is used twice only once.

        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 2), nn.ReLU()).named_modules()]
        ['', '0', '1']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (module for _, module in self.named_children())

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """The members that `get_members_fn` lists of this module and those below, with dotted names, None left out."""
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_name, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{module_name}.{name}" if module_name else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names, each once."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once; what an optimizer takes."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names, each once."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module below with the dotted name `target`.

        >>> nn.Sequential(nn.Sequential(nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the dotted name `target`; `strict` demands that there is one already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {_type_of(module)}")
        parent, _, name = target.rpartition(".")
        owner = self.get_submodule(parent)
        if strict and not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        if hasattr(owner, name) and not isinstance(getattr(owner, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(owner, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with the dotted name `target`."""
        return self._get_member(target, "_parameters", "nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with the dotted name `target`."""
        return self._get_member(target, "_buffers", "buffer")

    def _get_member(self, target: str, table: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if name not in getattr(module, table):
            raise AttributeError(f"`{name}` is not a {kind}")
        return getattr(module, name)

    # --- changing all of it --------------------------------------------------------------------------------------

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module, the inner ones first; often to initialise.

        >>> _ = nn.Sequential(nn.Linear(2, 2)).apply(lambda m: print(type(m).__name__))
        Linear
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the data of every parameter, gradient and buffer by what `fn` makes of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with minitorch.no_grad():
            for param in self._parameters.values():
                if param is not None:
                    grad, data = param.grad, fn(param)
                    if data is not param:
                        param.grad = None  # it no longer fits
                        param.data = data
                    if grad is not None:
                        param.grad = fn(grad).requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, to a floating-point type, or both: ``to(device)``, ``to(dtype)``, ``to(tensor)``.

        Integer tensors keep their type.  Changes the module itself and returns it.

        >>> nn.Linear(2, 2).to(minitorch.float64).weight.dtype
        torch.float64
        """
        device, dtype, non_blocking = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError("nn.Module.to only accepts floating point or complex dtypes, but got desired "
                            f"dtype={dtype}")

        def convert(tensor: Tensor) -> Tensor:
            options = {} if device is None else {"device": device, "non_blocking": non_blocking}
            if dtype is not None and (tensor.is_floating_point() or tensor.is_complex()):
                options["dtype"] = dtype
            return tensor.to(**options) if options else tensor

        return self._apply(convert)

    def type(self: Self, dst_type: Any) -> Self:
        """Convert every parameter and buffer, integer ones too."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def _to_floating(self: Self, dtype: Any) -> Self:
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self: Self) -> Self:
        """Convert what is floating point to float32."""
        return self._to_floating(minitorch.float32)

    def double(self: Self) -> Self:
        """Convert what is floating point to float64."""
        return self._to_floating(minitorch.float64)

    def half(self: Self) -> Self:
        """Convert what is floating point to float16."""
        return self._to_floating(minitorch.float16)

    def bfloat16(self: Self) -> Self:
        """Convert what is floating point to bfloat16."""
        return self._to_floating(minitorch.bfloat16)

    def cpu(self: Self) -> Self:
        """Move to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self: Self, device: Any = None) -> Self:
        """Move to the GPU."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without the values: parameters and buffers are left unset."""
        return self._apply(lambda tensor: minitorch.empty_like(tensor, device=device), recurse)

    def share_memory(self: Self) -> Self:
        """`Tensor.share_memory_` of parameters, their gradients, and buffers: for `minitorch.multiprocessing`."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """`minitorch.compile` of this module, which changes nothing in it."""
        minitorch.compile(self, *args, **kwargs)

    def train(self: Self, mode: bool = True) -> Self:
        """Choose how layers such as Dropout behave: as in training, or as in use."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Whether the parameters get gradients."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for module in self.modules():
            for param in module._parameters.values():
                if param is None or param.grad is None:
                    continue
                if set_to_none:
                    param.grad = None
                else:
                    param.grad = param.grad.detach().zero_()

    # --- hooks ---------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`; what it returns replaces the arguments.

        Args:
            prepend: call it before the hooks already there.
            with_kwargs: call ``hook(module, args, kwargs)``, which returns both or None.
        """
        handle = RemovableHandle(self._forward_pre_hooks, extra_dict=self._forward_pre_hooks_with_kwargs)
        self._forward_pre_hooks[handle.id] = hook
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        if prepend:
            move_to_front(self._forward_pre_hooks, handle.id)
        return handle

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`; what it returns replaces the output.

        Args:
            prepend: call it before the hooks already there.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it even if `forward` raises.

        >>> layer = nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(output.shape))
        >>> _ = layer(minitorch.ones(3))
        torch.Size([3])
        >>> handle.remove()
        """
        tables = [self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
        handle = RemovableHandle(self._forward_hooks, extra_dict=tables)
        self._forward_hooks[handle.id] = hook
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        if prepend:
            move_to_front(self._forward_hooks, handle.id)
        return handle

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the positional arguments are known.

        What it returns, a tuple as long as `grad_input`, replaces those.

        >>> layer = nn.Linear(2, 3)
        >>> handle = layer.register_full_backward_hook(lambda module, inputs, outputs: print(outputs[0].shape))
        >>> layer(minitorch.ones(5, 2, requires_grad=True)).sum().backward()
        torch.Size([5, 3])
        """
        return self._register_backward(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the result are known, before they go on."""
        return self._register_backward(self._backward_pre_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """`register_full_backward_hook` by its older name."""
        return self.register_full_backward_hook(hook)

    def _register_backward(self, table: dict[int, Any], hook: Callable, prepend: bool) -> RemovableHandle:
        handle = RemovableHandle(table)
        table[handle.id] = hook
        if prepend:
            move_to_front(table, handle.id)
        return handle

    def _watch_gradients(self) -> BackwardHooks | None:
        """The backward hooks on one call, if there are any."""
        pre_hooks = [*_every_backward_pre_hook.values(), *self._backward_pre_hooks.values()]
        hooks = [*_every_backward_hook.values(), *self._backward_hooks.values()]
        return BackwardHooks(self, pre_hooks, hooks) if pre_hooks or hooks else None

    def _after_forward(self) -> list[tuple[int, Callable, bool, bool]]:
        """The forward hooks: id, hook, whether it wants the keyword arguments, whether it is called after an error."""
        return [(id, hook, id in _every_forward_hook_with_kwargs, id in _every_forward_hook_always)
                for id, hook in _every_forward_hook.items()] + [
            (id, hook, id in self._forward_hooks_with_kwargs, id in self._forward_hooks_always_called)
            for id, hook in self._forward_hooks.items()]

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        called: set[int] = set()
        try:
            for hook in list(_every_forward_pre_hook.values()):
                args, kwargs = self._call_pre_hook(hook, False, args, kwargs)
            for id, hook in list(self._forward_pre_hooks.items()):
                args, kwargs = self._call_pre_hook(hook, id in self._forward_pre_hooks_with_kwargs, args, kwargs)
            watch = self._watch_gradients()
            if watch is not None:
                args = watch.on_inputs(args)
            output = self.forward(*args, **kwargs)
            for id, hook, with_kwargs, _ in self._after_forward():
                called.add(id)
                output = self._call_hook(hook, with_kwargs, args, kwargs, output)
            return output if watch is None else watch.on_outputs(output)
        except Exception:
            for id, hook, with_kwargs, always in self._after_forward():
                if always and id not in called:
                    self._call_after_error(hook, with_kwargs, args, kwargs)
            raise

    def _call_pre_hook(self, hook: Callable, with_kwargs: bool, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        result = hook(self, args, kwargs) if with_kwargs else hook(self, args)
        if result is None:
            return args, kwargs
        if not with_kwargs:
            return result if isinstance(result, tuple) else (result,), kwargs
        if isinstance(result, tuple) and len(result) == 2:
            return result
        raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}.")

    def _call_hook(self, hook: Callable, with_kwargs: bool, args: tuple, kwargs: dict, output: Any) -> Any:
        result = hook(self, *((args, kwargs) if with_kwargs else (args,)), output)
        return output if result is None else result

    def _call_after_error(self, hook: Callable, with_kwargs: bool, args: tuple, kwargs: dict) -> None:
        """An error of this hook must not hide the one that came first."""
        try:
            self._call_hook(hook, with_kwargs, args, kwargs, None)
        except Exception as error:
            import warnings

            warnings.warn(f"module forward hook with always_call=True raised {error!r}, which was silenced because "
                          "another error was raised in forward", stacklevel=3)

    # --- showing -------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the repr; a subclass says what it was made with."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): " + _indent(repr(module)) for name, module in self._modules.items()]
        return _layout(self._get_name(), extra.split("\n") if extra else [], children)


def _fresh_attributes() -> dict[str, Any]:
    """What every module starts with."""
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_modules": {},
        "_backward_hooks": {},
        "_backward_pre_hooks": {},
        "_forward_hooks": {},
        "_forward_hooks_with_kwargs": {},
        "_forward_hooks_always_called": {},
        "_forward_pre_hooks": {},
        "_forward_pre_hooks_with_kwargs": {},
        "_state_dict_hooks": {},
        "_state_dict_pre_hooks": {},
        "_load_state_dict_pre_hooks": {},
        "_load_state_dict_post_hooks": {},
    }


def _parse_to(
    *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> tuple[Any, Any, bool]:
    """The device and the dtype that arguments of `to` ask for, and whether copies need not be waited for."""
    if memory_format is not None:
        raise NotImplementedError("nn.Module.to: memory_format is not supported; all tensors are in C order")
    if len(args) > 3:
        raise TypeError(f"to() takes a device, a dtype or a tensor, and non_blocking; got {len(args)} arguments")
    if args:
        first, *rest = args
        if isinstance(first, Tensor):
            device, dtype = first.device, first.dtype
        elif isinstance(first, minitorch.dtype):
            dtype = first
        else:
            device = first
            if rest and not isinstance(rest[0], bool):
                dtype = rest[0]
    if dtype is not None and not isinstance(dtype, minitorch.dtype):
        raise TypeError(f"to(): expected a dtype such as minitorch.float32, got {_type_of(dtype)}")
    return device, dtype, non_blocking or any(argument is True for argument in args[1:])


def _type_of(value: Any) -> str:
    return value.type() if isinstance(value, Tensor) else type(value).__name__


def _indent(text: str) -> str:
    """All lines but the first moved in by two."""
    return text.replace("\n", "\n  ")


def _layout(name: str, extra: list[str], children: list[str]) -> str:
    """``name(...)``, on one line if there are no children and at most one line of `extra`."""
    lines = extra + children
    if not lines:
        return f"{name}()"
    if len(extra) == 1 and not children:
        return f"{name}({extra[0]})"
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"
