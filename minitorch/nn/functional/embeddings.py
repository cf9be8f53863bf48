"""Indices to vectors: one-hot encoding and embeddings."""

from __future__ import annotations

import minitorch
from minitorch import Tensor

__all__ = ["one_hot"]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last dimension of `num_classes` with 1 at the index that the tensor gives, 0 elsewhere.

    Raises:
        RuntimeError: if the tensor is not int64, or an index is negative or too large.

    >>> nn.functional.one_hot(minitorch.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype != minitorch.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        low, high = int(tensor.min()), int(tensor.max())
        if low < 0:
            raise RuntimeError(f"one_hot: class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        if num_classes <= 0:
            raise RuntimeError(f"one_hot: num_classes should be positive, got {num_classes}")
        if high >= num_classes:
            raise RuntimeError(f"one_hot: class values must be smaller than num_classes, got {high} of {num_classes}")
    return (tensor.unsqueeze(-1) == minitorch.arange(num_classes)).to(minitorch.int64)
