"""What numbers are made of, and functions composed of others: significands, fills."""

from __future__ import annotations

import numpy as np

from .. import return_types
from .._ext import arithmetic, engine
from .._tensor import Tensor
from ._common import require_tensor

__all__ = ["fill", "frexp", "is_nonzero"]


def frexp(input: Tensor, *, out: tuple[Tensor, Tensor] | None = None) -> return_types.frexp:
    r"""The significand, of magnitude in [1/2, 1), and the exponent (int32) of each element.

    .. math:: x = m\,2^e

    >>> import minitorch
    >>> minitorch.frexp(minitorch.tensor([6., -1.]))
    torch.return_types.frexp(
    mantissa=tensor([ 0.7500, -0.5000]),
    exponent=tensor([3, 1], dtype=torch.int32))
    """
    require_tensor(input, "frexp")
    if not input.is_floating_point():
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    wide = input.detach().double() if input.dtype.name == "bfloat16" else input.detach()
    powers = np.frexp(wide.cpu().numpy())[1]
    exponent = engine.from_numpy(np.asarray(powers, dtype=np.int32)).to(input.device)
    half = -exponent.div(2, rounding_mode="floor")         # in two steps: 2 ** -exponent may be infinite
    mantissa = arithmetic.ldexp(arithmetic.ldexp(input, half), -exponent - half).to(input.dtype)
    if out is not None:
        mantissa, exponent = out[0].resize_(input.shape).copy_(mantissa), out[1].resize_(input.shape).copy_(exponent)
    return return_types.frexp((mantissa, exponent))


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of a tensor is not zero."""
    if input.numel() != 1:
        raise RuntimeError("Boolean value of Tensor with "
                           f"{'no values' if input.numel() == 0 else 'more than one value'} is ambiguous")
    return bool(input)


def fill(input: Tensor, value) -> Tensor:
    """A tensor of the same shape and type with one value everywhere.

    >>> import minitorch
    >>> minitorch.fill(minitorch.zeros(2), 3)
    tensor([3., 3.])
    """
    return input.clone().fill_(value)
