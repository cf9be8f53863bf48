"""Tools around training: data, hooks, progress, summaries, the search for a learning rate, statistics, logs.

`data` and `hooks` are imported with `minitorch`, the others by themselves: ``from minitorch.utils.summary import
summary``, ``utils.lr_finder.find_lr``, ``utils.watch.Watch``, ``utils.progress.Progress``,
``utils.tensorboard.SummaryWriter``.
"""

from . import data, hooks

__all__ = ["data", "hooks"]


def __getattr__(name: str):
    # what builds upon the whole package is imported when it is asked for
    if name == "checkpoint":
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'minitorch.utils' has no attribute {name!r}")
