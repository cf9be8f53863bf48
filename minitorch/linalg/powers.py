"""Products of many matrices: powers, the exponential, chains."""

from __future__ import annotations

from .._creation import eye
from .._ext.index import cat
from .._tensor import Tensor
from ..functions.products import chain_matmul
from ._common import beneath, check_matrices, give, mH, primitive, record_rule
from .solving import inv

__all__ = ["matrix_exp", "matrix_power", "multi_dot"]

_getrf, _getrs = primitive("getrf"), primitive("getrs")


def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """Square matrices to an integer power, by repeated squaring; a negative one inverts them first.

    Raises:
        LinAlgError: if n is negative and a matrix is singular.

    >>> import minitorch
    >>> minitorch.linalg.matrix_power(minitorch.tensor([[1., 1.], [0., 1.]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    name = "linalg.matrix_power"
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but its shape is {tuple(input.shape)}")
    if n == 0:
        identity = eye(input.shape[-1], dtype=input.dtype, device=input.device).expand(input.shape).clone()
        record_rule("MatrixPowerBackward0", _constant_rule, (identity,), (input,), ())
        return give(identity, out, name)
    power, result = inv(input) if n < 0 else input, None
    n = abs(n)
    while True:
        if n & 1:
            result = power if result is None else result @ power
        n >>= 1
        if not n:
            break
        power = power @ power
    return give(result.clone() if result is input else result, out, name)


def _constant_rule(gradients, saved, needs):
    return (gradients[0] * 0,)


def _exp_rule(gradients, saved, needs):
    """The derivative of exp at A^H in the direction G: the upper right block of exp of ((A^H, G), (0, A^H))."""
    (g,), (a,) = gradients, saved
    n = a.shape[-1]
    adjoint = mH(a)
    upper, lower = cat([adjoint, g], -1), cat([adjoint * 0, adjoint], -1)
    return (matrix_exp(cat([upper, lower], -2))[..., :n, n:],)


# Padé's approximant of order 13 to exp, and the largest 1-norm for which it is exact to double precision.
# Source: Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited, SIAM J. Matrix Anal. 26 (2005).
_PADE = (64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800., 129060195264000.,
         10559470521600., 670442572800., 33522128640., 1323241920., 40840800., 960960., 16380., 182., 1.)
_PADE_NORM = 5.371920351148152


def _exp_of(a: Tensor) -> Tensor:
    """exp of (a / 2^s), squared s times, where s makes the norm small enough for the approximant."""
    norm = a.abs().sum(-2).amax(-1)
    ratio = norm.double() / _PADE_NORM
    squarings = ratio.clamp(min=1e-300).log2().ceil().clamp(min=0, max=1100)
    squarings = squarings.masked_fill(squarings != squarings, 0)
    a = a * (0.5**squarings).to(norm.dtype)[..., None, None]
    identity = eye(a.shape[-1], dtype=a.dtype, device=a.device)
    b, a2 = _PADE, a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * identity)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * identity
    factors, pivots, _ = _getrf(even - odd)
    result = _getrs(factors, pivots, even + odd, "N")
    for k in range(int(beneath(squarings).max())):
        again = (squarings > k)[..., None, None]
        result = (result @ result).where(again, result)
    return result


def matrix_exp(input: Tensor) -> Tensor:
    r"""The exponential of square matrices.

    .. math:: e^A = \sum_{k=0}^\infty A^k / k!

    >>> import minitorch
    >>> minitorch.linalg.matrix_exp(minitorch.tensor([[0., 1.], [0., 0.]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    name = "linalg.matrix_exp"
    if str(input.dtype) in ("torch.float16", "torch.bfloat16") and input.ndim > 1:
        return matrix_exp(input.float()).to(input.dtype)
    check_matrices(name, input, square=True)
    a = input.detach()
    result = _exp_of(a) if a.numel() else a.clone()
    record_rule("LinalgMatrixExpBackward0", _exp_rule, (result,), (input,), (input,))
    return result


# --- chains ----------------------------------------------------------------------------------------------------------


def multi_dot(tensors, *, out: Tensor | None = None) -> Tensor:
    """The product of several matrices in the order that takes fewest multiplications.

    The first and the last may be vectors, taken for a row and a column.

    >>> import minitorch
    >>> minitorch.linalg.multi_dot([minitorch.ones(2, 3), minitorch.ones(3, 4), minitorch.ones(4)])
    tensor([12., 12.])
    """
    name = "multi_dot"
    factors = list(tensors)
    if len(factors) < 2:
        raise RuntimeError(f"{name}(): expected at least 2 tensors but got {len(factors)}")
    row, column = factors[0].ndim == 1, factors[-1].ndim == 1
    if row:
        factors[0] = factors[0].unsqueeze(0)
    if column:
        factors[-1] = factors[-1].unsqueeze(-1)
    for k, factor in enumerate(factors):
        if factor.ndim != 2:
            raise RuntimeError(f"{name}(): tensor {k} must be 2D{' or 1D' if k in (0, len(factors) - 1) else ''} but "
                               f"got {tensors[k].ndim}D")
        if factor.dtype != factors[0].dtype:
            raise RuntimeError(f"{name}(): expected all tensors to have dtype {factors[0].dtype}, but tensor {k} has "
                               f"{factor.dtype}")
        if k and factor.shape[0] != factors[k - 1].shape[1]:
            raise RuntimeError(f"{name}(): tensors {k - 1} and {k} with shapes {tuple(factors[k - 1].shape)} and "
                               f"{tuple(factor.shape)} cannot be multiplied")
    result = chain_matmul(*factors)
    if row:
        result = result.squeeze(0)
    if column:
        result = result.squeeze(-1)
    return give(result, out, name)
