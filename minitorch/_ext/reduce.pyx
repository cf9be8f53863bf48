"""Reductions: what the values along any dimensions come to, and the derivative of each.

All of them walk alike (`reduce_data`): dimensions are ordered by stride and joined where they lie one behind the other,
then values are taken block by block, as rows where a reduced dimension is the innermost and as columns where a kept one
is.  Blocks merge pairwise and are the same for any number of threads, so the result is accurate and reproducible.
"""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from minitorch._ext.dtype cimport (
    MT_BOOL, MT_F32, MT_F64, MT_I64, MT_U8, code_of, default_code, dtype_of, mt_category, mt_compute, mt_itemsize,
)
from minitorch._ext.loops cimport (
    GRAIN, copy_data, fill_data, mt_convert_loop, mt_scalar, scalar_value, zero_data,
)
from minitorch._ext.pointwise cimport op_div, op_mul, prepare_out
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, alias, bump, data_of, describe, grad_enabled, has_shape, new_tensor, record1, recording1,
    set_dims, set_contiguous_dims, shape_of, wrap_dim,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport expand_to, reshape_to

cdef extern from "convert.h" nogil:
    const mt_convert_loop mt_convert[10][10]

cdef extern from "reduce.h" nogil:
    const mt_reduction mt_reductions[11][10]
    void mt_finish(int how, const mt_reduction *kernel, char *states, Py_ssize_t n, long long times, double p)


# --- the primitive ----------------------------------------------------------------------------------------------------

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


cdef void lay_out(Walk *w, int op, TensorBase out, TensorBase second, TensorBase x, unsigned long long mask) noexcept nogil:
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
    cdef Py_ssize_t inner = w.kept_shape[w.kept - 1], width, rows = 1
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
        w.segment = (SEGMENT // width + MT_BLOCK - 1) // MT_BLOCK * MT_BLOCK if not w.by_columns else \
            (SEGMENT // width + ROWS_OF_BLOCK - 1) // ROWS_OF_BLOCK * ROWS_OF_BLOCK
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


cdef Py_ssize_t block_of_rows(Walk *w, char *x, Py_ssize_t position, Py_ssize_t n, char *state, char *buffer) noexcept nogil:
    """Reduce at most n values of one result to a state; how many it were."""
    cdef Py_ssize_t run = w.reduced_shape[w.reduced - 1], stride = w.reduced_stride[w.reduced - 1]
    cdef Py_ssize_t item = mt_itemsize[w.code], done = 0, length
    if n > MT_BLOCK:
        n = MT_BLOCK
    if stride == item and w.source_code == w.code:
        length = run - position % run
        if n > length:
            n = length
        w.kernel.row(state, value_at(w, x, position), n, position, w.p)
        return n
    while done < n:
        length = run - (position + done) % run
        if length > n - done:
            length = n - done
        mt_convert[w.code][w.source_code](buffer + done * item, item, value_at(w, x, position + done), stride, length)
        done += length
    w.kernel.row(state, buffer, n, position, w.p)
    return n


cdef Py_ssize_t block_of_columns(Walk *w, char *x, Py_ssize_t width, Py_ssize_t position, Py_ssize_t n, char *states,
                                 char *buffer) noexcept nogil:
    """Reduce at most n values of each of `width` results side by side; how many it were."""
    cdef Py_ssize_t run = w.reduced_shape[w.reduced - 1], row_stride = w.reduced_stride[w.reduced - 1]
    cdef Py_ssize_t item = mt_itemsize[w.code], left = run - position % run, r
    cdef Py_ssize_t stride = w.kept_stride[w.kept - 1]
    if n > ROWS_OF_BLOCK:
        n = ROWS_OF_BLOCK
    if n > left:
        n = left
    x = value_at(w, x, position)
    if stride != item or w.source_code != w.code:
        if n * width * item > GATHERED:
            n = GATHERED // (width * item)
        for r in range(n):
            mt_convert[w.code][w.source_code](buffer + r * width * item, item, x + r * row_stride, stride, width)
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
            mt_convert[w.out_code[k]][w.kernel.code[k]](out, w.out_stride[k][inner], states + w.kernel.at[k],
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
        else:
            for j in range(width):                              # the stack above a state is free for the next
                reduce_range(w, x + j * w.kept_stride[inner], 1, first, last, states + j * w.kernel.size, <char *>buffer)
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


cdef int reduce_data(int op, TensorBase out, TensorBase second, TensorBase x, unsigned long long mask, int code,
                     int how=MT_AS_IS, double p=1) except -1:
    """Reduce x, whose reduced dimensions are not empty, over those of a mask into out."""
    cdef Walk w
    if out.numel == 0:
        return 0
    w.kernel = &mt_reductions[op][code]
    w.code = code
    w.p = p
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


# --- dimensions and types of the public functions ---------------------------------------------------------------------

cdef unsigned long long all_dims(int ndim) noexcept nogil:
    return (<unsigned long long>1 << ndim) - 1


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
    return new_tensor(n, shape, code)


cdef Py_ssize_t count_of(TensorBase x, unsigned long long mask) noexcept:
    """How many values make one result."""
    cdef Py_ssize_t n = 1
    cdef int d
    for d in range(x.ndim):
        if (mask >> d) & 1:
            n *= x.shape[d]
    return n


cdef class ReduceBackward(Node):
    """What the derivatives of reductions have in common: they know what was reduced."""
    cdef TensorBase source              # its shape alone, of no storage
    cdef unsigned long long mask
    cdef bint keepdim, whole            # whole: by the form without dimensions
    cdef Py_ssize_t count

    cdef TensorBase spread(self, TensorBase g):
        """A gradient or result in the shape of what was reduced, each repeated over its values."""
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef int d
        if not self.keepdim and g.ndim and self.mask:
            for d in range(self.source.ndim):
                shape[d] = 1 if (self.mask >> d) & 1 else self.source.shape[d]
            g = reshape_to(g, self.source.ndim, shape)
        return expand_to(g, self.source.ndim, self.source.shape)


cdef TensorBase reduced_by(ReduceBackward node, TensorBase out, TensorBase x, unsigned long long mask, bint keepdim,
                           bint whole):
    """Record a reduction."""
    node.source = alias(x)
    node.source.storage = None
    node.mask = mask
    node.keepdim = keepdim
    node.whole = whole
    node.count = count_of(x, mask)
    if out.code != x.code:
        node.input_meta = ((shape_of(x), x.code),)
    return record1(node, out, x)


# --- sums ----------------------------------------------------------------------------------------------------------------

cdef int sum_code(int code) noexcept:
    """The type in which values of a type are added up."""
    return mt_compute[code] if mt_category[code] == 2 else MT_I64


cdef TensorBase sum_data(TensorBase x, unsigned long long mask, bint keepdim, int code, int how=MT_AS_IS, double p=1):
    """The sum as a type; not recorded."""
    cdef TensorBase out = new_reduced(x, mask, keepdim, code)
    if x.numel == 0:
        zero_data(out)
    else:
        reduce_data(MT_SUM, out, None, x, mask, sum_code(code), how, p)
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
    if mt_category[code] == 2 and recording1(x):
        reduced_by(SumBackward.__new__(SumBackward), out, x, mask, keepdim, whole)
    return out


cdef TensorBase sum_of(TensorBase x, unsigned long long mask, bint keepdim):
    return summed(x, mask, keepdim, False, x.code if mt_category[x.code] == 2 else MT_I64)


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
    out = summed(g, mask | lead, True, False, g.code)
    return reshape_to(out, ndim, shape) if lead else out


def sum(TensorBase input not None, dim=None, bint keepdim=False, *, dtype=None, TensorBase out=None, axis=None,
        keepdims=None):
    """Sum of all elements, or along dimensions; integers and bools are added up as int64.

    .. math:: y = \\sum_i x_i

    >>> import minitorch
    >>> minitorch.tensor([[1., 2.], [3., 4.]]).sum(), minitorch.tensor([[1., 2.], [3., 4.]]).sum(0)
    (tensor(10.), tensor([4., 6.]))
    """
    if dim is None:
        dim = axis
    cdef int code = code_of(dtype, input.code if mt_category[input.code] == 2 else MT_I64)
    return summed(input, dims_mask(dim, input.ndim), keepdim, dim is None, code)
