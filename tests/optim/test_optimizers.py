"""Optimizers: the fused steps against their references, state, options, refusals."""

import copy
import pickle

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim
from minitorch._ext import optim as fused
from minitorch.optim.adam import adam_reference
from minitorch.optim.sgd import sgd_reference

SHAPES = [(3, 5), (7,), (), (2, 3, 4), (0, 2), (130, 300)]
SGD_OPTIONS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"weight_decay": 0.1, "maximize": True},
    {"momentum": 0.5, "weight_decay": 0.1, "nesterov": True, "maximize": True},
]
ADAM_OPTIONS = [
    {},
    {"betas": (0.5, 0.8), "eps": 1e-3},
    {"amsgrad": True},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True, "maximize": True},
    {"maximize": True},
]
DECAYED = {"weight_decay": 0.1, "maximize": True}
BOTH_DECAYS = [{}, DECAYED, {**DECAYED, "decoupled_weight_decay": True, "betas": (0.5, 0.8), "eps": 1e-3}]
OPTIONS = [
    *((optim.SGD, options) for options in SGD_OPTIONS),
    *((optim.Adam, options) for options in ADAM_OPTIONS),
    *((optim.NAdam, options) for options in [*BOTH_DECAYS, {"momentum_decay": 0.1}]),
    *((optim.RAdam, options) for options in BOTH_DECAYS),
    *((optim.Adamax, options) for options in ({}, DECAYED, {"betas": (0.5, 0.8), "eps": 1e-3})),
    *((optim.Adagrad, options) for options in ({}, DECAYED, {"lr_decay": 0.1, "initial_accumulator_value": 0.3})),
    *((optim.Adadelta, options) for options in ({}, DECAYED, {"rho": 0.5, "eps": 1e-2})),
    *((optim.RMSprop, {**options, "eps": 1e-3}) for options in (
        {}, DECAYED, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.5, "centered": True, "alpha": 0.8})),
    *((optim.Rprop, options) for options in ({}, {"maximize": True}, {"etas": (0.7, 1.1), "step_sizes": (0.05, 0.2)})),
    *((optim.ASGD, options) for options in ({}, DECAYED, {"lambd": 0.1, "alpha": 0.5, "t0": 3})),
]


def parameters(dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [nn.Parameter(minitorch.tensor(rng.standard_normal(shape), dtype=dtype)) for shape in SHAPES]


def give_gradients(params, seed):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = minitorch.tensor(rng.standard_normal(tuple(p.shape)), dtype=p.dtype)


def close(a, b, dtype, tolerance=1e-6):
    tolerance = tolerance if dtype == minitorch.float32 else 1e-14
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [minitorch.float32, minitorch.float64])
@pytest.mark.parametrize(("make", "options"), OPTIONS, ids=lambda value: getattr(value, "__name__", None))
def test_fused_step_equals_the_reference(make, options, dtype, monkeypatch):
    ours, theirs = parameters(dtype), parameters(dtype)
    quick, slow = make(ours, lr=0.1, **options), make(theirs, lr=0.1, **options)
    for step in range(10):
        for params in (ours, theirs):
            give_gradients(params, step)
        quick.step()
        with monkeypatch.context() as patch:
            patch.setattr(fused, "step", lambda kernel, params, state, *options: params)
            slow.step()
    tolerance = 1e-5 if make is optim.RMSprop else 1e-6  # whose momentum adds up what is divided by small roots
    for a, b in zip(ours, theirs, strict=True):
        close(a, b, dtype, tolerance)
        assert quick.state[a].keys() == slow.state[b].keys()
        for name, value in quick.state[a].items():
            close(value, slow.state[b][name], dtype, tolerance)


@pytest.mark.cpu_only("which parameters the kernel of the CPU takes")
def test_fused_step_takes_what_it_should():
    params = parameters(minitorch.float32)
    give_gradients(params, 0)
    options = (0.1, 0.9, 0.0, 0.0, False, False)
    assert fused.step("sgd", params, {}, options) == []
    assert len(fused.step("sgd", params, {}, options, ("momentum_buffer",))) == len(params)  # no state yet
    params[0].grad = minitorch.ones(5, 3).t()
    params[1].data = params[1].data.half()
    params[1].grad = minitorch.ones(7).half()
    params[2].grad = None
    left = fused.step("sgd", params, {}, options)
    assert [id(p) for p in left] == [id(params[0]), id(params[1])]


@pytest.mark.parametrize("arguments", [
    ("nothing", (), (), ()),
    ("sgd", (0.1,), (), ()),
    ("adam", (0.1, 0.9, 0.9, 0.1, 0, 0, 0), ("exp_avg",), ("step",)),
    ("adam", (0.1, 0.9, 0.9, 0.1, 0, 0, 0), ("exp_avg", None), ("step",)),
    ("adam", (0.1, 0.9, 0.9, 0.1, 0, 0, 0), ("exp_avg", "exp_avg_sq"), ()),
    ("sgd", (0.1, 0.9, 0, 0, 0, 0), ("a", "b", "c", "d"), ()),
])
def test_fused_step_refuses_what_would_not_fit(arguments):
    kernel, *rest = arguments
    with pytest.raises(ValueError, match="optimizer step"):
        fused.step(kernel, [], {}, *rest)


@pytest.mark.cpu_only("which parameters the kernel of the CPU takes")
def test_fused_step_leaves_states_that_do_not_fit():
    p = nn.Parameter(minitorch.ones(3))
    p.grad = minitorch.ones(3)
    good = {"step": minitorch.tensor(0.0), "exp_avg": minitorch.zeros(3), "exp_avg_sq": minitorch.zeros(3)}
    arguments = ((0.1, 0.9, 0.99, 1e-8, 0, 0, 0), ("exp_avg", "exp_avg_sq"), ("step",))
    for name, value in [("step", 0.0), ("step", minitorch.zeros(2)), ("step", minitorch.tensor(1)),
                        ("exp_avg", minitorch.zeros(2)), ("exp_avg", minitorch.zeros(3).double()),
                        ("exp_avg_sq", None)]:
        assert len(fused.step("adam", [p], {p: {**good, name: value}}, *arguments)) == 1
    assert fused.step("adam", [p], {p: good}, *arguments) == [] and good["step"] == 1


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_other_layouts_and_types(make):
    x = nn.Parameter(minitorch.arange(6.0).reshape(2, 3))
    y = nn.Parameter(minitorch.arange(6.0).reshape(3, 2).t().contiguous().t())
    z = nn.Parameter(minitorch.arange(6.0).half())
    optimizer = make([x, y, z], lr=0.5)
    for _ in range(3):
        x.grad, y.grad, z.grad = minitorch.ones(3, 2).t(), minitorch.ones(3, 2), minitorch.ones(6).half()
        optimizer.step()
    for p in (x, y, z):
        np.testing.assert_allclose(p.detach().float().numpy().reshape(-1) + 1.5, np.arange(6), rtol=1e-3, atol=1e-3)


def test_references_by_hand():
    p, g = minitorch.tensor([1.0]), minitorch.tensor([2.0])
    state = {}
    sgd_reference(p, g, state, 0.1, 0.5, 0.0, 0.0, False, False)
    assert state["momentum_buffer"] == 2 and abs(float(p) - 0.8) < 1e-6
    sgd_reference(p, g, state, 0.1, 0.5, 0.0, 0.0, False, False)
    assert state["momentum_buffer"] == 3 and abs(float(p) - 0.5) < 1e-6
    p = minitorch.tensor([1.0])
    state = {"step": minitorch.tensor(0.0), "exp_avg": minitorch.zeros(1), "exp_avg_sq": minitorch.zeros(1)}
    adam_reference(p, g, state, 0.1, 0.9, 0.99, 0.0, 0.0, False, False)
    assert abs(float(p) - 0.9) < 1e-6 and state["step"] == 1
    assert abs(float(state["exp_avg"]) - 0.2) < 1e-6 and abs(float(state["exp_avg_sq"]) - 0.04) < 1e-6


def test_adam_uses_its_second_beta():
    p = nn.Parameter(minitorch.zeros(1))
    optimizer = optim.Adam([p], betas=(0.9, 0.5))
    p.grad = minitorch.tensor([2.0])
    optimizer.step()
    optimizer.step()
    assert abs(float(optimizer.state[p]["exp_avg_sq"]) - 3.0) < 1e-6


def test_state_is_visible():
    p = nn.Parameter(minitorch.zeros(2))
    adam = optim.Adam([p], amsgrad=True)
    p.grad = minitorch.ones(2)
    adam.step()
    adam.step()
    state = adam.state[p]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert state["step"].shape == () and state["step"].dtype == minitorch.float32 and state["step"] == 2
    sgd = optim.SGD([p])
    sgd.step()
    assert len(sgd.state) == 0


def test_parameters_without_gradient_are_left():
    a, b = nn.Parameter(minitorch.ones(2)), nn.Parameter(minitorch.ones(2))
    a.grad = minitorch.ones(2)
    optimizer = optim.SGD([a, b], lr=1.0, momentum=0.9, weight_decay=0.5)
    optimizer.step()
    assert a.tolist() == [-0.5, -0.5] and b.tolist() == [1, 1] and b not in optimizer.state


def test_a_step_counts_as_a_change():
    p = nn.Parameter(minitorch.ones(2))
    loss = (p * p).sum()
    p.grad = minitorch.ones(2)
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_groups_and_rates():
    a, b = nn.Parameter(minitorch.zeros(1)), nn.Parameter(minitorch.zeros(1))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.1}], lr=1.0)
    a.grad = b.grad = minitorch.ones(1)
    optimizer.step()
    assert a.item() == -1 and abs(b.item() + 0.1) < 1e-7
    optimizer.param_groups[0]["lr"] = minitorch.tensor(2.0)
    optimizer.step()
    assert a.item() == -3
    c = nn.Parameter(minitorch.zeros(1))
    optimizer.add_param_group({"params": c, "lr": 5.0})
    c.grad = minitorch.ones(1)
    optimizer.step()
    assert c.item() == -5 and len(optimizer.param_groups) == 3


def test_closure_and_zero_grad():
    p = nn.Parameter(minitorch.tensor([3.0]))
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with minitorch.no_grad():
        assert optimizer.step(closure).item() == 9
    assert p.item() == 1.5
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.item() == 0
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("make", [
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, amsgrad=True), optim.AdamW])
def test_saving_and_loading(make):
    a, b = parameters(minitorch.float32), parameters(minitorch.float32)
    first, second = make(a), make(b)
    for step in range(3):
        give_gradients(a, step)
        first.step()
    saved = copy.deepcopy(first.state_dict())
    assert list(saved) == ["state", "param_groups"] and list(saved["state"]) == list(range(len(a)))
    second.load_state_dict(saved)
    for p, q in zip(a, b, strict=True):
        q.data = p.data.clone()
    for params, optimizer in ((a, first), (b, second)):
        give_gradients(params, 9)
        optimizer.step()
    for p, q in zip(a, b, strict=True):
        assert (p == q).all()
    if "step" in saved["state"][0]:
        assert saved["state"][0]["step"] == 3, "loading must copy"
    third = pickle.loads(pickle.dumps(first))
    assert third.param_groups[0]["lr"] == first.param_groups[0]["lr"] and len(third.state) == len(first.state)


def test_loading_refuses_what_does_not_fit():
    one, two = (optim.SGD([nn.Parameter(minitorch.zeros(1)) for _ in range(n)], lr=0.1) for n in (1, 2))
    with pytest.raises(ValueError, match="match the size"):
        one.load_state_dict(two.state_dict())
    two.add_param_group({"params": nn.Parameter(minitorch.zeros(1))})
    with pytest.raises(ValueError, match="different number"):
        one.load_state_dict(two.state_dict())


def test_old_checkpoints():
    p = nn.Parameter(minitorch.zeros(1))
    optimizer = optim.Adam([p])
    state = {"step": 4, "exp_avg": minitorch.zeros(1).double(), "exp_avg_sq": minitorch.ones(1)}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": [{"lr": 0.5, "params": [0]}]})
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999) and optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.state[p]["step"] == 4 and optimizer.state[p]["exp_avg"].dtype == minitorch.float32
    p.grad = minitorch.ones(1)
    optimizer.step()
    assert optimizer.state[p]["step"] == 5


def test_hooks():
    p = nn.Parameter(minitorch.zeros(1))
    p.grad = minitorch.ones(1)
    optimizer, seen = optim.SGD([p], lr=1.0), []
    first = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", p.item())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("post", p.item())))
    optimizer.step()
    assert seen == [("pre", 0), ("post", -1)]
    first.remove()
    optimizer.step()
    assert seen[2:] == [("post", -2)]


def test_names():
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is model.weight
    with pytest.raises(ValueError, match="without names"):
        optimizer.add_param_group({"params": nn.Parameter(minitorch.zeros(1))})


def test_own_optimizer():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @minitorch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for param in group["params"]:
                    param.add_(param.grad.sign(), alpha=-group["lr"])

    p = nn.Parameter(minitorch.zeros(2))
    p.grad = minitorch.tensor([3.0, -0.1])
    Sign([p], lr=0.5).step()
    assert p.tolist() == [-0.5, 0.5]


def test_repr():
    text = repr(optim.SGD([nn.Parameter(minitorch.zeros(1))], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n")
    assert text.endswith("    weight_decay: 0\n)")


P = [nn.Parameter(minitorch.zeros(1))]


@pytest.mark.parametrize(("call", "error"), [
    (lambda: optim.SGD([], lr=0.1), ValueError),
    (lambda: optim.SGD(P[0], lr=0.1), TypeError),
    (lambda: optim.SGD([{"params": set(P)}], lr=0.1), TypeError),
    (lambda: optim.SGD([3], lr=0.1), TypeError),
    (lambda: optim.SGD([P[0] * 2], lr=0.1), ValueError),
    (lambda: optim.SGD([{"params": P}, {"params": P}], lr=0.1), ValueError),
    (lambda: optim.SGD(P, lr=-1.0), ValueError),
    (lambda: optim.SGD(P, lr=minitorch.ones(2)), ValueError),
    (lambda: optim.SGD(P, momentum=-1.0), ValueError),
    (lambda: optim.SGD(P, nesterov=True), ValueError),
    (lambda: optim.Adam(P, betas=(1.0, 0.9)), ValueError),
    (lambda: optim.Adam(P, eps=-1.0), ValueError),
    (lambda: optim.AdamW(P, weight_decay=-1.0), ValueError),
    (lambda: optim.Adam(P, capturable=True), NotImplementedError),
    (lambda: optim.Adam(P, fused=True, differentiable=True), RuntimeError),
    (lambda: optim.NAdam(P, momentum_decay=-1.0), ValueError),
    (lambda: optim.Adagrad(P, lr_decay=-1.0), ValueError),
    (lambda: optim.Adadelta(P, rho=1.5), ValueError),
    (lambda: optim.RMSprop(P, alpha=-1.0), ValueError),
    (lambda: optim.Rprop(P, etas=(1.5, 2)), ValueError),
    (lambda: optim.Adafactor(P, d=0.5), ValueError),
    (lambda: optim.Adafactor(P, beta2_decay=0.8), ValueError),
    (lambda: optim.Muon(P), ValueError),
    (lambda: optim.Muon([nn.Parameter(minitorch.ones(2, 2))], adjust_lr_fn="mine"), ValueError),
    (lambda: optim.LBFGS([{"params": P}, {"params": [nn.Parameter(minitorch.ones(2))]}]), ValueError),
    (lambda: optim.LBFGS(P, line_search_fn="golden"), RuntimeError),
    (lambda: optim.SparseAdam(P), NotImplementedError),
    (lambda: optim.SGD(P, foreach=True, fused=True), RuntimeError),
    (lambda: optim.Optimizer(P, {}).step(), NotImplementedError),
])
def test_refusals(call, error):
    with pytest.raises(error):
        call()


def test_duplicate_parameters_warn():
    with pytest.warns(UserWarning, match="duplicate"):
        optim.SGD(P + P, lr=0.1)


def test_the_number_of_threads_changes_nothing():
    before, results = minitorch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            minitorch.set_num_threads(threads)
            params = parameters(minitorch.float32) + [nn.Parameter(minitorch.ones(100_003))]
            optimizer = optim.Adam(params, lr=0.1)
            for step in range(3):
                give_gradients(params, step)
                optimizer.step()
            results.append([p.detach().numpy().tobytes() for p in params])
    finally:
        minitorch.set_num_threads(before)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.Adamax, optim.NAdam, optim.RAdam, optim.Adagrad,
                                  optim.RMSprop, optim.Adadelta, optim.ASGD])
def test_steps_can_be_differentiated(make):
    """The derivative of the parameter after two steps with respect to the first gradient, against a difference."""
    def after(g):
        p = minitorch.tensor([1.0, -2.0], dtype=minitorch.float64, requires_grad=True) * 1
        options = {"momentum": 0.9} if make is optim.SGD else {}
        optimizer = make([p], lr=0.1, differentiable=True, **options)
        for scale in (1.0, 0.5):
            p.grad = g * scale
            optimizer.step()
        return p.sum()

    start = np.array([0.3, -0.7])
    g = minitorch.tensor(start, requires_grad=True)
    after(g).backward()
    for i in range(2):
        h = np.zeros(2)
        h[i] = 1e-6
        slope = float(after(minitorch.tensor(start + h)) - after(minitorch.tensor(start - h))) / 2e-6
        assert abs(slope - float(g.grad[i])) < 1e-6 + 1e-5 * abs(slope)


def test_lbfgs_on_rosenbrock():
    p = nn.Parameter(minitorch.tensor([-1.2, 1.0], dtype=minitorch.float64))
    optimizer = optim.LBFGS([p], max_iter=60, max_eval=200, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() > 24
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=1e-6)
    assert optimizer.state[p]["func_evals"] < 80


def test_muon_makes_matrices_orthogonal():
    from minitorch.optim.muon import orthogonalised

    matrix = minitorch.tensor(np.random.default_rng(0).standard_normal((20, 6)), dtype=minitorch.float32)
    singular = np.linalg.svd(orthogonalised(matrix, (3.4445, -4.775, 2.0315), 5, 1e-7).float().numpy())[1]
    assert (singular > 0.5).all() and (singular < 1.5).all()


def test_an_option_turned_on_later_gets_its_state():
    p = nn.Parameter(minitorch.ones(2))
    p.grad = minitorch.ones(2)
    optimizer = optim.Adam([p])
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = True
    optimizer.step()
    optimizer.step()
    assert optimizer.state[p]["max_exp_avg_sq"].sum() > 0 and optimizer.state[p]["step"] == 3


def test_state_hooks():
    p = nn.Parameter(minitorch.zeros(1))
    optimizer, seen = optim.SGD([p], lr=1.0), []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("second"))
    first = optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": 3})
    saved = optimizer.state_dict()
    assert saved["note"] == 3 and seen == ["first", "second"]
    first.remove()
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "param_groups": [
        {**group, "lr": 0.5} for group in state["param_groups"]]})
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(saved)
    assert seen[2:] == [0.5] and saved["param_groups"][0]["lr"] == 1.0


def test_hooks_of_all_optimizers():
    from minitorch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    p = nn.Parameter(minitorch.zeros(1))
    p.grad = minitorch.ones(1)
    optimizer, seen = optim.SGD([p], lr=1.0), []
    before = register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append(p.item()))
    after = register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append(p.item()))
    optimizer.step()
    before.remove()
    after.remove()
    optimizer.step()
    assert seen == [0, -1] and p.item() == -2
