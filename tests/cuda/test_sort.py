"""Sorting, what follows from it, searching and counting on the device: the CPU's results."""

import numpy as np
import pytest

import minitorch as mt

pytestmark = pytest.mark.on_the_device

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
CASES = [((7,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 0), 1), ((), 0), ((2, 3, 9), 1), ((2, 1030), 1), ((2500,), 0)]


def sample(name, shape):
    """Values of which some are equal, with what is special among floats, in memory the other way round."""
    mt.manual_seed(len(shape))
    x = mt.randn(*shape) * 3 if shape else mt.tensor(1.5)
    dtype = getattr(mt, name)
    if name == "bool":
        return x > 0
    if x.numel() < 100:
        x = x.round()
    if dtype.is_floating_point and x.numel() > 5:
        x.view(-1)[:6] = mt.tensor([float("inf"), float("nan"), 0.0, -0.0, float("nan"), -float("inf")])
    x = x.to(dtype)
    return x.t().contiguous().t() if x.ndim == 2 else x


def same(f, *tensors):
    """The results of a function on the CPU and on the device are equal, and the device's are there."""
    wanted, found = f(*tensors), f(*(t.cuda() for t in tensors))
    several = isinstance(wanted, (tuple, list))
    for a, b in zip(wanted, found, strict=True) if several else [(wanted, found)]:
        assert b.is_cuda and a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_array_equal(a.double().numpy(), b.cpu().double().numpy())


@pytest.mark.parametrize(("shape", "dim"), CASES, ids=str)
@pytest.mark.parametrize("name", DTYPES)
def test_orders(name, shape, dim):
    x = sample(name, shape)
    for descending in (False, True):
        same(lambda x: mt.sort(x, dim, descending, stable=True), x)
        same(lambda x: x.argsort(dim, descending, stable=True), x)
    if name == "bool" or 0 in shape:
        return
    n = shape[dim] if shape else 1
    same(lambda x: x.topk(min(3, n), dim).values, x)
    same(lambda x: x.topk(min(3, n), dim, largest=False).values, x)
    same(lambda x: x.kthvalue(min(2, n), dim, keepdim=True).values, x)
    same(lambda x: x.median(dim).values, x)
    same(lambda x: x.median(), x)
    same(lambda x: x.nanmedian(dim).values, x)
    same(lambda x: x.mode(dim).values, x)
    for choose in (lambda x: x.topk(min(3, n), dim), lambda x: x.median(dim, True), lambda x: x.mode(dim, True)):
        there = x.cuda()
        values, indices = choose(there)
        found = there.gather(dim, indices)  # of equal values each library may show another
        np.testing.assert_array_equal(found.cpu().double().numpy(), values.cpu().double().numpy())


def numbers(*shape):
    mt.manual_seed(1)
    return mt.randn(*shape)


@pytest.mark.parametrize("f", [
    lambda x: x.sort(1).values * mt.arange(6.0, device=x.device),
    lambda x: x.topk(2).values ** 2,
    lambda x: x.median(0).values ** 2,
    lambda x: x.kthvalue(2, 1, True).values ** 2,
    lambda x: mt.quantile(x, 0.3, dim=0),
], ids=["sort", "topk", "median", "kthvalue", "quantile"])  # fmt: skip
def test_gradients(f):
    here, there = numbers(4, 6).requires_grad_(), numbers(4, 6).cuda().requires_grad_()
    f(here).sum().backward()
    f(there).sum().backward()
    np.testing.assert_allclose(there.grad.cpu().numpy(), here.grad.numpy(), rtol=1e-6)


def integers():
    mt.manual_seed(2)
    return mt.randint(0, 5, (20,))


@pytest.mark.parametrize("f", [
    lambda x: mt.unique(x, return_inverse=True, return_counts=True),
    lambda x: mt.unique(x.view(10, 2) % 2, dim=0, return_inverse=True, return_counts=True),
    lambda x: mt.unique_consecutive(x, return_inverse=True, return_counts=True),
    lambda x: mt.bincount(x),
    lambda x: mt.bincount(x, x.float() / 4, minlength=9),
    lambda x: mt.bincount(x[:0], minlength=3),
    lambda x: mt.isin(x, x[:2]),
    lambda x: x[:4].repeat_interleave(x[4:8]),
    lambda x: mt.histc(x.float(), 5, 1, 3),
    lambda x: mt.histogram(x.float(), 4),
], ids=["unique", "unique rows", "consecutive", "bincount", "weights", "nothing", "isin", "repeat", "histc",
        "histogram"])  # fmt: skip
def test_counting(f):
    same(f, integers())


@pytest.mark.parametrize("options", [{}, {"right": True}, {"out_int32": True}], ids=str)
def test_searching(options):
    line, rows, values = numbers(10).sort().values, numbers(3, 10).sort().values, numbers(3, 4)
    values[1, 1] = float("nan")
    same(lambda a, v: mt.searchsorted(a, v, **options), line, values)
    same(lambda a, v: mt.searchsorted(a, v, **options), rows, values)
    same(lambda a, v: mt.bucketize(v, a, **options), line, values)
    same(lambda a, v: mt.searchsorted(a, v, sorter=a.argsort(), **options), numbers(10), values)
    same(lambda a, v: mt.searchsorted(a, v, **options), line[:0], values)


@pytest.mark.parametrize("reduce", ["sum", "mean", "prod", "amax", "amin"])
@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("name", ["int64", "uint8", "bfloat16", "float64"])
def test_scatter_reduce(reduce, included, name):
    index = mt.tensor([[0, 2, 0, 2, 2, 1], [3, 3, 0, 0, 0, 0]])
    dtype = getattr(mt, name)
    x, value = ((numbers(4, 6) * 4).round().abs().to(dtype), (numbers(2, 6) * 3).round().abs().to(dtype))

    def f(x, value):
        return x.scatter_reduce(0, index.to(x.device), value, reduce, include_self=included)

    same(f, x, value)
    if name != "float64":
        return
    value[0, 0] = float("nan")
    same(f, x, value)
    found = []
    for device in ("cpu", "cuda"):
        leaves = [t.to(device).requires_grad_() for t in (x, value.nan_to_num(2.0) + 0.5)]
        y = f(*leaves)
        found.append([y, *mt.autograd.grad((y * y).sum(), leaves)])
    for here, there in zip(*found):
        np.testing.assert_allclose(there.detach().cpu().numpy(), here.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_what_is_refused():
    x = integers().cuda()
    with pytest.raises(RuntimeError, match="non-negative"):
        mt.bincount(x - 1)
    with pytest.raises(RuntimeError, match="two devices"):
        mt.searchsorted(numbers(3).cuda(), numbers(3))
    with pytest.raises(RuntimeError, match="two devices"):
        mt.bincount(x, weights=mt.ones(20))
    with pytest.raises(RuntimeError, match="sorter index out of range"):
        mt.searchsorted(numbers(3).cuda(), numbers(2).cuda(), sorter=mt.tensor([0, 1, 3]).cuda())
