"""Tools around training: data, hooks, progress, summaries, the search for a learning rate, statistics, logs.

Each is imported when it is first asked for: ``utils.summary.summary``, ``utils.lr_finder.find_lr``,
``utils.watch.Watch``, ``utils.progress.Progress``, ``utils.tensorboard.SummaryWriter``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import (
        _pytree,
        benchmark,
        checkpoint,
        data,
        dlpack,
        hooks,
        lr_finder,
        progress,
        summary,
        tensorboard,
        watch,
    )

__all__ = ["benchmark", "checkpoint", "data", "dlpack", "hooks", "lr_finder", "progress", "summary",
           "tensorboard", "watch"]


def __getattr__(name: str) -> object:
    """A module of the package, imported when it is first asked for."""
    if name in __all__ or name == "_pytree":
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'minitorch.utils' has no attribute {name!r}")
