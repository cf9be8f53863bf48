"""What programs ask before they train in several processes, with the answers of one that is alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

__all__ = [
    "ReduceOp", "all_gather", "all_gather_object", "all_reduce", "barrier", "broadcast", "broadcast_object_list",
    "destroy_process_group", "gather", "get_backend", "get_rank", "get_world_size", "init_process_group", "irecv",
    "is_available", "is_initialized", "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "isend",
    "new_group", "recv", "reduce", "reduce_scatter", "scatter", "send",
]  # fmt: skip


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


is_initialized = is_mpi_available = is_nccl_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: there is only this process."""
    raise NotImplementedError("distributed.init_process_group: minitorch trains in one process, on all of its cores: "
                              "run the program without it, where distributed.is_available() is False; processes that "
                              "share a model are minitorch.multiprocessing")  # fmt: skip


def _alone(name: str) -> NoReturn:
    raise ValueError(f"distributed.{name}: Default process group has not been initialized, and cannot be: minitorch "
                     "trains in one process; ask is_initialized() first")  # fmt: skip


def get_rank(group: Any = None) -> NoReturn:
    """The number of this process in its group: a ValueError, for want of a group, as in PyTorch."""
    _alone("get_rank")


def get_world_size(group: Any = None) -> NoReturn:
    """How many processes there are in the group: a ValueError, for want of a group, as in PyTorch."""
    _alone("get_world_size")


# --- what programs import, and call if there is a group ---------------------------------------------------------------


class ReduceOp(Enum):
    """How `all_reduce` would join the tensors of all processes."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


def _of_a_group(name: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"distributed.{name}: there is no process group, since minitorch trains in one "
                                  "process: call it only where distributed.is_initialized()")  # fmt: skip

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Refused: there is no group of processes."
    return refuse


all_gather, all_gather_object = _of_a_group("all_gather"), _of_a_group("all_gather_object")
all_reduce, barrier, broadcast = _of_a_group("all_reduce"), _of_a_group("barrier"), _of_a_group("broadcast")
broadcast_object_list = _of_a_group("broadcast_object_list")
destroy_process_group, gather = _of_a_group("destroy_process_group"), _of_a_group("gather")
get_backend, irecv, isend = _of_a_group("get_backend"), _of_a_group("irecv"), _of_a_group("isend")
new_group, recv, reduce = _of_a_group("new_group"), _of_a_group("recv"), _of_a_group("reduce")
reduce_scatter, scatter, send = _of_a_group("reduce_scatter"), _of_a_group("scatter"), _of_a_group("send")
