"""Random numbers: known values, the NumPy twins, layouts, states, threads, gradients and refusals."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch as mt
from minitorch._ext import random as engine
from minitorch.reference.random import Stream

pytestmark = pytest.mark.cpu_only("the numbers of the CPU's generator; the device's are tests/cuda/test_random_laws.py")

SIZES = [0, 1, 2, 5, 15, 16, 17, 31, 32, 33, 100, 623, 624, 625, 1249, 5000, 20001]
FLOATS = ["float32", "float64", "float16"]
ULPS = {"float32": 4e-7, "float64": 1e-15, "float16": 1e-3}

# the first 16 hexadecimal digits of the SHA-256 of the bytes that PyTorch 2.13 draws after manual_seed(20)
KNOWN_BYTES = {
    "rand(100003)": "9f0d50048b0b4a78",
    "rand(1003, dtype=mt.float64)": "ac621e4285d1f80d",
    "rand(1003, dtype=mt.float16)": "2409e64d441c5329",
    "rand(1003, dtype=mt.bfloat16).float()": "2a4f4c7bfd65afd0",
    "randn(100003)": "ff17dbafdcae54bf",
    "randn(1003, dtype=mt.float16)": "728184c191bc0d8f",
    "randn(1003, dtype=mt.bfloat16).float()": "d2833da320639a7d",
    "randint(10, (1003,))": "40088c22824a2fbb",
    "randint(-5, 2**40, (1003,))": "d2fff1c0f958df34",
    "randperm(70001)": "770cb65a5ca06369",
    "empty(1003).bernoulli_(0.3)": "30c3dc97c00f8fed",
    "empty(1003).uniform_(-3, 0.1)": "d4ff00134825c4ea",
    "empty(1003, dtype=mt.int64).random_()": "20f93a49901e23fb",
    "empty(1003, dtype=mt.float32).random_()": "915a3852983d9084",
}
# what uses the C library's functions, which may round differently elsewhere; also PyTorch 2.13's after manual_seed(20)
KNOWN_VALUES = {
    "randn(3)": [-1.206070899963379, 0.06167072802782059, 1.1631553173065186],
    "randn(3, dtype=mt.float64)": [-1.206070886343341, 0.06167072658021673, 1.163155324842333],
    "empty(3).exponential_()": [0.6770158410072327, 0.7292051315307617, 1.9305611848831177],
    "empty(3).cauchy_()": [-0.025550100952386856, 0.05568816140294075, 2.040170669555664],
    "empty(3).log_normal_()": [0.24362094700336456, 3.0751123428344727, 27.83545684814453],
    "empty(5).geometric_(0.2)": [4.0, 3.0, 1.0, 1.0, 4.0],
    "multinomial(mt.tensor([0.1, 0.2, 0.3, 0.4]), 4)": [1, 3, 2, 0],
    "multinomial(mt.tensor([0.1, 0.2, 0.3, 0.4]), 4, True)": [2, 2, 3, 3],
    "normal(mt.arange(3.0), 2.0)": [-2.412141799926758, 1.12334144115448, 4.326310634613037],
}


@pytest.fixture(autouse=True)
def own_stream():
    """Leave the default generator as it was."""
    state = mt.get_rng_state()
    yield
    mt.set_rng_state(state)


def generator(seed: int = 7) -> mt.Generator:
    return mt.Generator().manual_seed(seed)


def array(tensor: mt.Tensor) -> np.ndarray:
    return tensor.detach().numpy().copy()


def agree(tensor: mt.Tensor, expected: np.ndarray, tolerance: float = 0) -> None:
    np.testing.assert_allclose(array(tensor), expected, rtol=tolerance, atol=tolerance)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", KNOWN_BYTES)
def test_known_bytes(call: str) -> None:
    mt.manual_seed(20)
    drawn = array(eval(f"mt.{call}"))
    assert hashlib.sha256(drawn.tobytes()).hexdigest()[:16] == KNOWN_BYTES[call]


@pytest.mark.parametrize("call", KNOWN_VALUES)
def test_known_values(call: str) -> None:
    mt.manual_seed(20)
    np.testing.assert_allclose(array(eval(f"mt.{call}")), KNOWN_VALUES[call], rtol=3e-7, atol=1e-7)


def test_known_state() -> None:
    mt.manual_seed(20)
    mt.rand(1000)
    assert hashlib.sha256(array(mt.get_rng_state()).tobytes()).hexdigest()[:16] == "4eb090dbdf9ac0c9"


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**40 + 5, 2**64 - 1, -1, -(2**63)])
def test_seeds_count_by_their_low_32_bits(seed: int) -> None:
    mt.manual_seed(seed)
    assert mt.initial_seed() == seed % 2**64
    agree(mt.rand(50), Stream(seed).uniform(50))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_uniform(n: int, dtype: str) -> None:
    kind = getattr(np, dtype)
    agree(mt.rand(n, dtype=getattr(mt, dtype), generator=generator()), Stream(7).uniform(n, dtype=kind))
    drawn = mt.empty(n, dtype=getattr(mt, dtype)).uniform_(-2.5, 0.3, generator=generator())
    agree(drawn, Stream(7).uniform(n, -2.5, 0.3, kind), 2e-16 if dtype == "float64" else 0)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_normal(n: int, dtype: str) -> None:
    kind = getattr(np, dtype)
    drawn = mt.randn(n, dtype=getattr(mt, dtype), generator=generator())
    agree(drawn, Stream(7).normal(n, dtype=kind), 3 * ULPS[dtype])
    drawn = mt.empty(n, dtype=getattr(mt, dtype)).normal_(-2, 3, generator=generator())
    agree(drawn, Stream(7).normal(n, -2, 3, kind), 9 * ULPS[dtype])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    "low,high", [(0, 1), (0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (-(2**40), 2**41), (0, 2**62)]
)
def test_randint(n: int, low: int, high: int) -> None:
    agree(mt.randint(low, high, (n,), generator=generator()), Stream(7).integers(n, low, high))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 625, 1025, 3000])
def test_randperm(n: int) -> None:
    agree(mt.randperm(n, generator=generator()), Stream(7).permutation(n))


def test_randperm_is_a_permutation_in_every_type() -> None:
    for dtype in (mt.uint8, mt.int8, mt.int16, mt.int32, mt.int64, mt.float32, mt.float64, mt.float16):
        assert sorted(mt.randperm(128, dtype=dtype).tolist()) == list(range(128))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("p", [0, 1, 0.5, 0.1, 2.0**-53])
def test_bernoulli_of_one_p(p: float, dtype: str) -> None:
    drawn = mt.empty(1500, dtype=getattr(mt, dtype)).bernoulli_(p, generator=generator())
    agree(drawn, Stream(7).bernoulli(1500, p).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_many_p(dtype: str) -> None:
    p = np.linspace(0, 1, 1500).astype(dtype)
    agree(mt.bernoulli(mt.from_numpy(p), generator=generator()), Stream(7).bernoulli(1500, p).astype(dtype))
    column = mt.tensor([[0.25], [0.75]])
    drawn = mt.empty(2, 30).bernoulli_(column, generator=generator())
    expected = Stream(7).bernoulli(60, np.repeat(np.float32([0.25, 0.75]), 30)).reshape(2, 30)
    agree(drawn, expected.astype("float32"))


@pytest.mark.parametrize("name,parameters", [("exponential", (2.5,)), ("cauchy", (1, 2)), ("log_normal", (0.5, 0.25)),
                                             ("geometric", (0.3,))])
def test_other_distributions(name: str, parameters: tuple) -> None:
    for dtype in ("float32", "float64"):
        drawn = getattr(mt.empty(5001, dtype=getattr(mt, dtype)), name + "_")(*parameters, generator=generator())
        agree(drawn, getattr(Stream(7), name)(5001, *parameters).astype(dtype), 1e-6 if dtype == "float32" else 4e-15)


def test_multinomial() -> None:
    weights = np.random.default_rng(0).random(40)
    for count, replacement in ((1, False), (5, False), (40, False), (1, True), (60, True)):
        drawn = mt.multinomial(mt.from_numpy(weights), count, replacement, generator=generator())
        agree(drawn, Stream(7).multinomial(weights, count, replacement))
    rows = mt.multinomial(mt.tensor([[0.0, 1.0], [1.0, 0.0]]), 9, True)
    assert rows.tolist() == [[1] * 9, [0] * 9]


@pytest.mark.parametrize("dtype,last", [("bool", 1), ("uint8", 255), ("int8", 127), ("int16", 2**15 - 1),
                                        ("int32", 2**31 - 1), ("float16", 2**11), ("float32", 2**24)])
def test_random_without_bounds(dtype: str, last: int) -> None:
    drawn = mt.empty(2000, dtype=getattr(mt, dtype)).random_(generator=generator())
    words = Stream(7).words(2000)
    agree(drawn, (words % np.uint64(last + 1)).astype(dtype))


def test_random_with_bounds() -> None:
    assert mt.empty(999, dtype=mt.uint8).random_(250, None).min() >= 250
    assert set(mt.empty(999, dtype=mt.int8).random_(-2, 1).tolist()) == {-2, -1, 0}
    assert set(mt.empty(999, dtype=mt.bool).random_(0, 2).tolist()) == {False, True}
    full = mt.empty(999, dtype=mt.int64).random_(-(2**63), None, generator=generator())
    agree(full, Stream(7).wide_words(999).astype(np.int64))


def test_moments() -> None:
    normal, uniform = array(mt.randn(1 << 18, generator=generator())), array(mt.rand(1 << 18, generator=generator()))
    assert abs(normal.mean()) < 0.01 and abs(normal.std() - 1) < 0.01 and abs((normal**3).mean()) < 0.03
    assert abs(uniform.mean() - 0.5) < 0.003 and abs(uniform.var() - 1 / 12) < 0.001


# --- the stream -------------------------------------------------------------------------------------------------------


def test_mixed_calls_continue_one_stream() -> None:
    g, stream = generator(), Stream(7)
    for n in (3, 16, 7, 40, 1, 700, 5):
        agree(mt.randn(n, generator=g), stream.normal(n), 1e-6)
        agree(mt.rand(n, generator=g), stream.uniform(n))
        agree(mt.randint(1000, (n,), generator=g), stream.integers(n, 0, 1000))
        agree(mt.randn(n, dtype=mt.float64, generator=g), stream.normal(n, dtype=np.float64), 1e-14)
        agree(mt.randperm(n, generator=g), stream.permutation(n))
        agree(mt.empty(n, dtype=mt.bool).bernoulli_(0.4, generator=g), stream.bernoulli(n, 0.4))
        agree(mt.randn(n, dtype=mt.float16, generator=g), stream.normal(n, dtype=np.float16), 4e-3)


@given(seed=st.integers(-(2**63), 2**64 - 1), skip=st.integers(0, 2000), n=st.integers(0, 2000))
@settings(max_examples=30, deadline=None)
def test_any_place_of_any_stream(seed: int, skip: int, n: int) -> None:
    g, stream = mt.Generator().manual_seed(seed), Stream(seed)
    mt.rand(skip, generator=g), stream.words(skip)
    agree(mt.rand(n, dtype=mt.float64, generator=g), stream.uniform(n, dtype=np.float64))


@given(low=st.floats(-1e6, 1e6), span=st.floats(0, 1e3), dtype=st.sampled_from([*FLOATS, "bfloat16"]))
@settings(max_examples=50, deadline=None)
def test_uniform_keeps_to_its_interval(low: float, span: float, dtype: str) -> None:
    low = low / 100 if dtype == "float16" else low
    kind = getattr(mt, dtype)
    start, end = (mt.tensor(x, dtype=mt.float64).to(kind).double().item() for x in (low, low + span))
    drawn = mt.empty(500, dtype=kind).uniform_(low, low + span).double()
    assert drawn.min() >= start
    assert drawn.max() < end or start == end


def test_layouts_are_filled_in_the_order_of_memory() -> None:
    expected = Stream(7).uniform(60).reshape(3, 4, 5)
    agree(mt.empty(3, 4, 5).permute(2, 0, 1).uniform_(generator=generator()).permute(1, 2, 0), expected)
    agree(mt.empty(6, 4, 5)[::2].permute(2, 0, 1).uniform_(generator=generator()).permute(1, 2, 0), expected)
    whole = mt.zeros(4, 6)
    whole[1:3, ::2].uniform_(generator=generator())
    agree(whole[1:3, ::2], Stream(7).uniform(6).reshape(2, 3))
    assert (whole[0] == 0).all() and (whole[:, 1::2] == 0).all()
    # normal numbers of a tensor that is not contiguous come from pairs, however many
    stream = Stream(7)
    pairs = np.concatenate([stream.normal(10) for _ in range(6)]).reshape(10, 6)
    agree(mt.empty(10, 6).t().normal_(generator=generator()).t(), pairs, 1e-6)
    assert mt.rand_like(mt.empty(3, 4).t()).stride() == (1, 4)
    mt.empty(0, 3).normal_(), mt.empty(()).uniform_()


def test_states() -> None:
    g = generator()
    mt.rand(700, generator=g), mt.randn(3, generator=g)
    state, copies = g.get_state(), [g.clone_state(), pickle.loads(pickle.dumps(g)), copy.deepcopy(g)]
    assert state.dtype is mt.uint8 and state.shape == (5056,)
    first = array(mt.randn(5, generator=g))
    g.set_state(state)
    for other in [g, *copies]:
        assert other.initial_seed() == 7
        agree(mt.randn(5, generator=other), first)
    assert g.manual_seed(3) is g
    assert mt.seed() == mt.initial_seed() != mt.seed()
    assert mt.Generator().initial_seed() == 67280421310721
    assert str(mt.Generator("cpu").device) == "cpu"
    assert mt.manual_seed(3) is mt.default_generator


def test_states_that_are_none() -> None:
    g = generator()
    before = array(g.get_state())
    for bad in (mt.zeros(5056, dtype=mt.uint8), mt.zeros(10, dtype=mt.uint8)):
        with pytest.raises(RuntimeError, match="state"):
            g.set_state(bad)
    for bad in (mt.zeros(5056), None, b"abc"):
        with pytest.raises(TypeError, match="state"):
            g.set_state(bad)
    assert (array(g.get_state()) == before).all()


def test_threads_share_a_generator() -> None:
    g, drawn = generator(), []

    def draw() -> None:
        for n in (1, 50, 20000, 3):
            drawn.append(array(mt.rand(n, generator=g)))

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = np.concatenate(drawn)
    assert (np.sort(everything) == np.sort(Stream(7).uniform(everything.size))).all()


def test_number_of_threads_does_not_matter() -> None:
    before = mt.get_num_threads()
    drawn = []
    try:
        for threads in (1, 2, 3):
            mt.set_num_threads(threads)
            drawn.append([array(f(300007, generator=generator())) for f in
                          (mt.randn, lambda n, generator: mt.empty(n).exponential_(generator=generator))])
    finally:
        mt.set_num_threads(before)
    for other in drawn[1:]:
        assert all((a == b).all() for a, b in zip(drawn[0], other, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_draws_what_its_parent_would() -> None:
    mt.manual_seed(5)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, array(mt.randn(1000)).tobytes())
        os._exit(0)
    drawn = b""
    while len(drawn) < 4000:
        drawn += os.read(reader, 4000)
    os.waitpid(child, 0)
    os.close(reader), os.close(writer)
    assert drawn == array(mt.randn(1000)).tobytes()


# --- arguments --------------------------------------------------------------------------------------------------------


def test_call_forms() -> None:
    for f in (mt.rand, mt.randn):
        assert f(2, 3).shape == f((2, 3)).shape == f([2, 3]).shape == f(size=(2, 3)).shape == (2, 3)
        assert f(()).shape == () and f(4, dtype=mt.float64).dtype is mt.float64
        out = mt.empty(2, 3)
        assert f(2, 3, out=out) is out
        assert f(3, requires_grad=True).requires_grad
    assert mt.randint(3, (2,)).dtype is mt.int64
    for drawn in (mt.randint(5, 6, (2,)), mt.randint(low=5, high=6, size=(2,)), mt.randint(5, 6, size=[2])):
        assert drawn.tolist() == [5, 5]
    assert mt.randint(3, (2,), dtype=mt.float32).dtype is mt.float32
    like = mt.zeros(2, 3, dtype=mt.float64)
    assert mt.rand_like(like).dtype is mt.float64 and mt.randn_like(like, dtype=mt.float32).dtype is mt.float32
    assert mt.randint_like(like, 4).max() < 4 and mt.randint_like(like, 4, 5).min() == 4
    assert mt.normal(0.0, 1.0, (2,)).shape == (2,) and mt.normal(mt.zeros(3)).shape == (3,)
    assert mt.normal(mt.zeros(2, 1), mt.ones(4)).shape == (2, 4) and mt.normal(2.0, mt.zeros(3)).tolist() == [2.0] * 3
    assert mt.bernoulli(mt.zeros(3), 1).tolist() == [1.0] * 3
    assert mt.randperm(4, dtype=mt.int32).dtype is mt.int32
    assert mt.empty(2).random_(1).tolist() == [0, 0]


@pytest.mark.parametrize("call,error,words", [
    (lambda: mt.empty(3).uniform_(2, 1), RuntimeError, "from=2 > to=1"),
    (lambda: mt.empty(3).uniform_(float("nan"), 1), RuntimeError, "out of bounds"),
    (lambda: mt.empty(3).uniform_(-3e38, 3e38), RuntimeError, "uniform_"),
    (lambda: mt.empty(3, dtype=mt.float16).uniform_(0, 1e6), RuntimeError, "float16"),
    (lambda: mt.empty(3).normal_(0, -1), RuntimeError, "std"),
    (lambda: mt.empty(3).normal_(0, float("nan")), RuntimeError, "std"),
    (lambda: mt.normal(mt.zeros(3), -mt.ones(3)), RuntimeError, "std"),
    (lambda: mt.normal(mt.zeros(3), mt.ones(4)), RuntimeError, "3.*4"),
    (lambda: mt.normal(0.0, 1.0), TypeError, "size"),
    (lambda: mt.empty(3).bernoulli_(1.5), RuntimeError, "p=1.5"),
    (lambda: mt.bernoulli(mt.tensor([0.5, 2.0])), RuntimeError, "bernoulli"),
    (lambda: mt.bernoulli(mt.tensor([0.5, float("nan")])), RuntimeError, "bernoulli"),
    (lambda: mt.bernoulli(mt.tensor([1, 0])), NotImplementedError, "int64"),
    (lambda: mt.empty(3).bernoulli_(mt.ones(2)), RuntimeError, "3.*|2.*"),
    (lambda: mt.randint(5, 5, (3,)), RuntimeError, "from=5 >= to=5"),
    (lambda: mt.randint(300, (3,), dtype=mt.uint8), RuntimeError, "uint8"),
    (lambda: mt.randint(1.5, (3,)), TypeError, "int"),
    (lambda: mt.randint(5), TypeError, "size"),
    (lambda: mt.randint(0, 2**63, (3,)), ValueError, "verflow"),
    (lambda: mt.empty(3).random_(5, 2), RuntimeError, "from=5 >= to=2"),
    (lambda: mt.empty(3, dtype=mt.int8).random_(-(2**63), None), RuntimeError, "int8"),
    (lambda: mt.randperm(-1), RuntimeError, "negative"),
    (lambda: mt.randperm(300, dtype=mt.uint8), RuntimeError, "uint8"),
    (lambda: mt.rand(3, dtype=mt.int64), NotImplementedError, "int64"),
    (lambda: mt.randn(3, dtype=mt.bool), NotImplementedError, "bool"),
    (lambda: mt.empty(3, dtype=mt.int64).exponential_(), RuntimeError, "int64"),
    (lambda: mt.empty(3).exponential_(0), RuntimeError, "lambda"),
    (lambda: mt.empty(3).cauchy_(0, -1), RuntimeError, "sigma"),
    (lambda: mt.empty(3).log_normal_(0, -1), RuntimeError, "std"),
    (lambda: mt.empty(3).geometric_(1.0), RuntimeError, "p=1"),
    (lambda: mt.rand(-3), RuntimeError, "negative"),
    (lambda: mt.rand(2.5), TypeError, "int"),
    (lambda: mt.rand(), TypeError, "shape"),
    (lambda: mt.rand(2, generator=5), TypeError, "generator"),
    (lambda: mt.rand(2, device="cuda"), RuntimeError, "no CUDA device"),
    (lambda: mt.rand(2**40, 2**40), RuntimeError, "overflow"),
    (lambda: mt.rand(2, out=mt.empty(2), dtype=mt.float64), RuntimeError, "dtype"),
    (lambda: mt.empty(1, 3).expand(3, 3).uniform_(), RuntimeError, "single memory location"),
    (lambda: mt.empty(3, requires_grad=True).normal_(), RuntimeError, "leaf"),
    (lambda: mt.randint(5, (2,), requires_grad=True), RuntimeError, "floating"),
    (lambda: mt.manual_seed(2**64), ValueError, "verflow"),
    (lambda: mt.manual_seed("a"), ValueError, "a"),
    (lambda: mt.Generator().manual_seed(1.5), RuntimeError, "float"),
    (lambda: mt.Generator("cuda"), RuntimeError, "no CUDA device"),
    (lambda: mt.multinomial(mt.ones(3), 4), RuntimeError, "without replacement"),
    (lambda: mt.multinomial(mt.tensor([-1.0, 1.0]), 1), RuntimeError, "element < 0"),
    (lambda: mt.multinomial(mt.zeros(3), 1), RuntimeError, "sum of probabilities"),
    (lambda: mt.multinomial(mt.ones(2, 2, 2), 1), RuntimeError, "1 or 2 dim"),
    (lambda: mt.multinomial(mt.ones(3, dtype=mt.int64), 1), RuntimeError, "floating-point"),
    (lambda: engine.dropout(mt.ones(3), 1.5, True), RuntimeError, "1.5"),
    (lambda: engine.dropout(mt.ones(3, dtype=mt.int64), 0.5, True), RuntimeError, "int64"),
])
def test_refusals(call, error: type, words: str) -> None:
    state = array(mt.get_rng_state())
    with pytest.raises(error, match=words):
        call()
    assert (array(mt.get_rng_state()) == state).all(), "a refused call drew numbers"


def test_bounds_beyond_a_float_types_integers_warn() -> None:
    with pytest.warns(UserWarning, match="out of bounds"):
        drawn = mt.empty(99, dtype=mt.float16).random_(0, 4096)
    assert drawn.max() <= 4094


# --- dropout and gradients --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.73])
def test_dropout(p: float, dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=(30, 50)).astype(dtype)
    for tensor, expected in ((mt.from_numpy(x), x), (mt.from_numpy(x.T.copy()).t(), x.T)):
        mt.manual_seed(7)
        y = engine.dropout(tensor, p, True)
        drawn = Stream(7).dropout(np.ascontiguousarray(expected), p)
        agree(y if expected is x else y.t(), drawn, ULPS[dtype])
        mt.manual_seed(7)
        agree(engine.dropout_(tensor.clone(), p, True), array(y))
    assert engine.dropout(tensor, p, False) is tensor and engine.dropout(tensor, 0.0, True) is tensor
    assert (engine.dropout(tensor, 1.0, True) == 0).all()


def test_dropout_drops_what_is_not_finite_as_pytorch_does() -> None:
    y = engine.dropout(mt.tensor([1.0, -1.0, float("inf")]), 1.0, True)
    assert y[:2].tolist() == [0.0, 0.0] and np.signbit(y[1].item()) and np.isnan(y[2].item())


@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_gradient(inplace: bool) -> None:
    x = mt.randn(40, 30, dtype=mt.float64, requires_grad=True)
    for transposed in (False, True):
        mt.manual_seed(3)
        source = (x.t() if transposed else x) * 1
        y = (engine.dropout_ if inplace else engine.dropout)(source, 0.3, True)
        w = mt.randn(*y.shape, dtype=mt.float64)
        (g,) = mt.autograd.grad((y * w).sum(), x, create_graph=True)
        mask = array((y != 0).double() / 0.7)
        expected = mask * array(w)
        agree(g, expected.T if transposed else expected, 1e-15)


def test_second_derivative_of_dropout() -> None:
    x = mt.randn(50, dtype=mt.float64, requires_grad=True)
    y = engine.dropout(x, 0.5, True)
    (g,) = mt.autograd.grad((y**3).sum(), x, create_graph=True)
    (h,) = mt.autograd.grad(g.sum(), x)
    kept = array(y) != 0
    agree(h, np.where(kept, 6 * array(x) * 2.0**3, 0), 1e-13)


@pytest.mark.parametrize(
    "fill", ["uniform_", "normal_", "bernoulli_", "exponential_", "random_", "cauchy_", "log_normal_"]
)
def test_a_fill_cuts_the_gradient_and_counts_as_a_change(fill: str) -> None:
    x = mt.ones(4, requires_grad=True)
    y = x * 2
    version = y._version
    assert getattr(y, fill)() is y and y._version == version + 1
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 4
    z = x.exp()
    kept = z * z
    getattr(z, fill)()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        kept.sum().backward()


def test_draws_from_parameters_have_zero_gradient() -> None:
    x = mt.full((3,), 0.5, requires_grad=True)
    for drawn in (mt.bernoulli(x), mt.normal(x, 1.0), mt.normal(0.0, x)):
        x.grad = None
        drawn.sum().backward()
        assert x.grad.tolist() == [0.0] * 3
    assert not mt.rand_like(x).requires_grad


def test_binomial_of_what_is_no_count():
    """The counts of trials that would never end."""
    n = mt.tensor([np.nan, np.inf, -np.inf, 3.0, -1.0])
    drawn = mt.binomial(n, mt.full((5,), 0.5)).tolist()
    assert np.isnan(drawn[0]) and np.isnan(drawn[1]) and drawn[2] == 0 and 0 <= drawn[3] <= 3 and drawn[4] == 0
    assert mt.binomial(mt.tensor(3.0), mt.tensor(np.nan)).isnan()
