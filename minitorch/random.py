"""The random state, by the names of PyTorch's module of that name."""

from __future__ import annotations

import contextlib
import sys
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
    cuda = sys.modules.get("minitorch.cuda")  # of a device that is not in use there is no state
    state, of_device = get_rng_state(), cuda.get_rng_state() if cuda and cuda.is_initialized() else None
    try:
        yield
    finally:
        set_rng_state(state)
        if of_device is not None:
            cuda.set_rng_state(of_device)
