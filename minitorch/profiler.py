"""The profiler with steps: what to measure of a long training, and what to do with it.

>>> import minitorch
>>> from minitorch.profiler import ProfilerActivity, profile
>>> with profile(activities=[ProfilerActivity.CPU]) as p:
...     _ = minitorch.ones(2) + 1
>>> [e.key for e in p.key_averages()]
['aten::ones', 'aten::add']
"""

from __future__ import annotations

import enum
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from .autograd.profiler import EventList, record_function
from .autograd.profiler import profile as _profile

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What is measured; so far the CPU alone."""

    CPU = 0
    CUDA = 2


class ProfilerAction(enum.Enum):
    """What the profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be measured here."""
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """A plan for steps: skip some, then in turn wait, warm up and record, for ever or so many times.

    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(k).name for k in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if wait < 0 or warmup < 0 or active < 1 or repeat < 0 or skip_first < 0:
        raise AssertionError("Invalid profiler schedule arguments")

    def plan(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        length = wait + warmup + active
        turn, place = divmod(step, length)
        if (repeat > 0 and turn >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return plan


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """An ``on_trace_ready`` that writes each trace to a file of its own in a directory."""
    if use_gzip:
        raise NotImplementedError("tensorboard_trace_handler: use_gzip; compress the files afterwards")

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json"))

    return handler


class profile:
    """Measure the operations of a block, or of some of its steps.

    Args:
        activities: what to measure.
        schedule: what to do in which step, see `schedule`; record all unless given.  Call `step` after each.
        on_trace_ready: called with the profiler whenever a recording has been finished.
        record_shapes, profile_memory, with_stack, with_flops: see `minitorch.autograd.profiler.profile`.
        acc_events: keep the calls of all recordings, not of the last alone.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
    ) -> None:
        self.activities = {ProfilerActivity.CPU} if activities is None else set(activities)
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.options = {
            "record_shapes": record_shapes,
            "profile_memory": profile_memory,
            "with_stack": with_stack,
            "with_flops": with_flops,
            "with_modules": with_modules,
            "enabled": ProfilerActivity.CPU in self.activities,
        }
        self.acc_events = acc_events
        self.step_num = 0
        self.profiler: _profile | None = None
        self.finished = EventList()
        self._recording = False

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, as ``with`` does."""
        self._enter(self.schedule(self.step_num))

    def stop(self) -> None:
        """End, as leaving ``with`` does."""
        if self._recording:
            self._finish()
            if self.on_trace_ready:
                self.on_trace_ready(self)

    def step(self) -> None:
        """The next step begins."""
        action = self.schedule(self.step_num)
        self.step_num += 1
        following = self.schedule(self.step_num)
        if self._recording and (action is ProfilerAction.RECORD_AND_SAVE or not records(following)):
            self._finish()
            if self.on_trace_ready:
                self.on_trace_ready(self)
        self._enter(following)

    def _enter(self, action: ProfilerAction) -> None:
        if records(action) and not self._recording:
            self.profiler = _profile(**self.options)
            self.profiler.__enter__()
            self._recording = True

    def _finish(self) -> None:
        assert self.profiler is not None
        self.profiler.__exit__()
        self._recording = False
        if not self.acc_events:
            self.finished = EventList()
        self.finished.extend(self.profiler.function_events)

    def events(self) -> EventList:
        """The calls of the last recording (of all, with ``acc_events``)."""
        return self.finished

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The calls of one name together."""
        return self.finished.key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the calls for ``chrome://tracing`` or https://ui.perfetto.dev."""
        self.finished.export_chrome_trace(path)


def records(action: ProfilerAction) -> bool:
    """Whether a step is measured."""
    return action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
