# cython: boundscheck=False
"""The tensor's layout, and the recording half of the tape.

A tensor is a shape, strides and an offset over a `Storage`.  A `Node` is one recorded operation; its edges lead to
what its inputs came from.  Replaying the nodes is the business of `tape`, changing shapes that of `views`.
"""
import threading
from weakref import WeakKeyDictionary, WeakValueDictionary
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport realloc
from libc.string cimport memcpy
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from cpython.ref cimport Py_DECREF, Py_INCREF
from minitorch._ext.dtype cimport dtype_of, mt_itemsize, mt_category
from minitorch._ext.storage cimport (
    inference_mode, new_device_storage, new_storage, new_storage_like, set_inference,
)

cdef extern from *:
    """
    #ifndef MT_THREAD_LOCAL
    #define MT_THREAD_LOCAL _Thread_local
    #endif
    static MT_THREAD_LOCAL int mt_grad_mode = 1;
    static MT_THREAD_LOCAL int mt_wished_mode = 1;      /* what enable_grad asked for inside of inference mode */
    #define mt_make(type, args) (((PyTypeObject *)(type))->tp_new((PyTypeObject *)(type), args, NULL))
    /* a Python class may have a __new__ of its own: go past it to the one of the engine's class */
    #define mt_make_as(base, type) (((PyTypeObject *)(base))->tp_new((PyTypeObject *)(type), mt_no_args, NULL))
    static PyObject *mt_no_args = NULL;
    """
    int mt_grad_mode
    int mt_wished_mode
    object mt_make(object type, object args)
    object mt_make_as(object base, object type)
    PyObject *mt_no_args

cdef extern from "public_class.h":
    void mt_inherit_operators(object to, object from_)
    void mt_give_attributes(object cls, Py_ssize_t at)
    void mt_set_public_class(object public, object engine)
    object mt_new_instance(object no_arguments)
    object PyObject_GenericGetDict(object instance, void *context)
    int PyObject_GenericSetDict(object instance, object value, void *context) except -1

cdef extern from *:
    bint mul_overflows "__builtin_mul_overflow"(Py_ssize_t a, Py_ssize_t b, Py_ssize_t *result) nogil

cdef unsigned long long next_seq = 0
cdef unsigned long long PACKED = -1     # the version of what went through a pack hook: no storage ever has it
cdef object public_class = None        # minitorch.Tensor
cdef object size_class = tuple         # minitorch.Size
cdef object engine_class = None        # the cdef class that it derives from
cdef tuple no_args = ()
mt_no_args = <PyObject *>no_args


# --- the tensor -------------------------------------------------------------------------------------------------

@cython.freelist(256)
cdef class TensorBase:
    """Shape, strides and offset over a storage.  The public class is its Python subclass `minitorch.Tensor`."""

    def __hash__(self):
        return <Py_ssize_t><PyObject *>self >> 4

    @property
    def __dict__(self):
        return PyObject_GenericGetDict(self, NULL)

    @__dict__.setter
    def __dict__(self, value):
        PyObject_GenericSetDict(self, value, NULL)


cdef TensorBase _any = TensorBase.__new__(TensorBase)
mt_give_attributes(TensorBase, <char *>&_any.attributes - <char *><PyObject *>_any)
_any = None


def register_classes(tensor, size):
    """Tell the engine the public classes: what it makes tensors and shapes of."""
    global public_class, size_class, engine_class
    public_class, size_class = tensor, size
    engine_class = tensor.__base__
    inherit_operators(tensor)
    if tensor.__basicsize__ != TensorBase.__basicsize__:
        raise TypeError(f"{tensor.__name__} must not add fields to the engine's class: it lacks __slots__ = ()")
    mt_set_public_class(tensor, TensorBase)


# every method behind a slot that `inherit_operators` copies
cdef tuple OPERATORS = tuple([f"__{prefix}{name}__" for name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift", "matmul")
    for prefix in ("", "r", "i")]) + (
    "__neg__", "__pos__", "__abs__", "__invert__", "__bool__", "__int__", "__float__", "__index__", "__len__",
    "__getitem__", "__setitem__", "__delitem__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")


def inherit_operators(cls):
    """Let a subclass that overrides no operator use the engine's directly."""
    if all([getattr(cls, name, None) is getattr(engine_class, name, None) for name in OPERATORS]):
        mt_inherit_operators(cls, engine_class)


OPERATOR_NAMES = OPERATORS


def public_class_():
    """The class of tensors that users see."""
    return public_class


def engine_class_():
    """The class of the engine that it derives from."""
    return engine_class


cdef type tensor_class():
    return public_class


cdef TensorBase new_like_class():
    return <TensorBase>mt_new_instance(no_args)


cdef inline int set_rank(TensorBase t, int ndim) except -1:
    """Make room for ndim sizes and strides."""
    if ndim <= INLINE_DIMS:
        t.shape = t.dims
    else:
        if ndim > MAX_DIMS:
            raise ValueError(f"a tensor can have at most {MAX_DIMS} dimensions, not {ndim}")
        t.spilled = PyBytes_FromStringAndSize(NULL, 2 * ndim * sizeof(Py_ssize_t))
        t.shape = <Py_ssize_t *>PyBytes_AS_STRING(t.spilled)
    t.strides = t.shape + ndim
    t.ndim = ndim
    return 0


cdef int set_dims(TensorBase t, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides) except -1:
    """Give t a shape and strides, and derive its number of elements and whether it is contiguous."""
    cdef Py_ssize_t numel = 1, expected = 1
    cdef int i
    cdef bint contiguous = True
    set_rank(t, ndim)
    for i in range(ndim):
        t.shape[i] = shape[i]
        t.strides[i] = strides[i]
        numel *= shape[i]
    for i in range(ndim - 1, -1, -1):
        if shape[i] != 1:
            if strides[i] != expected:
                contiguous = False
                break
            expected *= shape[i]
    t.numel = numel
    t.contiguous = contiguous or numel == 0
    return 0


cdef int set_contiguous_dims(TensorBase t, int ndim, const Py_ssize_t *shape) except -1:
    cdef Py_ssize_t numel = 1, stride = 1
    cdef int i
    set_rank(t, ndim)
    for i in range(ndim - 1, -1, -1):
        t.shape[i] = shape[i]
        t.strides[i] = stride
        numel *= shape[i]
        stride *= shape[i] if shape[i] > 0 else 1
    t.numel = numel
    t.contiguous = True
    return 0


cdef Py_ssize_t count_elements(int ndim, const Py_ssize_t *shape, int itemsize) except -1:
    """The number of elements of a shape; refuses negative sizes and those whose bytes overflow."""
    cdef Py_ssize_t numel = 1, nbytes
    cdef int i
    cdef bint overflow = False
    for i in range(ndim):
        if shape[i] < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {shape[i]}: "
                               f"{[shape[k] for k in range(ndim)]}")
        overflow = mul_overflows(numel, shape[i], &numel) or overflow
    if overflow:
        for i in range(ndim):
            if shape[i] == 0:
                return 0
    if overflow or mul_overflows(numel, itemsize, &nbytes):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={[shape[k] for k in range(ndim)]}")
    return numel


cdef TensorBase new_tensor(int ndim, const Py_ssize_t *shape, int code):
    """A contiguous tensor with memory of its own, not initialised."""
    cdef Py_ssize_t numel = count_elements(ndim, shape, mt_itemsize[code])
    cdef TensorBase t = new_like_class()
    t.code = code
    set_contiguous_dims(t, ndim, shape)
    t.storage = new_storage(numel * mt_itemsize[code])
    return t


cdef TensorBase new_at(bint on_device, int ndim, const Py_ssize_t *shape, int code):
    """The same on the device, or in the memory of the CPU."""
    cdef TensorBase t
    if not on_device:
        return new_tensor(ndim, shape, code)
    t = new_like_class()
    t.code = code
    count_elements(ndim, shape, mt_itemsize[code])
    set_contiguous_dims(t, ndim, shape)
    t.storage = new_device_storage(t.numel, code)
    return t


cdef TensorBase new_on(TensorBase like, int ndim, const Py_ssize_t *shape, int code):
    """The same where the memory of another tensor is."""
    return new_at(like.storage.on_device, ndim, shape, code)


cdef TensorBase new_same(TensorBase like, int code):
    """A new tensor of the shape of a contiguous one, whose elements are no smaller."""
    cdef TensorBase t
    if like.ndim > INLINE_DIMS:
        return new_on(like, like.ndim, like.shape, code)
    t = new_like_class()
    memcpy(t.dims, like.dims, sizeof(like.dims))
    t.shape = t.dims
    t.strides = t.dims + like.ndim
    t.ndim = like.ndim
    t.numel = like.numel
    t.contiguous = True
    t.code = code
    t.storage = new_storage_like(like.storage, like.numel, code)
    return t


cdef TensorBase new_as(TensorBase like, int code):
    """A new tensor of the same shape, its dimensions in the same order in memory."""
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int[MAX_DIMS] order
    cdef int i, j, d, n = like.ndim
    cdef Py_ssize_t stride = 1
    if like.contiguous:
        return new_on(like, n, like.shape, code)
    for i in range(n):                   # insertion sort by stride, largest first; ties and zeros keep their order
        j = i
        while j > 0 and like.strides[i] != 0 and like.shape[i] != 1 and \
                like.strides[order[j - 1]] < like.strides[i] and like.strides[order[j - 1]] != 0:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    for i in range(n - 1, -1, -1):
        d = order[i]
        strides[d] = stride
        stride *= like.shape[d] if like.shape[d] > 0 else 1
    cdef TensorBase t = new_like_class()
    t.code = code
    set_dims(t, n, like.shape, strides)
    t.storage = new_storage_like(like.storage, count_elements(n, like.shape, mt_itemsize[code]), code)
    return t


cdef TensorBase new_view(TensorBase source, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides,
                         Py_ssize_t offset):
    """Another shape over the storage of source; not recorded."""
    cdef TensorBase t = new_like_class()
    t.code = source.code
    t.storage = source.storage
    t.offset = offset
    set_dims(t, ndim, shape, strides)
    return t


cdef TensorBase alias(TensorBase source):
    """The same data without the graph, for the engine's own use (never shown to a user)."""
    cdef TensorBase t = TensorBase.__new__(TensorBase)
    t.code = source.code
    t.storage = source.storage
    t.offset = source.offset
    t.output_nr = source.output_nr
    set_dims(t, source.ndim, source.shape, source.strides)
    return t


cdef object shown(object x):
    """What Python code can use: an alias as a tensor of the public class, anything else as it is."""
    cdef TensorBase t
    if not isinstance(x, TensorBase) or isinstance(x, public_class):
        return x
    t = x
    return new_view(t, t.ndim, t.shape, t.strides, t.offset)


cdef char *data_of(TensorBase t) noexcept nogil:
    return t.storage.data + t.offset * mt_itemsize[t.code]


cdef bint is_dense(TensorBase t) noexcept nogil:
    """Whether the elements fill a block of memory, each place once (in whatever order)."""
    cdef int i, found, n = t.ndim
    cdef Py_ssize_t expected = 1
    cdef unsigned long long used = 0
    if t.contiguous:
        return True
    while True:
        found = -1
        for i in range(n):
            if not (used >> i) & 1 and t.shape[i] != 1 and t.strides[i] == expected:
                found = i
                break
        if found < 0:
            break
        used |= <unsigned long long>1 << found
        expected *= t.shape[found]
    return expected == t.numel


cdef bint has_shape(TensorBase t, int ndim, const Py_ssize_t *shape) noexcept nogil:
    cdef int i
    if t.ndim != ndim:
        return False
    for i in range(ndim):
        if t.shape[i] != shape[i]:
            return False
    return True


cdef bint same_shape(TensorBase a, TensorBase b) noexcept nogil:
    return has_shape(a, b.ndim, b.shape)


cdef tuple ints(int n, const Py_ssize_t *values):
    cdef tuple result = PyTuple_New(n)
    cdef object value
    cdef int i
    for i in range(n):
        value = values[i]
        Py_INCREF(value)
        PyTuple_SET_ITEM(result, i, value)
    return result


cdef object shape_of(TensorBase t):
    return mt_make(size_class, (ints(t.ndim, t.shape),))


cdef tuple strides_of(TensorBase t):
    return ints(t.ndim, t.strides)


cdef str describe(TensorBase t):
    """How a message names a tensor: float32 (2, 3)."""
    return f"{dtype_of(t.code).name} {ints(t.ndim, t.shape)}"


cdef int check_devices(str name, TensorBase x, tuple others) except -1:
    """Refuse tensors (or None) that are on another device than x."""
    for t in others:
        if t is not None and on_device(<TensorBase>t) != on_device(x):
            on, off = (x, t) if on_device(x) else (t, x)
            raise RuntimeError(f"{name}: Expected all tensors to be on the same device, but found at least two "
                               f"devices, cuda:0 ({describe(on)}) and cpu ({describe(off)}). Move them to one, with "
                               ".to()")
    return 0


cdef int wrap_int(Py_ssize_t dim, int ndim) except -1:
    """A dimension counted from either end, as one from the front."""
    cdef int n = ndim if ndim > 0 else 1
    if dim < -n or dim >= n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


cdef int wrap_dim(object dim, int ndim) except -1:
    if not isinstance(dim, int) and not hasattr(dim, "__index__"):
        raise TypeError(f"a dimension must be an int, not {type(dim).__name__}")
    return wrap_int(dim, ndim)


cdef int parse_size(object size, Py_ssize_t *out) except -1:
    """Read a shape (an int or a sequence of ints) into out; returns the number of dimensions."""
    cdef int i = 0
    if isinstance(size, int):
        out[0] = size
        return 1
    if not isinstance(size, (tuple, list)):
        if hasattr(size, "__index__"):
            out[0] = size.__index__()
            return 1
        try:
            size = tuple(size)
        except TypeError:
            raise TypeError(f"a shape must be ints or a sequence of ints, not {type(size).__name__}") from None
    if len(size) > MAX_DIMS:
        raise ValueError(f"a tensor can have at most {MAX_DIMS} dimensions, not {len(size)}")
    for n in size:
        if not isinstance(n, int) and (isinstance(n, float) or not hasattr(n, "__index__")):
            raise TypeError(f"a shape must be made of ints, but position {i} is {n!r} ({type(n).__name__})")
        try:
            out[i] = n
        except OverflowError:
            raise RuntimeError(f"a size of {n} overflows: shape {list(size)}") from None
        i += 1
    return i


# --- grad mode, per thread ----------------------------------------------------------------------------------------

cdef bint grad_enabled() noexcept nogil:
    return mt_grad_mode


cdef bint set_grad(bint enabled) noexcept nogil:
    global mt_grad_mode
    cdef bint before = mt_grad_mode
    mt_grad_mode = enabled
    return before


def is_grad_enabled():
    """Whether operations are being recorded in this thread.

    >>> import minitorch
    >>> minitorch.is_grad_enabled()
    True
    """
    return (mt_wished_mode if inference_mode() else mt_grad_mode) != 0


def _set_grad_enabled(bint mode):
    global mt_wished_mode
    if not inference_mode():
        return set_grad(mode)
    before = mt_wished_mode != 0            # nothing is recorded in inference mode, whatever is asked for
    mt_wished_mode = mode
    return before


def _set_inference_mode(bint mode):
    global mt_wished_mode
    mt_wished_mode = False
    set_grad(not mode)
    return set_inference(mode)


def is_inference_mode_enabled():
    """Whether this thread is inside ``minitorch.inference_mode()``.

    >>> import minitorch
    >>> minitorch.is_inference_mode_enabled()
    False
    """
    return inference_mode() != 0


cdef inline bint is_stale(TensorBase t) noexcept:
    """Whether a view's memory has changed since it got its place in the graph."""
    return t.base is not None and t.base_version != t.storage.version and (t.made == 0 or t.made == MADE_OF_SEVERAL)


cdef bint requires_grad(TensorBase t) except -1:
    if t.leaf_requires_grad:
        return True
    if is_stale(t):
        refresh_view(t)
    return t.grad_fn is not None


cdef bint recording1(TensorBase a) except -1:
    return mt_grad_mode and requires_grad(a)


cdef bint recording2(TensorBase a, TensorBase b) except -1:
    return mt_grad_mode and (requires_grad(a) or requires_grad(b))


cdef bint recording(tuple tensors) except -1:
    if mt_grad_mode:
        for t in tensors:
            if t is not None and requires_grad(<TensorBase>t):
                return True
    return False


# --- nodes ----------------------------------------------------------------------------------------------------------

cdef PyObject **doomed = NULL          # references that dropped nodes leave to the outermost of them: a stack
cdef Py_ssize_t doomed_count = 0, doomed_room = 0
cdef bint dropping = False


cdef void leave(PyObject *reference) noexcept:
    """Put a reference of its own on the stack; without memory for that, the drop goes on by recursion."""
    global doomed, doomed_count, doomed_room
    cdef void *larger
    if doomed_count == doomed_room:
        larger = realloc(doomed, (2 * doomed_room + 64) * sizeof(PyObject *))
        if larger == NULL:
            return
        doomed = <PyObject **>larger
        doomed_room = 2 * doomed_room + 64
    Py_INCREF(<object>reference)
    doomed[doomed_count] = reference
    doomed_count += 1


cdef class Node:
    """One recorded operation.  A subclass gives the derivative in `apply`, and keeps tensors only through `save`."""

    def __dealloc__(self):
        # A chain of nodes must not be dropped by recursion: each leaves what it holds to the outermost drop.
        global dropping, doomed_count
        cdef PyObject *edge
        cdef Py_ssize_t k, n
        if hands_on(<PyObject *>self.saved0):
            leave(<PyObject *>self.saved0)
        if hands_on(<PyObject *>self.saved1):
            leave(<PyObject *>self.saved1)
        if hands_on(<PyObject *>self.saved2):
            leave(<PyObject *>self.saved2)
        if hands_on(<PyObject *>self.saved3):
            leave(<PyObject *>self.saved3)
        if self.edges is not None:
            n = PyTuple_GET_SIZE(self.edges)
            for k in range(n):                               # the same node may be there several times
                edge = <PyObject *>PyTuple_GET_ITEM(self.edges, k)
                if edge != <PyObject *>None and edge.ob_refcnt <= n and not isinstance(<object>edge, TensorBase):
                    leave(edge)
        if dropping or doomed_count == 0:
            return
        self.saved0 = self.saved1 = self.saved2 = self.saved3 = self.edges = None
        dropping = True
        while doomed_count:
            doomed_count -= 1
            Py_DECREF(<object>doomed[doomed_count])
        dropping = False

    cdef object apply(self, TensorBase g):
        """The gradients of the inputs, a tuple with None where there is none, given that of output 0."""
        raise NotImplementedError(f"{self.op_name()} has no derivative")

    cdef object apply_many(self, list gs):
        """The same for an operation with several outputs; None stands for a gradient that never came."""
        return self.apply(<TensorBase>gs[0])

    cdef str op_name(self):
        return type(self).__name__ + "0"

    cdef bint needs(self, int k) noexcept:
        """Whether anybody wants the gradient of input k."""
        return self.edges[k] is not None

    cdef int save(self, int k, TensorBase tensor) except -1:
        """Keep a tensor for the backward; an output of this node is kept without the graph, or it would keep itself."""
        self.versions[k] = tensor.storage.version
        if tensor.storage.inference:
            refuse_inference(tensor, self.op_name())
        if tensor.grad_fn is self:
            tensor = alias(tensor)
            self.is_output |= 1 << k
        if hooked:
            tensor = packed(tensor, (self.is_output >> k) & 1)
            if isinstance(tensor, Packed):
                self.versions[k] = PACKED
        if k == 0:
            self.saved0 = tensor
        elif k == 1:
            self.saved1 = tensor
        elif k == 2:
            self.saved2 = tensor
        else:
            self.saved3 = tensor
        return 0

    cdef TensorBase saved(self, int k):
        """What was kept, if it is still there and unchanged."""
        cdef TensorBase t = self.saved0 if k == 0 else self.saved1 if k == 1 else self.saved2 if k == 2 else self.saved3
        if t is None:
            if not self.released:
                return None
            raise RuntimeError(
                f"Trying to backward through the graph a second time: {self.op_name()} has already given back what it "
                "saved. Specify retain_graph=True in the first call if you need to backward twice")
        if t.storage.version != self.versions[k]:
            if isinstance(t, Packed):
                return own(self, k, unpacked(<Packed>t))
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{self.op_name()} saved a tensor, {describe(t)}, at version {self.versions[k]}, and it is now at "
                f"version {t.storage.version}. Use the out-of-place form of the operation that changed it, "
                f"or clone() the tensor first{changed_where(t)}")
        return own(self, k, t)

    cdef void release(self):
        """Give back what was saved."""
        self.released = True
        self.saved0 = self.saved1 = self.saved2 = self.saved3 = None

    cdef dict saved_values(self):
        cdef int k
        cdef dict values = {}
        for k, name in self.saved_names():
            values[name] = public_saved(self, k)
        return values

    def saved_names(self):
        """(place, name) of each tensor that is kept."""
        cdef int k
        cdef tuple kept = (self.saved0, self.saved1, self.saved2, self.saved3)
        cdef list generic = ["self", "other", "third", "fourth"], found = []
        names = SAVED_NAMES.get(self.op_name())
        for k in range(SAVED):
            if kept[k] is not None:
                found.append((k, "result" if (self.is_output >> k) & 1 else names[k] if names else generic.pop(0)))
        return found

    def _repack(self, int k, pack_hook, unpack_hook):
        """Send what is kept in a place through a pair of hooks."""
        cdef TensorBase kept = (self.saved0, self.saved1, self.saved2, self.saved3)[k], holder
        _check_repack(self, kept)
        self.saved(k)
        holder = _packed_by(kept, (self.is_output >> k) & 1, pack_hook, unpack_hook)
        if k == 0:
            self.saved0 = holder
        elif k == 1:
            self.saved1 = holder
        elif k == 2:
            self.saved2 = holder
        else:
            self.saved3 = holder
        self.versions[k] = PACKED

    def name(self):
        """The name of the operation's derivative, such as MulBackward0."""
        return self.op_name()

    @property
    def next_functions(self):
        """For each input the node that it came from and which of its outputs it was."""
        return tuple([public_edge(edge) for edge in self.edges])

    @property
    def metadata(self):
        """A dictionary for notes; in anomaly mode it holds where the node was made."""
        return metadata_of(self)

    @property
    def _saved(self):
        """What the node keeps for the derivative, by name; each is also readable as ``_saved_`` and the name."""
        return self.saved_values()

    def register_hook(self, fn):
        """Call ``fn(grad_inputs, grad_outputs)`` after the derivative; what it returns replaces ``grad_inputs``."""
        return hook_function(self, fn)

    def register_prehook(self, fn):
        """Call ``fn(grad_outputs)`` before the derivative; what it returns replaces them."""
        return prehook_function(self, fn)

    @property
    def _sequence_nr(self):
        """The node's number, in the order of creation."""
        return self.seq

    def __getattr__(self, str name):
        if name.startswith("_raw_saved_"):
            for k, key in self.saved_names():
                if key == name[11:]:
                    return _saved_tensor(self, k)
        if name.startswith("_saved_"):
            if self.released:
                raise RuntimeError(f"Trying to read {name} of {self.op_name()} after it has given back what it saved. "
                                   "Specify retain_graph=True in the backward pass, or read it before")
            values = self.saved_values()
            if name[7:] in values:
                return values[name[7:]]
            raise AttributeError(f"{self.op_name()} has no {name}: it saved {', '.join(values) or 'nothing'}")
        raise AttributeError(f"'{self.op_name()}' object has no attribute '{name}'")

    def __dir__(self):
        return [*object.__dir__(self), *["_saved_" + name for name in self.saved_values()],
                *["_raw_saved_" + name for _, name in self.saved_names()]]

    def __repr__(self):
        return f"<{self.op_name()} object at {<Py_ssize_t><PyObject *>self:#x}>"


# what PyTorch calls the values that these keep, where it is not self, other and result
cdef dict SAVED_NAMES = {
    "MmBackward0": ("self", "mat2"), "BmmBackward0": ("self", "mat2"), "MvBackward0": ("self", "vec"),
    "DotBackward0": ("self", "tensor"), "AddmmBackward0": ("mat1", "mat2"), "LinearBackward0": ("input", "weight"),
    "LerpBackward0": ("self", "end", "weight"), "ConvolutionBackward0": ("input", "weight"),
    "EmbeddingBackward0": ("indices",) * SAVED,
}


cdef int refuse_inference(TensorBase t, str name) except -1:
    raise RuntimeError(f"Inference tensors cannot be saved for backward: {name} needs {describe(t)}, which was made in "
                       "inference mode. clone() it outside of inference mode to get a normal tensor, or use "
                       "minitorch.no_grad() in place of minitorch.inference_mode()")


cdef inline TensorBase own(Node node, int k, TensorBase t):
    """A kept value; in its place in the graph again if it is the node's own output."""
    cdef TensorBase joined
    if mt_grad_mode and (node.is_output >> k) & 1:
        joined = new_view(t, t.ndim, t.shape, t.strides, t.offset)
        joined.grad_fn = node
        joined.output_nr = t.output_nr
        return joined
    return t


cdef inline bint hands_on(PyObject *t) noexcept:
    """Whether dropping this reference, and the others that its node may have to it, would drop a node in its turn."""
    return t != <PyObject *>None and t.ob_refcnt <= SAVED and (<TensorBase>t).grad_fn is not None


cdef class OutputOf:
    """The edge to an output other than the first of a node."""


cdef class AccumulateGrad:
    """What `next_functions` shows for a leaf: the end of the graph, where its gradient is added up."""
    cdef readonly TensorBase variable
    cdef object __weakref__

    def name(self):
        """AccumulateGrad"""
        return "AccumulateGrad"

    @property
    def next_functions(self):
        """Nothing comes before a leaf."""
        return ()

    @property
    def metadata(self):
        """A dictionary for notes."""
        return metadata_of(self)

    def register_hook(self, fn):
        """Call ``fn((), (grad,))`` once a gradient has been added to the leaf's."""
        return hook_function(self, fn)

    def register_prehook(self, fn):
        """Call ``fn((grad,))`` before a gradient is added to the leaf's; what it returns replaces that."""
        return prehook_function(self, fn)

    def __repr__(self):
        return f"<AccumulateGrad object at {<Py_ssize_t><PyObject *>self:#x}>"


cdef object hook_function = None, prehook_function = None      # `tape` fills these in


cdef void set_node_hooks(object hook, object prehook):
    global hook_function, prehook_function
    hook_function, prehook_function = hook, prehook


cdef object ends = WeakValueDictionary()       # the AccumulateGrad of each leaf, while somebody looks at it


cdef tuple public_edge(edge):
    cdef AccumulateGrad leaf
    if edge is None:
        return None, 0
    if isinstance(edge, OutputOf):
        return (<OutputOf>edge).node, (<OutputOf>edge).nr
    if isinstance(edge, Node):
        return edge, 0
    found = ends.get(<Py_ssize_t><PyObject *>edge)
    if found is not None:
        return found, 0
    leaf = AccumulateGrad.__new__(AccumulateGrad)
    leaf.variable = edge
    ends[<Py_ssize_t><PyObject *>edge] = leaf
    return leaf, 0


# how a view whose base was changed in place gets its new place in the graph; `views` fills this in
cdef view_hook refresh_view = NULL
cdef view_hook rebase_view = NULL


cdef void set_view_hooks(view_hook refresh, view_hook rebase_) noexcept:
    global refresh_view, rebase_view
    refresh_view, rebase_view = refresh, rebase_


cdef object edge_of(TensorBase t):
    """What the tape points at for t: a node, an OutputOf, the leaf itself, or None if t needs no gradient."""
    cdef OutputOf output
    if is_stale(t):
        refresh_view(t)
    if t.grad_fn is not None:
        if t.output_nr == 0:
            return t.grad_fn
        output = OutputOf.__new__(OutputOf)
        output.node = t.grad_fn
        output.nr = t.output_nr
        return output
    return t if t.leaf_requires_grad else None


cdef inline void number(Node node) noexcept:
    global next_seq
    next_seq += 1
    node.seq = next_seq
    if watcher_set:
        tell_watcher(node)


cdef int record_node(Node node, TensorBase out) noexcept:
    """Make out the only result of a node whose edges are set."""
    number(node)
    node.n_outputs = 1
    out.grad_fn = node
    return 0


cdef TensorBase record1(Node node, TensorBase out, TensorBase a):
    node.edges = (edge_of(a),)
    number(node)
    node.n_outputs = 1
    out.grad_fn = node
    return out


cdef TensorBase record2(Node node, TensorBase out, TensorBase a, TensorBase b):
    node.edges = (edge_of(a), edge_of(b))
    number(node)
    node.n_outputs = 1
    out.grad_fn = node
    return out


cdef TensorBase record(Node node, TensorBase out, tuple inputs):
    """Make out the result of node, which was computed from inputs (None for an absent one)."""
    record_node(record_edges(node, inputs), out)
    return out


cdef int record_outputs(Node node, tuple outs, tuple inputs) except -1:
    """The same for several outputs; None among outs stands for one without a gradient."""
    cdef int i
    number(record_edges(node, inputs))
    node.n_outputs = len(outs)
    for i in range(node.n_outputs):
        if outs[i] is not None:
            (<TensorBase>outs[i]).grad_fn = node
            (<TensorBase>outs[i]).output_nr = i
    return 0


# --- what is saved, on its way through a pair of hooks --------------------------------------------------------------

cdef int hooked = 0                     # how many pairs are in use, in whatever thread
cdef object hook_stacks = threading.local()
cdef object no_memory = None            # the storage of what was packed


cdef class Packed(TensorBase):
    """What the pack hook made of a saved tensor, and how to get that back."""


def _push_saved_hooks(pack, unpack):
    """Let pack see what this thread saves from now on, and unpack bring it back."""
    global hooked, no_memory
    no_memory = no_memory or new_storage(0)
    if not hasattr(hook_stacks, "pairs"):
        hook_stacks.pairs = []
    hook_stacks.pairs.append((pack, unpack))
    hooked += 1


def _pop_saved_hooks():
    global hooked
    hook_stacks.pairs.pop()
    hooked -= 1


cdef TensorBase packed(TensorBase tensor, bint is_output):
    cdef list pairs = getattr(hook_stacks, "pairs", None)
    if not pairs:
        return tensor
    pack, unpack = pairs[len(pairs) - 1]
    return _packed_by(tensor, is_output, pack, unpack)


def _packed_by(TensorBase tensor, bint is_output, pack, unpack):
    """What stands for a saved tensor that goes through a pair of hooks."""
    global no_memory
    cdef Packed holder
    cdef unsigned long long version = tensor.storage.version
    no_memory = no_memory or new_storage(0)
    holder = Packed.__new__(Packed)
    holder.storage = no_memory
    holder.output_nr = tensor.output_nr
    holder.from_device = on_device(tensor)
    holder.unpack = unpack
    if not is_output:
        holder.edge = edge_of(tensor)
        holder.grad_fn = tensor.grad_fn             # so that a dropped node sees what this one leads to
    holder.value = pack(new_view(tensor, tensor.ndim, tensor.shape, tensor.strides, tensor.offset))
    if tensor.storage.version != version:
        raise RuntimeError("A saved tensor pack hook is modifying its input in place. Tensors provided as input to "
                           "pack hook can not be modified by in-place operations: clone() the input first")
    return holder


cdef class SavedTensor:
    """One tensor that a node keeps, as ``grad_fn._raw_saved_self`` shows it: a place to put hooks."""
    cdef Node node
    cdef int k

    def register_hooks(self, pack_hook, unpack_hook):
        """Keep ``pack_hook(tensor)`` in place of the tensor; ``unpack_hook`` of that gives it back when needed."""
        self.node._repack(self.k, pack_hook, unpack_hook)

    def __call__(self):
        return public_saved(self.node, self.k)


def _saved_tensor(Node node, int k):
    cdef SavedTensor one = SavedTensor.__new__(SavedTensor)
    one.node, one.k = node, k
    return one


def _check_repack(Node node, TensorBase kept):
    """Refuse hooks on a value that is gone, or that has been through others."""
    if kept is None:
        raise RuntimeError(f"Trying to hook a value of {node.op_name()} after it has given back what it saved. Specify "
                           "retain_graph=True in the backward pass, or do it before")
    if isinstance(kept, Packed):
        raise RuntimeError("Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one "
                           "pair of hooks is allowed at a time.")


cdef TensorBase unpacked(Packed holder):
    cdef TensorBase t
    cdef PassBackward node
    value = holder.unpack(holder.value)
    if not isinstance(value, TensorBase):
        raise TypeError("Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                        f"{type(value).__name__}")
    if on_device(<TensorBase>value) != holder.from_device:
        raise RuntimeError("a saved tensor unpack_hook returned a tensor on another device than the one that was "
                           f"saved: {describe(<TensorBase>value)}. Move it back, with .to()")
    t = new_view(value, (<TensorBase>value).ndim, (<TensorBase>value).shape, (<TensorBase>value).strides,
                 (<TensorBase>value).offset)
    t.output_nr = holder.output_nr
    if mt_grad_mode and holder.edge is not None:
        t.output_nr = 0
        node = PassBackward.__new__(PassBackward)
        node.edges = (holder.edge,)
        record_node(node, t)
    return t


cdef class PassBackward(Node):
    """y = x:  dx = dy."""
    cdef object apply(self, TensorBase g):
        return (g,)


cdef object public_saved(Node node, int k):
    """A saved tensor to show: of the public class, and in the graph."""
    cdef TensorBase t, shown
    cdef bint before = set_grad(True)
    try:
        t = node.saved(k)
    finally:
        set_grad(before)
    if isinstance(t, public_class):
        return t
    shown = new_view(t, t.ndim, t.shape, t.strides, t.offset)
    shown.grad_fn, shown.output_nr = t.grad_fn, t.output_nr
    return shown


# --- notes about nodes, and anomaly mode's watch over them ------------------------------------------------------------

cdef object notes = WeakKeyDictionary()
cdef object watcher = None              # called with each new node
cdef bint watcher_set = False
cdef object change_finder = None        # says which operation changed a tensor in place, if it was watched


cdef dict metadata_of(object node):
    found = notes.get(node)
    if found is None:
        found = notes[node] = {}
    return found


def _watch_nodes(new_watcher, new_finder):
    """Call a function with each node that is recorded; None ends it."""
    global watcher, watcher_set, change_finder
    watcher, change_finder = new_watcher, new_finder
    watcher_set = new_watcher is not None


cdef void tell_watcher(Node node) noexcept:
    watcher(node)


cdef str made_where(TensorBase t):
    """In anomaly mode, the lines that a tensor was made in."""
    found = None if t.grad_fn is None else notes.get(t.grad_fn)
    lines = None if found is None else found.get("traceback_")
    return "" if not lines else ". It was made here:\n" + "".join(lines.format())


cdef str changed_where(TensorBase t):
    return "" if change_finder is None else change_finder(<Py_ssize_t><PyObject *>t.storage)


# --- in-place changes -------------------------------------------------------------------------------------------------

cdef int check_inplace(TensorBase t, str name) except -1:
    """Refuse what must not be written to."""
    cdef int i
    if t.storage.readonly:
        raise RuntimeError(f"{name}: the tensor shares the memory of a read-only NumPy array. "
                           "clone() the tensor, or copy the array first")
    if t.storage.inference and not inference_mode():
        raise RuntimeError(f"{name}: Inplace update to inference tensor outside InferenceMode is not allowed. clone() "
                           "the tensor to get a normal one, and change that")
    if mt_grad_mode:
        if t.leaf_requires_grad:
            raise RuntimeError(f"{name}: a leaf Variable that requires grad is being used in an in-place operation. "
                               "Do it under minitorch.no_grad(), or on a clone()")
        if t.made and t.base is not None and requires_grad(t.base):
            refuse_view(t, name)
        if t.base is not None and t.base.leaf_requires_grad:
            raise RuntimeError(f"{name}: a view of a leaf Variable that requires grad is being used in an in-place "
                               f"operation. Do it under minitorch.no_grad(), or on a clone(){made_where(t)}")
    if not t.contiguous:
        for i in range(t.ndim):
            if t.strides[i] == 0 and t.shape[i] > 1:
                raise RuntimeError(f"{name}: unsupported operation: more than one element of the written-to tensor "
                                   f"{describe(t)} refers to a single memory location. Please clone() the tensor "
                                   f"before performing the operation.{made_where(t)}")
    return 0


cdef int refuse_view(TensorBase t, str name) except -1:
    """The gradient of a change of this view could not be put into its base, or that would be ambiguous."""
    if t.made == MADE_OF_SEVERAL:
        raise RuntimeError(
            f"{name}: Output {t.output_nr} of {t.grad_fn.op_name() if t.grad_fn is not None else 'an operation'} is a "
            "view and is being modified inplace. This view is the output of a function that returns multiple views. "
            "Such functions do not allow the output views to be modified inplace. Replace the in-place operation by "
            f"an out-of-place one, or take the views one by one by indexing{made_where(t)}")
    if t.made == MADE_BY_FUNCTION:
        raise RuntimeError(
            f"{name}: a view that a custom Function made is being modified inplace. This view was created inside a "
            "custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace "
            "would override the custom backward associated with the custom Function, leading to incorrect gradients. "
            f"clone() the output of the custom Function{made_where(t)}")
    mode = "inference" if t.made == MADE_INFERENCE else "no_grad"
    raise RuntimeError(
        f"{name}: A view was created in {mode} mode and is being modified inplace with grad mode enabled. Whether the "
        "change should be differentiated is ambiguous: do both, the view and the change, inside of the block (if not) "
        "or both outside (if so)")


cdef void bump(TensorBase t) noexcept:
    t.storage.version += 1


cdef Node record_edges(Node node, tuple inputs):
    """Set the edges of a node: to what its inputs (None for an absent one) come from."""
    node.edges = tuple([None if t is None else edge_of(<TensorBase>t) for t in inputs])
    return node


cdef object retained_mover = None       # `tape` fills this in


def _set_retained_mover(mover):
    """Tell what to call when a tensor of a hooked node gets another node."""
    global retained_mover
    retained_mover = mover


cdef int rebase(TensorBase t, Node node) except -1:
    """t has been changed in place: from now on it is the result of node, whose edges are set."""
    if t.grad_fn is not None and t.grad_fn.hooks is not None:
        retained_mover(t, t.grad_fn, node)
    if t.made and t.base is not None:
        refuse_view(t, node.op_name())
    record_node(node, t)
    t.output_nr = 0
    # a node that kept t itself would keep itself alive; its saved value is stale anyway
    if node.saved0 is t:
        node.saved0 = alias(t)
    if node.saved1 is t:
        node.saved1 = alias(t)
    if node.saved2 is t:
        node.saved2 = alias(t)
    if t.base is not None:
        rebase_view(t)
    return 0


cdef TensorBase new_as_class(cls):
    """An empty shell of a subclass."""
    if not isinstance(cls, type) or not issubclass(cls, public_class):
        raise TypeError(f"expected a subclass of Tensor, not {cls!r}")
    return <TensorBase>mt_make_as(engine_class, cls)


def as_subclass(cls, TensorBase data not None, bint requires_grad):
    """A tensor of a subclass over the same memory, a leaf."""
    cdef TensorBase t
    if requires_grad and mt_category[data.code] < 2:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients, not "
                           f"{dtype_of(data.code)}: convert first, with .float()")
    if requires_grad and data.storage.inference and not inference_mode():
        raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed: "
                           "clone() it to get a normal tensor")
    t = new_as_class(cls)
    t.code = data.code
    t.storage = data.storage
    t.offset = data.offset
    set_dims(t, data.ndim, data.shape, data.strides)
    t.leaf_requires_grad = requires_grad
    return t


def with_class(cls, TensorBase data not None):
    """What `data` is, in a tensor of a subclass; `data` itself is not to be used any more."""
    cdef TensorBase t = as_subclass(cls, data, data.leaf_requires_grad)
    t.grad_fn, t.output_nr, t.made = data.grad_fn, data.output_nr, data.made
    t.base, t.base_version = data.base, data.base_version
    return t


def _top_saved_hooks():
    """The pair of hooks that this thread's saved tensors go through, or None."""
    cdef list pairs = getattr(hook_stacks, "pairs", None)
    return pairs[len(pairs) - 1] if pairs else None


def _storage_id(TensorBase self not None):
    """A number for the tensor's memory, the same for all views of it."""
    return <Py_ssize_t><PyObject *>self.storage


def count_change(TensorBase tensor not None):
    """Count an in-place change of a tensor's memory that the library did not see."""
    bump(tensor)
