"""Which form of attention `scaled_dot_product_attention` uses."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterable, Iterator

from ..backends.cuda import _attention

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.Enum):
    """PyTorch's names of the forms: by plain operations (MATH), or in blocks (the others are one here)."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_SETTINGS = {
    SDPBackend.MATH: "math",
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "mem_efficient",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
}


@contextlib.contextmanager
def sdpa_kernel(backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """Inside, only the given forms are used.

    Args:
        set_priority: prefer the form that comes first; without, that in blocks where it can do what is asked.

    >>> x = minitorch.ones(1, 1, 2, 4)
    >>> with nn.attention.sdpa_kernel(nn.attention.SDPBackend.MATH):
    ...     nn.functional.scaled_dot_product_attention(x, x, x).shape
    torch.Size([1, 1, 2, 4])
    """
    wanted = [backends] if isinstance(backends, SDPBackend) else list(backends)
    for backend in wanted:
        if not isinstance(backend, SDPBackend):
            raise TypeError(f"sdpa_kernel: expected members of SDPBackend, got {type(backend).__name__}")
    if set_priority and SDPBackend.MATH in wanted:  # which can do everything, so that what follows it is never reached
        wanted = wanted[: wanted.index(SDPBackend.MATH) + 1]
    before = dict(_attention)
    _attention.update({name: backend in wanted for backend, name in _SETTINGS.items()})
    try:
        yield
    finally:
        _attention.update(before)
