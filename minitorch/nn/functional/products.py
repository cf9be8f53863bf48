"""Affine maps: linear, bilinear."""

from __future__ import annotations

from minitorch import Tensor
from minitorch._ext.matmul import linear

__all__ = ["bilinear", "linear"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""A map of two vectors, linear in each: :math:`y_k = x_1^T W_k x_2 + b_k`.

    Shape:
        inputs ``(*, H1)`` and ``(*, H2)``, weight ``(out, H1, H2)``, bias ``(out,)``, output ``(*, out)``.

    >>> nn.functional.bilinear(minitorch.ones(1, 2), minitorch.ones(1, 3), minitorch.ones(4, 2, 3)).shape
    torch.Size([1, 4])
    """
    shapes = f"{tuple(input1.shape)}, {tuple(input2.shape)} and weight {tuple(weight.shape)}"
    if input1.ndim != input2.ndim or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear(): the inputs' batch dimensions must be equal: {shapes}")
    if input1.shape[-1] != weight.shape[1] or input2.shape[-1] != weight.shape[2]:
        raise RuntimeError(f"bilinear(): the inputs' sizes do not fit the weight: {shapes}")
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {tuple(bias.shape)} but expected "
                           f"({weight.shape[0]},)")
    batch, out = input1.shape[:-1], weight.shape[0]
    x1, x2 = input1.reshape(-1, weight.shape[1]), input2.reshape(-1, weight.shape[2])
    halfway = (x1 @ weight.permute(1, 0, 2).reshape(weight.shape[1], -1)).reshape(-1, out, weight.shape[2])
    result = (halfway @ x2.unsqueeze(2)).squeeze(2).reshape(*batch, out)
    return result if bias is None else result + bias
