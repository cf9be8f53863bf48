from minitorch._ext.tensor cimport TensorBase

# arguments and results that functions of this kind share
cdef int dim_of(TensorBase x, object dim, str name) except -1
cdef int refuse(TensorBase x, str name, bint bools=*, bint empty=*, int dim=*) except -1
cdef object results_in(object out, TensorBase values, TensorBase indices, str name)
