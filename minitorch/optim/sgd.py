"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import optim as _fused

from .optimizer import Optimizer, check_at_least, check_lr, check_options


class SGD(Optimizer):
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

    Source: Sutskever and others, *On the importance of initialization and momentum in deep learning* (2013).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., 1.])
    >>> minitorch.optim.SGD([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 1.5000])
    """

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

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once."""
        loss = None if closure is None else self._loss(closure)
        state = self.state
        for group in self.param_groups:
            options = (float(group["lr"]), group["momentum"], group["dampening"], group["weight_decay"],
                       group["nesterov"], group["maximize"])
            left = _fused.sgd(group["params"], state, *options)
            if left:
                with minitorch.no_grad():
                    for param in left:
                        own = state[param] if group["momentum"] else {}
                        own["momentum_buffer"] = sgd_reference(param, param.grad, own.get("momentum_buffer"), *options)
        return loss


def sgd_reference(
    param: Tensor,
    grad: Tensor,
    buffer: Tensor | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> Tensor | None:
    """One parameter's step in tensor operations; returns the momentum buffer."""
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    if momentum:
        buffer = grad.clone() if buffer is None else buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
        grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
    param.add_(grad, alpha=-lr)
    return buffer
