"""Allocating, copying (between devices too) and filling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..pinned import asynchronous, is_pinned
from ..runtime import Block, active
from .launching import code_of, function, launch, span_of, walk_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

BITS = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}
SAME = tuple(f"copy_same<{bits}_t>" for bits in BITS.values())
CONVERTED = ("copy_converted<int64_t>", "copy_converted<double>")
FILLS = ("fill<int64_t>", "fill<double>")


def allocate(nbytes: int) -> Block:
    """Memory of the device, not initialised, that is freed with the block."""
    return active().allocate(nbytes)


def copy(out: Tensor, x: Tensor) -> None:
    """``out = x``, broadcast, converted, whatever their strides and devices."""
    if out.is_cuda and x.is_cuda:
        _copy_here(out, x)
    elif out.is_cuda:
        _upload(out, x)
    else:
        _download(out, x)


def _copy_here(out: Tensor, x: Tensor) -> None:
    """Between two tensors on the device."""
    if _overlap(out, x):
        x = x.clone()
    same = out.dtype == x.dtype
    if same and out.is_contiguous() and x.is_contiguous() and out.shape == x.shape:
        active().copy(out.data_ptr(), x.data_ptr(), out.nbytes, "on device")
        return
    walk, _ = walk_of(out, (x,))
    to, source = span_of(out), span_of(x, writable=False)
    if same:  # whatever the bytes mean
        bits = BITS[out.itemsize]
        args = [to._replace(dtype=bits), source._replace(dtype=bits), walk]
        launch(function("copy", f"copy_same<{bits}_t>", SAME), out.numel(), args)
    else:
        launch(function("copy", CONVERTED[x.is_floating_point()], CONVERTED), out.numel(),
               [to, source, walk, code_of(out), code_of(x)])  # fmt: skip


def _overlap(out: Tensor, x: Tensor) -> bool:
    """Whether writing `out` could change `x` before it is read."""
    return (out.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
            and (out.data_ptr(), out.stride(), out.dtype) != (x.data_ptr(), x.stride(), x.dtype))  # fmt: skip


def _transfer(out: Tensor, x: Tensor, kind: str, host: Tensor) -> None:
    """Between memories, waiting for it unless the host's is pinned and nobody wants to wait."""
    keep = host if asynchronous() and is_pinned(host) else None
    active().copy(out.data_ptr(), x.data_ptr(), x.nbytes, kind, keep)


def _upload(out: Tensor, x: Tensor) -> None:
    """From the CPU: as it is where the types agree, converted there where they do not."""
    x = x.to(out.dtype).contiguous()
    if out.is_contiguous() and out.shape == x.shape:
        _transfer(out, x, "to device", x)
    else:
        there = out.new_empty(x.shape)
        _transfer(there, x, "to device", x)
        _copy_here(out, there)


def _download(out: Tensor, x: Tensor) -> None:
    """To the CPU, which waits for the kernels that make it."""
    x = x.contiguous()
    if out.is_contiguous() and out.dtype == x.dtype and out.shape == x.shape:
        _transfer(out, x, "to host", out)
    else:
        here = out.new_empty(x.shape, dtype=x.dtype)
        active().copy(here.data_ptr(), x.data_ptr(), x.nbytes, "to host")
        out.copy_(here)


def fill(out: Tensor, value: float) -> None:
    """Set every element to a number."""
    if value == 0 and out.is_contiguous() and not np.signbit(value):
        active().zero(out.data_ptr(), out.nbytes)
        return
    walk, _ = walk_of(out)
    real = out.is_floating_point()
    launch(function("copy", FILLS[real], FILLS), out.numel(),
           [span_of(out), walk, code_of(out), np.float64(value) if real else np.int64(value)])  # fmt: skip


def accumulate(out: Tensor, x: Tensor) -> None:
    """``out += x`` where `out` may show one place several times."""
    if out.numel():
        span = 1 + sum((size - 1) * stride for size, stride in zip(out.shape, out.stride()))
        places = out.new_ones(span).long().cumsum(0) - 1
        out.as_strided((span,), (1,), out.storage_offset()).index_put_(
            (places.as_strided(out.shape, out.stride()).reshape(-1),), x.reshape(-1).to(out.dtype), True)  # fmt: skip
