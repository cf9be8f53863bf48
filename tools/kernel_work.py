"""What each file of kernels is for, on small ragged shapes: what the layers of checks and the mutants are tried on.

Numbers are whole where that is possible, so that an order of additions does not matter.  The same work runs on the
CPU, which says what is right, but for random numbers, which the devices draw differently.
"""

# ruff: noqa: B023 (a lambda of a loop is called in it)

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import minitorch as mt
import minitorch.nn.functional as F
from minitorch.cuda.runtime import KernelError

NAN, INF = float("nan"), float("inf")


def _whole(*shape: int, dtype: Any = None, seed: int = 0, low: int = -4) -> Any:
    values = np.random.default_rng(seed).integers(low, 5, shape).astype(np.float32)
    tensor = mt.tensor(values)
    return tensor if dtype is None else tensor.to(dtype)


def _with_gradients(function: Callable[..., Any], *inputs: Any) -> Iterator[Any]:
    """The result of a function, and the gradient of each input."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    y = function(*leaves)
    yield y
    y.backward(_whole(*y.shape, seed=9).to(y.dtype))
    yield from (leaf.grad for leaf in leaves)


def _refused(use: Callable[[], Any]) -> Any:
    """The numbers in the message of the error that something must raise."""
    try:
        use()
    except KernelError:
        raise
    except (IndexError, RuntimeError) as error:
        return mt.tensor([len(str(error)), *(int(word) for word in str(error).split() if word.isdigit())])
    return mt.zeros(0)


def _copies() -> Iterator[Any]:
    x = _whole(5, 7, 3)
    yield x.permute(2, 0, 1).contiguous()
    yield x[1:4, ::2].contiguous()
    for dtype in (mt.bool, mt.uint8, mt.int16, mt.int64, mt.float16, mt.bfloat16, mt.float64):
        y = x.abs().to(dtype)
        yield y
        yield y.permute(1, 2, 0).to(mt.float32)
        yield y.expand(2, 5, 7, 3).contiguous()
    yield mt.tensor([0.1, -1e30, 1e-40, NAN, INF, -INF, 1.00390625, 1.01171875, 70000.0]).to(mt.bfloat16)
    yield mt.tensor([0.1, -1e30, 1e-7, NAN, INF, -INF, 1.00048828125, 65519.0, 65520.0]).to(mt.float16)
    yield mt.full((3, 300), 2.5)
    z = mt.zeros(4, 9)
    z[:, 2:5] = 7
    yield z
    yield _whole(2, 3, 1, 2, 3, 1, 2, 2).permute(7, 3, 5, 1, 0, 2, 4, 6).contiguous()  # eight dimensions


def _products() -> Iterator[Any]:
    for m, n, k in ((5, 3, 4), (65, 66, 17), (64, 64, 16), (1, 70, 33)):
        a, b = _whole(m, k, seed=1), _whole(k, n, seed=2)
        yield a @ b
        yield _whole(k, m, seed=3).mT @ _whole(n, k, seed=4).mT
        yield mt.addmm(_whole(n, seed=5), a, b, alpha=2)
    yield _whole(2, 3, 5, 6) @ _whole(3, 6, 4)
    yield mt.baddbmm(_whole(2, 1, 4), _whole(2, 5, 6), _whole(2, 6, 4))
    yield _whole(7, 9, dtype=mt.float64) @ _whole(9, 8, dtype=mt.float64)
    yield _whole(7, 9, dtype=mt.float16) @ _whole(9, 8, dtype=mt.float16)
    yield _whole(7, 9, dtype=mt.bfloat16) @ _whole(9, 8, dtype=mt.bfloat16)


def _random() -> Iterator[Any]:
    mt.manual_seed(3)
    for n in (1, 255, 1025):
        yield mt.rand(n)
        yield mt.randn(n)
        yield mt.randn(n, dtype=mt.float64)
        yield mt.randint(-5, 9, (n,))
        for dtype in (mt.float32, mt.float64):
            yield mt.empty(n, dtype=dtype).uniform_(-1, 3)
            yield mt.empty(n, dtype=dtype).normal_(2, 3)
    for n in (77, 600_001):  # more than two for each thread of the largest grid
        yield mt.randint(0, 1 << 40, (n,))
        yield mt.rand(n, dtype=mt.float64)
        yield mt.rand(n)
        yield mt.randint(9, (n,))
    yield mt.empty(3, 33).bernoulli_(0.4)
    yield mt.empty(3, 33, dtype=mt.float64).bernoulli_(0.4)
    mt.manual_seed(3)
    drawn = mt.rand(99)
    mt.manual_seed(3)
    yield mt.empty(99).bernoulli_(drawn[50].item())  # one number is the probability itself
    yield (mt.empty(99).uniform_(1, 1 + 2**-22) - 1) * 2**22  # two numbers, and a bound that rounding reaches


def _reductions() -> Iterator[Any]:
    for shape in ((5, 7, 3), (3, 700), (1, 9000), (2, 40, 3), (600, 33)):
        x = _whole(*shape)
        for dim in (0, -1, None):
            yield x.sum(dim)
            yield x.amax(dim) if dim is not None else x.max()
            yield x.var(dim, correction=0)
        yield x.argmin(-1)
        yield x.argmax(-1)
        yield x.min(-1).values
        yield x.to(mt.int64).sum(0)
        yield x.logsumexp(0)
    yield _whole(3, 40, 50).sum((0, 2))
    yield _whole(3, 40, 50).mT.mean(1)
    for n in (3, 40):
        x = _whole(4, n)
        yield from ((x > 3).any(1), (x > -4).all(1), x.std(1), *(x.norm(p, 1) for p in (1, 2, 3, INF)))
        yield x[:, :1].expand(4, n).sum(1)
        yield x[:, :1].to(mt.int64).expand(4, n).sum(1)
        yield x.to(mt.int64).amax(1)
        yield x.to(mt.int64).argmin(1)
        yield _whole(4, n, dtype=mt.float64, low=1).prod(1)
        yield _whole(4, n, dtype=mt.int64, low=1).prod(1)
        for special in ([NAN, 1.0], [1.0, NAN, NAN], [-INF], [INF, 1.0], [INF, -INF], [5.0, 5.0]):
            x = _whole(4, n)
            x[1, : len(special)] = mt.tensor(special)
            yield from (x.amax(1), x.amin(1), x.argmax(1), x.argmin(1), x.logsumexp(1), x.sum(1))
            yield from (x.flip(1).argmax(1), x.flip(1).argmin(1), x.flip(1).logsumexp(1))
    yield mt.full((2, 40), -INF).logsumexp(1)


def _attention() -> Iterator[Any]:
    attend = F.scaled_dot_product_attention
    for queries, keys, width, causal in ((5, 7, 3, False), (67, 66, 17, True), (1, 65, 66, False), (66, 3, 1, True),
                                         (3, 5, 130, False)):
        q, k, v = _whole(2, 2, queries, width, seed=1), _whole(2, 2, keys, width, seed=2), _whole(2, 2, keys, width)
        yield from _with_gradients(lambda q, k, v: attend(q, k, v, is_causal=causal, scale=0.25), q, k, v)
    q, k, v = _whole(1, 4, 9, 5, seed=1), _whole(1, 2, 33, 5, seed=2), _whole(1, 2, 33, 5)
    seen = _whole(1, 9, 33, seed=3) > -2
    seen[0, 4] = False
    added = mt.zeros(9, 33).masked_fill(~seen[0], -INF) + _whole(9, 33, seed=4)
    for dtype in (mt.float64, mt.float16, mt.bfloat16):
        yield from _with_gradients(lambda q, k, v: attend(q, k, v, enable_gqa=True), *(x.to(dtype) for x in (q, k, v)))
    for mask in (seen, added):
        yield from _with_gradients(lambda q, k, v: attend(q, k, v, mask.to(q.device), enable_gqa=True), q, k, v)
    q[0, 1, 3, 0] = NAN
    yield attend(q, k, v, seen, enable_gqa=True)


def _softmax() -> Iterator[Any]:
    for shape in ((3, 5), (2, 700), (4, 33, 2)):
        x = _whole(*shape)
        yield from _with_gradients(lambda x: x.softmax(1), x)
        yield from _with_gradients(lambda x: x.log_softmax(1), x)
    for special in ([NAN], [-INF] * 40, [INF], [-INF, 1.0]):
        x = _whole(2, 40)
        x[1, : len(special)] = mt.tensor(special)
        yield from (x.softmax(1), x.log_softmax(1))
    for n in (5, 300):
        x, target, weight = _whole(6, n), mt.tensor([0, 4, 2, 1, 3, 4]), _whole(n, seed=1).abs()
        for options in ({}, {"label_smoothing": 0.25}, {"ignore_index": 4}, {"weight": weight},
                        {"weight": weight, "label_smoothing": 0.5, "ignore_index": 1}):  # fmt: skip
            for reduction in ("mean", "none"):
                yield from _with_gradients(lambda x: F.cross_entropy(x, target, reduction=reduction, **options), x)
        for reduction in ("mean", "none"):
            yield from _with_gradients(lambda x: F.nll_loss(x, target, weight, ignore_index=4, reduction=reduction), x)
    x = _whole(3, 4, dtype=mt.float64)
    yield from _with_gradients(lambda x: F.cross_entropy(x, mt.tensor([3, 0, 3])), x)


def _norms() -> Iterator[Any]:
    for shape in ((4, 6), (2, 6, 4, 5), (1, 3, 40), (70, 6), (40, 33), (5, 9, 35), (300, 9)):
        x, w, b = _whole(*shape), _whole(shape[1], seed=1), _whole(shape[1], seed=2)
        yield from _with_gradients(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, w, b)
        moments = _whole(shape[1]), _whole(shape[1]).abs() + 1
        yield from _with_gradients(lambda x, w, b: F.batch_norm(x, *moments, w, b), x, w, b)
        if shape[1] % 3 == 0 and x.numel() > 3 * shape[0]:
            yield from _with_gradients(lambda x, w, b: F.group_norm(x, 3, w, b), x, w, b)
        w, b = _whole(*shape[1:], seed=3), _whole(*shape[1:], seed=4)
        yield from _with_gradients(lambda x, w, b: F.layer_norm(x, shape[1:], w, b), x, w, b)
        yield from _with_gradients(lambda x, w: F.rms_norm(x, shape[1:], w), x, w)
        yield from _with_gradients(lambda x: F.layer_norm(x, shape[-1:]), x)
    for shape, groups in (((701, 5), 1), ((65, 4, 33), 2), ((5, 4, 60), 2), ((6, 9, 60), 3)):  # portions of the samples
        x, w, b = _whole(*shape), _whole(shape[1], seed=1), _whole(shape[1], seed=2)
        yield from _with_gradients(lambda x, w, b: F.group_norm(x, groups, w, b), x, w, b)
        yield from _with_gradients(lambda x, b: F.group_norm(x, groups, None, b), x, b)
    for dtype in (mt.float16, mt.float64):
        x = _whole(6, 5, 4, dtype=dtype)
        mean, var = mt.zeros(5, dtype=dtype), mt.ones(10, dtype=dtype)[::2]
        yield F.batch_norm(x, mean, var, training=True)
        yield from (mean, var)


def _scans() -> Iterator[Any]:
    for shape in ((5,), (300,), (3, 520), (40, 35), (2, 300, 3)):
        x = _whole(*shape)
        for dim in range(len(shape)):
            yield from _with_gradients(lambda x: x.cumsum(dim), x)
            for name in ("cummax", "cummin"):
                yield from getattr(x, name)(dim)
            y = x / 4
            yield from _with_gradients(lambda y: y.logcumsumexp(dim), y)
            yield x.clamp(-1, 1).cumprod(dim)
            if shape[dim] < 50:
                yield from _with_gradients(lambda y: y.cumprod(dim), y)
    for values in ([1, NAN, 3, NAN, 2], [-INF, -INF, 1], [INF, 1, -INF], [1000, 1000, -1000]):
        for times in (1, 70):
            x = mt.tensor([float(v) for v in values] * times)
            yield from (*x.cummax(0), *x.cummin(0), x.logcumsumexp(0))


def _along() -> Iterator[Any]:
    for dtype in (mt.float32, mt.float64, mt.float16, mt.bfloat16):
        for shape in ((3, 5, 2), (300, 2)):
            x = _whole(*shape, dtype=dtype)
            for dim in range(len(shape)):
                yield from _with_gradients(lambda x: x.max(dim).values, x)
        x[0] = 9  # a place that all name
        yield from _with_gradients(lambda x: x.cummax(0).values, x)
    x = _whole(2, 3, 6, 7, dtype=mt.float64).requires_grad_()
    (g,) = mt.autograd.grad((F.max_pool2d(x, 3, 2) ** 3).sum(), x, create_graph=True)
    yield from mt.autograd.grad((g * g).sum(), x)


def _additions() -> Iterator[Any]:
    many = mt.tensor(np.random.default_rng(0).integers(0, 4, 700))
    for dtype in (mt.float32, mt.float64, mt.float16, mt.bfloat16, mt.int8, mt.int16, mt.int32, mt.int64):
        yield mt.zeros(4, dtype=dtype).index_put((many,), _whole(700, dtype=dtype), accumulate=True)


def _indexing() -> Iterator[Any]:
    rows = mt.tensor([[0, 2, 1], [3, -1, 0]])
    for dtype in (mt.float32, mt.float64, mt.float16, mt.bfloat16, mt.int8, mt.int16, mt.int32, mt.int64):
        x = _whole(4, 3, 2, dtype=dtype)
        yield x[rows]
        y = x.clone()
        y[rows] = _whole(2, 3, 3, 2, dtype=dtype, seed=1)
        yield y
        yield from (x.tril(-1), x.triu(1), x.tril(1), x.triu())
    x, columns = _whole(4, 3, 300), mt.tensor([1, 0, 1])
    yield from _with_gradients(lambda x: x[:, columns], x)
    yield from _with_gradients(lambda x: F.embedding(rows.abs(), x), _whole(4, 33))
    yield x[:, :, 0].scatter(1, mt.tensor([[1, 2], [2, 0]]), _whole(2, 2))
    yield x.nonzero()
    yield x[x > 1]
    y = x.clone()
    y[y < 0] = 7.0
    yield y
    yield from _additions()
    many, y = mt.tensor(np.random.default_rng(0).integers(0, 4, 700)), mt.zeros(4)
    y[many] = mt.arange(700.0)
    yield y
    for wrong in ([4, 0, 4, 5], [0, 1, -5, -6]):
        yield _refused(lambda: x[mt.tensor(wrong)])
        yield _refused(lambda: x[mt.tensor(wrong * 100)])
    for wrong in ([[0, 3, 4]], [[0, -1, -2]]):
        yield _refused(lambda: x[:, :, 0].gather(1, mt.tensor(wrong)))


    for reduce in ("amax", "amin", "prod", "mean", "sum"):
        for dtype in (mt.float32, mt.float64, mt.int64):
            source = _whole(90, dtype=dtype, low=1).clamp(max=2) if reduce == "prod" else _whole(90, dtype=dtype)
            yield mt.zeros(4, dtype=dtype).scatter_reduce(0, many[:90], source, reduce, include_self=False)
    yield mt.zeros(4).scatter_reduce(0, mt.tensor([0, 0, 1, 1]), mt.tensor([NAN, 1.0, 1.0, NAN]), "amax")
    yield mt.zeros(4).scatter_reduce(0, mt.tensor([0, 0, 1, 1]), mt.tensor([NAN, 1.0, 1.0, NAN]), "amin")


def _sorts() -> Iterator[Any]:
    rng = np.random.default_rng(0)
    for shape in ((5,), (3, 7), (2, 1025), (1, 3000)):
        x = mt.tensor(rng.integers(-40, 40, shape).astype(np.float32))
        for descending in (False, True):
            yield from x.sort(-1, descending, stable=True)
        yield from x.to(mt.int64).sort(0, stable=True)
        yield from (x.double().topk(3, -1).values, x.kthvalue(2).values, x.median(-1).values)  # places may differ
        line = x.reshape(-1).sort().values
        yield mt.searchsorted(line, x)
        yield mt.searchsorted(line, x, right=True)
    x = mt.tensor([2.0, NAN, -INF, INF, NAN, 2.0, 0.0])
    yield from (*x.sort(), *x.sort(descending=True, stable=True))
    line, order = mt.tensor([[3.0, 1.0, 2.0]]).sort()
    yield mt.searchsorted(mt.tensor([[3.0, 1.0, 2.0]]), mt.tensor([[0.0, 1.0, 2.5, 3.0, 4.0]]), sorter=order)


def _convolutions() -> Iterator[Any]:
    for options, *shapes in (
        ({}, (2, 3, 7, 6), (5, 3, 3, 3), (5,)),
        ({"stride": 2, "padding": 1}, (2, 3, 7, 6), (5, 3, 3, 3), (5,)),
        ({"stride": (1, 2), "padding": (2, 1), "dilation": (2, 1), "groups": 2}, (2, 4, 9, 6), (6, 2, 3, 2), (6,)),
        ({"groups": 4}, (2, 4, 5, 5), (4, 1, 3, 3)),
        ({"stride": 3}, (2, 3, 17), (40, 3, 4), (40,)),
        ({}, (1, 70, 9), (2, 70, 4)),
        ({"padding": 1}, (1, 2, 3, 4, 3), (3, 2, 2, 3, 2)),
        ({}, (1, 32, 8), (32, 32, 1)),  # whole tiles
    ):
        convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(shapes[0])]
        tensors = [_whole(*shape, seed=k) for k, shape in enumerate(shapes)]
        yield from _with_gradients(lambda *t: convolve(*t, **options), *tensors)
    for dtype in (mt.float16, mt.bfloat16, mt.float64):
        yield from _with_gradients(F.conv1d, _whole(2, 3, 9, dtype=dtype), _whole(2, 3, 4, dtype=dtype))


def _pooling() -> Iterator[Any]:
    x = _whole(2, 3, 6, 7)
    for pool in (
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda x: F.max_pool1d(x[0], 3, dilation=2),
        lambda x: F.avg_pool2d(x, 2, 1, 1),
        lambda x: F.avg_pool2d(x, (2, 3), 2, 1, count_include_pad=False, ceil_mode=True),
        lambda x: F.avg_pool2d(x, 2, divisor_override=3),
        lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
        lambda x: F.avg_pool3d(x, 2, 1),
    ):
        yield from _with_gradients(pool, x)
    samples = mt.tensor(np.random.default_rng(0).uniform(size=(2, 3, 2)).astype(np.float32))
    yield from F.fractional_max_pool2d(x, 2, (3, 3), return_indices=True, _random_samples=samples)
    yield from F.max_pool2d(x, 3, 1, return_indices=True)
    y = x.clone()
    y[0, 1, 1, 1], y[1, 0, 0, 0], y[1, 0, 0, 1], y[1, 0, 0, 2] = NAN, -INF, NAN, NAN
    yield from F.max_pool2d(y, 2, 1, return_indices=True)
    yield F.max_pool2d(x.double(), 2)
    yield from _with_gradients(lambda x: F.avg_pool2d(x, 3, 2), x.double())


def _pointwise() -> Iterator[Any]:
    x, y = _whole(5, 1, 13), _whole(7, 13, seed=1)
    yield x + y
    yield (x * 2).relu()
    yield x.to(mt.int64) * 3 - 1
    yield mt.where(x > 0, x, 0.5)
    yield from _with_gradients(lambda z: z * z, _whole(131))
    for n in (3, 4, 300):
        yield _whole(n) + _whole(n, seed=1)


def _turns() -> Iterator[Any]:
    rng = np.random.default_rng(0)
    x = mt.tensor(np.ldexp(rng.uniform(1, 2, 200), rng.integers(-3, 1024, 200)) * rng.choice([-1, 1], 200))
    x = mt.cat([x, mt.tensor([np.ldexp(6381956970095103.0, 797), 2.0**20, -(2.0**21), 1.79e308], dtype=mt.float64)])
    yield from (x.sin(), x.cos(), x.tan())


def _optimizers() -> Iterator[Any]:
    for make in (lambda p: mt.optim.SGD(p, 0.5, 0.5), lambda p: mt.optim.Adam(p, 0.5, amsgrad=True)):
        params = [_whole(n, seed=n).requires_grad_() for n in (3, 2048, 5000, 1, 2049, 300)]
        optimizer = make(params)
        for step in range(3):
            for p in params:
                p.grad = _whole(p.numel(), seed=step)
            optimizer.step()
        yield from params


def _common() -> Iterator[Any]:
    for work in (_copies, _pointwise, _additions):
        yield from work()


WORK: dict[str, Callable[[], Iterator[Any]]] = {
    "along.cu": _along,
    "attention.cu": _attention,
    "common.cuh": _common,
    "conv.cu": _convolutions,
    "copy.cu": _copies,
    "farturn.cuh": _turns,
    "index.cu": _indexing,
    "matmul.cu": _products,
    "norm.cu": _norms,
    "optim.cu": _optimizers,
    "pooling.cu": _pooling,
    "random.cu": _random,
    "reduce.cu": _reductions,
    "scan.cu": _scans,
    "softmax.cu": _softmax,
    "sort.cu": _sorts,
}
"""By kernel file: tensors that its kernels make."""

TOLERANCES = {"float64": 1e-10, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


def results(file: str, device: str) -> Iterator[tuple[str, np.ndarray]]:
    """What a file's work makes on a device, each with its number and dtype."""
    with mt.device(device):
        for number, tensor in enumerate(WORK[file]()):
            dtype, values = tensor.dtype.name, tensor.detach().cpu()
            narrow = values.dtype in (mt.bfloat16, mt.float16)
            yield f"{number} {dtype}", (values.float() if narrow else values).numpy()


def differs(file: str, expected: dict[str, np.ndarray]) -> str | None:
    """The first result on the device that is not as expected, within what its dtype allows."""
    number = 0
    for name, got in results(file, "cuda"):
        want, tolerance = expected.get(name), TOLERANCES.get(name.split()[1], 0.0)
        if want is None or got.shape != want.shape:
            return name
        finite = np.abs(want[np.isfinite(want)])
        if not np.allclose(got, want, tolerance, tolerance * (1 + finite.max(initial=0)), equal_nan=True):
            return name
        number += 1
    return None if number == len(expected) else "their number"


def launched(file: str) -> set[str]:
    """The kernels, without the arguments of templates, that a file's work launches on the device."""
    from minitorch.cuda.runtime import active

    runtime, names = active(), set()
    launch = runtime.launch

    def noted(function: Any, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], *rest: Any) -> None:
        names.add(function.name.partition("<")[0])
        launch(function, grid, block, args, *rest)

    runtime.launch = noted  # type: ignore[method-assign]
    try:
        for _ in results(file, "cuda"):
            pass
    finally:
        runtime.launch = launch  # type: ignore[method-assign]
    return names
