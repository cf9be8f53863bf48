"""Random laws on the device: what they are distributed like, that they repeat, and what is refused."""
import math

import pytest
from helpers import mt

pytestmark = pytest.mark.on_the_device
N = 20_000


def exponential(t, **given):
    return t.exponential_(2.0, **given)


def cauchy(t, **given):
    return t.cauchy_(1.0, 3.0, **given)


def log_normal(t, **given):
    return t.log_normal_(0.5, 0.25, **given)


def geometric(t, **given):
    return t.geometric_(0.3, **given)


# with the probability of at most x
LAWS = {
    exponential: lambda x: -(-2 * x).expm1(),
    cauchy: lambda x: 0.5 + ((x - 1) / 3).atan() / math.pi,
    log_normal: lambda x: 0.5 * (1 + ((x.log() - 0.5) / (0.25 * math.sqrt(2))).erf()),
}


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64, mt.float16, mt.bfloat16], ids=str)
@pytest.mark.parametrize("law", LAWS)
def test_continuous_laws(law, dtype):
    """Kolmogorov's distance, which is above 1.63 / sqrt(n) in one of a hundred samples."""
    mt.manual_seed(1)
    x = law(mt.empty(N, dtype=dtype, device="cuda"))
    assert x.is_cuda and x.dtype == dtype
    x = x.cpu().double().sort()[0]
    below = LAWS[law](x)
    distance = max((mt.arange(1, N + 1) / N - below).max().item(), (below - mt.arange(N) / N).max().item())
    assert distance < 1.63 / math.sqrt(N) + {2: 0.01, 4: 0, 8: 0}[dtype.itemsize]  # half types have few values


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64, mt.int64, mt.int16], ids=str)
def test_geometric(dtype):
    mt.manual_seed(1)
    x = geometric(mt.empty(N, dtype=dtype, device="cuda")).cpu().double()
    assert x.min() == 1 and (x == x.round()).all()
    for k in range(1, 8):
        share, p = (x == k).double().mean().item(), 0.3 * 0.7 ** (k - 1)
        assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / N)


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64, mt.float16, mt.bool, mt.int32], ids=str)
def test_bernoulli_of_probabilities(dtype):
    mt.manual_seed(2)
    p = mt.tensor([0.0, 0.1, 0.5, 0.999, 1.0], device="cuda")
    x = mt.empty(4000, 5, dtype=dtype, device="cuda").bernoulli_(p).cpu().double()
    assert ((x == 0) | (x == 1)).all() and x[:, 0].sum() == 0 and x[:, 4].sum() == 4000
    assert ((x.mean(0) - p.cpu()).abs() < 4 * (p.cpu() * (1 - p.cpu()) / 4000).sqrt() + 1e-9).all()
    assert mt.bernoulli(p.double()).dtype == mt.float64
    for wrong in (1.5, -0.1, math.nan):
        with pytest.raises(RuntimeError, match=r"in \[0, 1\]"):
            mt.bernoulli(mt.tensor([0.5, wrong], device="cuda"))


def test_permutations():
    mt.manual_seed(3)
    many = mt.stack([mt.randperm(5, device="cuda") for _ in range(400)]).cpu()
    assert (many.sort(1)[0] == mt.arange(5)).all()
    assert ((many == 0).double().mean(0) - 0.2).abs().max() < 0.08
    assert mt.randperm(0, device="cuda").shape == (0,)
    assert mt.randperm(7, device="cuda", dtype=mt.int16).dtype == mt.int16


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64, mt.float16], ids=str)
def test_multinomial(dtype):
    mt.manual_seed(4)
    w = mt.tensor([[0.0, 1.0, 3.0, 0.0], [2.0, 0.0, 0.0, 2.0]], dtype=dtype, device="cuda")
    drawn = mt.multinomial(w, 4000, replacement=True).cpu()
    shares = mt.stack([(drawn == k).double().mean(1) for k in range(4)], 1)
    assert (shares - mt.tensor([[0, 0.25, 0.75, 0], [0.5, 0, 0, 0.5]])).abs().max() < 0.03
    assert (shares[w.cpu() == 0] == 0).all()
    without = mt.multinomial(w.expand(300, 2, 4).reshape(600, 4), 2).cpu()
    assert (without.sort(1)[0] == mt.tensor([[1, 2], [0, 3]]).repeat(300, 1)).all()
    first = mt.multinomial(w[0].expand(2000, 4), 1).cpu()
    assert abs((first == 2).double().mean().item() - 0.75) < 0.04
    assert mt.multinomial(w[0], 3, replacement=True).shape == (3,)


def test_normal_with_tensors():
    mt.manual_seed(5)
    mean = mt.tensor([-5.0, 5.0], device="cuda").expand(4000, 2)
    x = mt.normal(mean, mt.tensor([1.0, 0.1], device="cuda"))
    assert x.is_cuda and (x.cpu().mean(0) - mt.tensor([-5.0, 5.0])).abs().max() < 0.1
    assert (x.cpu().std(0) - mt.tensor([1.0, 0.1])).abs().max() < 0.05
    assert mt.normal(mean, 2.0).is_cuda and mt.normal(0.0, mean.abs()).is_cuda
    with pytest.raises(RuntimeError, match="std >= 0"):
        mt.normal(0.0, mean)


CALLS = {
    "exponential_": lambda g: mt.empty(3, 5, device="cuda").exponential_(generator=g),
    "cauchy_": lambda g: mt.empty(3, 5, device="cuda").cauchy_(generator=g),
    "log_normal_": lambda g: mt.empty(3, 5, device="cuda").log_normal_(generator=g),
    "geometric_": lambda g: mt.empty(3, 5, device="cuda").geometric_(0.1, generator=g),
    "bernoulli": lambda g: mt.bernoulli(mt.full((40,), 0.5, device="cuda"), generator=g),
    "randperm": lambda g: mt.randperm(40, device="cuda", generator=g),
    "multinomial": lambda g: mt.multinomial(mt.ones(40, device="cuda"), 20, generator=g),
    "multinomial with replacement": lambda g: mt.multinomial(mt.ones(40, device="cuda"), 20, True, generator=g),
    "normal": lambda g: mt.normal(mt.ones(40, device="cuda"), 1.0, generator=g),
}


@pytest.mark.parametrize("name", CALLS)
def test_generators(name):
    call = CALLS[name]
    g = mt.Generator(device="cuda").manual_seed(7)
    before = g.get_state()
    first, second = call(g).cpu(), call(g).cpu()
    assert not mt.equal(first, second)
    g.set_state(before)
    assert mt.equal(call(g).cpu(), first) and mt.equal(call(g).cpu(), second)
    mt.manual_seed(7)
    here = mt.get_rng_state()
    assert mt.equal(call(None).cpu(), first) and mt.equal(mt.get_rng_state(), here)  # the CPU's is not touched
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type"):
        call(mt.Generator())


def test_the_device_s_generators_are_refused_on_the_cpu():
    g = mt.Generator(device="cuda")
    for call in (lambda: mt.rand(3, generator=g), lambda: mt.empty(3).exponential_(generator=g),
                 lambda: mt.randperm(3, generator=g), lambda: mt.multinomial(mt.ones(3), 2, generator=g),
                 lambda: mt.multinomial(mt.ones(3), 2, True, generator=g),
                 lambda: mt.normal(mt.ones(3), 1.0, generator=g)):  # fmt: skip
        with pytest.raises(RuntimeError, match="Expected a 'cpu' device type"):
            call()


def test_results_are_where_the_operands_are():
    with mt.device("cuda"):
        assert not mt.normal(mt.ones(3, device="cpu"), 1.0).is_cuda
        assert not mt.multinomial(mt.ones(3, device="cpu"), 2).is_cuda
    assert mt.multinomial(mt.ones(3, device="cuda"), 2).is_cuda


@pytest.mark.parametrize("law", [*LAWS, geometric])
def test_layouts(law):
    assert law(mt.empty(0, device="cuda")).shape == (0,) and law(mt.empty((), device="cuda")).isfinite()
    x = mt.zeros(4, 6, device="cuda")
    law(x[:, ::2])
    assert (x[:, 1::2] == 0).all() and (x[:, ::2] != 0).all()
    law(x.T)
    assert (x != 0).all()
