"""The committed table of what each CUDA kernel needs, and what the compiler says today."""

import pytest

from minitorch.cuda import kernels, nvrtc
from minitorch.cuda.simulator import source
from tools import kernel_table

TABLE = kernel_table.read()
problem = nvrtc.problem() or (
    None if nvrtc.version() == kernel_table.VERSION else f"the table is of NVRTC {kernel_table.VERSION}")


def test_no_kernel_spills_or_has_a_stack() -> None:
    assert not [(name, row.kernel) for name, (_, rows) in TABLE.items() for row in rows if row.spills or row.stack]


def test_every_pointwise_operation_is_in_the_table() -> None:
    names = {entry.name for entry in kernel_table.entries()}
    assert names == set(TABLE)


def test_every_kernel_that_is_written_is_in_the_table() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in kernels.HERE.glob("*.cu")}
    written = {name for text in files.values() for name in source.kernels(text)}
    listed = {source.base_name(row.kernel) for _, rows in TABLE.values() for row in rows}
    assert written - listed == set()


def test_rows_survive_being_written(tmp_path) -> None:
    kernel_table.write(TABLE, tmp_path / "table.tsv")
    assert kernel_table.read(tmp_path / "table.tsv") == TABLE


@pytest.mark.skipif(problem is not None, reason=str(problem))
def test_the_compiler_agrees() -> None:
    problems, _ = kernel_table.check(seconds=10, seed=0)
    assert not problems


@pytest.mark.skipif(problem is not None, reason=str(problem))
def test_a_kernel_that_needs_more_is_found() -> None:
    source = 'extern "C" __global__ void k(float *x) { x[threadIdx.x] += 1; }'
    module = kernel_table.Module("m", source, ())
    (row,) = rows = module.rows()
    assert row.kernel == "k" and row.spills == row.stack == row.shared == 0 and all(4 < n < 32 for n in row.registers)
    greedy = kernel_table.Module("m", source.replace("x[thr", "volatile float a[9]; a[(int)x[0]] = 1; x[thr"), ())
    found = list(kernel_table.excesses(greedy, rows, 1, greedy.compile(80)))
    assert any("stack" in line and "may be 0" in line for line in found)
    assert not list(kernel_table.excesses(module, rows, 1, module.compile(80)))
