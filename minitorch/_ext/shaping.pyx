"""Views and copies as users call them: `view`, `transpose`, `narrow`, `clone`, `copy_` and their kin.

How a view is made and differentiated is in `views`; here arguments are read and checked.
"""
from minitorch._ext.dtype cimport dtype, dtype_of, mt_category, mt_itemsize
from minitorch._ext.storage cimport check_held
from minitorch._ext.tensor cimport (
    MAX_DIMS, TensorBase, bump, check_inplace, count_elements, describe, new_like_class, parse_size, recording1,
    set_dims, shape_of, wrap_dim,
)
from minitorch._ext.views cimport (
    Steps, clone_of, contiguous_of, copy_into, detach_of, expand_to, fill_in, one_of_several, permuted, reshape_to,
    same_steps, select_of, slice_of, step_view, strided_view, transpose_of, unsqueeze_of, view_as_complex_of,
    view_as_real_of, view_of,
)


cdef int sizes_of(tuple args, Py_ssize_t *shape, str name) except -1:
    """A shape given as several ints or as one sequence."""
    if len(args) == 1:
        return parse_size(args[0], shape)
    if not args:
        return 0
    return parse_size(args, shape)


def view(TensorBase self not None, *shape):
    """The same memory in another shape; one size may be -1.  ``view(dtype)`` reads the bits as another type.

    Raises:
        RuntimeError: if the number of elements differs, or the strides do not allow it (`reshape` would copy).

    >>> import minitorch
    >>> minitorch.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int ndim
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return view_as_type(self, (<dtype>shape[0]).code)
    if not shape:
        raise TypeError("view() needs a shape or a dtype")
    ndim = sizes_of(shape, sizes, "view")
    fill_in(self, ndim, sizes)
    return view_of(self, ndim, sizes)


cdef TensorBase view_as_type(TensorBase t, int code):
    """Read the bits as another type; the last dimension takes up a change of size."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int old = mt_itemsize[t.code], new = mt_itemsize[code], d, last = t.ndim - 1
    cdef TensorBase out
    if recording1(t):
        raise RuntimeError("view(dtype) has no derivative: detach() the tensor first")
    for d in range(t.ndim):
        shape[d] = t.shape[d]
        strides[d] = t.strides[d] * old // new
        if old != new and d != last and t.strides[d] * old % new:
            raise RuntimeError(f"view: the stride of dimension {d} of {describe(t)} must be divisible by {new // old} "
                               f"to view it as {dtype_of(code).name}")
    if old != new:
        if t.ndim == 0:
            raise RuntimeError(f"view: a 0-d tensor {describe(t)} cannot be viewed as {dtype_of(code).name}, of "
                               "another size")
        if t.strides[last] != 1:
            raise RuntimeError(f"view: the last stride of {describe(t)} must be 1 to view it as {dtype_of(code).name}, "
                               "of another size")
        if t.shape[last] * old % new or t.offset * old % new:
            raise RuntimeError(f"view: the last dimension and the offset of {describe(t)} must be divisible by "
                               f"{new // old} to view it as {dtype_of(code).name}")
        shape[last] = t.shape[last] * old // new
        strides[last] = 1
    check_held(t.storage.on_device, code)
    out = new_like_class()
    out.code = code
    out.storage = t.storage
    out.offset = t.offset * old // new
    set_dims(out, t.ndim, shape, strides)
    return out


def reshape(TensorBase input not None, *args, shape=None):
    """The same elements in another shape: a view where the strides allow it, else a copy.  One size may be -1.

    >>> import minitorch
    >>> minitorch.arange(6).reshape(3, 2).t().reshape(-1)
    tensor([0, 2, 4, 1, 3, 5])
    """
    cdef Py_ssize_t[MAX_DIMS] sizes
    cdef int ndim = sizes_of(args if shape is None else (shape,), sizes, "reshape")
    fill_in(input, ndim, sizes)
    return reshape_to(input, ndim, sizes)


def view_as(TensorBase self not None, TensorBase other not None):
    """``self.view(other.size())``"""
    fill_in(self, other.ndim, other.shape)
    return view_of(self, other.ndim, other.shape)


def reshape_as(TensorBase self not None, TensorBase other not None):
    """``self.reshape(other.size())``"""
    fill_in(self, other.ndim, other.shape)
    return reshape_to(self, other.ndim, other.shape)


def transpose(TensorBase input not None, dim0, dim1):
    """A view with two dimensions exchanged.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).transpose(0, 1)
    tensor([[0, 3],
            [1, 4],
            [2, 5]])
    """
    return transpose_of(input, wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim))


def t(TensorBase input not None):
    """The transpose of a matrix; a vector or number as it is.

    >>> import minitorch
    >>> minitorch.ones(2, 3).t().shape
    torch.Size([3, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D: {describe(input)}. "
                           "Use transpose(dim0, dim1), or .mT for a batch of matrices")
    return transpose_of(input, 0, input.ndim - 1 if input.ndim == 2 else 0)


def permute(TensorBase input not None, *args, dims=None):
    """A view with the dimensions in the given order.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    cdef int[MAX_DIMS] order
    cdef int i = 0
    cdef unsigned long long seen = 0
    dims = args if dims is None else tuple(dims)
    if len(dims) == 1 and not isinstance(dims[0], int):
        dims = tuple(dims[0])
    if len(dims) != input.ndim:
        raise RuntimeError(f"permute: the tensor {describe(input)} has {input.ndim} dimensions, but {len(dims)} were "
                           f"given: {tuple(dims)}")
    for dim in dims:
        order[i] = wrap_dim(dim, input.ndim)
        if (seen >> order[i]) & 1:
            raise RuntimeError(f"permute: duplicate dims are not allowed: {dims}")
        seen |= <unsigned long long>1 << order[i]
        i += 1
    return permuted(input, order)


def movedim(TensorBase input not None, source, destination):
    """Move dimensions to other places; the rest keep their order.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    cdef int[MAX_DIMS] order
    cdef int i
    a = [wrap_dim(d, input.ndim) for d in ((source,) if isinstance(source, int) else source)]
    b = [wrap_dim(d, input.ndim) for d in ((destination,) if isinstance(destination, int) else destination)]
    if len(a) != len(b) or len(set(a)) < len(a) or len(set(b)) < len(b):
        raise RuntimeError(f"movedim: source {source} and destination {destination} must be as many dimensions, "
                           "without repetition")
    rest = iter([d for d in range(input.ndim) if d not in a])
    for i in range(input.ndim):
        order[i] = a[b.index(i)] if i in b else next(rest)
    return permuted(input, order)


def expand(TensorBase self not None, *sizes, size=None, implicit=False):
    """A view with dimensions of size one, or new leading ones, repeated; -1 keeps a size.

    >>> import minitorch
    >>> minitorch.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = sizes_of(sizes if size is None else (size,), shape, "expand")
    return expand_to(self, ndim, shape)


def broadcast_to(TensorBase input not None, size):
    """The same as ``input.expand(size)``."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = parse_size(size, shape)
    return expand_to(input, ndim, shape)


def expand_as(TensorBase self not None, TensorBase other not None):
    """``self.expand(other.size())``"""
    return expand_to(self, other.ndim, other.shape)


def squeeze(TensorBase input not None, dim=None):
    """A view without the dimensions of size one, or without those given that have it.

    >>> import minitorch
    >>> minitorch.ones(1, 3, 1).squeeze().shape, minitorch.ones(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    cdef Steps s
    cdef int d, j = 0
    cdef unsigned long long drop = ~<unsigned long long>0
    if dim is not None:
        drop = 0
        for one in (dim if isinstance(dim, (tuple, list)) else (dim,)):
            d = wrap_dim(one, input.ndim)
            if (drop >> d) & 1:
                raise RuntimeError(f"squeeze: dim {d} appears multiple times in the list of dims")
            drop |= <unsigned long long>1 << d
    same_steps(&s, input)
    for d in range(input.ndim):
        if input.shape[d] != 1 or not (drop >> d) & 1:
            s.shape[j] = input.shape[d]
            s.source[j] = d
            j += 1
    s.ndim = j
    return step_view(&s, input, "Squeeze")


def unsqueeze(TensorBase input not None, dim):
    """A view with a new dimension of size one at ``dim``.

    >>> import minitorch
    >>> minitorch.ones(3).unsqueeze(-1).shape
    torch.Size([3, 1])
    """
    return unsqueeze_of(input, wrap_dim(dim, input.ndim + 1))


def flatten(TensorBase input not None, start_dim=0, end_dim=-1):
    """The dimensions from ``start_dim`` to ``end_dim`` joined into one.

    >>> import minitorch
    >>> minitorch.ones(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int d, first = wrap_dim(start_dim, input.ndim), last = wrap_dim(end_dim, input.ndim)
    if first > last:
        raise RuntimeError(f"flatten() has invalid args: start_dim {start_dim} cannot come after end_dim {end_dim}")
    if input.ndim == 0:
        shape[0] = 1
        return reshape_to(input, 1, shape)
    if first == last:
        return input
    for d in range(first + 1):
        shape[d] = input.shape[d]
    for d in range(first + 1, last + 1):
        shape[first] *= input.shape[d]
    for d in range(last + 1, input.ndim):
        shape[d - last + first] = input.shape[d]
    return reshape_to(input, input.ndim - last + first, shape)


def unflatten(TensorBase input not None, dim, sizes):
    """One dimension split into several; one size may be -1.

    >>> import minitorch
    >>> minitorch.ones(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    cdef int d = wrap_dim(dim, input.ndim), i
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t known = 1
    sizes = list(sizes)
    for n in sizes:
        if n != -1:
            known *= n
    if sizes.count(-1) == 1 and known > 0 and input.shape[d] % known == 0:
        sizes[sizes.index(-1)] = input.shape[d] // known
    elif -1 in sizes or not sizes or known != input.shape[d]:
        raise RuntimeError(f"unflatten: Provided sizes {sizes} don't multiply up to the size of dim {d} "
                           f"({input.shape[d]}) in the input tensor {describe(input)}")
    whole = list(shape_of(input))
    i = parse_size(whole[:d] + sizes + whole[d + 1:], shape)
    return view_of(input, i, shape)


def ravel(TensorBase input not None):
    """All elements in one dimension: ``input.reshape(-1)``."""
    return reshape_to(input, 1, &input.numel)


def narrow(TensorBase input not None, dim, start, Py_ssize_t length):
    """The view of ``length`` elements from ``start`` on along ``dim``.

    >>> import minitorch
    >>> minitorch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    cdef int d
    cdef Py_ssize_t first
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, input.ndim)
    if isinstance(start, TensorBase) and (
            (<TensorBase>start).ndim or mt_category[(<TensorBase>start).code] != 1):
        raise RuntimeError(f"narrow(): start must be an 0-dim integral Tensor, got {describe(<TensorBase>start)}")
    first = int(start)
    if first < -input.shape[d] or first > input.shape[d]:
        raise IndexError(f"start out of range (expected to be in range of [{-input.shape[d]}, {input.shape[d]}], "
                         f"but got {first})")
    if first < 0:
        first += input.shape[d]
    if length < 0 or length > input.shape[d] - first:
        raise RuntimeError(f"narrow(): start ({first}) + length ({length}) exceeds dimension size ({input.shape[d]}) "
                           f"of dimension {d} of {describe(input)}" if length >= 0 else
                           "narrow(): length must be non-negative.")
    return slice_of(input, d, first, length, 1)


def select(TensorBase input not None, dim, index):
    """The view at one index of ``dim``, without that dimension.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).select(1, -1)
    tensor([2, 5])
    """
    cdef int d
    cdef Py_ssize_t i
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, input.ndim)
    i = int(index)
    if i < -input.shape[d] or i >= input.shape[d]:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(shape_of(input))} at dimension "
                         f"{d}")
    return select_of(input, d, i + input.shape[d] if i < 0 else i)


def diagonal(TensorBase input not None, Py_ssize_t offset=0, dim1=0, dim2=1):
    """The view of the diagonal of two dimensions, which becomes the last dimension.

    >>> import minitorch
    >>> minitorch.arange(6).view(2, 3).diagonal(1)
    tensor([1, 5])
    """
    cdef Steps s
    cdef int a = wrap_dim(dim1, input.ndim), b = wrap_dim(dim2, input.ndim), d, j = 0
    cdef Py_ssize_t length
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    same_steps(&s, input)
    for d in range(input.ndim):
        if d != a and d != b:
            s.shape[j] = input.shape[d]
            s.source[j] = d
            j += 1
    if offset >= 0:
        length = min(input.shape[a], input.shape[b] - offset)
    else:
        length = min(input.shape[a] + offset, input.shape[b])
    if length > 0:
        s.start[b if offset >= 0 else a] = abs(offset)
    s.shape[j] = max(length, 0)
    s.source[j], s.also[j] = a, b
    s.ndim = j + 1
    return step_view(&s, input, "Diagonal")


def unfold(TensorBase self not None, dimension, Py_ssize_t size, Py_ssize_t step):
    """A view of all windows of ``size`` elements along a dimension, ``step`` apart, as a new last dimension.

    >>> import minitorch
    >>> minitorch.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int d = wrap_dim(dimension, self.ndim), i
    cdef Py_ssize_t available = self.shape[d] if self.ndim else 1
    if step <= 0:
        raise RuntimeError(f"unfold: step is {step} but must be > 0")
    if size < 0:
        raise RuntimeError(f"unfold: size is {size} but must be >= 0")
    if size > available:
        raise RuntimeError(f"unfold: maximum size for tensor at dimension {d} is {available} but size is {size}")
    for i in range(self.ndim):
        shape[i], strides[i] = self.shape[i], self.strides[i]
    shape[self.ndim] = size
    if self.ndim:
        shape[d] = (available - size) // step + 1
        strides[self.ndim] = strides[d]
        strides[d] *= step
    else:
        strides[0] = 1
    return strided_view(self, self.ndim + 1, shape, strides, self.offset)


def as_strided(TensorBase input not None, size, stride, storage_offset=None):
    """A view of the storage at any shape, strides and offset (in elements).

    Raises:
        RuntimeError: if the view would reach outside the storage.

    >>> import minitorch
    >>> minitorch.arange(6).as_strided((2, 2), (3, 2))
    tensor([[0, 2],
            [3, 5]])
    """
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef Py_ssize_t[MAX_DIMS] strides
    cdef int ndim = parse_size(size, shape), d
    cdef Py_ssize_t offset = input.offset if storage_offset is None else storage_offset
    cdef Py_ssize_t available = input.storage.nbytes // mt_itemsize[input.code]
    if parse_size(stride, strides) != ndim:
        raise RuntimeError(f"as_strided: mismatch in length of strides and shape: {stride} and {size}")
    last = offset + 1
    for d in range(ndim):
        if strides[d] < 0:
            raise RuntimeError("as_strided: Negative strides are not supported at the moment, got strides: "
                               f"{list(stride)}")
        last += (shape[d] - 1) * <object>strides[d]
    if offset < 0:
        raise RuntimeError(f"as_strided: the storage offset must not be negative, got {offset}")
    if count_elements(ndim, shape, 1) > 0 and last > available:
        raise RuntimeError(f"as_strided: setStorage: sizes {list(size)}, strides {list(stride)}, storage offset "
                           f"{offset} require {last} elements, out of bounds for storage of {available}")
    return strided_view(input, ndim, shape, strides, offset)


def split(TensorBase self not None, split_size_or_sections, dim=0):
    """Views of pieces of the given size (the last may be smaller), or of the given sizes, along ``dim``.

    >>> import minitorch
    >>> minitorch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    cdef int d
    cdef Py_ssize_t size, length, start = 0
    if self.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, self.ndim)
    length = self.shape[d]
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = list(split_size_or_sections)
        if sum(sizes) != length or any([n < 0 for n in sizes]):
            raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size "
                               f"at dimension {d}), but got split_sizes={sizes}")
    else:
        size = split_size_or_sections
        if size < 0 or (size == 0 and length != 0):
            raise RuntimeError(f"split expects split_size be non-negative and, if 0, a dimension of size 0; "
                               f"got split_size={size} for a dimension of size {length}")
        sizes = [min(size, length - k) for k in range(0, length, size)] if length else [0]
    pieces = []
    for n in sizes:
        pieces.append(one_of_several(slice_of(self, d, start, n, 1)))
        start += n
    return tuple(pieces)


def chunk(TensorBase input not None, Py_ssize_t chunks, dim=0):
    """Views of at most ``chunks`` pieces of equal size (the last may be smaller) along ``dim``.

    >>> import minitorch
    >>> [len(piece) for piece in minitorch.arange(7).chunk(3)]
    [3, 3, 1]
    """
    cdef int d
    cdef Py_ssize_t size
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, input.ndim)
    size = (input.shape[d] + chunks - 1) // chunks
    if input.shape[d] == 0:
        return split(input, [0] * chunks, d)
    return split(input, size, d)


def unbind(TensorBase input not None, dim=0):
    """Views of the slices along ``dim``, without that dimension.

    >>> import minitorch
    >>> minitorch.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    cdef int d
    cdef Py_ssize_t i
    if input.ndim == 0:
        raise IndexError("unbind: Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, input.ndim)
    return tuple([one_of_several(select_of(input, d, i)) for i in range(input.shape[d])])


def clone(TensorBase input not None, *, memory_format=None):
    """A copy with memory of its own; gradients flow through it.

    >>> import minitorch
    >>> a = minitorch.ones(2)
    >>> b = a.clone()
    >>> b[0] = 5
    >>> a
    tensor([1., 1.])
    """
    if memory_format is None or str(memory_format) == "torch.preserve_format":
        return clone_of(input)
    return laid_out(input, str(memory_format), True, "clone")


def contiguous(TensorBase self not None, memory_format=None):
    """The tensor itself if its elements lie in C order, else a copy in which they do.

    >>> import minitorch
    >>> minitorch.ones(2, 3).t().contiguous().stride()
    (2, 1)
    """
    return contiguous_of(self) if memory_format is None else laid_out(self, str(memory_format), False, "contiguous")


cdef TensorBase laid_out(TensorBase t, str order, bint copy, str name):
    """The values of t with the dimensions in an order in memory; t itself where they are so, unless `copy`."""
    cdef int[MAX_DIMS] places
    cdef int d, n = t.ndim
    cdef TensorBase last
    if order == "torch.preserve_format":
        return clone_of(t) if copy else t
    if order == "torch.contiguous_format":
        return clone_of(t) if copy and t.contiguous else contiguous_of(t)
    if order not in ("torch.channels_last", "torch.channels_last_3d"):
        raise NotImplementedError(f"{name}: memory_format {order} is not supported; leave it out")
    if n != (4 if order == "torch.channels_last" else 5):
        raise RuntimeError(f"{name}: required rank {4 if order == 'torch.channels_last' else 5} tensor to use "
                           f"{order[6:]} format, got {describe(t)}")
    for d in range(n):
        places[d] = 0 if d == 0 else d + 1 if d < n - 1 else 1
    last = permuted(t, places)
    if last.contiguous and not copy:
        return t
    last = clone_of(last) if last.contiguous else contiguous_of(last)
    for d in range(n):
        places[d] = 0 if d == 0 else n - 1 if d == 1 else d - 1
    return permuted(last, places)


def detach(TensorBase input not None):
    """The same memory outside the graph: no gradient flows through it.

    >>> import minitorch
    >>> minitorch.ones(2, requires_grad=True).detach().requires_grad
    False
    """
    return detach_of(input)


def is_inference(TensorBase input not None):
    """Whether a tensor was made in inference mode; such a tensor never becomes part of a graph.

    >>> import minitorch
    >>> with minitorch.inference_mode():
    ...     x = minitorch.ones(2)
    >>> x.is_inference(), (x + 1).is_inference()
    (True, False)
    """
    return input.storage.inference != 0


def detach_(TensorBase input not None):
    """Take the tensor itself out of the graph; it becomes a leaf."""
    if input.base is not None and (input.grad_fn is not None or input.base.grad_fn is not None):
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    input.grad_fn = None
    input.leaf_requires_grad = False
    input.output_nr = 0
    return input


def copy_(TensorBase self not None, src, non_blocking=False):
    """Copy the values of ``src``, broadcast and converted, into this tensor.

    Args:
        non_blocking: do not wait for a copy between pinned memory and the CUDA device.

    >>> import minitorch
    >>> minitorch.zeros(2, 2).copy_(minitorch.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    cdef TensorBase source
    if not isinstance(src, TensorBase):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    source = src
    check_fits(self, source)
    if non_blocking and self.storage.on_device != source.storage.on_device:
        from minitorch.cuda.pinned import not_waiting
        with not_waiting():
            copy_into(self, source)
    else:
        copy_into(self, source)
    return self


cdef int check_fits(TensorBase dst, TensorBase src) except -1:
    """Whether src broadcasts to the shape of dst."""
    cdef int d, lead = dst.ndim - src.ndim
    for d in range(src.ndim):
        if lead >= 0 and (src.shape[d] == 1 or src.shape[d] == dst.shape[lead + d]):
            continue
        raise RuntimeError(f"copy_: the shape {tuple(shape_of(src))} of the source cannot be broadcast to "
                           f"{tuple(shape_of(dst))}, the shape of the tensor to be written")
    return 0


def view_as_real(TensorBase input not None):
    """A complex tensor's real and imaginary parts, a view with one more dimension of size 2.

    >>> import minitorch
    >>> minitorch.view_as_real(minitorch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if mt_category[input.code] != 3:
        raise RuntimeError(f"view_as_real is only supported for complex tensors, not {describe(input)}")
    return view_as_real_of(input)


def view_as_complex(TensorBase input not None):
    """The pairs of a last dimension of size 2 as complex numbers, a view.

    >>> import minitorch
    >>> minitorch.view_as_complex(minitorch.tensor([[1., 2.]]))
    tensor([1.+2.j])
    """
    if dtype_of(input.code).name not in ("float32", "float64"):
        raise RuntimeError(f"view_as_complex is only supported for float32 and float64 tensors, not {describe(input)}")
    if input.ndim == 0 or input.shape[input.ndim - 1] != 2:
        raise RuntimeError(f"view_as_complex: Tensor must have a last dimension of size 2, not {describe(input)}")
    return view_as_complex_of(input)


# --- the tensor itself seen in another shape --------------------------------------------------------------------------

cdef TensorBase become(TensorBase t, TensorBase view, str name):
    """Give t the geometry of a view of it, in place; the graph goes through the view."""
    check_inplace(t, name)
    set_dims(t, view.ndim, view.shape, view.strides)
    t.offset = view.offset
    bump(t)
    if t.base is None and view.grad_fn is not None:          # a view of a base finds its edge by the version
        t.grad_fn = view.grad_fn
        t.output_nr = 0
    return t


def squeeze_(TensorBase self not None, dim=None):
    """In-place `squeeze`."""
    return become(self, squeeze(self, dim), "squeeze_")


def unsqueeze_(TensorBase self not None, dim):
    """In-place `unsqueeze`."""
    return become(self, unsqueeze(self, dim), "unsqueeze_")


def transpose_(TensorBase self not None, dim0, dim1):
    """In-place `transpose`."""
    return become(self, transpose(self, dim0, dim1), "transpose_")


swapaxes_ = swapdims_ = transpose_


def t_(TensorBase self not None):
    """In-place `t`."""
    return become(self, t(self), "t_")


def as_strided_(TensorBase self not None, size, stride, storage_offset=None):
    """In-place `as_strided`."""
    return become(self, as_strided(self, size, stride, storage_offset), "as_strided_")
