from typing import Any

from minitorch import Tensor

def step(
    kernel: str,
    params: list[Tensor],
    state: dict[Tensor, dict[str, Any]],
    options: tuple[float, ...],
    tensors: tuple[str | None, ...] = (),
    counters: tuple[str, ...] = (),
) -> list[Tensor]: ...
