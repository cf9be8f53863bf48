"""What distributions share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import minitorch
from minitorch import Tensor

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the tensors' type.

    >>> minitorch.distributions.utils.broadcast_all(1.0, minitorch.zeros(2))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    like = next((value for value in values if isinstance(value, Tensor)), None)
    dtype, device = (minitorch.get_default_dtype(), None) if like is None else (like.dtype, like.device)
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError("Input arguments must all be instances of Number, torch.Tensor or objects implementing "
                             f"__torch_function__, not {type(value).__name__}")
    return tuple(minitorch.broadcast_tensors(*(
        value if isinstance(value, Tensor) else minitorch.tensor(value, dtype=dtype, device=device)
        for value in values)))


def tiny(dtype: Any) -> float:
    """The smallest normal number."""
    return minitorch.finfo(dtype).tiny


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities away from 0 and 1, so that their logarithms are finite."""
    eps = minitorch.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from logarithms of their ratios, or from logarithms up to a constant."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of `logits_to_probs`."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def sum_rightmost(value: Any, dims: int) -> Any:
    """The sum over the last dimensions."""
    return value if dims == 0 else value.sum(tuple(range(-dims, 0)))


def standard_normal(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Numbers of mean 0 and variance 1, of the type and on the device of a tensor."""
    return minitorch.normal(like.new_zeros(shape), like.new_ones(shape))


def binary_cross_entropy(logits: Tensor, value: Tensor) -> Tensor:
    """-log of the probability of 0s and 1s."""
    return logits.clamp(min=0) - logits * value + (-logits.abs()).exp().log1p()


class lazy_property:
    """An attribute that is computed when it is first asked for."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with minitorch.enable_grad():
            value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value
        return value
