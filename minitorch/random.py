"""The random state, by the names of PyTorch's module of that name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ._ext.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


@contextlib.contextmanager
def fork_rng(devices=None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """Give the random state back as it was at the end of a ``with`` block.

    >>> import minitorch
    >>> _ = minitorch.manual_seed(0)
    >>> with minitorch.random.fork_rng():
    ...     a = minitorch.rand(1)
    >>> a == minitorch.rand(1)
    tensor([True])
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
