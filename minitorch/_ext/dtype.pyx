"""Scalar types: `dtype` objects, promotion, and what a floating-point or integer type can hold."""
import numpy as np


cdef class dtype:
    """A scalar type, such as ``minitorch.float32``.

    >>> import minitorch
    >>> minitorch.float32.itemsize, minitorch.int64.is_floating_point
    (4, False)
    """
    def __cinit__(self, str name not None, int code):
        self.name = name
        self.code = code
        self.itemsize = mt_itemsize[code]
        self.is_floating_point = mt_category[code] == 2
        self.is_complex = mt_category[code] == 3
        self.is_signed = code not in (MT_BOOL, MT_U8)

    def __repr__(self):
        # the prefix is PyTorch's: programs parse it, and print it
        return "torch." + self.name

    def __reduce__(self):
        return _by_name, (self.name,)

    def to_complex(self):
        """The complex type of the same precision: of a complex type, the type itself."""
        if mt_category[self.code] < 2:
            raise RuntimeError(f"to_complex: {self} has no complex type; convert to a floating-point type first")
        return dtype_of(mt_complex_of(self.code))

    def to_real(self):
        """The real type of the same precision: of a real type, the type itself."""
        return dtype_of(mt_real_of(self.code))


cdef tuple _names = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
                     "complex64", "complex128")
cdef tuple _dtypes = tuple([dtype(name, code) for code, name in enumerate(_names)])
# bfloat16 has no NumPy type: its bits travel as uint16
cdef tuple _numpy = tuple([None if name == "bfloat16" else np.dtype(name) for name in _names])
cdef dict _from_numpy = {np.dtype(name): code for code, name in enumerate(_names) if name != "bfloat16"}
cdef dict _by_scalar = {bool: MT_BOOL, int: MT_I64, float: MT_F64, complex: MT_C128}
cdef int _default = MT_F32

ALL = _dtypes


def _by_name(str name not None):
    return _dtypes[_names.index(name)]


cdef dtype dtype_of(int code):
    return <dtype>_dtypes[code]


cdef int default_code() noexcept nogil:
    return _default


cdef int code_of(object wanted, int default=-1) except -1:
    """The code of a dtype argument: a dtype, a Python type, or None for the default given."""
    if wanted is None:
        return default if default >= 0 else _default
    if isinstance(wanted, dtype):
        return (<dtype>wanted).code
    if wanted in _by_scalar:
        return _by_scalar[wanted]
    raise TypeError(f"dtype must be a minitorch.dtype such as minitorch.float32, not {wanted!r}")


cdef int scalar_code(object number) except -1:
    """The type that a Python or NumPy number brings to a promotion."""
    if isinstance(number, (bool, np.bool_)):
        return MT_BOOL
    if isinstance(number, float):
        return _default
    if isinstance(number, (int, np.integer)):
        return MT_I64
    if isinstance(number, np.floating):
        return _default
    if isinstance(number, (complex, np.complexfloating)):
        return mt_complex_of(_default)
    if hasattr(number, "__index__"):
        return MT_I64
    if hasattr(number, "__float__"):
        return _default
    raise TypeError(f"expected a tensor or a number, not {type(number).__name__}")


cdef int combine(int higher, int lower) noexcept nogil:
    """Promotion between priorities: a lower one counts only if its category is higher (-1: no operand)."""
    if higher < 0:
        return lower
    if lower < 0 or mt_category[higher] >= mt_category[lower]:
        return higher
    return mt_complex_of(higher) if mt_category[higher] == 2 else lower


cdef object numpy_dtype(int code):
    if code == MT_BF16:
        raise TypeError("NumPy has no bfloat16: convert first, with .float()")
    return _numpy[code]


cdef int code_from_numpy(object kind) except -1:
    code = _from_numpy.get(kind)
    if code is not None:
        return code
    if not kind.isnative:
        raise ValueError(f"given numpy array has byte order different from the native byte order ({kind!s}). "
                         f"Convert it first: array.astype(array.dtype.newbyteorder('='))")
    raise TypeError(f"can't convert np.ndarray of type {kind!s}. The supported types are: "
                    "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint8 and bool.")


def set_default_dtype(d not None, /):
    """Set the type of new floating-point tensors and of Python floats in promotion.

    Raises:
        TypeError: if ``d`` is not a floating-point dtype.

    >>> import minitorch
    >>> minitorch.set_default_dtype(minitorch.float64)
    >>> minitorch.tensor(1.5).dtype
    torch.float64
    >>> minitorch.set_default_dtype(minitorch.float32)
    """
    global _default
    cdef int code = code_of(d)
    if mt_category[code] != 2:
        raise TypeError(f"set_default_dtype: only floating-point types are supported as the default type, not {d}")
    _default = code


def get_default_dtype():
    """The type of new floating-point tensors; ``float32`` unless changed.

    >>> import minitorch
    >>> minitorch.get_default_dtype()
    torch.float32
    """
    return _dtypes[_default]


def promote_types(type1 not None, type2 not None):
    """The smallest type that holds the values of both.

    >>> import minitorch
    >>> minitorch.promote_types(minitorch.uint8, minitorch.int8)
    torch.int16
    """
    return _dtypes[mt_promote(code_of(type1), code_of(type2))]


def can_cast(from_ not None, to not None):
    """Whether promotion allows a value of one type to be stored in the other: never to a lower category.

    >>> import minitorch
    >>> minitorch.can_cast(minitorch.float64, minitorch.float32), minitorch.can_cast(minitorch.float32, minitorch.int64)
    (True, False)
    """
    cdef int a = code_of(from_), b = code_of(to)
    if mt_category[a] >= 2 and mt_category[b] < mt_category[a]:
        return False
    return b != MT_BOOL or a == MT_BOOL


# what a floating-point type holds: bits, eps, smallest normal, largest, decimal digits
cdef dict _float_facts = {
    MT_F16: (16, 2.0 ** -10, 2.0 ** -14, 65504.0, 1e-3),
    MT_BF16: (16, 2.0 ** -7, 2.0 ** -126, (2.0 - 2.0 ** -7) * 2.0 ** 127, 1e-2),
    MT_F32: (32, 2.0 ** -23, 2.0 ** -126, (2.0 - 2.0 ** -23) * 2.0 ** 127, 1e-6),
    MT_F64: (64, 2.0 ** -52, 2.0 ** -1022, (2.0 - 2.0 ** -52) * 2.0 ** 1023, 1e-15),
}


class finfo:
    """What a floating-point type can hold: ``bits``, ``eps``, ``max``, ``min``, ``tiny``, ``resolution``.

    >>> import minitorch
    >>> minitorch.finfo(minitorch.float32).eps
    1.1920928955078125e-07
    """
    def __init__(self, type=None):
        cdef int code = mt_real_of(code_of(type))
        if code not in _float_facts:
            raise TypeError(f"finfo: {_dtypes[code]} is not a floating-point type. Use minitorch.iinfo for integers")
        self.bits, self.eps, self.tiny, self.max, self.resolution = _float_facts[code]
        self.min = -self.max
        self.smallest_normal = self.tiny
        self.dtype = _names[code]

    def __repr__(self):
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")

    def __eq__(self, other):
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(("finfo", self.dtype))


class iinfo:
    """What an integer type can hold: ``bits``, ``min``, ``max``.

    >>> import minitorch
    >>> minitorch.iinfo(minitorch.int8).max
    127
    """
    def __init__(self, type):
        cdef int code = code_of(type)
        if mt_category[code] != 1:
            raise TypeError(f"iinfo: {_dtypes[code]} is not an integer type. Use minitorch.finfo for floating point")
        self.bits = 8 * mt_itemsize[code]
        self.min = 0 if code == MT_U8 else -(1 << (self.bits - 1))
        self.max = (1 << (self.bits - (code != MT_U8))) - 1
        self.dtype = _names[code]

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other):
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(("iinfo", self.dtype))
