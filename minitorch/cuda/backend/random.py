"""Filling with random numbers.

The numbers are those of Philox4x32-10, assigned to elements as PyTorch assigns them: with T threads, thread t takes the
elements t, t + T, t + 2 T, ... from stream t of the seed, four to a block of words (two where they are doubles or wide
integers).  T is 256 times the number of blocks, which is at most what the device runs at once.  The offset of the
stream goes up by 4 for each block of words that a thread read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .launching import THREADS, active, code_of, function, span_of, walk_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

KINDS = ("uniform", "normal", "bernoulli", "integers")
NUMBERS = ("random_numbers<float>", "random_numbers<double>")
INTEGERS = ("random_integers<4>", "random_integers<2>")
THREADS_AT_ONCE = 132 * 2048  # of the largest grid: what an H100 holds
WIDE = 1 << 28  # integers from a range this wide take two words


def random(kind: str, out: Tensor, a: float, b: float, seed: int, offset: int) -> int:
    """Fill `out`: uniform in [a, b), normal of mean a and deviation b, 1 with probability a, or integers in [a, b).

    Returns:
        By how much the offset of the stream goes up.
    """
    n = out.numel()
    if n == 0:
        return 0
    wide = str(out.dtype) == "torch.float64" and kind != "bernoulli"
    walk, _ = walk_of(out)
    args = [span_of(out), walk, code_of(out)]
    stream = [np.uint64(seed), np.uint64(offset // 4)]
    if kind == "integers":
        low, high = int(a), int(b)
        wide = high - low >= WIDE
        kernel = function("random", INTEGERS[wide], INTEGERS)
        args += [np.int64(low), np.uint64(high - low), *stream]
    else:
        scalar = np.float64 if wide else np.float32
        kernel = function("random", NUMBERS[wide], NUMBERS)
        args += [np.int32(KINDS.index(kind)), scalar(a), scalar(b), *stream]
    blocks = min(-(-n // THREADS), THREADS_AT_ONCE // THREADS)
    active().launch(kernel, (blocks, 1, 1), (THREADS, 1, 1), args)
    each = 2 if wide else 4
    return 4 * ((n - 1) // (blocks * THREADS * each) + 1)
