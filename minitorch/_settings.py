"""Settings that programs make for other machines: kept, and harmless here."""

from __future__ import annotations

from ._device import CPU, CUDA, device
from ._ext import engine

__all__ = [
    "are_deterministic_algorithms_enabled", "get_default_device", "get_float32_matmul_precision",
    "get_num_interop_threads", "is_deterministic_algorithms_warn_only_enabled", "is_storage",
    "is_warn_always_enabled", "set_default_device", "set_float32_matmul_precision", "set_num_interop_threads",
    "set_warn_always", "typename", "use_deterministic_algorithms",
]

_state = {"deterministic": False, "warn_only": False, "precision": "highest", "always_warn": False}


def set_default_device(device: str | device | None) -> None:
    """Where new tensors go that are made without a device.

    >>> import minitorch
    >>> minitorch.set_default_device("cpu")
    >>> minitorch.get_default_device()
    device(type='cpu')
    """
    engine.set_default_on_device(device is not None and engine.check_device(device))


def get_default_device() -> device:
    """Where new tensors go."""
    return CUDA if engine.check_device(None) else CPU


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same results in every run: here they always are, whatever the number of threads.

    >>> import minitorch
    >>> minitorch.use_deterministic_algorithms(True)
    >>> minitorch.are_deterministic_algorithms_enabled()
    True
    """
    _state.update(deterministic=bool(mode), warn_only=bool(warn_only))


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` asked for."""
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether it asked for warnings only."""
    return bool(_state["warn_only"])


def set_float32_matmul_precision(precision: str) -> None:
    """Allow matrix products of float32 to be less exact: ``"highest"``, ``"high"`` or ``"medium"``.

    A permission of which the CPU makes no use: products are always computed in full.
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"{precision} is not one of 'highest', 'high', 'medium'")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` allowed."""
    return str(_state["precision"])


def set_warn_always(b: bool) -> None:
    """Ask for warnings every time rather than once."""
    _state["always_warn"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` asked for."""
    return bool(_state["always_warn"])


def get_num_interop_threads() -> int:
    """How many operations run at once: one."""
    return 1


def set_num_interop_threads(num_threads: int) -> None:
    """Operations run one after another: there is nothing to set, but the number must be positive."""
    if num_threads <= 0:
        raise RuntimeError(f"Expected a positive number of threads, got {num_threads}")


def is_storage(obj: object) -> bool:
    """Whether an object is the memory under a tensor, as `Tensor.untyped_storage` gives it."""
    from .storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def typename(obj: object) -> str:
    """The name of an object's type; of a tensor the old one, as ``torch.FloatTensor``."""
    from ._tensor import Tensor

    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _assert(condition, message: str) -> None:
    """Assert that something holds."""
    assert condition, message


def _check(cond: bool, message=None) -> None:
    """Raise RuntimeError unless a condition holds; the message may be a function that makes it."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise RuntimeError("Expected cond to be True, but got False." if message is None else
                           str(message() if callable(message) else message))
