"""Along one dimension: gather, scatter and its reductions, index_add and its kin.

A gather names, for each element of the result, one element of the source; `gather_places` works that out once as flat
places, which `index` then takes from or puts to.
"""
from minitorch._ext.dtype cimport MT_F64, MT_I64, dtype_of, mt_category, mt_itemsize
from minitorch._ext.index cimport has_negative, places_of, put_data, put_into, taken
from minitorch._ext.loops cimport contiguous_data, converted, copy_data, zero_data
from minitorch._ext.pointwise cimport cast, check_apart, into, number_tensor, op_mul, prepare_out, stored_number
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_devices, check_inplace, data_of, describe, grad_enabled, new_as, new_on,
    new_tensor, new_view, on_device, rebase, record, record_edges, recording1, recording2, requires_grad, shape_of,
    shown, wrap_dim,
)
from minitorch._ext.views cimport clone_of, contiguous_of, detach_of, expand_to, reshape_to, slice_of, unsqueeze_of

import numpy as np


cdef int check_gather(TensorBase x, int d, TensorBase index, str name) except -1:
    cdef int k
    if index.code != MT_I64 and dtype_of(index.code).name != "int32" and index.numel:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, got {describe(index)}: convert with .long()")
    if max(x.ndim, 1) != max(index.ndim, 1) and index.numel:
        raise RuntimeError(f"{name}(): Index tensor must have the same number of dimensions as input tensor: "
                           f"{describe(index)} for {describe(x)}")
    if index.numel:
        for k in range(index.ndim):
            if k != d and index.shape[k] > x.shape[k]:
                raise RuntimeError(f"{name}(): Size does not match at dimension {k}: expected index "
                                   f"{list(shape_of(index))} to be no larger than self {list(shape_of(x))} apart from "
                                   f"dimension {d}")
    return 0


cdef TensorBase gather_places(TensorBase x, int d, TensorBase index):
    """For each element of index the place in a contiguous tensor of x's shape that it names along dimension d."""
    cdef TensorBase places = new_on(x, index.ndim, index.shape, MT_I64)
    cdef long long *place = <long long *>data_of(places)
    cdef long long *value
    cdef long long v
    cdef Py_ssize_t i, rest, at, stride, coordinate, bad = -1
    cdef Py_ssize_t size = x.shape[d] if x.ndim else 1
    cdef int k
    check_devices("indexing", x, (index,))
    index = contiguous_data(converted(index, MT_I64))
    if on_device(x):
        wrong = primitives().gather_places(shown(places), shown(index), shape_of(x), d)
        if wrong is not None:
            raise RuntimeError(f"index {wrong} is out of bounds for dimension {d} with size {size}")
        return places
    value = <long long *>data_of(index)
    with nogil:
        for i in range(index.numel):
            v = value[i]
            if v < 0 or v >= size:
                bad = i
                break
            rest, at, stride = i, 0, 1
            for k in range(index.ndim - 1, -1, -1):
                coordinate = rest % index.shape[k]
                rest //= index.shape[k]
                at += (v if k == d else coordinate) * stride
                stride *= x.shape[k] if x.ndim else 1
            place[i] = at if index.ndim else v
    if bad >= 0:
        raise RuntimeError(f"index {value[bad]} is out of bounds for dimension {d} with size {size}")
    return places


def gather(TensorBase input not None, dim, TensorBase index not None, *, bint sparse_grad=False, TensorBase out=None):
    """Along ``dim`` the element that ``index`` names at each position.

    .. math:: y_{ijk} = x_{i\\,\\mathrm{index}_{ijk}\\,k} \\quad (\\text{dim}=1)

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]]).gather(1, minitorch.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    cdef int d = wrap_dim(dim, input.ndim)
    cdef TensorBase flat, result
    if sparse_grad:
        raise NotImplementedError("gather: sparse gradients are not supported; leave sparse_grad out")
    check_gather(input, d, index, "gather")
    if out is not None and out.code != input.code:
        raise RuntimeError(f"gather(): Expected out tensor to have dtype {dtype_of(input.code).name}, but got "
                           f"{dtype_of(out.code).name} instead")
    if out is not None:                                     # resized first: it may grow into an argument's memory
        prepare_out(out, index.ndim, index.shape, input.code, "gather", recording1(input))
        check_apart("gather", out, (input, index))
    flat = reshape_to(input, 1, &input.numel)
    result = taken(flat, 0, 1, gather_places(input, d, index))
    return into(out, result, "gather")


cdef TensorBase scatter_to(TensorBase x, object dim, TensorBase index, object src, bint add, str name):
    """x.scatter_(dim, index, src) or scatter_add_, in place."""
    cdef int d = wrap_dim(dim, x.ndim)
    cdef Py_ssize_t[MAX_DIMS] unused
    cdef TensorBase value, whole
    cdef ScatterBackward node
    check_inplace(x, name)
    check_gather(x, d, index, name)
    if isinstance(src, TensorBase):
        value = src
        if value.code != x.code:
            raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, got {describe(x)} and "
                               f"{describe(value)}")
        check_devices(name, x, (value,))
        value = part_for(value, index, name)
    else:
        value = expand_to(stored_number(src, x.code), index.ndim, index.shape)
    if index.numel == 0:
        return x
    places = gather_places(x, d, index)
    whole = contiguous_data(x)
    flat = new_view(whole, 1, &whole.numel, &ONE, whole.offset)
    put_data(flat, 0, 1, places, value, add)
    if whole is not x:
        copy_data(x, whole)
    bump(x)
    if grad_enabled() and (requires_grad(x) or requires_grad(value)):
        node = ScatterBackward.__new__(ScatterBackward)
        node.places, node.add = places, add
        rebase(x, record_edges(node, (x, value)))
    return x


cdef Py_ssize_t ONE = 1


cdef class ScatterBackward(Node):
    """x[places] = v (or += v) over all of x's elements:  dx is dy, with zeros there unless added;  dv = dy[places]."""
    cdef TensorBase places
    cdef bint add

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = None, dv = None, flat
        if self.needs(0):
            dx = g
            if not self.add:
                dx = clone_of(contiguous_of(g))
                flat = reshape_to(dx, 1, &dx.numel)
                put_into(flat, 0, 1, self.places, number_tensor(0, g.code), False)
        if self.needs(1):
            dv = taken(reshape_to(g, 1, &g.numel), 0, 1, self.places)
        return dx, dv


cdef object source_of(object src, object value, str name):
    if (src is None) == (value is None):
        raise TypeError(f"{name}() takes either src or value")
    return value if src is None else src


def scatter_(TensorBase self not None, dim, TensorBase index not None, src=None, *, value=None, reduce=None):
    """Write ``src`` (or a number) along ``dim`` to where ``index`` says; the reverse of `gather`.

    >>> import minitorch
    >>> minitorch.zeros(2, 3).scatter_(1, minitorch.tensor([[2], [0]]), 1.)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if reduce is not None:
        if reduce == "add":
            return scatter_to(self, dim, index, source_of(src, value, "scatter_"), True, "scatter_")
        if reduce != "multiply":
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        source = source_of(src, value, "scatter_")
        if not isinstance(source, TensorBase):
            source = expand_to(stored_number(source, self.code), index.ndim, index.shape)
        return self.copy_(scatter_reduce(clone_of(self), dim, index, source, "prod"))
    return scatter_to(self, dim, index, source_of(src, value, "scatter_"), False, "scatter_")


def scatter(TensorBase input not None, dim, TensorBase index not None, src=None, *, value=None, reduce=None,
            TensorBase out=None):
    """Out-of-place `scatter_`."""
    result = scatter_(clone_of(input), dim, index, src, value=value, reduce=reduce)
    return into(out, result, "scatter")


def scatter_add_(TensorBase self not None, dim, TensorBase index not None, TensorBase src not None):
    """Add ``src`` along ``dim`` to where ``index`` says.

    >>> import minitorch
    >>> minitorch.zeros(3).scatter_add_(0, minitorch.tensor([0, 0, 2]), minitorch.ones(3))
    tensor([2., 0., 1.])
    """
    return scatter_to(self, dim, index, src, True, "scatter_add_")


def scatter_add(TensorBase input not None, dim, TensorBase index not None, TensorBase src not None, *,
                TensorBase out=None):
    """Out-of-place `scatter_add_`."""
    result = scatter_to(clone_of(input), dim, index, src, True, "scatter_add_")
    return into(out, result, "scatter_add")


# --- scatter with a reduction -----------------------------------------------------------------------------------------

cdef enum Reduction:
    SUM, PROD, MEAN, AMAX, AMIN

cdef tuple names = ("sum", "prod", "mean", "amax", "amin")
cdef dict reductions = {"sum": SUM, "prod": PROD, "mean": MEAN, "amax": AMAX, "amin": AMIN}

ctypedef long long longlong

ctypedef fused wide:
    double
    longlong


cdef void reduce_places(wide *x, const wide *v, const long long *place, long long *count, Py_ssize_t n, int how,
                        bint fresh) noexcept nogil:
    """x[place] is reduced with v, one after another; `fresh`: the first value replaces what is there."""
    cdef Py_ssize_t i, p
    for i in range(n):
        p = place[i]
        count[p] += 1
        if fresh and count[p] == 1:
            x[p] = v[i]
        elif how == SUM or how == MEAN:
            x[p] += v[i]
        elif how == PROD:
            x[p] *= v[i]
        elif how == AMAX:
            if v[i] > x[p] or v[i] != v[i]:
                x[p] = v[i]
        elif v[i] < x[p] or v[i] != v[i]:
            x[p] = v[i]


cdef void take_means(wide *x, const long long *count, Py_ssize_t n, bint fresh) noexcept nogil:
    cdef Py_ssize_t i
    cdef wide terms
    for i in range(n):
        if count[i]:
            terms = count[i] + (0 if fresh else 1)
            if wide is double:
                x[i] = x[i] / terms
            else:                                            # rounded down
                x[i] = x[i] // terms - (1 if x[i] % terms < 0 else 0)


cdef TensorBase reduced(TensorBase x, TensorBase places, TensorBase v, int how, bint fresh):
    """The values of scatter_reduce, computed in float64 or int64; not recorded."""
    if mt_category[x.code] == 3:
        raise NotImplementedError(f"scatter_reduce: not implemented for complex numbers, got {describe(x)}")
    if on_device(x):
        return primitives().reduce_at(shown(x), shown(places), shown(v), names[how], fresh)
    cdef int code = MT_F64 if mt_category[x.code] == 2 else MT_I64
    cdef TensorBase total = new_tensor(x.ndim, x.shape, code), out, count
    cdef long long *place = <long long *>data_of(places)
    cdef long long *counts
    copy_data(total, x)
    v = contiguous_data(converted(v, code))
    count = clone_of(total) if code == MT_I64 else converted(total, MT_I64)
    zero_data(count)
    counts = <long long *>data_of(count)
    with nogil:
        if code == MT_F64:
            reduce_places[double](<double *>data_of(total), <double *>data_of(v), place, counts, places.numel, how,
                                  fresh)
            if how == MEAN:
                take_means[double](<double *>data_of(total), counts, total.numel, fresh)
        else:
            reduce_places[longlong](<long long *>data_of(total), <long long *>data_of(v), place, counts, places.numel,
                                    how, fresh)
            if how == MEAN:
                take_means[longlong](<long long *>data_of(total), counts, total.numel, fresh)
    out = new_as(x, x.code)
    copy_data(out, total)
    return out


cdef class ScatterReduceBackward(Node):
    """y = x reduced with s at the index, per element of y:

    sum: dx = dy, ds = dy[index];  mean: both over the number of terms;  amax, amin: to those terms that are y, in equal
    parts;  prod: dy y / term, where of the terms at most one is zero.
    """
    cdef int dim, how
    cdef bint fresh
    cdef str reduce

    cdef object apply(self, TensorBase grad):
        cdef object g = grad, x = self.saved(0), index = self.saved(1), src = self.saved(2)
        cdef object y = detach_of(self.saved(3)), dx, ds, n, x_is, s_is, share, dim = self.dim
        if self.how == SUM:
            dx, ds = g, g.gather(dim, index)
        elif self.how == MEAN:
            n = g.new_full(x.shape, 0 if self.fresh else 1).scatter_add(dim, index, g.new_full(index.shape, 1))
            n = n.clamp(min=1)
            dx = g / n
            ds = dx.gather(dim, index)
        elif self.how == PROD:
            dx, ds = self.of_product(g, x, index, src, y)
        else:
            x_is, s_is = (x == y).to(g.dtype), (src == y.gather(dim, index)).to(g.dtype)
            if self.fresh:
                x_is = x_is.scatter(dim, index, 0)
            n = x_is.scatter_add(dim, index, s_is)
            share = g / n.clamp(min=1)
            dx, ds = share * x_is, share.gather(dim, index) * s_is
            if self.fresh:                                   # what nothing was put to stays as it is
                dx = g
        if self.fresh:
            dx = dx.scatter(dim, index, 0)
        return dx, None, ds

    cdef object of_product(self, g, x, index, src, y):
        cdef object dim = self.dim, kept = not self.fresh
        if grad_enabled():                                  # the saved result knows nothing of x and src
            y = x.scatter_reduce(dim, index, src, "prod", include_self=kept)
        zero = src == 0
        zeros = x.new_zeros(x.shape).scatter_add(dim, index, zero.to(x.dtype)).gather(dim, index)
        single = zero & (zeros == 1)
        others = x.scatter_reduce(dim, index, src.masked_fill(single, 1), "prod", include_self=kept)
        ds = ((g * others).gather(dim, index)).where(
            single, (g * y).gather(dim, index) / src.masked_fill(zero, 1))
        filled = x.masked_fill(x == 0, 1)
        dx = g * filled.scatter_reduce(dim, index, src, "prod", include_self=kept) / filled
        return dx, ds


def scatter_reduce(TensorBase input not None, dim, TensorBase index not None, TensorBase src not None, reduce, *,
                   bint include_self=True, TensorBase out=None):
    """Elements of ``src`` gathered, along ``dim``, where ``index`` says, and reduced with what is there.

    Args:
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether what is there takes part.

    >>> import minitorch
    >>> index = minitorch.tensor([0, 0, 1])
    >>> minitorch.zeros(2).scatter_reduce(0, index, minitorch.tensor([1., 2., 3.]), "amax")
    tensor([2., 3.])
    """
    cdef int d = wrap_dim(dim, input.ndim)
    cdef TensorBase value = src, result
    cdef ScatterReduceBackward node
    if reduce not in reductions:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.")
    check_gather(input, d, index, "scatter_reduce")
    if src.code != input.code:
        raise RuntimeError("scatter_reduce(): Expected self.dtype to be equal to src.dtype, got "
                           f"{describe(input)} and {describe(src)}")
    value = part_for(value, index, "scatter_reduce")
    if index.numel == 0:
        result = clone_of(input)
        return into(out, result, "scatter_reduce")
    result = reduced(input, gather_places(input, d, index), value, reductions[reduce], not include_self)
    if recording2(input, value):
        node = ScatterReduceBackward.__new__(ScatterReduceBackward)
        node.dim, node.how, node.fresh, node.reduce = d, reductions[reduce], not include_self, reduce
        record(node, result, (input, index, value))
        node.save(0, input)
        node.save(1, index)
        node.save(2, value)
        node.save(3, result)
    return into(out, result, "scatter_reduce")


cdef TensorBase part_for(TensorBase src, TensorBase index, str name):
    """As much of src as the index names."""
    cdef int k
    if src.ndim != index.ndim:
        if index.numel == 0 or (max(src.ndim, 1) == max(index.ndim, 1)):
            return src
        raise RuntimeError(f"{name}(): Index tensor must have the same number of dimensions as src tensor: "
                           f"{describe(index)} and {describe(src)}")
    for k in range(index.ndim):
        if index.numel and index.shape[k] > src.shape[k]:
            raise RuntimeError(f"{name}(): Expected index {list(shape_of(index))} to be no larger than src "
                               f"{list(shape_of(src))}")
        if index.shape[k] < src.shape[k]:
            src = slice_of(src, k, 0, index.shape[k], 1)
    return src


# --- whole slices -----------------------------------------------------------------------------------------------------

cdef TensorBase slices_index(TensorBase x, TensorBase index, str name):
    """A vector of indices of slices, checked."""
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim}")
    if mt_category[index.code] != 1 or mt_itemsize[index.code] < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {describe(index)}")
    return unsqueeze_of(index, 0) if index.ndim == 0 else index


cdef int put_slices(TensorBase x, int d, TensorBase index, TensorBase source, bint add, str name) except -1:
    cdef TensorBase view = x
    cdef int k
    cdef Py_ssize_t length = source.shape[d] if source.ndim > d else 1
    check_inplace(x, name)
    index = slices_index(x, index, name)
    if source.code != x.code:
        raise RuntimeError(f"{name}(): self ({describe(x)}) and source ({describe(source)}) must have the same dtype")
    if index.numel != length:
        raise RuntimeError(f"{name}(): Number of indices ({index.numel}) should be equal to the size of source "
                           f"{list(shape_of(source))} in dimension {d}")
    if source.ndim and x.ndim:
        if source.ndim != x.ndim:
            raise RuntimeError(f"{name}(): Source and self must have the same number of dimensions, got "
                               f"{describe(source)} and {describe(x)}")
        for k in range(x.ndim):
            if k != d and x.shape[k] != source.shape[k]:
                raise RuntimeError(f"{name}(): source {list(shape_of(source))} and self {list(shape_of(x))} must have "
                                   f"the same shape but in dimension {d}")
    elif source.ndim == 0 and x.ndim > 1:
        raise RuntimeError(f"{name}(): a source without dimensions does not fit to self {describe(x)}")
    if has_negative(index):
        raise IndexError(f"{name}(): index out of range in self: negative indices are not taken")
    if x.ndim == 0:
        view = unsqueeze_of(x, 0)
    if source.ndim == 0:
        source = unsqueeze_of(source, 0)
    if source.numel == 0 and index.numel == 0:
        return 0
    put_into(view, d, 1, places_of(view, d, (index,)), source, add)
    return 0


def index_add_(TensorBase self not None, dim, TensorBase index not None, TensorBase source not None, *, alpha=1):
    """Add slice i of ``source``, times ``alpha``, to slice ``index[i]`` along ``dim``.

    >>> import minitorch
    >>> minitorch.zeros(3).index_add_(0, minitorch.tensor([0, 0, 2]), minitorch.ones(3))
    tensor([2., 0., 1.])
    """
    put_slices(self, wrap_dim(dim, self.ndim), index, source if alpha == 1 else cast(op_mul(source, alpha), self.code),
               True, "index_add_")
    return self


def index_add(TensorBase input not None, dim, TensorBase index not None, TensorBase source not None, *, alpha=1,
              TensorBase out=None):
    """Out-of-place `index_add_`."""
    result = index_add_(clone_of(input), dim, index, source, alpha=alpha)
    return into(out, result, "index_add")


def index_copy_(TensorBase self not None, dim, TensorBase index not None, TensorBase source not None):
    """Write slice i of ``source`` to slice ``index[i]`` along ``dim``.

    >>> import minitorch
    >>> minitorch.zeros(3).index_copy_(0, minitorch.tensor([2, 0]), minitorch.tensor([1., 2.]))
    tensor([2., 0., 1.])
    """
    put_slices(self, wrap_dim(dim, self.ndim), index, source, False, "index_copy_")
    return self


def index_copy(TensorBase input not None, dim, TensorBase index not None, TensorBase source not None, *,
               TensorBase out=None):
    """Out-of-place `index_copy_`."""
    result = index_copy_(clone_of(input), dim, index, source)
    return into(out, result, "index_copy")


def index_fill_(TensorBase self not None, dim, TensorBase index not None, value):
    """Write a number to the slices ``index`` along ``dim``.

    >>> import minitorch
    >>> minitorch.zeros(3).index_fill_(0, minitorch.tensor([0, 2]), 7)
    tensor([7., 0., 7.])
    """
    cdef int d = wrap_dim(dim, self.ndim)
    from minitorch._ext.engine import from_numpy, numpy
    cdef TensorBase view = self, filling
    check_inplace(self, "index_fill_")
    index = slices_index(self, index, "index_fill_")
    if isinstance(value, TensorBase):
        if (<TensorBase>value).ndim:
            raise RuntimeError("index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                               f"{(<TensorBase>value).ndim} dimension(s).")
        filling = cast(<TensorBase>value, self.code)
        if recording1(filling):                              # a slice named twice takes the value once
            index = from_numpy(np.unique(numpy(index, force=True)))
    else:
        filling = stored_number(value, self.code)
    if self.ndim == 0:
        view = unsqueeze_of(self, 0)
    if index.numel and self.numel:
        put_into(view, d, 1, places_of(view, d, (index,)), filling, False)
    return self


def index_fill(TensorBase input not None, dim, TensorBase index not None, value):
    """Out-of-place `index_fill_`."""
    return index_fill_(clone_of(input), dim, index, value)
