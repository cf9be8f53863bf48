"""Normalisation over a batch, a layer, groups, or by the root of the mean square; each way in two passes.

All are one operation, ``(x - mean) / sqrt(var + eps) w + b``: `Sets` says which values are normalised together and
which weight is whose.
"""
cimport cython
from minitorch._ext.dtype cimport MT_F32, MT_F64, dtype_of, mt_category
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, copy_data, zero_data
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, bump, check_devices, data_of, describe, grad_enabled, new_on, new_tensor, new_view, on_device,
    record, recording, shape_of, shown,
)
from minitorch._ext.threads cimport parallel_for, task_fn

cdef extern from "norm.h" nogil:
    ctypedef struct norm_job:
        Py_ssize_t sets, segments, length, groups
        bint batch, each, centred, given, constant
        double eps
        const void *x
        const void *g
        const void *weight
        const void *bias
        void *y
        double *mean
        double *var
        double *sums
        void *parts
        Py_ssize_t chunks
    void norm_forward_f32(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_forward_f64(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_backward_f32(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_backward_f64(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_rows_backward_f32(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_rows_backward_f64(void *job, Py_ssize_t begin, Py_ssize_t end)
    void norm_weights_f32(const norm_job *job, float *dw, float *db, Py_ssize_t channels)
    void norm_weights_f64(const norm_job *job, double *dw, double *db, Py_ssize_t channels)


cdef enum:
    SHORT = 16          # channels of a batch with fewer values each in a row are brought together first


@cython.final
cdef class Sets:
    """Which values are normalised together: see norm.h.  `batch`: values (N, C, L), the sets being channels."""
    cdef bint batch, each, centred, gathered
    cdef Py_ssize_t sets, segments, length, groups, samples, inner
    cdef double eps
    cdef str name

    cdef void fill(self, norm_job *j) noexcept nogil:
        j.sets, j.segments, j.length, j.groups = self.sets, self.segments, self.length, self.groups
        j.batch, j.each, j.centred, j.eps = self.batch, self.each, self.centred, self.eps
        j.given = j.constant = False
        j.x = j.g = j.weight = j.bias = j.y = j.parts = NULL
        j.mean = j.var = j.sums = NULL
        j.chunks = 0

    cdef TensorBase laid_out(self, TensorBase t, int code):
        """The values as the loops read them."""
        t = contiguous_data(converted(t, code))
        return contiguous_data(self.by_channels(t)) if self.gathered else t

    cdef TensorBase by_channels(self, TensorBase t):
        """A view (C, N, L) of contiguous values (N, C, L)."""
        cdef Py_ssize_t[3] shape = [self.sets, self.samples, self.inner]
        cdef Py_ssize_t[3] strides = [self.inner, self.sets * self.inner, 1]
        return new_view(t, 3, shape, strides, t.offset)

    cdef TensorBase put_back(self, TensorBase made, TensorBase like, int code):
        """What the loops wrote, in the shape and type of `like`."""
        cdef TensorBase out
        if self.gathered:
            out = new_tensor(like.ndim, like.shape, made.code)
            copy_data(self.by_channels(out), made)
            made = out
        return converted(made, code)

    cdef Py_ssize_t channels(self) noexcept:
        """Elements of the weight."""
        return self.length if self.each else self.sets if self.batch else self.groups * self.segments

    cdef tuple sizes(self, bint given):
        """What the device's kernels are told: of a row, each value is a channel."""
        cdef Py_ssize_t samples = self.samples if self.batch else self.sets // self.groups
        cdef Py_ssize_t inner = self.inner if self.batch else 1 if self.each else self.length
        return samples, self.channels(), inner, 0 if self.batch else self.groups, self.centred, given, self.eps


cdef Sets batch_sets(TensorBase x, double eps):
    cdef Sets s = Sets()
    cdef int d
    s.name, s.eps, s.batch, s.centred = "NativeBatchNormBackward0", eps, True, True
    s.samples, s.sets, s.groups, s.inner = x.shape[0], x.shape[1], 1, 1
    for d in range(2, x.ndim):
        s.inner *= x.shape[d]
    s.gathered = s.inner < SHORT and s.samples > 1
    s.segments = 1 if s.gathered else s.samples
    s.length = s.samples * s.inner if s.gathered else s.inner
    return s


cdef Sets group_sets(TensorBase x, Py_ssize_t groups, double eps):
    cdef Sets s = Sets()
    cdef int d
    s.name, s.eps, s.centred = "NativeGroupNormBackward0", eps, True
    s.groups, s.sets, s.segments, s.length = groups, x.shape[0] * groups, x.shape[1] // groups, 1
    for d in range(2, x.ndim):
        s.length *= x.shape[d]
    return s


cdef Sets row_sets(TensorBase x, int dims, bint centred, double eps):
    """Rows of the last `dims` dimensions."""
    cdef Sets s = Sets()
    cdef int d
    s.name = "NativeLayerNormBackward0" if centred else "FusedRmsNormBackward0"
    s.eps, s.centred, s.each = eps, centred, True
    s.groups = s.segments = s.sets = s.length = 1
    for d in range(x.ndim):
        if d < x.ndim - dims:
            s.sets *= x.shape[d]
        else:
            s.length *= x.shape[d]
    return s


# --- running --------------------------------------------------------------------------------------------------------

cdef inline void run(norm_job *j, int code, task_fn f32, task_fn f64, Py_ssize_t units) noexcept:
    cdef Py_ssize_t work = j.sets * j.segments * j.length // max(<Py_ssize_t>1, units)
    with nogil:
        parallel_for(units, 1 + GRAIN // 2 // (work + 1), f32 if code == MT_F32 else f64, j)


cdef TensorBase numbers(Py_ssize_t n, TensorBase like):
    return new_on(like, 1, &n, MT_F64)


cdef TensorBase ready(TensorBase t, int code):
    """Values as a type, in C order."""
    return None if t is None else contiguous_data(converted(t, code))


cdef TensorBase forward_data(TensorBase x, TensorBase weight, TensorBase bias, Sets s, TensorBase mean,
                             TensorBase var, bint given):
    """The normalised values; the moments are read if given, else written."""
    cdef norm_job j
    cdef int code = MT_F64 if x.code == MT_F64 else MT_F32
    cdef TensorBase values, y
    weight, bias = ready(weight, code), ready(bias, code)
    if on_device(x):
        y = new_on(x, x.ndim, x.shape, x.code)
        if x.numel:
            primitives().norm_forward(shown(y), shown(contiguous_data(x)), shown(weight), shown(bias), shown(mean),
                                      shown(var), *s.sizes(given))
        return y
    values = s.laid_out(x, code)
    y = new_tensor(values.ndim, values.shape, code)
    s.fill(&j)
    j.given = given
    j.x, j.y = data_of(values), data_of(y)
    j.weight = NULL if weight is None else data_of(weight)
    j.bias = NULL if bias is None else data_of(bias)
    j.mean, j.var = <double *>data_of(mean), <double *>data_of(var)
    run(&j, code, norm_forward_f32, norm_forward_f64, s.sets)
    return s.put_back(y, x, x.code)


cdef tuple backward_data(TensorBase x, TensorBase g, TensorBase weight, Sets s, TensorBase mean, TensorBase var,
                         bint given, bint wants_weight, bint wants_bias):
    """The gradients of x, weight and bias; the latter in the type that was computed in."""
    cdef norm_job j
    cdef int code = MT_F64 if x.code == MT_F64 else MT_F32
    cdef Py_ssize_t n = s.channels()
    cdef TensorBase values, dx, sums, w = ready(weight, code)
    cdef TensorBase dw = new_on(x, 1, &n, code) if wants_weight else None
    cdef TensorBase db = new_on(x, 1, &n, code) if wants_bias else None
    if on_device(x):
        return backward_there(x, g, w, s, mean, var, given, dw, db), dw, db
    values = s.laid_out(x, code)
    dx = new_tensor(values.ndim, values.shape, code)
    s.fill(&j)
    j.given = given
    if is_constant(g) and s.length > 1:
        j.constant = True
        g = constant_row(g, s.length, code)
    else:
        g = s.laid_out(g, code)
    j.x, j.g, j.y = data_of(values), data_of(g), data_of(dx)
    j.weight = NULL if w is None else data_of(w)
    j.mean, j.var = <double *>data_of(mean), <double *>data_of(var)
    if s.each:
        j.chunks = max(<Py_ssize_t>1, min(<Py_ssize_t>16, s.sets * s.length // GRAIN))
        sums = numbers(2 * j.chunks * s.length, x)
        j.parts = data_of(sums)
        run(&j, code, norm_rows_backward_f32, norm_rows_backward_f64, j.chunks)
    else:
        sums = numbers(2 * s.sets * s.segments, x)
        j.sums = <double *>data_of(sums)
        run(&j, code, norm_backward_f32, norm_backward_f64, s.sets)
    if code == MT_F32:
        norm_weights_f32(&j, NULL if dw is None else <float *>data_of(dw),
                         NULL if db is None else <float *>data_of(db), n)
    else:
        norm_weights_f64(&j, NULL if dw is None else <double *>data_of(dw),
                         NULL if db is None else <double *>data_of(db), n)
    return s.put_back(dx, x, x.code), dw, db


cdef TensorBase backward_there(TensorBase x, TensorBase g, TensorBase weight, Sets s, TensorBase mean, TensorBase var,
                               bint given, TensorBase dw, TensorBase db):
    """The gradient of x, from the device, which fills those of weight and bias."""
    cdef TensorBase dx = new_on(x, x.ndim, x.shape, x.code)
    if x.numel:
        primitives().norm_backward(shown(dx), shown(dw), shown(db), shown(contiguous_data(x)), shown(ready(g, x.code)),
                                   shown(weight), shown(mean), shown(var), *s.sizes(given))
        return dx
    if dw is not None:
        zero_data(dw)
    if db is not None:
        zero_data(db)
    return dx


cdef bint is_constant(TensorBase t) noexcept:
    """One value shown everywhere, as the gradient of a sum is."""
    cdef int d
    for d in range(t.ndim):
        if t.strides[d] != 0 and t.shape[d] > 1:
            return False
    return t.numel > 0


cdef TensorBase constant_row(TensorBase g, Py_ssize_t n, int code):
    cdef TensorBase row = new_tensor(1, &n, g.code)
    cdef Py_ssize_t stride = 0
    copy_data(row, new_view(g, 1, &n, &stride, g.offset))
    return converted(row, code)


# --- recorded -------------------------------------------------------------------------------------------------------

@cython.final
cdef class NormBackward(Node):
    """y = h w + b with h = (x - m) r:  dx = r (dh - mean dh - h mean(dh h)) with dh = dy w,  dw = sum dy h,
    db = sum dy."""
    cdef Sets s
    cdef bint given
    cdef double eps
    cdef tuple weight_shape, bias_shape
    cdef int weight_code, bias_code

    cdef str op_name(self):
        return self.s.name

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0), weight = self.saved(1), mean = self.saved(2), var = self.saved(3)
        if grad_enabled():
            dx, dw, db = self.by_operations(x, g, weight, mean, var)
        else:
            dx, dw, db = backward_data(x, g, weight, self.s, mean, var, self.given, self.needs(1), self.needs(2))
        if self.needs(1):
            dw = dw.reshape(self.weight_shape).to(dtype_of(self.weight_code))
        if self.needs(2):
            db = db.reshape(self.bias_shape).to(dtype_of(self.bias_code))
        return dx if self.needs(0) else None, dw if self.needs(1) else None, db if self.needs(2) else None

    cdef tuple by_operations(self, TensorBase x, TensorBase g, TensorBase weight, TensorBase mean, TensorBase var):
        """The same, differentiable."""
        cdef Sets s = self.s
        work = dtype_of(MT_F64 if x.code == MT_F64 else MT_F32)
        if s.batch:
            shape, weights, over, others = (s.samples, s.sets, s.inner), (1, s.sets, 1), (0, 2), (0, 2)
        elif s.each:
            shape, weights, over, others = (s.sets, s.length), (1, s.length), (1,), (0,)
        else:
            shape, weights = (s.sets // s.groups, s.groups, s.segments, s.length), (1, s.groups, s.segments, 1)
            over, others = (2, 3), (0, 3)
        v, dy = x.to(work).reshape(shape), g.to(work).reshape(shape)
        dh = dy if weight is None else dy * weight.to(work).reshape(weights)
        if self.given:
            v = v - mean.to(work).reshape(weights)
            r = (var.to(work).reshape(weights) + s.eps).rsqrt()
            h, dv = v * r, dh * r
        else:
            if s.centred:
                v = v - v.mean(over, True)
            r = ((v * v).mean(over, True) + s.eps).rsqrt()
            h = v * r
            dv = dh - h * (dh * h).mean(over, True)
            if s.centred:
                dv = dv - dh.mean(over, True)
            dv = dv * r
        dx = dv.reshape(shape_of(x)).to(dtype_of(x.code))
        return dx, (dy * h).sum(others) if self.needs(1) else None, dy.sum(others) if self.needs(2) else None


cdef TensorBase norm_of(TensorBase x, TensorBase weight, TensorBase bias, Sets s, TensorBase mean, TensorBase var,
                        bint given):
    cdef NormBackward node
    cdef TensorBase y = forward_data(x, weight, bias, s, mean, var, given)
    if recording((x, weight, bias)):
        node = NormBackward.__new__(NormBackward)
        node.s, node.given = s, given
        if weight is not None:
            node.weight_shape, node.weight_code = tuple(shape_of(weight)), weight.code
        if bias is not None:
            node.bias_shape, node.bias_code = tuple(shape_of(bias)), bias.code
        record(node, y, (x, weight, bias))
        node.save(0, x)
        if weight is not None:
            node.save(1, weight)
        node.save(2, mean)
        node.save(3, var)
    return y


# --- for nn.functional ----------------------------------------------------------------------------------------------

cdef int check_float(TensorBase x, str name) except -1:
    if mt_category[x.code] != 2:
        raise NotImplementedError(f"{name}: not implemented for {describe(x)}: convert it with .float()")
    return 0


cdef int check_channels(TensorBase t, Py_ssize_t channels, str argument, str name) except -1:
    if t is not None and (t.ndim != 1 or t.shape[0] != channels):
        raise RuntimeError(f"{name}: {argument} should be a vector of {channels} elements, one for each channel, but "
                           f"it is {describe(t)}")
    if t is not None:
        check_float(t, name)
    return 0


cdef int remember(TensorBase running, TensorBase fresh, double momentum, double factor) except -1:
    """running = (1 - momentum) running + momentum factor fresh, in place and without a record."""
    if on_device(running):
        primitives().norm_remember(shown(running), shown(fresh), 1 - momentum, momentum * factor)
        bump(running)
        return 0
    return remember_here(running, fresh, momentum, factor)


cdef int remember_here(TensorBase running, TensorBase fresh, double momentum, double factor) except -1:
    cdef TensorBase total = converted(running, MT_F64), values = contiguous_data(total)
    cdef TensorBase out = new_tensor(1, values.shape, MT_F64)
    cdef double *old = <double *>data_of(values)
    cdef double *new = <double *>data_of(out)
    cdef double *now = <double *>data_of(fresh)
    cdef Py_ssize_t i
    for i in range(values.numel):
        new[i] = (1 - momentum) * old[i] + momentum * factor * now[i]
    copy_data(running, out)
    bump(running)
    return 0


def batch_norm(TensorBase x not None, TensorBase weight, TensorBase bias, TensorBase running_mean,
               TensorBase running_var, bint training, double momentum, double eps):
    """Normalise each channel: by its own moments in training, which are remembered, else by those remembered."""
    cdef Sets s
    cdef Py_ssize_t count
    cdef TensorBase mean, var
    check_float(x, "batch_norm")
    if x.ndim < 2:
        raise RuntimeError("batch_norm: the input must have at least 2 dimensions, (N, C, ...), but it is "
                           f"{describe(x)}")
    for t, argument in ((weight, "weight"), (bias, "bias"), (running_mean, "running_mean"),
                        (running_var, "running_var")):
        check_channels(t, x.shape[1], argument, "batch_norm")
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("batch_norm: expected running_mean and running_var to be defined when training=False")
    check_devices("batch_norm", x, (weight, bias, running_mean, running_var))
    s = batch_sets(x, eps)
    mean, var = numbers(s.sets, x), numbers(s.sets, x)
    if not training:
        copy_data(mean, running_mean)
        copy_data(var, running_var)
        return norm_of(x, weight, bias, s, mean, var, True)
    y = norm_of(x, weight, bias, s, mean, var, False)
    count = s.samples * s.inner
    if count > 0:
        if running_mean is not None:
            remember(running_mean, mean, momentum, 1)
        if running_var is not None:                             # the estimate of the population's variance
            remember(running_var, var, momentum, <double>count / max(<Py_ssize_t>1, count - 1))
    return y


def group_norm(TensorBase x not None, Py_ssize_t num_groups, TensorBase weight, TensorBase bias, double eps,
               str name="group_norm"):
    """Normalise groups of channels of each sample."""
    cdef Sets s
    check_float(x, name)
    if x.ndim < 2:
        raise RuntimeError(f"{name}: the input must have at least 2 dimensions, (N, C, ...), but it is {describe(x)}")
    if num_groups < 1:
        raise RuntimeError(f"{name}: expected num_groups to be greater than 0, got {num_groups}")
    if x.shape[1] % num_groups:
        raise RuntimeError(f"{name}: expected number of channels in input to be divisible by num_groups, but got input "
                           f"of shape {tuple(shape_of(x))} and num_groups={num_groups}")
    check_channels(weight, x.shape[1], "weight", name)
    check_channels(bias, x.shape[1], "bias", name)
    check_devices(name, x, (weight, bias))
    s = group_sets(x, num_groups, eps)
    return norm_of(x, weight, bias, s, numbers(s.sets, x), numbers(s.sets, x), False)


def row_norm(TensorBase x not None, normalized_shape, TensorBase weight, TensorBase bias, double eps, bint centred,
             str name not None):
    """Normalise the trailing dimensions of each sample."""
    cdef Sets s
    cdef tuple wanted = (normalized_shape,) if hasattr(normalized_shape, "__index__") else tuple(normalized_shape)
    check_float(x, name)
    if not wanted:
        raise RuntimeError(f"{name}: expected normalized_shape to be at least 1-dimensional, but got {wanted}")
    if len(wanted) > x.ndim or tuple(shape_of(x))[x.ndim - len(wanted):] != wanted:
        raise RuntimeError(f"{name}: given normalized_shape={wanted}, expected input with shape (*, "
                           f"{', '.join(map(str, wanted))}), but got {describe(x)}")
    for t, argument in ((weight, "weight"), (bias, "bias")):
        if t is not None and tuple(shape_of(t)) != wanted:
            raise RuntimeError(f"{name}: expected {argument} to be of the same shape as normalized_shape, {wanted}, "
                               f"but it is {describe(t)}")
        if t is not None:
            check_float(t, name)
    check_devices(name, x, (weight, bias))
    s = row_sets(x, len(wanted), centred, eps)
    return norm_of(x, weight, bias, s, numbers(s.sets, x), numbers(s.sets, x), False)
