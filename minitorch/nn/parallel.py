"""A module on several devices: of these there is one at most, so that the module runs as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """A module in a wrapper, under whose name ``module`` its parameters are saved.

    Where there is one device, that is all that PyTorch's does, too; the wrapper keeps files of programs readable.

    Raises:
        NotImplementedError: for several devices.

    >>> list(nn.DataParallel(nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None,
                 dim: int = 0) -> None:  # fmt: skip
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(f"DataParallel: minitorch works on one device, not on {list(device_ids)}: leave "
                                      "device_ids out")  # fmt: skip
        self.module, self.dim = module, dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module makes of it."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """A module in several processes, each with a part of a batch: refused, but there to be asked for by `isinstance`.

    Raises:
        NotImplementedError: minitorch trains in one process.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("DistributedDataParallel: minitorch trains in one process, on all of its cores: "
                                  "use the module itself; processes that share it are minitorch.multiprocessing")
