"""Pooling: one value for each window of the input."""

from __future__ import annotations

import math
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext import pooling as _pooling

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]

# --- the greatest value -----------------------------------------------------------------------------------------------


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    r"""The greatest value of each window of `kernel_size` elements, which moves by `stride`.

    .. math:: y_q = \max_{t < K} x_{q s + t d - p}

    Args:
        stride: the kernel's size if not given.
        padding: how far windows may reach over the ends, at most half of a window; nothing there counts.
        dilation: distance between the elements of a window.
        ceil_mode: let the last window reach over the end.
        return_indices: return where in its plane each value stood, too.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with
        :math:`L' = \lfloor (L + 2p - d (K - 1) - 1) / s \rfloor + 1`, rounded up in `ceil_mode`.

    Raises:
        RuntimeError: if the padding is more than half of a window, or there is no output.

    >>> nn.functional.max_pool1d(minitorch.tensor([[1., 5., 2., 3.]]), 2)
    tensor([[5., 3.]])
    """
    return _pooling.max_pool(input, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "max_pool1d")


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool1d` in two dimensions.

    >>> nn.functional.max_pool2d(minitorch.arange(16.).view(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _pooling.max_pool(input, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "max_pool2d")


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool1d` in three dimensions."""
    return _pooling.max_pool(input, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "max_pool3d")


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool1d` and where the values stood."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` and where the values stood."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool3d` and where the values stood."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    r"""The greatest value of each of `output_size` windows that divide the input evenly.

    Window :math:`o` of :math:`O` is from :math:`\lfloor o L / O \rfloor` to :math:`\lceil (o + 1) L / O \rceil`.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with ``output_size`` for ``L``.

    >>> nn.functional.adaptive_max_pool1d(minitorch.arange(5.).view(1, 5), 2)
    tensor([[2., 4.]])
    """
    return _pooling.adaptive_max_pool(input, 1, output_size, return_indices, "adaptive_max_pool1d")


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool1d` in two dimensions; a size of None is that of the input."""
    return _pooling.adaptive_max_pool(input, 2, output_size, return_indices, "adaptive_max_pool2d")


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool1d` in three dimensions; a size of None is that of the input."""
    return _pooling.adaptive_max_pool(input, 3, output_size, return_indices, "adaptive_max_pool3d")


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` and where the values stood."""
    return adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` and where the values stood."""
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d` and where the values stood."""
    return adaptive_max_pool3d(input, output_size, True)


def _fractional(dims: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool,
                samples: Tensor | None) -> Any:
    name = f"fractional_max_pool{dims}d"
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{name}: requires specifying either an output_size or an output_ratio")
        ratios = (output_ratio,) * dims if isinstance(output_ratio, float) else tuple(output_ratio)
        if len(ratios) != dims:
            raise ValueError(f"{name}: output_ratio must be a number or {dims} of them, got {output_ratio}")
        output_size = [int(size * ratio) for size, ratio in zip(input.shape[-dims:], ratios)]
    if samples is None:
        batch = input.shape[:-dims] if input.ndim == dims + 2 else (1, *input.shape[:-dims])
        samples = minitorch.rand(*batch, dims, dtype=input.dtype, device=input.device)
    return _pooling.fractional_max_pool(input, dims, kernel_size, output_size, samples, return_indices, name)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    r"""The greatest value of each window, where windows move by pseudo-random steps to give just `output_size` of them.

    With :math:`\alpha = (L - K) / (O - 1)` and a random :math:`u`, window :math:`o` begins at
    :math:`\lfloor \alpha (o + u) \rfloor - \lfloor \alpha u \rfloor`.

    Args:
        output_ratio: the output's size as a part of the input's, instead of `output_size`.

    Raises:
        ValueError: if neither is given.

    Source: Graham, *Fractional max-pooling*, arXiv:1412.6071.

    >>> nn.functional.fractional_max_pool2d(minitorch.ones(1, 3, 8, 8), 2, output_size=5).shape
    torch.Size([1, 3, 5, 5])
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` in three dimensions."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` and where the values stood."""
    return fractional_max_pool2d(input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` and where the values stood."""
    return fractional_max_pool3d(input, kernel_size, output_size, output_ratio, True, _random_samples)


def _unpool(dims: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any,
            output_size: Any) -> Tensor:
    kernel = _each(kernel_size, dims)
    stride = kernel if stride is None else _each(stride, dims)
    usual = [(size - 1) * s + k - 2 * p
             for size, k, s, p in zip(input.shape[-dims:], kernel, stride, _each(padding, dims))]
    if output_size is None:
        return _pooling.max_unpool(input, indices, dims, usual, f"max_unpool{dims}d")
    sizes = [int(size) for size in output_size]
    if len(sizes) == dims + 2:
        sizes = sizes[2:]
    if len(sizes) != dims:
        raise ValueError(f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a "
                         f"length of '{len(sizes)}'")
    if any(not low - s < size < low + s for size, low, s in zip(sizes, usual, stride)):
        raise ValueError(f"invalid output_size {sizes}: each must be within a stride, {tuple(stride)}, of {usual}")
    return _pooling.max_unpool(input, indices, dims, sizes, f"max_unpool{dims}d")


def _each(value: Any, dims: int) -> tuple:
    return (value,) * dims if isinstance(value, int) else tuple(value)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Values put back where `max_pool1d` found them, among zeros.

    Args:
        indices: what the pooling returned beside the values.
        output_size: the size before the pooling, where the stride leaves it open.

    Raises:
        RuntimeError: if an index is outside of the output.
        ValueError: if the `output_size` cannot be.

    >>> y, indices = nn.functional.max_pool1d(minitorch.tensor([[1., 5., 2., 3.]]), 2, return_indices=True)
    >>> nn.functional.max_unpool1d(y, indices, 2)
    tensor([[0., 5., 0., 3.]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """`max_unpool1d` in two dimensions."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """`max_unpool1d` in three dimensions."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


# --- means ------------------------------------------------------------------------------------------------------------


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    r"""The mean of each window of `kernel_size` elements, which moves by `stride`.

    .. math:: y_q = \frac{1}{K} \sum_{t < K} x_{q s + t - p}

    Args:
        stride: the kernel's size if not given.
        padding: how far windows reach over the ends, at most half of a window.
        ceil_mode: let the last window reach over the end.
        count_include_pad: count what is beyond the ends as zeros; otherwise the mean is of what is inside.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with
        :math:`L' = \lfloor (L + 2p - K) / s \rfloor + 1`, rounded up in `ceil_mode`.

    >>> nn.functional.avg_pool1d(minitorch.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[2., 6.]])
    """
    return _pooling.avg_pool(input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, None, "avg_pool1d")


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool1d` in two dimensions.

    Args:
        divisor_override: divide the sum by this instead of the window's size.

    >>> nn.functional.avg_pool2d(minitorch.arange(16.).view(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _pooling.avg_pool(input, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override,
                             "avg_pool2d")


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool2d` in three dimensions."""
    return _pooling.avg_pool(input, 3, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override,
                             "avg_pool3d")


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    r"""The mean of each of `output_size` windows that divide the input evenly.

    Window :math:`o` of :math:`O` is from :math:`\lfloor o L / O \rfloor` to :math:`\lceil (o + 1) L / O \rceil`.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with ``output_size`` for ``L``.

    >>> nn.functional.adaptive_avg_pool1d(minitorch.arange(5.).view(1, 5), 2)
    tensor([[1., 3.]])
    """
    return _pooling.adaptive_avg_pool(input, 1, output_size, "adaptive_avg_pool1d")


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` in two dimensions; a size of None is that of the input."""
    return _pooling.adaptive_avg_pool(input, 2, output_size, "adaptive_avg_pool2d")


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` in three dimensions; a size of None is that of the input."""
    return _pooling.adaptive_avg_pool(input, 3, output_size, "adaptive_avg_pool3d")


# --- norms ------------------------------------------------------------------------------------------------------------


def _lp(dims: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    size = math.prod(_each(kernel_size, dims))
    pool = (avg_pool1d, avg_pool2d, avg_pool3d)[dims - 1]
    mean = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (mean.sign() * mean.abs().relu() * size).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    r"""The p-norm of each window, :math:`\left(\sum_{t < K} x_{q s + t}^p\right)^{1/p}`.

    Where `ceil_mode` cuts a window short, its sum is scaled up to the whole size.

    >>> nn.functional.lp_pool1d(minitorch.tensor([[3., 4., 6., 8.]]), 2, 2)
    tensor([[ 5., 10.]])
    """
    return _lp(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """`lp_pool1d` in two dimensions."""
    return _lp(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """`lp_pool1d` in three dimensions."""
    return _lp(3, input, norm_type, kernel_size, stride, ceil_mode)
