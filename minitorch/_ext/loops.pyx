# cython: boundscheck=False
"""The broadcasting plan: one way of walking over a result and its operands for every pointwise kernel.

Kernels are written for contiguous data of one type only.  The plan collapses the dimensions that lie one behind the
other in all operands and cuts the rest into pieces; an operand that is strided, broadcast or of another type is
gathered into a buffer of `CHUNK` elements, which stays in the first cache, and a result likewise scattered.
"""
import numpy as np
from libc.string cimport memcpy, memset
from minitorch._ext.dtype cimport (
    MT_BOOL, MT_C128, MT_I64, dtype_of, mt_category, mt_compute, mt_itemsize,
)
from minitorch._ext.storage cimport primitives
from minitorch._ext.dtype import finfo
from minitorch._ext.tensor cimport (
    TensorBase, data_of, new_as, new_on, new_tensor, on_device, same_shape, shape_of, shown, strides_of,
)
from minitorch._ext.threads cimport parallel_for

cdef extern from "convert.h" nogil:
    const mt_convert_loop mt_convert[12][12]
    mt_scalar mt_scalar_from_double(int code, double v)
    mt_scalar mt_scalar_from_int(int code, long long v)
    mt_scalar mt_scalar_from_complex(int code, double re, double im)

cdef extern from "copy.h" nogil:
    void mt_transpose(int itemsize, char *d, Py_ssize_t dr, const char *s, Py_ssize_t sr,
                      Py_ssize_t rows, Py_ssize_t columns)
    void mt_copy_rows(char *d, Py_ssize_t ds, const char *s, Py_ssize_t ss, Py_ssize_t rows, Py_ssize_t bytes)


# --- building a plan ------------------------------------------------------------------------------------------------

cdef void plan_begin(Plan *plan, TensorBase out, int want) noexcept nogil:
    """Start a plan for the elements of out."""
    cdef int i
    plan.nop = 0
    plan.ndim = out.ndim
    plan.numel = out.numel
    plan.grain = GRAIN
    plan.number_loop[0] = plan.number_loop[1] = NULL
    for i in range(out.ndim):
        plan.shape[i] = out.shape[i]
    plan_add(plan, out, want)


cdef void plan_add(Plan *plan, TensorBase operand, int want) noexcept nogil:
    """Add an operand, broadcast to the plan's shape (which it must fit)."""
    cdef int k = plan.nop, i, lead = plan.ndim - operand.ndim
    cdef int itemsize = mt_itemsize[operand.code]
    for i in range(lead):
        plan.strides[k][i] = 0
    for i in range(operand.ndim):
        plan.strides[k][lead + i] = 0 if operand.shape[i] == 1 else operand.strides[i] * itemsize
    plan.data[k] = data_of(operand)
    plan.code[k] = operand.code
    plan.want[k] = want
    plan.nop = k + 1


cdef void plan_constant(Plan *plan, mt_scalar *value, int want) noexcept nogil:
    """Add a number, which must outlive the plan."""
    cdef int k = plan.nop, i
    for i in range(plan.ndim):
        plan.strides[k][i] = 0
    plan.data[k] = <char *>value
    plan.code[k] = want
    plan.want[k] = want
    plan.nop = k + 1


cdef inline bint outer_of(Plan *plan, int a, int b) noexcept nogil:
    """Whether dimension a should lie outside b: the first operand with different strides decides, the result before."""
    cdef int k
    cdef Py_ssize_t sa, sb
    for k in range(plan.nop):
        sa = plan.strides[k][a]
        sb = plan.strides[k][b]
        if sa != sb and (k == 0 or (sa != 0 and sb != 0)):
            return sa > sb
    return False


cdef void swap_dims(Plan *plan, int a, int b) noexcept nogil:
    cdef int k
    plan.shape[a], plan.shape[b] = plan.shape[b], plan.shape[a]
    for k in range(plan.nop):
        plan.strides[k][a], plan.strides[k][b] = plan.strides[k][b], plan.strides[k][a]


cdef void plan_simplify(Plan *plan) noexcept nogil:
    """Drop sizes of one, order dimensions by stride, and join those that are one run of memory in every operand."""
    cdef int i, j, k, n = 0
    cdef bint joins
    for i in range(plan.ndim):
        if plan.shape[i] != 1:
            if i != n:
                plan.shape[n] = plan.shape[i]
                for k in range(plan.nop):
                    plan.strides[k][n] = plan.strides[k][i]
            n += 1
    for i in range(1, n):
        j = i
        while j > 0 and outer_of(plan, j, j - 1):
            swap_dims(plan, j, j - 1)
            j -= 1
    j = 0                                                   # the last joined dimension
    for i in range(1, n):
        joins = True
        for k in range(plan.nop):
            if plan.strides[k][j] != plan.strides[k][i] * plan.shape[i]:
                joins = False
                break
        if joins:
            plan.shape[j] *= plan.shape[i]
            for k in range(plan.nop):
                plan.strides[k][j] = plan.strides[k][i]
        else:
            j += 1
            plan.shape[j] = plan.shape[i]
            for k in range(plan.nop):
                plan.strides[k][j] = plan.strides[k][i]
    plan.ndim = j + 1 if n > 0 else 0


# --- walking it -------------------------------------------------------------------------------------------------------

cdef enum Access:
    DIRECT          # contiguous in the walk's order and of the loop's type: used where it is
    CONSTANT        # one value everywhere: its buffer is filled once
    GATHER


cdef Access access_of(Plan *plan, int k) noexcept nogil:
    cdef int i
    cdef Py_ssize_t expected = mt_itemsize[plan.code[k]]
    cdef bint constant = k > 0
    for i in range(plan.ndim):
        constant = constant and plan.strides[k][i] == 0
    if constant:
        return CONSTANT
    if plan.code[k] != plan.want[k]:
        return GATHER
    for i in range(plan.ndim - 1, -1, -1):
        if plan.strides[k][i] != expected:
            return GATHER
        expected *= plan.shape[i]
    return DIRECT


cdef void move(Plan *plan, int k, Py_ssize_t position, Py_ssize_t n, char *buffer, bint store) noexcept nogil:
    """Gather n elements from a position on into a buffer, converting; or scatter them back."""
    cdef Py_ssize_t[MAX_DIMS] index
    cdef Py_ssize_t row = plan.shape[plan.ndim - 1], rest = position, length
    cdef Py_ssize_t stride = plan.strides[k][plan.ndim - 1]
    cdef int want = plan.want[k], code = plan.code[k], d
    cdef Py_ssize_t itemsize = mt_itemsize[want]
    cdef mt_convert_loop loop = mt_convert[code][want] if store else mt_convert[want][code]
    cdef char *p = plan.data[k]
    for d in range(plan.ndim - 1, -1, -1):
        index[d] = rest % plan.shape[d]
        rest //= plan.shape[d]
        p += index[d] * plan.strides[k][d]
    while True:
        length = row - index[plan.ndim - 1]
        if length > n:
            length = n
        if store:
            loop(p, stride, buffer, itemsize, length)
        else:
            loop(buffer, itemsize, p, stride, length)
        n -= length
        if n == 0:
            return
        buffer += length * itemsize
        d = plan.ndim - 1                                   # to the start of the next row
        p -= index[d] * stride
        index[d] = 0
        d -= 1
        while index[d] == plan.shape[d] - 1:
            p -= index[d] * plan.strides[k][d]
            index[d] = 0
            d -= 1
        index[d] += 1
        p += plan.strides[k][d]


cdef void to_row(Plan *plan, Py_ssize_t position, Py_ssize_t *index, char **rows) noexcept nogil:
    """The index of the row of a position, and where it begins in every operand."""
    cdef int d, k
    position //= plan.shape[plan.ndim - 1]
    for k in range(plan.nop):
        rows[k] = plan.data[k]
    for d in range(plan.ndim - 2, -1, -1):
        index[d] = position % plan.shape[d]
        position //= plan.shape[d]
        for k in range(plan.nop):
            rows[k] += index[d] * plan.strides[k][d]


cdef inline void to_next_row(Plan *plan, Py_ssize_t *index, char **rows) noexcept nogil:
    cdef int d, k
    for d in range(plan.ndim - 2, -1, -1):
        for k in range(plan.nop):
            if plan.strides[k][d]:                          # stores wait behind those of the results
                rows[k] += plan.strides[k][d]
        index[d] += 1
        if index[d] < plan.shape[d]:
            return
        index[d] = 0
        for k in range(plan.nop):
            rows[k] -= plan.shape[d] * plan.strides[k][d]


cdef mt_loop loop_of(Plan *plan, bint *number) noexcept nogil:
    """The loop to run where operand k is one number if number[k].

    Without a loop for that it is the ordinary one, and no operand counts as a number.
    """
    cdef int k
    if plan.nop == 3 and number[1] != number[2] and plan.number_loop[number[2]] != NULL:
        return plan.number_loop[number[2]]
    for k in range(plan.nop):
        number[k] = False
    return plan.loop


cdef void walk_rows_in_place(Plan *plan, mt_loop loop, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Do the elements from begin to end of a plan whose rows the loop reads and writes where they are."""
    cdef char *rows[MAX_OPERANDS]
    cdef Py_ssize_t[MAX_DIMS] index
    cdef int k, last = plan.ndim - 1
    cdef Py_ssize_t row = plan.shape[last], inside = begin % row, n
    to_row(plan, begin, index, rows)
    if inside:
        n = min(row - inside, end - begin)
        for k in range(plan.nop):
            rows[k] += inside * plan.strides[k][last]
        loop(rows, n, plan.params)
        for k in range(plan.nop):
            rows[k] -= inside * plan.strides[k][last]
        begin += n
        to_next_row(plan, index, rows)
    while begin < end:
        loop(rows, min(row, end - begin), plan.params)
        begin += row
        to_next_row(plan, index, rows)


cdef void walk_rows(Plan *plan, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Do the elements from begin to end of a plan whose rows are long: operands are gathered by pieces of a row."""
    cdef char[MAX_OPERANDS][CHUNK * ITEM] buffers
    cdef char *rows[MAX_OPERANDS]
    cdef char *p[MAX_OPERANDS]
    cdef bint[MAX_OPERANDS] direct, number
    cdef bint buffered = False, in_place = True
    cdef int k, last = plan.ndim - 1
    cdef Py_ssize_t row = plan.shape[last], inside = begin % row, n, rest
    cdef Py_ssize_t[MAX_DIMS] index
    cdef mt_loop loop
    for k in range(plan.nop):
        number[k] = k > 0 and plan.strides[k][last] == 0
    loop = loop_of(plan, number)
    for k in range(plan.nop):
        direct[k] = plan.code[k] == plan.want[k] and (plan.strides[k][last] == mt_itemsize[plan.code[k]] or number[k])
        in_place = in_place and direct[k]
        buffered = buffered or not (direct[k] or number[k])
    if in_place:
        walk_rows_in_place(plan, loop, begin, end)
        return
    to_row(plan, begin, index, rows)
    while begin < end:
        rest = row - inside if row - inside < end - begin else end - begin
        begin += rest
        for k in range(1, plan.nop):                        # one value for all of the row
            if plan.strides[k][last] == 0 and not direct[k]:
                mt_convert[plan.want[k]][plan.code[k]](buffers[k], mt_itemsize[plan.want[k]], rows[k], 0,
                                                       1 if number[k] else CHUNK if rest > CHUNK else rest)
        while rest:
            n = CHUNK if buffered and rest > CHUNK else rest
            for k in range(plan.nop):
                p[k] = rows[k] + inside * plan.strides[k][last] if direct[k] else buffers[k]
                if k > 0 and not direct[k] and plan.strides[k][last] != 0:
                    mt_convert[plan.want[k]][plan.code[k]](
                        buffers[k], mt_itemsize[plan.want[k]], rows[k] + inside * plan.strides[k][last],
                        plan.strides[k][last], n)
            loop(p, n, plan.params)
            if not direct[0]:
                mt_convert[plan.code[0]][plan.want[0]](rows[0] + inside * plan.strides[0][last], plan.strides[0][last],
                                                       buffers[0], mt_itemsize[plan.want[0]], n)
            inside += n
            rest -= n
        inside = 0
        to_next_row(plan, index, rows)


cdef void walk(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Do the elements of a plan from begin to end."""
    cdef Plan *plan = <Plan *>context
    cdef char[MAX_OPERANDS][CHUNK * ITEM] buffers
    cdef char *p[MAX_OPERANDS]
    cdef Access[MAX_OPERANDS] access
    cdef bint[MAX_OPERANDS] number
    cdef Py_ssize_t n
    cdef bint buffered = False
    cdef mt_loop loop
    cdef int k
    if plan.ndim > 1 and plan.shape[plan.ndim - 1] >= 64:
        walk_rows(plan, begin, end)
        return
    for k in range(plan.nop):
        access[k] = access_of(plan, k)
        number[k] = access[k] == CONSTANT
    loop = loop_of(plan, number)
    for k in range(plan.nop):
        if access[k] == CONSTANT:
            mt_convert[plan.want[k]][plan.code[k]](buffers[k], mt_itemsize[plan.want[k]], plan.data[k], 0,
                                                   1 if number[k] else CHUNK if end - begin > CHUNK else end - begin)
        buffered = buffered or not (access[k] == DIRECT or number[k])
    while begin < end:
        n = CHUNK if buffered and end - begin > CHUNK else end - begin
        for k in range(plan.nop):
            if access[k] == DIRECT:
                p[k] = plan.data[k] + begin * mt_itemsize[plan.code[k]]
            else:
                p[k] = buffers[k]
                if access[k] == GATHER and k > 0:
                    move(plan, k, begin, n, buffers[k], False)
        loop(p, n, plan.params)
        if access[0] == GATHER:
            move(plan, 0, begin, n, buffers[0], True)
        begin += n


cdef void plan_run(Plan *plan, mt_loop loop, const mt_scalar *params) noexcept nogil:
    """Run a kernel over all elements, on several threads if there are enough of them."""
    if plan.numel == 0:
        return
    plan.loop = loop
    plan.params = params
    plan_simplify(plan)
    if plan.ndim == 0:                                      # one element
        plan.ndim = 1
        plan.shape[0] = 1
        for k in range(plan.nop):
            plan.strides[k][0] = mt_itemsize[plan.code[k]]
    parallel_for(plan.numel, plan.grain, walk, plan)


cdef int broadcast_shape(int *ndim, Py_ssize_t *shape, TensorBase t) noexcept nogil:
    """Broadcast a shape with that of t, in place; -1 if they do not fit."""
    cdef int i, n = ndim[0], lead = t.ndim - n
    if lead > 0:
        for i in range(n - 1, -1, -1):
            shape[i + lead] = shape[i]
        for i in range(lead):
            shape[i] = 1
        n = t.ndim
        ndim[0] = n
    lead = n - t.ndim
    for i in range(t.ndim):
        if shape[lead + i] == 1:
            shape[lead + i] = t.shape[i]
        elif t.shape[i] != 1 and t.shape[i] != shape[lead + i]:
            return -1
    return 0


# --- copy and fill: two of the primitives of a device -----------------------------------------------------------------

cdef mt_convert_loop conversion(int target, int source) noexcept nogil:
    """The loop that converts from one type to another."""
    return mt_convert[target][source]


cdef mt_scalar scalar_value(object number, int code) except *:
    """A Python number as a value of a type, by truncation where the type is an integer; out of range is an error."""
    cdef long long integer
    if isinstance(number, (complex, np.complexfloating)):
        if mt_category[code] == 3:
            return mt_scalar_from_complex(code, number.real, number.imag)
        if number.imag != 0 and code != MT_BOOL:
            raise RuntimeError(f"value cannot be converted to type {dtype_of(code).name} without overflow: {number} is "
                               "complex")
        number = number.real if code != MT_BOOL else number != 0
    if mt_category[code] >= 2 or isinstance(number, float):
        return mt_scalar_from_double(code, number)
    if code == MT_BOOL:
        return mt_scalar_from_int(code, bool(number))
    try:
        integer = number if isinstance(number, int) else int(number)
    except OverflowError:
        raise RuntimeError(f"value cannot be converted to type {dtype_of(code).name} without overflow: "
                           f"{number}") from None
    return mt_scalar_from_int(code, integer)


cdef object number_of(const mt_scalar *value, int code):
    """A value of a compute type as a Python number."""
    cdef double[2] parts
    cdef long long integer
    if mt_category[code] < 2:
        mt_convert[MT_I64][code](<char *>&integer, 8, <const char *>value, 0, 1)
        return bool(integer) if code == MT_BOOL else integer
    mt_convert[MT_C128][code](<char *>parts, 16, <const char *>value, 0, 1)
    return complex(parts[0], parts[1]) if mt_category[code] == 3 else parts[0]


cdef mt_scalar checked_value(object number, int code) except *:
    """A number to be stored in a type, in its compute type: types refuse what they cannot hold.

    A floating-point type takes inf and NaN, but not a finite number that would become inf.
    """
    cdef object bits = 8 * mt_itemsize[code], one = 1       # Python's integers: C's would overflow
    cdef bint held
    if mt_category[code] == 1 and not isinstance(number, (bool, complex, np.complexfloating)):
        # negative numbers wrap in the unsigned type, as PyTorch has it
        held = number == number and -(one << (bits - 1)) <= number < (
            one << (bits - 1 if dtype_of(code).is_signed else bits))
        if not held:
            raise RuntimeError(f"value cannot be converted to type {dtype_of(code).name} without overflow: {number}")
    elif mt_category[code] >= 2 and not fits(
            number.real if isinstance(number, (complex, np.complexfloating)) else number, code):
        raise RuntimeError(f"value cannot be converted to type {dtype_of(code).name} without overflow: {number}; its "
                           f"largest number is {finfo(dtype_of(code)).max:g}, and float('inf') is a value too")
    return scalar_value(number, mt_compute[code])


cdef bint fits(double number, int code) except -1:
    """Whether a number that is finite stays so in a floating-point type."""
    if -65504 <= number <= 65504 or number != number or number - number != 0:
        return True
    return abs(number) <= finfo(dtype_of(code)).max


cdef void copy_loop(char *const *p, Py_ssize_t n, const mt_scalar *unused) noexcept nogil:
    memcpy(p[0], p[1], n * unused.i64)


cdef struct Transposition:
    char *d
    char *s
    Py_ssize_t dr, sr, columns
    int itemsize


cdef void transpose_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Transposition *t = <Transposition *>context
    mt_transpose(t.itemsize, t.d + begin * t.dr * t.itemsize, t.dr, t.s + begin * t.itemsize, t.sr,
                 end - begin, t.columns)


cdef bint copy_transposed(Plan *plan) noexcept nogil:
    """Do the copy by tiles if the two sides run along different dimensions; whether it was done."""
    cdef Transposition t
    cdef int inner = plan.ndim - 1, other = -1, d, i
    cdef Py_ssize_t itemsize = mt_itemsize[plan.code[0]], outer = 1, k, rest
    if plan.ndim < 2 or plan.strides[0][inner] != itemsize or plan.shape[inner] < 8:
        return False
    for d in range(inner):
        if plan.strides[1][d] == itemsize and plan.shape[d] >= 8:
            other = d
    if other < 0 or plan.strides[1][inner] % itemsize or plan.strides[0][other] % itemsize:
        return False
    for d in range(inner):
        if d != other:
            outer *= plan.shape[d]
    t.itemsize = itemsize
    t.dr = plan.strides[0][other] // itemsize
    t.sr = plan.strides[1][inner] // itemsize
    t.columns = plan.shape[inner]
    for k in range(outer):
        t.d = plan.data[0]
        t.s = plan.data[1]
        rest = k
        for i in range(inner - 1, -1, -1):
            if i != other:
                t.d += (rest % plan.shape[i]) * plan.strides[0][i]
                t.s += (rest % plan.shape[i]) * plan.strides[1][i]
                rest //= plan.shape[i]
        parallel_for(plan.shape[other], 1 + GRAIN // t.columns, transpose_rows, &t)
    return True


cdef void copy_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Copy the rows from begin to end of a plan both of whose sides have rows without gaps."""
    cdef Plan *plan = <Plan *>context
    cdef Py_ssize_t[MAX_DIMS] index
    cdef char *to = plan.data[0]
    cdef const char *source = plan.data[1]
    cdef Py_ssize_t bytes = plan.shape[plan.ndim - 1] * mt_itemsize[plan.code[0]], rest = begin
    cdef int d, last = plan.ndim - 2
    for d in range(last, -1, -1):
        index[d] = rest % plan.shape[d]
        rest //= plan.shape[d]
        to += index[d] * plan.strides[0][d]
        source += index[d] * plan.strides[1][d]
    while True:
        rest = min(plan.shape[last] - index[last], end - begin)
        mt_copy_rows(to, plan.strides[0][last], source, plan.strides[1][last], rest, bytes)
        begin += rest
        if begin == end:
            return
        to -= index[last] * plan.strides[0][last]
        source -= index[last] * plan.strides[1][last]
        index[last] = 0
        d = last - 1
        while index[d] == plan.shape[d] - 1:
            to -= index[d] * plan.strides[0][d]
            source -= index[d] * plan.strides[1][d]
            index[d] = 0
            d -= 1
        index[d] += 1
        to += plan.strides[0][d]
        source += plan.strides[1][d]


cdef bint copied_by_rows(Plan *plan) noexcept nogil:
    """Do the copy row by row if both sides have rows without gaps; whether it was done."""
    cdef Py_ssize_t itemsize = mt_itemsize[plan.code[0]], row
    if plan.ndim < 2 or plan.strides[0][plan.ndim - 1] != itemsize or plan.strides[1][plan.ndim - 1] != itemsize:
        return False
    row = plan.shape[plan.ndim - 1]
    if row == 0 or plan.numel == 0:
        return False
    parallel_for(plan.numel // row, 1 + GRAIN // row, copy_rows, plan)
    return True


cdef int copy_data(TensorBase dst, TensorBase src) except -1:
    """Copy src into dst: broadcast, converted, whatever their strides.  The shapes must fit."""
    cdef Plan plan
    cdef mt_scalar itemsize
    if dst.numel == 0:
        return 0
    if on_device(dst) or on_device(src):
        primitives().copy(shown(dst), shown(src))
        return 0
    if may_overlap(dst, src):
        src = contiguous_data(src) if not src.contiguous else clone_data(src)
    itemsize.i64 = mt_itemsize[dst.code]
    if dst.code == src.code and dst.contiguous and src.contiguous and same_shape(dst, src) and dst.numel < GRAIN:
        memcpy(data_of(dst), data_of(src), dst.numel * itemsize.i64)
        return 0
    plan_begin(&plan, dst, dst.code)
    plan_add(&plan, src, dst.code)
    with nogil:
        if dst.code == src.code:
            plan_simplify(&plan)
            if copied_by_rows(&plan) or copy_transposed(&plan):
                return 0
        plan_run(&plan, copy_loop, &itemsize)
    return 0


cdef TensorBase clone_data(TensorBase t):
    cdef TensorBase result = new_as(t, t.code)
    copy_data(result, t)
    return result


cdef inline bint is_zero(mt_scalar *value, int code) noexcept nogil:
    return value.i64 == 0 and (mt_itemsize[code] <= 8 or (<long long *>value)[1] == 0)


cdef struct Filling:
    char *to
    const mt_scalar *value
    Py_ssize_t itemsize
    mt_convert_loop convert     # or NULL to set bytes to zero


cdef void fill_some(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef const Filling *f = <const Filling *>context
    if f.convert == NULL:
        memset(f.to + begin * f.itemsize, 0, (end - begin) * f.itemsize)
    else:
        f.convert(f.to + begin * f.itemsize, f.itemsize, <const char *>f.value, 0, end - begin)


cdef int fill_data(TensorBase dst, mt_scalar value) except -1:
    """Set every element of dst to a value of its compute type."""
    cdef Plan plan
    cdef Filling filling
    cdef mt_scalar itemsize
    cdef int want = mt_compute[dst.code]
    if on_device(dst):
        if dst.numel:
            primitives().fill(shown(dst), number_of(&value, want))
        return 0
    itemsize.i64 = mt_itemsize[dst.code]
    if dst.contiguous:
        filling.to = data_of(dst)
        filling.value = &value
        filling.itemsize = itemsize.i64
        filling.convert = NULL if is_zero(&value, want) else mt_convert[dst.code][want]
        if dst.numel < GRAIN:
            fill_some(&filling, 0, dst.numel)
            return 0
        with nogil:
            parallel_for(dst.numel, GRAIN, fill_some, &filling)
        return 0
    plan_begin(&plan, dst, dst.code)
    plan_constant(&plan, &value, dst.code)
    plan.code[1] = want
    with nogil:
        plan_run(&plan, copy_loop, &itemsize)
    return 0


cdef int zero_data(TensorBase dst) except -1:
    cdef mt_scalar zero
    memset(&zero, 0, sizeof(zero))
    return fill_data(dst, zero)


cdef TensorBase zeros_like_data(TensorBase like, int code):
    cdef TensorBase result = new_as(like, code)
    zero_data(result)
    return result


cdef TensorBase contiguous_data(TensorBase t):
    """The values of t in C order; t itself where they are so already.  Not recorded."""
    cdef TensorBase result
    if t.contiguous:
        return t
    result = new_on(t, t.ndim, t.shape, t.code)
    copy_data(result, t)
    return result


cdef TensorBase host_data(TensorBase t):
    """The values of t in C order in memory that the host can read.  Not recorded."""
    cdef TensorBase result
    if not on_device(t):
        return contiguous_data(t)
    result = new_tensor(t.ndim, t.shape, t.code)
    copy_data(result, t)
    return result


cdef TensorBase converted(TensorBase t, int code):
    """The values of t as another type; t itself where it has it already.  Not recorded."""
    cdef TensorBase result
    if t.code == code:
        return t
    result = new_as(t, code)
    copy_data(result, t)
    return result


cdef void extent(TensorBase t, char **low, char **high) noexcept nogil:
    cdef Py_ssize_t first = 0, last = 0
    cdef int i
    for i in range(t.ndim):
        if t.strides[i] < 0:
            first += (t.shape[i] - 1) * t.strides[i]
        else:
            last += (t.shape[i] - 1) * t.strides[i]
    low[0] = data_of(t) + first * mt_itemsize[t.code]
    high[0] = data_of(t) + (last + 1) * mt_itemsize[t.code]


cdef bint may_overlap(TensorBase a, TensorBase b) noexcept nogil:
    """Whether writing to a could change other elements of b than the one at the same place."""
    cdef char *a_low
    cdef char *a_high
    cdef char *b_low
    cdef char *b_high
    cdef int i
    if a.numel == 0 or b.numel == 0:
        return False
    if a.storage is not b.storage and a.storage.size_class >= 0 and b.storage.size_class >= 0:
        return False
    extent(a, &a_low, &a_high)
    extent(b, &b_low, &b_high)
    if a_low >= b_high or b_low >= a_high:
        return False
    if data_of(a) != data_of(b) or not same_shape(a, b) or a.code != b.code:
        return True
    for i in range(a.ndim):
        if a.strides[i] != b.strides[i] and a.shape[i] > 1:
            return True
    return False


cdef int accumulate_data(TensorBase dst, TensorBase src) except -1:
    """Add src (of the same shape) to dst one element after another, so that dst may show one place several times."""
    cdef Py_ssize_t position, d_at, s_at, rest, index
    cdef int d, d_size = mt_itemsize[dst.code], s_size = mt_itemsize[src.code]
    cdef double[2] total, term                              # complex, or a real number and 0
    cdef char *d_data = data_of(dst)
    cdef char *s_data = data_of(src)
    if on_device(dst):
        primitives().accumulate(shown(dst), shown(src))
        return 0
    with nogil:
        for position in range(dst.numel):
            rest, d_at, s_at = position, 0, 0
            for d in range(dst.ndim - 1, -1, -1):
                index = rest % dst.shape[d]
                rest //= dst.shape[d]
                d_at += index * dst.strides[d]
                s_at += index * src.strides[d]
            mt_convert[MT_C128][dst.code](<char *>total, 16, d_data + d_at * d_size, d_size, 1)
            mt_convert[MT_C128][src.code](<char *>term, 16, s_data + s_at * s_size, s_size, 1)
            total[0] += term[0]
            total[1] += term[1]
            mt_convert[dst.code][MT_C128](d_data + d_at * d_size, d_size, <char *>total, 16, 1)
    return 0


# --- for the kernels of a device ------------------------------------------------------------------------------------

cdef struct DeviceWalk:             # `Walk` of minitorch/cuda/kernels/common.cuh, byte for byte
    unsigned int numel
    int ndim
    unsigned int[DEVICE_DIMS] shape
    long long[MAX_OPERANDS][DEVICE_DIMS] strides


def device_walk(TensorBase out not None, tuple operands):
    """How a kernel walks over a result and its operands, which are broadcast to it.

    Returns the bytes of a `Walk` and whether every operand lies as the result does, without gaps; an operand that is
    no tensor stands still.

    Raises:
        NotImplementedError: for more dimensions or elements than a kernel can count.
    """
    cdef Plan plan
    cdef DeviceWalk walk
    cdef mt_scalar nothing
    cdef int k, d
    cdef Py_ssize_t expected
    cdef bint dense = True
    memset(&walk, 0, sizeof(walk))
    memset(&nothing, 0, sizeof(nothing))
    plan_begin(&plan, out, out.code)
    for operand in operands:
        if isinstance(operand, TensorBase):
            plan_add(&plan, <TensorBase>operand, (<TensorBase>operand).code)
        else:
            plan_constant(&plan, &nothing, MT_BOOL)
    plan_simplify(&plan)
    if plan.ndim > DEVICE_DIMS or out.numel >= <Py_ssize_t>1 << 31:
        raise NotImplementedError(
            f"a kernel walks over at most {DEVICE_DIMS} dimensions that cannot be joined and 2**31 elements, not "
            f"{plan.ndim} and {out.numel}: make the operands contiguous(), or take them apart")
    walk.numel, walk.ndim = out.numel, plan.ndim
    for d in range(plan.ndim):
        walk.shape[d] = plan.shape[d]
    for k in range(plan.nop):
        if k > 0 and not isinstance(operands[k - 1], TensorBase):
            continue
        expected = mt_itemsize[plan.code[k]]
        for d in range(plan.ndim - 1, -1, -1):
            walk.strides[k][d] = plan.strides[k][d]
            dense = dense and plan.strides[k][d] == expected
            expected *= plan.shape[d]
    return (<char *>&walk)[:sizeof(walk)], dense


def owner_of(TensorBase t not None):
    """The object that the memory of a tensor belongs to; None if it is the engine's own."""
    return t.storage.owner


def layout_of(TensorBase t not None):
    """Address, first and last byte of the storage, shape, strides (in elements) and dtype of a tensor."""
    return (<size_t>data_of(t), <size_t>t.storage.data, <size_t>t.storage.data + t.storage.nbytes, shape_of(t),
            strides_of(t), dtype_of(t.code))
