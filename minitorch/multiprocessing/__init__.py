"""Python's `multiprocessing`, with tensors that processes share.

All of `multiprocessing` is here: ``Process``, ``Queue``, ``Pool``, ``get_context`` and so on.  In addition a tensor
that goes to another process, through a queue, a pipe or the arguments of a process, is not copied: its memory becomes
shared memory, and both sides see what either writes (`minitorch.multiprocessing.memory`).  `Tensor.share_memory_` and
`nn.Module.share_memory` do that at once, before a process starts.  Processes that train one model without waiting for
each other need no more::

    import minitorch as torch
    import minitorch.multiprocessing as mp

    def train(rank, model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # steps on the shared parameters
        ...

    if __name__ == "__main__":
        model = Model()
        model.share_memory()
        mp.spawn(train, args=(model,), nprocs=4)

A gradient belongs to the process that computed it.
"""

from multiprocessing import *  # noqa: F403
from multiprocessing import __all__ as _names

from .memory import (
    get_all_sharing_strategies,
    get_sharing_strategy,
    register_reductions,
    set_sharing_strategy,
)
from .spawning import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *_names, "ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException", "SpawnContext",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip

register_reductions()
