"""Rprop: steps that know only the gradient's sign."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .elementwise import ElementwiseOptimizer
from .optimizer import check_lr, check_options


def rprop_reference(
    param: Tensor,
    grad: Tensor,
    state: dict[str, Tensor],
    eta_minus: float,
    eta_plus: float,
    smallest: float,
    largest: float,
    maximize: bool,
) -> None:
    """One parameter's step in tensor operations."""
    state["step"] += 1
    if maximize:
        grad = -grad
    turn = (grad * state["prev"]).sign()
    factor = minitorch.where(turn > 0, eta_plus, minitorch.where(turn < 0, eta_minus, 1 + turn))
    state["step_size"].mul_(factor.detach()).clamp_(smallest, largest)
    grad = grad.masked_fill(turn < 0, 0)
    param.addcmul_(grad.sign(), state["step_size"], value=-1)
    state["prev"] = grad.clone()


class Rprop(ElementwiseOptimizer):
    r"""Each element has a step size of its own, which grows while its gradient keeps its sign and else shrinks.

    .. math::
        \eta \leftarrow \begin{cases} \min(\eta\, \eta_+, \Gamma_{max}) & g\, g' > 0 \\
            \max(\eta\, \eta_-, \Gamma_{min}), \text{ and then } g = 0 & g\, g' < 0 \end{cases}
            \qquad \theta \leftarrow \theta - \eta\, \mathrm{sign}(g)

    Args:
        lr: the first step size, a number or a tensor of one element.
        etas: :math:`\eta_-, \eta_+`.
        step_sizes: :math:`\Gamma_{min}, \Gamma_{max}`.
        maximize: go up instead of down.
        foreach: accepted for PyTorch's sake; all parameters are always changed in one call.
        differentiable: record the step, so that one can differentiate through it.

    Source: Riedmiller and Braun, *A direct adaptive method for faster backpropagation learning*, ICNN (1993).

    >>> p = nn.Parameter(minitorch.tensor([1., 2.]))
    >>> p.grad = minitorch.tensor([1., -2.])
    >>> minitorch.optim.Rprop([p], lr=0.5).step()
    >>> p.data
    tensor([0.5000, 2.5000])
    """

    kernel = "rprop"
    reference = staticmethod(rprop_reference)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }
        check_options("Rprop", defaults)
        super().__init__(params, defaults)

    def _options(self, group: dict[str, Any]) -> tuple:
        return (*group["etas"], *group["step_sizes"], group["maximize"])

    def _tensors(self, group: dict[str, Any]) -> tuple:
        return ("prev", "step_size")

    def _begin(self, group: dict[str, Any], param: Tensor) -> dict[str, Any]:
        begun = super()._begin(group, param)
        begun["step_size"].fill_(float(group["lr"]))
        return begun
