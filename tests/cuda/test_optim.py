"""Optimizers' fused steps on the device against the CPU's; see test_on_the_device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch as mt

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}],
    "Adam": [{"weight_decay": 0.1}, {"amsgrad": True}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "AdamW": [{"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}, {"amsgrad": True, "weight_decay": 0.2}],
    "Adamax": [{"weight_decay": 0.1}],
    "NAdam": [{"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{"weight_decay": 0.1, "betas": (0.5, 0.6)}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "Adagrad": [{"weight_decay": 0.1, "lr_decay": 0.1}],
    "Adadelta": [{"weight_decay": 0.1, "lr": 0.5}],
    "RMSprop": [{"momentum": momentum, "centered": centered, "weight_decay": 0.1}
                for momentum in (0, 0.9) for centered in (False, True)],
    "Rprop": [{"lr": 0.1}],
    "ASGD": [{"t0": 2, "weight_decay": 0.1}],
}  # fmt: skip
CASES = [(name, options) for name, every in OPTIONS.items() for options in every]
SIZES = ((3,), (4, 5), (0,), (2051,), (), (7, 1))
TOLERANCES = {mt.float64: 1e-12, mt.float32: 2e-5, mt.float16: 1e-2, mt.bfloat16: 8e-2}


def values(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def trajectory(name: str, options: dict[str, Any], dtype: mt.dtype, device: str, sizes: Any) -> list[np.ndarray]:
    """Parameters and state after a few steps; one parameter has no gradient at one of them."""
    params = [mt.tensor(values(shape, n)).to(dtype).to(device).requires_grad_() for n, shape in enumerate(sizes)]
    optimizer, versions = getattr(mt.optim, name)(params, **options), [p._version for p in params]
    for step in range(4):
        for n, (p, shape) in enumerate(zip(params, sizes)):
            missing = n == 1 and step == 2
            p.grad = None if missing else mt.tensor(values(shape, 100 * step + n)).to(dtype).to(device)
        optimizer.step()
    assert all(p._version > before for p, before in zip(params, versions))
    states = [optimizer.state[p] for p in params if p in optimizer.state]
    tensors = [state[key] for state in states for key in sorted(state) if isinstance(state[key], mt.Tensor)]
    assert all(t.device.type == device for t in tensors if t.dim())
    return [t.detach().cpu().double().numpy() for t in (*params, *tensors)]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that a test launches."""
    runtime, names = mt.cuda.runtime.active(), []
    launch = runtime.launch
    monkeypatch.setattr(runtime, "launch", lambda f, *args: (names.append(f.name), launch(f, *args))[1])
    return names


def agree(name: str, options: dict[str, Any], dtype: mt.dtype, sizes: Any = SIZES) -> None:
    here, there = (trajectory(name, options, dtype, device, sizes) for device in ("cpu", "cuda"))
    assert len(here) == len(there)
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype])


@pytest.mark.on_the_device
@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_option(name: str, options: dict[str, Any], launched: list[str]) -> None:
    agree(name, options, mt.float32)
    assert any(kernel.startswith(f"optimizer_step<{'adam' if name == 'AdamW' else name.lower()}, float, ")
               for kernel in launched)  # fmt: skip


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", ["SGD", "Adam", "Rprop"])
def test_maximize(name: str) -> None:
    agree(name, {"maximize": True}, mt.float32)


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize(("name", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {"lr": 0.1, "eps": 1e-3})])
def test_dtypes(name: str, options: dict[str, Any], dtype: mt.dtype, launched: list[str]) -> None:
    agree(name, options, dtype)
    assert any(kernel.startswith("optimizer_step") for kernel in launched)


@pytest.mark.on_the_device
def test_one_launch_takes_many_parameters(launched: list[str]) -> None:
    sizes = [(n % 7 + 1,) for n in range(150)]
    agree("AdamW", {}, mt.float32, sizes)
    fused = [kernel for kernel in launched if kernel.startswith("optimizer_step")]
    assert len(fused) == 3 + 3 + 4  # 64 at a time; one parameter is a step behind at the end


@pytest.mark.on_the_device
def test_what_is_not_contiguous_takes_the_reference() -> None:
    found = []
    for device in ("cpu", "cuda"):
        p = mt.tensor(values((4, 5), 0)).to(device).t().requires_grad_()
        optimizer = mt.optim.Adam([p], lr=0.1)
        for step in range(3):
            p.grad = mt.tensor(values((5, 4), step)).to(device)
            optimizer.step()
        found.append(p.detach().cpu().numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12)


@pytest.mark.on_the_device
def test_parameters_on_two_devices() -> None:
    params = [mt.ones(3, device=device).requires_grad_() for device in ("cpu", "cuda")]
    optimizer = mt.optim.Adam(params, lr=0.1)
    for _ in range(3):
        for p in params:
            p.grad = mt.ones(3, device=p.device)
        optimizer.step()
    assert all(p.tolist() == pytest.approx([0.7] * 3, abs=1e-5) for p in params)


@pytest.mark.on_the_device
def test_counters_stay_on_the_host() -> None:
    with mt.device("cuda"):
        for name in ("Adam", "NAdam", "ASGD"):
            p = mt.ones(3, requires_grad=True)
            p.grad = mt.ones(3)
            optimizer = getattr(mt.optim, name)([p])
            optimizer.step()
            assert {key: t.is_cuda for key, t in optimizer.state[p].items()} == {
                key: bool(t.dim()) for key, t in optimizer.state[p].items()
            }
