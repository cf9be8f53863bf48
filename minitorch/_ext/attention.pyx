"""Scaled dot-product attention, without ever holding all of its scores.

Some queries are taken at a time, so few that their scores stay in the cache: a product, a softmax of rows, another
product.  The backward computes the scores again, which costs less than reading them back from memory would.  A device
has kernels for this (`cuda/kernels/attention.cu`), whose backward needs two numbers of each row besides.

Source: Dao et al., *FlashAttention*, arXiv:2205.14135.  Rows of scores are kept whole here, so the softmax is the
ordinary one; what is saved is the memory of all rows at once.
"""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from minitorch._ext.dtype cimport MT_BOOL, MT_F64, mt_category, mt_compute, mt_itemsize
from minitorch._ext.loops cimport contiguous_data, converted, fill_data, scalar_value, zero_data
from minitorch._ext.matmul cimport gemm_on_this_thread, matmul_of
from minitorch._ext.pointwise cimport op_add, op_mul, op_sub, op_where
from minitorch._ext.reduce cimport sum_of
from minitorch._ext.softmax cimport rows_grad_kernel, rows_kernel, softmax_of, softmax_rows, softmax_rows_grad
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    Node, TensorBase, alias, check_devices, data_of, describe, grad_enabled, new_as, new_on, on_device, record,
    recording, set_dims, shown,
)
from minitorch._ext.threads cimport parallel_for
from minitorch._ext.views cimport expand_to, reshape_to, transpose_of

from minitorch._ext.arrange import tril

cdef extern from "attention.h" nogil:
    bint mt_mask_row_f32(char *scores, const char *mask, Py_ssize_t step, bint is_bool, Py_ssize_t n)
    bint mt_mask_row_f64(char *scores, const char *mask, Py_ssize_t step, bint is_bool, Py_ssize_t n)


cdef enum:
    SCORES_AT_ONCE = 1 << 15        # of one block of queries: three such arrays stay in the second cache
    MOST_QUERIES = 64
    LEAST_QUERIES = 8


# A matrix of each (batch, head): where it starts, and the distance of its rows; columns are adjacent.  All in elements.
cdef struct Heads:
    char *data
    Py_ssize_t batch, head, row


cdef struct Attention:
    int code, item
    Py_ssize_t batches, heads, groups       # `groups` heads of queries share a head of keys and values
    Py_ssize_t queries, keys, width, value_width, block
    bint causal
    double scale
    Heads q, k, v, out                      # backward: `out` is the gradient of the result
    Heads dq, dk, dv
    char *mask                              # or NULL
    bint mask_bool
    Py_ssize_t[4] mask_strides
    rows_kernel softmax
    rows_grad_kernel softmax_grad
    bint failed                             # no memory for a block


cdef inline char *matrix(Attention *a, Heads *h, Py_ssize_t batch, Py_ssize_t head, Py_ssize_t row) noexcept nogil:
    return h.data + (batch * h.batch + head * h.head + row * h.row) * a.item


cdef inline Py_ssize_t seen(Attention *a, Py_ssize_t query) noexcept nogil:
    """How many keys a query may look at, the mask aside."""
    return query + 1 if a.causal and query + 1 < a.keys else a.keys


cdef void probabilities(Attention *a, Py_ssize_t batch, Py_ssize_t head, Py_ssize_t first, Py_ssize_t rows,
                        char *scores, char *p) noexcept nogil:
    """The attention of some queries, (rows, the keys that the last of them sees)."""
    cdef Py_ssize_t wide = seen(a, first + rows - 1), r, n
    cdef char *row
    cdef char *mask
    cdef bint left
    gemm_on_this_thread(a.code, rows, wide, a.width, a.scale, matrix(a, &a.q, batch, head, first), a.q.row, 1,
                        matrix(a, &a.k, batch, head // a.groups, 0), 1, a.k.row, False, scores, wide)
    if a.mask == NULL and not a.causal:
        a.softmax(p, scores, rows, wide)
        return
    for r in range(rows):
        row = scores + r * wide * a.item
        n = seen(a, first + r)
        left = True
        if a.mask != NULL:
            mask = a.mask + (1 if a.mask_bool else a.item) * (
                batch * a.mask_strides[0] + head * a.mask_strides[1] + (first + r) * a.mask_strides[2])
            left = (mt_mask_row_f64 if a.code == MT_F64 else mt_mask_row_f32)(
                row, mask, a.mask_strides[3], a.mask_bool, n)
        if left:
            a.softmax(p + r * wide * a.item, row, 1, n)
        else:
            n = 0                                           # a query that sees nothing: attention to nothing
        memset(p + (r * wide + n) * a.item, 0, (wide - n) * a.item)


cdef void forward_blocks(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Units are the blocks of queries of each head."""
    cdef Attention *a = <Attention *>context
    cdef Py_ssize_t blocks = (a.queries + a.block - 1) // a.block, unit, batch, head, first, rows, wide
    cdef Py_ssize_t room = a.block * a.keys * a.item
    cdef char *scores = <char *>malloc(2 * room)
    if scores == NULL:
        a.failed = True
        return
    for unit in range(begin, end):
        batch, head = unit // blocks // a.heads, unit // blocks % a.heads
        first = unit % blocks * a.block
        rows = min(a.block, a.queries - first)
        wide = seen(a, first + rows - 1)
        probabilities(a, batch, head, first, rows, scores, scores + room)
        gemm_on_this_thread(a.code, rows, a.value_width, wide, 1, scores + room, wide, 1,
                            matrix(a, &a.v, batch, head // a.groups, 0), a.v.row, 1, False,
                            matrix(a, &a.out, batch, head, first), a.out.row)
    free(scores)


cdef void backward_heads(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Units are the heads of keys, whose gradients one thread adds up."""
    cdef Attention *a = <Attention *>context
    cdef Py_ssize_t unit, batch, kv, head, first, rows, wide
    cdef Py_ssize_t kv_heads = a.heads // a.groups, room = a.block * a.keys * a.item
    cdef char *scores = <char *>malloc(3 * room)
    cdef char *p = scores + room
    cdef char *ds = p + room
    cdef char *g
    cdef char *keys
    cdef bint again
    if scores == NULL:
        a.failed = True
        return
    for unit in range(begin, end):
        batch, kv = unit // kv_heads, unit % kv_heads
        keys = matrix(a, &a.k, batch, kv, 0)
        again = False
        for head in range(kv * a.groups, (kv + 1) * a.groups):
            # the last queries first: they see all keys, so that the first products may overwrite
            first = (a.queries - 1) // a.block * a.block
            while first >= 0:
                rows = min(a.block, a.queries - first)
                wide = seen(a, first + rows - 1)
                g = matrix(a, &a.out, batch, head, first)
                probabilities(a, batch, head, first, rows, scores, p)
                gemm_on_this_thread(a.code, wide, a.value_width, rows, 1, p, 1, wide, g, a.out.row, 1, again,
                                    matrix(a, &a.dv, batch, kv, 0), a.dv.row)
                gemm_on_this_thread(a.code, rows, wide, a.value_width, 1, g, a.out.row, 1,
                                    matrix(a, &a.v, batch, kv, 0), 1, a.v.row, False, scores, wide)
                a.softmax_grad(ds, p, scores, wide, rows, wide)
                gemm_on_this_thread(a.code, rows, a.width, wide, a.scale, ds, wide, 1, keys, a.k.row, 1, False,
                                    matrix(a, &a.dq, batch, head, first), a.dq.row)
                gemm_on_this_thread(a.code, wide, a.width, rows, a.scale, ds, 1, wide,
                                    matrix(a, &a.q, batch, head, first), a.q.row, 1, again,
                                    matrix(a, &a.dk, batch, kv, 0), a.dk.row)
                again = True
                first -= a.block
    free(scores)


# --- on tensors -----------------------------------------------------------------------------------------------------

cdef TensorBase rows_adjacent(TensorBase t, int code):
    """t with the columns of its matrices adjacent, and rows that do not overlap, as products want them."""
    t = converted(t, code)
    if t.strides[3] == 1 and t.strides[2] >= t.shape[3]:
        return t
    return contiguous_data(t)


cdef int fill_heads(Heads *h, TensorBase t) except -1:
    h.data = data_of(t)
    h.batch, h.head, h.row = t.strides[0], t.strides[1], t.strides[2]
    return 0


cdef TensorBase heads_behind_rows(TensorBase like, const Py_ssize_t *shape, int code):
    """A new (batch, head, row, column) whose memory is in the order (batch, row, head, column).

    So that joining the heads again, which is what becomes of nearly every result, copies nothing.
    """
    cdef Py_ssize_t[4] sizes = [shape[0], shape[2], shape[1], shape[3]]
    cdef Py_ssize_t[4] strides
    cdef TensorBase t = new_on(like, 4, sizes, code)
    strides[0], strides[1], strides[2], strides[3] = t.strides[0], t.strides[2], t.strides[1], t.strides[3]
    set_dims(t, 4, shape, strides)
    return t


cdef int describe_attention(Attention *a, TensorBase q, TensorBase k, TensorBase v, TensorBase mask) except -1:
    """Fill in all but the results.  The tensors must stay alive as long as it is used."""
    a.code = q.code
    a.item = mt_itemsize[q.code]
    a.batches, a.heads, a.queries, a.width = q.shape[0], q.shape[1], q.shape[2], q.shape[3]
    a.keys, a.value_width = k.shape[2], v.shape[3]
    a.groups = a.heads // k.shape[1]
    a.block = min(max(SCORES_AT_ONCE // a.keys, LEAST_QUERIES), MOST_QUERIES)
    fill_heads(&a.q, q)
    fill_heads(&a.k, k)
    fill_heads(&a.v, v)
    a.mask = NULL
    if mask is not None:
        a.mask, a.mask_bool = data_of(mask), mask.code == MT_BOOL
        a.mask_strides[0], a.mask_strides[1] = mask.strides[0], mask.strides[1]
        a.mask_strides[2], a.mask_strides[3] = mask.strides[2], mask.strides[3]
    a.softmax, a.softmax_grad = softmax_rows(a.code), softmax_rows_grad(a.code)
    a.failed = False
    return 0


cdef int check_memory(Attention *a) except -1:
    if a.failed:
        raise MemoryError(f"attention: no memory for the scores of {a.block} queries and {a.keys} keys")
    return 0


def attention(TensorBase query not None, TensorBase key not None, TensorBase value not None, TensorBase mask,
              bint causal, double scale):
    """softmax(scale Q Kᵀ + mask) V of (batch, head, row, column); the mask may be bool, and gets no gradient.

    >>> import minitorch
    >>> q = minitorch.ones(1, 1, 2, 4)
    >>> minitorch._ext.attention.attention(q, q, q, None, True, 0.5).shape
    torch.Size([1, 1, 2, 4])
    """
    cdef Py_ssize_t[4] shape
    cdef TensorBase out, lse = None
    cdef AttentionBackward node
    cdef int code
    check_operands(query, key, value)
    check_devices("attention", query, (key, value) if mask is None else (key, value, mask))
    code = mt_compute[query.code]
    if mask is not None:
        shape[0], shape[1], shape[2], shape[3] = query.shape[0], query.shape[1], query.shape[2], key.shape[2]
        mask = expand_to(mask if mask.code == MT_BOOL else converted(mask, code), 4, shape)
    shape[0], shape[1], shape[2], shape[3] = query.shape[0], query.shape[1], query.shape[2], value.shape[3]
    out = heads_behind_rows(query, shape, query.code if on_device(query) else code)
    if out.numel == 0 or key.shape[2] == 0 or query.shape[3] == 0:
        raise ValueError("attention: empty operands are for the caller")
    if on_device(query):
        lse = new_on(query, 3, shape, code)
        attend_there(out, lse, query, key, value, mask, causal, scale)
    else:
        out = converted(attend_in_blocks(out, query, key, value, mask, causal, scale), query.code)
    if recording((query, key, value)):
        node = AttentionBackward.__new__(AttentionBackward)
        node.causal, node.scale = causal, scale
        record(node, out, (query, key, value))
        node.save(0, query)
        node.save(1, key)
        node.save(2, value)
        if mask is not None:
            node.save(3, mask)
        if lse is not None:
            node.out, node.out_version, node.lse = alias(out), out.storage.version, lse
    return out


cdef TensorBase attend_in_blocks(TensorBase out, TensorBase query, TensorBase key, TensorBase value, TensorBase mask,
                                 bint causal, double scale):
    """Fill `out`, which is of the type that is computed in, and return it."""
    cdef Attention a
    cdef TensorBase q = rows_adjacent(query, out.code), k = rows_adjacent(key, out.code)
    cdef TensorBase v = rows_adjacent(value, out.code)
    describe_attention(&a, q, k, v, mask)
    a.causal, a.scale = causal, scale
    fill_heads(&a.out, out)
    with nogil:
        parallel_for(a.batches * a.heads * ((a.queries + a.block - 1) // a.block), 1, forward_blocks, &a)
    check_memory(&a)
    return out


cdef int attend_there(TensorBase out, TensorBase lse, TensorBase query, TensorBase key, TensorBase value,
                      TensorBase mask, bint causal, double scale) except -1:
    """Fill `out`, and `lse` with the logarithm of each row's sum of exponentials."""
    primitives().attention(shown(out), shown(lse), shown(rows_adjacent(query, query.code)),
                           shown(rows_adjacent(key, key.code)), shown(rows_adjacent(value, value.code)),
                           None if mask is None else shown(mask), causal, scale)
    return 0


cdef int check_operands(TensorBase q, TensorBase k, TensorBase v) except -1:
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4 or mt_category[q.code] != 2 or q.code != k.code or q.code != v.code:
        raise RuntimeError("attention: expected three (batch, head, row, column) of one floating-point type, got "
                           f"{describe(q)}, {describe(k)} and {describe(v)}")
    if (q.shape[0] != k.shape[0] or q.shape[0] != v.shape[0] or q.shape[3] != k.shape[3] or k.shape[2] != v.shape[2]
            or k.shape[1] != v.shape[1] or (k.shape[1] and q.shape[1] % k.shape[1])):
        raise RuntimeError(f"attention: the shapes of query, key and value do not fit: {describe(q)}, {describe(k)} "
                           f"and {describe(v)}")
    return 0


@cython.final
cdef class AttentionBackward(Node):
    """O = P V with P = softmax(S), S = s Q Kᵀ + M:
    dV = Pᵀ dO,  dP = dO Vᵀ,  dS = P (dP - sum P dP),  dQ = s dS K,  dK = s dSᵀ Q."""
    cdef bint causal
    cdef double scale
    cdef TensorBase out, lse                                # of a device
    cdef unsigned long long out_version

    cdef str op_name(self):
        return "ScaledDotProductAttentionBackward0"

    cdef object apply(self, TensorBase g):
        if grad_enabled():
            return self.by_operations(g)
        return self.on_the_device(g) if on_device(g) else self.in_blocks(g)

    cdef void release(self):
        self.out = self.lse = None
        Node.release(self)

    cdef tuple on_the_device(self, TensorBase g):
        cdef TensorBase query = self.saved(0), key = self.saved(1), value = self.saved(2), mask = self.saved(3)
        cdef TensorBase q = rows_adjacent(query, query.code), k = rows_adjacent(key, key.code)
        cdef TensorBase v = rows_adjacent(value, value.code), out = self.out, delta, dx
        if out.storage.version != self.out_version:         # it was changed since
            out = new_as(out, out.code)
            attend_there(out, self.lse, q, k, v, mask, self.causal, self.scale)
        delta = sum_of(op_mul(converted(g, self.lse.code), converted(out, self.lse.code)), 8, False)
        delta, g = contiguous_data(delta), rows_adjacent(g, g.code)
        gradients = []
        for of, x in (("query", q), ("key", k), ("value", v)):
            dx = gradient_like(x)
            primitives().attention_gradient(of, shown(dx), shown(self.lse), shown(delta), shown(q), shown(k), shown(v),
                                            shown(g), None if mask is None else shown(mask), self.causal, self.scale)
            gradients.append(dx)
        return tuple(gradients)

    cdef tuple in_blocks(self, TensorBase g):
        cdef Attention a
        cdef TensorBase query = self.saved(0), key = self.saved(1), value = self.saved(2), mask = self.saved(3)
        cdef int code = mt_compute[query.code]
        cdef TensorBase q = rows_adjacent(query, code), k = rows_adjacent(key, code), v = rows_adjacent(value, code)
        cdef TensorBase dq, dk, dv
        dq, dk, dv = gradient_like(q), gradient_like(k), gradient_like(v)
        g = rows_adjacent(g, code)
        describe_attention(&a, q, k, v, mask)
        a.causal, a.scale = self.causal, self.scale
        fill_heads(&a.out, g)
        fill_heads(&a.dq, dq)
        fill_heads(&a.dk, dk)
        fill_heads(&a.dv, dv)
        if a.causal and a.queries < a.keys:                 # keys that no query sees
            zero_data(dk)
            zero_data(dv)
        with nogil:
            parallel_for(a.batches * (a.heads // a.groups), 1, backward_heads, &a)
        check_memory(&a)
        return converted(dq, query.code), converted(dk, query.code), converted(dv, query.code)

    cdef tuple by_operations(self, TensorBase g):
        """The same of differentiable operations, heads of queries that share keys in a dimension of their own."""
        cdef TensorBase q = self.saved(0), k = self.saved(1), v = self.saved(2), mask = self.saved(3)
        cdef TensorBase p, dp, ds, q5, k5, v5, g5, s
        q5, k5, v5, g5 = grouped(q, k), grouped(k, k), grouped(v, k), grouped(g, k)
        s = op_mul(matmul_of(q5, transpose_of(k5, 3, 4)), self.scale)
        p = softmax_of(self.masked(s, mask, k), 4)
        if mask is not None:                                # rows of -inf alone have given NaN
            p = op_where(p.isnan(), 0.0, p)
        dp = matmul_of(g5, transpose_of(v5, 3, 4))
        ds = op_mul(op_mul(p, op_sub(dp, sum_of(op_mul(dp, p), 16, True))), self.scale)
        return (reshape_to(matmul_of(ds, k5), 4, q.shape),
                reshape_to(sum_of(matmul_of(transpose_of(ds, 3, 4), q5), 4, False), 4, k.shape),
                reshape_to(sum_of(matmul_of(transpose_of(p, 3, 4), g5), 4, False), 4, v.shape))

    cdef TensorBase masked(self, TensorBase s, TensorBase mask, TensorBase k):
        """The scores with -inf where a query does not see a key."""
        if self.causal:
            s = op_where(lower_triangle(s), s, float("-inf"))
        if mask is None:
            return s
        mask = grouped(mask, k)
        return op_where(mask, s, float("-inf")) if mask.code == MT_BOOL else op_add(s, converted(mask, s.code))


cdef TensorBase lower_triangle(TensorBase scores):
    """Which key each query sees where it sees none after its own, as bools."""
    cdef Py_ssize_t[2] shape = [scores.shape[3], scores.shape[4]]
    cdef TensorBase visible = new_on(scores, 2, shape, MT_BOOL)
    fill_data(visible, scalar_value(True, mt_compute[MT_BOOL]))
    return tril(visible)


cdef TensorBase gradient_like(TensorBase t):
    """Room for a gradient, its dimensions in the order that t's have in memory, columns adjacent."""
    cdef TensorBase like = new_as(t, t.code)
    return like if like.strides[3] == 1 and like.strides[2] >= like.shape[3] else new_on(t, 4, t.shape, t.code)


cdef TensorBase grouped(TensorBase t, TensorBase k):
    """(batch, head, row, column) as (batch, head of keys, heads that share it, row, column)."""
    cdef Py_ssize_t[5] shape = [t.shape[0], k.shape[1], t.shape[1] // k.shape[1], t.shape[2], t.shape[3]]
    return reshape_to(t, 5, shape)
