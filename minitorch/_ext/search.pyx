"""Searching in what is sorted, and counting: the kernels behind `functions/ordering.py` and `functions/counting.py`."""
from minitorch._ext.dtype cimport MT_F32, MT_F64, MT_I64, mt_category, mt_compute, mt_itemsize
from minitorch._ext.loops cimport GRAIN, contiguous_data, converted, host_data, zero_data
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport TensorBase, check_devices, data_of, describe, new_on, new_tensor, on_device, shown
from minitorch._ext.threads cimport parallel_for

cdef extern from "search.h" nogil:
    ctypedef void (*mt_search)(long long *out, const char *values, Py_ssize_t n, const char *line,
                               const long long *sorter, Py_ssize_t length, int right) noexcept
    const mt_search mt_searches[16]
    void mt_range(const long long *index, Py_ssize_t n, long long *least, long long *largest)
    void mt_count(long long *counts, const long long *index, Py_ssize_t n)
    void mt_count_f32(float *counts, const long long *index, const float *weight, Py_ssize_t n)
    void mt_count_f64(double *counts, const long long *index, const double *weight, Py_ssize_t n)


cdef struct Search:
    mt_search kernel
    long long *out
    const char *values
    const char *line
    const long long *sorter
    Py_ssize_t n, length                        # values searched in one line, and the line's length
    int item, right
    bint one_line                               # for all values


cdef void search_some(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Search *s = <Search *>context
    cdef Py_ssize_t line, count, at
    cdef const long long *sorter
    while begin < end:
        line = begin // s.n
        count = s.n - begin % s.n
        if count > end - begin:
            count = end - begin
        at = 0 if s.one_line else line * s.length
        sorter = s.sorter
        if sorter != NULL:
            sorter += at
        s.kernel(s.out + begin, s.values + begin * s.item, count, s.line + at * s.item, sorter, s.length, s.right)
        begin += count


def _search(TensorBase line not None, TensorBase values not None, TensorBase sorter, bint right):
    """Where the values belong in sorted lines of the same type: in the only one, or each row of values in its own."""
    cdef int code = mt_compute[line.code]
    cdef Search s
    cdef Py_ssize_t i
    cdef TensorBase out = new_on(values, values.ndim, values.shape, MT_I64), order
    if mt_category[code] > 2:
        raise RuntimeError(f"searchsorted(): complex numbers have no order, got {describe(line)}")
    if mt_category[code] < 2:
        code = MT_I64
    s.length = line.shape[line.ndim - 1]
    if s.length == 0 or out.numel == 0:
        zero_data(out)
        return out
    s.one_line = line.ndim == 1
    s.n = values.numel if s.one_line else values.shape[values.ndim - 1]
    if not s.one_line and values.numel // s.n * s.length != line.numel:
        raise RuntimeError(f"searchsorted(): {describe(values)} does not fit into lines of {describe(line)}")
    check_devices("searchsorted", values, (line, sorter))
    line, values = contiguous_data(converted(line, code)), contiguous_data(converted(values, code))
    s.sorter = NULL
    if sorter is not None:
        if sorter.code != MT_I64 or sorter.numel != line.numel:
            raise RuntimeError(f"searchsorted(): the sorter must be int64 and as the sequence, got {describe(sorter)}")
        sorter = contiguous_data(sorter)
        order = host_data(sorter)
        s.sorter = <const long long *>data_of(order)
        for i in range(sorter.numel):
            if s.sorter[i] < 0 or s.sorter[i] >= s.length:
                raise RuntimeError(f"searchsorted(): sorter index out of range: {s.sorter[i]} of {s.length}")
    if on_device(values):
        primitives().search(shown(out), shown(values), shown(line), None if sorter is None else shown(sorter), right)
        return out
    s.kernel = mt_searches[code]
    s.out, s.values, s.line = <long long *>data_of(out), data_of(values), data_of(line)
    s.item, s.right = mt_itemsize[code], right
    with nogil:
        parallel_for(out.numel, GRAIN // 16, search_some, &s)
    return out


def _count(TensorBase index not None, TensorBase weight, Py_ssize_t size):
    """How often each number from 0 to the largest occurs, or the sum of its weights; at least `size` results."""
    cdef TensorBase counts
    cdef long long least, largest
    cdef const long long *at
    if mt_category[index.code] > 1 or (weight is not None and mt_category[weight.code] > 2):
        raise RuntimeError(f"bincount(): counts integers, with real weights; got {describe(index)}")
    index = contiguous_data(converted(index, MT_I64))
    check_devices("bincount", index, (weight,))
    at = <const long long *>data_of(index)
    if index.numel:
        if on_device(index):
            least, largest = primitives().extent(shown(index))
        else:
            mt_range(at, index.numel, &least, &largest)
        if least < 0:
            raise RuntimeError(f"bincount(): only supports 1-d non-negative integral inputs, {least} is negative")
        if largest >= size:
            size = largest + 1
    if weight is not None and weight.numel != index.numel:
        raise RuntimeError(f"bincount(): {weight.numel} weights for {index.numel} numbers")
    if on_device(index):
        if weight is not None:
            weight = contiguous_data(converted(weight, MT_F32 if weight.code == MT_F32 else MT_F64))
        return primitives().count(shown(index), None if weight is None else shown(weight), size)
    if weight is None:
        counts = new_tensor(1, &size, MT_I64)
        zero_data(counts)
        mt_count(<long long *>data_of(counts), at, index.numel)
        return counts
    weight = contiguous_data(converted(weight, MT_F32 if weight.code == MT_F32 else MT_F64))
    counts = new_tensor(1, &size, weight.code)
    zero_data(counts)
    if weight.code == MT_F32:
        mt_count_f32(<float *>data_of(counts), at, <const float *>data_of(weight), index.numel)
    else:
        mt_count_f64(<double *>data_of(counts), at, <const double *>data_of(weight), index.numel)
    return counts
