"""Optimizers' steps over all parameters in one call.

`sgd` and `adam` go through a list of parameters, find gradient and state of each, and change those that they can:
float32 and float64, parameter, gradient and state contiguous, and with a state that is there.  The others they return,
and the optimizer's Python reference changes them with tensor operations; it also makes the state at the first step.
"""
from libc.math cimport pow, sqrt
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_F32, MT_F64
from minitorch._ext.loops cimport GRAIN
from minitorch._ext.tensor cimport TensorBase, bump, data_of, same_shape
from minitorch._ext.threads cimport parallel_for

cdef extern from "optim.h" nogil:
    ctypedef struct mt_sgd:
        double lr, momentum, dampening, weight_decay
        int nesterov, maximize
    ctypedef struct mt_adam:
        double lr, beta1, beta2, eps, weight_decay
        int amsgrad, maximize, decoupled
    void mt_sgd_plain_f32(float *p, const float *g, Py_ssize_t n, const mt_sgd *o)
    void mt_sgd_plain_f64(double *p, const double *g, Py_ssize_t n, const mt_sgd *o)
    void mt_sgd_momentum_f32(float *p, const float *g, float *b, Py_ssize_t n, const mt_sgd *o)
    void mt_sgd_momentum_f64(double *p, const double *g, double *b, Py_ssize_t n, const mt_sgd *o)
    void mt_adam_f32(float *p, const float *g, float *m, float *v, float *top, Py_ssize_t n, const mt_adam *o,
                     double size, double root)
    void mt_adam_f64(double *p, const double *g, double *m, double *v, double *top, Py_ssize_t n, const mt_adam *o,
                     double size, double root)

cdef enum:
    STATES = 3               # tensors that a step keeps of a parameter, at most

# One parameter with all that its step needs.
cdef struct Item:
    char *param
    char *grad
    char *state[STATES]
    Py_ssize_t end           # where its elements end, counted over all items
    int code
    double size              # Adam's step and the root of its correction
    double root

# Changes the elements [start, start + n) of a parameter.
ctypedef void (*piece_fn)(Item *item, Py_ssize_t start, Py_ssize_t n, const void *options) noexcept nogil

cdef struct Job:
    piece_fn piece
    Item *items
    Py_ssize_t n_items
    const void *options


cdef inline bint fits(TensorBase t, TensorBase like) noexcept:
    return t.code == like.code and t.contiguous and t.numel == like.numel and not t.storage.readonly


cdef bint fill(Item *item, TensorBase param, TensorBase grad, list kept) except -1:
    """Begin an item; false if this parameter is not for the fused step."""
    if param.code != MT_F32 and param.code != MT_F64 or not fits(param, param):
        return False
    if grad.code != param.code or not grad.contiguous or not same_shape(grad, param):
        return False
    item.param, item.grad, item.code = data_of(param), data_of(grad), param.code
    kept.append(grad.storage)
    return True


cdef bint fill_state(Item *item, int k, TensorBase param, dict own, str name, list kept) except -1:
    """Add a tensor of the state; false if it is missing or does not fit."""
    cdef object value = own.get(name)
    if not isinstance(value, TensorBase) or not fits(<TensorBase>value, param):
        return False
    item.state[k] = data_of(<TensorBase>value)
    kept.append((<TensorBase>value).storage)
    return True


cdef dict state_of(object state, TensorBase param):
    """A parameter's entry in the optimizer's state, which is a dict of some kind, or None."""
    own = (<dict>state).get(param) if isinstance(state, dict) else None
    return own if type(own) is dict else None


cdef int count_changes(TensorBase param, dict own, list kept) except -1:
    """Let the tape notice that these were changed in place."""
    bump(param)
    kept.append(param.storage)
    if own is not None:
        for value in own.values():
            if isinstance(value, TensorBase):
                bump(<TensorBase>value)
    return 0


cdef Item *new_items(Py_ssize_t n) except NULL:
    cdef Item *items = <Item *>malloc((n + 1) * sizeof(Item))
    if items == NULL:
        raise MemoryError(f"optimizer step: no memory for a list of {n} parameters")
    return items


cdef void task(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """The elements [begin, end), counted over all items."""
    cdef Job *job = <Job *>context
    cdef Py_ssize_t i, first = 0, low, high
    for i in range(job.n_items):
        low, high = max(first, begin), min(job.items[i].end, end)
        if low < high:
            job.piece(job.items + i, low - first, high - low, job.options)
        first = job.items[i].end


cdef int run(piece_fn piece, Item *items, Py_ssize_t n, const void *options) except -1:
    cdef Job job = Job(piece, items, n, options)
    if n:
        with nogil:
            parallel_for(items[n - 1].end, GRAIN, task, &job)
    return 0


# --- SGD ----------------------------------------------------------------------------------------------------

cdef void sgd_piece(Item *item, Py_ssize_t start, Py_ssize_t n, const void *options) noexcept nogil:
    cdef const mt_sgd *o = <const mt_sgd *>options
    if item.code == MT_F32 and o.momentum != 0:
        mt_sgd_momentum_f32(<float *>item.param + start, <float *>item.grad + start, <float *>item.state[0] + start,
                            n, o)
    elif item.code == MT_F32:
        mt_sgd_plain_f32(<float *>item.param + start, <float *>item.grad + start, n, o)
    elif o.momentum != 0:
        mt_sgd_momentum_f64(<double *>item.param + start, <double *>item.grad + start, <double *>item.state[0] + start,
                            n, o)
    else:
        mt_sgd_plain_f64(<double *>item.param + start, <double *>item.grad + start, n, o)


def sgd(list params not None, state not None, double lr, double momentum, double dampening, double weight_decay,
        bint nesterov, bint maximize):
    """A step of `minitorch.optim.SGD` for all `params` that have a gradient.

    Args:
        state: by parameter, ``{"momentum_buffer": tensor}``.

    Returns:
        the parameters that were left as they are, a list.
    """
    cdef mt_sgd options = mt_sgd(lr, momentum, dampening, weight_decay, nesterov, maximize)
    cdef Item *items = new_items(len(params))
    cdef Py_ssize_t n = 0, total = 0
    cdef list left = [], kept = []
    cdef TensorBase param
    cdef dict own = None
    try:
        for param in params:
            if param.grad_ is None:
                continue
            if momentum != 0:
                own = state_of(state, param)
            if fill(items + n, param, param.grad_, kept) and (momentum == 0 or (
                    own is not None and fill_state(items + n, 0, param, own, "momentum_buffer", kept))):
                count_changes(param, own, kept)
                total += param.numel
                items[n].end = total
                n += 1
            else:
                left.append(param)
        run(sgd_piece, items, n, &options)
    finally:
        free(items)
    return left


# --- Adam ----------------------------------------------------------------------------------------------------

cdef void adam_piece(Item *item, Py_ssize_t start, Py_ssize_t n, const void *options) noexcept nogil:
    cdef const mt_adam *o = <const mt_adam *>options
    if item.code == MT_F32:
        mt_adam_f32(<float *>item.param + start, <float *>item.grad + start, <float *>item.state[0] + start,
                    <float *>item.state[1] + start, <float *>item.state[2] + start, n, o, item.size, item.root)
    else:
        mt_adam_f64(<double *>item.param + start, <double *>item.grad + start, <double *>item.state[0] + start,
                    <double *>item.state[1] + start, <double *>item.state[2] + start, n, o, item.size, item.root)


def adam(list params not None, state not None, double lr, double beta1, double beta2, double eps,
         double weight_decay, bint amsgrad, bint maximize, bint decoupled):
    """A step of `minitorch.optim.Adam` for all `params` that have a gradient.

    Args:
        state: by parameter, ``{"step", "exp_avg", "exp_avg_sq"}`` and with `amsgrad` ``"max_exp_avg_sq"``.
        decoupled: whether the weight decay shrinks the parameters or is added to the gradients.

    Returns:
        the parameters that were left as they are, a list.
    """
    cdef mt_adam options = mt_adam(lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled)
    cdef Item *items = new_items(len(params))
    cdef Py_ssize_t n = 0, total = 0
    cdef list left = [], kept = []
    cdef TensorBase param
    cdef dict own
    cdef double steps, known = -1
    cdef double size = 0, root = 0
    try:
        for param in params:
            if param.grad_ is None:
                continue
            own = state_of(state, param)
            if own is None or not fill(items + n, param, param.grad_, kept) or not fill_adam(
                    items + n, param, own, amsgrad, kept):
                left.append(param)
                continue
            steps = next_step(own["step"])
            if steps != known:  # all parameters have usually made as many
                known, size, root = steps, lr / (1 - pow(beta1, steps)), sqrt(1 - pow(beta2, steps))
            items[n].size, items[n].root = size, root
            count_changes(param, own, kept)
            total += param.numel
            items[n].end = total
            n += 1
        run(adam_piece, items, n, &options)
    finally:
        free(items)
    return left


cdef bint fill_adam(Item *item, TensorBase param, dict own, bint amsgrad, list kept) except -1:
    cdef object step = own.get("step")
    if not isinstance(step, TensorBase) or (<TensorBase>step).numel != 1 or (<TensorBase>step).storage.readonly or (
            (<TensorBase>step).code != MT_F32 and (<TensorBase>step).code != MT_F64):
        return False
    item.state[2] = NULL
    return (fill_state(item, 0, param, own, "exp_avg", kept) and fill_state(item, 1, param, own, "exp_avg_sq", kept) and
            (not amsgrad or fill_state(item, 2, param, own, "max_exp_avg_sq", kept)))


cdef double next_step(TensorBase step) noexcept:
    """Count a step, in the tensor where optimizers keep the number."""
    cdef char *data = data_of(step)
    if step.code == MT_F32:
        (<float *>data)[0] += 1
        return (<float *>data)[0]
    (<double *>data)[0] += 1
    return (<double *>data)[0]
