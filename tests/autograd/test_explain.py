"""`explain` and the drawings, against a backward pass done by hand."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from helpers import array, assert_near, mt, only_here, refuses

pytestmark = only_here


def network():
    mt.manual_seed(0)
    model = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.ReLU(), mt.nn.Linear(4, 1))
    return model, mt.ones(2, 3)


def test_the_counter_example() -> None:
    a = mt.tensor(3.0, requires_grad=True)
    b = a + a
    c = b + b
    text = str(mt.explain(c))
    assert text.index("1. AddBackward0") < text.index("2. AddBackward0")
    assert "gradients met here and were added" in text
    assert "a: 4, the sum of 2" in text
    assert a.grad is None
    c.backward()
    assert a.grad.item() == 4


def test_a_network() -> None:
    model, x = network()
    loss = (model(x) ** 2).mean()
    found = mt.explain(loss, model)
    text = str(found)
    for words in ("MeanBackward0", "y = x * x", "0.weight", "2.bias", "saved", "sent to"):
        assert words in text, words
    assert all(p.grad is None for p in model.parameters())
    arrived = {found.graph.label(leaf): sum(parts[1:], parts[0]) for leaf, parts in found.observation.arrivals()}
    loss.backward()  # the graph is still there
    for name, p in model.named_parameters():
        assert_near(arrived[name], array(p.grad), 1e-6)


def test_functions_and_vectors() -> None:
    class Double(mt.autograd.Function):
        """Twice the input."""

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = mt.ones(30, requires_grad=True)
    y = Double.apply(x)
    with pytest.raises(RuntimeError):
        mt.explain(y)
    text = str(mt.explain(y, gradient=mt.ones(30)))
    assert "Twice the input" in text and "30, from 1 to 1" in text
    with refuses(RuntimeError, "no graph"):
        mt.explain(mt.ones(1))


def test_drawings() -> None:
    drawing = mt.autograd.drawing
    model, x = network()
    with drawing.by_module(model):
        loss = model(x).sum()
    text = drawing.draw(loss, "text", model)
    assert text.splitlines()[0].startswith("SumBackward0") and "0.weight 4×3" in text and "[0: Linear]" in text
    mermaid = drawing.draw(loss, "mermaid", model)
    assert mermaid.startswith("flowchart TD") and 'subgraph g0["2: Linear"]' in mermaid and "-->|2×1|" in mermaid
    dot = drawing.draw(loss, "dot", model)
    assert dot.count("{") == dot.count("}") and 'label="1: ReLU"' in dot
    picture = ElementTree.fromstring(drawing.draw(loss, "svg", model))
    words = [t.text for t in picture.iter() if t.tag.endswith("text")]
    assert "ReluBackward0" in words and "0.bias" in words
    boxes = [r.attrib for r in picture.iter() if r.tag.endswith("rect")][1:]
    assert all(
        float(b["x"]) >= 0 and float(b["x"]) + float(b["width"]) <= float(picture.attrib["width"]) for b in boxes
    )
    for i, b in enumerate(boxes):
        for c in boxes[:i]:
            same_row = b["y"] == c["y"]
            apart = float(b["x"]) >= float(c["x"]) + float(c["width"]) or float(c["x"]) >= float(b["x"]) + float(
                b["width"]
            )
            assert not same_row or apart
    assert not re.search(r"http(?!://www.w3.org/2000/svg)", ElementTree.tostring(picture).decode())
    with refuses(ValueError, "svg"):
        drawing.draw(loss, "png")
