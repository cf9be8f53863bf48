"""Ordering: sorting, and the selections along a dimension that are parts of a sort.

What becomes of one line of values is C (`include/sort.h`); here are the walk over the lines of a tensor, the
derivatives (a chosen element has the gradient of the result, wherever it was), and the public functions.
"""
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_BOOL, MT_I64, dtype_of, mt_category, mt_compute, mt_itemsize
from minitorch._ext.extrema cimport record_choice, without
from minitorch._ext.loops cimport GRAIN, fill_data, scalar_value
from minitorch._ext.pointwise cimport check_apart, into
from minitorch._ext.reduce cimport flag, into_same, one_dim
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport MAX_DIMS, TensorBase, data_of, describe, new_as, new_on, on_device, shown, wrap_dim
from minitorch._ext.threads cimport parallel_for, thread_count
from minitorch._ext.views cimport reshape_to

from minitorch import return_types

cdef extern from "sort.h" nogil:
    enum:
        MT_SORT
        MT_UNSTABLE
        MT_TOPK
        MT_KTHVALUE
        MT_MEDIAN
        MT_NANMEDIAN
        MT_MODE
    ctypedef struct mt_order:
        int code, flip
        Py_ssize_t n, count, k
        Py_ssize_t[3] step
    size_t mt_order_scratch(const mt_order *o)
    void mt_order_line(int what, const mt_order *o, const char *x, char *values, char *indices, char *scratch)
    void mt_sort_run(const mt_order *o, const char *x, Py_ssize_t begin, Py_ssize_t end, char *scratch)
    void mt_merge_runs(const mt_order *o, Py_ssize_t begin, Py_ssize_t middle, Py_ssize_t end, Py_ssize_t from_,
                       Py_ssize_t to, int back, char *scratch)
    int mt_as_unstable(const mt_order *o, const char *x, int back, char *scratch)
    void mt_sorted_out(const mt_order *o, const char *x, char *values, char *indices, Py_ssize_t begin, Py_ssize_t end,
                       int back, const char *scratch)


# --- the primitive: something done to every line along a dimension ----------------------------------------------------

cdef enum:
    LONG_LINE = 32768           # values from which a line is worth more than one thread

# what becomes of a line, as the device is told
cdef tuple NAMES = ("sort", "sort", "topk", "kthvalue", "median", "nanmedian", "mode")

cdef struct Lines:
    mt_order order
    int what, ndim
    Py_ssize_t lines
    Py_ssize_t[MAX_DIMS] shape                  # of the other dimensions
    Py_ssize_t[3][MAX_DIMS] stride              # of the values, the results and their indices, in bytes
    char *data[3]
    # of a line that several threads sort
    char *scratch
    Py_ssize_t runs, width, rounds              # runs sorted apart, how many are one by now, merges so far
    bint back                                   # the result is in the second half of the records
    bint failed


cdef void add_operand(Lines *w, int k, TensorBase t, int dim) noexcept nogil:
    cdef int d, n = 0
    w.order.step[k] = t.strides[dim] * mt_itemsize[t.code] if t.ndim else 0
    for d in range(t.ndim):
        if d != dim:
            w.shape[n] = t.shape[d]
            w.stride[k][n] = t.strides[d] * mt_itemsize[t.code]
            n += 1
    w.ndim = n
    w.data[k] = data_of(t)


cdef inline char *line_of(Lines *w, int k, Py_ssize_t line) noexcept nogil:
    """Where a line of an operand begins."""
    cdef char *p = w.data[k]
    cdef int d
    if p == NULL:
        return p
    for d in range(w.ndim - 1, -1, -1):
        p += line % w.shape[d] * w.stride[k][d]
        line //= w.shape[d]
    return p


cdef void order_lines(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Whole lines, by one thread."""
    cdef Lines *w = <Lines *>context
    cdef char *scratch = <char *>malloc(mt_order_scratch(&w.order))
    cdef Py_ssize_t line
    if scratch == NULL:
        w.failed = True
        return
    for line in range(begin, end):
        mt_order_line(w.what, &w.order, line_of(w, 0, line), line_of(w, 1, line), line_of(w, 2, line), scratch)
    free(scratch)


cdef inline Py_ssize_t bound_of(Lines *w, Py_ssize_t run) noexcept nogil:
    """Where a run begins, or the last one ends."""
    return w.order.n * run // w.runs


cdef void sort_runs(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Lines *w = <Lines *>context
    cdef Py_ssize_t run
    for run in range(begin, end):
        mt_sort_run(&w.order, w.data[0], bound_of(w, run), bound_of(w, run + 1), w.scratch)


cdef void merge_parts(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Of the merges that are due, what comes to the places of some runs."""
    cdef Lines *w = <Lines *>context
    cdef Py_ssize_t run, first
    for run in range(begin, end):
        first = run - run % (2 * w.width)
        mt_merge_runs(&w.order, bound_of(w, first), bound_of(w, first + w.width), bound_of(w, first + 2 * w.width),
                      bound_of(w, run), bound_of(w, run + 1), w.rounds & 1, w.scratch)


cdef void write_parts(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Lines *w = <Lines *>context
    mt_sorted_out(&w.order, w.data[0], w.data[1], w.data[2], begin, end, w.back, w.scratch)


cdef void sort_long_line(Lines *w) noexcept nogil:
    """Sort one line by all threads: as many runs, then rounds of merges."""
    w.scratch = <char *>malloc(mt_order_scratch(&w.order))
    if w.scratch == NULL:
        w.failed = True
        return
    w.runs = 1
    while 2 * w.runs <= thread_count() and w.order.n // (2 * w.runs) >= LONG_LINE // 2:
        w.runs *= 2
    parallel_for(w.runs, 1, sort_runs, w)
    w.width, w.rounds = 1, 0
    while w.width < w.runs:
        parallel_for(w.runs, 1, merge_parts, w)
        w.width *= 2
        w.rounds += 1
    w.back = w.rounds & 1
    if w.what == MT_UNSTABLE:
        w.back = mt_as_unstable(&w.order, w.data[0], w.back, w.scratch)
    parallel_for(w.order.n, GRAIN, write_parts, w)
    free(w.scratch)


cdef int order_data(int what, TensorBase values, TensorBase indices, TensorBase x, int dim, Py_ssize_t k=0,
                    bint flip=False) except -1:
    """Order the lines of x along dim; values may be None.  k is the number wanted, or for kthvalue which one."""
    cdef Lines w
    if indices.numel == 0:
        return 0
    if on_device(x):
        primitives().order(NAMES[what], None if values is None else shown(values), shown(indices), shown(x), dim, k,
                           flip)
        return 0
    w.what = what
    w.order.code = x.code
    w.order.flip = flip
    w.order.n = x.shape[dim] if x.ndim else 1
    w.order.count = w.order.k = k
    w.lines = x.numel // w.order.n
    w.failed = False
    add_operand(&w, 0, x, dim)
    add_operand(&w, 2, indices, dim)
    w.data[1] = NULL
    if values is not None:
        add_operand(&w, 1, values, dim)
    with nogil:
        if (what == MT_SORT or what == MT_UNSTABLE) and w.lines == 1 and w.order.n >= LONG_LINE and thread_count() > 1:
            sort_long_line(&w)
        else:
            parallel_for(w.lines, 1 + GRAIN // (8 * w.order.n), order_lines, &w)
    if w.failed:
        raise MemoryError("the records of a sort")
    return 0


cdef TensorBase new_along(TensorBase x, int dim, Py_ssize_t n, int code):
    """A new tensor of x's shape but for n along a dimension."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d
    for d in range(x.ndim):
        shape[d] = n if d == dim else x.shape[d]
    return new_on(x, x.ndim, shape, code)


# --- arguments --------------------------------------------------------------------------------------------------------

cdef int dim_of(TensorBase x, object dim, str name) except -1:
    if dim is None or isinstance(dim, bool):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    return wrap_dim(one_dim(dim, name), x.ndim)


cdef int refuse(TensorBase x, str name, bint bools=False, bint empty=True, int dim=0) except -1:
    """Refuse what cannot be ordered: complex numbers always, bools and lines without values if so said."""
    if mt_category[x.code] > 2:
        raise RuntimeError(f"{name}(): complex numbers have no order, got {describe(x)}; order their abs()")
    if bools and x.code == MT_BOOL:
        raise (RuntimeError if name == "topk" else NotImplementedError)(
            f"{name}(): does not support bool input; convert it first, as in x.int().{name}()")
    if empty and x.ndim and x.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size, the input is {describe(x)}")
    return 0


cdef object results_in(object out, TensorBase values, TensorBase indices, str name):
    """The pair of results, in the tensors given as `out=` if some were."""
    if out is not None:
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise TypeError(f"{name}(): argument 'out' must be a pair of tensors, values and indices")
        values, indices = into_same(out[0], values, name), into_same(out[1], indices, name)
    return getattr(return_types, name)((values, indices))


# --- sorting ----------------------------------------------------------------------------------------------------------

cdef int kind_of_sort(TensorBase x, bint descending, bint stable) noexcept:
    """PyTorch's sorts are stable if asked to be, and those of a long vector of integers."""
    cdef bint integers = mt_category[x.code] == 1 and x.ndim == 1 and x.numel >= LONG_LINE
    return MT_SORT if stable or (integers and not descending) else MT_UNSTABLE


cdef tuple sorted_along(TensorBase x, int dim, bint descending, bint stable):
    """The values in order and where they were; recorded."""
    cdef TensorBase values = new_as(x, x.code), indices = new_as(x, MT_I64)
    order_data(kind_of_sort(x, descending, stable), values, indices, x, dim, 0, descending)
    record_choice(values, x, indices, dim, True, "SortBackward0")
    return values, indices


cdef bint truth_of(object argument, str function, str name) except -1:
    """An argument that is a bool, or None."""
    if argument is None or argument is True or argument is False:
        return argument is True
    raise TypeError(f"{function}(): argument '{name}' must be bool, not {type(argument).__name__}")


def sort(TensorBase input not None, dim=-1, descending=False, *, stable=False, out=None):
    """The elements in order along a dimension, and where each was.

    With ``stable`` equal elements keep their order; otherwise their indices come in the order in which PyTorch's
    algorithm leaves them, and finding that takes longer.  Whatever is not a number counts as the largest.

    Shape:
        values and indices (int64) as the input.

    Source: a radix sort, lowest digits first: Knuth, *The Art of Computer Programming* 3, section 5.2.5.

    >>> import minitorch
    >>> values, indices = minitorch.tensor([3., 1., 2.]).sort()
    >>> values, indices
    (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """
    cdef int d = dim_of(input, dim, "sort")
    refuse(input, "sort", False, False)
    values, indices = sorted_along(input, d, truth_of(descending, "sort", "descending"),
                                   truth_of(stable, "sort", "stable"))
    return results_in(out, values, indices, "sort")


def argsort(TensorBase input not None, dim=-1, descending=False, *, stable=False, TensorBase out=None):
    """The indices that sort the elements along a dimension; see `sort`.

    >>> import minitorch
    >>> minitorch.tensor([3., 1., 2.]).argsort()
    tensor([1, 2, 0])
    """
    cdef int d = dim_of(input, dim, "argsort")
    cdef bint largest_first = truth_of(descending, "argsort", "descending")
    cdef TensorBase indices = new_as(input, MT_I64)
    refuse(input, "argsort", False, False)
    order_data(kind_of_sort(input, largest_first, truth_of(stable, "argsort", "stable")), None, indices, input, d, 0,
               largest_first)
    return into(out, indices, "argsort")


def msort(TensorBase input not None, *, TensorBase out=None):
    """The elements in order along the first dimension.

    >>> import minitorch
    >>> minitorch.tensor([[3, 1], [2, 4]]).msort()
    tensor([[2, 1],
            [3, 4]])
    """
    refuse(input, "msort", False, False)
    return into(out, sorted_along(input, 0, False, True)[0], "msort")


# --- selection --------------------------------------------------------------------------------------------------------

cdef Py_ssize_t number_of(object k, str name) except? -1:
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"{name}(): argument 'k' must be int, not {type(k).__name__}")
    return k.__index__()


def topk(TensorBase input not None, k, dim=-1, largest=True, sorted=True, *, out=None):
    """The ``k`` largest (or smallest) elements along a dimension, in order, and where they were.

    Whatever is not a number counts as the largest.  ``sorted=False`` leaves the order open, so they are in order then
    too.

    Shape:
        values and indices as the input, but for ``k`` along ``dim``.

    Raises:
        RuntimeError: if there are fewer than ``k``; for bools.

    >>> import minitorch
    >>> values, indices = minitorch.tensor([3., 1., 2.]).topk(2)
    >>> values, indices
    (tensor([3., 2.]), tensor([0, 2]))
    """
    cdef int d = dim_of(input, dim, "topk")
    cdef Py_ssize_t count = number_of(k, "topk"), n = input.shape[d] if input.ndim else 1
    cdef TensorBase values, indices
    truth_of(sorted, "topk", "sorted")
    if count < 0 or count > n:
        raise RuntimeError(f"topk(): selected index k out of range: k={count} of {n} along dimension {d} of "
                           f"{describe(input)}")
    refuse(input, "topk", True, False)
    if input.ndim == 0 and count == 0:                      # as of a vector
        input = reshape_to(input, 1, &input.numel)
    values, indices = new_along(input, d, count, input.code), new_along(input, d, count, MT_I64)
    order_data(MT_TOPK, values, indices, input, d, count, truth_of(largest, "topk", "largest"))
    record_choice(values, input, indices, d, True, "TopkBackward0")
    return results_in(out, values, indices, "topk")


cdef tuple selected(int what, TensorBase x, int dim, bint keepdim, Py_ssize_t k, str node_name):
    """One element of each line and where it was; recorded."""
    cdef TensorBase values = new_along(x, dim, 1, x.code), indices = new_along(x, dim, 1, MT_I64)
    order_data(what, values, indices, x, dim, k)
    if not keepdim:
        values = without(values, dim)
    record_choice(values, x, indices, dim, keepdim, node_name)
    return values, indices if keepdim else without(indices, dim)


def kthvalue(TensorBase input not None, k, dim=-1, keepdim=False, *, out=None):
    """The ``k``-th smallest element along a dimension, counted from 1, and where it was.

    Raises:
        RuntimeError: if there is no such element.

    >>> import minitorch
    >>> minitorch.tensor([3., 1., 2.]).kthvalue(2).values
    tensor(2.)
    """
    cdef int d = dim_of(input, dim, "kthvalue")
    cdef Py_ssize_t which = number_of(k, "kthvalue"), n = input.shape[d] if input.ndim else 1
    refuse(input, "kthvalue", True, True, d)
    if which < 1 or which > n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}: k={which} of {n}, counted "
                           f"from 1, in {describe(input)}")
    if isinstance(out, (tuple, list)) and all([isinstance(t, TensorBase) for t in out]):
        for t in out:
            check_apart("kthvalue", t, (input,))
    values, indices = selected(MT_KTHVALUE, input, d, flag(keepdim, None), which - 1, "KthvalueBackward0")
    return results_in(out, values, indices, "kthvalue")


cdef object median_of(TensorBase x, object dim, object keepdim, object out, str name):
    cdef int what = MT_MEDIAN if name == "median" else MT_NANMEDIAN, d
    cdef str node_name = "MedianBackward" if what == MT_MEDIAN else "NanmedianBackward"
    cdef TensorBase flat, result
    if dim is None:
        if flag(keepdim, None):
            raise TypeError(f"{name}(): keepdim needs a dim")
        refuse(x, name, True, False)
        if x.numel == 0:
            result = new_on(x, 0, NULL, x.code)
            fill_data(result, scalar_value(float("nan") if mt_category[x.code] == 2 else
                                           -2 ** (8 * mt_itemsize[x.code] - 1) if dtype_of(x.code).is_signed else 0,
                                           mt_compute[x.code]))
        else:
            flat = reshape_to(x, 1, &x.numel)
            result = selected(what, flat, 0, False, 0, node_name + "0")[0]
        return into(out, result, name)
    d = dim_of(x, dim, name)
    refuse(x, name, True, True, d)
    values, indices = selected(what, x, d, flag(keepdim, None), 0, node_name + "1")
    return results_in(out, values, indices, name)


def median(TensorBase input not None, dim=None, keepdim=False, *, out=None):
    """The middle element, of an even number the smaller of the two; with ``dim`` along it, and where it was.

    Not a number if one element is not; see `nanmedian`.  For the mean of the two middle ones see ``quantile(0.5)``.

    >>> import minitorch
    >>> minitorch.tensor([4., 1., 3., 2.]).median()
    tensor(2.)
    >>> minitorch.tensor([[1., 5., 2.], [7., 3., 9.]]).median(1).indices
    tensor([2, 0])
    """
    return median_of(input, dim, keepdim, out, "median")


def nanmedian(TensorBase input not None, dim=None, keepdim=False, *, out=None):
    """The `median` of the elements that are a number.

    >>> import minitorch
    >>> minitorch.tensor([1., float("nan"), 3., 2.]).nanmedian()
    tensor(2.)
    """
    return median_of(input, dim, keepdim, out, "nanmedian")


def mode(TensorBase input not None, dim=-1, keepdim=False, *, out=None):
    """The commonest element along a dimension, the smallest of several, and where one of them was.

    >>> import minitorch
    >>> minitorch.tensor([2, 1, 2, 3, 1, 2]).mode().values
    tensor(2)
    """
    cdef int d = dim_of(input, dim, "mode")
    refuse(input, "mode", False, True, d)
    values, indices = selected(MT_MODE, input, d, flag(keepdim, None), 0, "ModeBackward0")
    return results_in(out, values, indices, "mode")
