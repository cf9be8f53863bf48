"""One operation on each tensor of a list: PyTorch's ``_foreach_`` functions, which optimizers and averages use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

from ._tensor import Tensor

# What is there of each, by the name of a method; that with a mark writes into the first list.
OPERATIONS = """abs acos add addcdiv addcmul asin atan ceil clamp_max clamp_min cos cosh div erf erfc exp expm1 floor
    frac lerp lgamma log log10 log1p log2 maximum minimum mul neg pow reciprocal round rsqrt sigmoid sign sin sinh
    sqrt sub tan tanh trunc""".split()


def _lists(name: str, *arguments: object) -> list[object]:
    """The arguments of each call: from the lists, and what is no list again and again."""
    lists = [x for x in arguments if isinstance(x, Sequence)]
    if not lists or not all(isinstance(x, Tensor) for x in lists[0]):
        found = next(iter(arguments), None)
        raise TypeError(f"{name}(): argument 'self' (position 1) must be tuple of Tensors, not {type(found).__name__}")
    for other in lists:
        if len(other) != len(lists[0]):
            raise RuntimeError(f"{name}: lists must have the same number of elements, got {len(lists[0])} and "
                               f"{len(other)}")  # fmt: skip
    return [x if isinstance(x, Sequence) else repeat(x, len(lists[0])) for x in arguments]


def _over_lists(method: str) -> Callable:
    name = f"_foreach_{method}"

    def each(self: Sequence[Tensor], *others: object, **options: object) -> object:
        values = None
        if method.startswith("addc"):  # the factor may be a list
            values = options.pop("value", others[2] if len(others) == 3 else 1)
            others = others[:2]
        columns = _lists(name, self, *others, *([] if values is None else [values]))
        results = []
        for x, *rest in zip(*columns):
            if values is not None:
                options["value"] = rest.pop()
            if not isinstance(x, Tensor):  # a number to the power of each
                x = rest[0].new_full((), x)
            results.append(getattr(x, method)(*rest, **options))
        return self if method.endswith("_") else tuple(results)

    each.__name__ = each.__qualname__ = name
    each.__doc__ = f"`{method}` of each tensor of a list, with the items of further lists or with one number for all."
    return each


for _operation in (*OPERATIONS, *(name + "_" for name in OPERATIONS), "clone", "max", "mm", "copy_", "zero_"):
    globals()[f"_foreach_{_operation}"] = _over_lists(_operation)
del _operation


def _foreach_norm(self: Sequence[Tensor], ord: float = 2, dtype: object = None) -> tuple[Tensor, ...]:
    """The norm of each tensor of a list.

    >>> import minitorch
    >>> minitorch._foreach_norm([minitorch.tensor([3., 4.])])
    (tensor(5.),)
    """
    from .linalg import vector_norm

    return tuple(vector_norm(x, ord, dtype=dtype) for x in _lists("_foreach_norm", self)[0])
