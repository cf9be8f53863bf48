"""The public `Tensor`: the engine's functions as its methods, and what is easier said in Python."""

from __future__ import annotations

from collections.abc import Iterator

from ._ext import (
    arithmetic,
    arrange,
    dispatch,
    engine,
    extrema,
    index,
    matmul,
    moments,
    random,
    reduce,
    scan,
    scatter,
    shaping,
    softmax,
    sort,
    tape,
    tensor,
)
from ._ext.dtype import ALL as DTYPES
from ._ext.dtype import dtype, get_default_dtype
from ._size import Size

# Functions of the engine that are neither names of `minitorch` nor methods: they belong to nn.functional and the like.
ELSEWHERE = {*arithmetic.ELSEWHERE, "norm", "linear", "cross_entropy", "nll_loss"}
# ... and those of `minitorch` that are not methods.
NOT_METHODS = {"poisson", "dropout", "dropout_", "rand_like", "randn_like", "randint_like", "empty_like", "zeros_like",
               "ones_like", "full_like"}


def engine_functions(*first_arguments: str) -> Iterator[tuple[str, object]]:
    """The public functions of the engine whose first argument has one of the names given.

    The engine's convention: a first argument ``input`` makes a function of `minitorch` and a method, ``self`` a
    method only.
    """
    modules = (arithmetic, shaping, reduce, extrema, moments, sort, scan, matmul, softmax, index, scatter, arrange,
               random, tape, engine)
    for module in modules:
        for name, function in vars(module).items():
            if name.startswith("_") or name in ELSEWHERE or not hasattr(function, "__code__"):
                continue
            if function.__code__.co_varnames[:1] and function.__code__.co_varnames[0] in first_arguments:
                yield name, function


def _never_stands_in(func, types, args=(), kwargs=None):
    """The `__torch_function__` of a class that is taken as plain tensors are."""
    return NotImplemented


def stands_in(cls: type) -> bool:
    """Whether calls with instances of a class go to its `__torch_function__`."""
    function = getattr(cls, "__torch_function__", None)
    return function is not None and cls is not Tensor and function is not _never_stands_in


class Tensor(engine.TensorMethods):
    """A multi-dimensional array of numbers of one type, on which operations can be recorded and differentiated.

    Made by `minitorch.tensor`, `minitorch.zeros` and the like.  ``Tensor(2, 3)`` makes one that is not initialised, and
    ``Tensor([1, 2])`` one of the default type: PyTorch's old habits.

    >>> import minitorch
    >>> x = minitorch.tensor([1., 2., 3.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ()

    __array_priority__ = 1000  # NumPy leaves binary operators to us

    def __new__(cls, *data, device=None, dtype=None):
        from . import _creation

        return cls._make_subclass(cls, _creation.legacy(get_default_dtype(), data, device))

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        tensor.inherit_operators(cls)
        if stands_in(cls):
            from .overrides import _install

            _install()
        dispatch.override_methods(cls)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """What `func` does, its result as a tensor of this class: see `minitorch.overrides`."""
        from .overrides import _in_class

        return _in_class(cls, func, types, args, kwargs or {})

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Tensor:
        """A tensor of a subclass over the memory of `data`, and a leaf."""
        return tensor.as_subclass(cls, data, require_grad)

    def as_subclass(self, cls: type) -> Tensor:
        """The same values as a tensor of a subclass, which shares the memory and the place in the graph."""
        if not issubclass(cls, Tensor):
            raise TypeError(f"as_subclass: expected a subclass of Tensor, got {cls!r}")
        return tensor.with_class(cls, shaping.view_as(self, self))

    # --- attributes
    shape = property(engine.get_shape)
    ndim = property(engine.get_ndim)
    grad_fn = property(engine.get_grad_fn)
    output_nr = property(engine.get_output_nr)
    backward = tape.tensor_backward
    retains_grad = property(tape.retains_grad)

    @property
    def device(self):
        """Where the memory is."""
        from ._device import CPU, CUDA

        return CUDA if engine.is_on_device(self) else CPU

    @property
    def layout(self):
        """How the elements are stored: always strided."""
        from ._device import strided

        return strided

    is_cuda = property(engine.is_on_device)
    is_sparse = is_quantized = is_meta = property(lambda self: False)
    is_mps = is_xpu = is_mkldnn = is_nested = property(lambda self: False)
    is_cpu = property(lambda self: not engine.is_on_device(self))
    name = property(lambda self: None)

    # --- representation
    def __repr__(self, *, tensor_contents=None):
        from ._printing import tensor_text

        return tensor_text(self)

    def _repr_html_(self):
        from ._printing import tensor_html

        return tensor_html(self)

    def __format__(self, spec):
        return format(self.item(), spec) if self.ndim == 0 and type(self) is Tensor else object.__format__(self, spec)

    def __dir__(self):
        return sorted({*object.__dir__(self), *self.__dict__})

    # --- copies
    def __copy__(self):
        copy = tensor.as_subclass(type(self), self, False)
        copy.requires_grad_(self.requires_grad and self.is_leaf)
        copy.__dict__.update(self.__dict__)
        return copy

    def __deepcopy__(self, memo):
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment: use .detach().clone()"
            )
        if id(self) not in memo:
            copy = self.detach().clone()
            if type(copy) is not type(self):
                copy = copy.as_subclass(type(self))
            copy.requires_grad_(self.requires_grad)
            memo[id(self)] = copy
            if self.grad is not None:
                copy.grad = self.grad.__deepcopy__(memo)
            if self.__dict__:
                from copy import deepcopy

                copy.__dict__.update(deepcopy(self.__dict__, memo))
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        if not self.is_leaf:
            raise RuntimeError("a tensor inside a graph cannot be pickled: detach() it first")
        bits = self.detach().cpu().contiguous()
        raw = bits.view(DTYPES[3]) if str(self.dtype) == "torch.bfloat16" else bits
        return _rebuild, (type(self), raw.numpy(), self.dtype, self.requires_grad, dict(self.__dict__),
                          str(self.device))

    # --- conversions
    def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
        """The tensor as another type or on another device: itself if nothing changes, unless ``copy``.

        Takes a dtype, a device, both, or another tensor to be like.

        >>> import minitorch
        >>> minitorch.ones(2).to(minitorch.int64)
        tensor([1, 1])
        """
        flags: list[bool] = []
        for argument in args:
            if isinstance(argument, Tensor):
                dtype, device = argument.dtype, argument.device
            elif isinstance(argument, _dtype) or argument in (float, int, bool, complex):
                dtype = argument
            elif isinstance(argument, bool):
                flags.append(argument)
            elif argument is not None:
                device = argument
        if flags:
            non_blocking, copy = [*flags, copy][:2]
        result = self if dtype is None else engine.to_dtype(self, dtype)
        if device is not None:
            result = _moved(result, device, non_blocking)
        if memory_format is not None and str(memory_format) != "torch.preserve_format":
            result = result.contiguous(memory_format=memory_format)
        return result.clone() if copy and result is self else result

    def type(self, dtype=None, non_blocking=False):
        """The tensor as another type; without arguments, the name of the type."""
        from ._creation import legacy_dtype, legacy_name

        if dtype is None:
            return legacy_name(self.dtype)
        return engine.to_dtype(self, legacy_dtype(dtype))

    def type_as(self, other):
        """The tensor as the type of another."""
        return engine.to_dtype(self, other.dtype)

    def cpu(self, memory_format=None):
        """The tensor in the memory of the CPU: itself if it is there."""
        return engine.to_device(self, "cpu")

    def cuda(self, device=None, non_blocking=False):
        """The tensor on the CUDA device: itself if it is there."""
        return _moved(self, "cuda" if device is None else device, non_blocking)

    def pin_memory(self, device=None):
        """The tensor in pinned memory, which a GPU copies by itself with ``non_blocking=True``: itself if it is there.

        Raises:
            RuntimeError: there is no CUDA device, or the tensor is on it.
        """
        from .cuda.pinned import pin

        return pin(self)

    def is_pinned(self, device=None):
        """Whether the memory is pinned for transfers to a GPU."""
        from .cuda import runtime

        if not runtime.is_active():
            return False
        from .cuda.pinned import is_pinned

        return is_pinned(self)

    def record_stream(self, stream):
        """Let the memory, once it is freed, wait for what a stream of the CUDA device has been given by then."""
        from .cuda.pinned import record_stream

        record_stream(self, stream)

    def share_memory_(self):
        """Move the memory, under all tensors that show it, to where other processes can show it, too.

        >>> import minitorch
        >>> minitorch.ones(2).share_memory_().is_shared()
        True
        """
        if not self.is_cuda:
            from .multiprocessing.memory import share

            share(self)
        return self

    def is_shared(self):
        """Whether processes share the memory: it was moved for that, or is a device's."""
        from .multiprocessing.memory import is_shared

        return is_shared(self)

    def untyped_storage(self):
        """The memory that the tensor shows, as bytes."""
        from .storage import untyped_storage

        return untyped_storage(self)

    def storage(self):
        """The memory that the tensor shows, as elements of its type."""
        from .storage import typed_storage

        return typed_storage(self)

    def get_device(self):
        """The index of the GPU that the tensor is on: -1 for the CPU."""
        return 0 if self.is_cuda else -1

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """A DLPack capsule of the memory: see `minitorch.utils.dlpack`."""
        from .utils.dlpack import export

        return export(self, stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self):
        """Where the memory is, in DLPack's numbers."""
        return (2, 0) if self.is_cuda else (1, 0)

    @property
    def __cuda_array_interface__(self):
        """Address, shape and strides of memory on a GPU, for other libraries (version 3 of the interface).

        Raises:
            AttributeError: the tensor is not on a GPU.
            RuntimeError: it requires grad.
        """
        if not self.is_cuda:
            raise AttributeError("only tensors on a GPU have __cuda_array_interface__: move it there with .cuda()")
        if self.requires_grad:
            raise RuntimeError("Can't get __cuda_array_interface__ of a tensor that requires grad: use .detach()")
        from .cuda import sharing

        try:
            sharing.hardware("__cuda_array_interface__")
        except BufferError as error:
            raise AttributeError(str(error)) from None
        return sharing.interface(self)

    def to_dense(self, dtype=None, *, masked_grad=True):
        """The tensor itself, which is dense."""
        return self if dtype is None else self.to(dtype)

    def new(self, *data, device=None):
        """The old form of `new_empty` and `new_tensor`: sizes, or data."""
        from ._creation import legacy

        return legacy(self.dtype, data, device)

    def nelement(self):
        """The number of elements."""
        return self.numel()

    ndimension = engine.dim

    def is_signed(self):
        """Whether the dtype has negative numbers."""
        return self.dtype.is_signed

    def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
        """A new tensor of the data, of this one's type."""
        return engine.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def set_(self, source):
        """Show the memory of another tensor."""
        self.data = source
        return self

    def __setstate__(self, state):
        self.__dict__.update(state)

    # `x in numpy_function` and the like ask for this: values, not the graph
    def __array_wrap__(self, array, context=None, return_scalar=False):
        return engine.tensor(array) if array.ndim == 0 or not array.flags.owndata else engine.from_numpy(array)


_dtype = dtype


def _rebuild(cls, array, dtype, requires_grad, attributes, device="cpu"):
    result = engine.from_numpy(array.copy())
    if str(dtype) == "torch.bfloat16":
        result = result.view(dtype)
    result = result.to(device)
    result = tensor.as_subclass(cls, result, requires_grad)
    result.__dict__.update(attributes)
    return result


def _moved(tensor, device, non_blocking):
    """The tensor on a device, perhaps without waiting for the copy."""
    if not non_blocking:
        return engine.to_device(tensor, device)
    from .cuda.pinned import not_waiting

    with not_waiting():
        return engine.to_device(tensor, device)


def _conversion(target: dtype, name: str):
    def convert(self, memory_format=None):
        return engine.to_dtype(self, target)

    convert.__name__ = name
    convert.__doc__ = f"The tensor as {target}."
    return convert


def _chalf(self, memory_format=None):
    """PyTorch's conversion to complex32, a type that is not there."""
    raise NotImplementedError("chalf: there is no complex32; use .cfloat() for complex64")


_chalf.__name__ = "chalf"
Tensor.chalf = _chalf

for _name, _function in engine_functions("input", "self"):
    if _name not in Tensor.__dict__ and _name not in NOT_METHODS:
        setattr(Tensor, _name, _function)
for _target, _names in zip(
    DTYPES,
    ("bool", "byte", "char", "short", "int", "long", "half", "bfloat16", "float", "double", "cfloat", "cdouble"),
):
    setattr(Tensor, _names, _conversion(_target, _names))
del _name, _function, _target, _names

tensor.register_classes(Tensor, Size)
