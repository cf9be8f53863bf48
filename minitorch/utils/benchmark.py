"""Timing small pieces of code: `Timer`, whose measurements say median and spread.

The statement runs as Python's `timeit` runs it, many times in a loop, with a number of the engine's threads that is set
for the time of the measurement: one, unless another is given, so that figures can be compared.
"""

from __future__ import annotations

import dataclasses
import statistics
import timeit
from collections.abc import Callable, Sequence
from typing import Any

from .._ext.threads import get_num_threads, set_num_threads

__all__ = ["Compare", "Measurement", "Timer"]

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def _unit(seconds: float) -> tuple[float, str]:
    """The unit in which a time has digits before the point."""
    return next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])


@dataclasses.dataclass
class Measurement:
    """Times of a statement: `raw_times` of `number_per_run` runs each, in seconds."""

    number_per_run: int
    raw_times: list[float]
    stmt: str
    num_threads: int = 1
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None

    @property
    def times(self) -> list[float]:
        """The seconds that one run took, in each measurement."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """Of `times`."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """Of `times`."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The range of the middle half of `times`."""
        if len(self.times) < 2:
            return 0.0
        quarters = statistics.quantiles(self.times, n=4, method="inclusive")
        return quarters[2] - quarters[0]

    @property
    def title(self) -> str:
        """What was measured."""
        return f"{self.label or self.stmt}{f': {self.sub_label}' if self.sub_label else ''}"

    def __repr__(self) -> str:
        factor, unit = _unit(self.median)
        lines = [self.title, *([self.description] if self.description else [])]
        lines.append(f"  {'Median: ' if len(self.times) > 1 else ''}{self.median / factor:.2f} {unit}")
        if len(self.times) > 3:
            lines.append(f"  IQR:    {self.iqr / factor:.2f} {unit}")
        several = len(self.times) > 1
        lines.append(f"  {len(self.times)} measurement{'s' * several}, {self.number_per_run} runs"
                     f"{' per measurement' * several}, {self.num_threads} thread{'s' * (self.num_threads > 1)}")
        return "\n".join(lines)


class Timer:
    """A statement to be timed.

    Args:
        stmt: Python code; `setup` runs once before it, and `globals` are the names that both see.
        timer: a clock in seconds.
        label: what the statement does, `sub_label` with what, `description` how: `Compare` makes rows of the second
            and columns of the third.
        num_threads: of the engine.

    Raises:
        NotImplementedError: for code in C++.

    >>> x = minitorch.ones(3)
    >>> minitorch.utils.benchmark.Timer("x + 1", globals={"x": x}).timeit(10).number_per_run
    10
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: str = "python",
    ) -> None:
        if global_setup or str(language).lower() not in ("python", "py"):
            raise NotImplementedError("Timer: only Python code can be timed; leave language and global_setup out")
        self.stmt, self.num_threads = stmt, num_threads
        self._about = {"label": label, "sub_label": sub_label, "description": description or env}
        self._timer = timeit.Timer(stmt, setup, timer, globals)

    def _timed(self, number: int, repeats: int = 1, enough: float = 0.0) -> list[float]:
        """Times of so many runs: `repeats` of them at least, and so many that they take as long as `enough`."""
        threads = get_num_threads()
        set_num_threads(self.num_threads)
        try:
            times: list[float] = []
            while len(times) < repeats or sum(times) < enough:
                times.append(self._timer.timeit(number))
            return times
        finally:
            set_num_threads(threads)

    def _measurement(self, number: int, times: list[float]) -> Measurement:
        return Measurement(number, times, self.stmt, self.num_threads, **self._about)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One measurement of so many runs, after some to warm up."""
        self._timed(max(number // 100, 2))
        return self._measurement(number, self._timed(number))

    def repeat(self, repeat: int = 5, number: int = 1_000_000) -> list[float]:
        """So many times of so many runs, in seconds."""
        return self._timed(number, repeat)

    def blocked_autorange(
        self, callback: Callable[[int, float], None] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Measurements of as many runs as the clock needs to be precise, for at least `min_run_time` seconds."""
        number = 1
        while (time := self._timed(number)[0]) < min(min_run_time / 10, 1e-2):
            number *= 10 if time < 1e-3 else 2
        times = self._timed(number, 1, min_run_time)
        for time in times:
            if callback is not None:
                callback(number, time)
        return self._measurement(number, times)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
        callback: Callable[[int, float], None] | None = None,
    ) -> Measurement:  # fmt: skip
        """`blocked_autorange` until the middle half of the times lies within `threshold` of the median."""
        found = self.blocked_autorange(callback, min_run_time)
        while len(found.times) < 4 or (found.iqr > threshold * found.median and sum(found.raw_times) < max_run_time):
            found.raw_times += self._timed(found.number_per_run)
        return found


def _row(widths: Sequence[int], name: str, cells: Sequence[str]) -> str:
    """A line of a table: its name to the left, the cells to the right."""
    return " | ".join([name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(cells, widths[1:]))])


class Compare:
    """A table of measurements: a row for each `sub_label`, a column for each `description`, a part for each label."""

    def __init__(self, results: Sequence[Measurement]) -> None:
        self.results = list(results)

    def extend_results(self, results: Sequence[Measurement]) -> None:
        """Add measurements."""
        self.results += results

    def __str__(self) -> str:
        parts = []
        factor, unit = _unit(min(m.median for m in self.results))
        for label in dict.fromkeys(m.label for m in self.results):
            chosen = [m for m in self.results if m.label == label]
            columns = list(dict.fromkeys(m.description or "" for m in chosen))
            cells: dict[tuple[int, str], dict[str, str]] = {}
            for m in chosen:
                row = cells.setdefault((m.num_threads, m.sub_label or m.stmt), {})
                row[m.description or ""] = f"{m.median / factor:.1f}"
            first = max(len(name) for _, name in cells) + 6
            widths = [max(len(c), *(len(row.get(c, "")) for row in cells.values())) for c in columns]
            lines = [_row([first, *widths], "", columns)]
            lines[:0] = [f" {label or ''} ".center(len(lines[0]), "-").join("[]")]
            for threads in sorted({threads for threads, _ in cells}):
                lines.append(f"{threads} thread{'s' if threads > 1 else ''}: ".ljust(len(lines[1]), "-"))
                lines += [_row([first, *widths], f"      {name}", [row.get(c, "") for c in columns])
                          for (count, name), row in cells.items() if count == threads]  # fmt: skip
            parts.append("\n".join(lines))
        return "\n\n".join([*parts, f"Times are in {unit}."])

    def print(self) -> None:
        """Print the table."""
        print(self)
