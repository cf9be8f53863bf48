"""The conformance suite of the primitives: a device's results against the NumPy twins of `minitorch.reference`."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from engine.specs import BY_NAME
from helpers import (
    FLOATS,
    INTEGERS,
    array,
    assert_near,
    assert_same,
    assert_ulp,
    dtype_of,
    layouts,
    mt,
    name_of,
    only_here,
    round_to,
    tensor,
)

pytestmark = only_here

try:
    from minitorch.ops import pointwise as table
    from minitorch.reference import index, memory, reduce, softmax
    from minitorch.reference import pointwise as twin
    from minitorch.reference import sort as ordering

    TABLE = table.TABLE
except ImportError:
    TABLE = {}

CPU_TYPES = ["bool", *INTEGERS, "float16", "float32", "float64"]
RTOL = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 1e-13}

# Values for the parameters that have no default, and operands where the usual ones are outside the domain.
PARAMETERS = {
    "clamp": {"min": -0.5, "max": 0.5},
    "threshold": {"threshold": 0.1, "value": 7.0},
    "nan_to_num": {"nan": 0.0, "posinf": 5.0, "neginf": -5.0},
    "add_scaled": {"alpha": 2.0},
    "polygamma": {"n": 1},
    "logit": {"eps": 0.0},
}


def function_of(op):
    """The public function, or None."""
    home = {"minitorch": mt, "functional": mt.nn.functional, "special": getattr(mt, "special", None)}.get(op.home)
    return getattr(home, op.name, None) if home is not None else None


def types_of(op) -> list[str]:
    if op.types == table.INTEGRAL:
        names = [*INTEGERS]
    elif op.types == table.FLOAT:
        names = ["float16", "float32", "float64"] + (
            ["int32"] if op.name in BY_NAME and "i" in BY_NAME[op.name].types else []
        )
    else:
        names = [*INTEGERS, "float16", "float32", "float64"]
    return (["bool"] if op.bool_too else []) + names


def operands_of(op, name: str) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    xs = []
    for k in range(op.n_inputs):
        if name == "bool" or (k == 0 and op.mask_first):
            xs.append(rng.integers(0, 2, (4, 5)).astype(bool))
        elif name in INTEGERS:
            xs.append(rng.integers(1, 7, (4, 5)).astype(name))
        else:
            low, high = (
                (0.05, 0.95)
                if op.name in {"logit", "erfinv", "binary_cross_entropy", "digamma", "lgamma", "polygamma", "ndtri",
                               "igamma", "igammac"}
                else (1.1, 3)
                if op.name in {"acosh", "pow", "zeta"}
                else (-0.9, 0.9)
            )
            xs.append(round_to(rng.uniform(low, high, (4, 5)), name))
    return xs


def parameters_of(op) -> dict:
    defaults = {key: eval(default, {}) for key, default in op.parameters.items() if default is not None}
    return {**defaults, **PARAMETERS.get(op.name, {})}


def want_float(parameters: dict) -> bool:
    return any(isinstance(value, float) for value in parameters.values())


def call(op, ts: list):
    """The public function, with the operation's parameters."""
    f, parameters = function_of(op), dict(PARAMETERS.get(op.name, {}))
    if op.name == "polygamma":
        return f(1, *ts)
    if op.name == "logit":
        return f(*ts)
    return f(*ts, **parameters)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_pointwise(name: str, device: str) -> None:
    """Every public operation in every type it takes, in all layouts."""
    op = TABLE[name]
    if name == "prelu":
        pytest.skip("its second operand is shaped by channels")
    if function_of(op) is None:
        assert op.home != "minitorch", f"minitorch.{name} is in the table but not there"
        pytest.skip(f"{op.home}.{name} is not public yet")
    for dtype in types_of(op):
        if name == "nextafter" and dtype in ("float16", "bfloat16"):
            continue  # refused: see test_pointwise.test_nextafter
        xs = operands_of(op, dtype)
        parameters = parameters_of(op)
        if want_float(parameters) and dtype not in FLOATS:
            continue  # it would promote
        want = twin.pointwise(name, *xs, **parameters)
        for k in range(6):
            ts = [list(layouts(x, x.dtype.name))[k % 5][1] for x in xs]
            got = call(op, ts)
            if want.dtype.kind == "f":
                assert_near(
                    got, want, RTOL[want.dtype.name], atol=1e-7 if dtype in INTEGERS else 0.0, note=f"{name} {dtype}"
                )
                assert got.dtype == dtype_of(want.dtype.name)
            else:
                assert_same(got, want, f"{name} {dtype}")


@pytest.mark.parametrize("name", sorted(n for n, op in TABLE.items() if any(op.gradients) and op.home is not None))
def test_pointwise_gradients(name: str, device: str) -> None:
    """The fused backward kernel gives what the derivative's text says."""
    op = TABLE[name]
    if function_of(op) is None:
        pytest.skip(f"{op.home}.{name} is not public yet")
    if name in ("where", "ldexp", "prelu", "floor_divide"):
        pytest.skip("called differently; see tests/autograd")
    xs = operands_of(op, "float64")
    g = np.random.default_rng(4).uniform(-1, 1, (4, 5))
    parameters = parameters_of(op)
    ts = [tensor(x).requires_grad_(True) for x in xs]
    call(op, ts).backward(tensor(g))
    for k, t in enumerate(ts):
        if op.gradients[k] is not None:
            assert_near(t.grad, twin.gradient(name, k, g, *xs, **parameters), 1e-12, note=f"{name}, operand {k}")
        else:
            assert t.grad is None


@pytest.mark.parametrize("source", CPU_TYPES)
def test_copy_and_fill(source: str, device: str) -> None:
    x = np.arange(24).reshape(2, 3, 4) % (2 if source == "bool" else 100)
    x = round_to(x, source)
    for target in CPU_TYPES:
        for (la, a), (lb, b) in itertools.product(layouts(np.zeros_like(x), target), layouts(x, source)):
            want = np.zeros(x.shape, target)
            memory.copy(want, x)
            a.copy_(b)
            assert_same(a, want, f"{source} {lb} to {target} {la}")
            want = np.zeros(x.shape, target)
            memory.fill(want, 1)
            assert_same(a.fill_(1), want)


def test_bfloat16() -> None:
    every = np.arange(65536).astype(np.uint16)
    values = memory.widen(every)
    numbers = ~np.isnan(values)
    np.testing.assert_array_equal(memory.narrow(values)[numbers], every[numbers])
    x = (
        np.random.default_rng(0).standard_normal(3000) * 10.0 ** np.random.default_rng(1).integers(-40, 38, 3000)
    ).astype("f4")
    np.testing.assert_array_equal(array(tensor(x).to(mt.bfloat16)), memory.widen(memory.narrow(x)))


def test_strided() -> None:
    buffer = np.arange(40.0)
    for shape, strides, offset in (
        ((3, 4), (4, 1), 0),
        ((4, 3), (1, 4), 2),
        ((2, 2, 2), (20, 7, 3), 5),
        ((3, 3), (0, 1), 1),
        ((), (), 7),
        ((0, 2), (2, 1), 0),
    ):
        assert_same(
            tensor(buffer).as_strided(shape, strides, offset), np.array(memory.strided(buffer, shape, strides, offset))
        )


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "amin", "any", "all", "var", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2), (0, 1, 2)], ids=str)
def test_reductions(name: str, axis, device: str) -> None:
    for dtype in CPU_TYPES:
        if dtype not in FLOATS and name in ("mean", "var", "logsumexp"):
            continue
        if name == "prod" and isinstance(axis, tuple):
            continue
        x = round_to(np.random.default_rng(0).integers(-2, 3, (3, 4, 5)) % (2 if dtype == "bool" else 100), dtype)
        want = getattr(reduce, name)(x, axis, False)
        for _, t in layouts(x, dtype):
            got = getattr(mt, name)(t, axis)
            if name_of(got.dtype) in FLOATS:
                assert_near(got, want, RTOL[dtype])
            else:
                np.testing.assert_array_equal(array(got), want)


@pytest.mark.parametrize("name", ["argmax", "argmin", "cumsum", "cumprod"])
def test_places_and_scans(name: str, device: str) -> None:
    for dtype in CPU_TYPES[1:]:
        x = round_to(np.random.default_rng(0).integers(0, 5, (3, 4, 5)), dtype)
        for axis in range(3):
            want = getattr(reduce, name)(x, axis)
            for _, t in layouts(x, dtype):
                got = getattr(mt, name)(t, axis)
                if dtype in FLOATS and name.startswith("cum"):
                    assert_near(got, want, RTOL[dtype])
                else:
                    assert_same(got, want)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax(axis: int, device: str) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("float16", "float32", "float64"):
        x, g = (round_to(rng.standard_normal((5, 7)), dtype) for _ in range(2))
        for name in ("softmax", "log_softmax"):
            want = getattr(softmax, name)(x, axis)
            for _, t in layouts(x, dtype):
                assert_near(getattr(mt, name)(t, axis), want, RTOL[dtype])
            leaf = tensor(x).requires_grad_(True)
            getattr(mt, name)(leaf, axis).backward(tensor(g))
            assert_near(leaf.grad, getattr(softmax, name + "_gradient")(g, want, axis), RTOL[dtype] * 3)


def test_cross_entropy(device: str) -> None:
    rng = np.random.default_rng(0)
    x, target, weight = rng.standard_normal((9, 4)), rng.integers(0, 4, 9), rng.uniform(0.5, 2, 4)
    target[3] = -100
    for reduction in ("mean", "sum", "none"):
        assert_near(
            mt.nn.functional.cross_entropy(tensor(x), tensor(target), tensor(weight), reduction=reduction),
            softmax.cross_entropy(x, target, weight, reduction=reduction),
            1e-13,
        )
    leaf = tensor(x).requires_grad_(True)
    mt.nn.functional.cross_entropy(leaf, tensor(target)).backward()
    assert_near(leaf.grad, softmax.cross_entropy_gradient(x, target), 1e-13)


def test_indexing(device: str) -> None:
    rng = np.random.default_rng(0)
    x, source = rng.standard_normal((3, 4, 5)), rng.standard_normal((3, 4, 5))
    for axis in range(3):
        at = rng.integers(0, 3, (3, 4, 5))
        if hasattr(mt, "index_select"):
            assert_same(
                mt.index_select(tensor(x), axis, tensor([0, 2, 0])), index.index_select(x, axis, np.array([0, 2, 0]))
            )
        if hasattr(mt, "gather"):
            assert_same(mt.gather(tensor(x), axis, tensor(at)), index.gather(x, axis, at))
        if hasattr(mt, "scatter_add"):
            assert_near(
                mt.scatter_add(tensor(x), axis, tensor(at), tensor(source)),
                index.scatter_add(x, axis, at, source),
                1e-14,
            )


def ordered_samples(dtype: str) -> np.ndarray:
    """With equal ones, and what is not a number."""
    rng = np.random.default_rng(0)
    x = round_to(rng.integers(0, 2 if dtype == "bool" else 9, (3, 5, 40)), dtype)
    if dtype in FLOATS:
        x[rng.random(x.shape) < 0.02] = np.nan
        x[rng.random(x.shape) < 0.05] = -0.0
        x[rng.random(x.shape) < 0.05] = -np.inf
    return x


@pytest.mark.parametrize("dtype", CPU_TYPES)
def test_sort(dtype: str, device: str) -> None:
    x = ordered_samples(dtype)
    for axis, descending in itertools.product(range(3), (False, True)):
        want_values, want_places = ordering.sort(x, axis, descending)
        for _, t in layouts(x, dtype):
            values, places = mt.sort(t, dim=axis, descending=descending, stable=True)
            assert_same(values, want_values)
            assert_same(places, want_places)
            assert_same(mt.argsort(t, axis, descending, stable=True), want_places)


@pytest.mark.parametrize("dtype", CPU_TYPES)
def test_selection(dtype: str, device: str) -> None:
    """The values are the twin's, and the places are places of such values."""
    x = ordered_samples(dtype)
    calls = {"topk": (3,), "kthvalue": (2,), "median": (), "mode": ()}
    for axis, (name, arguments) in itertools.product(range(3), calls.items()):
        if dtype == "bool" and name != "mode":
            continue
        numbers = np.nan_to_num(x, nan=7) if name == "mode" and dtype in FLOATS else x
        want, _ = getattr(ordering, name)(numbers, *arguments, axis)
        for _, t in layouts(numbers, dtype):
            values, places = getattr(mt, name)(t, *arguments, dim=axis)
            np.testing.assert_array_equal(array(values), want)
            index = array(places) if name == "topk" else np.expand_dims(array(places), axis)
            at_places = np.take_along_axis(numbers, index, axis)
            assert_same(values, at_places if name == "topk" else at_places.squeeze(axis))


@pytest.mark.parametrize("name", ["cummax", "cummin", "logcumsumexp"])
def test_further_scans(name: str, device: str) -> None:
    for dtype in CPU_TYPES:
        if name == "logcumsumexp" and dtype not in FLOATS:
            continue
        x = ordered_samples(dtype)
        for axis in range(3):
            want = getattr(reduce, name)(x, axis)
            for _, t in layouts(x, dtype):
                got = getattr(mt, name)(t, axis)
                if name == "logcumsumexp":
                    np.testing.assert_allclose(array(got), want, RTOL[dtype], RTOL[dtype])
                else:
                    assert_same(got[0], want[0])
                    assert_same(got[1], want[1])


def test_searching_and_counting(device: str) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("uint8", "int64", "float16", "float32", "float64"):
        line, values = np.sort(round_to(rng.integers(0, 50, 40), dtype)), round_to(rng.integers(0, 60, (7, 5)), dtype)
        for right in (False, True):
            want = ordering.searchsorted(line, values, right)
            for _, t in layouts(values, dtype):
                assert_same(mt.searchsorted(tensor(line), t, right=right), want)
                assert_same(mt.bucketize(t, tensor(line), right=right), want)
    x = rng.integers(0, 20, 100)
    for weights, length in itertools.product((None, rng.standard_normal(100)), (0, 30)):
        got = mt.bincount(tensor(x), None if weights is None else tensor(weights), length)
        assert_near(got, ordering.bincount(x, weights, length), 1e-14)


def test_the_twins_agree_with_the_statement_of_the_operations() -> None:
    """Two independent statements of what each operation computes: the table's text, and the specs of these tests."""
    for name in sorted(set(TABLE) & set(BY_NAME)):
        op, spec = TABLE[name], BY_NAME[name]
        if "f" not in spec.types or spec.true is None or PARAMETERS.get(name):
            continue
        xs = operands_of(op, "float64")
        got = twin.pointwise(name, *xs, **parameters_of(op))
        with np.errstate(all="ignore"):
            want = np.asarray(spec.true(*(x.astype(np.longdouble) for x in xs)))
        if got.dtype == bool:
            np.testing.assert_array_equal(got, want)
        else:
            assert_ulp(got, want, "float64", 600, zeros=False, note=name)
