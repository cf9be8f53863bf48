"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_lr, check_options


def asgd_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    lambd: float,
    alpha: float,
    t0: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    state["step"] += 1
    step, eta, mu, average = state["step"].item(), state["eta"].item(), state["mu"].item(), state["ax"]
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    param.mul_(1 - lambd * eta).add_(grad, alpha=-eta)
    if mu == 1:
        average.copy_(param)
    else:
        average.lerp_(param, mu)
    state["eta"].fill_(lr / (1 + lambd * lr * step) ** alpha)
    state["mu"].fill_(1 / max(1, step - t0))


class ASGD(ElementwiseOptimizer):
    r"""Gradient descent with slowly shrinking steps, and the average of the parameters along its way.

    .. math::
        \theta &\leftarrow (1 - \lambda \eta_t) \theta - \eta_t g, \qquad
        a \leftarrow a + \mu_t (\theta - a) \\
        \eta_{t+1} &= \frac{\gamma}{(1 + \lambda \gamma t)^{\alpha}}, \qquad
        \mu_{t+1} = \frac{1}{\max(1, t - t_0)}

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        lambd: :math:`\lambda`.
        alpha: :math:`\alpha`.
        t0: :math:`t_0`, the step from which on it averages.
        weight_decay: added to the gradient, times the parameter.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    The averages :math:`a` are in the state, as ``"ax"``.

    Source: Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM J. Control 30 (1992).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.ASGD([p], lr=0.5).step()
    >>> p.data
    tensor([0.4999, 2.9999])
    """

    kernel = "asgd"
    counters = ("step", "eta", "mu")
    reference = staticmethod(asgd_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least("weight_decay value", weight_decay)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }
        check_options("ASGD", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (float(group["lr"]), group["lambd"], group["alpha"], group["t0"], group["weight_decay"],
                group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("ax",)

    def _begin(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        begun = super()._begin(group, param)
        eta, mu = (minitorch.tensor(number, device="cpu") for number in (float(group["lr"]), 1.0))
        return {"step": begun["step"], "eta": eta, "mu": mu, "ax": begun["ax"]}
