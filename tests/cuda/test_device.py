"""Tensors of the CUDA device against the CPU's, on whatever run time ``MINITORCH_CUDA`` names.

Without that variable test_on_the_device runs this file again, in the simulator that checks every access.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from minitorch.nn.functional import dropping

CHOSEN = bool(os.environ.get("MINITORCH_CUDA"))
F = nn.functional


@pytest.mark.skipif(CHOSEN, reason="about its absence")
@pytest.mark.parametrize("use", [lambda: mt.ones(2).cuda(), lambda: mt.zeros(1, device="cuda:0"), mt.cuda.synchronize])
def test_without_a_device_one_sentence_says_what_to_do(use: Callable) -> None:
    if mt.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="MINITORCH_CUDA=sim"):
        use()
    assert mt.cuda.device_count() == 0


@pytest.mark.on_the_device
def test_moving() -> None:
    x = mt.arange(12, dtype=mt.float32).view(3, 4)
    there = x.to("cuda")
    assert (there.device, there.is_cuda, x.is_cuda, there.get_device()) == (mt.device("cuda:0"), True, False, 0)
    assert there.to("cuda") is there and x.cpu() is x and mt.equal(there.cpu(), x)
    for view in (lambda t: t.T, lambda t: t[1:, ::2], lambda t: t[:, 1], lambda t: t[:0], lambda t: t[2, 3]):
        assert mt.equal(view(there).cpu(), view(x))
        assert mt.equal(view(x).cuda().cpu(), view(x))
        assert mt.equal(view(there).contiguous().cpu(), view(x))
    assert mt.equal(there.to(mt.int64).cpu(), x.to(mt.int64))
    assert mt.equal(x.half().cuda().to(mt.bfloat16).cpu(), x.half().to(mt.bfloat16))
    there[1] = mt.tensor([7.0, 8.0, 9.0, 10.0])
    assert there[1].tolist() == [7, 8, 9, 10] and there[1, 2].item() == 9
    assert repr(mt.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"
    with mt.device("cuda"):
        assert mt.ones(1).is_cuda and mt.tensor([1]).is_cuda
    assert not mt.ones(1).is_cuda


@pytest.mark.on_the_device
def test_gradients_travel_between_devices() -> None:
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    (x.cuda() * 3).exp().cpu().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * np.exp(3 * np.array([1.0, 2.0])), rtol=1e-6)


@pytest.mark.on_the_device
def test_refusals() -> None:
    x = mt.ones(3, device="cuda")
    for use in (lambda: x + mt.ones(3), lambda: x @ mt.ones(3), lambda: mt.ones(3).add_(x),
                lambda: F.cross_entropy(x.view(1, 3), mt.tensor([0]))):  # fmt: skip
        with pytest.raises(RuntimeError, match="same device"):
            use()
    assert (x + mt.tensor(2.0)).tolist() == [3, 3, 3]  # a tensor without dimensions may be the CPU's
    with pytest.raises(TypeError, match=r"Tensor\.cpu\(\)"):
        x.numpy()
    with pytest.raises(TypeError, match=r"Tensor\.cpu\(\)"):
        np.asarray(x)
    for use in (lambda: mt.poisson(x), lambda: mt.fft.fft(x)):
        with pytest.raises(NotImplementedError, match="on cuda"):
            use()
    with pytest.raises(NotImplementedError, match="complex"):
        mt.ones(2, dtype=mt.complex64).cuda() * 2
    with pytest.raises(RuntimeError, match="one device"):
        mt.ones(1, device="cuda:1")


@pytest.mark.on_the_device
@pytest.mark.parametrize("function", [
    lambda t: t.exp(), lambda t: t * t.T, lambda t: F.gelu(t), lambda t: t.clamp(min=0), lambda t: t.sum(0),
    lambda t: t.mean(), lambda t: t.amax(1), lambda t: t.max(0).values, lambda t: t.var(1), lambda t: t.prod(0),
    lambda t: t.logsumexp(1), lambda t: t.norm(), lambda t: t.cumsum(0), lambda t: t @ t, lambda t: t.softmax(0),
    lambda t: t.log_softmax(1), lambda t: F.cross_entropy(t, t.argmin(1)), lambda t: mt.where(t > 0, t, t * 2),
    lambda t: F.cross_entropy(t, t.argmin(1), label_smoothing=0.1, reduction="none"), lambda t: t.std(),
    lambda t: t[1:],
])  # fmt: skip
def test_values_and_gradients(function: Callable) -> None:
    x = mt.tensor(np.random.default_rng(0).standard_normal((5, 5)).astype("f4"))
    here, there = x.clone().requires_grad_(), x.cuda().requires_grad_()
    y, z = function(here), function(there)
    assert z.is_cuda
    np.testing.assert_allclose(z.detach().cpu().numpy(), y.detach().numpy(), rtol=1e-5, atol=1e-6)
    (y * y).sum().backward()
    (z * z).sum().backward()
    np.testing.assert_allclose(there.grad.cpu().numpy(), here.grad.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.on_the_device
def test_random_numbers_are_pytorchs() -> None:
    """The first numbers of PyTorch's CUDA generator, which are Philox's, for two seeds."""
    for seed, numbers in ((0, [-0.9247, -0.4253, -2.6438, 0.1452]), (42, [0.1940, 2.1614, -0.1721, 0.8491])):
        mt.manual_seed(seed)
        np.testing.assert_allclose(mt.randn(4, device="cuda").tolist(), numbers, atol=5e-5)
    g = mt.Generator(device="cuda").manual_seed(3)
    state = g.get_state()
    first = mt.rand(1000, generator=g, device="cuda")
    assert first.amin() >= 0 and first.amax() < 1 and abs(first.mean().item() - 0.5) < 0.03
    g.set_state(state)
    assert mt.rand(1000, generator=g, device="cuda").tolist() == first.tolist()
    assert mt.rand(1000, generator=g, device="cuda").tolist() != first.tolist()
    whole = mt.randint(-3, 5, (1000,), device="cuda", generator=g)
    assert (whole.amin().item(), whole.amax().item()) == (-3, 4)
    kept = F.dropout(mt.ones(1000, device="cuda"), 0.25)
    assert set(kept.tolist()) == {0.0, mt.tensor(1 / 0.75).item()} and abs(kept.mean().item() - 1) < 0.1


@pytest.mark.on_the_device
def test_training_gives_the_cpus_losses() -> None:
    losses = []
    for device in ("cpu", "cuda"):
        mt.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).to(device)
        x, labels = mt.randn(20, 6).to(device), mt.randint(3, (20,)).to(device)
        optimizer = mt.optim.AdamW(model.parameters(), lr=0.05)
        for _ in range(5):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.on_the_device
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name, shape", [
    ("dropout1d", (3, 5, 2)), ("dropout2d", (3, 5, 2, 3)), ("dropout3d", (2, 5, 2, 1, 3)),
    ("alpha_dropout", (7, 5)), ("feature_alpha_dropout", (3, 5, 2)),
])  # fmt: skip
def test_dropout_given_the_same_mask(name: str, shape: tuple[int, ...], inplace: bool,
                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    drop, draw, masks = getattr(F, name), dropping._kept, []

    def left(x: mt.Tensor) -> tuple[mt.Tensor, mt.Tensor]:
        leaf = x.clone().requires_grad_()
        y = drop(leaf.clone() if inplace else leaf, 0.5, True, inplace)
        assert y.device == x.device
        y.sum().backward()
        return y.detach().cpu(), leaf.grad.cpu()

    mt.manual_seed(3)
    x = mt.rand(*shape) + 1
    # The devices draw different numbers from one seed: the CPU drops what the device drew.
    monkeypatch.setattr(dropping, "_kept", lambda *args: masks.append(draw(*args)) or masks[-1].clone())
    found = left(x.cuda())
    mask = masks[0].cpu()
    monkeypatch.setattr(dropping, "_kept", lambda *args: mask.clone())
    expected = left(x)
    assert 0 < mask.sum().item() < mask.numel()
    for one, other in zip(found, expected, strict=True):
        assert mt.allclose(one, other, rtol=1e-6)
