"""What the device does not do is a short list with reasons, in the code and in docs/cuda.md."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from minitorch import _ext
from minitorch.cuda import coverage

PAGE = Path(__file__).parents[2] / "docs" / "cuda.md"
# Of tensors as objects, whatever their device, or of states, which are the CPU's.
NO_OPERATIONS = {"loops", "tensor", "dispatch", "storage"}, {"random.set_rng_state"}
# Primitives of the CPU alone, whose stubs do not say what is a tensor.
UNTYPED = {"ctc", "fourier", "lapack"}


def functions() -> dict[str, Callable]:
    """The engine's functions that take tensors, by their stubs."""
    modules, names = NO_OPERATIONS
    found = {}
    for stub in sorted(path for folder in _ext.__path__ for path in Path(folder).glob("*.pyi")):
        module = importlib.import_module(f"minitorch._ext.{stub.stem}")
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or stub.stem in modules:
                continue
            given = [ast.unparse(a.annotation or ast.Constant("")) for a in (*node.args.args, *node.args.kwonlyargs)]
            tensors = any("Tensor" in annotation for annotation in given) or (stub.stem in UNTYPED and given)
            if tensors and f"{stub.stem}.{node.name}" not in names:
                found[f"{stub.stem}.{node.name}"] = getattr(module, node.name)
    return found


def absent() -> list[str]:
    """Those that do not run on the device."""
    return sorted(name for name, f in functions().items() if not coverage.on_device(f))


def test_every_function_runs_there_or_is_listed() -> None:
    every = functions()
    assert not [name for name in absent() if not coverage.missing(every[name])]


def test_nothing_is_listed_in_vain() -> None:
    assert {name.partition(".")[0] for name in absent()} == set(coverage.MISSING)


def row(module: str) -> str:
    """A line of the page's table."""
    names = ", ".join(f"`{name.partition('.')[2]}`" for name in absent() if name.startswith(module + "."))
    return f"| {names} | {coverage.MISSING[module]} |"


@pytest.mark.skipif(not PAGE.exists(), reason="docs/ is not there: this is not a checkout of the sources")
def test_the_page_counts_them() -> None:
    every, text = len(functions()), PAGE.read_text(encoding="utf-8")
    assert f"Of the engine's {every} functions that take tensors {every - len(absent())} run on the device" in text
    assert [module for module in coverage.MISSING if row(module) not in text] == []
