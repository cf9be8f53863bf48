"""Schedules against their closed forms."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim
from minitorch.optim import lr_scheduler


def optimizer(*rates):
    return optim.SGD([{"params": nn.Parameter(minitorch.zeros(1)), "lr": rate} for rate in rates or (0.8,)])


def rates(schedule, sgd, epochs, *arguments):
    seen = []
    for epoch in range(epochs):
        assert schedule.get_last_lr() == [group["lr"] for group in sgd.param_groups]
        seen.append(schedule.get_last_lr())
        sgd.step()
        schedule.step(*(a[epoch] for a in arguments))
    return np.array(seen)


EPOCHS = np.arange(12)


@pytest.mark.parametrize(("make", "factor"), [
    (lambda o: lr_scheduler.StepLR(o, 3, 0.5), 0.5 ** (EPOCHS // 3)),
    (lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5], 0.1), 0.1 ** ((EPOCHS >= 2) + 2.0 * (EPOCHS >= 5))),
    (lambda o: lr_scheduler.ExponentialLR(o, 0.9), 0.9**EPOCHS),
    (lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1 / (1 + epoch)), 1 / (1 + EPOCHS)),
    (lambda o: lr_scheduler.CosineAnnealingLR(o, 4), (1 + np.cos(np.pi * EPOCHS / 4)) / 2),
])
def test_closed_form(make, factor):
    sgd = optimizer(0.8, 0.2)
    np.testing.assert_allclose(rates(make(sgd), sgd, 12), np.outer(factor, [0.8, 0.2]), rtol=1e-9, atol=1e-12)


def test_cosine_with_minimum():
    sgd = optimizer()
    seen = rates(lr_scheduler.CosineAnnealingLR(sgd, 5, eta_min=0.1), sgd, 6)[:, 0]
    np.testing.assert_allclose(seen, 0.1 + 0.7 * (1 + np.cos(np.pi * np.arange(6) / 5)) / 2)


def test_plateau():
    sgd = optimizer()
    schedule = lr_scheduler.ReduceLROnPlateau(sgd, factor=0.5, patience=1, cooldown=1, min_lr=0.15)
    losses = [1.0, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95]
    seen = rates(schedule, sgd, 12, losses)[:, 0]
    np.testing.assert_allclose(seen, [0.8] * 4 + [0.4] * 3 + [0.2] * 3 + [0.15] * 2)
    best = lr_scheduler.ReduceLROnPlateau(optimizer(), "max", threshold=0.1, threshold_mode="abs")
    assert best._is_better(1.2, 1.0) and not best._is_better(1.05, 1.0)


def test_rates_that_are_tensors_change_in_place():
    sgd = optim.SGD([nn.Parameter(minitorch.zeros(1))], lr=minitorch.tensor(1.0))
    rate = sgd.param_groups[0]["lr"]
    schedule = lr_scheduler.ExponentialLR(sgd, 0.5)
    sgd.step()
    schedule.step()
    assert sgd.param_groups[0]["lr"] is rate and rate == 0.5 and schedule.get_last_lr()[0] is not rate


def test_resuming():
    sgd = optimizer()
    schedule = lr_scheduler.StepLR(sgd, 2)
    rates(schedule, sgd, 3)
    again = lr_scheduler.StepLR(sgd, 7)
    again.load_state_dict(schedule.state_dict())
    assert again.step_size == 2 and again.last_epoch == 3 and "optimizer" not in schedule.state_dict()
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer(), 2, last_epoch=3)


def test_own_schedule_and_warmup():
    class Warmup(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base * min(1, (self.last_epoch + 1) / 4) for base in self.base_lrs]

    sgd = optimizer()
    np.testing.assert_allclose(rates(Warmup(sgd), sgd, 6)[:, 0], [0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_warnings_and_refusals():
    schedule = lr_scheduler.StepLR(optimizer(), 2)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        schedule.step()
    with pytest.warns(UserWarning, match="deprecated"):
        schedule.step(4)
    assert math.isclose(schedule.get_last_lr()[0], 0.008)
    for call, error in [
        (lambda: lr_scheduler.StepLR(3, 2), TypeError),
        (lambda: lr_scheduler.LambdaLR(optimizer(), [abs, abs]), ValueError),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer(), factor=1.0), ValueError),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer(), "middle"), ValueError),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer(), threshold_mode="x"), ValueError),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer(), min_lr=[0.1, 0.2]), ValueError),
    ]:
        with pytest.raises(error):
            call()


def test_composed_schedules():
    sgd = optimizer()
    s = lr_scheduler
    schedule = s.SequentialLR(sgd, [s.LinearLR(sgd, 0.25, total_iters=3), s.ExponentialLR(sgd, 0.5)], [3])
    np.testing.assert_allclose(rates(schedule, sgd, 6)[:, 0], [0.2, 0.4, 0.6, 0.8, 0.4, 0.2], rtol=1e-6)
    again = s.SequentialLR(sgd, [s.LinearLR(sgd, 0.25, total_iters=3), s.ExponentialLR(sgd, 0.5)], [3])
    again.load_state_dict(schedule.state_dict())
    assert again.last_epoch == 6 and again._schedulers[1].last_epoch == 3
    sgd = optimizer()
    chained = s.ChainedScheduler([s.ConstantLR(sgd, 0.5, 2), s.ExponentialLR(sgd, 0.5)])
    np.testing.assert_allclose(rates(chained, sgd, 4)[:, 0], [0.4, 0.2, 0.2, 0.1], rtol=1e-6)


@pytest.mark.parametrize("call", [
    lambda o, s: s.ConstantLR(o, 1.5),
    lambda o, s: s.LinearLR(o, 0.0),
    lambda o, s: s.LinearLR(o, end_factor=2.0),
    lambda o, s: s.CosineAnnealingWarmRestarts(o, 0),
    lambda o, s: s.CosineAnnealingWarmRestarts(o, 3, 0),
    lambda o, s: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
    lambda o, s: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda o, s: s.CyclicLR(o, [0.1] * 5, 0.2),
    lambda o, s: s.OneCycleLR(o, 0.1),
    lambda o, s: s.OneCycleLR(o, 0.1, total_steps=0),
    lambda o, s: s.OneCycleLR(o, 0.1, epochs=2.5, steps_per_epoch=3),
    lambda o, s: s.OneCycleLR(o, 0.1, total_steps=3, pct_start=2.0),
    lambda o, s: s.OneCycleLR(o, 0.1, total_steps=3, anneal_strategy="up"),
    lambda o, s: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    lambda o, s: s.SequentialLR(o, [], []),
    lambda o, s: s.ChainedScheduler([s.StepLR(o, 2), s.StepLR(optimizer(), 2)]),
    lambda o, s: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
])
def test_refused(call):
    with pytest.raises(ValueError):
        call(optimizer(), lr_scheduler)


def test_one_cycle_ends():
    sgd = optimizer()
    schedule = lr_scheduler.OneCycleLR(sgd, 0.1, total_steps=2, cycle_momentum=False)
    rates(schedule, sgd, 2)
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        schedule.step()
    with pytest.raises(ValueError, match="momentum"):
        lr_scheduler.CyclicLR(minitorch.optim.Adagrad([nn.Parameter(minitorch.zeros(1))]), 0.1, 0.2)
