"""`autograd.Function`: operations whose derivative is written in Python.

The node of such an operation is also its `ctx`: what the forward notes there is where the backward looks for it.
"""
cimport cython
from cpython.object cimport PyObject
from minitorch._ext.dtype cimport mt_category
from minitorch._ext.pointwise cimport cast
from minitorch._ext.reduce cimport sum_to
from minitorch._ext.loops cimport zero_data
from minitorch._ext.tensor cimport (
    MADE_BY_FUNCTION, MAX_DIMS, Node, Packed, TensorBase, alias, describe, leave, new_at, new_view, on_device, packed,
    parse_size, rebase, record_outputs, recording, refuse_inference, requires_grad, set_grad, shape_of, unpacked,
)


from minitorch._ext.tensor import _check_repack, _packed_by, _saved_tensor


@cython.final
cdef class Kept:
    """One tensor that a function saved."""
    cdef TensorBase tensor
    cdef unsigned long long version
    cdef bint is_output


cdef class FunctionNode(Node):
    """One call of an `autograd.Function`, and its ``ctx``; made for each function with that one's name."""
    cdef object function                # the class that was called
    cdef object to_save                 # what save_for_backward was given
    cdef list kept
    cdef tuple dirty, non_differentiable
    cdef bint keep_none                 # leave gradients that never came None, rather than making zeros of them
    cdef list input_metas, output_metas  # (shape, code, on device) of each tensor, None of other things
    cdef readonly tuple needs_input_grad

    def __dealloc__(self):
        # See Node: a chain of these must not be dropped by recursion either.  (What is kept as an attribute of ctx is:
        # Python's own limit on nested drops then helps.)
        if self.kept is not None:
            leave(<PyObject *>self.kept)

    cdef str op_name(self):
        return type(self).__name__

    # --- what a forward calls
    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for the backward, which finds them in ``saved_tensors``: inputs and outputs alike."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type "
                                f"{type(t).__name__}: store it as an attribute of ctx instead")
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors for `jvp`, which finds them in ``saved_tensors``."""
        if self.to_save is None:
            self.save_for_backward(*tensors)

    def mark_dirty(self, *tensors):
        """Say which inputs were changed in place; each must be among the outputs."""
        self.dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Say which outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, bint value):
        """Whether the gradient of an output that nobody used comes as zeros (the default) rather than None."""
        self.keep_none = not value

    @property
    def materialize_grads(self):
        """See `set_materialize_grads`."""
        return not self.keep_none

    @materialize_grads.setter
    def materialize_grads(self, bint value):
        self.keep_none = not value

    # --- what a backward asks for
    @property
    def saved_tensors(self):
        """What `save_for_backward` was given, if it is still there and unchanged."""
        if self.kept is None:
            if self.released and self.to_save is not None:
                raise RuntimeError(
                    f"Trying to backward through the graph a second time: {self.op_name()} has already given back what "
                    "it saved. Specify retain_graph=True in the first call if you need to backward twice")
            return () if self.to_save is None else self.to_save
        return tuple([self.get(i) for i in range(len(self.kept))])

    @property
    def saved_variables(self):
        """The old name of `saved_tensors`."""
        return self.saved_tensors

    cdef object get(self, int i):
        cdef Kept one = self.kept[i]
        cdef TensorBase t, joined
        if one is None:
            return None
        if isinstance(one.tensor, Packed):
            t = unpacked(<Packed>one.tensor)
        elif one.tensor.storage.version != one.version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{self.op_name()} saved tensor {i}, {describe(one.tensor)}, at version {one.version}, and it is now "
                f"at version {one.tensor.storage.version}. Use the out-of-place form of the operation that changed "
                "it, or clone() the tensor first")
        else:
            t = one.tensor
        if one.is_output:
            joined = new_view(t, t.ndim, t.shape, t.strides, t.offset)
            joined.grad_fn = self
            joined.output_nr = one.tensor.output_nr
            return joined
        return t

    cdef int keep(self) except -1:
        """Save what the forward asked to, now that the outputs know their node."""
        cdef Kept one
        cdef TensorBase t
        if self.to_save is None:
            return 0
        self.kept = []
        for saved in self.to_save:
            one = None
            if saved is not None:
                t = saved
                one = Kept.__new__(Kept)
                one.version = t.storage.version
                if t.storage.inference:
                    refuse_inference(t, self.op_name())
                one.is_output = t.grad_fn is self
                one.tensor = packed(alias(t) if one.is_output else t, one.is_output)
            self.kept.append(one)
        self.to_save = ()
        return 0

    @property
    def _raw_saved_tensors(self):
        """What is kept, as places to put hooks."""
        return tuple([_saved_tensor(self, i) for i in range(len(self.kept or ()))])

    def saved_names(self):
        """(place, name) of each tensor that is kept."""
        return [(i, str(i)) for i in range(len(self.kept or ()))]

    def _repack(self, int k, pack_hook, unpack_hook):
        """Send one of the kept tensors through a pair of hooks."""
        cdef Kept one = None if self.kept is None else self.kept[k]
        _check_repack(self, None if one is None else one.tensor)
        one.tensor = _packed_by(one.tensor, one.is_output, pack_hook, unpack_hook)

    cdef dict saved_values(self):
        return {} if self.kept is None else {str(i): self.get(i) for i in range(len(self.kept))}

    cdef void release(self):
        self.released = True
        self.kept = None

    # --- the backward
    cdef object apply(self, TensorBase g):
        return self.apply_many([g])

    cdef object apply_many(self, list gs):
        cdef list arguments = []
        cdef object meta
        for i, g in enumerate(gs):
            meta = self.output_metas[i]
            if g is None and meta is not None and not self.keep_none:
                g = zeros(meta)
            elif g is not None and type(g) is TensorBase:
                g = new_view(g, (<TensorBase>g).ndim, (<TensorBase>g).shape, (<TensorBase>g).strides,
                             (<TensorBase>g).offset)
            arguments.append(g)
        result = self.function._derivative()(self, *arguments)
        if not isinstance(result, tuple):
            result = tuple(result) if isinstance(result, list) else (result,)
        return self.checked(<tuple>result)

    cdef tuple checked(self, tuple grads):
        """The gradients, one an input, in the shapes and types of those; or an error that says which is wrong."""
        cdef int n = len(self.input_metas), i
        cdef list result = []
        if len(grads) > n and any([g is not None for g in grads[n:]]) or len(grads) < n:
            raise RuntimeError(f"function {self.op_name()} returned an incorrect number of gradients (expected {n}, "
                               f"got {len(grads)}): backward must return one for each argument of forward, None for "
                               "those that have none")
        for i in range(n):
            g = grads[i]
            meta = self.input_metas[i]
            if g is not None:
                if meta is None:
                    raise RuntimeError(f"function {self.op_name()} returned a gradient different from None at position "
                                       f"{i}, but the corresponding forward input was not a Variable")
                if not isinstance(g, TensorBase):
                    raise TypeError(f"function {self.op_name()}: expected Variable or None (got {type(g).__name__}) "
                                    f"as gradient {i}")
                g = self.fitted(i, <TensorBase>g, meta) if self.edges[i] is not None else None
            result.append(g)
        return tuple(result)

    cdef TensorBase fitted(self, int i, TensorBase g, tuple meta):
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef int ndim = parse_size(meta[0], shape), d, lead = g.ndim - ndim
        if tuple(shape_of(g)) != tuple(meta[0]):
            for d in range(ndim):
                if lead < 0 or shape[d] != 1 and shape[d] != g.shape[lead + d]:
                    raise RuntimeError(f"Function {self.op_name()} returned an invalid gradient at index {i} - got "
                                       f"{list(shape_of(g))} but expected shape compatible with {list(meta[0])}")
            if lead < 0:
                raise RuntimeError(f"Function {self.op_name()} returned an invalid gradient at index {i} - got "
                                   f"{list(shape_of(g))} but expected shape compatible with {list(meta[0])}")
            g = sum_to(g, ndim, shape)
        if on_device(g) != <bint>meta[2]:
            raise RuntimeError(f"Function {self.op_name()} returned an invalid gradient at index {i} - expected device "
                               f"{'cuda:0' if meta[2] else 'cpu'} but got {'cuda:0' if on_device(g) else 'cpu'}")
        return cast(g, meta[1])


cdef TensorBase zeros(tuple meta):
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = parse_size(meta[0], shape)
    cdef TensorBase t = new_at(meta[2], ndim, shape, meta[1])
    zero_data(t)
    return t


cdef object meta_of(object x):
    if not isinstance(x, TensorBase):
        return None
    return shape_of(<TensorBase>x), (<TensorBase>x).code, (<TensorBase>x).storage.on_device


cdef TensorBase fresh_alias(TensorBase t):
    return new_view(t, t.ndim, t.shape, t.strides, t.offset)


cdef TensorBase passed_on(TensorBase t):
    """A tensor that a function returns as it got it: a view of it."""
    cdef TensorBase out = fresh_alias(t)
    out.base = t if t.base is None else t.base
    out.base_version = t.storage.version
    return out


cdef bint among(object x, tuple tensors):
    if tensors is not None:
        for t in tensors:
            if t is x:
                return True
    return False


def apply_function(cls, node_class, bint separate, tuple arguments):
    """Call a function: run its forward unrecorded, and make its outputs the results of its node."""
    cdef FunctionNode node = node_class()
    cdef tuple tensors = tuple([x if isinstance(x, TensorBase) else None for x in arguments])
    cdef bint recorded = recording(tensors), single, before
    node.function = cls
    node.needs_input_grad = tuple([t is not None and requires_grad(<TensorBase>t) for t in tensors])
    before = set_grad(False)
    try:
        if separate:
            outputs = cls.forward(*arguments)
            cls.setup_context(node, arguments, outputs)
        else:
            outputs = cls.forward(node, *arguments)
    finally:
        set_grad(before)
    single = not isinstance(outputs, tuple)
    outputs = connect(node, (outputs,) if single else outputs, tensors, recorded)
    if recorded:
        node.input_metas = [meta_of(t) for t in tensors]
        node.output_metas = [meta_of(t) for t in outputs]
        node.keep()
    return outputs[0] if single else outputs


cdef tuple connect(FunctionNode node, tuple outputs, tuple inputs, bint recorded):
    """The outputs as the results of a node: inputs that were passed on become tensors of their own."""
    cdef list results = [], differentiable = []
    cdef TensorBase t
    cdef bint differs
    cdef int nr
    for output in outputs:
        if not isinstance(output, TensorBase):
            results.append(output)
            differentiable.append(None)
            continue
        t = output
        differs = recorded and mt_category[t.code] >= 2 and not among(t, node.non_differentiable)
        if among(t, node.dirty) and not among(t, inputs):
            raise RuntimeError(f"{node.op_name()}: mark_dirty was given a tensor, {describe(t)}, that is not an input")
        if among(t, node.dirty):
            if differs and t.leaf_requires_grad:
                raise RuntimeError(f"{node.op_name()}: a leaf Variable that requires grad is being used in an in-place "
                                   "operation. Do it under minitorch.no_grad(), or on a clone()")
        elif among(t, inputs) or among(t, tuple(results)) or requires_grad(t):
            t = keep_identity(node, t, passed_on(t))
        if differs and t.base is not None and not among(t, node.dirty):
            t.made = MADE_BY_FUNCTION
        results.append(t)
        differentiable.append(t if differs else None)
    for t in node.dirty or ():
        if not among(t, outputs):
            raise RuntimeError(f"{node.op_name()}: Some elements marked as dirty during the forward method were not "
                               "returned as output. The inputs that are modified inplace must all be outputs of the "
                               "Function.")
    if recorded:
        fresh = tuple([None if t is None or among(t, node.dirty) else t for t in differentiable])
        record_outputs(node, fresh, inputs)
        for nr, output in enumerate(differentiable):
            if output is not None and among(output, node.dirty):
                t = output
                rebase_output(node, t, nr)
    return tuple(results)


cdef TensorBase keep_identity(FunctionNode node, TensorBase old, TensorBase new):
    """An output that was replaced is to be saved, if at all, as what replaced it."""
    if node.to_save is not None and not requires_grad(old):
        node.to_save = tuple([new if x is old else x for x in node.to_save])
    return new


cdef int rebase_output(FunctionNode node, TensorBase t, int nr) except -1:
    """An input that the function changed in place: from now on it is its output."""
    cdef int n = node.n_outputs
    if t.base is not None and nr != 0:
        raise NotImplementedError(f"{node.op_name()}: a view that was changed in place must be the first output")
    rebase(t, node)                     # which numbers the node anew and takes it for one of a single output
    node.n_outputs = n
    t.output_nr = nr
    return 0
