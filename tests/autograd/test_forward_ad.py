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


# --- what is not a line of the table ---------------------------------------------------------------------------------

SPD = (X[:, :3] @ X[:, :3].t() + mt.eye(3, dtype=mt.float64) * 2, DX[:, :3] + DX[:, :3].t())
ALGEBRA = {
    "det": mt.linalg.det, "slogdet": lambda a: mt.linalg.slogdet(a)[1], "inv": mt.linalg.inv, "pinv": mt.linalg.pinv,
    "cholesky": mt.linalg.cholesky, "eigh": lambda a: mt.linalg.eigh(a)[0], "eigvalsh": mt.linalg.eigvalsh,
    "svdvals": mt.linalg.svdvals, "svd": lambda a: mt.linalg.svd(a)[1], "qr": lambda a: mt.linalg.qr(a)[1],
    "lu": lambda a: mt.linalg.lu(a)[2], "solve": lambda a: mt.linalg.solve(a, a * 2 + 1), "cond": mt.linalg.cond,
    "matrix_exp": mt.linalg.matrix_exp, "matrix_power": lambda a: mt.linalg.matrix_power(a, -2),
    "nuclear norm": lambda a: mt.linalg.matrix_norm(a, "nuc"), "solve_triangular":
    lambda a: mt.linalg.solve_triangular(a.tril(), a, upper=False),
}  # fmt: skip


@pytest.mark.parametrize("name", ALGEBRA)
def test_linear_algebra(name) -> None:
    check(ALGEBRA[name], SPD, rtol=1e-7)


def written(x):
    y = x.new_zeros(3, 4)
    y[0] = x[1] * 2
    y[1:, ::2].copy_(x[1:, ::2])
    y.view(-1)[5:7].mul_(3)
    y[2].add_(x[0])
    return y


MADE = {
    "diag_embed": mt.diag_embed, "pad": lambda x: F.pad(x, (1, 2), value=3.0), "written": written,
    "scatter": lambda x: mt.select_scatter(x, x[0] * 2, 0, 1), "diagonal_scatter":
    lambda x: mt.diagonal_scatter(x[:, :3], x[0, :3].exp()), "hfft": lambda x: mt.fft.hfft(x),
    "stft": lambda x: mt.fft.rfft(x).abs(), "masked": lambda x: x.masked_fill(x > 0.5, 0.0).clamp(0.2, 0.7),
    "rsub": lambda x: mt.rsub(x, 2), "detach": lambda x: x.detach() * x,
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_tensors_made_on_the_way(name) -> None:
    """What is made like a dual tensor and then written to moves with what is written."""
    check(MADE[name], (X, DX))


def test_a_plain_tensor_cannot_take_a_tangent() -> None:
    """Its tangent would be lost: that is refused."""
    with fwAD.dual_level():
        x, out = fwAD.make_dual(X, DX), mt.zeros(3, 4, dtype=mt.float64)
        if ORACLE:
            return
        for write in (lambda: out.copy_(x), lambda: out[0].add_(x[0]), lambda: out.__setitem__(0, x[0])):
            with refuses(NotImplementedError, "new_zeros"):
                write()


Z, DZ = mt.complex(X, Y), mt.complex(DX, DY)


@pytest.mark.parametrize(
    "f",
    [mt.exp, lambda z: z * z / (z + 2), mt.abs, lambda z: z.conj() * z, lambda z: z @ z.t().conj(), mt.fft.fft,
     lambda z: z.real * z.imag, mt.angle, lambda z: (z**2).sum(), mt.sgn],
    ids=["exp", "rational", "abs", "conj", "product", "fft", "parts", "angle", "pow", "sgn"],
)  # fmt: skip
def test_complex_numbers(f) -> None:
    """Both parts move: the tangent is what the parts' differences tend to."""
    value, tangent = pushed(f, (Z, DZ))
    h = 1e-6
    numeric = (array(f(Z + h * DZ)) - array(f(Z - h * DZ))) / (2 * h)
    np.testing.assert_allclose(array(value), array(f(Z)), rtol=1e-12)
    np.testing.assert_allclose(array(tangent), numeric, rtol=1e-7, atol=1e-8)


@only_here
def test_pointwise_operations_come_straight_from_the_table(monkeypatch) -> None:
    """None of them is found by differentiating the reverse derivative."""
    from minitorch.autograd import forward_ad

    def never(self, function, args, kwargs):
        raise AssertionError(f"{function} went another way")

    monkeypatch.setattr(forward_ad.Level, "by_reverse", never)
    for f in (
        lambda x, y: mt.lerp(x, y, x * y), lambda x, y: mt.addcmul(x, x, y, value=2), lambda x, y: mt.addcdiv(x, x, y),
        lambda x, y: mt.where(x > 0.5, x, y), lambda x, y: x.masked_fill(y > 0.5, 1.0), lambda x, y: x.clamp(0.2, 0.6),
        lambda x, y: x.clamp(min=y), lambda x, y: mt.maximum(x, y), lambda x, y: mt.rsub(x, y),
        lambda x, y: mt.float_power(x, y), lambda x, y: F.gelu(x), lambda x, y: mt.logit(x), lambda x, y: 2 ** x,
        lambda x, y: mt.polygamma(1, x), lambda x, y: mt.nan_to_num(x), lambda x, y: mt.round(x) + y,
        lambda x, y: x.conj() + y, lambda x, y: mt.hypot(x, y).atan2(x),
    ):  # fmt: skip
        with fwAD.dual_level():
            fwAD.unpack_dual(f(fwAD.make_dual(X, DX), fwAD.make_dual(Y, DY)))
