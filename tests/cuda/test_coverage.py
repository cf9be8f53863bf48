"""What the device does not do is a short list with reasons, in the code and in docs/cuda.md."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest

from minitorch import _ext
from minitorch.cuda import coverage

PAGE = Path(__file__).parents[2] / "docs" / "cuda.md"
TENSORS = {"input", "self", "weight", "query", "x", "a", "grad", "params", "kernel", "log_probs"}


def functions() -> dict[str, Callable]:
    """The engine's functions whose first argument is a tensor, or several."""
    found = {}
    for module in pkgutil.iter_modules(_ext.__path__):
        for name, function in vars(importlib.import_module(f"minitorch._ext.{module.name}")).items():
            code = getattr(function, "__code__", None)
            if code is None or function.__module__ != f"minitorch._ext.{module.name}" or name.startswith("_"):
                continue
            if code.co_argcount and code.co_varnames[0] in TENSORS:
                found[f"{module.name}.{name}"] = function
    return found


def test_every_function_runs_there_or_is_listed() -> None:
    unlisted = [name for name, f in functions().items() if not coverage.on_device(f) and not coverage.missing(f)]
    assert not unlisted


def test_nothing_is_listed_in_vain() -> None:
    reasons = {coverage.missing(f) for f in functions().values()}
    assert set(coverage.MISSING.values()) <= reasons


@pytest.mark.skipif(not PAGE.exists(), reason="docs/ is not there: this is not a checkout of the sources")
def test_the_page_counts_them() -> None:
    every = functions()
    absent = sorted(name for name, f in every.items() if not coverage.on_device(f))
    text = PAGE.read_text(encoding="utf-8")
    present = len(every) - len(absent)
    assert f"Of the engine's {len(every)} functions that take tensors {present} run on the device" in text
    for where, reason in coverage.MISSING.items():
        here = [name for name in absent if name == where or name.startswith(where + ".")]
        names = ", ".join(f"`{name.partition('.')[2]}`" for name in here)
        assert f"| {names} | {reason} |" in text
