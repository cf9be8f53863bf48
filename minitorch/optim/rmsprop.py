"""RMSprop: steps divided by the root mean square of recent gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_at_least, check_lr, check_options


def rmsprop_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations; the state has what the options need."""
    state["step"] += 1
    square, mean = state["square_avg"], state.get("grad_avg")
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
    if mean is not None:
        mean.lerp_(grad, 1 - alpha)
        square = square.addcmul(mean, mean, value=-1)
    scale = square.sqrt() + eps
    if momentum:
        param.add_(state["momentum_buffer"].mul_(momentum).addcdiv_(grad, scale), alpha=-lr)
    else:
        param.addcdiv_(grad, scale, value=-lr)


class RMSprop(ElementwiseOptimizer):
    r"""Each element's step is divided by the root mean square of its recent gradients, or by their standard deviation.

    .. math::
        v &\leftarrow \alpha v + (1 - \alpha) g^2, \qquad m \leftarrow \alpha m + (1 - \alpha) g \\
        b &\leftarrow \mu b + \frac{g}{\sqrt{v - m^2} + \epsilon}, \qquad \theta \leftarrow \theta - \gamma b

    Args:
        lr: :math:`\gamma`, a number or a tensor of one element.
        alpha: :math:`\alpha`.
        eps: :math:`\epsilon`.
        weight_decay: :math:`\lambda`, added to the gradient as :math:`\lambda \theta`.
        momentum: :math:`\mu`.
        centered: divide by the standard deviation; otherwise :math:`m` is 0.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Tieleman and Hinton, *Neural networks for machine learning*, lecture 6e (2012); Graves,
    arXiv:1308.0850, for the centered form.

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.RMSprop([p], lr=0.05).step()
    >>> p.data
    tensor([0.5000, 2.5000])
    """

    kernel = "rmsprop"
    reference = staticmethod(rmsprop_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least("epsilon value", eps)
        check_at_least("momentum value", momentum)
        check_at_least("weight_decay value", weight_decay)
        check_at_least("alpha value", alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }
        check_options("RMSprop", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (float(group["lr"]), group["alpha"], group["eps"], group["weight_decay"], group["momentum"],
                group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("square_avg", "momentum_buffer" if group["momentum"] else None,
                "grad_avg" if group["centered"] else None)
