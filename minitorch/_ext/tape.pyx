# cython: boundscheck=False
"""The replaying half of the tape: `backward` and `grad`.

Nodes are numbered in the order of their creation, and an edge always leads to an older one.  So the waiting node with
the largest number has received all its gradients: it is replayed next, and what it yields is delivered to the nodes
before it.  That is a topological order without a pass to count anything, and without recursion.
"""
from time import sleep
from minitorch._ext.tensor import _set_retained_mover
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF
from libc.stdlib cimport free, realloc
from minitorch._ext.dtype cimport mt_category
from minitorch._ext.loops cimport copy_data, fill_data, scalar_value
from minitorch._ext.pointwise cimport add_into, cast, op_add
from minitorch._ext.reduce cimport sum_to
from minitorch._ext.tensor cimport (
    MAX_DIMS, Node, OutputOf, TensorBase, bump, check_devices, describe, edge_of, grad_enabled, new_as, new_view,
    parse_size, requires_grad, same_shape, set_grad, set_node_hooks, shape_of, tensor_class,
)
from minitorch._ext.dtype cimport dtype_of, mt_compute

cdef extern from *:
    """
    #ifndef MT_THREAD_LOCAL
    #define MT_THREAD_LOCAL _Thread_local
    #endif
    static MT_THREAD_LOCAL PyObject *mt_current = NULL;     /* the replay at work; borrowed */
    """
    PyObject *mt_current


cdef struct Slot:
    unsigned long long seq      # of the node
    PyObject *target            # a node or a leaf; owned
    PyObject *grad              # what has arrived so far: a tensor, or a list for a node with several outputs; owned
    bint ours                   # the tensor is a sum that nobody else has seen, so that more can be added in place

cdef unsigned long long runs = 0
cdef int alive = 0                      # replays, in all threads, also those that have not set out yet
cdef object edge_class = TensorBase     # autograd.graph.GradientEdge, once that is imported
cdef bint derivatives_watched = False   # by anomaly mode or a profiler: see the end of this file


@cython.final
cdef class Replay:
    """One backward pass: the gradients on their way."""
    cdef Slot *slots
    cdef Py_ssize_t *heap               # of slots, the largest seq first
    cdef Py_ssize_t used, capacity, waiting
    cdef unsigned long long run
    cdef list leaves                    # slots of leaves, in the order of their first gradient
    cdef dict by_leaf                   # the same by the leaf's id; made when its hint may be another replay's
    cdef bint crowded                   # there was another replay when this one was made
    cdef bint observed                  # a hook was met: leaves must be filled as soon as they can be
    cdef dict due                       # then: how many edges still lead to each leaf
    cdef set ahead                      # and the ids of the nodes that were still to be replayed
    cdef bint keep_graph, create_graph
    cdef dict wanted                    # of `grad`: (id of target, output) -> positions in result; None: accumulate
    cdef dict useful                    # of `grad`: ids of the nodes that lead to a wanted one
    cdef list result

    def __cinit__(self):
        global runs, alive
        runs += 1
        self.run = runs
        self.crowded = alive > 0
        alive += 1
        self.leaves = []

    def __dealloc__(self):
        global alive
        cdef Py_ssize_t i
        alive -= 1
        for i in range(self.used):
            Py_XDECREF(self.slots[i].target)
            Py_XDECREF(self.slots[i].grad)
        free(self.slots)
        free(self.heap)

    cdef Py_ssize_t new_slot(self, object target, unsigned long long seq) except -1:
        cdef Py_ssize_t capacity
        cdef void *slots
        cdef void *heap
        if self.used == self.capacity:
            capacity = 2 * self.capacity if self.capacity else 64
            slots = realloc(self.slots, capacity * sizeof(Slot))
            if slots != NULL:
                self.slots = <Slot *>slots
            heap = realloc(self.heap, capacity * sizeof(Py_ssize_t))
            if heap != NULL:
                self.heap = <Py_ssize_t *>heap
            if slots == NULL or heap == NULL:
                raise MemoryError("backward: no memory for the gradients on their way")
            self.capacity = capacity
        Py_INCREF(target)
        self.slots[self.used].target = <PyObject *>target
        self.slots[self.used].seq = seq
        self.slots[self.used].grad = NULL
        self.slots[self.used].ours = False
        self.used += 1
        return self.used - 1

    cdef void push(self, Py_ssize_t slot) noexcept:
        cdef Py_ssize_t i = self.waiting, parent
        self.waiting += 1
        while i > 0:
            parent = (i - 1) >> 1
            if self.slots[self.heap[parent]].seq >= self.slots[slot].seq:
                break
            self.heap[i] = self.heap[parent]
            i = parent
        self.heap[i] = slot

    cdef Py_ssize_t pop(self) noexcept:
        cdef Py_ssize_t top = self.heap[0], last, i = 0, child
        self.waiting -= 1
        last = self.heap[self.waiting]
        while 2 * i + 1 < self.waiting:
            child = 2 * i + 1
            if child + 1 < self.waiting and self.slots[self.heap[child + 1]].seq > self.slots[self.heap[child]].seq:
                child += 1
            if self.slots[self.heap[child]].seq <= self.slots[last].seq:
                break
            self.heap[i] = self.heap[child]
            i = child
        self.heap[i] = last
        return top

    cdef int deliver(self, object edge, TensorBase grad) except -1:
        """Add a gradient to what waits for the target of an edge."""
        cdef Node node
        cdef TensorBase leaf
        cdef int nr = 0
        cdef Py_ssize_t at
        cdef list several
        # A target remembers its slot.  Another pass at the same time may overwrite that; a leaf is then looked up, and
        # a node gets a second slot, which `step` joins with the first.  Such a pass was there when this one was made
        # (`crowded`), or has been made since (`runs`).
        if isinstance(edge, TensorBase):
            leaf = edge
            if leaf.run != self.run:
                if self.wanted is not None and (<Py_ssize_t><PyObject *>leaf, -1) not in self.wanted:
                    return 0
                leaf.slot = self.slot_of_leaf(leaf)
                leaf.run = self.run
                if leaf.hooks is not None:
                    self.observed = True
            return self.add(&self.slots[leaf.slot], grad)
        if isinstance(edge, OutputOf):
            node = (<OutputOf>edge).node
            nr = (<OutputOf>edge).nr
        else:
            node = edge
        if self.useful is not None and <Py_ssize_t><PyObject *>node not in self.useful:
            return 0
        if node.run != self.run:
            node.slot = self.new_slot(node, node.seq)
            node.run = self.run
            self.push(node.slot)
        at = node.slot                                  # now: a new list may collect garbage, and other threads go on
        if node.n_outputs == 1:
            return self.add(&self.slots[at], grad)
        if self.slots[at].grad == NULL:
            several = [None] * node.n_outputs
            Py_INCREF(several)
            self.slots[at].grad = <PyObject *>several
        several = <list>self.slots[at].grad
        several[nr] = grad if several[nr] is None else op_add(several[nr], grad)
        return 0

    cdef Py_ssize_t slot_of_leaf(self, TensorBase leaf) except -1:
        """The slot of a leaf that does not remember it."""
        cdef Py_ssize_t index
        if self.by_leaf is None and (self.crowded or runs != self.run):
            self.index_leaves()
        if self.by_leaf is not None and <Py_ssize_t><PyObject *>leaf in self.by_leaf:
            return self.by_leaf[<Py_ssize_t><PyObject *>leaf]
        index = self.new_slot(leaf, 0)
        self.leaves.append(index)
        if self.by_leaf is not None:
            self.by_leaf[<Py_ssize_t><PyObject *>leaf] = index
        return index

    cdef int index_leaves(self) except -1:
        cdef Py_ssize_t index
        self.by_leaf = {}
        for index in self.leaves:
            self.by_leaf[<Py_ssize_t>self.slots[index].target] = index
        return 0

    cdef int add(self, Slot *slot, TensorBase grad) except -1:
        cdef TensorBase total
        cdef Py_ssize_t index = slot - self.slots
        if slot.grad == NULL:
            Py_INCREF(grad)
            slot.grad = <PyObject *>grad
            return 0
        total = <TensorBase>slot.grad
        if slot.ours:
            add_into(total, grad)
            return 0
        grad = op_add(total, grad)
        slot = &self.slots[index]
        Py_INCREF(grad)
        slot.grad = <PyObject *>grad
        slot.ours = not self.create_graph and grad.code == total.code
        Py_DECREF(total)
        return 0

    cdef object take(self, Slot *slot):
        """The gradient of a slot, which it no longer owns."""
        grad = <object>slot.grad
        Py_DECREF(grad)
        slot.grad = NULL
        return grad

    cdef int step(self) except -1:
        """Replay the youngest waiting node."""
        cdef Slot *slot = &self.slots[self.pop()]
        cdef Node node = <Node>slot.target
        cdef object grad = self.take(slot), again
        cdef tuple grads
        cdef Py_ssize_t i
        node.run = 0
        while self.waiting and self.slots[self.heap[0]].target == <PyObject *>node:
            again = self.take(&self.slots[self.pop()])
            grad = op_add(grad, again) if node.n_outputs == 1 else merged(grad, again)
        if node.hooks is not None:
            if (<Hooks>node.hooks).pre or (<Hooks>node.hooks).post:
                self.observed = True
                if self.due is None:
                    self.begin_filling(node)
            grad = (<Hooks>node.hooks).before(node, grad)
        if self.wanted is not None:
            self.capture(node, grad)
            if not self.useful[<Py_ssize_t><PyObject *>node]:
                return 0
        if derivatives_watched:
            grads = watched(node, grad, tuple(watchers))
        elif node.n_outputs == 1:
            grads = node.apply(<TensorBase>grad)
        else:
            grads = node.apply_many(<list>grad)
        if node.hooks is not None and (<Hooks>node.hooks).post:
            grads = (<Hooks>node.hooks).after(node, grads, grad)
        grad = None
        if not self.keep_graph:
            node.release()
        for i in range(len(grads)):
            if grads[i] is None or node.edges[i] is None:
                continue
            if node.input_meta is not None and node.input_meta[i] is not None:
                self.deliver(node.edges[i], brought(<TensorBase>grads[i], <tuple>node.input_meta[i]))
            else:
                self.deliver(node.edges[i], <TensorBase>grads[i])
        if self.observed:
            self.settle(node)
        return 0

    cdef int settle(self, Node node) except -1:
        """Fill the leaves that no gradient can reach any more, now that a node is done.

        Nobody can tell when a leaf is filled unless there are hooks, so edges are counted only from the first one on.
        """
        cdef Py_ssize_t leaf
        if self.due is None:
            return self.begin_filling(None)
        for edge in node.edges:
            if isinstance(edge, TensorBase):
                leaf = <Py_ssize_t><PyObject *>edge
                self.due[leaf] -= 1
                if self.due[leaf] == 0 and leaf in self.by_leaf:
                    self.fill(self.by_leaf[leaf])
        return 0

    cdef int begin_filling(self, object current) except -1:
        """Fill the leaves that are complete by now; ``current`` is a node that is about to be replayed, or None."""
        cdef Py_ssize_t leaf
        self.count_edges(current)
        for leaf in list(self.by_leaf):
            if leaf not in self.due:
                self.fill(self.by_leaf[leaf])
        return 0

    cdef int count_edges(self, object current) except -1:
        """How many edges lead to each leaf from the nodes that wait, and those before them."""
        cdef set seen = set()
        cdef list todo = [<object>self.slots[self.heap[k]].target for k in range(self.waiting)]
        cdef Py_ssize_t identity
        todo.append(current)
        self.due, self.ahead = {}, seen
        self.index_leaves()
        while todo:
            edge = todo.pop()
            if edge is None:
                continue
            if isinstance(edge, OutputOf):
                edge = (<OutputOf>edge).node
            identity = <Py_ssize_t><PyObject *>edge
            if isinstance(edge, TensorBase):
                self.due[identity] = self.due.get(identity, 0) + 1
            elif identity not in seen:
                seen.add(identity)
                if self.useful is None or self.useful.get(identity):
                    todo.extend((<Node>edge).edges)
        return 0

    cdef int capture(self, Node node, object grad) except -1:
        for nr in range(node.n_outputs):
            positions = self.wanted.get((<Py_ssize_t><PyObject *>node, nr))
            if positions:
                for position in positions:
                    self.result[position] = public(grad if node.n_outputs == 1 else grad[nr])
        return 0

    cdef int finish(self) except -1:
        """All nodes are done: the leaves take their gradients."""
        cdef Py_ssize_t index
        for index in self.leaves:
            self.fill(index)
        return 0

    cdef int fill(self, Py_ssize_t index) except -1:
        """A leaf takes its gradient."""
        cdef TensorBase leaf = <TensorBase>self.slots[index].target, grad
        if self.slots[index].grad == NULL:              # it has
            return 0
        grad = self.take(&self.slots[index])
        if leaf.hooks is not None:
            grad = (<Hooks>leaf.hooks).before_leaf(grad)
        if self.wanted is None:
            accumulate(leaf, grad)
            if leaf.hooks is not None:
                (<Hooks>leaf.hooks).after_leaf(leaf)
            return 0
        for position in self.wanted[(<Py_ssize_t><PyObject *>leaf, -1)]:
            self.result[position] = public(grad)
        return 0

    cdef int go(self) except -1:
        global mt_current
        cdef bint before = set_grad(self.create_graph)
        cdef PyObject *outer = mt_current
        mt_current = <PyObject *>self
        try:
            while self.waiting:
                self.step()
            self.finish()
        finally:
            mt_current = outer
            set_grad(before)
        return 0


cdef Replay current_pass():
    return None if mt_current == NULL else <Replay>mt_current


def _pass_number():
    """The number of the replay at work in this thread, or 0."""
    return 0 if mt_current == NULL else current_pass().run


def _pass_fills_all():
    """Whether the replay at work in this thread adds to the gradients of all leaves it comes to."""
    return mt_current == NULL or current_pass().wanted is None


def _is_ahead(TensorBase tensor not None):
    """Whether the replay at work in this thread computes the gradient of a tensor (and had not when it met a hook)."""
    cdef Replay replay = current_pass()
    cdef object edge = edge_of(tensor)
    if replay is None or replay.due is None or edge is None:
        return False
    if isinstance(edge, TensorBase):
        return <Py_ssize_t><PyObject *>edge in replay.due or <Py_ssize_t><PyObject *>edge in replay.by_leaf
    return <Py_ssize_t><PyObject *>tensor.grad_fn in replay.ahead


cdef list merged(list a, list b):
    return [y if x is None else x if y is None else op_add(x, y) for x, y in zip(a, b)]


cdef TensorBase brought(TensorBase grad, tuple meta):
    """A gradient in the shape and type of the input that it belongs to: the one place where broadcasting is undone."""
    cdef Py_ssize_t[MAX_DIMS] shape
    cdef int ndim = parse_size(meta[0], shape)
    return cast(sum_to(grad, ndim, shape), meta[1])


cdef TensorBase public(TensorBase t):
    """A tensor of the public class (the engine's own aliases are not)."""
    if t is None or isinstance(t, tensor_class()):
        return t
    return new_view(t, t.ndim, t.shape, t.strides, t.offset)


cdef int accumulate(TensorBase leaf, TensorBase grad) except -1:
    """leaf.grad += grad; a first gradient that nobody else holds is kept as it is."""
    while leaf.adding:                                  # another thread is: kernels let go of the GIL
        sleep(1e-5)
    leaf.adding = True
    try:
        add_to_leaf(leaf, grad)
    finally:
        leaf.adding = False
    return 0


cdef int add_to_leaf(TensorBase leaf, TensorBase grad) except -1:
    cdef TensorBase copy
    if leaf.grad_ is None:
        # the one reference to the tensor is that of `fill`, that to the storage the tensor's
        if grad_enabled() or ((<PyObject *>grad).ob_refcnt == 1 and (<PyObject *>grad.storage).ob_refcnt == 1
                              and grad.code == leaf.code and grad.contiguous and leaf.contiguous
                              and isinstance(grad, tensor_class())):
            leaf.grad_ = public(grad)
        else:
            copy = new_as(leaf, leaf.code)
            copy_data(copy, grad)
            leaf.grad_ = copy
    elif grad_enabled():
        leaf.grad_ = op_add(leaf.grad_, grad)
    else:
        if not same_shape(leaf.grad_, grad):
            raise RuntimeError(f"backward: the tensor {describe(leaf)} has a .grad of another shape, "
                               f"{describe(leaf.grad_)}; set it to None first")
        add_into(leaf.grad_, grad)
        bump(leaf.grad_)
    return 0


# --- hooks ------------------------------------------------------------------------------------------------------------

@cython.final
cdef class Hooks:
    """The hooks of a node or of a leaf, each under the number of its handle."""
    cdef dict pre           # (output number, hook) of a tensor, or (-1, hook) of the node: called before its derivative
    cdef dict post          # of a node: called with what its derivative gives; of a leaf: once its gradient is there
    cdef dict ends          # of a leaf: those of its AccumulateGrad, called after that
    cdef dict retained      # output number -> weak reference to the tensor that keeps its gradient

    def __cinit__(self):
        self.pre, self.post, self.ends, self.retained = {}, {}, {}, {}

    cdef object before(self, Node node, object grad):
        """The gradient of a node's outputs, as the hooks leave it: those of tensors first, then the node's."""
        cdef bint several = node.n_outputs != 1
        cdef TensorBase t
        for nr, hook in list(self.pre.values()):
            if nr < 0:
                continue
            if not several:
                grad = checked(hook(public(grad)), grad, node.op_name())
            elif grad[nr] is not None:
                grad[nr] = checked(hook(public(grad[nr])), grad[nr], node.op_name())
        for nr, reference in list(self.retained.items()):
            t = reference()
            if t is not None:
                t.grad_ = public(grad[nr] if several else grad)
        for nr, hook in list(self.pre.values()):
            if nr >= 0:
                continue
            given = tuple([public(g) for g in grad]) if several else (public(grad),)
            found = hook(given)
            if found is not None:
                found = found if isinstance(found, tuple) else (found,)
                if len(found) != len(given):
                    raise RuntimeError(f"a pre-hook of {node.op_name()} returned {len(found)} gradients in place of "
                                       f"{len(given)}")
                if several:
                    grad = [None if g is None else checked(g, old, node.op_name()) if old is not None else g
                            for g, old in zip(found, given)]
                else:
                    grad = checked(found[0], <TensorBase>grad, node.op_name())
        return grad

    cdef object after(self, Node node, tuple grads, object grad):
        """The gradients of a node's inputs, as the hooks leave them."""
        cdef list brought_grads = []
        cdef Py_ssize_t i
        for i in range(len(grads)):
            if grads[i] is None or node.edges[i] is None:
                brought_grads.append(None)
            elif node.input_meta is not None and node.input_meta[i] is not None:
                brought_grads.append(public(brought(<TensorBase>grads[i], <tuple>node.input_meta[i])))
            else:
                brought_grads.append(public(grads[i]))
        grads = tuple(brought_grads)
        outputs = tuple([public(g) for g in grad]) if node.n_outputs != 1 else (public(grad),)
        for hook in list(self.post.values()):
            found = hook(grads, outputs)
            if found is None:
                continue
            found = found if isinstance(found, tuple) else (found,)
            if len(found) != len(grads):
                raise RuntimeError(f"a hook of {node.op_name()} returned {len(found)} gradients in place of "
                                   f"{len(grads)}")
            grads = tuple([g if g is None or old is None else checked(g, old, node.op_name())
                           for g, old in zip(found, grads)])
        return grads

    cdef TensorBase before_leaf(self, TensorBase grad):
        for _, hook in list(self.pre.values()):
            grad = checked(hook(public(grad)), grad, "a leaf")
        return grad

    cdef int after_leaf(self, TensorBase leaf) except -1:
        for hook in list(self.post.values()):
            if hook(leaf) is not None:
                raise RuntimeError("a hook of register_post_accumulate_grad_hook must return None")
        for hook in list(self.ends.values()):
            hook((), (leaf.grad_,))
        return 0


cdef Hooks hooks_of_node(Node node):
    if node.hooks is None:
        node.hooks = Hooks.__new__(Hooks)
    return node.hooks


cdef Hooks hooks_of_leaf(TensorBase leaf):
    if leaf.hooks is None:
        leaf.hooks = Hooks.__new__(Hooks)
    return leaf.hooks


cdef TensorBase checked(object replacement, TensorBase grad, str name):
    if replacement is None:
        return grad
    if not isinstance(replacement, TensorBase):
        raise TypeError(f"a hook of {name} must return a tensor or None, not {type(replacement).__name__}")
    if not same_shape(<TensorBase>replacement, grad):
        raise RuntimeError(f"a hook of {name} returned a gradient {describe(<TensorBase>replacement)} in place of "
                           f"{describe(grad)}: the shape must stay the same")
    check_devices(f"a hook of {name}", grad, (replacement,))
    return replacement


cdef object entered(dict table, object entry):
    """Put a hook into a table; return the handle that takes it out again."""
    from minitorch.utils.hooks import RemovableHandle
    handle = RemovableHandle(table)
    table[handle.id] = entry
    return handle


def retain_grad(TensorBase self not None):
    """Keep the gradient of a tensor that is not a leaf in its ``grad`` too.

    >>> import minitorch
    >>> x = minitorch.tensor(3., requires_grad=True)
    >>> y = x * 2
    >>> y.retain_grad()
    >>> (y * y).backward()
    >>> y.grad
    tensor(12.)
    """
    import weakref
    if not requires_grad(self):
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if self.grad_fn is not None:
        hooks_of_node(self.grad_fn).retained[self.output_nr] = weakref.ref(self)


def retains_grad(TensorBase self not None):
    """Whether `retain_grad` was called on a tensor inside the graph."""
    if self.grad_fn is None or self.grad_fn.hooks is None:
        return False
    reference = (<Hooks>self.grad_fn.hooks).retained.get(self.output_nr)
    return reference is not None and reference() is self


def register_hook(TensorBase self not None, hook):
    """Call ``hook(grad)`` with the gradient of this tensor; what it returns, if not None, takes its place.

    >>> import minitorch
    >>> x = minitorch.tensor(3., requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> (x * x).backward()
    >>> x.grad
    tensor(60.)
    """
    if not requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.grad_fn is None:
        return entered(hooks_of_leaf(self).pre, (0, hook))
    return entered(hooks_of_node(self.grad_fn).pre, (self.output_nr, hook))


def register_post_accumulate_grad_hook(TensorBase self not None, hook):
    """Call ``hook(tensor)`` each time a backward pass has added to the ``grad`` of this leaf.

    >>> import minitorch
    >>> w = minitorch.tensor(3., requires_grad=True)
    >>> handle = w.register_post_accumulate_grad_hook(lambda t: print(t.grad))
    >>> (w * w).backward()
    tensor(6.)
    """
    if not requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.grad_fn is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors: this one comes from "
                           f"{self.grad_fn.op_name()}. Use register_hook, or retain_grad")
    return entered(hooks_of_leaf(self).post, hook)


def node_register_hook(node, fn):
    """Call ``fn(grad_inputs, grad_outputs)`` after the derivative of a node; what it returns, if not None, takes the
    place of the gradients of the inputs.

    >>> import minitorch
    >>> x = minitorch.tensor(3., requires_grad=True)
    >>> y = x * x
    >>> handle = y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: print(grad_outputs))
    >>> y.backward()
    (tensor(1.),)
    """
    if isinstance(node, Node):
        return entered(hooks_of_node(<Node>node).post, fn)
    return entered(hooks_of_leaf(<TensorBase>node.variable).ends, fn)


def node_register_prehook(node, fn):
    """Call ``fn(grad_outputs)`` before the derivative of a node; what it returns, if not None, takes their place.

    >>> import minitorch
    >>> x = minitorch.tensor(3., requires_grad=True)
    >>> y = x * x
    >>> handle = y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 10,))
    >>> y.backward()
    >>> x.grad
    tensor(60.)
    """
    if isinstance(node, Node):
        return entered(hooks_of_node(<Node>node).pre, (-1, fn))
    return entered(hooks_of_leaf(<TensorBase>node.variable).pre, (0, lambda grad: first_of(fn((grad,)))))


cdef object first_of(object found):
    return found[0] if isinstance(found, tuple) else found


def _move_retained(TensorBase t, Node old, Node new):
    """A tensor that keeps its gradient was changed in place: it keeps that of what it is now."""
    cdef dict retained = (<Hooks>old.hooks).retained
    reference = retained.get(t.output_nr)
    if reference is not None and reference() is t:
        hooks_of_node(new).retained[0] = retained.pop(t.output_nr)


_set_retained_mover(_move_retained)


def run_post_accumulate_hooks(TensorBase tensor not None):
    """Call the hooks that wait for a gradient to have been added to a leaf."""
    if tensor.hooks is not None:
        (<Hooks>tensor.hooks).after_leaf(tensor)


set_node_hooks(node_register_hook, node_register_prehook)


# --- watching derivatives ---------------------------------------------------------------------------------------------

cdef list watchers = []


def _watch_derivatives(watcher, bint on):
    """Let a context manager ``watcher(node)`` be around the derivative of each node; it gives a function to call with
    the gradients."""
    global derivatives_watched
    if on:
        watchers.append(watcher)
    else:
        watchers.remove(watcher)
    derivatives_watched = len(watchers) > 0


cdef tuple watched(Node node, object grad, tuple around):
    """The derivative of a node, with the watchers around it."""
    cdef tuple grads
    if not around:
        return node.apply(<TensorBase>grad) if node.n_outputs == 1 else node.apply_many(<list>grad)
    with around[0](node) as check:
        grads = watched(node, grad, around[1:])
        check([public(g) for g in grads])
    return grads


# --- what users call --------------------------------------------------------------------------------------------------

cdef TensorBase first_gradient(TensorBase output, object gradient, int position):
    """The gradient to start from: the one given, or 1 for a tensor of one element."""
    cdef TensorBase g
    if gradient is None:
        if output.numel != 1:
            raise RuntimeError(f"grad can be implicitly created only for scalar outputs, but output {position} is "
                               f"{describe(output)}. Reduce it first, for example with .sum(), or give the gradient")
        if mt_category[output.code] != 2:
            raise RuntimeError("grad can be implicitly created only for real scalar outputs but got "
                               f"{dtype_of(output.code)}")
        g = new_as(output, output.code)
        fill_data(g, scalar_value(1.0, mt_compute[g.code]))
        return g
    if not isinstance(gradient, TensorBase):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    g = gradient
    if not same_shape(g, output):
        raise RuntimeError(f"Mismatch in shape: grad_output[{position}] has a shape of {list(shape_of(g))} and "
                           f"output[{position}] has a shape of {list(shape_of(output))}.")
    check_devices(f"grad_output[{position}]", output, (g,))
    return g if g.code == output.code else cast(g, output.code)


def _set_edge_class(cls):
    """Tell the engine the class of places in the graph, which it takes where it takes tensors of the graph."""
    global edge_class
    edge_class = cls


cdef object edge_at(object x):
    """The edge to a tensor or to a GradientEdge."""
    cdef OutputOf output
    if isinstance(x, TensorBase):
        return edge_of(<TensorBase>x)
    node, nr = x
    if not isinstance(node, Node):
        return node.variable                            # of an AccumulateGrad
    if nr == 0:
        return node
    if nr >= (<Node>node).n_outputs or nr < 0:
        raise IndexError(f"{(<Node>node).op_name()} has {(<Node>node).n_outputs} outputs, and no output {nr}")
    output = OutputOf.__new__(OutputOf)
    output.node, output.nr = node, nr
    return output


cdef str said(object x):
    return describe(<TensorBase>x) if isinstance(x, TensorBase) else repr(x)


cdef int check_place(Node node, TensorBase gradient) except -1:
    """Refuse a gradient that is not where the numbers are that a node has saved; others may be anywhere."""
    for saved in (node.saved0, node.saved1, node.saved2, node.saved3):
        if saved is not None and mt_category[(<TensorBase>saved).code] >= 2:
            check_devices("the gradient", gradient, (saved,))
    return 0


cdef int start(Replay replay, object outputs, object gradients) except -1:
    cdef int i = 0
    cdef TensorBase output
    for one, gradient in zip(outputs, gradients):
        edge = edge_at(one)
        if not isinstance(one, TensorBase):
            if not isinstance(gradient, TensorBase):
                raise RuntimeError(f"the gradient of {said(one)} must be given: a place in the graph does not know the "
                                   "shape of its tensor")
            if isinstance(edge, Node):
                check_place(<Node>edge, <TensorBase>gradient)
            replay.deliver(edge, gradient)
            i += 1
            continue
        output = one
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn: "
                               f"{describe(output)}. Was it computed under no_grad(), from detached tensors, or from "
                               "leaves without requires_grad=True?")
        replay.deliver(edge, first_gradient(output, gradient, i))
        i += 1
    return 0


cdef tuple as_tuple(object tensors, str what):
    if isinstance(tensors, (TensorBase, edge_class)):
        return (tensors,)
    tensors = tuple(tensors)
    for t in tensors:
        if not isinstance(t, (TensorBase, edge_class)):
            raise TypeError(f"{what} must be tensors, got {type(t).__name__}")
    return tensors


cdef tuple gradients_for(tuple outputs, object gradients):
    if gradients is None:
        return (None,) * len(outputs)
    gradients = (gradients,) if isinstance(gradients, TensorBase) else tuple(gradients)
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    return gradients


cdef int want(Replay replay, tuple outputs, tuple inputs) except -1:
    """Prepare a pass that yields the gradients of some tensors alone."""
    cdef Node node
    cdef list reached = [], todo = []
    cdef dict seen = {}
    cdef int position = 0
    replay.wanted = {}
    replay.result = [None] * len(inputs)
    for t in inputs:
        edge = edge_at(t)
        if edge is None:
            raise RuntimeError(f"One of the differentiated Tensors does not require grad: input {position}, {said(t)}")
        if isinstance(edge, TensorBase):
            key = (<Py_ssize_t><PyObject *>edge, -1)
        elif isinstance(edge, OutputOf):
            key = (<Py_ssize_t><PyObject *>((<OutputOf>edge).node), (<OutputOf>edge).nr)
        else:
            key = (<Py_ssize_t><PyObject *>edge, 0)
        replay.wanted.setdefault(key, []).append(position)
        position += 1
    ends = {key[0] for key in replay.wanted}
    for t in outputs:
        todo.append(edge_at(t))
    while todo:
        edge = todo.pop()
        if isinstance(edge, OutputOf):
            edge = (<OutputOf>edge).node
        if edge is None or isinstance(edge, TensorBase) or <Py_ssize_t><PyObject *>edge in seen:
            continue
        node = edge
        seen[<Py_ssize_t><PyObject *>node] = True
        reached.append((node.seq, node))
        todo.extend(node.edges)
    reached.sort(key=lambda pair: pair[0])
    replay.useful = {}
    for _, node in reached:                 # older ones first: a node is useful if it leads to a useful or wanted one
        leads = False
        for edge in node.edges:
            if edge is None:
                continue
            target = (<OutputOf>edge).node if isinstance(edge, OutputOf) else edge
            identity = <Py_ssize_t><PyObject *>target
            if identity in ends or identity in replay.useful:
                leads = True
                break
        if leads or <Py_ssize_t><PyObject *>node in ends:
            replay.useful[<Py_ssize_t><PyObject *>node] = leads
    return 0


def backward(tensors, grad_tensors=None, retain_graph=None, bint create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of the sum of ``tensors`` to the ``grad`` of the leaves that they were computed from.

    Args:
        grad_tensors: the gradient of each tensor; may be left out for those of one element.
        retain_graph: keep what the graph has saved, for another pass; as ``create_graph`` unless given.
        create_graph: record the pass itself, so that its results can be differentiated.
        inputs: the leaves (or tensors inside the graph) to fill; all leaves unless given.

    >>> import minitorch
    >>> x = minitorch.tensor([1., 2.], requires_grad=True)
    >>> minitorch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    cdef Replay replay
    cdef tuple outputs = as_tuple(tensors, "tensors")
    cdef tuple targets
    cdef TensorBase t
    if grad_variables is not None:
        raise NotImplementedError("backward: grad_variables is the old name of grad_tensors; use that")
    gradients = gradients_for(outputs, grad_tensors)
    replay = Replay.__new__(Replay)
    replay.create_graph = create_graph
    replay.keep_graph = create_graph if retain_graph is None else retain_graph
    if inputs is not None:
        targets = as_tuple(inputs, "inputs")
        if not targets:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
        want(replay, outputs, targets)
    start(replay, outputs, gradients)
    replay.go()
    if inputs is not None:
        before = set_grad(create_graph)
        try:
            for one, gradient in zip(targets, replay.result):
                if gradient is not None:
                    edge = edge_at(one)
                    if not isinstance(one, TensorBase) and not isinstance(edge, TensorBase):
                        raise RuntimeError(f"backward: inputs: {said(one)} is no leaf, and has no grad to fill")
                    t = one if isinstance(one, TensorBase) else edge
                    accumulate(t, gradient)
                    if t.hooks is not None:
                        (<Hooks>t.hooks).after_leaf(t)
        finally:
            set_grad(before)


def tensor_backward(TensorBase self not None, gradient=None, retain_graph=None, bint create_graph=False, inputs=None):
    """Add the gradient of this tensor to the ``grad`` of the leaves that it was computed from.

    Args:
        gradient: the gradient of some scalar by this tensor; may be left out if it has one element.
        retain_graph: keep what the graph has saved, for another pass; as ``create_graph`` unless given.
        create_graph: record the pass itself, so that its results can be differentiated.
        inputs: the leaves to fill; all unless given.

    >>> import minitorch
    >>> x = minitorch.tensor([1., 2.], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    cdef Replay replay
    if inputs is not None:
        backward(self, gradient, retain_graph, create_graph, None, inputs)
        return
    replay = Replay.__new__(Replay)
    replay.create_graph = create_graph
    replay.keep_graph = create_graph if retain_graph is None else retain_graph
    start(replay, (self,), (gradient,))
    replay.go()


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, bint create_graph=False, *, bint allow_unused=False,
         bint is_grads_batched=False, bint materialize_grads=False):
    """The gradients of the sum of ``outputs`` by ``inputs``, without touching any ``grad``.

    Args:
        grad_outputs: the gradient of each output; may be left out for those of one element.
        retain_graph: keep what the graph has saved, for another pass; as ``create_graph`` unless given.
        create_graph: record the pass itself, so that its results can be differentiated.
        allow_unused: None, rather than an error, for an input that the outputs do not depend on.
        materialize_grads: zeros instead of None for those.
        is_grads_batched: each of ``grad_outputs`` has a further first dimension; so have the results, one pass for
            each of its indices.

    >>> import minitorch
    >>> x = minitorch.tensor(3., requires_grad=True)
    >>> (first,) = minitorch.autograd.grad(x ** 3, x, create_graph=True)
    >>> minitorch.autograd.grad(first, x)
    (tensor(18.),)
    """
    cdef Replay replay = Replay.__new__(Replay)
    cdef tuple results = as_tuple(outputs, "outputs"), targets = as_tuple(inputs, "inputs")
    cdef TensorBase t
    if is_grads_batched:
        return batched(results, targets, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    replay.create_graph = create_graph
    replay.keep_graph = create_graph if retain_graph is None else retain_graph
    want(replay, results, targets)
    start(replay, results, gradients_for(results, grad_outputs))
    replay.go()
    for i in range(len(targets)):
        if replay.result[i] is None:
            if materialize_grads and isinstance(targets[i], TensorBase):
                t = new_as(<TensorBase>targets[i], (<TensorBase>targets[i]).code)
                fill_data(t, scalar_value(0, mt_compute[t.code]))
                replay.result[i] = t
            elif not allow_unused:
                raise RuntimeError("One of the differentiated Tensors appears to not have been used in the graph: "
                                   f"input {i}, {said(targets[i])}. Set allow_unused=True if this is "
                                   "the desired behavior.")
    return tuple(replay.result)


cdef tuple batched(tuple outputs, tuple inputs, object grad_outputs, object retain_graph, bint create_graph,
                   bint allow_unused, bint materialize_grads):
    """The gradients for each of a batch of vectors: as many passes, their results stacked."""
    from minitorch._ext.index import stack
    cdef tuple vectors = gradients_for(outputs, grad_outputs)
    cdef list passes = []
    cdef Py_ssize_t i, n = -1
    keep = create_graph if retain_graph is None else retain_graph
    for v in vectors:
        if v is None or (<TensorBase>v).ndim == 0:
            raise ValueError("grad with is_grads_batched=True: every one of grad_outputs must be given and have a "
                             "first dimension, that of the batch")
        if n >= 0 and (<TensorBase>v).shape[0] != n:
            raise ValueError(f"grad with is_grads_batched=True: batches of {n} and of {(<TensorBase>v).shape[0]}")
        n = (<TensorBase>v).shape[0]
    if n == 0:
        raise ValueError("grad with is_grads_batched=True: the batch is empty")
    for i in range(n):
        passes.append(grad(outputs, inputs, [v[i] for v in vectors], keep or i < n - 1, create_graph,
                           allow_unused=allow_unused, materialize_grads=materialize_grads))
    return tuple([None if one[0] is None else stack(list(one)) for one in zip(*passes)])


def leads_elsewhere(outputs, sources):
    """Whether the graph behind some tensors leads to a leaf, or through a tensor, that is not among the sources."""
    cdef set seen = set(), ours = set()
    cdef TensorBase t
    cdef list todo = [edge_of(<TensorBase>one) for one in outputs]
    for t in sources:
        ours.add(<Py_ssize_t><PyObject *>t)
    while todo:
        edge = todo.pop()
        if isinstance(edge, OutputOf):
            edge = (<OutputOf>edge).node
        if edge is None or <Py_ssize_t><PyObject *>edge in seen:
            continue
        seen.add(<Py_ssize_t><PyObject *>edge)
        if isinstance(edge, TensorBase):
            if <Py_ssize_t><PyObject *>edge not in ours:
                return True
        else:
            todo.extend((<Node>edge).edges)
    return False
