from minitorch._ext.tensor cimport TensorBase

cdef TensorBase extreme(TensorBase x, unsigned long long mask, bint keepdim, bint whole, bint largest, str name,
                        str node_name)                               # recorded
cdef int record_choice(TensorBase values, TensorBase x, TensorBase index, int dim, bint keepdim, str name) except -1
cdef TensorBase without(TensorBase t, int dim)                       # a dimension of size one dropped
