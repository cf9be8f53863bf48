"""How each operation works on a batch: the rules behind `vmap`.

A `Batched` tensor stands for one element of a batch; `value` holds the batch, in its first dimension.  A rule does an
operation for the whole batch at once.  An operation without a rule is done for one element after the other, which is
always right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitorch

from .._ext import arithmetic, dispatch
from .._tensor import Tensor
from ..utils._pytree import tree_leaves, tree_map
from .wrapping import Wrapped, bound, named

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}

RANDOM = {
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli",
    "multinomial", "dropout", "uniform_", "normal_", "random_", "bernoulli_", "exponential_", "cauchy_", "log_normal_",
    "geometric_", "dropout_",
}  # fmt: skip
NEEDS_VALUES = {"item", "tolist", "numpy", "bool", "int", "float", "index", "nonzero", "masked_select"}


class Batched(Wrapped):
    """One element of a batch, as the function under `vmap` sees it."""

    def __repr__(self, *, tensor_contents=None):
        return f"BatchedTensor(shape={tuple(self.shape)}, value={self.value!r})"


def batch(value: Tensor, level: Level) -> Batched:
    """The elements of a batch, which is in the first dimension."""
    wrapper = dispatch.shell(Batched, value, 0)
    wrapper.value, wrapper.level = value, level
    return wrapper


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for some functions: ``rule(level, function, args, kwargs)`` returns the wrapped result.

    It may return NotImplemented, for what it does not cover.
    """

    def enter(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return enter


class Level:
    """One `vmap` at work: a listener."""

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.size = size
        self.randomness = randomness

    def holds(self, x: Any) -> bool:
        """Whether something is an element of this batch."""
        return isinstance(x, Batched) and x.level is self

    def wrap(self, result: Any) -> Any:
        """Every tensor in a result as an element of this batch."""
        return tree_map(lambda t: batch(t, self) if isinstance(t, Tensor) else t, result)

    def whole(self, x: Tensor) -> Tensor:
        """The batch of a tensor: its value, or itself repeated without a copy."""
        return x.value if self.holds(x) else x.expand(self.size, *x.shape)

    def __call__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, function = named(function)
        if name in dispatch.METADATA:
            return function(*args, **kwargs)
        ours = any(map(self.holds, tree_leaves((args, kwargs))))
        if name in RANDOM:
            return self.random(name, function, args, kwargs, ours)
        if not ours:
            return function(*args, **kwargs)
        if name in NEEDS_VALUES:
            raise RuntimeError(
                f"vmap: {name}() needs the values of a tensor, but under vmap it stands for {self.size} of them at "
                "once. Data-dependent control flow and conversions cannot be batched: use minitorch.where instead"
            )
        in_place = name.endswith("_") and args and isinstance(args[0], Tensor)
        if in_place and not self.holds(args[0]):
            raise RuntimeError(
                f"vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in "
                "extra_args that has more elements than `self`: self is not batched, but an operand is. Use the "
                "operation that is not in place, or make self inside with new_zeros of a batched tensor"
            )
        if name in RULES:
            result = RULES[name](self, function, args, kwargs)
            if result is not NotImplemented:
                return result
        return self.one_by_one(name, function, args, kwargs)

    def one_by_one(self, name: str, function: Any, args: Any, kwargs: Any, before: Callable[[], Any] | None = None):
        """Do an operation for each element of the batch, and stack the results."""
        results = []
        for i in range(self.size):
            if before is not None:
                before()
            results.append(
                function(*self.element(args, i), **self.element(kwargs, i))
                if name != "apply_function"
                else function(*args[:3], self.element(args[3], i))
            )
        if name.endswith("_") and self.holds(args[0] if args else None):
            return args[0]
        if not results:
            raise RuntimeError(f"vmap: {name}() has no rule for a batch, and an empty one cannot be done one by one")
        return tree_map(lambda *each: self.gathered(each), results[0], *results[1:])

    def element(self, arguments: Any, i: int) -> Any:
        """The arguments with element `i` of each batch."""
        return tree_map(lambda x: x.value.select(0, i) if self.holds(x) else x, arguments)

    def gathered(self, each: tuple[Any, ...]) -> Any:
        return batch(minitorch.stack(each), self) if isinstance(each[0], Tensor) else each[0]

    def random(self, name: str, function: Any, args: Any, kwargs: Any, ours: bool) -> Any:
        """An operation that draws random numbers."""
        if name.startswith("dropout") and (not args[2] or args[1] == 0):
            return self.wrap(function(*self.values(args)))
        if self.randomness == "error":
            raise RuntimeError(
                f"vmap: called random operation {name}() while in randomness error mode. Please either use the 'same' "
                "or 'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
        if self.randomness == "same":
            if not ours:
                return function(*args, **kwargs)
            states = minitorch.random.all_states()
            return self.one_by_one(name, function, args, kwargs, before=lambda: minitorch.random.set_all_states(states))
        if name.endswith("_") and not self.holds(args[0]):
            raise RuntimeError(
                f"vmap: {name}() fills a tensor that is not batched, in randomness mode 'different': the elements of "
                "the batch would share the numbers. Make the tensor inside, from a batched one"
            )
        if name in ("rand", "randn") and not kwargs.get("size"):
            sizes = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            return batch(function(self.size, *sizes, **kwargs), self)
        if name.endswith("_") or name in ("rand_like", "randn_like", "randint_like", "dropout"):
            values = (self.whole(args[0]).contiguous() if not name.endswith("_") else args[0].value, *args[1:])
            if not any(map(self.holds, tree_leaves((args[1:], kwargs)))):
                result = function(*values, **kwargs)
                return args[0] if name.endswith("_") else batch(result, self)
        return self.one_by_one(name, function, args, kwargs)

    def values(self, arguments: Any) -> Any:
        """The arguments with the whole batch of each."""
        return tree_map(lambda x: x.value if self.holds(x) else x, arguments)


# --- one element at a time -------------------------------------------------------------------------------------------


def aligned(level: Level, x: Any, ndim: int) -> Any:
    """A batch whose elements have at least so many dimensions: new ones stand behind that of the batch."""
    if not level.holds(x):
        return x
    return padded(x.value, ndim + 1)


def padded(value: Tensor, ndim: int) -> Tensor:
    """A batch whose samples have leading dimensions of size one added, up to `ndim` with the batch's."""
    missing = ndim - value.ndim
    return value if missing <= 0 else value.reshape(value.shape[0], *[1] * missing, *value.shape[1:])


def promoted(level: Level, operands: list[Any]) -> list[Any]:
    """0-d elements give way in type to tensors with dimensions, which their batch would not."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    if len({x.dtype for x in tensors}) == 1 or not any(level.holds(x) and x.ndim == 0 for x in tensors):
        return operands
    if not any(x.ndim for x in tensors):
        return operands
    strong = tensors[0]
    for x in tensors[1:]:
        strong = minitorch.empty(0, dtype=minitorch.result_type(strong, x)) if strong.ndim or x.ndim else x

    def weak(x: Any) -> bool:
        return isinstance(x, Tensor) and x.ndim == 0 and x.dtype != minitorch.bool

    return [x.to(strong.dtype) if weak(x) else x for x in operands]


def elementwise(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """An operation on corresponding elements, with broadcasting."""
    args = tuple(args)
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    if len(tensors) > 1:
        ndim = max(x.ndim for x in tensors)
        if function.__name__ not in ("where", "_where", "masked_fill", "masked_fill_"):
            args = tuple(_again(level, promoted, args))
    else:
        ndim = 0
    result = function(
        *tree_map(lambda x: aligned(level, x, ndim), args), **tree_map(lambda x: aligned(level, x, ndim), kwargs)
    )
    return args[0] if function.__name__.endswith("_") and level.holds(args[0]) else level.wrap(result)


def _again(level: Level, function: Callable[..., Any], *args: Any) -> Any:
    """Call something that works on this level's tensors while the level itself is being asked."""
    dispatch.push(level, True)
    try:
        return function(level, *args)
    finally:
        dispatch.pop(level, True)


def composed(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a rule that says an operation in terms of others, which have rules."""

    def enter(composition: Callable[..., Any]) -> Callable[..., Any]:
        def apply(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
            return _again(level, lambda _: composition(*args, **kwargs))

        rule(*names)(apply)
        return composition

    return enter


_POINTWISE = {
    name
    for name, function in vars(arithmetic).items()
    if hasattr(function, "__code__") and not name.startswith("_") and name not in ("result_type", "prelu")
}
rule(*_POINTWISE, "conjugate", "masked_fill", "masked_fill_", "copy_", "where", "_where")(elementwise)


@rule("clone", "contiguous", "detach", "to_dtype", "tril", "triu", "requires_grad_", "zeros_like", "ones_like",
      "empty_like", "full_like", "isreal", "tril_", "triu_")  # fmt: skip
def same_for_all(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """An operation that does not mind further leading dimensions."""
    if any(map(level.holds, tree_leaves((args[1:], kwargs)))):
        return NotImplemented
    result = function(args[0].value, *args[1:], **kwargs)
    return args[0] if function.__name__.endswith("_") else level.wrap(result)


@rule("record_rule")
def recorded(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """A derivative of results that are there already: the rules of linear algebra take whole batches of matrices."""
    title, derivative, *parts = args
    outputs, inputs, saved = (
        tuple(level.whole(x) if isinstance(x, Tensor) else x for x in part) for part in parts)  # fmt: skip
    function(title, derivative, outputs, inputs, saved)
    return parts[0]


@rule("give")
def given(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """What a function that takes ``out=`` gives back; written into a tensor, it is a copy."""
    result, out, *_ = args
    return result if out is None else out.copy_(result)


@rule("new_zeros", "new_ones", "new_empty", "new_full")
def new(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """New tensors like a batched one are batched: so they can be written to."""
    x, *rest = args
    if function.__name__ == "new_full":
        return level.wrap(function(x.value, (level.size, *sizes_of(rest[:1])), *rest[1:], **kwargs))
    return level.wrap(function(x.value, (level.size, *sizes_of(rest)), **kwargs))


# --- dimensions ---------------------------------------------------------------------------------------------------


def sizes_of(args: Any) -> tuple[int, ...]:
    """Sizes given one by one or as a sequence."""
    return tuple(args[0]) if len(args) == 1 and not isinstance(args[0], int) else tuple(args)


def behind(dim: Any, ndim: int) -> Any:
    """A dimension (or several) of the elements as one of their batch."""
    if isinstance(dim, (tuple, list)):
        return type(dim)(behind(d, ndim) for d in dim)
    if dim < -ndim or dim >= ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    return dim % ndim + 1


MANY_DIMS = {"sum", "mean", "nansum", "nanmean", "amax", "amin", "var", "std", "var_mean", "std_mean", "logsumexp",
             "norm", "count_nonzero", "all", "any"}  # fmt: skip
TO_ONE = {"max": "amax", "min": "amin"}


@rule(*MANY_DIMS, "prod", "argmax", "argmin", "max", "min", "aminmax", "median", "nanmedian", "mode")
def reduction(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """An operation that reduces some dimensions of the elements, or all of them."""
    if any(isinstance(x, Tensor) for x in (*args[1:], *kwargs.values())):
        return elementwise(level, {"max": minitorch.maximum, "min": minitorch.minimum}[function.__name__], args, {})
    name, x = function.__name__, args[0]
    arguments = bound(function, args, kwargs)
    if x.ndim == 0 or "dim" not in arguments.arguments:
        return NotImplemented
    value, dim = x.value, arguments.arguments["dim"]
    first = next(iter(arguments.arguments))
    if name in ("var", "std", "var_mean", "std_mean") and isinstance(dim, bool):
        return NotImplemented
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        if name in MANY_DIMS:
            arguments.arguments["dim"] = tuple(range(1, value.ndim))
        elif arguments.arguments.get("keepdim"):
            return NotImplemented
        else:
            value = value.reshape(level.size, -1)
            if name in TO_ONE:
                return level.wrap(getattr(minitorch, TO_ONE[name])(value, 1))
            if name in ("median", "nanmedian"):  # with a dimension they give places too
                return level.wrap(function(value, 1)[0])
            arguments.arguments["dim"] = 1
    else:
        arguments.arguments["dim"] = behind(dim, x.ndim)
    arguments.arguments[first] = value
    return level.wrap(function(*arguments.args, **arguments.kwargs))


DIM_NAMES = ("dim", "dims", "dim0", "dim1", "dim2", "source", "destination", "start_dim", "end_dim", "dimension")
ALONG = {
    "softmax", "log_softmax", "cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "sort", "argsort", "topk",
    "kthvalue", "select", "narrow", "split", "chunk", "unbind", "unfold", "flip", "transpose", "movedim", "flatten",
    "unflatten", "diagonal", "squeeze", "tensor_split",
}  # fmt: skip


@rule(*ALONG)
def along(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """An operation along dimensions that it names."""
    x = args[0]
    arguments = bound(function, args, kwargs)
    first, *others = arguments.arguments
    if not level.holds(x) or x.ndim == 0 or any(map(level.holds, tree_leaves((args[1:], kwargs)))):
        return NotImplemented
    value = x.value
    for name in others:
        given = arguments.arguments[name]
        if name in DIM_NAMES:
            if given is None and function.__name__ == "squeeze":
                given = tuple(d for d in range(x.ndim) if x.shape[d] == 1)
            if given is None:
                return NotImplemented
            arguments.arguments[name] = behind(given, x.ndim)
    arguments.arguments[first] = value
    return level.wrap(function(*arguments.args, **arguments.kwargs))


@rule("msort")
def sorted_rows(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Sorted along the elements' first dimension, if they have one."""
    x = args[0]
    return level.wrap(x.value.sort(1, stable=True).values if x.ndim else x.value.clone())


@rule("as_strided")
def strided(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Places in memory are counted from the beginning of each element, which must be contiguous."""
    size, stride, offset = list(bound(function, args, kwargs).arguments.values())[1:]
    value, offset = args[0].value, offset or 0
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if level.size == 0 or not value[0].is_contiguous():
        raise NotImplementedError("vmap: as_strided needs a batch of contiguous elements: call contiguous() first")
    if 0 not in size and last >= value[0].numel():
        raise RuntimeError(f"vmap: as_strided({tuple(size)}, {tuple(stride)}, {offset}) reaches beyond an element of "
                           f"the batch, which has the shape {tuple(value.shape[1:])}")  # fmt: skip
    return level.wrap(function(value, (level.size, *size), (value.stride(0), *stride), value.storage_offset() + offset))


@rule("unsqueeze")
def unsqueeze(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """A new dimension: counted among one more."""
    arguments = bound(function, args, kwargs).arguments
    x = arguments["input"]
    return level.wrap(x.value.unsqueeze(behind(arguments["dim"], x.ndim + 1)))


@rule("t")
def transposed(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Matrices exchange their dimensions, vectors stay."""
    x = args[0]
    return x if x.ndim < 2 else level.wrap(x.value.transpose(1, 2))


@rule("permute")
def permute(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The batch stays in front."""
    x, *dims = args
    order = behind(sizes_of(dims or (kwargs["dims"],)), x.ndim)
    return level.wrap(x.value.permute(0, *order))


@rule("view", "reshape")
def reshape(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The batch stays in front."""
    x, *shape = args
    if kwargs or (len(shape) == 1 and isinstance(shape[0], minitorch.dtype)):
        return NotImplemented
    return level.wrap(function(x.value, level.size, *sizes_of(shape)))


@rule("view_as", "reshape_as", "expand_as")
def like_another(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """In the shape of the other's elements."""
    x, other = args
    name = function.__name__[:-3]
    return _again(level, lambda _: getattr(x, name)(*other.shape))


@rule("ravel")
def ravel(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The elements as vectors."""
    return level.wrap(args[0].value.reshape(level.size, -1))


@rule("expand", "broadcast_to")
def expand(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """New dimensions of the elements stand behind that of the batch."""
    x, *sizes = args
    sizes = sizes_of(sizes or (kwargs.get("size", ()),))
    return level.wrap(padded(x.value, len(sizes) + 1).expand(level.size, *sizes))


@rule("repeat", "tile")
def repeat(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The batch is not repeated."""
    x, *times = args
    if kwargs:
        return NotImplemented
    times = sizes_of(times)
    return level.wrap(function(padded(x.value, len(times) + 1), (1, *[1] * (x.ndim - len(times)), *times)))


@rule("cat", "concat", "stack", "hstack", "vstack")
def joined(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """All become batches."""
    if function.__name__ not in ("cat", "stack"):
        return NotImplemented
    arguments = bound(function, args, kwargs).arguments
    tensors = arguments["tensors"]
    if function.__name__ == "cat":  # to which an empty vector adds nothing, whatever the others are
        tensors = [t for t in tensors if tuple(t.shape) != (0,)] or tensors
    ndim = tensors[0].ndim + (function.__name__ == "stack")
    return level.wrap(function([level.whole(t) for t in tensors], behind(arguments["dim"], ndim)))


# --- products -----------------------------------------------------------------------------------------------------


@rule("matmul")
def matmul(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Products of matrices and vectors: what is a vector becomes a matrix of one row or column."""
    a, b = args
    m, n = a.ndim, b.ndim
    if m == 0 or n == 0:
        raise RuntimeError("both arguments to matmul need to be at least 1D, but they are 0D and 1D")
    x = a.value if level.holds(a) else a
    y = b.value if level.holds(b) else b
    x = x.unsqueeze(-2) if m == 1 else x
    y = y.unsqueeze(-1) if n == 1 else y
    ndim = max(m, n, 2) + 1
    x = padded(x, ndim) if level.holds(a) else x
    y = padded(y, ndim) if level.holds(b) else y
    result = function(x, y)
    result = result.squeeze(-1) if n == 1 else result
    return level.wrap(result.squeeze(-1 if n == 1 else -2) if m == 1 else result)


@composed("mm", "mv", "dot", "vdot", "bmm")
def product(a: Tensor, b: Tensor, out: Any = None) -> Tensor:
    """All are what matmul does."""
    return minitorch.matmul(a, b)


@composed("linear")
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b."""
    y = minitorch.matmul(x, weight.t())
    return y if bias is None else y + bias


@composed("addmm", "addmv", "baddbmm")
def product_and_sum(total: Tensor, a: Tensor, b: Tensor, *, beta=1, alpha=1, out: Any = None) -> Tensor:
    """β t + α a b."""
    result = minitorch.matmul(a, b)
    result = result if alpha == 1 else result * alpha
    return result + (total if beta == 1 else total * beta)


@composed("outer", "ger")
def outer(a: Tensor, b: Tensor, out: Any = None) -> Tensor:
    """aᵢ bⱼ."""
    return a.unsqueeze(1) * b


# --- indexing -----------------------------------------------------------------------------------------------------


def simple(key: Any) -> bool:
    """Whether an index has at most one tensor and no list: then a further dimension in front changes nothing."""
    parts = key if isinstance(key, tuple) else (key,)
    tensors = sum(isinstance(part, Tensor) for part in parts)
    plain = all(isinstance(part, (int, slice, Tensor)) or part in (None, Ellipsis) for part in parts)
    mixed = tensors and any(type(part) in (int, bool) for part in parts)
    return plain and tensors <= 1 and not mixed and not any(type(part) is bool for part in parts)


@rule("getitem")
def getitem(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """An index of the elements."""
    x, key = args
    if not simple(key):
        return NotImplemented
    parts = key if isinstance(key, tuple) else (key,)
    if not any(map(level.holds, parts)):
        return level.wrap(x.value[(slice(None), *parts)])
    if isinstance(key, tuple) or key.dtype in (minitorch.bool, minitorch.uint8):
        return NotImplemented
    if not level.holds(x):
        return level.wrap(x[key.value])
    rows = minitorch.arange(level.size, device=key.device).reshape(level.size, *[1] * key.ndim)
    return level.wrap(x.value[rows, key.value])


@rule("setitem")
def setitem(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Writing to a place of the elements."""
    x, key, given = args
    parts = key if isinstance(key, tuple) else (key,)
    if not level.holds(x):
        raise RuntimeError(
            "vmap: x[...] = value is not possible where x is not batched but the value or the index is. Make x inside, "
            "with new_zeros of a batched tensor"
        )
    if not simple(key) or any(map(level.holds, parts)):
        for i in range(level.size):
            x.value.select(0, i)[level.element(key, i)] = level.element(given, i)
        return None
    place = (slice(None), *parts)
    x.value[place] = aligned(level, given, x.value[place].ndim - 1)
    return None


@rule("gather")
def gather(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Elements and places as batches."""
    x, dim, index = args[:3] if len(args) >= 3 else (args[0], kwargs["dim"], kwargs["index"])
    if x.ndim == 0 or index.ndim != x.ndim:
        return NotImplemented
    return level.wrap(function(level.whole(x), behind(dim, x.ndim), level.whole(index)))


@rule("index_select")
def index_select(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The same places of every element."""
    arguments = bound(function, args, kwargs).arguments
    x, dim, index = arguments["input"], arguments["dim"], arguments["index"]
    if level.holds(index) or x.ndim == 0:
        return NotImplemented
    return level.wrap(function(x.value, behind(dim, x.ndim), index))


@rule("embedding")
def embedding(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """One table, many places."""
    tensors = [x for x in args if isinstance(x, Tensor)]
    if any(level.holds(x) and x.dtype.is_floating_point for x in tensors):
        return NotImplemented
    return level.wrap(function(*level.values(args), **level.values(kwargs)))


# --- losses -------------------------------------------------------------------------------------------------------


@rule("cross_entropy", "nll_loss")
def class_loss(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """The mean over each element's own samples; weights and soft targets are left to the general way."""
    arguments = bound(function, args, kwargs).arguments
    x, target, reduction = arguments["input"], arguments["target"], arguments["reduction"]
    plain = arguments.get("weight") is None and not arguments.get("label_smoothing")
    if not plain or target.dtype.is_floating_point or x.ndim not in (1, 2) or not level.holds(x):
        return NotImplemented
    if arguments.get("size_average") is not None or arguments.get("reduce") is not None:
        return NotImplemented
    value, places = x.value, level.whole(target)
    if (places == arguments["ignore_index"]).any():
        return NotImplemented
    losses = function(value.flatten(0, -2), places.reshape(-1), reduction="none").reshape(places.shape)
    if x.ndim == 1 or reduction == "none":
        return level.wrap(losses)
    return level.wrap(losses.mean(1) if reduction == "mean" else losses.sum(1))


# --- the graph ----------------------------------------------------------------------------------------------------


@rule("grad")
def grad(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Gradients inside: of a batch of outputs, or for a batch of incoming gradients."""
    arguments = bound(function, args, kwargs).arguments
    outputs, inputs, given = (listed(arguments[name]) for name in ("outputs", "inputs", "grad_outputs"))
    options = {name: arguments[name] for name in ("retain_graph", "create_graph", "allow_unused", "materialize_grads")}
    if not any(map(level.holds, (*outputs, *inputs))):
        if not all(map(level.holds, given)):
            return NotImplemented
        results = function(outputs, inputs, [g.value for g in given], is_grads_batched=True, **options)
        return level.wrap(results)
    if not all(map(level.holds, inputs)):
        raise RuntimeError(
            "vmap: autograd.grad of a batched output by a tensor that is not batched: use func.grad, which gives the "
            "gradient of each element"
        )
    vectors = [minitorch.ones_like(y.value) if g is None else level.whole(g)
               for y, g in zip(outputs, given or [None] * len(outputs))]  # fmt: skip
    for y, g in zip(outputs, given or [None] * len(outputs)):
        if g is None and y.numel() != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
    values = [level.whole(y) for y in outputs]
    return level.wrap(function(values, [x.value for x in inputs], vectors, **options))


def listed(tensors: Any) -> list[Any]:
    """None, one tensor or several, as a list."""
    return [] if tensors is None else [tensors] if isinstance(tensors, Tensor) else list(tensors)


@rule("tensor_backward", "backward")
def backward(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """Gradients that add up in leaves have no place under vmap."""
    raise RuntimeError("backward() cannot be called inside vmap: use func.grad, or autograd.grad")


@rule("get_grad_fn", "get_output_nr", "retains_grad", "retain_grad", "register_hook")
def of_the_value(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """What belongs to the graph is asked of the batch."""
    return function(args[0].value, *args[1:], **kwargs)
