from minitorch._ext.tensor cimport TensorBase

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
