"""Clipping gradients, parameters as a vector."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)


def parameters():
    made = [nn.Parameter(minitorch.zeros(2)), nn.Parameter(minitorch.zeros(1, 1)), nn.Parameter(minitorch.zeros(3))]
    made[0].grad, made[1].grad = minitorch.tensor([2.0, -3.0]), minitorch.tensor([[6.0]])
    return made


@pytest.mark.parametrize(("order", "norm"), [(2.0, 7.0), (1.0, 11.0), (math.inf, 6.0)])
def test_clip_norm(order, norm):
    params = parameters()
    assert abs(float(clip_grad_norm_(params, 3.5, order)) - norm) < 1e-5
    scale = min(3.5 / norm, 1)
    np.testing.assert_allclose(params[0].grad.numpy(), [2 * scale, -3 * scale], rtol=1e-5)
    assert abs(float(get_total_norm([p.grad for p in params[:2]], order)) - norm * scale) < 1e-4


def test_small_gradients_are_left():
    params = parameters()
    clip_grad_norm_(params, 100.0)
    assert params[0].grad.tolist() == [2, -3]


def test_clip_edge_cases():
    assert clip_grad_norm_([], 1.0) == 0
    p = parameters()[0]
    clip_grad_norm_(p, 1e-3)
    p.grad = minitorch.tensor([math.inf, 1.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    with pytest.raises(NotImplementedError):
        clip_grad_norm_(p, 1.0, foreach=True)


def test_clip_value():
    params = parameters()
    clip_grad_value_(params, 2.5)
    assert params[0].grad.tolist() == [2, -2.5] and params[1].grad.item() == 2.5 and params[2].grad is None


def test_vector():
    model = nn.Linear(2, 3)
    vector = parameters_to_vector(model.parameters())
    assert vector.shape == (9,)
    vector_to_parameters(minitorch.arange(9.0), model.parameters())
    assert model.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and model.bias.tolist() == [6, 7, 8]
    with pytest.raises(TypeError):
        vector_to_parameters([1.0], model.parameters())
    with pytest.raises(RuntimeError):
        vector_to_parameters(minitorch.ones(3), model.parameters())
