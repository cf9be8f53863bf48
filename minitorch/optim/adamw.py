"""Adam whose weight decay does not go through the averages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import Tensor

from .adam import Adam


class AdamW(Adam):
    r"""`Adam` that shrinks the parameters by :math:`\gamma \lambda` at each step.

    The arguments are Adam's; ``weight_decay`` is 0.01 if not given.

    Source: Loshchilov and Hutter, *Decoupled weight decay regularization*, arXiv:1711.05101.

    >>> p = nn.Parameter(minitorch.tensor([1.]))
    >>> p.grad = minitorch.zeros(1)
    >>> minitorch.optim.AdamW([p], lr=0.5, weight_decay=0.5).step()
    >>> p.data
    tensor([0.7500])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
