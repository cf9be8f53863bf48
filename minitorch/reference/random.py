"""What each random function draws, in NumPy: the recipes of docs/random.md on the words of ``RandomState``.

A `Stream` is a seeded generator; its methods consume words exactly as the engine's do.  Logarithms, sines and cosines
are NumPy's, so float32 normal numbers agree with the engine's to a few units in the last place and all else exactly.
"""

from __future__ import annotations

import numpy as np


class Stream:
    """The 32-bit words of the Mersenne Twister, and a normal number that waits for its turn."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.RandomState(seed % 2**32)
        self._waiting: float | None = None

    def words(self, n: int) -> np.ndarray:
        """The next n words."""
        return self._words.randint(0, 2**32, size=n, dtype=np.uint32).astype(np.uint64)

    def wide_words(self, n: int) -> np.ndarray:
        """The next n words of 64 bits: two words, the high one first."""
        pairs = self.words(2 * n).reshape(n, 2)
        return pairs[:, 0] << np.uint64(32) | pairs[:, 1]

    def uniform32(self, n: int) -> np.ndarray:
        """float32 in [0, 1): the low 24 bits of a word."""
        return (self.words(n) % 2**24).astype(np.float32) * np.float32(2**-24)

    def uniform64(self, n: int) -> np.ndarray:
        """float64 in [0, 1): the low 53 bits of a wide word."""
        return (self.wide_words(n) % 2**53).astype(np.float64) * 2.0**-53

    def uniform(self, n: int, low: float = 0, high: float = 1, dtype: type = np.float32) -> np.ndarray:
        """In [low, high): scaled with one rounding; what is rounded up to ``high`` becomes ``low``."""
        if dtype is np.float64:
            # the span is a float64, and only products and sums of it are exact to more
            wide = self.uniform64(n).astype(np.longdouble) * np.longdouble(high - low) + np.longdouble(low)
            x = wide.astype(np.float64)
        else:
            start, end = np.float32(low), np.float32(high)
            x = (self.uniform32(n).astype(np.float64) * np.float64(end - start) + np.float64(start)).astype(np.float32)
        x = x.astype(dtype)
        return np.where(x >= dtype(high), dtype(low), x)

    def normal(self, n: int, mean: float = 0, std: float = 1, dtype: type = np.float32) -> np.ndarray:
        """Box and Muller's transform: of blocks of 16 from 16 numbers up, of pairs in float64 below."""
        if n < 16:
            return np.array([self._one_normal() * std + mean for _ in range(n)], np.float64).astype(dtype)
        draw = self.uniform64 if dtype is np.float64 else self.uniform32
        full = n - n % 16
        x = draw(full if dtype is np.float16 else n)
        x[:full] = _box_muller(x[:full], mean, std)
        if n % 16:
            x = np.concatenate([x[: n - 16], _box_muller(draw(16), mean, std)])
        return x.astype(dtype)

    def _one_normal(self) -> float:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            return waiting
        angle, u = self.uniform64(2)
        radius = np.sqrt(-2 * np.log1p(-u))
        self._waiting = radius * np.sin(2 * np.pi * angle)
        return radius * np.cos(2 * np.pi * angle)

    def integers(self, n: int, low: int, high: int) -> np.ndarray:
        """int64 in [low, high): a word modulo the range, a wide one from 2**28 up."""
        span = high - low
        drawn = self.words(n) if span < 2**28 else self.wide_words(n)
        return np.array([int(w) % span + low for w in drawn], np.int64)

    def permutation(self, n: int) -> np.ndarray:
        """Of 0 to n - 1: each place in turn is exchanged with one not before it."""
        result = np.arange(n)
        for i, word in enumerate(self.words(max(n - 1, 0))):
            j = i + int(word) % (n - i)
            result[[i, j]] = result[[j, i]]
        return result

    def bernoulli(self, n: int, p: float | np.ndarray) -> np.ndarray:
        """bool: a float64 uniform number is below p, a float32 one where p is an array of lesser precision."""
        if isinstance(p, np.ndarray) and p.dtype != np.float64:
            return self.uniform32(n) < p
        return self.uniform64(n) < p

    def dropout(self, x: np.ndarray, p: float) -> np.ndarray:
        """What stays with probability 1 - p is scaled by 1 / (1 - p)."""
        kind = x.dtype.type
        wide = np.float64 if kind is np.float64 else np.float32
        scale = (wide(1) / wide(1 - p)).astype(kind)
        return x * (self.bernoulli(x.size, 1 - p).reshape(x.shape) * scale).astype(kind)

    def exponential(self, n: int, rate: float = 1) -> np.ndarray:
        """float64."""
        return -1 / rate * np.log1p(-self.uniform64(n))

    def cauchy(self, n: int, median: float = 0, sigma: float = 1) -> np.ndarray:
        """float64."""
        return median + sigma * np.tan(np.pi * (self.uniform64(n) - 0.5))

    def log_normal(self, n: int, mean: float = 1, std: float = 2) -> np.ndarray:
        """float64, always from pairs."""
        return np.exp([self._one_normal() * std + mean for _ in range(n)])

    def geometric(self, n: int, p: float) -> np.ndarray:
        """float64, whole numbers from 1."""
        return np.ceil(np.log(self.uniform64(n)) / np.log1p(-p))

    def multinomial(self, weights: np.ndarray, count: int, replacement: bool = False) -> np.ndarray:
        """Of one row of weights."""
        if replacement and count > 1:
            sums = np.cumsum(weights)
            return np.searchsorted(sums / sums[-1], self.uniform64(count))
        keys = weights / self.exponential(weights.size).astype(weights.dtype)
        return np.argsort(-keys)[:count]


def _box_muller(x: np.ndarray, mean: float, std: float) -> np.ndarray:
    """In each 16 numbers the first eight become radii, the others angles."""
    u1, u2 = np.moveaxis(x.reshape(-1, 2, 8), 1, 0)
    radius, angle = np.sqrt(-2 * np.log(1 - u1)), x.dtype.type(2 * np.pi) * u2
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (pairs * std + mean).astype(x.dtype).ravel()
