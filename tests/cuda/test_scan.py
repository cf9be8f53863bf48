"""Scans on the device against the CPU's; see test_on_the_device."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt

TOLERANCES = {mt.float64: 1e-11, mt.float32: 2e-5, mt.float16: 4e-3, mt.bfloat16: 3e-2}
NAN, INF = float("nan"), float("inf")
# By rows and by columns, more and fewer than a block takes at once.
SHAPES = [(5,), (300,), (3, 520), (40, 35), (2, 3, 40), (2, 300, 3), (0, 3), (3, 0), ()]


def results(name: str, x: mt.Tensor, dim: int) -> list[np.ndarray]:
    """The values so far, the places where there are some, and the gradient."""
    x = x.clone().requires_grad_()
    made = getattr(x, name)(dim)
    y, *places = made if isinstance(made, tuple) else (made,)
    y.backward(mt.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape))).to(y.dtype).to(y.device))
    assert y.device == x.device and y.dtype == x.dtype
    return [t.cpu().double().numpy() for t in (y.detach(), x.grad, *places)]


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
def test_values_places_and_gradients(name: str, dtype: mt.dtype) -> None:
    for shape in SHAPES:
        x = mt.tensor(np.random.default_rng(0).standard_normal(shape)).to(dtype)
        for dim in range(max(1, len(shape))):
            for view in (x, x.mT if x.ndim > 1 else x, x[..., 1:] if x.ndim else x):
                here, there = results(name, view, dim), results(name, view.cuda(), dim)
                for a, b in zip(here, there):
                    scale = 1 + abs(a).max(initial=0)
                    np.testing.assert_allclose(b, a, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * scale)


@pytest.mark.on_the_device
@pytest.mark.parametrize("values", [[1, NAN, 3, NAN, 2], [-INF, -INF, 1], [INF, 1, -INF], [INF, NAN], [NAN], [-INF],
                                    [1000, 1000, -1000], [-1000, 1000, 1000]])  # fmt: skip
@pytest.mark.parametrize("times", [1, 110])
def test_what_is_no_number(values: list[float], times: int) -> None:
    x = mt.tensor([float(v) for v in values] * times)
    for name in ("cummax", "cummin"):
        here, there = getattr(x, name)(0), getattr(x.cuda(), name)(0)
        np.testing.assert_array_equal(there.values.tolist(), here.values.tolist())
        np.testing.assert_array_equal(there.indices.tolist(), here.indices.tolist())
    np.testing.assert_allclose(x.cuda().logcumsumexp(0).tolist(), x.logcumsumexp(0).tolist(), rtol=1e-6)


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", [mt.bool, mt.uint8, mt.int8, mt.int16, mt.int32, mt.int64], ids=str)
def test_whole_numbers(dtype: mt.dtype) -> None:
    for shape in ((3, 7), (3, 270)):
        x = mt.tensor(np.random.default_rng(0).integers(-4, 5, shape)).to(dtype)
        for dim in (0, 1):
            for name in ("cummax", "cummin"):
                here, there = getattr(x, name)(dim), getattr(x.cuda(), name)(dim)
                assert mt.equal(there.values.cpu(), here.values) and mt.equal(there.indices.cpu(), here.indices)
            assert mt.equal(x.cuda().cumsum(dim).cpu(), x.cumsum(dim))


@pytest.mark.on_the_device
def test_second_derivatives() -> None:
    found = []
    for device in ("cpu", "cuda"):
        x = mt.tensor(np.random.default_rng(0).standard_normal((5, 4))).to(device).requires_grad_()
        (g,) = mt.autograd.grad((x.logcumsumexp(0) ** 3).sum(), x, create_graph=True)
        (h,) = mt.autograd.grad((g * g).sum(), x)
        found.append(h.cpu().numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10, atol=1e-10)
