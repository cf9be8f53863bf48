"""`vmap`: every rule against the loop that it stands for, nesting, randomness, and what must be refused."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, assert_near, mt, only_here, refuses, run_python

F = mt.nn.functional
RNG = np.random.default_rng(0)
A = mt.tensor(RNG.standard_normal((4, 3, 5)))
B = mt.tensor(RNG.standard_normal((4, 3, 5)))
M = mt.tensor(RNG.standard_normal((4, 5, 2)))
V = mt.tensor(RNG.standard_normal((4, 5)))
S = mt.tensor(RNG.standard_normal(4))
W = mt.tensor(RNG.standard_normal((3, 5)))
SQUARE = mt.tensor(RNG.standard_normal((4, 3, 3)))
PLACES = mt.tensor(RNG.integers(0, 5, (4, 3, 2)))
LABELS = mt.tensor(RNG.integers(0, 5, (4, 3)))
IDS = mt.tensor([2, 0])


def looped(f, args, in_dims):
    """What vmap must give."""
    size = next(x.shape[d] for x, d in zip(args, in_dims) if d is not None)
    each = [f(*(x if d is None else x.select(d, i) for x, d in zip(args, in_dims))) for i in range(size)]
    if isinstance(each[0], tuple):
        return tuple(mt.stack(column) for column in zip(*each))
    return mt.stack(each)


CASES = {
    "add": (lambda x, y: x + y, (A, B)),
    "add one": (lambda x, y: x + y, (A, W), (0, None)),
    "add other": (lambda x, y: y - x, (A, W), (0, None)),
    "add narrower": (lambda x, y: x * y, (A, V)),
    "add 0-d": (lambda x, s: x * s + 1, (A, S)),
    "reflected": (lambda x: 1 - 2 / x, (A,)),
    "power": (lambda x: x**2 + 2**x, (A,)),
    "compare": (lambda x, y: (x > y) & ~(x == 0), (A, B)),
    "functions": (lambda x: mt.exp(x).tanh().clamp(-0.5, 0.5), (A,)),
    "where": (lambda x, y: mt.where(x > 0, x, y), (A, V)),
    "masked_fill": (lambda x: x.masked_fill(x > 0, 7.0), (A,)),
    "promotion": (lambda x, s: x.float() * s, (A, S)),
    "gelu": (F.gelu, (A,)),
    "in_dims 1": (lambda x: x.sum(), (A,), (1,)),
    "in_dims -1": (lambda x: x.cumsum(0), (A,), (-1,)),
    "two in_dims": (lambda x, y: x @ y, (A, A), (1, 1), lambda x, y: x @ y.t()),
    "sum": (lambda x: x.sum(), (A,)),
    "sum 0": (lambda x: x.sum(0), (A,)),
    "sum -1 keep": (lambda x: x.sum(-1, keepdim=True), (A,)),
    "sum dims": (lambda x: x.sum((0, 1)), (A,)),
    "sum 0-d": (lambda x: x.sum(), (S,)),
    "mean": (lambda x: x.mean(), (A,)),
    "mean 1": (lambda x: x.mean(dim=1), (A,)),
    "var": (lambda x: x.var(0), (A,)),
    "std": (lambda x: x.std(), (A,)),
    "max": (lambda x: x.max(), (A,)),
    "max 0": (lambda x: tuple(x.max(0)), (A,)),
    "max other": (lambda x, y: mt.max(x, y), (A, B)),
    "argmax": (lambda x: x.argmax(), (A,)),
    "argmax 1": (lambda x: x.argmax(1), (A,)),
    "amin": (lambda x: x.amin((0, 1)), (A,)),
    "prod": (lambda x: x.prod(), (A,)),
    "norm": (lambda x: x.norm(), (A,)),
    "any": (lambda x: (x > 1).any(), (A,)),
    "logsumexp": (lambda x: x.logsumexp(1), (A,)),
    "softmax": (lambda x: F.softmax(x, -1), (A,)),
    "log_softmax": (lambda x: x.log_softmax(0), (A,)),
    "cumsum": (lambda x: x.cumsum(1), (A,)),
    "view": (lambda x: x.view(5, 3), (A,)),
    "view -1": (lambda x: x.reshape(-1), (A,)),
    "view tuple": (lambda x: x.view((1, 15)), (A,)),
    "transpose": (lambda x: x.transpose(0, 1), (A,)),
    "t": (lambda x: x.t(), (A,)),
    "T": (lambda x: x.T, (A,)),
    "mT": (lambda x: x.mT, (A,)),
    "permute": (lambda x: x.permute(1, 0), (A,)),
    "movedim": (lambda x: x.movedim(0, -1), (A,)),
    "unsqueeze": (lambda x: x.unsqueeze(-1).unsqueeze(0), (A,)),
    "squeeze": (lambda x: x.unsqueeze(0).squeeze(), (A,)),
    "squeeze 0": (lambda x: x.unsqueeze(0).squeeze(0), (A,)),
    "flatten": (lambda x: x.flatten(), (A,)),
    "unflatten": (lambda x: x.flatten().unflatten(0, (5, 3)), (A,)),
    "expand": (lambda x: x.expand(2, -1, -1), (A,)),
    "diagonal": (lambda x: x.diagonal(), (SQUARE,)),
    "split": (lambda x: next(iter(x.split(2, 1)[:2])), (A,)),
    "unbind": (lambda x: x.unbind(0), (A,)),
    "iterate": (lambda x: sum(row * k for k, row in enumerate(x)), (A,)),
    "narrow": (lambda x: x.narrow(1, 1, 3), (A,)),
    "cat": (lambda x, y: mt.cat([x, y, x], 1), (A, W), (0, None)),
    "stack": (lambda x, y: mt.stack([x, y], -1), (A, W), (0, None)),
    "matmul": (lambda x, y: x @ y, (A, M)),
    "matmul shared": (lambda x, y: x @ y, (A, M[0]), (0, None)),
    "matmul shared left": (lambda x, y: y @ x, (M, W), (0, None)),
    "matmul vector": (lambda x, y: x @ y, (A, V)),
    "vector matmul": (lambda x, y: x @ y, (V, M)),
    "dot": (mt.dot, (V, V)),
    "mv": (mt.mv, (A, V)),
    "mm": (mt.mm, (A, M)),
    "batch matmul": (lambda x, y: x @ y, (mt.stack([A, B], 1), M)),
    "outer": (mt.outer, (V, V)),
    "linear": (F.linear, (A, W, W[:, 0]), (0, None, None)),
    "linear each": (lambda x, w: F.linear(x, w), (A, B)),
    "index": (lambda x: x[1], (A,)),
    "slice": (lambda x: x[1:, ::2], (A,)),
    "index ellipsis": (lambda x: x[..., 0], (A,)),
    "index none": (lambda x: x[None, :, 1], (A,)),
    "index tensor": (lambda x: x[IDS], (A,)),
    "index tensor 1": (lambda x: x[:, IDS], (A,)),
    "index two": (lambda x: x[IDS, IDS], (A,)),
    "index batched": (lambda x, i: x[i], (V, LABELS)),
    "index shared by batched": (lambda i, x: x[i], (LABELS, V[0]), (0, None)),
    "gather": (lambda x, i: x.gather(1, i), (A, PLACES)),
    "index_select": (lambda x: x.index_select(0, IDS), (A,)),
    "cross_entropy": (F.cross_entropy, (A, LABELS)),
    "cross_entropy shared": (F.cross_entropy, (A, LABELS[0]), (0, None)),
    "mse": (F.mse_loss, (A, B)),
    "in place": (lambda x: x.clone().mul_(2).add_(1), (A,)),
    "in place operator": (lambda x: x.clone().__iadd__(1), (A,)),
    "new_zeros": (lambda x: x.new_zeros(3) + x.sum(1), (A,)),
    "zeros_like": (lambda x: mt.zeros_like(x), (A,)),
    "float": (lambda x: x.float().double(), (A,)),
    "no rule": (lambda x: mt.kron(x, x) if hasattr(mt, "kron") else x.aminmax()[0], (A,)),
    "constant": (lambda x: mt.ones(2, dtype=mt.float64), (A,)),
}


@pytest.mark.parametrize("name", CASES)
def test_against_the_loop(name) -> None:
    f, args, *rest = CASES[name]
    args = tuple(a.to(mt.get_default_device()) for a in args)
    if name == "two in_dims":
        f = rest[1]
    in_dims = rest[0] if rest else (0,) * len(args)
    result = mt.vmap(f, in_dims)(*args)
    expected = looped(f, args, in_dims)
    if isinstance(expected, tuple):
        assert len(result) == len(expected)
        for r, e in zip(result, expected):
            assert r.dtype == e.dtype
            assert_near(r, array(e), 1e-12)
    else:
        assert type(result) is mt.Tensor and result.dtype == expected.dtype
        assert_near(result, array(expected), 1e-12)


def test_set_items() -> None:
    def f(x):
        y = x.clone()
        y[0] = y[1] * 2
        y[:, 1] = 0.0
        return y

    assert_near(mt.vmap(f)(A), array(looped(f, (A,), (0,))))


def test_nesting() -> None:
    outer = mt.vmap(mt.vmap(mt.dot, (None, 0)), (0, None))
    assert_near(outer(V, V), array(V @ V.t()), 1e-12)
    twice = mt.vmap(mt.vmap(lambda x, y: x * y.sum(), (0, None)))
    assert_near(twice(A, B), array(A * B.sum((1, 2), keepdim=True)), 1e-12)
    assert_near(mt.vmap(mt.vmap(lambda x: x.sum() + 1))(A), array(A.sum(-1) + 1), 1e-12)


def test_out_dims_and_structures() -> None:
    result = mt.vmap(lambda d: {"s": d["x"] * 2, "t": (d["x"].sum(), d["y"])}, in_dims=({"x": 0, "y": None},),
                     out_dims={"s": 1, "t": (0, None)})({"x": A, "y": S})  # fmt: skip
    assert_near(result["s"], array(A.transpose(0, 1) * 2))
    assert_near(result["t"][0], array(A.sum((1, 2))), 1e-12)
    assert_near(result["t"][1], array(S))
    assert mt.vmap(lambda x: x, out_dims=-1)(A).shape == (3, 5, 4)


def test_keyword_arguments_are_the_same_for_all() -> None:
    assert_near(mt.vmap(lambda x, *, y: x + y)(A, y=W), array(A + W))


def test_chunks() -> None:
    assert_near(mt.vmap(lambda x: x.sum(0), out_dims=1, chunk_size=3)(A), array(A.sum(1).t()), 1e-12)


def test_modules() -> None:
    layer = mt.nn.Sequential(mt.nn.Linear(5, 4), mt.nn.ReLU(), mt.nn.Linear(4, 2)).double()
    assert_near(mt.vmap(layer)(A), array(layer(A)), 1e-12)


def test_randomness() -> None:
    zeros = mt.zeros(5, 1000)
    mt.manual_seed(0)
    same = mt.vmap(lambda x: x + mt.rand(1000), randomness="same")(zeros)
    assert (same == same[0]).all()
    different = mt.vmap(lambda x: x + mt.rand(1000), randomness="different")(zeros)
    assert not (different[0] == different[1]).any()
    dropped = mt.vmap(lambda x: F.dropout(x + 1, 0.5), randomness="same")(zeros)
    assert (dropped == dropped[0]).all() and 300 < (dropped[0] == 0).sum() < 700
    dropped = mt.vmap(lambda x: F.dropout(x + 1, 0.5), randomness="different")(zeros)
    assert not (dropped == dropped[0]).all()
    with refuses(RuntimeError, "randomness error mode"):
        mt.vmap(lambda x: x + mt.rand(1000))(zeros)
    with refuses(RuntimeError, "Only allowed values for randomness"):
        mt.vmap(lambda x: x, randomness="some")


def test_gradients_through() -> None:
    x = A.clone().requires_grad_(True)
    mt.vmap(lambda row: (row * row).sum())(x).sum().backward()
    assert_near(x.grad, array(2 * A))


def test_jacobian_by_a_batch_of_vectors() -> None:
    x = V[0].clone().requires_grad_(True)
    y = x**3
    (rows,) = mt.vmap(lambda v: mt.autograd.grad(y, x, v))(mt.eye(5, dtype=mt.float64))
    assert_near(rows, np.diag(array(3 * x**2)), 1e-12)


def test_refusals() -> None:
    with refuses(RuntimeError, "vmap"):
        mt.vmap(lambda x: x if x.sum() > 0 else -x)(A)
    with refuses(RuntimeError, "item"):
        mt.vmap(lambda x: x * x.sum().item())(A)
    with refuses(ValueError, "same size"):
        mt.vmap(mt.add)(A, A[:2])
    with refuses(ValueError, "in_dim"):
        mt.vmap(mt.add, (0, 5))(A, A)
    with refuses(ValueError, "non-Tensor"):
        mt.vmap(mt.add)(A, 3)
    with refuses(ValueError, "in_dims"):
        mt.vmap(mt.add, (0, (0, 0)))(A, A)
    with refuses(ValueError, "Tensor"):
        mt.vmap(lambda x: "text")(A)
    with refuses(RuntimeError, "vmap", "add_"):
        total = mt.zeros(3, 5, dtype=mt.float64)
        mt.vmap(lambda x: total.add_(x))(A)


@only_here
def test_what_escapes_says_so() -> None:
    kept = []

    def f(x):
        kept.append(x)
        return x * 1

    mt.vmap(f)(A)
    with refuses(RuntimeError, "after the transform"):
        kept[0] + 1


def test_nothing_is_left_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        mt.vmap(lambda x: 1 / 0)(A)
    assert_near(A + 1, array(A) + 1)
    assert mt.vmap(lambda x: x.sum())(A).shape == (4,)


def test_a_function_of_ones_own() -> None:
    class Cube(mt.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    assert_near(mt.vmap(Cube.apply)(A), array(A) ** 3, 1e-12)


@only_here
def test_modules_imported_inside_are_heard() -> None:
    """The kernels of layers are imported with `nn`, here inside of the function."""
    done = run_python("""
        x = mt.arange(48.).view(2, 3, 8)
        each = mt.vmap(lambda row: mt.nn.functional.max_pool1d(row.unsqueeze(0), 2))(x)
        assert each.shape == (2, 1, 3, 4), each.shape
        assert mt.equal(each, mt.stack([mt.nn.functional.max_pool1d(row.unsqueeze(0), 2) for row in x]))
    """)
    assert done.returncode == 0, done.stderr


def test_reductions_that_give_places_with_a_dimension() -> None:
    x = mt.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
    assert mt.vmap(mt.median)(x).tolist() == [2, 5]
    assert mt.vmap(lambda row: row.median(0).values)(x).tolist() == [2, 5]
    assert mt.vmap(lambda k: mt.nn.functional.one_hot(k, 3))(mt.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
