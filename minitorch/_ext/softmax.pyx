"""Softmax, log-softmax and the losses on them, each forward and backward in one pass over the rows."""
cimport cython
from minitorch._ext.dtype cimport MT_F32, MT_F64, MT_I64, MT_U8, code_of, mt_category, mt_compute, mt_itemsize
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, copy_data, fill_data, host_data, scalar_value
from minitorch._ext.pointwise cimport (
    OP_MUL, cast, inplace_operator, into, moved, op_add, op_div, op_exp, op_mul, op_neg, op_sub,
)
from minitorch._ext.reduce cimport MT_SCALE, MT_SUM, all_dims, reduce_data, sum_of
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, check_devices, data_of, describe, grad_enabled, new_on, new_tensor, new_view, on_device, record1,
    recording1, same_shape, shape_of, shown, wrap_dim,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport reshape_to, unsqueeze_of

from minitorch._ext.shaping import movedim

cdef extern from "softmax.h" nogil:
    enum:
        MT_SOFTMAX
        MT_LOG_SOFTMAX
        MT_SOFTMAX_COLUMNS
    ctypedef void (*mt_softmax_rows)(char *y, const char *x, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
    ctypedef void (*mt_softmax_columns)(char *y, const char *x, Py_ssize_t n, Py_ssize_t step,
                                        Py_ssize_t columns) noexcept nogil
    ctypedef void (*mt_softmax_rows_grad)(char *dx, const char *y, const char *g, Py_ssize_t g_step, Py_ssize_t rows,
                                          Py_ssize_t n) noexcept nogil
    ctypedef void (*mt_softmax_columns_grad)(char *dx, const char *y, const char *g, Py_ssize_t n, Py_ssize_t step,
                                             Py_ssize_t columns) noexcept nogil
    ctypedef void (*mt_lse_rows)(char *lse, const char *x, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
    ctypedef void (*mt_cross_entropy_rows)(char *lse, char *dx, const char *x, const char *w, const double *a,
                                           const double *d, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
    ctypedef double (*mt_dot_row)(const char *x, const char *w, Py_ssize_t n) noexcept nogil
    ctypedef void (*mt_cross_entropy_row_grad)(char *dx, const char *x, double lse, const char *w, double a, double d,
                                               Py_ssize_t n) noexcept nogil
    ctypedef struct mt_softmax_kernels:
        mt_softmax_rows rows[2]
        mt_softmax_columns columns[2]
        mt_softmax_rows_grad rows_grad[2]
        mt_softmax_columns_grad columns_grad[2]
        mt_lse_rows lse
        mt_cross_entropy_rows cross_entropy
        mt_dot_row dot
        mt_cross_entropy_row_grad cross_entropy_grad
    const mt_softmax_kernels mt_softmax_f32, mt_softmax_f64


cdef enum:
    EXPENSIVE = GRAIN // 4          # elements that pay for a thread: each takes an exponential


cdef inline const mt_softmax_kernels *kernels_for(int code) noexcept nogil:
    return &mt_softmax_f64 if code == MT_F64 else &mt_softmax_f32


cdef rows_kernel softmax_rows(int code) noexcept nogil:
    return <rows_kernel>kernels_for(code).rows[MT_SOFTMAX]


cdef rows_grad_kernel softmax_rows_grad(int code) noexcept nogil:
    return <rows_grad_kernel>kernels_for(code).rows_grad[MT_SOFTMAX]


# --- softmax and log-softmax along any dimension --------------------------------------------------------------------

# Values as (outer, n, inner), of which the middle dimension is normalised: rows where inner is 1, else columns.
cdef struct Along:
    const mt_softmax_kernels *kernels
    int which, item
    Py_ssize_t outer, n, inner, tiles, g_step
    char *out
    char *x                         # backward: the result
    char *g                         # its gradient; NULL in the forward


cdef void along_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Along *a = <Along *>context
    cdef Py_ssize_t at = begin * a.n * a.item
    if a.g == NULL:
        a.kernels.rows[a.which](a.out + at, a.x + at, end - begin, a.n)
    else:
        a.kernels.rows_grad[a.which](a.out + at, a.x + at, a.g + begin * a.g_step * a.item, a.g_step, end - begin, a.n)


cdef void along_columns(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Along *a = <Along *>context
    cdef Py_ssize_t unit, first, width, at
    for unit in range(begin, end):
        first = unit % a.tiles * MT_SOFTMAX_COLUMNS
        width = a.inner - first
        if width > MT_SOFTMAX_COLUMNS:
            width = MT_SOFTMAX_COLUMNS
        at = (unit // a.tiles * a.n * a.inner + first) * a.item
        if a.g == NULL:
            a.kernels.columns[a.which](a.out + at, a.x + at, a.n, a.inner, width)
        else:
            a.kernels.columns_grad[a.which](a.out + at, a.x + at, a.g + at, a.n, a.inner, width)


cdef TensorBase normalised(int which, TensorBase x, TensorBase g, int dim, int code):
    """The result from x, or the gradient of x from the result x and its gradient g, as a type; not recorded."""
    cdef Along a
    cdef int work = mt_compute[code], d
    cdef TensorBase out = new_on(x, x.ndim, x.shape, work)
    cdef bint same = g is not None
    x = contiguous_data(converted(x, work))
    a.kernels = kernels_for(work)
    a.which = which
    a.item = mt_itemsize[work]
    a.outer = a.inner = 1
    a.n = x.shape[dim] if x.ndim else 1
    for d in range(x.ndim):
        if d < dim:
            a.outer *= x.shape[d]
        elif d > dim:
            a.inner *= x.shape[d]
    if on_device(x):
        if x.numel:
            g = None if g is None else contiguous_data(converted(g, work))
            primitives().softmax(which == MT_LOG_SOFTMAX, shown(out), shown(x), shown(g), a.n, a.inner)
        return converted(out, code)
    a.tiles = (a.inner + MT_SOFTMAX_COLUMNS - 1) // MT_SOFTMAX_COLUMNS
    a.g = NULL
    a.g_step = a.n
    if g is not None:
        for d in range(g.ndim):
            same = same and g.strides[d] == 0
        if same and a.inner == 1 and g.numel:               # one value, as from a sum: one row of it will do
            g = first_row(g, a.n, work)
            a.g_step = 0
        else:
            g = contiguous_data(converted(g, work))
        a.g = data_of(g)
    a.out, a.x = data_of(out), data_of(x)
    if x.numel == 0:
        pass
    elif x.numel < EXPENSIVE:
        if a.inner == 1:
            along_rows(&a, 0, a.outer)
        else:
            along_columns(&a, 0, a.outer * a.tiles)
    else:
        with nogil:
            if a.inner == 1:
                parallel_for(a.outer, 1 + EXPENSIVE // a.n, along_rows, &a)
            else:
                d = a.inner if a.tiles == 1 else MT_SOFTMAX_COLUMNS
                parallel_for(a.outer * a.tiles, 1 + EXPENSIVE // (a.n * d), along_columns, &a)
    return converted(out, code)


cdef TensorBase first_row(TensorBase g, Py_ssize_t n, int code):
    """n times the first element of g."""
    cdef TensorBase row = new_tensor(1, &n, g.code)
    cdef Py_ssize_t stride = 0, offset = g.offset
    cdef TensorBase one = new_view(g, 1, &n, &stride, offset)
    copy_data(row, one)
    return converted(row, code)


cdef class AlongBackward(Node):
    """What the two have in common: they keep their result."""
    cdef int dim


@cython.final
cdef class SoftmaxBackward(AlongBackward):
    """y = exp(x) / sum exp(x):  dx = y (dy - sum dy y)."""
    cdef object apply(self, TensorBase g):
        cdef TensorBase y = self.saved(0)
        if not grad_enabled():
            return (normalised(MT_SOFTMAX, y, g, self.dim, g.code),)
        return (op_mul(y, op_sub(g, sum_of(op_mul(g, y), bit(y, self.dim), True))),)


@cython.final
cdef class LogSoftmaxBackward(AlongBackward):
    """y = x - log sum exp(x):  dx = dy - exp(y) sum dy."""
    cdef object apply(self, TensorBase g):
        cdef TensorBase y = self.saved(0)
        if not grad_enabled():
            return (normalised(MT_LOG_SOFTMAX, y, g, self.dim, g.code),)
        return (op_sub(g, op_mul(op_exp(y), sum_of(g, bit(y, self.dim), True))),)


cdef inline unsigned long long bit(TensorBase t, int dim) noexcept:
    return <unsigned long long>1 << dim if t.ndim else 0


cdef TensorBase softmax_of(TensorBase x, int dim):
    cdef TensorBase out = normalised(MT_SOFTMAX, x, None, dim, x.code)
    return remember(SoftmaxBackward.__new__(SoftmaxBackward), out, x, dim) if recording1(x) else out


cdef TensorBase log_softmax_of(TensorBase x, int dim):
    cdef TensorBase out = normalised(MT_LOG_SOFTMAX, x, None, dim, x.code)
    return remember(LogSoftmaxBackward.__new__(LogSoftmaxBackward), out, x, dim) if recording1(x) else out


cdef TensorBase remember(AlongBackward node, TensorBase out, TensorBase x, int dim):
    node.dim = dim
    record1(node, out, x)
    node.save(0, out)
    return out


cdef TensorBase as_float(TensorBase x, object dtype, str name):
    """The input as the type that was asked for, which must be one with fractions."""
    if dtype is not None:
        x = cast(x, code_of(dtype))
    if mt_category[x.code] != 2:
        raise NotImplementedError(f"{name}: not implemented for {describe(x)}: convert it with .float(), "
                                  "or give dtype=")
    return x


def softmax(TensorBase input not None, dim, dtype=None, *, TensorBase out=None):
    """Exponentials along a dimension, scaled so that they sum to one.

    .. math:: y_i = \\frac{e^{x_i}}{\\sum_j e^{x_j}}

    >>> import minitorch
    >>> minitorch.tensor([1., 1., 1., 1.]).softmax(0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    cdef int d = wrap_dim(dim, input.ndim)
    return into(out, softmax_of(as_float(input, dtype, "softmax"), d), "softmax")


def log_softmax(TensorBase input not None, dim, dtype=None, *, TensorBase out=None):
    """Logarithm of `softmax`, without its loss of digits.

    .. math:: y_i = x_i - \\log \\sum_j e^{x_j}

    >>> import minitorch
    >>> minitorch.tensor([0., 0.]).log_softmax(0)
    tensor([-0.6931, -0.6931])
    """
    cdef int d = wrap_dim(dim, input.ndim)
    return into(out, log_softmax_of(as_float(input, dtype, "log_softmax"), d), "log_softmax")


# --- losses of class indices ----------------------------------------------------------------------------------------

cdef enum Reduction:
    NONE, MEAN, SUM


cdef int reduction_of(object reduction, object size_average, object reduce) except -1:
    """The argument `reduction`, or the two that it replaced."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    if reduction == "none":
        return NONE
    if reduction == "mean":
        return MEAN
    if reduction == "sum":
        return SUM
    raise ValueError(f"{reduction} is not a valid value for reduction: it is 'none', 'mean' or 'sum'")


# The loss of row i is  a_i lse_i - b_i x_(i, t_i) - d_i sum_c w_c x_(i, c),  so its derivative
# a_i p - b_i onehot - d_i w,  with a = b = w_t and d = 0 for cross-entropy, smoothed by s:  b = (1 - s) w_t,
# d = s / C,  a = b + d sum w.
# The negative log-likelihood has a = d = 0.
cdef struct Rows:
    const mt_softmax_kernels *kernels
    Py_ssize_t rows, n
    int item
    long long ignored
    double smoothing, total_weight
    bint likelihood                     # x holds logarithms of probabilities already
    char *x
    char *lse
    char *losses
    char *weight
    char *gradient
    long long *target
    double scale                        # of the gradient, the same for all rows
    char *g                             # the gradient of each row's loss, or NULL


cdef enum:
    ROWS_AT_ONCE = 64


cdef inline double number_at(char *p, Py_ssize_t i, int item) noexcept nogil:
    return (<float *>p)[i] if item == 4 else (<double *>p)[i]


cdef inline void put_at(char *p, Py_ssize_t i, int item, double value) noexcept nogil:
    if item == 4:
        (<float *>p)[i] = <float>value
    else:
        (<double *>p)[i] = value


cdef inline void coefficients(Rows *r, Py_ssize_t i, double *a, double *b, double *d) noexcept nogil:
    """What the loss of row i is made of."""
    a[0] = b[0] = d[0] = 0
    if r.target[i] == r.ignored:
        return
    b[0] = (1 if r.weight == NULL else number_at(r.weight, r.target[i], r.item)) * (1 - r.smoothing)
    if r.likelihood:
        return
    d[0] = r.smoothing / r.n
    a[0] = b[0] + d[0] * r.total_weight


cdef void loss_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """The losses of some rows, and on the way their gradient where it is wanted."""
    cdef Rows *r = <Rows *>context
    cdef double[ROWS_AT_ONCE] a, b, d
    cdef Py_ssize_t first = begin, n, k
    while first < end:
        n = end - first if end - first < ROWS_AT_ONCE else ROWS_AT_ONCE
        for k in range(n):
            coefficients(r, first + k, &a[k], &b[k], &d[k])
            if r.gradient != NULL:
                a[k] *= r.scale
                d[k] *= r.scale
        if r.gradient != NULL:
            r.kernels.cross_entropy(r.lse + first * r.item, r.gradient + first * r.n * r.item,
                                    r.x + first * r.n * r.item, r.weight, a, d, n, r.n)
        elif not r.likelihood:
            r.kernels.lse(r.lse + first * r.item, r.x + first * r.n * r.item, n, r.n)
        for k in range(n):
            loss_row(r, first + k, b[k])
        first += n


cdef inline void loss_row(Rows *r, Py_ssize_t i, double b) noexcept nogil:
    """Finish row i, the logarithm of whose sum of exponentials is known."""
    cdef Py_ssize_t t = r.target[i]
    cdef char *x = r.x + i * r.n * r.item
    cdef char *dx
    cdef double loss = 0, d = r.smoothing / r.n, lse
    if t != r.ignored:
        if r.likelihood:
            loss = -b * number_at(x, t, r.item)
        else:
            lse = number_at(r.lse, i, r.item)
            loss = b * (lse - number_at(x, t, r.item))
            if d != 0:
                loss += d * (r.total_weight * lse - r.kernels.dot(x, r.weight, r.n))
        if r.gradient != NULL:
            dx = r.gradient + i * r.n * r.item
            put_at(dx, t, r.item, number_at(dx, t, r.item) - b * r.scale)
    put_at(r.losses, i, r.item, loss)


cdef void gradient_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """The gradient of some rows, given their log-sum-exp."""
    cdef Rows *r = <Rows *>context
    cdef Py_ssize_t i
    cdef double a, b, d, g
    cdef char *dx
    for i in range(begin, end):
        coefficients(r, i, &a, &b, &d)
        g = r.scale if r.g == NULL else r.scale * number_at(r.g, i, r.item)
        dx = r.gradient + i * r.n * r.item
        r.kernels.cross_entropy_grad(dx, NULL if a == 0 or r.x == NULL else r.x + i * r.n * r.item,
                                     0 if r.likelihood else number_at(r.lse, i, r.item), r.weight, g * a, g * d, r.n)
        if r.target[i] != r.ignored:
            put_at(dx, r.target[i], r.item, number_at(dx, r.target[i], r.item) - g * b)


cdef int check_targets(Rows *r, double *denominator) except -1:
    """Refuse classes that are none; the denominator of the mean is the weight of all rows."""
    cdef Py_ssize_t i, bad = -1
    cdef double total = 0
    with nogil:
        for i in range(r.rows):
            if r.target[i] == r.ignored:
                continue
            if r.target[i] < 0 or r.target[i] >= r.n:
                bad = i
                break
            total += 1 if r.weight == NULL else number_at(r.weight, r.target[i], r.item)
    if bad >= 0:
        raise IndexError(f"Target {r.target[bad]} is out of bounds. (It is element {bad}; the input has {r.n} classes, "
                         f"0 to {r.n - 1})")
    denominator[0] = total
    return 0


@cython.final
cdef class NllLossBackward(Node):
    """y = sum of w_t (lse x - x_t), or of -w_t x_t:  dx = dy w_t (softmax x - onehot t), or dy w_t (-onehot t)."""
    cdef Rows r
    cdef int reduction
    cdef TensorBase made                # the gradient for dy = 1, where the forward has made it; given away once

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = self.made, x
        cdef double value
        if grad_enabled():
            return (self.by_operations(g),)
        if dx is None and (self.reduction == NONE or self.r.likelihood):
            x = self.saved(0)
            return (converted(self.in_one_pass(x, g), x.code),)
        if dx is None:
            dx = self.made_again()
        self.made = None
        if on_device(dx):                                   # without waiting for the number
            return (converted(op_mul(dx, converted(g, dx.code)), g.code),)
        value = number_at(data_of(converted(g, dx.code)), 0, self.r.item)
        if value != 1:
            inplace_operator(OP_MUL, dx, value)
        return (converted(dx, g.code),)

    cdef void release(self):
        Node.release(self)
        self.made = None

    cdef TensorBase made_again(self):
        """What the forward made, which a first replay has taken: computed alike, so that the second has its numbers."""
        cdef TensorBase x = self.saved(0), target = self.saved(1), weight = self.saved(3), out, losses, lse
        cdef Rows r = self.r
        x = contiguous_data(converted(x, MT_F32 if r.item == 4 else MT_F64))
        losses, lse = new_on(x, 1, &r.rows, x.code), new_on(x, 1, &r.rows, x.code)
        out = new_on(x, 2, x.shape, x.code)
        if on_device(x):
            rows_there("class_losses", &r, losses, out, lse, x, target, weight, None)
            return out
        r.x, r.losses, r.lse, r.gradient = data_of(x), data_of(losses), data_of(lse), data_of(out)
        r.target, r.weight = <long long *>data_of(target), NULL if weight is None else data_of(weight)
        run_rows(&r, loss_rows)
        return out

    cdef TensorBase in_one_pass(self, TensorBase x, TensorBase g):
        """The gradient for x; or where there is none, the part of it that does not depend on x, as if dy were 1."""
        cdef Py_ssize_t[2] shape = [self.r.rows, self.r.n]
        cdef TensorBase target = self.saved(1), lse = self.saved(2), weight = self.saved(3), out
        cdef int code = MT_F32 if self.r.item == 4 else MT_F64
        cdef Rows r = self.r
        out = new_on(target, 2, shape, code)
        if on_device(target):
            if g is not None:
                g = contiguous_data(converted(g, code))
            if x is not None:
                x = contiguous_data(converted(x, code))
            rows_there("class_gradient", &r, out, None, lse, x, target, weight, g if self.reduction == NONE else None)
            return out if g is None or self.reduction == NONE else op_mul(out, g)
        r.g = r.weight = r.x = r.lse = NULL
        if g is not None:
            g = contiguous_data(converted(g, code))
            if self.reduction == NONE:
                r.g = data_of(g)
            else:
                r.scale *= number_at(data_of(g), 0, r.item)
        if x is not None:
            x = contiguous_data(converted(x, code))
            r.x = data_of(x)
        if weight is not None:
            r.weight = data_of(weight)
        if lse is not None:
            r.lse = data_of(lse)
        r.target, r.gradient = <long long *>data_of(target), data_of(out)
        run_rows(&r, gradient_rows)
        return out

    cdef TensorBase by_operations(self, TensorBase g):
        """The same of differentiable operations: dy (a softmax x + a part that does not depend on x)."""
        cdef TensorBase x = self.saved(0), target = self.saved(1), weight = self.saved(3), factors, fixed
        cdef Py_ssize_t[2] column = [self.r.rows, 1]
        cdef Py_ssize_t i
        cdef double a, b, d
        cdef Rows r = self.r
        cdef TensorBase classes = host_data(target), weights = None if weight is None else host_data(weight)
        r.target = <long long *>data_of(classes)
        r.weight = NULL if weight is None else data_of(weights)
        fixed = cast(self.in_one_pass(None, None), x.code)
        factors = new_tensor(2, column, MT_F64)
        for i in range(self.r.rows):
            coefficients(&r, i, &a, &b, &d)
            put_at(data_of(factors), i, 8, a * r.scale)
        factors = moved(factors, on_device(target))
        if self.reduction == NONE:
            g = reshape_to(g, 2, column)
        if not r.likelihood:
            fixed = op_add(op_mul(softmax_of(x, 1), cast(factors, x.code)), fixed)
        return op_mul(fixed, g)


cdef int rows_there(str what, Rows *r, TensorBase out, TensorBase made, TensorBase lse, TensorBase x, TensorBase target,
                    TensorBase weight, TensorBase g) except -1:
    """Let the device compute the losses of rows (`out`; their gradient in `made`), or their gradient."""
    if r.rows and r.n:
        getattr(primitives(), what)(shown(out), shown(made), shown(lse), shown(x), shown(target), shown(weight),
                                    shown(g), r.rows, r.n, r.ignored, r.smoothing, r.total_weight, r.likelihood,
                                    r.scale)
    return 0


cdef void run_rows(Rows *r, void (*task)(void *, Py_ssize_t, Py_ssize_t) noexcept nogil) noexcept:
    if r.rows * r.n < EXPENSIVE:
        task(r, 0, r.rows)
        return
    with nogil:
        parallel_for(r.rows, 1 + EXPENSIVE // r.n, task, r)


cdef TensorBase class_loss(TensorBase x, TensorBase target, TensorBase weight, long long ignored, int reduction,
                           double smoothing, bint likelihood):
    """The loss of the rows of x (N, C) for classes (N)."""
    cdef Rows r
    cdef int code = mt_compute[x.code]
    cdef TensorBase values = contiguous_data(converted(x, code)), lse = None, made = None, losses, out
    cdef NllLossBackward node
    cdef double denominator = 1
    cdef bint recorded = recording1(x)
    target = contiguous_data(converted(target, MT_I64))
    if weight is not None:
        weight = contiguous_data(converted(weight, code))
    r.rows, r.n, r.item = x.shape[0], x.shape[1], mt_itemsize[code]
    r.kernels = kernels_for(code)
    r.ignored, r.smoothing, r.likelihood = ignored, smoothing, likelihood
    check_devices("the loss", x, (target, weight))
    losses = new_on(x, 1, &r.rows, code)
    cdef TensorBase classes = host_data(target), weights = None if weight is None else host_data(weight)
    r.x, r.losses, r.target = data_of(values), data_of(losses), <long long *>data_of(classes)
    r.weight = NULL if weight is None else data_of(weights)
    r.lse = r.gradient = r.g = NULL
    r.total_weight = r.n if weight is None or smoothing == 0 else r.kernels.dot(r.weight, NULL, r.n)
    check_targets(&r, &denominator)
    r.scale = 1 if reduction != MEAN else 1 / denominator if denominator != 0 else 0
    if not likelihood:
        lse = new_on(x, 1, &r.rows, code)
        r.lse = data_of(lse)
        if recorded and reduction != NONE:                  # the exponentials are at hand: most of the backward is done
            made = new_on(x, 2, x.shape, code)
            r.gradient = data_of(made)
    if on_device(x):
        rows_there("class_losses", &r, losses, made, lse, values, target, weight, None)
    else:
        run_rows(&r, loss_rows)
    if reduction == NONE:
        out = converted(losses, x.code)
    else:
        out = new_on(x, 0, NULL, x.code)
        if r.rows == 0:
            fill_data(out, scalar_value(0.0 if reduction == SUM else float("nan"), code))
        else:
            reduce_data(MT_SUM, out, None, losses, 1, code, MT_SCALE, 1 if reduction == SUM else denominator)
    if recorded:
        node = NllLossBackward.__new__(NllLossBackward)
        node.r, node.reduction, node.made = r, reduction, made
        record1(node, out, x)
        node.save(0, x)
        node.save(1, target)
        if lse is not None:
            node.save(2, lse)
        if weight is not None:
            node.save(3, weight)
    return out


# --- the shapes of losses -------------------------------------------------------------------------------------------

cdef int check_loss(TensorBase x, TensorBase target, TensorBase weight, int classes_dim, str name) except -1:
    """Refuse what is no batch of classes, saying what is wrong."""
    cdef int d
    cdef Py_ssize_t classes = x.shape[classes_dim]
    if target.code != MT_I64 and target.code != MT_U8:
        raise RuntimeError(f"{name}: expected scalar type Long for the target of class indices, but got "
                           f"{describe(target)}; convert it with .long()" +
                           (f", or give class probabilities in the shape of the input, {tuple(shape_of(x))}"
                            if name == "cross_entropy" else ""))
    if x.ndim == 1:
        if target.ndim > 1 or target.numel != 1:
            raise ValueError(f"{name}: for an input of shape {tuple(shape_of(x))} the target is one class, but it has "
                             f"shape {tuple(shape_of(target))}")
    else:
        if target.ndim == 0 or x.shape[0] != target.shape[0]:
            raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size "
                             f"({target.shape[0] if target.ndim else 'none'}). The input is {describe(x)}, the target "
                             f"{describe(target)}")
        if target.ndim != x.ndim - 1:
            raise RuntimeError(f"{name}: the target must have the shape of the input without its dimension of classes, "
                               f"but they are {describe(x)} and {describe(target)}" +
                               ("; multi-target not supported" if target.ndim > 1 else ""))
        for d in range(1, target.ndim):
            if target.shape[d] != x.shape[d + 1]:
                raise RuntimeError(f"{name}: size mismatch (got input: {list(shape_of(x))}, target: "
                                   f"{list(shape_of(target))})")
    check_weight(x, weight, classes, name)
    return 0


cdef int check_weight(TensorBase x, TensorBase weight, Py_ssize_t classes, str name) except -1:
    if weight is None:
        return 0
    if weight.ndim != 1 or weight.shape[0] != classes:
        raise RuntimeError(f"{name}: weight tensor should be defined either for all {classes} classes or no classes "
                           f"but got weight tensor of shape: {list(shape_of(weight))}")
    if weight.code != x.code:
        raise RuntimeError(f"{name}: expected the weight to have the type of the input, but they are "
                           f"{describe(weight)} and {describe(x)}")
    return 0


cdef TensorBase loss_of_classes(TensorBase x, TensorBase target, TensorBase weight, long long ignored, int reduction,
                                double smoothing, bint likelihood, str name):
    """The loss of an input of any of the shapes (C), (N, C), (N, C, d1, ...)."""
    cdef Py_ssize_t[2] shape
    cdef TensorBase whole = target, out
    check_loss(x, target, weight, 0 if x.ndim == 1 else 1, name)
    if x.ndim == 2:
        return class_loss(x, target, weight, ignored, reduction, smoothing, likelihood)
    shape[1] = x.shape[0 if x.ndim == 1 else 1]
    shape[0] = target.numel
    if x.ndim > 2:
        x = movedim(x, 1, -1)
    x = reshape_to(x, 2, shape)
    out = class_loss(x, reshape_to(target, 1, shape), weight, ignored, reduction, smoothing, likelihood)
    return reshape_to(out, whole.ndim, whole.shape) if reduction == NONE else out


def nll_loss(TensorBase input not None, TensorBase target not None, TensorBase weight=None, size_average=None,
             long long ignore_index=-100, reduce=None, reduction="mean"):
    """Negative log-likelihood of classes, given the logarithms of their probabilities.

    .. math:: l_i = -w_{t_i} x_{i, t_i}, \\qquad y = \\frac{\\sum_i l_i}{\\sum_i w_{t_i}}

    Args:
        weight: of each class.
        ignore_index: a target that does not count.
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.

    Shape:
        input ``(C)``, ``(N, C)`` or ``(N, C, d1, ...)``; target without ``C``; output ``()``, or like the target for
        ``"none"``.

    Raises:
        IndexError: if a target is no class.
        ValueError: if the batches differ.

    >>> import minitorch
    >>> x = minitorch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> minitorch.nn.functional.nll_loss(x, minitorch.tensor([0, 1]), reduction="none")
    tensor([0.6931, 0.2877])
    """
    cdef int how = reduction_of(reduction, size_average, reduce)
    if input.ndim == 0:
        raise ValueError("nll_loss: Expected 1 or more dimensions (got 0)")
    return loss_of_classes(as_float(input, None, "nll_loss"), target, weight, ignore_index, how, 0, True, "nll_loss")


def cross_entropy(TensorBase input not None, TensorBase target not None, TensorBase weight=None, size_average=None,
                  long long ignore_index=-100, reduce=None, reduction="mean", double label_smoothing=0.0):
    """Cross-entropy between classes, or distributions over them, and the softmax of an input.

    .. math:: l_i = -w_{t_i} \\log \\frac{e^{x_{i, t_i}}}{\\sum_c e^{x_{i, c}}}, \\qquad
              y = \\frac{\\sum_i l_i}{\\sum_i w_{t_i}}

    Args:
        weight: of each class.
        ignore_index: a target class that does not count.
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        label_smoothing: how much of each target is spread evenly over all classes, from 0 to 1.

    Shape:
        input ``(C)``, ``(N, C)`` or ``(N, C, d1, ...)``; target classes, int64, without ``C``, or probabilities of a
        floating-point type in the shape of the input; output ``()``, or as the classes for ``"none"``.

    Raises:
        IndexError: if a target is no class.
        ValueError: if the batches differ.

    Source: label smoothing is of Szegedy et al., *Rethinking the Inception Architecture*, arXiv:1512.00567.

    >>> import minitorch
    >>> x = minitorch.tensor([[0., 0.], [0., 0.]])
    >>> minitorch.nn.functional.cross_entropy(x, minitorch.tensor([0, 1]))
    tensor(0.6931)
    """
    cdef int how = reduction_of(reduction, size_average, reduce)
    cdef TensorBase x = as_float(input, None, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if x.ndim == 0:
        raise RuntimeError("cross_entropy: the input must have a dimension of classes, but it is a number")
    if same_shape(x, target):
        return loss_of_probabilities(x, target, weight, ignore_index, how, label_smoothing)
    return loss_of_classes(x, target, weight, ignore_index, how, label_smoothing, False, "cross_entropy")


cdef TensorBase loss_of_probabilities(TensorBase x, TensorBase target, TensorBase weight, long long ignored,
                                      int reduction, double smoothing):
    """The loss for targets that are probabilities, of differentiable operations: they may have gradients too."""
    cdef int dim = 0 if x.ndim == 1 else 1, _
    cdef Py_ssize_t classes = x.shape[dim]
    cdef TensorBase losses
    if mt_category[target.code] != 2:
        raise RuntimeError("cross_entropy: Expected floating point type for target with class probabilities, got "
                           f"{describe(target)}. A target of class indices has the shape of the input without its "
                           f"dimension of classes; the input is {describe(x)}")
    if ignored >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    check_weight(x, weight, classes, "cross_entropy")
    if smoothing > 0:
        target = op_add(op_mul(target, 1 - smoothing), smoothing / classes)
    losses = op_mul(log_softmax_of(x, dim), target)
    if weight is not None:
        for _ in range(x.ndim - 1 - dim):
            weight = unsqueeze_of(weight, weight.ndim)
        losses = op_mul(losses, weight)
    if reduction == NONE:
        return op_neg(sum_of(losses, <unsigned long long>1 << dim, False))
    losses = sum_of(losses, all_dims(losses.ndim), False)
    if reduction == SUM:
        return op_neg(losses)
    return op_div(losses, -<double>(x.numel // classes) if classes and x.numel else float("nan"))
