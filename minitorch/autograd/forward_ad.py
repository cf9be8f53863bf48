"""Forward-mode differentiation: tensors that carry a tangent along.

Inside a `dual_level` an operation on a dual tensor also computes how its result changes along the tangents.  For a
pointwise operation that is its line of the table again: the derivative of each element, times the tangent in place of
the incoming gradient.  A linear operation does to the tangent what it does to the tensor.  For any other, the tangent
is found from the reverse derivative, which is linear in the gradient that comes in: differentiating it by that gives
the Jacobian the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import minitorch

from .._ext import dispatch, pointwise, tape
from .._tensor import Tensor
from ..func.wrapping import Wrapped, bound, named
from ..ops.pointwise import TABLE
from ..utils._pytree import tree_leaves, tree_map
from .grad_mode import enable_grad

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class Dual(Wrapped):
    """A tensor with the direction in which it moves."""

    tangent: Tensor
    made_still = False  # it was made as a constant, which an in-place change may set in motion

    def __repr__(self, *, tensor_contents=None):
        return f"{self.value!r}, tangent={self.tangent!r}"


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns."""

    primal: Tensor
    tangent: Tensor | None


class Level:
    """A `dual_level` at work: a listener."""

    def holds(self, x: Any) -> bool:
        """Whether something is a dual tensor of this level."""
        return isinstance(x, Dual) and x.level is self

    def dual(self, value: Tensor, tangent: Tensor) -> Dual:
        """The dual tensor of a value and a tangent."""
        wrapper = dispatch.shell(Dual, value)
        wrapper.value, wrapper.tangent, wrapper.level = value, tangent, self
        return wrapper

    def values(self, tree: Any) -> Any:
        """The arguments without their tangents."""
        return tree_map(lambda x: x.value if self.holds(x) else x, tree)

    def tangent(self, x: Any) -> Tensor:
        """How an argument moves: not at all, unless it is dual."""
        return x.tangent if self.holds(x) else minitorch.zeros_like(x)

    def __call__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, function = named(function)
        if name in dispatch.METADATA or not any(map(self.holds, tree_leaves((args, kwargs)))):
            return function(*args, **kwargs)
        if name in WITHOUT or (name == "item"):
            return function(*self.values(args), **self.values(kwargs))
        if name in NEW or (function.__module__ == LAPACK and name not in RULES):
            # not moving; but what is made here may be written to, or is given its derivative by `record_rule`
            values = function(*self.values(args), **self.values(kwargs))
            result = self.wrap(values, tree_map(lambda y: minitorch.zeros_like(y) if continuous(y) else y, values))
            for y in tree_leaves(result):
                if self.holds(y):
                    y.made_still = True
            return result
        if name.endswith("_") and name not in ("requires_grad_",):
            return self.in_place(name, function, args, kwargs)
        if name in RULES:
            result = RULES[name](self, name, function, args, kwargs)
            if result is not NotImplemented:
                return result
        return self.by_reverse(function, args, kwargs)

    def sources(self, moving: list[tuple[Tensor, Tensor]]) -> Callable[[Any], Any]:
        """What puts a leaf in the place of each dual tensor, and notes it with the tangent."""

        def source(x: Any) -> Any:
            if not self.holds(x):
                return x
            with enable_grad():
                leaf = x.value.view_as(x.value) if x.value.requires_grad else x.value.detach().requires_grad_()
            moving.append((leaf, x.tangent))
            return leaf

        return source

    def wrap(self, values: Any, tangents: Any) -> Any:
        """Results with their tangents; whole numbers have none."""
        return tree_map(
            lambda y, t: self.dual(y, t) if continuous(y) else y, values, tangents
        )

    def in_place(self, name: str, function: Any, args: Any, kwargs: Any) -> Any:
        """An operation that changes its first argument: the tangent of what it computes replaces that one's."""
        x = args[0]
        if not self.holds(x):
            raise NotImplementedError(
                f"forward_ad: {name}() of a tensor without a tangent, by one with: make it with new_zeros() of one "
                "that has, or use the operation that is not in place"
            )
        if name in ("zero_", "fill_") and not any(map(self.holds, tree_leaves((args[1:], kwargs)))):
            tangent = minitorch.zeros_like(x.value)
        elif name == "copy_":
            tangent = self.tangent(args[1]).expand_as(args[1]).expand(x.shape).to(x.dtype).clone()
        else:
            other = getattr(minitorch, name[:-1], None) or getattr(Tensor, name[:-1], None)
            if other is None:
                raise NotImplementedError(f"forward_ad: {name}() is not supported: use the operation that is not in "
                                          "place")  # fmt: skip
            result = self(other, args, kwargs)
            tangent = result.tangent if self.holds(result) else minitorch.zeros_like(x.value)
        function(*self.values(args), **self.values(kwargs))
        self.change(x, tangent)
        return x

    def change(self, x: Dual, tangent: Tensor) -> None:
        """Give a tensor another tangent, which other views of its memory see too."""
        if all(stride or size < 2 for stride, size in zip(x.tangent.stride(), x.tangent.shape)):
            x.tangent.copy_(tangent)
        else:
            x.tangent = tangent

    def by_reverse(self, function: Any, args: Any, kwargs: Any) -> Any:
        """The tangent from the reverse derivative, differentiated by the gradient that comes in."""
        moving: list[tuple[Tensor, Tensor]] = []
        source = self.sources(moving)
        recorded = minitorch.is_grad_enabled()
        outside = recorded and any(t.requires_grad for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor))
        with enable_grad():
            result = function(*tree_map(source, args), **tree_map(source, kwargs))
        leaves = [y for y in tree_leaves(result) if isinstance(y, Tensor)]
        found = iter(tangents_of([y for y in leaves if y.requires_grad], moving, outside))

        def finished(y: Any) -> Any:
            if not isinstance(y, Tensor) or not y.requires_grad:
                return y
            tangent = next(found)
            return self.dual(y if outside else y.detach(), tangent)

        return tree_map(finished, result)


def continuous(y: Any) -> bool:
    """Whether something is a tensor that can have a tangent."""
    return isinstance(y, Tensor) and (y.dtype.is_floating_point or y.dtype.is_complex)


def tangents_of(outputs: list[Tensor], moving: list[tuple[Tensor, Tensor]], create: bool) -> list[Tensor]:
    """How outputs move if the leaves that they come from move."""
    if not outputs:
        return []
    with enable_grad():
        probes = [minitorch.zeros_like(y).requires_grad_() for y in outputs]
        grads = tape.grad(outputs, [leaf for leaf, _ in moving], probes, create_graph=True, allow_unused=True)
        pairs = [(g, t) for g, (_, t) in zip(grads, moving) if g is not None and g.requires_grad]
        if not pairs:
            return [minitorch.zeros_like(y).detach() for y in outputs]
        found = tape.grad(
            [g for g, _ in pairs],
            probes,
            [t.to(g.dtype) for g, t in pairs],
            create_graph=create,
            allow_unused=True,
            materialize_grads=True,
        )
        return list(found)


# --- rules -----------------------------------------------------------------------------------------------------------

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}

# what has no derivative, or asks for values
WITHOUT = {
    "eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "signbit", "argmax", "argmin", "argsort", "any",
    "all", "count_nonzero", "nonzero", "rand_like", "randn_like", "bool", "int", "float", "tolist", "numpy",
    "get_grad_fn", "get_output_nr", "register_hook", "requires_grad_", "retain_grad", "logical_not", "logical_and",
    "logical_or", "first_failure", "available",
}  # fmt: skip

# what makes a new tensor in the likeness of another, or one that does not move with it
NEW = {"zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones", "new_empty", "new_full",
       "detach"}  # fmt: skip
LAPACK = "minitorch._ext.lapack"

# f(x) is linear in the tensors it is given (the first one, or a list of them)
LINEAR = {
    "sum", "mean", "view", "reshape", "view_as", "reshape_as", "transpose", "t", "permute", "movedim",
    "expand", "broadcast_to", "expand_as", "squeeze", "unsqueeze", "flatten", "unflatten", "ravel", "narrow", "select",
    "diagonal", "unfold", "split", "chunk", "unbind", "clone", "contiguous", "cumsum", "getitem", "index_select",
    "gather", "cat", "stack", "tril", "triu", "flip", "roll", "repeat", "tile", "neg", "to_dtype", "masked_select",
    "positive", "tensor_split", "trace", "diag", "conjugate",
    "view_as_real", "view_as_complex", "c2c", "r2c", "c2r", "take", "take_along_dim", "swapaxes", "split_with_sizes",
    "resolve_conj", "resolve_neg",
}  # fmt: skip
PRODUCTS = {"matmul", "mm", "bmm", "mv", "dot", "inner", "outer"}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule: ``rule(level, name, function, args, kwargs)`` returns the result, or NotImplemented."""

    def enter(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return enter


@rule(*LINEAR)
def linear(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """f(x + ẋ) = f(x) + f(ẋ)."""
    if any(map(level.holds, tree_leaves((args[1:], kwargs)))):
        return NotImplemented
    values = function(*level.values(args), **level.values(kwargs))
    first = tree_map(lambda x: level.tangent(x) if isinstance(x, Tensor) else x, args[0])
    tangents = function(first, *args[1:], **kwargs)
    return level.wrap(values, tangents)


@rule("setitem")
def assigned(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """x[k] = v does to the tangents what it does to the values."""
    x, key, value = args
    if not level.holds(x):
        raise NotImplementedError("forward_ad: x[...] = v of a tensor without a tangent, by one with: make x with "
                                  "new_zeros() of one that has")  # fmt: skip
    key = level.values(key)
    function(x.value, key, level.values(value))
    tangent = value.tangent if level.holds(value) else 0
    function(x.tangent, key, tangent)


@rule("give")
def delivered(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """What a function that takes ``out=`` gives back."""
    if kwargs or args[1] is not None:
        raise NotImplementedError("forward_ad: out= is not supported: use the result")
    return args[0]


@rule("as_strided")
def strided(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """The tangents lie in memory as the values do; what lies beside them there does not move."""
    x, *places = args
    memory = x.value.new_zeros(x.value.untyped_storage().nbytes() // x.value.element_size())
    tangent = memory.as_strided(x.value.shape, x.value.stride(), x.value.storage_offset())
    tangent.copy_(x.tangent)
    return level.dual(function(x.value, *places, **kwargs), function(tangent, *places, **kwargs))


@rule("record_rule")
def recorded(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """A derivative written in Python, for results that are there already: their tangents follow from it."""
    title, derivative, outputs, inputs, saved = args
    moving: list[tuple[Tensor, Tensor]] = []
    sources = {id(x): level.sources(moving)(x) for x in inputs if level.holds(x)}
    results = {id(y): (y.value if level.holds(y) else y).detach() for y in outputs if y is not None}
    outside = minitorch.is_grad_enabled() and any(t is not None and t.requires_grad for t in level.values(inputs))

    def placed(tensors: Any) -> Any:
        return tuple(results.get(id(t), sources.get(id(t), level.values(t))) for t in tensors)

    with enable_grad():
        function(title, derivative, placed(outputs), placed(inputs), placed(saved))
    moved = [y for y in outputs if y is not None and results[id(y)].requires_grad]
    for y, tangent in zip(moved, tangents_of([results[id(y)] for y in moved], moving, outside)):
        if not level.holds(y):
            if not bool(tangent.any()):
                continue
            raise NotImplementedError(f"forward_ad: {title}: its results were computed outside of the dual tensors")
        y.tangent = tangent
        if outside:
            y.value = results[id(y)]
    return outputs


@rule(*PRODUCTS)
def product(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """d(a b) = ȧ b + a ḃ."""
    if kwargs or len(args) != 2:
        return NotImplemented
    a, b = args
    x, y = level.values(args)
    parts = []
    if level.holds(a):
        parts.append(function(a.tangent, y))
    if level.holds(b):
        parts.append(function(x, b.tangent))
    return level.dual(function(x, y), parts[0] if len(parts) == 1 else parts[0] + parts[1])


# Where the arguments are not the operands and parameters of the line: the line, which arguments are its operands and
# its parameters, and what others must be for it to hold.
SIGNATURES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], dict[str, Any]]] = {
    "lerp": ("lerp", ("input", "end", "weight"), (), {}),
    "addcmul": ("addcmul", ("input", "tensor1", "tensor2"), ("value",), {}),
    "addcdiv": ("addcdiv", ("input", "tensor1", "tensor2"), ("value",), {}),
    "_where": ("where", ("condition", "input", "other"), (), {}),
    "masked_fill": ("where", ("mask", "value", "input"), (), {}),
    "clamp": ("clamp", ("input",), ("min", "max"), {}),
    "clamp_min": ("clamp_min", ("input", "min"), (), {}),
    "clamp_max": ("clamp_max", ("input", "max"), (), {}),
    "round": ("round", ("input",), (), {}),
    "logit": ("logit", ("input",), (), {"eps": None}),
    "nan_to_num": ("nan_to_num", ("input",), (), {}),
    "polygamma": ("polygamma", ("input",), ("n",), {}),
    "gelu": ("gelu", ("input",), (), {"approximate": "none"}),
    "rsub": ("sub", ("other", "input"), (), {"alpha": 1}),
    "float_power": ("pow", ("input", "exponent"), (), {}),
}


def with_signature(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """The rule of `SIGNATURES`."""
    line, operands, parameters, others = SIGNATURES[name]
    given = bound(function, args, kwargs).arguments
    if any(given[key] != value for key, value in {**others, "out": None}.items() if key in given):
        return NotImplemented
    chosen = {key: given[key] for key in parameters}
    if any(isinstance(value, Tensor) for value in chosen.values()):  # bounds of clamp, which may move too
        x = given["input"]
        for key, bounded in (("min", minitorch.clamp_min), ("max", minitorch.clamp_max)):
            x = x if given[key] is None else level(bounded, (x, given[key]), {})
        return x
    for key, end in (("min", -math.inf), ("max", math.inf)):
        if key in chosen and chosen[key] is None:
            chosen[key] = end
    y = function(*level.values(args), **level.values(kwargs))
    return carried(level, TABLE[line], [given[key] for key in operands], chosen, y)


def pointwise_rule(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """ẏ is the sum over the operands of the table's derivative with ẋ for g."""
    entry = BY_NAME[name]
    count = entry.n_inputs
    tangents = [x.tangent for x in args[:count] if level.holds(x)]
    if len(args) < count or any(isinstance(x, Wrapped) for x in (*level.values(args[:count]), *tangents)):
        return NotImplemented
    parameters = {key: value for key, value in kwargs.items() if key in entry.parameters}
    parameters.update(zip(entry.parameters, args[count:]))
    if len(args) > count + len(entry.parameters) or set(kwargs) - set(parameters) - {"out"}:
        return NotImplemented
    for key, default in entry.parameters.items():
        if key not in parameters:
            if default is None:
                return NotImplemented
            parameters[key] = eval(default, {})  # the table's own text of a number
    return carried(level, entry, args[:count], parameters, function(*level.values(args), **kwargs))


def carried(level: Level, entry: Any, operands: Any, parameters: dict[str, Any], y: Tensor) -> Any:
    """The result y of a line of the table, with its tangent."""
    values = level.values(tuple(operands))
    if not continuous(y):
        return y
    if any(x.dtype.is_complex for x in values if isinstance(x, Tensor)) and not y.dtype.is_complex:
        return NotImplemented
    names = {**dict(zip(entry.operands, values)), **parameters, "y": y}
    total = None
    for k, operand in enumerate(operands):
        if not level.holds(operand):
            continue
        code = entry.gradient(k)
        if code is None:
            return NotImplemented
        g = operand.tangent.to(y.dtype)
        part = eval(code, pointwise.table_functions(), {**names, "g": g.expand_as(y) if g.shape != y.shape else g})
        part = part if isinstance(part, Tensor) else minitorch.full_like(y, part)
        total = part if total is None else total + part
    if total.shape != y.shape:
        total = total.expand_as(y)
    return level.dual(y, total)


BY_NAME = {name: entry for entry in TABLE.values() for name in (entry.name, *entry.aliases) if not entry.custom}
for _name, _entry_of in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("div", "div"), ("pow", "pow")):
    BY_NAME.setdefault(_name, TABLE[_entry_of])
for _name in SIGNATURES:
    RULES[_name] = with_signature
for _name in BY_NAME:
    RULES.setdefault(_name, pointwise_rule)
del _name, _entry_of


@rule("grad", "tensor_backward", "backward")
def reverse(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """The tape records values, not tangents."""
    raise NotImplementedError(
        f"forward_ad: {name}() of a dual tensor: the replay does not carry tangents. Use func.jvp(func.grad(f), ...), "
        "which gives the same"
    )


@rule("apply_function")
def own_function(level: Level, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """An `autograd.Function` with a jvp of its own."""
    from .function import Function

    cls, node_class, separate, arguments = args
    if cls.jvp is Function.jvp:
        return NotImplemented
    kept: list[Any] = []

    def remembering(*given: Any) -> Any:
        node = node_class(*given)
        kept.append(node)
        return node

    result = function(cls, remembering, separate, level.values(arguments))
    moves = cls.jvp(kept[0], *[x.tangent if level.holds(x) else None for x in arguments])
    if not isinstance(result, tuple):
        return level.dual(result, moves)
    return tuple(y if t is None else level.dual(y, t) for y, t in zip(result, moves))


# --- what users call -------------------------------------------------------------------------------------------------

_levels: list[Level] = []


def enter_dual_level() -> int:
    """Begin a level, without a ``with``; see `dual_level`."""
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment: use func.jvp, which nests")
    level = Level()
    _levels.append(level)
    dispatch.push(level, True)
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End what `enter_dual_level` began."""
    if not _levels:
        raise RuntimeError("Trying to exit a forward AD level but none is entered")
    dispatch.pop(_levels.pop(), True)


class dual_level:
    """Inside, `make_dual` gives tensors tangents, which operations carry along.

    >>> import minitorch
    >>> import minitorch.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(minitorch.tensor(3.), minitorch.tensor(1.))
    ...     fwAD.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor that moves along a tangent, of the same shape and type."""
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    if not continuous(tensor):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor.dtype}")
    if not continuous(tangent):
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {tangent.dtype}")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError(f"make_dual: Expected tensor and tangent of one shape, got {tuple(tensor.shape)} and "
                           f"{tuple(tangent.shape)}")  # fmt: skip
    current = _levels[-1]
    return current.dual(tensor.value if current.holds(tensor) else tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a tensor and its tangent, None if it does not move."""
    if isinstance(tensor, Dual) and _levels and tensor.level is _levels[-1]:
        if tensor.made_still and not bool(tensor.tangent.any()):
            return UnpackedDualTensor(tensor.value, None)
        return UnpackedDualTensor(tensor.value, tensor.tangent)
    return UnpackedDualTensor(tensor, None)
