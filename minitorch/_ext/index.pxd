from minitorch._ext.tensor cimport TensorBase

cdef TensorBase index_at(TensorBase x, int lead, tuple indices)       # x[:, ..., i0, i1, ...], recorded
