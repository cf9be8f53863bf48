"""Products of matrices and vectors.

All of them are one operation, ``init + alpha a b`` with batch dimensions broadcast: `product` computes it and
`MatmulBackward` differentiates it.  Who multiplies, and on how many threads, is decided in ``include/gemm.h``.
"""
import os
from libc.math cimport NAN
from libc.string cimport memset
from minitorch._ext.dtype cimport MT_BF16, MT_BOOL, MT_F16, MT_F32, dtype_of, mt_category
from minitorch._ext.loops cimport DEVICE_DIMS, contiguous_data, converted, copy_data, may_overlap
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_devices, check_inplace, data_of, describe, grad_enabled, has_shape,
    new_on, on_device, record, record2, recording, recording2, requires_grad, same_shape, set_contiguous_dims,
    set_grad, shape_of, shown,
)
from minitorch._ext.pointwise cimport conj_of
from minitorch._ext.storage cimport primitives
from minitorch._ext.threads cimport parallel_for, task_fn, thread_count
from minitorch._ext.views cimport reshape_to, select_of, transpose_of, unsqueeze_of

cdef extern from "gemm.h" nogil:
    const int MT_HAVE_BLAS
    const char *MT_BLAS_FILE
    ctypedef struct mt_gemm:
        int code
        bint accumulate
        Py_ssize_t m, n, k
        double alpha
        const char *a
        const char *b
        const char *init
        char *c
        Py_ssize_t a_rs, a_cs, b_rs, b_cs, init_rs, init_cs, c_rs, c_step
        int batch_ndim
        Py_ssize_t[MAX_DIMS] batch_shape, a_batch, b_batch, init_batch
        Py_ssize_t units, grain
    void gemm_plan(mt_gemm *g, int threads)
    void gemm_units(void *g, Py_ssize_t begin, Py_ssize_t end)
    bint gemm_is_wide(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, Py_ssize_t a_rs, Py_ssize_t a_cs)
    void gemm_serial(int code, bint wide, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                     const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs,
                     const void *b, Py_ssize_t b_rs, Py_ssize_t b_cs, bint accumulate, void *c, Py_ssize_t c_rs)
    bint gemm_wants_copy(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k,
                         Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t rs, Py_ssize_t cs)
    const Py_ssize_t WIDE_COLS
    bint wide_ready()
    void wide_pack_all(Py_ssize_t n, Py_ssize_t k, const float *b, Py_ssize_t b_rs, Py_ssize_t b_cs, float *out)
    void wide_gemm_packed(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float *a,
                          Py_ssize_t a_rs, Py_ssize_t a_cs, const float *packed, bint accumulate,
                          float *c, Py_ssize_t c_rs)
    void blas_set_path(const char *path)
    void blas_switch(bint on)
    bint blas_ready()
    void *blas_function(const char *name)
    const char *blas_config()
    const char *blas_core()
    const char *blas_problem()


# --- on memory ------------------------------------------------------------------------------------------------------

cdef inline void run(mt_gemm *g) noexcept nogil:
    gemm_plan(g, thread_count())
    parallel_for(g.units, g.grain, <task_fn>gemm_units, g)


cdef void gemm(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
               const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs, const void *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
               bint accumulate, void *c, Py_ssize_t c_rs) noexcept nogil:
    """C = alpha A B, or C += alpha A B, on all threads."""
    cdef mt_gemm g
    g.code, g.m, g.n, g.k, g.alpha = code, m, n, k, alpha
    g.a, g.a_rs, g.a_cs = <const char *>a, a_rs, a_cs
    g.b, g.b_rs, g.b_cs = <const char *>b, b_rs, b_cs
    g.c, g.c_rs, g.c_step = <char *>c, c_rs, 0
    g.init = NULL
    g.accumulate = accumulate
    g.batch_ndim = 0
    run(&g)


cdef void gemm_on_this_thread(int code, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                              const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs,
                              const void *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
                              bint accumulate, void *c, Py_ssize_t c_rs) noexcept nogil:
    """The same for one thread, for use inside a task of the pool; k must not be zero."""
    gemm_serial(code, gemm_is_wide(code, m, n, k, a_rs, a_cs), m, n, k, alpha, a, a_rs, a_cs, b, b_rs, b_cs,
                accumulate, c, c_rs)


cdef Py_ssize_t packed_size(int code, Py_ssize_t n, Py_ssize_t k) noexcept nogil:
    """How many numbers a right factor of k rows and n columns takes when packed; 0 if that does not pay."""
    return (n + WIDE_COLS - 1) // WIDE_COLS * WIDE_COLS * k if code == MT_F32 and n >= 16 and wide_ready() else 0


cdef void pack_factor(Py_ssize_t n, Py_ssize_t k, const float *b, Py_ssize_t b_rs, Py_ssize_t b_cs,
                      float *packed) noexcept nogil:
    wide_pack_all(n, k, b, b_rs, b_cs, packed)


cdef void packed_gemm_on_this_thread(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const float *a,
                                     Py_ssize_t a_rs, Py_ssize_t a_cs, const float *packed, bint accumulate,
                                     float *c, Py_ssize_t c_rs) noexcept nogil:
    """C = alpha A B, or C += alpha A B, of floats with B packed by `pack_factor`."""
    wide_gemm_packed(m, n, k, <float>alpha, a, a_rs, a_cs, packed, accumulate, c, c_rs)


# --- on tensors, not recorded ---------------------------------------------------------------------------------------

cdef int common_code(TensorBase a, TensorBase b, str name) except -1:
    """The one dtype of both operands."""
    if a.code != b.code:
        raise RuntimeError(f"{name}: both operands must have the same dtype, but they are {describe(a)} and "
                           f"{describe(b)}. Convert one of them, with .to(dtype)")
    if a.code == MT_BOOL:
        raise NotImplementedError(f"{name}: there is no product of bool tensors, {describe(a)} and {describe(b)}. "
                                  "Convert them to an integer or floating-point dtype")
    return a.code


cdef int fill_factors(mt_gemm *g, TensorBase a, TensorBase b, bint transposed, str name) except -1:
    """Describe the matrices: sizes, strides.  A vector is one row (a) or one column (b)."""
    cdef Py_ssize_t depth
    cdef int na = a.ndim, nb = b.ndim
    if na == 0 or nb == 0:
        raise RuntimeError(f"{name}: both operands need at least one dimension, but they are {describe(a)} and "
                           f"{describe(b)}. Multiply by a 0-d tensor with *")
    g.m = a.shape[na - 2] if na > 1 else 1
    g.k = a.shape[na - 1]
    g.a_rs = a.strides[na - 2] if na > 1 else g.k
    g.a_cs = a.strides[na - 1]
    if nb == 1:
        depth, g.n = b.shape[0], 1
        g.b_rs, g.b_cs = b.strides[0], 1
    elif transposed:
        depth, g.n = b.shape[nb - 1], b.shape[nb - 2]
        g.b_rs, g.b_cs = b.strides[nb - 1], b.strides[nb - 2]
    else:
        depth, g.n = b.shape[nb - 2], b.shape[nb - 1]
        g.b_rs, g.b_cs = b.strides[nb - 2], b.strides[nb - 1]
    if depth != g.k:
        which = "last" if transposed or nb == 1 else "next to last"
        raise RuntimeError(f"{name}: inner dimensions {g.k} and {depth} differ: {describe(a)} and {describe(b)}. "
                           f"The last dimension of the first operand must equal the {which} of the second")
    return 0


cdef int fill_batch(mt_gemm *g, TensorBase a, TensorBase b, str name) except -1:
    """Broadcast the dimensions before the matrices."""
    cdef int da = a.ndim - 2, db = b.ndim - 2, d, ia, ib
    cdef Py_ssize_t sa, sb
    g.batch_ndim = max(da, db, 0)
    for d in range(g.batch_ndim):
        ia, ib = d - g.batch_ndim + da, d - g.batch_ndim + db
        sa = a.shape[ia] if ia >= 0 else 1
        sb = b.shape[ib] if ib >= 0 else 1
        if sa != sb and sa != 1 and sb != 1:
            raise RuntimeError(f"{name}: batch dimensions {sa} and {sb} do not broadcast: {describe(a)} and "
                               f"{describe(b)}. They must be equal, or one of them 1")
        g.batch_shape[d] = sb if sa == 1 else sa
        g.a_batch[d] = a.strides[ia] if sa != 1 else 0
        g.b_batch[d] = b.strides[ib] if sb != 1 else 0
    return 0


cdef int fill_init(mt_gemm *g, TensorBase init, int ndim, const Py_ssize_t *shape, bint rows, bint columns,
                   str name) except -1:
    """Broadcast what the product is added to.  The result has a row and a column dimension, or lacks either."""
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int d, lead = ndim - init.ndim
    for d in range(ndim):
        strides[d] = 0
    for d in range(init.ndim):
        if lead + d < 0 or (init.shape[d] != 1 and init.shape[d] != shape[lead + d]):
            raise RuntimeError(f"{name}: the input, {describe(init)}, cannot be expanded to the shape of the product, "
                               f"{tuple([shape[i] for i in range(ndim)])}")
        if init.shape[d] != 1:
            strides[lead + d] = init.strides[d]
    for d in range(g.batch_ndim):
        g.init_batch[d] = strides[d]
    g.init_rs = strides[g.batch_ndim] if rows else 0
    g.init_cs = strides[ndim - 1] if columns else 0
    g.init = data_of(init)
    return 0


cdef bint should_copy(mt_gemm *g, TensorBase t, Py_ssize_t rows, Py_ssize_t cols,
                      Py_ssize_t rs, Py_ssize_t cs) noexcept:
    """Whether a contiguous copy of an operand pays; never of one that repeats its matrices."""
    cdef int d
    if not gemm_wants_copy(t.code, g.m, g.n, g.k, rows, cols, rs, cs):
        return False
    for d in range(t.ndim - 2):
        if t.strides[d] == 0 and t.shape[d] > 1:
            return False
    return True


cdef struct DeviceProduct:          # `Product` of minitorch/cuda/kernels/matmul.cu, byte for byte; strides in elements
    int m, n, k, batch_ndim
    unsigned int[DEVICE_DIMS] batch_shape
    long long a_rs, a_cs, b_rs, b_cs, init_rs, init_cs, c_step
    long long[3][DEVICE_DIMS] batch                         # of a, b and init


cdef int product_there(mt_gemm *g, TensorBase result, TensorBase a, TensorBase b, TensorBase init) except -1:
    """Let the device compute a product."""
    cdef DeviceProduct p
    cdef int d
    if g.batch_ndim > DEVICE_DIMS or result.numel >= <Py_ssize_t>1 << 31 or g.k >= <Py_ssize_t>1 << 31:
        raise NotImplementedError(f"a product on cuda has at most {DEVICE_DIMS} batch dimensions and 2**31 elements: "
                                  f"{describe(a)} and {describe(b)}")
    memset(&p, 0, sizeof(p))
    p.m, p.n, p.k, p.batch_ndim = g.m, g.n, g.k, g.batch_ndim
    p.a_rs, p.a_cs, p.b_rs, p.b_cs, p.c_step = g.a_rs, g.a_cs, g.b_rs, g.b_cs, g.m * g.n
    if init is not None:
        p.init_rs, p.init_cs = g.init_rs, g.init_cs
    for d in range(g.batch_ndim):
        p.batch_shape[d] = g.batch_shape[d]
        p.batch[0][d], p.batch[1][d] = g.a_batch[d], g.b_batch[d]
        p.batch[2][d] = g.init_batch[d] if init is not None else 0
    primitives().matmul(shown(result), shown(a), shown(b), shown(init),
                        (<char *>&p)[:sizeof(p)], g.alpha)
    return 0


cdef TensorBase product(TensorBase a, TensorBase b, bint transposed, TensorBase init, double alpha, str name,
                        TensorBase out):
    """init + alpha a b, with bᵀ for b if `transposed`; init and out may be None.  alpha is 1 for integers."""
    cdef mt_gemm g
    cdef Py_ssize_t[MAX_DIMS + 2] shape
    cdef TensorBase result
    cdef int code = common_code(a, b, name), d
    if init is not None and init.code != code:
        raise RuntimeError(f"{name}: the input, {describe(init)}, must have the dtype of the operands, "
                           f"{describe(a)} and {describe(b)}. Convert it, with .to(dtype)")
    if on_device(a) != on_device(b) or (init is not None and on_device(init) != on_device(a)):
        check_devices(name, a, (b, init))
    fill_factors(&g, a, b, transposed, name)
    if (code == MT_F16 or code == MT_BF16) and not on_device(a):                       # sums in float32, rounded once
        result = product(converted(a, MT_F32), converted(b, MT_F32), transposed,
                         None if init is None else converted(init, MT_F32), alpha, name, None)
        return deliver(converted(result, code), out, name)
    if g.m * g.n * g.k > 32768 and not on_device(a):
        if should_copy(&g, a, g.m, g.k, g.a_rs, g.a_cs):
            return product(contiguous_data(a), b, transposed, init, alpha, name, out)
        if should_copy(&g, b, g.k, g.n, g.b_rs, g.b_cs):
            return product(a, contiguous_data(b), transposed, init, alpha, name, out)
    fill_batch(&g, a, b, name)
    cdef int ndim = g.batch_ndim
    for d in range(g.batch_ndim):
        shape[d] = g.batch_shape[d]
    if a.ndim > 1:
        shape[ndim] = g.m
        ndim += 1
    if b.ndim > 1:
        shape[ndim] = g.n
        ndim += 1
    g.init = NULL
    if init is not None:
        fill_init(&g, init, ndim, shape, a.ndim > 1, b.ndim > 1, name)
    if out is not None and writable(out, a, b, init, ndim, shape):
        check_inplace(out, name)
        bump(out)
        result = out
    else:
        result = new_on(a, ndim, shape, code)
    g.code, g.alpha, g.accumulate = code, alpha, False
    if on_device(a):
        if result.numel:
            product_there(&g, result, a, b, init)
        return result if out is None or result is out else deliver(result, out, name)
    g.a, g.b, g.c = data_of(a), data_of(b), data_of(result)
    g.c_rs = g.n
    g.c_step = g.m * g.n
    if result.numel * g.k < 32768:                              # shorter than handing the GIL over
        run(&g)
    else:
        with nogil:
            run(&g)
    return result if out is None or result is out else deliver(result, out, name)


# --- out= and scalars -----------------------------------------------------------------------------------------------

cdef bint writable(TensorBase out, TensorBase a, TensorBase b, TensorBase init, int ndim, const Py_ssize_t *shape):
    """Whether the product can be computed right in `out`, which its operands then must not share."""
    return (out.code == a.code and out.contiguous and has_shape(out, ndim, shape) and on_device(out) == on_device(a)
            and out.storage is not a.storage and out.storage is not b.storage
            and (init is None or out.storage is not init.storage)
            and not may_overlap(out, a) and not may_overlap(out, b) and (init is None or not may_overlap(out, init)))


cdef TensorBase deliver(TensorBase result, TensorBase out, str name):
    """Copy the result into `out`; an empty one takes the result over."""
    if out is None:
        return result
    if out.code != result.code:
        raise RuntimeError(f"{name}: out is {describe(out)}, but the result is {describe(result)}. "
                           f"Give an out of dtype {dtype_of(result.code)}")
    check_inplace(out, name)
    if out.numel == 0 and not same_shape(out, result):
        out.storage = result.storage
        out.offset = 0
        set_contiguous_dims(out, result.ndim, result.shape)
    elif not same_shape(out, result):
        raise RuntimeError(f"{name}: out is {describe(out)}, but the result is {describe(result)}. "
                           "Give an out of that shape, or an empty one")
    else:
        copy_data(out, result)
    bump(out)
    return out


cdef int no_graph(TensorBase out, tuple inputs, str name) except -1:
    if out is not None and grad_enabled() and (requires_grad(out) or recording(inputs)):
        raise RuntimeError(f"{name}: out= does not support automatic differentiation, but one of the tensors requires "
                           "grad. Leave out= away, or call it under minitorch.no_grad()")
    return 0


cdef TensorBase scaled(TensorBase t, object factor, bint record_it=False):
    """t times a Python number."""
    cdef bint before
    if record_it:
        return <TensorBase?>(t * factor)
    before = set_grad(False)
    try:
        return <TensorBase?>(t * factor)
    finally:
        set_grad(before)


cdef object whole(object factor, str argument, str name):
    """The integer part of alpha or beta, in Python's arithmetic: a double cannot hold every int64."""
    if isinstance(factor, TensorBase):
        factor = factor.item()
    if not isinstance(factor, (int, float)) and not hasattr(factor, "__index__"):
        raise TypeError(f"{name}: {argument} must be a number, not {type(factor).__name__}")
    return int(factor)


cdef double scale_of(object factor, TensorBase t, str argument, str name) except? -1:
    """alpha or beta as a number that suits the dtype; of a complex one only whether it is 0 or 1 (else NaN)."""
    if isinstance(factor, TensorBase):
        factor = factor.item()
    if not isinstance(factor, (int, float, complex)) and not hasattr(factor, "__float__"):
        raise TypeError(f"{name}: {argument} must be a number, not {type(factor).__name__}")
    if mt_category[t.code] == 3 and isinstance(factor, complex):
        return 0 if factor == 0 else 1 if factor == 1 else NAN
    return float(factor)


# --- the operation and its derivative -------------------------------------------------------------------------------

cdef TensorBase mT(TensorBase t):
    return transpose_of(t, t.ndim - 2, t.ndim - 1)


cdef TensorBase rows_of(TensorBase t):
    """(..., n) as (rows, n)."""
    cdef Py_ssize_t[2] shape
    cdef int d
    shape[0], shape[1] = 1, t.shape[t.ndim - 1]
    for d in range(t.ndim - 1):
        shape[0] *= t.shape[d]
    return t if t.ndim == 2 else reshape_to(t, 2, shape)


cdef class MatmulBackward(Node):
    """C = α A B:  dA = α dC Bᵀ  and  dB = α Aᵀ dC."""
    cdef double alpha
    cdef signed char a_ndim, b_ndim
    cdef str kind

    cdef str op_name(self):
        return self.kind + "Backward0"

    cdef object apply(self, TensorBase g):
        return self.factors(g, 0)

    cdef tuple factors(self, TensorBase g, int first):
        """The gradients of A and B, which are the inputs `first` and `first` + 1."""
        cdef TensorBase a = self.saved(0), b = self.saved(1), da = None, db = None
        if mt_category[g.code] == 3:
            a, b = None if a is None else conj_of(a), None if b is None else conj_of(b)
        if self.a_ndim == 1:                                    # a vector A is one row, a vector B one column
            g = unsqueeze_of(g, g.ndim - (self.b_ndim > 1))
            a = unsqueeze_of(a, 0) if a is not None else None
        if self.b_ndim == 1:
            g = unsqueeze_of(g, g.ndim)
            b = unsqueeze_of(b, 1) if b is not None else None
        if self.needs(first):
            da = scaled_matmul(g, mT(b), self.alpha)
            if self.a_ndim == 1:
                da = select_of(da, da.ndim - 2, 0)
        if self.needs(first + 1):
            if self.b_ndim <= 2 and a.ndim > 2:                 # the sum over the batch is part of the product
                a, g = rows_of(a), rows_of(g)
            db = scaled_matmul(mT(a), g, self.alpha)
            if self.b_ndim == 1:
                db = select_of(db, db.ndim - 1, 0)
        return da, db

    cdef int keep(self, TensorBase a, TensorBase b, int first) except -1:
        """Save each factor if the other's gradient is wanted."""
        if self.needs(first + 1):
            self.save(0, a)
        if self.needs(first):
            self.save(1, b)
        return 0


cdef class AddmmBackward(MatmulBackward):
    """C = β I + α A B:  dI = β dC, and dA and dB as of a product."""
    cdef object beta

    cdef object apply(self, TensorBase g):
        cdef TensorBase di = None
        if self.needs(0):
            di = g if self.beta == 1 else scaled(
                g, self.beta.conjugate() if isinstance(self.beta, complex) else self.beta, True)
        return (di,) + self.factors(g, 1)


cdef tuple meta_of(TensorBase t):
    return shape_of(t), t.code


cdef void describe_product(MatmulBackward node, TensorBase a, TensorBase b, double alpha, str kind) noexcept:
    node.alpha, node.a_ndim, node.b_ndim, node.kind = alpha, a.ndim, b.ndim, kind


cdef bint batch_differs(TensorBase a, TensorBase b) noexcept:
    """Whether one of the operands is repeated for the other's batch."""
    cdef int d
    if a.ndim <= 2 and b.ndim <= 2:
        return False
    if a.ndim != b.ndim:
        return True
    for d in range(a.ndim - 2):
        if a.shape[d] != b.shape[d]:
            return True
    return False


cdef TensorBase multiply(TensorBase a, TensorBase b, double alpha, str name, str kind, TensorBase out):
    """alpha a b, recorded."""
    cdef MatmulBackward node
    cdef TensorBase result
    if out is not None:
        no_graph(out, (a, b), name)
    result = product(a, b, False, None, alpha, name, out)
    if recording2(a, b):
        node = MatmulBackward.__new__(MatmulBackward)
        describe_product(node, a, b, alpha, kind)
        if batch_differs(a, b):
            node.input_meta = meta_of(a), meta_of(b)
        record2(node, result, a, b)
        node.keep(a, b, 0)
    return result


cdef TensorBase scaled_matmul(TensorBase a, TensorBase b, double alpha):
    return multiply(a, b, alpha, "matmul", "Mm" if a.ndim <= 2 and b.ndim <= 2 else "Bmm", None)


cdef TensorBase matmul_of(TensorBase a, TensorBase b):
    """The matrix product, recorded."""
    if a.ndim == 2 and b.ndim == 2:
        return multiply(a, b, 1, "matmul", "Mm", None)
    return multiply(a, b, 1, "matmul", kind_of(a, b), None)


cdef str kind_of(TensorBase a, TensorBase b):
    """What PyTorch calls the derivative of this product."""
    if a.ndim == 1 and b.ndim == 1:
        return "Dot"
    if a.ndim <= 2 and b.ndim <= 2:
        return "Mm" if a.ndim == b.ndim else "Mv"
    return "Bmm"


cdef TensorBase add_product(TensorBase init, TensorBase a, TensorBase b, object beta, object alpha, str name, str kind,
                            TensorBase out):
    """beta init + alpha a b, recorded."""
    cdef AddmmBackward node
    cdef TensorBase result, start = init, left = a
    if mt_category[a.code] < 2:                              # integers are scaled by the integer part
        alpha, beta = whole(alpha, "alpha", name), whole(beta, "beta", name)
    cdef double factor = scale_of(alpha, a, "alpha", name)
    cdef double start_factor = scale_of(beta, a, "beta", name)
    no_graph(out, (init, a, b), name)
    if start_factor == 0:                                       # as in BLAS: not even its NaN counts
        start = None
    elif start_factor != 1:
        start = scaled(init, beta)
    if mt_category[a.code] != 2 and factor != 1:                # in its own arithmetic, since a double is not enough
        left, factor = scaled(a, alpha, True), 1
        a = left
    result = product(left, b, False, start, factor, name, out)
    if recording((init, a, b)):
        node = AddmmBackward.__new__(AddmmBackward)
        describe_product(node, a, b, factor, kind)
        node.beta = beta
        node.input_meta = (None if same_shape(init, result) else meta_of(init), None, None)
        record(node, result, (init, a, b))
        node.keep(a, b, 1)
    return result


# --- linear ---------------------------------------------------------------------------------------------------------

cdef class LinearBackward(Node):
    """Y = X Wᵀ + b:  dX = dY W,  dW = dYᵀ X,  db = the sum of the rows of dY (which the tape forms)."""

    cdef object apply(self, TensorBase g):
        cdef TensorBase x = self.saved(0), weight = self.saved(1), dx = None, dw = None
        if mt_category[g.code] == 3:
            x, weight = None if x is None else conj_of(x), None if weight is None else conj_of(weight)
        if self.needs(0):
            dx = matmul_of(g, weight)
        if self.needs(1):
            if x.ndim == 1:
                dw = matmul_of(unsqueeze_of(g, 1), unsqueeze_of(x, 0))
            else:
                dw = matmul_of(mT(rows_of(g)), rows_of(x))
        return dx, dw, g if self.needs(2) else None


cdef TensorBase linear_of(TensorBase x, TensorBase weight, TensorBase bias):
    """x weightᵀ + bias, recorded."""
    cdef LinearBackward node
    cdef TensorBase result
    if weight.ndim != 2:
        if weight.ndim == 1 and (bias is None or bias.ndim == 0):   # one output without a dimension of its own
            return matmul_of(x, weight) if bias is None else <TensorBase?>(matmul_of(x, weight) + bias)
        raise RuntimeError(f"linear: the weight must be a matrix (out_features, in_features), not {describe(weight)}")
    if x.ndim == 0 or x.shape[x.ndim - 1] != weight.shape[1]:
        raise RuntimeError(f"linear: the last dimension of the input, {describe(x)}, must be the weight's in_features, "
                           f"{weight.shape[1]}: the weight is {describe(weight)}")
    result = product(x, weight, True, bias, 1, "linear", None)
    if recording((x, weight, bias)):
        node = LinearBackward.__new__(LinearBackward)
        if bias is not None and not same_shape(bias, result):
            node.input_meta = None, None, meta_of(bias)
        record(node, result, (x, weight, bias))
        if node.needs(1):
            node.save(0, x)
        if node.needs(0):
            node.save(1, weight)
    return result


# --- the public functions -------------------------------------------------------------------------------------------

cdef int expect(TensorBase t, int ndim, str argument, str name) except -1:
    if t.ndim != ndim:
        kind = ("a vector (1-d)", "a matrix (2-d)", "a batch of matrices (3-d)")[ndim - 1]
        raise RuntimeError(f"{name}: {argument} must be {kind}, but it is {describe(t)}. "
                           "matmul takes any number of dimensions")
    return 0


cdef int expect_batch(TensorBase a, TensorBase b, str name) except -1:
    expect(a, 3, "the first operand", name)
    expect(b, 3, "the second operand", name)
    if a.shape[0] != b.shape[0]:
        raise RuntimeError(f"{name}: batch sizes {a.shape[0]} and {b.shape[0]} differ: {describe(a)} and "
                           f"{describe(b)}. matmul broadcasts them")
    return 0


def matmul(TensorBase input not None, TensorBase other not None, *, TensorBase out=None):
    r"""The matrix product of two tensors, with broadcasting; the same as ``input @ other``.

    .. math:: C_{\ldots ij} = \sum_p A_{\ldots ip} B_{\ldots pj}

    Args:
        input, other: of one dtype. A vector counts as a row on the left and as a column on the right, and the result
            lacks that dimension.
        out: a tensor for the result.

    Shape:
        ``(..., n, k)`` and ``(..., k, m)`` give ``(..., n, m)``, the leading dimensions broadcast.

    Raises:
        RuntimeError: if the inner dimensions or the dtypes differ, or the batches do not broadcast.

    >>> import minitorch
    >>> a = minitorch.tensor([[1., 2.], [3., 4.]])
    >>> minitorch.matmul(a, minitorch.tensor([1., 10.]))
    tensor([21., 43.])
    """
    return multiply(input, other, 1, "matmul", kind_of(input, other), out)


def mm(TensorBase input not None, TensorBase mat2 not None, *, TensorBase out=None):
    r"""The product of two matrices, without broadcasting.

    Shape:
        ``(n, k)`` and ``(k, m)`` give ``(n, m)``.

    Raises:
        RuntimeError: if either is not a matrix, or the inner dimensions or the dtypes differ.

    >>> import minitorch
    >>> minitorch.mm(minitorch.eye(2), minitorch.tensor([[1., 2.], [3., 4.]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    expect(input, 2, "the first operand", "mm")
    expect(mat2, 2, "the second operand", "mm")
    return multiply(input, mat2, 1, "mm", "Mm", out)


def bmm(TensorBase input not None, TensorBase mat2 not None, *, TensorBase out=None):
    r"""The products of two batches of matrices, one by one, without broadcasting.

    Shape:
        ``(b, n, k)`` and ``(b, k, m)`` give ``(b, n, m)``.

    Raises:
        RuntimeError: if either is not a batch of matrices, or sizes or dtypes differ.

    >>> import minitorch
    >>> minitorch.bmm(minitorch.ones(2, 3, 4), minitorch.ones(2, 4, 5)).shape
    torch.Size([2, 3, 5])
    """
    expect_batch(input, mat2, "bmm")
    return multiply(input, mat2, 1, "bmm", "Bmm", out)


def mv(TensorBase input not None, TensorBase vec not None, *, TensorBase out=None):
    r"""The product of a matrix and a vector.

    Shape:
        ``(n, k)`` and ``(k,)`` give ``(n,)``.

    Raises:
        RuntimeError: if the operands are not a matrix and a vector, or sizes or dtypes differ.

    >>> import minitorch
    >>> minitorch.mv(minitorch.tensor([[1, 2], [3, 4]]), minitorch.tensor([1, 10]))
    tensor([21, 43])
    """
    expect(input, 2, "the first operand", "mv")
    expect(vec, 1, "the second operand", "mv")
    return multiply(input, vec, 1, "mv", "Mv", out)


def dot(TensorBase input not None, TensorBase tensor not None, *, TensorBase out=None):
    r"""The inner product of two vectors, a 0-d tensor.

    .. math:: \sum_i x_i y_i

    Raises:
        RuntimeError: if either is not a vector, or sizes or dtypes differ.

    >>> import minitorch
    >>> minitorch.dot(minitorch.tensor([1., 2.]), minitorch.tensor([3., 4.]))
    tensor(11.)
    """
    expect(input, 1, "the first operand", "dot")
    expect(tensor, 1, "the second operand", "dot")
    return multiply(input, tensor, 1, "dot", "Dot", out)


def vdot(TensorBase input not None, TensorBase other not None, *, TensorBase out=None):
    """The inner product of two vectors, the first conjugated; for real ones the same as :func:`dot`.

    >>> import minitorch
    >>> minitorch.vdot(minitorch.tensor([1., 2.]), minitorch.tensor([3., 4.]))
    tensor(11.)
    """
    return dot(conj_of(input), other, out=out)


def inner(TensorBase input not None, TensorBase other not None, *, TensorBase out=None):
    r"""Inner products along the last dimensions of two tensors; with a 0-d one, the ordinary product.

    Shape:
        ``(*a, k)`` and ``(*b, k)`` give ``(*a, *b)``.

    Raises:
        RuntimeError: if the last dimensions or the dtypes differ.

    >>> import minitorch
    >>> minitorch.inner(minitorch.ones(2, 3), minitorch.ones(4, 3)).shape
    torch.Size([2, 4])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef TensorBase result
    cdef int d, ndim = input.ndim + other.ndim - 2
    no_graph(out, (input, other), "inner")
    if input.ndim == 0 or other.ndim == 0:
        return deliver(<TensorBase?>(input * other), out, "inner")
    if input.shape[input.ndim - 1] != other.shape[other.ndim - 1]:
        raise RuntimeError(f"inner: the last dimensions {input.shape[input.ndim - 1]} and "
                           f"{other.shape[other.ndim - 1]} differ: {describe(input)} and {describe(other)}")
    if ndim > MAX_DIMS:
        raise ValueError(f"inner: the result of {describe(input)} and {describe(other)} would have {ndim} dimensions, "
                         f"more than {MAX_DIMS}")
    for d in range(input.ndim - 1):
        shape[d] = input.shape[d]
    for d in range(other.ndim - 1):
        shape[input.ndim - 1 + d] = other.shape[d]
    result = multiply(rows_of(input), mT(rows_of(other)), 1, "inner", "Mm", None)
    return deliver(reshape_to(result, ndim, shape), out, "inner")


def outer(TensorBase input not None, TensorBase vec2 not None, *, TensorBase out=None):
    r"""The outer product of two vectors.

    .. math:: C_{ij} = x_i y_j

    Shape:
        ``(n,)`` and ``(m,)`` give ``(n, m)``.

    Raises:
        RuntimeError: if either is not a vector.

    >>> import minitorch
    >>> minitorch.outer(minitorch.tensor([1, 2]), minitorch.tensor([1, 10]))
    tensor([[ 1, 10],
            [ 2, 20]])
    """
    expect(input, 1, "the first operand", "outer")
    expect(vec2, 1, "the second operand", "outer")
    no_graph(out, (input, vec2), "outer")
    return deliver(<TensorBase?>(unsqueeze_of(input, 1) * unsqueeze_of(vec2, 0)), out, "outer")


def ger(TensorBase input not None, TensorBase vec2 not None, *, TensorBase out=None):
    """BLAS's name for :func:`outer`.

    >>> import minitorch
    >>> minitorch.ger(minitorch.tensor([1, 2]), minitorch.tensor([3])).shape
    torch.Size([2, 1])
    """
    return outer(input, vec2, out=out)


def addmm(TensorBase input not None, TensorBase mat1 not None, TensorBase mat2 not None, *, beta=1, alpha=1,
          TensorBase out=None):
    r"""A product of matrices added to a third, in one go.

    .. math:: \beta I + \alpha A B

    Args:
        input: what the product is added to, broadcast; not even read if ``beta`` is 0.

    Shape:
        ``mat1`` ``(n, k)`` and ``mat2`` ``(k, m)`` give ``(n, m)``.

    Raises:
        RuntimeError: if shapes do not fit or dtypes differ, or a factor of integer operands is not an integer.

    >>> import minitorch
    >>> minitorch.addmm(minitorch.tensor([1., 2.]), minitorch.eye(2), minitorch.ones(2, 2), alpha=10)
    tensor([[11., 12.],
            [11., 12.]])
    """
    expect(mat1, 2, "mat1", "addmm")
    expect(mat2, 2, "mat2", "addmm")
    return add_product(input, mat1, mat2, beta, alpha, "addmm", "Addmm", out)


def addmv(TensorBase input not None, TensorBase mat not None, TensorBase vec not None, *, beta=1, alpha=1,
          TensorBase out=None):
    r"""The product of a matrix and a vector added to a vector.

    .. math:: \beta v + \alpha A x

    Shape:
        ``mat`` ``(n, k)`` and ``vec`` ``(k,)`` give ``(n,)``; ``input`` broadcasts to it.

    Raises:
        RuntimeError: as :func:`addmm`.

    >>> import minitorch
    >>> minitorch.addmv(minitorch.tensor([1., 2.]), minitorch.eye(2), minitorch.tensor([5., 5.]), beta=0)
    tensor([5., 5.])
    """
    expect(mat, 2, "mat", "addmv")
    expect(vec, 1, "vec", "addmv")
    return add_product(input, mat, vec, beta, alpha, "addmv", "Addmv", out)


cdef object truth_added(object input, object vec1, object vec2, object beta, object alpha, object out):
    """addr of bool tensors: sums are `or`, products `and`."""
    result = vec1.unsqueeze(1) & vec2.unsqueeze(0) & bool(alpha)
    result = (input & bool(beta)) | result
    return result if out is None else out.resize_(result.shape).copy_(result)


def addr(TensorBase input not None, TensorBase vec1 not None, TensorBase vec2 not None, *, beta=1, alpha=1,
         TensorBase out=None):
    r"""The outer product of two vectors added to a matrix.

    .. math:: \beta I + \alpha x y^\top

    Shape:
        ``vec1`` ``(n,)`` and ``vec2`` ``(m,)`` give ``(n, m)``; ``input`` broadcasts to it.

    Raises:
        RuntimeError: as :func:`addmm`.

    >>> import minitorch
    >>> minitorch.addr(minitorch.zeros(2, 2), minitorch.tensor([1., 2.]), minitorch.tensor([1., 10.]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    expect(vec1, 1, "vec1", "addr")
    expect(vec2, 1, "vec2", "addr")
    if input.code == MT_BOOL and vec1.code == MT_BOOL and vec2.code == MT_BOOL:
        return truth_added(input, vec1, vec2, beta, alpha, out)
    return add_product(input, unsqueeze_of(vec1, 1), unsqueeze_of(vec2, 0), beta, alpha, "addr", "Addr", out)


def baddbmm(TensorBase input not None, TensorBase batch1 not None, TensorBase batch2 not None, *, beta=1, alpha=1,
            TensorBase out=None):
    r"""The products of two batches of matrices added to a batch.

    .. math:: \beta I_b + \alpha A_b B_b

    Shape:
        ``batch1`` ``(b, n, k)`` and ``batch2`` ``(b, k, m)`` give ``(b, n, m)``; ``input`` broadcasts to it.

    Raises:
        RuntimeError: as :func:`addmm`.

    >>> import minitorch
    >>> minitorch.baddbmm(minitorch.ones(3), minitorch.ones(2, 3, 4), minitorch.ones(2, 4, 3))[0, 0]
    tensor([5., 5., 5.])
    """
    expect_batch(batch1, batch2, "baddbmm")
    return add_product(input, batch1, batch2, beta, alpha, "baddbmm", "Baddbmm", out)


def addbmm(TensorBase input not None, TensorBase batch1 not None, TensorBase batch2 not None, *, beta=1, alpha=1,
           TensorBase out=None):
    r"""The sum of the products of two batches of matrices, added to a matrix.

    .. math:: \beta I + \alpha \sum_b A_b B_b

    Shape:
        ``batch1`` ``(b, n, k)`` and ``batch2`` ``(b, k, m)`` give ``(n, m)``; ``input`` broadcasts to it.

    Raises:
        RuntimeError: as :func:`addmm`.

    >>> import minitorch
    >>> minitorch.addbmm(minitorch.zeros(1), minitorch.ones(2, 1, 4), minitorch.ones(2, 4, 3))
    tensor([[8., 8., 8.]])
    """
    cdef Py_ssize_t[2] shape
    expect_batch(batch1, batch2, "addbmm")
    if batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(f"addbmm: inner dimensions {batch1.shape[2]} and {batch2.shape[1]} differ: "
                           f"{describe(batch1)} and {describe(batch2)}")
    # one product whose inner dimension runs over the batch as well
    shape[0], shape[1] = batch1.shape[1], batch1.shape[0] * batch1.shape[2]
    return add_product(input, reshape_to(transpose_of(batch1, 0, 1), 2, shape), rows_of(batch2),
                       beta, alpha, "addbmm", "Addbmm", out)


def linear(TensorBase input not None, TensorBase weight not None, TensorBase bias=None):
    r"""A linear map of the last dimension, and a shift: what :class:`nn.Linear` computes.

    .. math:: y = x W^\top + b

    Shape:
        ``input`` ``(*, in_features)``, ``weight`` ``(out_features, in_features)`` and ``bias`` ``(out_features,)``
        give ``(*, out_features)``. A weight ``(in_features,)`` with a 0-d bias gives ``(*,)``.

    Raises:
        RuntimeError: if sizes or dtypes differ.

    >>> import minitorch
    >>> x, w = minitorch.tensor([[1., 2.]]), minitorch.tensor([[1., 0.], [0., 1.], [1., 1.]])
    >>> minitorch.nn.functional.linear(x, w, minitorch.tensor([0., 0., 10.]))
    tensor([[ 1.,  2., 13.]])
    """
    return linear_of(input, weight, bias)


# --- OpenBLAS -------------------------------------------------------------------------------------------------------

cdef void *library_function(const char *name) noexcept:
    return blas_function(name)


def blas_info():
    """What ``minitorch doctor`` says about OpenBLAS; opens the library if nothing has yet."""
    if not blas_ready():
        return {"available": False, "problem": blas_problem().decode()}
    return {"available": True, "core": blas_core().decode(), "config": blas_config().decode()}


def _use_blas(bint on):
    """For the tests: have products computed by our own kernels, or by OpenBLAS again."""
    blas_switch(on)


blas_set_path(os.fsencode(os.path.join(os.path.dirname(os.path.dirname(__file__)), "_lib", MT_BLAS_FILE.decode())))
