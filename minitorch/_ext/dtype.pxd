cdef extern from "dtype.h" nogil:
    enum:
        MT_BOOL
        MT_U8
        MT_I8
        MT_I16
        MT_I32
        MT_I64
        MT_F16
        MT_BF16
        MT_F32
        MT_F64
        MT_C64
        MT_C128
        MT_NTYPES
    const signed char mt_itemsize[]
    const signed char mt_category[]
    const signed char mt_compute[]
    int mt_promote(int a, int b)
    int mt_complex_of(int code)
    int mt_real_of(int code)


cdef class dtype:
    cdef readonly str name
    cdef readonly int itemsize
    cdef readonly bint is_floating_point
    cdef readonly bint is_complex
    cdef readonly bint is_signed
    cdef int code


cdef dtype dtype_of(int code)
cdef int code_of(object dtype_or_none, int default=*) except -1
cdef int default_code() noexcept nogil
cdef int scalar_code(object number) except -1
cdef int combine(int higher, int lower) noexcept nogil
cdef object numpy_dtype(int code)
cdef int code_from_numpy(object numpy_dtype) except -1
