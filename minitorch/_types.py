"""The names that signatures use for what several types can stand for; for type checkers, nothing else imports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsIndex, TypeAlias, Union

from ._device import device
from ._ext.dtype import dtype

DType: TypeAlias = dtype
Number: TypeAlias = Union[bool, int, float]  # noqa: UP007, evaluated
Sizes: TypeAlias = Union[SupportsIndex, Sequence[SupportsIndex]]  # noqa: UP007
Dims: TypeAlias = Union[int, Sequence[int]]  # noqa: UP007
Device: TypeAlias = Union[device, str, int]  # noqa: UP007
