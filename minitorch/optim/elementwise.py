"""What optimizers share whose step changes each element by itself: one fused call, and a reference for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import optim as _fused

from .optimizer import Optimizer


class ElementwiseOptimizer(Optimizer):
    """An optimizer that is a kernel of the engine and a `reference` in tensor operations, which do the same.

    The engine changes all parameters that it can in one call; the first step of each parameter, unusual types and
    layouts, and steps that are to be differentiated go through the reference.

    Attributes:
        kernel: the kernel's name.
        counters: the names of tensors of one number in a parameter's state.
        reference: ``reference(param, grad, state, *options)``, one parameter's step.
    """

    kernel: str
    counters: tuple[str, ...] = ("step",)
    reference: Callable[..., None]

    def _options(self, group: dict[str, Any]) -> tuple:
        """The numbers that kernel and reference take, in their order."""
        raise NotImplementedError

    def _tensors(self, group: dict[str, Any]) -> tuple:
        """The names of the tensors that the kernel needs, in its order."""
        raise NotImplementedError

    def _begin(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        """A parameter's state before its first step."""
        zeros = {name: minitorch.zeros_like(param.detach()) for name in self._tensors(group) if name}
        return {"step": minitorch.tensor(0.0, device="cpu"), **zeros}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once.

        Args:
            closure: computes the loss and its gradients again; `step` returns what it returns.
        """
        loss = None if closure is None else self._loss(closure)
        for group in self.param_groups:
            options = self._options(group)
            if group.get("differentiable"):
                self._recorded(group, options)
                continue
            left = _fused.step(self.kernel, group["params"], self.state, options, self._tensors(group), self.counters)
            if left:
                with minitorch.no_grad():
                    for param in left:
                        self.reference(param, param.grad, self._own(group, param), *options)
        return loss

    def _recorded(self, group: dict[str, Any], options: tuple) -> None:
        """Steps that can be differentiated: the state is copied, since the graph of the last step needs the old one."""
        if isinstance(group["lr"], Tensor) and group["lr"].requires_grad:
            raise NotImplementedError(f"{type(self).__name__}: a step can be differentiated with respect to parameters "
                                      "and gradients, but not to lr; give lr as a number")
        for param in group["params"]:
            if param.grad is not None:
                own = self._own(group, param)
                own.update((name, value.clone()) for name, value in own.items() if isinstance(value, Tensor))
                with minitorch.enable_grad():
                    self.reference(param, param.grad, own, *options)

    def _own(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        """A parameter's state, made at its first step, or completed if an option was turned on since."""
        own = self.state[param]
        if param.is_complex():  # whose parts would have averages of their own
            raise NotImplementedError(f"{type(self).__name__}: complex parameters are not supported; optimize a real "
                                      "one and use view_as_complex, or use SGD")
        if not own or any(name and name not in own for name in self._tensors(group)):
            own.update({**self._begin(group, param), **own})
        return own

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for own in self.state.values():  # old files have numbers
            for name in self.counters:
                if name in own and not isinstance(own[name], Tensor):
                    own[name] = minitorch.tensor(float(own[name]), device="cpu")
