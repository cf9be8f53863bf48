"""Write docs/mistakes.md: the commonest mistakes, what minitorch says to each, and what PyTorch says.

    python -m tools.mistakes            # write the page
    python -m tools.mistakes --pytorch  # find out anew what PyTorch says: needs PyTorch

What minitorch says is found out by making the mistake; what PyTorch says is kept in ``mistakes_pytorch.tsv``.
"""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, PYTORCH = ROOT / "docs" / "mistakes.md", ROOT / "tools" / "mistakes_pytorch.tsv"
SHOWN = 100  # characters of PyTorch's message

INTRODUCTION = """# The commonest mistakes

What minitorch answers to {count} mistakes that everybody makes, beside PyTorch's answer to the same lines. The
classes of the exceptions are PyTorch's, so that programs which catch them work; the messages name the operation, the
shapes and types, what was expected and, where it helps, what to do. The page is written by `python -m tools.mistakes`,
which makes every mistake, and a test holds it to be true.
"""

# By subject: what went wrong, and lines that do it.
MISTAKES = [
    (
        "Shapes",
        [
            ("A wrong inner dimension", "x, w = torch.randn(32, 10), torch.randn(20, 5)\nx @ w"),
            ("A layer of another size than its input", "nn.Linear(20, 5)(torch.randn(32, 10))"),
            (
                "Flattened too little before a linear layer",
                "x = torch.randn(8, 16, 4, 4)\nnn.Linear(16 * 4 * 4, 10)(x)",
            ),
            ("A forgotten batch dimension", "nn.BatchNorm2d(3)(torch.randn(3, 32, 32))"),
            ("Images with the channels last", "nn.Conv2d(3, 8, 3)(torch.randn(4, 32, 32, 3))"),
            ("Shapes that do not broadcast", "torch.ones(3, 4) + torch.ones(3)"),
            ("A loss of unlike shapes", "nn.MSELoss()(torch.randn(8, 3), torch.randn(8, 2))"),
            ("A view of a transposed tensor", "torch.arange(6).view(2, 3).t().view(6)"),
            ("A reshape that loses elements", "torch.arange(10).reshape(3, 4)"),
            ("Joining what differs elsewhere", "torch.cat([torch.ones(2, 3), torch.ones(2, 4)], 0)"),
            ("Stacking what is not of one shape", "torch.stack([torch.ones(2), torch.ones(3)])"),
            ("A batched product of two matrices", "torch.bmm(torch.ones(2, 3), torch.ones(3, 4))"),
            ("A dimension that is not there", "torch.ones(2, 3).sum(2)"),
            ("A kernel larger than the image", "nn.MaxPool2d(5)(torch.randn(1, 1, 3, 3))"),
            ("An embedding size that the heads do not divide", "nn.MultiheadAttention(10, 3)"),
            ("An expansion of more than ones", "torch.ones(2, 3).expand(4, 3)"),
        ],
    ),
    (
        "Types",
        [
            ("Float labels", "nn.CrossEntropyLoss()(torch.randn(4, 3), torch.tensor([0., 1., 2., 0.]))"),
            ("Integer labels for a binary loss", "nn.BCEWithLogitsLoss()(torch.randn(4), torch.tensor([0, 1, 1, 0]))"),
            ("float64 data from NumPy", "import numpy as np\nnn.Linear(3, 2)(torch.from_numpy(np.ones((4, 3))))"),
            ("Integers into a layer", "nn.Linear(3, 2)(torch.tensor([[1, 2, 3]]))"),
            ("Floats as indices of an embedding", "nn.Embedding(10, 4)(torch.tensor([1., 2.]))"),
            ("The mean of integers", "torch.tensor([1, 2, 4]).mean()"),
            ("Floats as an index", "torch.arange(5)[torch.tensor([1., 2.])]"),
            ("Gradients of integers", "torch.tensor([1, 2], requires_grad=True)"),
            ("A float result into integers, in place", "x = torch.tensor([1, 2])\nx += 0.5"),
            ("A condition that is no bool", "torch.ones(3).masked_fill(torch.tensor([1, 0, 1]), 0.)"),
            ("-1e9 in a mask of float16", "torch.ones(3).half().masked_fill(torch.tensor([True, False, True]), -1e9)"),
            ("A list where a tensor is wanted", "torch.relu([1., -1.])"),
        ],
    ),
    (
        "Values",
        [
            ("A class that the scores do not have", "nn.CrossEntropyLoss()(torch.randn(2, 3), torch.tensor([0, 3]))"),
            ("A token beyond the vocabulary", "nn.Embedding(10, 4)(torch.tensor([3, 10]))"),
            ("An index out of range", "torch.arange(5)[7]"),
            ("Probabilities outside of [0, 1]", "nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.]))"),
            ("A gather beyond the end", "torch.zeros(2, 3).gather(1, torch.tensor([[5], [0]]))"),
            ("A ragged list", "torch.tensor([[1, 2], [3]])"),
            ("The truth of many values", "if torch.tensor([1, 2]) > 1: pass"),
            ("item() of several", "torch.ones(3).item()"),
            ("The inverse of a singular matrix", "torch.linalg.inv(torch.zeros(2, 2))"),
            ("Batch norm with one value a channel", "nn.BatchNorm1d(3)(torch.randn(1, 3))"),
        ],
    ),
    (
        "Gradients",
        [
            ("backward() of several values", "x = torch.ones(3, requires_grad=True)\n(x * 2).backward()"),
            ("backward() of what needs no gradient", "torch.ones(3).sum().backward()"),
            (
                "backward() twice",
                "x = torch.ones(3, requires_grad=True)\nloss = (x * x).sum()\nloss.backward()\nloss.backward()",
            ),
            ("In place on a leaf", "w = torch.ones(3, requires_grad=True)\nw += 1"),
            (
                "A value overwritten before backward",
                "x = torch.ones(3, requires_grad=True)\ny = x.exp()\ny += 1\ny.sum().backward()",
            ),
            ("numpy() of what requires a gradient", "torch.ones(3, requires_grad=True).numpy()"),
            ("A copy of what is no leaf", "import copy\nx = torch.ones(3, requires_grad=True)\ncopy.deepcopy(x * 2)"),
            ("requires_grad of a result", "x = torch.ones(3, requires_grad=True)\ny = x * 2\ny.requires_grad = False"),
            (
                "A tensor that the loss does not use",
                "x, y = (torch.ones(1, requires_grad=True) for _ in range(2))\ntorch.autograd.grad(x.sum(), y)",
            ),
            ("out= of what is recorded", "x = torch.ones(3, requires_grad=True)\ntorch.exp(x, out=torch.empty(3))"),
        ],
    ),
    (
        "Modules, optimizers, devices",
        [
            ("An optimizer without parameters", "torch.optim.SGD([], lr=0.1)"),
            ("A result for an optimizer", "w = torch.ones(2, requires_grad=True) * 2\ntorch.optim.Adam([w])"),
            (
                "super().__init__() forgotten",
                "class Net(nn.Module):\n    def __init__(self):\n        self.layer = nn.Linear(2, 2)\nNet()",
            ),
            ("forward not defined", "class Net(nn.Module):\n    pass\nNet()(torch.ones(1))"),
            ("Weights of another model", "nn.Linear(2, 3).load_state_dict(nn.Linear(2, 4).state_dict())"),
            ("Weights under other names", "nn.Linear(2, 3).load_state_dict({'w': torch.zeros(3, 2)})"),
            ("A tensor as a parameter", "layer = nn.Linear(2, 2)\nlayer.weight = torch.zeros(2, 2)"),
            (
                "Labels of another number than scores",
                "nn.CrossEntropyLoss()(torch.randn(4, 3), torch.zeros(5, dtype=torch.long))",
            ),
        ],
    ),
]


def answer(library: str, code: str) -> str:
    """The class and the message of the exception that the code raises."""
    names = {"torch": importlib.import_module(library), "nn": importlib.import_module(f"{library}.nn")}
    try:
        exec(code, names)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"{library} sees no mistake in {code!r}")


def codes() -> dict[str, str]:
    """The code of each mistake by its title."""
    return {title: code for _, mistakes in MISTAKES for title, code in mistakes}


def pytorch() -> dict[str, str]:
    """What PyTorch answers, by title."""
    with PYTORCH.open(newline="", encoding="utf-8") as file:
        return dict(csv.reader(file, delimiter="\t"))


def shortened(text: str) -> str:
    """The beginning of an answer, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3].rstrip() + "..."


def page() -> str:
    """The text of docs/mistakes.md."""
    theirs = pytorch()
    parts = [INTRODUCTION.format(count=len(codes()))]
    for subject, mistakes in MISTAKES:
        parts.append(f"## {subject}\n")
        for title, code in mistakes:
            ours = answer("minitorch", code)
            parts.append(
                f"**{title}**\n\n```python\n{code}\n```\n\n> minitorch: {' '.join(ours.split())}\n>\n"
                f"> PyTorch: {theirs[title]}\n"
            )
    return "\n".join(parts)


def main() -> None:
    if "--pytorch" in sys.argv:
        with PYTORCH.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, delimiter="\t", lineterminator="\n")
            rows.writerows((title, shortened(answer("torch", code))) for title, code in codes().items())
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
