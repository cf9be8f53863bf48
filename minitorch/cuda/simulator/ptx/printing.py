"""Functions that CUDA's own library gives kernels: ``printf`` and ``assert``."""

from __future__ import annotations

import re
import sys

import numpy as np

from .memory import LOCAL, Threads
from .operands import Step
from .parse import Instruction

FORMAT = re.compile(r"%([-+ #0]*)(\*|\d*)(\.\*|\.\d*)?(hh|h|ll|l|z|j|t|L)?([diouxXeEfFgGcspaA%])")


def prepare(i: Instruction, name: str, arguments: list[int], results: list[int]) -> Step:
    """What a call of a function that the PTX does not define does; its arguments and results are in local memory."""
    if name == "vprintf":
        return lambda lanes: _printf(lanes, i, arguments, results[0])  # type: ignore[arg-type]
    if name == "__assertfail":
        return lambda lanes: _assert_failed(lanes, i, arguments)  # type: ignore[arg-type]
    raise i.error(f"calls {name}, which is not supported by the interpreter")


def _argument(lanes: Threads, lane: int, at: int, dtype: type[np.generic] = np.uint64) -> int:
    start = lane * lanes.memory.local_stride + at
    return int(lanes.memory.local.data[start : start + np.dtype(dtype).itemsize].view(dtype)[0])


def _bytes(lanes: Threads, lane: int, address: int) -> np.ndarray:
    """The memory from a generic address on."""
    if address & LOCAL:
        start = lane * lanes.memory.local_stride
        return lanes.memory.local.data[start + address - LOCAL : start + lanes.memory.local_stride]
    region = lanes.memory.regions.at(address)
    return region.data[address - region.base :] if region is not None else np.zeros(1, np.uint8)


def _string(lanes: Threads, lane: int, address: int) -> str:
    return _bytes(lanes, lane, address).tobytes().partition(b"\0")[0].decode(errors="replace")


def _printf(lanes: Threads, i: Instruction, arguments: list[int], result: int) -> None:
    for lane in lanes.active().tolist():
        template = _string(lanes, lane, _argument(lanes, lane, arguments[0]))
        packed = _argument(lanes, lane, arguments[1])
        values = _bytes(lanes, lane, packed) if packed else np.zeros(0, np.uint8)
        position = 0

        def next_value(size: int, dtype: str, values: np.ndarray = values) -> int | float:
            nonlocal position
            position = -(-position // size) * size
            position += size
            return values[position - size : position].view(dtype)[0].item()  # type: ignore[no-any-return]

        def formatted(match: re.Match[str], lane: int = lane, next_value=next_value) -> str:  # type: ignore[no-untyped-def]
            flags, width, precision, length, kind = match.groups()
            if kind == "%":
                return "%"
            width, precision = (
                str(next_value(4, "i4")) if part and part.endswith("*") else (part or "") for part in (width, precision)
            )
            precision = "." + precision.lstrip(".") if precision else ""
            if kind in "eEfFgGaA":
                return f"%{flags}{width}{precision}{kind}" % next_value(8, "f8")
            if kind in "sp":
                address = int(next_value(8, "u8"))
                return f"%{flags}{width}s" % (_string(lanes, lane, address) if kind == "s" else hex(address))
            size = 8 if length in ("l", "ll", "z", "j", "t") else 4
            value = next_value(size, f"{'i' if kind in 'dic' else 'u'}{size}")
            return f"%{flags}{width}{precision}{'d' if kind in 'iu' else kind}" % value

        sys.stdout.write(FORMAT.sub(formatted, template))
        start = lane * lanes.memory.local_stride + result
        lanes.memory.local.data[start : start + 4].view(np.int32)[0] = len(FORMAT.findall(template))


def _assert_failed(lanes: Threads, i: Instruction, arguments: list[int]) -> None:
    lane = int(lanes.active()[0])
    message, file, function = (_string(lanes, lane, _argument(lanes, lane, arguments[k])) for k in (0, 1, 3))
    line = _argument(lanes, lane, arguments[2], np.uint32)
    raise i.error(f"assert({message}) failed in {function}, {file}:{line}, in {lanes.name_of(lane)}")
