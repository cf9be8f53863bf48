from minitorch._ext.tensor cimport TensorBase

# What other modules compose rules of; operands are tensors or numbers, at least one of them a tensor.
cdef TensorBase op_add(object a, object b)
cdef TensorBase op_sub(object a, object b)
cdef TensorBase op_mul(object a, object b)
cdef TensorBase op_div(object a, object b)
cdef TensorBase op_neg(object a)
cdef TensorBase op_exp(object a)
cdef TensorBase op_log(object a)
cdef TensorBase op_eq(object a, object b)
cdef TensorBase conj_of(TensorBase t)
cdef TensorBase op_where(object condition, object a, object b)
cdef TensorBase call(int op, object a, object b=*, object c=*, tuple params=*, TensorBase out=*, bint inplace=*)
cdef TensorBase compare(object a, object b, int richcmp_code)        # for Python's operators
cdef TensorBase operator(int which, object a, object b)              # one of the enum below
cdef TensorBase inplace_operator(int which, TensorBase a, object b)
cdef TensorBase power(object a, object b, TensorBase out, bint inplace)
cdef str title(int code)                                             # a dtype as PyTorch's messages call it

cdef enum:
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOOR_DIVIDE, OP_REMAINDER, OP_POW
    OP_AND, OP_OR, OP_XOR, OP_LEFT_SHIFT, OP_RIGHT_SHIFT, OP_NEG, OP_ABS, OP_INVERT

cdef TensorBase cast(TensorBase t, int code)                         # to another dtype, recorded
cdef TensorBase moved(TensorBase t, bint to_device)                # ... on the device, or on the CPU
cdef TensorBase number_tensor(object number, int code)               # a 0-d tensor
cdef TensorBase stored_number(object number, int code, bint by_index=*)    # ... of what the type must be able to hold
cdef int add_into(TensorBase total, TensorBase term) except -1       # total += term, never recorded
cdef int result_code(object a, object b, object c) except -1         # PyTorch's type promotion
cdef int prepare_out(TensorBase out, int ndim, const Py_ssize_t *shape, int code, str name, bint recorded) except -1
cdef int check_apart(str name, TensorBase out, tuple operands) except -1    # out= shares no memory with these
cdef TensorBase into(TensorBase out, TensorBase result, str name)    # a result put into the tensor given as `out=`
cdef int resize(TensorBase t, int ndim, const Py_ssize_t *shape) except -1
