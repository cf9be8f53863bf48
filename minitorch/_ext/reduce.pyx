"""Reductions: what the values along any dimensions come to, and the derivative of each.

All of them walk alike (`reduce_data`): dimensions are ordered by stride and joined where they lie one behind the other,
then values are taken block by block, as rows where a reduced dimension is the innermost and as columns where a kept one
is.  Blocks merge pairwise and are the same for any number of threads, so the result is accurate and reproducible.
"""
cimport cython
from cpython.object cimport Py_NE
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from minitorch._ext.dtype cimport MT_BOOL, MT_I64, MT_U8, code_of, dtype_of, mt_category, mt_compute, mt_itemsize
from minitorch._ext.loops cimport (
    DEVICE_DIMS, GRAIN, contiguous_data, conversion, converted, copy_data, fill_data, host_data, scalar_value,
    zero_data, zeros_like_data,
)
from minitorch._ext.pointwise cimport cast, compare, conj_of, into, op_add, op_div, op_eq, op_mul, op_where
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, alias, bump, check_inplace, data_of, describe, grad_enabled, has_shape, new_on,
    on_device, rebase, record1, record_edges, recording1, requires_grad, shape_of, shown, wrap_dim,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport copy_into, expand_to, reshape_to, select_of, slice_of

cdef extern from "reduce.h" nogil:
    enum:
        MT_TILE
    ctypedef void (*mt_row_kernel)(char *states, const char *x, Py_ssize_t n, long long base, double p) noexcept
    ctypedef void (*mt_columns_kernel)(char *states, const char *x, Py_ssize_t row_stride, Py_ssize_t rows,
                                       Py_ssize_t n, long long base, double p) noexcept
    ctypedef void (*mt_merge_kernel)(char *states, const char *others, Py_ssize_t n) noexcept
    ctypedef struct mt_reduction:
        mt_row_kernel row
        mt_columns_kernel columns
        mt_merge_kernel merge
        short size
        short block
        signed char code[2]
        signed char at[2]
    const mt_reduction mt_reductions[11][12]
    ctypedef void (*mt_scan_kernel)(char *out, const char *x, Py_ssize_t step, Py_ssize_t rows,
                                    Py_ssize_t columns) noexcept
    const mt_scan_kernel mt_scans[2][12]
    enum:
        MT_SCAN_SUM
        MT_SCAN_PROD
    void mt_finish(int how, const mt_reduction *kernel, char *states, Py_ssize_t n, long long times, double p)


# --- the primitive --------------------------------------------------------------------------------------------------

cdef enum:
    DEPTH = 8                   # blocks are merged pairwise up to 2 ** 7 of them
    STATES = 8192               # bytes of one row of states
    GATHERED = 32768            # bytes of values brought together for a kernel
    ROWS_AT_ONCE = 64           # results of one tile where each is made of rows
    ROWS_OF_BLOCK = 64          # rows of a block of columns
    SEGMENT = 131072            # values of a unit of work where results are too few to keep all threads busy
    FEW_TILES = 8

# One walk: the kept dimensions number the results, the reduced ones the values of each; outermost first.
cdef struct Walk:
    const mt_reduction *kernel
    int code, source_code       # the type that the kernel takes, and the one in memory
    int kept, reduced
    bint by_columns
    Py_ssize_t[MAX_DIMS] kept_shape, kept_stride, reduced_shape, reduced_stride     # strides in bytes
    Py_ssize_t[2][MAX_DIMS] out_stride
    char *x
    char *out[2]
    int[2] out_code
    Py_ssize_t values                           # that make one result
    Py_ssize_t tile, tiles_in_row, tiles        # results side by side that are made together
    Py_ssize_t segment, segments                # parts of the values that are made apart
    char *partial                               # their states: of tile t and segment s at (t * segments + s) * tile
    int how
    long long times
    double p


cdef inline Py_ssize_t rank_of(Py_ssize_t stride) noexcept nogil:
    """Where a stride comes in the order of dimensions: repeated ones outermost."""
    return PY_SSIZE_T_MAX if stride == 0 else stride if stride > 0 else -stride

cdef extern from *:
    Py_ssize_t PY_SSIZE_T_MAX


cdef void add_kept(Walk *w, Py_ssize_t size, Py_ssize_t stride, Py_ssize_t out0, Py_ssize_t out1) noexcept nogil:
    """Put in a kept dimension where its stride belongs."""
    cdef int i = w.kept
    while i > 0 and rank_of(w.kept_stride[i - 1]) < rank_of(stride):
        w.kept_shape[i], w.kept_stride[i] = w.kept_shape[i - 1], w.kept_stride[i - 1]
        w.out_stride[0][i], w.out_stride[1][i] = w.out_stride[0][i - 1], w.out_stride[1][i - 1]
        i -= 1
    w.kept_shape[i], w.kept_stride[i], w.out_stride[0][i], w.out_stride[1][i] = size, stride, out0, out1
    w.kept += 1


cdef void add_reduced(Walk *w, Py_ssize_t size, Py_ssize_t stride) noexcept nogil:
    cdef int i = w.reduced
    while i > 0 and rank_of(w.reduced_stride[i - 1]) < rank_of(stride):
        w.reduced_shape[i], w.reduced_stride[i] = w.reduced_shape[i - 1], w.reduced_stride[i - 1]
        i -= 1
    w.reduced_shape[i], w.reduced_stride[i] = size, stride
    w.reduced += 1


cdef void join_dims(Walk *w) noexcept nogil:
    """Join dimensions that are one run of memory."""
    cdef int i, j = 0, k
    for i in range(1, w.kept):
        if w.kept_stride[j] == w.kept_stride[i] * w.kept_shape[i] and \
                w.out_stride[0][j] == w.out_stride[0][i] * w.kept_shape[i] and \
                w.out_stride[1][j] == w.out_stride[1][i] * w.kept_shape[i]:
            w.kept_shape[j] *= w.kept_shape[i]
        else:
            j += 1
            w.kept_shape[j] = w.kept_shape[i]
        w.kept_stride[j] = w.kept_stride[i]
        for k in range(2):
            w.out_stride[k][j] = w.out_stride[k][i]
    w.kept = j + 1
    j = 0
    for i in range(1, w.reduced):
        if w.reduced_stride[j] == w.reduced_stride[i] * w.reduced_shape[i]:
            w.reduced_shape[j] *= w.reduced_shape[i]
        else:
            j += 1
            w.reduced_shape[j] = w.reduced_shape[i]
        w.reduced_stride[j] = w.reduced_stride[i]
    w.reduced = j + 1


cdef void lay_out(Walk *w, int op, TensorBase out, TensorBase second, TensorBase x,
                  unsigned long long mask) noexcept nogil:
    """Sort the dimensions of x into kept and reduced ones."""
    cdef int d, j = 0, item = mt_itemsize[x.code]
    cdef bint keepdim = out.ndim == x.ndim
    cdef Py_ssize_t second_stride
    w.kept = w.reduced = 0
    w.values = w.times = 1
    for d in range(x.ndim):
        if (mask >> d) & 1:
            if x.strides[d] == 0 and op == MT_SUM:
                w.times *= x.shape[d]                           # a sum of equal values is a product
            elif x.shape[d] != 1:
                add_reduced(w, x.shape[d], x.strides[d] * item)
                w.values *= x.shape[d]
            j += keepdim
        else:
            if x.shape[d] != 1:
                second_stride = 0 if second is None else second.strides[j] * mt_itemsize[second.code]
                add_kept(w, x.shape[d], x.strides[d] * item, out.strides[j] * mt_itemsize[out.code], second_stride)
            j += 1
    if w.kept == 0:
        add_kept(w, 1, 0, 0, 0)
    if w.reduced == 0:
        add_reduced(w, 1, item)
    join_dims(w)
    w.x = data_of(x)
    w.source_code = x.code
    w.out[0] = data_of(out)
    w.out_code[0] = out.code
    w.out[1] = NULL if second is None else data_of(second)
    w.out_code[1] = out.code if second is None else second.code


cdef void divide_work(Walk *w) noexcept nogil:
    """Choose between rows and columns, and cut the work into units: by the shape alone, never by the threads."""
    cdef Py_ssize_t inner = w.kept_shape[w.kept - 1], width, rows = 1, block
    cdef Py_ssize_t kept = rank_of(w.kept_stride[w.kept - 1]), run = w.reduced_shape[w.reduced - 1]
    cdef int i
    w.by_columns = inner >= 8 and (kept < rank_of(w.reduced_stride[w.reduced - 1]) or (run < 16 and inner >= 64))
    if w.by_columns:
        w.tile = STATES // w.kernel.size
        if w.tile > MT_TILE:
            w.tile = MT_TILE
    else:
        w.tile = ROWS_AT_ONCE
    w.tiles_in_row = (inner + w.tile - 1) // w.tile
    for i in range(w.kept - 1):
        rows *= w.kept_shape[i]
    w.tiles = rows * w.tiles_in_row
    width = inner if inner < w.tile else w.tile
    w.segment = w.values
    w.segments = 1
    if w.tiles < FEW_TILES and w.values * width > 2 * SEGMENT:
        block = ROWS_OF_BLOCK if w.by_columns else w.kernel.block
        w.segment = (SEGMENT // width + block - 1) // block * block
        w.segments = (w.values + w.segment - 1) // w.segment


cdef inline Py_ssize_t width_of(Walk *w, Py_ssize_t tile) noexcept nogil:
    """How many results a tile has: the last in a row may have fewer."""
    cdef Py_ssize_t left = w.kept_shape[w.kept - 1] - tile % w.tiles_in_row * w.tile
    return left if left < w.tile else w.tile


cdef inline char *value_at(Walk *w, char *x, Py_ssize_t position) noexcept nogil:
    """Where the value at a position among those reduced lies."""
    cdef int d
    for d in range(w.reduced - 1, 0, -1):
        x += (position % w.reduced_shape[d]) * w.reduced_stride[d]
        position //= w.reduced_shape[d]
    return x + position * w.reduced_stride[0]


cdef inline Py_ssize_t run_left(Walk *w, Py_ssize_t position) noexcept nogil:
    """How many values lie at one stride from a position on."""
    cdef Py_ssize_t run = w.reduced_shape[w.reduced - 1]
    return run - position if w.reduced == 1 else run - position % run


cdef Py_ssize_t block_of_rows(Walk *w, char *x, Py_ssize_t position, Py_ssize_t n, char *state,
                              char *buffer) noexcept nogil:
    """Reduce at most n values of one result to a state; how many it were."""
    cdef Py_ssize_t stride = w.reduced_stride[w.reduced - 1], item = mt_itemsize[w.code], done = 0, length
    if n > w.kernel.block:
        n = w.kernel.block
    if stride == item and w.source_code == w.code:
        length = run_left(w, position)
        if n > length:
            n = length
        w.kernel.row(state, value_at(w, x, position), n, position, w.p)
        return n
    if n * item > GATHERED:
        n = GATHERED // item
    while done < n:
        length = run_left(w, position + done)
        if length > n - done:
            length = n - done
        conversion(w.code, w.source_code)(buffer + done * item, item, value_at(w, x, position + done), stride, length)
        done += length
    w.kernel.row(state, buffer, n, position, w.p)
    return n


cdef Py_ssize_t block_of_columns(Walk *w, char *x, Py_ssize_t width, Py_ssize_t position, Py_ssize_t n, char *states,
                                 char *buffer) noexcept nogil:
    """Reduce at most n values of each of `width` results side by side; how many it were."""
    cdef Py_ssize_t row_stride = w.reduced_stride[w.reduced - 1], stride = w.kept_stride[w.kept - 1]
    cdef Py_ssize_t item = mt_itemsize[w.code], left = run_left(w, position), r
    if n > ROWS_OF_BLOCK:
        n = ROWS_OF_BLOCK
    if n > left:
        n = left
    x = value_at(w, x, position)
    if stride != item or w.source_code != w.code:
        if n * width * item > GATHERED:
            n = GATHERED // (width * item)
        for r in range(n):
            conversion(w.code, w.source_code)(buffer + r * width * item, item, x + r * row_stride, stride, width)
        x = buffer
        row_stride = width * item
    w.kernel.columns(states, x, row_stride, n, width, position, w.p)
    return n


cdef void reduce_range(Walk *w, char *x, Py_ssize_t width, Py_ssize_t position, Py_ssize_t end, char *stack,
                       char *buffer) noexcept nogil:
    """Reduce the values from a position to an end of `width` results; their states are at the bottom of the stack."""
    cdef Py_ssize_t size = width * w.kernel.size, blocks = 0, pairs
    cdef char *top = stack
    while position < end:
        if w.by_columns:
            position += block_of_columns(w, x, width, position, end - position, top, buffer)
        else:
            position += block_of_rows(w, x, position, end - position, top, buffer)
        top += size
        blocks += 1
        pairs = blocks
        while top > stack + size and (not pairs & 1 or top >= stack + DEPTH * size):
            w.kernel.merge(top - 2 * size, top - size, width)
            top -= size
            pairs >>= 1
    while top > stack + size:
        w.kernel.merge(top - 2 * size, top - size, width)
        top -= size


cdef void store(Walk *w, Py_ssize_t tile, char *states) noexcept nogil:
    """Turn the states of a tile into results."""
    cdef Py_ssize_t row = tile // w.tiles_in_row, column = tile % w.tiles_in_row * w.tile
    cdef Py_ssize_t width = width_of(w, tile), rest
    cdef char *out
    cdef int d, k, inner = w.kept - 1
    mt_finish(w.how, w.kernel, states, width, w.times, w.p)
    for k in range(2):
        if w.out[k] != NULL:
            out = w.out[k] + column * w.out_stride[k][inner]
            rest = row
            for d in range(inner - 1, -1, -1):
                out += (rest % w.kept_shape[d]) * w.out_stride[k][d]
                rest //= w.kept_shape[d]
            conversion(w.out_code[k], w.kernel.code[k])(out, w.out_stride[k][inner], states + w.kernel.at[k],
                                                        w.kernel.size, width)


cdef void reduce_units(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Do some units of the work, one segment of one tile each."""
    cdef Walk *w = <Walk *>context
    cdef char[(DEPTH + 1) * STATES] stack
    cdef char[GATHERED] buffer
    cdef Py_ssize_t unit, tile, column, rest, first, last, width, j
    cdef int d, inner = w.kept - 1
    cdef char *states = <char *>stack
    cdef char *x
    cdef bint direct = w.reduced == 1 and w.segments == 1 and w.source_code == w.code and \
        w.reduced_stride[0] == mt_itemsize[w.code]
    for unit in range(begin, end):
        tile = unit // w.segments
        column = tile % w.tiles_in_row * w.tile
        rest = tile // w.tiles_in_row
        x = w.x + column * w.kept_stride[inner]
        for d in range(inner - 1, -1, -1):
            x += (rest % w.kept_shape[d]) * w.kept_stride[d]
            rest //= w.kept_shape[d]
        width = width_of(w, tile)
        first = unit % w.segments * w.segment
        last = first + w.segment
        if last > w.values:
            last = w.values
        if w.by_columns:
            reduce_range(w, x, width, first, last, states, <char *>buffer)
        elif direct and last - first <= w.kernel.block:
            for j in range(width):
                w.kernel.row(states + j * w.kernel.size, x + j * w.kept_stride[inner], last - first, 0, w.p)
        else:
            for j in range(width):                              # the stack above a state is free for the next
                reduce_range(w, x + j * w.kept_stride[inner], 1, first, last, states + j * w.kernel.size,
                             <char *>buffer)
        if w.segments == 1:
            store(w, tile, states)
        else:
            memcpy(w.partial + unit * w.tile * w.kernel.size, states, width * w.kernel.size)


cdef void merge_segments(Walk *w) noexcept nogil:
    """Merge the states of each tile's segments pairwise, then store them."""
    cdef Py_ssize_t tile, s, step, size = w.tile * w.kernel.size
    cdef char *states
    for tile in range(w.tiles):
        states = w.partial + tile * w.segments * size
        step = 1
        while step < w.segments:
            s = 0
            while s + step < w.segments:
                w.kernel.merge(states + s * size, states + (s + step) * size, width_of(w, tile))
                s += 2 * step
            step *= 2
        store(w, tile, states)


cdef struct DeviceReduction:        # `Reduction` of minitorch/cuda/kernels/reduce.cu, byte for byte; strides in bytes
    unsigned int results, values
    int kept, reduced
    unsigned int[DEVICE_DIMS] kept_shape, reduced_shape
    long long[DEVICE_DIMS] kept_stride, reduced_stride
    long long[2][DEVICE_DIMS] out_stride
    long long times
    double p


cdef int reduce_there(Walk *w, int op, TensorBase out, TensorBase second, TensorBase x, int code,
                      int how) except -1:
    """Let the device reduce."""
    cdef DeviceReduction r
    cdef int d
    if w.kept > DEVICE_DIMS or w.reduced > DEVICE_DIMS or x.numel >= <Py_ssize_t>1 << 31:
        raise NotImplementedError(f"a reduction on cuda takes at most {DEVICE_DIMS} dimensions of either kind that "
                                  f"cannot be joined and 2**31 elements: {describe(x)}. Make it contiguous(), or "
                                  "take it apart")
    memset(&r, 0, sizeof(r))
    r.results, r.values, r.kept, r.reduced, r.times, r.p = 1, w.values, w.kept, w.reduced, w.times, w.p
    for d in range(w.kept):
        r.results *= w.kept_shape[d]
        r.kept_shape[d], r.kept_stride[d] = w.kept_shape[d], w.kept_stride[d]
        r.out_stride[0][d], r.out_stride[1][d] = w.out_stride[0][d], w.out_stride[1][d]
    for d in range(w.reduced):
        r.reduced_shape[d], r.reduced_stride[d] = w.reduced_shape[d], w.reduced_stride[d]
    primitives().reduce(op, code == MT_BOOL, mt_category[x.code if code == MT_BOOL else code] >= 2, how,
                        shown(out), shown(second), shown(x),
                        (<char *>&r)[:sizeof(r)])
    return 0


cdef int reduce_data(int op, TensorBase out, TensorBase second, TensorBase x, unsigned long long mask, int code,
                     int how=MT_AS_IS, double p=1) except -1:
    """Reduce x, whose reduced dimensions are not empty, over those of a mask into out."""
    cdef Walk w
    if out.numel == 0:
        return 0
    w.kernel = &mt_reductions[op][code]
    w.p = p
    if on_device(x):
        lay_out(&w, op, out, second, x, mask)
        return reduce_there(&w, op, out, second, x, code,
                            MT_SCALE if how == MT_AS_IS and w.times != 1 else how)
    if out.numel == 1 and x.contiguous and x.numel <= w.kernel.block and x.code == code and out.code == code and \
            second is None and w.kernel.size == mt_itemsize[code]:
        w.kernel.row(data_of(out), data_of(x), x.numel, 0, p)       # one block, and its state is the result
        mt_finish(how, w.kernel, data_of(out), 1, 1, p)
        return 0
    w.code = code
    lay_out(&w, op, out, second, x, mask)
    w.how = MT_SCALE if how == MT_AS_IS and w.times != 1 else how
    divide_work(&w)
    if x.numel < GRAIN:
        reduce_units(&w, 0, w.tiles)
        return 0
    if w.segments > 1:
        w.partial = <char *>malloc(w.tiles * w.segments * w.tile * w.kernel.size)
        if w.partial == NULL:
            raise MemoryError("a reduction's partial results")
    with nogil:
        parallel_for(w.tiles * w.segments, 1 + GRAIN // (w.segment * width_of(&w, 0)), reduce_units, &w)
        if w.segments > 1:
            merge_segments(&w)
            free(w.partial)
    return 0


# --- arguments of the public functions ------------------------------------------------------------------------------

cdef unsigned long long all_dims(int ndim) noexcept nogil:
    return (<unsigned long long>1 << ndim) - 1 if ndim < 64 else ~<unsigned long long>0


cdef unsigned long long dims_mask(object dim, int ndim) except? 0x8000000000000000:
    """The dimensions of an argument `dim` as bits: an int, several, or none for all."""
    cdef unsigned long long mask = 0, bit
    if dim is None:
        return all_dims(ndim)
    if not isinstance(dim, (tuple, list)):
        if isinstance(dim, (float, str, bytes)):
            raise TypeError(f"dim must be an int or a tuple of ints, not {type(dim).__name__}")
        bit = <unsigned long long>1 << wrap_dim(dim, ndim)
        return bit if ndim else 0
    for one in dim:
        bit = <unsigned long long>1 << wrap_dim(one, ndim)
        if mask & bit:
            raise RuntimeError(f"dim {wrap_dim(one, ndim)} appears multiple times in the list of dims")
        mask |= bit
    return mask & all_dims(ndim) if mask else all_dims(ndim)


cdef bint flag(object keepdim, object keepdims) except -1:
    """The argument `keepdim`, or NumPy's name for it; a number there is most likely a second dimension."""
    if keepdims is not None:
        keepdim = keepdims
    if keepdim is not False and keepdim is not True:
        raise TypeError(f"keepdim must be bool, not {type(keepdim).__name__}: give several dimensions as a tuple")
    return keepdim is True


cdef TensorBase new_reduced(TensorBase x, unsigned long long mask, bint keepdim, int code):
    """A new tensor of the shape that x has once it is reduced."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, n = 0
    for d in range(x.ndim):
        if not (mask >> d) & 1:
            shape[n] = x.shape[d]
            n += 1
        elif keepdim:
            shape[n] = 1
            n += 1
    return new_on(x, n, shape, code)


cdef Py_ssize_t count_of(TensorBase x, unsigned long long mask) noexcept:
    """How many values make one result."""
    cdef Py_ssize_t n = 1
    cdef int d
    for d in range(x.ndim):
        if (mask >> d) & 1:
            n *= x.shape[d]
    return n


cdef TensorBase into_same(object out, TensorBase result, str name):
    """The same for functions of several results, which convert none of them."""
    if not isinstance(out, TensorBase):
        raise TypeError(f"{name}(): argument 'out' must be a tuple of Tensors, got {type(out).__name__} in it")
    if (<TensorBase>out).code != result.code:
        raise RuntimeError(f"{name}(): Expected out tensor to have dtype {dtype_of(result.code)}, but got "
                           f"{describe(<TensorBase>out)} instead")
    return into(<TensorBase>out, result, name)


cdef int value_code(int op, int code) noexcept:
    """The type in which a kernel takes values of a type."""
    code = mt_compute[code]
    return code if mt_reductions[op][code].row != NULL else MT_I64


cdef int sum_code(int code) noexcept:
    """The type of a sum or product of values of a type."""
    return code if mt_category[code] >= 2 else MT_I64


cdef class ReduceBackward(Node):
    """What the derivatives of reductions have in common: they know what was reduced."""
    cdef TensorBase spread(self, TensorBase g):
        """A gradient or result in the shape of what was reduced, each repeated over its values."""
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef int d
        if not self.keepdim and g.ndim and self.mask:
            for d in range(self.source.ndim):
                shape[d] = 1 if (self.mask >> d) & 1 else self.source.shape[d]
            g = reshape_to(g, self.source.ndim, shape)
        return expand_to(g, self.source.ndim, self.source.shape)

    cdef void describe_input(self, TensorBase x, unsigned long long mask, bint keepdim, bint whole):
        self.source = alias(x)
        self.source.storage = None
        self.mask = mask
        self.keepdim = keepdim
        self.whole = whole
        self.count = count_of(x, mask)


cdef TensorBase reduced_by(ReduceBackward node, TensorBase out, TensorBase x, unsigned long long mask, bint keepdim,
                           bint whole):
    """Record a reduction."""
    node.describe_input(x, mask, keepdim, whole)
    if out.code != x.code:
        node.input_meta = ((shape_of(x), x.code),)
    return record1(node, out, x)


# --- sum and mean ---------------------------------------------------------------------------------------------------

cdef TensorBase sum_data(TensorBase x, unsigned long long mask, bint keepdim, int code, int how=MT_AS_IS, double p=1):
    """The sum as a type; not recorded."""
    cdef TensorBase out = new_reduced(x, mask, keepdim, code)
    if x.numel == 0:
        zero_data(out)
    else:
        reduce_data(MT_SUM, out, None, x, mask, value_code(MT_SUM, code), how, p)
    return out


@cython.final
cdef class SumBackward(ReduceBackward):
    """y = sum x:  dx = dy repeated."""
    cdef str op_name(self):
        return "SumBackward0" if self.whole else "SumBackward1"

    cdef object apply(self, TensorBase g):
        return (self.spread(g),)


cdef TensorBase summed(TensorBase x, unsigned long long mask, bint keepdim, bint whole, int code):
    cdef TensorBase out = sum_data(x, mask, keepdim, code)
    if mt_category[code] >= 2 and recording1(x):
        reduced_by(SumBackward.__new__(SumBackward), out, x, mask, keepdim, whole)
    return out


cdef TensorBase sum_of(TensorBase x, unsigned long long mask, bint keepdim):
    return summed(x, mask, keepdim, False, sum_code(x.code))


cdef TensorBase sum_to(TensorBase g, int ndim, const Py_ssize_t *shape):
    """Sum g over the dimensions along which a tensor of the given shape was broadcast to reach that of g."""
    cdef unsigned long long mask = 0, lead = all_dims(g.ndim - ndim)
    cdef int d
    cdef TensorBase out
    if has_shape(g, ndim, shape):
        return g
    for d in range(ndim):
        if shape[d] == 1 and g.shape[g.ndim - ndim + d] != 1:
            mask |= <unsigned long long>1 << (g.ndim - ndim + d)
    if mask == 0:
        return summed(g, lead, False, False, g.code)
    out = summed(g, mask | lead, True, False, g.code)
    return reshape_to(out, ndim, shape) if lead else out


def sum(TensorBase input not None, dim=None, keepdim=False, *, dtype=None, TensorBase out=None, axis=None,
        keepdims=None):
    """Sum of all elements, or along dimensions; integers and bools are added up as int64.

    .. math:: y = \\sum_i x_i

    >>> import minitorch
    >>> x = minitorch.tensor([[1., 2.], [3., 4.]])
    >>> x.sum(), x.sum(0)
    (tensor(10.), tensor([4., 6.]))
    """
    if dim is None:
        dim = axis
    cdef int code = code_of(dtype, sum_code(input.code) if out is None else out.code)
    return into(out, summed(input, dims_mask(dim, input.ndim), flag(keepdim, keepdims), dim is None, code), "sum")


@cython.final
cdef class MeanBackward(ReduceBackward):
    """y = sum x / n:  dx = dy / n repeated."""
    cdef str op_name(self):
        return "MeanBackward0" if self.whole else "MeanBackward1"

    cdef object apply(self, TensorBase g):
        return (self.spread(op_div(g, self.count)),)


cdef TensorBase averaged(TensorBase x, unsigned long long mask, bint keepdim, bint whole, int code):
    cdef Py_ssize_t count = count_of(x, mask)
    cdef TensorBase out = sum_data(x, mask, keepdim, code, MT_SCALE, count)
    if count == 0:
        fill_data(out, scalar_value(float("nan"), mt_compute[code]))
    if recording1(x):
        reduced_by(MeanBackward.__new__(MeanBackward), out, x, mask, keepdim, whole)
    return out


cdef TensorBase mean_of(TensorBase x, unsigned long long mask, bint keepdim):
    return averaged(x, mask, keepdim, False, x.code)


def mean(TensorBase input not None, dim=None, keepdim=False, *, dtype=None, TensorBase out=None, axis=None,
         keepdims=None):
    """Arithmetic mean of all elements, or along dimensions.

    .. math:: y = \\frac{1}{n} \\sum_i x_i

    Raises:
        RuntimeError: for integers and bools, unless ``dtype`` is a floating-point type.

    >>> import minitorch
    >>> minitorch.tensor([[1., 2.], [3., 6.]]).mean(), minitorch.tensor([[1., 2.], [3., 6.]]).mean(1)
    (tensor(3.), tensor([1.5000, 4.5000]))
    """
    if dim is None:
        dim = axis
    cdef int code = code_of(dtype, input.code)
    if mt_category[code] < 2:
        raise RuntimeError(f"mean(): could not infer output dtype. {'Input' if dtype is None else 'Optional'} dtype "
                           f"must be either a floating point or complex dtype. Got: {dtype_of(code).name}. "
                           "Convert the input with .float(), or give dtype=")
    return into(out, averaged(input, dims_mask(dim, input.ndim), flag(keepdim, keepdims), dim is None, code), "mean")


def nansum(TensorBase input not None, dim=None, keepdim=False, *, dtype=None, TensorBase out=None):
    """Sum in which elements that are not a number count as zero.

    >>> import minitorch
    >>> minitorch.tensor([1., float("nan"), 2.]).nansum()
    tensor(3.)
    """
    if mt_category[input.code] == 3:
        raise RuntimeError("nansum does not support complex inputs")
    if mt_category[input.code] == 2:
        input = op_where(compare(input, input, Py_NE), 0, input)
    return sum(input, dim, keepdim, dtype=dtype, out=out)


def nanmean(TensorBase input not None, dim=None, keepdim=False, *, dtype=None, TensorBase out=None):
    """Mean of the elements that are a number.

    >>> import minitorch
    >>> minitorch.tensor([1., float("nan"), 2.]).nanmean()
    tensor(1.5000)
    """
    if mt_category[input.code] < 2:
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got "
                           f"{describe(input)}")
    result = op_div(nansum(input, dim, keepdim, dtype=dtype), sum(op_eq(input, input), dim, keepdim))
    return into(out, result, "nanmean")


def count_nonzero(TensorBase input not None, dim=None):
    """How many elements are not zero, in all or along dimensions.

    >>> import minitorch
    >>> minitorch.tensor([[0, 1], [2, 3]]).count_nonzero(0)
    tensor([1, 2])
    """
    return sum_of(compare(input, 0, Py_NE), dims_mask(dim, input.ndim), False)


# --- product --------------------------------------------------------------------------------------------------------

@cython.final
cdef class ProdBackward(ReduceBackward):
    """y = x1 x2 ... xn:  dxi = dy times the product of the others."""
    cdef str op_name(self):
        return "ProdBackward0" if self.whole else "ProdBackward1"

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = conj_of(self.saved(0)), y = conj_of(self.saved(1)), zero = op_eq(x, 0), zeros, others
        if not data_of(host_data(truth(zero, None, False, False)))[0]:
            return (op_div(self.spread(op_mul(g, y)), x),)
        if grad_enabled():
            return (op_mul(self.spread(g), self.products_of_others(x)),)
        zeros = self.spread(sum_of(zero, self.mask, self.keepdim))     # two zeros leave nothing of any product
        others = op_where(zero, 1, x)
        others = op_div(self.spread(product(others, self.mask, self.keepdim, False, x.code)), others)
        return (op_mul(self.spread(g), op_where(op_eq(zeros, op_where(zero, 1, 0)), others, 0)),)

    cdef TensorBase products_of_others(self, TensorBase x):
        """Those before times those behind: no division, so that it can be differentiated where there are zeros."""
        cdef TensorBase flat = reshape_to(x, 1, &x.numel) if self.whole else x
        cdef int dim = 0
        if flat.ndim == 0:
            return ones_like(x)
        while not self.whole and not (self.mask >> dim) & 1:
            dim += 1
        if flat.shape[dim] == 1:
            return ones_like(x)
        flat = op_mul(product_beside(flat, dim, False), product_beside(flat, dim, True))
        return reshape_to(flat, x.ndim, x.shape)


cdef TensorBase ones_like(TensorBase x):
    cdef TensorBase out = new_on(x, x.ndim, x.shape, x.code)
    fill_data(out, scalar_value(1, mt_compute[out.code]))
    return out


cdef TensorBase product_beside(TensorBase x, int dim, bint behind):
    """The products of all elements before each along a dimension, or of those behind it."""
    cdef TensorBase shifted = ones_like(x)
    cdef Py_ssize_t n = x.shape[dim] - 1
    copy_into(slice_of(shifted, dim, not behind, n, 1), slice_of(x, dim, behind, n, 1))
    return scanned(MT_SCAN_PROD, shifted, dim, behind, x.code)


cdef TensorBase product(TensorBase x, unsigned long long mask, bint keepdim, bint whole, int code):
    cdef TensorBase out = new_reduced(x, mask, keepdim, code)
    cdef ProdBackward node
    if x.numel == 0:
        fill_data(out, scalar_value(1, mt_compute[code]))
    else:
        reduce_data(MT_PROD, out, None, x, mask, value_code(MT_PROD, code))
    if mt_category[code] >= 2 and recording1(x):
        node = ProdBackward.__new__(ProdBackward)
        reduced_by(node, out, x, mask, keepdim, whole)
        node.save(0, x)
        node.save(1, out)
    return out


def prod(TensorBase input not None, dim=None, keepdim=False, *, dtype=None, TensorBase out=None, axis=None,
         keepdims=None):
    """Product of all elements, or along one dimension; integers and bools are multiplied as int64.

    .. math:: y = \\prod_i x_i

    >>> import minitorch
    >>> minitorch.tensor([[1., 2.], [3., 4.]]).prod(), minitorch.tensor([[1., 2.], [3., 4.]]).prod(0)
    (tensor(24.), tensor([3., 8.]))
    """
    if dim is None:
        dim = axis
    cdef int code = code_of(dtype, sum_code(input.code) if out is None else out.code)
    if code != input.code and mt_category[code] >= 2:
        input = cast(input, code)
    cdef unsigned long long mask = dims_mask(one_dim(dim, "prod"), input.ndim)
    return into(out, product(input, mask, flag(keepdim, keepdims), dim is None, code), "prod")


cdef object one_dim(object dim, str name):
    """The argument of a function that takes a single dimension or none."""
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    return dim


# --- any and all ----------------------------------------------------------------------------------------------------

cdef TensorBase truth(TensorBase x, object dim, bint keepdim, bint whole_truth):
    """Whether any element is not zero, or all are; bool, but uint8 of uint8."""
    cdef unsigned long long mask = 0 if isinstance(dim, (tuple, list)) and not dim else dims_mask(dim, x.ndim)
    cdef TensorBase out = new_reduced(x, mask, keepdim, MT_U8 if x.code == MT_U8 else MT_BOOL)
    if x.numel == 0:
        fill_data(out, scalar_value(whole_truth, out.code))
    else:
        reduce_data(MT_MIN if whole_truth else MT_MAX, out, None, x, mask, MT_BOOL)
    return out


def any(TensorBase input not None, dim=None, keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """Whether any element is true (not zero), in all or along dimensions.

    >>> import minitorch
    >>> minitorch.tensor([[0, 1], [0, 0]]).any(1)
    tensor([ True, False])
    """
    return into(out, truth(input, dim if axis is None else axis, flag(keepdim, keepdims), False), "any")


def all(TensorBase input not None, dim=None, keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """Whether all elements are true (not zero), in all or along dimensions.

    >>> import minitorch
    >>> minitorch.tensor([[0, 1], [2, 3]]).all(1)
    tensor([False,  True])
    """
    return into(out, truth(input, dim if axis is None else axis, flag(keepdim, keepdims), True), "all")


# --- sums and products so far ---------------------------------------------------------------------------------------

cdef struct Scan:
    mt_scan_kernel kernel
    char *out
    char *x
    Py_ssize_t n, inner, tiles
    int item
    bint reverse


cdef enum:
    SCANNED_AT_ONCE = 512       # columns


cdef void scan_units(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Scan *s = <Scan *>context
    cdef Py_ssize_t unit, first, width, at
    for unit in range(begin, end):
        first = unit % s.tiles * SCANNED_AT_ONCE
        width = s.inner - first
        if width > SCANNED_AT_ONCE:
            width = SCANNED_AT_ONCE
        at = (unit // s.tiles * s.n * s.inner + first) * s.item
        if s.reverse:
            at += (s.n - 1) * s.inner * s.item
        s.kernel(s.out + at, s.x + at, -s.inner if s.reverse else s.inner, s.n, width)


cdef TensorBase scan_data(int op, TensorBase x, int dim, bint reverse, int code):
    """The sums or products of the elements up to each along a dimension, from either end; not recorded."""
    cdef int work = value_code(MT_SUM, code), d
    cdef Scan s
    cdef Py_ssize_t outer = 1, width
    cdef TensorBase out
    x = contiguous_data(converted(x, work))
    out = new_on(x, x.ndim, x.shape, work)
    s.n = x.shape[dim] if x.ndim else 1
    s.inner = 1
    for d in range(x.ndim):
        if d < dim:
            outer *= x.shape[d]
        elif d > dim:
            s.inner *= x.shape[d]
    if on_device(x):
        if x.numel:
            primitives().scan("Product" if op == MT_SCAN_PROD else "Sum", shown(out), None, shown(x), s.n, s.inner,
                              reverse)
        return converted(out, code)
    s.kernel = mt_scans[op][work]
    s.out, s.x = data_of(out), data_of(x)
    s.item = mt_itemsize[work]
    s.reverse = reverse
    s.tiles = (s.inner + SCANNED_AT_ONCE - 1) // SCANNED_AT_ONCE
    if x.numel:
        width = s.inner if s.tiles == 1 else SCANNED_AT_ONCE
        with nogil:
            parallel_for(outer * s.tiles, 1 + GRAIN // (s.n * width), scan_units, &s)
    return converted(out, code)


cdef class ScanBackward(Node):
    cdef int dim
    cdef bint reverse


@cython.final
cdef class CumsumBackward(ScanBackward):
    """y_k = x_1 + ... + x_k:  dx_i = dy_i + ... + dy_n."""
    cdef object apply(self, TensorBase g):
        return (scanned(MT_SCAN_SUM, g, self.dim, not self.reverse, g.code),)


@cython.final
cdef class CumprodBackward(ScanBackward):
    """y_k = x_1 ... x_k:  dx_i = (dy_i y_i + ... + dy_n y_n) / x_i, and without dividing where there are zeros."""
    cdef object apply(self, TensorBase g):
        cdef TensorBase x = conj_of(self.saved(0)), y = conj_of(self.saved(1)), zero = op_eq(x, 0)
        cdef TensorBase seen, first, before, whole
        if not data_of(host_data(truth(zero, None, False, False)))[0]:
            return (op_div(self.rest(op_mul(g, y)), x),)
        if grad_enabled():
            return (self.step_by_step(g, x),)
        seen = scan_data(MT_SCAN_SUM, zero, self.dim, self.reverse, MT_I64)
        first = op_mul(zero, op_eq(seen, 1))
        # before the first zero y is zero from there on; at it, the products are those without it; behind it, nothing
        before = op_div(self.rest(op_mul(g, y)), op_where(zero, 1, x))
        whole = self.rest(op_mul(g, scan_data(MT_SCAN_PROD, op_where(first, 1, x), self.dim, self.reverse, x.code)))
        return (op_where(first, whole, op_where(op_eq(seen, 0), before, 0)),)

    cdef TensorBase rest(self, TensorBase t):
        """What t comes to from each element on."""
        return scanned(MT_SCAN_SUM, t, self.dim, not self.reverse, t.code)

    cdef TensorBase step_by_step(self, TensorBase g, TensorBase x):
        """dx_i = p_i s_i, where p_i is the product of those before and s_i = dy_i + x_(i+1) s_(i+1)."""
        cdef Py_ssize_t n = x.shape[self.dim] if x.ndim else 1
        cdef TensorBase out, total = None, product = None, value
        if x.ndim == 0:
            return g
        order = list(range(n))
        if self.reverse:
            order.reverse()
        xs = [select_of(x, self.dim, i) for i in order]
        totals = [None] * n
        for i in reversed(range(n)):
            value = select_of(g, self.dim, order[i])
            total = value if total is None else op_add(value, op_mul(xs[i + 1], total))
            totals[i] = total
        out = zeros_like_data(x, x.code)
        for i in range(n):
            value = totals[i] if product is None else op_mul(product, totals[i])
            product = xs[i] if product is None else op_mul(product, xs[i])
            copy_into(select_of(out, self.dim, order[i]), value)
        return out


cdef ScanBackward new_scan_node(int op, int dim, bint reverse):
    cdef ScanBackward node
    node = CumsumBackward.__new__(CumsumBackward) if op == MT_SCAN_SUM else CumprodBackward.__new__(CumprodBackward)
    node.dim, node.reverse = dim, reverse
    return node


cdef TensorBase scanned(int op, TensorBase x, int dim, bint reverse, int code):
    """The same, recorded."""
    cdef TensorBase out
    cdef ScanBackward node
    out = scan_data(op, x, dim, reverse, code)
    if mt_category[code] >= 2 and recording1(x):
        node = new_scan_node(op, dim, reverse)
        record1(node, out, x)
        if op == MT_SCAN_PROD:
            node.save(0, x)
            node.save(1, out)
    return out


cdef object cumulated(int op, TensorBase x, object dim, object dtype, TensorBase out, str name):
    cdef int code = code_of(dtype, sum_code(x.code) if out is None else out.code)
    if mt_category[code] >= 2:
        x = cast(x, code)
    return into(out, scanned(op, x, wrap_dim(dim, x.ndim), False, code), name)


cdef TensorBase cumulated_(int op, TensorBase x, object dim, object dtype, str name):
    """The same in place."""
    cdef int d = wrap_dim(dim, x.ndim)
    cdef TensorBase before = None, out
    cdef ScanBackward node = None
    if dtype is not None and code_of(dtype) != x.code:
        raise RuntimeError(f"{name}: provided dtype must match the dtype of self, {describe(x)}, but got "
                           f"{dtype_of(code_of(dtype)).name}")
    check_inplace(x, name)
    out = scan_data(op, x, d, False, x.code)
    if grad_enabled() and requires_grad(x):
        node = new_scan_node(op, d, False)
        if op == MT_SCAN_PROD:
            before = new_on(x, x.ndim, x.shape, x.code)     # its derivative needs the value that is overwritten
            copy_data(before, x)
            if x.grad_fn is not None:
                before.grad_fn, before.output_nr = x.grad_fn, x.output_nr
    copy_data(x, out)
    bump(x)
    if node is not None:
        rebase(x, record_edges(node, (x,)))
        if op == MT_SCAN_PROD:
            node.save(0, before)
            node.save(1, x)
    return x


def cumsum(TensorBase input not None, dim=None, *, dtype=None, TensorBase out=None, axis=None):
    """The sums of the elements up to each along a dimension; of integers and bools as int64.

    .. math:: y_k = \\sum_{i \\le k} x_i

    >>> import minitorch
    >>> minitorch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    if dim is None and axis is None:
        raise TypeError("cumsum() missing 1 required positional arguments: \"dim\"")
    return cumulated(MT_SCAN_SUM, input, axis if dim is None else dim, dtype, out, "cumsum")


def cumsum_(TensorBase self not None, dim, *, dtype=None):
    """In-place `cumsum`."""
    return cumulated_(MT_SCAN_SUM, self, dim, dtype, "cumsum_")


def cumprod(TensorBase input not None, dim=None, *, dtype=None, TensorBase out=None, axis=None):
    """The products of the elements up to each along a dimension; of integers and bools as int64.

    .. math:: y_k = \\prod_{i \\le k} x_i

    >>> import minitorch
    >>> minitorch.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    if dim is None and axis is None:
        raise TypeError("cumprod() missing 1 required positional arguments: \"dim\"")
    return cumulated(MT_SCAN_PROD, input, axis if dim is None else dim, dtype, out, "cumprod")


def cumprod_(TensorBase self not None, dim, *, dtype=None):
    """In-place `cumprod`."""
    return cumulated_(MT_SCAN_PROD, self, dim, dtype, "cumprod_")
