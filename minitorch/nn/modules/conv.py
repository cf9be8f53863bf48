"""Convolutions of sequences, images and volumes, and their transposes."""

from __future__ import annotations

import math
from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._sizes import per_dimension
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions in any number of dimensions share: arguments, weights and the way they start."""

    dims: int
    transposed = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = per_dimension(kernel_size, self.dims), per_dimension(stride, self.dims)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, self.dims)
        self.dilation = per_dimension(dilation, self.dims)
        self.output_padding, self.padding_mode = per_dimension(output_padding, self.dims), padding_mode
        self._check()
        self._reversed_padding_repeated_twice = self._pad_argument()
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(minitorch.empty(*channels, *self.kernel_size, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(minitorch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {self.groups}")
        if self.in_channels % self.groups != 0:
            raise ValueError(f"in_channels ({self.in_channels}) must be divisible by groups ({self.groups})")
        if self.out_channels % self.groups != 0:
            raise ValueError(f"out_channels ({self.out_channels}) must be divisible by groups ({self.groups})")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'")
            if self.padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode='{self.padding_mode}'")

    def _pad_argument(self) -> list[int]:
        """The padding in the form that F.pad takes: the last dimension first, in front and behind."""
        if self.padding == "valid":
            return [0] * 2 * self.dims
        if self.padding != "same":
            return [p for p in reversed(self.padding) for _ in range(2)]
        totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
        return [p for total in reversed(totals) for p in (total // 2, total - total // 2)]

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform within one over the root of the fan-in."""
        # For this slope Kaiming's bound, sqrt(6 / ((1 + a²) fan_in)), is 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Channels, kernel, and what is not as usual."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(_ConvNd):
    """A convolution; subclasses say in how many dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                         padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of the input."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode), 0
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self.dims - 1]
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    r"""A convolution of sequences.

    .. math:: y_{o,q} = b_o + \sum_{i,t} w_{o,i,t}\, x_{i,\; q s + t d - p}

    Weight and bias start uniform within :math:`\pm 1/\sqrt{C K / \text{groups}}`.

    Args:
        in_channels, out_channels: :math:`C` and :math:`O`.
        kernel_size: :math:`K`.
        stride, padding, dilation: :math:`s`, :math:`p` and :math:`d`; a padding may also be ``"same"`` or ``"valid"``.
        groups: into how many the channels are split; each group of outputs sees its group of inputs.
        bias: add :math:`b`.
        padding_mode: what stands beyond the ends: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output ``(N, O, L')`` with
        :math:`L' = \lfloor (L + 2p - d (K - 1) - 1) / s \rfloor + 1`; weight ``(O, C / groups, K)``.

    Raises:
        ValueError: if groups does not divide the channels, or a padding or its mode is unknown.

    >>> nn.Conv1d(16, 33, 3, stride=2)(minitorch.ones(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    dims = 1


class Conv2d(_Conv):
    r"""A convolution of images; formula and arguments are those of :class:`Conv1d`, in two dimensions.

    Args:
        kernel_size, stride, padding, dilation: one number, or one for the height and one for the width.

    Shape:
        input ``(N, C, H, W)`` or ``(C, H, W)``; output ``(N, O, H', W')``; weight ``(O, C / groups, KH, KW)``.

    >>> nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))(minitorch.ones(2, 16, 50, 100)).shape
    torch.Size([2, 33, 28, 100])
    """

    dims = 2


class Conv3d(_Conv):
    r"""A convolution of volumes; formula and arguments are those of :class:`Conv1d`, in three dimensions.

    Shape:
        input ``(N, C, D, H, W)`` or ``(C, D, H, W)``; output ``(N, O, D', H', W')``; weight
        ``(O, C / groups, KD, KH, KW)``.

    >>> nn.Conv3d(4, 5, 3)(minitorch.ones(2, 4, 6, 7, 8)).shape
    torch.Size([2, 5, 4, 5, 6])
    """

    dims = 3


class _ConvTranspose(_ConvNd):
    """A transposed convolution; subclasses say in how many dimensions."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                         bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """The transposed convolution; an `output_size` chooses among the sizes that the stride leaves open."""
        extra = self.output_padding if output_size is None else self._extra(input, list(output_size))
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.dims - 1]
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        """The output padding that gives this output."""
        if len(output_size) > self.dims:
            lead = input.ndim - self.dims
            if len(output_size) != input.ndim:
                raise ValueError(f"{type(self).__name__}: for {input.ndim}D input, output_size must have {self.dims} "
                                 f"or {input.ndim} elements (got {len(output_size)})")
            output_size = output_size[lead:]
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1
                 for size, s, p, d, k in zip(input.shape[-self.dims:], self.stride, self.padding, self.dilation,
                                             self.kernel_size)]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(least, output_size, most)):
            raise ValueError(f"requested an output size of {output_size}, but valid sizes range from {least} to {most} "
                             f"(for an input of {tuple(input.shape[-self.dims:])})")
        return tuple(size - low for size, low in zip(output_size, least))


class ConvTranspose1d(_ConvTranspose):
    r"""A transposed convolution of sequences: what the gradient of a :class:`Conv1d`'s input is computed by.

    .. math:: y_{o,\; q s + t d - p} \mathrel{+}= w_{i,o,t}\, x_{i,q}

    Args:
        output_padding: how much longer the output is at its end; smaller than the stride or the dilation.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``; output ``(N, O, L')`` with
        :math:`L' = (L - 1) s - 2p + d (K - 1) + \text{output\_padding} + 1`; weight ``(C, O / groups, K)``.

    Raises:
        ValueError: if groups does not divide the channels.

    Source: Dumoulin, Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.

    >>> nn.ConvTranspose1d(16, 8, 4, stride=2, padding=1)(minitorch.ones(2, 16, 10)).shape
    torch.Size([2, 8, 20])
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    r"""A transposed convolution of images; formula and arguments are those of :class:`ConvTranspose1d`.

    Shape:
        input ``(N, C, H, W)`` or ``(C, H, W)``; output ``(N, O, H', W')``; weight ``(C, O / groups, KH, KW)``.

    >>> down, up = nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)
    >>> x = minitorch.ones(1, 16, 12, 12)
    >>> up(down(x), output_size=x.size()).shape
    torch.Size([1, 16, 12, 12])
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    r"""A transposed convolution of volumes; formula and arguments are those of :class:`ConvTranspose1d`.

    Shape:
        input ``(N, C, D, H, W)`` or ``(C, D, H, W)``; output ``(N, O, D', H', W')``; weight
        ``(C, O / groups, KD, KH, KW)``.

    >>> nn.ConvTranspose3d(2, 3, 2, stride=2)(minitorch.ones(1, 2, 3, 3, 3)).shape
    torch.Size([1, 3, 6, 6, 6])
    """

    dims = 3
