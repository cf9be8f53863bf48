"""Connectionist temporal classification: the probability of all readings of a target, and its gradient.

With a blank before, between and after the classes of a target, a reading is a walk through these places: at each step
it stays, goes on by one, or jumps over a blank between different classes.  alpha[t, s] is the log-probability of all
walks that are at place s after step t, beta[t, s] of all that go on from there; both take a step's probability in.
"""
cimport cython
from libc.math cimport INFINITY, exp, log1p
from libc.stdlib cimport free, malloc
from minitorch._ext.dtype cimport MT_F64, MT_I64, mt_category
from minitorch._ext.loops cimport contiguous_data, converted, copy_data, zero_data
from minitorch._ext.tensor cimport (
    Node, TensorBase, data_of, describe, grad_enabled, new_tensor, record1, recording1,
)
from minitorch._ext.threads cimport parallel_for


cdef struct Readings:
    double *scores                  # (steps, batch, classes)
    const long long *targets        # the targets of sample b begin at start[b]
    const long long *start
    const long long *steps          # of each sample
    const long long *lengths        # of each target
    double *losses
    double *alpha                   # (batch, most steps, most places); NULL: not kept
    double *g                       # the gradients of the losses ...
    double *gradient                # ... and of the scores
    Py_ssize_t most_steps, batch, classes, places, blank
    bint failed


cdef inline double log_add(double a, double b) noexcept nogil:
    cdef double top = a if a > b else b
    if top == -INFINITY:
        return top
    return top + log1p(exp((b if a > b else a) - top))


cdef inline Py_ssize_t label(Readings *r, Py_ssize_t b, Py_ssize_t place) noexcept nogil:
    return r.targets[r.start[b] + place // 2] if place % 2 else r.blank


cdef inline double score(Readings *r, Py_ssize_t b, Py_ssize_t t, Py_ssize_t place) noexcept nogil:
    return r.scores[(t * r.batch + b) * r.classes + label(r, b, place)]


cdef inline bint jumps(Readings *r, Py_ssize_t b, Py_ssize_t place) noexcept nogil:
    """Whether a walk may come to this place over the blank before it."""
    return place % 2 and place >= 2 and label(r, b, place) != label(r, b, place - 2)


cdef void forward_samples(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Readings *r = <Readings *>context
    cdef Py_ssize_t b, t, s, places
    cdef double *alpha
    cdef double *row
    cdef double *before
    cdef double v
    for b in range(begin, end):
        places = 2 * r.lengths[b] + 1
        alpha = r.alpha + b * r.most_steps * r.places
        if r.steps[b] == 0:
            r.losses[b] = 0 if r.lengths[b] == 0 else INFINITY
            continue
        for t in range(r.steps[b]):
            row = alpha + t * r.places
            before = row - r.places
            for s in range(places):
                if t == 0:
                    v = 0 if s < 2 else -INFINITY
                else:
                    v = before[s]
                    if s >= 1:
                        v = log_add(v, before[s - 1])
                    if jumps(r, b, s):
                        v = log_add(v, before[s - 2])
                row[s] = v + score(r, b, t, s)
        row = alpha + (r.steps[b] - 1) * r.places
        v = row[places - 1]
        r.losses[b] = -(log_add(v, row[places - 2]) if places > 1 else v)


cdef void backward_samples(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """d loss / d score[t, k] = exp(score) - sum over the places s of class k of exp(alpha + beta - score + loss)."""
    cdef Readings *r = <Readings *>context
    cdef Py_ssize_t b, t, s, k, places
    cdef double *alpha
    cdef double *base = <double *>malloc(2 * r.places * sizeof(double))
    cdef double *beta = base
    cdef double *after = base + r.places
    cdef double *scores
    cdef double *dx
    cdef double v
    if beta == NULL:
        r.failed = True
        return
    for b in range(begin, end):
        if r.g[b] == 0:
            continue
        places = 2 * r.lengths[b] + 1
        for t in range(r.steps[b] - 1, -1, -1):
            alpha = r.alpha + (b * r.most_steps + t) * r.places
            scores = r.scores + (t * r.batch + b) * r.classes
            dx = r.gradient + (t * r.batch + b) * r.classes
            for k in range(r.classes):
                dx[k] = exp(scores[k])
            for s in range(places):
                if t == r.steps[b] - 1:
                    v = 0 if s >= places - 2 else -INFINITY
                else:
                    v = after[s]
                    if s + 1 < places:
                        v = log_add(v, after[s + 1])
                    if s + 2 < places and jumps(r, b, s + 2):
                        v = log_add(v, after[s + 2])
                beta[s] = v + score(r, b, t, s)
                if alpha[s] + beta[s] > -INFINITY:
                    k = label(r, b, s)
                    dx[k] -= exp(alpha[s] + beta[s] - scores[k] + r.losses[b])
            for k in range(r.classes):
                dx[k] *= r.g[b]
            beta, after = after, beta
    free(base)


cdef int check_lengths(TensorBase scores, TensorBase targets, TensorBase steps, TensorBase lengths, TensorBase start,
                       Py_ssize_t blank) except -1:
    """Refuse what would lead outside; fill in where each target starts."""
    cdef long long *step = <long long *>data_of(steps)
    cdef long long *length = <long long *>data_of(lengths)
    cdef long long *first = <long long *>data_of(start)
    cdef long long *target = <long long *>data_of(targets)
    cdef Py_ssize_t b, i, total = 0, classes = scores.shape[2]
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: it is {blank}, of {classes} classes")
    if targets.ndim not in (1, 2) or (targets.ndim == 2 and targets.shape[0] != scores.shape[1]):
        raise RuntimeError(f"ctc_loss: targets must be (batch, length) or one after another, but are "
                           f"{describe(targets)} for {scores.shape[1]} samples")
    for b in range(scores.shape[1]):
        if step[b] < 0 or step[b] > scores.shape[0]:
            raise RuntimeError(f"Expected input_lengths to have value at most {scores.shape[0]} and not below 0, but "
                               f"got value {step[b]} (sample {b})")
        if length[b] < 0 or (targets.ndim == 2 and length[b] > targets.shape[1]):
            raise RuntimeError(f"Expected target_lengths to have value at most "
                               f"{targets.shape[1] if targets.ndim == 2 else 'the length of targets'} and not below 0, "
                               f"but got value {length[b]} (sample {b})")
        first[b] = b * targets.shape[1] if targets.ndim == 2 else total
        total += length[b]
        if targets.ndim == 1 and total > targets.numel:
            raise RuntimeError(f"ctc_loss: the target lengths sum to more than the {targets.numel} targets")
        for i in range(length[b]):
            if target[first[b] + i] < 0 or target[first[b] + i] >= classes:
                raise RuntimeError(f"ctc_loss: target {target[first[b] + i]} of sample {b} is no class: there are "
                                   f"{classes}")
    return 0


def ctc_losses(TensorBase log_probs not None, TensorBase targets not None, TensorBase input_lengths not None,
               TensorBase target_lengths not None, Py_ssize_t blank):
    """The loss of each sample of (steps, batch, classes); targets and lengths are int64."""
    cdef Readings r
    cdef TensorBase scores, losses, alpha, start
    cdef Py_ssize_t[3] shape
    cdef Py_ssize_t b, longest = 0
    cdef CtcBackward node
    cdef TensorBase out
    if log_probs.ndim != 3 or mt_category[log_probs.code] != 2 or targets.code != MT_I64 \
            or input_lengths.code != MT_I64 or target_lengths.code != MT_I64 \
            or input_lengths.numel != log_probs.shape[1] or target_lengths.numel != log_probs.shape[1]:
        raise RuntimeError("ctc_loss: expected log_probs (steps, batch, classes) and int64 targets and lengths")
    scores = contiguous_data(converted(log_probs, MT_F64))
    targets = contiguous_data(targets)
    input_lengths, target_lengths = contiguous_data(input_lengths), contiguous_data(target_lengths)
    r.batch = scores.shape[1]
    start, losses = new_tensor(1, &r.batch, MT_I64), new_tensor(1, &r.batch, MT_F64)
    check_lengths(scores, targets, input_lengths, target_lengths, start, blank)
    for b in range(r.batch):
        longest = max(longest, (<long long *>data_of(target_lengths))[b])
    shape[0], shape[1], shape[2] = r.batch, scores.shape[0], 2 * longest + 1
    alpha = new_tensor(3, shape, MT_F64)
    r.most_steps, r.classes, r.places, r.blank = scores.shape[0], scores.shape[2], 2 * longest + 1, blank
    r.failed = False
    fill(&r, scores, targets, start, input_lengths, target_lengths, losses, alpha)
    with nogil:
        parallel_for(r.batch, 1, forward_samples, &r)
    out = new_tensor(1, &r.batch, log_probs.code)         # apart from what the backward keeps
    copy_data(out, losses)
    if recording1(log_probs):
        node = CtcBackward.__new__(CtcBackward)
        node.r, node.kept = r, (scores, targets, start, input_lengths, target_lengths, losses, alpha)
        record1(node, out, log_probs)
        node.save(0, log_probs)
    return out


cdef void fill(Readings *r, TensorBase scores, TensorBase targets, TensorBase start, TensorBase steps,
               TensorBase lengths, TensorBase losses, TensorBase alpha) noexcept:
    r.scores, r.losses, r.alpha = <double *>data_of(scores), <double *>data_of(losses), <double *>data_of(alpha)
    r.targets, r.start = <const long long *>data_of(targets), <const long long *>data_of(start)
    r.steps, r.lengths = <const long long *>data_of(steps), <const long long *>data_of(lengths)


@cython.final
cdef class CtcBackward(Node):
    """Walks from both ends meet: see `backward_samples`."""
    cdef Readings r
    cdef tuple kept                 # the tensors that r points into, none of them with a graph

    cdef str op_name(self):
        return "CtcLossBackward0"

    cdef void release(self):
        Node.release(self)
        self.kept = None

    cdef object apply(self, TensorBase g):
        cdef Readings r = self.r
        cdef TensorBase log_probs = self.saved(0), dx
        dx = new_tensor(3, log_probs.shape, MT_F64)
        zero_data(dx)
        g = contiguous_data(converted(g, MT_F64))
        r.g, r.gradient = <double *>data_of(g), <double *>data_of(dx)
        with nogil:
            parallel_for(r.batch, 1, backward_samples, &r)
        if r.failed:
            raise MemoryError("ctc_loss: no memory for a row of places")
        dx = converted(dx, log_probs.code)
        if grad_enabled():                                  # whoever differentiates it is told that this cannot be
            record1(CtcBackwardBackward.__new__(CtcBackwardBackward), dx, log_probs)
        return (dx,)


@cython.final
cdef class CtcBackwardBackward(Node):
    """There is no second derivative."""

    cdef str op_name(self):
        return "CtcLossBackwardBackward0"
