"""The memory of the simulated device: NaN-filled, fenced in, reused by size, and of no use to the host.

The checking device also knows which memory is in use, and refuses to work with any other.

Addresses are given out with `OFFSET` added, which makes them addresses that no processor accepts: host code that uses
one by mistake stops at once, where on a real device it would too.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Sequence
from typing import Any

from ..arguments import Packer, spans_of
from ..runtime import KernelError, OutOfMemoryError

OFFSET = 1 << 62
GUARD = 256
"""Bytes on either side of each block, so that a kernel that runs over does not reach another."""


class Block:
    """Memory of the device, back in the pool when the object is dropped."""

    __slots__ = ("_pool", "nbytes", "pointer", "size")

    def __init__(self, pool: Pool, pointer: int, nbytes: int, size: int) -> None:
        self._pool, self.pointer, self.nbytes, self.size = pool, pointer, nbytes, size

    def __del__(self) -> None:
        self._pool.put(self.pointer, self.size)


def rounded(nbytes: int) -> int:
    """The size of the block for a request: a multiple of 256 bytes, in eight steps from one power of two to the next.

    >>> [rounded(n) for n in (0, 1, 257, 5000)]
    [256, 256, 512, 5120]
    """
    step = max(256, 1 << max(nbytes.bit_length() - 4, 0))
    return max(-(-nbytes // step) * step, 256)


class Pool:
    """Blocks by size.  Giving one back takes no lock: it happens wherever Python drops an object.

    Args:
        checked: fill blocks with NaN again before they are reused, and know which are in use.
    """

    def __init__(self, library: ctypes.CDLL, checked: bool) -> None:
        self._library, self._checked = library, checked
        self._in_use: dict[int, int] = {}  # of checked memory: sizes by address
        self._free: dict[int, deque[int]] = {}
        self.reserved = 0
        """Bytes taken from the host."""
        self.allocated = 0
        """Bytes in use."""
        self.peak = 0

    def allocate(self, nbytes: int) -> Block:
        """A block of at least this size.

        Raises:
            OutOfMemoryError: if the host has no more.
        """
        if nbytes < 0:
            raise ValueError(f"cannot allocate {nbytes} bytes")
        size = rounded(nbytes)
        pointer = None
        free = self._free.get(size)
        if free:
            try:
                pointer = free.pop()
            except IndexError:  # another thread was faster
                pointer = None
        if pointer is None:
            real = self._library.sim_allocate(size, GUARD)
            if not real:
                self.release()
                real = self._library.sim_allocate(size, GUARD)
            if not real:
                raise OutOfMemoryError(f"the simulated CUDA device is out of memory: {nbytes} bytes asked for")
            self.reserved += size
            pointer = real + OFFSET
        elif self._checked:
            ctypes.memset(pointer - OFFSET, 0xFF, size)
        if self._checked:
            self._in_use[pointer] = size
        self.allocated += size
        self.peak = max(self.peak, self.allocated)
        return Block(self, pointer, nbytes, size)

    def put(self, pointer: int, size: int) -> None:
        """Take a block back."""
        self._in_use.pop(pointer, None)
        self.allocated -= size
        free = self._free.get(size)
        if free is None:
            free = self._free.setdefault(size, deque())
        free.append(pointer)

    def holds(self, low: int, high: int) -> bool:
        """Whether ``[low, high)`` lies in one block that is in use, where memory is checked."""
        size = self._in_use.get(low)
        if not self._checked or (size is not None and high <= low + size):
            return True
        return any(start <= low and high <= start + size for start, size in list(self._in_use.items()))

    def require(self, packer: Packer, args: Sequence[Any], when: str) -> None:
        """Refuse arguments whose memory was given back, where memory is checked: another thread may have it now.

        Raises:
            KernelError: naming the kernel and the argument.
        """
        for i, span in spans_of(args):
            if span.pointer and span.high > span.low and not self.holds(span.low, span.high):
                raise KernelError(f"{packer.kernel}: the memory of argument `{packer.slots[i].name}` was given back "
                                  f"{when}: keep the tensor that it belongs to until the launch returns")  # fmt: skip

    def release(self) -> None:
        """Give unused blocks back to the host."""
        for size, free in list(self._free.items()):
            while free:
                try:
                    pointer = free.pop()
                except IndexError:
                    break
                self._library.sim_release(pointer - OFFSET, GUARD)
                self.reserved -= size
