"""First and second derivatives of everything that is not pointwise: reductions, views, indexing, products, losses."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from helpers import array, assert_near, assert_same, check_gradient, mt, tensor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4))
SQUARE = RNG.standard_normal((3, 3))
POSITIVE = RNG.uniform(0.5, 2, (2, 3, 4))
DISTINCT = RNG.permutation(24).reshape(2, 3, 4) / 4.0
F = mt.nn.functional

REDUCTIONS = {
    "sum": (lambda x: x.sum(), X),
    "sum 0": (lambda x: x.sum(0), X),
    "sum 1": (lambda x: x.sum(1), X),
    "sum -1 keep": (lambda x: x.sum(-1, keepdim=True), X),
    "sum 0 2": (lambda x: x.sum((0, 2)), X),
    "sum 2 0 keep": (lambda x: x.sum((2, 0), keepdim=True), X),
    "sum 0-d": (lambda x: x.sum(), X[0, 0, 0]),
    "sum dtype": (lambda x: x.sum(1, dtype=mt.float64), X),
    "mean": (lambda x: x.mean(), X),
    "mean 1": (lambda x: x.mean(1), X),
    "mean 0 1": (lambda x: x.mean((0, 1), keepdim=True), X),
    "prod": (lambda x: x.prod(), X[0]),
    "prod 1": (lambda x: x.prod(1), X),
    "prod keep": (lambda x: x.prod(-1, keepdim=True), X),
    "amax": (lambda x: x.amax(1), DISTINCT),
    "amin": (lambda x: x.amin((0, 2)), DISTINCT),
    "amax all": (lambda x: x.amax(), DISTINCT),
    "max": (lambda x: x.max(), DISTINCT),
    "min": (lambda x: x.min(), DISTINCT),
    "max 1": (lambda x: x.max(1).values, DISTINCT),
    "min 0": (lambda x: x.min(0, keepdim=True)[0], DISTINCT),
    "var": (lambda x: x.var(), X),
    "var 1": (lambda x: x.var(1), X),
    "var 0 2": (lambda x: x.var((0, 2), correction=0, keepdim=True), X),
    "std": (lambda x: x.std(), X),
    "std 1": (lambda x: x.std(1), X),
    "std biased": (lambda x: x.std(2, unbiased=False), X),
    "norm": (lambda x: x.norm(), X),
    "norm 1": (lambda x: x.norm(1), X),
    "norm 3": (lambda x: x.norm(3, dim=1), X),
    "norm inf": (lambda x: x.norm(math.inf), DISTINCT - 3.1),
    "norm dims": (lambda x: x.norm(dim=(0, 2)), X),
    "logsumexp": (lambda x: x.logsumexp(1), X),
    "logsumexp 0 2": (lambda x: x.logsumexp((0, 2), keepdim=True), X),
    "cumsum": (lambda x: x.cumsum(1), X),
    "cumsum -1": (lambda x: x.cumsum(-1), X),
    "cumprod": (lambda x: x.cumprod(1), POSITIVE),
    "cumprod 0": (lambda x: x.cumprod(0), X),
    "square sum 0": (lambda x: x.sum(0), SQUARE),
    "square sum 1": (lambda x: x.sum(1), SQUARE),
    "square mean 0": (lambda x: x.mean(0), SQUARE),
    "square amax 1": (lambda x: x.amax(1), SQUARE),
    "square softmax 0": (lambda x: mt.softmax(x, 0), SQUARE),
    "square prod 0": (lambda x: x.prod(0), SQUARE),
}

VIEWS = {
    "view": lambda x: x.view(4, 6),
    "reshape": lambda x: x.transpose(0, 2).reshape(6, 4),
    "transpose": lambda x: x.transpose(0, 2),
    "permute": lambda x: x.permute(2, 0, 1),
    "t": lambda x: x[0].t(),
    "mT": lambda x: x.mT,
    "expand": lambda x: x.unsqueeze(1).expand(2, 5, 3, 4),
    "expand new": lambda x: x[:, :1].expand(3, 2, 6, 4),
    "squeeze": lambda x: x[:1].squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "flatten": lambda x: x.flatten(1),
    "narrow": lambda x: x.narrow(2, 1, 2),
    "select": lambda x: x.select(1, -1),
    "[0]": lambda x: x[0],
    "[-1]": lambda x: x[-1],
    "[:, 1:]": lambda x: x[:, 1:],
    "[..., ::2]": lambda x: x[..., ::2],
    "[:, -2:]": lambda x: x[:, -2:],
    "[1, ..., 0]": lambda x: x[1, ..., 0],
    "[None, :, 1]": lambda x: x[None, :, 1],
    "empty": lambda x: x[:, 3:],
    "diagonal": lambda x: x.diagonal(0, 1, 2),
    "diagonal 1": lambda x: x.diagonal(1, 0, 2),
    "unfold": lambda x: x.unfold(2, 3, 1),
    "unfold apart": lambda x: x.unfold(2, 2, 2),
    "as_strided": lambda x: (x * 1).as_strided((3, 2), (1, 5), 2),
    "as_strided overlap": lambda x: (x * 1).as_strided((4, 4), (1, 1)),
    "as_strided beside a slice": lambda x: (x * 1).reshape(-1)[3:].as_strided((2, 4), (2, 1), 4),
    "as_strided of a transposed one": lambda x: (x * 1).mT.as_strided((3, 2), (2, 1), 1),
    "contiguous": lambda x: x.mT.contiguous(),
    "clone": lambda x: x.mT.clone(),
    "movedim": lambda x: x.movedim(0, -1),
    "unbind": lambda x: x.unbind(1)[1],
    "split": lambda x: x.split([1, 2], 1),
    "chunk": lambda x: x.chunk(2, -1),
    "to": lambda x: x.mT.to(mt.float64, copy=True),
    "broadcast_to": lambda x: x.broadcast_to((2, 2, 3, 4)),
}

INDEXING = {
    "repeated": lambda x: x[tensor([0, 1, 1, 0, 1])],
    "repeated column": lambda x: x[:, tensor([2, 0, 2])],
    "pairs": lambda x: x[tensor([0, 1, 0]), tensor([1, 1, 1])],
    "negative": lambda x: x[tensor([-1, 0, -1])],
    "list": lambda x: x[[1, 1, 0]],
    "mask": lambda x: x[tensor(DISTINCT > 2)],
    "mask rows": lambda x: x[tensor([True, False])],
    "broadcast": lambda x: x[tensor([[0], [1]]), tensor([0, 2])],
    "with slice": lambda x: x[1:, tensor([0, 0, 2]), ::2],
    "index_select": lambda x: x.index_select(1, tensor([2, 0, 2])),
    "gather": lambda x: x.gather(1, tensor([[[0, 2, 2, 1]], [[1, 1, 0, 1]]])),
    "masked_select": lambda x: x.masked_select(tensor(DISTINCT > 2)),
    "masked_fill": lambda x: x.masked_fill(tensor(DISTINCT > 2), 0.5),
    "cat": lambda x: mt.cat([x, x * x, x[:, :1]], 1),
    "stack": lambda x: mt.stack([x, x * x], 1),
    "sort": lambda x: x.sort(-1).values,
    "topk": lambda x: x.topk(2, 1).values,
    "flip": lambda x: x.flip(0, 2),
    "tril": lambda x: x.tril(),
    "triu": lambda x: x.triu(1),
    "roll": lambda x: x.roll(1, 1),
    "repeat": lambda x: x.repeat(2, 1, 3),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1),
}
BEYOND_THE_FOUNDATION = {
    "gather",
    "masked_select",
    "sort",
    "topk",
    "flip",
    "tril",
    "triu",
    "roll",
    "repeat",
    "repeat_interleave",
    "index_select",
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    f, x = REDUCTIONS[name]
    check_gradient(f, x)


@pytest.mark.parametrize("name", VIEWS)
def test_views(name: str) -> None:
    check_gradient(VIEWS[name], X)
    check_gradient(lambda x: [y * y for y in r] if isinstance(r := VIEWS[name](x), (tuple, list)) else r * r, X)


@pytest.mark.parametrize("name", INDEXING)
def test_indexing(name: str) -> None:
    if name in BEYOND_THE_FOUNDATION and not hasattr(mt.Tensor, name):
        pytest.skip(f"Tensor.{name} is not there yet")
    check_gradient(INDEXING[name], DISTINCT)
    check_gradient(lambda x: INDEXING[name](x * x), DISTINCT - 2.1)


def test_repeated_indices_accumulate() -> None:
    x = mt.zeros(3, 2).requires_grad_(True)
    x[tensor([1, 1, 1, 0])].sum().backward()
    assert x.grad.tolist() == [[1, 1], [3, 3], [0, 0]]
    x = mt.zeros(3).requires_grad_(True)
    x.expand(4, 3).sum().backward()
    assert x.grad.tolist() == [4, 4, 4]
    x = mt.zeros(5).requires_grad_(True)
    x.unfold(0, 3, 1).sum().backward()
    assert x.grad.tolist() == [1, 2, 3, 2, 1]
    x = mt.zeros(100, 3).requires_grad_(True)
    x[mt.zeros(5000, dtype=mt.int64)].sum().backward()
    assert x.grad[0].tolist() == [5000] * 3 and x.grad[1:].sum() == 0


PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((1, 1), (1, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((3, 3), (3, 3)),
]


@pytest.mark.parametrize("a, b", PRODUCTS, ids=str)
def test_matmul(a, b) -> None:
    x, y = RNG.standard_normal(a), RNG.standard_normal(b)
    check_gradient(lambda x, y: x @ y, x, y)
    if len(a) > 1 and len(b) > 1:
        check_gradient(lambda x, y: x.mT @ y.mT, np.swapaxes(x, -1, -2), np.swapaxes(y, -1, -2))


def test_other_products() -> None:
    a, b, c, v, w = (RNG.standard_normal(s) for s in ((2, 3), (3, 4), (2, 4), (3,), (2,)))
    check_gradient(mt.mm, a, b)
    check_gradient(mt.mv, a, v)
    check_gradient(mt.dot, v, v + 1)
    check_gradient(mt.outer, w, v)
    check_gradient(mt.addmm, c, a, b)
    check_gradient(lambda c, a, b: mt.addmm(c, a, b, beta=0.5, alpha=-2), c[0], a, b)
    d, e, f = (RNG.standard_normal(s) for s in ((5, 2, 3), (5, 3, 4), (5, 2, 4)))
    check_gradient(mt.bmm, d, e)
    check_gradient(mt.baddbmm, f, d, e)
    check_gradient(lambda f, d, e: mt.baddbmm(f, d, e, beta=0.5, alpha=-2), f[:1], d, e)
    check_gradient(lambda a: a @ a.t(), a)  # the same tensor on both sides
    check_gradient(lambda a: mt.mv(a @ a.t(), a[:, 0]), a)


def test_linear() -> None:
    w, b = RNG.standard_normal((5, 4)), RNG.standard_normal(5)
    for x in (X, X[0], X[0, 0]):
        check_gradient(F.linear, x, w, b)
        check_gradient(lambda x, w: F.linear(x, w), x, w)
        check_gradient(lambda x, w, b: F.linear(x, w, b).tanh().sum(), x, w, b)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(dim: int) -> None:
    for x in (X, SQUARE):
        check_gradient(lambda x: mt.softmax(x, dim), x)
        check_gradient(lambda x: mt.log_softmax(x, dim), x)
        check_gradient(lambda x: F.softmin(x, dim) if hasattr(F, "softmin") else F.softmax(-x, dim), x)
    x = mt.tensor([[1000.0, 0.0], [-1000.0, 1000.0]]).requires_grad_(True)
    mt.log_softmax(x, 1)[:, 0].sum().backward()
    assert x.grad.tolist() == [[0, 0], [1, -1]]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy(reduction: str) -> None:
    x = RNG.standard_normal((5, 4))
    target = tensor([0, 3, 1, 1, 2])
    weight = tensor([0.5, 1.0, 2.0, 0.7])
    for options in (
        {},
        {"weight": weight},
        {"ignore_index": 1},
        {"weight": weight, "ignore_index": 1},
        {"label_smoothing": 0.2},
    ):
        check_gradient(partial(F.cross_entropy, target=target, reduction=reduction, **options), x)
        if "label_smoothing" not in options:
            loss = partial(F.nll_loss, target=target, reduction=reduction, **options)
            check_gradient(lambda x, loss=loss: loss(mt.log_softmax(x, 1)), x)
    probabilities = mt.softmax(tensor(RNG.standard_normal((5, 4))), 1)
    check_gradient(lambda x: F.cross_entropy(x, probabilities, reduction=reduction), x)
    check_gradient(
        lambda x: F.cross_entropy(x, tensor(RNG.integers(0, 4, (5, 3))) * 0 + 1, reduction=reduction),
        RNG.standard_normal((5, 4, 3)),
    )
    check_gradient(lambda x: F.cross_entropy(x, tensor(2), reduction=reduction), x[0])


def test_mse() -> None:
    for reduction in ("mean", "sum", "none"):
        check_gradient(partial(F.mse_loss, reduction=reduction), X, X * 0.5 + 1)


def test_ties_in_extremes() -> None:
    """amax shares among equals, max over a dimension gives the one it names."""
    x = mt.tensor([[1.0, 3.0, 3.0]]).requires_grad_(True)
    x.amax(1).sum().backward()
    assert x.grad.tolist() == [[0, 0.5, 0.5]]
    x.grad = None
    values, index = x.max(1)
    values.sum().backward()
    want = [0.0] * 3
    want[int(index)] = 1.0
    assert x.grad.tolist() == [want]
    x.grad = None
    x.max().backward()
    assert x.grad.tolist() == [[0, 0.5, 0.5]]


def test_products_with_zeros() -> None:
    """The gradient of a product in which factors vanish."""
    for values, want in (([2.0, 0.0, 3.0], [0, 6, 0]), ([0.0, 0.0, 3.0], [0, 0, 0]), ([2.0, 4.0, 3.0], [12, 6, 8])):
        for f in (lambda x: x.prod(), lambda x: x.prod(0)):
            x = mt.tensor(values).requires_grad_(True)
            f(x).backward()
            assert x.grad.tolist() == want
    x = mt.tensor([[2.0, 0.0], [0.0, 0.0]]).requires_grad_(True)
    x.prod(1).sum().backward()
    assert x.grad.tolist() == [[0, 2], [0, 0]]
    x = mt.tensor([2.0, 0.0, 3.0]).requires_grad_(True)
    x.cumprod(0).sum().backward()
    assert x.grad.tolist() == [1, 8, 0]


def test_norm_at_zero() -> None:
    x = mt.zeros(3).requires_grad_(True)
    x.norm().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_large_reductions() -> None:
    """Shapes that take the split and blocked paths."""
    for shape in ((1000, 300), (300_000, 2), (2, 300_000), (64, 64, 64)):
        x = tensor(RNG.standard_normal(shape).astype("f4")).requires_grad_(True)
        for dim in range(x.dim()):
            x.grad = None
            weights = tensor(RNG.standard_normal(array(x.sum(dim)).shape).astype("f4"))
            (x.sum(dim) * weights).sum().backward()
            assert_same(x.grad, np.array(np.broadcast_to(np.expand_dims(array(weights), dim), shape)))
    bias = mt.zeros(300).requires_grad_(True)
    g = RNG.standard_normal((4000, 300)).astype("f4")
    (tensor(g) * (mt.zeros(4000, 300) + bias)).sum().backward()
    assert_near(bias.grad, g.sum(0, dtype="f8"), 1e-5)


def test_composition() -> None:
    """Two layers, softmax and a loss, to the second order over all their parameters at once."""
    x, w1, b1, w2, b2 = (RNG.standard_normal(s) * 0.5 for s in ((6, 3), (5, 3), (5,), (4, 5), (4,)))
    target = tensor([0, 1, 2, 3, 0, 1])
    check_gradient(
        lambda x, w1, b1, w2, b2: F.cross_entropy(F.linear(mt.tanh(F.linear(x, w1, b1)), w2, b2), target),
        x,
        w1,
        b1,
        w2,
        b2,
    )

    def layer_norm(x):
        centred = x - x.mean(-1, keepdim=True)
        return centred / (x.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()

    check_gradient(layer_norm, X)
    check_gradient(lambda q, k, v: mt.softmax(q @ k.mT / 2.0, -1) @ v, X, X * 0.7 + 0.2, X - 0.3)
