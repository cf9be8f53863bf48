"""The one thread pool of the engine (the mechanism is in ``include/pool.h``).

Every kernel that splits its work calls :func:`parallel_for`; nothing else in the process may start compute
threads, because two pools taking turns on the same cores cost more than they give.
"""
import atexit
import operator
import os
import warnings

cdef extern from "pool.h" nogil:
    const int MT_HAVE_THREADS
    int pool_init()
    int pool_size()
    int pool_workers()
    void pool_resize(int threads, int cpus)
    void pool_close()
    void pool_run(Py_ssize_t n, Py_ssize_t grain, task_fn fn, void *ctx)


cdef int thread_count() noexcept nogil:
    """How many threads a kernel may use."""
    return pool_size()


cdef void parallel_for(Py_ssize_t n, Py_ssize_t grain, task_fn fn, void *ctx) noexcept nogil:
    """Call ``fn(ctx, begin, end)`` on contiguous pieces that cover [0, n), on all threads.

    There are at most ``get_num_threads()`` pieces, none shorter than `grain`; one piece runs in the caller, and
    so does everything when the pool is busy (a nested call, a second Python thread). `fn` must not take the GIL.
    """
    pool_run(n, grain, fn, ctx)


def available_cpus() -> int:
    """The processors this process may run on, which is fewer than the machine's in many containers."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_num_threads() -> int:
    """The number of threads that kernels use.

    At first the processors of the affinity mask, unless ``MINITORCH_NUM_THREADS`` or ``OMP_NUM_THREADS`` says
    otherwise in the environment.

    >>> minitorch.get_num_threads() >= 1
    True
    """
    return pool_size()


def set_num_threads(num_threads) -> None:
    """Let kernels use `num_threads` threads (at most 256), from the next call on.

    Raises:
        RuntimeError: if the number is not positive.
        TypeError: if it is not an integer.

    >>> before = minitorch.get_num_threads()
    >>> minitorch.set_num_threads(1)
    >>> minitorch.get_num_threads()
    1
    >>> minitorch.set_num_threads(before)
    """
    if num_threads is True or num_threads is False or not hasattr(num_threads, "__index__"):
        raise TypeError(f"set_num_threads: expected an int, got {type(num_threads).__name__}")
    number = operator.index(num_threads)
    if number < 1:
        raise RuntimeError(f"set_num_threads: expected a positive number of threads, got {number}")
    if number > 1 and not MT_HAVE_THREADS:
        warnings.warn(f"set_num_threads({number}): built without threads (MT_NO_THREADS), so one is used", stacklevel=2)
    cdef int threads = min(number, 256), cpus = available_cpus()
    with nogil:
        pool_resize(threads, cpus)


def pool_info() -> dict:
    """What ``minitorch doctor`` says about threads."""
    return {"threads": pool_size(), "workers_started": pool_workers(), "cpus": available_cpus(),
            "built_with_threads": bool(MT_HAVE_THREADS)}


def _initial_threads() -> int:
    for variable in ("MINITORCH_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()  # OMP_NUM_THREADS may give a number a level
        if not text:
            continue
        if text.isdecimal() and int(text) > 0:
            return int(text)
        warnings.warn(f"{variable}={text!r} is not a positive number of threads and is not used", stacklevel=2)
    return available_cpus()


# --- for the tests -------------------------------------------------------------------------

cdef struct SquareTask:
    double *values
    int nested


cdef void _square_inner(void *ctx, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef double *values = <double *> ctx
    cdef Py_ssize_t i
    for i in range(begin, end):
        values[i] = values[i] * values[i]


cdef void _square(void *ctx, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef SquareTask *task = <SquareTask *> ctx
    if task.nested:
        parallel_for(end - begin, 1, _square_inner, task.values + begin)
    else:
        _square_inner(task.values, begin, end)


cdef struct PieceTask:
    Py_ssize_t *begin
    Py_ssize_t *end


cdef void _mark_piece(void *ctx, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef PieceTask *task = <PieceTask *> ctx
    task.begin[begin] = begin
    task.end[begin] = end


def _test_square(size_t values, Py_ssize_t n, Py_ssize_t grain=1, bint nested=False, Py_ssize_t times=1) -> None:
    """Square the n doubles at the address `values` in place, `times` times, in pieces."""
    cdef SquareTask task = SquareTask(<double *> values, nested)
    cdef Py_ssize_t _i
    with nogil:
        for _i in range(times):
            parallel_for(n, grain, _square, &task)


def _test_pieces(size_t begin, size_t end, Py_ssize_t n, Py_ssize_t grain) -> None:
    """Write each piece of [0, n) into the arrays `begin` and `end`, at the piece's first index."""
    cdef PieceTask task = PieceTask(<Py_ssize_t *> begin, <Py_ssize_t *> end)
    parallel_for(n, grain, _mark_piece, &task)


if pool_init() != 0:
    raise ImportError("minitorch: the at-fork handler of the thread pool cannot be registered")
set_num_threads(_initial_threads() if MT_HAVE_THREADS else 1)
atexit.register(pool_close)
