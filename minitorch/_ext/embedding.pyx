"""Tables of vectors: taking rows of a table by number, and sums of such rows.

Everything differentiable is one operation, ``y[target_i] += c_i x[source_i]``, whose derivative for x is itself with
the places changed over.  Taking rows is the case in which every row has a target of its own.
"""
cimport cython
from libc.stdint cimport int64_t
from minitorch._ext.dtype cimport MT_F64, MT_I32, MT_I64, mt_category, mt_compute
from minitorch._ext.index cimport index_at, put_data
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, fill_data, scalar_value, zero_data
from minitorch._ext.pointwise cimport cast, op_mul
from minitorch._ext.reduce cimport sum_of
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, check_devices, data_of, describe, new_on, new_tensor, on_device, record, record1, recording,
    recording1, shown,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport detach_of, reshape_to, slice_of, unsqueeze_of

cdef extern from "embedding.h" nogil:
    void mt_add_rows_f32(char *y, const char *x, Py_ssize_t x_step, const int64_t *source, const int64_t *target,
                         const char *c, Py_ssize_t n, Py_ssize_t width, Py_ssize_t first, Py_ssize_t last)
    void mt_add_rows_f64(char *y, const char *x, Py_ssize_t x_step, const int64_t *source, const int64_t *target,
                         const char *c, Py_ssize_t n, Py_ssize_t width, Py_ssize_t first, Py_ssize_t last)
    void mt_greatest_rows_f32(int64_t *place, const char *x, const int64_t *source, const int64_t *target,
                              Py_ssize_t n, Py_ssize_t width)
    void mt_greatest_rows_f64(int64_t *place, const char *x, const int64_t *source, const int64_t *target,
                              Py_ssize_t n, Py_ssize_t width)


cdef struct Rows:
    int code
    char *y
    char *x
    const int64_t *source
    const int64_t *target
    char *c
    Py_ssize_t x_step, n, width


cdef void add_some(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Units are rows of the result: each thread adds up rows of its own."""
    cdef Rows *r = <Rows *>context
    (mt_add_rows_f64 if r.code == MT_F64 else mt_add_rows_f32)(
        r.y, r.x, r.x_step, r.source, r.target, r.c, r.n, r.width, begin, end)


cdef TensorBase places(TensorBase t, Py_ssize_t rows, str what):
    """Row numbers as a contiguous int64 tensor of one dimension, checked; -1 is left out where a target."""
    cdef TensorBase result
    cdef Py_ssize_t i, bad = -1
    cdef int64_t *p
    if t.code != MT_I64 and t.code != MT_I32:
        raise RuntimeError(f"embedding: expected {what} of type Long or Int, but got {describe(t)}; "
                           "convert with .long()")
    result = contiguous_data(converted(t, MT_I64))
    if on_device(result):
        bad = primitives().first_outside(shown(result), rows)
    else:
        p = <int64_t *>data_of(result)
        for i in range(result.numel):
            if p[i] < 0 or p[i] >= rows:
                bad = i
                break
    if bad >= 0:
        raise IndexError(f"embedding: index out of range: {what} has "
                         f"{shown(reshape_to(result, 1, &result.numel))[bad].item()} at place {bad}, the table has "
                         f"{rows} rows, 0 to {rows - 1}")
    return reshape_to(result, 1, &result.numel)


cdef TensorBase added(TensorBase x, TensorBase source, TensorBase target, TensorBase c, Py_ssize_t rows):
    """The primitive; not recorded.  x is (n, width), c as long as the places; source may be None: 0, 1, 2, ..."""
    cdef Py_ssize_t[2] shape = [rows, x.shape[1]]
    cdef int code = mt_compute[x.code]
    cdef TensorBase y = new_on(x, 2, shape, code), values = x
    cdef Rows r
    if on_device(x):
        zero_data(y)
        values = converted(detach_of(x), code)
        values = values if source is None else index_at(values, 0, (source,))
        values = values if c is None else op_mul(values, unsqueeze_of(converted(detach_of(c), code), 1))
        put_data(y, 0, 1, target, values, True)
        return converted(y, x.code)
    if x.strides[0] == 0 and x.strides[1] == 0 and x.numel:       # one value, as from a sum: one row of it will do
        values = slice_of(x, 0, 0, 1, 1)
    values = contiguous_data(converted(values, code))
    r.code, r.n, r.width = code, target.numel, x.shape[1]
    r.x_step = r.width if values.shape[0] == x.shape[0] else 0
    r.y, r.x, r.c = data_of(y), data_of(values), NULL
    r.source = NULL
    if source is not None:
        r.source = <const int64_t *>data_of(source)
    r.target = <const int64_t *>data_of(target)
    if c is not None:
        c = contiguous_data(converted(c, code))
        r.c = data_of(c)
    if y.numel:
        with nogil:
            parallel_for(rows, 1 + GRAIN // r.width, add_some, &r)
    return converted(y, x.code)


cdef TensorBase add_rows(TensorBase x, TensorBase source, TensorBase target, TensorBase c, Py_ssize_t rows):
    """y[target_i] += c_i x[source_i] with `rows` rows; recorded for x and c.  The places are checked already."""
    cdef TensorBase y = added(x, source, target, c, rows)
    cdef AddRowsBackward node
    if recording((x, c)):
        node = AddRowsBackward.__new__(AddRowsBackward)
        node.source, node.target, node.rows = source, target, x.shape[0]
        record(node, y, (x, c))
        node.save(0, x)
        if c is not None:
            node.save(1, c)
    return y


@cython.final
cdef class AddRowsBackward(Node):
    """y[t_i] += c_i x[s_i]:  dx[s_i] += c_i dy[t_i]  and  dc_i = x[s_i] · dy[t_i]."""
    cdef TensorBase source, target
    cdef Py_ssize_t rows

    cdef str op_name(self):
        return "EmbeddingBagBackward0"

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0), c = self.saved(1), dx = None, dc = None, taken
        if self.needs(0):
            if self.source is None and c is None:
                dx = index_at(g, 0, (self.target,))
            elif self.source is None:
                dx = op_mul(index_at(g, 0, (self.target,)), unsqueeze_of(c, 1))
            else:
                dx = add_rows(g, self.target, self.source, c, self.rows)
        if c is not None and self.needs(1):
            taken = x if self.source is None else index_at(x, 0, (self.source,))
            dc = sum_of(op_mul(taken, index_at(g, 0, (self.target,))), 2, False)
        return dx, dc


@cython.final
cdef class EmbeddingBackward(Node):
    """y_i = W[p_i]:  dW[p_i] += dy_i, times c_i where rows do not count or count less."""
    cdef TensorBase place, factors
    cdef Py_ssize_t rows

    cdef object apply(self, TensorBase g):
        cdef Py_ssize_t[2] shape = [self.place.numel, g.shape[g.ndim - 1]]
        cdef TensorBase factors = self.factors
        if g.ndim != 2:
            g = reshape_to(g, 2, shape)
        if factors is not None:
            factors = cast(factors, g.code)
        return (add_rows(g, None, self.place, factors, self.rows),)


cdef TensorBase shares(TensorBase place, Py_ssize_t rows, Py_ssize_t padding, bint by_frequency):
    """What each row's gradient is multiplied by: 0 for padding; one over how often its place is named; or None."""
    cdef TensorBase c, counts = None
    cdef int64_t *p = <int64_t *>data_of(place)
    cdef double *factor
    cdef double *count = NULL
    cdef Py_ssize_t i
    if padding < 0 and not by_frequency:
        return None
    if on_device(place):
        return primitives().shares(shown(place), rows, padding, by_frequency)
    c = new_tensor(1, &place.numel, MT_F64)
    factor = <double *>data_of(c)
    if by_frequency:
        counts = new_tensor(1, &rows, MT_F64)
        fill_data(counts, scalar_value(0.0, MT_F64))
        count = <double *>data_of(counts)
        for i in range(place.numel):
            count[p[i]] += 1
    for i in range(place.numel):
        factor[i] = 0 if p[i] == padding else 1 / count[p[i]] if by_frequency else 1
    return c


def embedding(TensorBase weight not None, TensorBase indices not None, Py_ssize_t padding_idx=-1,
              bint scale_grad_by_freq=False, bint sparse=False):
    """The rows of a table that the indices name.

    .. math:: y_{i} = W_{p_i}

    Args:
        padding_idx: a row that gets no gradient; -1 for none.
        scale_grad_by_freq: divide the gradient of each row by how often it is named.

    Shape:
        weight ``(rows, width)``; indices of any shape, int64 or int32; output the indices' shape and ``width``.

    Raises:
        IndexError: if an index is no row.

    >>> import minitorch
    >>> from minitorch._ext.embedding import embedding
    >>> embedding(minitorch.tensor([[1., 2.], [3., 4.]]), minitorch.tensor([1, 0, 1]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    cdef TensorBase place, out
    cdef EmbeddingBackward node
    cdef Py_ssize_t[64] shape
    cdef int d
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D: embedding got {describe(weight)}")
    if sparse:
        raise NotImplementedError("embedding: sparse gradients are not supported; leave sparse=True out")
    check_devices("embedding", weight, (indices,))
    place = places(indices, weight.shape[0], "the index")
    for d in range(indices.ndim):
        shape[d] = indices.shape[d]
    shape[indices.ndim] = weight.shape[1]
    out = index_at(detach_of(weight), 0, (place,))
    if indices.ndim != 1:
        out = reshape_to(out, indices.ndim + 1, shape)
    if recording1(weight):
        node = EmbeddingBackward.__new__(EmbeddingBackward)
        node.place, node.rows = place, weight.shape[0]
        node.factors = shares(place, weight.shape[0], padding_idx, scale_grad_by_freq)
        record1(node, out, weight)
    return out


def sum_of_rows(TensorBase weight not None, TensorBase source not None, TensorBase target not None,
                TensorBase factors, Py_ssize_t rows):
    """Sums of rows of a table: ``y[target[i]] += factors[i] * weight[source[i]]``, with `rows` rows.

    >>> import minitorch
    >>> from minitorch._ext.embedding import sum_of_rows
    >>> table = minitorch.tensor([[1.], [10.], [100.]])
    >>> sum_of_rows(table, minitorch.tensor([0, 1, 2]), minitorch.tensor([0, 1, 1]), None, 2)
    tensor([[  1.],
            [110.]])
    """
    check_bags(weight, source, target, factors)
    check_devices("embedding_bag", weight, (source, target, factors))
    source, target = places(source, weight.shape[0], "the index"), places(target, rows, "the bag")
    return add_rows(weight, source, target, factors, rows)


def greatest_rows(TensorBase weight not None, TensorBase source not None, TensorBase target not None, Py_ssize_t rows):
    """Which row of the table has the greatest value in each column, among those of a target; -1 where none is.

    >>> import minitorch
    >>> from minitorch._ext.embedding import greatest_rows
    >>> table = minitorch.tensor([[1., 5.], [2., 3.]])
    >>> greatest_rows(table, minitorch.tensor([0, 1]), minitorch.tensor([0, 0]), 2)
    tensor([[ 1,  0],
            [-1, -1]])
    """
    cdef Py_ssize_t[2] shape = [rows, weight.shape[1] if weight.ndim == 2 else 0]
    cdef TensorBase best, values
    cdef int code = mt_compute[weight.code]
    check_bags(weight, source, target, None)
    check_devices("embedding_bag", weight, (source, target))
    if on_device(weight):
        return primitives().greatest_rows(shown(weight), shown(places(source, weight.shape[0], "the index")),
                                          shown(places(target, rows, "the bag")), rows)
    best = new_tensor(2, shape, MT_I64)
    source, target = places(source, weight.shape[0], "the index"), places(target, rows, "the bag")
    values = contiguous_data(converted(weight, code))
    fill_data(best, scalar_value(-1, MT_I64))
    (mt_greatest_rows_f64 if code == MT_F64 else mt_greatest_rows_f32)(
        <int64_t *>data_of(best), data_of(values), <const int64_t *>data_of(source),
        <const int64_t *>data_of(target), source.numel, weight.shape[1])
    return best


cdef int check_bags(TensorBase weight, TensorBase source, TensorBase target, TensorBase factors) except -1:
    if weight.ndim != 2 or mt_category[weight.code] != 2:
        raise RuntimeError("embedding_bag: the table must be (rows, width) and of floating point, got "
                           f"{describe(weight)}")
    if source.numel != target.numel or (factors is not None and (
            factors.ndim != 1 or factors.numel != source.numel or factors.code != weight.code)):
        raise RuntimeError("embedding_bag: expected a target and a factor for each source, got "
                           f"{describe(source)}, {describe(target)}"
                           f"{'' if factors is None else ' and ' + describe(factors)}")
    return 0
