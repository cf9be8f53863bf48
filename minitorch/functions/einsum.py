"""`einsum`: sums of products named by letters, done pair by pair as batched matrix products."""

from __future__ import annotations

import functools
import math
from collections import Counter

from .._ext.matmul import bmm, matmul
from .._tensor import Tensor

__all__ = ["einsum"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# dimensions of the ellipsis are labels too: integers from here on, the last dimension the greatest
DOTS = 1000


def einsum(*args) -> Tensor:
    r"""The sum of products that an equation of labels names, Einstein's convention.

    Each label stands for a dimension; those that are missing after the arrow are summed over, and ``...`` stands for
    the dimensions that broadcast.  Without an arrow the result has the labels that occur once, in alphabetical order.
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` says the same with numbers.

    Three or more operands are contracted two at a time, each time the pair whose product costs least.

    Raises:
        RuntimeError: if the equation does not fit the operands.

    >>> import minitorch
    >>> a, b = minitorch.ones(2, 3), minitorch.ones(3, 4)
    >>> minitorch.einsum("ij,jk->ik", a, b)
    tensor([[3., 3., 3., 3.],
            [3., 3., 3., 3.]])
    """
    if len(args) == 3 and isinstance(args[0], str) and isinstance(args[1], Tensor) and isinstance(args[2], Tensor):
        plan = _plan(args[0])
        if plan is not None and plan.fits(args[1].shape, args[2].shape):
            return plan(args[1], args[2])
    labels, output, operands = _parsed(args)
    dots = max((len(t.shape) - len([x for x in names if x is not Ellipsis]) for names, t in zip(labels, operands)
                if Ellipsis in names), default=0)
    named = [_named(names, t, dots, k) for k, (names, t) in enumerate(zip(labels, operands))]
    target = _output(labels, output, dots)
    sizes = _sizes(named)
    for label in target:
        if label not in sizes:
            raise RuntimeError(f"einsum(): output subscript {_shown(label)} does not appear in the equation for any "
                               "input operand")
    return _contract(named, target, sizes)


# --- two operands without any trouble: the usual case, worked out once ------------------------------------------------

class _Plan:
    """A product of two operands of distinct labels, of which those shared and not wanted are summed."""

    def __init__(self, a: list[int], b: list[int], target: list[int]) -> None:
        self.ndims = len(a), len(b)
        self.shared = [(a.index(x), b.index(x)) for x in a if x in b]
        batch = [x for x in target if x in a and x in b]
        left, right = ([x for x in target if x in one and x not in other] for one, other in ((a, b), (b, a)))
        summed = [x for x in a if x in b and x not in target]
        self.batch, self.left, self.right = len(batch), len(left), len(right)
        self.matrices = len(left) == len(right) == len(summed) == 1     # nothing to join
        self.a_order = _order(a, batch + left + summed)
        self.b_order = _order(b, batch + summed + right)
        self.result_order = _order(batch + left + right, target)

    def fits(self, a, b) -> bool:
        """Whether the operands have these dimensions and agree in the sizes of the shared ones."""
        return (len(a), len(b)) == self.ndims and all(a[i] == b[j] for i, j in self.shared)

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        if self.a_order:
            a = a.permute(self.a_order)
        if self.b_order:
            b = b.permute(self.b_order)
        if self.matrices:
            result = matmul(a, b)
        else:
            n, (m, k) = self.batch, (self.batch + self.left, len(b.shape) - self.right)
            sizes, other = tuple(a.shape), tuple(b.shape)
            whole, inner = math.prod(sizes[:n]), math.prod(sizes[m:])
            rows, columns = math.prod(sizes[n:m]), math.prod(other[k:])
            result = bmm(a.reshape(whole, rows, inner), b.reshape(whole, inner, columns)).view(sizes[:m] + other[k:])
        return result.permute(self.result_order) if self.result_order else result


def _order(names: list[int], wanted: list[int]) -> list[int] | None:
    return None if names == wanted else [names.index(x) for x in wanted]


@functools.lru_cache(maxsize=256)
def _plan(equation: str) -> _Plan | None:
    """The plan for an equation, or None if it needs more care."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    a, comma, b = left.partition(",")
    if not (arrow and comma) or not all(x in LETTERS for x in a + b + right):
        return None
    distinct = all(len(set(part)) == len(part) for part in (a, b, right))
    # a label of one operand alone that is not wanted must be summed first
    if not distinct or (set(a) ^ set(b)) - set(right) or set(right) - set(a + b):
        return None
    if set(a) == set(b) == set(right):                     # elementwise
        return None
    return _Plan(*([LETTERS.index(x) for x in part] for part in (a, b, right)))


# --- reading the equation ---------------------------------------------------------------------------------------------

def _parsed(args) -> tuple[list[list], list | None, list[Tensor]]:
    """The labels of each operand, those of the result or None, and the operands."""
    if not args:
        raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand "
                         "and its subscripts list")
    if isinstance(args[0], str):
        operands = list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
        equation = args[0].replace(" ", "")
        left, arrow, right = equation.partition("->")
        labels = [_letters(part) for part in left.split(",")]
        output = _letters(right) if arrow else None
    else:
        operands = list(args[0:len(args) // 2 * 2:2])
        labels = [_numbers(part) for part in args[1::2]]
        output = _numbers(args[-1]) if len(args) % 2 else None
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    for k, t in enumerate(operands):
        if not isinstance(t, Tensor):
            raise TypeError(f"einsum(): operand {k} must be a Tensor, not {type(t).__name__}")
    if len(labels) != len(operands):
        raise RuntimeError(f"einsum(): {'more' if len(operands) > len(labels) else 'fewer'} operands were provided "
                           f"than specified in the equation: {len(operands)} for {len(labels)}")
    return labels, output, operands


def _letters(text: str) -> list:
    """The labels of one operand: letters, and Ellipsis for three dots."""
    labels: list = []
    k = 0
    while k < len(text):
        if text.startswith("...", k):
            if Ellipsis in labels:
                raise RuntimeError(f"einsum(): found '.' in {text!r} for which an ellipsis was already found")
            labels.append(Ellipsis)
            k += 3
            continue
        if text[k] not in LETTERS:
            raise RuntimeError("einsum(): found '.' that is not part of any ellipsis" if text[k] == "." else
                               f"einsum(): invalid subscript given in {text!r}: {text[k]!r}, subscripts must be in "
                               "[a-zA-Z]")
        labels.append(LETTERS.index(text[k]))
        k += 1
    return labels


def _numbers(part) -> list:
    labels = list(part)
    for x in labels:
        if x is not Ellipsis and not (isinstance(x, int) and 0 <= x < len(LETTERS)):
            raise RuntimeError(f"einsum(): subscripts must be numbers in [0, {len(LETTERS)}) or Ellipsis, got {x!r}")
    if labels.count(Ellipsis) > 1:
        raise RuntimeError("einsum(): found an ellipsis for which one was already found")
    return labels


def _shown(label: int) -> str:
    return LETTERS[label] if label < DOTS else "..."


def _named(names: list, t: Tensor, dots: int, k: int) -> tuple[list[int], Tensor]:
    """An operand with a label for each dimension, each once: of repeated labels the diagonal is taken."""
    known = len(names) - names.count(Ellipsis)
    if (Ellipsis not in names and known != t.ndim) or known > t.ndim:
        raise RuntimeError(f"einsum(): the number of subscripts in the equation ({known}) does not match the number of "
                           f"dimensions ({t.ndim}) for operand {k}" +
                           ("" if Ellipsis in names else " and no ellipsis was given"))
    spread: list[int] = []
    for name in names:
        hidden = t.ndim - known
        spread += [DOTS + dots - hidden + i for i in range(hidden)] if name is Ellipsis else [name]
    d = 0
    while d < len(spread):
        first = spread.index(spread[d])
        if first < d:
            if t.shape[first] != t.shape[d]:
                raise RuntimeError(f"einsum(): subscript {_shown(spread[d])} is repeated for operand {k} but the sizes "
                                   f"don't match, {t.shape[d]} != {t.shape[first]}")
            label = spread[d]
            t = t.diagonal(0, first, d)
            spread = [x for i, x in enumerate(spread) if i not in (first, d)] + [label]
            d = 0
        else:
            d += 1
    return spread, t


def _output(labels: list[list], output: list | None, dots: int) -> list[int]:
    """The labels of the result."""
    if output is None:
        counts = Counter(x for names in labels for x in names if x is not Ellipsis)
        once = sorted(x for x, n in counts.items() if n == 1)
        return [*range(DOTS, DOTS + dots), *once]
    target: list[int] = []
    for x in output:
        target += range(DOTS, DOTS + dots) if x is Ellipsis else [x]
    for x, n in Counter(target).items():
        if n > 1:
            raise RuntimeError(f"einsum(): output subscript {_shown(x)} appears more than once in the output")
    return target


def _sizes(named: list[tuple[list[int], Tensor]]) -> dict[int, int]:
    """The size of each label; one broadcasts."""
    sizes: dict[int, int] = {}
    for k, (names, t) in enumerate(named):
        for label, n in zip(names, t.shape):
            if sizes.get(label, 1) == 1:
                sizes[label] = n
            elif n not in (1, sizes[label]):
                raise RuntimeError(f"einsum(): subscript {_shown(label)} has size {n} for operand {k} which does not "
                                   f"broadcast with previously seen size {sizes[label]}")
    return sizes


# --- contracting ------------------------------------------------------------------------------------------------------

def _contract(named: list, target: list[int], sizes: dict[int, int]) -> Tensor:
    while len(named) > 1:
        i, j = _cheapest(named, target, sizes) if len(named) > 2 else (0, 1)
        second, first = named.pop(j), named.pop(i)
        wanted = set(target).union(*(names for names, _ in named))
        last = not named
        named.insert(0, _product(first, second, wanted, target if last else None))
    names, t = named[0]
    summed = [d for d, label in enumerate(names) if label not in target]
    if summed:
        t = t.sum(summed, dtype=t.dtype)
        names = [label for label in names if label in target]
    if names != target:
        t = t.permute([names.index(label) for label in target])
    return t


def _cheapest(named: list, target: list[int], sizes: dict[int, int]) -> tuple[int, int]:
    """The pair whose product takes the fewest multiplications; of equals, that with the smallest result."""
    def cost(pair):
        i, j = pair
        both = {*named[i][0], *named[j][0]}
        rest = set(target).union(*(names for k, (names, _) in enumerate(named) if k not in pair))
        return math.prod(sizes[x] for x in both), math.prod(sizes[x] for x in both & rest), pair

    n = len(named)
    return min(((i, j) for i in range(n) for j in range(i + 1, n)), key=cost)


def _product(first, second, wanted: set[int], order: list[int] | None) -> tuple[list[int], Tensor]:
    """Two operands multiplied, and summed over the labels that nothing else wants."""
    (a_names, a), (b_names, b) = (_summed_early(*first, {*wanted, *second[0]}),
                                  _summed_early(*second, {*wanted, *first[0]}))
    # a dimension of size one that broadcasts is not the other's label: it drops out of the product
    a_names, a = _without_ones(a_names, a, b_names, b)
    b_names, b = _without_ones(b_names, b, a_names, a)
    shared = [x for x in a_names if x in b_names]
    batch = [x for x in shared if x in wanted]
    summed = [x for x in shared if x not in wanted]
    left = [x for x in a_names if x not in b_names]
    right = [x for x in b_names if x not in a_names]
    if order is not None:                                  # the order of the result spares a copy behind
        batch, left, right = (sorted(group, key=order.index) for group in (batch, left, right))
    a_sizes, b_sizes = dict(zip(a_names, a.shape)), dict(zip(b_names, b.shape))
    names = batch + left + right
    shape = [a_sizes.get(x, b_sizes.get(x)) for x in names]
    if not summed and not (left and right):                # elementwise: no product of matrices to gain from
        return names, _aligned(a, a_names, names) * _aligned(b, b_names, names)
    x = _matrices(a, a_names, batch, left, summed)
    y = _matrices(b, b_names, batch, summed, right)
    if not batch:
        return names, (x @ y).reshape(shape)
    return names, bmm(x, y).reshape(shape)


def _summed_early(names: list[int], t: Tensor, wanted: set[int]) -> tuple[list[int], Tensor]:
    dims = [d for d, x in enumerate(names) if x not in wanted]
    if dims:
        t = t.sum(dims, dtype=t.dtype)
    return [x for x in names if x in wanted], t


def _without_ones(names, t, other_names, other):
    for label in [x for x in names if x in other_names]:
        d = names.index(label)
        if t.shape[d] == 1 and other.shape[other_names.index(label)] != 1:
            t = t.squeeze(d)
            names = names[:d] + names[d + 1:]
    return names, t


def _aligned(t: Tensor, names: list[int], order: list[int]) -> Tensor:
    """The dimensions in an order, with new ones of size one for the labels that are missing."""
    t = t.permute([names.index(x) for x in order if x in names])
    for d, x in enumerate(order):
        if x not in names:
            t = t.unsqueeze(d)
    return t


def _matrices(t: Tensor, names: list[int], batch: list, rows: list, columns: list) -> Tensor:
    """A batch of matrices, or one; the dimensions of each group joined."""
    order = batch + rows + columns
    if order != names:
        t = t.permute([names.index(x) for x in order])
    b, r = len(batch), len(batch) + len(rows)
    sizes = t.shape
    shape = [math.prod(sizes[b:r]), math.prod(sizes[r:])]
    if batch:
        shape.insert(0, math.prod(sizes[:b]))
    return t if list(sizes) == shape else t.reshape(shape)
