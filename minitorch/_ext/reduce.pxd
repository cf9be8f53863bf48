from minitorch._ext.tensor cimport Node, TensorBase

cdef extern from "reduce_ops.h" nogil:
    enum:
        MT_SUM
        MT_SUM_ABS
        MT_SUM_SQUARE
        MT_SUM_POWER
        MT_PROD
        MT_MAX
        MT_MIN
        MT_ARGMAX
        MT_ARGMIN
        MT_MOMENTS
        MT_LOGSUMEXP
        MT_AS_IS
        MT_SCALE
        MT_ROOT
        MT_POWER
        MT_LOG_ADD

# The primitive.  `out` has the shape of x without the dimensions of the mask, or with ones in their place;
# `second` takes the kernel's second result (or is None).  Values are taken as type `code`; `how` says what becomes of
# them.
cdef int reduce_data(int op, TensorBase out, TensorBase second, TensorBase x, unsigned long long mask, int code,
                     int how=*, double p=*) except -1
cdef TensorBase sum_to(TensorBase g, int ndim, const Py_ssize_t *shape)              # undoes broadcasting; recorded
cdef TensorBase sum_of(TensorBase x, unsigned long long mask, bint keepdim)          # recorded
cdef TensorBase mean_of(TensorBase x, unsigned long long mask, bint keepdim)         # recorded
cdef unsigned long long dims_mask(object dim, int ndim) except? 0x8000000000000000
cdef unsigned long long all_dims(int ndim) noexcept nogil
cdef TensorBase into_same(object out, TensorBase result, str name)    # and of no other type
cdef bint flag(object keepdim, object keepdims) except -1            # an argument `keepdim`
cdef object one_dim(object dim, str name)                            # refuses several dimensions
cdef TensorBase new_reduced(TensorBase x, unsigned long long mask, bint keepdim, int code)
cdef Py_ssize_t count_of(TensorBase x, unsigned long long mask) noexcept    # how many values make one result
cdef int value_code(int op, int code) noexcept                       # the type in which a kernel takes a type
cdef int sum_code(int code) noexcept                                 # the type of a sum of a type


cdef class ReduceBackward(Node):
    """What the derivatives of reductions have in common: they know what was reduced."""
    cdef TensorBase source              # its shape alone, of no storage
    cdef unsigned long long mask
    cdef bint keepdim, whole            # whole: by the form without dimensions
    cdef Py_ssize_t count               # of values that made one result
    cdef TensorBase spread(self, TensorBase g)
    cdef void describe_input(self, TensorBase x, unsigned long long mask, bint keepdim, bint whole)

cdef TensorBase reduced_by(ReduceBackward node, TensorBase out, TensorBase x, unsigned long long mask, bint keepdim,
                           bint whole)
