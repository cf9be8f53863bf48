"""Values around a tensor: constants, mirrored, repeated, or round and round."""

from __future__ import annotations

from collections.abc import Sequence

import minitorch
from minitorch import Tensor

__all__ = ["constant_pad_nd", "pad"]


def _place(out: int, size: int, before: int, mode: str, device: object) -> Tensor:
    """For each place of a padded dimension the place of the input that it shows."""
    place = minitorch.arange(-before, out - before, device=device)
    if mode == "circular":
        return place % size
    if mode == "replicate":
        return place.clamp(0, size - 1)
    place = place.abs()  # reflected in front ...
    return (size - 1) - ((size - 1) - place).abs()  # ... and behind


def _pad_constant(x: Tensor, padding: Sequence[int], value: float) -> Tensor:
    keep, shape, inner = [], list(x.shape), []
    for k in range(len(padding) // 2):
        d, before, after = x.ndim - 1 - k, padding[2 * k], padding[2 * k + 1]
        shape[d] += before + after
        if shape[d] < 0:
            raise RuntimeError(f"The input size {x.shape[d]}, plus negative padding {before} and {after}, resulted in "
                               "a negative output size, which is invalid. Check dimension "
                               f"{d} of your input.")
        keep.append((d, max(-before, 0), x.shape[d] - max(-after, 0)))
        inner.append((d, max(before, 0), shape[d] - max(after, 0)))
    for d, start, end in keep:
        x = x.narrow(d, start, max(end - start, 0)) if end - start != x.shape[d] else x
    if shape == list(x.shape):
        return x.clone()
    whole = x.new_full(shape, value)
    middle = whole
    for d, start, end in inner:
        middle = middle.narrow(d, start, max(end - start, 0))
    middle.copy_(x)
    return whole


def _check_pad(x: Tensor, padding: Sequence[int], mode: str) -> None:
    if len(padding) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(padding)}: two numbers for each dimension")
    if len(padding) > 2 * x.ndim:
        raise RuntimeError(f"Padding length should be less than or equal to two times the input dimension but got "
                           f"padding length {len(padding)} and input of dimension {x.ndim}")
    if mode == "constant":
        return
    dims = len(padding) // 2
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}: it is 'constant', 'reflect', 'replicate' or "
                                  "'circular'")
    if dims not in (1, 2, 3) or x.ndim not in (dims + 1, dims + 2):
        raise NotImplementedError(f"Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: mode "
                                  f"{mode} pads the last 1 to 3 dimensions of an input with channels, got an input of "
                                  f"{x.ndim} dimensions and a padding of {dims}")
    for k in range(dims):
        size, before, after = x.shape[-1 - k], padding[2 * k], padding[2 * k + 1]
        if mode == "reflect" and max(before, after) >= size:
            raise RuntimeError("Argument #4: Padding size should be less than the corresponding input dimension, but "
                               f"got: padding ({before}, {after}) at dimension {x.ndim - 1 - k} of input "
                               f"{list(x.shape)}")
        if mode == "circular" and max(before, after) > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if size == 0 or size + before + after < (0 if mode == "circular" else 1):
            raise RuntimeError(f"pad: an input of shape {tuple(x.shape)} cannot be padded by {tuple(padding)}: "
                               f"dimension {x.ndim - 1 - k} would have size {size + before + after}")
    if any(s == 0 for s in x.shape[-dims - 1:]) or (x.ndim == dims + 1 and x.shape[0] == 0):
        raise RuntimeError(f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and "
                           f"other non-zero dimensions for input, but got: {list(x.shape)}")


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`pad` with a constant, under its name in `minitorch`.

    >>> minitorch.constant_pad_nd(minitorch.ones(2), (1, 0))
    tensor([0., 1., 1.])
    """
    return _pad(input, pad, "constant", value)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add values around a tensor, or with negative numbers take some away.

    Args:
        pad: how many before and after the last dimension, then the one before it, and so on.
        mode: ``"constant"``; ``"reflect"``, mirrored without the edge itself; ``"replicate"``, the edge again and
            again; ``"circular"``, the other end.  The last three are for the last dimensions of an input that has
            channels, and perhaps a batch.
        value: the constant, 0 if not given.

    Raises:
        RuntimeError: if a padding does not fit the size of its dimension.

    >>> x = minitorch.tensor([[1., 2., 3.]])
    >>> nn.functional.pad(x, (1, 2))
    tensor([[0., 1., 2., 3., 0., 0.]])
    >>> nn.functional.pad(x, (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    _check_pad(input, pad, mode)
    if mode == "constant":
        return _pad_constant(input, pad, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode == "circular" and min(pad, default=0) < 0:  # what is cut off does not come round again
        input = _pad_constant(input, [min(n, 0) for n in pad], 0.0)
        pad = [max(n, 0) for n in pad]
    for k in range(len(pad) // 2):
        d, size = input.ndim - 1 - k, input.shape[-1 - k]
        if pad[2 * k] or pad[2 * k + 1]:
            out = size + pad[2 * k] + pad[2 * k + 1]
            input = input.index_select(d, _place(out, size, pad[2 * k], mode, input.device))
    return input


_pad = pad  # where an argument has that name
