"""Scans along a dimension that keep more than a number: cummax, cummin, logcumsumexp.  (cumsum, cumprod: `reduce`.)"""
cimport cython
from minitorch._ext.dtype cimport MT_F32, MT_I64, dtype_of, mt_category, mt_compute, mt_itemsize
from minitorch._ext.extrema cimport record_choice
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, zeros_like_data
from minitorch._ext.pointwise cimport cast, into, op_eq, op_exp, op_mul, op_sub, op_where
from minitorch._ext.sort cimport dim_of, refuse, results_in
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, data_of, describe, new_on, on_device, record1, record2, recording1, recording2, shown,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport clone_of, copy_into, slice_of

cdef extern from "scan.h" nogil:
    enum:
        MT_SCANNED
        MT_CUMMAX
        MT_CUMMIN
        MT_LOGCUMSUMEXP
        MT_DECAYED
    ctypedef void (*mt_scan_rows)(char *y, char *z, const char *x, Py_ssize_t step, Py_ssize_t rows,
                                  Py_ssize_t columns) noexcept
    const mt_scan_rows mt_row_scans[4][16]


# --- the primitive ----------------------------------------------------------------------------------------------------

cdef struct Scan:
    mt_scan_rows kernel
    char *y
    char *z
    const char *x
    Py_ssize_t rows, columns, tiles             # tiles of columns
    int item, item_z
    bint reverse


cdef void scan_tiles(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Scan *s = <Scan *>context
    cdef Py_ssize_t unit, first, width, at
    for unit in range(begin, end):
        first = unit % s.tiles * MT_SCANNED
        width = s.columns - first
        if width > MT_SCANNED:
            width = MT_SCANNED
        at = unit // s.tiles * s.rows * s.columns + first
        if s.reverse:
            at += (s.rows - 1) * s.columns
        s.kernel(s.y + at * s.item, s.z + at * s.item_z if s.z != NULL else NULL, s.x + at * s.item,
                 -s.columns if s.reverse else s.columns, s.rows, width)


cdef TensorBase scan_data(int op, TensorBase x, TensorBase z, int dim, bint reverse):
    """A scan of x, in its type; z is written by some kernels, read by others, and contiguous.  Not recorded."""
    cdef int code = mt_compute[x.code], d
    cdef Scan s
    cdef Py_ssize_t outer = 1
    cdef TensorBase y, source
    if mt_row_scans[op][code] == NULL:
        code = MT_I64
    source = contiguous_data(converted(x, code))
    y = new_on(x, x.ndim, x.shape, code)
    s.kernel = mt_row_scans[op][code]
    s.y, s.x, s.z = data_of(y), data_of(source), NULL if z is None else data_of(z)
    s.item, s.item_z = mt_itemsize[code], 0 if z is None else mt_itemsize[z.code]
    s.reverse = reverse
    s.rows = x.shape[dim] if x.ndim else 1
    s.columns = 1
    for d in range(x.ndim):
        if d < dim:
            outer *= x.shape[d]
        elif d > dim:
            s.columns *= x.shape[d]
    if on_device(x):
        if x.numel:
            primitives().scan(("Largest", "Smallest", "LogSumExp", "Decayed")[op], shown(y), shown(z), shown(source),
                              s.rows, s.columns, reverse)
        return converted(y, x.code)
    s.tiles = (s.columns + MT_SCANNED - 1) // MT_SCANNED
    if x.numel:
        with nogil:
            parallel_for(outer * s.tiles, 1 + GRAIN // (8 * s.rows * s.columns // s.tiles + 1), scan_tiles, &s)
    return converted(y, x.code)


# --- the extreme so far -----------------------------------------------------------------------------------------------

cdef object extreme_so_far(int op, TensorBase x, object dim, object out, str name):
    cdef int d = dim_of(x, dim, name)
    cdef TensorBase values, indices
    refuse(x, name, False, False)
    indices = new_on(x, x.ndim, x.shape, MT_I64)
    values = scan_data(op, x, indices, d, False)
    record_choice(values, x, indices, d, True, "CummaxBackward0" if op == MT_CUMMAX else "CumminBackward0")
    return results_in(out, values, indices, name)


def cummax(TensorBase input not None, dim, *, out=None):
    """The largest element so far along a dimension, and where it was (the last, if several are equal).

    .. math:: y_k = \\max_{i \\le k} x_i

    >>> import minitorch
    >>> minitorch.tensor([1., 3., 2.]).cummax(0).values
    tensor([1., 3., 3.])
    """
    return extreme_so_far(MT_CUMMAX, input, dim, out, "cummax")


def cummin(TensorBase input not None, dim, *, out=None):
    """The smallest element so far along a dimension, and where it was (the last, if several are equal).

    .. math:: y_k = \\min_{i \\le k} x_i

    >>> import minitorch
    >>> minitorch.tensor([3., 1., 2.]).cummin(0).indices
    tensor([0, 1, 1])
    """
    return extreme_so_far(MT_CUMMIN, input, dim, out, "cummin")


# --- the sum of exponentials so far -----------------------------------------------------------------------------------

cdef TensorBase moved(TensorBase t, int dim, bint back, bint keep):
    """The elements one place further along a dimension (or back); the first keeps its value, or is zero."""
    cdef Py_ssize_t n = t.shape[dim] if t.ndim else 1
    cdef TensorBase out = clone_of(t) if keep else zeros_like_data(t, t.code)
    if n > 1:
        copy_into(slice_of(out, dim, not back, n - 1, 1), slice_of(t, dim, back, n - 1, 1))
    return out


@cython.final
cdef class DecayedBackward(Node):
    """y_k = x_k + z_k y_(k-1):  dx_k = dy_k + z_(k+1) dx_(k+1), and dz_k = dx_k y_(k-1)."""
    cdef int dim
    cdef bint reverse

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = decayed(g, moved(self.saved(0), self.dim, not self.reverse, False), self.dim,
                                     not self.reverse)
        return dx, op_mul(dx, moved(self.saved(1), self.dim, self.reverse, False))


cdef TensorBase decayed(TensorBase x, TensorBase z, int dim, bint reverse):
    """The sum of x so far, which decays by the factor z from each element to the next; recorded."""
    cdef TensorBase out = scan_data(MT_DECAYED, x, contiguous_data(z), dim, reverse)
    cdef DecayedBackward node
    if recording2(x, z):
        node = DecayedBackward.__new__(DecayedBackward)
        node.dim, node.reverse = dim, reverse
        record2(node, out, x, z)
        node.save(0, z)
        node.save(1, out)
    return out


@cython.final
cdef class LogcumsumexpBackward(Node):
    """y_k = log sum_(i<=k) exp(x_i):  dx_i = exp(x_i - y_i) r_i with r_i = dy_i + exp(y_i - y_(i+1)) r_(i+1).

    No exponent is positive, so nothing overflows.
    """
    cdef int dim

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0), y = self.saved(1), after, r
        cdef int code = x.code
        if mt_compute[code] == MT_F32 and code != MT_F32:       # half types: differences lose too much
            x, y, g = cast(x, MT_F32), cast(y, MT_F32), cast(g, MT_F32)
        after = moved(y, self.dim, True, True)
        r = op_exp(op_where(op_eq(after, float("-inf")), 0, op_sub(y, after)))
        r = decayed(g, r, self.dim, True)
        x = op_exp(op_where(op_eq(y, float("-inf")), float("-inf"), op_sub(x, y)))
        return (cast(op_mul(x, r), code),)


cdef TensorBase logcumsumexp_complex(TensorBase x, int dim):
    """One after the other: y_k = log(exp(y_(k-1)) + exp(x_k)), in differentiable operations."""
    from minitorch._ext.index import stack
    from minitorch._ext.arithmetic import logaddexp
    cdef list so_far = []
    if x.numel == 0 or x.ndim == 0:
        return clone_of(x)
    for item in x.unbind(dim):
        so_far.append(logaddexp(so_far[len(so_far) - 1], item) if so_far else item)
    return stack(so_far, dim)


def logcumsumexp(TensorBase input not None, dim, *, TensorBase out=None):
    """Logarithm of the sum of the exponentials so far along a dimension, without overflow on the way.

    .. math:: y_k = \\log \\sum_{i \\le k} e^{x_i}

    >>> import minitorch
    >>> minitorch.tensor([1000., 1000.]).logcumsumexp(0)
    tensor([1000.0000, 1000.6932])
    """
    cdef int d = dim_of(input, dim, "logcumsumexp")
    cdef TensorBase result
    cdef LogcumsumexpBackward node
    if mt_category[input.code] == 3:
        return into(out, logcumsumexp_complex(input, d), "logcumsumexp")
    if mt_category[input.code] != 2:
        raise NotImplementedError(f"logcumsumexp(): not implemented for {dtype_of(input.code)}, got {describe(input)}. "
                                  "Convert it with .float()")
    result = scan_data(MT_LOGCUMSUMEXP, input, None, d, False)
    if recording1(input):
        node = LogcumsumexpBackward.__new__(LogcumsumexpBackward)
        node.dim = d
        record1(node, result, input)
        node.save(0, input)
        node.save(1, result)
    return into(out, result, "logcumsumexp")
