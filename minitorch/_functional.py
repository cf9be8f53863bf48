"""Functions of `minitorch` that are easier said in Python than in the engine."""

from __future__ import annotations

from ._ext import pointwise as _pointwise
from ._ext.index import nonzero as _nonzero
from ._size import Size
from ._tensor import Tensor

__all__ = [
    "allclose", "broadcast_shapes", "broadcast_tensors", "equal", "is_tensor", "isclose", "moveaxis",
    "swapaxes", "swapdims", "where",
]


def is_tensor(obj: object) -> bool:
    """Whether an object is a `Tensor`.

    >>> import minitorch
    >>> minitorch.is_tensor(minitorch.ones(1)), minitorch.is_tensor([1.])
    (True, False)
    """
    return isinstance(obj, Tensor)


def where(condition: Tensor, input=None, other=None, *, out: Tensor | None = None):
    """``input`` where the condition is True, ``other`` elsewhere; with the condition alone, the indices where it is.

    .. math:: y = c \\mathbin{?} x_1 : x_2

    >>> import minitorch
    >>> x = minitorch.tensor([-1., 2.])
    >>> minitorch.where(x > 0, x, 0.)
    tensor([0., 2.])
    """
    if input is None and other is None:
        return _nonzero(condition, as_tuple=True)
    return _pointwise._where(condition, input, other, out)


def broadcast_shapes(*shapes) -> Size:
    """The shape to which all the shapes are broadcast.

    >>> import minitorch
    >>> minitorch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    sizes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    result = [1] * max(map(len, sizes), default=0)
    for shape in sizes:
        for d in range(-1, -len(shape) - 1, -1):
            if shape[d] < 0:
                raise RuntimeError(f"broadcast_shapes: negative size {shape[d]} in {shape}")
            if shape[d] != 1 and result[d] not in (1, shape[d]):
                shown = ", ".join(map(str, sizes))
                raise RuntimeError(f"Shape mismatch: objects cannot be broadcast to a single shape: {shown}")
            if shape[d] != 1:
                result[d] = shape[d]
    return Size(result)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of the tensors, all expanded to the shape that they broadcast to.

    >>> import minitorch
    >>> [t.shape for t in minitorch.broadcast_tensors(minitorch.ones(2, 1), minitorch.ones(3))]
    [torch.Size([2, 3]), torch.Size([2, 3])]
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        (tensors,) = tensors
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether elements are close to each other.

    .. math:: |x - y| \\le \\text{atol} + \\text{rtol}\\,|y|

    >>> import minitorch
    >>> minitorch.isclose(minitorch.tensor([1., 2.]), minitorch.tensor([1. + 1e-6, 3.]))
    tensor([ True, False])
    """
    if input.dtype != other.dtype:
        raise RuntimeError(f"isclose: the dtypes must be the same, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: rtol and atol must not be negative, got {rtol} and {atol}")
    close = input == other
    if equal_nan and input.is_floating_point():
        close = close | (input.isnan() & other.isnan())
    if not input.is_floating_point():
        if rtol == 0 and atol == 0:
            return close
        input, other = input.double(), other.double()
    bound = atol + (rtol * other).abs()
    gap = (input - other).abs()
    return close | (gap.isfinite() & (gap <= bound))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close to each other; see `isclose`.

    >>> import minitorch
    >>> minitorch.allclose(minitorch.ones(2), minitorch.ones(2) + 1e-7)
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements.

    >>> import minitorch
    >>> minitorch.equal(minitorch.ones(2), minitorch.ones(2))
    True
    """
    return input.shape == other.shape and bool((input == other).all())


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` by NumPy's name."""
    return input.transpose(axis0, axis1)


swapdims = swapaxes


def moveaxis(input: Tensor, source, destination) -> Tensor:
    """`movedim` by NumPy's name."""
    return input.movedim(source, destination)


for _name in ("allclose", "equal", "isclose", "moveaxis", "swapaxes", "swapdims"):
    setattr(Tensor, _name, globals()[_name])


def _tensor_where(self, condition, other):
    """``self`` where the condition is True, ``other`` elsewhere."""
    return where(condition, self, other)


def _tensor_polygamma(self, n):
    """`minitorch.polygamma` of order ``n``."""
    return _pointwise.polygamma(n, self)


Tensor.where, Tensor.polygamma = _tensor_where, _tensor_polygamma
