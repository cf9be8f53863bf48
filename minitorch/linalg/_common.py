"""What the files of `minitorch.linalg` share: the primitives, checks of arguments, errors, triangles, results."""

from __future__ import annotations

from collections.abc import Callable

from .._ext import lapack as _lapack
from .._ext.arrange import tril, triu
from .._ext.dtype import finfo
from .._ext.engine import from_numpy
from .._ext.pointwise import give
from .._ext.rules import record_rule
from .._ext.tensor import is_grad_enabled
from .._tensor import Tensor
from ..functions._common import beneath, is_wrapped

__all__ = [
    "LinAlgError", "beneath", "broadcast_batches", "check_info", "check_matrices", "check_phase", "check_same_dtype",
    "differentiated", "eps", "give", "give_all", "mH", "primitive", "record_rule", "tril", "triu",
]


class LinAlgError(RuntimeError):
    """A matrix was singular, not positive definite, or an iteration did not converge.

    >>> import minitorch
    >>> minitorch.linalg.inv(minitorch.zeros(1, 1))
    Traceback (most recent call last):
    minitorch.linalg.LinAlgError: linalg.inv: The diagonal element 1 is zero, the inversion could not be completed \
because the input matrix is singular.
    """

    __module__ = "minitorch.linalg"


def primitive(name: str) -> Callable:
    """LAPACK's routine of that name over batches: the engine's, or its NumPy twin where OpenBLAS is absent.

    There are no kernels of it: matrices on a device are copied to the CPU for it, and its results back.
    """
    kernel = getattr(_lapack, name)

    def call(*arguments):
        if any(isinstance(a, Tensor) and a.is_cuda for a in arguments):
            results = call(*(a.detach().cpu() if isinstance(a, Tensor) else a for a in arguments))
            return tuple(map(_to_device, results)) if isinstance(results, tuple) else _to_device(results)
        if _lapack.available():
            return kernel(*arguments)
        from ..reference import linalg as twins

        results = getattr(twins, name)(*(a.detach().numpy() if isinstance(a, Tensor) else a for a in arguments))
        if not isinstance(results, tuple):
            return from_numpy(results)
        return tuple(None if result is None else from_numpy(result) for result in results)

    return call


def _to_device(result: Tensor | None) -> Tensor | None:
    return None if result is None else result.cuda()


# --- checks -----------------------------------------------------------------------------------------------------------


def check_matrices(name: str, tensor: Tensor, *, square: bool = False, what: str = "A") -> None:
    """Refuse what is not a batch of (square) matrices of a type that LAPACK takes."""
    shape = tuple(tensor.shape)
    if tensor.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {what} must have at least 2 dimensions, but its shape is {shape}")
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(f"{name}: {what} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]}"
                           f" matrices (shape {shape})")
    kind = str(tensor.dtype).removeprefix("torch.")
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {kind}. Convert {what} "
                           "with .float()")
    if kind in ("float16", "bfloat16"):
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {kind}. Convert {what} with .float()")


def check_same_dtype(name: str, a: Tensor, b: Tensor) -> None:
    """Refuse operands of different types."""
    if a.dtype != b.dtype:
        raise RuntimeError(f"{name}: Expected A and B to have the same dtype, but found A of type {a.dtype} and B of "
                           f"type {b.dtype} instead. Convert one with .to(dtype)")


def check_info(name: str, info: Tensor, reason: str) -> None:
    """Raise `LinAlgError` for the first matrix that LAPACK failed on; ``{}`` in the reason stands for its number."""
    failure = _lapack.first_failure(info.cpu())
    if failure is not None:
        place, number = failure
        where = f"(Batch element {place}): " if info.ndim else ""
        raise LinAlgError(f"{name}: {where}{reason.format(number)}")


def broadcast_batches(name: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the same leading dimensions, broadcast."""
    from ..functions.shaping import broadcast_shapes

    if a.shape[:-2] == b.shape[:-2]:
        return a, b
    try:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except RuntimeError:
        raise RuntimeError(f"{name}: the batch dimensions of {tuple(a.shape)} and {tuple(b.shape)} do not broadcast: "
                           "each pair must be equal, or one of them 1") from None
    return a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:])


def check_phase(name: str, inner: Tensor, what: str) -> None:
    """Refuse the gradient of a loss that depends on the phase of complex vectors, which nothing determines.

    ``inner`` are the products V^H dV, whose diagonal is real where the loss does not.
    """
    if not inner.is_complex():
        return
    turns = beneath(inner).diagonal(0, -2, -1)
    if bool((turns.imag.abs() > 0.01 + 0.01 * turns.real.abs()).any()):
        raise RuntimeError(f"{name}: The {what} in the complex case are specified up to multiplication by e^{{i phi}}. "
                           "The specified loss function depends on this quantity, so it is ill-defined. Use "
                           "something of them that a turn leaves as it is, such as V.abs() or V @ V.mH")


# --- small things -----------------------------------------------------------------------------------------------------


def mH(a: Tensor) -> Tensor:
    """The conjugate transposes."""
    return a.mT.conj() if a.is_complex() else a.mT


def eps(a: Tensor) -> float:
    """The rounding unit of a tensor's type."""
    return finfo(a.dtype).eps


def differentiated(*tensors: Tensor) -> bool:
    """Whether somebody wants a derivative by one of the tensors: the tape, or forward mode, whose tensors move."""
    return any((is_wrapped(t) and hasattr(t, "tangent")) or (is_grad_enabled() and t.requires_grad) for t in tensors)


# --- results ----------------------------------------------------------------------------------------------------------


def give_all(kind: type, results, outs, name: str):
    """Results as a named tuple, put into the tensors given as ``out=`` if they are."""
    if outs is None:
        return kind(results)
    if len(outs) != len(results):
        raise TypeError(f"{name}: out= must be {len(results)} tensors, not {len(outs)}")
    return kind(give(result, out, name) for result, out in zip(results, outs))
