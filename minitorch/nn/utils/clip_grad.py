"""Limiting gradients before a step."""

from __future__ import annotations

from collections.abc import Iterable

import minitorch
from minitorch import Tensor


def _tensors(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [p.grad for p in _tensors(parameters) if p.grad is not None]


def _refuse_foreach(foreach: bool | None) -> None:
    if foreach:
        raise NotImplementedError("foreach=True chooses a kernel of PyTorch's; leave it out")


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors together, as if they were one vector.

    >>> nn.utils.get_total_norm([minitorch.tensor([3.]), minitorch.tensor([4.])])
    tensor(5.)
    """
    _refuse_foreach(foreach)
    tensors = _tensors(tensors)
    if not tensors:
        return minitorch.tensor(0.0)
    norms = [tensor.norm(norm_type) for tensor in tensors]
    total = minitorch.stack([norm.to(norms[0].dtype) for norm in norms]).norm(norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
                           "cannot be clipped; error_if_nonfinite=False scales the gradients by it all the same")
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients so that `total_norm` becomes `max_norm` if it is more."""
    _refuse_foreach(foreach)
    with minitorch.no_grad():
        scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in _gradients(parameters):
            grad.mul_(scale)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that their norm all together is at most `max_norm`.

    Args:
        norm_type: the order of the norm; may be infinity.
        error_if_nonfinite: raise if the norm is infinite or not a number.

    Returns:
        the norm before.

    >>> p = nn.Parameter(minitorch.zeros(2))
    >>> p.grad = minitorch.tensor([3., 4.])
    >>> nn.utils.clip_grad_norm_([p], 1.0), p.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    parameters = _tensors(parameters)
    with minitorch.no_grad():
        total = get_total_norm(_gradients(parameters), float(norm_type), error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit each element of the gradients to ``[-clip_value, clip_value]``."""
    _refuse_foreach(foreach)
    with minitorch.no_grad():
        for grad in _gradients(parameters):
            grad.clamp_(-float(clip_value), float(clip_value))
