from minitorch._ext.tensor cimport TensorBase

# --- on tensors, recorded
cdef TensorBase matmul_of(TensorBase a, TensorBase b)
cdef TensorBase linear_of(TensorBase x, TensorBase weight, TensorBase bias)       # bias may be None

# --- on memory: C = alpha A B, or C += alpha A B; strides in elements, C's columns adjacent; no bool, no half types
cdef void gemm(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
               const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs, const void *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
               bint accumulate, void *c, Py_ssize_t c_rs) noexcept nogil           # on all threads
cdef void gemm_on_this_thread(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                              const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs,
                              const void *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
                              bint accumulate, void *c, Py_ssize_t c_rs) noexcept nogil

# --- the same where B serves many products, packed once (64-byte aligned): floats, if packed_size is not 0
cdef Py_ssize_t packed_size(int code, Py_ssize_t n, Py_ssize_t k) noexcept nogil
cdef void pack_factor(Py_ssize_t n, Py_ssize_t k, const float *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
                      float *packed) noexcept nogil
cdef void packed_gemm_on_this_thread(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const float *a,
                                     Py_ssize_t a_rs, Py_ssize_t a_cs, const float *packed, bint accumulate,
                                     float *c, Py_ssize_t c_rs) noexcept nogil

# --- a function of OpenBLAS by its name there, NULL where it or the library is absent
cdef void *library_function(const char *name) noexcept
