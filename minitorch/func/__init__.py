"""Functions of functions: derivatives that compose, and `vmap`.

>>> import minitorch
>>> from minitorch.func import grad, vmap
>>> vmap(grad(minitorch.sin))(minitorch.zeros(3))
tensor([1., 1., 1.])
"""

from .state import functional_call, stack_module_state
from .transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from .vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]
