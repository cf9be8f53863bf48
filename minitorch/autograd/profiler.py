"""Where the time goes: a table for each operation, and a trace to look at in a browser.

The profiler is a listener (`minitorch._ext.dispatch`) on the operations and a watcher of the derivatives: nothing is
measured, and nothing costs, outside the block.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from .._ext import dispatch
from .._ext.storage import memory_stats
from .._ext.tape import _watch_derivatives
from .._tensor import Tensor
from ..utils._pytree import tree_leaves

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "profile", "record_function"]

# what is asked of a tensor without any work on its elements
SILENT = {"get_shape", "get_ndim", "size", "dim", "numel", "stride", "is_floating_point", "get_grad_fn", "len",
          "get_output_nr", "is_contiguous", "check_device", "element_size", "data_ptr", "storage_offset"}  # fmt: skip
PRODUCTS = {"matmul", "mm", "bmm", "mv", "dot", "linear", "addmm", "baddbmm", "inner", "outer", "addmv"}
VIEWS = {"view", "reshape", "transpose", "t", "permute", "expand", "select", "narrow", "unsqueeze", "squeeze", "detach",
         "getitem", "flatten", "unbind", "split", "chunk", "diagonal", "movedim", "view_as", "expand_as"}  # fmt: skip


class FunctionEvent:
    """One call: its name, when it was (in nanoseconds), and what was counted."""

    def __init__(self, name: str, start: int, parent: FunctionEvent | None, thread: int) -> None:
        self.name = self.key = name
        self.start, self.end, self.thread = start, start, thread
        self.cpu_parent = parent
        self.cpu_children: list[FunctionEvent] = []
        self.input_shapes: list[Any] = []
        self.flops = self.bytes = 0
        self.cpu_memory_usage = 0
        self.stack: list[str] = []
        self.count = 1
        self.is_user_annotation = False
        if parent is not None:
            parent.cpu_children.append(self)

    @property
    def cpu_time_total(self) -> float:
        """Microseconds from beginning to end."""
        return (self.end - self.start) / 1000

    cpu_time = cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds that were not spent in calls below this one."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        """Bytes that were not taken by calls below this one."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self) -> str:
        return f"<FunctionEvent {self.name} {time_text(self.cpu_time_total)}>"


class FunctionEventAvg:
    """All calls of one name (and, if asked for, shapes) together."""

    def __init__(self, key: str) -> None:
        self.key = self.name = key
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.flops = self.bytes = 0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.input_shapes: list[Any] = []
        self.stack: list[str] = []

    @property
    def cpu_time(self) -> float:
        """Microseconds a call, on average."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def add(self, event: Any) -> None:
        """Count one more."""
        self.count += event.count
        self.cpu_time_total += 0 if within_itself(event) else event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.flops += event.flops
        self.bytes += event.bytes
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        self.input_shapes = self.input_shapes or event.input_shapes
        self.stack = self.stack or event.stack

    def __repr__(self) -> str:
        return f"<FunctionEventAvg {self.key} {self.count} calls, {time_text(self.cpu_time_total)}>"


def within_itself(event: Any) -> bool:
    """Whether a call was made by one of the same name, whose time contains this one's."""
    parent = getattr(event, "cpu_parent", None)
    while parent is not None:
        if parent.name == event.name:
            return True
        parent = parent.cpu_parent
    return False


def time_text(microseconds: float) -> str:
    """A time with its unit."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    return f"{microseconds / 1e3:.3f}ms" if microseconds >= 1e3 else f"{microseconds:.3f}us"


def size_text(number: float, units: str = "b Kb Mb Gb", step: int = 1024) -> str:
    """A number of bytes (or the like) with its unit."""
    names = units.split()
    k = 0
    while abs(number) >= step and k < len(names) - 1:
        number, k = number / step, k + 1
    return f"{number:.2f} {names[k]}" if k else f"{number:.0f} {names[k]}"


class EventList(list):
    """Calls, or averages of them."""

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The calls of one name together; apart by the shapes of their inputs, or by their callers, if wanted."""
        groups: dict[Any, FunctionEventAvg] = {}
        for event in self:
            key = (event.key, str(event.input_shapes) if group_by_input_shape else "",
                   tuple(event.stack[:group_by_stack_n]))  # fmt: skip
            groups.setdefault(key, FunctionEventAvg(event.key)).add(event)
        return EventList(groups.values())

    def total_average(self) -> FunctionEventAvg:
        """Everything together."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all."""
        return sum(event.self_cpu_time_total for event in self)

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """A table, the largest first by ``sort_by``: ``"cpu_time_total"``, ``"self_cpu_time_total"``, ``"count"``, ...

        Columns for memory, FLOPs, bytes and shapes are there if they were counted.
        """
        rows = [e for e in self if not (top_level_events_only and getattr(e, "cpu_parent", None) is not None)]
        if sort_by is not None:
            if sort_by not in SORT_KEYS:
                raise ValueError(f"table: sort_by should be one of {SORT_KEYS}, but got {sort_by!r}")
            rows.sort(key=lambda e: getattr(e, sort_by), reverse=True)
        total = self.self_cpu_time_total or 1.0
        columns: list[tuple[str, Callable[[Any], str]]] = [
            ("Name", lambda e: shortened(e.key, max_name_column_width)),
            ("Self CPU %", lambda e: f"{100 * e.self_cpu_time_total / total:.2f}%"),
            ("Self CPU", lambda e: time_text(e.self_cpu_time_total)),
            ("CPU total %", lambda e: f"{100 * e.cpu_time_total / total:.2f}%"),
            ("CPU total", lambda e: time_text(e.cpu_time_total)),
            ("CPU time avg", lambda e: time_text(e.cpu_time)),
            ("# of Calls", lambda e: str(e.count)),
        ]
        if any(e.cpu_memory_usage for e in rows):
            columns += [("CPU Mem", lambda e: size_text(e.cpu_memory_usage)),
                        ("Self CPU Mem", lambda e: size_text(e.self_cpu_memory_usage))]  # fmt: skip
        if any(e.flops for e in rows):
            columns += [("FLOPs", lambda e: size_text(e.flops, "- K M G T", 1000) if e.flops else "--"),
                        ("Bytes", lambda e: size_text(e.bytes))]  # fmt: skip
        if any(e.input_shapes for e in rows):
            columns.append(("Input Shapes", lambda e: shortened(str(e.input_shapes), max_shapes_column_width)))
        if any(e.stack for e in rows):
            columns.append(
                ("Source Location", lambda e: shortened(e.stack[0] if e.stack else "", max_src_column_width))
            )
        cells = [[title for title, _ in columns]] + [[cell(e) for _, cell in columns] for e in rows[:row_limit]]
        widths = [max(len(row[k]) for row in cells) + 2 for k in range(len(columns))]
        rule = "  ".join("-" * w for w in widths)
        lines = ["  ".join(text.rjust(w) for text, w in zip(row, widths)) for row in cells]
        foot = f"Self CPU time total: {time_text(self.self_cpu_time_total)}"
        return "\n".join([*([header] if header else []), rule, lines[0], rule, *lines[1:], rule, foot, ""])

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the calls for ``chrome://tracing`` or https://ui.perfetto.dev."""
        origin = min((e.start for e in self), default=0)
        trace = [
            {
                "name": e.name,
                "ph": "X",
                "cat": "user_annotation" if e.is_user_annotation else "cpu_op",
                "ts": (e.start - origin) / 1000,
                "dur": e.cpu_time_total,
                "pid": os.getpid(),
                "tid": e.thread,
                "args": {"Input Dims": e.input_shapes, "FLOPs": e.flops, "Bytes": e.bytes},
            }
            for e in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": trace, "displayTimeUnit": "ms"}, file)


SORT_KEYS = ("cpu_time", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "self_cpu_memory_usage", "count",
             "flops", "bytes")  # fmt: skip


def shortened(text: str, width: int) -> str:
    """A text cut to a width."""
    return text if len(text) <= width else text[: width - 3] + "..."


# --- counting --------------------------------------------------------------------------------------------------------


def flops_of(name: str, tensors: list[Tensor], outputs: list[Tensor]) -> int:
    """Additions and multiplications: two for each term of a product, one for each element of a pointwise operation."""
    if name in VIEWS or not tensors or not outputs:
        return 0
    if name in PRODUCTS:
        inner = tensors[-2 if name in ("addmm", "baddbmm", "addmv") else 0]
        if name == "linear":
            inner = tensors[0]
        return 2 * outputs[0].numel() * (1 if name == "outer" else inner.shape[-1] if inner.ndim else 1)
    if name.startswith("conv"):
        weight = tensors[1]
        return 2 * outputs[0].numel() * math.prod(weight.shape[1:])
    return max(t.numel() for t in (*tensors, *outputs))


# --- the profiler ----------------------------------------------------------------------------------------------------

_running: list[profile] = []


def _is_profiler_enabled() -> bool:
    return bool(_running)


class profile:
    """Inside, every operation and every derivative is timed.

    Args:
        enabled: False does nothing.
        record_shapes: note the shapes of inputs.
        profile_memory: note how much memory each call took that it had not given back at its end.
        with_flops: count floating-point operations (by formula, from the shapes) and the bytes of inputs and outputs.
        with_stack: note the callers.

    >>> import minitorch
    >>> with minitorch.autograd.profiler.profile(record_shapes=True) as p:
    ...     _ = minitorch.ones(3, 4) @ minitorch.ones(4, 2)
    >>> [(e.name, e.input_shapes) for e in p.function_events if "matmul" in e.name]
    [('aten::matmul', [[3, 4], [4, 2]])]
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
    ) -> None:
        if use_cuda or use_device:
            raise NotImplementedError("profile: only the CPU is supported so far; leave use_cuda and use_device out")
        if with_modules:
            raise NotImplementedError("profile: with_modules; put record_function(...) into the modules of interest")
        self.enabled = enabled and use_cpu
        self.record_shapes, self.with_flops = record_shapes or with_flops, with_flops
        self.show_shapes = record_shapes
        self.profile_memory, self.with_stack = profile_memory, with_stack
        self.function_events = EventList()
        self._local = threading.local()

    def __enter__(self) -> profile:
        if self.enabled:
            _running.append(self)
            _watch_derivatives(self._watch, True)
            dispatch.push(self._hear, True)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.enabled:
            dispatch.remove(self._hear, True)
            _watch_derivatives(self._watch, False)
            _running.remove(self)

    # --- measuring

    @contextlib.contextmanager
    def _event(self, name: str) -> Iterator[FunctionEvent]:
        parent = getattr(self._local, "current", None)
        event = FunctionEvent(name, 0, parent, threading.get_ident())
        self.function_events.append(event)
        self._local.current = event
        if self.with_stack:
            event.stack = callers()
        before = memory_stats()["allocated"] if self.profile_memory else 0
        event.start = event.end = time.perf_counter_ns()
        try:
            yield event
        finally:
            event.end = time.perf_counter_ns()
            if self.profile_memory:
                event.cpu_memory_usage = memory_stats()["allocated"] - before
            self._local.current = parent

    def _hear(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = getattr(function, "__name__", str(function))
        if name in SILENT:
            return function(*args, **kwargs)
        if name in ("tensor_backward", "backward", "grad", "apply_function"):  # their own parts are what takes time
            dispatch.push(self._hear, True)
            try:
                name = args[0].__name__ if name == "apply_function" else f"autograd::{name.replace('tensor_', '')}"
                with self._event(name):
                    return dispatch.unheard(function, args, kwargs)
            finally:
                dispatch.remove(self._hear, True)
        with self._event(f"aten::{name}") as event:
            result = function(*args, **kwargs)
        if self.record_shapes:
            self._count(event, name, args, kwargs, result)
        return result

    def _count(self, event: FunctionEvent, name: str, args: Any, kwargs: Any, result: Any) -> None:
        with dispatch.only():
            tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
            if self.show_shapes:
                event.input_shapes = [list(x.shape) if isinstance(x, Tensor) else [] for x in args]
            if self.with_flops:
                outputs = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
                event.flops = flops_of(name, tensors, outputs)
                event.bytes = 0 if name in VIEWS else sum(t.nbytes for t in (*tensors, *outputs))

    @contextlib.contextmanager
    def _watch(self, node: Any) -> Iterator[Any]:
        with self._event(node.name()):
            yield lambda grads: None

    # --- results

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The calls of one name together."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """Everything together."""
        return self.function_events.total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all."""
        return self.function_events.self_cpu_time_total

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """See `EventList.table`."""
        return self.function_events.table(sort_by, row_limit, **options)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """See `EventList.export_chrome_trace`."""
        self.function_events.export_chrome_trace(path)

    def __repr__(self) -> str:
        return self.key_averages().table()

    __str__ = __repr__


def callers() -> list[str]:
    """The lines that led here, the nearest first, without those of the library."""
    frame = sys._getframe(1)
    while frame is not None and (
        frame.f_globals.get("__name__", "").startswith("minitorch.")
        or frame.f_code.co_filename.endswith("contextlib.py")
    ):
        frame = frame.f_back
    found = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=8, lookup_lines=False)
    return [f"{line.filename}({line.lineno}): {line.name}" for line in found]


class record_function(contextlib.ContextDecorator):
    """A block (or, as a decorator, a function) that the profiler shows under a name.

    >>> import minitorch
    >>> with minitorch.autograd.profiler.profile() as p:
    ...     with minitorch.autograd.profiler.record_function("mine"):
    ...         _ = minitorch.ones(2) + 1
    >>> [e.name for e in p.function_events]
    ['mine', 'aten::ones', 'aten::add']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._open: list[Any] = []

    def _recreate_cm(self) -> record_function:
        return type(self)(self.name)

    def __enter__(self) -> record_function:
        stack = contextlib.ExitStack()
        for p in _running:
            stack.enter_context(p._event(self.name)).is_user_annotation = True
        self._open.append(stack)
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.pop().close()
