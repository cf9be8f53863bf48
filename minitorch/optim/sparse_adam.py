"""Adam for sparse gradients, which do not exist here."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer


class SparseAdam(Optimizer):
    """Not supported: there are no sparse gradients; `Adam` takes the dense ones that embeddings have here.

    >>> minitorch.optim.SparseAdam([])
    Traceback (most recent call last):
    NotImplementedError: SparseAdam: sparse gradients are not supported; use Adam, with sparse=False in the embedding
    """

    def __init__(self, params: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("SparseAdam: sparse gradients are not supported; use Adam, with sparse=False in the "
                                  "embedding")
