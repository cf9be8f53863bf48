"""Write docs/supported.md: for each name of PyTorch's interface that programs use, whether minitorch has it.

    python -m tools.supported                 # write the page
    python -m tools.supported --check         # exit 1 if the page is not what would be written
    python -m tools.supported --derive LIST   # make tools/api_names.tsv anew: needs PyTorch

``api_names.tsv`` has PyTorch's names in the order of their use in public programs, each with its arguments' names.
What the page says of a name is found out from minitorch itself: that the name is there, that it is no stub, and that it
takes the arguments.  LIST is a table whose first column are such names, the most used first.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES, PAGE = ROOT / "tools" / "api_names.tsv", ROOT / "docs" / "supported.md"
ROWS = 1200

# Subjects that minitorch leaves out, by what their names contain.
OUTSIDE = {
    "training on several machines": ("distributed", "DataParallel", "SyncBatchNorm", "nn.parallel", "torch.futures"),
    "compilation, tracing and export": (
        "torch.jit", "torch.fx", "torch.compile", "_dynamo", "_inductor", "torch.onnx", "torch.export", "torch.library",
        "torch.ops", "torch._subclasses", "torch._logging", "_functorch", "torch.classes", "torch._prims", "torch.cond",
    ),
    "GPUs": ("torch.cuda", "torch.accelerator", "torch.mps", "torch.xpu", "torch.hpu", "torch.npu", "sdp_kernel"),
    "sparse and nested tensors": (
        "sparse", "nested", "coalesce", "jagged", "torch.spmm", "masked_tensor", "Tensor.indices", "Tensor.values"),
    "quantisation and float8": ("quant", "float8", "int_repr", "torch.ao", "torch.uint16"),
    "model hubs": ("torch.hub",),
    "PyTorch's own machinery": ("torch._", "torch.testing._internal", "_DatasetKind", "DataLoaderIter", "._utils"),
}
# What is there but differs in a way that arguments do not show.
NOTES = {
    "torch.autograd.grad": "its gradients are always of the inputs only",
    "torch.load": "files of PyTorch 1.6 and later",
    "torch.nn.LinearCrossEntropyLoss": "without `options`, which cut the batch into pieces",
    "torch.nn.functional.linear_cross_entropy": "without `options`",
    "torch.as_strided_scatter": "the gradient of what is overwritten is 0, as the derivative is; PyTorch's is not",
    "torch.special.bessel_j0": "and the other Bessel functions: their derivatives are there, PyTorch has none",
    "torch.linalg.eigvals": "of NaN and inf: an error; PyTorch's ends the interpreter with some libraries",
    "torch.compile": "compiles nothing: returns the function as it is, with a warning",
    "torch.nn.DataParallel": "of one device",
    "torch.nn.SyncBatchNorm": "of one process",
    "Tensor.chalf": "says what to use instead: there is no complex32",
}
# What only refuses in PyTorch, too: programs define it.
ABSTRACT = {"Optimizer.step", "nn.Module.forward"}
# Arguments that say nothing about what a function does.
INCIDENTAL = set("self input args kwargs device layout pin_memory cls names from orig_func split_size".split())


# --- what there is ----------------------------------------------------------------------------------------------------


def find(root: object, name: str) -> object:
    """The object of a dotted name such as ``torch.nn.Linear``, ``Tensor.view`` or ``nn.Module.to``; AttributeError."""
    parts = name.split(".")
    parts = parts[1:] if parts[0] == "torch" else ["optim", *parts] if parts[0] == "Optimizer" else parts
    for k, part in enumerate(parts):
        try:
            root = getattr(root, part)
        except AttributeError:
            if not inspect.ismodule(root):
                raise
            try:
                root = importlib.import_module(f"{root.__name__}.{part}")
            except ImportError:
                raise AttributeError(".".join(parts[: k + 1])) from None
    return root


def owners(name: str) -> list[str]:
    """The names that an entry stands for: ``Tensor/nn.Module.to`` is two."""
    if "/" not in name:
        return [name]
    head, _, method = name.rpartition(".")
    return [f"{owner}.{method}" for owner in head.split("/")]


def is_stub(found: object) -> bool:
    """Whether a function, or all that a class is made by, only says that it is not there."""
    function = found.__init__ if inspect.isclass(found) else found
    if not inspect.isfunction(function):
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return False
    body = getattr(tree.body[0], "body", [])
    body = body[1:] if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body
    return bool(body) and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.dump(body[0])


def arguments(found: object) -> list[str] | None:
    """The names of the arguments; None if anything is taken, or nothing is known."""
    try:
        parameters = [*inspect.signature(found).parameters.values()]
        if hasattr(found, "__wrapped__"):  # and what a decorator adds
            outer = inspect.signature(found, follow_wrapped=False).parameters.values()
            parameters += [p for p in outer if p.kind is p.KEYWORD_ONLY]
    except (TypeError, ValueError):
        return None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    return [p.name for p in parameters]


def lacking(found: object, wanted: list[str]) -> list[str]:
    """The arguments wanted that are not taken."""
    taken = arguments(found)
    if taken is None or not callable(found):
        return []
    return [argument for argument in wanted if argument not in taken and argument not in INCIDENTAL]


def entry(name: str, wanted: list[str]) -> tuple[bool, str]:
    """Whether a name is supported, and with what difference, or why it is not."""
    import minitorch

    outside = next((why for why, marks in OUTSIDE.items() if any(mark in name for mark in marks)), "")
    try:
        found = [find(minitorch, each) for each in owners(name)]
    except AttributeError:
        return False, outside
    if name not in ABSTRACT and any(map(is_stub, found)):
        return False, outside or "says what to use instead"
    notes = [NOTES[name]] if name in NOTES else []
    missing = lacking(found[0], wanted) if len(found) == 1 else []
    if missing:
        notes.append("without " + ", ".join(f"`{argument}`" for argument in missing))
    return True, "; ".join(notes)


def names() -> list[tuple[str, list[str]]]:
    """PyTorch's names in the order of use, with their arguments."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    return [(name, list(filter(None, wanted.split(",")))) for name, _, wanted in (x.partition("\t") for x in lines)]


# --- the page ---------------------------------------------------------------------------------------------------------

HEAD = """# What is supported

<!-- Written by python -m tools.supported; do not edit. -->

The names of PyTorch 2.13 that public programs use, the most used first, and whether minitorch has them. The page is
made from minitorch itself: a name is there if it can be found, does more than refuse, and takes PyTorch's arguments but
those that the last column names. Whether results are PyTorch's is what the tests are for.

"""


def page() -> str:
    """The text of the page."""
    rows, why = [], Counter()
    for name, wanted in names():
        there, note = entry(name, wanted)
        rows.append(f"| `{name}` | {'yes' if there else 'no'} | {note} |")
        why[note if not there else True] += 1
    total, there = len(rows), why.pop(True)
    reasons = "\n".join(f"| {reason or 'not there so far'} | {count} |" for reason, count in why.most_common())
    summary = (f"Of these {total} names {there} are there, and {total - there} are not:\n\n"
               f"| why not | names |\n|---|---|\n{reasons}\n\n")
    listed = {name for name, _ in names()}
    further = [f"- `{name}`: {note}" for name, note in NOTES.items() if name not in listed]
    return (HEAD + summary + "| name | there | differences |\n|---|---|---|\n" + "\n".join(rows)
            + "\n\nOf names that are used less:\n\n" + "\n".join(further) + "\n")


def torch_arguments(name: str, found: object) -> list[str]:
    """The arguments that PyTorch says a name takes: by its signature, or those that all its schemas have in common."""
    import torch

    if inspect.isclass(found) or inspect.isfunction(found):
        return [argument for argument in arguments(found) or [] if not argument.startswith("_")]
    last = name.rpartition(".")[2]
    prefixes = "", *(f"{package}_" for package in ("linalg", "fft", "special") if f"{package}." in name)
    schemas = [schema for schema in torch._C._jit_get_all_schemas()
               if schema.name in [f"aten::{prefix}{last}" for prefix in prefixes] and "out" not in schema.overload_name
               and "Dimname" not in str(schema)]  # fmt: skip
    if not schemas or not callable(found):
        return []
    common = [argument.name for argument in schemas[0].arguments]
    for schema in schemas[1:]:
        common = [each for each in common if each in [argument.name for argument in schema.arguments]]
    head = (getattr(found, "__doc__", None) or "").strip().split("->")[0]
    # what makes tensors by a pattern says that it takes out=, and refuses it
    takes_out = "out=" in head and not last.endswith(("_like", "_mean", "_indices")) and not last.startswith("new_")
    return common + (["out"] if takes_out and "out" not in common else [])


def derive(ranked: Path) -> str:
    """The names of a ranked list that PyTorch has, with the arguments that it says it takes."""
    import torch

    lines = []
    for row in ranked.read_text(encoding="utf-8").splitlines()[1 : ROWS + 1]:
        name = row.split("\t")[0]
        try:
            found = [find(torch, each) for each in owners(name)]
        except (AttributeError, RuntimeError):
            continue
        if not inspect.ismodule(found[0]) or name.count(".") < 3:
            wanted = torch_arguments(name, found[0])
            lines.append(f"{name}\t{','.join(wanted)}".rstrip("\t"))
    return "\n".join(lines) + "\n"


def main(options: list[str]) -> int:
    """Do as the options say."""
    if options[:1] == ["--derive"]:
        NAMES.write_text(derive(Path(options[1])), encoding="utf-8")
        return 0
    text = page()
    if options[:1] == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
