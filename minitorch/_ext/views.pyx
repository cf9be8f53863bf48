# cython: boundscheck=False
"""Views: other shapes over the same memory, and their derivatives.

Nearly every view maps an index of its own to one of its source by whole steps: `Steps` says how, so that one node
serves select, slice, narrow, transpose, permute, squeeze, unsqueeze and diagonal alike.  Its derivative puts the
gradient into zeros through the very same view.
"""
from libc.stdlib cimport malloc, free
from libc.string cimport memcpy
from minitorch._ext.dtype cimport dtype, dtype_of, mt_category, mt_complex_of, mt_itemsize, mt_real_of
from minitorch._ext.loops cimport accumulate_data, contiguous_data, copy_data, zero_data
from minitorch._ext.tensor cimport (
    MADE_INFERENCE, MADE_OF_SEVERAL, MADE_UNRECORDED, MAX_DIMS, Node, TensorBase, alias, bump, check_inplace,
    count_elements, describe, grad_enabled, is_dense, new_as, new_like_class, new_on, new_view, parse_size, rebase,
    record1, record2, record_edges, recording1, requires_grad, same_shape, set_dims, set_view_hooks, shape_of,
    strides_of, wrap_dim,
)
from minitorch._ext.storage cimport inference_mode


cdef TensorBase as_view(TensorBase out, TensorBase source):
    """Remember whose memory a new view shows: an in-place change of either must reach the other's gradient."""
    out.base = source if source.base is None else source.base
    out.base_version = source.storage.version
    out.made = source.made
    if not grad_enabled() and not out.made:
        out.made = MADE_INFERENCE if inference_mode() else MADE_UNRECORDED
    return out


cdef TensorBase one_of_several(TensorBase view):
    """A view that comes with others from one operation."""
    if not view.made:
        view.made = MADE_OF_SEVERAL
    return view


# --- views by steps -----------------------------------------------------------------------------------------------

# Index d of the source is start[d] plus, for each dimension j of the view with source[j] == d (or also[j] == d),
# step[j] times the view's index j.  A dimension with source[j] == -1 is new, of size one.
cdef struct Steps:
    int source_ndim
    int ndim
    Py_ssize_t[MAX_DIMS] start
    Py_ssize_t[MAX_DIMS] shape
    Py_ssize_t[MAX_DIMS] step
    signed char[MAX_DIMS] source
    signed char[MAX_DIMS] also


cdef void same_steps(Steps *s, TensorBase t) noexcept:
    """The view that is all of t."""
    cdef int d
    s.source_ndim = s.ndim = t.ndim
    for d in range(t.ndim):
        s.start[d] = 0
        s.shape[d] = t.shape[d]
        s.step[d] = 1
        s.source[d] = d
        s.also[d] = -1


cdef TensorBase show(Steps *s, TensorBase t):
    """Apply the steps to a tensor; not recorded."""
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef Py_ssize_t offset = t.offset
    cdef int d
    for d in range(s.source_ndim):
        offset += s.start[d] * t.strides[d]
    for d in range(s.ndim):
        # a new dimension gets the stride that keeps a contiguous tensor contiguous
        if s.source[d] >= 0:
            strides[d] = s.step[d] * t.strides[s.source[d]]
            if s.also[d] >= 0:
                strides[d] += t.strides[s.also[d]]
    for d in range(s.ndim - 1, -1, -1):
        if s.source[d] < 0:
            strides[d] = strides[d + 1] * s.shape[d + 1] if d + 1 < s.ndim else 1
    return new_view(t, s.ndim, s.shape, strides, offset)


cdef TensorBase step_view(Steps *s, TensorBase t, str name):
    cdef TensorBase out = as_view(show(s, t), t)
    cdef StepsBackward node
    if recording1(t):
        node = StepsBackward.__new__(StepsBackward)
        node.keep(s, t, name)
        record1(node, out, t)
    return out


cdef class StepsBackward(Node):
    """y = x[steps]:  dx is zero but for dx[steps] = dy."""
    cdef Steps *steps
    cdef Py_ssize_t *shape          # of the source
    cdef str kind

    def __dealloc__(self):
        free(self.steps)

    cdef int keep(self, Steps *s, TensorBase source, str kind) except -1:
        # one block holds the used part of the steps; the arrays inside are of fixed size, so copy the struct whole
        self.steps = <Steps *>malloc(sizeof(Steps) + s.source_ndim * sizeof(Py_ssize_t))
        if self.steps == NULL:
            raise MemoryError()
        memcpy(self.steps, s, sizeof(Steps))
        self.shape = <Py_ssize_t *>(self.steps + 1)
        memcpy(self.shape, source.shape, s.source_ndim * sizeof(Py_ssize_t))
        self.kind = kind
        return 0

    cdef str op_name(self):
        return self.kind + "Backward0"

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx
        cdef EmbedBackward node
        if count_elements(self.steps.source_ndim, self.shape, 1) == g.numel and self.rearranges():
            dx = self.rearranged(g)
        else:
            dx = new_on(g, self.steps.source_ndim, self.shape, g.code)
            zero_data(dx)
            copy_data(show(self.steps, dx), g)
        if recording1(g):
            node = EmbedBackward.__new__(EmbedBackward)
            node.forward = self
            record1(node, dx, g)
        return (dx,)

    cdef bint rearranges(self):
        """Whether the view only permutes dimensions, adds or drops those of size one: then so does its derivative."""
        cdef int j
        for j in range(self.steps.ndim):
            if self.steps.also[j] >= 0 or self.steps.step[j] != 1:
                return False
        return True

    cdef TensorBase rearranged(self, TensorBase g):
        cdef Py_ssize_t[MAX_DIMS] strides
        cdef int d, j
        cdef Py_ssize_t stride = 1
        for d in range(self.steps.source_ndim):
            strides[d] = -1
        for j in range(self.steps.ndim):
            if self.steps.source[j] >= 0:
                strides[self.steps.source[j]] = g.strides[j]
        for d in range(self.steps.source_ndim - 1, -1, -1):
            if strides[d] < 0:                               # dropped, so of size one
                strides[d] = stride
            stride = strides[d] * self.shape[d]
        return new_view(g, self.steps.source_ndim, self.shape, strides, g.offset)


cdef class EmbedBackward(Node):
    """dx[steps] = dy:  the derivative of that is the view again."""
    cdef StepsBackward forward

    cdef object apply(self, TensorBase g):
        return (step_view(self.forward.steps, g, self.forward.kind),)


# --- views by strides ----------------------------------------------------------------------------------------------

cdef class AsStridedBackward(Node):
    """y = x's memory at other strides:  each element of dy is added to the place that it shows."""
    cdef TensorBase source, view    # for their geometry alone, of an empty storage

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx = scatter_strided(g, self.view, self.source)
        cdef ScatterStridedBackward node
        if recording1(g):                # linear, and its own derivative with the two geometries exchanged
            node = ScatterStridedBackward.__new__(ScatterStridedBackward)
            node.source, node.view = self.view, self.source
            record1(node, dx, g)
        return (dx,)


cdef class ScatterStridedBackward(AsStridedBackward):
    """The derivative of AsStridedBackward, or of itself."""


cdef TensorBase geometry_of(TensorBase t):
    cdef TensorBase result = alias(t)
    result.storage = None
    return result


cdef Py_ssize_t last_place(TensorBase t) noexcept:
    cdef Py_ssize_t last = t.offset
    cdef int d
    if t.numel == 0:
        return t.offset
    for d in range(t.ndim):
        last += (t.shape[d] - 1) * t.strides[d]
    return last + 1


cdef TensorBase in_reals(TensorBase t):
    """The pairs of real numbers that are the memory of a complex tensor, in a last dimension; not recorded."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef TensorBase out
    cdef int d
    if mt_category[t.code] != 3:
        return t
    if t.ndim == MAX_DIMS:
        raise RuntimeError(f"view_as_real: a tensor can have at most {MAX_DIMS} dimensions: {describe(t)}")
    for d in range(t.ndim):
        shape[d], strides[d] = t.shape[d], 2 * t.strides[d]
    shape[t.ndim], strides[t.ndim] = 2, 1
    out = new_like_class()
    out.code = mt_real_of(t.code)
    out.storage, out.offset = t.storage, 2 * t.offset
    set_dims(out, t.ndim + 1, shape, strides)
    return out


cdef TensorBase in_complex(TensorBase t):
    """The way back: pairs as complex numbers; not recorded."""
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef TensorBase out
    cdef int d, last = t.ndim - 1
    for d in range(last):
        if t.strides[d] % 2 and t.shape[d] > 1 and t.numel:
            raise RuntimeError("view_as_complex: Tensor must have a stride divisible by 2 for all but last dimension, "
                               f"not {strides_of(t)}")
        strides[d] = t.strides[d] // 2
    if t.numel and (t.strides[last] != 1 or t.offset % 2):
        raise RuntimeError("view_as_complex: Tensor must have a last dimension with stride 1 and a storage_offset "
                           f"divisible by 2, not strides {strides_of(t)} and offset {t.offset}: call contiguous() "
                           "first")
    out = new_like_class()
    out.code = mt_complex_of(t.code)
    out.storage, out.offset = t.storage, t.offset // 2
    set_dims(out, last, t.shape, strides)
    return out


cdef bint shows_twice(TensorBase t):
    """Whether a place of memory may be shown by two indices (a safe guess)."""
    cdef Py_ssize_t expected = 1
    cdef int d, best
    cdef unsigned long long used = 0
    while True:                            # sorted by stride, each must step over all that the smaller ones reach
        best = -1
        for d in range(t.ndim):
            if not (used >> d) & 1 and t.shape[d] != 1 and (best < 0 or t.strides[d] < t.strides[best]):
                best = d
        if best < 0:
            return False
        if t.strides[best] < expected:
            return True
        expected = t.strides[best] * (t.shape[best] - 1) + expected
        used |= <unsigned long long>1 << best


cdef TensorBase scatter_strided(TensorBase g, TensorBase view, TensorBase source):
    """A tensor of the geometry of source that holds the values of g where view shows them, and zeros elsewhere."""
    if mt_category[view.code] != mt_category[source.code]:     # one shows complex numbers, the other their parts
        dx = scatter_strided(in_reals(g), in_reals(view), in_reals(source))
        return in_complex(dx) if mt_category[source.code] == 3 else dx
    cdef Py_ssize_t first = min(view.offset, source.offset)
    cdef Py_ssize_t size = max(last_place(view), last_place(source)) - first
    cdef TensorBase memory = new_on(g, 1, &size, g.code)
    cdef TensorBase place
    zero_data(memory)
    place = new_view(memory, view.ndim, view.shape, view.strides, view.offset - first)
    if shows_twice(view):
        accumulate_data(place, g)
    else:
        copy_data(place, g)
    return new_view(memory, source.ndim, source.shape, source.strides, source.offset - first)


cdef AsStridedBackward strided_node(TensorBase source, TensorBase view):
    cdef AsStridedBackward node = AsStridedBackward.__new__(AsStridedBackward)
    node.source = geometry_of(source)
    node.view = geometry_of(view)
    return node


cdef TensorBase strided_view(TensorBase t, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides,
                             Py_ssize_t offset):
    cdef TensorBase out = as_view(new_view(t, ndim, shape, strides, offset), t)
    if recording1(t):
        record1(strided_node(t, out), out, t)
    return out


cdef TensorBase seen_by(TensorBase view, TensorBase t, TensorBase source):
    """The part of t, which has the geometry of source, that a view of source shows; recorded."""
    cdef TensorBase out
    if mt_category[view.code] == mt_category[source.code]:
        return strided_view(t, view.ndim, view.shape, view.strides, view.offset - source.offset + t.offset)
    t = view_as_real_of(t) if mt_category[source.code] == 3 else t
    out = seen_by(in_reals(view), t, in_reals(source))
    return view_as_complex_of(out) if mt_category[view.code] == 3 else out


cdef class CopySlicesBackward(Node):
    """x with a view of it replaced by v:  dx is dy with zeros there, dv is what dy has there."""
    cdef TensorBase source, view

    cdef object apply(self, TensorBase g):
        cdef TensorBase dx, hole, zero
        cdef object dv = None
        g = contiguous_of(g) if self.source.contiguous else place_like(g, self.source)
        dv = seen_by(self.view, g, self.source)
        if not self.needs(0):
            return None, dv
        dx = clone_of(g)
        hole = seen_by(self.view, dx, self.source)
        zero = new_on(hole, 0, NULL, hole.code)
        zero_data(zero)
        copy_into(hole, zero)
        return dx, dv


cdef TensorBase place_like(TensorBase g, TensorBase like):
    """A copy of g with the strides of like, which is dense."""
    cdef TensorBase out
    if not is_dense(like):
        raise NotImplementedError("an in-place change of a view whose base shows only part of its memory; "
                                  "call contiguous() on the base first")
    out = new_as(like, g.code)
    if recording1(g):
        record1(CloneBackward.__new__(CloneBackward), out, g)
    copy_data(out, g)
    return out


cdef int refresh(TensorBase view) except -1:
    """The view's memory has changed since its node was made: let it lead to what the base is now."""
    view.base_version = view.storage.version
    if requires_grad(view.base):
        view.grad_fn = None
        view.output_nr = 0
        record1(strided_node(view.base, view), view, view.base)
    return 0


cdef int rebase_base(TensorBase view) except -1:
    """The view was changed in place by a recorded operation: its base is now the old base with this put in."""
    cdef CopySlicesBackward node = CopySlicesBackward.__new__(CopySlicesBackward)
    node.source = geometry_of(view.base)
    node.view = geometry_of(view)
    view.base_version = view.storage.version                 # its edge is the change itself
    record2(node, view.base, view.base, view)
    view.base.output_nr = 0
    view.base_version = view.storage.version - 1             # and from now on it comes from the base
    return refresh(view)


set_view_hooks(refresh, rebase_base)


# --- copies that are recorded -----------------------------------------------------------------------------------------

cdef class CloneBackward(Node):
    """y = x:  dx = dy."""
    cdef object apply(self, TensorBase g):
        return (g,)


cdef class CopyBackward(Node):
    """x.copy_(s):  nothing of the old x remains, ds = dy (broadcasting and conversion undone by the tape)."""
    cdef object apply(self, TensorBase g):
        return None, g


cdef TensorBase clone_of(TensorBase t):
    cdef TensorBase out = new_as(t, t.code)
    copy_data(out, t)
    if recording1(t):
        record1(CloneBackward.__new__(CloneBackward), out, t)
    return out


cdef TensorBase contiguous_of(TensorBase t):
    cdef TensorBase out
    if t.contiguous:
        return t
    out = contiguous_data(t)
    if recording1(t):
        record1(CloneBackward.__new__(CloneBackward), out, t)
    return out


cdef int copy_into(TensorBase dst, TensorBase src) except -1:
    """dst.copy_(src), recorded."""
    cdef CopyBackward node
    check_inplace(dst, "copy_")
    copy_data(dst, src)
    bump(dst)
    if grad_enabled() and (requires_grad(src) or requires_grad(dst)):
        node = CopyBackward.__new__(CopyBackward)
        if not same_shape(dst, src) or dst.code != src.code:
            node.input_meta = (None, (shape_of(src), src.code))
        rebase(dst, record_edges(node, (dst, src)))
    return 0


cdef TensorBase detach_of(TensorBase t):
    return new_view(t, t.ndim, t.shape, t.strides, t.offset)


# --- complex numbers as pairs of reals ------------------------------------------------------------------------------

cdef class ViewAsRealBackward(Node):
    """y = (Re x, Im x):  dx = dy_0 + i dy_1."""
    cdef object apply(self, TensorBase g):
        g = contiguous_of(g)
        return (view_as_complex_of(clone_of(g) if g.offset % 2 else g),)


cdef class ViewAsComplexBackward(Node):
    """y = x_0 + i x_1:  dx = (Re dy, Im dy)."""
    cdef object apply(self, TensorBase g):
        return (view_as_real_of(g),)


cdef TensorBase view_as_real_of(TensorBase t):
    cdef TensorBase out = as_view(in_reals(t), t)
    if recording1(t):
        record1(ViewAsRealBackward.__new__(ViewAsRealBackward), out, t)
    return out


cdef TensorBase view_as_complex_of(TensorBase t):
    cdef TensorBase out = as_view(in_complex(t), t)
    if recording1(t):
        record1(ViewAsComplexBackward.__new__(ViewAsComplexBackward), out, t)
    return out


def view_as_real(TensorBase input not None):
    """A complex tensor's real and imaginary parts, a view with one more dimension of size 2.

    >>> import minitorch
    >>> minitorch.view_as_real(minitorch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if mt_category[input.code] != 3:
        raise RuntimeError(f"view_as_real is only supported for complex tensors, not {describe(input)}")
    return view_as_real_of(input)


def view_as_complex(TensorBase input not None):
    """The pairs of a last dimension of size 2 as complex numbers, a view.

    >>> import minitorch
    >>> minitorch.view_as_complex(minitorch.tensor([[1., 2.]]))
    tensor([1.+2.j])
    """
    if dtype_of(input.code).name not in ("float32", "float64"):
        raise RuntimeError(f"view_as_complex is only supported for float32 and float64 tensors, not {describe(input)}")
    if input.ndim == 0 or input.shape[input.ndim - 1] != 2:
        raise RuntimeError(f"view_as_complex: Tensor must have a last dimension of size 2, not {describe(input)}")
    return view_as_complex_of(input)


# --- the shapes of views ----------------------------------------------------------------------------------------------

cdef class ViewBackward(Node):
    """y = x in another shape:  dx = dy in the shape of x."""
    cdef TensorBase source          # for its shape alone

    cdef object apply(self, TensorBase g):
        return (reshape_to(g, self.source.ndim, self.source.shape),)


cdef bint strides_for(TensorBase t, int ndim, const Py_ssize_t *shape, Py_ssize_t *strides) noexcept:
    """The strides that show t in another shape of as many elements, if there are any."""
    cdef int d = ndim - 1, i
    cdef Py_ssize_t run = 1, used = 1, step
    if t.numel == 0 or t.contiguous:
        step = 1
        for i in range(ndim - 1, -1, -1):
            strides[i] = step
            step *= shape[i] if shape[i] > 0 else 1
        return True
    step = t.strides[t.ndim - 1] if t.ndim else 1
    for i in range(t.ndim - 1, -1, -1):
        run *= t.shape[i]
        # the end of a run of dimensions that lie one behind the other
        if i == 0 or (t.shape[i - 1] != 1 and t.strides[i - 1] != run * step):
            while d >= 0 and (used < run or shape[d] == 1):
                strides[d] = used * step
                used *= shape[d]
                d -= 1
            if used != run:
                return False
            if i > 0:
                step = t.strides[i - 1]
                run = used = 1
    return d < 0


cdef int fill_in(TensorBase t, int ndim, Py_ssize_t *shape) except -1:
    """Work out a size of -1, and check that the shape has as many elements as t."""
    cdef int d, unknown = -1
    cdef Py_ssize_t known = 1
    for d in range(ndim):
        if shape[d] == -1:
            if unknown >= 0:
                raise RuntimeError("only one dimension can be inferred")
            unknown = d
        elif shape[d] < 0:
            raise RuntimeError(f"invalid shape dimension {shape[d]} at index {d} of shape "
                               f"{[shape[i] for i in range(ndim)]}")
        else:
            if shape[d] != 0 and known > (<Py_ssize_t>1 << 62) // shape[d]:
                known = -1
                break
            known *= shape[d]
    if unknown >= 0 and known > 0 and t.numel % known == 0:
        shape[unknown] = t.numel // known
        return 0
    if unknown >= 0 and known == 0 and t.numel == 0:
        raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {[shape[i] for i in range(ndim)]} because "
                           "the unspecified dimension size -1 can be any value and is ambiguous")
    if unknown >= 0 or known != t.numel:
        raise RuntimeError(f"shape '{[shape[i] for i in range(ndim)]}' is invalid for input of size {t.numel}: "
                           f"the tensor is {describe(t)}")
    return 0


cdef TensorBase reshaped(TensorBase t, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides):
    cdef TensorBase out = as_view(new_view(t, ndim, shape, strides, t.offset), t)
    cdef ViewBackward node
    if recording1(t):
        node = ViewBackward.__new__(ViewBackward)
        node.source = geometry_of(t)
        record1(node, out, t)
    return out


cdef TensorBase view_of(TensorBase t, int ndim, const Py_ssize_t *shape):
    cdef Py_ssize_t[MAX_DIMS] strides
    if not strides_for(t, ndim, shape, strides):
        raise RuntimeError(f"view: a tensor {describe(t)} with strides {strides_of(t)} cannot be seen as "
                           f"{tuple([shape[i] for i in range(ndim)])}: view size is not compatible with input tensor's "
                           "size and stride (at least one dimension spans across two contiguous subspaces). "
                           "Use .reshape(...) instead.")
    return reshaped(t, ndim, shape, strides)


cdef TensorBase reshape_to(TensorBase t, int ndim, const Py_ssize_t *shape):
    cdef Py_ssize_t[MAX_DIMS] strides
    if strides_for(t, ndim, shape, strides):
        return reshaped(t, ndim, shape, strides)
    t = contiguous_of(t)
    strides_for(t, ndim, shape, strides)
    return reshaped(t, ndim, shape, strides)


cdef TensorBase transpose_of(TensorBase t, int a, int b):
    cdef Steps s
    same_steps(&s, t)
    if t.ndim:
        s.shape[a], s.shape[b] = t.shape[b], t.shape[a]
        s.source[a], s.source[b] = b, a
    return step_view(&s, t, "Transpose")


cdef TensorBase permuted(TensorBase t, const int *order):
    cdef Steps s
    cdef int d
    same_steps(&s, t)
    for d in range(t.ndim):
        s.shape[d] = t.shape[order[d]]
        s.source[d] = order[d]
    return step_view(&s, t, "Permute")


cdef class ExpandBackward(Node):
    """y = x repeated along new or broadcast dimensions:  dx = dy summed over them, which the tape does."""
    cdef object apply(self, TensorBase g):
        return (g,)


cdef TensorBase expand_to(TensorBase t, int ndim, const Py_ssize_t *shape):
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int d, lead = ndim - t.ndim
    cdef TensorBase out
    cdef Node node
    if lead < 0:
        raise RuntimeError(f"expand: the number of sizes provided ({ndim}) must be greater or equal to the number of "
                           f"dimensions in the tensor ({t.ndim}), which is {describe(t)}")
    for d in range(ndim):
        sizes[d] = shape[d]
        if d < lead:
            if shape[d] < 0:
                raise RuntimeError(f"expand: the expanded size of the tensor ({shape[d]}) isn't allowed in a leading, "
                                   f"non-existing dimension {d}")
            strides[d] = 0
        elif shape[d] == -1 or shape[d] == t.shape[d - lead]:
            sizes[d] = t.shape[d - lead]
            strides[d] = t.strides[d - lead]
        elif t.shape[d - lead] == 1 and shape[d] >= 0:
            strides[d] = 0
        else:
            raise RuntimeError(f"expand: the expanded size of the tensor ({shape[d]}) must match the existing size "
                               f"({t.shape[d - lead]}) at non-singleton dimension {d}. "
                               f"Target sizes: {[shape[i] for i in range(ndim)]}. The tensor is {describe(t)}")
    count_elements(ndim, sizes, 1)
    out = as_view(new_view(t, ndim, sizes, strides, t.offset), t)
    if recording1(t):
        node = ExpandBackward.__new__(ExpandBackward)
        node.input_meta = ((shape_of(t), t.code),)
        record1(node, out, t)
    return out


cdef TensorBase select_of(TensorBase t, int dim, Py_ssize_t index):
    cdef Steps s
    cdef int d
    same_steps(&s, t)
    s.start[dim] = index
    s.ndim = t.ndim - 1
    for d in range(dim, s.ndim):
        s.shape[d] = t.shape[d + 1]
        s.source[d] = d + 1
    return step_view(&s, t, "Select")


cdef TensorBase slice_of(TensorBase t, int dim, Py_ssize_t start, Py_ssize_t length, Py_ssize_t step):
    cdef Steps s
    same_steps(&s, t)
    s.start[dim] = start
    s.shape[dim] = length
    s.step[dim] = step
    return step_view(&s, t, "Slice")


cdef TensorBase unsqueeze_of(TensorBase t, int dim):
    cdef Steps s
    cdef int d
    if t.ndim == MAX_DIMS:
        raise ValueError(f"unsqueeze: a tensor can have at most {MAX_DIMS} dimensions")
    same_steps(&s, t)
    for d in range(t.ndim, dim, -1):
        s.shape[d] = s.shape[d - 1]
        s.step[d] = s.step[d - 1]
        s.source[d] = s.source[d - 1]
        s.also[d] = -1
    s.ndim = t.ndim + 1
    s.shape[dim] = 1
    s.step[dim] = 1
    s.source[dim] = s.also[dim] = -1
    return step_view(&s, t, "Unsqueeze")


cdef TensorBase index_basic(TensorBase t, tuple key):
    """t[key] for ints, slices, None and one Ellipsis; None if the key has anything else."""
    cdef Steps s
    cdef int d = 0, j = 0, taken = 0
    cdef Py_ssize_t index, start, stop, step
    cdef bint dots = False
    for item in key:
        if isinstance(item, slice) or type(item) is int:
            taken += 1
        elif item is Ellipsis:
            dots = True
        elif item is not None:
            return None
    if taken > t.ndim:
        raise IndexError(f"too many indices for tensor of dimension {t.ndim}: {describe(t)} was given {taken}")
    if t.ndim + len(key) > MAX_DIMS:
        raise IndexError(f"a tensor can have at most {MAX_DIMS} dimensions")
    same_steps(&s, t)
    for item in (key if dots else key + (Ellipsis,)):
        if item is None:
            s.shape[j], s.step[j], s.source[j], s.also[j] = 1, 1, -1, -1
            j += 1
        elif item is Ellipsis:
            for _ in range(t.ndim - taken):
                s.shape[j], s.step[j], s.source[j], s.also[j] = t.shape[d], 1, d, -1
                j += 1
                d += 1
            taken = t.ndim                                   # a second ellipsis stands for nothing
        elif type(item) is int:
            index = item
            if index < -t.shape[d] or index >= t.shape[d]:
                raise IndexError(f"index {index} is out of bounds for dimension {d} with size {t.shape[d]}")
            s.start[d] = index + t.shape[d] if index < 0 else index
            d += 1
        else:
            if (<slice>item).step is not None and (<slice>item).step <= 0:
                raise ValueError("step must be greater than zero: flip() turns a dimension round")
            start, stop, step = item.indices(t.shape[d])
            s.start[d] = start
            s.shape[j] = (stop - start + step - 1) // step if stop > start else 0
            s.step[j], s.source[j], s.also[j] = step, d, -1
            j += 1
            d += 1
    s.ndim = j
    return step_view(&s, t, "Slice" if j == t.ndim else "Select")


# --- what users call --------------------------------------------------------------------------------------------------

cdef int sizes_of(tuple args, Py_ssize_t *shape, str name) except -1:
    """A shape given as several ints or as one sequence."""
    if len(args) == 1:
        return parse_size(args[0], shape)
    if not args:
        return 0
    return parse_size(args, shape)


def view(TensorBase self not None, *shape):
    """The same memory in another shape; one size may be -1.  ``view(dtype)`` reads the bits as another type.

    Raises:
        RuntimeError: if the number of elements differs, or the strides do not allow it (`reshape` would copy).

    >>> import minitorch
    >>> minitorch.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int ndim
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return view_as_type(self, (<dtype>shape[0]).code)
    if not shape:
        raise TypeError("view() needs a shape or a dtype")
    ndim = sizes_of(shape, sizes, "view")
    fill_in(self, ndim, sizes)
    return view_of(self, ndim, sizes)


cdef TensorBase view_as_type(TensorBase t, int code):
    """Read the bits as another type; the last dimension takes up a change of size."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int old = mt_itemsize[t.code], new = mt_itemsize[code], d, last = t.ndim - 1
    cdef TensorBase out
    if recording1(t):
        raise RuntimeError("view(dtype) has no derivative: detach() the tensor first")
    for d in range(t.ndim):
        shape[d] = t.shape[d]
        strides[d] = t.strides[d] * old // new
        if old != new and d != last and t.strides[d] * old % new:
            raise RuntimeError(f"view: the stride of dimension {d} of {describe(t)} must be divisible by {new // old} "
                               f"to view it as {dtype_of(code).name}")
    if old != new:
        if t.ndim == 0:
            raise RuntimeError(f"view: a 0-d tensor {describe(t)} cannot be viewed as {dtype_of(code).name}, of "
                               "another size")
        if t.strides[last] != 1:
            raise RuntimeError(f"view: the last stride of {describe(t)} must be 1 to view it as {dtype_of(code).name}, "
                               "of another size")
        if t.shape[last] * old % new or t.offset * old % new:
            raise RuntimeError(f"view: the last dimension and the offset of {describe(t)} must be divisible by "
                               f"{new // old} to view it as {dtype_of(code).name}")
        shape[last] = t.shape[last] * old // new
        strides[last] = 1
    out = new_like_class()
    out.code = code
    out.storage = t.storage
    out.offset = t.offset * old // new
    set_dims(out, t.ndim, shape, strides)
    return out


def reshape(TensorBase input not None, *args, shape=None):
    """The same elements in another shape: a view where the strides allow it, else a copy.  One size may be -1.

    >>> import minitorch
    >>> minitorch.arange(6).reshape(3, 2).t().reshape(-1)
    tensor([0, 2, 4, 1, 3, 5])
    """
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int ndim = sizes_of(args if shape is None else (shape,), sizes, "reshape")
    fill_in(input, ndim, sizes)
    return reshape_to(input, ndim, sizes)


def view_as(TensorBase self not None, TensorBase other not None):
    """``self.view(other.size())``"""
    fill_in(self, other.ndim, other.shape)
    return view_of(self, other.ndim, other.shape)


def reshape_as(TensorBase self not None, TensorBase other not None):
    """``self.reshape(other.size())``"""
    fill_in(self, other.ndim, other.shape)
    return reshape_to(self, other.ndim, other.shape)


def transpose(TensorBase input not None, dim0, dim1):
    """A view with two dimensions exchanged.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).transpose(0, 1)
    tensor([[0, 3],
            [1, 4],
            [2, 5]])
    """
    return transpose_of(input, wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim))


def t(TensorBase input not None):
    """The transpose of a matrix; a vector or number as it is.

    >>> import minitorch
    >>> minitorch.ones(2, 3).t().shape
    torch.Size([3, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D: {describe(input)}. "
                           "Use transpose(dim0, dim1), or .mT for a batch of matrices")
    return transpose_of(input, 0, input.ndim - 1 if input.ndim == 2 else 0)


def permute(TensorBase input not None, *args, dims=None):
    """A view with the dimensions in the given order.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    cdef int[MAX_DIMS] order
    cdef int i = 0
    cdef unsigned long long seen = 0
    dims = args if dims is None else tuple(dims)
    if len(dims) == 1 and not isinstance(dims[0], int):
        dims = tuple(dims[0])
    if len(dims) != input.ndim:
        raise RuntimeError(f"permute: the tensor {describe(input)} has {input.ndim} dimensions, but {len(dims)} were "
                           f"given: {tuple(dims)}")
    for dim in dims:
        order[i] = wrap_dim(dim, input.ndim)
        if (seen >> order[i]) & 1:
            raise RuntimeError(f"permute: duplicate dims are not allowed: {dims}")
        seen |= <unsigned long long>1 << order[i]
        i += 1
    return permuted(input, order)


def movedim(TensorBase input not None, source, destination):
    """Move dimensions to other places; the rest keep their order.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    cdef int[MAX_DIMS] order
    cdef int i
    a = [wrap_dim(d, input.ndim) for d in ((source,) if isinstance(source, int) else source)]
    b = [wrap_dim(d, input.ndim) for d in ((destination,) if isinstance(destination, int) else destination)]
    if len(a) != len(b) or len(set(a)) < len(a) or len(set(b)) < len(b):
        raise RuntimeError(f"movedim: source {source} and destination {destination} must be as many dimensions, "
                           "without repetition")
    rest = iter([d for d in range(input.ndim) if d not in a])
    for i in range(input.ndim):
        order[i] = a[b.index(i)] if i in b else next(rest)
    return permuted(input, order)


def expand(TensorBase self not None, *sizes, size=None, implicit=False):
    """A view with dimensions of size one, or new leading ones, repeated; -1 keeps a size.

    >>> import minitorch
    >>> minitorch.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = sizes_of(sizes if size is None else (size,), shape, "expand")
    return expand_to(self, ndim, shape)


def broadcast_to(TensorBase input not None, size):
    """The same as ``input.expand(size)``."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = parse_size(size, shape)
    return expand_to(input, ndim, shape)


def expand_as(TensorBase self not None, TensorBase other not None):
    """``self.expand(other.size())``"""
    return expand_to(self, other.ndim, other.shape)


def squeeze(TensorBase input not None, dim=None):
    """A view without the dimensions of size one, or without those given that have it.

    >>> import minitorch
    >>> minitorch.ones(1, 3, 1).squeeze().shape, minitorch.ones(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    cdef Steps s
    cdef int d, j = 0
    cdef unsigned long long drop = ~<unsigned long long>0
    if dim is not None:
        drop = 0
        for one in (dim if isinstance(dim, (tuple, list)) else (dim,)):
            d = wrap_dim(one, input.ndim)
            if (drop >> d) & 1:
                raise RuntimeError(f"squeeze: dim {d} appears multiple times in the list of dims")
            drop |= <unsigned long long>1 << d
    same_steps(&s, input)
    for d in range(input.ndim):
        if input.shape[d] != 1 or not (drop >> d) & 1:
            s.shape[j] = input.shape[d]
            s.source[j] = d
            j += 1
    s.ndim = j
    return step_view(&s, input, "Squeeze")


def unsqueeze(TensorBase input not None, dim):
    """A view with a new dimension of size one at ``dim``.

    >>> import minitorch
    >>> minitorch.ones(3).unsqueeze(-1).shape
    torch.Size([3, 1])
    """
    return unsqueeze_of(input, wrap_dim(dim, input.ndim + 1))


def flatten(TensorBase input not None, start_dim=0, end_dim=-1):
    """The dimensions from ``start_dim`` to ``end_dim`` joined into one.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, first = wrap_dim(start_dim, input.ndim), last = wrap_dim(end_dim, input.ndim)
    if first > last:
        raise RuntimeError(f"flatten() has invalid args: start_dim {start_dim} cannot come after end_dim {end_dim}")
    if input.ndim == 0:
        shape[0] = 1
        return reshape_to(input, 1, shape)
    if first == last:
        return input
    for d in range(first + 1):
        shape[d] = input.shape[d]
    for d in range(first + 1, last + 1):
        shape[first] *= input.shape[d]
    for d in range(last + 1, input.ndim):
        shape[d - last + first] = input.shape[d]
    return reshape_to(input, input.ndim - last + first, shape)


def unflatten(TensorBase input not None, dim, sizes):
    """One dimension split into several; one size may be -1.

    >>> import minitorch
    >>> minitorch.ones(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    cdef int d = wrap_dim(dim, input.ndim), i
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t known = 1
    sizes = list(sizes)
    for n in sizes:
        if n != -1:
            known *= n
    if sizes.count(-1) == 1 and known > 0 and input.shape[d] % known == 0:
        sizes[sizes.index(-1)] = input.shape[d] // known
    elif -1 in sizes or not sizes or known != input.shape[d]:
        raise RuntimeError(f"unflatten: Provided sizes {sizes} don't multiply up to the size of dim {d} "
                           f"({input.shape[d]}) in the input tensor {describe(input)}")
    whole = list(shape_of(input))
    i = parse_size(whole[:d] + sizes + whole[d + 1:], shape)
    return view_of(input, i, shape)


def ravel(TensorBase input not None):
    """All elements in one dimension: ``input.reshape(-1)``."""
    return reshape_to(input, 1, &input.numel)


def narrow(TensorBase input not None, dim, start, Py_ssize_t length):
    """The view of ``length`` elements from ``start`` on along ``dim``.

    >>> import minitorch
    >>> minitorch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    cdef int d
    cdef Py_ssize_t first
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, input.ndim)
    if isinstance(start, TensorBase) and (
            (<TensorBase>start).ndim or mt_category[(<TensorBase>start).code] != 1):
        raise RuntimeError(f"narrow(): start must be an 0-dim integral Tensor, got {describe(<TensorBase>start)}")
    first = int(start)
    if first < -input.shape[d] or first > input.shape[d]:
        raise IndexError(f"start out of range (expected to be in range of [{-input.shape[d]}, {input.shape[d]}], "
                         f"but got {first})")
    if first < 0:
        first += input.shape[d]
    if length < 0 or length > input.shape[d] - first:
        raise RuntimeError(f"narrow(): start ({first}) + length ({length}) exceeds dimension size ({input.shape[d]}) "
                           f"of dimension {d} of {describe(input)}" if length >= 0 else
                           "narrow(): length must be non-negative.")
    return slice_of(input, d, first, length, 1)


def select(TensorBase input not None, dim, index):
    """The view at one index of ``dim``, without that dimension.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).select(1, -1)
    tensor([2, 5])
    """
    cdef int d
    cdef Py_ssize_t i
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, input.ndim)
    i = int(index)
    if i < -input.shape[d] or i >= input.shape[d]:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(shape_of(input))} at dimension "
                         f"{d}")
    return select_of(input, d, i + input.shape[d] if i < 0 else i)


def diagonal(TensorBase input not None, Py_ssize_t offset=0, dim1=0, dim2=1):
    """The view of the diagonal of two dimensions, which becomes the last dimension.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).diagonal(1)
    tensor([1, 5])
    """
    cdef Steps s
    cdef int a = wrap_dim(dim1, input.ndim), b = wrap_dim(dim2, input.ndim), d, j = 0
    cdef Py_ssize_t length
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    same_steps(&s, input)
    for d in range(input.ndim):
        if d != a and d != b:
            s.shape[j] = input.shape[d]
            s.source[j] = d
            j += 1
    if offset >= 0:
        length = min(input.shape[a], input.shape[b] - offset)
    else:
        length = min(input.shape[a] + offset, input.shape[b])
    if length > 0:
        s.start[b if offset >= 0 else a] = abs(offset)
    s.shape[j] = max(length, 0)
    s.source[j], s.also[j] = a, b
    s.ndim = j + 1
    return step_view(&s, input, "Diagonal")


def unfold(TensorBase self not None, dimension, Py_ssize_t size, Py_ssize_t step):
    """A view of all windows of ``size`` elements along a dimension, ``step`` apart, as a new last dimension.

    >>> import minitorch
    >>> minitorch.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int d = wrap_dim(dimension, self.ndim), i
    cdef Py_ssize_t available = self.shape[d] if self.ndim else 1
    if step <= 0:
        raise RuntimeError(f"unfold: step is {step} but must be > 0")
    if size < 0:
        raise RuntimeError(f"unfold: size is {size} but must be >= 0")
    if size > available:
        raise RuntimeError(f"unfold: maximum size for tensor at dimension {d} is {available} but size is {size}")
    for i in range(self.ndim):
        shape[i], strides[i] = self.shape[i], self.strides[i]
    shape[self.ndim] = size
    if self.ndim:
        shape[d] = (available - size) // step + 1
        strides[self.ndim] = strides[d]
        strides[d] *= step
    else:
        strides[0] = 1
    return strided_view(self, self.ndim + 1, shape, strides, self.offset)


def as_strided(TensorBase input not None, size, stride, storage_offset=None):
    """A view of the storage at any shape, strides and offset (in elements).

    Raises:
        RuntimeError: if the view would reach outside the storage.

    >>> import minitorch
    >>> minitorch.arange(6).as_strided((2, 2), (3, 2))
    tensor([[0, 2],
            [3, 5]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int ndim = parse_size(size, shape), d
    cdef Py_ssize_t offset = input.offset if storage_offset is None else storage_offset
    cdef Py_ssize_t available = input.storage.nbytes // mt_itemsize[input.code]
    if parse_size(stride, strides) != ndim:
        raise RuntimeError(f"as_strided: mismatch in length of strides and shape: {stride} and {size}")
    last = offset + 1
    for d in range(ndim):
        if strides[d] < 0:
            raise RuntimeError("as_strided: Negative strides are not supported at the moment, got strides: "
                               f"{list(stride)}")
        last += (shape[d] - 1) * <object>strides[d]
    if offset < 0:
        raise RuntimeError(f"as_strided: the storage offset must not be negative, got {offset}")
    if count_elements(ndim, shape, 1) > 0 and last > available:
        raise RuntimeError(f"as_strided: setStorage: sizes {list(size)}, strides {list(stride)}, storage offset "
                           f"{offset} require {last} elements, out of bounds for storage of {available}")
    return strided_view(input, ndim, shape, strides, offset)


def split(TensorBase self not None, split_size_or_sections, dim=0):
    """Views of pieces of the given size (the last may be smaller), or of the given sizes, along ``dim``.

    >>> import minitorch
    >>> minitorch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    cdef int d
    cdef Py_ssize_t size, length, start = 0
    if self.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, self.ndim)
    length = self.shape[d]
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = list(split_size_or_sections)
        if sum(sizes) != length or any([n < 0 for n in sizes]):
            raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size "
                               f"at dimension {d}), but got split_sizes={sizes}")
    else:
        size = split_size_or_sections
        if size < 0 or (size == 0 and length != 0):
            raise RuntimeError(f"split expects split_size be non-negative and, if 0, a dimension of size 0; "
                               f"got split_size={size} for a dimension of size {length}")
        sizes = [min(size, length - k) for k in range(0, length, size)] if length else [0]
    pieces = []
    for n in sizes:
        pieces.append(one_of_several(slice_of(self, d, start, n, 1)))
        start += n
    return tuple(pieces)


def chunk(TensorBase input not None, Py_ssize_t chunks, dim=0):
    """Views of at most ``chunks`` pieces of equal size (the last may be smaller) along ``dim``.

    >>> import minitorch
    >>> [len(piece) for piece in minitorch.arange(7).chunk(3)]
    [3, 3, 1]
    """
    cdef int d
    cdef Py_ssize_t size
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, input.ndim)
    size = (input.shape[d] + chunks - 1) // chunks
    if input.shape[d] == 0:
        return split(input, [0] * chunks, d)
    return split(input, size, d)


def unbind(TensorBase input not None, dim=0):
    """Views of the slices along ``dim``, without that dimension.

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    cdef int d
    cdef Py_ssize_t i
    if input.ndim == 0:
        raise IndexError("unbind: Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, input.ndim)
    return tuple([one_of_several(select_of(input, d, i)) for i in range(input.shape[d])])


def clone(TensorBase input not None, *, memory_format=None):
    """A copy with memory of its own; gradients flow through it.

    >>> import minitorch
    >>> a = minitorch.ones(2)
    >>> b = a.clone()
    >>> b[0] = 5
    >>> a
    tensor([1., 1.])
    """
    if memory_format is None or str(memory_format) == "torch.preserve_format":
        return clone_of(input)
    return laid_out(input, str(memory_format), True, "clone")


def contiguous(TensorBase self not None, memory_format=None):
    """The tensor itself if its elements lie in C order, else a copy in which they do.

    >>> import minitorch
    >>> minitorch.ones(2, 3).t().contiguous().stride()
    (2, 1)
    """
    return contiguous_of(self) if memory_format is None else laid_out(self, str(memory_format), False, "contiguous")


cdef TensorBase laid_out(TensorBase t, str order, bint copy, str name):
    """The values of t with the dimensions in an order in memory; t itself where they are so, unless `copy`."""
    cdef int[MAX_DIMS] places
    cdef int d, n = t.ndim
    cdef TensorBase last
    if order == "torch.preserve_format":
        return clone_of(t) if copy else t
    if order == "torch.contiguous_format":
        return clone_of(t) if copy and t.contiguous else contiguous_of(t)
    if order not in ("torch.channels_last", "torch.channels_last_3d"):
        raise NotImplementedError(f"{name}: memory_format {order} is not supported; leave it out")
    if n != (4 if order == "torch.channels_last" else 5):
        raise RuntimeError(f"{name}: required rank {4 if order == 'torch.channels_last' else 5} tensor to use "
                           f"{order[6:]} format, got {describe(t)}")
    for d in range(n):
        places[d] = 0 if d == 0 else d + 1 if d < n - 1 else 1
    last = permuted(t, places)
    if last.contiguous and not copy:
        return t
    last = clone_of(last) if last.contiguous else contiguous_of(last)
    for d in range(n):
        places[d] = 0 if d == 0 else n - 1 if d == 1 else d - 1
    return permuted(last, places)


def detach(TensorBase input not None):
    """The same memory outside the graph: no gradient flows through it.

    >>> import minitorch
    >>> minitorch.ones(2, requires_grad=True).detach().requires_grad
    False
    """
    return detach_of(input)


def is_inference(TensorBase input not None):
    """Whether a tensor was made in inference mode; such a tensor never becomes part of a graph.

    >>> import minitorch
    >>> with minitorch.inference_mode():
    ...     x = minitorch.ones(2)
    >>> x.is_inference(), (x + 1).is_inference()
    (True, False)
    """
    return input.storage.inference != 0


def detach_(TensorBase input not None):
    """Take the tensor itself out of the graph; it becomes a leaf."""
    if input.base is not None and (input.grad_fn is not None or input.base.grad_fn is not None):
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    input.grad_fn = None
    input.leaf_requires_grad = False
    input.output_nr = 0
    return input


def copy_(TensorBase self not None, src, non_blocking=False):
    """Copy the values of ``src``, broadcast and converted, into this tensor.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).copy_(minitorch.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    cdef TensorBase source
    if not isinstance(src, TensorBase):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    source = src
    check_fits(self, source)
    copy_into(self, source)
    return self


cdef int check_fits(TensorBase dst, TensorBase src) except -1:
    """Whether src broadcasts to the shape of dst."""
    cdef int d, lead = dst.ndim - src.ndim
    for d in range(src.ndim):
        if lead >= 0 and (src.shape[d] == 1 or src.shape[d] == dst.shape[lead + d]):
            continue
        raise RuntimeError(f"copy_: the shape {tuple(shape_of(src))} of the source cannot be broadcast to "
                           f"{tuple(shape_of(dst))}, the shape of the tensor to be written")
    return 0


# --- the tensor itself seen in another shape --------------------------------------------------------------------------

cdef TensorBase become(TensorBase t, TensorBase view, str name):
    """Give t the geometry of a view of it, in place; the graph goes through the view."""
    check_inplace(t, name)
    set_dims(t, view.ndim, view.shape, view.strides)
    t.offset = view.offset
    bump(t)
    if t.base is None and view.grad_fn is not None:          # a view of a base finds its edge by the version
        t.grad_fn = view.grad_fn
        t.output_nr = 0
    return t


def squeeze_(TensorBase self not None, dim=None):
    """In-place `squeeze`."""
    return become(self, squeeze(self, dim), "squeeze_")


def unsqueeze_(TensorBase self not None, dim):
    """In-place `unsqueeze`."""
    return become(self, unsqueeze(self, dim), "unsqueeze_")


def transpose_(TensorBase self not None, dim0, dim1):
    """In-place `transpose`."""
    return become(self, transpose(self, dim0, dim1), "transpose_")


swapaxes_ = swapdims_ = transpose_


def t_(TensorBase self not None):
    """In-place `t`."""
    return become(self, t(self), "t_")


def as_strided_(TensorBase self not None, size, stride, storage_offset=None):
    """In-place `as_strided`."""
    return become(self, as_strided(self, size, stride, storage_offset), "as_strided_")
