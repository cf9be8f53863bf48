"""Arithmetic and the other pointwise functions that users call.

Those with a regular signature are generated from the table of `minitorch/ops/pointwise.py`; the others, with options
that choose an operation or with arguments of several kinds, are here.
"""
from minitorch._ext.dtype cimport MT_BOOL, MT_C128, MT_F64, dtype_of, mt_category, scalar_code
from minitorch._ext.loops cimport checked_value, copy_data, fill_data, zeros_like_data
from minitorch._ext.pointwise cimport call, cast, number_tensor, power, result_code, title
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_inplace, describe, grad_enabled, rebase, record_edges, requires_grad,
    shape_of,
)
from minitorch._ext.views cimport reshape_to

include "pointwise_codes.pxi"


cdef inline TensorBase unary(int op, TensorBase input, TensorBase out):
    return call(op, input, None, None, (), out)


cdef inline TensorBase unary_(int op, TensorBase self):
    return call(op, self, None, None, (), self, True)


cdef inline TensorBase binary(int op, object input, object other, TensorBase out):
    return call(op, input, other, None, (), out)


cdef inline TensorBase binary_(int op, TensorBase self, object other):
    return call(op, self, other, None, (), self, True)


cdef inline TensorBase unary_params(int op, TensorBase input, tuple params, TensorBase out):
    return call(op, input, None, None, params, out)


cdef inline TensorBase unary_params_(int op, TensorBase self, tuple params):
    return call(op, self, None, None, params, self, True)


include "arithmetic_functions.pxi"


cdef TensorBase scaled(int op, object input, object other, object alpha, TensorBase out, bint inplace):
    """input + alpha * other (or minus)."""
    cdef int code
    if isinstance(alpha, int) and alpha == 1:
        return call(op, input, other, None, (), out, inplace)
    code = result_code(input, other, None)
    if mt_category[code] < 2 and isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if code != MT_BOOL and isinstance(alpha, bool):
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    return call(MT_OP_add_scaled, input, other, None, (alpha if op == MT_OP_add else -alpha,), out, inplace)


def add(input, other, *, alpha=1, TensorBase out=None):
    """Sum.

    .. math:: y = x_1 + \\alpha x_2

    >>> import minitorch
    >>> minitorch.add(minitorch.tensor([1., 2.]), 10, alpha=2)
    tensor([21., 22.])
    """
    return scaled(MT_OP_add, input, other, alpha, out, False)


def add_(TensorBase self not None, other, *, alpha=1):
    """In-place `add`."""
    return scaled(MT_OP_add, self, other, alpha, self, True)


def sub(input, other, *, alpha=1, TensorBase out=None):
    """Difference.

    .. math:: y = x_1 - \\alpha x_2

    >>> import minitorch
    >>> minitorch.sub(minitorch.tensor([1., 2.]), 1)
    tensor([0., 1.])
    """
    return scaled(MT_OP_sub, input, other, alpha, out, False)


def sub_(TensorBase self not None, other, *, alpha=1):
    """In-place `sub`."""
    return scaled(MT_OP_sub, self, other, alpha, self, True)


def rsub(TensorBase input not None, other, *, alpha=1):
    """``other - alpha * input``"""
    if alpha == 1:
        return call(MT_OP_sub, other, input)
    return call(MT_OP_sub, other, call(MT_OP_mul, input, alpha))


def mul(input, other, *, TensorBase out=None):
    """Product.

    .. math:: y = x_1 x_2

    >>> import minitorch
    >>> minitorch.mul(minitorch.tensor([1., 2.]), 3)
    tensor([3., 6.])
    """
    return call(MT_OP_mul, input, other, None, (), out)


def mul_(TensorBase self not None, other):
    """In-place `mul`."""
    return call(MT_OP_mul, self, other, None, (), self, True)


cdef int division(object rounding_mode) except -1:
    if rounding_mode is None:
        return MT_OP_div
    if rounding_mode == "floor":
        return MT_OP_floor_divide
    if rounding_mode == "trunc":
        return MT_OP_trunc_divide
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")


def div(input, other, *, rounding_mode=None, TensorBase out=None):
    """Quotient, of floats even where the operands are integers; or rounded down ("floor") or towards zero ("trunc").

    .. math:: y = x_1 / x_2

    >>> import minitorch
    >>> minitorch.div(minitorch.tensor([7, -7]), 2), minitorch.div(minitorch.tensor([7, -7]), 2, rounding_mode="floor")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -4]))
    """
    return call(division(rounding_mode), input, other, None, (), out)


def div_(TensorBase self not None, other, *, rounding_mode=None):
    """In-place `div`."""
    return call(division(rounding_mode), self, other, None, (), self, True)


def pow(input, exponent, *, TensorBase out=None):
    """Power.

    .. math:: y = x_1^{x_2}

    >>> import minitorch
    >>> minitorch.pow(minitorch.tensor([1., 2., 3.]), 2)
    tensor([1., 4., 9.])
    """
    return power(input, exponent, out, False)


def pow_(TensorBase self not None, exponent):
    """In-place `pow`."""
    return power(self, exponent, self, True)


def _where(condition not None, input, other, TensorBase out=None):
    """What `minitorch.where` does with three arguments."""
    cdef TensorBase c
    if not isinstance(condition, TensorBase):
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    c = condition
    if c.code != MT_BOOL and dtype_of(c.code).name != "uint8":
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype "
                           f"{title(c.code)}: compare it first, as in where(x > 0, ...)")
    if not isinstance(input, TensorBase) and not isinstance(other, TensorBase):
        input = number_tensor(input, scalar_code(input))
    return call(MT_OP_where, condition, input, other, (), out)


cdef TensorBase clamped(object input, object low, object high, TensorBase out, bint inplace):
    """Between bounds that are numbers, tensors or absent."""
    cdef bint tensors = isinstance(low, TensorBase) or isinstance(high, TensorBase)
    cdef int code
    if low is None and high is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if tensors and low is not None and high is not None:
        return call(MT_OP_clamp_tensor, input, low, high, (), out, inplace)
    code = result_code(input, low, high)
    if not inplace and out is None and code != (<TensorBase?>input).code:
        input = cast(input, code)
    elif inplace and mt_category[code] > mt_category[(<TensorBase>input).code]:
        raise RuntimeError(f"clamp_: result type {title(code)} can't be cast to the desired output type "
                           f"{title((<TensorBase>input).code)}")
    if code == MT_BOOL and tensors:
        return call(MT_OP_maximum if high is None else MT_OP_minimum, input, low if high is None else high, None, (),
                    out, inplace)
    if high is None:
        return call(MT_OP_clamp_min, input, low, None, (), out, inplace)
    if low is None:
        return call(MT_OP_clamp_max, input, high, None, (), out, inplace)
    return call(MT_OP_clamp, input, None, None, (low, high), out, inplace)


def clamp(TensorBase input not None, min=None, max=None, *, TensorBase out=None):
    """Values below ``min`` become it, those above ``max`` that; the bounds may be numbers or tensors.

    .. math:: y = \\min(\\max(x, \\text{min}), \\text{max})

    >>> import minitorch
    >>> minitorch.tensor([-2., 0.5, 2.]).clamp(-1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return clamped(input, min, max, out, False)


def clamp_(TensorBase self not None, min=None, max=None):
    """In-place `clamp`."""
    return clamped(self, min, max, self, True)


def clamp_min(TensorBase input not None, min not None, *, TensorBase out=None):
    """``input.clamp(min=min)``"""
    return clamped(input, min, None, out, False)


def clamp_min_(TensorBase self not None, min not None):
    """In-place `clamp_min`."""
    return clamped(self, min, None, self, True)


def clamp_max(TensorBase input not None, max not None, *, TensorBase out=None):
    """``input.clamp(max=max)``"""
    return clamped(input, None, max, out, False)


def clamp_max_(TensorBase self not None, max not None):
    """In-place `clamp_max`."""
    return clamped(self, None, max, self, True)


cdef int same_types(str name, TensorBase a, object b) except -1:
    if isinstance(b, TensorBase) and (<TensorBase>b).code != a.code:
        raise RuntimeError(f"{name}: expected the same dtype for all tensors, got {describe(a)} and "
                           f"{describe(<TensorBase>b)}")
    return 0


def lerp(TensorBase input not None, TensorBase end not None, weight not None, *, TensorBase out=None):
    """Linear interpolation.

    .. math:: y = x_1 + w (x_2 - x_1)

    >>> import minitorch
    >>> minitorch.lerp(minitorch.tensor([0., 10.]), minitorch.tensor([10., 20.]), 0.5)
    tensor([ 5., 15.])
    """
    same_types("lerp", input, end)
    same_types("lerp", input, weight)
    return call(MT_OP_lerp, input, end, weight, (), out)


def lerp_(TensorBase self not None, TensorBase end not None, weight not None):
    """In-place `lerp`."""
    same_types("lerp_", self, end)
    same_types("lerp_", self, weight)
    return call(MT_OP_lerp, self, end, weight, (), self, True)


def addcmul(TensorBase input not None, TensorBase tensor1 not None, TensorBase tensor2 not None, *, value=1,
            TensorBase out=None):
    """A product added.

    .. math:: y = x_1 + v\\,x_2 x_3

    >>> import minitorch
    >>> minitorch.addcmul(minitorch.tensor([1.]), minitorch.tensor([2.]), minitorch.tensor([3.]), value=10)
    tensor([61.])
    """
    return call(MT_OP_addcmul, input, tensor1, tensor2, (value,), out)


def addcmul_(TensorBase self not None, TensorBase tensor1 not None, TensorBase tensor2 not None, *, value=1):
    """In-place `addcmul`."""
    return call(MT_OP_addcmul, self, tensor1, tensor2, (value,), self, True)


cdef TensorBase quotient_added(TensorBase a, TensorBase b, TensorBase c, value, TensorBase out, bint inplace):
    if mt_category[b.code] < 2 and mt_category[c.code] < 2:
        raise RuntimeError("addcdiv: Integer division with addcdiv is no longer supported, use (input + value * "
                           "trunc(tensor1 / tensor2)) for integers, or convert one of them with .float()")
    return call(MT_OP_addcdiv, a, b, c, (value,), out, inplace)


def addcdiv(TensorBase input not None, TensorBase tensor1 not None, TensorBase tensor2 not None, *, value=1,
            TensorBase out=None):
    """A quotient added.

    .. math:: y = x_1 + v\\,x_2 / x_3

    >>> import minitorch
    >>> minitorch.addcdiv(minitorch.tensor([1.]), minitorch.tensor([6.]), minitorch.tensor([3.]), value=10)
    tensor([21.])
    """
    return quotient_added(input, tensor1, tensor2, value, out, False)


def addcdiv_(TensorBase self not None, TensorBase tensor1 not None, TensorBase tensor2 not None, *, value=1):
    """In-place `addcdiv`."""
    return quotient_added(self, tensor1, tensor2, value, self, True)


def round(TensorBase input not None, *, decimals=0, TensorBase out=None):
    """The nearest integer, or multiple of a power of ten; halves go to the even one.

    >>> import minitorch
    >>> minitorch.tensor([0.5, 1.5, 2.7]).round()
    tensor([0., 2., 3.])
    """
    if decimals == 0:
        return call(MT_OP_round, input, None, None, (), out)
    if mt_category[input.code] < 2:
        raise RuntimeError(f"round: not implemented for integers with decimals != 0, got {describe(input)}")
    if decimals > 0:
        return call(MT_OP_div, call(MT_OP_round, call(MT_OP_mul, input, 10.0 ** decimals)), 10.0 ** decimals, None, (),
                    out)
    return call(MT_OP_mul, call(MT_OP_round, call(MT_OP_div, input, 10.0 ** -decimals)), 10.0 ** -decimals, None, (),
                out)


def round_(TensorBase self not None, *, decimals=0):
    """In-place `round`."""
    if decimals != 0:
        if mt_category[self.code] < 2:
            raise RuntimeError(f"round_: not implemented for integers with decimals != 0, got {describe(self)}")
        there, back = (MT_OP_mul, MT_OP_div) if decimals > 0 else (MT_OP_div, MT_OP_mul)
        factor = 10.0 ** (decimals if decimals > 0 else -decimals)
        call(MT_OP_round, call(there, self, factor, None, (), self, True), None, None, (), self, True)
        return call(back, self, factor, None, (), self, True)
    return call(MT_OP_round, self, None, None, (), self, True)


def positive(TensorBase input not None):
    """The tensor itself, as ``+x``; bool has no sign.

    >>> import minitorch
    >>> +minitorch.tensor([1, -2])
    tensor([ 1, -2])
    """
    if input.code == MT_BOOL:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def fill_(TensorBase self not None, value):
    """Set every element to ``value``, a number or a 0-d tensor.

    >>> import minitorch
    >>> minitorch.zeros(2).fill_(7)
    tensor([7., 7.])
    """
    cdef TensorBase v
    check_inplace(self, "fill_")
    if isinstance(value, TensorBase):
        v = value
        if v.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {v.ndim} dimensions")
        return fill_from(self, v)
    fill_data(self, checked_value(value, self.code))
    bump(self)
    if grad_enabled() and requires_grad(self):
        rebase(self, record_edges(FillBackward.__new__(FillBackward), (self,)))
    return self


cdef class FillBackward(Node):
    """x.fill_(v):  nothing of the old x remains; dv is the sum of dy, which the tape takes."""
    cdef object apply(self, TensorBase g):
        cdef TensorBase zero = None
        if self.needs(0):
            zero = zeros_like_data(g, g.code)
        return (zero,) if len(self.edges) == 1 else (zero, g)


cdef TensorBase fill_from(TensorBase self, TensorBase value):
    cdef FillBackward node
    copy_data(self, value)
    bump(self)
    if grad_enabled() and (requires_grad(self) or requires_grad(value)):
        node = FillBackward.__new__(FillBackward)
        node.input_meta = (None, (shape_of(value), value.code))
        rebase(self, record_edges(node, (self, value)))
    return self


def zero_(TensorBase self not None):
    """Set every element to zero."""
    return fill_(self, 0)


def float_power(input, exponent, *, TensorBase out=None):
    """Power in float64, or complex128 if an operand is complex, whatever the types.

    .. math:: y = x_1^{x_2}

    >>> import minitorch
    >>> minitorch.float_power(minitorch.tensor([2, 3]), 0.5)
    tensor([1.4142, 1.7321], dtype=torch.float64)
    """
    cdef int code = MT_F64 if mt_category[result_code(input, exponent, None)] < 3 else MT_C128
    if isinstance(input, TensorBase):
        input = cast(<TensorBase>input, code)
    if isinstance(exponent, TensorBase):
        exponent = cast(<TensorBase>exponent, code)
    elif not isinstance(input, TensorBase):
        raise TypeError("float_power(): expected a tensor among its operands")
    return power(input, exponent, out, False)


def prelu(TensorBase input not None, TensorBase weight not None):
    """Rectified linear unit with a learned slope below zero: one for all, or one for each channel (dimension 1).

    .. math:: y = \\max(x, 0) + w \\min(x, 0)

    Source: He and others, arXiv:1502.01852.

    >>> import minitorch
    >>> minitorch.prelu(minitorch.tensor([-4., 2.]), minitorch.tensor(0.25))
    tensor([-1.,  2.])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d
    if weight.numel != 1:
        if weight.ndim != 1 or input.ndim == 0 or input.shape[1 if input.ndim > 1 else 0] != weight.numel:
            raise RuntimeError(f"prelu: the weight {describe(weight)} must have one element, or as many as the input "
                               f"{describe(input)} has channels (dimension 1)")
        for d in range(input.ndim):
            shape[d] = 1
        shape[1 if input.ndim > 1 else 0] = weight.numel
        weight = reshape_to(weight, input.ndim, shape)
    elif weight.ndim > input.ndim:
        weight = reshape_to(weight, 0, NULL)
    return call(MT_OP_prelu, input, weight)


def gelu(TensorBase input not None, *, approximate="none"):
    """Gaussian error linear unit; with ``approximate="tanh"`` the cheaper form.

    .. math:: y = x\\,\\Phi(x)

    Source: Hendrycks and Gimpel, arXiv:1606.08415.

    >>> import minitorch
    >>> minitorch.nn.functional.gelu(minitorch.tensor([-1., 2.]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "none":
        return call(MT_OP_gelu, input)
    if approximate == "tanh":
        return call(MT_OP_gelu_tanh, input)
    raise RuntimeError(f"gelu: approximate argument must be either none or tanh, not {approximate!r}")


cdef TensorBase log_odds(TensorBase x, object eps, TensorBase out, bint inplace):
    if eps is not None:
        x = clamped(x, eps, 1.0 - eps, x if inplace else None, inplace)
    return call(MT_OP_logit, x, None, None, (), out, inplace)


def logit(TensorBase input not None, eps=None, *, TensorBase out=None):
    """Log-odds, the inverse of the logistic function; ``eps`` limits the input to ``[eps, 1 - eps]`` first.

    .. math:: y = \\ln \\frac{x}{1 - x}

    >>> import minitorch
    >>> minitorch.logit(minitorch.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    return log_odds(input, eps, out, False)


def logit_(TensorBase self not None, eps=None):
    """In-place `logit`."""
    return log_odds(self, eps, self, True)


def heaviside(TensorBase input not None, TensorBase values not None, *, TensorBase out=None):
    """Step function: 0 below zero, 1 above, ``values`` at zero.

    >>> import minitorch
    >>> minitorch.heaviside(minitorch.tensor([-2., 0., 3.]), minitorch.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.code != values.code:
        raise RuntimeError(f"heaviside is not yet implemented for tensors with different dtypes: {describe(input)} and "
                           f"{describe(values)}")
    return call(MT_OP_heaviside, input, values, None, (), out)


def heaviside_(TensorBase self not None, TensorBase values not None):
    """In-place `heaviside`."""
    if self.code != values.code:
        raise RuntimeError(f"heaviside_ is not implemented for tensors with different dtypes: {describe(self)} and "
                           f"{describe(values)}")
    return call(MT_OP_heaviside, self, values, None, (), self, True)


def polygamma(int n, TensorBase input not None, *, TensorBase out=None):
    """Derivative of order ``n`` of the digamma function.

    .. math:: y = \\psi^{(n)}(x)

    >>> import minitorch
    >>> minitorch.polygamma(1, minitorch.tensor([1., 0.5]))
    tensor([1.6449, 4.9348])
    """
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    if n == 0:
        return call(MT_OP_digamma, input, None, None, (), out)
    return call(MT_OP_polygamma, input, None, None, (n,), out)


# these take no numbers

def igamma(TensorBase input not None, TensorBase other not None, *, TensorBase out=None):
    """Regularised lower incomplete gamma function; differentiable in its second argument.

    .. math:: y = \\frac{1}{\\Gamma(a)} \\int_0^x t^{a - 1} e^{-t} dt

    >>> import minitorch
    >>> minitorch.igamma(minitorch.tensor([1., 2.]), minitorch.tensor([1., 2.]))
    tensor([0.6321, 0.5940])
    """
    return binary(MT_OP_igamma, input, other, out)


def igamma_(TensorBase self not None, TensorBase other not None):
    """In-place `igamma`."""
    return binary_(MT_OP_igamma, self, other)


def igammac(TensorBase input not None, TensorBase other not None, *, TensorBase out=None):
    """Regularised upper incomplete gamma function; differentiable in its second argument.

    .. math:: y = \\frac{1}{\\Gamma(a)} \\int_x^\\infty t^{a - 1} e^{-t} dt

    >>> import minitorch
    >>> minitorch.igammac(minitorch.tensor([1., 2.]), minitorch.tensor([1., 2.]))
    tensor([0.3679, 0.4060])
    """
    return binary(MT_OP_igammac, input, other, out)


def igammac_(TensorBase self not None, TensorBase other not None):
    """In-place `igammac`."""
    return binary_(MT_OP_igammac, self, other)


cdef TensorBase numbers_only(TensorBase x, object nan, object posinf, object neginf, TensorBase out, bint inplace):
    cdef double largest = 0
    if mt_category[x.code] >= 2:
        from minitorch._ext.dtype import finfo
        largest = finfo(dtype_of(x.code)).max
    return call(MT_OP_nan_to_num, x, None, None, (0.0 if nan is None else nan, largest if posinf is None else posinf,
                                                  -largest if neginf is None else neginf), out, inplace)


def nan_to_num(TensorBase input not None, nan=0.0, posinf=None, neginf=None, *, TensorBase out=None):
    """NaN and infinities replaced, by zero and the largest numbers of the type unless given.

    >>> import minitorch
    >>> minitorch.nan_to_num(minitorch.tensor([minitorch.nan, 1., minitorch.inf]), posinf=9.)
    tensor([0., 1., 9.])
    """
    return numbers_only(input, nan, posinf, neginf, out, False)


def nan_to_num_(TensorBase self not None, nan=0.0, posinf=None, neginf=None):
    """In-place `nan_to_num`."""
    return numbers_only(self, nan, posinf, neginf, self, True)


# the elements of losses, which nn.functional reduces

def squared_difference(TensorBase input not None, TensorBase target not None):
    """``(input - target) ** 2``"""
    return call(MT_OP_squared_difference, input, target)


def abs_difference(TensorBase input not None, TensorBase target not None):
    """``abs(input - target)``"""
    return call(MT_OP_abs_difference, input, target)


def smooth_l1(TensorBase input not None, TensorBase target not None, beta=1.0):
    """Squared near zero, absolute beyond ``beta``."""
    if beta == 0:
        return call(MT_OP_abs_difference, input, target)
    return call(MT_OP_smooth_l1, input, target, None, (beta,))


def huber(TensorBase input not None, TensorBase target not None, delta=1.0):
    """Squared near zero, linear with slope ``delta`` beyond it."""
    return call(MT_OP_huber, input, target, None, (delta,))


def binary_cross_entropy(TensorBase input not None, TensorBase target not None):
    """``-(target * log(input) + (1 - target) * log(1 - input))``, logarithms no less than -100."""
    return call(MT_OP_binary_cross_entropy, input, target)


def binary_cross_entropy_with_logits(TensorBase input not None, TensorBase target not None):
    """The same of ``sigmoid(input)``, without overflow."""
    return call(MT_OP_binary_cross_entropy_with_logits, input, target)


# other names that PyTorch has for the same
subtract, subtract_ = sub, sub_
multiply, multiply_ = mul, mul_
divide, divide_ = div, div_
true_divide, true_divide_ = div, div_
clip, clip_ = clamp, clamp_


def result_type(tensor1, tensor2):
    """The dtype that an operation on two tensors or numbers has.

    >>> import minitorch
    >>> minitorch.result_type(minitorch.ones(2, dtype=minitorch.int32), 1.5)
    torch.float32
    """
    return dtype_of(result_code(tensor1, tensor2, None))
