from minitorch._ext.tensor cimport TensorBase, MAX_DIMS

cdef extern from "pointwise.h" nogil:
    ctypedef union mt_scalar:
        float f32
        double f64
        long long i64
        int i32
        short i16
        signed char i8
        unsigned char u8
        unsigned char b8
    ctypedef void (*mt_loop)(char *const *p, Py_ssize_t n, const mt_scalar *a) noexcept nogil

# dst[i] = src[i], converting, at any strides in bytes
ctypedef void (*mt_convert_loop)(char *dst, Py_ssize_t ds, const char *src, Py_ssize_t ss,
                                 Py_ssize_t n) noexcept nogil

cdef enum:
    MAX_OPERANDS = 6
    CHUNK = 512              # elements gathered at a time: what all operands' buffers hold stays in the first cache
    ITEM = 16                # bytes of the largest type
    DEVICE_DIMS = 8          # dimensions that a device's kernel can walk over
    GRAIN = 32768            # elements below which a second thread does not pay

# One walk over the elements of a result and its operands, which are broadcast to it.
cdef struct Plan:
    int nop                  # operands; operand 0 is written
    int ndim
    Py_ssize_t numel
    Py_ssize_t grain
    Py_ssize_t[MAX_DIMS] shape
    Py_ssize_t[MAX_OPERANDS][MAX_DIMS] strides   # in bytes
    char *data[MAX_OPERANDS]
    signed char[MAX_OPERANDS] code               # the type in memory
    signed char[MAX_OPERANDS] want               # the type that the loop works in
    mt_loop loop
    mt_loop[2] number_loop                       # used instead where operand 1 or 2 alone is one number along the rows
    const mt_scalar *params

cdef void plan_begin(Plan *plan, TensorBase out, int want) noexcept nogil
cdef void plan_add(Plan *plan, TensorBase operand, int want) noexcept nogil      # broadcasts; shapes must fit
cdef void plan_constant(Plan *plan, mt_scalar *value, int want) noexcept nogil
cdef void plan_run(Plan *plan, mt_loop loop, const mt_scalar *params) noexcept nogil

cdef int broadcast_shape(int *ndim, Py_ssize_t *shape, TensorBase t) noexcept nogil   # -1: does not fit
cdef mt_convert_loop conversion(int target, int source) noexcept nogil
cdef object number_of(const mt_scalar *value, int code)            # the other way
cdef mt_scalar scalar_value(object number, int code) except *
cdef mt_scalar checked_value(object number, int code) except *     # refuses what the type cannot hold
cdef int copy_data(TensorBase dst, TensorBase src) except -1       # the primitive: strided, broadcasting, converting
cdef int fill_data(TensorBase dst, mt_scalar value) except -1      # value is of dst's compute type
cdef int zero_data(TensorBase dst) except -1
cdef TensorBase zeros_like_data(TensorBase like, int code)
cdef TensorBase contiguous_data(TensorBase t)                      # t itself where it is contiguous already
cdef TensorBase host_data(TensorBase t)                            # where the host can read it, contiguous
cdef TensorBase converted(TensorBase t, int code)                  # t itself where it has the type already
cdef bint may_overlap(TensorBase a, TensorBase b) noexcept nogil   # other elements of the same memory
cdef int accumulate_data(TensorBase dst, TensorBase src) except -1  # dst += src, where dst may show a place twice
