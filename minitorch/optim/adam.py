"""Adam: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_betas, check_lr, check_options


def adam_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled_weight_decay: bool,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations; with amsgrad if the state has ``"max_exp_avg_sq"``."""
    state["step"] += 1
    step, mean, square = state["step"].item(), state["exp_avg"], state["exp_avg_sq"]
    if maximize:
        grad = -grad
    if weight_decay and decoupled_weight_decay:
        param.mul_(1 - lr * weight_decay)
    elif weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    mean.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    if "max_exp_avg_sq" in state:
        square = state["max_exp_avg_sq"] = minitorch.maximum(state["max_exp_avg_sq"], square)
    scale = square.sqrt() / (1 - beta2**step) ** 0.5 + eps
    param.addcdiv_(mean, scale, value=-lr / (1 - beta1**step))


class Adam(ElementwiseOptimizer):
    r"""Adam: each element's step is scaled by running averages of its gradient and of the gradient's square.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow \theta - \gamma\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        amsgrad: divide by the largest average of squares so far.
        maximize: go up instead of down.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma \lambda` instead, which is `AdamW`.
        foreach, fused: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Kingma and Ba, arXiv:1412.6980; Reddi and others, *On the convergence of Adam and beyond*, arXiv:1904.09237.

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([3., -3.])
    >>> minitorch.optim.Adam([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 2.5000])
    """

    kernel = "adam"
    reference = staticmethod(adam_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least("epsilon value", eps)
        check_at_least("weight_decay value", weight_decay)
        check_betas(betas)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }
        check_options(type(self).__name__, defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        beta1, beta2 = group["betas"]
        return (float(group["lr"]), float(beta1), float(beta2), group["eps"], group["weight_decay"],
                group["decoupled_weight_decay"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")
