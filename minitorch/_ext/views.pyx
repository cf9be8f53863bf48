# cython: boundscheck=False
"""Views: other shapes over the same memory, and their derivatives.

Nearly every view maps an index of its own to one of its source by whole steps: `Steps` says how, so that one node
serves select, slice, narrow, transpose, permute, squeeze, unsqueeze and diagonal alike.  Its derivative puts the
gradient into zeros through the very same view.
"""
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from minitorch._ext.dtype cimport mt_category, mt_complex_of, mt_real_of
from minitorch._ext.loops cimport accumulate_data, contiguous_data, copy_data, zero_data
from minitorch._ext.storage cimport check_held, inference_mode
from minitorch._ext.tensor cimport (
    MADE_INFERENCE, MADE_OF_SEVERAL, MADE_UNRECORDED, MAX_DIMS, Node, TensorBase, alias, bump, check_inplace,
    count_elements, describe, grad_enabled, is_dense, new_as, new_like_class, new_on, new_view, rebase, record1,
    record2, record_edges, recording1, requires_grad, same_shape, set_dims, set_view_hooks, shape_of, strides_of,
)


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
    check_held(t.storage.on_device, mt_complex_of(t.code))
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
