"""What programs ask before they train in several processes, with the answers of one that is alone."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "get_rank", "get_world_size", "init_process_group", "is_available", "is_initialized", "is_mpi_available",
    "is_nccl_available", "is_torchelastic_launched",
]


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


is_initialized = is_mpi_available = is_nccl_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: there is only this process."""
    raise NotImplementedError("distributed.init_process_group: minitorch trains in one process, on all of its cores: "
                              "run the program without it, where distributed.is_available() is False")  # fmt: skip


def _alone(name: str) -> NoReturn:
    raise ValueError(f"distributed.{name}: Default process group has not been initialized, and cannot be: minitorch "
                     "trains in one process; ask is_initialized() first")  # fmt: skip


def get_rank(group: Any = None) -> NoReturn:
    """The number of this process in its group: a ValueError, for want of a group, as in PyTorch."""
    _alone("get_rank")


def get_world_size(group: Any = None) -> NoReturn:
    """How many processes there are in the group: a ValueError, for want of a group, as in PyTorch."""
    _alone("get_world_size")
