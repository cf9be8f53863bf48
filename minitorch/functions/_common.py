"""What the functions share: dimensions, `out=`, in-place variants of functions that make new tensors."""

from __future__ import annotations

import functools

from .._ext.dtype import can_cast, get_default_dtype
from .._ext.pointwise import give
from .._ext.tensor import is_grad_enabled
from .._size import Size
from .._tensor import Tensor


def wrap_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; a tensor without dimensions takes 0 and -1."""
    bound = max(ndim, 1)
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"a dimension must be an int, not {type(dim).__name__}")
    dim = int(dim)
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


def wrap_dims(dims, ndim: int, name: str) -> list[int]:
    """Several dimensions counted from the front, all different."""
    wrapped = [wrap_dim(d, ndim) for d in ((dims,) if hasattr(dims, "__index__") else dims)]
    if len(set(wrapped)) < len(wrapped):
        raise RuntimeError(f"{name}: a dimension appears multiple times in the list of dims: {tuple(dims)}")
    return wrapped


def require_tensor(value: object, name: str, argument: str = "input", position: int = 1) -> None:
    """Refuse what is no tensor, as PyTorch words it."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, "
                        f"not {type(value).__name__}")


def inexact(input: Tensor) -> Tensor:
    """A tensor that can be divided: one of integers becomes one of the default type."""
    return input if input.is_floating_point() or input.is_complex() else input.to(get_default_dtype())


def is_wrapped(t: Tensor) -> bool:
    """Whether a tensor stands for another, while a transform of `func` is at work, or forward mode."""
    if type(t) is Tensor:
        return False
    from ..func.wrapping import Wrapped

    return isinstance(t, Wrapped)


def beneath(t: Tensor) -> Tensor:
    """All values of a tensor at once, also where a transform of `func` has the program see one element of a batch.

    For questions whose answer holds for every element if it holds for all, such as what size of number occurs.
    """
    while is_wrapped(t):
        t = t.value
    return t.detach()


def with_out(function):
    """Give a function that makes a new tensor the keyword ``out``."""

    @functools.wraps(function)
    def with_given_out(*args, out=None, **options):
        return give(function(*args, **options), out, function.__name__)

    return with_given_out


def in_place(function, name: str | None = None):
    """The method that writes what a function makes back into its first argument."""
    name = name or function.__name__ + "_"

    def method(self, *args, **options):
        # what the function keeps for its derivative must not be what is overwritten
        recorded = is_grad_enabled() and (
            self.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in args))
        result = function(self.clone() if recorded else self, *args, **options)
        if result.shape != self.shape:
            raise RuntimeError(f"{name}: the result has shape {tuple(result.shape)}, which does not fit into the "
                               f"tensor of shape {tuple(self.shape)}")
        if not can_cast(result.dtype, self.dtype):
            raise RuntimeError(f"{name}: result type {result.dtype} can't be cast to the desired output type "
                               f"{self.dtype}")
        return self.copy_(result)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place `{function.__name__}`."
    return method


def size_of(sizes) -> Size:
    """A shape given as several ints or as one sequence."""
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
        (sizes,) = sizes
    return Size(int(n) for n in sizes)
