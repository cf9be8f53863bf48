"""autocast and GradScaler."""

import math
import threading

import pytest

import minitorch
from minitorch import amp, nn
from minitorch.nn import functional as F

BF16, F16, F32, F64 = minitorch.bfloat16, minitorch.float16, minitorch.float32, minitorch.float64
X = minitorch.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("dtype", [BF16, F16])
def test_products_are_made_in_the_regions_type(dtype):
    with minitorch.autocast("cpu", dtype):
        for product in (X @ X.T, minitorch.matmul(X, X.T), X.matmul(X.T), minitorch.mm(X, X.T), X.mm(X.T),
                        F.linear(X, X), minitorch.addmm(minitorch.ones(2), X, X.T), X @ X[0],
                        nn.Linear(3, 2)(X), minitorch.bmm(X[None], X.T[None])):
            assert product.dtype == dtype
        assert (X + X).dtype == F32 and (X.double() @ X.T.double()).dtype == F64
        assert (X.to(dtype) @ X.T).dtype == dtype
        assert (minitorch.ones(2, 2, dtype=minitorch.int64) @ minitorch.ones(2, 2, dtype=minitorch.int64)).sum() == 8
    assert (X @ X.T).dtype == F32 and X.matmul(X.T).dtype == F32 and F.linear(X, X).dtype == F32


def test_losses_and_mixtures():
    logits, target = X.bfloat16(), minitorch.tensor([1, 0])
    with minitorch.autocast("cpu"):
        assert F.cross_entropy(logits, target).dtype == F32
        assert F.mse_loss(logits, X).dtype == F32 and nn.MSELoss()(logits, logits).dtype == F32
        assert minitorch.cat([logits, X]).dtype == F32 and minitorch.stack([logits, logits]).dtype == BF16
        assert logits.prod().dtype == F32


def test_training_in_a_region():
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer, losses = minitorch.optim.Adam(model.parameters(), lr=0.01), []
    x = minitorch.randn(64, 3)
    y = x.prod(1, keepdim=True)
    for _ in range(200):
        with minitorch.autocast("cpu"):
            loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad.dtype == F32 for p in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


def test_regions_nest_and_end():
    assert not minitorch.is_autocast_enabled()
    with minitorch.autocast("cpu", F16):
        assert minitorch.is_autocast_enabled("cpu") and minitorch.get_autocast_dtype("cpu") == F16
        with minitorch.autocast("cpu", enabled=False):
            assert not minitorch.is_autocast_enabled() and (X @ X.T).dtype == F32
            with amp.autocast("cpu", BF16):
                assert (X @ X.T).dtype == BF16
        assert (X @ X.T).dtype == F16
    assert minitorch.get_autocast_dtype("cpu") == BF16 and not minitorch.is_autocast_enabled("cpu")
    with pytest.raises(ZeroDivisionError), minitorch.autocast("cpu"):
        raise ZeroDivisionError
    assert (X @ X.T).dtype == F32 and "__matmul__" not in vars(minitorch.Tensor)

    @minitorch.autocast("cpu")
    def product(depth):
        return X @ X.T if depth == 0 else product(depth - 1)

    assert product(2).dtype == BF16 and not minitorch.is_autocast_enabled()


def test_a_region_belongs_to_its_thread():
    inside, seen = threading.Event(), []

    def other():
        inside.wait(10)
        seen.append((X @ X.T).dtype)

    thread = threading.Thread(target=other)
    thread.start()
    with minitorch.autocast("cpu"):
        inside.set()
        thread.join()
    assert seen == [F32]


def test_parameters_are_converted_once_until_they_change():
    weight, calls = nn.Parameter(minitorch.ones(2, 2)), []
    with minitorch.autocast("cpu"):
        first = X[:, :2] @ weight
        second = X[:, :2] @ weight
        assert first.grad_fn is not second.grad_fn
        with minitorch.no_grad():
            weight.mul_(2)
        assert ((X[:, :2] @ weight) == 2 * first).all()
        (first.float().sum() + second.float().sum()).backward()
    assert weight.grad.dtype == F32 and weight.grad.tolist() == [[6.0, 6.0], [10.0, 10.0]] and not calls


def test_other_devices_and_types():
    with pytest.warns(UserWarning, match="no cuda device"), minitorch.autocast("cuda"):
        assert (X @ X.T).dtype == F32
    with pytest.warns(UserWarning, match="not bfloat16"), minitorch.autocast("cpu", F64):
        assert (X @ X.T).dtype == F32
    with pytest.warns(UserWarning, match="no cuda device"), minitorch.cuda.amp.autocast():
        pass
    with pytest.raises(RuntimeError, match="unsupported autocast device_type 'tpu'"):
        minitorch.autocast("tpu")
    with pytest.raises(ValueError, match="device_type"):
        minitorch.autocast(True)


def test_custom_functions_remember_the_region():
    seen = []

    class Context:
        pass

    @amp.custom_fwd(device_type="cpu", cast_inputs=F32)
    def forward(ctx, x):
        seen.append((x.dtype, minitorch.is_autocast_enabled()))

    @amp.custom_fwd(device_type="cpu")
    def plain(ctx, x):
        seen.append((x.dtype, minitorch.is_autocast_enabled()))

    @amp.custom_bwd(device_type="cpu")
    def backward(ctx):
        seen.append(minitorch.is_autocast_enabled())

    first, second = Context(), Context()
    with minitorch.autocast("cpu"):
        forward(first, X.half())
        plain(second, X.half())
    backward(first)
    backward(second)
    assert seen == [(F32, False), (F16, True), False, True]


def scaled(**options):
    p = nn.Parameter(minitorch.tensor([1.0]))
    return p, minitorch.optim.SGD([p], lr=0.25), amp.GradScaler("cpu", **options)


def test_scaler_leaves_out_bad_steps():
    p, sgd, scaler = scaled(init_scale=8.0, growth_interval=2)
    history = []
    for factor in (1.0, math.inf, 1.0, 1.0, math.nan):
        sgd.zero_grad()
        scaler.scale(p.sum() * factor).backward()
        scaler.step(sgd)
        scaler.update()
        history.append((p.item(), scaler.get_scale()))
    assert history == [(0.75, 8.0), (0.75, 4.0), (0.5, 4.0), (0.25, 8.0), (0.25, 4.0)]


def test_scaler_unscales_once():
    p, sgd, scaler = scaled(init_scale=8.0)
    with pytest.raises(AssertionError, match="_scale is None"):
        scaler.step(sgd)
    assert [t.item() for t in scaler.scale([p.sum(), (p * 2).sum()])] == [8, 16]
    scaler.scale(p.sum()).backward()
    scaler.unscale_(sgd)
    assert p.grad.item() == 1
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scaler.unscale_(sgd)
    scaler.step(sgd)
    assert p.item() == 0.75
    with pytest.raises(RuntimeError, match=r"step\(\) has already"):
        scaler.step(sgd)
    with pytest.raises(RuntimeError, match="after step"):
        scaler.unscale_(sgd)
    scaler.update(32.0)
    assert scaler.get_scale() == 32
    with pytest.raises(RuntimeError, match="Closure"):
        scaler.step(sgd, closure=lambda: 0)
    with pytest.raises(ValueError, match="Tensor or an iterable"):
        scaler.scale(3)


def test_scaler_state():
    p, sgd, scaler = scaled(init_scale=8.0, growth_interval=5)
    scaler.scale(p.sum()).backward()
    scaler.step(sgd)
    scaler.update()
    other = amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict() and other.get_growth_interval() == 5
    with pytest.raises(RuntimeError, match="empty"):
        other.load_state_dict({})
    with pytest.warns(UserWarning, match="no cuda device"):
        idle = minitorch.cuda.amp.GradScaler()
    assert idle.state_dict() == {} and idle.scale(p) is p and idle.get_scale() == 1 and not idle.is_enabled()
    idle.step(sgd)
    idle.update()


def test_recurrent_layers():
    for module in (nn.LSTM(3, 4, batch_first=True), nn.GRU(3, 4, batch_first=True), nn.RNN(3, 4, batch_first=True)):
        with minitorch.autocast("cpu"):
            out, _ = module(X[None])
        out.float().sum().backward()
        assert out.dtype == BF16 and all(p.grad.dtype == F32 for p in module.parameters())
