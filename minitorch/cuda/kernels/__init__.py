"""The sources of the kernels: a ``.cu`` file a family, put behind ``common.cuh``; and `pointwise`, which is printed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
INCLUDE = HERE.parents[1] / "_ext" / "include"
OPTIONS = (f"-I{INCLUDE}",)  # where the functions of numbers are


def _text(name: str) -> str:
    return f'#line 1 "{name}"\n{(HERE / name).read_text(encoding="utf-8")}'


def _formulas(text: str) -> str:
    """A text in which the CPU's formulas of optimizers are in place of their inclusion."""
    shared, line = (INCLUDE / "optim_kernels.h").read_text(encoding="utf-8"), '#include "optim_kernels.h"\n'
    before, _, after = text.partition(line)
    return f'{before}#line 1 "optim_kernels.h"\n{shared}#line {before.count(line[-1]) + 1} "optim.cu"\n{after}'


@functools.cache
def source(family: str) -> str:
    """The text of a family's module, for example of ``copy``."""
    text = _text(f"{family}.cu")
    return _text("common.cuh") + (_formulas(text) if family == "optim" else text)


@functools.cache
def pointwise_source(name: str, dtype: str) -> str:
    """The text of the module of a pointwise operation on a dtype."""
    from . import pointwise

    printed = pointwise.source(name, pointwise.COMPUTED_IN[dtype])
    return _text("common.cuh") + _text("mathfun.cuh") + _text("farturn.cuh") + f'#line 1 "{name}.cu"\n{printed}'


def instances() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every module of the library: its name, its text, and the instances of its templates that are launched."""
    from ...ops import generate
    from ..backend import conv, index, norm, optim, pooling, sort
    from ..backend.attention import INSTANCES as ATTENTION
    from ..backend.matmul import NAMES
    from ..backend.memory import CONVERTED, FILLS, SAME
    from ..backend.random import INTEGERS, NUMBERS
    from ..backend.reduce import SCANS, STATES, TRUTHS
    from . import pointwise

    types = dict.fromkeys(pointwise.IN_MEMORY.values())
    states = [state for state, _ in (*STATES, *TRUTHS.values())]
    yield "copy", source("copy"), (*SAME, *CONVERTED, *FILLS)
    yield "matmul", source("matmul"), tuple(NAMES.values())
    yield "random", source("random"), (*NUMBERS, *INTEGERS)
    for number in ("double", "int64_t"):
        for part in ("rows", "segments", "columns"):
            names = tuple(f"reduce_{part}<{state}<{number}>, {number}>" for state in states)
            yield f"reduce {part} {number}", source("reduce"), names
    for name in ("scan", "scan_columns"):
        names = tuple(f"{name}<{state}<{kind}>, {kind}>" for state, kinds in SCANS.items() for kind in kinds or types)
        yield name.replace("_", " "), source("scan"), names
    yield "norm", source("norm"), norm.instances()
    yield "attention", source("attention"), ATTENTION
    yield "conv", source("conv"), conv.NAMES
    yield "pooling", source("pooling"), pooling.NAMES
    yield "index", source("index"), (*index.PLAIN, *index.MOVED, *index.ADDED, *index.COMBINES)
    yield "sort", source("sort"), sort.SORTS
    yield "along", source("along"), tuple(f"{what}_along<{kind}>" for what in ("take", "put") for kind in types)
    for name, names in optim.instances():
        yield f"optim {name}", source("optim"), names
    rows = ("softmax", "softmax_gradient", "class_losses", "class_gradient")
    yield "softmax", source("softmax"), tuple(f"{name}<{kind}>" for name in rows for kind in ("float", "double"))
    dtypes = {ctype: dtype for dtype, ctype in pointwise.COMPUTED_IN.items()}
    for name, op in pointwise.TABLE.items():
        for ctype in generate.types_of(op):
            if ctype in dtypes:
                yield f"pointwise {name} {ctype.name}", pointwise_source(name, dtypes[ctype]), ()
