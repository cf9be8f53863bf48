"""Images of another size, and images looked up at any places.

Resizing goes dimension by dimension.  Each place of the result is a weighted sum of a few places of the input, *taps*:
one for nearest, two for linear, four for cubic, and more where a smaller image is made without aliasing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import minitorch
from minitorch import Tensor

__all__ = [
    "affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest",
]

CUBIC = -0.75  # the usual parameter of the cubic convolution; antialiasing takes -0.5, as Pillow does
MODES = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}  # and for how many dimensions


# --- one dimension ------------------------------------------------------------------------------------------------

def _cubic(t: Tensor, a: float = CUBIC) -> Tensor:
    """The cubic convolution kernel at distance t >= 0.

    Source: Keys, *Cubic convolution interpolation for digital image processing*, 1981.
    """
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return minitorch.where(t <= 1, near, minitorch.where(t < 2, far, 0.0))


def _triangle(t: Tensor) -> Tensor:
    return (1 - t).clamp_min(0)


def _centres(size: int, out: int, scale: float, align_corners: bool, cubic: bool, device: object) -> Tensor:
    """Where in the input each place of the result lies."""
    places = minitorch.arange(out, dtype=minitorch.float64, device=device)
    if align_corners:
        return places * ((size - 1) / (out - 1) if out > 1 else 0.0)
    centres = (places + 0.5) * scale - 0.5
    return centres if cubic else centres.clamp_min(0)


def _linear_taps(centres: Tensor, size: int) -> tuple[Tensor, Tensor]:
    first = centres.floor().clamp(max=size - 1)
    part = (centres - first).clamp(0, 1)
    index = minitorch.stack([first, (first + 1).clamp(max=size - 1)]).long()
    return index, minitorch.stack([1 - part, part])


def _cubic_taps(centres: Tensor, size: int) -> tuple[Tensor, Tensor]:
    offsets = minitorch.arange(-1, 3, dtype=minitorch.float64, device=centres.device).unsqueeze(1)
    first = centres.floor()
    return (first + offsets).clamp(0, size - 1).long(), _cubic((centres - first - offsets).abs())


def _smooth_taps(
    size: int, out: int, scale: float, align_corners: bool, cubic: bool, device: object
) -> tuple[Tensor, Tensor]:
    """A kernel as wide as the places of the result are apart, so that nothing is skipped."""
    if align_corners:
        scale = (size - 1) / (out - 1) if out > 1 else 0.0
    stretch = max(scale, 1.0)
    support = (2 if cubic else 1) * stretch
    centres = (minitorch.arange(out, dtype=minitorch.float64, device=device) + 0.5) * scale
    first = (centres - support + 0.5).floor().clamp_min(0)
    last = (centres + support + 0.5).floor().clamp(max=size)
    taps = max(int((last - first).max()), 1)
    places = first + minitorch.arange(taps, dtype=minitorch.float64, device=device).unsqueeze(1)
    distances = ((places - centres + 0.5) / stretch).abs()
    weights = _cubic(distances, -0.5) if cubic else _triangle(distances)
    weights = minitorch.where(places < last, weights, 0.0)
    return places.clamp(max=size - 1).long(), weights / weights.sum(0)


def _nearest_index(size: int, out: int, scale: float, exact: bool, device: object) -> Tensor:
    # in single precision, as PyTorch has it: which of two pixels is the nearer one can depend on that
    places = minitorch.arange(out, dtype=minitorch.float32, device=device)
    return ((places + 0.5 if exact else places) * scale).floor().clamp(max=size - 1).long()


def _resample(x: Tensor, dim: int, index: Tensor, weights: Tensor) -> Tensor:
    """Sums of the places `index` (tap, out) of one dimension, by weights of the same shape."""
    weights = weights.to(x.device, x.dtype)
    shape = [-1 if d == dim else 1 for d in range(x.ndim)]
    total = None
    for places, factors in zip(index.unbind(0), weights.unbind(0)):
        part = x.index_select(dim, places) * factors.reshape(shape)
        total = part if total is None else total + part
    return total


# --- interpolate --------------------------------------------------------------------------------------------------

def _output_sizes(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[list[int], list[float | None]]:
    """The sizes of the result, and the factors to keep to (None: those that the sizes give)."""
    dims = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    if isinstance(given, (list, tuple)):
        if len(given) != dims:
            what = "output" if size is not None else "scale_factor"
            raise ValueError(f"Input and {what} must have the same number of spatial dimensions, but got input with "
                             f"spatial dimensions of {list(input.shape[2:])} and {what} of {tuple(given)}.")
        given = list(given)
    else:
        given = [given] * dims
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        if any(isinstance(n, float) for n in given):
            raise TypeError(f"expected size to be one of int or Tuple[int], but got {size}")
        sizes = [int(n) for n in given]
        kept: list[float | None] = [None] * dims
    else:
        sizes = [math.floor(float(n) * factor) for n, factor in zip(input.shape[2:], given)]
        kept = [None] * dims if recompute else [float(factor) for factor in given]
    if any(n <= 0 for n in sizes) or any(n <= 0 for n in input.shape[2:]):
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input {tuple(input.shape[2:])} "
                           f"and output {tuple(sizes)}")
    return sizes, kept


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """An image of another size.

    Args:
        size: of the result, without batch and channels.
        scale_factor: instead of a size, how many times larger.
        mode: ``"nearest"``, ``"nearest-exact"`` (rounds as other libraries do), ``"linear"``, ``"bilinear"``,
            ``"bicubic"``, ``"trilinear"`` or ``"area"`` (means).
        align_corners: the corners' centres stay where they are, rather than their edges.
        recompute_scale_factor: take the factor that the rounded sizes have.
        antialias: for bilinear and bicubic: where the result is smaller, average over all that it leaves out.

    Shape:
        input ``(N, C, W)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``, output the same with the new sizes.

    >>> x = minitorch.tensor([[[1., 2.]]])
    >>> nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    >>> nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
    tensor([[[1.0000, 1.5000, 2.0000]]])
    """
    _check_mode(input, mode, align_corners, antialias)
    sizes, kept = _output_sizes(input, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        from . import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[input.ndim - 3](input, sizes)
    x = input
    for d in range(input.ndim - 1, 1, -1):  # the last first: rows lie together
        n, out, factor = input.shape[d], sizes[d - 2], kept[d - 2]
        scale = 1 / factor if factor else n / out
        if out == n and scale == 1:
            continue
        if mode.startswith("nearest"):
            x = x.index_select(d, _nearest_index(n, out, scale, mode == "nearest-exact", x.device))
        elif antialias:
            x = _resample(x, d, *_smooth_taps(n, out, scale, bool(align_corners), mode == "bicubic", x.device))
        else:
            cubic = mode == "bicubic"
            centres = _centres(n, out, scale, bool(align_corners), cubic, x.device)
            x = _resample(x, d, *(_cubic_taps if cubic else _linear_taps)(centres, n))
    return x if x is not input else input.clone()


def _check_mode(input: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | "
                             "bicubic | trilinear")
        if input.ndim not in (3, 4, 5):
            raise NotImplementedError("Input Error: Only 3D, 4D and 5D input Tensors supported (got "
                                      f"{input.ndim}D) for the mode {mode}")
    elif mode not in MODES:
        raise NotImplementedError(f"Input Error: interpolate has no mode {mode!r}: it is nearest | linear | bilinear | "
                                  "bicubic | trilinear | area | nearest-exact")
    elif input.ndim != MODES[mode]:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {MODES[mode]}D input")
    if antialias and not (mode in ("bilinear", "bicubic") and input.ndim == 4):
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as "
                         "input")
    if not input.is_floating_point() and not (mode.startswith("nearest") and input.dtype == minitorch.uint8):
        raise NotImplementedError(f"interpolate: not implemented for {input.dtype}; convert the input with .float()")


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` by its older name."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate` of mode nearest, by its older name."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.",
                  stacklevel=2)
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate` of mode bilinear with aligned corners, by its older name."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.",
                  stacklevel=2)
    return interpolate(input, size, scale_factor, "bilinear", True)


# --- looking up at any places -------------------------------------------------------------------------------------

def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Where a map of the plane, or of space, sends the places of an image: a grid for `grid_sample`.

    Args:
        theta: ``(N, 2, 3)`` or ``(N, 3, 4)``.
        size: of the result, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: -1 and 1 are the centres of the corners, rather than their edges.

    Shape:
        output ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``, the last dimension x, y (, z).

    >>> nn.functional.affine_grid(minitorch.eye(2, 3).unsqueeze(0), (1, 1, 1, 2), align_corners=True)[..., 0]
    tensor([[[-1.,  1.]]])
    """
    align = _corners("affine_grid", align_corners)
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    dims = len(size) - 2
    if dims not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
                                  f"respectively. Got size {tuple(size)}.")
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size "
                         f"{tuple(size)}. Got {theta.shape}.")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    spatial = list(size[2:])
    axes = []
    for k, n in enumerate(reversed(spatial)):  # x first, which is the last dimension
        line = minitorch.linspace(-1, 1, n, dtype=theta.dtype, device=theta.device) if n > 1 else theta.new_zeros(1)
        line = line if align else line * ((n - 1) / n)
        axes.append(line.reshape([-1 if d == dims - 1 - k else 1 for d in range(dims)]).expand(spatial))
    places = minitorch.stack([*axes, theta.new_ones(spatial)], -1).reshape(1, -1, dims + 1)
    return (places @ theta.transpose(1, 2)).reshape(size[0], *spatial, dims)


def _corners(name: str, align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(f"Default {name} behavior is align_corners=False; give align_corners to say which is meant",
                      stacklevel=3)
    return bool(align_corners)


def _reflect(x: Tensor, low: float, high: float) -> Tensor:
    """Mirrored at both ends as often as it takes."""
    span = high - low
    if span <= 0:
        return minitorch.zeros_like(x)
    t = (x - low).abs()
    with minitorch.no_grad():
        turns = (t / span).floor()
        odd = turns % 2 == 1
    t = t - turns * span
    return minitorch.where(odd, high - t, low + t)


def _in_pixels(x: Tensor, size: int, align: bool) -> Tensor:
    """From [-1, 1] to places."""
    return (x + 1) / 2 * (size - 1) if align else ((x + 1) * size - 1) / 2


def _inside(x: Tensor, size: int, padding: str, align: bool) -> Tensor:
    """Places brought inside, where the padding says so."""
    if padding == "reflection":
        x = _reflect(x, 0, size - 1) if align else _reflect(x, -0.5, size - 0.5)
    return _clip(x, size) if padding != "zeros" else x


def _clip(x: Tensor, size: int) -> Tensor:
    """Within the image; what is not a number is 0, and the edges themselves pass no gradient, as in PyTorch."""
    inner = (x > 0) & (x < size - 1)
    return minitorch.where(inner, x, x.detach().clamp(0, size - 1).nan_to_num(0.0))


def _look_up(image: Tensor, places: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """The pixels (N, C, out) at whole places, each (N, out) in the order of the dimensions; 0 outside."""
    flat, valid = None, None
    for place, size in zip(places, sizes):
        inside = (place >= 0) & (place <= size - 1)
        valid = inside if valid is None else valid & inside
        index = place.nan_to_num(-1.0).clamp(0, size - 1).long()
        flat = index if flat is None else flat * size + index
    pixels = image.gather(2, flat.unsqueeze(1).expand(-1, image.shape[1], -1))
    return minitorch.where(valid.unsqueeze(1), pixels, 0.0)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of an image at the places of a grid.

    Args:
        grid: places from -1 to 1, x first, then y (, z).
        mode: ``"bilinear"``, ``"nearest"``, or for images in the plane ``"bicubic"``.
        padding_mode: what is outside: ``"zeros"``, the ``"border"``, or the ``"reflection"`` of what is inside.
        align_corners: -1 and 1 are the centres of the corners, rather than their edges.

    Shape:
        input ``(N, C, H, W)`` and grid ``(N, H', W', 2)``, output ``(N, C, H', W')``; in space with one more size.

    Source: Jaderberg and others, *Spatial transformer networks*, arXiv:1506.02025.

    >>> image = minitorch.arange(4.).reshape(1, 1, 2, 2)
    >>> nn.functional.grid_sample(image, minitorch.zeros(1, 1, 1, 2), align_corners=True)
    tensor([[[[1.5000]]]])
    """
    align = _corners("grid_sample", align_corners)
    _check_grid(input, grid, mode, padding_mode)
    sizes, out = list(input.shape[2:]), list(grid.shape[1:-1])
    image = input.reshape(*input.shape[:2], -1)
    coordinates = list(reversed(grid.reshape(grid.shape[0], -1, len(sizes)).unbind(-1)))  # in the order of dimensions
    places = [_in_pixels(x, n, align) for x, n in zip(coordinates, sizes)]
    if mode == "bicubic":
        result = _sample_cubic(image, places, sizes, padding_mode, align)
    else:
        places = [_inside(x, n, padding_mode, align) for x, n in zip(places, sizes)]
        if mode == "nearest":
            result = _look_up(image, [x.detach().round() for x in places], sizes)
        else:
            result = _sample_linear(image, places, sizes)
    return result.reshape(*input.shape[:2], *out)


_SAMPLING, _OUTSIDE = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sample` with numbers for modes: 0 to 2 for bilinear, nearest, bicubic, and zeros, border, reflection.

    >>> image = minitorch.arange(4.).reshape(1, 1, 2, 2)
    >>> minitorch.grid_sampler(image, minitorch.zeros(1, 1, 1, 2), 0, 0, True)
    tensor([[[[1.5000]]]])
    """
    for name, number in (("interpolation_mode", interpolation_mode), ("padding_mode", padding_mode)):
        if number not in (0, 1, 2):
            raise RuntimeError(f"grid_sampler(): {name} is 0, 1 or 2, not {number}")
    return grid_sample(input, grid, _SAMPLING[interpolation_mode], _OUTSIDE[padding_mode], align_corners)


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images in the plane."""
    if input.ndim != 4:
        raise RuntimeError(f"grid_sampler_2d(): expected 4D input and grid with same number of dimensions, but got "
                           f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images in space."""
    if input.ndim != 5:
        raise RuntimeError(f"grid_sampler_3d(): expected 5D input and grid with same number of dimensions, but got "
                           f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def _sample_linear(image: Tensor, places: list[Tensor], sizes: list[int]) -> Tensor:
    """The corners of the cell around each place, by how near they are."""
    floors = [x.detach().floor() for x in places]
    total: Any = 0
    for corner in range(2 ** len(places)):
        steps = [(corner >> d) & 1 for d in range(len(places))]
        weight: Any = 1
        for x, low, step in zip(places, floors, steps):
            weight = weight * ((x - low) if step else (low + 1 - x))
        pixels = _look_up(image, [low + step for low, step in zip(floors, steps)], sizes)
        total = total + pixels * weight.unsqueeze(1)
    return total


def _sample_cubic(image: Tensor, places: list[Tensor], sizes: list[int], padding: str, align: bool) -> Tensor:
    """Sixteen pixels around each place."""
    floors = [x.detach().floor() for x in places]
    total: Any = 0
    for dy in range(-1, 3):
        for dx in range(-1, 3):
            steps = (dy, dx)
            weight: Any = 1
            for x, low, step in zip(places, floors, steps):
                weight = weight * _cubic((x - low - step).abs())
            pixels = _look_up(image, [_inside(low + step, n, padding, align).round()
                                      for low, step, n in zip(floors, steps, sizes)], sizes)
            total = total + pixels * weight.unsqueeze(1)
    return total


def _check_grid(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but "
                         f"got: '{mode}'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
                         f"but got: '{padding_mode}'")
    shapes = f"input {tuple(input.shape)} and grid {tuple(grid.shape)}"
    if input.dtype != grid.dtype:
        raise RuntimeError(f"grid_sampler(): expected input and grid to have same dtype, but got {input.dtype} and "
                           f"{grid.dtype}")
    if input.ndim not in (4, 5) or input.ndim != grid.ndim:
        raise RuntimeError(f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got "
                           f"{shapes}")
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, but got {shapes}")
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but got "
                           f"{shapes}")
    if 0 in input.shape[2:]:
        raise RuntimeError("grid_sampler(): expected input to have non-empty spatial dimensions, but got "
                           f"{tuple(input.shape)}")
    if mode == "bicubic" and input.ndim != 4:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
