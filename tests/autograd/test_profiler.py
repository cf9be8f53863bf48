"""The profiler: what it sees, counts, prints and writes."""

from __future__ import annotations

import importlib
import json

import pytest
from helpers import mt, only_here

profiler = importlib.import_module(f"{mt.__name__}.autograd.profiler")
steps = importlib.import_module(f"{mt.__name__}.profiler")


def work():
    x = mt.ones(20, 30, requires_grad=True)
    ((x @ mt.ones(30, 5)).relu() * 2).sum().backward()


def names(events):
    return [e.name for e in events]


def test_operations_and_derivatives() -> None:
    with profiler.profile(record_shapes=True) as p:
        work()
        with profiler.record_function("mine"):
            mt.ones(3).add_(1)
    found = {e.key: e for e in p.key_averages()}
    for name in ("aten::matmul", "aten::relu", "aten::mul", "aten::sum", "mine", "aten::add_"):
        assert name in found and found[name].count >= 1, name
    assert any("MulBackward0" in name for name in found)
    assert found["aten::matmul"].input_shapes == [[20, 30], [30, 5]] or found["aten::matmul"].count
    assert found["mine"].cpu_time_total >= found["aten::add_"].cpu_time_total > 0
    assert p.self_cpu_time_total > 0


def test_tables_and_traces(tmp_path) -> None:
    with profiler.profile(with_flops=True, profile_memory=True, record_shapes=True, with_stack=True) as p:
        work()
    table = p.key_averages().table(sort_by="self_cpu_time_total", row_limit=3)
    assert "Name" in table and "# of Calls" in table and "Self CPU time total" in table
    assert "aten::" in p.key_averages(group_by_input_shape=True).table()
    path = tmp_path / "trace.json"
    p.export_chrome_trace(str(path))
    trace = json.loads(path.read_text())
    assert any(e.get("name") == "aten::relu" and e["dur"] >= 0 for e in trace["traceEvents"])


@pytest.mark.cpu_only("it counts the memory of the CPU")
@only_here
def test_counts() -> None:
    with profiler.profile(with_flops=True, profile_memory=True) as p:
        y = mt.ones(20, 30) @ mt.ones(30, 5)
    del y
    (product,) = [e for e in p.function_events if e.name == "aten::matmul"]
    assert product.flops == 2 * 20 * 30 * 5
    assert product.bytes == 4 * (20 * 30 + 30 * 5 + 20 * 5)
    assert product.cpu_memory_usage >= 400
    assert product.input_shapes == []
    with pytest.raises(ValueError, match="sort_by"):
        p.table(sort_by="nothing")


@only_here
def test_nothing_is_left_behind() -> None:
    with pytest.raises(ZeroDivisionError), profiler.profile() as p:
        1 / 0  # noqa: B018
    mt.ones(2) + 1
    work()
    assert p.function_events == []
    with profiler.profile(enabled=False) as p:
        mt.ones(2)
    assert p.function_events == []


@only_here
def test_functions_and_nesting() -> None:
    class Double(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g.clone() * 2

    with profiler.profile() as p:
        Double.apply(mt.ones(2, requires_grad=True)).sum().backward()
    by_name = {e.name: e for e in p.function_events}
    assert by_name["Double"].cpu_children[0].name == "aten::mul"
    assert [e.name for e in by_name["DoubleBackward"].cpu_children] == ["aten::clone", "aten::mul"]
    assert by_name["DoubleBackward"].cpu_parent.name == "autograd::backward"

    @profiler.record_function("decorated")
    def f():
        return mt.ones(1)

    with profiler.profile() as p:
        f()
        f()
    assert names(p.function_events) == ["decorated", "aten::ones"] * 2


def test_steps() -> None:
    seen = []
    plan = steps.schedule(wait=1, warmup=1, active=2, repeat=1)
    with steps.profile(
        activities=[steps.ProfilerActivity.CPU], schedule=plan, on_trace_ready=lambda p: seen.append(p.step_num)
    ) as p:
        for _ in range(8):
            mt.ones(2) + 1
            p.step()
    assert seen == [4]
    assert [str(plan(k)).split(".")[1] for k in range(6)] == [
        "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE", "NONE", "NONE",
    ]  # fmt: skip
    with steps.profile() as p, steps.record_function("mine"):
        work()
    assert "mine" in [e.key for e in p.key_averages()]
