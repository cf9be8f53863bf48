"""Normalisation over a batch, with moments that are remembered for evaluation."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedBuffer, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """What batch and instance normalisation share: a weight and a bias, and running moments, for each channel."""

    _version = 2
    ndims: tuple[int, ...]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        made = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(minitorch.empty(num_features, **made)) if wanted else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", minitorch.zeros(num_features, **made) if tracked else None)
        self.register_buffer("running_var", minitorch.ones(num_features, **made) if tracked else None)
        count = minitorch.tensor(0, dtype=minitorch.long, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the moments: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the moments, and start with a weight of 1 and a bias of 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self.ndims:
            wanted = " or ".join(f"{n}D" for n in self.ndims)
            raise ValueError(f"{type(self).__name__}: expected {wanted} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        """Channels, and how the moments are kept."""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest) -> None:
        # Models that were saved before batches were counted.
        key, version = prefix + "num_batches_tracked", local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    """Batch normalisation; subclasses say of which inputs."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with each channel normalised."""
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        own_moments = self.training or (self.running_mean is None and self.running_var is None)
        kept = not self.training or self.track_running_stats
        return F.batch_norm(input, self.running_mean if kept else None, self.running_var if kept else None,
                            self.weight, self.bias, own_moments, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    r"""Normalise each channel over the batch.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}}\,\gamma + \beta

    In training with the moments of the batch, and running moments move towards these,
    :math:`(1 - \text{momentum}) \cdot \text{old} + \text{momentum} \cdot \text{new}`; in evaluation with those.

    Args:
        num_features: :math:`C`, the number of channels.
        eps: added to the variance.
        momentum: None for the plain mean over all batches.
        affine: learn :math:`\gamma` and :math:`\beta` for each channel; without `bias` only the first.
        track_running_stats: keep running moments; without, the batch's are used in evaluation too.

    Shape:
        input ``(N, C)`` or ``(N, C, L)``; output the same.

    Raises:
        ValueError: for an input of other dimensions, or if in training a channel has only one value.

    Source: Ioffe, Szegedy, *Batch normalization*, arXiv:1502.03167.

    >>> nn.BatchNorm1d(1)(minitorch.tensor([[1.], [3.]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    """

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` of images, ``(N, C, H, W)``.

    >>> nn.BatchNorm2d(3)(minitorch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` of volumes, ``(N, C, D, H, W)``.

    >>> nn.BatchNorm3d(3)(minitorch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    ndims = (5,)


class SyncBatchNorm(_BatchNorm):
    """`BatchNorm1d` of inputs of any dimensions, over the processes that train together: here over the only one.

    Raises:
        NotImplementedError: for a `process_group`.

    >>> nn.SyncBatchNorm(3)(minitorch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if process_group is not None:
            raise NotImplementedError("SyncBatchNorm: minitorch trains in one process: leave process_group out")
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"SyncBatchNorm: expected at least 2D input (got {input.ndim}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """A module with every batch normalisation in it replaced by one of this class, of the same tensors."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = cls(module.num_features, module.eps, module.momentum, module.affine,
                            module.track_running_stats, process_group)
            converted.__dict__.update(module.__dict__)
            converted._parameters, converted._buffers = dict(module._parameters), dict(module._buffers)
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted


class _LazyNormBase(LazyModuleMixin):
    """Takes `num_features` from the first input; in front of a normalisation in the order of bases."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=bias)
        self.affine, self.track_running_stats = affine, track_running_stats
        made = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**made)
            if bias:
                self.bias = UninitializedParameter(**made)
        if track_running_stats:
            self.running_mean, self.running_var = UninitializedBuffer(**made), UninitializedBuffer(**made)
            self.num_batches_tracked = minitorch.tensor(0, dtype=minitorch.long, device=device)

    def reset_parameters(self) -> None:
        """Start anew, once the parameters are there."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the input's channels."""
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
            if tensor is not None:
                tensor.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    """A `BatchNorm1d` that takes `num_features` from its first input.

    >>> layer = nn.LazyBatchNorm1d()
    >>> layer(minitorch.ones(2, 3)).shape, layer.num_features
    (torch.Size([2, 3]), 3)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    """A `BatchNorm2d` that takes `num_features` from its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    """A `BatchNorm3d` that takes `num_features` from its first input."""

    cls_to_become = BatchNorm3d
