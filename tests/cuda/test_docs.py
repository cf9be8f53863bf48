"""The examples of docs/cuda.md."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from helpers import only_here

from minitorch.cuda.runtime import CompileError
from minitorch.cuda.simulator import toolchain

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cuda.md"


@only_here
@pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no documentation beside it")
def test_the_page_runs() -> None:
    try:
        toolchain.compiler()
    except CompileError as error:
        pytest.skip(str(error))
    report: list[str] = []
    test = doctest.DocTestParser().get_doctest(PAGE.read_text(encoding="utf-8"), {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert results.attempted > 30
    assert results.failed == 0, "".join(report)
