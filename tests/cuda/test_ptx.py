"""Each instruction of the PTX interpreter against NumPy or exact arithmetic, on awkward numbers too."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from minitorch.cuda.simulator import ptx
from minitorch.cuda.simulator.ptx.formats import BITS, DTYPES, bf16_bits, bf16_values, fma
from minitorch.cuda.simulator.ptx.parse import SIZES
from minitorch.cuda.simulator.ptx.program import Program

N = 200
RNG = np.random.default_rng(7)
FLOATS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 1e-45, -1e-40, 1.17549435e-38, 3.4028235e38, np.inf,
                   -np.inf, np.nan, 65504.0, 65520.0, 255.5, 2.0**31, -(2.0**31), 2.0**63, 1e10, 1 / 3])


def values(kind: str, seed: int = 0) -> np.ndarray:
    """Values of a PTX type, awkward ones first."""
    rng = np.random.default_rng(seed)
    if kind == "pred":
        return rng.random(N) < 0.5
    dtype = DTYPES[kind]
    if kind == "bf16":
        return rng.integers(0, 1 << 16, N).astype(np.uint16)
    if kind[0] == "f" and "x2" not in kind:
        scale = np.exp2(rng.uniform(-10, 10, N))
        x = rng.standard_normal(N) * scale
        with np.errstate(all="ignore"):
            x[: len(FLOATS)] = rng.permutation(FLOATS)
            return x.astype(dtype)
    size = SIZES[kind]
    bits = rng.integers(0, 1 << 62, N).astype(np.uint64) * np.uint64(5)
    special = [0, 1, 2, 31, 32, 33, 63, 64, 127, 128, 255, 1 << 31, (1 << 31) - 1, (1 << 63), (1 << 64) - 1]
    bits[: len(special)] = np.array(special, np.uint64)
    bits[len(special): 60] &= np.uint64(63)  # small numbers
    return rng.permutation(bits).astype(BITS[size]).view(dtype)


def run(body: str, arrays: list[np.ndarray], threads: int = N, grid: int = 1, shared: int = 0, head: str = "",
        result: type = np.uint32, name: str = "kernel") -> np.ndarray:
    """Execute PTX with a thread an element; ``%rd1`` to ``%rd9`` point to its elements, ``%rd0`` to its result."""
    count = threads * grid
    out = np.full(count, 0x77, result)
    pointers = [out, *arrays]
    parameters = ", ".join(f".param .u64 p{k}" for k in range(len(pointers)))
    loads = "\n".join(
        f"ld.param.u64 %rd{k}, [p{k}]; mad.lo.u64 %rd{k}, %rd20, {a.dtype.itemsize}, %rd{k};"
        for k, a in enumerate(pointers))
    text = f""".version 8.0
    .target sm_80
    .address_size 64
    {head}
    .visible .entry {name}({parameters}) {{
    .reg .pred %p<10>; .reg .b16 %rs<10>; .reg .b32 %r<20>; .reg .f32 %f<10>; .reg .b64 %rd<30>; .reg .f64 %fd<10>;
    mov.u32 %r10, %tid.x; mov.u32 %r11, %ctaid.x; mov.u32 %r12, %ntid.x; mad.lo.u32 %r10, %r11, %r12, %r10;
    cvt.u64.u32 %rd20, %r10;
    {loads}
    {body}
    ret;
    }}"""
    program = ptx.Loaded(ptx.parse(text)).program(name)
    launch(program, grid, threads, pointers, shared)
    return out


def launch(program: Program, grid: int, threads: int, pointers: list[np.ndarray], shared: int = 0) -> None:
    """Run a program whose parameters are all pointers."""
    parameters = np.array([a.ctypes.data for a in pointers], np.uint64).view(np.uint8)
    regions = [ptx.Region(a.ctypes.data, a.reshape(-1).view(np.uint8), f"argument {k}") for k, a in enumerate(pointers)]
    regions += program.loaded.regions.values()
    ptx.launch(program, (grid, 1, 1), (threads, 1, 1), parameters, ptx.Regions(regions), shared)


REGISTER = {1: "%rs", 2: "%rs", 4: "%r", 8: "%rd"}


def instruction(text: str, sources: list[str], target: str, arrays: list[np.ndarray]) -> np.ndarray:
    """The results of one instruction, written with ``d`` and ``a``, ``b``, ``c`` for its operands."""
    loads, operands = [], {}
    for k, (kind, letter) in enumerate(zip(sources, "abc")):
        if kind == "pred":
            loads.append(f"ld.global.u8 %rs{k + 1}, [%rd{k + 1}]; setp.ne.u16 %p{k + 1}, %rs{k + 1}, 0;")
            operands[letter] = f"%p{k + 1}"
            continue
        size = SIZES[kind]
        register = f"%rd{k + 11}" if size == 8 else f"{REGISTER[size]}{k + 1}"
        loads.append(f"ld.global.b{8 * size} {register}, [%rd{k + 1}];")
        operands[letter] = register
    if target == "pred":
        operands["d"], after, dtype = "%p0", "selp.u32 %r0, 1, 0, %p0; st.global.u8 [%rd0], %r0;", np.bool_
    else:
        size = SIZES[target]
        operands["d"] = "%rd10" if size == 8 else f"{REGISTER[size]}0"
        after, dtype = f"st.global.b{8 * size} [%rd0], {operands['d']};", DTYPES[target]
    opcode, _, rest = text.partition(" ")
    written = re.sub(r"\b[abcd]\b", lambda match: operands[match.group()], rest)
    arrays = [a.view(np.uint8) if a.dtype == np.bool_ else a for a in arrays]
    return run(f"{' '.join(loads)} {opcode} {written}; {after}", arrays, result=dtype)


def flushed(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < np.finfo(np.float32).tiny, np.copysign(np.float32(0), x), x).astype(np.float32)


def wide(x: np.ndarray) -> list[int]:
    return [int(v) for v in x]


def c_quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def wrapped(numbers: list[int], kind: str) -> np.ndarray:
    bits = 8 * SIZES[kind]
    return np.array([n & ((1 << bits) - 1) for n in numbers], np.uint64).astype(BITS[bits // 8]).view(DTYPES[kind])


def each(of: Callable[..., int], kind: str) -> Callable[..., np.ndarray]:
    """A function of Python's integers, an element at a time, wrapped to a type."""
    return lambda *arrays: wrapped([of(*(int(x) for x in row)) for row in zip(*arrays)], kind)


def signed_bits(n: int, bits: int) -> int:
    n &= (1 << bits) - 1
    return n - (1 << bits) if n >> (bits - 1) else n


INTEGERS = ("u16", "s16", "u32", "s32", "u64", "s64")
CASES: list[tuple[str, list[str], str, Callable[..., np.ndarray]]] = []
for kind in INTEGERS:
    bits = 8 * SIZES[kind]
    double = f"{kind[0]}{2 * bits}"
    CASES += [
        (f"add.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b: a + b, kind)),
        (f"sub.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b: a - b, kind)),
        (f"mul.lo.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b: a * b, kind)),
        (f"mul.hi.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b, bits=bits: a * b >> bits, kind)),
        (f"mad.lo.{kind} d, a, b, c", [kind] * 3, kind, each(lambda a, b, c: a * b + c, kind)),
        (f"mad.hi.{kind} d, a, b, c", [kind] * 3, kind, each(lambda a, b, c, bits=bits: (a * b >> bits) + c, kind)),
        (f"min.{kind} d, a, b", [kind] * 2, kind, np.minimum), (f"max.{kind} d, a, b", [kind] * 2, kind, np.maximum),
        (f"div.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b: c_quotient(a, b) if b else -1, kind)),
        (f"rem.{kind} d, a, b", [kind] * 2, kind, each(lambda a, b: a - b * c_quotient(a, b) if b else a, kind)),
        (f"sad.{kind} d, a, b, c", [kind] * 3, kind, each(lambda a, b, c: abs(a - b) + c, kind)),
        (f"shr.{kind} d, a, b", [kind, "u32"], kind, each(lambda a, b: a >> b, kind)),
        (f"setp.lt.{kind} d, a, b", [kind] * 2, "pred", np.less),
        (f"setp.ge.{kind} d, a, b", [kind] * 2, "pred", np.greater_equal),
        (f"setp.eq.{kind} d, a, b", [kind] * 2, "pred", np.equal),
        (f"set.ne.u32.{kind} d, a, b", [kind] * 2, "u32",
         lambda a, b: np.where(a != b, np.uint32(0xFFFFFFFF), np.uint32(0))),
        (f"selp.{kind} d, a, b, c", [kind, kind, "pred"], kind, lambda a, b, p: np.where(p, a, b)),
    ]  # fmt: skip
    if bits < 64:
        CASES += [
            (f"mul.wide.{kind} d, a, b", [kind] * 2, double, each(lambda a, b: a * b, double)),
            (f"mad.wide.{kind} d, a, b, c", [kind, kind, double], double, each(lambda a, b, c: a * b + c, double)),
        ]
    if kind[0] == "s":
        CASES += [(f"neg.{kind} d, a", [kind], kind, each(lambda a: -a, kind)),
                  (f"abs.{kind} d, a", [kind], kind, each(abs, kind))]
    for to in (*INTEGERS, "u8", "s8"):
        CASES.append((f"cvt.{to}.{kind} d, a", [kind], to if SIZES[to] > 1 else to[0] + "16",
                      lambda a, to=to: a.astype(DTYPES[to]).astype(DTYPES[to if SIZES[to] > 1 else to[0] + "16"])))
        CASES.append((f"cvt.sat.{to}.{kind} d, a", [kind], to if SIZES[to] > 1 else to[0] + "16",
                      each(lambda a, to=to: min(max(a, int(np.iinfo(DTYPES[to]).min)), int(np.iinfo(DTYPES[to]).max)),
                           to if SIZES[to] > 1 else to[0] + "16")))
for bits in (16, 32, 64):
    kind = f"b{bits}"
    CASES += [
        (f"and.{kind} d, a, b", [kind] * 2, kind, np.bitwise_and),
        (f"or.{kind} d, a, b", [kind] * 2, kind, np.bitwise_or),
        (f"xor.{kind} d, a, b", [kind] * 2, kind, np.bitwise_xor), (f"not.{kind} d, a", [kind], kind, np.invert),
        (f"cnot.{kind} d, a", [kind], kind, lambda a: (a == 0).astype(a.dtype)),
        (f"shl.{kind} d, a, b", [kind, "u32"], kind, each(lambda a, b: a << min(b, 64), kind)),
        (f"mov.{kind} d, a", [kind], kind, np.copy),
    ]
for bits in (32, 64):
    kind = f"b{bits}"
    CASES += [
        (f"popc.{kind} d, a", [kind], "u32", each(lambda a: a.bit_count(), "u32")),
        (f"clz.{kind} d, a", [kind], "u32", each(lambda a, bits=bits: bits - a.bit_length(), "u32")),
        (f"brev.{kind} d, a", [kind], kind, each(lambda a, bits=bits: int(f"{a:0{bits}b}"[::-1], 2), kind)),
        (f"bfind.u{bits} d, a", [f"u{bits}"], "u32", each(lambda a: a.bit_length() - 1, "u32")),
        (f"bfind.s{bits} d, a", [f"s{bits}"], "u32", each(lambda a: (~a if a < 0 else a).bit_length() - 1, "u32")),
        (f"bfe.u{bits} d, a, b, c", [f"u{bits}", "u32", "u32"], f"u{bits}",
         each(lambda a, b, c: (a >> (b & 255)) & ((1 << (c & 255)) - 1), f"u{bits}")),
        (f"bfe.s{bits} d, a, b, c", [f"s{bits}", "u32", "u32"], f"s{bits}",
         each(lambda a, b, c: signed_bits(a >> (b & 255), c & 255) if c & 255 else 0, f"s{bits}")),
        (f"bfi.b{bits} d, a, b, 7, 12", [kind] * 2, kind,
         each(lambda a, b: (b & ~(0xFFF << 7)) | (a & 0xFFF) << 7, kind)),
    ]


def prmt(a: int, b: int, c: int) -> int:
    table = [(a >> 8 * k) & 255 for k in range(4)] + [(b >> 8 * k) & 255 for k in range(4)]
    result = 0
    for k in range(4):
        nibble = (c >> 4 * k) & 15
        byte = table[nibble & 7]
        result |= (255 * (byte >> 7) if nibble & 8 else byte) << 8 * k
    return result


def lop3(a: int, b: int, c: int) -> int:
    return (a & b) ^ (~c)


def bytes_of(n: int, signed: bool) -> list[int]:
    return [signed_bits(n >> 8 * k, 8) if signed else (n >> 8 * k) & 255 for k in range(4)]


CASES += [
    ("prmt.b32 d, a, b, c", ["b32"] * 3, "b32", each(prmt, "b32")),
    ("lop3.b32 d, a, b, c, 149", ["b32"] * 3, "b32", each(lop3, "b32")),
    ("shf.l.wrap.b32 d, a, b, c", ["b32"] * 3, "b32", each(lambda a, b, c: ((b << 32 | a) << (c & 31)) >> 32, "b32")),
    ("shf.r.wrap.b32 d, a, b, c", ["b32"] * 3, "b32", each(lambda a, b, c: (b << 32 | a) >> (c & 31), "b32")),
    ("shf.r.clamp.b32 d, a, b, c", ["b32"] * 3, "b32", each(lambda a, b, c: (b << 32 | a) >> min(c, 32), "b32")),
    ("shf.l.clamp.b32 d, a, b, c", ["b32"] * 3, "b32",
     each(lambda a, b, c: ((b << 32 | a) << min(c, 32)) >> 32, "b32")),
    ("dp4a.s32.u32 d, a, b, c", ["s32", "u32", "s32"], "s32",
     each(lambda a, b, c: c + sum(x * y for x, y in zip(bytes_of(a, True), bytes_of(b, False))), "s32")),
    ("mul24.lo.u32 d, a, b", ["u32"] * 2, "u32", each(lambda a, b: (a & 0xFFFFFF) * (b & 0xFFFFFF), "u32")),
    ("add.sat.s32 d, a, b", ["s32"] * 2, "s32", each(lambda a, b: min(max(a + b, -(1 << 31)), (1 << 31) - 1), "s32")),
    ("setp.lo.u32 d, a, b", ["u32"] * 2, "pred", np.less),
    ("setp.lt.and.s32 d, a, b, c", ["s32", "s32", "pred"], "pred", lambda a, b, p: (a < b) & p),
    ("setp.lt.or.s32 d, a, b, !c", ["s32", "s32", "pred"], "pred", lambda a, b, p: (a < b) | ~p),
    ("slct.u32.s32 d, a, b, c", ["u32", "u32", "s32"], "u32", lambda a, b, c: np.where(c >= 0, a, b)),
    ("add.u32 d, a, -3", ["u32"], "u32", each(lambda a: a - 3, "u32")),
    ("add.u32 d, a, 0xFFU", ["u32"], "u32", each(lambda a: a + 255, "u32")),
    ("and.pred d, a, b", ["pred", "pred"], "pred", np.logical_and), ("not.pred d, a", ["pred"], "pred", np.logical_not),
    ("xor.pred d, a, !b", ["pred", "pred"], "pred", lambda a, b: a ^ ~b),
]  # fmt: skip
for kind in ("f32", "f64"):
    bits = SIZES[kind] * 8
    one = "0f3F800000" if kind == "f32" else "0d3FF0000000000000"
    dtype = DTYPES[kind]
    CASES += [
        (f"add.{kind} d, a, b", [kind] * 2, kind, np.add), (f"sub.{kind} d, a, {one}", [kind], kind, lambda a: a - 1),
        (f"mul.rn.{kind} d, a, b", [kind] * 2, kind, np.multiply),
        (f"div.rn.{kind} d, a, b", [kind] * 2, kind, np.divide),
        (f"rcp.rn.{kind} d, a", [kind], kind, np.reciprocal), (f"sqrt.rn.{kind} d, a", [kind], kind, np.sqrt),
        (f"neg.{kind} d, a", [kind], kind, np.negative), (f"abs.{kind} d, a", [kind], kind, np.abs),
        (f"min.{kind} d, a, b", [kind] * 2, kind, np.fmin), (f"max.{kind} d, a, b", [kind] * 2, kind, np.fmax),
        (f"copysign.{kind} d, a, b", [kind] * 2, kind, lambda a, b: np.copysign(b, a)),
        (f"testp.finite.{kind} d, a", [kind], "pred", np.isfinite),
        (f"setp.ne.{kind} d, a, b", [kind] * 2, "pred", lambda a, b: (a < b) | (a > b)),
        (f"setp.neu.{kind} d, a, b", [kind] * 2, "pred", np.not_equal),
        (f"setp.gtu.{kind} d, a, b", [kind] * 2, "pred", lambda a, b: ~(a <= b)),
        (f"setp.nan.{kind} d, a, b", [kind] * 2, "pred", lambda a, b: np.isnan(a) | np.isnan(b)),
        (f"setp.num.{kind} d, a, b", [kind] * 2, "pred", lambda a, b: ~(np.isnan(a) | np.isnan(b))),
        (f"cvt.rni.{kind}.{kind} d, a", [kind], kind, np.rint), (f"cvt.rmi.{kind}.{kind} d, a", [kind], kind, np.floor),
        (f"cvt.rpi.{kind}.{kind} d, a", [kind], kind, np.ceil), (f"cvt.rzi.{kind}.{kind} d, a", [kind], kind, np.trunc),
    ]
    for source in ("u16", "s16", "u32", "s32", "u64", "s64"):
        CASES.append((f"cvt.rn.{kind}.{source} d, a", [source], kind, lambda a, dtype=dtype: a.astype(dtype)))
CASES += [
    ("add.ftz.f32 d, a, b", ["f32"] * 2, "f32", lambda a, b: flushed(flushed(a) + flushed(b))),
    ("mul.ftz.f32 d, a, b", ["f32"] * 2, "f32", lambda a, b: flushed(flushed(a) * flushed(b))),
    ("add.sat.f32 d, a, b", ["f32"] * 2, "f32", lambda a, b: np.nan_to_num(np.clip(a + b, 0, 1), nan=0)),
    ("max.NaN.f32 d, a, b", ["f32"] * 2, "f32", np.maximum),
    ("ex2.approx.f32 d, a", ["f32"], "f32", lambda a: np.exp2(a.astype(float)).astype(np.float32)),
    ("lg2.approx.f32 d, a", ["f32"], "f32", lambda a: np.log2(a.astype(float)).astype(np.float32)),
    ("sin.approx.f32 d, a", ["f32"], "f32", lambda a: np.sin(a.astype(float)).astype(np.float32)),
    ("tanh.approx.f32 d, a", ["f32"], "f32", lambda a: np.tanh(a.astype(float)).astype(np.float32)),
    ("rsqrt.approx.f32 d, a", ["f32"], "f32", lambda a: (1 / np.sqrt(a.astype(float))).astype(np.float32)),
    ("cvt.rn.f16.f32 d, a", ["f32"], "f16", lambda a: a.astype(np.float16)),
    ("cvt.rn.f16.f64 d, a", ["f64"], "f16", lambda a: a.astype(np.float16)),
    ("cvt.rn.f32.f64 d, a", ["f64"], "f32", lambda a: a.astype(np.float32)),
    ("cvt.f32.f16 d, a", ["f16"], "f32", lambda a: a.astype(np.float32)),
    ("cvt.f64.f32 d, a", ["f32"], "f64", lambda a: a.astype(np.float64)),
    ("cvt.rn.bf16.f32 d, a", ["f32"], "bf16", lambda a: bf16_bits(a)),
    ("cvt.f32.bf16 d, a", ["bf16"], "f32", bf16_values),
    ("add.f16 d, a, b", ["f16"] * 2, "f16", np.add), ("mul.f16 d, a, b", ["f16"] * 2, "f16", np.multiply),
    ("neg.f16 d, a", ["f16"], "f16", np.negative), ("setp.lt.f16 d, a, b", ["f16"] * 2, "pred", np.less),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sources", "target", "reference"), CASES, ids=[case[0] for case in CASES])
def test_instruction(text: str, sources: list[str], target: str, reference: Callable[..., np.ndarray]) -> None:
    arrays = [values(kind, seed) for seed, kind in enumerate(sources)]
    with np.errstate(all="ignore"):
        expected = np.asarray(reference(*arrays))
    found = instruction(text, sources, target, arrays)
    np.testing.assert_array_equal(found, expected.astype(found.dtype) if target == "pred" else expected)


# -- rounding, against rational numbers


def rounded(exact: Fraction, mode: str, kind: str) -> float:
    """A rational number rounded to a format by searching its neighbours."""
    dtype = DTYPES[kind]
    near = dtype(float(exact))
    around = sorted({float(near), float(np.nextafter(near, dtype(-np.inf))), float(np.nextafter(near, dtype(np.inf)))})
    below = max(x for x in around if Fraction(x) <= exact)
    above = min(x for x in around if Fraction(x) >= exact)
    if below == above or mode == "rm":
        return below
    if mode == "rp":
        return above
    if mode == "rz":
        return below if exact > 0 else above
    down, up = exact - Fraction(below), Fraction(above) - exact
    if down != up:
        return below if down < up else above
    return below if not int(np.array(below, dtype).view(BITS[SIZES[kind]])) & 1 else above


def hard_triples(kind: str, count: int = 300) -> list[np.ndarray]:
    """Numbers whose products and sums nearly cancel, or lie near the middle between two numbers."""
    rng = np.random.default_rng(3)
    dtype = DTYPES[kind]
    finest = 12 if kind == "f32" else 30
    a, b = ((1 + rng.integers(0, 64, count) * 2.0 ** -rng.integers(1, finest, count)) for _ in "ab")
    a, b = a.astype(dtype), (b * rng.choice([-1, 1], count)).astype(dtype)
    c = -(a * b).astype(dtype) * rng.choice([1, 1 + 2.0**-20, 2.0**-24, 2.0**-50, 2.0**24], count).astype(dtype)
    a[count // 2:] = rng.standard_normal(count - count // 2)
    c[count // 2:] = rng.standard_normal(count - count // 2) * np.exp2(rng.integers(-60, 60, count - count // 2))
    return [a, b, c.astype(dtype)]


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("mode", ["rn", "rz", "rm", "rp"])
def test_rounding(kind: str, mode: str) -> None:
    a, b, c = hard_triples(kind)
    cases = {f"fma.{mode}.{kind} d, a, b, c": lambda x, y, z: x * y + z,
             f"add.{mode}.{kind} d, a, c": lambda x, y, z: x + z,
             f"mul.{mode}.{kind} d, a, b": lambda x, y, z: x * y, f"div.{mode}.{kind} d, a, b": lambda x, y, z: x / y}
    for text, of in cases.items():
        found = instruction_on(text, kind, [a, b, c])
        for x, y, z, result in zip(a, b, c, found):
            exact = of(*map(Fraction, map(float, (x, y, z))))
            if exact:
                assert float(result) == rounded(exact, mode, kind), (text, x, y, z)
            else:
                assert result == 0


def instruction_on(text: str, kind: str, arrays: list[np.ndarray]) -> np.ndarray:
    """`instruction` in pieces of at most N numbers."""
    pieces = [instruction(text, [kind] * 3, kind, [np.ascontiguousarray(np.resize(a[k:k + N], N)) for a in arrays])
              for k in range(0, len(arrays[0]), N)]
    return np.concatenate(pieces)[: len(arrays[0])]


def test_fma_at_the_edges_of_double() -> None:
    rng = np.random.default_rng(5)
    a, b = (np.ldexp(rng.uniform(1, 2, 400), rng.integers(-540, 540, 400)) for _ in "ab")
    c = np.ldexp(rng.uniform(-2, 2, 400), rng.integers(-1070, 1020, 400))
    with np.errstate(all="ignore"):
        found = fma(a, b, c, "f64")
    for x, y, z, result in zip(a, b, c, found):
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        try:
            expected = exact.numerator / exact.denominator
        except OverflowError:
            expected = math.copysign(math.inf, exact)
        assert float(result) == expected


@pytest.mark.parametrize("mode", ["rz", "rm", "rp"])
def test_directed_roots(mode: str) -> None:
    x = np.abs(values("f32", 1))[:100].copy()
    x = x[np.isfinite(x) & (x > 0)]
    found = instruction_on(f"sqrt.{mode}.f32 d, a", "f32", [x, x, x])
    for value, root in zip(x, found):
        square, next_up = Fraction(float(root)) ** 2, float(np.nextafter(root, np.float32(np.inf)))
        if mode == "rp":
            below = float(np.nextafter(root, np.float32(0)))
            assert square >= Fraction(float(value)) > Fraction(below) ** 2
        else:
            assert square <= Fraction(float(value)) < Fraction(next_up) ** 2


@pytest.mark.parametrize("to", ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"])
@pytest.mark.parametrize("source", ["f16", "f32", "f64"])
@pytest.mark.parametrize("mode", ["rni", "rzi", "rmi", "rpi"])
def test_float_to_integer(to: str, source: str, mode: str) -> None:
    x = values(source, 3)
    target = to if SIZES[to] > 1 else to[0] + "16"
    found = instruction(f"cvt.{mode}.{to}.{source} d, a", [source], target, [x])
    limits = np.iinfo(DTYPES[to])
    of_nan = 0 if source != "f64" and SIZES[to] < 8 else signed_bits(1 << (8 * SIZES[to] - 1), 8 * SIZES[to])
    if to[0] == "u" and of_nan:
        of_nan &= (1 << 8 * SIZES[to]) - 1
    integral = {"rni": round, "rzi": int, "rmi": math.floor, "rpi": math.ceil}[mode]
    for value, result in zip(x, found):
        if math.isnan(value):
            assert int(result) == of_nan
        elif math.isinf(value):
            assert int(result) == (limits.max if value > 0 else limits.min)
        else:
            assert int(result) == min(max(integral(float(value)), limits.min), limits.max)


@pytest.mark.parametrize("mode", ["rn", "rz", "rm", "rp"])
@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_rounding_to_halves(mode: str, kind: str) -> None:
    x = (np.random.default_rng(0).standard_normal(N) * np.exp2(RNG.integers(-20, 15, N))).astype(np.float32)
    found = instruction(f"cvt.{mode}.{kind}.f32 d, a", ["f32"], kind, [x])
    numbers = found.astype(np.float32) if kind == "f16" else bf16_values(found)
    gap = np.abs(numbers) * 2.0 ** (-10 if kind == "f16" else -7) + 2.0**-24
    error = numbers.astype(float) - x
    assert (np.abs(error) <= gap * (0.5 if mode == "rn" else 1)).all()
    if mode == "rm":
        assert (error <= 0).all()
    if mode == "rp":
        assert (error >= 0).all()
    if mode == "rz":
        assert (np.abs(numbers) <= np.abs(x)).all()
    assert (error != 0).any()


def test_carries_make_long_sums() -> None:
    a, b = values("u64", 1), values("u64", 2)
    body = """ld.global.v2.u32 {%r1, %r2}, [%rd1]; ld.global.v2.u32 {%r3, %r4}, [%rd2];
    {op}.cc.u32 %r5, %r1, %r3; {op}c.u32 %r6, %r2, %r4; st.global.v2.u32 [%rd0], {%r5, %r6};"""
    for op, of in (("add", np.add), ("sub", np.subtract)):
        found = run(body.replace("{op}", op), [a, b], result=np.uint64)
        np.testing.assert_array_equal(found, of(a, b))


def test_carrying_products() -> None:
    a, b = values("u32", 1), values("u32", 2)
    body = """ld.global.u32 %r1, [%rd1]; ld.global.u32 %r2, [%rd2]; mov.u32 %r3, 0xFFFFFFF0; mov.u32 %r4, 9;
    mad.lo.cc.u32 %r5, %r1, %r2, %r3; madc.hi.u32 %r6, %r1, %r2, %r4; mov.b64 %rd10, {%r5, %r6};
    st.global.u64 [%rd0], %rd10;"""
    expected = [(int(x) * int(y) + 0xFFFFFFF0 + (9 << 32)) & ((1 << 64) - 1) for x, y in zip(a, b)]
    np.testing.assert_array_equal(run(body, [a, b], result=np.uint64), np.array(expected, np.uint64))


def test_packed_halves() -> None:
    a, b, c = (np.random.default_rng(k).standard_normal(2 * N).astype(np.float16) for k in range(3))
    found = instruction("fma.rn.f16x2 d, a, b, c", ["b32"] * 3, "b32", [x.view(np.uint32) for x in (a, b, c)])
    exact = a.astype(float) * b.astype(float) + c.astype(float)
    np.testing.assert_array_equal(found.view(np.float16), exact.astype(np.float16))
    found = instruction("cvt.rn.f16x2.f32 d, a, b", ["f32"] * 2, "b32", [values("f32", 1), values("f32", 2)])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found.view(np.float16)[1::2], values("f32", 1).astype(np.float16))
        np.testing.assert_array_equal(found.view(np.float16)[::2], values("f32", 2).astype(np.float16))


def test_bf16_fma_is_rounded_once() -> None:
    a, b, c = (bf16_bits(np.random.default_rng(k).standard_normal(N)) for k in range(3))
    found = instruction("fma.rn.bf16 d, a, b, c", ["bf16"] * 3, "bf16", [a, b, c])
    exact = bf16_values(a).astype(float) * bf16_values(b) + bf16_values(c)
    np.testing.assert_array_equal(found, bf16_bits(exact))


def test_pack_and_unpack() -> None:
    x = values("u64", 4)
    body = """ld.global.u64 %rd10, [%rd1]; mov.b64 {%r1, %r2}, %rd10; mov.b32 {%rs1, %rs2}, %r1;
    mov.b32 %r3, {%rs2, %rs1}; mov.b64 %rd11, {%r3, %r2}; st.global.u64 [%rd0], %rd11;"""
    found = run(body, [x], result=np.uint64).view(np.uint16).reshape(-1, 4)
    np.testing.assert_array_equal(found, x.view(np.uint16).reshape(-1, 4)[:, [1, 0, 2, 3]])


def test_loads_extend_as_the_type_says() -> None:
    x = values("u8", 1)
    found = run("ld.global.s8 %r1, [%rd1]; st.global.u32 [%rd0], %r1;", [x])
    np.testing.assert_array_equal(found.view(np.int32), x.view(np.int8).astype(np.int32))
    found = run("ld.global.u8 %r1, [%rd1]; st.global.u32 [%rd0], %r1;", [x])
    np.testing.assert_array_equal(found, x)
