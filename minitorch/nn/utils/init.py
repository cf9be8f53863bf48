"""Making modules without filling their parameters."""

from __future__ import annotations

import inspect
from typing import Any

import minitorch

from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters are not initialised: their values are unspecified, and no random numbers are used up.

    >>> nn.utils.skip_init(nn.Linear, 2, 3)
    Linear(in_features=2, out_features=3, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    parameters = inspect.signature(module_cls).parameters
    if "device" not in parameters and "kwargs" not in parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with minitorch.random.fork_rng():
        return module_cls(*args, **kwargs)
