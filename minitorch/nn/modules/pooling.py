"""Pooling layers: each calls the function of its name in ``nn.functional``."""

from __future__ import annotations

from typing import Any

from minitorch import Tensor

from .. import functional as F
from ._sizes import per_dimension
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPoolNd(Module):
    """Keeps the arguments of a maximum over sliding windows."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def extra_repr(self) -> str:
        """The windows."""
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class MaxPool1d(_MaxPoolNd):
    r"""The greatest value of each window of a sequence.

    .. math:: y_q = \max_{t < K} x_{q s + t d - p}

    Args:
        kernel_size, stride, padding, dilation: :math:`K`, :math:`s`, :math:`p` and :math:`d`; the stride is
            the kernel's size if not given.
        return_indices: return where the values stood, too, as `MaxUnpool1d` takes them.
        ceil_mode: let the last window reach over the end.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with
        :math:`L' = \lfloor (L + 2p - d (K - 1) - 1) / s \rfloor + 1`.

    >>> nn.MaxPool1d(3, stride=2)(minitorch.ones(20, 16, 50)).shape
    torch.Size([20, 16, 24])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.max_pool1d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class MaxPool2d(_MaxPoolNd):
    """`MaxPool1d` of images: input ``(N, C, H, W)`` or without ``N``.

    >>> nn.MaxPool2d(2)(minitorch.ones(2, 16, 50, 32)).shape
    torch.Size([2, 16, 25, 16])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class MaxPool3d(_MaxPoolNd):
    """`MaxPool1d` of volumes: input ``(N, C, D, H, W)`` or without ``N``.

    >>> nn.MaxPool3d(2)(minitorch.ones(2, 4, 6, 9, 9)).shape
    torch.Size([2, 4, 3, 4, 4])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.max_pool3d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class _MaxUnpoolNd(Module):
    """Keeps the arguments of the pooling that is undone."""

    dims: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self.dims)
        self.stride = self.kernel_size if stride is None else per_dimension(stride, self.dims)
        self.padding = per_dimension(padding, self.dims)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """The input's values at the places, zeros elsewhere."""
        unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self.dims - 1]
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Values put back where `MaxPool1d` found them, among zeros; takes them and their indices.

    Args:
        kernel_size, stride, padding: those of the pooling.

    >>> y, indices = nn.MaxPool1d(2, return_indices=True)(minitorch.tensor([[1., 5., 2., 3.]]))
    >>> nn.MaxUnpool1d(2)(y, indices)
    tensor([[0., 5., 0., 3.]])
    """

    dims = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """`MaxUnpool1d` of images."""

    dims = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """`MaxUnpool1d` of volumes."""

    dims = 3


class _AvgPoolNd(Module):
    """Keeps the arguments of a mean over sliding windows."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    r"""The mean of each window of a sequence.

    .. math:: y_q = \frac{1}{K} \sum_{t < K} x_{q s + t - p}

    Args:
        kernel_size, stride, padding: :math:`K`, :math:`s` and :math:`p`; the stride is the kernel's size if not given.
        ceil_mode: let the last window reach over the end.
        count_include_pad: count what is beyond the ends as zeros; otherwise the mean is of what is inside.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with :math:`L' = \lfloor (L + 2p - K) / s \rfloor + 1`.

    >>> nn.AvgPool1d(2)(minitorch.tensor([[1., 3., 5., 7.]]))
    tensor([[2., 6.]])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        stride = kernel_size if stride is None else stride
        kernel_size, stride, padding = (per_dimension(size, 1) for size in (kernel_size, stride, padding))
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPoolNd):
    """`AvgPool1d` of images; `divisor_override` divides the sums instead of the windows' size.

    >>> nn.AvgPool2d(2)(minitorch.ones(2, 16, 50, 32)).shape
    torch.Size([2, 16, 25, 16])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool2d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad, self.divisor_override)


class AvgPool3d(_AvgPoolNd):
    """`AvgPool1d` of volumes; `divisor_override` divides the sums instead of the windows' size.

    >>> nn.AvgPool3d(2)(minitorch.ones(2, 4, 6, 9, 9)).shape
    torch.Size([2, 4, 3, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool3d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad, self.divisor_override)


class _FractionalMaxPoolNd(Module):
    """Keeps the arguments of a maximum over windows in pseudo-random steps."""

    dims: int

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size, self.return_indices = per_dimension(kernel_size, self.dims), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_dimension(output_size, self.dims)
        self.output_ratio = None if output_ratio is None else per_dimension(output_ratio, self.dims)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        pool = F.fractional_max_pool2d if self.dims == 2 else F.fractional_max_pool3d
        return pool(input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
                    _random_samples=self._random_samples)


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The greatest values of windows that move by pseudo-random steps, to give an output of just the size wanted.

    Args:
        output_size: the size of the output, or
        output_ratio: that size as a part of the input's.

    Raises:
        ValueError: if neither or both are given.

    Source: Graham, *Fractional max-pooling*, arXiv:1412.6071.

    >>> nn.FractionalMaxPool2d(2, output_size=5)(minitorch.ones(1, 3, 8, 8)).shape
    torch.Size([1, 3, 5, 5])
    """

    dims = 2


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """`FractionalMaxPool2d` of volumes."""

    dims = 3


class _LPPoolNd(Module):
    """Keeps the arguments of a norm over sliding windows."""

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def extra_repr(self) -> str:
        """The norm and the windows."""
        return (f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
                f"ceil_mode={self.ceil_mode}")


class LPPool1d(_LPPoolNd):
    r"""The p-norm of each window of a sequence, :math:`\left(\sum_{t < K} x_{q s + t}^p\right)^{1/p}`.

    >>> nn.LPPool1d(2, 2)(minitorch.tensor([[3., 4., 6., 8.]]))
    tensor([[ 5., 10.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """`LPPool1d` of images."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """`LPPool1d` of volumes."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptivePoolNd(Module):
    """Keeps the size of the output."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The size of the output."""
        return f"output_size={self.output_size}"


class _AdaptiveMaxPoolNd(_AdaptivePoolNd):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    r"""The greatest value of each of `output_size` windows that divide a sequence evenly.

    Window :math:`o` of :math:`O` is from :math:`\lfloor o L / O \rfloor` to :math:`\lceil (o + 1) L / O \rceil`.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with ``output_size`` for ``L``.

    >>> nn.AdaptiveMaxPool1d(2)(minitorch.arange(5.).view(1, 5))
    tensor([[2., 4.]])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """`AdaptiveMaxPool1d` of images; a size of None is that of the input.

    >>> nn.AdaptiveMaxPool2d((5, None))(minitorch.ones(2, 16, 50, 32)).shape
    torch.Size([2, 16, 5, 32])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """`AdaptiveMaxPool1d` of volumes; a size of None is that of the input.

    >>> nn.AdaptiveMaxPool3d(2)(minitorch.ones(2, 4, 6, 9, 9)).shape
    torch.Size([2, 4, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if those are wanted."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool1d(_AdaptivePoolNd):
    r"""The mean of each of `output_size` windows that divide a sequence evenly.

    Window :math:`o` of :math:`O` is from :math:`\lfloor o L / O \rfloor` to :math:`\lceil (o + 1) L / O \rceil`.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output the same with ``output_size`` for ``L``.

    >>> nn.AdaptiveAvgPool1d(2)(minitorch.arange(5.).view(1, 5))
    tensor([[1., 3.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePoolNd):
    """`AdaptiveAvgPool1d` of images; a size of None is that of the input.

    >>> nn.AdaptiveAvgPool2d((5, None))(minitorch.ones(2, 16, 50, 32)).shape
    torch.Size([2, 16, 5, 32])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptivePoolNd):
    """`AdaptiveAvgPool1d` of volumes; a size of None is that of the input.

    >>> nn.AdaptiveAvgPool3d(2)(minitorch.ones(2, 4, 6, 9, 9)).shape
    torch.Size([2, 4, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.adaptive_avg_pool3d(input, self.output_size)
