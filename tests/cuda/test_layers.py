"""Indexing, embedding, convolution and pooling on the device against the CPU's, with first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
import minitorch.nn.functional as F
from minitorch import nn

TOLERANCES = {mt.float64: 1e-11, mt.float32: 3e-5, mt.float16: 2e-2, mt.bfloat16: 1e-1}
ROWS = mt.tensor([[0, 2, 1], [3, 3, 0]])  # 3 twice in a row, and every row of a dimension of 4


def compare(function: Callable, *shapes: tuple[int, ...], dtype: mt.dtype = mt.float64) -> None:
    """Values, gradients and gradients of those."""
    arrays = [np.random.default_rng(k).standard_normal(shape) for k, shape in enumerate(shapes)]
    found = []
    for device in ("cpu", "cuda"):
        leaves = [mt.tensor(a).to(dtype).to(device).requires_grad_() for a in arrays]
        y = function(*leaves)
        assert y.device.type == device
        gs = mt.autograd.grad((y * y).sum(), leaves, create_graph=True)
        hs = mt.autograd.grad(sum((g * g).sum() for g in gs), leaves)
        found.append([t.detach().cpu().double().numpy() for t in (y, *gs, *hs)])
    for here, there in zip(*found):
        scale = 1 + abs(here).max(initial=0)
        np.testing.assert_allclose(there, here, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * scale)


INDEXED = {
    "rows": lambda x: x[ROWS],
    "numbers, slices and a list": lambda x: x[1, [0, 2], 1:],
    "negative": lambda x: x[:, [-1, 0]],
    "apart": lambda x: x[[0, 1], :, [1, 0]],
    "mask": lambda x: x[x.detach() > 0],
    "mask of rows": lambda x: x[mt.tensor([True, False, True, True]).to(x.device)],
    "index_select": lambda x: x.index_select(2, mt.tensor([1, 1], device=x.device)),
    "gather": lambda x: x[0].gather(1, mt.tensor([[1, 0, 0]], device=x.device)),
    "scatter": lambda x: x[0].scatter(0, mt.tensor([[2, 1]], device=x.device), x[1]),
    "scatter_add": lambda x: x[0].scatter_add(0, mt.tensor([[2, 1], [2, 0]], device=x.device), x[1]),
    "index_add": lambda x: x.index_add(0, mt.tensor([1, 1], device=x.device), x[:2]),
    "index_copy": lambda x: x.index_copy(1, mt.tensor([2, 0], device=x.device), x[:, :2]),
    "index_fill": lambda x: x.index_fill(1, mt.tensor([2, 0], device=x.device), 0.5),
    "masked_fill": lambda x: x.masked_fill(x.detach() > 0, 2.0),
    "cat": lambda x: mt.cat([x, x.mT.contiguous().mT, x[:1]]),
    "stack": lambda x: mt.stack([x[0], x[1].mT.reshape(3, 2)], -1),
    "flip and roll": lambda x: x.flip(0, 2).roll(1, 1),
    "triangles": lambda x: x.tril(-1) + x.triu(1),
    "pad": lambda x: F.pad(x, (1, 1, 2, 0), mode="reflect"),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="linear"),
}


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", INDEXED)
def test_indexing(name: str) -> None:
    compare(INDEXED[name], (4, 3, 4 if name == "pad" else 2))


@pytest.mark.on_the_device
@pytest.mark.parametrize("options", [{}, {"padding_idx": 3}, {"scale_grad_by_freq": True}], ids=str)
def test_embedding(options: dict) -> None:
    compare(lambda w: F.embedding(ROWS.to(w.device), w, **options), (4, 3))
    compare(lambda w: F.embedding_bag(ROWS.to(w.device), w, mode="mean", **options), (4, 3))
    if not options:
        offsets = mt.tensor([0, 2, 2])
        compare(lambda w: F.embedding_bag(ROWS.view(-1).to(w.device), w, offsets.to(w.device), mode="max"), (4, 3))


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", [mt.bool, mt.int8, mt.int64, mt.float16, mt.bfloat16, mt.float32], ids=str)
def test_putting(dtype: mt.dtype) -> None:
    """Written, added, and of a place that is named twice the last."""
    found = []
    for device in ("cpu", "cuda"):
        x = mt.zeros(5, 3, device=device).to(dtype)
        index, values = mt.tensor([4, 0, 4], device=device), mt.arange(9, device=device).reshape(3, 3).to(dtype)
        x[index] = values
        x[:, 1][mt.tensor([1, 2], device=device)] = values[1, :2]
        y = x.clone().index_put_((index,), values, accumulate=True)
        x[x == 0] = 1
        found.append([t.cpu().double().tolist() for t in (x, y, x.nonzero())])
    assert found[0] == found[1]


@pytest.mark.on_the_device
def test_what_is_out_of_bounds() -> None:
    x = mt.zeros(2, 3, device="cuda")
    with pytest.raises(IndexError, match="index 3 is out of bounds for dimension 1 with size 3"):
        x[:, mt.tensor([0, 3], device="cuda")]
    with pytest.raises(RuntimeError, match="index -1 is out of bounds for dimension 1"):
        x.gather(1, mt.tensor([[-1]], device="cuda"))
    with pytest.raises(IndexError, match="the index has 2 at place 1, the table has 2 rows"):
        F.embedding(mt.tensor([0, 2], device="cuda"), x)


@pytest.mark.on_the_device
def test_two_devices() -> None:
    """Indices may come from the CPU, nothing else may; and nothing of the device may index what is on the CPU."""
    x = mt.arange(6.0, device="cuda").reshape(2, 3)
    assert x[mt.tensor([1])].tolist() == [[3, 4, 5]]
    there = mt.tensor([[0]], device="cuda")
    uses = [
        lambda: x.cpu()[there],
        lambda: x.cpu()[x > 1],
        lambda: x.cpu().gather(1, there),
        lambda: x.__setitem__(there, mt.zeros(3)),
        lambda: mt.cat([x, x.cpu()]),
        lambda: F.embedding(there, x.cpu()),
        lambda: F.conv1d(x, mt.ones(1, 2, 1)),
        lambda: F.max_unpool1d(x.cpu(), there.expand(2, 3), 1),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match="same device"):
            use()


CONVOLUTIONS = {
    "plain": (lambda x, w, b: F.conv2d(x, w, b), (2, 3, 7, 6), (5, 3, 3, 3), (5,)),
    "stride and padding": (lambda x, w, b: F.conv2d(x, w, b, 2, 1), (2, 3, 7, 6), (5, 3, 3, 3), (5,)),
    "groups and dilation": (
        lambda x, w, b: F.conv2d(x, w, b, (1, 2), (2, 1), (2, 1), 2), (2, 4, 9, 6), (6, 2, 3, 2), (6,)
    ),
    "same": (lambda x, w: F.conv2d(x, w, padding="same"), (1, 2, 5, 5), (2, 2, 4, 4)),
    "depthwise": (lambda x, w: F.conv2d(x, w, groups=4), (2, 4, 5, 5), (4, 1, 3, 3)),
    "many channels": (lambda x, w, b: F.conv1d(x, w, b, 3), (2, 3, 17), (40, 3, 4), (40,)),
    "long sums": (lambda x, w: F.conv1d(x, w), (1, 70, 9), (2, 70, 4)),
    "volumes": (lambda x, w: F.conv3d(x, w, padding=1), (1, 2, 3, 4, 3), (3, 2, 2, 3, 2)),
    "transposed": (
        lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, output_padding=1), (2, 3, 4, 5), (3, 4, 3, 3), (4,)
    ),
    "transposed in groups": (lambda x, w: F.conv_transpose1d(x, w, groups=2, dilation=2), (2, 4, 6), (4, 3, 3)),
    "other strides": (lambda x, w: F.conv2d(x.mT, w[:, :, 1:]), (2, 3, 6, 7), (2, 3, 4, 3)),
}  # fmt: skip


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name: str) -> None:
    compare(*CONVOLUTIONS[name])


POOLS = {
    "max": lambda x: F.max_pool2d(x, 2),
    "max of overlapping windows": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "max with gaps": lambda x: F.max_pool1d(x[0], 3, dilation=2),
    "mean": lambda x: F.avg_pool2d(x, 3, 2, 1),
    "mean without padding": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False, ceil_mode=True),
    "adaptive mean": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive max": lambda x: F.adaptive_max_pool2d(x, (3, 2)),
    "volumes": lambda x: F.avg_pool3d(x, 2, 1),
    "area": lambda x: F.interpolate(x, size=(3, 3), mode="area"),
    "unpooled": lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape[-2:]),
}


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", POOLS)
def test_pooling(name: str) -> None:
    compare(POOLS[name], (2, 3, 6, 7))


@pytest.mark.on_the_device
@pytest.mark.parametrize("dtype", [mt.float32, mt.float16, mt.bfloat16], ids=str)
def test_narrow_types(dtype: mt.dtype) -> None:
    for what, *shapes in (CONVOLUTIONS["plain"], (POOLS["adaptive mean"], (2, 3, 6, 7))):
        compare(what, *shapes, dtype=dtype)


@pytest.mark.on_the_device
def test_maxima_that_are_no_numbers() -> None:
    x = mt.tensor(np.random.default_rng(0).standard_normal((2, 5, 5)))
    x[0, 1, 1], x[1, 0, 0], x[1, 0, 1] = float("nan"), float("-inf"), float("nan")
    here, there = F.max_pool2d(x, 2, 1, return_indices=True), F.max_pool2d(x.cuda(), 2, 1, return_indices=True)
    np.testing.assert_array_equal(there[0].cpu().numpy(), here[0].numpy())
    assert mt.equal(there[1].cpu(), here[1])


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        h = self.norms[0](self.first(x)).relu()
        return (x + self.norms[1](self.second(h))).relu()


@pytest.mark.on_the_device
@pytest.mark.parametrize("name", ["residual", "lenet", "text"])
def test_training_follows_the_cpu(name: str) -> None:
    """Every parameter after three steps."""
    models = {
        "residual": lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, 2), Residual(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
        ),
        "lenet": lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2), nn.ReLU(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(6, 3),
        ),
        "text": lambda: nn.Sequential(nn.Embedding(9, 6), nn.LayerNorm(6), nn.Flatten(), nn.Linear(24, 3)),
    }  # fmt: skip
    rng, found = np.random.default_rng(0), []
    images, words, labels = rng.standard_normal((5, 1, 8, 8)), rng.integers(0, 9, (5, 4)), [0, 1, 2, 0, 1]
    for device in ("cpu", "cuda"):
        mt.manual_seed(0)
        model = models[name]().double().to(device)
        x, target = mt.tensor(words if name == "text" else images, device=device), mt.tensor(labels, device=device)
        optimizer = mt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(x), target).backward()
            optimizer.step()
        found.append({k: v.cpu().numpy() for k, v in model.state_dict().items()})
    for key, here in found[0].items():
        np.testing.assert_allclose(found[1][key], here, rtol=1e-9, atol=1e-9, err_msg=key)


@pytest.mark.on_the_device
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"padding": (1, 2), "dilation": (2, 1)}], ids=str)
@pytest.mark.parametrize("dtype", [mt.float64, mt.float16])
def test_columns(options: dict, dtype: mt.dtype) -> None:
    columns = F.unfold(mt.zeros(2, 3, 5, 6), (2, 3), **options)
    compare(lambda x: F.unfold(x, (2, 3), **options), (2, 3, 5, 6), dtype=dtype)
    compare(lambda x: F.fold(x, (5, 6), (2, 3), **options), tuple(columns.shape), dtype=dtype)
