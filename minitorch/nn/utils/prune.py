"""Pruning: weights set to zero by a mask, and kept there.

Pruning ``weight`` makes the parameter ``weight_orig`` and the buffer ``weight_mask``; a hook computes ``weight`` from
both before each call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import minitorch
from minitorch import Tensor

from ..modules.module import Module

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]


def _check_amount(amount: float) -> None:
    """A share from 0 to 1, or a number of entries."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if (isinstance(amount, int) and amount < 0) or (isinstance(amount, float) and not 0.0 <= amount <= 1.0):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _how_many(amount: float, size: int) -> int:
    count = amount if isinstance(amount, int) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(count)


class BasePruningMethod(ABC):
    """A way to choose what is pruned; a subclass defines `compute_mask`, and `PRUNING_TYPE`, what its mask works on."""

    PRUNING_TYPE = "unstructured"
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """1 where the entry stays, 0 where it is pruned, given what was pruned before."""

    def apply_mask(self, module: Module) -> Tensor:
        """The masked tensor."""
        name = self._tensor_name
        original = getattr(module, name + "_orig")
        return getattr(module, name + "_mask").to(original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune a tensor of a module, once more if it was pruned before."""
        method = cls(*args, **kwargs)
        method._tensor_name = name
        old = None
        for id, hook in list(module._forward_pre_hooks.items()):
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
                old = hook
                del module._forward_pre_hooks[id]
        whole: BasePruningMethod = method
        if old is not None:
            whole = old if isinstance(old, PruningContainer) else PruningContainer(old)
            whole.add_pruning_method(method)
            whole._tensor_name = name
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(f"importance_scores should have the same shape as parameter {name} of {module}")
        scores = original if importance_scores is None else importance_scores
        if old is None:
            module.register_parameter(name + "_orig", module._parameters[name])
            del module._parameters[name]
            before = minitorch.ones_like(original)
        else:
            before = getattr(module, name + "_mask").detach().clone()
        try:
            mask = whole.compute_mask(scores.detach(), before)
        except Exception:
            if old is None:
                module.register_parameter(name, module._parameters.pop(name + "_orig"))
            raise
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, whole.apply_mask(module))
        module.register_forward_pre_hook(whole)
        return whole

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """The pruned tensor, without any module."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        return t * self.compute_mask(scores, minitorch.ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor an ordinary parameter, zeros and all."""
        name = self._tensor_name
        weight = self.apply_mask(module).detach()
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = weight
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several prunings of the same tensor, each of what those before have left."""

    def __init__(self, *args: Any) -> None:
        self._methods: tuple[BasePruningMethod, ...] = ()
        for method in args[0] if len(args) == 1 and isinstance(args[0], Iterable) else args:
            self._tensor_name = method._tensor_name
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add one more."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._methods and self._tensor_name != method._tensor_name:
            raise ValueError("Can only add pruning methods acting on the parameter named "
                             f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'")
        self._methods += (method,)

    def __len__(self) -> int:
        return len(self._methods)

    def __iter__(self) -> Any:
        return iter(self._methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Apply the last method to what is left, and join its mask with the others'."""
        method, mask = self._methods[-1], default_mask.to(t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.ndim
            kept = [d for d in range(t.ndim) if d != dim]
            channels = (mask.sum(kept) if kept else mask) != 0
            left = tuple(slice(None) if d != dim else channels for d in range(t.ndim))
        else:
            left = (slice(None),) * t.ndim
        mask = mask.clone()
        mask[left] = method.compute_mask(t[left], mask[left]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but makes the mask and the names."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask as it is."""
        return default_mask


class _Amount(BasePruningMethod):
    """Those that take an amount: a share of the entries, or a number of them."""

    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount


class RandomUnstructured(_Amount):
    """Prunes entries at random."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at random places."""
        return _without_least(minitorch.rand_like(t), self.amount, default_mask)


class L1Unstructured(_Amount):
    """Prunes the entries with the smallest absolute values."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at the smallest."""
        return _without_least(t.abs(), self.amount, default_mask)


def _without_least(scores: Tensor, amount: float, mask: Tensor) -> Tensor:
    """The mask without the entries of least score."""
    count = _how_many(amount, scores.numel())
    mask = mask.clone()
    if count:
        least = minitorch.topk(scores.reshape(-1), count, largest=False).indices
        flat = mask.reshape(-1)
        flat[least] = 0
        mask = flat.reshape(mask.shape)
    return mask


class _Structured(_Amount):
    """Those that prune whole channels along a dimension."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros in the channels of least score."""
        if t.ndim <= 1:
            raise ValueError("Structured pruning can only be applied to multidimensional tensors. Found tensor of "
                             f"shape {t.shape} with {t.ndim} dims")
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = _how_many(self.amount, size)
        keep = minitorch.ones(size, dtype=t.dtype, device=t.device)
        if count:
            keep[minitorch.topk(self._scores(t), count, largest=False).indices] = 0
        shape = [-1 if d == self.dim % t.ndim else 1 for d in range(t.ndim)]
        return default_mask.to(t.dtype) * keep.reshape(shape)


class RandomStructured(_Structured):
    """Prunes channels at random."""

    def _scores(self, t: Tensor) -> Tensor:
        return minitorch.rand(t.shape[self.dim], device=t.device)


class LnStructured(_Structured):
    """Prunes the channels of smallest norm."""

    def __init__(self, amount: float, n: float, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor) -> Tensor:
        return t.norm(p=self.n, dim=[d for d in range(t.ndim) if d != self.dim % t.ndim])


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError("the mask must have the shape of the tensor")
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Prune nothing, but make the mask and the names."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune entries of a parameter at random: a share of them, or a number."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the entries of a parameter with the smallest absolute values, or the smallest of some scores.

    >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(4, 4), "weight", amount=0.5)
    >>> int(layer.weight_mask.sum())
    8
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune channels of a parameter at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: float, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the channels of a parameter with the smallest norms of order `n`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune a parameter by a mask."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Sequence[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune the least of the entries of several parameters together."""
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = importance_scores or {}
    scores = [given.get((module, name), getattr(module, name)) for module, name in parameters]
    masks = [getattr(module, name + "_mask", minitorch.ones_like(getattr(module, name))) for module, name in parameters]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
                        f"{pruning_method} of type {method.PRUNING_TYPE}")
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    flat = minitorch.cat([s.detach().reshape(-1) for s in scores])
    whole = container.compute_mask(flat, minitorch.cat([m.reshape(-1) for m in masks]))
    start = 0
    for module, name in parameters:
        size = getattr(module, name).numel()
        custom_from_mask(module, name, whole[start:start + size].reshape(getattr(module, name).shape))
        start += size


def remove(module: Module, name: str) -> Module:
    """Make a pruned tensor an ordinary parameter, zeros and all."""
    for id, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[id]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a module, or one below it, is pruned."""
    return any(isinstance(hook, BasePruningMethod) for below in module.modules()
               for hook in below._forward_pre_hooks.values())
