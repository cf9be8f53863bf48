"""The pointwise operations of ``nn.functional`` that the table does not make functions of by itself: `gelu`, `prelu`
and the elements of losses."""
from minitorch._ext.pointwise cimport call
from minitorch._ext.tensor cimport TensorBase

cdef extern from "pointwise_loops.h" nogil:
    enum:
        MT_OP_gelu
        MT_OP_gelu_tanh
        MT_OP_prelu
        MT_OP_squared_difference
        MT_OP_abs_difference
        MT_OP_smooth_l1
        MT_OP_huber
        MT_OP_binary_cross_entropy
        MT_OP_binary_cross_entropy_with_logits


def gelu(TensorBase input not None, *, approximate="none"):
    r"""Gaussian error linear unit.

    .. math:: y = x\,\Phi(x)

    Args:
        approximate: ``"tanh"`` for :math:`\frac{x}{2}(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715 x^3)))`.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.

    >>> import minitorch
    >>> minitorch.nn.functional.gelu(minitorch.tensor([0., 1.]))
    tensor([0.0000, 0.8413])
    """
    if approximate == "none":
        return call(MT_OP_gelu, input)
    if approximate == "tanh":
        return call(MT_OP_gelu_tanh, input)
    raise RuntimeError(f"gelu: approximate must be either 'none' or 'tanh', got {approximate!r}")


def prelu(TensorBase input not None, TensorBase weight not None):
    """The input above 0, times a weight that is broadcast below."""
    return call(MT_OP_prelu, input, weight)


def squared_difference(TensorBase input not None, TensorBase target not None):
    """Element of the mean squared error."""
    return call(MT_OP_squared_difference, input, target)


def abs_difference(TensorBase input not None, TensorBase target not None):
    """Element of the mean absolute error."""
    return call(MT_OP_abs_difference, input, target)


def smooth_l1(TensorBase input not None, TensorBase target not None, double beta):
    """Element of the smooth absolute error."""
    return call(MT_OP_smooth_l1, input, target, None, (beta,))


def huber(TensorBase input not None, TensorBase target not None, double delta):
    """Element of the Huber loss."""
    return call(MT_OP_huber, input, target, None, (delta,))


def binary_cross_entropy(TensorBase input not None, TensorBase target not None):
    """Element of the cross entropy of a probability against a target."""
    return call(MT_OP_binary_cross_entropy, input, target)


def binary_cross_entropy_with_logits(TensorBase input not None, TensorBase target not None):
    """Element of the cross entropy of a logit against a target."""
    return call(MT_OP_binary_cross_entropy_with_logits, input, target)
