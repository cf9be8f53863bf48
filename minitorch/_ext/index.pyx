"""Indexing by tensors, joining, and what else moves elements by a list of places.

Every form of advanced indexing comes down to one: a contiguous x whose dimensions from `lead` on are indexed by as many
index tensors of one shape.  The places that they name are worked out once; then whole blocks are moved.
"""
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_BOOL, MT_I64, dtype_of, mt_category, mt_itemsize, mt_promote, scalar_code
from minitorch._ext.loops cimport (
    GRAIN, broadcast_shape, checked_value, contiguous_data, converted, copy_data, host_data, zero_data,
)
from minitorch._ext.pointwise cimport cast, check_apart, into, number_tensor, op_where, prepare_out, stored_number
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_devices, check_inplace, data_of, describe, grad_enabled, has_shape, new_on,
    new_tensor, new_view, on_device, rebase, record, record1, record_edges, recording, recording1, requires_grad,
    same_shape, shape_of, shown, wrap_dim,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport (
    clone_of, contiguous_of, copy_into, expand_to, index_basic, reshape_to, slice_of, unsqueeze_of,
)

import numpy as np

cdef extern from "copy.h" nogil:
    void mt_copy_rows(char *d, Py_ssize_t ds, const char *s, Py_ssize_t ss, Py_ssize_t rows, Py_ssize_t bytes)

cdef extern from "index.h" nogil:
    void mt_take(char *out, const char *x, const long long *place, Py_ssize_t n, Py_ssize_t bytes)
    Py_ssize_t mt_count_true(const unsigned char *m, Py_ssize_t n)
    void mt_compress(char *out, const char *x, const unsigned char *m, Py_ssize_t n, Py_ssize_t bytes)
    void mt_put(char *x, const char *v, const long long *place, Py_ssize_t n, Py_ssize_t bytes)
    ctypedef void (*mt_put_add_loop)(char *x, const char *v, const long long *place, Py_ssize_t n, Py_ssize_t block)
    const mt_put_add_loop mt_put_add[12]


# --- devices ----------------------------------------------------------------------------------------------------------

cdef TensorBase beside(TensorBase t, TensorBase x, int code):
    """The values of t as a type, in C order, where x is."""
    cdef TensorBase there
    if on_device(t) == on_device(x):
        return contiguous_data(converted(t, code))
    there = new_on(x, t.ndim, t.shape, code)
    copy_data(there, t)
    return there


cdef int check_here(TensorBase t, TensorBase x) except -1:
    """Refuse to index what is on the CPU by a tensor of the device; the other way round is usual."""
    return check_devices("indexing", x, (t,)) if on_device(t) else 0


# --- places -----------------------------------------------------------------------------------------------------------

cdef TensorBase places_of(TensorBase x, int lead, tuple indices):
    """Which block of x[l, ...] each position of the indices names, as int64; checks the bounds."""
    cdef TensorBase first = indices[0], places = new_on(x, first.ndim, first.shape, MT_I64), index
    cdef long long *place = <long long *>data_of(places)
    cdef long long *value
    cdef long long v
    cdef Py_ssize_t i, size, bad = -1
    cdef int d = lead
    zero_data(places)
    for index in indices:
        if on_device(x):
            size = x.shape[d]
            wrong = primitives().add_places(shown(places), shown(beside(index, x, MT_I64)), size)
            if wrong is not None:
                raise IndexError(f"index {wrong} is out of bounds for dimension {d} with size {size}")
            d += 1
            continue
        check_here(index, x)
        index = contiguous_data(converted(index, MT_I64))
        value = <long long *>data_of(index)
        size = x.shape[d]
        with nogil:
            for i in range(places.numel):
                v = value[i]
                if v < 0:
                    v += size
                if v < 0 or v >= size:
                    bad = i
                    break
                place[i] = place[i] * size + v
        if bad >= 0:
            raise IndexError(f"index {value[bad]} is out of bounds for dimension {d} with size {size}")
        d += 1
    return places


cdef class Blocks:
    """How the memory of a contiguous x is cut: `outer` times `rows` blocks of `block` elements."""
    cdef Py_ssize_t outer, rows, block


cdef Blocks blocks_of(TensorBase x, int lead, int indexed):
    cdef Blocks b = Blocks.__new__(Blocks)
    cdef int d
    b.outer = b.rows = b.block = 1
    for d in range(x.ndim):
        if d < lead:
            b.outer *= x.shape[d]
        elif d < lead + indexed:
            b.rows *= x.shape[d]
        else:
            b.block *= x.shape[d]
    return b


cdef struct Take:
    char *out
    const char *x
    const long long *place
    Py_ssize_t n, bytes, rows


cdef void take_some(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Take *t = <Take *>context
    cdef Py_ssize_t outer, first, count
    while begin < end:
        outer, first = begin // t.n, begin % t.n
        count = min(t.n - first, end - begin)
        mt_take(t.out + begin * t.bytes, t.x + outer * t.rows * t.bytes, t.place + first, count, t.bytes)
        begin += count


cdef TensorBase take_data(TensorBase x, int lead, int indexed, TensorBase places):
    """The blocks of x at the places; not recorded."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, n = 0
    cdef Take t
    cdef Blocks b
    cdef TensorBase out
    for d in range(lead):
        shape[n] = x.shape[d]
        n += 1
    for d in range(places.ndim):
        shape[n] = places.shape[d]
        n += 1
    for d in range(lead + indexed, x.ndim):
        shape[n] = x.shape[d]
        n += 1
    out = new_on(x, n, shape, x.code)
    if out.numel == 0:
        return out
    x = contiguous_data(x)
    b = blocks_of(x, lead, indexed)
    if on_device(x):
        primitives().take_blocks(shown(out), shown(x), shown(places), b.rows, b.block)
        return out
    t.out, t.x, t.place = data_of(out), data_of(x), <const long long *>data_of(places)
    t.n, t.bytes, t.rows = places.numel, b.block * mt_itemsize[x.code], b.rows
    with nogil:
        parallel_for(b.outer * t.n, 1 + GRAIN // (b.block + 1), take_some, &t)
    return out


cdef int put_data(TensorBase x, int lead, int indexed, TensorBase places, TensorBase v, bint add) except -1:
    """Write v, of the shape that taking gives, to the places of a contiguous x; or add it."""
    cdef Blocks b = blocks_of(x, lead, indexed)
    cdef Py_ssize_t _, n = places.numel, size = mt_itemsize[x.code]
    cdef char *to = data_of(x)
    cdef const char *source
    cdef const long long *place = <const long long *>data_of(places)
    if n == 0 or x.numel == 0:
        return 0
    v = beside(v, x, x.code)
    if on_device(x):
        primitives().put_blocks(shown(x), shown(v), shown(places), b.rows, b.block, add)
        return 0
    source = data_of(v)
    with nogil:
        for _ in range(b.outer):
            if add:
                mt_put_add[x.code](to, source, place, n, b.block)
            else:
                mt_put(to, source, place, n, b.block * size)
            to += b.rows * b.block * size
            source += n * b.block * size
    return 0


# --- x[i] and its derivative ------------------------------------------------------------------------------------------

cdef class IndexBackward(Node):
    """y = x[i]:  dx is zero but for dx[i] += dy, so that an index named twice receives twice."""
    cdef tuple shape
    cdef TensorBase places
    cdef int lead, indexed

    cdef object apply(self, TensorBase g):
        return (spread(g, self.shape, self.lead, self.indexed, self.places),)


cdef TensorBase spread(TensorBase g, tuple shape, int lead, int indexed, TensorBase places):
    """Zeros of a shape with g added at the places; recorded."""
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int d
    cdef TensorBase dx
    cdef SpreadBackward node
    for d in range(len(shape)):
        sizes[d] = shape[d]
    dx = new_on(g, len(shape), sizes, g.code)
    zero_data(dx)
    put_data(dx, lead, indexed, places, g, True)
    if recording1(g):
        node = SpreadBackward.__new__(SpreadBackward)
        node.places, node.lead, node.indexed = places, lead, indexed
        record1(node, dx, g)
    return dx


cdef class SpreadBackward(Node):
    """The derivative of IndexBackward is indexing again."""
    cdef TensorBase places
    cdef int lead, indexed

    cdef object apply(self, TensorBase g):
        return (taken(g, self.lead, self.indexed, self.places),)


cdef TensorBase taken(TensorBase x, int lead, int indexed, TensorBase places):
    cdef TensorBase out = take_data(x, lead, indexed, places)
    cdef IndexBackward node
    if recording1(x):
        node = IndexBackward.__new__(IndexBackward)
        node.shape = tuple(shape_of(x))
        node.places, node.lead, node.indexed = places, lead, indexed
        record1(node, out, x)
    return out


cdef TensorBase index_at(TensorBase x, int lead, tuple indices):
    return taken(x, lead, len(indices), places_of(x, lead, indices))


# --- keys -------------------------------------------------------------------------------------------------------------

cdef TensorBase as_index(object part):
    """A list, array or tensor of a key, as an integer or bool tensor."""
    from minitorch._ext.engine import from_numpy
    cdef TensorBase t
    if isinstance(part, TensorBase):
        t = part
    else:
        if isinstance(part, (list, tuple)) and not part:
            array = np.zeros(0, dtype=np.int64)
        else:
            if isinstance(part, (list, tuple)):
                part = plain(part)
            array = np.asarray(part)
        if array.dtype.kind in "US":
            raise TypeError(f"new(): invalid data type 'str': {part!r} is no index")
        if array.dtype.kind not in "biu":
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {array.dtype}")
        t = from_numpy(np.ascontiguousarray(array.astype(np.bool_ if array.dtype.kind == "b" else np.int64))
                       .reshape(array.shape))
    if mt_category[t.code] >= 2:
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {describe(t)}: "
                         "convert with .long()")
    return t


cdef object plain(object part):
    """Nested lists with tensors turned to numbers."""
    if isinstance(part, TensorBase):
        from minitorch._ext.engine import tolist
        return tolist(part)
    return [plain(x) for x in part] if isinstance(part, (list, tuple)) else part


cdef bint is_mask(object part):
    return isinstance(part, TensorBase) and ((<TensorBase>part).code == MT_BOOL or
                                             dtype_of((<TensorBase>part).code).name == "uint8")


def nonzero_data(TensorBase t not None):
    """The indices of the elements that are not zero, as a tuple of int64 tensors."""
    from minitorch._ext.engine import from_numpy, numpy
    cdef TensorBase mask = converted(t, MT_BOOL)
    if on_device(mask):
        return primitives().places_apart(shown(mask_places(mask)), shape_of(mask))
    return tuple([from_numpy(i) for i in np.nonzero(numpy(mask, force=True))])


cdef TensorBase zeros_index(Py_ssize_t n):
    cdef TensorBase result = new_tensor(1, &n, MT_I64)
    zero_data(result)
    return result


cdef TensorBase mask_places(TensorBase mask):
    """The flat indices of the elements of a mask that are True."""
    cdef TensorBase plain = contiguous_data(converted(mask, MT_BOOL)), places
    if on_device(mask):
        return primitives().true_places(shown(plain))
    cdef const unsigned char *m = <const unsigned char *>data_of(plain)
    cdef Py_ssize_t n = 0, i = 0, k = 0, size = plain.numel
    cdef long long *place
    with nogil:
        n = mt_count_true(m, size)
    places = new_tensor(1, &n, MT_I64)
    place = <long long *>data_of(places)
    with nogil:
        while k < n:                                        # no branch on the mask, which may be random
            place[k] = i
            k += m[i]
            i += 1
    return places


cdef struct Compress:
    char *out
    const char *x
    const unsigned char *mask
    const Py_ssize_t *starts
    Py_ssize_t size, bytes


cdef enum:
    PIECE = 1 << 14          # elements of a mask that one job does


cdef void compress_pieces(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Compress *c = <Compress *>context
    cdef Py_ssize_t first
    while begin < end:
        first = begin * PIECE
        mt_compress(c.out + c.starts[begin] * c.bytes, c.x + first * c.bytes, c.mask + first,
                    c.starts[begin + 1] - c.starts[begin], c.bytes)
        begin += 1


cdef TensorBase compressed(TensorBase x, TensorBase mask):
    """x[mask] for a mask of x's shape and elements of up to 8 bytes, not recorded."""
    cdef Py_ssize_t n = 0, i, pieces = (x.numel + PIECE - 1) // PIECE
    cdef Compress c
    cdef TensorBase out, starts
    mask = contiguous_data(converted(mask, MT_BOOL))
    x = contiguous_data(x)
    i = pieces + 1
    starts = new_tensor(1, &i, MT_I64)
    c.starts = <const Py_ssize_t *>data_of(starts)
    c.mask = <const unsigned char *>data_of(mask)
    for i in range(pieces):
        (<Py_ssize_t *>c.starts)[i] = n
        n += mt_count_true(c.mask + i * PIECE, min(<Py_ssize_t>PIECE, x.numel - i * PIECE))
    (<Py_ssize_t *>c.starts)[pieces] = n
    out = new_tensor(1, &n, x.code)
    c.out, c.x, c.bytes = data_of(out), data_of(x), mt_itemsize[x.code]
    with nogil:
        parallel_for(pieces, 4, compress_pieces, &c)
    return out


cdef tuple split_key(TensorBase x, object key):
    """A key as its basic part, the index tensors, and the dimension of the basic view that each indexes."""
    cdef list parts = list(key) if isinstance(key, tuple) else [key]
    cdef list basic = [], indices = []
    cdef int used = 0, d, n
    for k, part in enumerate(parts):
        if isinstance(part, (bool, np.bool_)):
            parts[k] = bool(part)
            continue
        if part is None or part is Ellipsis or isinstance(part, slice):
            if isinstance(part, slice):
                parts[k] = slice(*[None if v is None else int(v) for v in (part.start, part.stop, part.step)])
                used += 1
            continue
        if isinstance(part, (int, np.integer)):
            parts[k] = int(part)
            used += 1
            continue
        part = as_index(part)
        if (<TensorBase>part).ndim == 0:                    # a number in a tensor: of a bool, a mask without dimensions
            part = part.item() if is_mask(part) is False else bool(part.item())
            parts[k] = part
            used += 0 if isinstance(part, bool) else 1
            continue
        parts[k] = part
        used += (<TensorBase>part).ndim if is_mask(part) else 1
    if used > x.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}: {describe(x)} was given {used}")
    dots = [k for k, part in enumerate(parts) if part is Ellipsis]
    where = dots[0] if dots else len(parts)
    parts[where:where + 1] = [slice(None)] * (x.ndim - used)
    parts = [part for part in parts if part is not Ellipsis]
    d = 0                                                  # in x
    n = 0                                                  # in the basic view
    for part in parts:
        if part is None:
            basic.append(None)
            n += 1
        elif isinstance(part, slice):
            basic.append(part)
            d += 1
            n += 1
        elif isinstance(part, bool):                        # a mask without dimensions: of a new one, all or nothing
            basic.append(None)
            indices.append((n, zeros_index(1 if part else 0)))
            n += 1
        elif isinstance(part, int):
            basic.append(part)
            d += 1
        elif is_mask(part):
            check_mask_shape(x, <TensorBase>part, d)
            for index in nonzero_data(part):
                basic.append(slice(None))
                indices.append((n, index))
                d += 1
                n += 1
        else:
            basic.append(slice(None))
            indices.append((n, part))
            d += 1
            n += 1
    return tuple(basic), indices


cdef tuple prepared(TensorBase x, object key):
    """The view of x that a key's index tensors index, its dimension where they start, and the tensors in one shape."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = 0
    basic, indices = split_key(x, key)
    view = index_basic(x, basic)
    dims = [n for n, _ in indices]
    tensors = [t for _, t in indices]
    for t in tensors:
        if broadcast_shape(&ndim, shape, <TensorBase>t) < 0:
            raise IndexError("shape mismatch: indexing tensors could not be broadcast together with shapes "
                             f"{', '.join([str(list(shape_of(<TensorBase>u))) for u in tensors])}")
    tensors = [t if has_shape(<TensorBase>t, ndim, shape) else expand_to(<TensorBase>t, ndim, shape) for t in tensors]
    lead = dims[0]
    if dims != list(range(lead, lead + len(dims))):        # apart: the indexed dimensions come first
        view = view.permute(dims + [d for d in range(view.ndim) if d not in dims])
        lead = 0
    return view, lead, tuple(tensors)


cdef TensorBase masked(TensorBase x, TensorBase mask):
    """x[mask], the commonest of masks: over the leading dimensions, nothing else."""
    check_mask_shape(x, mask, 0)
    check_here(mask, x)
    mask = beside(mask, x, MT_BOOL)
    if mask.ndim == x.ndim and not recording1(x) and not on_device(x):
        return compressed(x, mask)
    return taken(x if x.contiguous else contiguous_of(x), 0, mask.ndim, mask_places(mask))


cdef int check_mask_shape(TensorBase x, TensorBase mask, int d) except -1:
    cdef int i
    if d + mask.ndim > x.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}: {describe(x)} was given a mask "
                         f"{describe(mask)}")
    for i in range(mask.ndim):
        if mask.shape[i] != x.shape[d + i]:
            raise IndexError(f"The shape of the mask {list(shape_of(mask))} at index {i} does not match the shape of "
                             f"the indexed tensor {list(shape_of(x))} at index {d + i}")
    return 0


cdef object as_tuple(object key):
    """A list that holds more than numbers stands for a tuple, an old habit that PyTorch has kept."""
    if isinstance(key, list) and len(key) < 32:
        for part in key:
            if part is None or part is Ellipsis or isinstance(part, (slice, list, tuple, TensorBase, np.ndarray)):
                return tuple(key)
    return key


def getitem(TensorBase x not None, key):
    """x[key] for keys with index tensors, masks, lists or arrays."""
    key = as_tuple(key)
    if isinstance(key, np.ndarray) and key.ndim == 0:
        key = key.item()
    if isinstance(key, (np.integer,)):
        return x[int(key)]
    if is_mask(key) and (<TensorBase>key).ndim:
        return masked(x, <TensorBase>key)
    basic, indices = split_key(x, key)
    if not indices:
        return index_basic(x, basic)
    view, lead, tensors = prepared(x, key)
    return index_at(<TensorBase>view, lead, tensors)


cdef class IndexPutBackward(Node):
    """x[i] = v (or += v):  dx is dy, with zeros at i unless added;  dv = dy[i]."""
    cdef TensorBase places
    cdef int lead, indexed
    cdef bint add

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = None, dv = None, zero
        if self.needs(0):
            dx = g
            if not self.add:
                dx = clone_of(contiguous_of(g))
                zero = number_tensor(0, g.code)
                put_into(dx, self.lead, self.indexed, self.places, zero, False)
        if self.needs(1):
            dv = taken(g, self.lead, self.indexed, self.places)
        return dx, dv


cdef int put_into(TensorBase view, int lead, int indexed, TensorBase places, TensorBase value, bint add) except -1:
    """view[places] = value, broadcast and converted; recorded."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef TensorBase whole, full
    cdef IndexPutBackward node
    cdef int d, n = 0, extra
    for d in range(lead):
        shape[n] = view.shape[d]
        n += 1
    for d in range(places.ndim):
        shape[n] = places.shape[d]
        n += 1
    for d in range(lead + indexed, view.ndim):
        shape[n] = view.shape[d]
        n += 1
    extra = value.ndim - n
    if extra > 0 and all([value.shape[d] == 1 for d in range(extra)]):
        value = reshape_to(value, n, value.shape + extra)
    try:
        full = expand_to(value, n, shape)
    except RuntimeError:
        raise RuntimeError(f"shape mismatch: value tensor of shape {list(shape_of(value))} cannot be broadcast to "
                           f"indexing result of shape {[shape[d] for d in range(n)]}") from None
    if value.ndim or on_device(value):                      # a number may come from the CPU
        check_devices("indexing", view, (value,))
    whole = contiguous_data(view)
    put_data(whole, lead, indexed, places, full, add)
    if whole is not view:
        copy_data(view, whole)
    bump(view)
    if grad_enabled() and (requires_grad(full) or requires_grad(view)):
        node = IndexPutBackward.__new__(IndexPutBackward)
        node.places, node.lead, node.indexed, node.add = places, lead, indexed, add
        if full.code != view.code:
            node.input_meta = (None, (shape_of(full), full.code))
        rebase(view, record_edges(node, (view, full)))
    return 0


cdef TensorBase value_tensor(object value, TensorBase like):
    if isinstance(value, TensorBase):
        return value
    if isinstance(value, (np.ndarray, list, tuple)):
        from minitorch._ext.engine import tensor
        made = tensor(value)
        return beside(made, like, (<TensorBase>made).code)
    scalar_code(value)
    return stored_number(value, like.code, True)


def setitem(TensorBase x not None, key, value):
    """x[key] = value for keys with index tensors, masks, lists or arrays."""
    cdef TensorBase v = value_tensor(value, x), view
    key = as_tuple(key)
    if isinstance(key, (np.integer,)):
        key = int(key)
    basic, indices = split_key(x, key)
    if not indices:
        copy_into(index_basic(x, basic), expand_value(v, index_basic(x, basic)))
        return
    if (is_mask(key) and v.ndim == 0 and same_shape(<TensorBase>key, x) and on_device(<TensorBase>key) == on_device(x)
            and not recording1(v) and not recording1(x)):
        copy_data(x, op_where(key if (<TensorBase>key).code == MT_BOOL else cast(key, MT_BOOL), cast(v, x.code), x))
        bump(x)
        return
    where, lead, tensors = prepared(x, key)
    view = where
    put_into(view, lead, len(tensors), places_of(view, lead, tensors), v, False)


cdef TensorBase expand_value(TensorBase v, TensorBase place):
    while v.ndim > place.ndim and v.shape[0] == 1:
        v = reshape_to(v, v.ndim - 1, v.shape + 1)
    return v


def index_put_(TensorBase self not None, indices, TensorBase values not None, bint accumulate=False):
    """``self[indices] = values``, or added where ``accumulate``.

    >>> import minitorch
    >>> minitorch.zeros(3).index_put_((minitorch.tensor([0, 0, 2]),), minitorch.tensor([1., 2., 3.]), accumulate=True)
    tensor([3., 0., 3.])
    """
    cdef TensorBase view
    check_inplace(self, "index_put_")
    if values.code != self.code:
        raise RuntimeError("index_put_: Index put requires the source and destination dtypes match, got "
                           f"{describe(self)} for the destination and {describe(values)} for the source.")
    key = tuple([slice(None) if i is None else i for i in indices])
    if not any(isinstance(i, TensorBase) for i in key):
        raise RuntimeError(f"index_put_: expected a tuple of index tensors with one at least, got {indices!r}")
    where, lead, tensors = prepared(self, key)
    view = where
    put_into(view, lead, len(tensors), places_of(view, lead, tensors), values, accumulate)
    return self


def index_put(TensorBase input not None, indices, TensorBase values not None, bint accumulate=False):
    """Out-of-place `index_put_`."""
    return index_put_(clone_of(input), indices, values, accumulate)


# --- along one dimension ----------------------------------------------------------------------------------------------

cdef bint has_negative(TensorBase index):
    cdef Py_ssize_t i
    cdef TensorBase plain = host_data(converted(index, MT_I64))
    cdef long long *value = <long long *>data_of(plain)
    for i in range(plain.numel):
        if value[i] < 0:
            return True
    return False


def index_select(TensorBase input not None, dim, TensorBase index not None, *, TensorBase out=None):
    """The slices of ``input`` along ``dim`` that a vector of indices names.

    >>> import minitorch
    >>> minitorch.arange(6).view(3, 2).index_select(0, minitorch.tensor([2, 0]))
    tensor([[4, 5],
            [0, 1]])
    """
    cdef int d = wrap_dim(dim, input.ndim)
    cdef TensorBase x = input, result
    if index.ndim > 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, but got dim: {index.ndim}")
    if mt_category[index.code] != 1 or mt_itemsize[index.code] < 4:
        raise RuntimeError(f"index_select(): Expected dtype int32 or int64 for index but got: {describe(index)}")
    if index.ndim == 0:
        index = unsqueeze_of(index, 0)
    if x.ndim == 0:
        x = unsqueeze_of(x, 0)
    if has_negative(index):
        raise IndexError("index out of range in self: index_select takes no negative indices")
    result = index_at(x, d, (index,))
    if input.ndim == 0:
        result = reshape_to(result, 0, NULL)
    return into(out, result, "index_select")


# --- masks ------------------------------------------------------------------------------------------------------------

cdef int check_mask(TensorBase mask, str name) except -1:
    if mask.code != MT_BOOL:
        raise RuntimeError(f"{name}: expected mask to be a boolean tensor, but got {describe(mask)}: compare it first, "
                           "as in x > 0")
    return 0


def masked_fill(TensorBase input not None, TensorBase mask not None, value):
    """``value`` where the mask is True, ``input`` elsewhere.

    >>> import minitorch
    >>> x = minitorch.tensor([1., -2.])
    >>> x.masked_fill(x < 0, 0)
    tensor([1., 0.])
    """
    check_mask(mask, "masked_fill")
    if input.ndim and mask.ndim:
        check_devices("masked_fill", input, (mask,))
    if isinstance(value, TensorBase):
        if (<TensorBase>value).ndim:
            raise RuntimeError(f"masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                               f"{(<TensorBase>value).ndim} dimension(s).")
        if (<TensorBase>value).code != input.code:
            checked_value(value.item(), input.code)
            value = cast(<TensorBase>value, input.code)
    else:
        checked_value(value, input.code)
        if input.code == MT_BOOL:
            value = bool(value)
        elif mt_category[input.code] < 3:
            value = value.real                          # of a complex number that is real
            value = int(value) if mt_category[input.code] == 1 else value
    try:
        return op_where(mask, value, input)
    except RuntimeError:
        raise RuntimeError(f"masked_fill: the mask {describe(mask)} and the tensor {describe(input)} cannot be "
                           "broadcast together") from None


def masked_fill_(TensorBase self not None, TensorBase mask not None, value):
    """In-place `masked_fill`."""
    cdef TensorBase result
    check_inplace(self, "masked_fill_")
    result = masked_fill(self, mask, value)
    if not same_shape(result, self):
        raise RuntimeError(f"masked_fill_: the mask {describe(mask)} does not broadcast to the tensor {describe(self)}")
    copy_into(self, result)
    return self


def masked_select(TensorBase input not None, TensorBase mask not None, *, TensorBase out=None):
    """The elements where the mask is True, as a vector.

    >>> import minitorch
    >>> x = minitorch.tensor([1., -2., 3.])
    >>> x.masked_select(x > 0)
    tensor([1., 3.])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = 0
    cdef TensorBase result
    check_mask(mask, "masked_select")
    check_apart("masked_select", out, (input, mask))
    if broadcast_shape(&ndim, shape, input) < 0 or broadcast_shape(&ndim, shape, mask) < 0:
        raise RuntimeError(f"masked_select: {describe(input)} and the mask {describe(mask)} cannot be broadcast "
                           "together")
    input, mask = expand_to(input, ndim, shape), expand_to(mask, ndim, shape)
    if ndim == 0:
        input, mask = unsqueeze_of(input, 0), unsqueeze_of(mask, 0)
    result = getitem(input, mask)
    return into(out, result, "masked_select")


def nonzero(TensorBase input not None, *, TensorBase out=None, bint as_tuple=False):
    """The indices of the elements that are not zero: a row each, or a vector for each dimension (``as_tuple``).

    >>> import minitorch
    >>> minitorch.tensor([0, 3, 0, 4]).nonzero()
    tensor([[1],
            [3]])
    """
    from minitorch._ext.engine import from_numpy, numpy
    cdef TensorBase mask = converted(input, MT_BOOL), places
    cdef Py_ssize_t[2] shape
    if as_tuple:
        if out is not None:
            raise RuntimeError("nonzero: out= is one tensor, and as_tuple=True gives several; leave one of them out")
        return nonzero_data(unsqueeze_of(mask, 0) if mask.ndim == 0 else mask)
    if out is not None and out.code != MT_I64:
        raise RuntimeError(f"nonzero: indices are int64, so out= must be too, not {describe(out)}")
    if on_device(mask):
        if mask.ndim:
            places = stack(nonzero_data(mask), 1)
        else:
            shape[0], shape[1] = mask_places(unsqueeze_of(mask, 0)).numel, 0
            places = new_on(mask, 2, shape, MT_I64)
    else:
        places = from_numpy(np.argwhere(numpy(mask, force=True)))
    return into(out, places, "nonzero")


# --- joining ----------------------------------------------------------------------------------------------------------

cdef class CatBackward(Node):
    """y = [x1, x2, ...] along a dimension:  each dx is its part of dy."""
    cdef list lengths
    cdef int dim

    cdef object apply(self, TensorBase g):
        cdef Py_ssize_t start = 0
        parts = []
        for k, n in enumerate(self.lengths):
            parts.append(slice_of(g, self.dim, start, n, 1) if self.needs(k) and n >= 0 else None)
            start += n if n >= 0 else 0
        return tuple(parts)


cdef tuple tensors_of(object tensors, str name):
    if isinstance(tensors, TensorBase):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    tensors = tuple(tensors)
    for k, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(f"{name}(): expected Tensor as element {k} in argument 0, but got {type(t).__name__}")
    if not tensors:
        raise (ValueError if name == "cat" else RuntimeError)(f"{name}(): expected a non-empty list of Tensors")
    return tensors


def cat(tensors, dim=0, *, TensorBase out=None):
    """The tensors one after another along an existing dimension.

    >>> import minitorch
    >>> minitorch.cat([minitorch.tensor([1, 2]), minitorch.tensor([3])])
    tensor([1, 2, 3])
    """
    cdef tuple parts = tensors_of(tensors, "cat")
    cdef TensorBase first = None, t, result
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t start = 0, total = 0
    cdef int d, k, code = -1
    cdef CatBackward node
    lengths = []
    for t in parts:
        code = t.code if code < 0 else mt_promote(code, t.code)
        if t.ndim == 0:
            raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated: use stack()")
        if first is None and not (t.ndim == 1 and t.numel == 0):
            first = t
    if first is None:
        first = parts[0]
    check_devices("cat", first, parts)
    d = wrap_dim(dim, first.ndim)
    for k, t in enumerate(parts):
        if t.ndim == 1 and t.numel == 0 and first.ndim != 1:   # PyTorch's old habit: an empty vector joins anything
            lengths.append(-1)
            continue
        if t.ndim != first.ndim:
            raise RuntimeError(f"cat: Tensors must have same number of dimensions: got {describe(first)} and "
                               f"{describe(t)}")
        for i in range(t.ndim):
            if i != d and t.shape[i] != first.shape[i]:
                raise RuntimeError(f"cat: Sizes of tensors must match except in dimension {d}. Expected size "
                                   f"{first.shape[i]} but got size {t.shape[i]} in dimension {i} for tensor number "
                                   f"{k} in the list: {describe(first)} and {describe(t)}")
        lengths.append(t.shape[d])
        total += t.shape[d]
    for i in range(first.ndim):
        shape[i] = first.shape[i]
    shape[d] = total
    result = new_on(first, first.ndim, shape, code) if out is None else out
    if out is not None:
        check_devices("cat, the result", out, (first,))
        check_apart("cat", out, tuple(parts))
        prepare_out(out, first.ndim, shape, code, "cat", recording(parts))
    if (result.contiguous and not on_device(result)
            and all([(<TensorBase>p).contiguous and (<TensorBase>p).code == code for p in parts])):
        join_rows(result, d, parts)
    else:
        for k, t in enumerate(parts):
            if lengths[k] > 0 and t.numel:
                copy_data(part_of(result, d, start, lengths[k]), t)
                start += lengths[k]
    if out is not None:
        bump(out)
    elif recording(parts):
        node = CatBackward.__new__(CatBackward)
        node.lengths, node.dim = lengths, d
        if any([t_code != code for t_code in [(<TensorBase>p).code for p in parts]]):
            node.input_meta = tuple([(shape_of(<TensorBase>p), (<TensorBase>p).code) for p in parts])
        record(node, result, parts)
    return result


cdef struct Joined:
    char *to
    const char *source
    Py_ssize_t bytes


cdef struct Join:
    const Joined *parts
    Py_ssize_t rows, step


cdef void join_some(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Rows begin to end, counted through the first part, then through the next."""
    cdef const Join *j = <const Join *>context
    cdef const Joined *part
    cdef Py_ssize_t row, count
    while begin < end:
        part, row = &j.parts[begin // j.rows], begin % j.rows
        count = min(end - begin, j.rows - row)
        mt_copy_rows(part.to + row * j.step, j.step, part.source + row * part.bytes, part.bytes, count, part.bytes)
        begin += count


cdef int join_rows(TensorBase out, int d, tuple parts) except -1:
    """Contiguous parts next to each other in a contiguous out: of each, row after row."""
    cdef Py_ssize_t item = mt_itemsize[out.code], row = item, outer = 1, n = len(parts), k
    cdef Joined *joined
    cdef TensorBase part
    cdef Join j
    cdef char *to
    cdef int i
    if out.numel == 0:
        return 0
    for i in range(d):
        outer *= out.shape[i]
    for i in range(d + 1, out.ndim):
        row *= out.shape[i]
    joined = <Joined *>malloc(n * sizeof(Joined))
    if joined == NULL:
        raise MemoryError(f"cat: no memory for a list of {n} parts")
    to = data_of(out)
    for k in range(n):
        part = <TensorBase>parts[k]
        joined[k].to, joined[k].source, joined[k].bytes = to, data_of(part), part.numel // outer * item
        to += joined[k].bytes
    j.parts, j.rows, j.step = joined, outer, out.shape[d] * row
    with nogil:
        parallel_for(n * outer, 1 + n * outer * GRAIN // out.numel, join_some, &j)
    free(joined)
    return 0


cdef TensorBase part_of(TensorBase t, int d, Py_ssize_t start, Py_ssize_t length):
    """t.narrow(d, start, length), not recorded."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int i
    for i in range(t.ndim):
        shape[i] = t.shape[i]
    shape[d] = length
    return new_view(t, t.ndim, shape, t.strides, t.offset + start * t.strides[d])


def stack(tensors, dim=0, *, TensorBase out=None):
    """Tensors of one shape along a new dimension.

    >>> import minitorch
    >>> minitorch.stack([minitorch.tensor([1, 2]), minitorch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    cdef tuple parts = tensors_of(tensors, "stack")
    cdef TensorBase first = parts[0], t
    cdef int d = wrap_dim(dim, first.ndim + 1), k
    for k in range(1, len(parts)):
        t = <TensorBase>parts[k]
        if not same_shape(t, first):
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {list(shape_of(first))} at entry "
                               f"0 and {list(shape_of(t))} at entry {k}")
    return cat([unsqueeze_of(<TensorBase>t, d) for t in parts], d, out=out)
