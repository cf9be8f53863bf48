"""Derivatives written in Python: a node that calls a function of the tensors that it has kept."""
from minitorch._ext.tensor cimport SAVED, Node, TensorBase, new_view, record_outputs, recording


cdef class RuleBackward(Node):
    """A node whose derivative is a Python function.

    ``rule(gradients, saved, needs)`` returns a gradient, or None, for each input: from those of the outputs (None
    where there is none), the tensors kept, and whether each input's gradient is wanted.  Written with differentiable
    operations it serves for higher derivatives too.
    """
    cdef object rule
    cdef str title

    cdef str op_name(self):
        return self.title

    cdef object apply(self, TensorBase g):
        return self.apply_many([g])

    cdef object apply_many(self, list gs):
        cdef TensorBase t
        kept = []
        for k in range(SAVED):
            t = self.saved(k)
            if t is not None:
                # an output kept without its graph is not of the public class
                kept.append(t if type(t) is not TensorBase else new_view(t, t.ndim, t.shape, t.strides, t.offset))
        return tuple(self.rule(gs, kept, [self.needs(k) for k in range(len(self.edges))]))


def record_rule(str title not None, rule, tuple outputs not None, tuple inputs not None, tuple saved not None):
    """Make the outputs the results of a node with a derivative of its own, where an input needs a gradient.

    Args:
        title: the node's name, such as ``"LinalgQrBackward0"``.
        saved: the tensors to keep for the rule, four at most; outputs among them are kept as such.
    """
    cdef RuleBackward node
    cdef int k
    if recording(inputs):
        if len(saved) > SAVED:
            raise ValueError(f"{title}: a node keeps at most {SAVED} tensors, not {len(saved)}")
        node = RuleBackward.__new__(RuleBackward)
        node.rule, node.title = rule, title
        record_outputs(node, outputs, inputs)
        for k in range(len(saved)):
            node.save(k, saved[k])
    return outputs
