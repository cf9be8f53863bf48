"""Jacobians, Hessians and their products with vectors, of functions of one tensor or a tuple of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import minitorch

from .._ext.tape import grad
from .._tensor import Tensor
from .grad_mode import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def _as_tuple(tensors: Any, what: str) -> tuple[bool, Tensors]:
    """Whether there are several, and all of them."""
    several = isinstance(tensors, (tuple, list))
    result = tuple(tensors) if several else (tensors,)
    for k, t in enumerate(result):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"The {what} must be either a Tensor or a tuple of Tensors but the value at index {k} has type "
                f"{type(t)}."
            )
    return several, result


def _sources(inputs: Tensors, create_graph: bool) -> Tensors:
    """The inputs to differentiate by: apart from those outside, unless they are to be differentiated too."""
    with enable_grad():
        return tuple(
            t.view_as(t) if create_graph and t.requires_grad else t.detach().clone().requires_grad_() for t in inputs
        )


def _call(func: Callable[..., Any], inputs: Tensors) -> tuple[bool, Tensors]:
    with enable_grad():
        return _as_tuple(func(*inputs), "outputs of the user-provided function")


def _scalar(func: Callable[..., Any], inputs: Tensors) -> Tensor:
    several, (output, *more) = _call(func, inputs)
    if more or several or output.numel() != 1:
        raise RuntimeError("The Tensor returned by the function given to hvp, vhp or hessian should contain a single "
                           f"element, got {tuple(output.shape)}")  # fmt: skip
    return output


def _filled(grads: Sequence[Tensor | None], inputs: Tensors, strict: bool, create: bool, output: int) -> Tensors:
    """Gradients with zeros for inputs that do not matter, which `strict` refuses."""
    for k, g in enumerate(grads):
        if strict and g is None:
            raise RuntimeError(f"Output {output} of the user-provided function is independent of input {k}. This is "
                               "not "
                               "allowed in strict mode.")  # fmt: skip
        if strict and create and not g.requires_grad:
            raise RuntimeError(f"The jacobian of the user-provided function with respect to input {k} is independent "
                               "of "
                               "the inputs. This is not allowed in strict mode when create_graph=True.")  # fmt: skip
    return tuple(minitorch.zeros_like(x) if g is None else g for g, x in zip(grads, inputs))


def _pulled(
    outputs: Tensors, inputs: Tensors, vectors: Sequence[Tensor], strict: bool, create: bool, first: int = 0
) -> Tensors:
    """The product of vectors with the Jacobian."""
    pairs = [(y, v) for y, v in zip(outputs, vectors) if y.requires_grad]
    if strict and len(pairs) < len(outputs):
        raise RuntimeError(f"Output {first} of the user-provided function does not require gradients. The outputs must "
                           "be computed in a differentiable manner from the input when running in strict "
                           "mode.")  # fmt: skip
    if not pairs:
        return tuple(map(minitorch.zeros_like, inputs))
    found = grad(
        [y for y, _ in pairs],
        inputs,
        [v for _, v in pairs],
        retain_graph=True,
        create_graph=create,
        allow_unused=True,
    )
    return _filled(found, inputs, strict, create, first)


def _vectors(v: Any, like: Tensors, what: str) -> Tensors:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {what} single Tensor with a single element")
        return (minitorch.ones_like(like[0]),)
    _, vectors = _as_tuple(v, "v")
    if len(vectors) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
    for k, (a, b) in enumerate(zip(vectors, like)):
        if a.shape != b.shape:
            raise RuntimeError(f"Entry {k} of v has invalid size: should be {b.shape} but got {a.shape}.")
    return vectors


def _result(tensors: Tensors, several: bool, create: bool) -> Any:
    tensors = tensors if create else tuple(t.detach() for t in tensors)
    return tensors if several else tensors[0]


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of a function, and the product of a vector with its Jacobian.

    >>> import minitorch
    >>> from minitorch.autograd.functional import vjp
    >>> vjp(minitorch.square, minitorch.tensor([1., 2.]), minitorch.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    several, given = _as_tuple(inputs, "inputs given to vjp")
    sources = _sources(given, create_graph)
    more, outputs = _call(func, sources)
    vectors = _vectors(v, outputs, "user-provided function returns a")
    product = _pulled(outputs, sources, vectors, strict, create_graph)
    return _result(outputs, more, create_graph), _result(product, several, create_graph)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of a function, and the product of its Jacobian with a vector.

    >>> import minitorch
    >>> from minitorch.autograd.functional import jvp
    >>> jvp(minitorch.square, minitorch.tensor([1., 2.]), minitorch.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    _, given = _as_tuple(inputs, "inputs given to jvp")
    sources = _sources(given, create_graph)
    vectors = _vectors(v, sources, "input to the user-provided function is a")
    more, outputs = _call(func, sources)
    # the product of the other side is linear in its vector: what it multiplies that by is what we want
    with enable_grad():
        probes = tuple(minitorch.zeros_like(y).requires_grad_() for y in outputs)
        products = _pulled(outputs, sources, probes, strict, True)
        tangents = _pulled(products, probes, vectors, False, create_graph)
    return _result(outputs, more, create_graph), _result(tangents, more, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function, of shape ``(*output, *input)``; for several of either, a tuple (of tuples).

    Args:
        create_graph: make the result differentiable.
        strict: refuse inputs that an output does not depend on, rather than giving zeros.
        vectorize: let `minitorch.func` do it; the result is the same.
        strategy: ``"reverse-mode"``, or with ``vectorize`` ``"forward-mode"``.

    >>> import minitorch
    >>> minitorch.autograd.functional.jacobian(minitorch.square, minitorch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode"')
    several, given = _as_tuple(inputs, "inputs given to jacobian")
    if strategy == "forward-mode":
        if not vectorize or create_graph or strict:
            raise NotImplementedError(
                'jacobian: strategy="forward-mode" needs vectorize=True, and neither create_graph nor strict'
            )
        found = minitorch.func.jacfwd(func, tuple(range(len(given))))(*[t.detach() for t in given])
        if several:
            return found
        return tuple(row[0] for row in found) if isinstance(found[0], tuple) else found[0]
    if vectorize and strict:
        raise RuntimeError("jacobian: strict=True and vectorized=True are not supported together")
    sources = _sources(given, create_graph)
    more, outputs = _call(func, sources)
    rows = tuple(_rows(i, y, sources, strict, create_graph) for i, y in enumerate(outputs))
    blocks = tuple(_result(row, several, create_graph) for row in rows)
    return blocks if more else blocks[0]


def _rows(i: int, y: Tensor, sources: Tensors, strict: bool, create: bool) -> Tensors:
    """The Jacobian of one output by each input."""
    if y.numel() == 0:
        return tuple(y.new_zeros((*y.shape, *x.shape)) for x in sources)
    each = []
    for k in range(y.numel()):
        vector = minitorch.zeros(y.numel(), dtype=y.dtype, device=y.device)
        vector[k] = 1
        each.append(_pulled((y,), sources, (vector.view(y.shape),), strict, create, i))
    return tuple(minitorch.stack(column).reshape(*y.shape, *x.shape) for column, x in zip(zip(*each), sources))


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function whose result is a single number, of shape ``(*input, *input)``.

    >>> import minitorch
    >>> minitorch.autograd.functional.hessian(lambda x: (x**3).sum(), minitorch.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, given = _as_tuple(inputs, "inputs given to hessian")

    def gradient(*xs: Tensor) -> Tensors:
        tracked = tuple(x if x.requires_grad else x.detach().requires_grad_() for x in xs)
        output = _scalar(func, tracked)
        return _pulled((output,), tracked, (minitorch.ones_like(output),), strict, True)

    if outer_jacobian_strategy == "forward-mode" and not vectorize:
        raise NotImplementedError('hessian: outer_jacobian_strategy="forward-mode" needs vectorize=True')
    blocks = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return blocks if several else blocks[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of a function and the product of a vector with its Hessian.

    >>> import minitorch
    >>> from minitorch.autograd.functional import vhp
    >>> vhp(lambda x: (x**3).sum(), minitorch.tensor([1., 2.]), minitorch.tensor([1., 1.]))[1]
    tensor([ 6., 12.])
    """
    several, given = _as_tuple(inputs, "inputs given to vhp")
    sources = _sources(given, create_graph)
    vectors = _vectors(v, sources, "input to the user-provided function is a")
    output = _scalar(func, sources)
    gradient = _pulled((output,), sources, (minitorch.ones_like(output),), strict, True)
    product = _pulled(gradient, sources, vectors, strict, create_graph)
    return _result((output,), False, create_graph), _result(product, several, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The value of a function and the product of its Hessian with a vector; `vhp`, since Hessians are symmetric.

    >>> import minitorch
    >>> from minitorch.autograd.functional import hvp
    >>> hvp(lambda x: (x**3).sum(), minitorch.tensor([1., 2.]), minitorch.tensor([1., 1.]))[1]
    tensor([ 6., 12.])
    """
    return vhp(func, inputs, v, create_graph, strict)
