"""Discrete Fourier transforms, of one, two or any number of dimensions, with derivatives.

In one dimension, with the factor s by ``norm`` (below),

.. math:: X_k = s \\sum_{j=0}^{n-1} x_j e^{-2\\pi i jk/n}

`fft` and `ifft` (whose exponent is positive) take complex numbers, or real ones as such. `rfft` takes real numbers and
gives the first n // 2 + 1 values, of which the others are conjugates; `irfft` is its inverse.  `hfft` and `ihfft` are
these two with the directions exchanged: for signals whose spectrum is real.  The endings ``2`` and ``n`` stand for the
last two and for any dimensions.

``norm`` says where the factor is: ``"backward"`` (the default) puts 1/n on the inverses, ``"forward"`` on the others,
and ``"ortho"`` the root of it on both.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._ext import engine as _engine
from ._ext import fourier as _fourier
from ._ext import index as _index
from ._ext import pointwise as _pointwise
from ._ext.dtype import dtype as _dtype_class
from ._ext.dtype import get_default_dtype
from ._ext.pointwise import give
from ._tensor import Tensor

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn",
           "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq",
           "rfftn"]  # fmt: skip

OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}

# ---------------------------------------------------------------------------------------------------------------------
# Arguments


def _norm(norm: str | None) -> str:
    if norm is None:
        return "backward"
    if norm not in OPPOSITE:
        raise RuntimeError(f"Invalid normalization mode: {norm!r}: it is 'backward', 'ortho' or 'forward'")
    return norm


def _floating(x: Tensor, name: str) -> Tensor:
    """Integers as the default type; half precision is refused."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    if not x.is_floating_point() and not x.is_complex():
        return x.to(get_default_dtype())
    if x.dtype.itemsize == 2:
        raise RuntimeError(f"{name}: Unsupported dtype {x.dtype}: convert it with .float() first")
    return x


def _real(x: Tensor, name: str) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype}")
    return _floating(x, name)


def _wrap(dim: int, ndim: int) -> int:
    if not -ndim <= dim < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    return dim % ndim


def _dim(x: Tensor, dim: int) -> int:
    return _wrap(dim, max(x.ndim, 1))


def _dims(x: Tensor, s, dim) -> tuple[tuple[int, ...], list[int]]:
    """The dimensions of a transform and how many points each has; -1 in ``s`` stands for all there are."""
    dims = (dim,) if isinstance(dim, int) else dim
    sizes = (s,) if isinstance(s, int) else s
    if sizes is not None and dims is not None and len(sizes) != len(dims):
        raise RuntimeError(f"When given, dim and shape arguments must have the same length, not {len(dims)} and "
                           f"{len(sizes)}")  # fmt: skip
    if dims is None:
        count = x.ndim if sizes is None else len(sizes)
        if count > x.ndim:
            raise RuntimeError(f"Got shape with {count} values but input tensor only has {x.ndim} dimensions.")
        dims = range(x.ndim - count, x.ndim)
    dims = tuple(_wrap(d, max(x.ndim, 1)) for d in dims)
    if len(set(dims)) < len(dims):
        raise RuntimeError(f"FFT dims must be unique, not {dims}")
    return dims, [x.shape[d] if n == -1 else n for n, d in zip(sizes or [-1] * len(dims), dims)]


def _check_points(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _resized(x: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Cut, or filled up with zeros, to as many points."""
    for d, n in zip(dims, sizes):
        _check_points(n)
        if x.shape[d] > n:
            x = x.narrow(d, 0, n)
        elif x.shape[d] < n:
            shape = [n - x.shape[d] if k == d else size for k, size in enumerate(x.shape)]
            x = _index.cat((x, x.new_zeros(shape)), d)
    return x


# ---------------------------------------------------------------------------------------------------------------------
# The transforms; dims are in range and there is a size for each


def _complex(x: Tensor, dims: tuple[int, ...], sizes: Sequence[int], norm: str, inverse: bool) -> Tensor:
    x = _resized(x, dims, sizes)
    if not dims:
        return x if x.is_complex() else x.to(x.dtype.to_complex())
    return _fourier.c2c(x, dims, inverse, norm)


def _from_real(x: Tensor, dims: tuple[int, ...], sizes: Sequence[int], norm: str, inverse: bool, name: str) -> Tensor:
    """The last dimension as half a spectrum, then the others.  The inverse of real numbers is the conjugate."""
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = _resized(x, dims, sizes)
    half = _fourier.r2c(x, dims[-1], OPPOSITE[norm] if inverse else norm)
    return _fourier.c2c(_pointwise.conjugate(half) if inverse else half, dims[:-1], inverse, norm)


def _to_real(x: Tensor, dims: tuple[int, ...], s, sizes: list[int], norm: str, inverse: bool, name: str) -> Tensor:
    """All dimensions but the last, then that from half a spectrum.  Forward is the inverse of the conjugate."""
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = (s,) if isinstance(s, int) else s
    n = _check_points(2 * (x.shape[dims[-1]] - 1) if last is None or last[-1] == -1 else last[-1])
    x = _resized(x, dims, [*sizes[:-1], n // 2 + 1])
    if not x.is_complex():
        x = x.to(x.dtype.to_complex())
    x = _fourier.c2c(x, dims[:-1], inverse, norm)
    if inverse:
        return _fourier.c2r(x, dims[-1], n, norm)
    return _fourier.c2r(_pointwise.conjugate(x), dims[-1], n, OPPOSITE[norm])


def _one(x: Tensor, n: int | None, dim: int) -> tuple[Tensor, tuple[int], list[int]]:
    if x.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    d = _dim(x, dim)
    return x, (d,), [x.shape[d] if n is None else n]


# ---------------------------------------------------------------------------------------------------------------------
# One dimension


def fft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The transform along a dimension, of ``n`` points (cut, or filled up with zeros).

    .. math:: X_k = s \\sum_j x_j e^{-2\\pi i jk/n}

    Raises:
        RuntimeError: if ``n`` is below 1, or ``norm`` unknown.
        IndexError: if there is no such dimension.

    >>> import minitorch
    >>> minitorch.fft.fft(minitorch.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    x, dims, sizes = _one(_floating(input, "fft"), n, dim)
    return give(_complex(x, dims, sizes, _norm(norm), False), out, "fft")


def ifft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The inverse of `fft`.

    .. math:: x_j = s \\sum_k X_k e^{2\\pi i jk/n}

    >>> import minitorch
    >>> minitorch.fft.ifft(minitorch.tensor([2., 0.]))
    tensor([1.+0.j, 1.+0.j])
    """
    x, dims, sizes = _one(_floating(input, "ifft"), n, dim)
    return give(_complex(x, dims, sizes, _norm(norm), True), out, "ifft")


def rfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The first n // 2 + 1 values of the transform of real numbers: the others are conjugates of these.

    >>> import minitorch
    >>> minitorch.fft.rfft(minitorch.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    x, dims, sizes = _one(_real(input, "rfft"), n, dim)
    return give(_from_real(x, dims, sizes, _norm(norm), False, "rfft"), out, "rfft")


def irfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The inverse of `rfft`: ``n`` real numbers, an even number of them unless ``n`` is given.

    >>> import minitorch
    >>> minitorch.fft.irfft(minitorch.tensor([10., -2. + 2j, -2.]))
    tensor([1., 2., 3., 4.])
    """
    x, dims, sizes = _one(_floating(input, "irfft"), None, dim)
    return give(_to_real(x, dims, n, sizes, _norm(norm), True, "irfft"), out, "irfft")


def hfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The real transform of a signal of which the second half is the conjugate of the first, which alone is given.

    >>> import minitorch
    >>> minitorch.fft.hfft(minitorch.tensor([1., 2., 3.]))
    tensor([ 8., -2.,  0., -2.])
    """
    x, dims, sizes = _one(_floating(input, "hfft"), None, dim)
    return give(_to_real(x, dims, n, sizes, _norm(norm), False, "hfft"), out, "hfft")


def ihfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The inverse of `hfft`.

    >>> import minitorch
    >>> minitorch.fft.ihfft(minitorch.tensor([8., -2., 0., -2.])).real
    tensor([1., 2., 3.])
    """
    x, dims, sizes = _one(_real(input, "ihfft"), n, dim)
    return give(_from_real(x, dims, sizes, _norm(norm), True, "ihfft"), out, "ihfft")


# ---------------------------------------------------------------------------------------------------------------------
# Several dimensions


def fftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`fft` along several dimensions, of ``s`` points: all dimensions, or the last ones if ``s`` is given.

    >>> import minitorch
    >>> minitorch.fft.fftn(minitorch.ones(2, 2))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    x = _floating(input, "fftn")
    return give(_complex(x, *_dims(x, s, dim), _norm(norm), False), out, "fftn")


def ifftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `fftn`."""
    x = _floating(input, "ifftn")
    return give(_complex(x, *_dims(x, s, dim), _norm(norm), True), out, "ifftn")


def rfftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`rfft` along the last of several dimensions, then `fft` along the others."""
    x = _real(input, "rfftn")
    return give(_from_real(x, *_dims(x, s, dim), _norm(norm), False, "rfftn"), out, "rfftn")


def irfftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `rfftn`."""
    x = _floating(input, "irfftn")
    dims, sizes = _dims(x, s, dim)
    return give(_to_real(x, dims, s, sizes, _norm(norm), True, "irfftn"), out, "irfftn")


def hfftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`fft` along several dimensions but the last, then `hfft` along that."""
    x = _floating(input, "hfftn")
    dims, sizes = _dims(x, s, dim)
    return give(_to_real(x, dims, s, sizes, _norm(norm), False, "hfftn"), out, "hfftn")


def ihfftn(input: Tensor, s=None, dim=None, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `hfftn`."""
    x = _real(input, "ihfftn")
    return give(_from_real(x, *_dims(x, s, dim), _norm(norm), True, "ihfftn"), out, "ihfftn")


def fft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`fftn` along two dimensions, the last two unless given."""
    return fftn(input, s, dim, norm, out=out)


def ifft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`ifftn` along two dimensions, the last two unless given."""
    return ifftn(input, s, dim, norm, out=out)


def rfft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`rfftn` along two dimensions, the last two unless given."""
    return rfftn(input, s, dim, norm, out=out)


def irfft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`irfftn` along two dimensions, the last two unless given."""
    return irfftn(input, s, dim, norm, out=out)


def hfft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`hfftn` along two dimensions, the last two unless given."""
    return hfftn(input, s, dim, norm, out=out)


def ihfft2(input: Tensor, s=None, dim=(-2, -1), norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`ihfftn` along two dimensions, the last two unless given."""
    return ihfftn(input, s, dim, norm, out=out)


# ---------------------------------------------------------------------------------------------------------------------
# Frequencies, and their order


def _frequencies(places: Tensor, n: int, d: float, out, dtype, requires_grad: bool, device) -> Tensor:
    result = places.to(dtype or (out.dtype if out is not None else get_default_dtype())) / (n * d)
    result = _engine.to_device(give(result, out, "fftfreq"), device)
    return result.requires_grad_() if requires_grad else result


def fftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: _dtype_class | None = None, layout=None,
            device=None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """The frequencies of what `fft` gives, for samples ``d`` apart: 0, positive ones, then negative ones.

    >>> import minitorch
    >>> minitorch.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    _engine.check_device(device)
    places = _engine.tensor([*range((n + 1) // 2), *range(-(n // 2), 0)])
    return _frequencies(places, n, d, out, dtype, requires_grad, device)


def rfftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: _dtype_class | None = None, layout=None,
             device=None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """The frequencies of what `rfft` gives.

    >>> import minitorch
    >>> minitorch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    _engine.check_device(device)
    return _frequencies(_engine.tensor([*range(n // 2 + 1)]), n, d, out, dtype, requires_grad, device)


def _shifted(x: Tensor, dim: int | Sequence[int] | None, up: bool) -> Tensor:
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    for d in dims:
        d = _dim(x, d)
        if x.ndim and x.shape[d]:
            n = x.shape[d]
            first = n - n // 2 if up else n // 2  # elements that go behind the others
            x = _index.cat((x.narrow(d, first, n - first), x.narrow(d, 0, first)), d)
    return x


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The values in the order of their frequencies, 0 in the middle.

    >>> import minitorch
    >>> minitorch.fft.fftshift(minitorch.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shifted(input, dim, True)


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shifted(input, dim, False)
