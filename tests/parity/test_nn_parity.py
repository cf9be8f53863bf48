"""The same script in PyTorch and here, from the same seed, gives the same numbers."""

import copy
import math

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")

BOTH = (minitorch, torch)


def to_torch(value):
    """Our tensors as PyTorch's, in nested containers too."""
    if isinstance(value, minitorch.Tensor):
        return torch.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: to_torch(entry) for key, entry in value.items()}
    return type(value)(map(to_torch, value)) if isinstance(value, list) else value


def from_torch(value):
    if isinstance(value, torch.Tensor):
        return minitorch.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: from_torch(entry) for key, entry in value.items()}
    return type(value)(map(from_torch, value)) if isinstance(value, list) else value


def arrays(tensors):
    return [t.detach().numpy() for t in tensors]


def assert_equal(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def mlp(T):
    nn = T.nn
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 4))


@pytest.mark.parametrize("seed", [0, 1, 2**40 + 3])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 16), (784, 512), (0, 3)])
@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_linear_starts_the_same(seed, shape):
    made = []
    for T in BOTH:
        T.manual_seed(seed)
        layers = [T.nn.Linear(*shape), T.nn.Linear(*shape, bias=False), T.nn.Linear(5, 2, dtype=T.float64)]
        made.append([p for layer in layers for p in layer.parameters()] + [T.rand(3)])
    assert_equal(*made)


INITIALISERS = [
    ("uniform_", (-2.0, 3.0)), ("normal_", (1.0, 0.5)), ("xavier_uniform_", (1.5,)), ("xavier_normal_", ()),
    ("kaiming_uniform_", (0.2, "fan_out")), ("kaiming_normal_", (0, "fan_in", "relu")), ("sparse_", (0.3,)),
    ("trunc_normal_", ()), ("trunc_normal_", (0.0, 1.0, 0.5, 0.7)), ("trunc_normal_", (0.0, 1.0, 2.0, 4.0)),
    ("eye_", ()), ("ones_", ()), ("constant_", (2.5,)),
]


@pytest.mark.parametrize(("name", "arguments"), INITIALISERS)
@pytest.mark.parametrize("shape", [(3, 4), (40, 30)])
def test_initialisers(name, arguments, shape):
    made = []
    for T in BOTH:
        T.manual_seed(7)
        made.append([getattr(T.nn.init, name)(T.empty(*shape), *arguments), T.rand(2)])
    np.testing.assert_allclose(*(m[0].numpy() for m in made), rtol=1e-5, atol=1e-7)
    assert_equal([made[0][1]], [made[1][1]])


def test_state_dicts_are_exchanged():
    ours, theirs = mlp(minitorch), mlp(torch)
    theirs.load_state_dict(to_torch(ours.state_dict()))
    assert_equal(ours.parameters(), theirs.parameters())
    theirs = mlp(torch)
    ours.load_state_dict(from_torch(theirs.state_dict()))
    assert_equal(ours.parameters(), theirs.parameters())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata


def modules(nn):
    return [
        mlp(minitorch if nn is minitorch.nn else torch), nn.ModuleList([nn.ReLU(), nn.Linear(1, 2), nn.Linear(1, 2)]),
        nn.ModuleDict({"a": nn.Sequential(nn.GELU("tanh"), nn.Softmax(1)), "b": nn.ModuleList()}),
        nn.Sequential(nn.LeakyReLU(0.1, True), nn.ELU(), nn.Softplus(), nn.Hardtanh(), nn.PReLU(), nn.LogSoftmax(0)),
        nn.CrossEntropyLoss(), nn.Flatten(), nn.Unflatten(1, (2, 3)), nn.Identity(), nn.Threshold(0.1, 2.0),
    ]


def test_reprs():
    for ours, theirs in zip(modules(minitorch.nn), modules(torch.nn), strict=True):
        assert repr(ours) == repr(theirs)
    params = [[T.nn.Parameter(T.ones(2, 3)), T.nn.Parameter(T.zeros(1))] for T in BOTH]
    assert repr(params[0][0]) == repr(params[1][0])
    for make in (lambda nn, p: nn.ParameterList([*p, 3]), lambda nn, p: nn.ParameterDict({"a": p[0], "b": 3})):
        assert repr(make(minitorch.nn, params[0])) == repr(make(torch.nn, params[1]))
    for make in (lambda o, p: o.SGD(p, lr=0.1), lambda o, p: o.Adam(p), lambda o, p: o.AdamW([{"params": p[:1]}, {
            "params": p[1:], "lr": 1.0}])):
        assert repr(make(minitorch.optim, params[0])) == repr(make(torch.optim, params[1]))


OPTIMIZERS = [
    ("SGD", {"lr": 0.05}), ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.2, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.01}), ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "betas": (0.3, 0.9), "maximize": True, "eps": 1e-4}),
    ("AdamW", {"lr": 0.01}), ("AdamW", {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True}),
]
SHAPES = [(5, 3), (7,), (), (64, 64)]


def quadratic(T, name, options, dtype, steps=50, state=None):
    """Parameters after some steps down a bowl, with a gradient that changes from step to step."""
    rng = np.random.default_rng(0)
    params = [T.nn.Parameter(T.tensor(rng.standard_normal(s), dtype=dtype)) for s in SHAPES]
    optimizer = getattr(T.optim, name)(params, **options)
    if state is not None:
        optimizer.load_state_dict(state)
    for _ in range(steps):
        for p in params:
            target = T.tensor(rng.standard_normal(tuple(p.shape)), dtype=dtype)
            p.grad = p.detach() * 0.5 - target
        optimizer.step()
    return params, optimizer


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizers_take_the_same_path(name, options, dtype):
    (ours, mine), (theirs, other) = (quadratic(T, name, options, getattr(T, dtype)) for T in BOTH)
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    for a, b in zip(arrays(ours), arrays(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))
    saved, expected = mine.state_dict(), other.state_dict()
    assert saved["param_groups"] == expected["param_groups"]
    assert saved["state"].keys() == expected["state"].keys()
    for key, entries in expected["state"].items():
        assert list(saved["state"][key]) == list(entries)
        for entry, value in entries.items():
            own = saved["state"][key][entry]
            assert str(own.dtype) == str(value.dtype) and tuple(own.shape) == tuple(value.shape)
            np.testing.assert_allclose(own.numpy(), value.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), [OPTIMIZERS[1], OPTIMIZERS[5], OPTIMIZERS[8]])
def test_optimizers_continue_each_others_work(name, options):
    _, mine = quadratic(minitorch, name, options, minitorch.float32, 5)
    _, other = quadratic(torch, name, options, torch.float32, 5)
    ours, _ = quadratic(minitorch, name, options, minitorch.float32, 5, from_torch(copy.deepcopy(other.state_dict())))
    theirs, _ = quadratic(torch, name, options, torch.float32, 5, to_torch(mine.state_dict()))
    for a, b in zip(arrays(ours), arrays(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6)


SCHEDULES = [
    ("StepLR", {"step_size": 3}), ("MultiStepLR", {"milestones": [2, 5, 5, 9]}), ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}), ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (epoch + 1)}),
    ("ReduceLROnPlateau", {"patience": 1, "cooldown": 2, "factor": 0.3, "threshold": 0.01}),
]


@pytest.mark.parametrize(("name", "options"), SCHEDULES)
def test_schedules(name, options):
    seen = []
    for T in BOTH:
        params = [T.nn.Parameter(T.zeros(1)) for _ in range(2)]
        optimizer = T.optim.SGD([{"params": params[0], "lr": 0.5}, {"params": params[1]}], lr=0.1)
        schedule = getattr(T.optim.lr_scheduler, name)(optimizer, **options)
        rates = []
        for epoch in range(20):
            optimizer.step()
            schedule.step(*[math.cos(epoch / 3) + 1] * (name == "ReduceLROnPlateau"))
            rates.append([group["lr"] for group in optimizer.param_groups])
        seen.append((rates, schedule.get_last_lr(), schedule.last_epoch))
    assert seen[0] == seen[1]


LOADERS = [
    {"shuffle": True}, {}, {"shuffle": True, "drop_last": True}, {"shuffle": True, "generator": 3},
    {"sampler": lambda D, data, g: D.RandomSampler(data, replacement=True, num_samples=70)},
    {"sampler": lambda D, data, g: D.RandomSampler(data, num_samples=70)},
    {"sampler": lambda D, data, g: D.RandomSampler(data, num_samples=20, generator=g), "generator": 3},
    {"sampler": lambda D, data, g: D.SubsetRandomSampler(range(5, 29))},
    {"sampler": lambda D, data, g: D.WeightedRandomSampler([1.0, 2.0, 3.0] * 10, 25)},
    {"split": [0.3, 0.7], "shuffle": True},
    {"batch_size": None, "shuffle": True},
]


@pytest.mark.parametrize("options", LOADERS)
def test_loaders_give_the_same_batches(options):
    seen = []
    for T in BOTH:
        D = T.utils.data
        T.manual_seed(11)
        data = D.TensorDataset(T.arange(60.0).reshape(30, 2), T.arange(30))
        given = {"batch_size": 4, **options}
        if "generator" in given:
            given["generator"] = T.Generator().manual_seed(given["generator"])
        if "split" in given:
            data = D.random_split(data, given.pop("split"))[1]
        if "sampler" in given:
            given["sampler"] = given["sampler"](D, data, given.get("generator"))
        loader, numbers = D.DataLoader(data, **given), []
        for _ in range(3):
            for x, y in loader:
                numbers += [x.tolist(), y.tolist(), T.rand(1).item()]
            if given.get("generator"):
                numbers.append(T.rand(1, generator=given["generator"]).item())
        seen.append(numbers)
    assert seen[0] == seen[1]


def train(T, name, options, steps=100):
    """Losses of a network with dropout trained on shuffled batches."""
    rng = np.random.default_rng(3)
    x = T.tensor(rng.standard_normal((200, 6)).astype("float32"))
    y = T.tensor(rng.integers(0, 4, 200))
    T.manual_seed(5)
    model = mlp(T)
    loader = T.utils.data.DataLoader(T.utils.data.TensorDataset(x, y), batch_size=20, shuffle=True)
    optimizer = getattr(T.optim, name)(model.parameters(), **options)
    schedule = T.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_of, losses = T.nn.CrossEntropyLoss(label_smoothing=0.1), []
    while len(losses) < steps:
        for inputs, labels in loader:
            loss = loss_of(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            T.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize(("name", "options"), [("SGD", {"lr": 0.1, "momentum": 0.9}), ("AdamW", {"lr": 0.01})])
def test_training_gives_the_same_loss_curve(name, options):
    ours, theirs = (train(T, name, options) for T in BOTH)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert ours[-1] < ours[0]


FUNCTIONS = [
    ("relu", {}), ("relu6", {}), ("leaky_relu", {"negative_slope": 0.2}), ("elu", {"alpha": 0.7}), ("selu", {}),
    ("celu", {"alpha": 1.5}), ("gelu", {}), ("gelu", {"approximate": "tanh"}), ("silu", {}), ("mish", {}),
    ("softplus", {"beta": 2.0, "threshold": 3.0}), ("softsign", {}), ("tanhshrink", {}), ("sigmoid", {}), ("tanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 1.5}), ("hardsigmoid", {}), ("hardswish", {}),
    ("hardshrink", {"lambd": 1.0}),
    ("softshrink", {"lambd": 1.0}), ("threshold", {"threshold": 0.5, "value": 7.0}), ("logsigmoid", {}),
    ("softmax", {"dim": 1}), ("log_softmax", {"dim": 0}), ("softmin", {"dim": -1}), ("normalize", {"p": 3.0, "dim": 0}),
]
TWO = np.array([[-4.0, -3.0, -1.0, -0.5, 0.0], [0.25, 1.0, 1.5, 3.0, 6.5]])


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
def test_functions_and_gradients(name, options):
    results = []
    for T in BOTH:
        x = T.tensor(TWO, requires_grad=True)
        y = getattr(T.nn.functional, name)(x, **options)
        (y * T.tensor(np.cos(TWO) + 2)).sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    tolerance = 1e-7 if name == "hardsigmoid" else 1e-11  # PyTorch's 1/6 there is a float32
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-13)


LOSSES = [
    ("mse_loss", {}), ("l1_loss", {}), ("smooth_l1_loss", {"beta": 0.3}), ("huber_loss", {"delta": 0.3}),
    ("kl_div", {}), ("kl_div", {"log_target": True}), ("binary_cross_entropy", {}),
    ("binary_cross_entropy_with_logits", {}),
    ("cross_entropy", {}), ("cross_entropy", {"label_smoothing": 0.2}),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options"), LOSSES)
def test_losses_and_gradients(name, options, reduction):
    a, b = np.random.default_rng(2).random((2, 4, 5))
    results = []
    for T in BOTH:
        x, y = (T.tensor(values, requires_grad=True) for values in (a, b))
        loss = getattr(T.nn.functional, name)(x, y, reduction=reduction, **options)
        (loss * loss).sum().backward()
        results.append((loss.detach().numpy(), x.grad.numpy(), y.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_clipping():
    grads = np.random.default_rng(0).standard_normal((3, 4, 4)).astype("float32")
    for order in (2.0, 1.0, math.inf, 3.0):
        results = []
        for T in BOTH:
            params = [T.nn.Parameter(T.zeros(4, 4)) for _ in grads]
            for p, g in zip(params, grads, strict=True):
                p.grad = T.tensor(g)
            norm = T.nn.utils.clip_grad_norm_(params, 1.5, norm_type=order)
            results.append([norm.numpy(), *(p.grad.numpy() for p in params)])
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)


REFUSED = [
    lambda T: T.nn.Linear(2, 3)(T.ones(4, 3)),
    lambda T: T.nn.Module().register_parameter("x", T.ones(1)),
    lambda T: T.nn.Module().register_buffer("a.b", None),
    lambda T: T.nn.Linear(1, 1).to(T.int64),
    lambda T: T.nn.Linear(1, 1).load_state_dict({}),
    lambda T: T.nn.Sequential(T.nn.ReLU())[1],
    lambda T: T.nn.Dropout(1.5),
    lambda T: T.nn.functional.dropout(T.ones(2), -0.5),
    lambda T: T.nn.functional.cross_entropy(T.ones(2, 3), T.ones(4, dtype=T.int64)),
    lambda T: T.nn.functional.cross_entropy(T.ones(2, 3), T.tensor([0, 3])),
    lambda T: T.nn.functional.mse_loss(T.ones(2), T.ones(2), reduction="avg"),
    lambda T: T.nn.functional.binary_cross_entropy(T.ones(2), T.ones(3)),
    lambda T: T.nn.functional.one_hot(T.tensor([3]), 2),
    lambda T: T.nn.functional.prelu(T.ones(2, 3), T.ones(2)),
    lambda T: T.nn.init.xavier_uniform_(T.ones(2)),
    lambda T: T.optim.SGD([], lr=0.1),
    lambda T: T.optim.SGD(T.ones(1), lr=0.1),
    lambda T: T.optim.Adam([T.nn.Parameter(T.ones(1))], betas=(0.9, 1.0)),
    lambda T: T.utils.data.DataLoader([1, 2], batch_size=0),
    lambda T: T.utils.data.random_split(range(3), [1, 1]),
]


@pytest.mark.parametrize("call", REFUSED)
def test_the_same_is_refused(call):
    kinds = []
    for T in BOTH:
        with pytest.raises(Exception) as error:  # whichever PyTorch raises
            call(T)
        kinds.append(error.type)
    assert issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0]), kinds


@pytest.mark.parametrize("causal", [False, True])
def test_dropout_of_attention_drops_the_same_weights(causal) -> None:
    q, k, v = (np.random.default_rng(0).standard_normal((2, 4, n, 8)).astype("float32") for n in (3, 6, 6))
    results = []
    for library in (minitorch, torch):
        library.manual_seed(3)
        y = library.nn.functional.scaled_dot_product_attention(
            *(library.from_numpy(x) for x in (q, k, v)), dropout_p=0.5, is_causal=causal)
        results.append(y.numpy())
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
