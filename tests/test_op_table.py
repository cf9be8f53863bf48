"""The table of pointwise operations: its texts, their derivatives, and the C that is printed from them.

The texts are evaluated with mpmath's functions at 40 digits, so that a derivative can be held against a difference
quotient without tolerance for either.  The engine is not needed: the loops are compiled here and called with ctypes.
"""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import math
import random
import shutil
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "minitorch" / "_ext" / "include"


def load(path: Path):
    spec = importlib.util.spec_from_file_location(f"table_test_{path.stem}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load(ROOT / "minitorch" / "ops" / "generate.py")
pointwise = generate.pointwise
TABLE = pointwise.TABLE
OPS = list(TABLE.values())
inf, nan = math.inf, math.nan

# ---------------------------------------------------------------------------------------------------------------------
# The language in exact arithmetic

mp = mpmath.mp.clone()
mp.dps = 40


def truncate(x):
    return mp.ceil(x) if x < 0 else mp.floor(x)


FUNCTIONS = {
    "conj": lambda v: v,  # the points are real
    **{name: getattr(mp, name) for name in "exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh".split()},
    **{name: getattr(mp, name) for name in "asinh acosh atanh erf erfc erfinv sqrt hypot floor ceil digamma".split()},
    "where": lambda condition, a, b: a if condition else b,
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "square": lambda x: x * x,
    "pow": lambda x, y: x**y,
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "trunc": truncate,
    "round": mp.nint,
    "frac": lambda x: x - truncate(x),
    "floor_divide": lambda x, y: mp.floor(mp.mpf(x) / y),
    "trunc_divide": lambda x, y: truncate(mp.mpf(x) / y),
    "remainder": lambda x, y: x - y * mp.floor(mp.mpf(x) / y),
    "fmod": lambda x, y: x - y * truncate(mp.mpf(x) / y),
    "atan2": mp.atan2,
    "sinc": mp.sincpi,
    "copysign": lambda x, y: abs(x) if y > 0 else -abs(x),
    "ldexp": lambda x, y: x * mp.power(2, y),
    "maximum": max,
    "minimum": min,
    "fmax": max,
    "fmin": min,
    "logit": lambda x: mp.log(x / (1 - x)),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "logaddexp2": lambda x, y: mp.log(mp.power(2, x) + mp.power(2, y), 2),
    "xlogy": lambda x, y: x * mp.log(y),
    "xlog1py": lambda x, y: x * mp.log1p(y),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "normcdf": mp.ncdf,
    "normpdf": mp.npdf,
    "gelu_slope": lambda x: mp.ncdf(x) + x * mp.npdf(x),
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
    "polygamma": lambda x, n: mp.psi(n, x),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "i0e": lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
    "i1e": lambda x: mp.exp(-abs(x)) * mp.besseli(1, x),
    "ndtri": lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "log_ndtr": lambda x: mp.log(mp.ncdf(x)),
    "zeta": lambda s, q: mp.zeta(s, q),
    "igamma": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
    "igammac": lambda a, x: mp.gammainc(a, x, regularized=True),
    "isnan": lambda x: False,
    "isinf": lambda x: False,
    "isfinite": lambda x: True,
    "isposinf": lambda x: False,
    "isneginf": lambda x: False,
    "signbit": lambda x: x < 0,
    "left_shift": lambda x, y: x << y,
    "right_shift": lambda x, y: x >> y,
    "gcd": math.gcd,
    "lcm": math.lcm,
}
UNEVALUATED = {"nextafter"}  # a function of the type, not of numbers

PARAMETERS = {
    "add_scaled": {"alpha": 3},
    "addcmul": {"value": 2},
    "addcdiv": {"value": 2},
    "clamp": {"min": 0, "max": 1},
    "nan_to_num": {"nan": 1, "posinf": 2, "neginf": 3},
    "elu": {"alpha": 2, "scale": 3, "input_scale": 0.5},
    "celu": {"alpha": 2},
    "softplus": {"beta": 2, "threshold": 3},
    "hardtanh": {"min_val": 0, "max_val": 1},
    "threshold": {"threshold": 1, "value": 9},
    "smooth_l1": {"beta": 0.5},
    "huber": {"delta": 0.5},
    "polygamma": {"n": 2},
}
POSITIVE = "log log2 log10 sqrt rsqrt lgamma digamma polygamma pow entr igamma igammac".split()
UNIT = "binary_cross_entropy logit ndtri".split()
DOMAINS = {
    **dict.fromkeys(POSITIVE, (0.1, 3)),
    **dict.fromkeys(UNIT, (0.05, 0.95)),
    **dict.fromkeys(["asin", "acos", "atanh", "erfinv", "log1p", "xlog1py"], (-0.95, 0.95)),
    "acosh": (1.1, 3),
    "zeta": (1.5, 3),
    "xlogy": (0.1, 3),
    "hardswish": (-4, 4),
    "hardsigmoid": (-4, 4),
    "relu6": (-2, 8),
}


def parameters_of(op) -> dict[str, float]:
    return PARAMETERS.get(op.name) or {name: float(default) for name, default in op.parameters.items()}


def points_of(op, n=12, integers=False):
    """Random operands, the same at each run; none at 0, and the mask of `where` both true and false."""
    generator = random.Random(op.name)
    low, high = (-9, 9) if integers else DOMAINS.get(op.name, (-2, 2))
    for _ in range(n):
        if integers:
            values = [generator.choice([k for k in range(low, high) if k]) for _ in op.operands]
        else:
            values = [float(np.float32(generator.uniform(low, high))) for _ in op.operands]
        if op.mask_first:
            values[0] = values[0] > 0
        yield values


def evaluate(op, text: str, names: dict):
    code = pointwise.compile_text(text, frozenset(op.parameters))
    return eval(code, {"__builtins__": {}, **FUNCTIONS, **parameters_of(op)}, dict(names))


def exact(op, values):
    """The operands and the result as names for a derivative text, in exact arithmetic."""
    names = {name: value if isinstance(value, bool) else mp.mpf(value) for name, value in zip(op.operands, values)}
    return {**names, "y": evaluate(op, op.y, names)}


def by_name(op):
    return op.name


every_op = pytest.mark.parametrize("op", OPS, ids=by_name)

# ---------------------------------------------------------------------------------------------------------------------
# The texts


def calls_in(text: str) -> set[str]:
    return {node.func.id for node in ast.walk(pointwise.parse(text)) if isinstance(node, ast.Call)}


def free_names(text: str) -> set[str]:
    tree = pointwise.parse(text)
    bound = {node.target.id for node in ast.walk(tree) if isinstance(node, ast.NamedExpr)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound - calls_in(text)


@every_op
def test_texts_use_known_names(op):
    known = {*op.operands, *op.parameters, *pointwise.CONSTANTS}
    assert free_names(op.y) <= known
    for text in filter(None, op.gradients):
        assert free_names(text) <= known | {"g", "y"}


@every_op
def test_functions_of_derivatives_are_operations(op):
    """Since derivatives are evaluated over Tensors, each function they call must have a derivative itself."""
    for text in filter(None, op.gradients):
        for name in calls_in(text) - {"where"}:
            assert name in TABLE
            assert TABLE[name].result_bool or None not in TABLE[name].gradients or name == "zeta"  # in its second alone


@every_op
def test_where_has_a_tensor_branch(op):
    """Of two numbers, `where` over Tensors would make a tensor of the default type, not of the operands'."""
    for text in filter(None, op.gradients):
        for node in ast.walk(pointwise.parse(text)):
            if isinstance(node, ast.Call) and node.func.id == "where":
                operands = [free_names(ast.unparse(branch)) - {*op.parameters} for branch in node.args[1:]]
                assert any(names - {*pointwise.CONSTANTS} for names in operands) or calls_or_names(node)


def calls_or_names(node: ast.Call) -> bool:
    """Whether a branch is a name bound earlier in the text."""
    return any(isinstance(part, ast.Name) for branch in node.args[1:] for part in ast.walk(branch))


@pytest.mark.parametrize("op", [op for op in OPS if op.home and not op.custom], ids=by_name)
def test_public_operations_are_documented(op):
    assert op.doc.endswith(".") and op.math and " -> " in op.example


@every_op
def test_power_operator_and_others_are_refused(op):
    printer = generate.Printer(generate.FLOATS[0], op.parameters)
    for text in ("x ** 2", "x // 2", "x[0]", "x.y", "not x", "+x"):
        with pytest.raises(SyntaxError):
            printer(text)


@pytest.mark.parametrize("op", [op for op in OPS if any(op.gradients) and op.name not in UNEVALUATED], ids=by_name)
def test_derivative_is_that_of_the_text(op):
    for values in points_of(op):
        names = exact(op, values)
        for k, text in enumerate(op.gradients):
            if text is None:
                continue
            name = op.operands[k]
            slope = mp.diff(lambda v: evaluate(op, op.y, {**names, name: v}), names[name])
            assert abs(evaluate(op, text, {**names, "g": mp.mpf(3)}) - 3 * slope) < 1e-11, (values, name)


def test_constants_are_filled_in():
    code = pointwise.compile_text("g * ln2 + nan", frozenset({"nan"}))
    assert eval(code, {"g": 2.0, "nan": 1.0}) == 2 * math.log(2) + 1


def test_gradients_are_code():
    assert eval(TABLE["mul"].gradient(0), {"g": 2, "x1": 3, "x2": 5}) == 10
    assert TABLE["eq"].gradient(1) is None


# ---------------------------------------------------------------------------------------------------------------------
# What is generated


def test_generated_files_follow_the_table_and_are_rewritten_only_if_changed(tmp_path):
    paths = generate.generate(tmp_path)
    times = [path.stat().st_mtime_ns for path in paths]
    header = paths[0].read_text()
    order = [header.index(f"    MT_OP_{name},\n") for name in TABLE]
    assert order == sorted(order)
    source = paths[1].read_text()
    rows = [source.index(f'    {{"{name}", ') for name in TABLE]
    assert rows == sorted(rows)
    assert [path.stat().st_mtime_ns for path in generate.generate(tmp_path)] == times
    paths[0].write_text("stale")
    assert generate.generate(tmp_path)[0].read_text() == header


class Scalar(ctypes.Union):
    _fields_ = [
        ("f32", ctypes.c_float),
        ("f64", ctypes.c_double),
        ("i64", ctypes.c_int64),
        ("i32", ctypes.c_int32),
        ("i16", ctypes.c_int16),
        ("i8", ctypes.c_int8),
        ("u8", ctypes.c_uint8),
        ("b8", ctypes.c_uint8),
        ("c128", ctypes.c_double * 2),
    ]


Loop = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_void_p), ctypes.c_ssize_t, ctypes.POINTER(Scalar))


class Grad(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_uint8),
        ("n_operands", ctypes.c_uint8),
        ("operands", ctypes.c_uint8 * 6),
        ("loop", Loop * 2),
    ]


class Row(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("n_inputs", ctypes.c_uint8),
        ("n_params", ctypes.c_uint8),
        ("types", ctypes.c_uint8),
        ("result_bool", ctypes.c_uint8),
        ("mask_first", ctypes.c_uint8),
        ("saves", ctypes.c_uint8),
        ("integer_division", ctypes.c_uint8),
        ("loop", Loop * 12),
        ("number", (Loop * 2) * 2),
        ("grad", Grad * 3),
    ]


NUMPY = {"b8": "bool", "u8": "u1", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "f32": "f4", "f64": "f8"}
CODES = {"b8": 0, "u8": 1, "i8": 2, "i16": 3, "i32": 4, "i64": 5, "f32": 8, "f64": 9,
         "c64": 10, "c128": 11}  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The compiled table, by name."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not (INCLUDE / "mathfun.h").exists():
        pytest.skip("no C compiler")
    directory = tmp_path_factory.mktemp("loops")
    generate.generate(directory)
    (directory / "mt_config.h").write_text("")
    (directory / "table.c").write_text(
        '#include "pointwise_loops.c"\nconst mt_pointwise_op *table(void) { return mt_pointwise; }\n'
    )
    command = [compiler, "-O1", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC", "-Wall", "-Werror"]
    command += [f"-I{INCLUDE}", f"-I{directory}", str(directory / "table.c"), "-o", str(directory / "table.so"), "-lm"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(directory / "table.so"))
    library.table.restype = ctypes.POINTER(Row)
    table = library.table()
    found = {table[k].name.decode(): table[k] for k in range(len(TABLE))}
    found["library"] = library  # keep it loaded
    return found


def call(loop, op, output, inputs, suffix):
    """Run a loop over arrays."""
    pointers = (ctypes.c_void_p * (1 + len(inputs)))(output.ctypes.data, *(array.ctypes.data for array in inputs))
    scalars = (Scalar * 4)()
    for scalar, value in zip(scalars, parameters_of(op).values()):
        whole = int(value != 0) if suffix == "b8" else int(value)
        setattr(scalar, suffix, value if suffix in ("f32", "f64") else whole)
    loop(pointers, output.size, scalars)
    return output


def arrays_of(op, points, suffix):
    """One array for each operand."""
    return [
        np.array(column, bool if op.mask_first and k == 0 else NUMPY[suffix]) for k, column in enumerate(zip(*points))
    ]


def gradient(rows, op, k, g, inputs, y, suffix="f64"):
    """The gradient of operand k, by the loop or as the row says."""
    grad = rows[op.name].grad[k]
    if grad.kind != 3:
        return {1: g, 2: -g, 4: 0 * g}[grad.kind]
    operands = [g, *inputs, None, None][:4] + [y]
    taken = [operands[code] for code in grad.operands[: grad.n_operands]]
    return call(grad.loop[suffix == "f64"], op, np.empty_like(g), taken, suffix)


@every_op
def test_rows_say_what_the_table_says(rows, op):
    row = rows[op.name]
    assert (row.n_inputs, row.n_params, row.types) == (op.n_inputs, len(op.parameters), op.types)
    assert (row.result_bool, row.mask_first) == (op.result_bool, op.mask_first)
    assert {suffix for suffix, code in CODES.items() if row.loop[code]} == {t.suffix for t in generate.types_of(op)}
    needed = {code for grad in row.grad[: row.n_inputs] for code in grad.operands[: grad.n_operands]} - {0}
    assert row.saves == sum(1 << code for code in needed)
    assert row.integer_division == (op.name in ("floor_divide", "trunc_divide", "remainder", "fmod"))


def loops_of(suffixes: str):
    """Each operation with each of the types that it has a loop for."""
    pairs = [(op, t.suffix) for op in OPS if op.name not in UNEVALUATED for t in generate.types_of(op)]
    pairs = [(op, suffix) for op, suffix in pairs if suffix in suffixes.split()]
    return pytest.mark.parametrize("op, suffix", pairs, ids=[f"{op.name}-{suffix}" for op, suffix in pairs])


@loops_of("f32 f64")
def test_loops_compute_the_text(rows, op, suffix):
    tolerance = {"f64": 1e-12, "f32": 2e-5}[suffix]
    row = rows[op.name]
    points = list(points_of(op, 40))
    inputs = arrays_of(op, points, suffix)
    y = np.empty(40, bool if op.result_bool else NUMPY[suffix])
    call(row.loop[CODES[suffix]], op, y, inputs, suffix)
    names = [exact(op, values) for values in points]
    np.testing.assert_allclose(y, [float(n["y"]) for n in names], rtol=tolerance, atol=tolerance)
    g = np.linspace(1, 2, 40, dtype=NUMPY[suffix])
    for k, text in enumerate(op.gradients):
        if text is not None:
            expected = [float(evaluate(op, text, {**n, "g": mp.mpf(float(v))})) for n, v in zip(names, g)]
            result = gradient(rows, op, k, g, inputs, y, suffix)
            np.testing.assert_allclose(result, expected, rtol=tolerance * 10, atol=tolerance * 10)


@pytest.mark.parametrize("suffix", ["f32", "f64"])
@pytest.mark.parametrize("name", sorted(generate.NUMBER_TOO))
def test_loops_with_a_number_compute_the_same(rows, name, suffix):
    op, row = TABLE[name], rows[name]
    points = list(points_of(op, 40))
    out = bool if op.result_bool else NUMPY[suffix]
    for k in range(2):
        inputs = arrays_of(op, points, suffix)
        inputs[k][:] = inputs[k][7]
        expected = call(row.loop[CODES[suffix]], op, np.empty(40, out), inputs, suffix)
        inputs[k] = inputs[k][7:8].copy()
        result = call(row.number[k][suffix == "f64"], op, np.empty(40, out), inputs, suffix)
        np.testing.assert_array_equal(result, expected)


@loops_of("b8 u8 i8 i16 i32 i64")
def test_integer_loops_compute_the_text(rows, op, suffix):
    row = rows[op.name]
    points = list(points_of(op, 40, integers=True))
    if suffix in ("b8", "u8"):
        points = [[value if isinstance(value, bool) else abs(value) for value in values] for values in points]
    if "shift" in op.name or op.name == "pow":
        points = [[values[0], abs(values[1]) % 3] for values in points]
    if suffix == "b8":
        points = [[value % 2 for value in values] for values in points]
    inputs = arrays_of(op, points, suffix)
    y = np.empty(40, bool if op.result_bool else NUMPY[suffix])
    call(row.loop[CODES[suffix]], op, y, inputs, suffix)
    text = op.integer or op.y
    results = [int(evaluate(op, text, dict(zip(op.operands, values)))) for values in points]
    if y.dtype == bool:
        expected = [bool(value & 1 if op.name == "bitwise_not" else value) for value in results]
    else:
        expected = np.array(results).astype(y.dtype)
    np.testing.assert_array_equal(y, expected)


@loops_of("f64")
def test_output_may_be_an_input_and_empty(rows, op, suffix):
    if op.result_bool or op.mask_first:
        return  # of another type
    loop = rows[op.name].loop[CODES["f64"]]
    for overwritten in range(op.n_inputs):
        inputs = arrays_of(op, list(points_of(op, 40)), "f64")
        expected = call(loop, op, np.empty(40), inputs, "f64")
        call(loop, op, inputs[overwritten][:0], inputs, "f64")
        assert np.array_equal(call(loop, op, inputs[overwritten], inputs, "f64"), expected, equal_nan=True)


def test_integers_wrap(rows):
    for name, values, expected in [("add", [127, 1], -128), ("mul", [100, 100], 16), ("neg", [-128], -128)]:
        op = TABLE[name]
        y = call(rows[name].loop[CODES["i8"]], op, np.empty(1, "i1"), arrays_of(op, [values], "i8"), "i8")
        assert y[0] == expected


# What PyTorch 2.13 gives at kinks, poles and infinities, for g = 1.
AWKWARD = [
    ("abs", [0.0], [0]),
    ("sign", [0.0], [0]),
    ("sqrt", [0.0], [inf]),
    ("rsqrt", [0.0], [-inf]),
    ("reciprocal", [0.0], [-inf]),
    ("log", [0.0], [inf]),
    ("logit", [0.0], [inf]),
    ("logit", [2.0], [nan]),
    ("sinc", [0.0], [0]),
    ("i0", [0.0], [0]),
    ("lgamma", [0.0], [-inf]),
    ("lgamma", [inf], [inf]),
    ("digamma", [0.0], [inf]),
    ("digamma", [inf], [0]),
    ("relu", [0.0], [0]),
    ("relu", [nan], [1]),
    ("relu6", [6.0], [0]),
    ("hardtanh", [1.0], [0]),
    ("clamp", [1.0], [1]),
    ("clamp", [0.0], [1]),
    ("clamp", [nan], [0]),
    ("leaky_relu", [0.0], [0.01]),
    ("elu", [0.0], [3]),
    ("elu", [1e4], [3]),
    ("selu", [0.0], [1.7580993408473766]),
    ("celu", [inf], [1]),
    ("celu", [-inf], [0]),
    ("hardswish", [-3.0], [0]),
    ("hardswish", [3.0], [1]),
    ("hardsigmoid", [3.0], [0]),
    ("hardsigmoid", [nan], [0]),
    ("hardshrink", [0.5], [0]),
    ("softshrink", [-0.5], [0]),
    ("softplus", [inf], [1]),
    ("log_sigmoid", [-inf], [1]),
    ("threshold", [1.0], [0]),
    ("nan_to_num", [nan], [0]),
    ("nan_to_num", [inf], [0]),
    ("maximum", [1.0, 1.0], [0.5, 0.5]),
    ("maximum", [nan, 1.0], [1, 1]),
    ("minimum", [2.0, 2.0], [0.5, 0.5]),
    ("fmax", [1.0, 1.0], [1, 0]),
    ("fmax", [nan, 1.0], [0, 1]),
    ("fmin", [1.0, nan], [1, 0]),
    ("pow", [0.0, 0.0], [0, 0]),
    ("pow", [0.0, 2.0], [0, 0]),
    ("pow", [0.0, 0.5], [inf, 0]),
    ("pow", [0.0, -1.0], [-inf, -inf]),
    ("pow", [nan, 0.0], [0, nan]),
    ("xlogy", [0.0, 0.0], [0, nan]),
    ("xlogy", [0.0, 2.0], [math.log(2), 0]),
    ("xlog1py", [0.0, -1.0], [0, nan]),
    ("atan2", [0.0, 0.0], [0, 0]),
    ("atan2", [0.0, -1.0], [-1, 0]),
    ("hypot", [inf, 1.0], [nan, 0]),
    ("logaddexp", [-inf, 1.0], [0, 1]),
    ("logaddexp", [inf, 1.0], [1, 0]),
    ("fmod", [-5.0, 3.0], [1, 1]),
    ("fmod", [5.0, inf], [1, 0]),
    ("remainder", [-5.0, 3.0], [1, 2]),
    ("remainder", [-5.0, inf], [1, 1]),
    ("copysign", [0.0, -3.0], [0, 0]),
    ("copysign", [2.0, -0.0], [-1, 0]),
    ("div", [1.0, 0.0], [inf, -inf]),
    ("clamp_tensor", [1.0, 1.0, 1.0], [1, 0, 0]),
    ("clamp_tensor", [1.0, 2.0, 1.0], [0, 0, 1]),
    ("clamp_min", [1.0, 1.0], [1, 0]),
    ("clamp_max", [1.0, 1.0], [1, 0]),
    ("huber", [0.5, 0.0], [0.5, -0.5]),
    ("smooth_l1", [0.0, nan], [nan, nan]),
    ("abs_difference", [1.0, 1.0], [0, 0]),
    # Here PyTorch has NaN, and we a number.
    ("hypot", [0.0, 0.0], [0, 0]),
    ("logaddexp", [inf, inf], [0.5, 0.5]),
    ("logaddexp2", [-inf, -inf], [0.5, 0.5]),
]


@pytest.mark.parametrize("name, values, expected", AWKWARD)
def test_gradients_at_awkward_points(rows, name, values, expected):
    op = TABLE[name]
    inputs = arrays_of(op, [values], "f64")
    y = call(rows[name].loop[CODES["f64"]], op, np.empty(1), inputs, "f64")
    result = [gradient(rows, op, k, np.ones(1), inputs, y)[0] for k in range(op.n_inputs)]
    np.testing.assert_allclose(result, expected, rtol=1e-14)


def test_series_of_the_derivative_of_sinc_meets_the_formula(rows):
    """At the border between them, and down to 0, to the accuracy of the type."""
    op = TABLE["sinc"]
    x = np.concatenate([np.linspace(-0.06, 0.06, 101), np.geomspace(1e-12, 1, 50)])
    y = call(rows["sinc"].loop[CODES["f64"]], op, np.empty_like(x), [x], "f64")
    expected = [float(mp.diff(mp.sincpi, mp.mpf(v))) if v else 0 for v in x]
    np.testing.assert_allclose(gradient(rows, op, 0, np.ones_like(x), [x], y), expected, rtol=1e-11, atol=1e-20)
