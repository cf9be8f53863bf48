"""The largest and the smallest values, and where they are."""
cimport cython
from cpython.object cimport Py_GT, Py_LT
from minitorch._ext.dtype cimport MT_BOOL, MT_I64, mt_category, mt_itemsize
from minitorch._ext.loops cimport contiguous_data, zero_data
from minitorch._ext.pointwise cimport compare, into, op_div, op_sub, op_where
from minitorch._ext.reduce cimport (
    MT_ARGMAX, MT_ARGMIN, MT_MAX, MT_MIN, ReduceBackward, all_dims, dims_mask, flag, into_same, new_reduced, one_dim,
    reduce_data, reduced_by, sum_of, value_code,
)
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, data_of, describe, new_on, on_device, record1, recording1, shown, wrap_dim,
)
from minitorch._ext.views cimport reshape_to

from minitorch import return_types
from minitorch._ext.arithmetic import maximum, minimum

cdef extern from "index.h" nogil:
    void mt_take(char *out, const char *x, const long long *place, Py_ssize_t n, Py_ssize_t bytes)
    ctypedef void (*mt_put_add_loop)(char *x, const char *v, const long long *place, Py_ssize_t n, Py_ssize_t block)
    const mt_put_add_loop mt_put_add[12]


# --- the largest and the smallest -----------------------------------------------------------------------------------

cdef int refuse_empty(TensorBase x, unsigned long long mask, bint whole, str name) except -1:
    """Where there is no value there is no largest one, nor among complex ones."""
    cdef int d
    if mt_category[x.code] == 3:
        raise NotImplementedError(f"{name}(): complex numbers have no order: the input is {describe(x)}. Compare their "
                                  "absolute values, x.abs()")
    if whole and x.numel == 0:
        kind = IndexError if name.startswith("arg") else RuntimeError
        raise kind(f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
                   f"dim with the 'dim' argument. The input is {describe(x)}")
    for d in range(x.ndim):
        if (mask >> d) & 1 and x.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size, the input is {describe(x)}")
    return 0


@cython.final
cdef class ExtremeBackward(ReduceBackward):
    """y = max x (or min):  the elements that equal y share dy evenly."""
    cdef bint largest
    cdef str name_

    cdef str op_name(self):
        return self.name_

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0)
        # not `==`: where y is not a number the elements that are none have the gradient
        cdef TensorBase others = compare(x, self.spread(self.saved(1)), Py_LT if self.largest else Py_GT)
        cdef TensorBase equal = op_sub(self.count, sum_of(others, self.mask, self.keepdim))
        return (op_where(others, 0, self.spread(op_div(g, equal))),)


cdef TensorBase extreme(TensorBase x, unsigned long long mask, bint keepdim, bint whole, bint largest, str name,
                        str node_name):
    """The largest or smallest values."""
    cdef TensorBase out
    cdef ExtremeBackward node
    cdef int op = MT_MAX if largest else MT_MIN
    refuse_empty(x, mask, whole, name)
    out = new_reduced(x, mask, keepdim, x.code)
    reduce_data(op, out, None, x, mask, value_code(op, x.code))
    if mt_category[x.code] == 2 and recording1(x):
        node = ExtremeBackward.__new__(ExtremeBackward)
        node.largest = largest
        node.name_ = node_name
        reduced_by(node, out, x, mask, keepdim, whole)
        node.save(0, x)
        node.save(1, out)
    return out


cdef enum:
    MOVED_AT_ONCE = 512


cdef TensorBase move_along(TensorBase values, TensorBase index, Py_ssize_t size, int dim, bint place):
    """Take values where index says along dim, or add them there to zeros; not recorded."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef long long[MOVED_AT_ONCE] at
    cdef Py_ssize_t inner = 1, line = 1, first, n, i
    cdef TensorBase out
    cdef char *small
    cdef char *large
    cdef long long *where
    cdef int d, item = mt_itemsize[values.code]
    index, values = contiguous_data(index), contiguous_data(values)
    for d in range(index.ndim):
        shape[d] = index.shape[d]
        if d > dim:
            inner *= shape[d]
    if index.ndim:
        line = inner * shape[dim]
        shape[dim] = size
    if place:
        out = new_on(values, index.ndim, shape, values.code)
        zero_data(out)
    else:
        out = new_on(values, index.ndim, index.shape, values.code)
    if on_device(values):
        if index.numel:
            primitives().move_along(shown(out), shown(values), shown(index), line // inner, size, inner, place)
        return out
    small, large = data_of(values if place else out), data_of(out if place else values)
    where = <long long *>data_of(index)
    first = 0
    with nogil:
        while first < index.numel:
            n = MOVED_AT_ONCE if index.numel - first > MOVED_AT_ONCE else index.numel - first
            for i in range(n):
                at[i] = ((first + i) // line * size + where[first + i]) * inner + (first + i) % inner
            if place:
                mt_put_add[values.code](large, small + first * item, <long long *>at, n, 1)
            else:
                mt_take(small + first * item, large, <long long *>at, n, item)
            first += n
    return out


cdef class ChoiceBackward(Node):
    """The derivatives of taking elements along a dimension and of adding them where they were are each other."""
    cdef TensorBase index
    cdef Py_ssize_t size
    cdef int dim
    cdef bint place, keepdim
    cdef str name_

    cdef str op_name(self):
        return self.name_

    cdef object apply(self, TensorBase g):
        return (self.moved(g, not self.place),)

    cdef TensorBase moved(self, TensorBase values, bint place):
        cdef ChoiceBackward node
        cdef TensorBase out
        if place and not self.keepdim:
            values = reshape_to(values, self.index.ndim, self.index.shape)
        out = move_along(values, self.index, self.size, self.dim, place)
        if recording1(values):
            node = ChoiceBackward.__new__(ChoiceBackward)
            node.index, node.size, node.dim, node.keepdim = self.index, self.size, self.dim, True
            node.place, node.name_ = place, "PlaceBackward0" if place else "GatherBackward0"
            record1(node, out, values)
        if not place and not self.keepdim:
            out = without(out, self.dim)
        return out


cdef int record_choice(TensorBase values, TensorBase x, TensorBase index, int dim, bint keepdim, str name) except -1:
    """Record that values were taken from x where index says along dim; then dim was dropped, unless keepdim."""
    cdef ChoiceBackward node
    if mt_category[x.code] >= 2 and recording1(x):
        node = ChoiceBackward.__new__(ChoiceBackward)
        node.index, node.size, node.dim, node.keepdim = index, x.shape[dim] if x.ndim else 1, dim, keepdim
        node.name_ = name
        record1(node, values, x)
    return 0


cdef TensorBase without(TensorBase t, int dim):
    """t without a dimension of size one."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, n = 0
    if t.ndim == 0:
        return t
    for d in range(t.ndim):
        if d != dim:
            shape[n] = t.shape[d]
            n += 1
    return reshape_to(t, n, shape)


cdef tuple extreme_along(TensorBase x, object dim, bint keepdim, bint largest, str name):
    """The largest or smallest values along a dimension and their indices."""
    cdef int d = wrap_dim(dim, x.ndim), op = MT_ARGMAX if largest else MT_ARGMIN
    cdef unsigned long long mask = <unsigned long long>1 << d if x.ndim else 0
    cdef TensorBase indices, values
    refuse_empty(x, mask, False, name)
    indices = new_reduced(x, mask, True, MT_I64)
    values = new_reduced(x, mask, True, x.code)
    reduce_data(op, indices, values, x, mask, value_code(op, x.code))
    if not keepdim:
        values = without(values, d)
    record_choice(values, x, indices, d, keepdim, "MaxBackward0" if largest else "MinBackward0")
    return values, indices if keepdim else without(indices, d)


cdef object largest_or_smallest(TensorBase x, object dim, object keepdim, object out, bint largest):
    """max and min, in all their forms."""
    cdef str name = "max" if largest else "min"
    cdef tuple results
    if isinstance(dim, TensorBase):
        return (maximum if largest else minimum)(x, dim, out=out)
    if dim is None:
        if keepdim:
            raise TypeError(f"{name}(): keepdim needs a dim; {'amax' if largest else 'amin'} keeps all dimensions")
        return into(out, extreme(x, all_dims(x.ndim), False, True, largest, name,
                                 "MaxBackward1" if largest else "MinBackward1"), name)
    results = extreme_along(x, one_dim(dim, name), flag(keepdim, None), largest, name)
    if out is not None:
        results = into_same(out[0], results[0], name), into_same(out[1], results[1], name)
    return (return_types.max if largest else return_types.min)(results)


def max(TensorBase input not None, dim=None, keepdim=False, *, out=None, other=None, axis=None, keepdims=None):
    """The largest element; with ``dim`` the largest along it and their indices; with a second tensor `maximum`.

    Whatever is not a number counts as the largest.  Of several equal ones the index is that of the first.

    Raises:
        RuntimeError, IndexError: if there is no element to choose from.

    >>> import minitorch
    >>> x = minitorch.tensor([[1., 5.], [7., 3.]])
    >>> x.max()
    tensor(7.)
    >>> values, indices = x.max(1)
    >>> values, indices
    (tensor([5., 7.]), tensor([1, 0]))
    """
    dim = dim if dim is not None else other if other is not None else axis
    return largest_or_smallest(input, dim, keepdim if keepdims is None else keepdims, out, True)


def min(TensorBase input not None, dim=None, keepdim=False, *, out=None, other=None, axis=None, keepdims=None):
    """The smallest element; with ``dim`` the smallest along it and their indices; with a second tensor `minimum`.

    >>> import minitorch
    >>> x = minitorch.tensor([[1., 5.], [7., 3.]])
    >>> x.min(), x.min(0).indices
    (tensor(1.), tensor([0, 1]))
    """
    dim = dim if dim is not None else other if other is not None else axis
    return largest_or_smallest(input, dim, keepdim if keepdims is None else keepdims, out, False)


def amax(TensorBase input not None, dim=(), keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """The largest element, in all or along dimensions; equal ones share the gradient.

    >>> import minitorch
    >>> minitorch.tensor([[1., 5.], [7., 3.]]).amax(0)
    tensor([7., 5.])
    """
    dim = dim if axis is None else axis
    return into(out, extreme(input, dims_mask(dim, input.ndim), flag(keepdim, keepdims), dim == (), True, "amax",
                             "AmaxBackward0"), "amax")


def amin(TensorBase input not None, dim=(), keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """The smallest element, in all or along dimensions; equal ones share the gradient.

    >>> import minitorch
    >>> minitorch.tensor([[1., 5.], [7., 3.]]).amin((0, 1))
    tensor(1.)
    """
    dim = dim if axis is None else axis
    return into(out, extreme(input, dims_mask(dim, input.ndim), flag(keepdim, keepdims), dim == (), False, "amin",
                             "AminBackward0"), "amin")


def aminmax(TensorBase input not None, *, dim=None, keepdim=False, out=None):
    """The smallest and the largest element, in all or along one dimension.

    >>> import minitorch
    >>> minitorch.tensor([3., 1., 2.]).aminmax().max
    tensor(3.)
    """
    cdef unsigned long long mask = dims_mask(one_dim(dim, "aminmax"), input.ndim)
    cdef bint keep = flag(keepdim, None)
    results = [extreme(input, mask, keep, dim is None, largest, "aminmax", "AminmaxBackward0")
               for largest in (False, True)]
    if out is not None:
        results = [into_same(given, result, "aminmax") for given, result in zip(out, results)]
    return return_types.aminmax(results)


cdef TensorBase place_of_extreme(TensorBase x, object dim, bint keepdim, bint largest, str name):
    """The index of the first of the largest or smallest."""
    cdef int op = MT_ARGMAX if largest else MT_ARGMIN
    cdef unsigned long long mask = dims_mask(one_dim(dim, name), x.ndim)
    cdef TensorBase out
    if x.code == MT_BOOL:
        raise RuntimeError(f"{name}(): does not support bool input; convert it first, as in x.int().{name}()")
    refuse_empty(x, mask, dim is None, name)
    out = new_reduced(x, mask, keepdim, MT_I64)
    if dim is None and not x.contiguous:
        x = contiguous_data(x)                              # the index counts in C order
    reduce_data(op, out, None, x, mask, value_code(op, x.code))
    return out


def argmax(TensorBase input not None, dim=None, keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """The index of the largest element (the first, if several are), in all elements or along one dimension.

    >>> import minitorch
    >>> minitorch.tensor([[1., 5.], [7., 3.]]).argmax(), minitorch.tensor([[1., 5.], [7., 3.]]).argmax(1)
    (tensor(2), tensor([1, 0]))
    """
    if dim is None:
        dim = axis
    return into(out, place_of_extreme(input, dim, flag(keepdim, keepdims), True, "argmax"), "argmax")


def argmin(TensorBase input not None, dim=None, keepdim=False, *, TensorBase out=None, axis=None, keepdims=None):
    """The index of the smallest element (the first, if several are), in all elements or along one dimension.

    >>> import minitorch
    >>> minitorch.tensor([[1., 5.], [7., 3.]]).argmin(0)
    tensor([0, 1])
    """
    if dim is None:
        dim = axis
    return into(out, place_of_extreme(input, dim, flag(keepdim, keepdims), False, "argmin"), "argmin")
