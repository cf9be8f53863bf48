"""Pooling over windows of the last one to three dimensions: greatest values and means, and their derivatives.

All kinds of windows (sliding, adaptive, random) are a `Windows`: lists of where they begin and end along each axis.
The derivative of a mean spreads, that of a maximum puts back where it was taken; both are linear, and each is the
other's derivative, so that they can be differentiated any number of times.
"""
cimport cython
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_BOOL, MT_F32, MT_F64, MT_I64, dtype_of, mt_category
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, host_data
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, check_devices, data_of, describe, new_on, on_device, record1, record_outputs,
    recording1, shape_of, shown,
)
from minitorch._ext.threads cimport parallel_for, task_fn
from libc.stdint cimport int64_t

cdef extern from "pooling.h" nogil:
    ctypedef struct pool_job:
        Py_ssize_t planes
        Py_ssize_t[3] inside "in"
        Py_ssize_t[3] out, step
        const Py_ssize_t *begin[3]
        const Py_ssize_t *end[3]
        const Py_ssize_t *size[3]
        double divisor
        int per_plane, halves, assign, failed
        void *x
        void *y
        int64_t *index
    ctypedef struct pool_tasks:
        task_fn max, take, put, mean, spread
    const pool_tasks pool_f32, pool_f64, pool_i64


cdef enum:
    LIMIT = 1 << 30


@cython.final
cdef class Windows:
    """Where windows are: along each axis, of each window its begin and end in the input and how many it counts."""
    cdef int dims
    cdef bint per_plane, side_by_side, halves_across, halves
    cdef Py_ssize_t planes
    cdef double divisor
    cdef Py_ssize_t[3] size, out, step
    cdef Py_ssize_t *begin[3]
    cdef Py_ssize_t *end[3]
    cdef Py_ssize_t *count[3]

    def __dealloc__(self):
        cdef int d
        for d in range(3):
            free(self.begin[d])
            free(self.end[d])
            free(self.count[d])

    cdef int look_at(self, TensorBase x, int dims, str name) except -1:
        """Take the sizes of the input; axes that it lacks have size 1."""
        cdef int d
        if x.ndim != dims + 1 and x.ndim != dims + 2:
            kind = ValueError if dims > 1 and x.ndim <= dims and name.startswith("adaptive") else RuntimeError
            raise kind(f"{name}: expected {dims + 1}D or {dims + 2}D input, but got {describe(x)}")
        for d in range(x.ndim - dims - 1, x.ndim):
            if x.shape[d] == 0:
                raise RuntimeError(f"{name}: expected input with non-zero size for non-batch dimensions, but got "
                                   f"{describe(x)}")
        self.dims = dims
        self.planes = 1
        for d in range(x.ndim - dims):
            self.planes *= x.shape[d]
        for d in range(3):
            self.step[d] = 1
            self.size[d] = x.shape[x.ndim - 3 + d] if d >= 3 - dims else 1
        return 0

    cdef int reserve(self, int d, Py_ssize_t out) except -1:
        cdef Py_ssize_t many = out * (self.planes if self.per_plane else 1) + 1
        self.out[d] = out
        self.begin[d] = <Py_ssize_t *>malloc(many * sizeof(Py_ssize_t))
        self.end[d] = <Py_ssize_t *>malloc(many * sizeof(Py_ssize_t))
        self.count[d] = <Py_ssize_t *>malloc(many * sizeof(Py_ssize_t))
        if self.begin[d] == NULL or self.end[d] == NULL or self.count[d] == NULL:
            raise MemoryError("pooling: no memory for the places of the windows")
        return 0

    cdef int finish(self) except -1:
        """See which shortcuts hold."""
        cdef int d
        cdef Py_ssize_t o
        self.side_by_side = not self.per_plane
        for d in range(3):
            self.side_by_side &= self.step[d] == 1
            for o in range(self.out[d]):
                if not self.side_by_side or self.begin[d][o] != (self.end[d][o - 1] if o else 0):
                    self.side_by_side = False
            if self.out[d] and self.side_by_side and self.end[d][self.out[d] - 1] != self.size[d]:
                self.side_by_side = False
        self.halves_across = are_halves(self, 2)
        self.halves = self.halves_across and are_halves(self, 1) and self.size[0] == 1
        return 0

    cdef TensorBase result_for(self, TensorBase x, int code):
        """A new tensor for the outputs from x."""
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef int d
        for d in range(x.ndim):
            shape[d] = x.shape[d] if d < x.ndim - self.dims else self.out[3 - x.ndim + d]
        return new_on(x, x.ndim, shape, code)

    cdef TensorBase input_for(self, TensorBase y, int code):
        """A new tensor for the inputs that y came from."""
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef int d
        for d in range(y.ndim):
            shape[d] = y.shape[d] if d < y.ndim - self.dims else self.size[3 - y.ndim + d]
        return new_on(y, y.ndim, shape, code)

    cdef tuple described(self):
        """What the device's kernels are told: numbers, and the lists of all axes one after another."""
        cdef Py_ssize_t o, lists = self.planes if self.per_plane else 1
        cdef int d
        table = []
        for d in range(3):
            for o in range(self.out[d] * lists):
                table += (self.begin[d][o], self.end[d][o], self.count[d][o])
        return ((self.planes, self.per_plane, self.divisor, (self.size[0], self.size[1], self.size[2]),
                 (self.out[0], self.out[1], self.out[2]), (self.step[0], self.step[1], self.step[2])), table)

    cdef void fill(self, pool_job *job) noexcept nogil:
        cdef int d
        job.planes, job.per_plane, job.divisor, job.failed = self.planes, self.per_plane, self.divisor, 0
        job.halves = job.assign = False
        job.index = NULL
        for d in range(3):
            job.inside[d], job.out[d], job.step[d] = self.size[d], self.out[d], self.step[d]
            job.begin[d], job.end[d], job.size[d] = self.begin[d], self.end[d], self.count[d]


cdef bint are_halves(Windows win, int d) noexcept:
    """Whether the windows of an axis are pairs of neighbours, from its start on."""
    cdef Py_ssize_t o
    if win.per_plane or win.step[d] != 1:
        return False
    for o in range(win.out[d]):
        if win.begin[d][o] != 2 * o or win.end[d][o] != 2 * o + 2 or win.count[d][o] != 2:
            return False
    return True


cdef int numbers(object given, int dims, Py_ssize_t *out, Py_ssize_t least, str argument, str name) except -1:
    """An argument of one number, or one for each of the last axes."""
    cdef int d
    if hasattr(given, "__index__"):
        given = (given,)
    if len(given) != dims and len(given) != 1:
        raise RuntimeError(f"{name}: {argument} must either be a single int, or a tuple of {dims} ints, "
                           f"got {tuple(given)}")
    for d in range(dims):
        value = given[d if len(given) == dims else 0]
        if not hasattr(value, "__index__"):
            raise TypeError(f"{name}: {argument} must be int or tuple of ints, got {type(value).__name__}")
        if value < least or value > LIMIT:
            raise RuntimeError(f"{name}: {argument} must be from {least} to {LIMIT}, got {tuple(given)}")
        out[3 - dims + d] = value
    return 0


cdef Windows sliding(TensorBase x, int dims, object kernel, object stride, object padding, object dilation,
                     bint ceil_mode, bint count_padding, str name):
    """Windows of a kernel that moves by a stride."""
    cdef Windows win = Windows()
    cdef Py_ssize_t[3] k, s, p
    cdef Py_ssize_t o, out, first, last, span
    cdef int d
    win.look_at(x, dims, name)
    for d in range(3):
        k[d], s[d], p[d] = 1, 1, 0
    numbers(kernel, dims, k, 1, "kernel_size", name)
    if stride is None or (not hasattr(stride, "__index__") and len(stride) == 0):
        stride = kernel
    numbers(stride, dims, s, 1, "stride", name)
    numbers(padding, dims, p, 0, "padding", name)
    numbers(dilation, dims, win.step, 1, "dilation", name)
    for d in range(3):
        span = (k[d] - 1) * win.step[d] + 1
        if 2 * p[d] > span:
            raise RuntimeError(f"{name}: pad should be at most half of effective kernel size, but got pad={p[d]}, "
                               f"kernel_size={k[d]} and dilation={win.step[d]}")
        last = win.size[d] + 2 * p[d] - span
        out = (last + (s[d] - 1 if ceil_mode else 0)) // s[d] + 1 if last >= 0 or ceil_mode and last + s[d] > 0 else 0
        if ceil_mode and (out - 1) * s[d] >= win.size[d] + p[d]:    # the last window must begin inside
            out -= 1
        if out < 1:
            raise RuntimeError(f"{name}: given input {describe(x)}, the output size is too small: kernel {kernel}, "
                               f"stride {stride}, padding {padding}, dilation {dilation}")
        win.reserve(d, out)
        for o in range(out):
            first = o * s[d] - p[d]
            last = min(first + span, win.size[d] + p[d])
            win.count[d][o] = max(<Py_ssize_t>1, last - first)
            if first < 0:
                first += (-first + win.step[d] - 1) // win.step[d] * win.step[d]
            win.begin[d][o], win.end[d][o] = first, min(last, win.size[d])
            if not count_padding:
                win.count[d][o] = max(<Py_ssize_t>1, win.end[d][o] - first)
    win.finish()
    return win


cdef Windows adaptive(TensorBase x, int dims, object output_size, str name):
    """Windows that divide the input evenly into as many as are wanted."""
    cdef Windows win = Windows()
    cdef Py_ssize_t o, size
    cdef int d
    win.look_at(x, dims, name)
    if output_size is None or hasattr(output_size, "__index__"):
        output_size = (output_size,) * dims
    if len(output_size) != dims:
        raise RuntimeError(f"{name}: output_size must have {dims} elements, got {tuple(output_size)}")
    for d in range(3):
        size = win.size[d]
        wanted = output_size[d - 3 + dims] if d >= 3 - dims else 1
        wanted = size if wanted is None else wanted
        if not hasattr(wanted, "__index__"):
            raise TypeError(f"{name}: output_size must be ints or None, got {type(wanted).__name__}")
        if wanted < 0 or wanted > LIMIT:
            raise RuntimeError(f"{name}: output_size must be from 0 to {LIMIT}, got {tuple(output_size)}")
        win.reserve(d, wanted)
        for o in range(win.out[d]):
            win.begin[d][o] = o * size // win.out[d]
            win.end[d][o] = ((o + 1) * size + win.out[d] - 1) // win.out[d]
            win.count[d][o] = win.end[d][o] - win.begin[d][o]
    win.finish()
    return win


cdef Windows scattered(TensorBase x, int dims, object kernel, object output_size, TensorBase samples, str name):
    """Windows of one size in pseudo-random steps, for each plane those of its own samples."""
    cdef Windows win = Windows()
    cdef Py_ssize_t[3] k, out
    cdef Py_ssize_t o, plane, first
    cdef double sample, alpha
    cdef int d, which
    win.look_at(x, dims, name)
    win.per_plane = True
    for d in range(3):
        k[d] = out[d] = 1
    numbers(kernel, dims, k, 1, "kernel_size", name)
    numbers(output_size, dims, out, 1, "output_size", name)
    if samples.code != x.code or samples.ndim != 3 or samples.numel != win.planes * dims or samples.shape[2] != dims:
        raise RuntimeError(f"{name}: _random_samples must be of the input's dtype and of shape (N, C, {dims}), but it "
                           f"is {describe(samples)} for the input {describe(x)}")
    samples = host_data(converted(samples, MT_F64))
    for d in range(3):
        if out[d] + k[d] - 1 > win.size[d]:
            raise RuntimeError(f"{name}: output size {output_size} with kernel {kernel} is too large for {describe(x)}")
        win.reserve(d, out[d])
        which = 2 - d if dims == 2 else d - 3 + dims            # in two dimensions, the width comes first
        for plane in range(win.planes):
            sample = (<double *>data_of(samples))[plane * dims + which] if d >= 3 - dims else 0
            if not -LIMIT < sample < LIMIT:
                raise RuntimeError(f"{name}: _random_samples should be in [0, 1), got {sample}")
            alpha = <double>(win.size[d] - k[d]) / max(<Py_ssize_t>1, out[d] - 1)
            for o in range(out[d]):
                first = step_to(o, sample, alpha, x.code == MT_F64) - step_to(0, sample, alpha, x.code == MT_F64)
                first = win.size[d] - k[d] if o == out[d] - 1 else max(<Py_ssize_t>0, min(first, win.size[d] - k[d]))
                win.begin[d][plane * out[d] + o], win.end[d][plane * out[d] + o] = first, first + k[d]
                win.count[d][plane * out[d] + o] = k[d]
    win.finish()
    return win


cdef inline Py_ssize_t step_to(Py_ssize_t o, double sample, double alpha, bint wide) noexcept:
    """The whole part of (o + sample) alpha, computed in the input's type."""
    if wide:
        return <Py_ssize_t>((o + sample) * alpha)
    return <Py_ssize_t>(<float>(<float>o + <float>sample) * <float>alpha)


# --- running --------------------------------------------------------------------------------------------------------

cdef inline const pool_tasks *tasks_for(int code) noexcept nogil:
    return &pool_f32 if code == MT_F32 else &pool_f64 if code == MT_F64 else &pool_i64


cdef int work_code(TensorBase x, str name) except -1:
    """The type to compute in."""
    if x.code == MT_BOOL or mt_category[x.code] > 2:
        raise NotImplementedError(f"{name}: not implemented for {dtype_of(x.code)}: convert it, with .to(dtype)")
    return x.code if x.code == MT_F64 else MT_F32 if mt_category[x.code] == 2 else MT_I64


cdef int run(pool_job *job, task_fn task) except -1:
    cdef Py_ssize_t work = max(job.inside[0] * job.inside[1] * job.inside[2], job.out[0] * job.out[1] * job.out[2])
    with nogil:
        parallel_for(job.planes, 1 + GRAIN // 2 // (work + 1), task, job)
    if job.failed:
        raise MemoryError("pooling: no memory for a row")
    return 0


cdef TensorBase greatest(TensorBase x, Windows win, TensorBase index, str name):
    """The maxima; where they are goes into `index`, unless that is None."""
    cdef pool_job job
    cdef int code = work_code(x, name), given = x.code
    cdef TensorBase y = win.result_for(x, code)
    x = contiguous_data(converted(x, code))
    if on_device(x):
        primitives().pool_max(shown(y), shown(index), shown(x), *win.described())
        return converted(y, given)
    win.fill(&job)
    job.halves = win.halves
    job.x, job.y = data_of(x), data_of(y)
    if index is not None:
        job.index = <int64_t *>data_of(index)
    run(&job, tasks_for(code).max)
    return converted(y, given)


cdef TensorBase taken(TensorBase x, Windows win, TensorBase index):
    """What stands at the places."""
    cdef pool_job job
    cdef int code = work_code(x, "pooling"), given = x.code
    cdef TensorBase y = win.result_for(x, code)
    x = contiguous_data(converted(x, code))
    if on_device(x):
        if y.numel:
            primitives().move_along(shown(y), shown(x), shown(index), win.out[0] * win.out[1] * win.out[2],
                                    win.size[0] * win.size[1] * win.size[2], 1, False)
        return converted(y, given)
    win.fill(&job)
    job.x, job.y, job.index = data_of(x), data_of(y), <int64_t *>data_of(index)
    run(&job, tasks_for(code).take)
    return converted(y, given)


cdef TensorBase put_back(TensorBase y, Windows win, TensorBase index, bint assign):
    """Zeros but at the places."""
    cdef pool_job job
    cdef int code = work_code(y, "pooling"), given = y.code
    cdef TensorBase x = win.input_for(y, code)
    y = contiguous_data(converted(y, code))
    if on_device(y):
        primitives().pool_put(shown(x), shown(y), shown(index), win.planes, assign)
        return converted(x, given)
    win.fill(&job)
    job.assign = assign
    job.x, job.y, job.index = data_of(x), data_of(y), <int64_t *>data_of(index)
    run(&job, tasks_for(code).put)
    return converted(x, given)


cdef TensorBase means(TensorBase x, Windows win):
    cdef pool_job job
    cdef int code = work_code(x, "pooling"), given = x.code
    cdef TensorBase y = win.result_for(x, code)
    x = contiguous_data(converted(x, code))
    if on_device(x):
        primitives().pool_mean(shown(y), shown(x), *win.described())
        return converted(y, given)
    win.fill(&job)
    job.halves = win.halves_across
    job.x, job.y = data_of(x), data_of(y)
    run(&job, tasks_for(code).mean)
    return converted(y, given)


cdef TensorBase spread(TensorBase y, Windows win):
    cdef pool_job job
    cdef int code = work_code(y, "pooling"), given = y.code
    cdef TensorBase x = win.input_for(y, code)
    y = contiguous_data(converted(y, code))
    if on_device(y):
        primitives().pool_spread(shown(x), shown(y), *win.described())
        return converted(x, given)
    win.fill(&job)
    job.halves, job.assign = win.halves_across, win.side_by_side
    job.x, job.y = data_of(x), data_of(y)
    run(&job, tasks_for(code).spread)
    return converted(x, given)


# --- recorded -------------------------------------------------------------------------------------------------------

cdef class PoolNode(Node):
    """What all have in common: windows."""
    cdef Windows win


@cython.final
cdef class MaxPoolBackward(PoolNode):
    """y_q = x_(i_q):  dx_(i_q) += dy_q.  The places are kept; of its two outputs the second has no gradient."""
    cdef object apply(self, TensorBase g):
        return (put_of(g, self.win, self.saved(0), self.win.side_by_side),)

    cdef object apply_many(self, list gs):
        return self.apply(gs[0])


@cython.final
cdef class PutBackward(PoolNode):
    """x_(i_q) += y_q:  dy_q = dx_(i_q).  Places that meet are added in its derivative, unlike in unpooling."""
    cdef bint assign

    cdef object apply(self, TensorBase g):
        return (take_of(g, self.win, self.saved(0), self.win.side_by_side),)


@cython.final
cdef class TakeBackward(PoolNode):
    """y_q = x_(i_q):  dx_(i_q) += dy_q."""
    cdef bint assign

    cdef object apply(self, TensorBase g):
        return (put_of(g, self.win, self.saved(0), self.assign),)


@cython.final
cdef class AvgPoolBackward(PoolNode):
    """y = the mean of x over windows:  dx = the sum of dy / size over the windows that x is in."""
    cdef object apply(self, TensorBase g):
        return (spread_of(g, self.win),)


@cython.final
cdef class SpreadBackward(PoolNode):
    """The transpose of the above."""
    cdef object apply(self, TensorBase g):
        return (mean_of(g, self.win),)


cdef TensorBase put_of(TensorBase y, Windows win, TensorBase index, bint assign):
    cdef PutBackward node
    cdef TensorBase x = put_back(y, win, index, assign)
    if recording1(y):
        node = PutBackward.__new__(PutBackward)
        node.win, node.assign = win, assign
        record1(node, x, y)
        node.save(0, index)
    return x


cdef TensorBase take_of(TensorBase x, Windows win, TensorBase index, bint assign):
    cdef TakeBackward node
    cdef TensorBase y = taken(x, win, index)
    if recording1(x):
        node = TakeBackward.__new__(TakeBackward)
        node.win, node.assign = win, assign
        record1(node, y, x)
        node.save(0, index)
    return y


cdef TensorBase mean_of(TensorBase x, Windows win):
    cdef AvgPoolBackward node
    cdef TensorBase y = means(x, win)
    if recording1(x):
        node = AvgPoolBackward.__new__(AvgPoolBackward)
        node.win = win
        record1(node, y, x)
    return y


cdef TensorBase spread_of(TensorBase y, Windows win):
    cdef SpreadBackward node
    cdef TensorBase x = spread(y, win)
    if recording1(y):
        node = SpreadBackward.__new__(SpreadBackward)
        node.win = win
        record1(node, x, y)
    return x


cdef object max_of(TensorBase x, Windows win, bint return_indices, str name):
    """The maxima, with their places if those are wanted."""
    cdef MaxPoolBackward node
    cdef bint recorded = recording1(x)
    cdef TensorBase y, index = win.result_for(x, MT_I64) if return_indices or recorded else None
    y = greatest(x, win, index, name)
    if recorded:
        node = MaxPoolBackward.__new__(MaxPoolBackward)
        node.win = win
        if return_indices:
            record_outputs(node, (y, None), (x,))
        else:
            record1(node, y, x)
        node.save(0, index)
    return (y, index) if return_indices else y


# --- for nn.functional ----------------------------------------------------------------------------------------------

def max_pool(TensorBase x not None, int dims, kernel_size, stride, padding, dilation, bint ceil_mode,
             bint return_indices, str name not None):
    """Maxima of sliding windows over the last `dims` dimensions."""
    return max_of(x, sliding(x, dims, kernel_size, stride, padding, dilation, ceil_mode, True, name), return_indices,
                  name)


def adaptive_max_pool(TensorBase x not None, int dims, output_size, bint return_indices, str name not None):
    """Maxima of as many windows as wanted over the last `dims` dimensions."""
    return max_of(x, adaptive(x, dims, output_size, name), return_indices, name)


def fractional_max_pool(TensorBase x not None, int dims, kernel_size, output_size, TensorBase samples not None,
                        bint return_indices, str name not None):
    """Maxima of windows in pseudo-random steps over the last `dims` dimensions."""
    return max_of(x, scattered(x, dims, kernel_size, output_size, samples, name), return_indices, name)


def avg_pool(TensorBase x not None, int dims, kernel_size, stride, padding, bint ceil_mode, bint count_include_pad,
             divisor_override, str name not None):
    """Means of sliding windows over the last `dims` dimensions."""
    cdef Windows win = sliding(x, dims, kernel_size, stride, padding, 1, ceil_mode, count_include_pad, name)
    work_code(x, name)
    if divisor_override is not None:
        if divisor_override == 0:
            raise RuntimeError(f"{name}: divisor must be not zero")
        win.divisor = divisor_override
    return mean_of(x, win)


def adaptive_avg_pool(TensorBase x not None, int dims, output_size, str name not None):
    """Means of as many windows as wanted over the last `dims` dimensions."""
    work_code(x, name)
    return mean_of(x, adaptive(x, dims, output_size, name))


def max_unpool(TensorBase x not None, TensorBase indices not None, int dims, output_size, str name not None):
    """Zeros of the given size, but x at the places that the indices say."""
    cdef Windows win = Windows()
    cdef Py_ssize_t i, places
    cdef const int64_t *p
    cdef TensorBase listed
    cdef int d
    win.look_at(x, dims, name)
    if indices.code != MT_I64:
        raise RuntimeError(f"{name}: elements in indices should be type int64, but they are {dtype_of(indices.code)}")
    if shape_of(indices) != shape_of(x):
        raise RuntimeError(f"{name}: indices {describe(indices)} must have the shape of the input {describe(x)}")
    for d in range(3):
        win.out[d] = win.size[d]
    numbers(output_size, dims, win.size, 1, "output_size", name)
    places = win.size[0] * win.size[1] * win.size[2]
    check_devices(name, x, (indices,))
    indices = contiguous_data(indices)
    listed = host_data(indices)
    p = <const int64_t *>data_of(listed)
    for i in range(indices.numel):
        if p[i] < 0 or p[i] >= places:
            raise RuntimeError(f"{name}: found an invalid max index: {p[i]} (the output has {places} places in a "
                               f"plane: {tuple([win.size[d] for d in range(3 - dims, 3)])})")
    work_code(x, name)
    return put_of(x, win, indices, True)
