"""The README's program on the device, and the same network without what is drawn there, against the CPU's losses."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from minitorch.datasets import digits


@pytest.mark.skipif(bool(os.environ.get("MINITORCH_CUDA")), reason="is a process of its own")
@pytest.mark.usefixtures("host_compiler")
def test_the_program_learns_to_read() -> None:
    """In three of its thirty epochs; all of them take a minute here, and read 99 % right."""
    done = subprocess.run(
        [sys.executable, "-m", "minitorch", "--device", "cuda", "--epochs", "3"],
        capture_output=True, text=True, timeout=300, env={**os.environ, "MINITORCH_CUDA": "sim"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (share,) = re.findall(r"([\d.]+)% of the held-out digits", done.stdout)
    assert float(share) >= 95


def losses(device: str, steps: int) -> tuple[list[float], float]:
    """Of each step, and the share of other digits that is read right then."""
    mt.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10)).to(device)
    images, labels = (t.to(device) for t in digits())
    optimizer = mt.optim.AdamW(model.parameters(), lr=1e-2)
    found = []
    for step in range(steps):
        batch = slice(50 * step, 50 * step + 50)
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert {(p.dtype, p.device.type) for p in model.parameters()} == {(mt.float32, device)}
    right = model(images[-300:]).argmax(1) == labels[-300:]
    return found, right.float().mean().item()


@pytest.mark.on_the_device
def test_training_gives_the_cpus_losses() -> None:
    (here, share), (there, same) = losses("cpu", 25), losses("cuda", 25)
    np.testing.assert_allclose(there, here, rtol=1e-3)
    assert share > 0.7 and same == pytest.approx(share, abs=0.01)
