from minitorch._ext.tensor cimport TensorBase

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
cdef TensorBase into(TensorBase out, TensorBase result, str name)    # a result put into the tensor given as `out=`
cdef TensorBase into_same(object out, TensorBase result, str name)    # and of no other type
cdef bint flag(object keepdim, object keepdims) except -1            # an argument `keepdim`
cdef object one_dim(object dim, str name)                            # refuses several dimensions
cdef TensorBase without(TensorBase t, int dim)                       # a dimension of size one dropped
cdef int record_choice(TensorBase values, TensorBase x, TensorBase index, int dim, bint keepdim, str name) except -1
