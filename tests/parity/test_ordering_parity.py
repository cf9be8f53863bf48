"""Sorting and selection under PyTorch and minitorch, with equal elements: the same values at the same places."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import minitorch  # noqa: E402

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


def samples(name: str, count: int):
    """The same tensor under both, few values and many, with what is special among floats; and a dimension."""
    rng = np.random.default_rng(DTYPES.index(name))
    for _ in range(count):
        ndim = int(rng.integers(1, 4))
        shape = tuple(rng.integers(1, (400, 40, 12)[ndim - 1], ndim).tolist())
        x = rng.integers(-(top := int(rng.choice([2, 10, 1000]))), top, shape).astype("f8")
        if name.startswith(("f", "bf")):
            x /= 7
            for value in (np.nan, -0.0, np.inf, -np.inf):
                if rng.random() < 0.4:
                    x[rng.random(shape) < 0.1] = value
        else:
            x = x.astype("i8")
        a, b = torch.from_numpy(x).to(getattr(torch, name)), minitorch.tensor(x).to(getattr(minitorch, name))
        if rng.random() < 0.4 and ndim > 1:
            a, b = a.transpose(0, -1), b.transpose(0, -1)
        yield a, b, int(rng.integers(-ndim, ndim)), rng


def same(a, b, call: str) -> None:
    for theirs, ours in zip(a, b) if isinstance(a, tuple) else [(a, b)]:
        assert tuple(theirs.shape) == tuple(ours.shape), call
        np.testing.assert_array_equal(ours.double().numpy(), theirs.double().numpy(), call)


@pytest.mark.parametrize("name", DTYPES)
def test_the_same_places(name: str) -> None:
    for a, b, dim, rng in samples(name, 60):
        n, flag = a.shape[dim], bool(rng.random() < 0.5)
        few = int(rng.integers(1, n + 1)) if rng.random() < 0.5 else min(n, int(rng.integers(1, 6)))
        calls = {
            "sort": (dim, flag), "argsort": (dim, flag), "topk": (few, dim, flag), "kthvalue": (few, dim),
            "median": (dim,), "nanmedian": (dim,), "cummax": (dim,), "cummin": (dim,), "unique_consecutive": (),
            "mode": (dim,), "unique": (True, True, True),
        }  # fmt: skip
        for call, arguments in calls.items():
            if name == "bool" and call in ("topk", "kthvalue", "median", "nanmedian"):
                continue
            if call in ("mode", "unique") and a.is_floating_point() and a.isnan().any():
                continue  # mode: PyTorch sorts these by an order that is none; unique: each is unique, in any order
            same(getattr(a, call)(*arguments), getattr(b, call)(*arguments), f"{call}{arguments} of {tuple(a.shape)}")
        stable = [t.sort(stable=True, dim=dim, descending=flag) for t in (a, b)]
        same(*stable, "a stable sort")


@pytest.mark.parametrize("name", ["uint8", "int64", "float32", "float64"])
def test_long_vectors(name: str) -> None:
    for n in (32767, 32768, 100_001):
        x = np.random.default_rng(n).integers(0, 200, n)
        a, b = torch.from_numpy(x).to(getattr(torch, name)), minitorch.tensor(x).to(getattr(minitorch, name))
        for call in ("t.sort()", "t.sort(descending=True)", "t.topk(50)", "t.topk(5000)", "t.median(0)", "t.mode()"):
            same(eval(call, {"t": a}), eval(call, {"t": b}), call)
