"""Instructions that compute with the registers of each thread alone.

A function here is decorated with the opcodes that it knows. Given an instruction it returns the types that the sources
are read as and a function of their values; what reads, flushes, saturates and writes is common to all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import formats
from .formats import BITS, DTYPES, Array, is_float
from .operands import Lanes, Linker, Step, reader, writer
from .parse import SIZES, Instruction, Number, Pair

Plan = tuple[tuple[str, ...], Callable[..., Array]]
Planner = Callable[[Instruction], Plan]
PLANNERS: dict[str, Planner] = {}


def opcodes(*names: str) -> Callable[[Planner], Planner]:
    """The decorator of those that know instructions."""

    def register(planner: Planner) -> Planner:
        PLANNERS.update(dict.fromkeys(names, planner))
        return planner

    return register


def prepare(instruction: Instruction, link: Linker) -> Step:
    """What an instruction of this file does, ready to run."""
    kinds, compute = PLANNERS[instruction.opcode](instruction)
    sources = instruction.operands[1:]
    if len(sources) != len(kinds):
        raise instruction.error(f"has {len(sources)} sources, not {len(kinds)}")
    reads = [reader(operand, kind, instruction, link) for operand, kind in zip(sources, kinds)]
    write = writer(instruction.operands[0], instruction, link)
    if "ftz" in instruction.modifiers:
        reads = [_flushed(read) if kind == "f32" else read for read, kind in zip(reads, kinds)]
    compute = _finished(instruction, compute)
    if len(reads) == 1:
        (first,) = reads
        return lambda lanes: write(lanes, compute(first(lanes)))
    if len(reads) == 2:
        first, second = reads
        return lambda lanes: write(lanes, compute(first(lanes), second(lanes)))
    return lambda lanes: write(lanes, compute(*[read(lanes) for read in reads]))


def _flushed(read: Callable[[Lanes], Array]) -> Callable[[Lanes], Array]:
    return lambda lanes: formats.flush(read(lanes))


def _finished(instruction: Instruction, compute: Callable[..., Array]) -> Callable[..., Array]:
    """With what modifiers do to the result; packed halves become one value again."""
    after: list[Callable[[Array], Array]] = []
    modifiers = instruction.modifiers
    packed = any(modifier in ("f16x2", "bf16x2") for modifier in modifiers)
    if "ftz" in modifiers and "f64" not in modifiers:
        after.append(lambda x: formats.flush(x) if x.dtype == np.float32 else x)
    if "sat" in modifiers and is_float(instruction.type):
        after.append(formats.saturate)
    if "relu" in modifiers and instruction.opcode != "cvt":
        after.append(_relu_bits if "bf16" in instruction.type else lambda x: np.where(x > 0, x, x.dtype.type(0)))
    if packed and instruction.opcode != "cvt":
        after.append(lambda x: np.ascontiguousarray(x).view(np.uint32))
    if not after:
        return compute

    def finished(*values: Array) -> Array:
        result = compute(*values)
        for step in after:
            result = step(result)
        return result

    return finished


def _relu_bits(bits: Array) -> Array:
    return np.where(formats.bf16_values(bits) > 0, bits, np.uint16(0))


def rounding(instruction: Instruction) -> str:
    """The rounding that an instruction asks for: to nearest, ties to even, if it asks for none."""
    return next((name for name in formats.ROUNDINGS if name in instruction.modifiers), "rn")


def element(kind: str) -> str:
    """The type of the halves of a packed type."""
    return kind.removesuffix("x2")


def wider(kind: str) -> str:
    """The type of twice the size."""
    return kind[0] + str(2 * int(kind[1:]))


# -- arithmetic


@opcodes("add", "sub", "div")
def _binary(i: Instruction) -> Plan:
    kind, name, mode = i.type, i.opcode, rounding(i)
    if is_float(element(kind)):
        if kind == "f64" or kind == "f32" or mode != "rn" or "bf" in kind:
            if name == "div" and {"approx", "full"} & set(i.modifiers):
                return (kind, kind), np.divide
            return (kind, kind), lambda a, b: formats.arithmetic(name, a, b, element(kind), mode)
        return (kind, kind), {"add": np.add, "sub": np.subtract}[name]
    if "sat" in i.modifiers:
        return (kind, kind), lambda a, b: _clamped(a.astype(np.int64) + (b if name == "add" else -b.astype(np.int64)))
    if name == "div":
        return (kind, kind), lambda a, b: _quotient(a, b)[0]
    return (kind, kind), np.add if name == "add" else np.subtract


def _clamped(wide: Array) -> Array:
    limits = np.iinfo(np.int32)
    return np.clip(wide, limits.min, limits.max).astype(np.int32)


def _quotient(a: Array, b: Array) -> tuple[Array, Array]:
    """Quotient rounded to zero and remainder. A division by zero, which has no result, gives all bits set."""
    one = b.dtype.type(1)
    zero = b == 0
    b = np.where(zero, one, b)
    if a.dtype.kind == "u":
        q, r = a // b, a % b
    else:
        r = np.fmod(a, np.where(b == -1, one, b))  # the least integer over -1 overflows
        q = np.where(b == -1, -a, (a - r) // np.where(b == -1, one, b))
        r = np.where(b == -1, a.dtype.type(0), r)
    ones = np.array(-1, np.int64).astype(a.dtype)
    return np.where(zero, ones, q), np.where(zero, a, r)


@opcodes("rem")
def _remainder(i: Instruction) -> Plan:
    return (i.type, i.type), lambda a, b: _quotient(a, b)[1]


@opcodes("mul", "mul24")
def _multiply(i: Instruction) -> Plan:
    kind = i.type
    if is_float(element(kind)):
        return (kind, kind), lambda a, b: formats.arithmetic("mul", a, b, element(kind), rounding(i))
    return (kind, kind), _integer_product(i)


def _integer_product(i: Instruction) -> Callable[[Array, Array], Array]:
    kind = i.type
    if i.opcode.endswith("24"):
        shift = 16 if "hi" in i.modifiers else 0
        low = np.int64 if kind[0] == "s" else np.uint64

        def product24(a: Array, b: Array) -> Array:
            if kind[0] == "s":
                a, b = (a << np.int32(8)) >> np.int32(8), (b << np.int32(8)) >> np.int32(8)
            else:
                a, b = a & np.uint32(0xFFFFFF), b & np.uint32(0xFFFFFF)
            return ((a.astype(low) * b.astype(low)) >> low(shift)).astype(DTYPES[kind])

        return product24
    if "wide" in i.modifiers:
        dtype = DTYPES[wider(kind)]
        return lambda a, b: a.astype(dtype) * b.astype(dtype)
    if "hi" in i.modifiers:
        return _high_half(kind)
    return np.multiply


def _high_half(kind: str) -> Callable[[Array, Array], Array]:
    if SIZES[kind] < 8:
        dtype, shift = DTYPES[wider(kind)], 8 * SIZES[kind]
        return lambda a, b: ((a.astype(dtype) * b.astype(dtype)) >> dtype(shift)).astype(DTYPES[kind])  # type: ignore[call-arg]
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)

    def high(a: Array, b: Array) -> Array:
        x, y = a.view(np.uint64), b.view(np.uint64)
        (xh, xl), (yh, yl) = (x >> half, x & mask), (y >> half, y & mask)
        middle = xh * yl + (xl * yl >> half)
        other = xl * yh + (middle & mask)
        result = xh * yh + (middle >> half) + (other >> half)
        if kind[0] == "s":
            result = result - np.where(a < 0, y, np.uint64(0)) - np.where(b < 0, x, np.uint64(0))
        return np.asarray(result).view(DTYPES[kind])

    return high


@opcodes("mad", "fma", "mad24")
def _multiply_add(i: Instruction) -> Plan:
    kind, mode = i.type, rounding(i)
    if is_float(element(kind)):
        return (kind, kind, kind), lambda a, b, c: formats.fma(a, b, c, element(kind), mode)
    product = _integer_product(i)
    third = wider(kind) if "wide" in i.modifiers else kind
    if "sat" in i.modifiers:
        return (kind, kind, third), lambda a, b, c: _clamped(product(a, b).astype(np.int64) + c)
    return (kind, kind, third), lambda a, b, c: product(a, b) + c


@opcodes("neg", "abs")
def _sign(i: Instruction) -> Plan:
    kind = i.type
    if "bf16" in kind:  # the bits, since the values would come back as float32
        bits = "b32" if kind == "bf16x2" else "b16"
        sign = DTYPES[bits](0x80008000 if kind == "bf16x2" else 0x8000)  # type: ignore[call-arg]
        return (bits,), (lambda x: x ^ sign) if i.opcode == "neg" else (lambda x: x & ~sign)
    return (kind,), np.negative if i.opcode == "neg" else np.abs


@opcodes("min", "max")
def _extreme(i: Instruction) -> Plan:
    kind, least = i.type, i.opcode == "min"
    if not is_float(element(kind)):
        return (kind,) * (len(i.operands) - 1), np.minimum if least else np.maximum
    strict = (np.minimum if least else np.maximum) if "NaN" in i.modifiers else (np.fmin if least else np.fmax)

    def extreme(a: Array, b: Array) -> Array:
        r = strict(a, b)
        zeros = (a == 0) & (b == 0)
        if zeros.any():  # -0 is less than 0
            negative = (np.signbit(a) | np.signbit(b)) if least else (np.signbit(a) & np.signbit(b))
            r = np.where(zeros, np.where(negative, -np.zeros_like(r), np.zeros_like(r)), r)
        if "xorsign" in i.modifiers:
            r = np.copysign(np.abs(r), np.where(np.signbit(a) ^ np.signbit(b), -1.0, 1.0).astype(r.dtype))
        return formats.bf16_bits(r) if "bf16" in kind else r

    if len(i.operands) == 4:
        return (kind,) * 3, lambda a, b, c: extreme(extreme(a, b), c)
    return (kind, kind), extreme


@opcodes("sad")
def _absolute_difference(i: Instruction) -> Plan:
    return (i.type,) * 3, lambda a, b, c: np.where(a < b, b - a, a - b) + c


@opcodes("copysign")
def _copysign(i: Instruction) -> Plan:
    return (i.type, i.type), lambda a, b: np.copysign(b, a)


def _approximation(of: Callable[[Array], Array]) -> Callable[[Instruction], Plan]:
    """An approximation of the hardware, here the exact value rounded: its last bits may differ from a device's."""

    def plan(i: Instruction) -> Plan:
        kind = i.type
        dtype = DTYPES[element(kind)]
        if "bf16" in kind:
            return (kind,), lambda x: formats.bf16_bits(of(x.astype(np.float64)))
        if kind == "f64":  # the upper half of the result only
            return (kind,), lambda x: np.asarray(
                np.asarray(of(x)).view(np.uint64) & np.uint64(0xFFFFFFFF00000000)
            ).view(np.float64)
        return (kind,), lambda x: of(x.astype(np.float64)).astype(dtype)

    return plan


for _name, _function in {
    "sin": np.sin, "cos": np.cos, "lg2": np.log2, "ex2": np.exp2, "tanh": np.tanh,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}.items():  # fmt: skip
    opcodes(_name)(_approximation(_function))


@opcodes("rcp")
def _reciprocal(i: Instruction) -> Plan:
    if "approx" in i.modifiers:
        return _approximation(np.reciprocal)(i)
    kind, mode = i.type, rounding(i)
    return (kind,), lambda x: formats.arithmetic("div", np.ones_like(x), x, kind, mode)


@opcodes("sqrt")
def _root(i: Instruction) -> Plan:
    kind, mode = i.type, rounding(i)
    return (kind,), lambda x: formats.square_root(x, kind, mode)


@opcodes("testp")
def _test(i: Instruction) -> Plan:
    tests: dict[str, Callable[[Array], Array]] = {
        "finite": np.isfinite, "infinite": np.isinf, "number": lambda x: ~np.isnan(x), "notanumber": np.isnan,
        "normal": lambda x: np.isfinite(x) & (np.abs(x) >= np.finfo(x.dtype).tiny),
        "subnormal": lambda x: (np.abs(x) < np.finfo(x.dtype).tiny) & (x != 0),
    }  # fmt: skip
    return (i.type,), tests[i.modifiers[0]]


# -- bits


@opcodes("and", "or", "xor")
def _logic(i: Instruction) -> Plan:
    return (i.type, i.type), {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[i.opcode]


@opcodes("not")
def _not(i: Instruction) -> Plan:
    return (i.type,), np.invert


@opcodes("cnot")
def _logical_not(i: Instruction) -> Plan:
    return (i.type,), lambda x: (x == 0).astype(x.dtype)


@opcodes("lop3")
def _any_logic(i: Instruction) -> Plan:
    table = i.operands[-1]
    if not isinstance(table, Number):
        raise i.error("needs a number for its table")
    minterms = [bit for bit in range(8) if table.value >> bit & 1]

    def logic(a: Array, b: Array, c: Array, _: Array) -> Array:
        result = np.zeros(np.broadcast(a, b, c).shape, np.uint32)
        for term in minterms:
            result |= (a if term & 4 else ~a) & (b if term & 2 else ~b) & (c if term & 1 else ~c)
        return result

    return ("b32",) * 4, logic


@opcodes("shl", "shr")
def _shift(i: Instruction) -> Plan:
    kind, width = i.type, 8 * SIZES[i.type]
    left, signed = i.opcode == "shl", i.type[0] == "s"
    dtype = DTYPES[kind]

    def shift(x: Array, by: Array) -> Array:
        inside = np.minimum(by, np.uint32(width - 1)).astype(dtype)
        moved = x << inside if left else x >> inside
        return moved if signed and not left else np.where(by < width, moved, dtype(0))  # type: ignore[call-arg]

    return (kind, "u32"), shift


@opcodes("shf")
def _funnel_shift(i: Instruction) -> Plan:
    left, clamped = "l" in i.modifiers, "clamp" in i.modifiers

    def shift(low: Array, high: Array, by: Array) -> Array:
        both = high.astype(np.uint64) << np.uint64(32) | low
        by = (np.minimum(by, np.uint32(32)) if clamped else by & np.uint32(31)).astype(np.uint64)
        return (both >> (np.uint64(32) - by) if left else both >> by).astype(np.uint32)

    return ("u32",) * 3, shift


@opcodes("popc", "clz", "brev")
def _count(i: Instruction) -> Plan:
    kind, width = i.type, 8 * SIZES[i.type]
    dtype = BITS[SIZES[kind]]
    if i.opcode == "popc":
        return (kind,), lambda x: np.bitwise_count(x).astype(np.uint32)
    if i.opcode == "clz":
        return (kind,), lambda x: np.uint32(width) - np.bitwise_count(_smear(x)).astype(np.uint32)

    def reverse(x: Array) -> Array:
        result = np.zeros_like(x)
        for bit in range(width):
            result |= ((x >> dtype(bit)) & dtype(1)) << dtype(width - 1 - bit)  # type: ignore[call-arg]
        return result

    return (kind,), reverse


def _smear(x: Array) -> Array:
    """All bits set below the highest that is."""
    shift = 1
    while shift < 8 * x.dtype.itemsize:
        x = x | x >> x.dtype.type(shift)
        shift *= 2
    return x


@opcodes("bfind")
def _find(i: Instruction) -> Plan:
    kind, width = i.type, 8 * SIZES[i.type]

    def find(x: Array) -> Array:
        x = np.where(x < 0, ~x, x)
        position = np.bitwise_count(_smear(np.asarray(x).view(BITS[width // 8]))).astype(np.uint32) - np.uint32(1)
        if "shiftamt" in i.modifiers:
            return np.where(x == 0, np.uint32(0xFFFFFFFF), np.uint32(width - 1) - position)
        return position

    return (kind,), find


@opcodes("bfe")
def _extract(i: Instruction) -> Plan:
    kind, width = i.type, 8 * SIZES[i.type]
    wide = np.int64 if kind[0] == "s" else np.uint64

    def extract(x: Array, start: Array, length: Array) -> Array:
        start, length = (start & np.uint32(255)).astype(np.int64), (length & np.uint32(255)).astype(np.int64)
        filled = np.minimum(start, width - 1)
        value = (x >> filled.astype(x.dtype)).astype(wide)
        if kind[0] == "u":
            value = np.where(start >= width, wide(0), value)
        kept = np.minimum(length, width)
        mask = _low_bits(kept)
        result = np.asarray(value).view(np.uint64) & mask
        if kind[0] == "s":
            last = np.minimum(start + length - 1, width - 1)
            sign = ((x >> np.clip(last, 0, width - 1).astype(x.dtype)) & x.dtype.type(1)) != 0
            result = np.where((length > 0) & sign, result | ~mask, result)
        return result.astype(BITS[width // 8]).view(DTYPES[kind])

    return (kind, "u32", "u32"), extract


def _low_bits(count: Array) -> Array:
    """The lowest bits set, as many as ``count``."""
    inside = np.minimum(count, 63).astype(np.uint64)
    return np.where(count >= 64, ~np.uint64(0), (np.uint64(1) << inside) - np.uint64(1))


@opcodes("bfi")
def _insert(i: Instruction) -> Plan:
    width = 8 * SIZES[i.type]

    def insert(bits: Array, into: Array, start: Array, length: Array) -> Array:
        start, length = (start & np.uint32(255)).astype(np.int64), (length & np.uint32(255)).astype(np.int64)
        kept = np.clip(np.minimum(length, width - start), 0, width)
        mask = _low_bits(kept)
        at = np.minimum(start, 63).astype(np.uint64)
        result = (into & ~(mask << at)) | ((bits & mask) << at)
        return result.astype(BITS[width // 8])

    return (i.type, i.type, "u32", "u32"), insert


@opcodes("bmsk")
def _mask(i: Instruction) -> Plan:
    def mask(start: Array, length: Array) -> Array:
        if "wrap" in i.modifiers:
            start, length = start & np.uint32(31), length & np.uint32(31)
        return (_low_bits(np.minimum(length, 32)) << np.minimum(start, 32).astype(np.uint64)).astype(np.uint32)

    return ("u32", "u32"), mask


@opcodes("szext")
def _extend(i: Instruction) -> Plan:
    def extend(x: Array, width: Array) -> Array:
        width = width & np.uint32(31) if "wrap" in i.modifiers else np.minimum(width, np.uint32(32))
        by = (np.uint32(32) - width).astype(np.int64)
        wide = (x.astype(np.int64) << by).astype(np.int32 if i.type[0] == "s" else np.uint32)
        return np.where(width == 0, 0, wide.astype(np.int64) >> by).astype(DTYPES[i.type])

    return (i.type, "u32"), extend


@opcodes("prmt")
def _permute(i: Instruction) -> Plan:
    mode = i.modifiers[-1] if i.modifiers[-1] not in SIZES else ""
    fixed = {
        "f4e": lambda n: [n, n + 1, n + 2, n + 3],
        "b4e": lambda n: [n, n - 1 & 7, n - 2 & 7, n - 3 & 7],
        "rc8": lambda n: [n] * 4,
        "ecl": lambda n: [max(n, k) for k in range(4)],
        "ecr": lambda n: [min(n, k) for k in range(4)],
        "rc16": lambda n: [2 * (n & 1), 2 * (n & 1) + 1] * 2,
    }

    def permute(a: Array, b: Array, select: Array) -> Array:
        both = b.astype(np.uint64) << np.uint64(32) | a
        if mode:
            choices = [sum(byte % 8 << 4 * k for k, byte in enumerate(fixed[mode](n))) for n in range(4)]
            select = np.array(choices, np.uint32)[select & np.uint32(3)]
        result = np.zeros(np.broadcast(both, select).shape, np.uint32)
        for k in range(4):
            chosen = (select >> np.uint32(4 * k)) & np.uint32(15)
            by = (chosen & np.uint32(7)).astype(np.uint64) * np.uint64(8)
            byte = (both >> by).astype(np.uint32) & np.uint32(255)
            sign = np.where(byte & np.uint32(128), np.uint32(255), np.uint32(0))
            result |= np.where(chosen & np.uint32(8), sign, byte) << np.uint32(8 * k)
        return result

    return ("u32",) * 3, permute


@opcodes("dp4a", "dp2a")
def _dot(i: Instruction) -> Plan:
    first, second = (modifier for modifier in i.modifiers if modifier in ("u32", "s32"))
    result_type = np.int32 if "s32" in (first, second) else np.uint32

    def parts(x: Array, kind: str, bits: int) -> list[Array]:
        dtype = {("u", 8): np.uint8, ("s", 8): np.int8, ("u", 16): np.uint16, ("s", 16): np.int16}[kind[0], bits]
        return [
            (x.view(np.uint32) >> np.uint32(bits * k)).astype(BITS[bits // 8]).view(dtype).astype(np.int64)
            for k in range(32 // bits)
        ]

    def dot(a: Array, b: Array, c: Array) -> Array:
        xs, ys = parts(a, first, 8 if i.opcode == "dp4a" else 16), parts(b, second, 8)
        if i.opcode == "dp2a":
            ys = ys[2:] if "hi" in i.modifiers else ys[:2]
        return (c.astype(np.int64) + sum(x * y for x, y in zip(xs, ys))).astype(result_type)

    return (first, second, "s32" if result_type is np.int32 else "u32"), dot


# -- comparison and choice


_ORDERED: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lo": np.less,
    "ls": np.less_equal,
    "hi": np.greater,
    "hs": np.greater_equal,
}


def comparison(i: Instruction) -> Callable[[Array, Array], Array]:
    """The comparison that ``setp`` and ``set`` name; those that end in u are true of NaN."""
    name = i.modifiers[0]
    floats = is_float(i.type)
    if name in _ORDERED and not (floats and name == "ne"):
        return _ORDERED[name]
    if name == "ne":
        return lambda a, b: (a < b) | (a > b)
    if name in ("num", "nan"):
        return lambda a, b: (np.isnan(a) | np.isnan(b)) == (name == "nan")
    if name[:-1] in _ORDERED and floats:
        ordered = _ORDERED[name[:-1]]
        return lambda a, b: ordered(a, b) | np.isnan(a) | np.isnan(b)
    raise i.error("compares in a way that is not supported")


_COMBINE: dict[str, Callable[[Array, Array], Array]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}


def prepare_setp(i: Instruction, link: Linker) -> Step:
    """``setp``: one or two predicates from a comparison."""
    compare = comparison(i)
    if i.type.endswith("x2"):
        raise i.error("is not supported: comparisons of packed halves are not")
    target = i.operands[0]
    first, second = (target.first, target.second) if isinstance(target, Pair) else (target, None)
    writes = [writer(operand, i, link) for operand in (first, second) if operand is not None]
    a, b = (reader(operand, i.type, i, link) for operand in i.operands[1:3])
    if "ftz" in i.modifiers:
        a, b = _flushed(a), _flushed(b)
    if len(i.operands) == 3 and len(writes) == 1:
        write = writes[0]
        return lambda lanes: write(lanes, np.asarray(compare(a(lanes), b(lanes))))
    other = reader(i.operands[3], "pred", i, link) if len(i.operands) > 3 else None
    combine = next((_COMBINE[m] for m in i.modifiers if m in _COMBINE), np.logical_and)

    def step(lanes: Lanes) -> None:
        result = np.asarray(compare(a(lanes), b(lanes)))
        extra = other(lanes) if other else np.True_
        values = [np.asarray(combine(result, extra)), np.asarray(combine(~result, extra))]
        for write, value in zip(writes, values):
            write(lanes, value)

    return step


@opcodes("set")
def _set(i: Instruction) -> Plan:
    result, source = [modifier for modifier in i.modifiers if modifier in SIZES][-2:]
    compare = comparison(i)
    if len(i.operands) > 3:
        combine = next(_COMBINE[m] for m in i.modifiers if m in _COMBINE)
        truth: Callable[..., Array] = lambda a, b, c: combine(compare(a, b), c)  # noqa: E731
    else:
        truth = compare
    kinds = (source, source, "pred")[: len(i.operands) - 1]
    if is_float(result):
        return kinds, lambda *values: np.where(truth(*values), DTYPES[result](1), DTYPES[result](0))  # type: ignore[call-arg]
    return kinds, lambda *values: np.where(truth(*values), np.uint32(0xFFFFFFFF), np.uint32(0))


@opcodes("selp")
def _select(i: Instruction) -> Plan:
    bits = f"b{8 * SIZES[i.type]}"
    return (bits, bits, "pred"), lambda a, b, p: np.where(p, a, b)


@opcodes("slct")
def _select_by_sign(i: Instruction) -> Plan:
    value, sign = [modifier for modifier in i.modifiers if modifier in SIZES][-2:]
    bits = f"b{8 * SIZES[value]}"
    return (bits, bits, sign), lambda a, b, c: np.where(c >= 0, a, b)


# -- sums of more than 64 bits


def prepare_carrying(i: Instruction, link: Linker) -> Step:
    """``add.cc``, ``addc``, ``madc`` and so on, which keep a carry a thread."""
    kind, width = i.type, 8 * SIZES[i.type]
    bits = f"u{width}"
    name = i.opcode.removesuffix("c") if i.opcode in ("addc", "subc", "madc") else i.opcode
    takes, gives = i.opcode.endswith("c"), "cc" in i.modifiers
    reads = [reader(operand, kind, i, link) for operand in i.operands[1:]]
    write = writer(i.operands[0], i, link)
    product = _high_half(kind) if "hi" in i.modifiers else np.multiply
    one = DTYPES[bits](1)  # type: ignore[call-arg]

    def step(lanes: Lanes) -> None:
        values = [np.asarray(read(lanes)) for read in reads]
        if name == "mad":
            values = [np.asarray(product(values[0], values[1])), values[2]]
        a, b = (value.view(DTYPES[bits]) for value in values)
        carried = lanes.carry[lanes.at] if takes else np.zeros(1, np.bool_)
        if name == "sub":
            result = a - b - carried * one
            out = (a < b) | ((a == b) & carried)
        else:
            partial = a + b
            result = partial + carried * one
            out = (partial < a) | (result < partial)
        write(lanes, result)
        if gives:
            lanes.carry[lanes.at] = out

    return step
