# cython: boundscheck=False
"""Pointwise operations: everything in the table of `minitorch/ops/pointwise.py`.

One function, `call`, does them all: it promotes the types, broadcasts the shapes, runs the generated loop over a plan
and records one kind of node.  The node runs the generated loop of the derivative; where the derivative must itself be
differentiable it evaluates the table's text over tensors instead.
"""
cimport cython
from cpython.object cimport PyObject, Py_GE, Py_GT, Py_LE, Py_LT, Py_NE
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport memcpy
from minitorch._ext.dtype cimport (
    MT_BF16, MT_BOOL, MT_F16, MT_F32, MT_F64, MT_I64, combine, default_code, dtype_of, mt_category, mt_compute,
    mt_itemsize, mt_promote, scalar_code,
)
from minitorch._ext.loops cimport (
    GRAIN, Plan, broadcast_shape, checked_value, converted, copy_data, fill_data, host_data, may_overlap, mt_loop,
    mt_scalar, number_of, plan_add, plan_begin, plan_constant, plan_run, scalar_value, zeros_like_data,
)
from minitorch._ext.storage cimport new_storage_like, primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, SAVED, Node, TensorBase, bump, check_devices, check_inplace, count_elements, data_of, describe, edge_of,
    grad_enabled, has_shape, is_dense, new_as, new_at, new_on, new_same, new_tensor, on_device, public_saved, rebase,
    record1, record_node, requires_grad, same_shape, set_contiguous_dims, shape_of, shown, tensor_class,
)
from minitorch._ext.views cimport clone_of, copy_into, detach_of

import warnings

cdef extern from "kept.h":
    void mt_keep_instances(object cls)

cdef extern from "pointwise_loops.h" nogil:
    enum:
        MT_GRAD_NONE
        MT_GRAD_SAME
        MT_GRAD_NEGATIVE
        MT_GRAD_LOOP
        MT_GRAD_ZERO
        MT_FLOAT_ONLY
    ctypedef struct mt_grad:
        unsigned char kind, n_operands
        unsigned char operands[6]
        mt_loop loop[2]
    ctypedef struct mt_pointwise_op:
        const char *name
        unsigned char n_inputs, n_params, types, result_bool, mask_first, saves, integer_division
        mt_loop loop[12]
        mt_loop number[2][2]
        mt_grad grad[3]
    const mt_pointwise_op mt_pointwise[]

include "pointwise_codes.pxi"

cdef dict titles = dict(uint8="Byte", int8="Char", int16="Short", int32="Int", int64="Long", float16="Half",
                        bfloat16="BFloat16", float32="Float", float64="Double", bool="Bool", complex64="ComplexFloat",
                        complex128="ComplexDouble")


cdef str title(int code):
    """A type by the name that PyTorch's messages use."""
    return titles[dtype_of(code).name]


cdef str name_of(int op):
    return mt_pointwise[op].name.decode()


# --- types and shapes of results --------------------------------------------------------------------------------------

cdef inline int widest(int a, int b) noexcept nogil:
    return b if a < 0 else mt_promote(a, b)


cdef int result_code(object a, object b, object c) except -1:
    """The type of a result: tensors with dimensions first, then those without, then Python numbers."""
    cdef int dimensioned = -1, zero = -1, number = -1
    cdef TensorBase t
    for operand in (a, b, c):
        if operand is None:
            continue
        if isinstance(operand, TensorBase):
            t = operand
            if t.ndim:
                dimensioned = widest(dimensioned, t.code)
            else:
                zero = widest(zero, t.code)
        else:
            number = widest(number, scalar_code(operand))
    if dimensioned < 0 and zero < 0 and number < 0:
        raise TypeError("expected a tensor or a number for each operand, got None")
    return combine(dimensioned, combine(zero, number))


cdef bint is_bool(object x):
    return (<TensorBase>x).code == MT_BOOL if isinstance(x, TensorBase) else isinstance(x, bool)


cdef inline int code_for(const mt_pointwise_op *spec, object a, object b, object c) except -1:
    """The same for an operation: one tensor, or two of the same type, is the usual case."""
    cdef int code
    if spec.n_inputs == 1 and isinstance(a, TensorBase):
        code = (<TensorBase>a).code
    elif spec.n_inputs == 2 and isinstance(a, TensorBase) and isinstance(b, TensorBase) and \
            (<TensorBase>a).code == (<TensorBase>b).code:
        code = (<TensorBase>a).code
    elif spec.n_inputs == 2 and type(b) is float and isinstance(a,
                                                                TensorBase) and mt_category[(<TensorBase>a).code] >= 2:
        code = (<TensorBase>a).code
    else:
        code = result_code(None if spec.mask_first else a, b, c)
        if spec == &mt_pointwise[MT_OP_sub] and (is_bool(a) or is_bool(b)):
            raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
                               "to invert a mask, use the `~` or `logical_not()` operator instead.")
    if spec.types == MT_FLOAT_ONLY and mt_category[code] < 2:
        code = default_code()
    return code


cdef int refuse_type(int op, int code) except -1:
    if op == MT_OP_neg and code == MT_BOOL:
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert "
                           "a mask, use the `~` or `logical_not()` operator instead.")
    raise NotImplementedError(f'"{name_of(op)}" not implemented for \'{title(code)}\': convert the operands first, '
                              "for example with .float() or .to(dtype)")


cdef int refuse_shapes(int op, object a, object b, object c) except -1:
    shapes = [tuple(shape_of(<TensorBase>t)) for t in (a, b, c) if isinstance(t, TensorBase)]
    longest = max([len(s) for s in shapes])
    padded = [(1,) * (longest - len(s)) + s for s in shapes]
    for d in range(longest - 1, -1, -1):
        sizes = [s[d] for s in padded if s[d] != 1]
        if len(set(sizes)) > 1:
            raise RuntimeError(f"{name_of(op)}: The size of tensor a ({sizes[0]}) must match the size of tensor b "
                               f"({[n for n in sizes if n != sizes[0]][0]}) at non-singleton dimension {d}: "
                               f"the shapes {' and '.join(map(str, shapes))} cannot be broadcast together")
    return 0


cdef int refuse_zero_divisor(int op, object divisor, int code) except -1:
    """Integers have no infinity to give."""
    cdef bint zero
    if isinstance(divisor, TensorBase):
        zero = has_zero(converted(host_data(<TensorBase>divisor), code))
    else:
        zero = divisor == 0
    if zero:
        raise RuntimeError(f"ZeroDivisionError: {name_of(op)} of integers by zero")
    return 0


cdef bint has_zero(TensorBase t):
    cdef Py_ssize_t i
    cdef int size = mt_itemsize[t.code]
    cdef char *p = data_of(t)
    for i in range(t.numel):
        if size == 8 and (<long long *>p)[i] == 0 or size == 4 and (<int *>p)[i] == 0 or \
                size == 2 and (<short *>p)[i] == 0 or size == 1 and p[i] == 0:
            return True
    return False


cdef int prepare_out(TensorBase out, int ndim, const Py_ssize_t *shape, int code, str name, bint recorded) except -1:
    """Make a tensor given as `out=` fit to take a result of a shape and type."""
    if recorded or (grad_enabled() and requires_grad(out)):
        raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic differentiation, "
                           "but one of the arguments requires grad.")
    if mt_category[code] > mt_category[out.code]:
        raise RuntimeError(f"{name}: result type {title(code)} can't be cast to the desired output type "
                           f"{title(out.code)}")
    check_inplace(out, name)
    if not has_shape(out, ndim, shape):
        if out.numel:
            warnings.warn(f"{name}: an output with shape {tuple(shape_of(out))}, which is not empty, was resized to "
                          f"{tuple([shape[i] for i in range(ndim)])} since it did not match the result", UserWarning, 2)
        resize(out, ndim, shape)
    return 0


cdef int resize(TensorBase t, int ndim, const Py_ssize_t *shape) except -1:
    """Give t another shape, with new memory where the old does not suffice."""
    count_elements(ndim, shape, mt_itemsize[t.code])
    set_contiguous_dims(t, ndim, shape)
    if t.numel * mt_itemsize[t.code] > t.storage.nbytes - t.offset * mt_itemsize[t.code]:
        t.storage = new_storage_like(t.storage, t.numel, t.code)
        t.offset = 0
    return 0


# --- the forward ------------------------------------------------------------------------------------------------------

cdef struct Operands:
    int n
    PyObject *items[3]          # borrowed: tensors or numbers
    mt_scalar[3] numbers         # the numbers among them, in the loop's type


cdef inline bint is_plain(TensorBase t, TensorBase out, int code) noexcept:
    return t.code == code and t.contiguous and t.numel == out.numel and t.ndim == out.ndim and same_shape(t, out)


cdef inline mt_loop loop_with_number(const mt_pointwise_op *spec, int code, int k) noexcept nogil:
    """The loop that takes one number for operand k, or NULL."""
    return spec.number[k][code == MT_F64] if k < 2 and (code == MT_F32 or code == MT_F64) else NULL


cdef int run(const mt_pointwise_op *spec, mt_loop loop, int code, TensorBase out, Operands *operands,
             const mt_scalar *params) except -1:
    """Run a loop that works in a type, over operands of any layout and type."""
    cdef Plan plan
    cdef char *p[4]
    cdef double[3][2 * 64] constants                         # of numbers that are complex, at most
    cdef int k, want, out_code = MT_BOOL if spec.result_bool else code
    cdef bint plain = out.contiguous and out.code == out_code and out.numel < GRAIN
    cdef mt_loop plain_loop = loop
    cdef TensorBase t
    if on_device(out):
        primitives().pointwise(name_of(spec - mt_pointwise), None, dtype_of(code).name, shown(out),
                               tuple([shown(<object>operands.items[k]) for k in range(operands.n)]),
                               tuple([number_of(&params[k], code) for k in range(spec.n_params)]))
        return 0
    for k in range(operands.n):
        if not plain:
            break
        want = MT_BOOL if spec.mask_first and k == 0 else code
        if isinstance(<object>operands.items[k], TensorBase):
            t = <TensorBase>operands.items[k]
            plain = is_plain(t, out, want)
            p[k + 1] = data_of(t)
        elif loop_with_number(spec, code, k) != NULL:
            plain_loop = loop_with_number(spec, code, k)
            p[k + 1] = <char *>&operands.numbers[k]
        else:
            plain = out.numel <= 64
            p[k + 1] = <char *>constants[k]
    if plain:
        for k in range(operands.n):
            if p[k + 1] == <char *>constants[k]:
                repeat(&operands.numbers[k], MT_BOOL if spec.mask_first and k == 0 else code, p[k + 1], out.numel)
        p[0] = data_of(out)
        plain_loop(p, out.numel, params)
        return 0
    plan_begin(&plan, out, out_code)
    for k in range(operands.n):
        want = MT_BOOL if spec.mask_first and k == 0 else code
        if isinstance(<object>operands.items[k], TensorBase):
            plan_add(&plan, <TensorBase>operands.items[k], want)
        else:
            plan_constant(&plan, &operands.numbers[k], want)
    for k in range(2):
        plan.number_loop[k] = loop_with_number(spec, code, k)
    if out.numel < GRAIN:
        plan_run(&plan, loop, params)
    else:
        with nogil:
            plan_run(&plan, loop, params)
    return 0


cdef void repeat(mt_scalar *value, int code, char *p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef int size = mt_itemsize[code]
    for i in range(n):
        if size == 4:
            (<float *>p)[i] = value.f32
        elif size == 8:
            (<double *>p)[i] = value.f64
        elif size == 16:
            memcpy(p + 16 * i, value, 16)
        elif size == 2:
            (<short *>p)[i] = value.i16
        else:
            p[i] = value.i8


cdef object spared(object operand, TensorBase out):
    """An operand whose values survive a change of out: a copy, if it is another view of the same memory."""
    if isinstance(operand, TensorBase) and operand is not out and (<TensorBase>operand).storage is out.storage:
        return clone_of(<TensorBase>operand)
    return operand


cdef TensorBase separate(int op, TensorBase t, TensorBase out):
    """An operand that will still be whole when out is written."""
    cdef TensorBase copy
    if not may_overlap(out, t):
        return t
    if is_dense(t) and is_dense(out) and t.code == out.code:
        raise RuntimeError(f"{name_of(op)}: unsupported operation: some elements of the input tensor {describe(t)} "
                           f"and the written-to tensor {describe(out)} refer to a single memory location. Please "
                           "clone() the tensor before performing the operation.")
    copy = new_as(t, t.code)
    copy_data(copy, t)
    return copy


cdef TensorBase one_device(int op, TensorBase a, TensorBase b):
    """Of two operands on different devices the one whose device does the work; the other must have no dimensions."""
    cdef TensorBase on, off
    on, off = (a, b) if on_device(a) else (b, a)
    if off.ndim:
        check_devices(name_of(op), on, (off,))
    return on


cdef TensorBase call(int op, object a, object b=None, object c=None, tuple params=(), TensorBase out=None,
                     bint inplace=False):
    """Do operation op on up to three operands, tensors or numbers; into out, if given; `inplace`: out is a."""
    cdef const mt_pointwise_op *spec = &mt_pointwise[op]
    cdef int code = code_for(spec, a, b, c), k, ndim = 0, result
    cdef int compute = mt_compute[code]
    cdef mt_loop loop = spec.loop[compute]
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef mt_scalar[8] parameters
    cdef Operands operands
    cdef TensorBase t, like = None, kept = None, there = None
    cdef bint recorded = False, tensors = False
    if loop == NULL or (op == MT_OP_nextafter and code != compute):   # the half types' neighbours are not float32's
        if op == MT_OP_square and code == MT_BOOL and not inplace:
            return call(op, cast(<TensorBase>a, MT_I64), None, None, (), out)
        if mt_category[code] == 3 and name_of(op) in complex_rules and not (inplace and op == MT_OP_abs):
            like = complex_rules[name_of(op)](*(a, b, c)[:spec.n_inputs], *params)
            if not inplace:
                return into(out, like, name_of(op))
            copy_into(out, like)
            return out
        refuse_type(op, code)
    operands.n = spec.n_inputs
    if out is None and code == compute and spec.n_inputs < 3 and not spec.mask_first and (
            not spec.integer_division or mt_category[code] >= 2) and isinstance(a, TensorBase):
        like = plain_call(op, spec, code, loop, <TensorBase>a, b, params)
        if like is not None:
            return like
    operands.items[0], operands.items[1], operands.items[2] = <PyObject *>a, <PyObject *>b, <PyObject *>c
    for k in range(operands.n):
        if isinstance(<object>operands.items[k], TensorBase):
            t = <TensorBase>operands.items[k]
            if tensors and on_device(t) != on_device(like):  # a tensor without dimensions may be the CPU's
                there = one_device(op, like, t)
            if not tensors:
                tensors = True
                ndim = t.ndim
                like = t
                for d in range(ndim):
                    shape[d] = t.shape[d]
            elif not has_shape(t, ndim, shape):
                if broadcast_shape(&ndim, shape, t) < 0:
                    refuse_shapes(op, a, b, c)
                if not has_shape(like, ndim, shape):
                    like = t
            if there is not None and not on_device(like):
                like = there
            if grad_enabled() and spec.grad[k].kind != MT_GRAD_NONE and mt_category[code] >= 2 and not recorded:
                recorded = requires_grad(t)
        else:
            if <object>operands.items[k] is None:
                raise TypeError(f"{name_of(op)}: operand {k + 1} is missing")
            operands.numbers[k] = scalar_value(<object>operands.items[k],
                                               MT_BOOL if spec.mask_first and k == 0 else compute)
    if not tensors:
        raise TypeError(f"{name_of(op)}(): expected a tensor among its operands, got "
                        f"{', '.join([type(x).__name__ for x in (a, b, c) if x is not None])}")
    if spec.integer_division and mt_category[code] < 2:
        refuse_zero_divisor(op, b, compute)
    if out is not None and on_device(out) != on_device(like):
        check_devices(f"{name_of(op)}, the result", out, (like,))
    k = 0
    for parameter in params:
        parameters[k] = scalar_value(parameter, compute)
        k += 1
    result = MT_BOOL if spec.result_bool else code

    if out is None:
        out = new_as(like, result) if has_shape(like, ndim, shape) else new_on(like, ndim, shape, result)
        run(spec, loop, compute, out, &operands, parameters)
        if recorded:
            record_call(op, &operands, params, out, None, False)
        return out

    if inplace:
        check_inplace(out, name_of(op) + "_")
        if not has_shape(out, ndim, shape):
            raise RuntimeError(f"{name_of(op)}_: output with shape {list(shape_of(out))} doesn't match the broadcast "
                               f"shape {[shape[i] for i in range(ndim)]}")
        if mt_category[result] > mt_category[out.code]:
            raise RuntimeError(f"{name_of(op)}_: result type {title(result)} can't be cast to the desired output type "
                               f"{title(out.code)}")
        recorded = recorded or (grad_enabled() and requires_grad(out))
        if recorded:                                        # other views of what is overwritten lose their values too
            b, c = spared(b, out), spared(c, out)
            operands.items[1], operands.items[2] = <PyObject *>b, <PyObject *>c
        if recorded and saved_mask(spec, &operands) & 2:
            kept = new_as(out, out.code)                    # the derivative needs the value that is overwritten
            copy_data(kept, out)
            edge_of(out)                                    # which keeps its place in the graph
            kept.grad_fn, kept.output_nr = out.grad_fn, out.output_nr
    else:
        prepare_out(out, ndim, shape, result, name_of(op), recorded)
    if isinstance(a, TensorBase) and a is not out:
        a = separate(op, <TensorBase>a, out)
    if isinstance(b, TensorBase) and b is not out:
        b = separate(op, <TensorBase>b, out)
    if isinstance(c, TensorBase) and c is not out:
        c = separate(op, <TensorBase>c, out)
    cdef Operands separated = operands
    separated.items[0], separated.items[1], separated.items[2] = <PyObject *>a, <PyObject *>b, <PyObject *>c
    run(spec, loop, compute, out, &separated, parameters)
    bump(out)
    if recorded:
        record_call(op, &operands, params, out, kept, True)
    return out


cdef inline TensorBase plain_call(int op, const mt_pointwise_op *spec, int code, mt_loop loop, TensorBase a, object b,
                                  tuple params):
    """The usual case without a plan: one or two small contiguous tensors of the loop's type, or one and a number."""
    cdef char *p[3]
    cdef double[2 * 64] constant
    cdef mt_scalar[8] parameters
    cdef mt_scalar number
    cdef mt_loop number_loop
    cdef Operands operands
    cdef TensorBase t = None, out
    cdef int k
    if not a.contiguous or a.code != code or a.numel >= GRAIN or on_device(a):
        return None
    if spec.n_inputs == 2:
        if isinstance(b, TensorBase):
            t = <TensorBase>b
            if not t.contiguous or t.code != code or not same_shape(a, t) or on_device(t):
                return None
            p[2] = data_of(t)
        else:
            number = scalar_value(b, code)
            p[2] = <char *>&number
            number_loop = loop_with_number(spec, code, 1)
            if number_loop != NULL:
                loop = number_loop
            elif a.numel <= 64:
                repeat(&number, code, <char *>constant, a.numel)
                p[2] = <char *>constant
            else:
                return None
    for k in range(len(params)):
        parameters[k] = scalar_value(params[k], code)
    out = new_same(a, MT_BOOL if spec.result_bool else code)
    p[0], p[1] = data_of(out), data_of(a)
    loop(p, a.numel, parameters)
    if grad_enabled() and mt_category[code] >= 2 and (
            (spec.grad[0].kind != MT_GRAD_NONE and requires_grad(a)) or
            (t is not None and spec.grad[1].kind != MT_GRAD_NONE and requires_grad(t))):
        operands.n = spec.n_inputs
        operands.items[0], operands.items[1] = <PyObject *>a, <PyObject *>b
        record_call(op, &operands, params, out, None, False)
    return out


# --- the derivative ---------------------------------------------------------------------------------------------------

cdef int saved_mask(const mt_pointwise_op *spec, Operands *operands) except -1:
    """Which operands (bits 1 to 3) and whether the result (bit 4) the wanted gradients need."""
    cdef int mask = 0, k, i
    for k in range(operands.n):
        if spec.grad[k].kind == MT_GRAD_LOOP and isinstance(<object>operands.items[k], TensorBase) and \
                requires_grad(<TensorBase>operands.items[k]):
            for i in range(spec.grad[k].n_operands):
                mask |= 1 << spec.grad[k].operands[i]
    return mask & ~1


cdef int record_call(int op, Operands *operands, tuple params, TensorBase out, TensorBase kept, bint inplace) except -1:
    """Record an operation; `kept` is the old value of a tensor that was changed in place."""
    cdef const mt_pointwise_op *spec = &mt_pointwise[op]
    cdef PointwiseBackward node = PointwiseBackward.__new__(PointwiseBackward)
    cdef int mask = saved_mask(spec, operands), k
    cdef bint same = True
    cdef TensorBase t
    cdef object operand, edge
    cdef tuple edges = PyTuple_New(operands.n)
    node.op = op
    node.params = params
    for k in range(operands.n):
        operand = <object>operands.items[k]
        edge = None
        if isinstance(operand, TensorBase):
            t = <TensorBase>operand
            edge = edge_of(t)
            same = same and t.code == out.code and t.numel == out.numel and same_shape(t, out)
            if (mask >> (k + 1)) & 1:
                node.save(k, kept if kept is not None and t is out else t)
        else:
            if node.numbers is None:
                node.numbers = [None, None, None]
            node.numbers[k] = operand
        Py_INCREF(edge)
        PyTuple_SET_ITEM(edges, k, edge)
    node.edges = edges
    if not same:
        node.input_meta = tuple([meta_of(<object>operands.items[k], out) for k in range(operands.n)])
    if inplace:
        rebase(out, node)
    else:
        record_node(node, out)
    if (mask >> 4) & 1:
        node.save(3, out)
    return 0


cdef object meta_of(object operand, TensorBase out):
    """What the gradient of an operand must be brought to, where that is not the shape and type of the result."""
    cdef TensorBase t
    if not isinstance(operand, TensorBase):
        return None
    t = <TensorBase>operand
    return None if t.code == out.code and same_shape(t, out) else (shape_of(t), t.code)


@cython.final
cdef class PointwiseBackward(Node):
    """y = f(x1, x2, x3):  dxk = the table's text for operand k, with g = dy."""
    cdef int op
    cdef list numbers           # the operands that were numbers
    cdef tuple params

    cdef str op_name(self):
        return node_names[self.op] + "Backward0"

    cdef object apply(self, TensorBase g):
        cdef int n = mt_pointwise[self.op].n_inputs
        if n == 1:
            return (self.gradient(0, g),)
        if n == 2:
            return (self.gradient(0, g) if self.needs(0) else None, self.gradient(1, g) if self.needs(1) else None)
        return tuple([self.gradient(k, g) if self.needs(k) else None for k in range(n)])

    def saved_names(self):
        """(place, name) of each tensor that is kept."""
        cdef int k
        cdef list kept = [self.saved0, self.saved1, self.saved2, self.saved3]
        cdef tuple names = operand_names(self.op)
        return [(k, "result" if k == 3 else names[k]) for k in range(SAVED) if kept[k] is not None]

    cdef dict saved_values(self):
        cdef dict values = {name: public_saved(self, k) for k, name in self.saved_names()}
        cdef int k
        for k in range(mt_pointwise[self.op].n_inputs):
            if self.numbers is not None and self.numbers[k] is not None:
                values[operand_names(self.op)[k]] = self.numbers[k]
        values.update(zip(table().TABLE[name_of(self.op)].parameters, self.params))
        return values

    @property
    def formula(self):
        """The operation and its derivatives, as the table of operations has them."""
        entry = table().TABLE[name_of(self.op)]
        return {"name": entry.name, "y": entry.y, "operands": entry.operands, "gradients": entry.gradients}

    cdef object operand(self, int k):
        """Operand k (1 to 3), or the result (4)."""
        if self.numbers is not None and k < 4 and self.numbers[k - 1] is not None:
            return self.numbers[k - 1]
        return self.saved(k - 1)

    cdef TensorBase gradient(self, int k, TensorBase g):
        cdef const mt_pointwise_op *spec = &mt_pointwise[self.op]
        cdef const mt_grad *grad = &spec.grad[k]
        if grad.kind == MT_GRAD_SAME:
            return g
        if grad.kind == MT_GRAD_NEGATIVE:
            return call(MT_OP_neg, g)
        if grad.kind == MT_GRAD_ZERO:
            return zeros_like_data(g, g.code)
        if grad.kind == MT_GRAD_NONE:
            return None
        if mt_category[g.code] == 3:
            return conj_of(self.by_text(k, conj_of(g)))
        return self.by_text(k, g) if grad_enabled() else self.by_loop(k, g)

    cdef TensorBase by_loop(self, int k, TensorBase g):
        """The fused derivative."""
        cdef const mt_pointwise_op *spec = &mt_pointwise[self.op]
        cdef const mt_grad *grad = &spec.grad[k]
        cdef int code = mt_compute[g.code], i, which
        cdef mt_loop loop = grad.loop[1 if code == MT_F64 else 0]
        cdef TensorBase out = new_same(g, g.code) if g.contiguous else new_as(g, g.code), t
        # These are references of our own: what a hook unpacked belongs to nobody else, and another thread's replay may
        # give back what this node has saved while the loop lets go of the GIL.
        cdef PyObject *operands[6]
        cdef int held = 0
        cdef object operand
        cdef mt_scalar[8] parameters
        cdef mt_scalar[6] numbers
        cdef char *p[8]
        cdef Plan plan
        cdef bint plain = g.contiguous and g.code == code and g.numel < GRAIN
        cdef int want
        if on_device(g):
            primitives().pointwise(name_of(self.op), k, dtype_of(code).name, shown(out),
                                   tuple([shown(g if grad.operands[i] == 0 else self.operand(grad.operands[i]))
                                          for i in range(grad.n_operands)]), self.params)
            return out
        for i in range(len(self.params)):
            parameters[i] = scalar_value(self.params[i], code)
        try:
            for i in range(grad.n_operands):
                which = grad.operands[i]
                operand = g if which == 0 else self.operand(which)
                Py_INCREF(operand)
                operands[i] = <PyObject *>operand
                held += 1
                want = MT_BOOL if spec.mask_first and which == 1 else code
                if isinstance(operand, TensorBase):
                    t = operand
                    if on_device(t):
                        check_devices(name_of(self.op) + "'s derivative", g, (t,))
                    plain = plain and (which == 0 or is_plain(t, out, want))
                    p[i + 1] = data_of(t)
                else:
                    plain = False
            if plain:
                p[0] = data_of(out)
                loop(p, out.numel, parameters)
                return out
            plan_begin(&plan, out, code)
            for i in range(grad.n_operands):
                want = MT_BOOL if spec.mask_first and grad.operands[i] == 1 else code
                if isinstance(<object>operands[i], TensorBase):
                    plan_add(&plan, <TensorBase>operands[i], want)
                else:
                    numbers[i] = scalar_value(<object>operands[i], code)
                    plan_constant(&plan, &numbers[i], want)
            if out.numel < GRAIN:
                plan_run(&plan, loop, parameters)
            else:
                with nogil:
                    plan_run(&plan, loop, parameters)
            return out
        finally:
            for i in range(held):
                Py_DECREF(<object>operands[i])

    cdef TensorBase by_text(self, int k, TensorBase g):
        """The same from differentiable operations."""
        entry = table().TABLE[name_of(self.op)]
        local = dict(zip(entry.parameters, self.params), g=g)
        for i, name in enumerate(entry.operands):
            local[name] = public(self.operand(i + 1))
        local["y"] = public(self.operand(4))
        result = eval(entry.gradient(k), functions(), local)
        if not isinstance(result, TensorBase):
            return fill_like(g, result)
        if not same_shape(<TensorBase>result, g):
            return call(MT_OP_add, call(MT_OP_mul, g, 0), result)
        return result


mt_keep_instances(PointwiseBackward)


cdef tuple operand_names(int op):
    """What users call the operands of an operation."""
    if op == MT_OP_where:
        return "condition", "self", "other"
    if op == MT_OP_pow:
        return "self", "exponent"
    return "self", "other", "third"


cdef object public(object operand):
    """An operand with the operators of the public class, which kept values of the engine's own lack."""
    if isinstance(operand, TensorBase) and not isinstance(operand, tensor_class()):
        return detach_of(<TensorBase>operand)
    return operand


cdef TensorBase fill_like(TensorBase like, number):
    cdef TensorBase out = new_as(like, like.code)
    fill_data(out, scalar_value(number, mt_compute[out.code]))
    return out


cdef object _table = None
cdef dict _functions = None


cdef object table():
    """The table of operations, which only second derivatives read at run time."""
    global _table
    if _table is None:
        from minitorch.ops import pointwise
        _table = pointwise
    return _table


cdef class Function:
    """An operation as the texts of the table call it: operands, then parameters."""
    cdef int op

    def __call__(self, *operands):
        cdef int n = mt_pointwise[self.op].n_inputs
        a, b, c = operands[:n] + (None,) * (3 - n)
        if not any([isinstance(x, TensorBase) for x in operands[:n]]):
            a = number_tensor(a, MT_F64)
        return call(self.op, a, b, c, operands[n:])


cdef dict functions():
    cdef Function function
    global _functions
    if _functions is None:
        _functions = {}
        for i, name in enumerate(table().TABLE):
            function = Function.__new__(Function)
            function.op = i
            _functions[name] = function
    return _functions


def table_functions():
    """The operations by name, as the texts of the table call them: operands, then parameters."""
    return functions()


# the name of each operation's node; a few share PyTorch's name for a special case
cdef dict _special_names = dict(square="Pow", cube="Pow", add_scaled="Add", sub_scaled="Sub", positive="Clone",
                                floor_divide="FloorDivide", gelu_tanh="Gelu", clamp_min="ClampMin",
                                clamp_max="ClampMax")
cdef list node_names = [_special_names.get(name, "".join([part.capitalize() for part in name.split("_")]))
                        for name in [name_of(op) for op in range(MT_OP_COUNT)]]


# --- what other modules build on --------------------------------------------------------------------------------------

cdef TensorBase op_add(object a, object b):
    return call(MT_OP_add, a, b)


cdef TensorBase op_sub(object a, object b):
    return call(MT_OP_sub, a, b)


cdef TensorBase op_mul(object a, object b):
    return call(MT_OP_mul, a, b)


cdef TensorBase op_div(object a, object b):
    return call(MT_OP_div, a, b)


cdef TensorBase op_neg(object a):
    return call(MT_OP_neg, a)


cdef TensorBase op_exp(object a):
    return call(MT_OP_exp, a)


cdef TensorBase op_log(object a):
    return call(MT_OP_log, a)


cdef TensorBase op_eq(object a, object b):
    return call(MT_OP_eq, a, b)


cdef TensorBase conj_of(TensorBase t):
    """The complex conjugate; a real tensor is its own."""
    return call(MT_OP_conj, t) if mt_category[t.code] == 3 else t


def conjugate(TensorBase z not None):
    """The complex conjugate, as `minitorch.conj`."""
    return conj_of(z)


# What an operation does on complex numbers where it has no loop for them: of operands and parameters, differentiable.
cdef dict complex_rules = {}


def set_complex_rules(rules):
    """Enter rules by the names of operations."""
    complex_rules.update(rules)


cdef int check_apart(str name, TensorBase out, tuple operands) except -1:
    """Refuse an `out=` that shares memory with an operand, for what reads at other places than it writes."""
    cdef TensorBase t
    if out is None:
        return 0
    for t in operands:
        if may_overlap(out, t) or (out.storage is t.storage and data_of(out) == data_of(t)):
            raise RuntimeError(f"{name}: unsupported operation: out={describe(out)} shares memory with the argument "
                               f"{describe(t)}: give it memory of its own, or clone() the argument")
    return 0


cdef TensorBase into(TensorBase out, TensorBase result, str name):
    """Put a result into the tensor that was given as `out=`, if one was."""
    if out is None:
        return result
    prepare_out(out, result.ndim, result.shape, result.code, name, result.grad_fn is not None)
    copy_data(out, result)
    bump(out)
    return out


def give(TensorBase result not None, TensorBase out, str name not None, tuple apart=()):
    """A result put into the tensor given as ``out=``, which must share no memory with ``apart``; itself without one."""
    check_apart(name, out, apart)
    return into(out, result, name)


cdef TensorBase op_where(object condition, object a, object b):
    return call(MT_OP_where, condition, a, b)


cdef TensorBase compare(object a, object b, int richcmp_code):
    """a < b and its kin."""
    cdef int op = MT_OP_eq
    if richcmp_code == Py_NE:
        op = MT_OP_ne
    elif richcmp_code == Py_LT:
        op = MT_OP_lt
    elif richcmp_code == Py_LE:
        op = MT_OP_le
    elif richcmp_code == Py_GT:
        op = MT_OP_gt
    elif richcmp_code == Py_GE:
        op = MT_OP_ge
    return call(op, a, b)


cdef int[15] operators = [
    MT_OP_add, MT_OP_sub, MT_OP_mul, MT_OP_div, MT_OP_floor_divide, MT_OP_remainder, MT_OP_pow, MT_OP_bitwise_and,
    MT_OP_bitwise_or, MT_OP_bitwise_xor, MT_OP_bitwise_left_shift, MT_OP_bitwise_right_shift, MT_OP_neg, MT_OP_abs,
    MT_OP_bitwise_not]


cdef TensorBase operator(int which, object a, object b):
    """One of Python's operators."""
    if which == OP_POW:
        return power(a, b, None, False)
    return call(operators[which], a, b)


cdef TensorBase inplace_operator(int which, TensorBase a, object b):
    if which == OP_POW:
        return power(a, b, a, True)
    return call(operators[which], a, b, None, (), a, True)


cdef TensorBase power(object a, object b, TensorBase out, bint inplace):
    """a ** b; the exponents that are a product, a root or a quotient are done as such."""
    cdef double exponent
    if isinstance(a, TensorBase) and (<TensorBase>a).code == MT_BOOL and type(b) is bool:
        return call(MT_OP_bitwise_or, a, not b, None, (), out, inplace)
    if isinstance(a, TensorBase) and (<TensorBase>a).code == MT_BOOL and type(b) is int:
        a = cast(<TensorBase>a, MT_I64)
    if type(b) is int or (
            type(b) is float and (not isinstance(a, TensorBase) or mt_category[(<TensorBase>a).code] >= 2)):
        exponent = b
        if exponent == 2:
            return call(MT_OP_square, a, None, None, (), out, inplace)
        if exponent == 3:
            return call(MT_OP_cube, a, None, None, (), out, inplace)
        if isinstance(a, TensorBase) and mt_category[(<TensorBase>a).code] >= 2:
            if exponent == 1:
                return call(MT_OP_mul, a, 1, None, (), out, inplace)
            if exponent == 0.5:
                return call(MT_OP_sqrt, a, None, None, (), out, inplace)
            if exponent == -0.5:
                return call(MT_OP_rsqrt, a, None, None, (), out, inplace)
            if exponent == -1:
                return call(MT_OP_reciprocal, a, None, None, (), out, inplace)
        elif type(b) is int and exponent < 0 and isinstance(a, TensorBase):
            raise RuntimeError("pow: Integers to negative integer powers are not allowed. Use a float exponent or base")
    return call(MT_OP_pow, a, b, None, (), out, inplace)


cdef class ToCopyBackward(Node):
    """y = x as another type or on another device:  dx = dy moved back; to its type it is brought by the tape."""
    cdef bint on_device                 # where x is

    cdef object apply(self, TensorBase g):
        return (moved(g, self.on_device),)


cdef TensorBase cast(TensorBase t, int code):
    cdef TensorBase out
    cdef ToCopyBackward node
    if t.code == code:
        return t
    out = converted(t, code)
    if grad_enabled() and mt_category[code] >= 2 and requires_grad(t):
        node = ToCopyBackward.__new__(ToCopyBackward)
        node.input_meta = ((shape_of(t), t.code),)
        node.on_device = on_device(t)
        record1(node, out, t)
    return out


cdef TensorBase moved(TensorBase t, bint to_device):
    """A tensor on the device or the CPU; t itself where it is there already."""
    cdef TensorBase out
    cdef ToCopyBackward node
    if on_device(t) == to_device:
        return t
    out = new_at(to_device, t.ndim, t.shape, t.code)
    copy_data(out, t)
    if mt_category[t.code] >= 2 and grad_enabled() and requires_grad(t):
        node = ToCopyBackward.__new__(ToCopyBackward)
        node.on_device = not to_device
        record1(node, out, t)
    return out


cdef TensorBase number_tensor(object number, int code):
    """A 0-d tensor of a number; one that is too large for a floating-point type becomes inf."""
    cdef TensorBase out = new_tensor(0, NULL, code)
    fill_data(out, checked_value(number, code) if mt_category[code] < 2 else scalar_value(number, mt_compute[code]))
    return out


cdef TensorBase stored_number(object number, int code, bint by_index=False):
    """A 0-d tensor of a number that is to be stored in a tensor of a type, which must be able to hold it.

    Stored by an index, what is too large for a half type alone becomes inf, as in PyTorch.
    """
    cdef TensorBase out = new_tensor(0, NULL, code)
    fill_data(out, checked_value(number, MT_F32 if by_index and code in (MT_F16, MT_BF16) else code))
    return out


cdef int add_into(TensorBase total, TensorBase term) except -1:
    """total += term, of the same shape; never recorded, never counted as a change."""
    cdef Operands operands
    cdef int code = mt_compute[total.code]
    operands.n = 2
    operands.items[0], operands.items[1] = <PyObject *>total, <PyObject *>term
    return run(&mt_pointwise[MT_OP_add], mt_pointwise[MT_OP_add].loop[code], code, total, &operands, NULL)
