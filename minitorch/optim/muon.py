"""Muon: steps along the orthogonal matrix nearest to the momentum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .optimizer import Optimizer, check_lr


class Muon(Optimizer):
    r"""Momentum, orthogonalised: all directions of a weight matrix learn equally fast.  For matrices only.

    .. math::
        b \leftarrow \mu b + (1 - \mu) g, \qquad
        \theta \leftarrow (1 - \gamma \lambda) \theta - \gamma\, c\, \mathrm{NS}(\mu b + (1 - \mu) g)

    where NS is `orthogonalised` and :math:`c` depends on the shape; :math:`\mathrm{NS}(b)` without Nesterov.

    Args:
        lr: :math:`\gamma`.
        weight_decay: :math:`\lambda`.
        momentum: :math:`\mu`.
        nesterov: look ahead along the momentum.
        ns_coefficients: of the polynomial of the iteration.
        eps: the least norm to divide by.
        ns_steps: iterations.
        adjust_lr_fn: ``"original"`` or None for :math:`c = \sqrt{\max(1, rows / columns)}`, ``"match_rms_adamw"`` for
            :math:`0.2 \sqrt{\max(rows, columns)}`.

    Raises:
        ValueError: for parameters that are not matrices.

    Source: Jordan and others, *Muon: an optimizer for hidden layers in neural networks* (2024); Liu and others,
    *Muon is scalable for LLM training*, arXiv:2502.16982.

    >>> p = nn.Parameter(minitorch.zeros(2, 2))
    >>> p.grad = minitorch.tensor([[3., 0.], [0., 1.]])
    >>> minitorch.optim.Muon([p], lr=1.0).step()
    >>> (p.data[0, 0] < -0.5) & (p.data[1, 1] < -0.5)
    tensor(True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        for name, value in (("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        if len(ns_coefficients) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        if ns_steps >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add matrices, with options of their own."""
        super().add_param_group(param_group)
        for param in param_group["params"]:
            if param.ndim != 2:
                raise ValueError("Muon only supports 2D parameters whereas we found a parameter with size: "
                                 f"{param.size()}; give the others to AdamW")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once."""
        loss = self._loss(closure)
        with minitorch.no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    if param.grad is not None:
                        own = self.state[param]
                        if "momentum_buffer" not in own:
                            own["momentum_buffer"] = minitorch.zeros_like(param.grad)
                        _step(param, param.grad, own["momentum_buffer"], group)
        return loss


def _step(param: Tensor, grad: Tensor, buffer: Tensor, group: dict[str, Any]) -> None:
    lr, momentum = float(group["lr"]), group["momentum"]
    buffer.lerp_(grad, 1 - momentum)
    update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
    update = orthogonalised(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
    rows, columns = param.shape
    size = 0.2 * math.sqrt(max(rows, columns)) if group["adjust_lr_fn"] == "match_rms_adamw" else math.sqrt(
        max(1, rows / max(columns, 1)))
    param.mul_(1 - lr * group["weight_decay"]).add_(update.to(param.dtype), alpha=-lr * size)


def orthogonalised(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    r"""Nearly :math:`U V^T` for a matrix :math:`U S V^T`, in bfloat16.

    Iterates :math:`X \leftarrow a X + (b A + c A^2) X` with :math:`A = X X^T`: an odd polynomial of each singular
    value, which takes all of them to the neighbourhood of 1, quickly rather than exactly.
    """
    a, b, c = coefficients
    x = matrix.bfloat16()
    if x.shape[0] > x.shape[1]:
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = (x @ x.T).float()
        update, wide = (b * gram + c * (gram @ gram)).bfloat16().float(), x.float()
        x = (a * wide + update @ wide).bfloat16()
    return x.T if matrix.shape[0] > matrix.shape[1] else x
