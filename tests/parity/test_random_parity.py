"""The same seed, the same numbers: random mixtures of calls, types and layouts, compared with PyTorch bit by bit.

After every call the two generators' states are compared too, so that each must have consumed the same words.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
from minitorch._ext import random as engine

torch = pytest.importorskip("torch")

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
EVERY = ["bool", *INTEGERS, *FLOATS]
SIZES = [0, 1, 2, 5, 8, 15, 16, 17, 31, 32, 33, 100, 623, 624, 625, 1000, 5000]

Pair = tuple["torch.Tensor", mt.Tensor]
Case = Callable[[random.Random, "Both"], Pair]


class Both:
    """A generator of each library, in the same state."""

    def __init__(self, seed: int) -> None:
        self.theirs = torch.Generator().manual_seed(seed)
        self.ours = mt.Generator().manual_seed(seed)

    def call(self, theirs: Callable, ours: Callable) -> Pair:
        return theirs(generator=self.theirs), ours(generator=self.ours)

    def same_state(self) -> bool:
        return bytes(self.theirs.get_state().numpy()) == bytes(self.ours.get_state().numpy())


def numbers(tensor) -> np.ndarray:
    """As NumPy has them; bfloat16 as float32."""
    return (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).detach().numpy()


def shaped(r: random.Random, dtype: str) -> Pair:
    """A tensor of each library, contiguous or transposed or sliced or both."""
    n = r.choice(SIZES)
    shape, view = r.choice([
        ((n,), lambda t: t),
        ((n,), lambda t: t),
        ((), lambda t: t),
        ((n, 3), lambda t: t.t()),
        ((n, 4), lambda t: t[:, ::2]),
        ((3, n, 2), lambda t: t.permute(2, 0, 1)),
        ((6, 4, 5), lambda t: t[..., ::2].permute(2, 0, 1)),
        ((2, 1, 17), lambda t: t.expand(2, 1, 17)[:, 0]),
    ])
    return view(torch.empty(shape, dtype=getattr(torch, dtype))), view(mt.empty(shape, dtype=getattr(mt, dtype)))


def fill(name: str, dtypes: list[str], parameters: Callable[[random.Random, str], tuple]) -> Case:
    def case(r: random.Random, both: Both) -> Pair:
        dtype = r.choice(dtypes)
        theirs, ours = shaped(r, dtype)
        given = parameters(r, dtype)
        return both.call(lambda **g: getattr(theirs, name)(*given, **g), lambda **g: getattr(ours, name)(*given, **g))

    return case


def make(name: str, dtypes: list[str], parameters: Callable[[random.Random], tuple] = lambda r: ()) -> Case:
    def case(r: random.Random, both: Both) -> Pair:
        dtype, given = r.choice(dtypes), parameters(r)
        size = r.choice([(3,), (4, 5), (), (0,), (100,), (17,)])
        return both.call(
            lambda **g: getattr(torch, name)(*given, size, dtype=getattr(torch, dtype), **g),
            lambda **g: getattr(mt, name)(*given, size, dtype=getattr(mt, dtype), **g),
        )

    return case


def interval(r: random.Random, dtype: str) -> tuple:
    low = r.choice([0, 0, 1000, r.uniform(-3, 3)])
    return low, low + r.choice([0, 0.001, 1, r.uniform(0, 3)])


def bounds(r: random.Random, dtype: str) -> tuple:
    own = {
        "bool": [(0, 2), (0, 1), (2,), (0, None)],
        "uint8": [(3,), (0, 256), (5, 200), (7, None)],
        "int8": [(-128, 128), (-5, 127), (7, None), (-128, None)],
        "int16": [(-(2**15), 2**15), (7, None)],
        "int32": [(0, 2**31 - 5), (-(2**31), 2**31), (-(2**31), None), (0, 2**28), (0, 2**28 - 1)],
        "int64": [(-(2**63), None), (-(2**63), 2**63 - 1), (0, 2**60), (0, 2**53 + 2), (2**62, None), (0, 2**28)],
        "float16": [(0, 4096), (0, 2049), (5, None), (0, None)],
        "bfloat16": [(0, 257), (0, 4096), (0, 2**31 + 5), (-(2**63), None), (5, None)],
        "float32": [(0, 2**25), (2**24, 2**24 + 10), (-(2**31), 2**31), (0, 2**60), (-(2**63), None), (5, None)],
        "float64": [(0, 2**53 + 2), (0, 2**60), (-(2**63), None), (5, None)],
    }[dtype]
    return r.choice([*own, *([(k := r.choice([1, 2, 100, 120]),), (0, k)] if dtype != "bool" else [])])


def bernoulli_tensor(r: random.Random, both: Both) -> Pair:
    theirs, ours = shaped(r, r.choice(EVERY))
    size = [1 if r.random() < 0.3 and n else n for n in theirs.shape]
    p = torch.rand(size, generator=torch.Generator().manual_seed(r.randrange(99)))
    dtype = r.choice(FLOATS)
    our_p, their_p = mt.from_numpy(p.numpy().copy()).to(getattr(mt, dtype)), p.to(getattr(torch, dtype))
    return both.call(lambda **g: theirs.bernoulli_(their_p, **g), lambda **g: ours.bernoulli_(our_p, **g))


def randperm(r: random.Random, both: Both) -> Pair:
    n = r.choice([0, 1, 2, 10, 100, 120, 1000, 70000])
    dtype = r.choice(["int64", "int32", "float32", "float64"] if n > 200 else [*INTEGERS, *FLOATS])
    return both.call(lambda **g: torch.randperm(n, dtype=getattr(torch, dtype), **g),
                     lambda **g: mt.randperm(n, dtype=getattr(mt, dtype), **g))


def like(r: random.Random, both: Both) -> Pair:
    theirs, ours = shaped(r, r.choice(FLOATS))
    name = r.choice(["rand_like", "randn_like"])
    return both.call(lambda **g: getattr(torch, name)(theirs, **g), lambda **g: getattr(mt, name)(ours, **g))


def normal_around(r: random.Random, both: Both) -> Pair:
    n, dtype = r.choice([3, 40]), r.choice(["float32", "float64", "float16"])
    means, deviations = np.linspace(-3, 7, n).astype(dtype), np.linspace(0, 5, n).astype(dtype)
    mean = r.choice([0.3, means, means.reshape(n, 1)])
    std = deviations if isinstance(mean, float) else r.choice([1.7, deviations])
    theirs, ours = ([x if isinstance(x, float) else of.from_numpy(x) for x in (mean, std)] for of in (torch, mt))
    return both.call(lambda **g: torch.normal(*theirs, **g), lambda **g: mt.normal(*ours, **g))


def multinomial(r: random.Random, both: Both) -> Pair:
    replacement = r.random() < 0.5
    weights = np.random.default_rng(r.randrange(99)).random(r.choice([(7,), (4, 9)])).astype(r.choice(["f4", "f8"]))
    count = r.choice([1, 2, 7]) if not replacement else r.choice([1, 3, 50])
    return both.call(lambda **g: torch.multinomial(torch.from_numpy(weights), count, replacement, **g),
                     lambda **g: mt.multinomial(mt.from_numpy(weights), count, replacement, **g))


def dropout(r: random.Random, both: Both) -> Pair:
    theirs, ours = shaped(r, r.choice(FLOATS))
    both.call(lambda **g: theirs.normal_(**g), lambda **g: ours.normal_(**g))
    before, before_ours = torch.get_rng_state(), mt.get_rng_state()
    torch.set_rng_state(both.theirs.get_state()), mt.set_rng_state(both.ours.get_state())
    p = r.choice([0.5, 0.1, 1.0, r.random()])
    pair = torch.dropout(theirs, p, True), engine.dropout(ours, p, True)
    both.theirs.set_state(torch.get_rng_state()), both.ours.set_state(mt.get_rng_state())
    torch.set_rng_state(before), mt.set_rng_state(before_ours)
    return pair


CASES: dict[str, Case] = {
    "uniform_": fill("uniform_", FLOATS, interval),
    "normal_": fill("normal_", FLOATS, lambda r, _: (r.uniform(-3, 3), r.uniform(0, 3))),
    "random_": fill("random_", EVERY, lambda r, _: ()),
    "random_ in bounds": fill("random_", EVERY, bounds),
    "bernoulli_": fill("bernoulli_", EVERY, lambda r, _: (r.choice([0, 1, 0.5, r.random()]),)),
    "bernoulli_ tensor": bernoulli_tensor,
    "exponential_": fill("exponential_", FLOATS, lambda r, _: (r.uniform(0.1, 3),)),
    "cauchy_": fill("cauchy_", FLOATS, lambda r, _: (r.uniform(-1, 3), r.uniform(0.1, 3))),
    "log_normal_": fill("log_normal_", FLOATS, lambda r, _: (r.uniform(-1, 1), r.uniform(0.1, 1))),
    "geometric_": fill("geometric_", [*INTEGERS[1:], *FLOATS], lambda r, _: (r.uniform(0.2, 0.9),)),
    "rand": make("rand", FLOATS),
    "randn": make("randn", FLOATS),
    "randint": make("randint", ["int64", "int32", "float32"], lambda r: r.choice([(10,), (-5, 5), (2**30,)])),
    "randperm": randperm,
    "like": like,
    "normal": normal_around,
    "multinomial": multinomial,
    "dropout": dropout,
}


def compare(name: str, r: random.Random, both: Both) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of bounds that a type does not tell apart, from both
        theirs, ours = CASES[name](r, both)
    assert str(theirs.dtype) == str(ours.dtype) and tuple(theirs.shape) == tuple(ours.shape)
    np.testing.assert_array_equal(numbers(ours), numbers(theirs), err_msg=name)
    assert both.same_state(), f"{name} has not consumed the same words"


@pytest.mark.parametrize("name", CASES)
def test_each(name: str) -> None:
    for seed in range(40):
        compare(name, random.Random(seed), Both(seed))


@pytest.mark.parametrize("seed", range(40))
def test_mixture(seed: int) -> None:
    r = random.Random(seed)
    both = Both(r.choice([seed, 2**32 + seed, 2**64 - 1 - seed]))
    for _ in range(25):
        compare(r.choice(list(CASES)), r, both)


def test_many() -> None:
    for n in (300_000, 1_000_000, 1_000_003):
        both = Both(n)
        for theirs, ours in ((torch.randn, mt.randn), (torch.rand, mt.rand), (torch.randperm, mt.randperm)):
            a, b = theirs(n, generator=both.theirs), ours(n, generator=both.ours)
            assert bytes(a.numpy()) == bytes(b.numpy())
        assert both.same_state()


def test_states_are_exchanged() -> None:
    both = Both(5)
    both.call(lambda **g: torch.randn(3, **g), lambda **g: mt.randn(3, **g))
    other = Both(0)
    other.ours.set_state(mt.from_numpy(both.theirs.get_state().numpy()))
    other.theirs.set_state(torch.from_numpy(both.ours.get_state().numpy().copy()))
    a, b = other.call(lambda **g: torch.randn(1000, **g), lambda **g: mt.randn(1000, **g))
    assert bytes(a.numpy()) == bytes(b.numpy()) and other.same_state()


def test_default_generators() -> None:
    assert mt.Generator().initial_seed() == torch.Generator().initial_seed()
    for seed in (0, -1, 2**40 + 5):
        torch.manual_seed(seed), mt.manual_seed(seed)
        assert torch.initial_seed() == mt.initial_seed()
        assert torch.rand(5).tolist() == mt.rand(5).tolist()


REFUSED = [
    "empty(3).uniform_(2, 1)", "empty(3).uniform_(float('nan'), 1)", "empty(3).uniform_(-3e38, 3e38)",
    "empty(3).normal_(0, -1)", "normal(M.zeros(3), -M.ones(3))", "normal(M.zeros(3), M.ones(4))", "normal(0., 1.)",
    "empty(3).bernoulli_(1.5)", "bernoulli(M.tensor([2.]))", "bernoulli(M.tensor([1, 0]))", "randint(5, 5, (3,))",
    "randint(300, (3,), dtype=M.uint8)", "randint(1.5, (3,))", "randint(0, 2**63, (3,))", "empty(3).random_(5, 2)",
    "empty(3, dtype=M.int8).random_(-2**63, None)", "randperm(-1)", "rand(3, dtype=M.int64)", "rand(-3)", "rand(2.5)",
    "rand()", "rand(2, generator=5)", "empty(3, dtype=M.int64).exponential_()", "empty(3).exponential_(0)",
    "empty(3).cauchy_(0, -1)", "empty(3).log_normal_(0, -1)", "empty(3).geometric_(1.)", "manual_seed(2**64)",
    "Generator().manual_seed(1.5)", "Generator().set_state(M.zeros(5))", "multinomial(M.ones(3), 4)",
    "multinomial(M.zeros(3), 1)", "rand(2, out=M.empty(2), dtype=M.float64)", "poisson(M.tensor([-1.]))",
    "poisson(M.tensor([1]))",
]


@pytest.mark.parametrize("call", REFUSED)
def test_the_same_calls_are_refused_with_the_same_class(call: str) -> None:
    with pytest.raises(Exception) as theirs:
        eval(f"M.{call}", {"M": torch})
    with pytest.raises(theirs.type):
        eval(f"M.{call}", {"M": mt})


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_counts(kind: str) -> None:
    """Poisson and binomial counts, and where they leave the generator."""
    draw = np.random.default_rng(0)
    rates, trials = draw.uniform(0, 60, 300).astype(kind), draw.integers(0, 99, 300).astype(kind)
    chances = draw.uniform(0, 1, 300).astype(kind)
    results = []
    for library in (mt, torch):
        library.manual_seed(4)
        x, n, p = (library.from_numpy(values) for values in (rates, trials, chances))
        results.append([library.poisson(x), library.poisson(x[:0]), library.poisson(x[::3]), library.binomial(n, p),
                        library.rand(3)])  # fmt: skip
    for ours, theirs in zip(*results):
        assert str(ours.dtype) == str(theirs.dtype)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
