"""Checking what a kernel is launched with: sizes against the device's limits, arguments against the parameters."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .runtime import KernelError, Span, Struct

if TYPE_CHECKING:
    from .simulator.source import Parameter

MAX_THREADS = 1024
MAX_BLOCK = (1024, 1024, 64)
MAX_GRID = (2**31 - 1, 65535, 65535)
MAX_SHARED = 227 * 1024
"""Bytes of shared memory a block can have, with `cudaFuncSetAttribute`, on the largest devices."""
MAX_STATIC_SHARED = 48 * 1024
"""Bytes of it that ``__shared__`` arrays of fixed size can have."""


def _three(what: str, size: Sequence[int] | int, kernel: str) -> tuple[int, int, int]:
    sizes = (size,) if isinstance(size, (int, np.integer)) else tuple(size)
    if not 1 <= len(sizes) <= 3:
        raise KernelError(f"{kernel}: the {what} has {len(sizes)} dimensions; give 1 to 3, such as (16, 16)")
    try:
        whole = [int(n.__index__()) for n in sizes]
    except AttributeError:
        raise KernelError(f"{kernel}: the {what} must be whole numbers, not {tuple(sizes)}") from None
    return (*whole, *(1,) * (3 - len(whole)))  # type: ignore[return-value]


def launch_size(
    kernel: str, grid: Sequence[int] | int, block: Sequence[int] | int, shared: int = 0
) -> tuple[int, int, int, int, int, int, int]:
    """Grid and block in three dimensions, and the bytes of dynamic shared memory, checked.

    >>> launch_size("k", (4,), (16, 16))
    (4, 1, 1, 16, 16, 1, 0)

    Raises:
        KernelError: for what no device launches.
    """
    return _launch_size(kernel, *_three("grid", grid, kernel), *_three("block", block, kernel), int(shared))


@functools.lru_cache(maxsize=4096)
def _launch_size(
    kernel: str, gx: int, gy: int, gz: int, bx: int, by: int, bz: int, shared: int
) -> tuple[int, int, int, int, int, int, int]:
    grid, block = (gx, gy, gz), (bx, by, bz)
    if min(grid) < 1 or min(block) < 1:
        raise KernelError(
            f"{kernel}: a grid of {grid} blocks of {block} threads has nothing to run: do not launch for an empty input"
        )
    if bx * by * bz > MAX_THREADS:
        raise KernelError(f"{kernel}: a block of {block} has {bx * by * bz} threads; the limit is {MAX_THREADS}")
    for what, size, limits in (("block", block, MAX_BLOCK), ("grid", grid, MAX_GRID)):
        for axis, n, limit in zip("xyz", size, limits):
            if n > limit:
                raise KernelError(f"{kernel}: the {what} {size} is above the limit of {limit} in {axis}")
    if not 0 <= shared <= MAX_SHARED:
        raise KernelError(f"{kernel}: {shared} bytes of dynamic shared memory; the limit is {MAX_SHARED} a block")
    return gx, gy, gz, bx, by, bz, shared


class Slot(NamedTuple):
    """A parameter of a compiled kernel: how its argument lies in memory."""

    name: str
    pointer: bool
    constant: bool
    """A pointer to const."""
    kind: str
    """Of it, or of what it points to: f(loat), i(nteger), u(nsigned), b(ool), v(oid), p(ointer), s(truct)."""
    size: int
    offset: int


_LETTER = {"f": {4: "f", 8: "d"}, "i": {1: "b", 2: "h", 4: "i", 8: "q"}, "u": {1: "B", 2: "H", 4: "I", 8: "Q"}}
_SCALAR = {
    ("f", 4): "float32",
    ("f", 8): "float64",
    ("b", 1): "bool_",
    **{(kind, size): f"{'u' * (kind == 'u')}int{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)},
}
_WORDS = {
    "f4": "float",
    "f8": "double",
    "i1": "signed char",
    "u1": "unsigned char",
    "i2": "short",
    "u2": "unsigned short",
    "i4": "int",
    "u4": "unsigned",
    "i8": "long long",
    "u8": "unsigned long long",
    "b1": "bool",
}


_BY_WORDS = {
    "float": ("f", 4),
    "double": ("f", 8),
    "bool": ("b", 1),
    "char": ("i", 1),
    "signed char": ("i", 1),
    "unsigned char": ("u", 1),
    "short": ("i", 2),
    "unsigned short": ("u", 2),
    "int": ("i", 4),
    "unsigned": ("u", 4),
    "unsigned int": ("u", 4),
    "long long": ("i", 8),
    "unsigned long long": ("u", 8),
    "long": ("i", 8),
    "unsigned long": ("u", 8),
    "size_t": ("u", 8),
    "void": ("v", 1),
    **{f"{'u' * (kind == 'u')}int{8 * size}_t": (kind, size) for kind in "iu" for size in (1, 2, 4, 8)},
}


def slot_of(parameter: Parameter) -> Slot | None:
    """A parameter as its source declares it; None where the type is not one of C's own.

    >>> from minitorch.cuda.simulator.source import Parameter
    >>> slot_of(Parameter("n", "const unsigned int")).kind
    'u'
    """
    words = [word for word in parameter.type.replace("*", " ").split() if word not in {"const", "volatile"}]
    known = _BY_WORDS.get(" ".join(words))
    if known is None or parameter.type.count("*") > 1 or "&" in parameter.type:
        return None
    constant = "const" in parameter.type.split("*")[0].split()
    return Slot(parameter.name, parameter.is_pointer, constant, *known, 0)


def _pointed(slot: Slot) -> frozenset[str] | None:
    """Dtypes of the arrays that a pointer parameter takes; None for all.  Signs do not matter, widths do."""
    if slot.kind == "f":
        return frozenset({"float32", "complex64"} if slot.size == 4 else {"float64", "complex128"})
    if slot.kind in "iub":
        names = {f"int{8 * slot.size}", f"uint{8 * slot.size}"}
        if slot.size == 1:
            names |= {"bool", "float8_e4m3fn", "float8_e5m2"}
        if slot.size == 2:
            names |= {"float16", "bfloat16"}  # as bits
        return frozenset(names)
    return None


def spans_of(args: Sequence[Any]) -> Iterator[tuple[int, Span]]:
    """All memory that arguments point to, each with the argument's number."""
    for i, arg in enumerate(args):
        if isinstance(arg, Span):
            yield i, arg
        elif isinstance(arg, Struct):
            for _, span in arg.spans:
                yield i, span


class Packer:
    """Turns a kernel's arguments into the bytes that it reads them from.

    Args:
        kernel: its name, for messages.
        slots: its parameters.
        nbytes: of all of them.
        offset: what device addresses given to the host are above the real ones.
    """

    def __init__(self, kernel: str, slots: Sequence[Slot], nbytes: int, offset: int = 0) -> None:
        self.kernel, self.slots, self.offset = kernel, tuple(slots), offset
        layout, at = "<", 0
        for slot in slots:
            layout += f"{slot.offset - at}x"
            if slot.pointer:
                letter, size = "Q", 8
            elif slot.kind == "b":
                letter, size = "?", 1
            elif slot.kind in _LETTER:
                letter, size = _LETTER[slot.kind][slot.size], slot.size
            else:
                letter, size = f"{slot.size}s", slot.size
            layout += letter
            at = slot.offset + size
        self._struct = struct.Struct(layout + f"{max(nbytes - at, 0)}x")
        self._plan = [
            (
                slot,
                _pointed(slot),
                None
                if slot.pointer or (slot.kind, slot.size) not in _SCALAR
                else getattr(np, _SCALAR[slot.kind, slot.size]),
            )
            for slot in slots
        ]

    def pack(self, args: Sequence[Any]) -> bytes:
        """The bytes.

        Raises:
            KernelError: if an argument does not fit its parameter.
        """
        if len(args) != len(self.slots):
            names = ", ".join(slot.name for slot in self.slots)
            raise KernelError(f"{self.kernel} takes {len(self.slots)} arguments ({names}), and was given {len(args)}")
        values = []
        for arg, (slot, dtypes, scalar) in zip(args, self._plan):
            if type(arg) is scalar:
                values.append(arg)
            elif slot.pointer:
                values.append(self._address(slot, dtypes, arg))
            else:
                values.append(self._value(slot, arg))
        return self._struct.pack(*values)

    def check(self, args: Sequence[Any]) -> None:
        """Refuse what `pack` would refuse, whatever the addresses are."""
        for arg, (slot, dtypes, scalar) in zip(args, self._plan):
            if type(arg) is scalar:
                continue
            if slot.pointer:
                self._pointer(slot, dtypes, arg)
            else:
                self._value(slot, arg)

    def _refuse(self, slot: Slot, why: str) -> KernelError:
        return KernelError(f"{self.kernel}: argument `{slot.name}`: {why}")

    def _address(self, slot: Slot, dtypes: frozenset[str] | None, arg: Any) -> int:
        pointer = self._pointer(slot, dtypes, arg)
        if not pointer:
            return 0
        address = pointer - self.offset
        if not 0 < address < 1 << 62:
            raise self._refuse(slot, f"{pointer:#x} is no address of this device")
        return address

    def _pointer(self, slot: Slot, dtypes: frozenset[str] | None, arg: Any) -> int:
        if arg is None:
            return 0
        if not isinstance(arg, Span):
            what = "a NumPy array is in the host's memory" if isinstance(arg, np.ndarray) else f"this is {arg!r:.60}"
            raise self._refuse(slot, f"the parameter is a pointer, so pass a tensor on the device; {what}")
        if dtypes is not None and arg.dtype not in dtypes:
            pointed = _WORDS[f"{slot.kind}{slot.size}"]
            raise self._refuse(slot, f"the parameter points to {pointed}, the tensor holds {arg.dtype}")
        return arg.pointer

    def _value(self, slot: Slot, arg: Any) -> Any:
        if isinstance(arg, Span):
            raise self._refuse(slot, "the parameter is not a pointer, and was given memory of the device")
        if slot.kind not in _LETTER and slot.kind != "b":
            return self._structure(slot, arg)
        if isinstance(arg, np.ndarray) and arg.ndim == 0:
            arg = arg[()]
        wanted = _SCALAR[slot.kind, slot.size]
        advice = f"numpy.{wanted}({arg!r:.40})" if not isinstance(arg, np.generic) else f"numpy.{wanted}(...)"
        passed = {bool: ("b", 1, "a bool"), int: ("i", 8, "64 bits"), float: ("f", 8, "a double")}.get(type(arg))
        if passed:
            if passed[0] == slot.kind and passed[1] == slot.size:
                return arg
            if passed[0] == "i" and slot.kind == "u" and slot.size == 8 and arg >= 0:
                return arg
            name = _WORDS[f"{slot.kind}{slot.size}"]
            raise self._refuse(
                slot, f"the parameter is {name}: pass {advice}: a Python {type(arg).__name__} is passed as {passed[2]}"
            )
        if not isinstance(arg, np.generic):
            raise self._refuse(slot, f"pass {advice}, not a {type(arg).__name__}")
        kind = arg.dtype.kind
        if arg.dtype.itemsize != slot.size or ("f" in (kind, slot.kind) and kind != slot.kind) or kind not in "fiub":
            name = _WORDS[f"{slot.kind}{slot.size}"]
            raise self._refuse(slot, f"the parameter is {name}: pass {advice}, not numpy.{arg.dtype.name}")
        return np.asarray(arg).view(wanted.removesuffix("_"))[()]  # the same bits with the other sign

    def _structure(self, slot: Slot, arg: Any) -> bytes:
        if isinstance(arg, Struct):
            self._structure(slot, arg.value)
            return arg.packed(self.offset)
        if not isinstance(arg, (np.ndarray, np.generic)) or np.size(arg) != 1:
            raise self._refuse(
                slot, f"the parameter is a struct of {slot.size} bytes: pass a structured NumPy value of size one"
            )
        if arg.nbytes != slot.size:
            raise self._refuse(slot, f"the parameter is a struct of {slot.size} bytes, the value has {arg.nbytes}")
        return arg.tobytes()
