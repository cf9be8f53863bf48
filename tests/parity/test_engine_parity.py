"""The same calls under PyTorch and minitorch: values, dtypes, shapes, strides, and which inputs are refused how.

A case is a text, evaluated once with ``T`` standing for torch and once for minitorch; its result is compared, or the
class of its error.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import minitorch  # noqa: E402

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 4e-6, "float64": 1e-11}


def summary(T, value, loose: float):
    """What is compared of a result: nested tuples of (shape, dtype, strides, values)."""
    if isinstance(value, T.Tensor):
        name = str(value.dtype).rsplit(".", 1)[-1]
        plain = value.detach().to(T.float64) if name in TOLERANCE else value.detach()
        return (
            "tensor",
            tuple(value.shape),
            name,
            value.stride() if value.numel() > 1 else None,
            np.array(plain.numpy(**({"force": True} if T is torch else {}))),
        )
    if isinstance(value, (tuple, list)):
        return tuple(summary(T, v, loose) for v in value)
    if isinstance(value, T.dtype):
        return str(value).rsplit(".", 1)[-1]
    return value


def compare(a, b, case: str) -> None:
    """Torch's result `a` and minitorch's `b`."""
    if isinstance(a, tuple) and a and a[0] == "tensor":
        assert isinstance(b, tuple) and b[:1] == ("tensor",), f"{case}: a tensor expected, got {b!r}"
        assert a[1] == b[1], f"{case}: shape {b[1]}, expected {a[1]}"
        assert a[2] == b[2], f"{case}: dtype {b[2]}, expected {a[2]}"
        if a[3] is not None:
            mine, theirs = ([s for s, n in zip(x[3], a[1]) if n > 1] for x in (b, a))
            assert mine == theirs, f"{case}: strides {b[3]}, expected {a[3]}"
        if a[2] in TOLERANCE:
            finite = np.abs(a[4][np.isfinite(a[4])])
            tolerance = TOLERANCE[a[2]]
            np.testing.assert_allclose(
                b[4],
                a[4],
                rtol=tolerance,
                atol=tolerance * max(1e-30, finite.max() if finite.size else 0),
                err_msg=case,
            )
        else:
            np.testing.assert_array_equal(b[4], a[4], case)
    elif isinstance(a, tuple):
        assert isinstance(b, tuple) and len(a) == len(b), f"{case}: {b!r}, expected {a!r}"
        for x, y in zip(a, b):
            compare(x, y, case)
    elif isinstance(a, float):
        assert isinstance(b, float) and (math.isclose(a, b, rel_tol=1e-6) or (math.isnan(a) and math.isnan(b))), (
            f"{case}: {b!r}, expected {a!r}"
        )
    else:
        assert type(a) is type(b) and a == b, f"{case}: {b!r}, expected {a!r}"


# Classes that are as good: PyTorch itself is not of one mind about them
ALSO = {
    RuntimeError: (NotImplementedError, TypeError),
    NotImplementedError: (RuntimeError,),
    TypeError: (IndexError, NotImplementedError),
    ValueError: (RuntimeError, OverflowError),
}


def outcome(T, case: str, names: dict):
    def t(values, dtype=None):
        return T.tensor(values, dtype=dtype if dtype is None or not isinstance(dtype, str) else getattr(T, dtype))

    try:
        return summary(
            T,
            eval(
                case,
                {"T": T, "F": T.nn.functional, "t": t, "math": math, "np": np, **{k: f(T) for k, f in names.items()}},
            ),
            1,
        ), None
    except Exception as error:  # its class is compared
        return None, error


def check(case: str, **names) -> None:
    """Both give the same, or refuse with the same class of error."""
    theirs, their_error = outcome(torch, case, names)
    mine, my_error = outcome(minitorch, case, names)
    if their_error is not None:
        kind = type(their_error)
        kind = next(
            k
            for k in (IndexError, TypeError, ValueError, NotImplementedError, AttributeError, RuntimeError, Exception)
            if issubclass(kind, k)
        )
        assert my_error is not None, f"{case}: PyTorch refuses ({their_error}), minitorch gives {mine!r}"
        acceptable = (kind, *ALSO.get(kind, ()))
        assert isinstance(my_error, acceptable), (
            f"{case}: {type(my_error).__name__} ({my_error}), PyTorch has {kind.__name__} ({their_error})"
        )
        return
    assert my_error is None, f"{case}: {type(my_error).__name__}: {my_error}"
    compare(theirs, mine, case)


def array(shape, dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = (
        rng.integers(0, 2, shape)
        if dtype == "bool"
        else rng.integers(0 if dtype == "uint8" else -6, 7, shape)
        if "int" in dtype
        else rng.standard_normal(shape) * 2
    )
    return np.asarray(values)


def made(shape, dtype: str, seed: int = 0):
    """A tensor's maker, for either module."""
    return lambda T: T.tensor(array(shape, dtype, seed)).to(getattr(T, dtype))


UNARY = """
abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 floor frac
isfinite isinf isnan isneginf isposinf lgamma log log10 log1p log2 logical_not logit neg positive rad2deg reciprocal
relu round rsqrt sgn sigmoid sign signbit sin sinc sinh sqrt square tan tanh trunc bitwise_not any all sum prod mean
std var amax amin max min argmax argmin t numel is_floating_point nan_to_num
""".split()
BINARY = """
add sub mul div true_divide floor_divide remainder fmod pow atan2 hypot copysign maximum minimum fmax fmin logaddexp
logaddexp2 xlogy eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift gcd lcm float_power heaviside result_type can_cast promote_types equal
allclose dot mv mm
""".split()
# Where PyTorch and minitorch differ on purpose: what minitorch accepts though PyTorch lacks the kernel
MORE_THAN_PYTORCH = {
    "hypot",
    "nextafter",
    "logaddexp",
    "logaddexp2",
    "ceil",
    "floor",
    "trunc",
    "round",
    "frac",
    "bitwise_left_shift",
    "erfinv",
    "digamma",
    "lgamma",
    "std",
    "var",
    "argmax",
    "argmin",
    "mv",
    "mm",
    "dot",
    "pow",
    "floor_divide",
    "sign",
    "sgn",
}


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    """As function and method, every dtype, with dimensions, 0-d and empty."""
    if not hasattr(minitorch, name) and not hasattr(minitorch.Tensor, name):
        pytest.fail(f"minitorch has no {name}")
    for dtype, shape in itertools.product(DTYPES, [(3, 4), (), (0,), (2, 0)]):
        if (name in ("erfinv", "digamma", "lgamma") and dtype in ("float16", "bfloat16")) or (
            name == "sinc" and "float" not in dtype
        ):
            continue
        x = made(shape, dtype)
        call = f"x.{name}()" if hasattr(torch.Tensor, name) else f"T.{name}(x)"
        _, error = outcome(torch, call, {"x": x})
        if error is not None and name in MORE_THAN_PYTORCH and "not implemented for" in str(error):
            continue
        check(call, x=x)
        if hasattr(torch, name):
            check(f"T.{name}(x)", x=x)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    """Every pair of dtypes, of tensors with dimensions, 0-d tensors and numbers."""
    if not hasattr(minitorch, name):
        pytest.fail(f"minitorch has no {name}")
    f = f"T.{name}"
    if name in ("promote_types", "can_cast"):
        for a, b in itertools.product(DTYPES, DTYPES):
            check(f"{f}(T.{a}, T.{b})")
        return
    shapes = {"dot": [(3,), (3,)], "mv": [(2, 3), (3,)], "mm": [(2, 3), (3, 2)]}.get(name, [(2, 3), (2, 3)])
    for a, b in itertools.product(DTYPES, DTYPES):
        x, y, z = made(shapes[0], a), made(shapes[1], b, 1), made((), b, 2)
        for call in (f"{f}(x, y)", f"{f}(x, z)"):
            _, error = outcome(torch, call, {"x": x, "y": y, "z": z})
            if error is not None and name in MORE_THAN_PYTORCH and "not implemented for" in str(error):
                continue
            if name in ("pow", "floor_divide", "remainder", "fmod", "float_power") and "float16" in (a, b):
                continue  # large quotients and powers of half numbers differ by rounding
            check(call, x=x, y=y, z=z)
    for a in DTYPES:
        x = made((2, 3), a)
        for number in ("2", "2.5", "True", "-1"):
            if name in ("dot", "mv", "mm", "equal", "allclose"):
                continue
            call = f"{f}(x, {number})"
            _, error = outcome(torch, call, {"x": x})
            if error is not None and (name in MORE_THAN_PYTORCH and "not implemented for" in str(error)):
                continue
            if error is not None and "must be Tensor, not" in str(error):
                continue  # minitorch takes numbers there too
            check(call, x=x)


OPERATORS = [
    "x + y",
    "x - y",
    "x * y",
    "x / y",
    "x // y",
    "x % y",
    "x == y",
    "x != y",
    "x < y",
    "x >= y",
    "x & y",
    "x | y",
    "x ^ y",
    "x << y",
    "x >> y",
    "-x",
    "+x",
    "~x",
    "abs(x)",
    "x @ y",
    "2 + x",
    "2.5 - x",
    "3 * x",
    "1 / x",
    "7 // x",
    "7 % x",
    "2 ** x",
    "x ** 2",
    "x ** 0.5",
    "3 & x",
    "x += y",
    "2 < x",
    "x == None",
    "x != 'a'",
    "1.5 == x",
]


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(operator: str) -> None:
    names = {"x": lambda T: made((3, 3), "int64")(T), "y": lambda T: made((3, 3), "int64", 1)(T).abs() + 1}
    floats = {"x": made((3, 3), "float64"), "y": made((3, 3), "float64", 1)}
    if "+=" in operator:
        operator = "x.__iadd__(y)"
    check(operator, **(floats if operator in ("7 // x", "7 % x", "2 ** x", "1 / x") else names))
    check(operator, **floats)
    check(operator, x=made((3, 3), "int32"), y=lambda T: made((3, 3), "float32")(T).abs() + 1)
    check(operator, x=made((3, 3), "bool"), y=lambda T: made((3, 3), "uint8")(T) + 1)


VIEWS = """
x.view(6, 4); x.view(-1); x.view(2, -1, 2); x.view(5, 5); x.view(-1, -1); x.reshape(4, 6); x.mT.reshape(-1)
x.mT.view(-1); x.transpose(0, 2); x.transpose(0, 3); x.permute(2, 0, 1); x.permute(0, 1); x.permute(0, 0, 1)
x.expand(5, 2, 3, 4); x.expand(2, 3); x.expand(2, -1, 4); x[:1].expand(6, 3, 4); x.squeeze(); x[:1].squeeze(0)
x[:1].squeeze(1); x.unsqueeze(-1); x.unsqueeze(4); x.flatten(); x.flatten(1); x.flatten(2, 0); x.mT.flatten(1)
x.narrow(1, 1, 2); x.narrow(1, 2, 2); x.narrow(0, -1, 1); x.select(0, 1); x.select(0, 2); x.select(-1, -4); x[0]
x[-1]; x[2]; x[0, 1]; x[..., 0]; x[:, 1:]; x[:, ::2]; x[:, -2:]; x[:, 5:]; x[:, 2:1]; x[None]; x[:, None, 0]
x[True]; x[False]; x[[0, 1]]; x[[1, 1], [0, 2]]; x[:, [2, 0]]; x[t([0, 1]), :, t([1, 2])]; x[x > 0]
x[t([True, False])]; x[t([5])]; x[t([1.0])]; x[::-1]; x[::0]; x[1.5]; x["a"]; x[0, 0, 0, 0]; x.diagonal()
x.diagonal(1, 1, 2); x.diagonal(0, 0, 0); x.unfold(2, 2, 1); x.unfold(2, 5, 1); x.unfold(1, 2, 0)
x.as_strided((2, 2), (1, 2), 1); x.as_strided((9, 9), (9, 9)); x.contiguous().stride(); x.mT.contiguous()
x.is_contiguous(); x.mT.is_contiguous(); x[:, :1].is_contiguous(); x.stride(); x.stride(0); x.storage_offset()
x[1].storage_offset(); x.shape; x.size(); x.size(1); x.size(3); x.dim(); x.numel(); x.t(); x[0].t(); x[0, 0].t()
x.T.shape if x.dim() == 2 else 0; x.mT; x[0, 0].mT; x.movedim(0, 2); x.swapaxes(0, 1); x.unbind(1); x.split(2, 2)
x.split([1, 3], 2); x.split([1, 1], 2); x.chunk(2, 1); x.chunk(5, 2); T.stack([x, x], 1); T.cat([x, x], 2)
T.cat([x, x[0]]); x.broadcast_to((2, 2, 3, 4)); x.expand_as(x[None]); x.view_as(x.view(4, 6))
x.unflatten(2, (2, 2)); x.ravel(); x.mT.ravel(); x.clone().stride(); x.mT.clone().stride()
x[..., ::2].clone().stride(); (x.mT + 1).stride(); (x.mT * x.mT).stride(); (x[..., ::2] + 1).stride()
(x.mT + x.reshape(2, 4, 3)).stride(); x.mT.exp().stride(); x.mT.to(T.int32).stride(); T.empty_like(x.mT).stride()
T.zeros_like(x.permute(2, 0, 1)).stride(); (x.permute(2, 0, 1) > 0).stride(); T.where(x.mT > 0, x.mT, x.mT).stride()
x.mT.sum(0).stride(); x.tolist(); x[0, 0, 0].item(); x.item(); bool(x); len(x); len(x[0, 0, 0]); list(x[0, 0])
x.sum((0, 2)); x.sum(3); x.sum((0, 0)); x.sum(-1, keepdim=True); x.mean((0, 1)); x.max(1); x.min(-1, True)
x.argmax(1); x.argmin(); x.amax((0, 1)); x.prod(1); x.var(1); x.std((0, 2)); x.var(0, unbiased=False)
x.var((0, 1), correction=2); x.norm(); x.norm(1); x.norm(2, 1); x.norm(math.inf); x.logsumexp(1)
x.logsumexp((0, 1)); x.cumsum(1); x.cumprod(2); x.any(1); x.all(0); x.any((0, 1)); x.softmax(1); x.log_softmax(-1)
x.softmax(3); T.softmax(x, 0, dtype=T.float32); x.sum(dtype=T.int64); x.mean(1, dtype=T.float32); x.clamp(-1, 1)
x.clamp(min=0); x.clamp(); x.clamp(2, 1); T.clamp(x, x - 1, x); x.to(T.float32); x.int(); x.to("cpu").shape
x.float().dtype; x.half().dtype; x.type_as(x.int()); x.masked_fill(x > 0, 0.0); T.where(x > 0, x, 0.0)
T.where(x > 0, x, x.int()); x.lerp(x + 1, 0.25); x.addcmul(x, x, value=2); x.addcdiv(x, x + 9, value=2)
x.round(decimals=1); T.maximum(x, x.int()); T.div(x, 2, rounding_mode="floor"); T.div(x, 2, rounding_mode="trunc")
T.div(x, 2, rounding_mode="x"); T.add(x, x, alpha=2); T.add(x.int(), 1, alpha=1.5); T.sub(x > 0, x > 0); x @ x.mT
x @ x; x.matmul(x[0].t()); T.bmm(x, x.mT); T.mm(x, x); T.dot(x[0, 0], x[1, 1]); T.outer(x[0, 0], x[0, 1])
T.addmm(x[0], x[0, :, :3], x[0], beta=2, alpha=3); T.baddbmm(x, x[:, :, :3], x); T.mv(x[0], x[0, 0]); x[0] @ x[0]
x @ t(2.0); x.requires_grad; x.is_leaf; x.grad; x.dtype; x.element_size(); x.is_floating_point()
x.int().is_signed(); x.ndim; x.nelement(); x.count_nonzero(); x.equal(x); T.equal(x, x[0]); T.allclose(x, x + 1e-9)
x.isclose(x + 1e-9); F.relu(x); F.gelu(x); F.gelu(x, approximate="tanh")
F.silu(x); F.softplus(x); F.softplus(x, 2, 3); F.elu(x, 0.5); F.leaky_relu(x, 0.2); F.hardtanh(x); F.logsigmoid(x)
F.mish(x); F.celu(x, 0.5); F.selu(x); F.softsign(x); F.tanhshrink(x); F.hardswish(x); F.hardsigmoid(x); F.relu6(x)
F.softshrink(x); F.hardshrink(x); F.threshold(x, 0.1, 9.0); F.softmax(x, 1); F.log_softmax(x, 2); F.linear(x, x[0])
F.linear(x, x[0], x[0, :, 0]); F.linear(x, x[0].t()); F.cross_entropy(x, t([[0, 1, 2, 0], [1, 1, 2, 2]]))
F.cross_entropy(x[0], t([0, 1, 2])); F.cross_entropy(x[0], t([0, 1, 2]), reduction="none")
F.cross_entropy(x[0], t([0, 1, -100]), reduction="sum")
F.cross_entropy(x[0], t([0, 1, 3]), weight=t([1.0, 2.0, 3.0, 4.0])); F.cross_entropy(x[0], x[0].softmax(1))
F.cross_entropy(x[0], t([0, 1, 2]), label_smoothing=0.1); F.cross_entropy(x[0], t([0, 1, 4]))
F.cross_entropy(x[0], t([0, 1])); F.nll_loss(x[0].log_softmax(1), t([0, 1, 2]))
F.cross_entropy(x[0], t([0, 1, 2]), reduction="x")
"""
CASES = [case.strip() for line in VIEWS.splitlines() for case in line.split(";") if case.strip()]


@pytest.mark.parametrize("case", CASES)
def test_methods(case: str) -> None:
    check(case, x=lambda T: T.tensor(array((2, 3, 4), "float64")))


CREATION = """
T.zeros(2, 3); T.ones((2,), dtype=T.int8); T.full((2, 2), 7); T.full((2,), 1.5); T.full((2,), True)
T.full((2,), 1.5, dtype=T.int32); T.arange(5); T.arange(1, 2, 0.3); T.arange(5, 0, -2); T.arange(0); T.arange(3.5)
T.arange(0, 5, 0); T.arange(0, 5, -1); T.arange(5, dtype=T.float16); T.linspace(0, 1, 5); T.linspace(0, 1, 1)
T.linspace(0, 1, -1); T.eye(3); T.eye(2, 4); T.eye(-1); T.tensor([1, 2]); T.tensor([1, 2.5]); T.tensor([[1], [2]])
T.tensor([[1], [2, 3]]); T.tensor([]); T.tensor(3); T.tensor(True); T.tensor([True, 2]); T.tensor("a")
T.tensor(None); T.tensor([None]); T.tensor(np.float32(1.5)); T.tensor(np.arange(3)); T.tensor([np.float64(1.5)])
T.tensor(2**70); T.tensor([1.5], dtype=T.int64); T.tensor(300, dtype=T.uint8); T.tensor(float("nan"), dtype=T.int32)
T.from_numpy(np.zeros(2)); T.from_numpy([1]); T.from_numpy(np.zeros(2, ">f8")); T.from_numpy(np.zeros(2, object))
T.as_tensor(np.float32([1])); T.as_tensor([1, 2]); T.zeros(2.5); T.zeros(None); T.zeros(-1); T.zeros("a")
T.empty(2**62, 4).shape; T.zeros(2, dtype="float32"); T.zeros(2, device="cpu").shape; T.empty(0).shape
T.zeros(2, 0).shape; T.zeros_like(T.ones(2, dtype=T.int8)); T.ones_like(T.zeros(2), dtype=T.bool)
T.full_like(T.zeros(2), 3); T.ones(2).new_zeros(3); T.ones(2, dtype=T.int8).new_full((2,), 3)
T.ones(2).new_tensor([1, 2]); T.finfo(T.float32).eps; T.finfo(T.float16).max; T.finfo(T.bfloat16).tiny
T.finfo(T.float64).min; T.finfo(T.int8); T.iinfo(T.int8).min; T.iinfo(T.float32); T.is_tensor(T.zeros(1))
T.is_tensor(1); T.is_floating_point(T.zeros(1)); T.broadcast_shapes((2, 1), (3,)); T.broadcast_shapes((2,), (3,))
T.result_type(T.ones(1, dtype=T.int8), 2.5); T.zeros(2, requires_grad=True).requires_grad
T.tensor([1], requires_grad=True); T.get_default_dtype(); T.is_grad_enabled(); T.numel(T.zeros(2, 3))
T.broadcast_tensors(T.zeros(2, 1), T.zeros(3))[0].shape
"""


@pytest.mark.parametrize("case", [c.strip() for line in CREATION.splitlines() for c in line.split(";") if c.strip()])
def test_creation(case: str) -> None:
    check(case)


PRINTED = [
    "t([1.0, 2.5, -3.0])",
    "t([1.0, 2.0])",
    "t([1, -20, 300])",
    "t([[True, False]])",
    "t(2.5)",
    "t(3)",
    "t([])",
    "T.zeros(2, 0)",
    "t([1e-8, 1.0])",
    "t([1e10, 1.0])",
    "t([float('nan'), float('inf'), -1.0])",
    "T.zeros(2, 3, 4)",
    "T.arange(2000)",
    "T.arange(10000.0).view(100, 100)",
    "t([1.5], 'float64')",
    "t([1.5], 'float16')",
    "t([1.5], 'bfloat16')",
    "t([1], 'int32')",
    "t([1], 'uint8')",
    "T.ones(2, requires_grad=True)",
    "T.arange(40.0)",
    "t([0.1, 123456.0])",
    "t([[1.0, 22.5], [-3.25, 4.0]])",
    "t([-0.0, 1.0])",
    "t([1e-45])",
    "T.eye(3)",
    "T.arange(24.0).view(2, 3, 4)",
    "t([1000000.0])",
    "t([99999999.0])",
    "t([0.00001])",
    "t(1e-5)",
    "t(123456789.0)",
    "T.zeros(0, dtype=T.int64)",
    "T.full((3,), 1e-3)",
    "T.ones(1, 1, 1)",
]


@pytest.mark.parametrize("case", PRINTED)
def test_printing(case: str) -> None:
    check(f"repr({case}).replace('torch.', '').replace('minitorch.', '')")


GRADIENTS = """
(x * y).sum(); (x / y).sum(); (x ** y.abs()).sum(); (x @ y.mT).sum(); x.exp().mean(); (x.relu() * y).sum()
x.softmax(-1).select(-1, 0).sum(); x.log_softmax(1).mean(); (x.sum(1, keepdim=True) * y).sum()
(x.mean((0, 2), keepdim=True) * y).sum(); x.amax(1).sum(); x.max(2).values.sum(); x.std(); x.var(1).sum(); x.norm()
x.prod(); x.prod(1).sum(); x.cumsum(1).mul(y).sum(); x.cumprod(2).sum(); x.logsumexp((0, 1)).sum()
x[:, [0, 0, 1]].mul(2).sum(); x[y > 0].sum(); T.where(x > y, x, y).sum(); T.maximum(x, y).sum()
x.clamp(-0.5, 0.5).mul(y).sum(); F.gelu(x).mul(y).sum(); F.softplus(x).sum(); F.linear(x, y[0]).pow(2).sum()
F.cross_entropy(x[0], t([0, 1, 2])); F.cross_entropy(x, t([[0, 1, 2, 0], [1, 1, 2, 2]]))
F.cross_entropy(x[0], y[0].softmax(1)); T.cat([x, y], 1).pow(2).sum(); T.stack([x, y]).pow(3).sum()
x.permute(2, 0, 1).reshape(-1)[::3].sum(); x.expand(3, 2, 3, 4).pow(2).sum(); x.unfold(2, 2, 1).pow(2).sum()
x.diagonal(0, 1, 2).pow(2).sum(); x.as_strided((3, 3), (1, 2)).pow(2).sum(); T.atan2(x, y).sum()
T.hypot(x, y).sum(); T.lerp(x, y, 0.3).sum(); T.addcmul(x, y, y).pow(2).sum(); x.abs().sqrt().sum()
T.fmod(x, y).sum(); T.remainder(x, y).sum(); T.xlogy(x.abs(), y.abs()).sum(); T.logaddexp(x, y).sum()
x.sinc().sum(); x.erf().sum(); (x.abs() + 1).lgamma().sum(); x.masked_fill(y > 0, 1.0).pow(2).sum()
T.baddbmm(x, x[:, :, :3], y).pow(2).sum(); T.addmm(x[0], x[0, :, :3], y[0]).pow(2).sum()
T.outer(x[0, 0], y[1, 1]).pow(2).sum(); T.dot(x[0, 0], y[1, 1]); (x * 2).detach().mul(y).sum()
"""


@pytest.mark.parametrize("case", [c.strip() for line in GRADIENTS.splitlines() for c in line.split(";") if c.strip()])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients(case: str, dtype: str) -> None:
    results = []
    for T in (torch, minitorch):
        x, y = (T.tensor(array((2, 3, 4), "float64", k)).to(getattr(T, dtype)).requires_grad_(True) for k in (0, 1))
        loss = eval(case, {"T": T, "F": T.nn.functional, "t": T.tensor, "x": x, "y": y})
        loss.backward()
        results.append(
            (
                loss.item(),
                *(
                    None if v.grad is None else v.grad.numpy(**({"force": True} if T is torch else {})).astype("f8")
                    for v in (x, y)
                ),
            )
        )
    for a, b in zip(*results):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(
                b,
                a,
                rtol=2e-4 if dtype == "float32" else 1e-10,
                atol=(2e-5 if dtype == "float32" else 1e-11) * max(1, np.abs(a).max()),
            )
