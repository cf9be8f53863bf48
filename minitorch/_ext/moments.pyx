"""Variance, norms, and the logarithm of a sum of exponentials: values are mapped before they are summed."""
cimport cython
from cpython.object cimport Py_NE
from minitorch._ext.dtype cimport code_of, default_code, mt_category, mt_compute
from minitorch._ext.extrema cimport extreme
from minitorch._ext.loops cimport converted, fill_data, scalar_value, zero_data, zeros_like_data
from minitorch._ext.pointwise cimport (
    OP_POW, cast, compare, into, op_add, op_div, op_eq, op_exp, op_log, op_mul, op_sub, op_where, operator,
)
from minitorch._ext.reduce cimport (
    MT_LOGSUMEXP, MT_LOG_ADD, MT_MOMENTS, MT_POWER, MT_ROOT, MT_SCALE, MT_SUM_ABS, MT_SUM_POWER, MT_SUM_SQUARE,
    ReduceBackward, count_of, dims_mask, flag, mean_of, new_reduced, reduce_data, reduced_by, sum_of,
)
from minitorch._ext.tensor cimport TensorBase, describe, record1, record_outputs, recording1
from minitorch._ext.views cimport detach_of, reshape_to, select_of, view_as_real_of

import warnings
from minitorch._ext.arithmetic import abs as absolute, sign


# --- variance -------------------------------------------------------------------------------------------------------

@cython.final
cdef class VarBackward(ReduceBackward):
    """y = sum (x - m)² / d, or its root, and maybe m:  dx = dy 2 (x - m) / d, or dy (x - m) / (d y); plus dm / n."""
    cdef bint root, with_mean
    cdef double divisor

    cdef str op_name(self):
        return ("Std" if self.root else "Var") + ("MeanBackward0" if self.with_mean else "Backward0")

    cdef object apply(self, TensorBase g):
        return (self.of_spread(g),)

    cdef object apply_many(self, list gs):
        cdef TensorBase dx = None, dm
        if gs[0] is not None:
            dx = self.of_spread(<TensorBase>gs[0])
        if len(gs) > 1 and gs[1] is not None:
            dm = self.spread(op_div(<TensorBase>gs[1], self.count))
            dx = dm if dx is None else op_add(dx, dm)
        return (dx,)

    cdef TensorBase of_spread(self, TensorBase g):
        """The part that comes through the variance or deviation."""
        cdef TensorBase x = self.saved(0), y, zero
        cdef double inverse = 1 / self.divisor if self.divisor > 0 else float("inf")
        if self.root:
            y = self.saved(1)
            zero = op_eq(y, 0)                              # a corner, of which we take the flat side
            g = op_where(zero, 0, op_div(g, op_where(zero, 1, y)))
        else:
            inverse *= 2
        return op_mul(self.spread(op_mul(g, inverse)), op_sub(x, mean_of(x, self.mask, True)))


cdef object spread_of(TensorBase x, object dim, object unbiased, object keepdim, object correction, bint root,
                      bint with_mean, str name):
    """The variance or standard deviation, and the mean if wanted."""
    cdef unsigned long long mask
    cdef double divisor
    cdef bint keep, recorded = recording1(x)
    cdef TensorBase out, mean = None
    cdef VarBackward node
    if isinstance(dim, bool):                               # var(unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}(): give either unbiased or correction, not both")
    if mt_category[x.code] < 2:
        raise RuntimeError(f"{name}(): std and var only support floating point and complex dtypes, got {describe(x)}. "
                           "Convert it with .float()")
    if mt_category[x.code] == 3:
        return spread_of_complex(x, dim, unbiased, keepdim, correction, root, with_mean, name)
    mask, keep = dims_mask(dim, x.ndim), flag(keepdim, None)
    divisor = count_of(x, mask) - <double>(1 if correction is None and unbiased is not False else correction or 0)
    out = new_reduced(x, mask, keep, x.code)
    if with_mean:
        mean = new_reduced(x, mask, keep, x.code)
    if divisor <= 0:
        warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
                      "factor (input numel divided by output numel).", UserWarning, 2)
        divisor = 0
    if x.numel == 0:
        for t in (out, mean):
            if t is not None:
                fill_data(<TensorBase>t, scalar_value(float("nan"), mt_compute[x.code]))
    else:
        reduce_data(MT_MOMENTS, out, mean, x, mask, mt_compute[x.code], MT_ROOT if root else MT_SCALE, divisor)
    if recorded:
        node = VarBackward.__new__(VarBackward)
        node.describe_input(x, mask, keep, dim is None)
        node.root, node.with_mean, node.divisor = root, with_mean, divisor
        if with_mean:
            record_outputs(node, (out, mean), (x,))
        else:
            record1(node, out, x)
        node.save(0, x)
        if root:
            node.save(1, out)
    return (out, mean) if with_mean else out


cdef object spread_of_complex(TensorBase x, object dim, object unbiased, object keepdim, object correction, bint root,
                              bint with_mean, str name):
    """The variance of complex numbers is that of their real parts and that of their imaginary parts."""
    cdef object parts = [spread_of(select_of(view_as_real_of(x), x.ndim, k), dim, unbiased, keepdim, correction, False,
                                   False, name) for k in range(2)]
    cdef TensorBase out = op_add(parts[0], parts[1])
    if root:
        out = operator(OP_POW, out, 0.5)
    return (out, mean_of(x, dims_mask(dim, x.ndim), flag(keepdim, None))) if with_mean else out


def var(TensorBase input not None, dim=None, unbiased=None, keepdim=False, *, correction=None, TensorBase out=None,
        axis=None, keepdims=None):
    """Variance of all elements, or along dimensions; ``correction=1`` (the default, ``unbiased``) is Bessel's.

    .. math:: y = \\frac{1}{\\max(0, n - \\text{correction})} \\sum_i (x_i - \\bar x)^2

    Raises:
        RuntimeError: for integers and bools.

    Source: blocks are merged as in Chan, Golub, LeVeque, *Algorithms for Computing the Sample Variance* (1983).

    >>> import minitorch
    >>> minitorch.tensor([1., 2., 3., 4.]).var(), minitorch.tensor([1., 2., 3., 4.]).var(correction=0)
    (tensor(1.6667), tensor(1.2500))
    """
    return into(out, spread_of(input, dim if axis is None else axis, unbiased,
                               keepdim if keepdims is None else keepdims, correction, False, False, "var"), "var")


def std(TensorBase input not None, dim=None, unbiased=None, keepdim=False, *, correction=None, TensorBase out=None,
        axis=None, keepdims=None):
    """Standard deviation of all elements, or along dimensions: the root of `var`.

    >>> import minitorch
    >>> minitorch.tensor([1., 2., 3., 4.]).std()
    tensor(1.2910)
    """
    return into(out, spread_of(input, dim if axis is None else axis, unbiased,
                               keepdim if keepdims is None else keepdims, correction, True, False, "std"), "std")


def var_mean(TensorBase input not None, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Variance and mean, in one pass.

    >>> import minitorch
    >>> minitorch.var_mean(minitorch.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    return spread_of(input, dim, unbiased, keepdim, correction, False, True, "var_mean")


def std_mean(TensorBase input not None, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Standard deviation and mean, in one pass.

    >>> import minitorch
    >>> minitorch.std_mean(minitorch.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    return spread_of(input, dim, unbiased, keepdim, correction, True, True, "std_mean")


# --- norms ----------------------------------------------------------------------------------------------------------

@cython.final
cdef class NormBackward(ReduceBackward):
    """y = (sum |x|^p)^(1/p):  dx = dy · x |x|^(p-2) / y^(p-1), zero where x is."""
    cdef double p

    cdef str op_name(self):
        return "LinalgVectorNormBackward0"

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0), y, zero
        if self.p == 0:
            return (zeros_like_data(x, x.code),)
        if self.p == 1:
            return (op_mul(sign(x), self.spread(g)),)
        y = self.saved(1)
        y = op_where(op_eq(y, 0), 1, y)                     # then x is zero too
        if self.p == 2:
            return (op_mul(x, self.spread(op_div(g, y))),)
        zero = op_eq(x, 0)
        x = op_where(zero, 1, x)
        x = op_mul(sign(x), operator(OP_POW, absolute(x), self.p - 1))
        return (op_mul(op_where(zero, 0, x), self.spread(op_div(g, operator(OP_POW, y, self.p - 1)))),)


cdef TensorBase norm_of(TensorBase x, unsigned long long mask, bint keepdim, bint whole, double p):
    """The vector norm of floating-point values."""
    cdef TensorBase out
    cdef NormBackward node
    if (p < 0 or p == float("inf")) and count_of(x, mask) == 0:
        raise RuntimeError(f"norm(): cannot compute the {p} norm on an empty tensor because the operation does not "
                           f"have an identity: the input is {describe(x)}")
    if p == float("inf") or p == float("-inf"):
        return extreme(absolute(x), mask, keepdim, whole, p > 0, "norm", "LinalgVectorNormBackward0")
    if p == 0:
        out = cast(sum_of(compare(x, 0, Py_NE), mask, keepdim), x.code)
    else:
        out = new_reduced(x, mask, keepdim, x.code)
        if x.numel == 0:
            zero_data(out)
        elif p == 1:
            reduce_data(MT_SUM_ABS, out, None, x, mask, mt_compute[x.code])
        elif p == 2:
            reduce_data(MT_SUM_SQUARE, out, None, x, mask, mt_compute[x.code], MT_ROOT)
        else:
            reduce_data(MT_SUM_POWER, out, None, x, mask, mt_compute[x.code], MT_POWER, p)
    if recording1(x):
        node = NormBackward.__new__(NormBackward)
        node.p = p
        reduced_by(node, out, x, mask, keepdim, whole)
        node.save(0, x)
        node.save(1, out)
    return out


def norm(TensorBase input not None, p="fro", dim=None, keepdim=False, TensorBase out=None, dtype=None):
    """The p-norm of all elements, or along dimensions; ``"fro"`` is 2, 0 counts the non-zero, ``inf`` is the largest.

    .. math:: y = \\Bigl(\\sum_i |x_i|^p\\Bigr)^{1/p}

    Raises:
        RuntimeError: for integers and bools.
        NotImplementedError: for ``p="nuc"``.

    >>> import minitorch
    >>> minitorch.tensor([3., 4.]).norm(), minitorch.tensor([3., -4.]).norm(1)
    (tensor(5.), tensor(7.))
    """
    if p is None or p == "fro":
        p = 2.0
    elif isinstance(p, str):
        raise NotImplementedError(f"norm(): p={p!r} is not supported, the orders are numbers and 'fro'; a nuclear norm "
                                  "is the sum of the singular values")
    if mt_category[input.code] == 3:
        input = absolute(input)
    if mt_category[input.code] != 2:
        raise RuntimeError(f"norm(): Expected a floating point or complex tensor as input. Got {describe(input)}. "
                           "Convert it with .float()")
    if dtype is not None:
        input = cast(input, code_of(dtype))
    return into(out, norm_of(input, dims_mask(dim, input.ndim), flag(keepdim, None), dim is None, p), "norm")


# --- log-sum-exp ----------------------------------------------------------------------------------------------------

@cython.final
cdef class LogsumexpBackward(ReduceBackward):
    """y = log sum exp(x):  dx = dy · exp(x - y)."""
    cdef object apply(self, TensorBase g):
        cdef TensorBase y = self.saved(1)
        y = op_where(op_eq(absolute(y), float("inf")), 0, y)
        return (op_mul(self.spread(g), op_exp(op_sub(self.saved(0), self.spread(y)))),)


cdef TensorBase logsumexp_complex(TensorBase x, unsigned long long mask, bint keepdim):
    """The same of complex numbers, the largest real part taken out."""
    cdef TensorBase shape = new_reduced(x, mask, keepdim, x.code), high
    high = extreme(select_of(view_as_real_of(detach_of(x)), x.ndim, 0), mask, True, False, True, "logsumexp", "")
    high = op_where(op_eq(absolute(high), float("inf")), 0, high)
    high = op_add(op_log(sum_of(op_exp(op_sub(x, high)), mask, True)), high)
    return reshape_to(high, shape.ndim, shape.shape)


def logsumexp(TensorBase input not None, dim, keepdim=False, *, TensorBase out=None):
    """Logarithm of the sum of exponentials along dimensions, without overflow on the way.

    .. math:: y = \\log \\sum_i e^{x_i}

    >>> import minitorch
    >>> minitorch.tensor([1000., 1000.]).logsumexp(0)
    tensor(1000.6932)
    """
    cdef unsigned long long mask = dims_mask(dim, input.ndim)
    cdef bint keep = flag(keepdim, None)
    if mt_category[input.code] == 3 and input.numel:
        return into(out, logsumexp_complex(input, mask, keep), "logsumexp")
    cdef TensorBase x = input if mt_category[input.code] >= 2 else converted(input, default_code())
    cdef TensorBase result = new_reduced(x, mask, keep, x.code)
    cdef LogsumexpBackward node
    if x.numel == 0:
        fill_data(result, scalar_value(float("-inf"), mt_compute[x.code]))
    else:
        reduce_data(MT_LOGSUMEXP, result, None, x, mask, mt_compute[x.code], MT_LOG_ADD)
    if recording1(x):
        node = LogsumexpBackward.__new__(LogsumexpBackward)
        reduced_by(node, result, x, mask, keep, False)
        node.save(0, x)
        node.save(1, result)
    return into(out, result, "logsumexp")
