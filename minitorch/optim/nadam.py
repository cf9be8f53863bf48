"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_betas, check_lr, check_options


def nadam_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    momentum_decay: float,
    decoupled_weight_decay: bool,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    state["step"] += 1
    step, mean, square = state["step"].item(), state["exp_avg"], state["exp_avg_sq"]
    if maximize:
        grad = -grad
    if weight_decay and decoupled_weight_decay:
        param.mul_(1 - lr * weight_decay)
    elif weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    now, following = (beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (step, step + 1))
    product = state["mu_product"].item() * now
    state["mu_product"].fill_(product)
    mean.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    scale = (square / (1 - beta2**step)).sqrt() + eps
    param.addcdiv_(grad, scale, value=-lr * (1 - now) / (1 - product))
    param.addcdiv_(mean, scale, value=-lr * following / (1 - product * following))


class NAdam(ElementwiseOptimizer):
    r"""Adam that looks ahead along its momentum, as Nesterov's method does.

    .. math::
        \mu_t &= \beta_1 (1 - \tfrac12 0.96^{t \psi}), \qquad
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow \theta - \gamma \left(\frac{\mu_{t+1} m}{1 - \prod_{i \le t+1} \mu_i}
            + \frac{(1 - \mu_t) g}{1 - \prod_{i \le t} \mu_i}\right) \Big/
            \left(\sqrt{v / (1 - \beta_2^t)} + \epsilon\right)

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        momentum_decay: :math:`\psi`.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma \lambda` instead, as `AdamW` does.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Dozat, *Incorporating Nesterov momentum into Adam*, ICLR workshop (2016).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.NAdam([p], lr=0.5).step()
    >>> p.data
    tensor([0.4718, 2.5282])
    """

    kernel = "nadam"
    counters = ("step", "mu_product")
    reference = staticmethod(nadam_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least("epsilon value", eps)
        check_betas(betas)
        check_at_least("weight_decay value", weight_decay)
        check_at_least("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }
        check_options("NAdam", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        beta1, beta2 = group["betas"]
        return (float(group["lr"]), float(beta1), float(beta2), group["eps"], group["weight_decay"],
                group["momentum_decay"], group["decoupled_weight_decay"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("exp_avg", "exp_avg_sq")

    def _begin(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        begun = super()._begin(group, param)
        return {"step": begun.pop("step"), "mu_product": minitorch.tensor(1.0, device="cpu"), **begun}
