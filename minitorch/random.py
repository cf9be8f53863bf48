"""The random state, by the names of PyTorch's module of that name."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._ext.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

if TYPE_CHECKING:
    from minitorch import Tensor

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
    states = all_states()
    try:
        yield
    finally:
        set_all_states(states)


def all_states() -> list[Tensor]:
    """The random state of the CPU, and that of the CUDA device if it is in use."""
    cuda = sys.modules.get("minitorch.cuda")
    return [get_rng_state(), *([cuda.get_rng_state()] if cuda and cuda.is_initialized() else [])]


def set_all_states(states: list[Tensor]) -> None:
    """Go back to what `all_states` gave."""
    set_rng_state(states[0])
    for state in states[1:]:
        sys.modules["minitorch.cuda"].set_rng_state(state)
