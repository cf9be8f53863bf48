"""Softmax over very many classes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax over many classes sorted by frequency: the rare ones in clusters, with fewer features.

    Args:
        in_features: of the input.
        n_classes: how many; 0 is the most frequent.
        cutoffs: where each cluster after the first begins, rising.
        div_value: by how much each cluster has fewer features than the one before.
        head_bias: add a bias to the frequent classes.

    Shape:
        input ``(N, in_features)`` or ``(in_features,)``, target ``(N,)`` or ``()``.

    Returns:
        a pair: ``output``, the log-probabilities of the targets, and ``loss``, minus their mean.

    Source: Grave and others, *Efficient softmax approximation for GPUs*, arXiv:1609.04309.

    >>> model = nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10])
    >>> model.log_prob(minitorch.ones(3, 8)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (cutoffs != sorted(cutoffs) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1
                or len(set(cutoffs)) != len(cutoffs) or any(int(c) != c for c in cutoffs)):
            raise ValueError("cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                             "where each value is between 1 and n_classes-1")
        options = {"device": device, "dtype": dtype}
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cutoffs, n_classes]
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(Sequential(Linear(in_features, width, bias=False, **options),
                                        Linear(width, size, bias=False, **options)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """The log-probabilities of the targets, and the loss."""
        batched = target_.dim() > 0
        if target_.dim() > 1 or (batched and input_.shape[0] != target_.shape[0]) or input_.dim() != target_.dim() + 1:
            raise RuntimeError("AdaptiveLogSoftmaxWithLoss: input (N, in_features) and target (N,) should have the same "
                               f"size in the batch dimension, or both none; got {tuple(input_.shape)} and "
                               f"{tuple(target_.shape)}")
        x, target = (input_, target_) if batched else (input_.unsqueeze(0), target_.unsqueeze(0))
        if target.numel() and not (int(target.min()) >= 0 and int(target.max()) < self.n_classes):
            raise RuntimeError(f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                               f"[{int(target.min())}, {int(target.max())}] were found. ")
        places = minitorch.where(target < self.shortlist_size, target, 0)
        rows, found = [], []
        for i, tail in enumerate(self.tail):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            (row,) = ((target >= low) & (target < high)).nonzero(as_tuple=True)
            if row.numel():
                places[row] = self.shortlist_size + i
                logs = F.log_softmax(tail(x[row]), 1)
                rows.append(row)
                found.append(logs.gather(1, (target[row] - low).unsqueeze(1)).squeeze(1))
        output = F.log_softmax(self.head(x), 1).gather(1, places.unsqueeze(1)).squeeze(1)
        if rows:
            row = minitorch.cat(rows)
            output = output + minitorch.zeros_like(output).scatter_add(0, row, minitorch.cat(found))
        return _ASMoutput(output if batched else output.squeeze(0), -output.mean())

    def _full_log_prob(self, input: Tensor, head: Tensor) -> Tensor:
        logs = F.log_softmax(head, 1)
        parts = [logs[:, :self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            parts.append(F.log_softmax(tail(input), 1) + logs[:, self.shortlist_size + i].unsqueeze(1))
        return minitorch.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, ``(N, n_classes)``."""
        return self._full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row."""
        return self.log_prob(input).argmax(1)
