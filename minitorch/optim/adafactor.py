"""Adafactor: Adam's second moment of a matrix from its rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import minitorch
from minitorch import Tensor

from .optimizer import Optimizer, check_lr


class Adafactor(Optimizer):
    r"""Steps scaled by the root mean square of the gradients, which is kept for rows and columns of a matrix only.

    .. math::
        r &\leftarrow \hat\beta_t r + (1 - \hat\beta_t)\, \mathrm{mean}_{columns}(g^2), \qquad
        c \leftarrow \hat\beta_t c + (1 - \hat\beta_t)\, \mathrm{mean}_{rows}(g^2), \qquad
        v = \frac{r c^T}{\max(\mathrm{mean}(r), \epsilon_1)} \\
        u &= \frac{g}{\max(\sqrt v, \epsilon_1)}, \qquad
        \theta \leftarrow \theta - \max(\epsilon_2, \mathrm{RMS}(\theta)) \min(\gamma, 1 / \sqrt t)
            \frac{u}{\max(1, \mathrm{RMS}(u) / d)}

    with :math:`1 - \hat\beta_t = t^\tau`.  Parameters of one dimension keep all of :math:`v`.

    Args:
        lr: :math:`\gamma`, the largest step relative to the parameter.
        beta2_decay: :math:`\tau`.
        eps: :math:`\epsilon_1`, by default the dtype's, and :math:`\epsilon_2`.
        d: how large a step may be before it is clipped.
        weight_decay: shrinks the parameters by :math:`\gamma \lambda` at each step.
        foreach: accepted for PyTorch's sake; it changes nothing.
        maximize: go up instead of down.

    Source: Shazeer and Stern, *Adafactor*, arXiv:1804.04235.

    >>> p = nn.Parameter(minitorch.ones(2, 3))
    >>> p.grad = minitorch.ones(2, 3)
    >>> adafactor = minitorch.optim.Adafactor([p], lr=0.5)
    >>> adafactor.step()
    >>> p.data[0], adafactor.state[p]["row_var"].shape
    (tensor([0.5000, 0.5000, 0.5000]), torch.Size([2, 1]))
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        for wrong, text in (
            (beta2_decay > 0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is not None and eps[0] < 0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] < 0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d < 1, f"Clipping threshold d should be >= 1 but is: {d}"),
            (weight_decay < 0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if wrong:
                raise ValueError(text)
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        })

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once."""
        loss = self._loss(closure)
        with minitorch.no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    if param.grad is not None:
                        own = self.state[param]
                        if not own:
                            own.update(_begin(param.grad))
                        _step(param, param.grad, own, group)
        return loss

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for own in self.state.values():
            if "step" in own and not isinstance(own["step"], Tensor):
                own["step"] = minitorch.tensor(float(own["step"]))


def _begin(grad: Tensor) -> dict[str, Tensor]:
    step = minitorch.tensor(0.0, device="cpu")
    if grad.ndim < 2:
        return {"step": step, "variance": minitorch.zeros_like(grad)}
    *rest, rows, columns = grad.shape
    return {"step": step, "row_var": grad.new_zeros((*rest, rows, 1)), "col_var": grad.new_zeros((*rest, 1, columns))}


def _step(param: Tensor, grad: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    """One parameter's step."""
    lr, (eps1, eps2) = float(group["lr"]), group["eps"]
    eps1 = minitorch.finfo(param.dtype).eps if eps1 is None else eps1
    state["step"] += 1
    step = state["step"].item()
    fresh = step ** group["beta2_decay"]
    size = max(eps2, _rms(param)) * min(lr, step**-0.5)
    if group["maximize"]:
        grad = -grad
    if group["weight_decay"]:
        param.mul_(1 - lr * group["weight_decay"])
    squares = grad * grad
    if grad.ndim > 1:
        rows, columns = state["row_var"], state["col_var"]
        rows.lerp_(squares.mean(-1, keepdim=True), fresh)
        columns.lerp_(squares.mean(-2, keepdim=True), fresh)
        estimate = rows @ columns / rows.mean(-2, keepdim=True).clamp_(min=eps1)
    else:
        estimate = state["variance"].lerp_(squares, fresh)
    update = grad * estimate.clamp(min=eps1 * eps1).rsqrt()
    param.add_(update, alpha=-size / max(1.0, _rms(update) / group["d"]))


def _rms(tensor: Tensor) -> float:
    return tensor.norm().item() / max(tensor.numel(), 1) ** 0.5
