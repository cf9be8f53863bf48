"""What the engine's tests share: the module under test, dtypes, layouts, comparison, the gradient checker.

The tests speak PyTorch's interface only, so ``MINITORCH_TEST_MODE=torch`` runs them on PyTorch itself: a test that
PyTorch fails is wrong (or is about something that only minitorch promises, and then says so with `only_here`).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

ORACLE = os.environ.get("MINITORCH_TEST_MODE", "") == "torch"
MODULE = "torch" if ORACLE else "minitorch"

if ORACLE:
    import torch as mt
else:
    import minitorch as mt

with contextlib.suppress(ImportError):
    importlib.import_module(f"{MODULE}.nn.functional")

only_here = pytest.mark.skipif(ORACLE, reason="a promise of minitorch's own, which PyTorch does not make")

# ---------------------------------------------------------------------------------------------------------------------
# dtypes

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
HALVES = ["float16", "bfloat16"]
FLOATS = [*HALVES, "float32", "float64"]
DTYPES = ["bool", *INTEGERS, *FLOATS]

# (significand bits, least exponent, greatest exponent) of the float formats
FORMATS = {
    "float16": (11, -14, 15),
    "bfloat16": (8, -126, 127),
    "float32": (24, -126, 127),
    "float64": (53, -1022, 1023),
}


def dtype_of(name: str):
    """The module's dtype object of that name."""
    return getattr(mt, name)


def name_of(dtype) -> str:
    """'float32' for the dtype that prints as ``torch.float32`` or ``minitorch.float32``."""
    return str(dtype).rsplit(".", 1)[-1]


def numpy_type(name: str) -> np.dtype:
    """The NumPy type that holds every value of the dtype (float32 for bfloat16, which NumPy lacks)."""
    return np.dtype("float32" if name == "bfloat16" else name)


def round_to_bfloat16(x: np.ndarray) -> np.ndarray:
    """float32 values rounded to the nearest bfloat16, ties to even, still stored as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    rounded = bits.astype(np.uint32).view(np.float32)
    return np.where(np.isnan(x), np.float32(np.nan), rounded).reshape(np.shape(x))


def round_to(x: np.ndarray, name: str) -> np.ndarray:
    """`x` converted to the dtype's values, in `numpy_type(name)`."""
    with np.errstate(all="ignore"):
        y = np.asarray(x).astype(numpy_type(name))
    return round_to_bfloat16(y) if name == "bfloat16" else y


# ---------------------------------------------------------------------------------------------------------------------
# tensors from arrays and back


def tensor(x, name: str | None = None):
    """A fresh contiguous tensor with the values of `x`, of dtype `name` (that of `x` if not given)."""
    x = np.asarray(x)
    name = name or x.dtype.name
    t = mt.tensor(np.array(round_to(x, name), order="C"))
    return t.to(mt.bfloat16) if name == "bfloat16" else t


def array(t) -> np.ndarray:
    """The values of a tensor as a NumPy array of its own (bfloat16 as float32)."""
    t = t.detach()
    if name_of(t.dtype) == "bfloat16":
        t = t.to(mt.float32)
    return np.array(t.numpy(force=True) if ORACLE else t.cpu().numpy())  # PyTorch has lazy zeros


def layouts(x: np.ndarray, name: str | None = None) -> Iterator[tuple[str, object]]:
    """Tensors equal to `x`, each laid out differently in memory: (what it is called, tensor)."""
    x = np.asarray(x)
    name = name or x.dtype.name
    yield "contiguous", tensor(x, name)
    if x.ndim == 0:
        yield "element", tensor(np.stack([np.zeros_like(x), x, np.zeros_like(x)]), name)[1]
        return
    other = np.ones_like(x)
    yield "offset", tensor(np.concatenate([other[:1], x, other[:1]]), name)[other[:1].shape[0] :][: x.shape[0]]
    yield "stepped", tensor(np.stack([x, other], -1).reshape(*x.shape[:-1], 2 * x.shape[-1]), name)[..., ::2]
    yield "column", tensor(np.stack([other, x, other], -1), name)[..., 1]
    if x.ndim >= 2:
        yield "transposed", tensor(x.swapaxes(0, -1), name).transpose(0, -1)
        wide = np.concatenate([other, x, other], -2)
        yield "window", tensor(wide, name)[..., x.shape[-2] : 2 * x.shape[-2], :]
    if x.ndim >= 3:
        order = [*range(1, x.ndim), 0]
        yield "permuted", tensor(x.transpose(np.argsort(order)), name).permute(*order)


# ---------------------------------------------------------------------------------------------------------------------
# comparison


def ulp_error(actual: np.ndarray, true: np.ndarray, name: str, scale: np.ndarray | float = 0.0) -> np.ndarray:
    """Distance of `actual` from `true` in units in the last place of the format `name`; inf where kinds differ.

    The unit is that of the larger of `true` and `scale`; `true` is in higher precision. An infinity counts as the
    first power of two that does not fit, so that overflowing where the true value is just below it is a small error
    and overflowing early is a large one.
    """
    bits, low, high = FORMATS[name]
    actual, true = np.asarray(actual, np.longdouble), np.asarray(true, np.longdouble)
    limit = np.longdouble(2) ** (high + 1)
    size = np.fmax(abs(true), np.broadcast_to(np.asarray(scale, np.longdouble), true.shape))
    size = np.minimum(np.where(np.isnan(size), 1, size), limit)
    exponent = np.clip(np.where(size == 0, low, np.frexp(size)[1] - 1), low, high)
    with np.errstate(all="ignore"):
        error = abs(np.clip(actual, -limit, limit) - np.clip(true, -limit, limit)) / np.ldexp(
            np.longdouble(1), exponent - bits + 1
        )
    return np.where(np.isnan(actual) & np.isnan(true), 0.0, np.where(np.isnan(error), np.inf, error))


def assert_ulp(
    actual: np.ndarray, true: np.ndarray, name: str, bound: float, zeros: bool = True, scale=0.0, note: str = ""
) -> None:
    """Every element within `bound` ulp of the true value and, with `zeros`, of the same sign even where it is 0."""
    assert actual.shape == true.shape, (note, actual.shape, true.shape)
    error = ulp_error(actual, true, name, scale)
    bad = ~(error <= bound)
    if zeros:
        bad |= ~np.isnan(true) & (np.signbit(actual) != np.signbit(true))
    if bad.any():
        i = tuple(np.argwhere(bad)[0])
        raise AssertionError(
            f"{note} {name}: {bad.sum()} of {bad.size} wrong, first at {i}: {actual[i]!r}, expected {true[i]!r}, "
            f"{float(error[i]):.3g} ulp"
        )


def assert_same(actual, expected: np.ndarray, note: str = "") -> None:
    """Equal shape, dtype and values (NaN equals NaN, 0 and -0 are told apart)."""
    actual = actual if isinstance(actual, np.ndarray) else array(actual)
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, (note, actual.shape, expected.shape)
    assert actual.dtype == expected.dtype, (note, actual.dtype, expected.dtype)
    np.testing.assert_array_equal(actual, expected, err_msg=note)
    if actual.dtype.kind == "f":
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(actual)[number], np.signbit(expected)[number], f"{note}: sign of zero")


def assert_near(actual, expected: np.ndarray, rtol: float = 1e-6, atol: float = 0.0, note: str = "") -> None:
    """Equal shape and values to a tolerance relative to the largest magnitude expected."""
    actual = actual if isinstance(actual, np.ndarray) else array(actual)
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, (note, actual.shape, expected.shape)
    finite = np.abs(expected[np.isfinite(expected)]) if expected.size else expected
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        actual.astype(np.float64), expected.astype(np.float64), rtol=rtol, atol=max(atol, rtol * scale), err_msg=note
    )


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Element strides of a contiguous tensor."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def storage_start(t) -> int:
    """The address where a tensor's storage begins."""
    return t.data_ptr() - t.storage_offset() * t.element_size()


def shares_memory(a, b) -> bool:
    """Whether two tensors are views of one storage (those without elements may have no address)."""
    return a.numel() == 0 or b.numel() == 0 or storage_start(a) == storage_start(b)


@contextlib.contextmanager
def refuses(kind: type[BaseException] | tuple[type[BaseException], ...], *fragments: str) -> Iterator[None]:
    """The block must raise exactly PyTorch's class of error, with every fragment in minitorch's message."""
    with pytest.raises(kind) as caught:
        yield
    if not ORACLE:
        message = str(caught.value)
        for fragment in fragments:
            assert fragment.lower() in message.lower(), f"{fragment!r} is not in {message!r}"
        assert len(message) > 8, f"a message that says nothing: {message!r}"


def run_python(code: str, *, timeout: float = 300, prefix: str = "", **environment: str) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter, with ``mt`` imported; `prefix` is shell run before it (ulimit ...)."""
    code = f"import {MODULE} as mt\n" + textwrap.dedent(code)
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.pathsep.join(p for p in (here, os.environ.get("PYTHONPATH", "")) if p)
    command = [sys.executable, "-c", code]
    if prefix:
        command = ["bash", "-c", prefix + ' exec "$@"', "bash", *command]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path, **environment},
    ) as child:
        try:
            output, errors = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # its own children too
            output, errors = child.communicate()
            errors += f"\nstill running after {timeout} s"
    return subprocess.CompletedProcess(command, child.returncode, output, errors)


def succeed(code: str, **options) -> str:
    """Run code in a fresh interpreter and return what it printed; fails with its error output if it fails."""
    done = run_python(code, **options)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


# ---------------------------------------------------------------------------------------------------------------------
# gradients


def _as_tuple(y) -> tuple:
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def _directional(value: Callable[[float], float], step: float) -> float:
    """Derivative at 0 of a function of one number: central differences of the fourth order."""
    return (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step)


def _check_first_order(
    function: Callable, points: list[np.ndarray], seed: int, step: float, rtol: float, what: str
) -> None:
    """Compare <grad s, v> with d/dh s(x + h v), where s(x) = <u, f(x)>, for random u and v over all inputs at once."""
    rng = np.random.default_rng(seed)
    leaves = [mt.tensor(p).requires_grad_(True) for p in points]
    outputs = _as_tuple(function(*leaves))
    weights = [
        mt.tensor(np.asarray(rng.uniform(0.5, 1.5, tuple(y.shape)) * rng.choice([-1, 1], tuple(y.shape))))
        for y in outputs
    ]
    differentiable = [(y, u) for y, u in zip(outputs, weights) if y.requires_grad]
    if differentiable:
        grads = mt.autograd.grad(
            [y for y, _ in differentiable], leaves, [u for _, u in differentiable], allow_unused=True
        )
    else:
        grads = [None] * len(leaves)
    grads = [np.zeros_like(p) if g is None else array(g) for p, g in zip(points, grads)]
    for p, g in zip(points, grads):
        assert g.shape == p.shape, f"{what}: a gradient of shape {g.shape} for an input of shape {p.shape}"
        assert np.isfinite(g).all(), f"{what}: a gradient that is not finite, {g}"

    for _ in range(2):
        v = [rng.uniform(0.5, 1.5, p.shape) * rng.choice([-1, 1], p.shape) for p in points]

        def value(h: float, v=v) -> float:
            moved = [mt.tensor(np.asarray(p + h * d)).requires_grad_(True) for p, d in zip(points, v)]
            return sum(float((array(y) * array(u)).sum()) for y, u in zip(_as_tuple(function(*moved)), weights))

        measured = _directional(value, step)
        claimed = sum(float((g * d).sum()) for g, d in zip(grads, v))
        size = sum(float(np.abs(g * d).sum()) for g, d in zip(grads, v)) + abs(measured)
        assert abs(claimed - measured) <= rtol * max(size, 1.0), (
            f"{what}: along a random direction the derivative is {measured:.10g}, the gradient says {claimed:.10g}"
        )


def check_gradient(
    function: Callable, *points, order: int = 2, seed: int = 0, step: float = 1e-3, rtol: float = 1e-8
) -> None:
    """Check the gradients of `function(*tensors)` (a tensor or several) at float64 `points`, to the given order.

    The second order checks the gradient, as a function of the inputs *and* of the output's gradient, in the same way.
    Points must be more than 4 `step` away from kinks and from the ends of the domain.
    """
    points = [np.array(p, np.float64) for p in points]
    _check_first_order(function, points, seed, step, rtol, "first order")
    if order < 2:
        return
    count = len(points)
    probe = _as_tuple(function(*(mt.tensor(p).requires_grad_(True) for p in points)))
    rng = np.random.default_rng(seed + 1)
    seeds = [np.asarray(rng.uniform(0.5, 1.5, tuple(y.shape))) for y in probe if y.requires_grad]

    def gradient(*arguments):
        leaves, output_gradients = arguments[:count], arguments[count:]
        outputs = [y for y in _as_tuple(function(*leaves)) if y.requires_grad]
        grads = mt.autograd.grad(outputs, leaves, output_gradients, create_graph=True, allow_unused=True)
        return tuple(g for g in grads if g is not None)

    _check_first_order(gradient, [*points, *seeds], seed + 2, step, rtol, "second order")
