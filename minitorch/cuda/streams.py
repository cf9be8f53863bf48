"""Streams, in which a GPU does what it is given in order, and events, which mark places in them.

On hardware they are CuPy's, and what a `with stream(...)` contains is launched there.  A simulated device has one order
for everything, and ends each launch before the next: streams wait for nothing there, and events read the host's clock.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from . import runtime

__all__ = ["Event", "Stream", "current_stream", "default_stream", "stream"]


def _cuda() -> Any:
    """CuPy's module of CUDA; None where the device is simulated.

    Raises:
        RuntimeError: there is no device.
    """
    return getattr(runtime.active(), "cuda", None)


def _reported() -> Any:
    """A context in which errors of kernels, which come when somebody waits for them, name the kernels."""
    return getattr(runtime.active(), "reported", contextlib.nullcontext)()


class Stream:
    """A queue of work for the device.

    Memory that is freed goes back to the stream that it was made in: what another stream still reads must be kept until
    that has been waited for.

    Args:
        priority: below 0 before others.

    Raises:
        RuntimeError: there is no device.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _made: Any = None) -> None:
        cuda = _cuda()
        self._stream = _made if _made is not None or cuda is None else cuda.Stream(non_blocking=True, priority=priority)
        self.priority = priority

    @property
    def cuda_stream(self) -> int:
        """CUDA's address of the stream; 0 for the default one, and where the device is simulated."""
        return 0 if self._stream is None else self._stream.ptr

    def synchronize(self) -> None:
        """Wait until everything in it is done."""
        if self._stream is not None:
            with _reported():
                self._stream.synchronize()

    def query(self) -> bool:
        """Whether everything in it is done."""
        return self._stream is None or bool(self._stream.done)

    def wait_event(self, event: Event) -> None:
        """Let what follows here wait for an event in another stream."""
        if self._stream is not None and event._event is not None:
            self._stream.wait_event(event._event)

    def wait_stream(self, stream: Stream) -> None:
        """Let what follows here wait for everything that is in another stream by now."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Mark the place that the stream is at."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.cuda_stream == other.cuda_stream

    def __hash__(self) -> int:
        return hash(self.cuda_stream)

    def __repr__(self) -> str:
        return f"<minitorch.cuda.Stream cuda_stream={self.cuda_stream:#x}>"


def current_stream(device: Any = None) -> Stream:
    """The stream that work goes to now."""
    cuda = _cuda()
    return Stream(_made=None if cuda is None else cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """The stream that work goes to unless another is chosen."""
    cuda = _cuda()
    return Stream(_made=None if cuda is None else cuda.Stream.null)


@contextlib.contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """Inside, work goes to a stream; None changes nothing."""
    if stream is None or stream._stream is None:
        yield
    else:
        with stream._stream:
            yield


class Event:
    """A mark in a stream, to wait for or to measure from.

    Args:
        enable_timing: keep the time, for `elapsed_time`.
        blocking: let `synchronize` sleep rather than spin.

    Raises:
        NotImplementedError: for events between processes.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        if interprocess:
            raise NotImplementedError("cuda.Event: events are of one process; leave interprocess out")
        cuda = _cuda()
        self._event = None if cuda is None else cuda.Event(block=blocking, disable_timing=not enable_timing)
        self._timed, self._time = enable_timing, None

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark at the end of a stream, of the current one by default."""
        if self._event is not None:
            self._event.record((stream or current_stream())._stream)
        self._time = time.perf_counter()

    def wait(self, stream: Stream | None = None) -> None:
        """Let what follows in a stream wait for the mark."""
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        """Whether the device has passed the mark, or there is none."""
        return self._event is None or self._time is None or bool(self._event.done)

    def synchronize(self) -> None:
        """Wait until the device has passed the mark."""
        if self._event is not None:
            with _reported():
                self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this mark to another.

        Raises:
            ValueError: one of them keeps no time, or marks no place yet.
        """
        if not (self._timed and end_event._timed):
            raise ValueError("cuda.Event.elapsed_time: Both events must be created with argument 'enable_timing=True'.")
        if self._time is None or end_event._time is None:
            raise ValueError("cuda.Event.elapsed_time: Both events must be recorded before calculating elapsed time.")
        if self._event is None:
            return 1e3 * (end_event._time - self._time)
        return float(_cuda().get_elapsed_time(self._event, end_event._event))
