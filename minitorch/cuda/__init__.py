"""The CUDA device: `is_available` and its kin, and what a program asks of the device it uses.

Without a GPU nothing pretends to be one.  The simulator runs the same kernels on any machine where it is asked for, by
the environment variable ``MINITORCH_CUDA``: ``sim``, ``sim-check`` (every access to memory checked) or ``ptx``.
"""

from . import amp
from .devices import (
    current_device,
    device,
    device_count,
    empty_cache,
    get_device_capability,
    get_device_name,
    get_device_properties,
    get_rng_state,
    initial_seed,
    is_available,
    is_bf16_supported,
    is_initialized,
    manual_seed,
    manual_seed_all,
    max_memory_allocated,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_summary,
    require,
    reset_peak_memory_stats,
    seed,
    set_device,
    set_rng_state,
    synchronize,
)
from .raw import RawKernel, RawModule
from .runtime import CompileError, KernelError, OutOfMemoryError
from .streams import Event, Stream, current_stream, default_stream, stream

__all__ = [
    "CompileError", "Event", "KernelError", "OutOfMemoryError", "RawKernel", "RawModule", "Stream", "amp",
    "current_device", "current_stream", "default_stream", "device", "device_count", "empty_cache",
    "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state", "initial_seed",
    "is_available", "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "mem_get_info", "memory_allocated", "memory_reserved", "memory_summary", "require", "reset_peak_memory_stats",
    "seed", "set_device", "set_rng_state", "stream", "synchronize",
]  # fmt: skip
