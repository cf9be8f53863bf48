"""Discrete Fourier transforms, by NumPy's pocketfft, and their derivatives.

There are three: of complex numbers to complex ones, of real numbers to the half of the spectrum that is not the
conjugate of the rest, and back from that half.  Everything in `minitorch.fft` is one of them or a chain.  They are
linear, so each derivative is the adjoint: the transform in the other direction with the same factor,
by the opposite name of the norm.
"""
import numpy as np
from minitorch._ext.dtype cimport mt_complex_of
from minitorch._ext.pointwise cimport cast, op_mul
from minitorch._ext.tensor cimport MAX_DIMS, Node, TensorBase, new_tensor, record1, recording1
from minitorch._ext.loops cimport zero_data
from minitorch._ext.views cimport select_of, view_as_real_of
from minitorch._ext.engine import from_numpy, numpy
from minitorch._ext.index import cat

cdef dict OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


cdef TensorBase transformed(object function, TensorBase x, dict options):
    """NumPy's transform of the values; not recorded."""
    return from_numpy(np.ascontiguousarray(function(numpy(x, force=True), **options)))


cdef class FftC2CBackward(Node):
    """y = s F x:  dx = s F* dy, the transform in the other direction."""
    cdef tuple dims
    cdef bint inverse
    cdef str norm

    cdef object apply(self, TensorBase g):
        return (c2c(g, self.dims, not self.inverse, OPPOSITE[self.norm]),)


def c2c(TensorBase x not None, tuple dims, bint inverse, str norm):
    """The transform of complex numbers along dimensions, which are not empty."""
    cdef TensorBase out
    cdef FftC2CBackward node
    if not dims:
        return x
    x = cast(x, mt_complex_of(x.code))
    out = transformed(np.fft.ifftn if inverse else np.fft.fftn, x, dict(axes=dims, norm=norm))
    if recording1(x):
        node = FftC2CBackward.__new__(FftC2CBackward)
        node.dims, node.inverse, node.norm = dims, inverse, norm
        record1(node, out, x)
    return out


cdef class FftR2CBackward(Node):
    """y = the first half of s F x:  dx = Re s F* dy, with zeros for the other half."""
    cdef int dim
    cdef Py_ssize_t n
    cdef str norm

    cdef object apply(self, TensorBase g):
        cdef Py_ssize_t[MAX_DIMS] shape
        cdef TensorBase rest
        cdef int d
        for d in range(g.ndim):
            shape[d] = g.shape[d]
        shape[self.dim] = self.n - g.shape[self.dim]
        if shape[self.dim]:
            rest = new_tensor(g.ndim, shape, g.code)
            zero_data(rest)
            g = cat((g, rest), self.dim)
        g = c2c(g, (self.dim,), True, OPPOSITE[self.norm])
        return (select_of(view_as_real_of(g), g.ndim, 0),)


def r2c(TensorBase x not None, int dim, str norm):
    """The half of a real tensor's transform, forward along one dimension, that the conjugates of the rest mirror."""
    cdef TensorBase out = transformed(np.fft.rfft, x, dict(axis=dim, norm=norm))
    cdef FftR2CBackward node
    if recording1(x):
        node = FftR2CBackward.__new__(FftR2CBackward)
        node.dim, node.n, node.norm = dim, x.shape[dim], norm
        record1(node, out, x)
    return out


cdef class FftC2RBackward(Node):
    """y = s F* (x and its mirror image):  dx = s F dy, twice where x counts twice."""
    cdef int dim
    cdef Py_ssize_t n
    cdef str norm

    cdef object apply(self, TensorBase g):
        cdef TensorBase spectrum = r2c(g, self.dim, OPPOSITE[self.norm]), weights
        cdef int d
        once = np.full(spectrum.shape[self.dim], 2.0)
        once[0] = 1
        if self.n % 2 == 0:
            once[len(once) - 1] = 1
        weights = from_numpy(once.reshape([-1 if d == self.dim else 1 for d in range(spectrum.ndim)]))
        return (op_mul(spectrum, cast(weights, g.code)),)


def c2r(TensorBase x not None, int dim, Py_ssize_t n, str norm):
    """n real numbers along a dimension from the first n // 2 + 1 values of their transform, by the inverse."""
    cdef TensorBase out
    cdef FftC2RBackward node
    x = cast(x, mt_complex_of(x.code))
    out = transformed(np.fft.irfft, x, dict(n=n, axis=dim, norm=norm))
    if recording1(x):
        node = FftC2RBackward.__new__(FftC2RBackward)
        node.dim, node.n, node.norm = dim, n, norm
        record1(node, out, x)
    return out
