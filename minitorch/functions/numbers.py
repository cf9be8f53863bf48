"""What numbers are made of, and functions composed of others: significands, gamma functions of several variables."""

from __future__ import annotations

import math

import numpy as np

from .._ext import engine, pointwise
from .._ext.dtype import ALL
from .._tensor import Tensor
from ._common import in_place, require_tensor, with_out

__all__ = ["fill", "frexp", "is_nonzero", "isreal", "mvlgamma"]

_bool, _int32 = ALL[0], ALL[4]


def frexp(input: Tensor, *, out: tuple[Tensor, Tensor] | None = None):
    r"""The significand, of magnitude in [1/2, 1), and the exponent (int32) of each element.

    .. math:: x = m\,2^e

    >>> import minitorch
    >>> minitorch.frexp(minitorch.tensor([6., -1.]))
    torch.return_types.frexp(
    mantissa=tensor([ 0.7500, -0.5000]),
    exponent=tensor([3, 1], dtype=torch.int32))
    """
    from ..return_types import frexp as pair

    require_tensor(input, "frexp")
    if not input.is_floating_point():
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    wide = input.detach().double() if input.dtype.name == "bfloat16" else input.detach()
    powers = np.frexp(wide.numpy())[1]
    exponent = engine.from_numpy(np.asarray(powers, dtype=np.int32))
    half = -exponent.div(2, rounding_mode="floor")         # in two steps: 2 ** -exponent may be infinite
    mantissa = pointwise.ldexp(pointwise.ldexp(input, half), -exponent - half).to(input.dtype)
    if out is not None:
        mantissa, exponent = out[0].resize_(input.shape).copy_(mantissa), out[1].resize_(input.shape).copy_(exponent)
    return pair((mantissa, exponent))


def isreal(input: Tensor) -> Tensor:
    """Whether each element is a real number: True, unless the imaginary part of a complex one is not 0.

    >>> import minitorch
    >>> minitorch.isreal(minitorch.tensor([1., 2.]))
    tensor([True, True])
    """
    return input.imag == 0 if input.is_complex() else engine.ones(input.shape, dtype=_bool)


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of a tensor is not zero."""
    if input.numel() != 1:
        raise RuntimeError("Boolean value of Tensor with "
                           f"{'no values' if input.numel() == 0 else 'more than one value'} is ambiguous")
    return bool(input)


@with_out
def mvlgamma(input: Tensor, p: int) -> Tensor:
    r"""The logarithm of the multivariate gamma function of dimension ``p``.

    .. math:: \ln\Gamma_p(a) = \tfrac{p(p-1)}{4}\ln\pi + \sum_{i=1}^{p} \ln\Gamma\bigl(a - \tfrac{i-1}{2}\bigr)

    >>> import minitorch
    >>> minitorch.mvlgamma(minitorch.tensor([2.]), 2)
    tensor([0.4516])
    """
    require_tensor(input, "mvlgamma")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, got {p}")
    shifts = engine.tensor([-i / 2 for i in range(p)], dtype=input.dtype if input.is_floating_point() else None)
    terms = (input.unsqueeze(-1) + shifts).lgamma()
    return terms.sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


def fill(input: Tensor, value) -> Tensor:
    """A tensor of the same shape and type with one value everywhere.

    >>> import minitorch
    >>> minitorch.fill(minitorch.zeros(2), 3)
    tensor([3., 3.])
    """
    return input.clone().fill_(value)


def _polygamma(self: Tensor, n: int) -> Tensor:
    """`minitorch.polygamma` of order ``n``."""
    return pointwise.polygamma(n, self)


Tensor.polygamma = _polygamma
_polygamma.__name__ = "polygamma"
for _function in (mvlgamma, _polygamma):
    setattr(Tensor, _function.__name__ + "_", in_place(_function))
