"""Adadelta: steps in the units of the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_lr, check_options


def adadelta_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    state["step"] += 1
    square, changes = state["square_avg"], state["acc_delta"]
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
    change = (changes + eps).sqrt() / (square + eps).sqrt() * grad
    changes.mul_(rho).addcmul_(change, change, value=1 - rho)
    param.add_(change, alpha=-lr)


class Adadelta(ElementwiseOptimizer):
    r"""Each element's step is its gradient, scaled by the root mean squares of past steps over that of past gradients.

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2, \qquad
        \Delta = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}} g \\
        u &\leftarrow \rho u + (1 - \rho) \Delta^2, \qquad \theta \leftarrow \theta - \gamma \Delta

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        rho: :math:`\rho`.
        eps: :math:`\epsilon`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Zeiler, *ADADELTA*, arXiv:1212.5701.

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.Adadelta([p], lr=100.0).step()
    >>> p.data
    tensor([0.6838, 2.3162])
    """

    kernel = "adadelta"
    reference = staticmethod(adadelta_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        check_at_least("epsilon value", eps)
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }
        check_options("Adadelta", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (float(group["lr"]), group["rho"], group["eps"], group["weight_decay"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("square_avg", "acc_delta")
