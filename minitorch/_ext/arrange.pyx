"""Copies with elements in other places: turned round, or with a triangle of them zero."""
from libc.string cimport memcpy, memset
from minitorch._ext.dtype cimport mt_itemsize
from minitorch._ext.loops cimport contiguous_data, copy_data
from minitorch._ext.pointwise cimport into
from minitorch._ext.storage cimport primitives
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_inplace, data_of, describe, grad_enabled, new_as, new_on, new_view,
    on_device, rebase, record1, record_edges, recording1, requires_grad, shown, wrap_dim,
)
from minitorch._ext.threads cimport parallel_for


# --- turned round -----------------------------------------------------------------------------------------------------

cdef class FlipBackward(Node):
    """y is x with some dimensions turned round:  dx is dy with the same turned round."""
    cdef unsigned long long dims

    cdef object apply(self, TensorBase g):
        return (flipped(g, self.dims),)


cdef TensorBase flipped(TensorBase x, unsigned long long dims):
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef Py_ssize_t offset = x.offset
    cdef TensorBase out = new_as(x, x.code)
    cdef FlipBackward node
    cdef int d
    if x.numel:
        for d in range(x.ndim):
            strides[d] = x.strides[d]
            if (dims >> d) & 1:
                strides[d] = -x.strides[d]
                offset += (x.shape[d] - 1) * x.strides[d]
        copy_data(out, new_view(x, x.ndim, x.shape, strides, offset))
    if recording1(x):
        node = FlipBackward.__new__(FlipBackward)
        node.dims = dims
        record1(node, out, x)
    return out


def flip(TensorBase input not None, *args, dims=None):
    """A copy with the given dimensions turned round.

    >>> import minitorch
    >>> minitorch.arange(4).view(2, 2).flip(0)
    tensor([[2, 3],
            [0, 1]])
    """
    cdef unsigned long long turned = 0
    cdef int d
    dims = args if dims is None else (dims,)
    if len(dims) == 1 and not hasattr(dims[0], "__index__"):
        dims = tuple(dims[0])
    for dim in dims:
        d = wrap_dim(dim, input.ndim)
        if (turned >> d) & 1:
            raise RuntimeError(f"flip: dim {d} appears multiple times in the list of dims")
        turned |= <unsigned long long>1 << d
    return flipped(input, turned)


# --- triangles --------------------------------------------------------------------------------------------------------

cdef struct Triangle:
    char *out
    const char *x
    Py_ssize_t rows, columns, diagonal, itemsize
    bint upper


cdef void triangle_rows(void *context, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Rows of all matrices, one after another; out may be x."""
    cdef Triangle *t = <Triangle *>context
    cdef Py_ssize_t row, cut, width = t.columns * t.itemsize
    cdef char *out
    for row in range(begin, end):
        # the columns before `cut` belong to the lower triangle, counted with the diagonal, or without for the upper
        cut = row % t.rows + t.diagonal + (0 if t.upper else 1)
        cut = (0 if cut < 0 else t.columns if cut > t.columns else cut) * t.itemsize
        out = t.out + row * width
        if t.upper:
            memset(out, 0, cut)
            if t.out != t.x:
                memcpy(out + cut, t.x + row * width + cut, width - cut)
        else:
            if t.out != t.x:
                memcpy(out, t.x + row * width, cut)
            memset(out + cut, 0, width - cut)


cdef int triangle_data(TensorBase out, TensorBase x, Py_ssize_t diagonal, bint upper) except -1:
    """Both contiguous and of the same shape; they may be one."""
    cdef Triangle t
    if x.numel == 0:
        return 0
    if on_device(x):
        primitives().triangle(shown(out), shown(x), diagonal, upper)
        return 0
    t.out, t.x, t.upper, t.itemsize = data_of(out), data_of(x), upper, mt_itemsize[x.code]
    t.rows, t.columns = x.shape[x.ndim - 2], x.shape[x.ndim - 1]
    t.diagonal = min(max(diagonal, -t.rows), t.columns)
    with nogil:
        parallel_for(x.numel // t.columns, 1 + 32768 // t.columns, triangle_rows, &t)
    return 0


cdef class TriangleBackward(Node):
    """y is a triangle of x, and zero elsewhere:  dx is the same triangle of dy."""
    cdef Py_ssize_t diagonal
    cdef bint upper

    cdef object apply(self, TensorBase g):
        return (triangle(g, self.diagonal, self.upper, "triu" if self.upper else "tril"),)

    cdef str op_name(self):
        return "TriuBackward0" if self.upper else "TrilBackward0"


cdef TriangleBackward triangle_node(Py_ssize_t diagonal, bint upper):
    cdef TriangleBackward node = TriangleBackward.__new__(TriangleBackward)
    node.diagonal, node.upper = diagonal, upper
    return node


cdef TensorBase triangle(TensorBase x, Py_ssize_t diagonal, bint upper, str name):
    cdef TensorBase out
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got {describe(x)}")
    out = new_on(x, x.ndim, x.shape, x.code)
    triangle_data(out, contiguous_data(x), diagonal, upper)
    if recording1(x):
        record1(triangle_node(diagonal, upper), out, x)
    return out


cdef TensorBase triangle_(TensorBase x, Py_ssize_t diagonal, bint upper, str name):
    cdef TensorBase whole
    check_inplace(x, name)
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got {describe(x)}")
    whole = contiguous_data(x)
    triangle_data(whole, whole, diagonal, upper)
    if whole is not x:
        copy_data(x, whole)
    bump(x)
    if grad_enabled() and requires_grad(x):
        rebase(x, record_edges(triangle_node(diagonal, upper), (x,)))
    return x


def tril(TensorBase input not None, Py_ssize_t diagonal=0, *, TensorBase out=None):
    """The lower triangles of matrices: the elements on and below a diagonal, zeros above.

    >>> import minitorch
    >>> minitorch.ones(2, 2).tril()
    tensor([[1., 0.],
            [1., 1.]])
    """
    cdef TensorBase result = triangle(input, diagonal, False, "tril")
    return into(out, result, "tril")


def triu(TensorBase input not None, Py_ssize_t diagonal=0, *, TensorBase out=None):
    """The upper triangles of matrices: the elements on and above a diagonal, zeros below.

    >>> import minitorch
    >>> minitorch.ones(2, 2).triu(1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    cdef TensorBase result = triangle(input, diagonal, True, "triu")
    return into(out, result, "triu")


def tril_(TensorBase self not None, Py_ssize_t diagonal=0):
    """In-place `tril`."""
    return triangle_(self, diagonal, False, "tril_")


def triu_(TensorBase self not None, Py_ssize_t diagonal=0):
    """In-place `triu`."""
    return triangle_(self, diagonal, True, "triu_")
