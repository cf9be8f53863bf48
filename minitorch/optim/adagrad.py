"""Adagrad: steps divided by the root of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_lr, check_options


def adagrad_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    state["step"] += 1
    step, total = state["step"].item(), state["sum"]
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    total.addcmul_(grad, grad)
    param.addcdiv_(grad, total.sqrt() + eps, value=-lr / (1 + (step - 1) * lr_decay))


class Adagrad(ElementwiseOptimizer):
    r"""Each element's step is divided by the root of the sum of its squared gradients.

    .. math::
        s \leftarrow s + g^2, \qquad \theta \leftarrow \theta - \frac{\gamma}{1 + (t - 1) \eta}
            \frac{g}{\sqrt s + \epsilon}

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        lr_decay: :math:`\eta`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        initial_accumulator_value: what the sum :math:`s` begins with.
        eps: :math:`\epsilon`.
        maximize: go up instead of down.
        fused: accepted like foreach.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Duchi, Hazan and Singer, *Adaptive subgradient methods*, JMLR 12 (2011).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.Adagrad([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 2.5000])
    """

    kernel = "adagrad"
    reference = staticmethod(adagrad_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least("lr_decay value", lr_decay)
        check_at_least("weight_decay value", weight_decay)
        check_at_least("initial_accumulator_value value", initial_accumulator_value)
        check_at_least("epsilon value", eps)
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }
        check_options("Adagrad", defaults)
        super().__init__(params, defaults)
        for group in self.param_groups:  # unlike the others', its state is there before the first step
            for param in group["params"]:
                self._own(group, param)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (float(group["lr"]), group["lr_decay"], group["weight_decay"], group["eps"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("sum",)

    def _begin(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        total = minitorch.full_like(param.detach(), group["initial_accumulator_value"])
        return {"step": minitorch.tensor(0.0, device="cpu"), "sum": total}
