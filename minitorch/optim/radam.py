"""RAdam: Adam that waits until its second moment can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_betas, check_lr, check_options


def radam_reference(
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
    """One parameter's step in tensor operations."""
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
    size, correction = lr / (1 - beta1**step), 1 - beta2**step
    most = 2 / (1 - beta2) - 1
    length = most - 2 * step * beta2**step / correction  # of the average that the mean square amounts to
    if length > 5:
        rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
        param.addcdiv_(mean, square.sqrt() + eps, value=-size * (rectified * correction) ** 0.5)
    else:
        param.add_(mean, alpha=-size)


class RAdam(ElementwiseOptimizer):
    r"""Adam whose adaptive step is rectified by how well the mean square is known, and plain momentum before that.

    .. math::
        \rho_\infty &= \tfrac{2}{1 - \beta_2} - 1, \qquad
        \rho_t = \rho_\infty - \tfrac{2 t \beta_2^t}{1 - \beta_2^t}, \qquad
        r_t = \sqrt{\tfrac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2) \rho_t}} \\
        \theta &\leftarrow \theta - \gamma \tfrac{m}{1 - \beta_1^t} \cdot
            \begin{cases} r_t \sqrt{1 - \beta_2^t} / (\sqrt v + \epsilon) & \rho_t > 5 \\ 1 & \text{else}\end{cases}

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma \lambda` instead, as `AdamW` does.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Liu and others, *On the variance of the adaptive learning rate and beyond*, arXiv:1908.03265.

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.RAdam([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 3.0000])
    """

    kernel = "radam"
    reference = staticmethod(radam_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        check_options("RAdam", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        beta1, beta2 = group["betas"]
        return (float(group["lr"]), float(beta1), float(beta2), group["eps"], group["weight_decay"],
                group["decoupled_weight_decay"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("exp_avg", "exp_avg_sq")
