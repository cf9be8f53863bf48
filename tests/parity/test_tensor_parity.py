"""Shaping, joining, indexing, products, printing and files under PyTorch and minitorch; see `test_engine_parity`."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import minitorch  # noqa: E402
from parity.test_engine_parity import check, made  # noqa: E402

CASES = """
x.flip(0); x.flip(0, 2); x.flip(dims=(1,)); x.fliplr(); x.flipud(); x.rot90(); x.rot90(3, (1, 2)); x.rot90(2, (0, 2))
x.roll(2); x.roll(1, 0); x.roll((1, -2), (0, 2)); x.roll(0, 1); x.tril(); x.triu(1); x.tril(-2); x[0].clone().triu_()
x.repeat(2, 1, 3); x.repeat(2, 1, 1, 1); x.repeat(0, 1, 1); x.tile(2); x.tile(2, 1, 1, 2); x.repeat_interleave(2)
x.repeat_interleave(2, dim=1); x.repeat_interleave(t([1, 0, 2]), dim=0); T.repeat_interleave(t([2, 0, 1]))
T.hstack([x, x]); T.vstack([v, v]); T.dstack([v, v]); T.column_stack([v, v]); T.block_diag(v, x[0])
T.cat([x, y], 1); T.cat([x, i], 2); T.stack([v, v], 1); T.cat([t([]), v]); T.concat([x, y]); T.cat([x.mT, x.mT], 2)
x.tensor_split(2); x.tensor_split((1, 3), 2); x.hsplit(2); x.vsplit((1,)); x.dsplit((2, 3)); T.split(x, 2, 2)
T.meshgrid(v, t([1., 2.]), indexing="ij"); T.meshgrid(v, t([1., 2.]), indexing="xy"); T.cartesian_prod(v, v)
T.combinations(v); T.combinations(v, 3, True); T.combinations(v, 0); T.atleast_3d(v); x.unflatten(2, (5, 1))
v.diag(); v.diag(1); x[0].diag(-1); x.diag_embed(); x.diag_embed(1, 0, 2); v.diagflat(-1); x[0].trace()
T.tril_indices(3, 4, 1); T.triu_indices(3, 4, -1); T.zeros(7, 3).fill_diagonal_(1, wrap=True); T.vander(v, 3)
x.select_scatter(y[0], 0, 1); x.slice_scatter(y[:, :2], 1, 0, 4, 2); x[0].diagonal_scatter(v[:4])
x.take(t([0, -1, 7])); x.take_along_dim(x.argmax(1, keepdim=True), 1); T.zeros(4).put_(t([1, -1]), t([5., 6.]))
x.masked_scatter(x > 0, y); x.masked_fill(x > 0, 2); x.masked_select(x > 0); T.argwhere(x > 1)
v.index_add(0, t([0, 0, 4]), t([1., 2., 3.]), alpha=2); x.index_copy(1, t([3, 0]), y[:, :2]); x.index_fill(2, t([0, -1]), 9)
x.scatter_reduce(1, k, y, "sum"); x.scatter_reduce(1, k, y, "prod"); x.scatter_reduce(1, k, y, "mean")
x.scatter_reduce(1, k, y, "amax"); x.scatter_reduce(1, k, y, "amin", include_self=False); x.gather(1, k)
x.scatter_reduce(1, k, y, "mean", include_self=False); i.scatter_reduce(1, k, i * 3, "mean")
x.scatter(1, k, y, reduce="multiply"); x.scatter(1, k, 2.5, reduce="add"); x.index_reduce(0, t([2, 2, 0]), y, "amax")
v.diff(); x.diff(n=2, dim=1); v.diff(prepend=t([0.])); T.gradient(v)[0]; T.gradient(x, spacing=2., edge_order=2)[1]
T.trapezoid(x, dim=1); T.trapezoid(v, t([0., 1., 3., 4., 7.])); T.cumulative_trapezoid(x, dx=2.); x[0].cov()
x[0].corrcoef(); T.cdist(x, y); T.cdist(x, y, 1.); T.cdist(x, y, math.inf); T.dist(x, y); x.renorm(2, 0, 1.)
T.cross(x[:, :3, 0], y[:, :3, 0], dim=1); T.kron(x[0], v); T.tensordot(x, y, dims=([0, 1], [0, 1])); T.tensordot(v, v, 1)
T.einsum("bij,bkj->bik", x, y); T.einsum("...ij,...kj->...ik", x, y); T.einsum("ii->i", x[0, :, :4]); T.einsum("ijk->", x)
T.einsum("i,j->ij", v, v); T.einsum("i,i", v, v); T.einsum("bij->bji", x); T.einsum("bij,j,k->ik", x, v, v).contiguous()
T.einsum("b...,b...->...", x, y); T.einsum(x, [0, 1, 2], v, [2], [1, 0]); T.einsum("ijj->i", x[:, :4, :4])
T.einsum("ij,jk,kl->il", x[0], y[0].T, x[0]); T.einsum("ba,cb", x[0], x[1].T); T.einsum(x, [..., 0, 1], [..., 1, 0])
T.einsum("bij,ij", x, x[0]); T.einsum("i,i->", v, v[:2]); T.einsum("ij,jk->ijk->", x, y); T.einsum("i.j->i", x)
T.chain_matmul(x[0], y[0].T, x[0]); T.frexp(x); T.mvlgamma(v.abs() + 3, 2); T.fill(v, 3); T.isreal(v)
T.hann_window(7); T.hann_window(6, periodic=False); T.hamming_window(8); T.blackman_window(5); T.bartlett_window(6)
T.kaiser_window(6); T.hann_window(1); T.hann_window(0); T.empty_strided((2, 3), (1, 2)).stride(); x.H; x[0].mH
x.to(memory_format=T.preserve_format); x[None].to(memory_format=T.channels_last).stride(); x[None].mT.contiguous()
x[None].contiguous(memory_format=T.channels_last).is_contiguous(memory_format=T.channels_last); x.unsqueeze(0).shape.numel()
x.clone().squeeze_(0); x[:1].clone().squeeze_(0); v.clone().unsqueeze_(1); x.clone().transpose_(0, 2); x[0].clone().t_()
T.arange(0, end=3); T.arange(5, dtype=T.int8); T.arange(0, 1, 0.3); T.linspace(4.3, 50, 50, dtype=T.int64)
T.logspace(4.3, 0, 4, 2.0, dtype=T.int64); T.linspace(0, 1, 1); T.asarray([1, 2]); T.scalar_tensor(3); x.sum_to_size(3, 1, 5)
T.unravel_index(t([5, 11]), (3, 4))[1].tolist(); x.permute(dims=(2, 0, 1)); x.reshape(shape=(4, 15)); v.expand(size=(2, 5))
x.narrow(1, t(1), 2); T.add(1, x); T.atan2(x, 1); T.maximum(x, 0); x.clone().round_(decimals=1); -(x > 0)
T.clamp_min(x > 0, True); T.clamp_min(x > 0, x[0] > 1); T.addmv(i[0, :, 0], i[0], i[0, 0], alpha=0.6); T.zeros(3, dtype=T.bool).masked_fill(v[:3] > 0, 10)
x[5]; x[:, 7]; x[t([3])]; x[t([0, 1]), t([0, 1, 2])]; x[t([True, False])]; x[0, 0, 0, 0]; x[t([0.5])]; x[::-1]
x.untyped_storage().nbytes(); x.storage().size(); x.is_contiguous(); x.flip(3); x.roll(1, 5); T.cat([x, v]); T.stack([x, v])
"""


@pytest.mark.parametrize("case", [case.strip() for line in CASES.split("\n") for case in line.split("; ") if case.strip()])
def test_functions(case: str) -> None:
    check(case, x=made((3, 4, 5), "float32"), y=made((3, 4, 5), "float32", 1), v=made((5,), "float32", 2),
          i=made((3, 4, 4), "int64", 3), k=lambda T: T.tensor(np.random.default_rng(0).integers(0, 4, (3, 4, 5))))


# --- indexing ---------------------------------------------------------------------------------------------------------

PARTS = ["0", "-1", ":", "1:", "::2", "None", "...", "True", "False", "[0, 2]", "[True, False, True]", "t(1)", "t(True)",
         "t([1, 0])", "t([[0], [2]])", "np.array([1, 2])", "np.int64(1)", "a > 30", "(a > 30)[:, :, 0]", "(a > 20)[0, 0]",
         "[[0, 1], [1, 0]]", "t([], dtype=T.int64)", "-4", "t([3])", "t([2], dtype=T.uint8)"]


def keys(count: int) -> list[str]:
    rng = random.Random(0)
    found = [f"{part}," for part in PARTS] + PARTS
    while len(found) < count:
        found.append(", ".join(rng.choice(PARTS) for _ in range(rng.randint(2, 4))))
    return sorted({key for key in found if key.count("...") < 2 and ("dtype=T.uint8" not in key or len(key) < 30)})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", keys(500))
def test_indexing(key: str) -> None:
    names = {"a": lambda T: T.arange(60.0).reshape(3, 4, 5)}
    check(f"a[{key}].clone().contiguous()", **names)
    check(f"(a.__setitem__(({key}), -1), a)[1]", **names)
    check(f"(lambda b: (b[{key}] * 3).sum().backward() or b.grad)(a.requires_grad_())", **names)
    check(f"(lambda b: (b.__setitem__(({key}), t([[7.]])), b)[1])(a.mT.clone().mT)", **names)


# --- printing ---------------------------------------------------------------------------------------------------------

def numbers(rng: random.Random, dtype: str):
    shape = rng.choice([(), (0,), (2, 0), (1,), (3,), (17,), (2, 3), (1, 1, 4), (3, 2, 2), (40, 40), (1001,), (12, 11, 10)])
    values = np.random.default_rng(rng.randrange(2**32)).standard_normal(shape)
    style = rng.randrange(7)
    if style == 1:
        values = np.round(values * rng.choice([1, 10, 1e4, 1e9]))
    if style == 2:
        values = values * 10.0 ** rng.randint(-12, 12)
    if style == 3 and values.size:
        values = values.copy()
        values.flat[rng.randrange(values.size)] = rng.choice([np.nan, np.inf, -np.inf, 0, 1e30, 1e-30])
    if style == 4:
        values = np.exp(values * 8)
    if style == 5 and values.size:
        values = np.round(values * 3)
        values.flat[rng.randrange(values.size)] = rng.choice([np.nan, np.inf, -np.inf])
    if style == 6:
        values = values * 0
    if "int" in dtype or dtype == "bool":
        values = np.clip(np.nan_to_num(values * 5), -100, 100) * (dtype != "uint8") + (dtype == "uint8") * 3
    return values


@pytest.mark.parametrize("seed", range(150))
def test_printing(seed: int) -> None:
    rng = random.Random(seed)
    dtype = rng.choice("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split())
    values = numbers(rng, dtype)
    with np.errstate(all="ignore"):
        theirs = torch.tensor(values).to(getattr(torch, dtype))
    mine = minitorch.tensor(values).to(getattr(minitorch, dtype))
    choices = rng.choice([{}, {}, {}, {"precision": 2}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 40},
                          {"threshold": 10, "edgeitems": 2}, {"profile": "short"}, {"profile": "full"}])
    if "float" in dtype and rng.random() < 0.3:
        theirs, mine = theirs.requires_grad_(), mine.requires_grad_()
        if rng.random() < 0.5:
            theirs, mine = theirs * 1, mine * 1
    try:
        torch.set_printoptions(**choices)
        minitorch.set_printoptions(**choices)
        assert repr(mine) == repr(theirs)
    finally:
        torch.set_printoptions(profile="default")
        minitorch.set_printoptions(profile="default")


# --- files ------------------------------------------------------------------------------------------------------------

def things(T) -> dict:
    base = T.arange(12.0).reshape(3, 4)
    linear = T.nn.Linear(2, 2)
    return {
        "all types": [T.tensor([0, 1, 2]).to(getattr(T, name)) for name in
                      "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()],
        "views": (base, base[1:, ::2], base.t()),
        "parameter": linear.weight, "state": linear.state_dict(), "size": base.shape, "dtype": T.float16,
        "plain": {"a": 1, "b": [2.5, "text", None, True, (1, 2)]}, "device": T.device("cpu"),
        "empty": T.zeros(0, 3), "number": T.tensor(2.5, requires_grad=True),
    }


@pytest.mark.parametrize("there, back", [(torch, minitorch), (minitorch, torch), (minitorch, minitorch)])
def test_files(there, back, tmp_path) -> None:
    content = things(there)
    path = tmp_path / "weights.pt"
    there.save(content, path)
    loaded = back.load(path)
    assert list(loaded) == list(content)
    for a, b in zip(content["all types"], loaded["all types"]):
        assert str(a.dtype) == str(b.dtype) and a.tolist() == b.tolist()
    whole, part, turned = loaded["views"]
    assert part.tolist() == content["views"][1].tolist() and turned.stride() == (1, 4)
    whole[1, 0] = -7                                                   # the memory is shared again
    assert part[0, 0].item() == turned[0, 1].item() == -7
    assert isinstance(loaded["parameter"], back.nn.Parameter) and loaded["parameter"].requires_grad
    assert loaded["state"]["bias"].tolist() == content["state"]["bias"].tolist()
    assert loaded["plain"] == content["plain"] and str(loaded["dtype"]) == "torch.float16"
    assert loaded["size"] == (3, 4) and loaded["empty"].shape == (0, 3) and loaded["number"].requires_grad


def test_a_file_of_weights_cannot_run_code() -> None:
    import pickle

    class Evil:
        def __reduce__(self):
            return print, ("evil",)

    file = io.BytesIO()
    minitorch.save([Evil()], file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="print"):
        minitorch.load(file)
    file.seek(0)
    assert minitorch.load(file, weights_only=False) == [None]
    with pytest.raises(RuntimeError, match="not a zip"):
        minitorch.load(io.BytesIO(b"nothing"))
