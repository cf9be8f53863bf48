"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_lr, check_options


def sgd_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Any],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    if momentum:
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = grad.clone()
        else:
            state["momentum_buffer"].mul_(momentum).add_(grad, alpha=1 - dampening)
        buffer = state["momentum_buffer"]
        grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
    param.add_(grad, alpha=-lr)


class SGD(ElementwiseOptimizer):
    r"""Stochastic gradient descent, with momentum if asked for.

    .. math::
        g &\leftarrow \nabla f(\theta) + \lambda \theta \\
        b &\leftarrow \mu b + (1 - \tau) g \\
        \theta &\leftarrow \theta - \gamma b, \text{ or } \theta - \gamma (g + \mu b) \text{ after Nesterov}

    At the first step :math:`b` is :math:`g`.

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        momentum: :math:`\mu`.
        dampening: :math:`\tau`.
        weight_decay: :math:`\lambda`.
        nesterov: look ahead along the momentum.
        maximize: go up instead of down.
        foreach, fused: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Sutskever and others, *On the importance of initialization and momentum in deep learning* (2013).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., 1.])
    >>> minitorch.optim.SGD([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 1.5000])
    """

    kernel, counters = "sgd", ()
    reference = staticmethod(sgd_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least("momentum value", momentum)
        check_at_least("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        }
        check_options("SGD", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (float(group["lr"]), group["momentum"], group["dampening"], group["weight_decay"], group["nesterov"],
                group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("momentum_buffer",) if group["momentum"] else ()

    def _own(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        return self.state[param] if group["momentum"] else {}
