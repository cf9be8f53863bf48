"""Several processes that run one function, and are one when something goes wrong."""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing import connection
from typing import Any


class ProcessException(Exception):
    """Something went wrong in a process."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process raised an exception, whose traceback is the message."""


class ProcessExitedException(ProcessException):
    """A process ended with an exit code, or by a signal, of itself."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(function: Callable, index: int, args: tuple, failure: connection.Connection) -> None:
    try:
        function(index, *args)
    except KeyboardInterrupt:
        pass  # the parent has had it, too
    except Exception:
        failure.send(traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """The processes that `start_processes` started."""

    def __init__(self, processes: list, failures: list[connection.Connection]) -> None:
        self.processes, self._failures = processes, failures
        self._running = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """The numbers that the system gave them."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until a process ends; True once all have.  After a failure the others are ended.

        Args:
            timeout: how long to wait, in seconds; without end by default.
            grace_period: how long the others may take to end after a failure, before they are killed.

        Raises:
            ProcessRaisedException: with the traceback of a process that raised.
            ProcessExitedException: of a process that ended in another way.
        """
        if not self._running:
            return True
        for sentinel in connection.wait(list(self._running), timeout):
            index = self._running.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode:
                self._end_others(grace_period)
                self._raise(index)
        return not self._running

    def _end_others(self, grace_period: float | None) -> None:
        end = time.monotonic() + (30 if grace_period is None else grace_period)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(max(0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _raise(self, index: int) -> None:
        process, failure = self.processes[index], self._failures[index]
        try:
            text = failure.recv() if failure.poll() else None
        except EOFError:
            text = None
        if text is not None:
            raise ProcessRaisedException(f"\n\n-- Process {index} terminated with the following error:\n{text}", index,
                                         process.pid)
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            text = f"process {index} terminated with signal {name}"
            raise ProcessExitedException(text, index, process.pid, code, name)
        raise ProcessExitedException(f"process {index} terminated with exit code {code}", index, process.pid, code)


SpawnContext = ProcessContext


def start_processes(
    fn: Callable, args: tuple = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Run ``fn(i, *args)`` in a process for each i below `nprocs`.

    Args:
        join: wait for all of them; else return the `ProcessContext` that can.
        daemon: end them when this process ends.
        start_method: ``"spawn"``, ``"fork"`` or ``"forkserver"``.

    Raises:
        ProcessRaisedException, ProcessExitedException: if one fails; the others are ended then.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes, failures = [], []
    for index in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, index, args, sender), daemon=daemon)
        process.start()
        sender.close()
        processes.append(process)
        failures.append(receiver)
    started = ProcessContext(processes, failures)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable, args: tuple = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """`start_processes` with processes that start anew, so that `fn` must be importable from its module.

    Raises:
        ValueError: for another `start_method`: that is `start_processes`.
    """
    if start_method != "spawn":
        raise ValueError(f"spawn: the processes start by 'spawn', not {start_method!r}: use start_processes")
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
