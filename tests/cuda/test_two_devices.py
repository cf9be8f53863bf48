"""Tensors of two devices that meet: refused by name, wherever a gradient can come from; never followed on the host."""

from __future__ import annotations

import pickle

import pytest

import minitorch
from minitorch import nn

pytestmark = pytest.mark.on_the_device


@pytest.fixture
def x():
    return minitorch.ones(3, 2, device="cuda", requires_grad=True)


def to_cpu(gradients):
    return tuple(g.cpu() for g in gradients)


class MovesItsGradient(minitorch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        return g.cpu()


def test_given_gradients(x) -> None:
    operations = minitorch.exp, lambda x: x.softmax(0), lambda x: nn.functional.layer_norm(x, (2,)), lambda x: x @ x.T
    for operation in operations:
        y = operation(x)
        with pytest.raises(RuntimeError, match="same device"):
            minitorch.autograd.grad(y, x, minitorch.ones(y.shape))
    edge = minitorch.autograd.graph.get_gradient_edge(x.exp())
    with pytest.raises(RuntimeError, match="same device"):
        minitorch.autograd.backward([edge], [minitorch.ones(3, 2)])
    with pytest.raises(RuntimeError, match="different device"):
        x.grad = minitorch.ones(3, 2)


def test_functions_and_hooks(x) -> None:
    with pytest.raises(RuntimeError, match="expected device cuda:0 but got cpu"):
        MovesItsGradient.apply(x * x).sum().backward()
    for register in (
        lambda y: y.register_hook(lambda g: g.cpu()),
        lambda y: y.grad_fn.register_hook(lambda gi, go: to_cpu(gi)),
        lambda y: y.grad_fn.register_prehook(to_cpu),
    ):
        y = x * x
        register(y)
        with pytest.raises(RuntimeError, match="same device"):
            y.sum().backward()


def test_saved_tensors(x) -> None:
    with minitorch.autograd.graph.saved_tensors_hooks(lambda t: t.cpu(), lambda t: t):
        y = x.exp()
    with pytest.raises(RuntimeError, match="another device"):
        y.sum().backward()
    with minitorch.autograd.graph.save_on_cpu():
        y = x.exp() * x
    y.sum().backward()
    assert x.grad.is_cuda and minitorch.allclose(x.grad, 2 * x.exp())


def test_a_number_of_the_cpu_is_no_stranger(x) -> None:
    (x * minitorch.tensor(3.0)).sum().backward()
    assert (x.grad == 3).all()


def test_random_state_and_pickles(x) -> None:
    with minitorch.random.fork_rng():
        first = minitorch.rand(4, device="cuda")
    assert minitorch.equal(minitorch.rand(4, device="cuda"), first)
    assert (nn.functional.dropout(x, 1.0) == 0).all()
    assert pickle.loads(pickle.dumps(x.detach())).is_cuda


def test_sizes_of_a_layer_stay_on_the_host() -> None:
    minitorch.set_default_device("cuda")
    try:
        lengths = [3, 1]
        packed = nn.utils.rnn.pack_padded_sequence(minitorch.ones(3, 2, 4), lengths)
        assert packed.batch_sizes.device.type == "cpu" and packed.data.is_cuda
        assert nn.GRU(4, 5)(packed)[0].data.shape == (4, 5)
    finally:
        minitorch.set_default_device(None)
