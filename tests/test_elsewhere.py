"""What programs ask of compilers, scripts and several processes: answered as one process that compiles nothing."""

import io
import warnings

import pytest

import minitorch
from minitorch import nn


@pytest.fixture
def silent(monkeypatch):
    monkeypatch.setattr(minitorch.compiler, "_said", True)


def test_compile_returns_what_it_is_given(silent):
    model = nn.Linear(2, 1)
    assert minitorch.compile(model) is model
    assert minitorch.compile(minitorch.sin, mode="max-autotune", fullgraph=True) is minitorch.sin

    @minitorch.compile(dynamic=True)
    def twice(x):
        return 2 * x

    assert twice(minitorch.tensor(2.0)) == 4.0
    assert minitorch.compiler.is_compiling() is False
    assert minitorch.compiler.disable(twice) is twice and minitorch.compiler.disable()(twice) is twice


def test_compile_says_once_that_it_does_nothing(monkeypatch):
    monkeypatch.setattr(minitorch.compiler, "_said", False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minitorch.compile(minitorch.sin, disable=True)
    with pytest.warns(UserWarning, match="compiles nothing") as caught:
        minitorch.compile(minitorch.sin)
        minitorch.compile(minitorch.sin)
    assert len(caught) == 1
    with pytest.raises(NotImplementedError, match="backend of your own"):
        minitorch.compile(minitorch.sin, backend=lambda graph, inputs: graph)


def test_modules_compile_in_place(silent):
    model = nn.Linear(2, 1)
    assert model.compile() is None and model(minitorch.ones(1, 2)).shape == (1, 1)


def test_marks_for_scripting_mean_nothing():
    @minitorch.jit.ignore
    def f(x):
        return x

    @minitorch.jit.ignore(drop=True)
    @minitorch.jit.unused
    @minitorch.jit.script_if_tracing
    def g(x):
        return x

    assert f(1) == g(1) == 1
    assert not minitorch.jit.is_scripting() and not minitorch.jit.is_tracing()
    for name in ("script", "trace", "save", "load"):
        with pytest.raises(NotImplementedError, match=f"jit.{name}: minitorch has no TorchScript"):
            getattr(minitorch.jit, name)(f)


def test_one_process_is_alone():
    dist = minitorch.distributed
    assert not dist.is_available() and not dist.is_initialized()
    for ask in (dist.get_rank, dist.get_world_size):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            ask()
    with pytest.raises(NotImplementedError, match="one process"):
        dist.init_process_group("gloo")
    with pytest.raises(NotImplementedError, match=r"distributed\.all_reduce: there is no process group"):
        dist.all_reduce(minitorch.ones(1), op=dist.ReduceOp.SUM)
    with pytest.raises(NotImplementedError, match="one process"):
        nn.parallel.DistributedDataParallel(nn.Linear(1, 1))
    assert not isinstance(nn.Linear(1, 1), nn.parallel.DistributedDataParallel)


def test_data_parallel_is_a_wrapper():
    inner = nn.Linear(2, 1)
    model = nn.DataParallel(inner)
    x = minitorch.ones(3, 2)
    assert model(x).equal(inner(x)) and model.module is inner
    kept = io.BytesIO()
    minitorch.save(model.state_dict(), kept)
    assert list(minitorch.load(io.BytesIO(kept.getvalue()))) == ["module.weight", "module.bias"]
    with pytest.raises(NotImplementedError, match="one device"):
        nn.DataParallel(inner, device_ids=[0, 1])


def test_synchronised_batch_norm_is_batch_norm():
    minitorch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4, affine=False)))
    weight = plain[1].weight
    x = minitorch.randn(2, 3, 5, 5)
    wanted = plain(x)
    means = [m.running_mean.clone() for m in plain.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in plain.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
    model = nn.SyncBatchNorm.convert_sync_batchnorm(plain)
    assert [type(m).__name__ for m in model.modules()].count("SyncBatchNorm") == 2
    assert model[1].weight is weight
    assert model(x).equal(wanted)
    for m, mean in zip((m for m in model.modules() if isinstance(m, nn.SyncBatchNorm)), means, strict=True):
        assert m.running_mean.equal(mean)
    with pytest.raises(ValueError, match="at least 2D"):
        nn.SyncBatchNorm(3)(minitorch.ones(3))
    with pytest.raises(NotImplementedError, match="process_group"):
        nn.SyncBatchNorm(3, process_group=1)


def test_operations_over_lists():
    a = [minitorch.tensor([1.0, 4.0]), minitorch.tensor([9.0])]
    b = [minitorch.tensor([2.0, 3.0]), minitorch.tensor([5.0])]
    values = lambda tensors: [t.tolist() for t in tensors]  # noqa: E731
    assert values(minitorch._foreach_sqrt(a)) == [[1, 2], [3]]
    assert values(minitorch._foreach_add(a, b, alpha=2)) == [[5, 10], [19]]
    assert values(minitorch._foreach_mul(a, [2.0, 3.0])) == [[2, 8], [27]]
    assert values(minitorch._foreach_lerp(a, b, 0.5)) == [[1.5, 3.5], [7]]
    assert values(minitorch._foreach_addcmul(a, b, b, [1.0, 2.0])) == [[5, 13], [59]]
    assert values(minitorch._foreach_addcdiv(a, b, b, value=3)) == [[4, 7], [12]]
    assert values(minitorch._foreach_pow(2, b)) == [[4, 8], [32]]
    assert values(minitorch._foreach_max(a)) == [4, 9]
    kept = a[0]
    assert minitorch._foreach_add_(a, 1) is a and kept.tolist() == [2, 5]
    minitorch._foreach_copy_(a, b)
    assert values(a) == values(b)
    minitorch._foreach_zero_(a)
    assert values(a) == [[0, 0], [0]]
    with pytest.raises(RuntimeError, match="same number"):
        minitorch._foreach_add(a, [1.0])
    with pytest.raises(TypeError, match="must be tuple of Tensors, not Tensor"):
        minitorch._foreach_neg(a[0])
    with pytest.raises(AttributeError):
        minitorch._foreach_nothing  # noqa: B018


def test_the_accelerator():
    assert minitorch.accelerator.is_available() == minitorch.cuda.is_available()
    assert minitorch.accelerator.device_count() == int(minitorch.cuda.is_available())
    found = minitorch.accelerator.current_accelerator()
    assert (found is not None) == minitorch.cuda.is_available()


def test_the_cpu_as_an_accelerator():
    assert minitorch.cpu.is_available() and minitorch.cpu.device_count() == 1
    with minitorch.cpu.amp.autocast("cpu", minitorch.bfloat16):
        assert (minitorch.ones(2, 2) @ minitorch.ones(2, 2)).dtype == minitorch.bfloat16


def test_a_timer_counts_its_runs():
    runs = []
    clock = iter(range(10_000))
    timer = minitorch.utils.benchmark.Timer(
        "f()", globals={"f": lambda: runs.append(minitorch.get_num_threads())}, timer=lambda: next(clock), label="L",
        sub_label="s", description="d", num_threads=1)  # fmt: skip
    before = minitorch.get_num_threads()
    found = timer.timeit(5)
    assert len(runs) == 5 + 2 and set(runs) == {1}
    assert minitorch.get_num_threads() == before
    assert found.raw_times == [1] and found.median == found.mean == 0.2 and found.iqr == 0
    assert repr(found) == "L: s\nd\n  200.00 ms\n  1 measurement, 5 runs, 1 thread"
    assert timer.repeat(3, 2) == [1, 1, 1]
    several = timer.blocked_autorange(min_run_time=7)
    assert len(several.times) == 7 and "7 measurements, 1 runs per measurement" in repr(several)
    table = str(minitorch.utils.benchmark.Compare([found, several]))
    assert table.splitlines()[0].startswith("[") and "s |" in table and "Times are in ms." in table
    with pytest.raises(NotImplementedError, match="only Python code"):
        minitorch.utils.benchmark.Timer("", language="c++")
