"""Devices, layouts and memory formats: names that programs pass around."""

from __future__ import annotations


class device:
    """Where a tensor's memory is: a type and an index.

    >>> import minitorch
    >>> minitorch.device("cpu")
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: str | int | device, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        elif ":" in type:
            type, _, number = type.partition(":")
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}:{number}'")
            index = int(number)
        if type not in ("cpu", "cuda", "meta", "mps"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {type}")
        self.type, self.index = type, index

    def __repr__(self) -> str:
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{number})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self):
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        """Inside, what is made without a device goes here."""
        from . import _settings

        _entered.append(_settings.get_default_device())
        _settings.set_default_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        from . import _settings

        _settings.set_default_device(_entered.pop())


_entered: list[device] = []  # the defaults to go back to, the innermost last


class _Name:
    """A constant known by its name alone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


class layout(_Name):
    """How elements are stored."""


class memory_format(_Name):
    """In which order a copy puts the dimensions in memory."""


CPU = device("cpu")
CUDA = device("cuda", 0)
strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
