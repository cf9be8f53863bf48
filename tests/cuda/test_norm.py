"""Normalisation on the device against the CPU's; see test_on_the_device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn

F = nn.functional
TOLERANCES = {mt.float64: 1e-11, mt.float32: 2e-5, mt.float16: 4e-3, mt.bfloat16: 3e-2}
# Of each kind: values of a channel together or not, fewer and more channels than a warp has threads, ragged all.
SHAPES = [(4, 6), (3, 6, 5), (2, 6, 4, 5), (1, 3, 40), (70, 6), (40, 33), (5, 9, 35), (300, 2), (3, 1, 7)]


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape) * 2 + 1


def results(function: Callable, arrays: tuple, dtype: mt.dtype, device: str) -> list[np.ndarray]:
    """The result and the gradients of all inputs."""
    inputs = [mt.tensor(array).to(dtype).to(device).requires_grad_() for array in arrays]
    y = function(*inputs)
    y.backward(mt.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape))).to(y.dtype).to(device))
    assert all(t.device == y.device for t in inputs) and y.is_cuda == (device == "cuda") and y.dtype == dtype
    return [t.cpu().double().numpy() for t in (y.detach(), *(t.grad for t in inputs))]


def agree(function: Callable, *arrays: np.ndarray, dtype: mt.dtype = mt.float32) -> None:
    here, there = (results(function, arrays, dtype, device) for device in ("cpu", "cuda"))
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * (1 + abs(a).max(initial=0)))


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm(shape: tuple[int, ...], dtype: mt.dtype) -> None:
    x, w, b = random(*shape), random(shape[1]), random(shape[1]) + 3
    agree(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, w, b, dtype=dtype)
    agree(lambda x: F.batch_norm(x, None, None, training=True), x, dtype=dtype)
    moments = mt.tensor(w), mt.tensor(b).abs()
    agree(lambda x, w, b: F.batch_norm(x, *(m.to(x.device) for m in moments), w, b), x, w, b, dtype=dtype)


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_groups_and_rows(shape: tuple[int, ...], dtype: mt.dtype) -> None:
    x, w, b = random(*shape), random(shape[1]), random(shape[1])
    for groups in {1, 3, shape[1]}:
        if shape[1] % groups == 0 and x.size > shape[0] * groups:
            agree(lambda x, w, b, n=groups: F.group_norm(x, n, w, b), x, w, b, dtype=dtype)
    w, b = random(*shape[1:]), random(*shape[1:])
    agree(lambda x, w, b: F.layer_norm(x, shape[1:], w, b), x, w, b, dtype=dtype)
    agree(lambda x, w: F.rms_norm(x, shape[1:], w), x, w, dtype=dtype)
    agree(lambda x: F.layer_norm(x, shape[-1:]), x, dtype=dtype)


@pytest.mark.on_the_device
def test_many_rows_are_divided() -> None:
    """The gradients of weights come from several portions of the samples."""
    agree(lambda x, w, b: F.layer_norm(x, (5,), w, b), random(701, 5), random(5), random(5))
    agree(lambda x, w, b: F.group_norm(x, 2, w, b), random(65, 4, 33), random(4), random(4))


@pytest.mark.on_the_device
def test_layouts_and_second_derivatives() -> None:
    for function in (lambda x: F.layer_norm(x.T, (5,)), lambda x: F.batch_norm(x[::2], None, None, training=True),
                     lambda x: F.group_norm(x[:, :4], 2)):  # fmt: skip
        found = []
        for device in ("cpu", "cuda"):
            x = mt.tensor(random(5, 6)).to(device).requires_grad_()
            (g,) = mt.autograd.grad((function(x) ** 3).sum(), x, create_graph=True)
            (h,) = mt.autograd.grad((g * g).sum(), x)
            found.append(h.cpu().numpy())
        np.testing.assert_allclose(found[1], found[0], rtol=1e-9, atol=1e-9)


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", [mt.float32, mt.float16], ids=str)
def test_running_moments(dtype: mt.dtype) -> None:
    x, found = mt.tensor(random(4, 5, 3)).to(dtype), []
    for device in ("cpu", "cuda"):
        mean, var = mt.zeros(5, dtype=dtype, device=device), mt.ones(10, dtype=dtype, device=device)[::2]
        F.batch_norm(x.to(device), mean, var, training=True)
        found.append(np.array([mean.tolist(), var.tolist()]))
    np.testing.assert_allclose(found[1], found[0], rtol=TOLERANCES[dtype])


@pytest.mark.on_the_device
def test_nothing_to_normalise() -> None:
    agree(lambda x, w: F.batch_norm(x, None, None, w, training=True), np.zeros((0, 3, 2)), random(3))
    agree(lambda x, w: F.layer_norm(x, (3,), w), np.zeros((0, 3)), random(3))
    nothing = mt.zeros(0, device="cuda")
    assert F.batch_norm(mt.zeros(2, 0, device="cuda"), nothing, nothing, training=True).shape == (2, 0)


@pytest.mark.on_the_device
def test_parameters_elsewhere_are_refused() -> None:
    x = mt.ones(2, 3, device="cuda")
    uses = (
        lambda: F.layer_norm(x, (3,), mt.ones(3)),
        lambda: F.layer_norm(x.cpu(), (3,), x[0]),
        lambda: F.batch_norm(x, mt.zeros(3), mt.ones(3)),
        lambda: F.group_norm(x, 1, None, mt.ones(3)),
    )
    for use in uses:
        with pytest.raises(RuntimeError, match="same device"):
            use()


@pytest.mark.on_the_device
def test_modules_train() -> None:
    losses: dict[str, list[float]] = {"cpu": [], "cuda": []}
    for device, found in losses.items():
        mt.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.LayerNorm(9), nn.Linear(9, 3))
        model.to(device)
        x, target = mt.tensor(random(12, 6)).float().to(device), (mt.arange(12) % 3).to(device)
        for _ in range(4):
            loss = F.cross_entropy(model(x), target)
            loss.backward()
            with mt.no_grad():
                for p in model.parameters():
                    p -= 0.2 * p.grad
                    p.grad = None
            found.append(loss.item())
        found.append(F.cross_entropy(model.eval()(x), target).item())
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=2e-5) and losses["cpu"][3] < losses["cpu"][0]
