from minitorch._ext.tensor cimport TensorBase

cdef TensorBase softmax_of(TensorBase x, int dim)                    # recorded; x is of a floating-point type
cdef TensorBase log_softmax_of(TensorBase x, int dim)                # recorded

# --- on memory, for one thread: rows of n values that lie one behind the other; an output must not be an input
ctypedef void (*rows_kernel)(char *y, const char *x, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
ctypedef void (*rows_grad_kernel)(char *dx, const char *y, const char *g, Py_ssize_t g_step, Py_ssize_t rows,
                                  Py_ssize_t n) noexcept nogil
cdef rows_kernel softmax_rows(int code) noexcept nogil
cdef rows_grad_kernel softmax_rows_grad(int code) noexcept nogil     # dx = y (g - sum g y)
