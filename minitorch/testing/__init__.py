"""Assertions for tests: ``minitorch.testing``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import Tensor, bfloat16, complex64, complex128, float16, float32, float64, tensor

__all__ = ["assert_allclose", "assert_close"]

# How far apart results of a type may be: relative to the expected value, and in any case.
_TOLERANCES = {
    float16: (1e-3, 1e-5), bfloat16: (1.6e-2, 1e-5), float32: (1.3e-6, 1e-5), float64: (1e-7, 1e-7),
    complex64: (1.3e-6, 1e-5), complex128: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    r"""Raise an AssertionError unless two tensors, numbers, or containers of such are close.

    .. math:: |\mathrm{actual} - \mathrm{expected}| \le \mathrm{atol} + \mathrm{rtol} \cdot |\mathrm{expected}|

    Args:
        allow_subclasses: if not, the types must be the same.
        rtol, atol: both or none; by the less precise dtype unless given: 1.3e-6 and 1e-5 in float32, 1e-7 twice in
            float64, 0 for integers.
        equal_nan: whether NaN equals NaN.
        check_dtype: that the dtypes are equal; ``check_stride``: the strides too.
        check_device, check_layout: that these are equal.
        msg: instead of the message, or a function of it.

    Raises:
        AssertionError: says how many elements differ, and which most.
        ValueError: if only one of ``rtol`` and ``atol`` is given.

    >>> import minitorch
    >>> minitorch.testing.assert_close(minitorch.tensor([1., 2.]), minitorch.tensor([1., 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"rtol and atol must both be specified or both be unspecified, but got rtol={rtol} and "
                         f"atol={atol}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and value < 0:
            raise ValueError(f"{name} must not be negative, but is {value}")
    options = {
        "subclasses": allow_subclasses, "rtol": rtol, "atol": atol, "equal_nan": equal_nan, "dtype": check_dtype,
        "device": check_device, "layout": check_layout, "stride": check_stride,
    }
    try:
        _compare(actual, expected, options, "")
    except AssertionError as problem:
        if msg is None:
            raise
        raise AssertionError(msg(str(problem)) if callable(msg) else msg) from None


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """`assert_close` by its old name: types need not agree, and NaN equals NaN."""
    actual, expected = (x if isinstance(x, Tensor) else tensor(x) for x in (actual, expected))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, check_device=False,
                 msg=msg or None)  # fmt: skip


def _compare(actual: Any, expected: Any, options: dict[str, Any], place: str) -> None:
    """Walk two results alike; ``place`` is what leads to them."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        if actual.keys() != expected.keys():
            missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
            raise AssertionError(f"The keys of the mappings do not match{_at(place)}: missing in actual "
                                 f"{sorted(map(str, missing))}, additional in actual {sorted(map(str, extra))}")
        for key in expected:
            _compare(actual[key], expected[key], options, f"{place}[{key!r}]")
        return
    if _is_sequence(expected) and _is_sequence(actual):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch{_at(place)}: {len(actual)} != {len(expected)}")
        for k, (a, e) in enumerate(zip(actual, expected)):
            _compare(a, e, options, f"{place}[{k}]")
        return
    if actual is None or expected is None:
        if actual is not expected:
            raise AssertionError(f"None mismatch{_at(place)}: {actual!r} is not {expected!r}")
        return
    if not options["subclasses"] and type(actual) is not type(expected):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}")
    numbers = all(isinstance(x, (int, float, complex)) for x in (actual, expected))
    kinds = Tensor, (np.ndarray, np.generic)
    if not numbers and not any(isinstance(actual, kind) and isinstance(expected, kind) for kind in kinds):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}: "
                        "compare tensors with tensors, numbers with numbers")
    _compare_tensors(_tensor(actual), _tensor(expected), options, place, numbers)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, (str, bytes))


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _tensor(x: Any) -> Tensor:
    from .. import as_tensor, from_numpy

    if isinstance(x, Tensor):
        return x.detach()
    if isinstance(x, np.ndarray):
        return from_numpy(np.ascontiguousarray(x))
    return as_tensor(x) if isinstance(x, np.generic) else tensor(x, dtype=_kind(x))


def _kind(x: Any) -> Any:
    from .. import bool as boolean
    from .. import int64

    return boolean if isinstance(x, bool) else int64 if isinstance(x, int) else (
        float64 if isinstance(x, float) else complex128)


def _compare_tensors(a: Tensor, e: Tensor, options: dict[str, Any], place: str, numbers: bool) -> None:
    if a.shape != e.shape:
        raise AssertionError(f"The values for attribute 'shape' do not match{_at(place)}: {a.shape} != {e.shape}.")
    for name, mine, theirs in (
        ("device", a.device, e.device), ("dtype", a.dtype, e.dtype), ("layout", a.layout, e.layout),
        ("stride", a.stride(), e.stride()),
    ):
        if options[name] and mine != theirs:
            raise AssertionError(f"The values for attribute '{name}()' do not match{_at(place)}: {mine} != {theirs}."
                                 if name == "stride" else
                                 f"The values for attribute '{name}' do not match{_at(place)}: {mine} != {theirs}.")
    rtol, atol = options["rtol"], options["atol"]
    if rtol is None:
        rtol, atol = (max(pair) for pair in zip(*(_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (a, e))))
    x, y = _values(a), _values(e)
    exact = x.dtype.kind in "biu" and y.dtype.kind in "biu"
    with np.errstate(all="ignore"):
        apart = np.where(x > y, x - y, y - x) if exact else np.abs(x - y)
        close = x == y
        if rtol or atol or not exact:
            close = close | (np.isfinite(x) & np.isfinite(y) & (apart <= atol + rtol * np.abs(y)))
        if options["equal_nan"]:
            close = close | ((x != x) & (y != y))
        relative = apart / np.abs(y)
    if close.all():
        return
    raise AssertionError(_report(close, apart, relative, rtol, atol, place, numbers or a.ndim == 0, x, y, exact))


def _values(t: Tensor) -> np.ndarray:
    t = t.cpu()
    if t.is_complex():
        return t.numpy(force=True).astype(np.complex128)
    if t.is_floating_point():
        return t.double().numpy(force=True)
    return t.numpy(force=True).astype(np.int64)


def _report(close, apart, relative, rtol, atol, place, scalar, x, y, exact) -> str:
    """What differs, and where most."""
    if scalar:
        x, y = x.item(), y.item()
        head = "Scalars are not equal!" if rtol == atol == 0 else "Scalars are not close!"
        return (f"{head}\n\nExpected {y} but got {x}{_at(place)}.\n"
                f"Absolute difference: {apart.item():.6g} (up to {atol:g} allowed)\n"
                f"Relative difference: {relative.item():.6g} (up to {rtol:g} allowed)")
    lines = ["Tensor-likes are not equal!" if rtol == atol == 0 else "Tensor-likes are not close!", ""]
    wrong = int((~close).sum())
    lines.append(f"Mismatched elements: {wrong} / {close.size} ({100 * wrong / close.size:.1f}%){_at(place)}")
    for name, values, bound in (("absolute", apart, atol), ("relative", relative, rtol)):
        values = np.where(close, -1.0, np.where(np.isnan(values), math.inf, values))
        where = np.unravel_index(int(values.argmax()), values.shape)
        allowed = "" if rtol == atol == 0 else f" (up to {bound:g} allowed)"
        lines.append(f"Greatest {name} difference: {values[where]:.16g} at index {tuple(map(int, where))}{allowed}"
                     if exact else
                     f"Greatest {name} difference: {values[where]:.6g} at index {tuple(map(int, where))}{allowed}")
    return "\n".join(lines)
