from minitorch._ext.tensor cimport TensorBase

cdef TensorBase index_at(TensorBase x, int lead, tuple indices)       # x[:, ..., i0, i1, ...], recorded
cdef TensorBase places_of(TensorBase x, int lead, tuple indices)      # the blocks that the indices name
cdef TensorBase taken(TensorBase x, int lead, int indexed, TensorBase places)        # those blocks, recorded
cdef int put_data(TensorBase x, int lead, int indexed, TensorBase places, TensorBase v, bint add) except -1
cdef int put_into(TensorBase view, int lead, int indexed, TensorBase places, TensorBase value, bint add) except -1
cdef bint has_negative(TensorBase index)
