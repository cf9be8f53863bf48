"""Random numbers: the generator, and every function that draws from it.

The numbers are those of PyTorch's CPU generator from the same seed; ``include/distributions.h`` makes them and
docs/random.md tells how.  Each distribution is a C *fill* of contiguous memory.  `draw` runs one under the generator's
lock and brings the numbers to the tensor's type and layout: a strided tensor is filled in the order of its memory.
"""
import os
import warnings
from time import sleep

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy
from minitorch._ext.dtype cimport (
    MT_BF16, MT_BOOL, MT_F16, MT_F32, MT_F64, MT_I8, MT_I16, MT_I32, MT_I64, MT_U8,
    code_of, dtype_of, mt_category, mt_compute, mt_real_of,
)
from minitorch._ext.loops cimport (
    GRAIN, broadcast_shape, contiguous_data, converted, copy_data, host_data, zero_data, zeros_like_data,
)
from minitorch._ext.pointwise cimport OP_ADD, OP_MUL, cast, inplace_operator, number_tensor, op_div, op_mul, prepare_out
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, TensorBase, bump, check_devices, check_inplace, data_of, describe, has_shape, is_dense, new_as,
    new_at, new_on, new_tensor, on_device, parse_size, rebase, record, record_edges, record1, recording1,
    same_shape, set_grad, shape_of, shown,
)
from minitorch._ext.storage cimport primitives, wants_device
from minitorch._ext.threads cimport parallel_for, task_fn
from minitorch._ext.views cimport view_as_real_of

cdef extern from "distributions.h" nogil:
    enum:
        MT_STATE_BYTES
        MT_MANY
    ctypedef struct mt_params:
        double a
        double b
        uint64_t range
        int64_t base
        int wide
        const void *p
        void (*parallel)(Py_ssize_t n, Py_ssize_t grain, task_fn fn, void *context) noexcept
    ctypedef void (*mt_fill)(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept

    void mt_seed(mt_generator *g, uint64_t seed)
    void mt_get_state(const mt_generator *g, unsigned char *to)
    int mt_set_state(mt_generator *g, const unsigned char *source)

    void mt_uniform_f16(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_uniform_bf16(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_uniform_f32(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_uniform_f64(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_normal_half(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_normal_f32(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_normal_f64(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_normal_pairs(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_normal_pairs_f32(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_log_normal(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_exponential(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_cauchy(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_geometric(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_bernoulli(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_bernoulli_f32(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_poisson(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_binomial(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_bernoulli_f64(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_integers(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_permutation_i32(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    void mt_permutation_i64(mt_generator *g, void *to, int64_t n, const mt_params *params) noexcept
    int mt_probabilities_f32(const float *p, int64_t n)
    int mt_probabilities_f64(const double *p, int64_t n)

    ctypedef struct mt_dropout:
        void *y
        const void *x
        const unsigned char *mask
        double keep
    void mt_dropout_f16(void *job, Py_ssize_t begin, Py_ssize_t end) noexcept
    void mt_dropout_bf16(void *job, Py_ssize_t begin, Py_ssize_t end) noexcept
    void mt_dropout_f32(void *job, Py_ssize_t begin, Py_ssize_t end) noexcept
    void mt_dropout_f64(void *job, Py_ssize_t begin, Py_ssize_t end) noexcept

cdef enum:
    BIG = 8192          # numbers from which on the GIL is given up while they are drawn
    WIDE = 1 << 28      # values from which on an integer takes two words: PyTorch's limit
    HUGE = 1 << 30

cdef unsigned long long DEFAULT_SEED = 67280421310721
cdef object ABSENT = object()


# --- the generator ------------------------------------------------------------------------------------------------

cdef unsigned long long era = 1


def _next_era():
    global era
    era += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_next_era)


cdef int acquire(Generator g) except -1:
    """Wait until no other thread draws from g.

    Whose it is changes only under the GIL.  The child of a fork lives in a new era, and so may take what threads that
    it does not have were holding.
    """
    while g.held == era:
        sleep(2e-5)
    g.held = era
    return 0


cdef void release(Generator g) noexcept:
    g.held = 0


cdef unsigned long long seed_from(object seed) except? 0:
    if not -2 ** 63 <= seed < 2 ** 64:
        raise ValueError("manual_seed: Overflow when unpacking long long: a seed lies in [-2**63, 2**64 - 1], "
                         f"got {seed}")
    return seed & 0xffffffffffffffff


cdef class Generator:
    """A stream of random numbers: the Mersenne Twister MT19937, seeded and read as PyTorch's CPU generator does.

    On the CUDA device it is Philox4x32-10, of which the device's threads read without waiting for each other.

    Args:
        device: whose numbers it makes.

    Source: Matsumoto and Nishimura, *Mersenne Twister*, ACM TOMACS 8(1), 1998; Salmon et al., *Parallel random
    numbers: as easy as 1, 2, 3*, SC 2011.

    >>> g = minitorch.Generator().manual_seed(0)
    >>> minitorch.randint(10, (5,), generator=g)
    tensor([4, 9, 3, 0, 3])
    """

    def __cinit__(self, device="cpu"):
        self.on_device = wants_device("cpu" if device is None else device)
        self.seed_ = DEFAULT_SEED
        mt_seed(&self.state, DEFAULT_SEED)

    def manual_seed(self, seed):
        """Start the stream of a seed, of which the low 32 bits count; returns the generator.

        Raises:
            ValueError: if the seed does not fit in 64 bits.
            RuntimeError: if it is not an integer.

        >>> minitorch.Generator().manual_seed(5).initial_seed()
        5
        """
        if isinstance(seed, (bool, float)) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        cdef unsigned long long number = seed_from(seed.__index__())
        start(self, number)
        if self is default:                                 # PyTorch's seeds all devices
            start(device_default, number)
        return self

    def seed(self):
        """Start a stream from 64 random bits of the operating system; returns them.

        >>> isinstance(minitorch.Generator().seed(), int)
        True
        """
        cdef unsigned long long number = int.from_bytes(os.urandom(8), "little")
        start(self, number)
        return number

    def initial_seed(self):
        """The seed that the stream was started from; a negative one modulo 2**64.

        >>> minitorch.Generator().initial_seed()
        67280421310721
        """
        return self.state.seed

    def get_state(self):
        """Where the stream stands: a uint8 tensor of shape ``(5056,)``, in PyTorch's layout.

        >>> minitorch.Generator().get_state().shape
        torch.Size([5056])
        """
        cdef Py_ssize_t size = 16 if self.on_device else MT_STATE_BYTES
        cdef TensorBase state = new_tensor(1, &size, MT_U8)
        if self.on_device:
            memcpy(data_of(state), &self.seed_, 8)
            memcpy(data_of(state) + 8, &self.offset, 8)
            return state
        acquire(self)
        mt_get_state(&self.state, <unsigned char *>data_of(state))
        release(self)
        return state

    def set_state(self, new_state):
        """Continue from a state that ``get_state`` gave, here or in PyTorch.

        Raises:
            TypeError: if it is not a uint8 tensor.
            RuntimeError: if it is not the state of a generator.

        >>> g = minitorch.Generator()
        >>> state = g.get_state()
        >>> a = minitorch.rand(3, generator=g)
        >>> g.set_state(state)
        >>> (minitorch.rand(3, generator=g) == a).all()
        tensor(True)
        """
        if not isinstance(new_state, TensorBase) or (<TensorBase>new_state).code != MT_U8:
            kind = describe(new_state) if isinstance(new_state, TensorBase) else type(new_state).__name__
            raise TypeError(f"set_state: RNG state must be a torch.ByteTensor (uint8), got {kind}")
        cdef TensorBase state = host_data(<TensorBase>new_state)
        cdef int valid
        if self.on_device and state.numel == 16:
            memcpy(&self.seed_, data_of(state), 8)
            memcpy(&self.offset, data_of(state) + 8, 8)
            return
        if state.numel != MT_STATE_BYTES:
            raise RuntimeError(f"set_state: expected the {MT_STATE_BYTES} bytes of a CPU generator's state, "
                               f"got {state.numel}")
        acquire(self)
        valid = mt_set_state(&self.state, <unsigned char *>data_of(state))
        release(self)
        if not valid:
            raise RuntimeError("set_state: Invalid mt19937 state: these bytes did not come from get_state")

    def clone_state(self):
        """Another generator at the same place of the same stream.

        >>> g = minitorch.Generator().manual_seed(1)
        >>> other = g.clone_state()
        >>> minitorch.rand(1, generator=g), minitorch.rand(1, generator=other)
        (tensor([0.7576]), tensor([0.7576]))
        """
        cdef Generator other = Generator()
        acquire(self)
        other.state = self.state
        other.on_device, other.seed_, other.offset = self.on_device, self.seed_, self.offset
        release(self)
        return other

    @property
    def device(self):
        """The device whose numbers it makes.

        >>> minitorch.Generator().device
        device(type='cpu')
        """
        from minitorch import device
        return device("cuda", 0) if self.on_device else device("cpu")

    def __reduce__(self):
        cdef unsigned char[MT_STATE_BYTES] state
        acquire(self)
        mt_get_state(&self.state, state)
        release(self)
        return _restore, ((<char *>state)[:MT_STATE_BYTES],)


def _restore(bytes state not None):
    cdef Generator g = Generator()
    if len(state) != MT_STATE_BYTES or not mt_set_state(&g.state, state):
        raise RuntimeError("these bytes are not the state of a Generator")
    return g


cdef int start(Generator g, unsigned long long seed) except -1:
    """Start the stream of a seed."""
    acquire(g)
    mt_seed(&g.state, seed)
    g.seed_, g.offset = seed, 0
    release(g)
    return 0


cdef Generator default = Generator()
cdef Generator device_default = Generator()                 # asking for the device here would start it
device_default.on_device = True
default_generator = default
device_generator = device_default
default_device_generator = device_default


cdef Generator generator_of(object generator, str name):
    if generator is None:
        return default
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}: generator must be a minitorch.Generator, not {type(generator).__name__}")
    return <Generator>generator


def manual_seed(seed):
    """Seed the default generator; returns it.  The same seed gives the numbers that PyTorch gives on a CPU.

    Raises:
        ValueError: if the seed does not fit in 64 bits.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    return default.manual_seed(int(seed))


def seed():
    """Seed the default generator from the operating system; returns the seed.

    >>> minitorch.seed() == minitorch.initial_seed()
    True
    """
    return default.seed()


def initial_seed():
    """The seed of the default generator.

    >>> g = minitorch.manual_seed(3)
    >>> minitorch.initial_seed()
    3
    """
    return default.initial_seed()


def get_rng_state():
    """The state of the default generator; see `Generator.get_state`.

    >>> minitorch.get_rng_state().dtype
    torch.uint8
    """
    return default.get_state()


def set_rng_state(new_state):
    """Set the state of the default generator; see `Generator.set_state`.

    >>> state = minitorch.get_rng_state()
    >>> a = minitorch.rand(2)
    >>> minitorch.set_rng_state(state)
    >>> minitorch.equal(a, minitorch.rand(2))
    True
    """
    default.set_state(new_state)


# --- drawing ------------------------------------------------------------------------------------------------------

cdef bint drawn_there(str kind, TensorBase out, double a, double b, Generator g) except -1:
    """Fill out by the device's own generator, if it is on the device; whether it was."""
    if not on_device(out):
        return False
    if g is default:
        g = device_default
    check_generator(g, True)
    acquire(g)                                          # launching lets other threads go on, who need other numbers
    try:
        g.offset += primitives().random(kind, shown(out), a, b, g.seed_, g.offset)
    finally:
        release(g)
    return True


cdef int check_generator(Generator g, bint there) except -1:
    """Refuse generators of the CPU for tensors of the device, and the other way round."""
    if g.on_device and not there:
        raise RuntimeError("Expected a 'cpu' device type for generator but found 'cuda': make it by Generator()")
    if there and not g.on_device:
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu': make it by "
                           "Generator(device='cuda')")
    return 0


cdef TensorBase uniform_there(TensorBase like, int ndim, const Py_ssize_t *shape, int code, Generator g, str name):
    """New uniform numbers in [0, 1) on the device."""
    cdef TensorBase u = new_on(like, ndim, shape, code)
    uniform(u, 0, 1, g, name)
    return u


cdef object laws():
    from minitorch.cuda import laws as module
    return module


cdef int draw(Generator g, mt_fill fill, mt_params *params, int code, TensorBase out) except -1:
    """Fill out, in the order of its memory, with a fill that makes contiguous numbers of a type.

    Of a device's tensors only integers come here whose range is too wide for its generator.
    """
    cdef TensorBase made
    if on_device(out):
        made = new_tensor(out.ndim, out.shape, code)
        if g is not default:
            check_generator(g, True)
        g = default
    else:
        check_generator(g, False)
        made = out if out.code == code and is_dense(out) else new_as(out, code)
    cdef void *data = data_of(made)
    cdef int64_t n = made.numel
    params.parallel = parallel_for
    acquire(g)
    if n < BIG:
        fill(&g.state, data, n, params)
    else:
        with nogil:
            fill(&g.state, data, n, params)
    release(g)
    if made is not out:
        if code == MT_F64 and (out.code == MT_F16 or out.code == MT_BF16):
            made = converted(made, MT_F32)              # PyTorch rounds twice, too
        copy_data(out, made)
    return 0


cdef class RandomBackward(Node):
    """Of an in-place fill: nothing of the old values remains, so their gradient is zero."""
    cdef str name

    cdef object apply(self, TensorBase g):
        return tuple([None if edge is None else zeros_like_data(g, g.code) for edge in self.edges])

    cdef str op_name(self):
        return self.name


cdef RandomBackward random_node(str name):
    cdef RandomBackward node = RandomBackward.__new__(RandomBackward)
    node.name = "".join([part.capitalize() for part in name.split("_")]) + "Backward0"
    return node


cdef TensorBase changed(TensorBase t, str name):
    """t was filled in place."""
    bump(t)
    if recording1(t):
        rebase(t, record_edges(random_node(name), (t,)))
    return t


cdef int check_floating(TensorBase t, str name) except -1:
    if mt_category[t.code] != 2:
        raise NotImplementedError(f"{name}: not implemented for {dtype_of(t.code).name}; "
                                  "the tensor must be of a floating-point type")
    return 0


cdef int check_options(str name, object layout, object device) except -1:
    if layout is not None and not str(layout).endswith("strided"):
        raise NotImplementedError(f"{name}: only strided tensors are supported, not {layout}")
    if device is not None and not isinstance(device, (str, int)) and not hasattr(device, "type"):
        raise TypeError(f"{name}: device must be a device or a string, not {type(device).__name__}")
    return 0


cdef TensorBase destination(str name, object size, object out, object dtype, int default_code=-1,
                            object device=None):
    """A tensor of a shape to be filled: out, brought to the shape, or a new one."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = parse_size(size, shape)
    cdef TensorBase t
    if out is None:
        return new_at(wants_device(device), ndim, shape, code_of(dtype, default_code))
    if not isinstance(out, TensorBase):
        raise TypeError(f"{name}: out must be a tensor, not {type(out).__name__}")
    t = <TensorBase>out
    if dtype is not None and code_of(dtype) != t.code:
        raise RuntimeError(f"{name}: dtype {dtype_of(code_of(dtype)).name} does not match dtype of out parameter "
                           f"({dtype_of(t.code).name})")
    prepare_out(t, ndim, shape, t.code, name, False)
    return t


cdef object size_argument(str name, tuple args, object size):
    """The shape among f(2, 3), f((2, 3)) and f(size=(2, 3))."""
    if size is not None:
        if args:
            raise TypeError(f"{name}: got the shape twice, as {args} and as size={size}")
        return size
    if not args:
        raise TypeError(f"{name}: the shape is missing, as in {name}(2, 3) or {name}((2, 3))")
    return args[0] if len(args) == 1 else args


cdef int check_requires_grad(TensorBase t, object requires_grad, str name) except -1:
    if requires_grad and mt_category[t.code] < 2:
        raise RuntimeError(f"{name}: Only Tensors of floating point dtype can require gradients, "
                           f"not {dtype_of(t.code).name}")
    return 0


cdef TensorBase finished(TensorBase t, object out, object requires_grad, bint pin_memory=False):
    """What a function that made or filled t returns."""
    if out is not None:
        bump(t)
    if pin_memory:
        from minitorch.cuda.pinned import pin_new
        t = pin_new(shown(t), out)
    if requires_grad:
        t.leaf_requires_grad = True
    return t


cdef TensorBase like(str name, object input, object dtype, object layout, object device, object memory_format):
    """An empty tensor of the shape of another."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{name}: input must be a tensor, not {type(input).__name__}")
    check_options(name, layout, device)
    cdef TensorBase t = <TensorBase>input
    cdef int code = code_of(dtype, t.code)
    cdef str order = "preserve" if memory_format is None else str(memory_format)
    if device is not None and wants_device(device) != on_device(t):
        return new_at(not on_device(t), t.ndim, t.shape, code)
    if "preserve" in order:
        return new_as(t, code)
    if "contiguous" in order:
        return new_on(t, t.ndim, t.shape, code)
    raise NotImplementedError(f"{name}: memory_format must be preserve_format or contiguous_format, "
                              f"not {memory_format}")


# --- uniform ------------------------------------------------------------------------------------------------------

cdef TensorBase uniform(TensorBase t, double low, double high, Generator g, str name):
    cdef mt_params params
    cdef mt_fill fill = mt_uniform_f32
    if mt_category[t.code] == 3:
        uniform(view_as_real_of(t), low, high, g, name)
        return t
    check_floating(t, name)
    if drawn_there("uniform", t, low, high, g):
        return t
    params.a, params.b = low, high
    if t.code == MT_F64:
        fill = mt_uniform_f64
    elif t.code == MT_F16:
        fill = mt_uniform_f16
    elif t.code == MT_BF16:
        fill = mt_uniform_bf16
    draw(g, fill, &params, t.code, t)
    return t


cdef double largest(int code) noexcept:
    if code == MT_F16:
        return 65504.0
    if code == MT_BF16:
        return (2.0 - 2.0 ** -7) * 2.0 ** 127
    return (2.0 - 2.0 ** -23) * 2.0 ** 127 if code == MT_F32 else (2.0 - 2.0 ** -52) * 2.0 ** 1023


def uniform_(TensorBase self not None, double from_=0, double to=1, *, generator=None):
    r"""Fill with numbers uniform in [from_, to), in place.

    .. math:: y = u\,(to - from) + from,\quad u = k\,2^{-24}

    with 24 random bits k, in float64 53.  A number that rounds up to ``to`` becomes ``from_``.

    Raises:
        RuntimeError: if from_ > to, or a bound or their difference does not fit in the type.
        NotImplementedError: if the tensor is not of a floating-point or complex type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(3).uniform_(-1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    cdef double most = largest(mt_real_of(self.code))
    check_inplace(self, "uniform_")
    if mt_category[self.code] != 3:
        check_floating(self, "uniform_")
    for bound, value in (("from", from_), ("to", to)):
        if not abs(value) <= most:
            raise RuntimeError(f"uniform_: {bound} is out of bounds for {dtype_of(self.code).name}: {value}")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    if not to - from_ <= most:
        raise RuntimeError(f"uniform_ expects to - from <= {most:g}, the largest {dtype_of(self.code).name}, "
                           f"but found to={to:g} and from={from_:g}")
    uniform(self, from_, to, generator_of(generator, "uniform_"), "uniform_")
    return changed(self, "uniform_")


cdef int fill_uniform(TensorBase t, double low, double high) except -1:
    """uniform_ from the default generator, for the engine's own use: unchecked and not recorded."""
    uniform(t, low, high, default, "uniform_")
    return 0


def rand(*args, size=None, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
         pin_memory=False):
    """Numbers uniform in [0, 1); see `uniform_`.

    Shape:
        ``rand(2, 3)``, ``rand((2, 3))`` and ``rand(size=(2, 3))`` give ``(2, 3)``.

    Raises:
        NotImplementedError: if ``dtype`` is not a floating-point type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.rand(2, 2)
    tensor([[0.4963, 0.7682],
            [0.0885, 0.1320]])
    """
    check_options("rand", layout, device)
    cdef TensorBase t = destination("rand", size_argument("rand", args, size), out, dtype, -1, device)
    uniform(t, 0, 1, generator_of(generator, "rand"), "rand")
    return finished(t, out, requires_grad, pin_memory)


def rand_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """Numbers uniform in [0, 1) in the shape, type and order in memory of another tensor.

    >>> minitorch.rand_like(minitorch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    cdef TensorBase t = like("rand_like", input, dtype, layout, device, memory_format)
    uniform(t, 0, 1, generator_of(generator, "rand_like"), "rand_like")
    return finished(t, None, requires_grad)


# --- normal -------------------------------------------------------------------------------------------------------

cdef TensorBase normal_fill(TensorBase t, double mean, double std, Generator g, str name):
    """By blocks of 16 where the tensor is contiguous and has as many; or one after the other."""
    cdef mt_params params
    if mt_category[t.code] == 3:                            # the parts share the variance
        normal_fill(view_as_real_of(t), mean, std * sqrt(0.5), g, name)
        return t
    check_floating(t, name)
    if not std >= 0:
        raise RuntimeError(f"{name}: normal expects std >= 0.0, but found std {std:g}")
    if drawn_there("normal", t, mean, std, g):
        return t
    params.a, params.b = mean, std
    if t.numel < 16 or not t.contiguous:
        draw(g, mt_normal_pairs_f32 if t.code == MT_F32 else mt_normal_pairs, &params,
             MT_F32 if t.code == MT_F32 else MT_F64, t)
    elif t.code == MT_F64:
        draw(g, mt_normal_f64, &params, MT_F64, t)
    else:
        draw(g, mt_normal_f32 if t.code == MT_F32 else mt_normal_half, &params, MT_F32, t)
    return t


def normal_(TensorBase self not None, double mean=0, double std=1, *, generator=None):
    r"""Fill with normal numbers, in place.

    .. math:: y = \mu + \sigma \sqrt{-2 \ln u_1}\,\cos(2 \pi u_2)

    and the same with the sine, for pairs of uniform numbers.

    Raises:
        RuntimeError: if std is negative.
        NotImplementedError: if the tensor is not of a floating-point type.

    Source: Box and Muller, *A note on the generation of random normal deviates*, Ann. Math. Stat. 29, 1958.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(2).normal_(10, 2)
    tensor([13.0820,  9.4131])
    """
    check_inplace(self, "normal_")
    normal_fill(self, mean, std, generator_of(generator, "normal_"), "normal_")
    return changed(self, "normal_")


def randn(*args, size=None, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
          pin_memory=False):
    """Standard normal numbers; see `normal_`.

    Shape:
        ``randn(2, 3)``, ``randn((2, 3))`` and ``randn(size=(2, 3))`` give ``(2, 3)``.

    Raises:
        NotImplementedError: if ``dtype`` is not a floating-point type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.randn(2)
    tensor([ 1.5410, -0.2934])
    """
    check_options("randn", layout, device)
    cdef TensorBase t = destination("randn", size_argument("randn", args, size), out, dtype, -1, device)
    normal_fill(t, 0, 1, generator_of(generator, "randn"), "randn")
    return finished(t, out, requires_grad, pin_memory)


def randn_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """Standard normal numbers in the shape, type and order in memory of another tensor.

    >>> minitorch.randn_like(minitorch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    cdef TensorBase t = like("randn_like", input, dtype, layout, device, memory_format)
    normal_fill(t, 0, 1, generator_of(generator, "randn_like"), "randn_like")
    return finished(t, None, requires_grad)


cdef int check_deviations(TensorBase std) except -1:
    cdef TensorBase values = contiguous_data(converted(host_data(std), MT_F64))
    cdef const double *value = <double *>data_of(values)
    for i in range(values.numel):
        if not value[i] >= 0:
            raise RuntimeError(f"normal expects all elements of std >= 0.0, but found {value[i]:g}")
    return 0


cdef TensorBase normal_around(object mean, object std, object generator, object out):
    """normal() where mean or std, or both, are tensors: drawn, then scaled and shifted in the result's type."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = 0
    cdef TensorBase t
    cdef RandomBackward node
    cdef bint before
    for operand in (mean, std):
        if isinstance(operand, TensorBase) and broadcast_shape(&ndim, shape, <TensorBase>operand) < 0:
            raise RuntimeError(f"normal: the shapes of mean {shape_of(<TensorBase>mean)} and std "
                               f"{shape_of(<TensorBase>std)} do not broadcast")
    cdef TensorBase typed = <TensorBase>(mean if isinstance(mean, TensorBase) else std)
    size = tuple([shape[i] for i in range(ndim)])
    t = destination("normal", size, out, None if out is not None else dtype_of(typed.code), -1,
                    "cuda" if on_device(typed) else "cpu")
    before = set_grad(False)
    try:
        if isinstance(std, TensorBase):
            check_floating(t, "normal")
            check_deviations(<TensorBase>std)
            normal_fill(t, 0, 1, generator_of(generator, "normal"), "normal")
            inplace_operator(OP_MUL, t, std)
        else:
            normal_fill(t, 0, std, generator_of(generator, "normal"), "normal")
        # as PyTorch does it, a number that is added is rounded to the type first
        inplace_operator(OP_ADD, t, mean if isinstance(mean, TensorBase) else number_tensor(mean, t.code))
    finally:
        set_grad(before)
    inputs = (mean if isinstance(mean, TensorBase) else None, std if isinstance(std, TensorBase) else None)
    if out is None and any([x is not None and recording1(<TensorBase>x) for x in inputs]):
        node = random_node("normal")
        node.input_meta = tuple([None if x is None else (shape_of(<TensorBase>x), (<TensorBase>x).code)
                                 for x in inputs])
        record(node, t, inputs)
    return t


def normal(mean=0.0, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
           pin_memory=False, requires_grad=False):
    """Normal numbers of given means and standard deviations, each a number or a tensor.

    Shape:
        ``size`` if both are numbers; else what the tensors broadcast to.

    Raises:
        RuntimeError: if a standard deviation is negative, or the shapes do not broadcast.
        TypeError: if both are numbers and there is no size, or a tensor is given and there is one.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.normal(0.0, 3.0, (2,))
    tensor([ 4.6230, -0.8803])
    >>> minitorch.normal(minitorch.tensor([100.0, 200.0]), 1.0)
    tensor([ 97.8212, 200.5684])
    """
    check_options("normal", layout, device)
    if isinstance(mean, TensorBase) or isinstance(std, TensorBase):
        if size is not None or dtype is not None:
            raise TypeError("normal: size and dtype go with numbers for mean and std; tensors bring their own")
        return finished(normal_around(mean, std, generator, out), out, requires_grad, pin_memory)
    if size is None:
        raise TypeError("normal: with numbers for mean and std a size is needed, as in normal(0.0, 1.0, (2, 3))")
    cdef TensorBase t = destination("normal", size, out, dtype, -1, device)
    normal_fill(t, mean, std, generator_of(generator, "normal"), "normal")
    return finished(t, out, requires_grad, pin_memory)


# --- integers -----------------------------------------------------------------------------------------------------

cdef int mantissa_bits(int code) noexcept:
    """2 to this is the last integer up to which a floating-point type has all of them."""
    return 53 if code == MT_F64 else 24 if code == MT_F32 else 11 if code == MT_F16 else 8


cdef object integer_bounds(int code):
    """The smallest and the largest integer that random_ draws for a type."""
    cdef object one = 1                                 # not a C integer, which would overflow
    if code == MT_BOOL:
        return 0, 1
    if code == MT_U8:
        return 0, 255
    if mt_category[code] == 2:
        count = one << mantissa_bits(code)
        return -count, count
    count = one << {MT_I8: 7, MT_I16: 15, MT_I32: 31, MT_I64: 63}[code]
    return -count, count - 1


cdef object nearest(object number, int code):
    """An integer rounded to a floating-point type, as an integer."""
    cdef int excess = abs(number).bit_length() - mantissa_bits(code)
    cdef object one = 1
    if excess <= 0:
        return number
    half, kept = one << (excess - 1), abs(number) >> excess
    rest = abs(number) - (kept << excess)
    if rest > half or (rest == half and kept & 1):
        kept += 1
    return (kept << excess) if number > 0 else -(kept << excess)


cdef object representable(object low, object high, int code):
    """The bounds brought inside what a floating-point type can tell apart, as PyTorch does it."""
    cdef int excess
    cdef object one = 1
    rounded = nearest(low + 1, code)
    if rounded < low:
        excess = abs(low + 1).bit_length() - mantissa_bits(code)
        low = rounded + (one << excess)
    if high is not None:
        rounded = nearest(high - 1, code)
        if rounded >= high:
            excess = abs(high - 1).bit_length() - mantissa_bits(code)
            high = rounded - (one << excess)
    return low, high


cdef int check_bounds(object low, object last, int code, str name) except -1:
    first, final = integer_bounds(code)
    largest_float = int(largest(code)) if mt_category[code] == 2 else 0
    for bound, value in (("from", low), ("to - 1", last)):
        if mt_category[code] == 2 and abs(value) <= largest_float:
            if not first <= value <= final:
                warnings.warn(f"{name}: {bound} is out of bounds [{first}, {final}], outside which "
                              f"{dtype_of(code).name} does not hold every integer", stacklevel=3)
        elif not first <= value <= final:
            raise RuntimeError(f"{name}: {bound} is out of bounds for {dtype_of(code).name}: {value}")
    return 0


cdef TensorBase integers(TensorBase t, object low, object high, Generator g, str name):
    """Fill with low <= y < high; high None means up to the last of the type."""
    cdef mt_params params
    cdef int64_t first, end
    if t.code == MT_I64 and high is not None and -HUGE < low < high < HUGE:
        first, end = low, high                          # the usual case, without Python's integers
        if drawn_there("integers", t, first, end, g):
            return t
        params.range, params.base, params.wide = end - first, first, end - first >= WIDE
        draw(g, mt_integers, &params, MT_I64, t)
        return t
    if not -2 ** 63 <= low < 2 ** 63 or (high is not None and not -2 ** 63 <= high < 2 ** 63):
        raise ValueError(f"{name}: Overflow when unpacking long long: the bounds are from={low}, to={high}")
    if high is not None and low >= high:
        raise RuntimeError(f"{name}: random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if high is None and low == -2 ** 63:
        if t.code not in (MT_I64, MT_F32, MT_F64, MT_BF16):
            raise RuntimeError(f"{name}: the range of 64 bits is for int64, float64, float32 and bfloat16, "
                               f"not {dtype_of(t.code).name}")
        count, low = 2 ** 64, 0
    else:
        if mt_category[t.code] == 2:
            low, high = representable(low, high, t.code)
        last = integer_bounds(t.code)[1] if high is None else high - 1
        if low > last:
            raise RuntimeError(f"{name}: no {dtype_of(t.code).name} lies in the range: from={low} > to - 1={last}")
        check_bounds(low, last, t.code, name)
        count = last - low + 1
    if exact_there(low, low + count) and drawn_there("integers", t, low, low + count, g):
        return t
    params.range = count & 0xffffffffffffffff
    params.base = low
    params.wide = count >= WIDE
    draw(g, mt_integers, &params, MT_I64, t)
    return t


cdef bint exact_there(object low, object high):
    """Whether the device's bounds, which are passed to it as doubles, can be these."""
    return -2 ** 53 <= low and high <= 2 ** 53


cdef object an_int(object number, str name, str argument):
    if isinstance(number, float) or not hasattr(number, "__index__"):
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(number).__name__}")
    return number.__index__()


def random_(TensorBase self not None, from_=ABSENT, to=ABSENT, *, generator=None):
    """Fill with integers, in place: ``random_(to)`` draws from [0, to), ``random_(from_, to)`` from [from_, to).

    ``random_()`` draws all non-negative integers of an integer type, and of a floating-point type those up to
    2**p, where p are its digits.  ``random_(from_, None)`` draws up to the last of those.

    Raises:
        RuntimeError: if from_ >= to, or a bound does not fit in the type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(5, dtype=minitorch.int64).random_(10)
    tensor([4, 9, 3, 0, 3])
    """
    cdef mt_params params
    cdef Generator g = generator_of(generator, "random_")
    check_inplace(self, "random_")
    if from_ is ABSENT and to is ABSENT:
        count = integer_bounds(self.code)[1] + 1
        if exact_there(0, count) and drawn_there("integers", self, 0, count, g):
            return changed(self, "random_")
        params.range = count
        params.base = 0
        params.wide = self.code == MT_I64 or self.code == MT_F64
        draw(g, mt_integers, &params, MT_I64, self)
    elif to is ABSENT:
        integers(self, 0, an_int(from_, "random_", "to"), g, "random_")
    else:
        integers(self, 0 if from_ is ABSENT else an_int(from_, "random_", "from"),
                 None if to is None else an_int(to, "random_", "to"), g, "random_")
    return changed(self, "random_")


cdef object low_and_high(str name, tuple args, object low, object high, object size, bint sized):
    """Sort out f(high[, size]), f(low, high[, size]) and their keywords."""
    cdef list rest = list(args)
    if sized and size is None and rest and not hasattr(rest[len(rest) - 1], "__index__"):
        size = rest.pop()
    if len(rest) == 2 and low is None and high is None:
        low, high = rest
    elif len(rest) == 1 and high is None:
        high = rest[0]
    elif len(rest) == 1 and low is None:
        low = rest[0]
    elif rest:
        raise TypeError(f"{name}: too many arguments; the call is {name}([low, ]high{', size' if sized else ''})")
    if high is None or (sized and size is None):
        raise TypeError(f"{name}: {'high' if high is None else 'size, a sequence of ints,'} is missing; "
                        f"the call is {name}([low, ]high{', size' if sized else ''})")
    return an_int(0 if low is None else low, name, "low"), an_int(high, name, "high"), size


def randint(*args, low=None, high=None, size=None, generator=None, out=None, dtype=None, layout=None, device=None,
            requires_grad=False, pin_memory=False):
    """Integers uniform in [low, high), of type int64 unless told otherwise.

    Shape:
        ``randint(high, size)`` and ``randint(low, high, size)`` give ``size``.

    Raises:
        RuntimeError: if low >= high, or a bound does not fit in the type.
        TypeError: if a bound is not an integer.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.randint(3, 7, (4,))
    tensor([3, 6, 4, 3])
    """
    check_options("randint", layout, device)
    low, high, size = low_and_high("randint", args, low, high, size, True)
    cdef TensorBase t = destination("randint", size, out, dtype, MT_I64, device)
    check_requires_grad(t, requires_grad, "randint")
    integers(t, low, high, generator_of(generator, "randint"), "randint")
    return finished(t, out, requires_grad, pin_memory)


def randint_like(input, *args, low=None, high=None, generator=None, dtype=None, layout=None, device=None,
                 requires_grad=False, memory_format=None):
    """Integers uniform in [low, high) in the shape, type and order in memory of another tensor.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.randint_like(minitorch.zeros(3), 10)
    tensor([4., 9., 3.])
    """
    low, high, _ = low_and_high("randint_like", args, low, high, None, False)
    cdef TensorBase t = like("randint_like", input, dtype, layout, device, memory_format)
    check_requires_grad(t, requires_grad, "randint_like")
    integers(t, low, high, generator_of(generator, "randint_like"), "randint_like")
    return finished(t, None, requires_grad)


def randperm(n, *, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """A permutation of the integers 0 to n - 1, every one as likely as another.

    Shape:
        ``(n,)``, of type int64 unless told otherwise.

    Raises:
        RuntimeError: if n is negative, or the type does not hold the integers.

    Source: Durstenfeld, *Algorithm 235: Random permutation*, CACM 7, 1964.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    cdef mt_params params
    check_options("randperm", layout, device)
    number = an_int(n, "randperm", "n")
    cdef TensorBase t = destination("randperm", number, out, dtype, MT_I64, device)
    cdef Generator g = generator_of(generator, "randperm")
    check_requires_grad(t, requires_grad, "randperm")
    if t.code == MT_BOOL:
        raise NotImplementedError("randperm: not implemented for bool; use an integer type")
    if number - 1 > integer_bounds(t.code)[1]:
        raise RuntimeError(f"randperm: {dtype_of(t.code).name} does not hold the integers up to {number - 1}")
    if on_device(t):                                        # the order of random numbers
        copy_data(t, shown(uniform_there(t, t.ndim, t.shape, MT_F64, g, "randperm")).argsort())
    elif number < MT_MANY:
        draw(g, mt_permutation_i32, &params, MT_I32, t)
    else:
        draw(g, mt_permutation_i64, &params, MT_I64, t)
    return finished(t, out, requires_grad, pin_memory)


# --- coins --------------------------------------------------------------------------------------------------------

cdef int bernoulli_scalar(TensorBase t, double p, Generator g, str name) except -1:
    cdef mt_params params
    if not 0 <= p <= 1:
        raise RuntimeError(f"{name} expects p to be in [0, 1], but got p={p:g}")
    if drawn_there("bernoulli", t, p, 0, g):
        return 0
    params.a = p
    return draw(g, mt_bernoulli, &params, MT_BOOL if t.code == MT_BOOL else MT_U8, t)


cdef int bernoulli_tensor(TensorBase t, TensorBase p, Generator g, str name) except -1:
    cdef mt_params params
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = 0
    cdef int code = MT_F64 if p.code == MT_F64 else MT_F32
    cdef TensorBase probabilities = p
    cdef bint valid
    check_floating(p, name)
    broadcast_shape(&ndim, shape, t)
    if broadcast_shape(&ndim, shape, p) < 0 or not has_shape(t, ndim, shape):
        raise RuntimeError(f"{name}: p of shape {shape_of(p)} does not expand to the tensor's shape {shape_of(t)}")
    if on_device(t):
        return bernoulli_there(t, converted(p, code), code, g, name)
    if on_device(p):
        probabilities = new_tensor(t.ndim, t.shape, code)
        copy_data(probabilities, host_data(p))
    elif p.code != code or not (p.contiguous and t.contiguous and same_shape(p, t)) or p.storage is t.storage:
        probabilities = new_as(t, code)
        copy_data(probabilities, p)
    params.p = data_of(probabilities)
    if code == MT_F64:
        valid = mt_probabilities_f64(<double *>params.p, probabilities.numel)
    else:
        valid = mt_probabilities_f32(<float *>params.p, probabilities.numel)
    if not valid:
        raise RuntimeError(f"{name} expects every p to be in [0, 1]")
    return draw(g, mt_bernoulli_f64 if code == MT_F64 else mt_bernoulli_f32, &params,
                MT_BOOL if t.code == MT_BOOL else MT_U8, t)


cdef int bernoulli_there(TensorBase t, TensorBase p, int code, Generator g, str name) except -1:
    cdef bint before = set_grad(False)
    try:
        probabilities = shown(p) if on_device(p) else shown(p).to("cuda")
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise RuntimeError(f"{name} expects every p to be in [0, 1]")
        copy_data(t, shown(uniform_there(t, t.ndim, t.shape, code, g, name)) < probabilities)
    finally:
        set_grad(before)
    return 0


def bernoulli_(TensorBase self not None, p=0.5, *, generator=None):
    """Fill with ones of probability p and zeros, in place; p is a number, or a tensor that expands to this one.

    Raises:
        RuntimeError: if p is not in [0, 1].

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(4).bernoulli_(0.5)
    tensor([0., 0., 1., 0.])
    """
    cdef Generator g = generator_of(generator, "bernoulli_")
    check_inplace(self, "bernoulli_")
    if isinstance(p, TensorBase):
        bernoulli_tensor(self, <TensorBase>p, g, "bernoulli_")
    else:
        bernoulli_scalar(self, p, g, "bernoulli_")
    return changed(self, "bernoulli_")


def bernoulli(TensorBase input not None, p=None, *, generator=None, out=None):
    """Ones and zeros: with the probabilities in ``input``, or all of probability ``p``.

    Shape:
        that of ``input``, whose type it has, too.

    Raises:
        RuntimeError: if a probability is not in [0, 1].
        NotImplementedError: if the probabilities are not of a floating-point type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.bernoulli(minitorch.tensor([0.0, 1.0, 0.3]))
    tensor([0., 1., 1.])
    """
    cdef Generator g = generator_of(generator, "bernoulli")
    cdef TensorBase t
    if out is None:
        t = new_as(input, input.code)
    else:
        t = destination("bernoulli", shape_of(input), out, None)
    if p is None:
        bernoulli_tensor(t, input, g, "bernoulli")
    elif isinstance(p, TensorBase):
        bernoulli_tensor(t, <TensorBase>p, g, "bernoulli")
    else:
        bernoulli_scalar(t, p, g, "bernoulli")
    if out is None and recording1(input):
        record1(random_node("bernoulli"), t, input)
    return finished(t, out, False)


# --- counts -------------------------------------------------------------------------------------------------------

def poisson(TensorBase input not None, generator=None):
    r"""Counts of independent events whose rates are in ``input``.

    .. math:: P(k) = \frac{\lambda^k e^{-\lambda}}{k!}

    Shape:
        that of ``input``, whose type it has, too.

    Raises:
        RuntimeError: if a rate is negative, infinite or NaN.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.poisson(minitorch.tensor([0.5, 4., 100.])).shape
    torch.Size([3])
    """
    cdef Generator g = generator_of(generator, "poisson")
    cdef mt_params params
    cdef TensorBase rates, counts, result
    check_floating(input, "poisson")
    rates, counts = (new_tensor(input.ndim, input.shape, MT_F64) for _ in range(2))
    copy_data(rates, input)
    params.p = data_of(rates)
    for k in range(rates.numel):
        if not 0 <= (<double *>params.p)[k] < INFINITY:
            raise RuntimeError(f"invalid Poisson rate, expected rate to be non-negative and finite, but found "
                               f"{(<double *>params.p)[k]}")
    draw(g, mt_poisson, &params, MT_F64, counts)
    result = converted(counts, input.code)
    if recording1(input):
        record1(random_node("poisson"), result, input)
    return result


def binomial(TensorBase count not None, TensorBase prob not None, generator=None):
    r"""How many of ``count`` trials succeed with the probability ``prob``; the two are broadcast.

    .. math:: P(k) = \binom{n}{k} p^k (1 - p)^{n - k}

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.binomial(minitorch.tensor([10., 1000.]), minitorch.tensor(0.5)).shape
    torch.Size([2])
    """
    from minitorch._ext.index import stack
    cdef Generator g = generator_of(generator, "binomial")
    cdef mt_params params
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = 0
    cdef TensorBase pairs, counts, n, p
    if count.code != prob.code:
        raise RuntimeError(f"binomial: expected count and prob of one floating-point type, but got {describe(count)} "
                           f"and {describe(prob)}")
    check_floating(count, "binomial")
    broadcast_shape(&ndim, shape, count)
    if broadcast_shape(&ndim, shape, prob) < 0:
        raise RuntimeError(f"binomial: count {shape_of(count)} and prob {shape_of(prob)} do not broadcast")
    n, p = new_tensor(ndim, shape, MT_F64), new_tensor(ndim, shape, MT_F64)
    copy_data(n, count)
    copy_data(p, prob)
    pairs, counts = stack((n, p), -1), new_tensor(ndim, shape, MT_F64)
    params.p = data_of(pairs)
    draw(g, mt_binomial, &params, MT_F64, counts)
    result = converted(counts, count.code)
    if recording1(prob):
        record1(random_node("binomial"), result, prob)
    return result


# --- dropout ------------------------------------------------------------------------------------------------------

cdef bint same_order(TensorBase a, TensorBase b) noexcept:
    """Whether two dense tensors of one shape have their elements at the same places."""
    cdef int i
    for i in range(a.ndim):
        if a.shape[i] != 1 and a.strides[i] != b.strides[i]:
            return False
    return True


cdef TensorBase masked(TensorBase x, TensorBase mask, double keep):
    """x mask / keep, recorded.  The mask is dense."""
    cdef TensorBase source = x, out
    cdef mt_dropout job
    cdef task_fn piece = mt_dropout_f32
    cdef DropoutBackward node
    if on_device(x):
        return op_mul(x, op_div(cast(mask, x.code), keep if keep > 0 else 1))
    out = new_as(mask, x.code)
    if not same_order(x, mask):
        source = new_as(mask, x.code)
        copy_data(source, x)
    job.y, job.x, job.mask, job.keep = data_of(out), data_of(source), <unsigned char *>data_of(mask), keep
    if x.code == MT_F64:
        piece = mt_dropout_f64
    elif x.code == MT_F16:
        piece = mt_dropout_f16
    elif x.code == MT_BF16:
        piece = mt_dropout_bf16
    with nogil:
        parallel_for(out.numel, GRAIN, piece, &job)
    if recording1(x):
        node = dropout_node(mask, keep)
        record1(node, out, x)
    return out


cdef class DropoutBackward(Node):
    """y = x m / (1 - p):  dx = dy m / (1 - p)."""
    cdef double keep

    cdef object apply(self, TensorBase g):
        return (masked(g, self.saved(0), self.keep),)


cdef DropoutBackward dropout_node(TensorBase mask, double keep):
    cdef DropoutBackward node = DropoutBackward.__new__(DropoutBackward)
    node.keep = keep
    node.save(0, mask)
    return node


cdef TensorBase dropout_mask(TensorBase x, double p):
    """What stays of x: bytes, dense, in the order of x in memory.  At p = 1 nothing is drawn."""
    cdef TensorBase mask = new_as(x, MT_BOOL)
    if p == 1:
        zero_data(mask)
    else:
        bernoulli_scalar(mask, 1 - p, default, "dropout")
    return mask


cdef TensorBase dropout_of(TensorBase x, double p):
    return masked(x, dropout_mask(x, p), 1 - p)


cdef int check_dropout(TensorBase x, double p, str name) except -1:
    if not 0 <= p <= 1:
        raise RuntimeError(f"{name}: dropout probability has to be between 0 and 1, but got {p:g}")
    if mt_category[x.code] != 2:
        raise RuntimeError(f"{name}: the result is floating-point and can't be cast to the input's type "
                           f"{dtype_of(x.code).name}; convert the input first")
    return 0


def dropout(TensorBase input not None, double p, bint train):
    r"""While training, make each element zero with probability p and scale the others.

    .. math:: y = \frac{x\,m}{1 - p},\quad m \sim \mathrm{Bernoulli}(1 - p)

    Otherwise, or if p is 0, the input itself.

    Raises:
        RuntimeError: if p is not in [0, 1], or the input is not of a floating-point type.

    Source: Srivastava et al., *Dropout*, JMLR 15, 2014.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.nn.functional.dropout(minitorch.ones(4), 0.5)
    tensor([0., 0., 2., 0.])
    """
    if not train or p == 0 or input.numel == 0:
        if not 0 <= p <= 1:
            check_dropout(input, p, "dropout")
        return input
    check_dropout(input, p, "dropout")
    return dropout_of(input, p)


def dropout_(TensorBase self not None, double p, bint train):
    """`dropout` in place.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.nn.functional.dropout(minitorch.ones(4), 0.5, inplace=True)
    tensor([0., 0., 2., 0.])
    """
    cdef TensorBase mask
    cdef bint before
    check_dropout(self, p, "dropout_")
    if not train or p == 0 or self.numel == 0:
        return self
    check_inplace(self, "dropout_")
    mask = dropout_mask(self, p)
    before = set_grad(False)
    try:
        copy_data(self, masked(self, mask, 1 - p))
    finally:
        set_grad(before)
    bump(self)
    if recording1(self):
        rebase(self, record_edges(dropout_node(mask, 1 - p), (self,)))
    return self


# --- draws from a list ----------------------------------------------------------------------------------------------

cdef extern from "distributions.h" nogil:
    void mt_choose_f32(mt_generator *g, int64_t *index, int64_t count, const float *weight, float *sums, int64_t n)
    void mt_choose_f64(mt_generator *g, int64_t *index, int64_t count, const double *weight, double *sums, int64_t n)
    void mt_largest(int64_t *index, int64_t count, const double *value, int64_t n) noexcept


cdef int check_weights(TensorBase weights, Py_ssize_t n) except -1:
    cdef const double *w = <double *>data_of(weights)
    cdef Py_ssize_t row, i
    cdef double total
    for row in range(weights.numel // n if n else 0):
        total = 0
        for i in range(n):
            if not 0 <= w[row * n + i] < INFINITY:
                raise RuntimeError("multinomial: probability tensor contains either `inf`, `nan` or element < 0: "
                                   f"{w[row * n + i]:g}")
            total += w[row * n + i]
        if total <= 0:
            raise RuntimeError("multinomial: invalid multinomial distribution (sum of probabilities <= 0)")
    return 0


cdef int multinomial_there(TensorBase out, TensorBase weights, Py_ssize_t n, Py_ssize_t count, bint replacement,
                           Generator g) except -1:
    cdef bint before = set_grad(False)
    cdef TensorBase like = out if replacement else weights
    try:
        if not laws().are_weights(shown(weights)):
            check_weights(contiguous_data(converted(host_data(weights), MT_F64)), n)     # which says what is wrong
        u = shown(uniform_there(weights, like.ndim, like.shape, weights.code, g, "multinomial"))
        copy_data(out, laws().chosen(u, shown(weights)) if replacement else laws().raced(u, shown(weights), count))
    finally:
        set_grad(before)
    return 0


def multinomial(TensorBase input not None, num_samples, replacement=False, *, generator=None, out=None):
    r"""Indices drawn with probabilities in proportion to weights, from each row.

    With replacement, where the cumulative weights first reach a uniform number.  Without, or if one is drawn, the
    ``num_samples`` largest of :math:`w_i / e_i`, for exponential numbers :math:`e_i`.

    Shape:
        input ``(n,)`` or ``(rows, n)``; output ``(num_samples,)`` or ``(rows, num_samples)``, of type int64.

    Raises:
        RuntimeError: if a weight is negative or not finite, a row has none that is positive, or more indices are
            wanted without replacement than there are.

    Source: Efraimidis and Spirakis, *Weighted random sampling with a reservoir*, IPL 97, 2006.

    >>> minitorch.multinomial(minitorch.tensor([0.0, 3.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    cdef Generator g = generator_of(generator, "multinomial")
    cdef Py_ssize_t count = an_int(num_samples, "multinomial", "num_samples"), n, row
    cdef TensorBase values, sums, result, target
    cdef int code = MT_F64 if input.code == MT_F64 else MT_F32
    cdef mt_params params
    cdef bint before
    if mt_category[input.code] != 2:
        raise RuntimeError("multinomial only supports floating-point dtypes for input, "
                           f"got: {dtype_of(input.code).name}")
    if not 1 <= input.ndim <= 2:
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {shape_of(input)}")
    n = input.shape[input.ndim - 1]
    if count <= 0:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, got {count}")
    if n == 0 or (count > n and not replacement):
        raise RuntimeError(f"multinomial: cannot sample {count} from {n} without replacement")
    cdef tuple size = (count,)
    if input.ndim == 2:
        size = (input.shape[0], count)
    target = destination("multinomial", size, out, dtype_of(MT_I64), -1, "cuda" if on_device(input) else "cpu")
    check_devices("multinomial", input, (target,))
    if on_device(input):
        multinomial_there(target, converted(input, code), n, count, replacement and count > 1, g)
        return finished(target, out, False)
    check_generator(g, False)
    check_weights(contiguous_data(converted(input, MT_F64)), n)
    result = target if target.contiguous else new_tensor(target.ndim, target.shape, MT_I64)
    if replacement and count > 1:
        values = contiguous_data(converted(input, code))
        sums = new_tensor(1, &n, code)
        acquire(g)
        for row in range(values.numel // n):
            if code == MT_F64:
                mt_choose_f64(&g.state, <int64_t *>data_of(result) + row * count, count,
                              <double *>data_of(values) + row * n, <double *>data_of(sums), n)
            else:
                mt_choose_f32(&g.state, <int64_t *>data_of(result) + row * count, count,
                              <float *>data_of(values) + row * n, <float *>data_of(sums), n)
        release(g)
    else:
        values = new_as(input, input.code)
        params.a = 1
        draw(g, mt_exponential, &params, MT_F64, values)
        before = set_grad(False)
        try:
            values = contiguous_data(converted(op_div(input, values), MT_F64))
        finally:
            set_grad(before)
        for row in range(values.numel // n):
            mt_largest(<int64_t *>data_of(result) + row * count, count, <double *>data_of(values) + row * n, n)
    if result is not target:
        copy_data(target, result)
    return finished(target, out, False)


# --- other distributions --------------------------------------------------------------------------------------------

cdef TensorBase by_inverse(TensorBase t, mt_fill fill, tuple parameters, object generator, str name):
    """t filled with numbers that are a function of uniform or normal ones."""
    cdef mt_params params
    cdef Generator g = generator_of(generator, name)
    cdef TensorBase numbers
    cdef bint before
    if on_device(t):
        numbers = new_on(t, t.ndim, t.shape, mt_compute[t.code] if mt_category[t.code] == 2 else MT_F64)
        if name == "log_normal_":
            normal_fill(numbers, 0, 1, g, name)
        else:
            uniform(numbers, 0, 1, g, name)
        before = set_grad(False)
        try:
            copy_data(t, getattr(laws(), name[:-1])(shown(numbers), *parameters))
        finally:
            set_grad(before)
    else:
        params.a, params.b = parameters[0], parameters[len(parameters) - 1]
        draw(g, fill, &params, MT_F64, t)
    return changed(t, name)


def exponential_(TensorBase self not None, double lambd=1, *, generator=None):
    r"""Fill with exponential numbers of a rate, in place.

    .. math:: y = -\ln(1 - u) / \lambda

    Raises:
        RuntimeError: if the rate is not positive, or the tensor is not of a floating-point type.

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(2).exponential_()
    tensor([3.5083, 1.2304])
    """
    check_inplace(self, "exponential_")
    if mt_category[self.code] != 2:
        raise RuntimeError("exponential_: the exponential is a continuous distribution, so the tensor must be of a "
                           f"floating-point type, not {dtype_of(self.code).name}")
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    return by_inverse(self, mt_exponential, (lambd,), generator, "exponential_")


def cauchy_(TensorBase self not None, double median=0, double sigma=1, *, generator=None):
    r"""Fill with numbers of Cauchy's distribution, in place.

    .. math:: y = m + \sigma \tan(\pi (u - \tfrac12))

    Raises:
        RuntimeError: if sigma is not positive, or the tensor is not of a floating-point type.

    >>> minitorch.empty(2).cauchy_().shape
    torch.Size([2])
    """
    check_inplace(self, "cauchy_")
    if mt_category[self.code] != 2:
        raise RuntimeError("cauchy_: Cauchy's is a continuous distribution, so the tensor must be of a floating-point "
                           f"type, not {dtype_of(self.code).name}")
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    return by_inverse(self, mt_cauchy, (median, sigma), generator, "cauchy_")


def log_normal_(TensorBase self not None, double mean=1, double std=2, *, generator=None):
    r"""Fill with numbers whose logarithms are normal with a mean and a standard deviation, in place.

    .. math:: y = e^{\mu + \sigma z}

    Raises:
        RuntimeError: if std is not positive.
        NotImplementedError: if the tensor is not of a floating-point type.

    >>> (minitorch.empty(9).log_normal_() > 0).all()
    tensor(True)
    """
    check_inplace(self, "log_normal_")
    check_floating(self, "log_normal_")
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    return by_inverse(self, mt_log_normal, (mean, std), generator, "log_normal_")


def geometric_(TensorBase self not None, double p, *, generator=None):
    r"""Fill with the numbers of trials up to the first success of probability p, in place.

    .. math:: y = \lceil \ln u / \ln(1 - p) \rceil

    Raises:
        RuntimeError: if p is not in (0, 1).

    >>> g = minitorch.manual_seed(0)
    >>> minitorch.empty(4).geometric_(0.2)
    tensor([1., 2., 4., 1.])
    """
    check_inplace(self, "geometric_")
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    return by_inverse(self, mt_geometric, (p,), generator, "geometric_")
