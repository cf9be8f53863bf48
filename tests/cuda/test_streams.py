"""Streams and events: in order on a simulated device, and CuPy's where there is one, here a stand-in."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import minitorch as mt
from minitorch.cuda import streams


@pytest.mark.on_the_device
def test_a_simulated_device_does_everything_in_order() -> None:
    side = mt.cuda.Stream()
    start, end = mt.cuda.Event(enable_timing=True), mt.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match="recorded"):
        start.elapsed_time(end)
    start.record()
    with mt.cuda.stream(side):
        x = mt.ones(3, device="cuda") * 2
    side.wait_stream(mt.cuda.current_stream())
    mt.cuda.current_stream().wait_event(side.record_event())
    end.record(side)
    end.synchronize()
    side.synchronize()
    assert side.query() and end.query() and x.tolist() == [2, 2, 2]
    assert start.elapsed_time(end) > 0
    assert mt.cuda.current_stream() == mt.cuda.default_stream()
    with pytest.raises(ValueError, match="enable_timing"):
        start.elapsed_time(mt.cuda.Event())
    with pytest.raises(NotImplementedError, match="one process"):
        mt.cuda.Event(interprocess=True)


@pytest.mark.on_the_device
def test_what_a_simulated_device_is() -> None:
    found = mt.cuda.get_device_properties()
    assert "simulated" in found.name and found.total_memory > 2**20 and found.multi_processor_count >= 1
    assert mt.cuda.get_device_capability() == (0, 0)
    assert mt.cuda.is_bf16_supported() and not mt.cuda.is_bf16_supported(including_emulation=False)
    free, total = mt.cuda.mem_get_info()
    held = mt.ones(2**16, device="cuda")
    assert total == found.total_memory and mt.cuda.mem_get_info()[0] <= free - held.nbytes


class FakeStream:
    """What CuPy's does, written down."""

    def __init__(self, said: list, ptr: int, **options: object) -> None:
        self.said, self.ptr, self.options, self.done = said, ptr, options, False

    def __enter__(self) -> None:
        self.said.append(("enter", self.ptr))

    def __exit__(self, *error: object) -> None:
        self.said.append(("exit", self.ptr))

    def synchronize(self) -> None:
        self.said.append(("synchronize", self.ptr))

    def wait_event(self, event: FakeEvent) -> None:
        self.said.append(("wait", self.ptr, event.number))


class FakeEvent:
    def __init__(self, said: list, number: int, **options: object) -> None:
        self.said, self.number, self.options, self.done = said, number, options, False

    def record(self, stream: FakeStream) -> None:
        self.said.append(("record", self.number, stream.ptr))

    def synchronize(self) -> None:
        self.said.append(("synchronize event", self.number))


class Reported:
    """What turns CUDA's errors into ours."""

    def __init__(self, said: list) -> None:
        self.said = said

    def __enter__(self) -> None:
        self.said.append("reported")

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list:
    """What a stand-in for `cupy.cuda` was told."""
    calls: list = []
    numbers = iter(range(1, 100))
    null = FakeStream(calls, 0)

    def make(**options: object) -> FakeStream:
        return FakeStream(calls, 16 * next(numbers), **options)

    make.null = null
    cuda = SimpleNamespace(
        Stream=make, Event=lambda **options: FakeEvent(calls, next(numbers), **options),
        get_current_stream=lambda: null, get_elapsed_time=lambda a, b: float(b.number - a.number))  # fmt: skip
    monkeypatch.setattr(streams, "_cuda", lambda: cuda)
    monkeypatch.setattr(streams.runtime, "active", lambda: SimpleNamespace(reported=lambda: Reported(calls)))
    return calls


def test_hardware_is_told_by_way_of_cupy(said: list) -> None:
    side = streams.Stream(priority=-1)
    assert side._stream.options == {"non_blocking": True, "priority": -1} and side.cuda_stream == 16
    assert not side.query() and side != streams.default_stream()
    with streams.stream(side):
        pass
    event = side.record_event()
    streams.current_stream().wait_event(event)
    event.synchronize()
    side.synchronize()
    assert said == [("enter", 16), ("exit", 16), ("record", 2, 16), ("wait", 0, 2), "reported",
                    ("synchronize event", 2), "reported", ("synchronize", 16)]  # fmt: skip
    assert not event.query()


def test_hardware_measures(said: list) -> None:
    start, end = (streams.Event(enable_timing=True, blocking=True) for _ in range(2))
    assert start._event.options == {"block": True, "disable_timing": False}
    start.record()
    end.record()
    assert start.elapsed_time(end) == 1.0
    assert said == [("record", 1, 0), ("record", 2, 0)]
