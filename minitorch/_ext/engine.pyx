# cython: boundscheck=False
"""The protocols of the tensor class: operators, indexing, attributes and NumPy, over the engine's other modules.

`minitorch/_tensor.py` derives the public `Tensor` from `TensorMethods`; an operator defined here in Cython is reached
from Python without a Python call.
"""
cimport numpy as cnp
from cpython.object cimport PyObject
from minitorch._ext.dtype cimport (
    MT_BF16, MT_BOOL, MT_C128, MT_F16, MT_F32, MT_F64, MT_I64, MT_U8, code_from_numpy, code_of, default_code, dtype_of,
    mt_category, mt_complex_of, mt_itemsize, numpy_dtype, scalar_code,
)
from minitorch._ext.loops cimport checked_value, conversion, converted, copy_data, fill_data, host_data, scalar_value
from minitorch._ext.matmul cimport matmul_of
from minitorch._ext.pointwise cimport (
    OP_ABS, OP_ADD, OP_AND, OP_DIV, OP_FLOOR_DIVIDE, OP_INVERT, OP_LEFT_SHIFT, OP_MUL, OP_NEG, OP_OR, OP_POW,
    OP_REMAINDER, OP_RIGHT_SHIFT, OP_SUB, OP_XOR, cast, compare, inplace_operator, moved, number_tensor, operator,
    prepare_out, resize, stored_number,
)
from minitorch._ext.storage cimport (
    Storage, borrow_storage, check_held, inference_mode, set_default_place, wants_device,
)
from minitorch._ext.tensor cimport (
    MAX_DIMS, TensorBase, bump, check_inplace, count_elements, data_of, describe, edge_of, grad_enabled, new_as, new_at,
    new_like_class, new_on, new_tensor, on_device, parse_size, requires_grad as needs_grad, same_shape,
    set_contiguous_dims, set_dims, shape_of, strides_of, wrap_dim,
)
from minitorch._ext.views cimport copy_into, detach_of, index_basic, one_of_several, select_of, transpose_of, view_of

import sys

import numpy as np
from minitorch._ext import index as advanced


cnp.import_array()


cdef inline bint is_operand(object x):
    return isinstance(x, (TensorBase, float, int, complex, np.generic)) or (
        isinstance(x, np.ndarray) and x.ndim == 0)


cdef object binary(int which, object a, object b):
    """A binary operator of Python's; NotImplemented for operands that are not numbers."""
    if isinstance(a, TensorBase):
        if not isinstance(b, TensorBase) and type(b) is not float and type(b) is not int and not is_operand(b):
            if isinstance(b, np.ndarray):
                b = from_numpy(b)
            else:
                return NotImplemented
    elif not is_operand(a):
        if isinstance(a, np.ndarray):
            a = from_numpy(a)
        else:
            return NotImplemented
    return operator(which, a, b)


cdef object inplace(int which, TensorBase a, object b):
    if not is_operand(b):
        if isinstance(b, np.ndarray):
            b = from_numpy(b)
        else:
            return NotImplemented
    return inplace_operator(which, a, b)


cdef class TensorMethods(TensorBase):
    """Operators, attributes and protocols; see `minitorch.Tensor`."""

    # --- operators (the operands may come in either order: see c_api_binop_methods in Cython's manual)
    def __add__(a, b):
        return binary(OP_ADD, a, b)

    def __sub__(a, b):
        return binary(OP_SUB, a, b)

    def __mul__(a, b):
        return binary(OP_MUL, a, b)

    def __truediv__(a, b):
        return binary(OP_DIV, a, b)

    def __floordiv__(a, b):
        return binary(OP_FLOOR_DIVIDE, a, b)

    def __mod__(a, b):
        return binary(OP_REMAINDER, a, b)

    def __pow__(a, b, modulus):
        if modulus is not None:
            return NotImplemented
        return binary(OP_POW, a, b)

    def __and__(a, b):
        return binary(OP_AND, a, b)

    def __or__(a, b):
        return binary(OP_OR, a, b)

    def __xor__(a, b):
        return binary(OP_XOR, a, b)

    def __lshift__(a, b):
        return binary(OP_LEFT_SHIFT, a, b)

    def __rshift__(a, b):
        return binary(OP_RIGHT_SHIFT, a, b)

    def __matmul__(a, b):
        if not isinstance(a, TensorBase) or not isinstance(b, TensorBase):
            return NotImplemented
        return matmul_of(<TensorBase>a, <TensorBase>b)

    def __neg__(self):
        return operator(OP_NEG, self, None)

    def __pos__(self):
        if self.code == MT_BOOL:
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    def __abs__(self):
        return operator(OP_ABS, self, None)

    def __invert__(self):
        if mt_category[self.code] >= 2:
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors, not on "
                            f"{describe(self)}")
        return operator(OP_INVERT, self, None)

    def __iadd__(self, b):
        return inplace(OP_ADD, self, b)

    def __isub__(self, b):
        return inplace(OP_SUB, self, b)

    def __imul__(self, b):
        return inplace(OP_MUL, self, b)

    def __itruediv__(self, b):
        return inplace(OP_DIV, self, b)

    def __ifloordiv__(self, b):
        return inplace(OP_FLOOR_DIVIDE, self, b)

    def __imod__(self, b):
        return inplace(OP_REMAINDER, self, b)

    def __ipow__(self, b):
        return inplace(OP_POW, self, b)

    def __iand__(self, b):
        return inplace(OP_AND, self, b)

    def __ior__(self, b):
        return inplace(OP_OR, self, b)

    def __ixor__(self, b):
        return inplace(OP_XOR, self, b)

    def __ilshift__(self, b):
        return inplace(OP_LEFT_SHIFT, self, b)

    def __irshift__(self, b):
        return inplace(OP_RIGHT_SHIFT, self, b)

    def __richcmp__(self, b, int op):
        if not is_operand(b):
            if isinstance(b, np.ndarray):
                b = from_numpy(b)
            else:
                return NotImplemented
        return compare(self, b, op)

    def __hash__(self):
        return <Py_ssize_t><PyObject *>self >> 4

    # --- numbers
    def __bool__(self):
        if self.numel != 1:
            raise RuntimeError("Boolean value of Tensor with "
                               f"{'no values' if self.numel == 0 else 'more than one value'} is ambiguous: "
                               f"{describe(self)}. Use .any() or .all()")
        return bool(item(self))

    def __float__(self):
        return float(one(self, "float"))

    def __complex__(self):
        return complex(one(self, "complex"))

    def __int__(self):
        return int(one(self, "int"))

    def __index__(self):
        if self.numel != 1 or mt_category[self.code] >= 2:
            raise TypeError("only integer tensors of a single element can be converted to an index, not "
                            f"{describe(self)}")
        return int(item(self))

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter([one_of_several(select_of(self, 0, i)) for i in range(self.shape[0])])

    def __contains__(self, value):
        if not is_operand(value):
            raise RuntimeError("Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                               f"{type(value)}.")
        return bool(operator_any(compare(self, value, 2)))

    # --- indexing
    def __getitem__(self, key):
        cdef Py_ssize_t index
        cdef TensorBase out
        if type(key) is int and self.ndim:
            index = key
            if index < -self.shape[0] or index >= self.shape[0]:
                raise IndexError(f"index {index} is out of bounds for dimension 0 with size {self.shape[0]}")
            return select_of(self, 0, index + self.shape[0] if index < 0 else index)
        out = index_basic(self, key if type(key) is tuple else (key,))
        if out is None:
            return advanced.getitem(self, key)
        return out

    def __setitem__(self, key, value):
        cdef TensorBase place = None, source
        check_inplace(self, "setitem")
        if type(key) is tuple or key is None or key is Ellipsis or (
                isinstance(key, (int, slice)) and type(key) is not bool):
            place = index_basic(self, key if type(key) is tuple else (key,))
        if place is None:
            advanced.setitem(self, key, value)
            return
        source = value if isinstance(value, TensorBase) else as_value(value, self.code)
        copy_into(place, fitted(source, place))

    # --- attributes
    @property
    def dtype(self):
        """The type of the elements."""
        return dtype_of(self.code)

    @property
    def requires_grad(self):
        """Whether gradients of this tensor are wanted: of a leaf as set, else if any of its inputs' are."""
        return needs_grad(self)

    @requires_grad.setter
    def requires_grad(self, bint wanted):
        set_requires_grad(self, wanted)

    @property
    def is_leaf(self):
        """Whether the tensor was made by the user rather than by a recorded operation."""
        edge_of(self)
        return self.grad_fn is None

    @property
    def grad(self):
        """The gradient that backward passes have added up, or None."""
        return self.grad_

    @grad.setter
    def grad(self, value):
        if value is None:
            self.grad_ = None
            return
        if not isinstance(value, TensorBase):
            raise TypeError("assigned grad expected to be a Tensor or None but got grad of type "
                            f"{type(value).__name__}")
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if not same_shape(self, <TensorBase>value):
            raise RuntimeError(f"assigned grad has data of a different size: {describe(<TensorBase>value)} for a "
                               f"tensor {describe(self)}")
        if (<TensorBase>value).code != self.code:
            raise RuntimeError(f"assigned grad has data of a different type: {describe(<TensorBase>value)} for a "
                               f"tensor {describe(self)}")
        if on_device(<TensorBase>value) != on_device(self):
            raise RuntimeError("assigned grad has data located on a different device: move it there with .to()")
        self.grad_ = value

    @grad.deleter
    def grad(self):
        self.grad_ = None

    @property
    def data(self):
        """The same memory outside the graph; assigning gives the tensor other memory."""
        return detach_of(self)

    @data.setter
    def data(self, TensorBase other not None):
        self.code = other.code
        self.storage = other.storage
        self.offset = other.offset
        set_dims(self, other.ndim, other.shape, other.strides)

    @property
    def T(self):
        """The dimensions in reverse order."""
        cdef Py_ssize_t[MAX_DIMS] unused
        if self.ndim == 2:
            return transpose_of(self, 0, 1)
        return self.permute(*range(self.ndim - 1, -1, -1))

    @property
    def mT(self):
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D "
                               "tensor.")
        return transpose_of(self, self.ndim - 2, self.ndim - 1)

    @property
    def mH(self):
        """The last two dimensions exchanged and the elements conjugated."""
        if self.ndim < 2:
            raise RuntimeError(f"tensor.mH is only supported on matrices or batches of matrices. Got {self.ndim}-D "
                               "tensor.")
        return self.mT.conj()

    @property
    def H(self):
        """A matrix transposed and conjugated."""
        if self.ndim not in (0, 2):
            raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor. For "
                               "batches of matrices, consider using tensor.mH")
        return self.mH if self.ndim else self

    @property
    def itemsize(self):
        """The bytes of one element."""
        return mt_itemsize[self.code]

    @property
    def nbytes(self):
        """The bytes of all elements."""
        return self.numel * mt_itemsize[self.code]

    @property
    def _version(self):
        """How often the memory was changed in place."""
        if self.storage.inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self.storage.version

    @property
    def _base(self):
        """Of a view: the tensor whose memory it shows."""
        return self.base

    def _is_view(self):
        """Whether the tensor shows the memory of another one, its ``_base``."""
        return self.base is not None

    # --- NumPy
    def __array__(self, dtype=None, copy=None):
        cdef object array
        if needs_grad(self):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        array = to_numpy(self)
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a tensor of {dtype_of(self.code)} cannot become an array of {dtype} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array


cdef object operator_any(TensorBase t):
    return to_numpy(host_data(t)).any()


cdef object one(TensorBase t, str what):
    if t.numel != 1:
        raise ValueError(f"{what}(): only one element tensors can be converted to Python scalars, not {describe(t)}")
    return item(t)


cdef int set_requires_grad(TensorBase t, bint wanted) except -1:
    edge_of(t)
    if t.grad_fn is not None:
        if wanted:
            return 0
        raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed "
                           "variable in a subgraph that doesn't require differentiation use var_no_grad = "
                           "var.detach().")
    if wanted and mt_category[t.code] < 2:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients, not "
                           f"{dtype_of(t.code)}: convert first, with .float()")
    if wanted and t.storage.inference and not inference_mode():
        raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed: "
                           "clone() it to get a normal tensor")
    t.leaf_requires_grad = wanted
    return 0


def requires_grad_(TensorBase self not None, requires_grad=True):
    """Say whether gradients of this leaf are wanted; returns it.

    >>> import minitorch
    >>> minitorch.ones(2).requires_grad_().requires_grad
    True
    """
    if not isinstance(requires_grad, bool):
        raise TypeError(f"requires_grad_(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
    set_requires_grad(self, requires_grad)
    return self


# --- attributes whose names the engine's own fields have, and what asks for the layout --------------------------------

def get_shape(TensorBase self not None):
    """The sizes of the dimensions, a `Size`."""
    return shape_of(self)


def get_ndim(TensorBase self not None):
    """The number of dimensions."""
    return self.ndim


def get_grad_fn(TensorBase self not None):
    """The recorded operation that made the tensor, or None for a leaf."""
    edge_of(self)
    return self.grad_fn


def get_output_nr(TensorBase self not None):
    """Which output of ``grad_fn`` this is."""
    return self.output_nr


def size(TensorBase self not None, dim=None):
    """The sizes of the dimensions, or of one of them.

    >>> import minitorch
    >>> minitorch.ones(2, 3).size(), minitorch.ones(2, 3).size(-1)
    (torch.Size([2, 3]), 3)
    """
    if dim is None:
        return shape_of(self)
    if self.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return self.shape[wrap_dim(dim, self.ndim)]


def dim(TensorBase self not None):
    """The number of dimensions."""
    return self.ndim


def numel(TensorBase input not None):
    """The number of elements.

    >>> import minitorch
    >>> minitorch.numel(minitorch.ones(2, 3))
    6
    """
    return input.numel


def stride(TensorBase self not None, dim=None):
    """The steps in memory, in elements, from one index to the next of each dimension, or of one of them.

    >>> import minitorch
    >>> minitorch.ones(2, 3).stride()
    (3, 1)
    """
    if dim is None:
        return strides_of(self)
    if self.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return self.strides[wrap_dim(dim, self.ndim)]


def storage_offset(TensorBase self not None):
    """Where the first element lies in the storage, in elements."""
    return self.offset


def is_contiguous(TensorBase self not None, memory_format=None):
    """Whether the elements lie in C order without gaps.

    >>> import minitorch
    >>> minitorch.ones(2, 3).t().is_contiguous()
    False
    """
    if memory_format is None or str(memory_format) == "torch.contiguous_format":
        return self.contiguous
    if str(memory_format) not in ("torch.channels_last", "torch.channels_last_3d"):
        raise NotImplementedError(f"is_contiguous: memory_format {memory_format} is not supported; leave it out")
    if self.ndim != (4 if str(memory_format) == "torch.channels_last" else 5):
        return False
    return (<TensorBase>detach_of(self).movedim(1, -1)).contiguous


def data_ptr(TensorBase self not None):
    """The address of the first element; 0 if there is none."""
    return <Py_ssize_t>data_of(self) if self.numel else 0


def element_size(TensorBase self not None):
    """The bytes of one element."""
    return mt_itemsize[self.code]


def storage_bytes(TensorBase t not None):
    """All bytes of the memory under a tensor, whatever its type, as a vector of uint8."""
    cdef TensorBase result = new_like_class()
    cdef Py_ssize_t one = 1
    result.code = MT_U8
    result.storage = t.storage
    set_dims(result, 1, &t.storage.nbytes, &one)
    return result


def memory_owner(TensorBase t not None):
    """The object that the memory under a tensor belongs to; None if it is the storage's own."""
    return t.storage.owner


def move_memory(TensorBase t not None, array not None, owner not None):
    """Let a storage, for all tensors that show it, use the memory of an array of uint8 that has the same bytes.

    `owner` keeps the array alive.  Returns what keeps the memory that it used so far.
    """
    cdef Storage storage = t.storage, before = Storage.__new__(Storage)
    cdef cnp.ndarray memory = array
    if storage.on_device or array.dtype != np.uint8 or not array.flags.carray or array.nbytes < storage.nbytes:
        raise ValueError(f"move_memory: {storage.nbytes} bytes of the CPU need as many in an array of uint8, writable "
                         f"and contiguous, not {array.dtype} of {array.shape}")
    before.data, before.size_class, before.nbytes = storage.data, storage.size_class, storage.nbytes
    before.owner = storage.owner
    storage.data, storage.size_class, storage.readonly = <char *>memory.data, -1, False
    storage.owner = owner
    return before


def is_floating_point(TensorBase input not None):
    """Whether the dtype is a floating-point type."""
    return mt_category[input.code] == 2


def is_complex(TensorBase input not None):
    """Whether the dtype is complex."""
    return mt_category[input.code] == 3


def is_same_size(TensorBase self not None, TensorBase other not None):
    """Whether both have the same shape."""
    return same_shape(self, other)


def to_dtype(TensorBase self not None, dtype not None):
    """The tensor as another type: itself if it has it already."""
    return cast(self, code_of(dtype))


# --- values in and out ------------------------------------------------------------------------------------------------

def item(TensorBase self not None):
    """The value of a tensor of one element, as a Python number.

    >>> import minitorch
    >>> minitorch.tensor([2.5]).item()
    2.5
    """
    cdef char *p
    cdef double value
    cdef double[2] pair
    cdef long long integer
    if self.numel != 1:
        raise RuntimeError(f"a Tensor with {self.numel} elements cannot be converted to Scalar: {describe(self)}. "
                           "Use .tolist() for all of its values")
    if on_device(self):
        self = host_data(self)
    p = data_of(self)
    if mt_category[self.code] == 2:
        conversion(MT_F64, self.code)(<char *>&value, 8, p, 8, 1)
        return value
    if mt_category[self.code] == 3:
        conversion(MT_C128, self.code)(<char *>pair, 16, p, 16, 1)
        return complex(pair[0], pair[1])
    conversion(MT_I64, self.code)(<char *>&integer, 8, p, 8, 1)
    return bool(integer) if self.code == MT_BOOL else integer


def tolist(TensorBase self not None):
    """The values as nested lists, or as a number where there are no dimensions.

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    cdef TensorBase t = host_data(self) if on_device(self) else self
    if self.code == MT_BF16:
        t = converted(t, MT_F32)
    return to_numpy(t).tolist()


cdef object to_numpy(TensorBase t):
    """An array over the same memory."""
    cdef cnp.npy_intp[MAX_DIMS] shape
    cdef cnp.npy_intp[MAX_DIMS] strides
    cdef int d, flags = 0 if t.storage.readonly else cnp.NPY_ARRAY_WRITEABLE
    if on_device(t):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                        f"memory first: {describe(t)}")
    cdef object kind = numpy_dtype(t.code)
    for d in range(t.ndim):
        shape[d] = t.shape[d]
        strides[d] = t.strides[d] * mt_itemsize[t.code]
    cdef cnp.ndarray array = cnp.PyArray_New(np.ndarray, t.ndim, shape, (<cnp.dtype>kind).type_num, strides,
                                             data_of(t), 0, flags, None)
    cnp.set_array_base(array, t.storage)
    return array


def numpy(TensorBase self not None, *, bint force=False):
    """A NumPy array over the same memory (``force``: of a detached tensor, if need be).

    Raises:
        RuntimeError: if the tensor requires grad.

    >>> import minitorch
    >>> minitorch.ones(2).numpy()
    array([1., 1.], dtype=float32)
    """
    if needs_grad(self) and not force:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    return to_numpy(host_data(self) if force else self)


def from_numpy(array not None):
    """A tensor over the memory of a NumPy array, which it keeps alive.

    Raises:
        TypeError: if there is no such dtype.
        ValueError: for negative strides or a foreign byte order: copy the array first.

    >>> import minitorch, numpy
    >>> a = numpy.zeros(2)
    >>> minitorch.from_numpy(a)[0] = 7
    >>> a
    array([7., 0.])
    """
    cdef TensorBase t
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef cnp.ndarray a
    cdef int d, code
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    a = array
    code = code_from_numpy(array.dtype)
    if not array.flags.aligned:
        raise ValueError("the given numpy array is not aligned to its type in memory. Copy it first: array.copy()")
    for d in range(a.ndim):
        shape[d] = a.shape[d]
        if a.strides[d] < 0 and a.shape[d] > 1:
            raise ValueError("At least one stride in the given numpy array is negative, and tensors with negative "
                             "strides are not supported. Copy it first: array.copy()")
        if a.strides[d] % mt_itemsize[code]:
            if a.shape[d] > 1:
                raise ValueError("given numpy array strides not a multiple of the element byte size. "
                                 "Copy the numpy array to reallocate the memory.")
        strides[d] = a.strides[d] // mt_itemsize[code] if a.shape[d] > 1 else 1
    t = new_like_class()
    t.code = code
    if a.size:
        set_dims(t, a.ndim, shape, strides)
    else:                               # NumPy leaves the strides of an empty array at anything
        set_contiguous_dims(t, a.ndim, shape)
    cdef Py_ssize_t last = 0
    for d in range(a.ndim):
        last += (shape[d] - 1) * strides[d]
    t.storage = borrow_storage(<char *>a.data, (last + 1) * mt_itemsize[code] if t.numel else 0,
                               not array.flags.writeable, array)
    return t


def borrowed(size_t pointer, tuple shape, tuple strides, dtype, bint readonly, owner):
    """A tensor over the device's memory of another library: strides in elements, none negative.

    `owner` is kept alive.
    """
    cdef TensorBase t = new_like_class()
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef Py_ssize_t[MAX_DIMS] steps
    cdef int d, ndim = len(shape)
    if ndim > MAX_DIMS or len(strides) != ndim:
        raise ValueError(f"a tensor has at most {MAX_DIMS} dimensions, and as many strides; got the shape {shape} and "
                         f"the strides {strides}")
    for d in range(ndim):
        sizes[d], steps[d] = shape[d], strides[d]
        if sizes[d] < 0 or steps[d] < 0:
            raise ValueError(f"negative sizes and strides are not supported: got {shape} and {strides}")
    t.code = code_of(dtype)
    check_held(True, t.code)
    count_elements(ndim, sizes, mt_itemsize[t.code])        # refuses more than there can be
    nbytes = 0 if 0 in shape else mt_itemsize[t.code] * (     # of Python's integers, which do not overflow
        1 + sum([(size - 1) * step for size, step in zip(shape, strides)]))
    if nbytes > sys.maxsize:
        raise ValueError(f"the strides {strides} of the shape {shape} lead out of any memory")
    if 0 in shape:
        set_contiguous_dims(t, ndim, sizes)
    else:
        set_dims(t, ndim, sizes, steps)
    t.storage = borrow_storage(<char *>pointer, nbytes, readonly, owner)
    t.storage.on_device = True
    return t


cdef TensorBase fitted(TensorBase source, TensorBase place):
    """The source without those leading dimensions of size one that the place does not have, checked to fit."""
    cdef int extra = source.ndim - place.ndim, d
    if extra > 0:
        for d in range(extra):
            if source.shape[d] != 1:
                break
        else:
            source = view_of(source, place.ndim, source.shape + extra)
    for d in range(source.ndim):
        if source.ndim > place.ndim or (source.shape[d] != 1 and
                                        source.shape[d] != place.shape[place.ndim - source.ndim + d]):
            raise RuntimeError(f"shape mismatch: value tensor of shape {list(shape_of(source))} cannot be broadcast to "
                               f"indexing result of shape {list(shape_of(place))}")
    return source


cdef TensorBase as_value(object value, int code):
    """What is assigned to elements of a tensor of a type."""
    if isinstance(value, (int, float, complex)) or not isinstance(value, (np.ndarray, list, tuple)):
        scalar_code(value)
        return stored_number(value, code, True)
    return tensor(value)


# --- making tensors from data -----------------------------------------------------------------------------------------

cdef TensorBase from_array(object array, int code):
    """A new tensor with a copy of an array's values."""
    cdef TensorBase source, out
    if not array.flags.c_contiguous or not array.dtype.isnative or not array.flags.aligned:
        array = np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True)
    source = from_numpy(array)
    out = new_tensor(source.ndim, source.shape, source.code if code < 0 else code)
    copy_data(out, source)
    return out


cdef object sequence_type(object data, int depth):
    """The first element of nested sequences that is none, or None if they are empty."""
    while isinstance(data, (list, tuple)):
        if not data:
            return None
        data = data[0]
        depth += 1
        if depth > MAX_DIMS:
            raise ValueError(f"tensor: the sequences are nested deeper than {MAX_DIMS} dimensions")
    return data


cdef list shape_of_first(object data):
    """The lengths of the first sequence of each level."""
    cdef list lengths = []
    while isinstance(data, (list, tuple)):
        lengths.append(len(data))
        data = data[0] if data else None
    return lengths


cdef int check_rectangle(object data, tuple place, list lengths) except -1:
    """Say where the first sequence is that has not the length of the others of its level."""
    cdef Py_ssize_t d = len(place)
    cdef str where = "".join([f"[{i}]" for i in place])
    if isinstance(data, (list, tuple)) != (d < len(lengths)):
        raise TypeError(f"tensor: data{where} is {'a sequence' if d == len(lengths) else 'not a sequence'}, unlike the "
                        "first item of its level")
    if d == len(lengths):
        return 0
    if len(data) != lengths[d]:
        raise ValueError(f"tensor: expected sequence of length {lengths[d]} at dim {d} (got {len(data)}): data{where}")
    for i, item in enumerate(data):
        check_rectangle(item, place + (i,), lengths)
    return 0


cdef TensorBase from_sequence(object data, int code):
    """A tensor of nested lists of numbers, arrays or tensors."""
    cdef object array, first = sequence_type(data, 0)
    if isinstance(first, TensorBase):
        data = unwrapped(data)
        if code < 0:
            code = (<TensorBase>first).code
    try:
        array = np.array(data)
    except (ValueError, OverflowError) as error:
        check_rectangle(data, (), shape_of_first(data))
        raise ValueError(f"tensor: the data do not make an array: {error}") from None
    if array.size == 0 and not isinstance(data, np.ndarray):
        array = array.astype(numpy_dtype(default_code()) if default_code() != MT_BF16 else np.float32)
        if code < 0:
            code = default_code()
    if array.dtype == object or array.dtype.kind not in "biufc":
        if array.dtype == object and all([isinstance(x, int) for x in array.flat]):
            raise ValueError("Overflow when unpacking long long: an integer does not fit into 64 bits")
        raise_bad_data(data, array)
    if array.dtype.kind == "f" and code < 0 and not isinstance(first, (np.generic, np.ndarray)):
        code = default_code()
    elif array.dtype.kind == "c" and code < 0 and not isinstance(first, (np.generic, np.ndarray)):
        code = mt_complex_of(default_code())
    elif array.dtype.kind == "u" and array.dtype.itemsize > 1:
        if isinstance(first, (np.generic, np.ndarray)):
            code_from_numpy(array.dtype)
        raise ValueError("Overflow when unpacking long long: an integer does not fit into 64 bits")
    if code >= 0 and mt_category[code] == 1 and array.size:      # refuse what the type cannot hold
        checked_value(array.min().item(), code)
        checked_value(array.max().item(), code)
    return from_array(array, code)


cdef int raise_bad_data(object data, object array) except -1:
    for x in array.flat:
        if x is None or not isinstance(x, (int, float, complex, np.number)):
            if isinstance(x, str):
                raise TypeError(f"new(): invalid data type 'str': {x!r} is not a number")
            raise RuntimeError(f"Could not infer dtype of {type(x).__name__}: the data of a tensor must be numbers")
    raise TypeError(f"tensor: could not make a tensor of data of type {array.dtype}")


cdef object unwrapped(object data):
    """Nested sequences with numbers and arrays in the place of tensors."""
    if isinstance(data, TensorBase):
        if (<TensorBase>data).numel == 1:
            return item(data)
        return tolist(data)
    return [unwrapped(x) for x in data] if isinstance(data, (list, tuple)) else data


def tensor(data, *, dtype=None, device=None, bint requires_grad=False, bint pin_memory=False):
    """A new tensor with a copy of the data: a number, nested lists, a NumPy array or a tensor.

    Floats become the default dtype, integers int64.

    Raises:
        ValueError: if nested lists are not rectangular.
        TypeError: if the data are not numbers.

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    cdef int code = -1 if dtype is None else code_of(dtype)
    cdef TensorBase out
    cdef bint there = wants_device(device)
    if isinstance(data, (float, int, complex)) and not isinstance(data, np.generic):
        if isinstance(data, int) and not -2 ** 63 <= data < 2 ** 63 and (code < 0 or mt_category[code] < 2):
            raise ValueError(f"Overflow when unpacking long long: {data} does not fit into 64 bits")
        out = number_tensor(data, scalar_code(data) if code < 0 else code)
    elif isinstance(data, TensorBase):
        there = there if device is not None else on_device(<TensorBase>data)
        out = new_at(there, (<TensorBase>data).ndim, (<TensorBase>data).shape,
                     (<TensorBase>data).code if code < 0 else code)
        copy_data(out, <TensorBase>data)
    elif isinstance(data, (np.ndarray, np.generic)):
        out = from_array(np.asarray(data), code)
    elif isinstance(data, (list, tuple)):
        out = from_sequence(data, code)
    elif hasattr(data, "__cuda_array_interface__"):
        from minitorch.cuda.sharing import from_interface
        return tensor(from_interface(data), dtype=dtype, device=device, requires_grad=requires_grad)
    elif hasattr(data, "__array__") or hasattr(data, "__array_interface__"):
        out = from_array(np.asarray(data), code)
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, (str, bytes, dict)):
        out = from_sequence(list(data), code)
    elif isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    elif hasattr(data, "__index__") or hasattr(data, "__float__"):
        out = number_tensor(data, scalar_code(data) if code < 0 else code)
    else:
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    if there:
        out = moved(out, True)
    if pin_memory:
        out = pinned(out, None)
    if requires_grad:
        set_requires_grad(out, True)
    return out


def as_tensor(data, dtype=None, device=None):
    """A tensor of the data, sharing their memory where the type allows it.

    >>> import minitorch, numpy
    >>> a = numpy.zeros(2)
    >>> minitorch.as_tensor(a)[0] = 1
    >>> a
    array([1., 0.])
    """
    cdef bint there = wants_device(device)
    if isinstance(data, TensorBase):
        return moved(data if dtype is None else cast(<TensorBase>data, code_of(dtype)),
                     there if device is not None else on_device(<TensorBase>data))
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return moved(shared if dtype is None else cast(shared, code_of(dtype)), there)
    if hasattr(data, "__cuda_array_interface__"):
        from minitorch.cuda.sharing import from_interface
        other = from_interface(data)
        return moved(other if dtype is None else cast(<TensorBase>other, code_of(dtype)), there or device is None)
    return tensor(data, dtype=dtype, device=device)


def check_device(device):
    """Whether an argument ``device`` means the CUDA device; refuses one that is not there.

    >>> import minitorch
    >>> minitorch._ext.engine.check_device("cpu")
    False
    """
    return wants_device(device)


def set_default_on_device(bint on):
    """Make new tensors on the CUDA device where nothing else is said."""
    set_default_place(on)


def to_device(TensorBase self not None, device):
    """The tensor on a device: itself if it is there."""
    return moved(self, self.storage.on_device if device is None else wants_device(device))


def is_on_device(TensorBase self not None):
    """Whether the memory is the CUDA device's."""
    return self.storage.on_device


# --- making tensors of sizes ------------------------------------------------------------------------------------------

cdef int size_argument(tuple sizes, object size, Py_ssize_t *shape, str name) except -1:
    if size is not None:
        if sizes:
            raise TypeError(f"{name}() got its sizes twice: {sizes} and size={size}")
        return parse_size(size, shape)
    if len(sizes) == 1:
        return parse_size(sizes[0], shape)
    return parse_size(sizes, shape)


cdef TensorBase filled(tuple sizes, object size, object out, object dtype, object layout, object device,
                       bint requires_grad, bint pin_memory, str name, object value):
    """A tensor of a shape with one value everywhere; None leaves it as it comes."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = size_argument(sizes, size, shape, name)
    cdef TensorBase t
    cdef bint there = wants_device(device)
    if layout is not None and str(layout) != "torch.strided":
        raise NotImplementedError(f"{name}: layout {layout} is not supported; leave it out")
    if out is None:
        t = new_at(there, ndim, shape, default_code() if dtype is None else code_of(dtype))
    else:
        t = out
        if dtype is not None and code_of(dtype) != t.code:
            raise RuntimeError(f"{name}: dtype {dtype} does not match dtype of out parameter ({dtype_of(t.code)})")
        prepare_out(t, ndim, shape, t.code, name, False)
        bump(t)
    if value is not None:
        # PyTorch's full takes any number for the half types, and its fill_ does not
        fill_data(t, scalar_value(value, MT_F32) if t.code in (MT_F16, MT_BF16) else checked_value(value, t.code))
    if pin_memory:
        t = pinned(t, out)
    if requires_grad:
        set_requires_grad(t, True)
    return t


cdef TensorBase pinned(TensorBase t, object out):
    """A new tensor in memory that a GPU copies by itself."""
    from minitorch.cuda.pinned import pin_new
    return pin_new(t, out)


def empty(*sizes, size=None, out=None, dtype=None, layout=None, device=None, bint requires_grad=False,
          bint pin_memory=False, memory_format=None):
    """A tensor that is not initialised.

    >>> import minitorch
    >>> minitorch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    if memory_format is not None and str(memory_format) != "torch.contiguous_format":
        raise NotImplementedError(f"empty: memory_format {memory_format} is not supported; leave it out")
    return filled(sizes, size, out, dtype, layout, device, requires_grad, pin_memory, "empty", None)


def zeros(*sizes, size=None, out=None, dtype=None, layout=None, device=None, bint requires_grad=False,
          bint pin_memory=False):
    """A tensor of zeros.

    >>> import minitorch
    >>> minitorch.zeros(2)
    tensor([0., 0.])
    """
    return filled(sizes, size, out, dtype, layout, device, requires_grad, pin_memory, "zeros", 0)


def ones(*sizes, size=None, out=None, dtype=None, layout=None, device=None, bint requires_grad=False,
         bint pin_memory=False):
    """A tensor of ones.

    >>> import minitorch
    >>> minitorch.ones(2)
    tensor([1., 1.])
    """
    return filled(sizes, size, out, dtype, layout, device, requires_grad, pin_memory, "ones", 1)


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, bint requires_grad=False,
         bint pin_memory=False):
    """A tensor with one value everywhere.

    >>> import minitorch
    >>> minitorch.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, TensorBase):
        fill_value = item(fill_value)
    if dtype is None and out is None:
        dtype = dtype_of(scalar_code(fill_value))
    return filled((), size, out, dtype, layout, device, requires_grad, pin_memory, "full", fill_value)


cdef TensorBase shape_on(TensorBase t, bint there):
    """An unset tensor of the same layout on the other device."""
    cdef TensorBase out = new_at(there, t.ndim, t.shape, t.code)
    return out


cdef TensorBase like(TensorBase t, object dtype, object layout, object device, bint requires_grad, bint pin_memory,
                     object memory_format, str name, object value):
    """A tensor of the shape of another, its dimensions in the same order in memory."""
    cdef TensorBase out
    if device is not None and wants_device(device) != on_device(t):
        t = shape_on(t, not on_device(t))
    if layout is not None and str(layout) != "torch.strided":
        raise NotImplementedError(f"{name}: layout {layout} is not supported; leave it out")
    if memory_format is not None and str(memory_format) not in ("torch.preserve_format", "torch.contiguous_format"):
        raise NotImplementedError(f"{name}: memory_format {memory_format} is not supported; leave it out")
    if memory_format is not None and str(memory_format) == "torch.contiguous_format":
        out = new_on(t, t.ndim, t.shape, t.code if dtype is None else code_of(dtype))
    else:
        out = new_as(t, t.code if dtype is None else code_of(dtype))
    if value is not None:
        fill_data(out, checked_value(value, out.code))
    if pin_memory:
        out = pinned(out, None)
    if requires_grad:
        set_requires_grad(out, True)
    return out


def empty_like(TensorBase input not None, *, dtype=None, layout=None, device=None, bint requires_grad=False,
               bint pin_memory=False, memory_format=None):
    """A tensor of the same shape and type that is not initialised."""
    return like(input, dtype, layout, device, requires_grad, pin_memory, memory_format, "empty_like", None)


def zeros_like(TensorBase input not None, *, dtype=None, layout=None, device=None, bint requires_grad=False,
               bint pin_memory=False, memory_format=None):
    """Zeros of the same shape and type.

    >>> import minitorch
    >>> minitorch.zeros_like(minitorch.ones(2))
    tensor([0., 0.])
    """
    return like(input, dtype, layout, device, requires_grad, pin_memory, memory_format, "zeros_like", 0)


def ones_like(TensorBase input not None, *, dtype=None, layout=None, device=None, bint requires_grad=False,
              bint pin_memory=False, memory_format=None):
    """Ones of the same shape and type.

    >>> import minitorch
    >>> minitorch.ones_like(minitorch.zeros(2))
    tensor([1., 1.])
    """
    return like(input, dtype, layout, device, requires_grad, pin_memory, memory_format, "ones_like", 1)


def full_like(TensorBase input not None, fill_value, *, dtype=None, layout=None, device=None, bint requires_grad=False,
              bint pin_memory=False, memory_format=None):
    """One value everywhere, in the same shape and type.

    >>> import minitorch
    >>> minitorch.full_like(minitorch.zeros(2), 7)
    tensor([7., 7.])
    """
    if isinstance(fill_value, TensorBase):
        fill_value = item(fill_value)
    return like(input, dtype, layout, device, requires_grad, pin_memory, memory_format, "full_like", fill_value)


cdef object own_device(TensorBase t, object device):
    """A device, or that of a tensor if none is given."""
    return device if device is not None else "cuda" if on_device(t) else "cpu"


def new_empty(TensorBase self not None, *sizes, size=None, dtype=None, layout=None, device=None,
              bint requires_grad=False, bint pin_memory=False):
    """A tensor of this one's type that is not initialised."""
    return filled(sizes, size, None, dtype or dtype_of(self.code), layout, own_device(self, device), requires_grad,
                  pin_memory, "new_empty", None)


def new_zeros(TensorBase self not None, *sizes, size=None, dtype=None, layout=None, device=None,
              bint requires_grad=False, bint pin_memory=False):
    """Zeros of this tensor's type."""
    return filled(sizes, size, None, dtype or dtype_of(self.code), layout, own_device(self, device), requires_grad,
                  pin_memory, "new_zeros", 0)


def new_ones(TensorBase self not None, *sizes, size=None, dtype=None, layout=None, device=None,
             bint requires_grad=False, bint pin_memory=False):
    """Ones of this tensor's type."""
    return filled(sizes, size, None, dtype or dtype_of(self.code), layout, own_device(self, device), requires_grad,
                  pin_memory, "new_ones", 1)


def new_full(TensorBase self not None, size, fill_value, *, dtype=None, layout=None, device=None,
             bint requires_grad=False, bint pin_memory=False):
    """One value everywhere, in this tensor's type."""
    return filled((), size, None, dtype or dtype_of(self.code), layout, own_device(self, device), requires_grad,
                  pin_memory, "new_full", fill_value)


def resize_(TensorBase self not None, *sizes, memory_format=None):
    """Give the tensor another shape, with new memory where the old does not suffice; new elements are not initialised.

    >>> import minitorch
    >>> minitorch.ones(2).resize_(1, 2).shape
    torch.Size([1, 2])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = size_argument(sizes, None, shape, "resize_")
    if grad_enabled() and needs_grad(self):
        raise RuntimeError("cannot resize variables that require grad")
    resize(self, ndim, shape)
    return self
