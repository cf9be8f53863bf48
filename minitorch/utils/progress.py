"""A progress bar in plain text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TextIO, TypeVar

T = TypeVar("T")
WIDTH = 24


class Progress(Iterable[T]):
    """Goes through `items` and draws a bar as it does, on a terminal; elsewhere only the last line is written.

    Args:
        items: what to go through.
        title: what stands before the bar.
        total: how many there are, if `items` has no length.
        file: where to write; standard output if not given.

    Attributes:
        note: what stands behind the bar; change it while the loop runs.

    >>> sum(Progress(range(4), "adding"))
    adding: 4 of 4 in ... s
    6
    """

    def __init__(
        self, items: Iterable[T], title: str = "", total: int | None = None, file: TextIO | None = None
    ) -> None:
        self.items, self.title, self.note = items, title, ""
        self.total = len(items) if total is None and isinstance(items, Sized) else total
        self.file = sys.stdout if file is None else file

    def __iter__(self) -> Iterator[T]:
        terminal = self.file.isatty()
        start = shown = time.perf_counter()
        done = 0
        try:
            for item in self.items:
                yield item
                done += 1
                now = time.perf_counter()
                if terminal and now - shown > 0.05:  # faster would only flicker
                    self._draw("\r" + self._bar(done))
                    shown = now
        finally:
            elapsed = time.perf_counter() - start
            self._draw(("\r\x1b[K" if terminal else "") + self._summary(done, elapsed) + "\n")

    def _bar(self, done: int) -> str:
        of = "" if self.total is None else f"/{self.total}"
        full = WIDTH * done // max(self.total or done, 1)
        return f"{self.title} [{'=' * full}{' ' * (WIDTH - full)}] {done}{of} {self.note}\x1b[K"

    def _summary(self, done: int, elapsed: float) -> str:
        of = "" if self.total is None else f" of {self.total}"
        note = f", {self.note}" if self.note else ""
        return f"{self.title}: {done}{of} in {elapsed:.1f} s{note}"

    def _draw(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()
