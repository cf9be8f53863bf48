"""Fifty steps of every optimizer, and its state, beside PyTorch's; states exchanged between the two."""

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")

DECAYED = {"weight_decay": 0.1, "maximize": True}
CASES = [
    ("SGD", {"lr": 0.05}), ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("Adam", {"lr": 0.01}), ("Adam", {"amsgrad": True, **DECAYED}), ("AdamW", {"lr": 0.01, "amsgrad": True}),
    ("Adamax", {"lr": 0.01}), ("Adamax", DECAYED),
    ("NAdam", {"lr": 0.01}), ("NAdam", {**DECAYED, "decoupled_weight_decay": True}), ("NAdam", DECAYED),
    ("RAdam", {"lr": 0.01}), ("RAdam", {**DECAYED, "decoupled_weight_decay": True}), ("RAdam", DECAYED),
    ("Adagrad", {"lr": 0.05}), ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.1, **DECAYED}),
    ("Adadelta", {}), ("Adadelta", {"rho": 0.7, **DECAYED}),
    ("RMSprop", {"lr": 0.01}), ("RMSprop", {"lr": 0.01, "momentum": 0.9, "centered": True, **DECAYED}),
    ("Rprop", {"lr": 0.01}), ("Rprop", {"etas": (0.6, 1.1), "step_sizes": (1e-3, 0.1), "maximize": True}),
    ("ASGD", {"lr": 0.01}), ("ASGD", {"lr": 0.05, "lambd": 0.01, "alpha": 0.5, "t0": 10, **DECAYED}),
    ("Adafactor", {"lr": 0.01}), ("Adafactor", {"lr": 0.1, "weight_decay": 0.1, "d": 2.0, "maximize": True}),
]
SHAPES = [(4, 5), (3,), (2, 3, 4)]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.standard_normal(shape) for shape in SHAPES]


class Run:
    """One library's parameters and optimizer; float64, so that what differs is not rounding."""

    def __init__(self, library, name, options, shapes=SHAPES):
        rng = np.random.default_rng(99)
        self.library = library
        self.params = [library.nn.Parameter(library.tensor(rng.standard_normal(shape))) for shape in shapes]
        self.optimizer = getattr(library.optim, name)(self.params, **options)

    def step(self, number):
        for p, g in zip(self.params, gradients(number), strict=True):
            p.grad = self.library.tensor(g)
        self.optimizer.step()
        return [p.detach().numpy().copy() for p in self.params]


def same(ours, theirs, tolerance=1e-6):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_fifty_steps(name, options):
    ours, theirs = Run(minitorch, name, options), Run(torch, name, options)
    for number in range(50):
        same(ours.step(number), theirs.step(number))
    mine, other = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine["param_groups"][0].keys() == other["param_groups"][0].keys()
    for a, b in zip(mine["state"].values(), other["state"].values(), strict=True):
        assert sorted(a) == sorted(b)
        for key in a:
            np.testing.assert_allclose(np.asarray(a[key]), np.asarray(b[key]), rtol=1e-6, atol=1e-6)


def carried(value, library):
    """A state dict with the other library's tensors."""
    if isinstance(value, dict):
        return {key: carried(item, library) for key, item in value.items()}
    if isinstance(value, list):
        return [carried(item, library) for item in value]
    return library.tensor(value.detach().numpy()) if hasattr(value, "detach") else value


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_states_are_exchanged(name, options):
    first, second = Run(torch, name, options), Run(minitorch, name, options)
    for number in range(3):
        first.step(number)
    second.optimizer.load_state_dict(carried(first.optimizer.state_dict(), minitorch))
    for p, q in zip(second.params, first.params, strict=True):
        p.data = minitorch.tensor(q.detach().numpy())
    same(second.step(3), first.step(3))
    third = Run(torch, name, options)
    third.optimizer.load_state_dict(carried(second.optimizer.state_dict(), torch))
    for p, q in zip(third.params, second.params, strict=True):
        p.data = torch.tensor(q.detach().numpy())
    same(second.step(4), third.step(4))


@pytest.mark.parametrize("options", [{}, {"lr": 0.1, "max_iter": 4}, {"line_search_fn": "strong_wolfe"},
                                     {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 5}])
def test_lbfgs(options):
    def minimised(library):
        run = Run(library, "LBFGS", options, [(3, 4), (4,)])
        x = library.tensor(np.random.default_rng(1).standard_normal((10, 3)))

        def closure():
            run.optimizer.zero_grad()
            loss = ((x @ run.params[0] + run.params[1]).sin() + 0.1 * (x @ run.params[0]) ** 2).mean()
            loss.backward()
            return loss

        return [float(run.optimizer.step(closure)) for _ in range(5)], run

    (mine, ours), (other, theirs) = minimised(minitorch), minimised(torch)
    np.testing.assert_allclose(mine, other, rtol=1e-6)
    same((p.detach().numpy() for p in ours.params), (p.detach().numpy() for p in theirs.params), 1e-5)
    a, b = (run.optimizer.state_dict()["state"][0] for run in (ours, theirs))
    assert sorted(a) == sorted(b) and a["func_evals"] == b["func_evals"] and a["n_iter"] == b["n_iter"]


@pytest.mark.parametrize("options", [{}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}])
def test_muon(options):
    """To what bfloat16 allows, in which the iteration is done."""
    def after(library):
        rng = np.random.default_rng(3)
        p = library.nn.Parameter(library.tensor(rng.standard_normal((6, 4)), dtype=library.float32))
        optimizer = library.optim.Muon([p], lr=1e-2, **options)
        for _ in range(10):
            p.grad = library.tensor(rng.standard_normal((6, 4)), dtype=library.float32)
            optimizer.step()
        return p.detach().numpy()

    np.testing.assert_allclose(after(minitorch), after(torch), atol=5e-4)


def test_differentiable_steps():
    def derivative(library):
        start = library.tensor([1.0, -2.0], dtype=library.float64, requires_grad=True)
        g = library.tensor([0.5, 0.3], dtype=library.float64, requires_grad=True)
        p = start * 1
        optimizer = library.optim.Adam([p], lr=0.1, differentiable=True)
        for factor in (1.0, 2.0, -1.0):
            p.grad = g * factor
            optimizer.step()
        (p ** 2).sum().backward()
        return start.grad.numpy(), g.grad.numpy()

    same(derivative(minitorch), derivative(torch), 1e-5)  # theirs counts steps in float32
