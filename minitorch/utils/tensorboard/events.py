"""TensorBoard's files: records with checksums, each of which is an event in protocol buffers' encoding.

A message is a sequence of fields: a number and a kind (varint 0, eight bytes 1, bytes 2, four bytes 5) in one varint,
then the value.  That is all of protocol buffers that is needed.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import weakref
from collections.abc import Iterator
from typing import Any

# --- protocol buffers ---------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64 bits.

    >>> varint(300).hex()
    'ac02'
    """
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value: Any) -> bytes:
    """A field: int as varint, float as double, str and bytes as such; a list of floats is packed."""
    if isinstance(value, (bool, int)):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, str):
        value = value.encode()
    elif isinstance(value, list):
        value = struct.pack(f"<{len(value)}d", *value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def single(number: int, value: float) -> bytes:
    """A field of four bytes."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def parse(message: bytes) -> dict[int, list[Any]]:
    """The fields of a message by number; numbers as ints, all others as bytes.

    >>> parse(field(1, 5) + field(2, "a"))
    {1: [5], 2: [b'a']}
    """
    fields: dict[int, list[Any]] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        kind = key & 7
        if kind == 0:
            value: Any = number()
        else:
            size = {1: 8, 5: 4}[kind] if kind != 2 else number()
            value, at = message[at:at + size], at + size
        fields.setdefault(key >> 3, []).append(value)
    return fields


# --- records ------------------------------------------------------------------------------------------------------


def _crc_table() -> list[int]:
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ 0x82F63B78 if i & 1 else i >> 1
        table.append(i)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Its length, the length's checksum, the data, and its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def read_events(path: str) -> Iterator[dict[int, list[Any]]]:
    """The events of a file, as `parse` gives them.

    Raises:
        ValueError: if a checksum is wrong.
    """
    with open(path, "rb") as file:
        while header := file.read(12):
            if len(header) < 12 or _masked(header[:8]) != header[8:]:
                raise ValueError(f"read_events: {path} is damaged: the checksum of a length is wrong")
            data = file.read(struct.unpack("<Q", header[:8])[0])
            if _masked(data) != file.read(4):
                raise ValueError(f"read_events: {path} is damaged: the checksum of an event is wrong")
            yield parse(data)


class EventFile:
    """A file of events in a directory, which is made.

    Args:
        max_queue: events to collect before they are written.
        flush_secs: seconds after which they are written with the next event.
    """

    _count = 0

    def __init__(self, directory: str, max_queue: int = 10, flush_secs: float = 120, suffix: str = "") -> None:
        os.makedirs(directory, exist_ok=True)
        EventFile._count += 1
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{EventFile._count}{suffix}"
        self.path, self.max_queue, self.flush_secs = os.path.join(directory, name), max_queue, flush_secs
        self._file = open(self.path, "ab")  # noqa: SIM115 - it stays open
        self.close = weakref.finalize(self, self._file.close)
        self._waiting, self._flushed = 0, time.monotonic()
        self._file.write(record(field(1, time.time()) + field(3, "brain.Event:2")))
        self.flush()

    def add(self, summary: bytes, step: int | None = None, walltime: float | None = None) -> None:
        """An event with a summary, a message."""
        event = field(1, float(time.time() if walltime is None else walltime))
        event += field(2, int(step)) if step is not None else b""
        self._file.write(record(event + field(5, summary)))
        self._waiting += 1
        if self._waiting >= self.max_queue or time.monotonic() - self._flushed > self.flush_secs:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        self._file.flush()
        self._waiting, self._flushed = 0, time.monotonic()
