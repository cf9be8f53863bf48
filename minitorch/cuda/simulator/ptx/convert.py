"""``cvt``: conversions between types, and ``mov``, which packs and unpacks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import formats
from .formats import BITS, DTYPES, Array, is_float
from .operands import Lanes, Linker, Step, reader, writer
from .parse import SIZES, Instruction, Vector

_TO_INTEGRAL: dict[str, Callable[[Array], Array]] = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}
_OF_INTEGERS = {"rn": "rn", "rz": "rz", "rm": "rm", "rp": "rp"}


def prepare_cvt(i: Instruction, link: Linker) -> Step:
    """``cvt.<rounding>.<to>.<from>``."""
    to, source = [modifier for modifier in i.modifiers if modifier in SIZES][-2:]
    write = writer(i.operands[0], i, link)
    reads = [reader(operand, source, i, link) for operand in i.operands[1:]]
    if len(reads) == 2:
        return _pack(i, to, source, reads, write)
    if to == "tf32":
        mode = "rn" if "rn" in i.modifiers else "rna"
        return lambda lanes: write(lanes, formats.tf32_bits(reads[0](lanes), mode))
    convert = conversion(i, to, source)
    return lambda lanes: write(lanes, convert(reads[0](lanes)))


def _pack(i: Instruction, to: str, source: str, reads: list, write: Callable) -> Step:  # type: ignore[type-arg]
    """Two floats to packed halves, the first in the upper half."""
    if to not in ("f16x2", "bf16x2"):
        raise i.error("is not supported")
    convert = conversion(i, to.removesuffix("x2"), source)

    def step(lanes: Lanes) -> None:
        upper, lower = (np.asarray(convert(read(lanes))).view(np.uint16).astype(np.uint32) for read in reads)
        write(lanes, upper << np.uint32(16) | lower)

    return step


def conversion(i: Instruction, to: str, source: str) -> Callable[[Array], Array]:
    """A function from values of one type to another's."""
    modifiers = i.modifiers
    mode = next((name for name in formats.ROUNDINGS if name in modifiers), "rn")
    integral = next((_TO_INTEGRAL[name] for name in _TO_INTEGRAL if name in modifiers), None)
    steps: list[Callable[[Array], Array]] = []
    if "ftz" in modifiers and source == "f32":
        steps.append(formats.flush)
    if is_float(source) and is_float(to):
        if integral:
            steps.append(integral)
        steps.append(_float_to_float(to, source, mode))
        if "sat" in modifiers:
            steps.append(formats.saturate)
        if "relu" in modifiers:
            steps.append(
                lambda x: (
                    np.where(x > 0, x, x.dtype.type(0))
                    if x.dtype != np.uint16
                    else np.where(formats.bf16_values(x) > 0, x, np.uint16(0))
                )
            )
        if "ftz" in modifiers and to == "f32":
            steps.append(formats.flush)
    elif is_float(source):
        steps.append(_float_to_integer(to, source, integral or np.trunc))
    elif is_float(to):
        steps.append(_integer_to_float(to, source, mode))
    elif "sat" in modifiers:
        limits = np.iinfo(DTYPES[to])
        steps.append(lambda x: _clip(x, int(limits.min), int(limits.max)).astype(DTYPES[to]))
    else:
        steps.append(lambda x: x.astype(DTYPES[to]))

    def convert(x: Array) -> Array:
        for step in steps:
            x = step(x)
        return x

    return convert


def _clip(x: Array, low: int, high: int) -> Array:
    own = np.iinfo(x.dtype)
    return np.clip(x, max(low, int(own.min)), min(high, int(own.max)))


def _float_to_float(to: str, source: str, mode: str) -> Callable[[Array], Array]:
    if to == "bf16":
        return lambda x: formats.bf16_bits(x, mode)
    if SIZES[to] >= SIZES[source]:
        return lambda x: x.astype(DTYPES[to])
    return lambda x: formats.narrow(x.astype(np.float64), to, mode)


def _float_to_integer(to: str, source: str, integral: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Rounded to an integer and clamped. NaN becomes 0, or only the highest bit where 64 bits are involved."""
    dtype, limits = DTYPES[to], np.iinfo(DTYPES[to])
    of_nan = 0 if source != "f64" and SIZES[to] < 8 else 1 << (8 * SIZES[to] - 1)
    nan = np.array(of_nan, BITS[SIZES[to]]).view(dtype)

    def convert(x: Array) -> Array:
        wide = integral(x.astype(np.float64))
        above, below = wide >= float(limits.max) + (SIZES[to] < 8), wide < float(limits.min)
        inside = np.where(above | below | np.isnan(wide), 0.0, wide).astype(dtype)
        clamped = np.where(above, dtype(limits.max), np.where(below, dtype(limits.min), inside))  # type: ignore[call-arg]
        return np.where(np.isnan(wide), nan, clamped)

    return convert


def _integer_to_float(to: str, source: str, mode: str) -> Callable[[Array], Array]:
    def convert(x: Array) -> Array:
        if SIZES[source] < 8:
            return formats.narrow(x.astype(np.float64), to, mode)
        if mode == "rn" and to in ("f32", "f64"):
            return x.astype(DTYPES[to])
        high = (x >> x.dtype.type(32)).astype(np.float64) * 2.0**32
        low = (x & x.dtype.type(0xFFFFFFFF)).astype(np.float64)
        if to != "f64":
            return formats.narrow(formats.odd_sum(high, low), to, mode)
        return formats.arithmetic("add", high, low, "f64", mode)

    return convert


def prepare_mov(i: Instruction, link: Linker) -> Step:
    """``mov``, also of parts of a register: the first part has the lowest bits."""
    kind = i.type
    target, source = i.operands
    bits = "pred" if kind == "pred" else f"b{8 * SIZES[kind]}"
    if isinstance(source, Vector):
        part = SIZES[kind] // len(source.items)
        reads = [reader(item, f"b{8 * part}", i, link) for item in source.items]
        write = writer(target, i, link)
        dtype = BITS[SIZES[kind]]

        def pack(lanes: Lanes) -> None:
            value = reads[0](lanes).astype(dtype)
            for k, read in enumerate(reads[1:], 1):
                value = value | read(lanes).astype(dtype) << dtype(8 * part * k)  # type: ignore[call-arg]
            write(lanes, value)

        return pack
    read = reader(source, bits, i, link)
    if isinstance(target, Vector):
        part = SIZES[kind] // len(target.items)
        writes = [writer(item, i, link) for item in target.items]

        def unpack(lanes: Lanes) -> None:
            value = read(lanes)
            for k, write in enumerate(writes):
                write(lanes, (value >> value.dtype.type(8 * part * k)).astype(BITS[part]))

        return unpack
    write = writer(target, i, link)
    return lambda lanes: write(lanes, read(lanes))
