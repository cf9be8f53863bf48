from libc.stdint cimport uint32_t, uint64_t
from minitorch._ext.tensor cimport TensorBase

cdef extern from "distributions.h" nogil:
    ctypedef struct mt_generator:
        uint32_t next
        uint64_t seed


cdef class Generator:
    cdef mt_generator state
    cdef bint on_device                 # then the numbers are Philox's: `seed`, and how far the stream was read
    cdef unsigned long long seed_, offset
    cdef unsigned long long held        # by a thread that draws: the era in which it began, else 0
    cdef object __weakref__


cdef TensorBase dropout_of(TensorBase x, double p)              # p in (0, 1]; recorded
cdef int fill_uniform(TensorBase t, double low, double high) except -1       # from the default generator
