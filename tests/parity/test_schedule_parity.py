"""Every schedule's rates and momenta, exactly PyTorch's."""

import warnings

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

CASES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}), ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}), ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 6}), ("LinearLR", {"end_factor": 0.1}),
    ("ExponentialLR", {"gamma": 0.9}), ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "eta_min": 0.01}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}), ("PolynomialLR", {}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": 0.3, "step_size_up": 3, "step_size_down": 5,
                  "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4, "mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4, "scale_fn": lambda x: 1 / x}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.4, "total_steps": 31}),
    ("OneCycleLR", {"max_lr": [0.4, 0.2], "epochs": 4, "steps_per_epoch": 8, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.4, "total_steps": 31, "three_phase": True, "pct_start": 0.2}),
    ("LambdaLR", {"lr_lambda": lambda e: 0.9 ** e}), ("LambdaLR", {"lr_lambda": [lambda e: 1 / (e + 1), lambda e: e]}),
    ("MultiplicativeLR", {"lr_lambda": lambda e: 0.95}),
    ("swa", {"swa_lr": 0.01, "anneal_epochs": 5}), ("swa", {"swa_lr": [0.5, 0.1], "anneal_strategy": "linear"}),
    ("swa", {"swa_lr": 0.01, "anneal_epochs": 0}),
]
ADAM = {"lr": 0.1, "betas": (0.8, 0.99)}


def optimizer(library, kind="SGD"):
    params = [library.nn.Parameter(library.zeros(2)) for _ in range(2)]
    options = {"lr": 0.1, "momentum": 0.9} if kind == "SGD" else ADAM
    return getattr(library.optim, kind)([{"params": [params[0]]}, {"params": [params[1]], "lr": 0.05}], **options)


def schedule_class(library, name):
    return library.optim.swa_utils.SWALR if name == "swa" else getattr(library.optim.lr_scheduler, name)


def trace(opt, schedule, steps=30):
    seen = []
    for _ in range(steps):
        opt.step()
        schedule.step()
        seen.append([(g["lr"], g.get("momentum"), g.get("betas")) for g in opt.param_groups] + schedule.get_last_lr())
    return seen


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_values(name, options, kind):
    def run(library):
        opt = optimizer(library, kind)
        return trace(opt, schedule_class(library, name)(opt, **options))

    assert run(minitorch) == run(torch)


@pytest.mark.parametrize("make", [
    lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 3), s.LinearLR(o), s.ExponentialLR(o, 0.9)], [4, 9]),
    lambda s, o: s.SequentialLR(o, [s.CosineAnnealingLR(o, 5), s.StepLR(o, 2)], [5]),
    lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.CosineAnnealingWarmRestarts(o, 3)], [5]),
    lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)]),
    lambda s, o: s.SequentialLR(o, [s.ChainedScheduler([s.LinearLR(o), s.ExponentialLR(o, 0.9)]), s.StepLR(o, 2)], [5]),
])
def test_composed(make):
    def run(library):
        opt = optimizer(library)
        return trace(opt, make(library.optim.lr_scheduler, opt))

    assert run(minitorch) == run(torch)


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)])
def test_states_are_exchanged(name, options):
    """PyTorch's state after seven steps, loaded here, goes on as PyTorch does; and ours there."""
    theirs, ours = optimizer(torch), optimizer(minitorch)
    first, second = (schedule_class(library, name)(opt, **options)
                     for library, opt in ((torch, theirs), (minitorch, ours)))
    trace(theirs, first, 7)
    saved = first.state_dict()
    missing = second.state_dict().keys() ^ saved.keys()
    assert missing <= {"_get_lr_called_within_step", "anneal_func"}
    second.load_state_dict(saved)
    for a, b in zip(ours.param_groups, theirs.param_groups, strict=True):
        a.update({key: value for key, value in b.items() if key != "params"})
    assert trace(ours, second, 8) == trace(theirs, first, 8)


def test_an_epoch_given():
    for name, options in CASES[:12]:
        results = []
        for library in (minitorch, torch):
            opt = optimizer(library)
            schedule = schedule_class(library, name)(opt, **options)
            opt.step()
            values = []
            for epoch in (4, 2, 7):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    schedule.step(epoch)
                values.append(schedule.get_last_lr())
            results.append(values)
        np.testing.assert_allclose(*results, rtol=1e-15)


@pytest.mark.parametrize("options", [{}, {"multi": 0.9}, {"avg": 0.9}, {"use_buffers": True},
                                     {"multi": 0.9, "use_buffers": True}])
def test_averaged_model(options):
    def run(library):
        u, arguments = library.optim.swa_utils, {"use_buffers": options.get("use_buffers", False)}
        if "multi" in options:
            arguments["multi_avg_fn"] = u.get_ema_multi_avg_fn(options["multi"])
        if "avg" in options:
            arguments["avg_fn"] = u.get_ema_avg_fn(options["avg"])
        model = library.nn.Linear(2, 2)
        model.register_buffer("count", library.tensor([1.0, 2.0]))
        model.register_buffer("steps", library.tensor(4))
        average = u.AveragedModel(model, **arguments)
        for i in range(4):
            with library.no_grad():
                for j, p in enumerate(model.parameters()):
                    p.fill_(i * i + j)
                model.count += i
                model.steps += 2
            average.update_parameters(model)
        return {key: value.tolist() for key, value in average.state_dict().items()}

    ours, theirs = run(minitorch), run(torch)
    assert ours.keys() == theirs.keys()
    for key in ours:
        np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-6)
