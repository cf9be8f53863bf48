from minitorch._ext.tensor cimport MAX_DIMS, TensorBase

cdef TensorBase view_of(TensorBase source, int ndim, const Py_ssize_t *shape)        # of as many elements
cdef TensorBase reshape_to(TensorBase t, int ndim, const Py_ssize_t *shape)          # a view, or else a copy
cdef TensorBase transpose_of(TensorBase t, int a, int b)
cdef TensorBase expand_to(TensorBase t, int ndim, const Py_ssize_t *shape)
cdef TensorBase select_of(TensorBase t, int dim, Py_ssize_t index)
cdef TensorBase slice_of(TensorBase t, int dim, Py_ssize_t start, Py_ssize_t length, Py_ssize_t step)
cdef TensorBase unsqueeze_of(TensorBase t, int dim)
cdef TensorBase clone_of(TensorBase t)                                               # recorded
cdef TensorBase contiguous_of(TensorBase t)                                          # recorded
cdef TensorBase detach_of(TensorBase t)
cdef TensorBase view_as_real_of(TensorBase t)                                        # complex as pairs of reals
cdef TensorBase view_as_complex_of(TensorBase t)
cdef TensorBase index_basic(TensorBase t, tuple key)       # ints, slices, None and ... ; None where more is needed
cdef int copy_into(TensorBase dst, TensorBase src) except -1                         # dst.copy_(src), recorded
cdef TensorBase one_of_several(TensorBase view)                      # that comes with others from one operation

# What `shaping` makes views with.
# Index d of the source is start[d] plus, for each dimension j of the view with source[j] == d (or also[j] == d),
# step[j] times the view's index j.  A dimension with source[j] == -1 is new, of size one.
cdef struct Steps:
    int source_ndim
    int ndim
    Py_ssize_t[MAX_DIMS] start
    Py_ssize_t[MAX_DIMS] shape
    Py_ssize_t[MAX_DIMS] step
    signed char[MAX_DIMS] source
    signed char[MAX_DIMS] also

cdef void same_steps(Steps *s, TensorBase t) noexcept                                # a view of all of t
cdef TensorBase step_view(Steps *s, TensorBase t, str name)
cdef TensorBase strided_view(TensorBase t, int ndim, const Py_ssize_t *shape, const Py_ssize_t *strides,
                             Py_ssize_t offset)
cdef TensorBase permuted(TensorBase t, const int *order)
cdef int fill_in(TensorBase t, int ndim, Py_ssize_t *shape) except -1                # the size that is -1
