cdef class Storage:
    cdef char *data
    cdef Py_ssize_t nbytes
    cdef unsigned long long version   # counts in-place changes, so that the tape can notice them
    cdef int size_class               # -1: the memory belongs to owner
    cdef bint readonly
    cdef bint on_device               # the memory is a device's, and `data` an address there: never to be followed here
    cdef bint inference               # made in inference mode: its changes are not tracked
    cdef object owner


cdef bint set_inference(bint on) noexcept                            # for this thread; returns what it was
cdef bint inference_mode() noexcept
cdef Storage new_storage(Py_ssize_t nbytes)
cdef Storage borrow_storage(char *data, Py_ssize_t nbytes, bint readonly, object owner)
cdef Storage new_storage_like(Storage storage, Py_ssize_t n, int code)    # on the same device, for n elements
cdef Storage new_device_storage(Py_ssize_t n, int code)
cdef int check_held(bint on_device, int code) except -1             # does a device hold elements of that type?
cdef bint wants_device(object device) except -1                     # does an argument `device` mean it?
cdef void set_default_place(bint on_device) noexcept                # where tensors go that are made without one
cdef object primitives()                                             # what a device does: `minitorch.cuda.backend`
