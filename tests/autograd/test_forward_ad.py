"""Forward mode: tangents of every pointwise operation from its line of the table, of linear ones, and of the rest."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import ORACLE, array, assert_near, mt, only_here, refuses

fwAD = pytest.importorskip(f"{mt.__name__}.autograd.forward_ad")
F = mt.nn.functional
RNG = np.random.default_rng(2)
X = mt.tensor(RNG.uniform(0.15, 0.85, (3, 4)))
Y = mt.tensor(RNG.uniform(0.15, 0.85, (3, 4)))
DX = mt.tensor(RNG.standard_normal((3, 4)))
DY = mt.tensor(RNG.standard_normal((3, 4)))


def pushed(f, *pairs):
    """The value and the tangent by forward mode."""
    with fwAD.dual_level():
        out = f(*(fwAD.make_dual(x, t) for x, t in pairs))
        return fwAD.unpack_dual(out)


def check(f, *pairs, rtol=1e-9):
    value, tangent = pushed(f, *pairs)
    primals, tangents = tuple(x for x, _ in pairs), tuple(t for _, t in pairs)
    expected_value, expected = mt.func.jvp(f, primals, tangents)
    assert_near(value, array(expected_value), rtol)
    assert_near(expected if tangent is None else tangent, array(expected), rtol)
    assert tangent is not None or not array(expected).any()


if ORACLE:
    TABLE = {}
else:
    from minitorch.ops.pointwise import INTEGRAL, TABLE


def entries():
    for name, entry in TABLE.items():
        if entry.home is None or entry.types == INTEGRAL or entry.result_bool or entry.mask_first:
            continue
        if any(text is None for text in entry.gradients) or name in ("polygamma", "prelu"):
            continue
        yield name


@only_here
@pytest.mark.parametrize("name", list(entries()))
def test_each_line_of_the_table(name) -> None:
    entry = TABLE[name]
    home = {"minitorch": mt, "functional": F, "special": mt.special}[entry.home]
    names = [n for n in (entry.name, *entry.aliases) if hasattr(home, n)]
    if not names:
        pytest.skip("not public under its own name")
    function = getattr(home, names[0])
    shift = 1.0 if "acosh" in name else 0.0
    pairs = [(X + shift, DX), (Y, DY), (mt.tensor(0.3, dtype=mt.float64), mt.tensor(0.7, dtype=mt.float64))]
    parameters = {"threshold": (0.4, 2.0), "clamp": (0.3, 0.6)}.get(name, ())
    if entry.n_inputs == 1:
        check(lambda x: function(x, *parameters), pairs[0])
    else:
        check(function, *pairs[: entry.n_inputs])
        check(lambda x: function(x, *(p[0] for p in pairs[1 : entry.n_inputs])), pairs[0])


OTHERS = {
    "operators": lambda x, y: 2 - x / y + x**2 * 3 - 2**y + (-x),
    "pow both": lambda x, y: x**y,
    "broadcast": lambda x, y: x[0] * y + x[:, :1],
    "where": lambda x, y: mt.where(x > 0.5, x * y, y),
    "clamp": lambda x, y: x.clamp(0.2, 0.6) + y.clamp(min=0.5),
    "sum": lambda x, y: (x * y).sum(1, keepdim=True) + x.sum(),
    "mean var": lambda x, y: x.mean(0) + y.var(0),
    "views": lambda x, y: x.t().reshape(2, 6)[1:].flatten() * y.view(-1)[:6],
    "matmul": lambda x, y: x @ y.t() @ x,
    "mv": lambda x, y: mt.mv(x, y[0]),
    "linear": lambda x, y: F.linear(x, y, y[:, 0]),
    "cat": lambda x, y: mt.cat([x, y, x * y]),
    "stack": lambda x, y: mt.stack([x, mt.ones_like(x), y], -1),
    "softmax": lambda x, y: F.softmax(x, -1) * F.log_softmax(y, 0),
    "losses": lambda x, y: F.mse_loss(x, y) + F.cross_entropy(x, mt.tensor([0, 1, 2])),
    "max": lambda x, y: x.max() + y.max(1).values.sum(),
    "prod": lambda x, y: x.prod(0) * y.cumprod(1)[0],
    "logsumexp": lambda x, y: x.logsumexp(1) + y.norm(),
    "index": lambda x, y: x[mt.tensor([0, 0, 2])] * y,
    "in place": lambda x, y: (x * 1).mul_(y).add_(x).exp_(),
    "constant": lambda x, y: mt.ones(2, dtype=mt.float64) + x.sum(),
    "unbind": lambda x, y: sum(x.unbind(0)) * y,
    "gelu dropout": lambda x, y: F.gelu(x) + F.dropout(y, 0.5, training=False),
    "layer": lambda x, y: mt.tanh(F.linear(F.relu(F.linear(x, y)), y.t())),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_operations(name) -> None:
    check(OTHERS[name], (X, DX), (Y, DY))
    check(lambda x: OTHERS[name](x, Y), (X, DX))


def test_what_does_not_move_has_no_tangent() -> None:
    with fwAD.dual_level():
        x = fwAD.make_dual(X, DX)
        assert fwAD.unpack_dual(X).tangent is None
        assert fwAD.unpack_dual(x > 0).tangent is None
        assert fwAD.unpack_dual(x.detach()).tangent is None
        assert_near(fwAD.unpack_dual(x).tangent, array(DX))


def test_reverse_over_forward() -> None:
    x = X.clone().requires_grad_(True)
    with fwAD.dual_level():
        tangent = fwAD.unpack_dual(fwAD.make_dual(x, DX).sin()).tangent
        tangent.sum().backward()
    assert_near(x.grad, array(-X.sin() * DX), 1e-12)


def test_parameters_with_tangents() -> None:
    model = mt.nn.Linear(4, 2).double()
    weight, direction = model.weight, mt.ones(2, 4, dtype=mt.float64)
    del model.weight
    with fwAD.dual_level():
        model.weight = fwAD.make_dual(weight, direction)
        tangent = fwAD.unpack_dual(model(X)).tangent
    assert_near(tangent, array(X @ direction.t()), 1e-12)


def test_a_function_with_its_own_jvp() -> None:
    class Cube(mt.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            (ctx.x,) = inputs
            ctx.save_for_forward(*inputs)

        @staticmethod
        def jvp(ctx, t):
            return 3 * ctx.x**2 * t

    assert_near(pushed(Cube.apply, (X, DX)).tangent, array(3 * X**2 * DX), 1e-12)


def test_refusals() -> None:
    with refuses(RuntimeError, "level"):
        fwAD.make_dual(X, DX)
    with fwAD.dual_level():
        with refuses(ValueError, "floating point"):
            fwAD.make_dual(mt.tensor([1]), mt.tensor([1]))
        with refuses(RuntimeError, "shape"):
            fwAD.make_dual(X, DX[0])
        with refuses(RuntimeError, "Nested"), fwAD.dual_level():
            pass
