"""Listening to operations: while somebody does, each call of an engine function passes through the listener.

Python calls a function of the engine through a pointer that the function object holds (its vectorcall).  While there
are listeners these pointers lead here, and from here to the listener; otherwise they are untouched, so that what nobody
listens to costs nothing.  `vmap`, forward-mode derivatives and the profiler are listeners.

The listeners of a thread are a stack.  While one runs it is off the stack: what it calls goes to the one below it.
"""
import builtins
import operator
import pkgutil
from importlib import import_module
import threading
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_SIZE
from minitorch._ext.tensor cimport (
    MAX_DIMS, TensorBase, new_as_class, new_on, on_device, set_dims, tensor_class,
)
from minitorch._ext import tensor as tensor_module

cdef extern from *:
    """
    typedef PyObject *(*mt_vectorcall)(PyObject *, PyObject **, size_t, PyObject *);    /* without its const */
    #define mt_place(f) ((mt_vectorcall *)((char *)(f) + Py_TYPE(f)->tp_vectorcall_offset))
    static int mt_can_listen(PyObject *f) {
        return (Py_TYPE(f)->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL) && Py_TYPE(f)->tp_vectorcall_offset > 0;
    }
    static mt_vectorcall mt_pointer(PyObject *f) { return *mt_place(f); }
    static void mt_set_pointer(PyObject *f, mt_vectorcall pointer) { *mt_place(f) = pointer; }

    /* A function with *args or **kwargs has no such pointer, but a method definition. */
    static int mt_has_definition(PyObject *f) {
        return (((PyCFunctionObject *)f)->m_ml->ml_flags & (METH_VARARGS | METH_KEYWORDS | METH_FASTCALL))
            == (METH_VARARGS | METH_KEYWORDS);
    }
    static PyObject *mt_call_definition(PyObject *f, PyObject *args, PyObject *kwargs) {
        PyCFunctionObject *c = (PyCFunctionObject *)f;
        return ((PyCFunctionWithKeywords)(void (*)(void))c->m_ml->ml_meth)(c->m_self, args, kwargs);
    }
    static PyObject *mt_call_pointer(mt_vectorcall pointer, PyObject *f, PyObject **args, size_t nargsf,
                                     PyObject *names) {
        return pointer(f, args, nargsf, names);
    }
    #define mt_items(t) (((PyTupleObject *)(t))->ob_item)

    #ifndef MT_THREAD_LOCAL
    #define MT_THREAD_LOCAL _Thread_local
    #endif
    static MT_THREAD_LOCAL int mt_plain = 0, mt_modes = 0;
    """
    int mt_plain, mt_modes
    PyObject **mt_items(object t)
    ctypedef object (*mt_vectorcall)(object, PyObject **, size_t, PyObject *)
    bint mt_can_listen(object f)
    mt_vectorcall mt_pointer(object f)
    void mt_set_pointer(object f, mt_vectorcall pointer)
    bint mt_has_definition(object f)
    object mt_call_definition(object f, object args, object kwargs)
    object mt_call_pointer(mt_vectorcall pointer, object f, PyObject **args, size_t nargsf, PyObject *names)
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf)

cdef dict originals = {}                # id of each function that leads here -> its own pointer, as an int
cdef list rewired = []
cdef int listening = 0, on_operators = 0    # how many listeners there are, in whatever thread
cdef object local = threading.local()


cdef list listeners_here():
    try:
        return local.listeners
    except AttributeError:
        local.listeners = []
        return local.listeners


cdef object interposed(object function, PyObject **args, size_t nargsf, PyObject *names):
    """What the functions' pointers lead to while there are listeners."""
    cdef list listeners = listeners_here()
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf), i
    cdef mt_vectorcall pointer
    cdef size_t address
    if not listeners:
        found = originals.get(<size_t><PyObject *>function)
        address = 0 if found is None else found
        if address:
            pointer = <mt_vectorcall><void *>address
            return mt_call_pointer(pointer, function, args, nargsf, names)
    arguments = tuple([<object>args[i] for i in range(n)])
    keywords = {}
    if names != NULL:
        for i in range(len(<tuple>names)):
            keywords[(<tuple>names)[i]] = <object>args[n + i]
    if not listeners:
        return mt_call_definition(function, arguments, keywords)
    return notify(function, arguments, keywords)


def unheard(function, tuple arguments, dict keywords):
    """Call an engine function itself, past the listeners (who hear what it calls in its turn)."""
    cdef size_t address
    cdef tuple names = tuple(keywords), values = arguments + tuple(keywords.values())
    found = originals.get(<size_t><PyObject *>function)
    if found is None:
        return function(*arguments, **keywords)
    address = found
    if address == 0:
        return mt_call_definition(function, arguments, keywords)
    return mt_call_pointer(<mt_vectorcall><void *>address, function, mt_items(values), len(arguments),
                           <PyObject *>names if names else NULL)


def notify(function, tuple arguments, dict keywords):
    """Hand a call to the innermost listener of this thread."""
    cdef list listeners = listeners_here()
    if not listeners:
        return function(*arguments, **keywords)
    listener = listeners.pop()
    try:
        return listener(function, arguments, keywords)
    finally:
        listeners.append(listener)


# What is asked of a tensor's shape and type alone: a tensor that stands for another answers for itself.
METADATA = {
    "size", "dim", "numel", "stride", "storage_offset", "is_contiguous", "element_size", "is_floating_point",
    "is_complex", "is_same_size", "result_type", "get_shape", "get_ndim", "len", "check_device", "data_ptr",
}


def engine_functions():
    """Every function of the engine that takes tensors or makes them."""
    import minitorch._ext as engine
    for info in pkgutil.iter_modules(engine.__path__):
        if info.name in NOT_HEARD:
            continue
        module = import_module("minitorch._ext." + info.name)  # one that is imported later would not be heard
        for function in vars(module).values():
            if hasattr(function, "__code__") and mt_can_listen(function) and \
                    getattr(function, "__module__", None) == module.__name__:
                yield function


# modules that no operation on tensors belongs to
NOT_HEARD = {"build", "dispatch", "dtype", "loops", "storage", "tensor", "threads", "optim"}


cdef int rewire() except -1:
    cdef mt_vectorcall pointer
    for function in engine_functions():
        pointer = mt_pointer(function)
        if pointer == interposed or (pointer == NULL and not mt_has_definition(function)):
            continue
        originals[<size_t><PyObject *>function] = <size_t><void *>pointer
        rewired.append(function)
        mt_set_pointer(function, interposed)
    return 0


cdef int restore() except -1:
    cdef size_t address
    for function in rewired:
        address = originals[<size_t><PyObject *>function]
        mt_set_pointer(function, <mt_vectorcall><void *>address)
    rewired.clear()
    originals.clear()
    return 0


# --- functions that the device does not have yet ----------------------------------------------------------------------

cdef dict guarded_originals = {}


cdef bint any_on_device(object value, int depth=0):
    """Whether a tensor of the device is among an argument and what it lists."""
    if isinstance(value, TensorBase):
        return on_device(<TensorBase>value)
    if depth < 2 and isinstance(value, (list, tuple)):
        for one in value:
            if any_on_device(one, depth + 1):
                return True
    return False


cdef object guarded(object function, PyObject **args, size_t nargsf, PyObject *names):
    """What the pointers of these functions lead to once there is a device."""
    cdef Py_ssize_t i
    for i in range(count_arguments(nargsf, names)):
        if any_on_device(<object>args[i]):
            raise NotImplementedError(f"{function.__name__} is not on cuda yet: move its tensors to the CPU with "
                                      ".cpu()")
    return call_kept(guarded_originals, function, args, nargsf, names)


def guard(on_every_device):
    """Let functions refuse tensors of the device, but for those that ``on_every_device(function)`` is true of."""
    put_between([function for function in engine_functions() if not on_every_device(function)], guarded,
                guarded_originals)


cdef Py_ssize_t count_arguments(size_t nargsf, PyObject *names) noexcept:
    """Of both kinds."""
    return PyVectorcall_NARGS(nargsf) + (0 if names == NULL else PyTuple_GET_SIZE(<object>names))


cdef object call_kept(dict kept, object function, PyObject **args, size_t nargsf, PyObject *names):
    """Go on to where a function's pointer led before `put_between`."""
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf), k = count_arguments(nargsf, names) - n, i
    cdef size_t address = kept[<size_t><PyObject *>function]
    if address:
        return mt_call_pointer(<mt_vectorcall><void *>address, function, args, nargsf, names)
    return mt_call_definition(function, tuple([<object>args[i] for i in range(n)]),
                              {(<tuple>names)[i]: <object>args[n + i] for i in range(k)})


cdef int put_between(list functions, mt_vectorcall stage, dict kept) except -1:
    """Let calls of functions pass through `stage`, for good."""
    cdef mt_vectorcall pointer
    cdef size_t key
    for function in functions:
        key = <size_t><PyObject *>function
        pointer = mt_pointer(function)
        if key in kept or (pointer == NULL and not mt_has_definition(function)):
            continue
        if pointer == interposed:                           # somebody listens: go between
            kept[key] = originals[key]
            originals[key] = <size_t><void *>stage
        else:
            kept[key] = <size_t><void *>pointer
            mt_set_pointer(function, stage)
    return 0


# --- classes that stand in for functions: `minitorch.overrides` -------------------------------------------------------

cdef dict overridden_originals = {}
cdef object stand_in = None                                 # what is called then
cdef object not_standing_in = None                          # the `__torch_function__` of classes that never do
cdef dict known_as = None                                   # what operators, methods and properties come as


cdef bint any_stands_in(object value, bint inside=False) except -1:
    """Whether an argument, or one of those that it lists, is of a class that does."""
    if isinstance(value, tensor_class()):
        return type(value) is not tensor_class() and type(value).__torch_function__ is not not_standing_in
    if not inside and isinstance(value, (list, tuple)):
        for one in value:
            if any_stands_in(one, True):
                return True
    return False


cdef object overridable(object function, PyObject **args, size_t nargsf, PyObject *names):
    """What the functions' pointers lead to once there are such classes."""
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf), i
    cdef bint stands_in = mt_modes > 0
    if not mt_plain or stands_in:
        for i in range(count_arguments(nargsf, names)):
            stands_in = stands_in or any_stands_in(<object>args[i])
        if stands_in:
            return stand_in(function, tuple([<object>args[i] for i in range(n)]), {} if names == NULL else {
                name: <object>args[n + i] for i, name in enumerate(<tuple>names)})
    return call_kept(overridden_originals, function, args, nargsf, names)


def override(handler, disabled, functions, dict methods):
    """Let calls with tensors of a class whose `__torch_function__` is not `disabled` go to `handler`, and all calls
    while there are modes: ``handler(function, arguments, keywords)``.

    Args:
        methods: operators, methods and properties that are not functions of the engine, and what each is known as.
    """
    global stand_in, not_standing_in, known_as
    stand_in, not_standing_in, known_as = handler, disabled, methods
    put_between([function for function in functions if mt_can_listen(function)], overridable, overridden_originals)


def override_methods(cls):
    """Give a class operators, methods and properties that ask, too, where it has those of all tensors.

    Before `override` there is nothing to ask.
    """
    for name, function in (known_as or {}).items():
        if getattr(cls, name) is getattr(tensor_class(), name):
            setattr(cls, name, asking(name, function))


cdef bint any_asked(object self, tuple others) except -1:
    if mt_plain:
        return mt_modes > 0
    return mt_modes > 0 or any_stands_in(self) or any([any_stands_in(other) for other in others])


cdef object asking(str name, function):
    """A method that does what `function` does, unless somebody stands in for it."""
    if not callable(function):                              # a property
        def get(self):
            return stand_in(function.__get__, (self,), {}) if any_asked(self, ()) else function.__get__(self)

        def set(self, value):
            stand_in(function.__set__, (self, value), {}) if any_asked(self, ()) else function.__set__(self, value)

        return property(get, set)

    def method(self, *others, **keywords):
        if not any_asked(self, others):
            return getattr(tensor_class(), name)(self, *others, **keywords)
        if name.startswith("__r") and "__" + name[3:] in known_as and isinstance(others[0], TensorBase):
            return stand_in(known_as["__" + name[3:]], (others[0], self), keywords)
        return stand_in(function, (self, *others), keywords)
    method.__name__ = name
    method.__doc__ = function.__doc__
    return method


def set_plain(bint plain):
    """Set whether in this thread no class stands in for functions; returns what it was."""
    global mt_plain
    before, mt_plain = bool(mt_plain), plain
    return before


def is_plain():
    """Whether in this thread no class stands in for functions."""
    return bool(mt_plain)


def set_modes(int modes):
    """How many objects there are that hear all calls of this thread."""
    global mt_modes
    mt_modes = modes


cdef object operator_function(str name):
    """What an operator's method comes as to a listener (``add`` of the module `operator`), and whether reflected."""
    for candidate in (name, name + "_"):
        if hasattr(operator, candidate):
            return getattr(operator, candidate), False
    if hasattr(builtins, name):
        return getattr(builtins, name), False
    return operator_function(name[1:])[0], True


cdef object heard(str method):
    """An operator's method that listeners hear of."""
    slot = getattr(tensor_module.engine_class_(), method)
    function, reflected = operator_function(method.strip("_"))

    def operator_method(self, *others):
        if not listeners_here():
            if mt_modes:
                return stand_in(known_as[method], (self, *others), {})
            return slot(self, *others)
        return notify(function, (*others, self) if reflected else (self, *others), {})
    operator_method.__name__ = method
    return operator_method


cdef int rewire_operators(bint listen) except -1:
    """Let the operators of plain tensors be heard too: their C functions give way to Python ones."""
    public = tensor_module.public_class_()
    for name in tensor_module.OPERATOR_NAMES:
        if listen and name not in public.__dict__ and hasattr(public, name):
            setattr(public, name, heard(name))
        elif not listen and name in public.__dict__:
            delattr(public, name)
    if not listen:
        todo = [public]
        while todo:
            cls = todo.pop()
            tensor_module.inherit_operators(cls)
            todo.extend(cls.__subclasses__())
    return 0


def hear_operators(bint hear):
    """Have the operators of plain tensors heard too, until it is called with False as often as with True."""
    global on_operators
    on_operators += 1 if hear else -1
    if on_operators == (1 if hear else 0):
        rewire_operators(hear)


def push(listener, bint operators=False):
    """Let a function ``listener(function, arguments, keywords)`` stand in for every call of the engine in this thread.

    Args:
        operators: hear those of plain tensors (``a + b``) too; they come as functions of the module `operator`.
    """
    global listening
    if listening == 0:
        rewire()
    listening += 1
    if operators:
        hear_operators(True)
    listeners_here().append(listener)


def pop(listener, bint operators=False):
    """End what `push` began; the listener must be the innermost one."""
    global listening
    cdef list listeners = listeners_here()
    if not listeners or listeners[len(listeners) - 1] is not listener:
        raise RuntimeError("listeners must end in the reverse order of their beginning")
    listeners.pop()
    listening -= 1
    if operators:
        hear_operators(False)
    if listening == 0:
        restore()


def remove(listener, bint operators=False):
    """End what `push` began, wherever in the stack of this thread the listener is."""
    cdef list listeners = listeners_here()
    if listener not in listeners:
        raise RuntimeError("this thread does not have that listener")
    listeners.remove(listener)
    listeners.append(listener)
    pop(listener, operators)


class only:
    """Inside, these are the listeners of this thread, the innermost one last; without any, nobody listens."""
    def __init__(self, *listeners):
        self.inside = list(listeners)

    def __enter__(self):
        self.before = listeners_here()
        local.listeners = self.inside

    def __exit__(self, *exception):
        local.listeners = self.before


def listeners():
    """The listeners of this thread, the innermost one last."""
    return tuple(listeners_here())


def shell(cls, TensorBase like not None, int without=-1):
    """A tensor of a subclass that looks like another, without one of its dimensions: what stands for a wrapped one."""
    cdef Py_ssize_t[MAX_DIMS] shape, strides
    cdef int d, n = 0
    cdef TensorBase memory = like
    for d in range(like.ndim):
        if d != without:
            shape[n] = like.shape[d]
            strides[n] = like.strides[d]
            n += 1
    if without >= 0 and like.shape[without] == 0:           # nothing there to look at
        memory = new_on(like, n, shape, like.code)
        for d in range(n):
            strides[d] = memory.strides[d]
    cdef TensorBase t = new_as_class(cls)
    t.code = memory.code
    t.storage = memory.storage
    t.offset = memory.offset
    set_dims(t, n, shape, strides)
    return t


def operator_names():
    """The methods that are operators."""
    return tensor_module.OPERATOR_NAMES
