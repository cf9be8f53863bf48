"""Optimizers' steps over all parameters in one call.

`step` goes through a list of parameters, finds gradient and state of each, and changes those that it can: float32 and
float64 (on the device float16 and bfloat16 too), parameter, gradient and state contiguous, and with a state that is
there.  The others it returns, and the optimizer's Python reference changes them with tensor operations; it also makes
the state at the first step.
"""
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy
from minitorch._ext.dtype cimport MT_BF16, MT_F16, MT_F32, MT_F64
from minitorch._ext.loops cimport GRAIN
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport TensorBase, bump, data_of, same_shape
from minitorch._ext.threads cimport parallel_for

ctypedef void (*prepare_fn)(const double *o, double *c, double *at) noexcept nogil
ctypedef void (*kernel_f32)(float *p, const float *g, float **s, Py_ssize_t n, const double *o, const double *at
                            ) noexcept nogil
ctypedef void (*kernel_f64)(double *p, const double *g, double **s, Py_ssize_t n, const double *o, const double *at
                            ) noexcept nogil

cdef extern from "optim.h" nogil:
    enum:
        OPTIONS "MT_OPTIM_OPTIONS"
        STATES "MT_OPTIM_STATES"
        COUNTERS "MT_OPTIM_COUNTERS"
        AT "MT_OPTIM_AT"
    ctypedef struct mt_optimizer:
        const char *name
        int options, tensors, counters
        prepare_fn prepare
        kernel_f32 f32
        kernel_f64 f64
    const mt_optimizer mt_optimizers[1]

# One parameter with all that its step needs.
cdef struct Item:
    char *param
    char *grad
    char *state[STATES]
    Py_ssize_t end           # where its elements end, counted over all items
    int code
    double at[AT]

cdef struct Job:
    const mt_optimizer *kernel
    Item *items
    Py_ssize_t n_items
    double options[OPTIONS]

# The counters of the last parameter, before and after, and what they gave: others have usually made as many steps.
cdef struct Known:
    bint any
    double before[COUNTERS]
    double after[COUNTERS]
    double at[AT]

cdef dict KERNELS = {}
cdef int _i = 0
while mt_optimizers[_i].name != NULL:
    KERNELS[(<bytes>mt_optimizers[_i].name).decode()] = _i
    _i += 1


cdef inline bint fits(TensorBase t, TensorBase like) noexcept:
    return (t.code == like.code and t.contiguous and t.numel == like.numel and not t.storage.readonly
            and t.storage.on_device == like.storage.on_device)


cdef inline bint takes(TensorBase param) noexcept:
    """Whether there are kernels for a parameter's type where it is."""
    return param.code == MT_F32 or param.code == MT_F64 or (
        param.storage.on_device and (param.code == MT_F16 or param.code == MT_BF16))


cdef bint fill(Item *item, TensorBase param, TensorBase grad, list kept) except -1:
    """Begin an item; false if this parameter is not for the fused step."""
    if not takes(param) or not fits(param, param):
        return False
    if grad.code != param.code or not grad.contiguous or not same_shape(grad, param) or (
            grad.storage.on_device != param.storage.on_device):
        return False
    item.param, item.grad, item.code = data_of(param), data_of(grad), param.code
    kept.append(grad.storage)
    return True


cdef bint fill_state(Item *item, TensorBase param, dict own, tuple names, list kept) except -1:
    """Add the tensors of the state; false if one is missing or does not fit."""
    cdef int k
    cdef object value
    for k in range(STATES):
        item.state[k] = NULL
        if k < len(names) and names[k] is not None:
            value = own.get(names[k])
            if not isinstance(value, TensorBase) or not fits(<TensorBase>value, param):
                return False
            item.state[k] = data_of(<TensorBase>value)
            kept.append((<TensorBase>value).storage)
    return True


cdef bint read_counters(dict own, tuple names, double *counters) except -1:
    """Counters are tensors of one number; false if one is missing."""
    cdef int k
    cdef object value
    cdef TensorBase t
    for k in range(len(names)):
        value = own.get(names[k])
        if not isinstance(value, TensorBase):
            return False
        t = <TensorBase>value
        if t.numel != 1 or t.storage.readonly or t.storage.on_device or (t.code != MT_F32 and t.code != MT_F64):
            return False
        counters[k] = (<float *>data_of(t))[0] if t.code == MT_F32 else (<double *>data_of(t))[0]
    return True


cdef int write_counters(dict own, tuple names, const double *counters) except -1:
    cdef int k
    cdef TensorBase t
    for k in range(len(names)):
        t = own[names[k]]
        if t.code == MT_F32:
            (<float *>data_of(t))[0] = <float>counters[k]
        else:
            (<double *>data_of(t))[0] = counters[k]
    return 0


cdef int count(Job *job, Item *item, Known *known, dict own, tuple names, double *counters) except -1:
    """Count the step and find what depends on its number."""
    if not known.any or memcmp(known.before, counters, COUNTERS * sizeof(double)) != 0:
        memcpy(known.before, counters, COUNTERS * sizeof(double))
        job.kernel.prepare(job.options, counters, known.at)
        memcpy(known.after, counters, COUNTERS * sizeof(double))
        known.any = True
    write_counters(own, names, known.after)
    memcpy(item.at, known.at, AT * sizeof(double))
    return 0


cdef dict state_of(object state, TensorBase param):
    """A parameter's entry in the optimizer's state, which is a dict of some kind, or None."""
    own = (<dict>state).get(param) if isinstance(state, dict) else None
    return own if type(own) is dict else None


cdef tuple there(Item *item, TensorBase param, dict own, tuple names):
    """An item as the device's `optimizer_step` takes it."""
    states = [own[names[k]] if k < len(names) and names[k] is not None else None for k in range(STATES)]
    return tuple([item.at[k] for k in range(AT)]), (param, param.grad_, *states)


cdef int count_changes(TensorBase param, dict own, list kept) except -1:
    """Let the tape notice that these were changed in place."""
    bump(param)
    kept.append(param.storage)
    if own is not None:
        for value in own.values():
            if isinstance(value, TensorBase):
                bump(<TensorBase>value)
    return 0


cdef void task(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """The elements [begin, end), counted over all items."""
    cdef Job *job = <Job *>context
    cdef Py_ssize_t i, first = 0, low, high
    for i in range(job.n_items):
        low, high = max(first, begin), min(job.items[i].end, end)
        if low < high:
            piece(job, job.items + i, low - first, high - low)
        first = job.items[i].end


cdef void piece(Job *job, Item *item, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    """The elements [start, start + n) of a parameter."""
    cdef float *f32[STATES]
    cdef double *f64[STATES]
    cdef int k
    for k in range(STATES):
        f32[k] = NULL if item.state[k] == NULL else <float *>item.state[k] + start
        f64[k] = NULL if item.state[k] == NULL else <double *>item.state[k] + start
    if item.code == MT_F32:
        job.kernel.f32(<float *>item.param + start, <float *>item.grad + start, f32, n, job.options, item.at)
    else:
        job.kernel.f64(<double *>item.param + start, <double *>item.grad + start, f64, n, job.options, item.at)


def step(str kernel not None, list params not None, state not None, tuple options not None, tuple tensors=(),
         tuple counters=()):
    """A step of the optimizer called `kernel` for all `params` that have a gradient.

    Args:
        state: by parameter, a dictionary of tensors.
        options: numbers, in the order that ``include/optim_kernels.h`` gives.
        tensors: the names, in the state, of tensors of the parameter's shape; None for one that is not used.
        counters: the names of tensors of one number, which change with the step.

    Returns:
        the parameters that were left as they are, a list.
    """
    cdef Job job
    cdef Known known
    cdef Item *item
    cdef Py_ssize_t total = 0
    cdef int k
    cdef list left = [], kept = [], items = []      # items: of the device
    cdef TensorBase param
    cdef dict own = None
    cdef double[COUNTERS] numbers
    if kernel not in KERNELS:
        raise ValueError(f"optimizer step: there is no kernel {kernel!r}, only {', '.join(KERNELS)}")
    job.kernel = &mt_optimizers[<int>KERNELS[kernel]]
    if (len(options) != job.kernel.options or len(counters) != job.kernel.counters or len(tensors) > STATES or
            None in tensors[:job.kernel.tensors] or len(tensors) < job.kernel.tensors):
        raise ValueError(f"optimizer step: {kernel} takes {job.kernel.options} options, {job.kernel.counters} counters "
                         f"and {job.kernel.tensors} to {STATES} tensors; got {len(options)}, {len(counters)} and "
                         f"{len(tensors)}")
    for k in range(job.kernel.options):
        job.options[k] = options[k]
    for k in range(COUNTERS):
        numbers[k] = 0
    known.any = False
    job.n_items = 0
    job.items = <Item *>malloc((len(params) + 1) * sizeof(Item))
    if job.items == NULL:
        raise MemoryError(f"optimizer step: no memory for a list of {len(params)} parameters")
    try:
        for param in params[:]:
            if param.grad_ is None:
                continue
            item = job.items + job.n_items
            own = state_of(state, param) if tensors else {}
            if own is None or not fill(item, param, param.grad_, kept) or not fill_state(
                    item, param, own, tensors, kept) or not read_counters(own, counters, numbers):
                left.append(param)
                continue
            count(&job, item, &known, own, counters, numbers)
            count_changes(param, own, kept)
            if param.storage.on_device:
                items.append(there(item, param, own, tensors))
                continue
            total += param.numel
            item.end = total
            job.n_items += 1
        if job.n_items:
            with nogil:
                parallel_for(total, GRAIN, task, &job)
        if items:
            primitives().optimizer_step(kernel, options, items)
    finally:
        free(job.items)
    return left
