"""The dtype of a result: every pair of dtypes, as dimensioned tensors, 0-d tensors and Python numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from helpers import DTYPES, FLOATS, INTEGERS, dtype_of, mt, name_of, refuses, round_to, tensor

CATEGORY = {"bool": 0, **dict.fromkeys(INTEGERS, 1), **dict.fromkeys(FLOATS, 2)}

# The common dtype of two dtypes of one category; everything else follows from the rule in `common`.
WITHIN = {
    "uint8": dict(zip(INTEGERS, ["uint8", "int16", "int16", "int32", "int64"])),
    "int8": dict(zip(INTEGERS, ["int16", "int8", "int16", "int32", "int64"])),
    "int16": dict(zip(INTEGERS, ["int16", "int16", "int16", "int32", "int64"])),
    "int32": dict(zip(INTEGERS, ["int32", "int32", "int32", "int32", "int64"])),
    "int64": dict.fromkeys(INTEGERS, "int64"),
    "float16": dict(zip(FLOATS, ["float16", "float32", "float32", "float64"])),
    "bfloat16": dict(zip(FLOATS, ["float32", "bfloat16", "float32", "float64"])),
    "float32": dict(zip(FLOATS, ["float32", "float32", "float32", "float64"])),
    "float64": dict.fromkeys(FLOATS, "float64"),
    "bool": {"bool": "bool"},
}
DIMENSIONED, ZERO_D, NUMBER = 2, 1, 0


def common(*operands: tuple[str, int]) -> str:
    """The rule: the highest category wins; of its members, those with dimensions, else 0-d, else numbers decide."""
    top = max(CATEGORY[name] for name, _ in operands)
    members = [(name, rank) for name, rank in operands if CATEGORY[name] == top]
    best = max(rank for _, rank in members)
    names = [name for name, rank in members if rank == best]
    result = names[0]
    for name in names[1:]:
        result = WITHIN[result][name]
    return result


def operand(name: str, rank: int):
    if rank == NUMBER:
        return {"bool": True, "int64": 3, "float32": 2.5}[name]
    return mt.ones((2,) if rank == DIMENSIONED else (), dtype=dtype_of(name))


OPERANDS = [(n, r) for n in DTYPES for r in (DIMENSIONED, ZERO_D)] + [(n, NUMBER) for n in ("bool", "int64", "float32")]
PAIRS = [(a, b) for a, b in itertools.product(OPERANDS, OPERANDS) if a[1] != NUMBER or b[1] != NUMBER]


def test_promote_types() -> None:
    for a, b in itertools.product(DTYPES, DTYPES):
        assert name_of(mt.promote_types(dtype_of(a), dtype_of(b))) == common((a, 2), (b, 2)), (a, b)


def test_result_type() -> None:
    for a, b in PAIRS:
        assert name_of(mt.result_type(operand(*a), operand(*b))) == common(a, b), (a, b)
    assert mt.result_type(1, 2.5) == mt.float32
    assert mt.result_type(True, 2) == mt.int64


def floating(name: str) -> str:
    return name if name in FLOATS else "float32"


RESULTS = {
    "add": (lambda a, b: mt.add(a, b), common),
    "mul": (lambda a, b: mt.mul(a, b), common),
    "+": (lambda a, b: a + b, common),
    "*": (lambda a, b: a * b, common),
    "div": (lambda a, b: mt.div(a, b), lambda a, b: floating(common(a, b))),
    "/": (lambda a, b: a / b, lambda a, b: floating(common(a, b))),
    "eq": (lambda a, b: mt.eq(a, b), lambda a, b: "bool"),
    "<": (lambda a, b: a < b, lambda a, b: "bool"),
    "floor_divide": (lambda a, b: mt.floor_divide(a, b), common),
    "//": (lambda a, b: a // b, common),
    "pow": (lambda a, b: mt.pow(a, b), common),
    "**": (lambda a, b: a**b, common),
    "where": (lambda a, b: mt.where(mt.tensor([True, False]), a, b), common),
    "maximum": (lambda a, b: mt.maximum(a, b), common),
    "atan2": (lambda a, b: mt.atan2(a, b), lambda a, b: floating(common(a, b))),
}
FIRST_IS_TENSOR = {"add", "mul", "div", "eq", "floor_divide"}
BOTH_ARE_TENSORS = {"maximum", "atan2"}


@pytest.mark.parametrize("op", RESULTS)
def test_dtype_of_results(op: str) -> None:
    f, rule = RESULTS[op]
    for a, b in PAIRS:
        if op in BOTH_ARE_TENSORS and NUMBER in (a[1], b[1]):
            continue
        if op in FIRST_IS_TENSOR and a[1] == NUMBER:
            continue
        if op in ("floor_divide", "//", "pow", "**") and common(a, b) == "bool":
            continue  # refused
        result = f(operand(*a), operand(*b))
        assert name_of(result.dtype) == rule(a, b), (op, a, b)
        assert result.dim() == (1 if op == "where" or DIMENSIONED in (a[1], b[1]) else 0)


def test_dtype_of_in_place_results() -> None:
    """The tensor's own; an operand of a higher category is refused."""
    for a, b in itertools.product(DTYPES, DTYPES):
        x, y = operand(a, DIMENSIONED), operand(b, DIMENSIONED)
        if CATEGORY[b] > CATEGORY[a]:
            with refuses(RuntimeError, "add_", "cast"):
                x.add_(y)
        else:
            assert name_of(x.add_(y).dtype) == a


def test_three_operands() -> None:
    """A 0-d float does not widen a dimensioned one, also through where's and lerp's third operand."""
    half, zero_d = mt.ones(2, dtype=mt.float16), mt.tensor(1.0, dtype=mt.float64)
    assert mt.where(half > 0, half, zero_d).dtype == mt.float16
    assert mt.addcmul(half, half, half).dtype == mt.float16
    assert (mt.ones(2, dtype=mt.int8) + mt.tensor(1.5, dtype=mt.float64)).dtype == mt.float64
    assert (mt.ones(2, dtype=mt.bool) + mt.tensor(1, dtype=mt.uint8)).dtype == mt.uint8


def test_default_dtype() -> None:
    before = mt.get_default_dtype()
    assert before == mt.float32
    try:
        for name in FLOATS:
            mt.set_default_dtype(dtype_of(name))
            assert mt.get_default_dtype() == dtype_of(name)
            made = [
                mt.zeros(2),
                mt.tensor(1.5),
                mt.tensor([1.5, 2]),
                mt.ones(2, dtype=mt.int64) * 2.5,
                mt.ones(2, dtype=mt.int64) / 2,
                mt.full((2,), 1.0),
                mt.linspace(0, 1, 3),
                mt.arange(0.0, 2.0),
                mt.eye(2),
            ]
            assert {name_of(t.dtype) for t in made} == {name}
            assert mt.result_type(mt.ones(2, dtype=mt.int32), 1.5) == dtype_of(name)
            assert (mt.ones(2, dtype=mt.float16) * 2.5).dtype == mt.float16
        for bad in (mt.int64, mt.bool):
            with refuses(TypeError, "float"):
                mt.set_default_dtype(bad)
        for bad in ("junk", None, 3):
            with refuses((TypeError, AttributeError, AssertionError)):
                mt.set_default_dtype(bad)
    finally:
        mt.set_default_dtype(before)


def test_defaults_of_factories() -> None:
    for made, name in [
        (mt.zeros(1), "float32"),
        (mt.tensor(1), "int64"),
        (mt.tensor(True), "bool"),
        (mt.tensor([1, 2.5]), "float32"),
        (mt.tensor([True, 2]), "int64"),
        (mt.arange(3), "int64"),
        (mt.arange(3.0), "float32"),
        (mt.full((1,), 1), "int64"),
        (mt.full((1,), True), "bool"),
        (mt.full((1,), 1.0), "float32"),
        (mt.tensor([]), "float32"),
        (mt.ones(1, dtype=float), "float64"),
        (mt.ones(1, dtype=int), "int64"),
        (mt.ones(1, dtype=bool), "bool"),
    ]:
        assert name_of(made.dtype) == name


def test_can_cast() -> None:
    for a, b in itertools.product(DTYPES, DTYPES):
        assert mt.can_cast(dtype_of(a), dtype_of(b)) == (CATEGORY[a] <= CATEGORY[b]), (a, b)


@pytest.mark.parametrize(
    "name, bits, eps, largest, tiny, digits",
    [
        ("float16", 16, 2.0**-10, 65504.0, 2.0**-14, 1e-3),
        ("bfloat16", 16, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 1e-2),
        ("float32", 32, 2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 1e-6),
        ("float64", 64, 2.0**-52, math.nextafter(math.inf, 0), 2.0**-1022, 1e-15),
    ],
)
def test_finfo(name, bits, eps, largest, tiny, digits) -> None:
    info = mt.finfo(dtype_of(name))
    assert (info.bits, info.eps, info.max, info.min, info.tiny) == (bits, eps, largest, -largest, tiny)
    assert info.smallest_normal == tiny and info.dtype == name and math.isclose(info.resolution, digits, rel_tol=1e-9)
    with refuses(TypeError, name):
        mt.iinfo(dtype_of(name))


@pytest.mark.parametrize("name", INTEGERS)
def test_iinfo(name: str) -> None:
    info, expected = mt.iinfo(dtype_of(name)), np.iinfo(name)
    assert (info.bits, info.max, info.min, info.dtype) == (expected.bits, expected.max, expected.min, name)
    with refuses(TypeError, name):
        mt.finfo(dtype_of(name))


def test_dtype_objects() -> None:
    """They are singletons with PyTorch's attributes, aliases and pickles."""
    import copy
    import pickle

    for name in DTYPES:
        d = dtype_of(name)
        assert name_of(d) == name and isinstance(d, mt.dtype)
        assert (
            d.is_floating_point == (name in FLOATS)
            and d.is_signed == (name not in ("bool", "uint8"))
            and not d.is_complex
        )
        assert d.itemsize == (2 if name in ("float16", "bfloat16") else np.dtype(name).itemsize)
        assert pickle.loads(pickle.dumps(d)) is d and copy.deepcopy(d) is d and {d: 1}[d] == 1
        assert tensor([0], name).element_size() == d.itemsize
    for alias, name in (
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("int", "int32"),
        ("long", "int64"),
        ("short", "int16"),
    ):
        assert getattr(mt, alias) is dtype_of(name)


@pytest.mark.parametrize("source", DTYPES)
def test_conversions(source: str, device: str) -> None:
    """Every dtype to every other, in every layout: floats truncate towards 0, anything not zero is True."""
    from helpers import assert_same, layouts, numpy_type

    x = np.array([[0, 1, 2, 3], [100, 17, 65, 127]], np.float64)
    if source in FLOATS:
        x[0] += [0.0, 0.75, 0.5, 0.1]
    x = round_to(x, source)
    for target in DTYPES:
        want = round_to(x.astype(np.float64) if target in FLOATS else x, target)
        for layout, t in layouts(x, source):
            got = t.to(dtype_of(target))
            assert name_of(got.dtype) == target and got.stride() is not None
            assert_same(got, want.astype(numpy_type(target)), f"{source} to {target}, {layout}")
    t = tensor(x, source)
    assert t.to(dtype_of(source)) is t and t.to(dtype_of(source), copy=True).data_ptr() != t.data_ptr()
    for method, name in (
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("bfloat16", "bfloat16"),
        ("int", "int32"),
        ("long", "int64"),
        ("short", "int16"),
        ("char", "int8"),
        ("byte", "uint8"),
        ("bool", "bool"),
    ):
        assert name_of(getattr(t, method)().dtype) == name


def test_rounding_of_conversions(device: str) -> None:
    """To the nearest, ties to even, overflow to infinity, into denormals."""
    from helpers import array, assert_same

    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.standard_normal(2000) * 10.0 ** rng.integers(-9, 6, 2000),
            [65504, 65519, 65520, 1e-8, 6e-8, 2.98e-8, 0, -0.0, np.inf, np.nan],
        ]
    )
    with np.errstate(over="ignore"):
        f4 = x.astype("f4")
        assert_same(tensor(f4).to(mt.float16), f4.astype("f2"))
        assert_same(tensor(x).to(mt.float32), f4)
        np.testing.assert_array_equal(array(tensor(f4).to(mt.bfloat16)), round_to(f4, "bfloat16"))
        every = np.arange(65536).astype(np.uint16).view(np.float16)
        assert_same(tensor(every).to(mt.float32), every.astype("f4"))
        assert_same(tensor(every).to(mt.float32).to(mt.float16), every)
