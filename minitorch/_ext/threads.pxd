ctypedef void (*task_fn)(void *ctx, Py_ssize_t begin, Py_ssize_t end) noexcept nogil

cdef int thread_count() noexcept nogil
cdef void parallel_for(Py_ssize_t n, Py_ssize_t grain, task_fn fn, void *ctx) noexcept nogil
