"""The examples of docs/autograd.md."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from helpers import only_here

PAGE = Path(__file__).resolve().parents[2] / "docs" / "autograd.md"


@pytest.mark.cpu_only("the page shows tensors of the CPU")
@only_here
@pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no documentation beside it")
def test_the_page_runs() -> None:
    report: list[str] = []
    # a blank line ends what an example prints, as does the next paragraph
    test = doctest.DocTestParser().get_doctest(PAGE.read_text(encoding="utf-8"), {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert results.attempted > 40
    assert results.failed == 0, "".join(report)
