"""Initialisers: their distributions, their bounds, what they refuse."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import init


def test_constants():
    x = minitorch.empty(3, 4)
    assert init.ones_(x) is x and (x == 1).all()
    assert (init.zeros_(x) == 0).all() and (init.constant_(x, 2.5) == 2.5).all()
    assert init.eye_(x).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    kernel = init.dirac_(minitorch.empty(4, 2, 3), groups=2)
    assert kernel.sum() == 4 and kernel[0, 0, 1] == kernel[1, 1, 1] == kernel[2, 0, 1] == kernel[3, 1, 1] == 1


def test_parameters_are_filled_without_recording():
    p = nn.Parameter(minitorch.empty(3, 3))
    for fill in (init.ones_, init.eye_, init.uniform_, init.normal_, init.xavier_normal_, init.kaiming_uniform_,
                 init.trunc_normal_):
        assert fill(p) is p and p.is_leaf and p.requires_grad


@pytest.mark.parametrize(("fill", "std", "bound"), [
    (lambda x: init.uniform_(x, -3, 3), math.sqrt(3), 3),
    (lambda x: init.normal_(x, 0, 0.5), 0.5, math.inf),
    (lambda x: init.xavier_uniform_(x, 2.0), 2 * math.sqrt(2 / 500), 2 * math.sqrt(6 / 500)),
    (lambda x: init.xavier_normal_(x), math.sqrt(2 / 500), math.inf),
    (lambda x: init.kaiming_uniform_(x, nonlinearity="relu"), math.sqrt(2 / 200), math.sqrt(6 / 200)),
    (lambda x: init.kaiming_normal_(x, mode="fan_out", nonlinearity="linear"), math.sqrt(1 / 300), math.inf),
    (lambda x: init.trunc_normal_(x, 0, 1, -1, 1), 0.5396, 1),
    (lambda x: init.trunc_normal_(x, 0, 1, 2, 3), 0.2482, 3),
])
def test_distributions(fill, std, bound):
    minitorch.manual_seed(0)
    x = fill(minitorch.empty(300, 200, dtype=minitorch.float64))
    assert abs(float(x.std()) / std - 1) < 0.02
    assert float(x.abs().max()) <= bound


def test_truncated_normal_stays_inside():
    for a, b in [(-0.5, 2), (1.5, 3), (-3, -1.9)]:
        x = init.trunc_normal_(minitorch.empty(1000), 0, 1, a, b)
        assert float(x.min()) >= a and float(x.max()) <= b
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(minitorch.empty(3), 10, 1, -2, 2)


@pytest.mark.cpu_only("its generator is of the CPU")
def test_generators():
    a, b = (init.normal_(minitorch.empty(5), generator=minitorch.Generator().manual_seed(3)) for _ in range(2))
    assert (a == b).all()


def test_sparse():
    x = init.sparse_(minitorch.empty(10, 4), 0.3)
    assert ((x == 0).sum(0) == 3).all()


def test_gain_and_fans():
    assert init.calculate_gain("linear") == 1 and init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert init._calculate_fan_in_and_fan_out(minitorch.empty(2, 3, 5, 7)) == (105, 70)


@pytest.mark.parametrize(("call", "error"), [
    (lambda: init.eye_(minitorch.empty(2)), ValueError),
    (lambda: init.dirac_(minitorch.empty(2)), ValueError),
    (lambda: init.sparse_(minitorch.empty(2), 0.1), ValueError),
    (lambda: init.calculate_gain("unheard of"), ValueError),
    (lambda: init.calculate_gain("leaky_relu", True), ValueError),
    (lambda: init.kaiming_uniform_(minitorch.empty(2, 2), mode="sideways"), ValueError),
    (lambda: init.xavier_uniform_(minitorch.empty(2)), ValueError),
])
def test_refusals(call, error):
    with pytest.raises(error):
        call()


def test_nothing_to_initialise_warns():
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(minitorch.empty(0, 3))


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3, 3)])
def test_orthogonal(shape):
    w = nn.init.orthogonal_(minitorch.empty(shape, dtype=minitorch.float64), gain=2.0).reshape(shape[0], -1)
    w = w if w.shape[0] <= w.shape[1] else w.T
    np.testing.assert_allclose((w @ w.T).numpy(), 4 * np.eye(w.shape[0]), atol=1e-12)
    with pytest.raises(ValueError, match="2 or more"):
        nn.init.orthogonal_(minitorch.empty(3))


def test_older_names():
    with pytest.warns(FutureWarning, match="constant_"):
        assert (nn.init.constant(minitorch.empty(2), 3.0) == 3).all()
