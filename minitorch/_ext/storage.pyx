"""Storage: reference-counted, 64-byte aligned memory from a caching allocator."""
cimport cython
import os

from minitorch._ext.dtype cimport dtype_of, mt_category, mt_itemsize

cdef extern from "blocks.h" nogil:
    ctypedef struct mt_memory:
        long long allocated, peak, cached, limit, allocations, reused
    mt_memory mt_stats
    int mt_class_of(size_t bytes)
    size_t mt_class_size(int size_class)
    void *mt_take_block(int size_class)
    void mt_give_block(void *block, int size_class)
    void mt_empty_cache()

cdef extern from *:
    """
    #ifndef MT_THREAD_LOCAL
    #define MT_THREAD_LOCAL _Thread_local
    #endif
    static MT_THREAD_LOCAL int mt_inference_mode = 0;
    """
    int mt_inference_mode

cdef Py_ssize_t LARGEST = <Py_ssize_t>1 << 46


cdef bint inference_mode() noexcept:
    return mt_inference_mode


cdef bint set_inference(bint on) noexcept:
    global mt_inference_mode
    cdef bint before = mt_inference_mode
    mt_inference_mode = on
    return before


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Storage:
    """The memory under one or more tensors; made by the engine, freed with the last tensor that shows it."""

    def __dealloc__(self):
        if self.size_class >= 0 and self.data != NULL:
            mt_give_block(self.data, self.size_class)

    def __len__(self):
        return self.nbytes

    def nbytes_(self):
        """The size in bytes."""
        return self.nbytes


cdef Storage new_storage(Py_ssize_t nbytes):
    """Memory of at least nbytes, not initialised."""
    cdef Storage storage = Storage.__new__(Storage)
    cdef int size_class = -1
    if nbytes <= LARGEST:
        size_class = mt_class_of(nbytes)
        storage.data = <char *>mt_take_block(size_class)
    storage.size_class = size_class
    if storage.data == NULL:
        raise RuntimeError(f"not enough memory: you tried to allocate {nbytes} bytes "
                           f"({mt_stats.allocated} are in use by tensors)")
    storage.nbytes = nbytes
    storage.inference = mt_inference_mode
    return storage


cdef Storage borrow_storage(char *data, Py_ssize_t nbytes, bint readonly, object owner):
    """Memory that belongs to another object, which is kept alive."""
    cdef Storage storage = Storage.__new__(Storage)
    storage.size_class = -1
    storage.data = data
    storage.nbytes = nbytes
    storage.readonly = readonly
    storage.inference = mt_inference_mode
    storage.owner = owner
    return storage


cdef int check_held(bint on_device, int code) except -1:
    """Refuse elements that a device does not hold."""
    if on_device and mt_category[code] == 3:
        raise NotImplementedError(f"complex numbers are not on cuda yet: compute {dtype_of(code).name} on the CPU, of "
                                  "tensors moved there with .cpu()")
    return 0


cdef Storage new_device_storage(Py_ssize_t n, int code):
    """Memory of the device for n elements, not initialised."""
    cdef Py_ssize_t nbytes = n * mt_itemsize[code]
    cdef Storage storage = Storage.__new__(Storage)
    cdef size_t pointer
    check_held(True, code)
    storage.size_class = -1
    storage.owner = primitives().allocate(nbytes)
    pointer = storage.owner.pointer
    storage.data = <char *>pointer
    storage.nbytes = nbytes
    storage.on_device = True
    storage.inference = mt_inference_mode
    return storage


cdef Storage new_storage_like(Storage storage, Py_ssize_t n, int code):
    """Memory for n elements on the device of another, not initialised."""
    return new_device_storage(n, code) if storage.on_device else new_storage(n * mt_itemsize[code])


cdef bint default_on_device = False


cdef void set_default_place(bint on_device) noexcept:
    global default_on_device
    default_on_device = on_device


cdef bint wants_device(object device) except -1:
    """Whether an argument `device` means the CUDA device; refuses one that is not there."""
    if device is None:
        return default_on_device
    if isinstance(device, int) and not isinstance(device, bool):
        device = f"cuda:{device}"
    elif not isinstance(device, str):
        device = str(device)
    if device == "cpu" or device == "cpu:0":
        return False
    if device == "cuda" or device.startswith("cuda:"):
        from minitorch.cuda import require
        require(device)
        return True
    raise NotImplementedError(f"device {device!r}: there are cpu and cuda; use device='cpu'")


cdef object _primitives = None


cdef object primitives():
    """The module of the device's primitives, which exists before the first tensor on it."""
    global _primitives
    if _primitives is None:
        from minitorch.cuda import backend
        _primitives = backend
    return _primitives


def memory_stats():
    """What the allocator holds, in bytes: ``allocated`` to tensors, ``peak``, ``cached`` for reuse and its ``limit``;
    and how many ``allocations`` were made, how many of them ``reused`` a cached block.

    >>> import minitorch
    >>> sorted(minitorch.memory_stats())
    ['allocated', 'allocations', 'cached', 'limit', 'peak', 'reused']
    """
    return dict(allocated=mt_stats.allocated, peak=mt_stats.peak, cached=mt_stats.cached, limit=mt_stats.limit,
                allocations=mt_stats.allocations, reused=mt_stats.reused)


def empty_cache():
    """Give the blocks that are kept for reuse back to the operating system.

    >>> import minitorch
    >>> minitorch.empty_cache()
    >>> minitorch.memory_stats()["cached"]
    0
    """
    mt_empty_cache()


def set_cache_limit(long long nbytes):
    """Bound the memory that is kept for reuse; 0 keeps none.

    >>> import minitorch
    >>> before = minitorch.memory_stats()["limit"]
    >>> minitorch.set_cache_limit(1 << 20)
    >>> minitorch.set_cache_limit(before)
    """
    if nbytes < 0:
        raise ValueError(f"set_cache_limit: the limit must not be negative, got {nbytes}")
    mt_stats.limit = nbytes
    if mt_stats.cached > nbytes:
        mt_empty_cache()


cdef long long _default_limit():
    """A quarter of the machine's memory, at most 4 GiB; MINITORCH_CACHE_LIMIT (bytes) has the last word."""
    wanted = os.environ.get("MINITORCH_CACHE_LIMIT")
    if wanted is not None and wanted.isdigit():
        return int(wanted)
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        memory = 4 << 30
    return min(memory // 4, 4 << 30)


mt_stats.limit = _default_limit()
