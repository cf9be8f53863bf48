"""Every example in a docstring, Python's and Cython's, runs and prints what it says."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import numpy as np
import pytest

import minitorch

NAMES = {"minitorch": minitorch, "nn": minitorch.nn, "np": np}  # what an example need not import
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def examples() -> Iterator[doctest.DocTest]:
    """The docstrings with examples, module by module."""
    names = [module.name for module in pkgutil.walk_packages(minitorch.__path__, "minitorch.")]
    for name in ["minitorch", *(name for name in names if not name.endswith(".__main__"))]:
        module = importlib.import_module(name)
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=NAMES):
            if test.examples:
                yield test


@pytest.mark.parametrize("example", [pytest.param(test, id=test.name) for test in examples()])
def test_example(example: doctest.DocTest) -> None:
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert results.attempted == len(example.examples)
    assert results.failed == 0, "".join(report)
