from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias, overload

from typing_extensions import Self

from minitorch import Tensor, dtype
from minitorch import device as _device
from minitorch._ext.tensor import Node

_Size: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
_Device: TypeAlias = _device | str | None

class DropoutBackward(Node): ...
class RandomBackward(Node): ...

class Generator:
    def __new__(cls, device: _Device = "cpu") -> Self: ...
    def manual_seed(self, seed: SupportsIndex) -> Generator: ...
    def seed(self) -> int: ...
    def initial_seed(self) -> int: ...
    def get_state(self) -> Tensor: ...
    def set_state(self, new_state: Tensor) -> None: ...
    def clone_state(self) -> Generator: ...
    @property
    def device(self) -> _device: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

default_generator: Generator
device_generator: Generator
default_device_generator: Generator

def manual_seed(seed: int) -> Generator: ...
def seed() -> int: ...
def initial_seed() -> int: ...
def get_rng_state() -> Tensor: ...
def set_rng_state(new_state: Tensor) -> None: ...
def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor: ...
def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor: ...
def random_(
    self: Tensor, from_: int = ..., to: int | None = ..., *, generator: Generator | None = None
) -> Tensor: ...
def bernoulli_(
    self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None
) -> Tensor: ...
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor: ...
def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor: ...
def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor: ...
def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor: ...
def rand(
    *args: _Size,
    size: _Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor: ...
def randn(
    *args: _Size,
    size: _Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor: ...
def randint(
    *args: _Size,
    low: int | None = None,
    high: int | None = None,
    size: _Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor: ...
def randperm(
    n: SupportsIndex,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor: ...
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor: ...
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor: ...
def randint_like(
    input: Tensor,
    *args: int,
    low: int | None = None,
    high: int | None = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor: ...
@overload
def normal(
    mean: Tensor, std: Tensor | float = 1.0, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor: ...
@overload
def normal(
    mean: float = 0.0, *, std: Tensor, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor: ...
@overload
def normal(
    mean: float,
    std: float,
    size: _Size | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: _Device = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor: ...
def bernoulli(
    input: Tensor,
    p: float | Tensor | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor: ...
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor: ...
def dropout(input: Tensor, p: float, train: bool) -> Tensor: ...
def dropout_(self: Tensor, p: float, train: bool) -> Tensor: ...
