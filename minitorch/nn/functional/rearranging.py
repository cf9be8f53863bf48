"""The same values in another shape: pixels from channels and back, channels shuffled."""

from __future__ import annotations

from minitorch import Tensor

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Make an image of ``r`` times the height and width from one with ``r²`` times the channels.

    Shape:
        input ``(*, C r², H, W)``, output ``(*, C, H r, W r)``.

    Source: Shi and others, arXiv:1609.05158.

    >>> nn.functional.pixel_shuffle(minitorch.ones(1, 8, 2, 3), 2).shape
    torch.Size([1, 2, 4, 6])
    """
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError("pixel_shuffle expects input to have at least 3 dimensions, but got input with "
                           f"{input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                           f"upscale_factor, but input.size(-3)={c} is not divisible by {r * r}")
    b = len(batch)
    parts = input.reshape(*batch, c // (r * r), r, r, h, w)
    order = [*range(b), b, b + 3, b + 1, b + 4, b + 2]
    return parts.permute(order).reshape(*batch, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The opposite of `pixel_shuffle`.

    >>> nn.functional.pixel_unshuffle(minitorch.ones(1, 2, 4, 6), 2).shape
    torch.Size([1, 8, 2, 3])
    """
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError("pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
                           f"{input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    for name, size in (("height", h), ("width", w)):
        if size % r:
            raise RuntimeError(f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but {size} is not "
                               f"divisible by {r}")
    b = len(batch)
    parts = input.reshape(*batch, c, h // r, r, w // r, r)
    order = [*range(b), b, b + 2, b + 4, b + 1, b + 3]
    return parts.permute(order).reshape(*batch, c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deal the channels out again, one of each group in turn.

    Shape:
        input ``(N, C, *)`` with C divisible by groups, output the same.

    Source: Zhang and others, *ShuffleNet*, arXiv:1707.01083.

    >>> nn.functional.channel_shuffle(minitorch.arange(4.).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    if input.ndim < 3:
        raise RuntimeError("channel_shuffle expects input with > 2 dims, but got input with sizes "
                           f"{list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *rest = input.shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(input.shape)


native_channel_shuffle = channel_shuffle
