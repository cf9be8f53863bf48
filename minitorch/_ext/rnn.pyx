"""Recurrent layers: the part that must go step by step.

What depends on the input alone, ``x W_ihᵀ + b``, is one product for all steps and comes ready, as the sums of the
gates.  Here they meet the state of the step before.  Sequences do not know of each other, so each thread takes some of
them through all steps, and never waits for another.
"""
cimport cython
from libc.string cimport memcpy
from minitorch._ext.dtype cimport MT_F64, MT_I64, mt_category, mt_compute, mt_itemsize
from minitorch._ext.loops cimport contiguous_data, converted, copy_data, host_data, zero_data
from minitorch._ext.matmul cimport gemm, gemm_on_this_thread, pack_factor, packed_gemm_on_this_thread, packed_size
from minitorch._ext.reduce cimport sum_of
from minitorch._ext.tensor cimport (
    Node, TensorBase, alias, data_of, describe, grad_enabled, new_tensor, record_outputs, recording,
)
from minitorch._ext.threads cimport parallel_for, thread_count

cdef extern from "rnn.h" nogil:
    enum:
        MT_RNN_TANH
        MT_RNN_RELU
        MT_LSTM
        MT_GRU
    ctypedef struct mt_rnn_kernels:
        void forward(int cell, Py_ssize_t n, char *gates, char *hidden, const char *h_old, char *h,
                     const char *c_old, char *c) noexcept nogil
        void backward(int cell, Py_ssize_t n, const char *gates, const char *hidden, const char *h_old, const char *h,
                      const char *c_old, const char *c, const char *dy, char *dh, char *dc, char *dgates,
                      char *dhidden) noexcept nogil
    const mt_rnn_kernels mt_rnn_f32, mt_rnn_f64

CELLS = {"RNN_TANH": MT_RNN_TANH, "RNN_RELU": MT_RNN_RELU, "LSTM": MT_LSTM, "GRU": MT_GRU}


# Step t of sequence r is row first[t] + r * apart of the arrays that have all steps: `apart` is 1 where the steps lie
# one behind the other (packed sequences too), else the number of steps.  At step t the first count[t] sequences run.
cdef struct Layer:
    const mt_rnn_kernels *kernels
    int code, item, cell, gates_per_cell
    Py_ssize_t steps, batch, n, apart
    bint reverse
    const long long *first
    const long long *count
    char *gates                     # (rows, gates n): sums, then activations
    char *hidden                    # GRU: (rows, 3 n), the part of the sums that comes from the state
    char *h                         # (rows, n)
    char *c                         # LSTM: (rows, n)
    char *h0                        # (batch, n)
    char *c0
    char *hn                        # (batch, n): the running state, in the end the last
    char *cn
    char *weight                    # (gates n, n)
    float *packed                   # ... as the right factor of every step's product, or NULL
    char *bias                      # GRU: (3 n)
    char *dgates                    # backward: the gradients
    char *dhidden
    char *dh                        # (rows, n): of the output, or NULL
    Py_ssize_t sequences_at_once


cdef inline Py_ssize_t row_of(Layer *s, Py_ssize_t step, Py_ssize_t sequence) noexcept nogil:
    return s.first[step] + sequence * s.apart


cdef inline Py_ssize_t running(Layer *s, Py_ssize_t step, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """How many of these sequences run at a step."""
    return max(min(end, s.count[step]) - begin, 0)


cdef inline char *state_before(Layer *s, char *states, char *initial, Py_ssize_t step, Py_ssize_t r) noexcept nogil:
    """The state with which sequence r came to a step: that of the step before, or its first."""
    cdef Py_ssize_t before = step + 1 if s.reverse else step - 1
    if before < 0 or before >= s.steps or r >= s.count[before]:
        return initial + r * s.n * s.item
    return states + row_of(s, before, r) * s.n * s.item


cdef void forward_sequences(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Layer *s = <Layer *>context
    cdef Py_ssize_t step, i, r, rows, row, size = s.n * s.item, wide = s.gates_per_cell * s.n
    cdef char *sums = s.hidden if s.cell == MT_GRU else s.gates
    for i in range(s.steps):
        step = s.steps - 1 - i if s.reverse else i
        rows = running(s, step, begin, end)
        if rows == 0:
            continue
        row = row_of(s, step, begin)
        if s.cell == MT_GRU:
            for r in range(rows):
                memcpy(sums + (row + r * s.apart) * 3 * size, s.bias, 3 * size)
        if s.packed != NULL:
            packed_gemm_on_this_thread(rows, wide, s.n, 1, <float *>(s.hn + begin * size), s.n, 1, s.packed, True,
                                       <float *>(sums + row * wide * s.item), wide * s.apart)
        else:
            gemm_on_this_thread(s.code, rows, wide, s.n, 1, s.hn + begin * size, s.n, 1, s.weight, 1, s.n, True,
                                sums + row * wide * s.item, wide * s.apart)
        for r in range(begin, begin + rows):
            row = row_of(s, step, r)
            s.kernels.forward(s.cell, s.n, s.gates + row * wide * s.item,
                              NULL if s.hidden == NULL else s.hidden + row * 3 * size,
                              s.hn + r * size, s.h + row * size,
                              NULL if s.c == NULL else state_before(s, s.c, s.c0, step, r),
                              NULL if s.c == NULL else s.c + row * size)
            memcpy(s.hn + r * size, s.h + row * size, size)
    if s.c != NULL:
        for r in range(begin, end):
            last_cell(s, r)


cdef inline void last_cell(Layer *s, Py_ssize_t r) noexcept nogil:
    """Note the cells with which sequence r ends."""
    cdef Py_ssize_t size = s.n * s.item, step = 0
    if not s.reverse:
        step = s.steps - 1
        while step >= 0 and s.count[step] <= r:
            step -= 1
    memcpy(s.cn + r * size, s.c + row_of(s, step, r) * size, size)


cdef void backward_sequences(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Here hn and cn are the running gradients: at first those of the last state, in the end those of the first."""
    cdef Layer *s = <Layer *>context
    cdef Py_ssize_t step, i, r, rows, row, size = s.n * s.item, wide = s.gates_per_cell * s.n
    cdef char *sums = s.dhidden if s.cell == MT_GRU else s.dgates
    for i in range(s.steps):
        step = i if s.reverse else s.steps - 1 - i
        rows = running(s, step, begin, end)
        if rows == 0:
            continue
        for r in range(begin, begin + rows):
            row = row_of(s, step, r)
            s.kernels.backward(s.cell, s.n, s.gates + row * wide * s.item,
                               NULL if s.hidden == NULL else s.hidden + row * 3 * size,
                               state_before(s, s.h, s.h0, step, r), s.h + row * size,
                               NULL if s.c == NULL else state_before(s, s.c, s.c0, step, r),
                               NULL if s.c == NULL else s.c + row * size,
                               NULL if s.dh == NULL else s.dh + row * size, s.hn + r * size,
                               NULL if s.c == NULL else s.cn + r * size,
                               s.dgates + row * wide * s.item,
                               NULL if s.dhidden == NULL else s.dhidden + row * 3 * size)
        row = row_of(s, step, begin)
        if s.packed != NULL:
            packed_gemm_on_this_thread(rows, s.n, wide, 1, <float *>(sums + row * wide * s.item), wide * s.apart, 1,
                                       s.packed, True, <float *>(s.hn + begin * size), s.n)
        else:
            gemm_on_this_thread(s.code, rows, s.n, wide, 1, sums + row * wide * s.item, wide * s.apart, 1,
                                s.weight, s.n, 1, True, s.hn + begin * size, s.n)


cdef void run(Layer *s, void (*task)(void *, Py_ssize_t, Py_ssize_t) noexcept nogil) noexcept:
    with nogil:
        parallel_for(s.batch, (s.batch + thread_count() - 1) // thread_count(), task, s)


cdef TensorBase pack_weight(Layer *s, bint transposed):
    """Pack the weight, or its transpose, for the products of the steps; None where those do not use it."""
    cdef Py_ssize_t wide = s.gates_per_cell * s.n, n = wide if transposed else s.n, k = s.n if transposed else wide
    cdef Py_ssize_t size = packed_size(s.code, n, k)
    cdef TensorBase memory
    if size == 0 or s.steps < 2:
        return None
    memory = new_tensor(1, &size, s.code)
    s.packed = <float *>data_of(memory)
    pack_factor(n, k, <float *>s.weight, 1 if transposed else n, k if transposed else 1, s.packed)
    return memory


# --- on tensors -----------------------------------------------------------------------------------------------------

cdef TensorBase copied(TensorBase t, int code):
    """A contiguous copy."""
    cdef TensorBase copy = new_tensor(t.ndim, t.shape, code)
    copy_data(copy, t)
    return copy


cdef TensorBase room(Py_ssize_t rows, Py_ssize_t columns, int code):
    cdef Py_ssize_t[2] shape = [rows, columns]
    return new_tensor(2, shape, code)


cdef class Sizes:
    """What one layer in one direction needs to know of the sequences; made once for all layers.

    `first` and `count` are int64 tensors of a number a step, see `Layer`.
    """
    cdef readonly TensorBase first, count
    cdef readonly Py_ssize_t steps, batch, apart, rows

    def __init__(self, TensorBase first not None, TensorBase count not None, Py_ssize_t batch, Py_ssize_t apart):
        self.first, self.count = contiguous_data(host_data(first)), contiguous_data(host_data(count))
        self.steps, self.batch, self.apart = first.numel, batch, apart
        self.check()

    cdef int check(self) except -1:
        """Refuse what would lead outside the arrays, or to a row twice."""
        cdef long long *first
        cdef long long *count
        cdef Py_ssize_t t
        if self.first.code != MT_I64 or self.count.code != MT_I64 or self.count.numel != self.steps or self.apart < 1:
            raise ValueError("rnn: first and count must be int64, and as many as there are steps")
        first, count = <long long *>data_of(self.first), <long long *>data_of(self.count)
        self.rows = 0
        for t in range(self.steps):
            if count[t] < 1 or (count[t] != self.batch if t == 0 else count[t] > count[t - 1]):
                raise ValueError("rnn: the number of sequences that run must fall from the batch size, not below 1")
            if first[t] != (t if self.apart > 1 else self.rows) or (self.apart > 1 and (
                    count[t] != self.batch or self.apart != self.steps)):
                raise ValueError("rnn: first must say where each step begins")
            self.rows += count[t]
        return 0


cdef int fill_layer(Layer *s, Sizes sizes, int cell, int code, Py_ssize_t n, bint reverse) except -1:
    s.kernels = &mt_rnn_f64 if code == MT_F64 else &mt_rnn_f32
    s.code, s.item, s.cell = code, mt_itemsize[code], cell
    s.gates_per_cell = 4 if cell == MT_LSTM else 3 if cell == MT_GRU else 1
    s.steps, s.batch, s.apart, s.n, s.reverse = sizes.steps, sizes.batch, sizes.apart, n, reverse
    s.first, s.count = <const long long *>data_of(sizes.first), <const long long *>data_of(sizes.count)
    s.packed = NULL
    s.hidden = s.c = s.c0 = s.cn = s.bias = s.dhidden = s.dh = NULL
    return 0


cdef int check_state(TensorBase t, Py_ssize_t rows, Py_ssize_t columns, int code, str what) except -1:
    if t is None or t.ndim != 2 or t.shape[0] != rows or t.shape[1] != columns or t.code != code:
        raise RuntimeError(f"rnn: {what} must be ({rows}, {columns}) and of the type of the input, but is "
                           f"{'missing' if t is None else describe(t)}")
    return 0


def rnn_layer(str kind, Sizes sizes not None, TensorBase sums not None, TensorBase h0 not None,
              TensorBase c0, TensorBase weight not None, TensorBase bias, bint reverse):
    """One layer in one direction: the states of all steps, the last state and, of an LSTM, the last cells.

    Args:
        kind: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
        sums: (rows, gates), what the input gives to the gates of each step.
        h0: (batch, n), the first state.
        c0: the first cells of an LSTM.
        weight: (gates, n), for the state.
        bias: of a GRU, which needs the part of the state apart.
    """
    cdef Layer s
    cdef int cell = CELLS[kind], code = mt_compute[sums.code]
    cdef Py_ssize_t n = h0.shape[1] if h0.ndim == 2 else 0
    cdef Py_ssize_t wide = n * (4 if cell == MT_LSTM else 3 if cell == MT_GRU else 1)
    cdef TensorBase gates, hidden = None, h, hn, c = None, cn = None, w, b, first, first_c = None, states
    cdef RnnBackward node
    if mt_category[sums.code] != 2:
        raise RuntimeError(f"rnn: expected a floating-point type, got {describe(sums)}")
    check_state(sums, sizes.rows, wide, sums.code, "the input's part of the gates")
    check_state(h0, sizes.batch, n, sums.code, "the first state")
    check_state(weight, wide, n, sums.code, "the weight of the state")
    if cell == MT_LSTM:
        check_state(c0, sizes.batch, n, sums.code, "the first cells")
    if cell == MT_GRU and (bias is None or bias.ndim != 1 or bias.shape[0] != wide or bias.code != sums.code):
        raise RuntimeError(f"rnn: a GRU needs a bias of {wide} for the state")
    fill_layer(&s, sizes, cell, code, n, reverse)
    gates, first, w = copied(sums, code), contiguous_data(converted(h0, code)), contiguous_data(converted(weight, code))
    h, hn = room(sizes.rows, n, code), copied(h0, code)
    s.gates, s.h0, s.weight, s.h, s.hn = data_of(gates), data_of(first), data_of(w), data_of(h), data_of(hn)
    if cell == MT_LSTM:
        first_c = contiguous_data(converted(c0, code))
        c, cn = room(sizes.rows, n, code), room(sizes.batch, n, code)
        s.c0, s.c, s.cn = data_of(first_c), data_of(c), data_of(cn)
    elif cell == MT_GRU:
        b = contiguous_data(converted(bias, code))
        hidden = room(sizes.rows, wide, code)
        s.bias, s.hidden = data_of(b), data_of(hidden)
    if n and sizes.batch and sizes.steps:
        _packed = pack_weight(&s, True)         # alive until the steps are done
        run(&s, forward_sequences)
    out = (converted(h, sums.code), converted(hn, sums.code), None if cn is None else converted(cn, sums.code))
    inputs = (sums, h0, c0 if cell == MT_LSTM else bias, weight)
    if recording(inputs):
        node = RnnBackward.__new__(RnnBackward)
        node.cell, node.reverse, node.kind, node.sizes = cell, reverse, kind, sizes
        node.gates, node.hidden, node.cells = gates, hidden, c
        record_outputs(node, out, inputs)
        states = <TensorBase>out[0]
        node.states, node.version = alias(states), states.storage.version
        for k in range(4):
            if inputs[k] is not None:
                node.save(k, <TensorBase>inputs[k])
    return out


@cython.final
cdef class RnnBackward(Node):
    """From the last step to the first: the gates' gradients from the state's, and from those the state before's.

    The weight's is one product for all steps: dW = Σ dgatesᵀ h_before."""
    cdef int cell
    cdef bint reverse
    cdef str kind
    cdef Sizes sizes
    cdef TensorBase gates, hidden, cells        # of the forward, without a graph
    cdef TensorBase states                      # the first result
    cdef unsigned long long version             # ... of it

    cdef str op_name(self):
        return {MT_LSTM: "Lstm", MT_GRU: "Gru"}.get(self.cell, "Rnn") + "Backward0"

    cdef void release(self):
        Node.release(self)
        self.gates = self.hidden = self.cells = self.states = None

    cdef object apply_many(self, list gs):
        if grad_enabled():
            return self.by_operations(gs)
        return self.step_by_step(gs)

    cdef tuple by_operations(self, list gs):
        """The layer once more, of differentiable operations, and its derivative by the tape."""
        from minitorch.nn.functional.recurrent import gradients_by_steps
        return gradients_by_steps(self.kind, self.sizes, (self.saved(0), self.saved(1), self.saved(2), self.saved(3)),
                                  self.reverse, gs)

    cdef int check_states(self) except -1:
        if self.states.storage.version != self.version:
            raise RuntimeError("one of the variables needed for gradient computation has been modified by an inplace "
                               f"operation: the output of {self.op_name()}. Change a clone() of it instead")
        return 0

    cdef tuple step_by_step(self, list gs):
        cdef TensorBase h0 = self.saved(1), c0 = self.saved(2), weight = self.saved(3)
        cdef TensorBase g, dsums, dhidden, dh, dc = None, w, before, first, cells = None, states, dw = None, db = None
        cdef Layer s
        cdef int code = self.gates.code
        cdef Py_ssize_t n = h0.shape[1], wide = self.gates.shape[1], rows = self.gates.shape[0]
        self.check_states()
        fill_layer(&s, self.sizes, self.cell, code, n, self.reverse)
        g = <TensorBase>gs[0]
        if g is not None:
            g = contiguous_data(converted(g, code))
            s.dh = data_of(g)
        dh = gradient_of((<TensorBase>gs[1]), h0, code)
        dsums = room(rows, wide, code)
        first, w, states = (contiguous_data(converted(h0, code)), contiguous_data(converted(weight, code)),
                            contiguous_data(converted(self.states, code)))
        s.gates, s.h, s.h0, s.hn = data_of(self.gates), data_of(states), data_of(first), data_of(dh)
        s.weight, s.dgates = data_of(w), data_of(dsums)
        dhidden = dsums
        if self.cell == MT_LSTM:
            cells = contiguous_data(converted(c0, code))
            dc = gradient_of((<TensorBase>gs[2]), c0, code)
            s.c, s.c0, s.cn = data_of(self.cells), data_of(cells), data_of(dc)
        elif self.cell == MT_GRU:
            dhidden = room(rows, wide, code)
            s.hidden, s.dhidden = data_of(self.hidden), data_of(dhidden)
        if n and rows:
            _packed = pack_weight(&s, False)
            run(&s, backward_sequences)
        if self.needs(3):
            before = states_before(&s, rows, code)
            dw = room(wide, n, code)
            gemm(code, wide, n, rows, 1, data_of(dhidden), 1, wide, data_of(before), n, 1, False, data_of(dw), n)
            dw = converted(dw, weight.code)
        if self.cell == MT_GRU and self.needs(2):
            db = converted(sum_of(dhidden, 1, False), weight.code)
        elif dc is not None:
            db = converted(dc, weight.code)
        return converted(dsums, weight.code), converted(dh, weight.code), db, dw


cdef TensorBase gradient_of(TensorBase g, TensorBase like, int code):
    """A copy of the gradient to go on from, zeros where there is none."""
    if g is not None:
        return copied(g, code)
    g = new_tensor(like.ndim, like.shape, code)
    zero_data(g)
    return g


cdef TensorBase states_before(Layer *s, Py_ssize_t rows, int code):
    """The state with which each sequence came to each step."""
    cdef TensorBase before = room(rows, s.n, code)
    cdef char *to = data_of(before)
    cdef Py_ssize_t step, r, size = s.n * s.item
    with nogil:
        for step in range(s.steps):
            for r in range(s.count[step]):
                memcpy(to + row_of(s, step, r) * size, state_before(s, s.h, s.h0, step, r), size)
    return before
