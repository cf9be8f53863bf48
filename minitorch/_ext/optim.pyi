from typing import Any

from minitorch import Tensor

def sgd(
    params: list[Tensor],
    state: dict[Tensor, dict[str, Any]],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> list[Tensor]: ...
def adam(
    params: list[Tensor],
    state: dict[Tensor, dict[str, Any]],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled: bool,
) -> list[Tensor]: ...
