"""Tools around training: data, hooks, progress, summaries, the search for a learning rate, statistics, logs.

`data` and `hooks` are imported with `minitorch`, the others by themselves: ``from minitorch.utils.summary import
summary``, ``utils.lr_finder.find_lr``, ``utils.watch.Watch``, ``utils.progress.Progress``,
``utils.tensorboard.SummaryWriter``.
"""

from . import data, hooks

__all__ = ["data", "hooks"]
