"""LAPACK's routines over batches of matrices: the primitives of `minitorch.linalg`.

They are named as LAPACK names them, record nothing, and check no more than keeps memory safe: what the user is told
of wrong arguments is the business of `minitorch.linalg`.  Every matrix that LAPACK writes is stored by columns, as it
wants it; the tensors returned are views of those, transposed.  `info`, an int32 for each matrix, is LAPACK's: 0 for
success, positive for a matrix that is singular or the like.

The library is OpenBLAS (see `matmul`); where it is absent the twins in ``minitorch/reference/linalg.py`` do the work.
"""
from minitorch._ext.dtype cimport MT_C128, MT_C64, MT_F32, MT_F64, MT_I32
from minitorch._ext.loops cimport copy_data, zero_data
from minitorch._ext.matmul cimport library_function
from minitorch._ext.tensor cimport MAX_DIMS, TensorBase, data_of, describe, has_shape, new_tensor, new_view
from minitorch._ext.threads cimport parallel_for, task_fn, thread_count

cdef extern from "lapack.h" nogil:
    enum:
        MT_POTRF, MT_GETRF, MT_GETRS, MT_TRSM, MT_GEQRF, MT_ORGQR, MT_ORMQR, MT_SYTRF, MT_SYTRS, MT_HETRF, MT_HETRS
        MT_SYEVD, MT_GESDD, MT_GEEV, MT_GELS, MT_GELSY, MT_GELSD, MT_GELSS, MT_ROUTINES
    ctypedef struct mt_lapack:
        int routine, kind
        void *call
        char[3] option
        int m, n, k, lda, ldb, ldc
        char *a
        char *b
        char *c
        char *d
        Py_ssize_t a_step, b_step, c_step, d_step
        int *pivots
        int *info
        int *rank
        Py_ssize_t pivots_step
        double rcond
        Py_ssize_t pieces, width
    const char *lapack_name(int routine, bint is_complex)
    int lapack_itemsize(int kind)
    void lapack_units(void *call, Py_ssize_t begin, Py_ssize_t end)

cdef enum:
    WORTH_A_THREAD = 100000      # operations below which a second thread does not pay

cdef void *routines[32][4]                    # found so far


# --- calling the library --------------------------------------------------------------------------------------------

cdef void *routine_of(int routine, int kind) except NULL:
    """The library's function for a type."""
    cdef void *call = routines[routine][kind]
    if call == NULL:
        name = b"scipy_" + (<bytes>lapack_name(routine, kind > 1)).replace(b".", b"sdcz"[kind:kind + 1])
        call = library_function(name)
        if call == NULL:
            raise NotImplementedError(f"OpenBLAS is not there, or has no {name.decode()}")
        routines[routine][kind] = call
    return call


def available():
    """Whether the library is there; if not, the twins of this module's functions are to be used."""
    return library_function(b"scipy_LAPACKE_dgetrf") != NULL


cdef int fail(TensorBase t, str name, str wanted) except -1:
    raise RuntimeError(f"{name}: expected {wanted}, not {describe(t)}")


cdef int kind_of(TensorBase t, str name) except -1:
    if t.code == MT_F32:
        return 0
    if t.code == MT_F64:
        return 1
    if t.code == MT_C64:
        return 2
    if t.code == MT_C128:
        return 3
    return fail(t, name, "a float32, float64, complex64 or complex128 tensor")


cdef int size_of(TensorBase t, int dim, str name) except -1:
    """A size of a matrix, as the int that LAPACK counts with."""
    if t.ndim < 2:
        fail(t, name, "a tensor of at least 2 dimensions")
    if t.shape[t.ndim + dim] > 0x7fffffff:
        fail(t, name, "matrices of fewer than 2^31 rows and columns")
    return <int>t.shape[t.ndim + dim]


cdef Py_ssize_t batch_of(TensorBase t, int lead) noexcept:
    cdef Py_ssize_t n = 1
    cdef int d
    for d in range(lead):
        n *= t.shape[d]
    return n


cdef TensorBase turned(TensorBase t):
    """A view with the last two dimensions exchanged."""
    cdef Py_ssize_t[MAX_DIMS] shape, strides
    cdef int d, n = t.ndim
    for d in range(n):
        shape[d], strides[d] = t.shape[d], t.strides[d]
    shape[n - 2], shape[n - 1] = t.shape[n - 1], t.shape[n - 2]
    strides[n - 2], strides[n - 1] = t.strides[n - 1], t.strides[n - 2]
    return new_view(t, n, shape, strides, t.offset)


cdef TensorBase batch_tensor(TensorBase like, int code, int extra, Py_ssize_t n=0, Py_ssize_t m=0):
    """A new tensor of a batch of numbers (extra 0), vectors (1) of n, or matrices (2) of n by m."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, lead = like.ndim - 2
    for d in range(lead):
        shape[d] = like.shape[d]
    shape[lead] = n
    if extra == 2:
        shape[lead + 1] = m
    return new_tensor(lead + extra, shape, code)


cdef TensorBase columns(TensorBase a):
    """A copy of the matrices by columns: a contiguous tensor of their transposes."""
    cdef TensorBase copy = batch_tensor(a, a.code, 2, a.shape[a.ndim - 1], a.shape[a.ndim - 2])
    copy_data(copy, turned(a))
    return copy


cdef TensorBase as_columns(TensorBase a):
    """The same for an operand that is only read: the tensor itself where it is stored so already."""
    cdef TensorBase t = turned(a)
    return t if t.contiguous else columns(a)


cdef int same_batch(TensorBase a, TensorBase b, str name) except -1:
    """Every operand has as many matrices, or the first but one for all."""
    if b.code != a.code:
        raise RuntimeError(f"{name}: expected one dtype, not {describe(a)} and {describe(b)}")
    if batch_of(a, a.ndim - 2) not in (1, batch_of(b, b.ndim - 2)):
        raise RuntimeError(f"{name}: expected as many matrices in both, not {describe(a)} and {describe(b)}")
    return 0


cdef TensorBase run(mt_lapack *p, int routine, TensorBase like, str name, int m, int n, int k, bint split=False):
    """Call a routine for each matrix of a batch; returns `info`.  `split`: the right-hand sides may be shared out."""
    cdef TensorBase info = batch_tensor(like, MT_I32, 0)
    cdef Py_ssize_t batch = batch_of(like, like.ndim - 2), threads = thread_count(), grain
    cdef double cost
    zero_data(info)
    p.routine, p.m, p.n, p.k = routine, m, n, k
    p.pieces, p.width = 1, k
    if batch == 0 or n == 0 or (m == 0 and routine != MT_TRSM) or (k == 0 and split):
        return info
    p.call = routine_of(routine, p.kind)
    p.info = <int *>data_of(info)
    cost = 1.0 * n * m * (k if split else min(m, n))
    if split and batch < threads and cost > WORTH_A_THREAD and k >= 2 * threads:
        p.pieces = threads
        p.width = (k + threads - 1) // threads
        p.pieces = (k + p.width - 1) // p.width
    grain = max(1, <Py_ssize_t>(WORTH_A_THREAD / max(1.0, cost / p.pieces)))
    with nogil:
        parallel_for(batch * p.pieces, grain, <task_fn>lapack_units, p)
    if p.info[0] <= -1010:
        raise MemoryError(f"{name}: no memory for LAPACK's work")
    return info


cdef int begin(mt_lapack *p, TensorBase a, str name) except -1:
    """Describe nothing yet but the type."""
    p.kind = kind_of(a, name)
    p.a = p.b = p.c = p.d = NULL
    p.a_step = p.b_step = p.c_step = p.d_step = p.pivots_step = 0
    p.lda = p.ldb = p.ldc = 1
    p.pivots = p.rank = NULL
    return 0


cdef Py_ssize_t step_of(TensorBase t, int extra, int item) noexcept:
    """Bytes from one matrix (extra 2) or vector (1) to the next; 0 if there is but one."""
    cdef Py_ssize_t size = item
    cdef int d
    if batch_of(t, t.ndim - extra) == 1:
        return 0
    for d in range(t.ndim - extra, t.ndim):
        size *= t.shape[d]
    return size


cdef void operand(mt_lapack *p, int which, TensorBase t, int extra=2) noexcept:
    """Give the routine an operand, stored as it wants it."""
    cdef Py_ssize_t step = step_of(t, extra, lapack_itemsize(p.kind))
    cdef int distance = <int>max(1, t.shape[t.ndim - 1]) if t.ndim else 1
    if which == 0:
        p.a, p.a_step, p.lda = data_of(t), step, distance
    elif which == 1:
        p.b, p.b_step, p.ldb = data_of(t), step, distance
    elif which == 2:
        p.c, p.c_step, p.ldc = data_of(t), step, distance
    else:
        p.d, p.d_step = data_of(t), step


cdef int pivots_operand(mt_lapack *p, TensorBase pivots, TensorBase like, Py_ssize_t n, str name) except -1:
    """Give the routine the pivots: n for each matrix of `like`."""
    if pivots.code != MT_I32 or not pivots.contiguous or pivots.ndim != like.ndim - 1 or \
            pivots.shape[pivots.ndim - 1] != n or not has_shape(pivots, like.ndim - 1, like.shape) and \
            batch_of(pivots, pivots.ndim - 1) != batch_of(like, like.ndim - 2):
        fail(pivots, name, f"contiguous int32 pivots, {n} for each matrix of {describe(like)}")
    p.pivots = <int *>data_of(pivots)
    p.pivots_step = step_of(pivots, 1, 1)
    return 0


cdef int pivots_in_range(TensorBase pivots, Py_ssize_t low, Py_ssize_t high, str name) except -1:
    """Refuse pivots that would have LAPACK read beside the matrix."""
    cdef int *p = <int *>data_of(pivots)
    cdef Py_ssize_t i
    for i in range(pivots.numel):
        if p[i] < low or p[i] > high or p[i] == 0:
            raise RuntimeError(f"{name}: pivots must be in the range [{max(low, 1)}, {high}] for matrices of {high} "
                               f"rows, but one is {p[i]}: did you pass the pivots as the factorisation gave them?")
    return 0


cdef void tame(TensorBase pivots, Py_ssize_t rows) noexcept:
    """Give back pivots of no exchange where NaNs had LAPACK find none."""
    cdef int *p = <int *>data_of(pivots)
    cdef Py_ssize_t i, n = pivots.shape[pivots.ndim - 1]
    for i in range(pivots.numel):
        if p[i] == 0 or p[i] > rows or p[i] < -rows:
            p[i] = <int>(i % n) + 1


# --- Cholesky, LU, LDL ----------------------------------------------------------------------------------------------

def potrf(TensorBase a not None, bint upper):
    """The Cholesky factor of positive definite matrices, and info: the order of a minor that is not positive."""
    cdef mt_lapack p
    cdef int n = size_of(a, -1, "potrf")
    if size_of(a, -2, "potrf") != n:
        fail(a, "potrf", "square matrices")
    begin(&p, a, "potrf")
    cdef TensorBase factor = columns(a)
    operand(&p, 0, factor)
    p.option[0] = c"U" if upper else c"L"
    info = run(&p, MT_POTRF, a, "potrf", n, n, 0)
    return turned(factor), info


def getrf(TensorBase a not None):
    """A = P L U with row exchanges: the compact factors, the rows (from 1) exchanged, info: the first zero pivot."""
    cdef mt_lapack p
    cdef int m = size_of(a, -2, "getrf"), n = size_of(a, -1, "getrf")
    begin(&p, a, "getrf")
    cdef TensorBase factors = columns(a), pivots = batch_tensor(a, MT_I32, 1, min(m, n))
    operand(&p, 0, factors)
    p.pivots = <int *>data_of(pivots)
    p.pivots_step = min(m, n)
    info = run(&p, MT_GETRF, a, "getrf", m, n, 0)
    tame(pivots, m)
    return turned(factors), pivots, info


cdef TensorBase solve_by(int routine, str name, TensorBase factors, TensorBase pivots, TensorBase b, char option):
    """Solve with the compact factors of square matrices."""
    cdef mt_lapack p
    cdef int n = size_of(factors, -1, name), k = size_of(b, -1, name)
    cdef TensorBase stored, result
    if size_of(factors, -2, name) != n or size_of(b, -2, name) != n:
        fail(b, name, f"right-hand sides that fit the square matrices {describe(factors)}")
    same_batch(factors, b, name)
    begin(&p, factors, name)
    pivots_operand(&p, pivots, factors, n, name)
    pivots_in_range(pivots, 1 if routine == MT_GETRS else -n, n, name)
    stored, result = as_columns(factors), columns(b)
    operand(&p, 0, stored)
    operand(&p, 1, result)
    p.option[0] = option
    run(&p, routine, b, name, n, n, k, True)
    return turned(result)


def getrs(TensorBase factors not None, TensorBase pivots not None, TensorBase b not None, str trans not None):
    """Solve A X = B by what `getrf` gave; with trans "T" or "C", the transposed or adjoint equations."""
    return solve_by(MT_GETRS, "getrs", factors, pivots, b, {"N": 78, "T": 84, "C": 67}[trans])


def sytrf(TensorBase a not None, bint hermitian):
    """A = L D L^T (or L^H) from the lower triangle, D of blocks of 1 and 2: compact factors, pivots, info."""
    cdef mt_lapack p
    cdef int n = size_of(a, -1, "sytrf")
    if size_of(a, -2, "sytrf") != n:
        fail(a, "sytrf", "square matrices")
    begin(&p, a, "sytrf")
    cdef TensorBase factors = columns(a), pivots = batch_tensor(a, MT_I32, 1, n)
    operand(&p, 0, factors)
    p.option[0] = c"L"
    p.pivots = <int *>data_of(pivots)
    p.pivots_step = n
    info = run(&p, MT_HETRF if hermitian else MT_SYTRF, a, "sytrf", n, n, 0)
    tame(pivots, n)
    return turned(factors), pivots, info


def sytrs(TensorBase factors not None, TensorBase pivots not None, TensorBase b not None, bint hermitian):
    """Solve A X = B by what `sytrf` gave."""
    return solve_by(MT_HETRS if hermitian else MT_SYTRS, "sytrs", factors, pivots, b, c"L")


def trsm(TensorBase a not None, TensorBase b not None, bint upper, bint unit):
    """Solve A X = B with a triangle of A; unit: its diagonal counts as ones.  Nothing checks for zeros there."""
    cdef mt_lapack p
    cdef int n = size_of(a, -1, "trsm"), k = size_of(b, -1, "trsm")
    if size_of(a, -2, "trsm") != n or size_of(b, -2, "trsm") != n:
        fail(b, "trsm", f"right-hand sides that fit the square matrices {describe(a)}")
    same_batch(a, b, "trsm")
    begin(&p, a, "trsm")
    # by rows, A is its own transpose by columns: no need to copy either
    cdef bint by_rows = a.contiguous
    cdef TensorBase stored = a if by_rows else as_columns(a), result = columns(b)
    operand(&p, 0, stored)
    operand(&p, 1, result)
    p.option[0] = c"U" if upper != by_rows else c"L"
    p.option[1] = c"T" if by_rows else c"N"
    p.option[2] = c"U" if unit else c"N"
    run(&p, MT_TRSM, b, "trsm", n, n, k, True)
    return turned(result)


# --- orthogonal factors ---------------------------------------------------------------------------------------------

def geqrf(TensorBase a not None):
    """A = Q R: R with the Householder vectors of Q below it, and their factors tau."""
    cdef mt_lapack p
    cdef int m = size_of(a, -2, "geqrf"), n = size_of(a, -1, "geqrf")
    begin(&p, a, "geqrf")
    cdef TensorBase factors = columns(a), tau = batch_tensor(a, a.code, 1, min(m, n))
    operand(&p, 0, factors)
    operand(&p, 1, tau, 1)
    run(&p, MT_GEQRF, a, "geqrf", m, n, 0)
    return turned(factors), tau


cdef TensorBase reflectors(mt_lapack *p, TensorBase a, TensorBase tau, int rows, str name):
    """Give the routine its Householder vectors; returns tau as it is stored."""
    cdef int k = <int>tau.shape[tau.ndim - 1] if tau.ndim else 0
    if tau.ndim != a.ndim - 1 or tau.code != a.code or k > size_of(a, -1, name) or k > rows or \
            batch_of(tau, tau.ndim - 1) != batch_of(a, a.ndim - 2):
        fail(tau, name, f"a factor for each Householder vector of {describe(a)}")
    begin(p, a, name)
    cdef TensorBase stored = tau
    if not tau.contiguous:
        stored = new_tensor(tau.ndim, tau.shape, tau.code)
        copy_data(stored, tau)
    p.k = k
    return stored


def orgqr(TensorBase a not None, TensorBase tau not None):
    """The product of Householder reflections, as many columns as A has."""
    cdef mt_lapack p
    cdef int m = size_of(a, -2, "orgqr"), n = size_of(a, -1, "orgqr")
    if n > m:
        fail(a, "orgqr", "matrices of no more columns than rows")
    cdef TensorBase factors = reflectors(&p, a, tau, m, "orgqr"), q = columns(a)
    operand(&p, 0, q)
    operand(&p, 1, factors, 1)
    run(&p, MT_ORGQR, a, "orgqr", m, n, p.k)
    return turned(q)


def ormqr(TensorBase a not None, TensorBase tau not None, TensorBase c not None, bint left, bint adjoint):
    """Q C, or C Q, or with the adjoint of Q, for the product Q of Householder reflections."""
    cdef mt_lapack p
    cdef int m = size_of(c, -2, "ormqr"), n = size_of(c, -1, "ormqr"), rows = size_of(a, -2, "ormqr")
    if rows != (m if left else n):
        fail(a, "ormqr", f"Householder vectors of {m if left else n} elements, for {describe(c)}")
    cdef TensorBase factors = reflectors(&p, a, tau, rows, "ormqr"), stored = as_columns(a), result = columns(c)
    same_batch(a, c, "ormqr")
    operand(&p, 0, stored)
    operand(&p, 1, factors, 1)
    operand(&p, 2, result)
    p.option[0] = c"L" if left else c"R"
    p.option[1] = c"N" if not adjoint else c"T" if p.kind < 2 else c"C"
    if p.k:
        run(&p, MT_ORMQR, c, "ormqr", m, n, p.k)
    return turned(result)


# --- eigenvalues and singular values --------------------------------------------------------------------------------

def syevd(TensorBase a not None, bint vectors, bint upper):
    """The eigenvalues, ascending, of symmetric (Hermitian) matrices, of which a triangle is read; vectors; info."""
    cdef mt_lapack p
    cdef int n = size_of(a, -1, "syevd")
    if size_of(a, -2, "syevd") != n:
        fail(a, "syevd", "square matrices")
    begin(&p, a, "syevd")
    cdef TensorBase v = columns(a), w = batch_tensor(a, MT_F64 if p.kind & 1 else MT_F32, 1, n)
    operand(&p, 0, v)
    operand(&p, 1, w, 1)
    p.b_step = n * lapack_itemsize(p.kind & 1) if p.b_step else 0
    p.option[0] = c"V" if vectors else c"N"
    p.option[1] = c"U" if upper else c"L"
    info = run(&p, MT_SYEVD, a, "syevd", n, n, 0)
    return w, turned(v) if vectors else None, info


def gesdd(TensorBase a not None, bint vectors, bint full):
    """A = U diag(s) V^H: U (None without vectors), s descending, V^H, info."""
    cdef mt_lapack p
    cdef int m = size_of(a, -2, "gesdd"), n = size_of(a, -1, "gesdd"), r = min(m, n)
    begin(&p, a, "gesdd")
    cdef TensorBase work = columns(a), s = batch_tensor(a, MT_F64 if p.kind & 1 else MT_F32, 1, r), u = None, vh = None
    operand(&p, 0, work)
    operand(&p, 1, s, 1)
    p.b_step = r * lapack_itemsize(p.kind & 1) if p.b_step else 0
    if vectors:
        u = batch_tensor(a, a.code, 2, m if full else r, m)
        vh = batch_tensor(a, a.code, 2, n, n if full else r)
        operand(&p, 2, u)
        operand(&p, 3, vh)
    p.ldb, p.ldc = max(1, m), max(1, n if full else r)
    p.option[0] = c"N" if not vectors else c"A" if full else c"S"
    info = run(&p, MT_GESDD, a, "gesdd", m, n, 0)
    return turned(u) if vectors else None, s, turned(vh) if vectors else None, info


def geev(TensorBase a not None, bint vectors):
    """The eigenvalues of square matrices, in the order of LAPACK, their right eigenvectors, and info.

    Of real matrices: the eigenvalues' real parts, then the imaginary ones, in a dimension before the last; vectors of
    conjugate eigenvalues are two columns, their real and imaginary part.
    """
    cdef mt_lapack p
    cdef int n = size_of(a, -1, "geev")
    if size_of(a, -2, "geev") != n:
        fail(a, "geev", "square matrices")
    begin(&p, a, "geev")
    cdef TensorBase work = columns(a), v = None, w
    w = batch_tensor(a, a.code, 1, n) if p.kind > 1 else batch_tensor(a, a.code, 2, 2, n)
    operand(&p, 0, work)
    operand(&p, 1, w, 1 if p.kind > 1 else 2)
    if vectors:
        v = batch_tensor(a, a.code, 2, n, n)
        operand(&p, 2, v)
    p.ldc = max(1, n)
    p.option[0] = c"V" if vectors else c"N"
    info = run(&p, MT_GEEV, a, "geev", n, n, 0)
    return w, turned(v) if vectors else None, info


def gels(TensorBase a not None, TensorBase b not None, str driver not None, double rcond):
    """Least squares by gels, gelsy, gelsd or gelss.

    Gives B with the solution in its first n rows (and, by gels, residuals below), the singular values (None by gels
    and gelsy), the ranks (None by gels), and info.
    """
    cdef mt_lapack p
    cdef int m = size_of(a, -2, "gels"), n = size_of(a, -1, "gels"), k = size_of(b, -1, "gels"), r = min(m, n)
    cdef int routine = {"gels": MT_GELS, "gelsy": MT_GELSY, "gelsd": MT_GELSD, "gelss": MT_GELSS}[driver]
    if size_of(b, -2, "gels") != m:
        fail(b, "gels", f"right-hand sides that fit the matrices {describe(a)}")
    same_batch(a, b, "gels")
    if batch_of(a, a.ndim - 2) != batch_of(b, b.ndim - 2):
        fail(b, "gels", f"as many right-hand sides as matrices, {describe(a)}")
    begin(&p, a, "gels")
    cdef TensorBase work = columns(a), x = batch_tensor(b, b.code, 2, k, max(m, n)), s = None, rank = None, pivots
    cdef Py_ssize_t[MAX_DIMS] shape
    zero_data(x)
    for d in range(x.ndim):
        shape[d] = x.shape[d]
    shape[x.ndim - 1] = m
    copy_data(new_view(x, x.ndim, shape, x.strides, x.offset), turned(b))
    operand(&p, 0, work)
    operand(&p, 1, x)
    p.rcond = rcond
    if routine != MT_GELS:
        rank = batch_tensor(a, MT_I32, 0)
        zero_data(rank)
        p.rank = <int *>data_of(rank)
    if routine == MT_GELSY:
        pivots = batch_tensor(a, MT_I32, 1, n)
        zero_data(pivots)
        p.pivots, p.pivots_step = <int *>data_of(pivots), n
    elif routine != MT_GELS:
        s = batch_tensor(a, MT_F64 if p.kind & 1 else MT_F32, 1, r)
        operand(&p, 2, s, 1)
        p.c_step = r * lapack_itemsize(p.kind & 1)
    info = run(&p, routine, a, "gels", m, n, k)
    return turned(x), s, rank, info


# --- what `minitorch.linalg` needs beside ---------------------------------------------------------------------------

def first_failure(TensorBase info not None):
    """The place (counted through the batch) of the first info that is not 0, and the info; None if all are."""
    cdef Py_ssize_t i
    cdef int *p
    if info.code != MT_I32 or not info.contiguous:
        fail(info, "first_failure", "LAPACK's info")
    p = <int *>data_of(info)
    for i in range(info.numel):
        if p[i]:
            return i, p[i]
    return None
