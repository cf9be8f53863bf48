"""Convolution in one to three dimensions, and its two transposes: the gradients of its input and of its weights.

The three are each other's derivatives, so that they can be differentiated any number of times:

    y  = X * W          linear in both
    dX = dY *ᵀ W        which is also the transposed convolution
    dW = X ⋆ dY
"""
cimport cython
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_BF16, MT_F16, MT_F32, MT_F64, MT_I64, MT_U8, dtype_of, mt_category, mt_itemsize
from minitorch._ext.loops cimport contiguous_data, converted, zero_data
from minitorch._ext.reduce cimport sum_of
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, check_devices, data_of, describe, new_on, new_tensor, on_device, record, recording, shape_of,
    shown,
)
from minitorch._ext.threads cimport parallel_for, task_fn, thread_count
from minitorch._ext.views cimport select_of, unsqueeze_of

cdef extern from "conv.h" nogil:
    enum:
        CONV_ROWS
        CONV_PANEL
        CONV_UNIT
        CONV_TAPS
        CONV_SPAN
        CONV_ROOMS
        CONV_CACHE
    ctypedef struct conv_axis:
        Py_ssize_t in_size, count, in_step, out_first, out_step, out_size, taps
        const Py_ssize_t *offset
    ctypedef struct conv_pass:
        conv_axis axis[3]
        Py_ssize_t batch, groups, in_channels, out_channels, taps, in_plane, out_plane, positions
        const Py_ssize_t *tap
        const void *x
        void *y
        const void *bias
        void *weight
        Py_ssize_t weight_group, weight_out, weight_in
        void *packed
        Py_ssize_t width, panels, chunks, parts, part_rows, padded, spans_kept
        Py_ssize_t[3] first, reach
        Py_ssize_t rooms, phases, place_bytes
        bint inside
        char *scratch
        Py_ssize_t scratch_bytes
        int scratches, taken, wide, failed
        bint back
    ctypedef struct conv_tasks:
        task_fn pack, panels, chunks, total, columns, direct, direct_sums
    bint conv_has_wide()
    bint conv_tiled(conv_pass *c)
    Py_ssize_t conv_tiled_panels(conv_pass *c, Py_ssize_t threads)
    Py_ssize_t conv_tiled_chunks(conv_pass *c)
    Py_ssize_t wino_point(Py_ssize_t rows, Py_ssize_t pitch)
    const task_fn conv_tiled_pack, conv_tiled_task, conv_tiled_sums, conv_tiled_total
    enum:
        WINO_POINTS
    const conv_tasks conv_f32, conv_f64, conv_u64


cdef bint wide = conv_has_wide()


cdef class Geometry:
    """How a kernel moves over its input; axes that are not there have stride 1 and a kernel of 1."""
    cdef int dims
    cdef Py_ssize_t groups
    cdef Py_ssize_t[3] stride, pad, dilation    # pad: in front; how much is behind, the output's size tells


cdef inline const conv_tasks *tasks_for(int code) noexcept nogil:
    return &conv_f32 if code == MT_F32 else &conv_f64 if code == MT_F64 else &conv_u64


cdef inline int work_code(TensorBase t) noexcept nogil:
    """The type to compute in; the device's kernels widen by themselves."""
    return MT_F32 if (t.code == MT_F16 or t.code == MT_BF16) and not on_device(t) else t.code


cdef void sizes_of(TensorBase t, int dims, Py_ssize_t *size) noexcept nogil:
    """The last three sizes of a batch, 1 where there are fewer."""
    cdef int d
    for d in range(3):
        size[d] = t.shape[2 + d - (3 - dims)] if d >= 3 - dims else 1


cdef TensorBase batch_of(TensorBase like, Py_ssize_t batch, Py_ssize_t channels, int dims, const Py_ssize_t *size,
                         int code):
    """A new tensor (batch, channels, *size) where another is."""
    cdef Py_ssize_t[5] shape
    cdef int d
    shape[0], shape[1] = batch, channels
    for d in range(dims):
        shape[2 + d] = size[3 - dims + d]
    return new_on(like, 2 + dims, shape, code)


cdef TensorBase convolve_there(str what, TensorBase out, TensorBase a, TensorBase b, TensorBase bias, Geometry geo,
                               Py_ssize_t batch, Py_ssize_t in_channels, Py_ssize_t out_channels,
                               const Py_ssize_t *size, const Py_ssize_t *kernel, const Py_ssize_t *positions):
    """A convolution on the device, or one of its gradients, from a and b; channels are those of one group."""
    if out.numel:
        primitives().convolve(what, shown(out), shown(a), shown(b), shown(bias), batch, geo.groups, in_channels,
                              out_channels, triple(size), triple(positions), triple(kernel), triple(geo.stride),
                              triple(geo.pad), triple(geo.dilation))
    return out


cdef tuple triple(const Py_ssize_t *values):
    return values[0], values[1], values[2]


# --- running passes -------------------------------------------------------------------------------------------------

@cython.final
cdef class Taps:
    """The lists that the axes of a pass point to."""
    cdef Py_ssize_t *offset[3]
    cdef Py_ssize_t *index[3]
    cdef Py_ssize_t *tap
    cdef Py_ssize_t[3] kernel

    def __dealloc__(self):
        cdef int d
        for d in range(3):
            free(self.offset[d])
            free(self.index[d])
        free(self.tap)

    cdef int make(self, const Py_ssize_t *kernel) except -1:
        cdef int d
        cdef Py_ssize_t total = 1
        for d in range(3):
            self.kernel[d] = kernel[d]
            total *= kernel[d]
            self.offset[d] = <Py_ssize_t *>malloc((kernel[d] + 1) * sizeof(Py_ssize_t))
            self.index[d] = <Py_ssize_t *>malloc((kernel[d] + 1) * sizeof(Py_ssize_t))
        self.tap = <Py_ssize_t *>malloc((total + 1) * sizeof(Py_ssize_t))
        for d in range(3):
            if self.offset[d] == NULL or self.index[d] == NULL or self.tap == NULL:
                raise MemoryError("convolution: no memory for the places of a kernel")
        return 0

    cdef void forward_axis(self, conv_axis *axis, int d, Py_ssize_t size, Py_ssize_t out, Geometry geo) noexcept:
        """Output q reads inputs q s + t dilation - pad."""
        cdef Py_ssize_t t
        axis.in_size, axis.count, axis.in_step = size, out, geo.stride[d]
        axis.out_first, axis.out_step, axis.out_size = 0, 1, out
        axis.taps = self.kernel[d]
        for t in range(self.kernel[d]):
            self.offset[d][t] = t * geo.dilation[d] - geo.pad[d]
            self.index[d][t] = t
        axis.offset = self.offset[d]

    cdef void input_axis(self, conv_axis *axis, int d, Py_ssize_t size, Py_ssize_t out, Py_ssize_t remainder,
                         Geometry geo) noexcept:
        """Input q s + remainder is reached from outputs q + (remainder + pad - t dilation) / s, where that divides."""
        cdef Py_ssize_t t, stride = geo.stride[d], n = 0, distance
        axis.in_size, axis.in_step = out, 1
        axis.out_first, axis.out_step, axis.out_size = remainder, stride, size
        axis.count = (size - remainder + stride - 1) // stride
        for t in range(self.kernel[d]):
            distance = remainder + geo.pad[d] - t * geo.dilation[d]
            if distance % stride == 0:
                self.offset[d][n] = distance // stride
                self.index[d][n] = t
                n += 1
        axis.taps = n
        axis.offset = self.offset[d]

    cdef void finish(self, conv_pass *c) noexcept:
        """The numbers that follow from the axes."""
        cdef Py_ssize_t a, b, e, n = 0
        cdef int d
        for a in range(c.axis[0].taps):
            for b in range(c.axis[1].taps):
                for e in range(c.axis[2].taps):
                    self.tap[n] = ((self.index[0][a] * self.kernel[1] + self.index[1][b]) * self.kernel[2]
                                   + self.index[2][e])
                    n += 1
        c.tap, c.taps = self.tap, n
        c.in_plane = c.out_plane = 1
        c.positions = c.batch
        for d in range(3):
            c.in_plane *= c.axis[d].in_size
            c.out_plane *= c.axis[d].out_size
            c.positions *= c.axis[d].count


cdef int start(conv_pass *c, Py_ssize_t bytes) except -1:
    """Make room for the threads' panels; what it returns through `scratch` is held by the caller's tensor."""
    c.taken = c.failed = 0
    c.wide = wide
    c.scratches = thread_count()
    c.scratch_bytes = (bytes + 127) // 64 * 64
    return 0


cdef TensorBase bytes_tensor(Py_ssize_t count):
    count = count if count > 0 else 1
    return new_tensor(1, &count, MT_U8)


cdef int finished(conv_pass *c) except -1:
    if c.failed:
        raise MemoryError("convolution: no memory for a panel of columns")
    return 0


cdef enum:
    FEW = 4                 # channels that are computed without columns
    ROOM = 1 << 22          # bytes that the channels of one image may take then


cdef bint surround(conv_pass *c, Py_ssize_t item) noexcept:
    """See what the taps read; false if that does not fit."""
    cdef Py_ssize_t t, last, bytes = c.in_channels * item
    cdef int d
    for d in range(3):
        if c.axis[d].taps == 0:
            return False
        c.first[d] = last = c.axis[d].offset[0]
        for t in range(c.axis[d].taps):
            c.first[d] = min(c.first[d], c.axis[d].offset[t])
            last = max(last, c.axis[d].offset[t])
        c.reach[d] = last - c.first[d] + (c.axis[d].count - 1) * c.axis[d].in_step + 1
        bytes *= c.reach[d]
        if bytes > ROOM:
            return False
    # what four rows at once and whole vectors read too much
    bytes += (3 * c.axis[1].in_step * c.reach[2] + 64) * item
    c.scratch_bytes = c.in_channels * c.taps * (item + 8) + 4 * (c.axis[2].count + 64) * item + bytes
    return True


cdef Py_ssize_t plan_rooms(conv_pass *c, Py_ssize_t width, Py_ssize_t channels, Py_ssize_t item) noexcept:
    """Decide whether images are surrounded before columns are gathered, `width` at a time; the bytes for it."""
    cdef Py_ssize_t one, rooms
    c.rooms = 0
    if c.taps <= 1 or c.axis[2].in_step > 2 or c.positions == 0 or not surround(c, item):
        return 0
    one = channels * c.reach[0] * c.reach[1] * c.reach[2] * item
    rooms = min(c.batch, width // max(<Py_ssize_t>1, c.positions // c.batch) + 2)
    if rooms > CONV_ROOMS or rooms * one > 2 * CONV_CACHE:
        return 0
    c.rooms = rooms
    return rooms * one


cdef int run_direct(conv_pass *c, task_fn task, Py_ssize_t units) except -1:
    """A pass without columns."""
    cdef Py_ssize_t work = c.in_channels * c.out_channels * c.groups * c.taps * (c.positions // units + 1)
    start(c, c.scratch_bytes)
    cdef TensorBase scratch = bytes_tensor(c.scratches * c.scratch_bytes)
    c.scratch = data_of(scratch)
    with nogil:
        parallel_for(units, 1 + 65536 // work, task, c)
    return finished(c)


cdef int run_tiled(conv_pass *c) except -1:
    """A pass by Winograd's transforms."""
    cdef Py_ssize_t blocks = c.groups * ((c.out_channels + CONV_ROWS - 1) // CONV_ROWS)
    cdef Py_ssize_t block = WINO_POINTS * wino_point(c.in_channels * c.phases, CONV_ROWS)
    start(c, conv_tiled_panels(c, thread_count()))
    cdef TensorBase packed = bytes_tensor(blocks * block * sizeof(float))
    cdef TensorBase scratch = bytes_tensor(c.scratches * c.scratch_bytes)
    c.packed, c.scratch = data_of(packed), data_of(scratch)
    with nogil:
        parallel_for(blocks, 1 + 65536 // block, conv_tiled_pack, c)
        parallel_for(c.groups * c.panels, 1 + 65536 // (block * blocks * c.width // 16), conv_tiled_task, c)
    return finished(c)


cdef int run_pass(conv_pass *c, int code) except -1:
    """Compute the outputs of a pass."""
    cdef const conv_tasks *tasks = tasks_for(code)
    cdef Py_ssize_t depth = c.in_channels * c.taps, blocks = (c.out_channels + CONV_ROWS - 1) // CONV_ROWS
    cdef Py_ssize_t item = mt_itemsize[code], grain
    if c.positions == 0 or c.out_channels == 0:
        return 0
    if c.out_channels <= FEW and surround(c, item):
        return run_direct(c, tasks.direct, c.batch * c.groups)
    cdef conv_pass tiled = c[0]
    if code == MT_F32 and conv_tiled(&tiled):
        return run_tiled(&tiled)
    c.width = CONV_CACHE // (item * (depth + 1)) // CONV_UNIT * CONV_UNIT
    c.width = max(<Py_ssize_t>CONV_UNIT, min(<Py_ssize_t>CONV_PANEL, c.width))
    c.panels = (c.positions + c.width - 1) // c.width
    start(c, depth * c.width * item + plan_rooms(c, c.width, c.in_channels, item))
    cdef TensorBase packed = bytes_tensor(c.groups * blocks * depth * CONV_ROWS * item)
    cdef TensorBase scratch = bytes_tensor(c.scratches * c.scratch_bytes)
    c.packed, c.scratch = data_of(packed), data_of(scratch)
    grain = 1 + 65536 // (depth * c.width * CONV_ROWS * blocks // 16 + c.width * depth + 1)
    with nogil:
        parallel_for(c.groups * blocks, 1 + 65536 // (depth * CONV_ROWS + 1), tasks.pack, c)
        parallel_for(c.groups * c.panels, grain, tasks.panels, c)
    return finished(c)


cdef TensorBase forward_data(TensorBase x, TensorBase w, TensorBase bias, Geometry geo, const Py_ssize_t *out):
    """x * w + bias."""
    cdef conv_pass c
    cdef Py_ssize_t[3] size, kernel
    cdef Taps taps = Taps()
    cdef int code = work_code(x), d
    cdef TensorBase y = batch_of(x, x.shape[0], w.shape[0], geo.dims, out, code), result = y
    cdef int given = x.code
    x, w = contiguous_data(converted(x, code)), contiguous_data(converted(w, code))
    bias = None if bias is None else contiguous_data(converted(bias, code))
    sizes_of(x, geo.dims, size)
    sizes_of(w, geo.dims, kernel)
    if on_device(x):
        return convolve_there("Forward", y, x, w, bias, geo, x.shape[0], w.shape[1], w.shape[0] // geo.groups, size,
                              kernel, out)
    taps.make(kernel)
    for d in range(3):
        taps.forward_axis(&c.axis[d], d, size[d], out[d], geo)
    c.batch, c.groups, c.in_channels, c.out_channels = x.shape[0], geo.groups, w.shape[1], w.shape[0] // geo.groups
    taps.finish(&c)
    c.x, c.y, c.weight = data_of(x), data_of(y), data_of(w)
    c.bias = NULL if bias is None else data_of(bias)
    c.weight_in = c.taps
    c.weight_out = c.in_channels * c.taps
    c.weight_group = c.out_channels * c.weight_out
    run_pass(&c, code)
    return converted(result, given)


cdef TensorBase input_data(TensorBase g, TensorBase w, TensorBase bias, Geometry geo, const Py_ssize_t *size):
    """The input whose convolution has the gradient g, its spatial size given: g *ᵀ w + bias."""
    cdef conv_pass c
    cdef Py_ssize_t[3] out, kernel
    cdef Py_ssize_t a, b, e, taps_of_kernel
    cdef Taps taps = Taps()
    cdef int code = work_code(g), given = g.code
    cdef TensorBase dx = batch_of(g, g.shape[0], w.shape[1] * geo.groups, geo.dims, size, code)
    g, w = contiguous_data(converted(g, code)), contiguous_data(converted(w, code))
    bias = None if bias is None else contiguous_data(converted(bias, code))
    sizes_of(g, geo.dims, out)
    sizes_of(w, geo.dims, kernel)
    if on_device(g):
        return convolve_there("OfInput", dx, g, w, bias, geo, g.shape[0], w.shape[1], w.shape[0] // geo.groups, size,
                              kernel, out)
    taps.make(kernel)
    taps_of_kernel = kernel[0] * kernel[1] * kernel[2]
    c.batch, c.groups, c.in_channels, c.out_channels = g.shape[0], geo.groups, w.shape[0] // geo.groups, w.shape[1]
    c.x, c.y, c.weight = data_of(g), data_of(dx), data_of(w)
    c.bias = NULL if bias is None else data_of(bias)
    c.weight_out = taps_of_kernel
    c.weight_in = c.out_channels * taps_of_kernel
    c.weight_group = c.in_channels * c.weight_in
    for a in range(min(geo.stride[0], size[0])):
        taps.input_axis(&c.axis[0], 0, size[0], out[0], a, geo)
        for b in range(min(geo.stride[1], size[1])):
            taps.input_axis(&c.axis[1], 1, size[1], out[1], b, geo)
            for e in range(min(geo.stride[2], size[2])):
                taps.input_axis(&c.axis[2], 2, size[2], out[2], e, geo)
                taps.finish(&c)
                run_pass(&c, code)
    return converted(dx, given)


cdef TensorBase weight_data(TensorBase x, TensorBase g, Geometry geo, const Py_ssize_t *kernel):
    """The gradient of the weights, whose spatial size is given: x ⋆ g."""
    cdef conv_pass c
    cdef Py_ssize_t[3] size, out
    cdef Taps taps = Taps()
    cdef int code = work_code(x), given = x.code, d
    cdef Py_ssize_t item = mt_itemsize[code], lanes = 64 // item
    cdef const conv_tasks *tasks = tasks_for(code)
    cdef TensorBase dw = batch_of(g, g.shape[1], x.shape[1] // geo.groups, geo.dims, kernel, code), sums, scratch
    x, g = contiguous_data(converted(x, code)), contiguous_data(converted(g, code))
    sizes_of(x, geo.dims, size)
    sizes_of(g, geo.dims, out)
    if on_device(x):
        return convolve_there("OfWeight", dw, g, x, None, geo, x.shape[0], x.shape[1] // geo.groups,
                              g.shape[1] // geo.groups, size, kernel, out)
    taps.make(kernel)
    for d in range(3):
        taps.forward_axis(&c.axis[d], d, size[d], out[d], geo)
    c.batch, c.groups = x.shape[0], geo.groups
    c.in_channels, c.out_channels = x.shape[1] // geo.groups, g.shape[1] // geo.groups
    taps.finish(&c)
    if dw.numel == 0:
        return converted(dw, given)
    if c.positions == 0:
        zero_data(dw)
        return converted(dw, given)
    if c.in_channels == 1 and c.out_channels <= FEW and c.groups > 1 and surround(&c, item):
        c.x, c.y, c.weight = data_of(x), data_of(g), data_of(dw)
        run_direct(&c, tasks.direct_sums, c.groups)
        return converted(dw, given)
    c.padded = (c.out_channels + lanes - 1) // lanes * lanes
    c.x, c.y, c.weight = data_of(x), data_of(g), data_of(dw)
    if code == MT_F32 and conv_tiled(&c):
        run_tiled_sums(&c)
        return converted(dw, given)
    c.panels = (c.positions + CONV_SPAN - 1) // CONV_SPAN
    plan_chunks(&c)
    start(&c, plan_strips(&c, item))
    sums = bytes_tensor(c.chunks * c.groups * c.parts * c.part_rows * c.padded * item)
    scratch = bytes_tensor(c.scratches * c.scratch_bytes)
    c.packed, c.scratch = data_of(sums), data_of(scratch)
    with nogil:
        parallel_for(c.chunks * c.groups * c.parts, 1, tasks.chunks, &c)
        parallel_for(c.groups * c.in_channels, 1 + 32768 // (c.out_channels * c.taps * c.chunks), tasks.total, &c)
    finished(&c)
    return converted(dw, given)


cdef int run_tiled_sums(conv_pass *c) except -1:
    """The gradient of weights by Winograd's transforms."""
    start(c, conv_tiled_chunks(c))
    cdef TensorBase sums = bytes_tensor(c.chunks * c.groups * c.parts * WINO_POINTS * c.part_rows * c.padded
                                        * sizeof(float))
    cdef TensorBase scratch = bytes_tensor(c.scratches * c.scratch_bytes)
    c.packed, c.scratch = data_of(sums), data_of(scratch)
    with nogil:
        parallel_for(c.chunks * c.groups * c.parts, 1, conv_tiled_sums, c)
        parallel_for(c.groups * c.in_channels, 1 + 4096 // (c.out_channels * c.chunks), conv_tiled_total, c)
    return finished(c)


cdef void plan_chunks(conv_pass *c) noexcept:
    """How the sum over positions is cut: by the shapes alone, so that results do not depend on the threads."""
    cdef Py_ssize_t one = c.groups * (c.in_channels * c.taps + CONV_TAPS) * c.padded
    c.chunks = max(<Py_ssize_t>1, min(min(<Py_ssize_t>16, (c.panels + 7) // 8), (<Py_ssize_t>1 << 21) // one))
    c.parts = max(<Py_ssize_t>1, min(c.in_channels, 16 // (c.chunks * c.groups)))
    c.part_rows = (c.in_channels + c.parts - 1) // c.parts * c.taps + CONV_TAPS


cdef Py_ssize_t plan_strips(conv_pass *c, Py_ssize_t item) noexcept:
    """Where sums over positions find inputs: see conv_strips; the bytes for that."""
    cdef Py_ssize_t t, offset, bytes = 0
    cdef int d
    c.inside, c.rooms = True, 0
    for d in range(3):
        for t in range(c.axis[d].taps):
            offset = c.axis[d].offset[t]
            if offset < 0 or offset + (c.axis[d].count - 1) * c.axis[d].in_step >= c.axis[d].in_size:
                c.inside = False
    if c.inside:
        for d in range(3):
            c.first[d], c.reach[d] = 0, c.axis[d].in_size
    else:
        bytes = plan_rooms(c, CONV_SPAN, (c.in_channels + c.parts - 1) // c.parts, item)
        if not c.rooms:
            bytes = c.part_rows * CONV_SPAN * item
    c.spans_kept = (c.panels + c.chunks - 1) // c.chunks if c.parts > 1 else 1
    if c.spans_kept * CONV_SPAN * c.padded * item > 2 * CONV_CACHE:
        c.spans_kept = 1
    c.place_bytes = (c.spans_kept * CONV_SPAN * c.padded * item + bytes + 63) // 64 * 64
    return c.place_bytes + c.part_rows * sizeof(Py_ssize_t)


# --- recorded -------------------------------------------------------------------------------------------------------

cdef unsigned long long but_channels(TensorBase g) noexcept:
    """The mask of all dimensions but that of the channels, which is what a bias is added along."""
    return (((<unsigned long long>1) << g.ndim) - 1) & ~(<unsigned long long>2)


cdef class ConvolutionNode(Node):
    """What the three have in common: a geometry and the spatial size that cannot be seen from what is saved."""
    cdef Geometry geo
    cdef Py_ssize_t[3] size

    cdef str op_name(self):
        return "ConvolutionBackward0"


@cython.final
cdef class ConvolutionBackward(ConvolutionNode):
    """Y = X * W + b:  dX = dY *ᵀ W,  dW = X ⋆ dY,  db = the sum of dY over all but channels."""
    cdef Py_ssize_t[3] kernel

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = None, dw = None, db = None
        if self.needs(0):
            dx = input_of(g, self.saved(1), None, self.geo, self.size)
        if self.needs(1):
            dw = weight_of(self.saved(0), g, self.geo, self.kernel)
        if self.needs(2):
            db = sum_of(g, but_channels(g), False)
        return dx, dw, db


@cython.final
cdef class ConvolutionInputBackward(ConvolutionNode):
    """X = G *ᵀ W + b:  dG = dX * W,  dW = dX ⋆ G."""
    cdef Py_ssize_t[3] kernel

    cdef object apply(self, TensorBase dx):
        cdef TensorBase dg = None, dw = None, db = None
        if self.needs(0):
            dg = forward_of(dx, self.saved(1), None, self.geo, self.size)
        if self.needs(1):
            dw = weight_of(dx, self.saved(0), self.geo, self.kernel)
        if self.needs(2):
            db = sum_of(dx, but_channels(dx), False)
        return dg, dw, db


@cython.final
cdef class ConvolutionWeightBackward(ConvolutionNode):
    """W = X ⋆ G:  dX = G *ᵀ dW,  dG = X * dW."""
    cdef Py_ssize_t[3] out

    cdef object apply(self, TensorBase dw):
        cdef TensorBase dx = None, dg = None
        if self.needs(0):
            dx = input_of(self.saved(1), dw, None, self.geo, self.size)
        if self.needs(1):
            dg = forward_of(self.saved(0), dw, None, self.geo, self.out)
        return dx, dg


cdef TensorBase forward_of(TensorBase x, TensorBase w, TensorBase bias, Geometry geo, const Py_ssize_t *out):
    cdef ConvolutionBackward node
    cdef TensorBase y = forward_data(x, w, bias, geo, out)
    if recording((x, w, bias)):
        node = ConvolutionBackward.__new__(ConvolutionBackward)
        node.geo = geo
        sizes_of(x, geo.dims, node.size)
        sizes_of(w, geo.dims, node.kernel)
        record(node, y, (x, w, bias))
        keep(node, x, w)
    return y


cdef TensorBase input_of(TensorBase g, TensorBase w, TensorBase bias, Geometry geo, const Py_ssize_t *size):
    cdef ConvolutionInputBackward node
    cdef TensorBase x = input_data(g, w, bias, geo, size)
    if recording((g, w, bias)):
        node = ConvolutionInputBackward.__new__(ConvolutionInputBackward)
        node.geo = geo
        sizes_of(g, geo.dims, node.size)
        sizes_of(w, geo.dims, node.kernel)
        record(node, x, (g, w, bias))
        keep(node, g, w)
    return x


cdef TensorBase weight_of(TensorBase x, TensorBase g, Geometry geo, const Py_ssize_t *kernel):
    cdef ConvolutionWeightBackward node
    cdef TensorBase w = weight_data(x, g, geo, kernel)
    if recording((x, g)):
        node = ConvolutionWeightBackward.__new__(ConvolutionWeightBackward)
        node.geo = geo
        sizes_of(x, geo.dims, node.size)
        sizes_of(g, geo.dims, node.out)
        record(node, w, (x, g))
        keep(node, x, g)
    return w


cdef int keep(Node node, TensorBase a, TensorBase b) except -1:
    """Save each factor if the other's gradient is wanted."""
    if node.needs(1):
        node.save(0, a)
    if node.needs(0):
        node.save(1, b)
    return 0


# --- arguments ------------------------------------------------------------------------------------------------------

cdef enum:
    LIMIT = 1 << 30         # of a stride, padding or dilation: sums of a few stay far from overflow


cdef int fill_sizes(object given, int dims, Py_ssize_t *out, Py_ssize_t least, str argument, str name) except -1:
    """An argument of one number, or one for each dimension."""
    cdef int d
    if isinstance(given, int):
        given = (given,)
    if len(given) != dims and len(given) != 1:
        raise RuntimeError(f"{name}: expected {argument} to be a single integer value or a list of {dims} values to "
                           f"match the convolution dimensions, but got {argument}={tuple(given)}")
    for d in range(dims):
        value = given[d if len(given) == dims else 0]
        if not isinstance(value, int) and not hasattr(value, "__index__"):
            raise TypeError(f"{name}: {argument} must be int or tuple of ints, got {type(value).__name__}")
        if value < least:
            raise RuntimeError(f"{name}: {argument} must be at least {least}, got {tuple(given)}")
        if value > LIMIT:
            raise RuntimeError(f"{name}: {argument} is too large: {tuple(given)}")
        out[3 - dims + d] = value
    return 0


cdef Geometry geometry(int dims, object stride, object padding, object dilation, object groups, str name):
    cdef Geometry geo = Geometry()
    cdef int d
    geo.dims = dims
    for d in range(3):
        geo.stride[d], geo.pad[d], geo.dilation[d] = 1, 0, 1
    fill_sizes(stride, dims, geo.stride, 1, "stride", name)
    fill_sizes(padding, dims, geo.pad, 0, "padding", name)
    fill_sizes(dilation, dims, geo.dilation, 1, "dilation", name)
    if groups < 1:
        raise RuntimeError(f"{name}: groups must be at least 1, got {groups}: non-positive groups is not supported")
    geo.groups = groups
    return geo


cdef int check_operands(TensorBase x, TensorBase w, TensorBase bias, int dims, str name) except -1:
    """Types and numbers of dimensions."""
    if w.ndim != dims + 2:
        raise RuntimeError(f"{name}: the weight must have {dims + 2} dimensions, but it is {describe(w)}")
    if x.ndim != dims + 2 and x.ndim != dims + 1:
        raise RuntimeError(f"{name}: expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to conv{dims}d, "
                           f"but got input of size: {tuple(shape_of(x))}")
    if x.code != w.code or (bias is not None and bias.code != w.code):
        raise RuntimeError(f"{name}: input, weight and bias must have the same dtype, but they are {describe(x)}, "
                           f"{describe(w)}{'' if bias is None else ' and ' + describe(bias)}. Convert with .to(dtype)")
    check_devices(name, x, (w, bias))
    if mt_category[x.code] != 2 and (on_device(x) or x.code != MT_I64):
        place = " on cuda" if on_device(x) else ""
        raise NotImplementedError(f"{name}: not implemented for {dtype_of(x.code)}{place}: convert the operands with "
                                  ".float()")
    return 0


cdef int check_bias(TensorBase bias, Py_ssize_t channels, TensorBase w, str name) except -1:
    if bias is not None and (bias.ndim != 1 or bias.shape[0] != channels):
        raise RuntimeError(f"{name}: given weight of size {tuple(shape_of(w))}, expected bias to be 1-dimensional with "
                           f"{channels} elements, but got bias of size {tuple(shape_of(bias))} instead")
    return 0


cdef TensorBase convolve(TensorBase x, TensorBase w, TensorBase bias, object stride, object padding, object dilation,
                         object groups, int dims, str name):
    """Check everything, and convolve."""
    cdef Geometry geo
    cdef Py_ssize_t[3] size, kernel, out, behind
    cdef bint alone
    cdef int d
    check_operands(x, w, bias, dims, name)
    alone = x.ndim == dims + 1
    if alone:
        x = unsqueeze_of(x, 0)
    geo = geometry(dims, stride, 0 if isinstance(padding, str) else padding, dilation, groups, name)
    sizes_of(x, dims, size)
    sizes_of(w, dims, kernel)
    if w.shape[0] % geo.groups or w.shape[0] < geo.groups:
        raise RuntimeError(f"{name}: groups={geo.groups} must divide the weight's {w.shape[0]} output channels: the "
                           f"weight is {describe(w)}")
    if x.shape[1] != w.shape[1] * geo.groups:
        raise RuntimeError(f"{name}: given groups={geo.groups}, weight of size {tuple(shape_of(w))}, expected input "
                           f"to have {w.shape[1] * geo.groups} channels, but it is {describe(x)}")
    check_bias(bias, w.shape[0], w, name)
    for d in range(3):
        behind[d] = geo.pad[d]
        if isinstance(padding, str) and d >= 3 - dims:
            same_padding(padding, geo, kernel, d, behind, name)
        if kernel[d] < 1 or size[d] + geo.pad[d] + behind[d] <= geo.dilation[d] * (kernel[d] - 1):
            raise RuntimeError(f"{name}: the kernel, {tuple(shape_of(w))[2:]} with dilation "
                               f"{tuple([geo.dilation[i] for i in range(3 - dims, 3)])}, can't be greater than the "
                               f"padded input, {tuple(shape_of(x))[2:]} with padding {padding!r}")
        out[d] = (size[d] + geo.pad[d] + behind[d] - geo.dilation[d] * (kernel[d] - 1) - 1) // geo.stride[d] + 1
    x = forward_of(x, w, bias, geo, out)
    return select_of(x, 0, 0) if alone else x


cdef int same_padding(str padding, Geometry geo, const Py_ssize_t *kernel, int d, Py_ssize_t *behind,
                      str name) except -1:
    """Padding by name; where the total is odd, one more behind."""
    cdef Py_ssize_t total = geo.dilation[d] * (kernel[d] - 1)
    if padding == "same":
        if geo.stride[d] != 1:
            raise RuntimeError(f"{name}: padding='same' is not supported for strided convolutions")
        geo.pad[d] = total // 2
        behind[d] = total - geo.pad[d]
    elif padding != "valid":
        raise RuntimeError(f"{name}: invalid padding string '{padding}': it is 'valid' or 'same'")
    return 0


cdef TensorBase convolve_transposed(TensorBase x, TensorBase w, TensorBase bias, object stride, object padding,
                                    object output_padding, object groups, object dilation, int dims, str name):
    """Check everything, and convolve the other way round."""
    cdef Geometry geo
    cdef Py_ssize_t[3] size, kernel, out, extra
    cdef bint alone
    cdef int d
    check_operands(x, w, bias, dims, name)
    alone = x.ndim == dims + 1
    if alone:
        x = unsqueeze_of(x, 0)
    geo = geometry(dims, stride, padding, dilation, groups, name)
    extra[0] = extra[1] = extra[2] = 0
    fill_sizes(output_padding, dims, extra, 0, "output_padding", name)
    sizes_of(x, dims, size)
    sizes_of(w, dims, kernel)
    if w.shape[0] != x.shape[1] or w.shape[0] % geo.groups:
        raise RuntimeError(f"{name}: given transposed=1, weight of size {tuple(shape_of(w))}, expected input to have "
                           f"{w.shape[0]} channels, a multiple of groups={geo.groups}, but it is {describe(x)}")
    check_bias(bias, w.shape[1] * geo.groups, w, name)
    for d in range(3):
        if extra[d] >= max(geo.stride[d], geo.dilation[d]) and extra[d] > 0:
            raise RuntimeError(f"{name}: output padding must be smaller than either stride or dilation, but got "
                               f"output_padding={output_padding}, stride={stride}, dilation={dilation}")
        out[d] = (size[d] - 1) * geo.stride[d] - 2 * geo.pad[d] + geo.dilation[d] * (kernel[d] - 1) + extra[d] + 1
        if kernel[d] < 1 or size[d] < 1 or out[d] < 1:
            raise RuntimeError(f"{name}: the output would be too small: input {describe(x)}, weight {describe(w)}, "
                               f"stride {stride}, padding {padding}, output_padding {output_padding}")
    x = input_of(x, w, bias, geo, out)
    return select_of(x, 0, 0) if alone else x


# --- columns for their own sake -------------------------------------------------------------------------------------

cdef TensorBase columns_data(TensorBase given, Geometry geo, const Py_ssize_t *size, const Py_ssize_t *kernel,
                             const Py_ssize_t *out, bint back):
    """Columns (N, C taps, L) of images (N, C, H, W), or back the sums of columns."""
    cdef conv_pass c
    cdef Taps taps = Taps()
    cdef int code = work_code(given), d
    cdef Py_ssize_t[5] shape
    cdef Py_ssize_t taps_of_kernel = kernel[1] * kernel[2], channels
    cdef TensorBase made, t
    code = code if code == MT_F32 or code == MT_F64 else MT_I64
    if on_device(given):
        return primitives().columns(
            shown(given), (size[1], size[2]), (kernel[1], kernel[2]), (out[1], out[2]), (geo.stride[1], geo.stride[2]),
            (geo.dilation[1], geo.dilation[2]), (geo.pad[1], geo.pad[2]), back)
    t = contiguous_data(converted(given, code))
    channels = t.shape[1] // taps_of_kernel if back else t.shape[1]
    shape[0], shape[1] = t.shape[0], channels if back else channels * taps_of_kernel
    shape[2], shape[3] = size[1] if back else out[1] * out[2], size[2]
    made = new_tensor(4 if back else 3, shape, code)
    taps.make(kernel)
    for d in range(3):
        taps.forward_axis(&c.axis[d], d, size[d], out[d], geo)
    c.batch, c.groups, c.back = t.shape[0], 1, back
    taps.finish(&c)
    c.x, c.y = (data_of(made), data_of(t)) if back else (data_of(t), data_of(made))
    with nogil:
        parallel_for(c.batch * channels, 1 + 32768 // (c.taps * out[1] * out[2] + 1), tasks_for(code).columns, &c)
    return converted(made, given.code)


@cython.final
cdef class Im2ColBackward(ConvolutionNode):
    """Columns of x: back, their sums; and the other way round."""
    cdef Py_ssize_t[3] kernel, out
    cdef bint back

    cdef str op_name(self):
        return "Col2ImBackward0" if self.back else "Im2ColBackward0"

    cdef object apply(self, TensorBase g):
        return (columns_of(g, self.geo, self.size, self.kernel, self.out, not self.back),)


cdef TensorBase columns_of(TensorBase t, Geometry geo, const Py_ssize_t *size, const Py_ssize_t *kernel,
                           const Py_ssize_t *out, bint back):
    cdef Im2ColBackward node
    cdef TensorBase made = columns_data(t, geo, size, kernel, out, back)
    cdef int d
    if recording((t,)):
        node = Im2ColBackward.__new__(Im2ColBackward)
        node.geo, node.back = geo, back
        for d in range(3):
            node.size[d], node.kernel[d], node.out[d] = size[d], kernel[d], out[d]
        record(node, made, (t,))
    return made


cdef TensorBase columns(TensorBase t, object output_size, object kernel_size, object dilation, object padding,
                        object stride, str name):
    """Check everything, and unfold, or fold if there is an output size."""
    cdef Geometry geo
    cdef Py_ssize_t[3] size, kernel, out
    cdef bint back = output_size is not None, alone = t.ndim == (2 if back else 3)
    cdef int d
    if t.ndim != (2 if back else 3) and t.ndim != (3 if back else 4):
        raise RuntimeError(f"{name}: expected {'2D or 3D' if back else '3D or 4D'} input, but got {describe(t)}")
    if mt_category[t.code] > 2:
        raise NotImplementedError(f"{name}: not implemented for {describe(t)}: take its real and imaginary parts")
    geo = geometry(2, stride, padding, dilation, 1, name)
    size[0] = kernel[0] = 1
    fill_sizes(kernel_size, 2, kernel, 1, "kernel_size", name)
    if alone:
        t = unsqueeze_of(t, 0)
    if back:
        fill_sizes(output_size, 2, size, 1, "output_size", name)
    else:
        sizes_of(t, 2, size)
    if t.shape[1] == 0 or size[1] == 0 or size[2] == 0:
        raise RuntimeError(f"{name}: expected input with non-zero size for non-batch dimensions, but got {describe(t)}")
    for d in range(3):
        out[d] = (size[d] + 2 * geo.pad[d] - geo.dilation[d] * (kernel[d] - 1) - 1) // geo.stride[d] + 1
        if size[d] + 2 * geo.pad[d] <= geo.dilation[d] * (kernel[d] - 1):
            raise RuntimeError(f"{name}: there is no place for a kernel of {kernel_size} with dilation {dilation} in "
                               f"{(size[1], size[2])} with padding {padding}")
    if back and (t.shape[1] % (kernel[1] * kernel[2]) or t.shape[2] != out[1] * out[2]):
        raise RuntimeError(f"{name}: given output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, "
                           f"padding={padding} and stride={stride}, the input must be (N, C * {kernel[1] * kernel[2]}, "
                           f"{out[1]} * {out[2]}), but it is {describe(t)}")
    t = columns_of(t, geo, size, kernel, out, back)
    return select_of(t, 0, 0) if alone else t


# --- the public functions -------------------------------------------------------------------------------------------

def conv1d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0, dilation=1,
           groups=1):
    r"""Convolution (cross-correlation, strictly) of a batch of sequences.

    .. math:: y_{o,q} = b_o + \sum_{i,t} w_{o,i,t}\, x_{i,\; q s + t d - p}

    Args:
        stride, padding, dilation: :math:`s`, :math:`p` and :math:`d`. A padding of ``"valid"`` is none, ``"same"`` one
            that keeps the size.
        groups: into how many the channels are split; each group of outputs sees its group of inputs.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``, weight ``(O, C / groups, K)``, bias ``(O,)``; output ``(N, O, L')`` with
        :math:`L' = \lfloor (L + 2p - d (K - 1) - 1) / s \rfloor + 1`.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    >>> import minitorch
    >>> x, w = minitorch.tensor([[1., 2., 4., 8.]]), minitorch.tensor([[[-1., 1.]]])
    >>> minitorch.nn.functional.conv1d(x, w)
    tensor([[1., 2., 4.]])
    """
    return convolve(input, weight, bias, stride, padding, dilation, groups, 1, "conv1d")


def conv2d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0, dilation=1,
           groups=1):
    r"""Convolution of a batch of images; the formula and arguments are those of :func:`conv1d`, in two dimensions.

    In float32, small kernels with many channels are computed by tiles (Lavin, Gray, arXiv:1509.09308): twice the
    rounding of a sum in order, and a NaN or an infinity makes NaN of the whole tiles, 4 by 4 outputs, that read it.

    Shape:
        input ``(N, C, H, W)`` or ``(C, H, W)``, weight ``(O, C / groups, KH, KW)``, bias ``(O,)``; output
        ``(N, O, H', W')``.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    >>> import minitorch
    >>> minitorch.nn.functional.conv2d(minitorch.ones(1, 1, 3, 3), minitorch.ones(1, 1, 3, 3), padding=1)
    tensor([[[[4., 6., 4.],
              [6., 9., 6.],
              [4., 6., 4.]]]])
    """
    return convolve(input, weight, bias, stride, padding, dilation, groups, 2, "conv2d")


def conv3d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0, dilation=1,
           groups=1):
    r"""Convolution of a batch of volumes; the formula and arguments are those of :func:`conv1d`, in three dimensions.

    Shape:
        input ``(N, C, D, H, W)`` or ``(C, D, H, W)``, weight ``(O, C / groups, KD, KH, KW)``, bias ``(O,)``; output
        ``(N, O, D', H', W')``.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    >>> import minitorch
    >>> minitorch.nn.functional.conv3d(minitorch.ones(1, 2, 4, 4, 4), minitorch.ones(5, 2, 3, 3, 3)).shape
    torch.Size([1, 5, 2, 2, 2])
    """
    return convolve(input, weight, bias, stride, padding, dilation, groups, 3, "conv3d")


def conv_transpose1d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0,
                     output_padding=0, groups=1, dilation=1):
    r"""Transposed convolution of a batch of sequences: what the gradient of :func:`conv1d`'s input is computed by.

    .. math:: y_{o,\; q s + t d - p} \mathrel{+}= w_{i,o,t}\, x_{i,q}

    Args:
        output_padding: how much longer the output is at its end; smaller than the stride or the dilation.

    Shape:
        input ``(N, C, L)`` or ``(C, L)``, weight ``(C, O / groups, K)``, bias ``(O,)``; output ``(N, O, L')`` with
        :math:`L' = (L - 1) s - 2p + d (K - 1) + \text{output\_padding} + 1`.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    Source: Dumoulin, Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.

    >>> import minitorch
    >>> x, w = minitorch.tensor([[1., 2.]]), minitorch.tensor([[[1., 1., 1.]]])
    >>> minitorch.nn.functional.conv_transpose1d(x, w, stride=2)
    tensor([[1., 1., 3., 2., 2.]])
    """
    return convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 1,
                               "conv_transpose1d")


def conv_transpose2d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0,
                     output_padding=0, groups=1, dilation=1):
    r"""Transposed convolution of a batch of images; the formula and arguments are :func:`conv_transpose1d`'s.

    Shape:
        input ``(N, C, H, W)`` or ``(C, H, W)``, weight ``(C, O / groups, KH, KW)``, bias ``(O,)``; output
        ``(N, O, H', W')``.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    >>> import minitorch
    >>> minitorch.nn.functional.conv_transpose2d(minitorch.ones(1, 2, 4, 4), minitorch.ones(2, 3, 2, 2), stride=2).shape
    torch.Size([1, 3, 8, 8])
    """
    return convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 2,
                               "conv_transpose2d")


def conv_transpose3d(TensorBase input not None, TensorBase weight not None, TensorBase bias=None, stride=1, padding=0,
                     output_padding=0, groups=1, dilation=1):
    r"""Transposed convolution of a batch of volumes; the formula and arguments are :func:`conv_transpose1d`'s.

    Shape:
        input ``(N, C, D, H, W)`` or ``(C, D, H, W)``, weight ``(C, O / groups, KD, KH, KW)``, bias ``(O,)``; output
        ``(N, O, D', H', W')``.

    Raises:
        RuntimeError: if sizes or dtypes do not fit (names them).

    >>> import minitorch
    >>> minitorch.nn.functional.conv_transpose3d(minitorch.ones(1, 2, 2, 2, 2), minitorch.ones(2, 3, 2, 2, 2)).shape
    torch.Size([1, 3, 3, 3, 3])
    """
    return convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 3,
                               "conv_transpose3d")


def unfold(TensorBase input not None, kernel_size, dilation=1, padding=0, stride=1):
    r"""The patches of images that a kernel moves over, as columns.

    Shape:
        input ``(N, C, H, W)`` or ``(C, H, W)``; output ``(N, C * KH * KW, L)``, where :math:`L` is the number of the
        kernel's places.

    Raises:
        RuntimeError: if there is no place for the kernel.

    >>> import minitorch
    >>> minitorch.nn.functional.unfold(minitorch.arange(6.).view(1, 2, 3), (2, 2))
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    return columns(input, None, kernel_size, dilation, padding, stride, "unfold")


def fold(TensorBase input not None, output_size, kernel_size, dilation=1, padding=0, stride=1):
    r"""Columns put back to where :func:`unfold` took them; where patches overlap, their sum.

    Shape:
        input ``(N, C * KH * KW, L)`` or without ``N``; output ``(N, C, *output_size)``.

    Raises:
        RuntimeError: if the columns do not belong to such an output (says which would).

    >>> import minitorch
    >>> minitorch.nn.functional.fold(minitorch.ones(4, 2), (2, 3), (2, 2))
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    return columns(input, output_size, kernel_size, dilation, padding, stride, "fold")
