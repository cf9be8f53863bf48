from cpython.object cimport PyObject
from minitorch._ext.storage cimport Storage

cdef enum:
    INLINE_DIMS = 5     # shapes up to here live inside the object
    MAX_DIMS = 64
    SAVED = 4           # tensors that a node can keep for its backward


cdef enum:
    MADE_UNRECORDED = 1  # in no_grad mode
    MADE_INFERENCE      # in inference mode, of a tensor from outside
    MADE_OF_SEVERAL     # one of several outputs of one operation
    MADE_BY_FUNCTION    # by an autograd.Function


cdef class TensorBase:
    cdef Storage storage
    cdef Py_ssize_t offset              # in elements, as are the strides
    cdef Py_ssize_t numel
    cdef Py_ssize_t *shape              # ndim entries, in dims or on the heap
    cdef Py_ssize_t *strides            # ndim entries, right behind the shape
    cdef Py_ssize_t[2 * INLINE_DIMS] dims
    cdef int ndim
    cdef signed char code               # of the dtype
    cdef signed char made               # of a view: how, if that forbids in-place changes (MADE_...)
    cdef signed char adding             # of a leaf: a thread is adding to its gradient
    cdef bint leaf_requires_grad        # set on leaves only; others ask grad_fn
    cdef bint contiguous                # in the sense of C order
    cdef int output_nr                  # which output of grad_fn this is
    cdef Node grad_fn
    cdef TensorBase grad_
    cdef TensorBase base                # of a view: the tensor whose storage it shows
    cdef unsigned long long base_version  # of a view: the storage's version that grad_fn belongs to
    cdef object hooks                   # of a leaf: called with its gradient, or None
    cdef unsigned long long run         # where a running backward keeps this leaf's gradient; a hint (see tape)
    cdef Py_ssize_t slot
    cdef bytes spilled                  # where the shape and strides are if they do not fit into dims
    cdef PyObject *attributes           # the dict of what users set: see public_class.h
    cdef object __weakref__


cdef class Node:
    cdef tuple edges                    # per input: a Node (its output 0), an OutputOf, a leaf tensor, or None
    cdef tuple input_meta               # per input: None, or the (shape, dtype code) its gradient must be brought to
    cdef unsigned long long seq         # creation order: an edge always leads to a smaller one
    cdef TensorBase saved0, saved1, saved2, saved3
    cdef unsigned long long[SAVED] versions
    cdef unsigned char is_output        # bit k: saved k is this node's own output, kept without its graph
    cdef bint released
    cdef int n_outputs
    cdef object hooks                   # list of (output number, callable) or None
    cdef unsigned long long run
    cdef Py_ssize_t slot
    cdef object __weakref__

    cdef object apply(self, TensorBase g)
    cdef object apply_many(self, list gs)
    cdef str op_name(self)
    cdef bint needs(self, int k) noexcept
    cdef int save(self, int k, TensorBase tensor) except -1
    cdef TensorBase saved(self, int k)
    cdef void release(self)
    cdef dict saved_values(self)        # by the names that users read them under, without the checks of `saved`


cdef class Packed(TensorBase):          # stands for a saved tensor that went through a pack hook
    cdef object value, unpack, edge
    cdef bint from_device               # where it was


cdef class OutputOf:
    cdef Node node
    cdef int nr


ctypedef int (*view_hook)(TensorBase view) except -1

# --- making tensors
cdef TensorBase new_like_class()                                     # an empty shell of the public class
cdef TensorBase new_as_class(cls)                                    # ... of a subclass of it
cdef TensorBase new_tensor(int ndim, const Py_ssize_t *shape, int code)              # contiguous, own memory
cdef TensorBase new_at(bint on_device, int ndim, const Py_ssize_t *shape, int code)    # ... on the device or not
cdef TensorBase new_on(TensorBase like, int ndim, const Py_ssize_t *shape, int code)  # ... on the device of another
cdef TensorBase new_same(TensorBase like, int code)                 # of the shape of a contiguous tensor
cdef TensorBase new_as(TensorBase like, int code)                    # same shape; strides too if dense
cdef TensorBase new_view(TensorBase source, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides,
                         Py_ssize_t offset)                          # shares the storage; not recorded
cdef object shown(object x)                                          # x; an alias as a tensor of the public class
cdef TensorBase alias(TensorBase source)                             # the same data without the graph
cdef int set_dims(TensorBase t, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides) except -1
cdef int set_contiguous_dims(TensorBase t, int ndim, const Py_ssize_t *shape) except -1
cdef Py_ssize_t count_elements(int ndim, const Py_ssize_t *shape, int itemsize) except -1
cdef type tensor_class()

# --- asking tensors
cdef char *data_of(TensorBase t) noexcept nogil

cdef inline bint on_device(TensorBase t) noexcept nogil:             # its data are another device's
    return t.storage.on_device

cdef bint is_dense(TensorBase t) noexcept nogil                      # its elements fill a block, each once
cdef bint same_shape(TensorBase a, TensorBase b) noexcept nogil
cdef bint has_shape(TensorBase t, int ndim, const Py_ssize_t *shape) noexcept nogil
cdef object shape_of(TensorBase t)
cdef tuple strides_of(TensorBase t)
cdef int check_devices(str name, TensorBase x, tuple others) except -1   # refuse those on another device
cdef str describe(TensorBase t)                                      # "float32 (2, 3)", for messages
cdef int wrap_dim(object dim, int ndim) except -1
cdef int wrap_int(Py_ssize_t dim, int ndim) except -1
cdef int parse_size(object size, Py_ssize_t *out) except -1          # a shape argument, returns ndim

# --- the tape's recording half
cdef bint grad_enabled() noexcept nogil
cdef bint set_grad(bint enabled) noexcept nogil                      # returns what it was
cdef bint requires_grad(TensorBase t) except -1
cdef bint recording1(TensorBase a) except -1                         # must an operation on it be recorded?
cdef bint recording2(TensorBase a, TensorBase b) except -1
cdef bint recording(tuple tensors) except -1
cdef object edge_of(TensorBase t)
cdef int record_node(Node node, TensorBase out) noexcept             # the node's edges are already set
cdef TensorBase record(Node node, TensorBase out, tuple inputs)      # out becomes node's output 0
cdef TensorBase record1(Node node, TensorBase out, TensorBase a)
cdef TensorBase record2(Node node, TensorBase out, TensorBase a, TensorBase b)
cdef int record_outputs(Node node, tuple outs, tuple inputs) except -1
cdef TensorBase packed(TensorBase tensor, bint is_output)            # by this thread's hooks, or the tensor itself
cdef TensorBase unpacked(Packed holder)
cdef object public_saved(Node node, int k)                            # a saved tensor to show to users
cdef void leave(PyObject *reference) noexcept                       # what a dropped node held: see Node.__dealloc__
cdef void set_node_hooks(object hook, object prehook)                # what register_hook of a node does
cdef int refuse_inference(TensorBase t, str name) except -1          # name cannot save it
cdef int check_inplace(TensorBase t, str name) except -1             # refuse leaves that need gradients, read-only
cdef Node record_edges(Node node, tuple inputs)                     # sets them; for rebase
cdef int rebase(TensorBase t, Node node) except -1                   # t was changed in place by node
cdef void set_view_hooks(view_hook refresh, view_hook rebase_) noexcept
cdef void bump(TensorBase t) noexcept                                # count an in-place change
