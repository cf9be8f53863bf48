"""Recurrent layers: the engine's form against the one in plain operations, whatever way the sequences lie."""

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn.functional import recurrent
from minitorch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence, unpack_sequence

KINDS = ["RNN_TANH", "RNN_RELU", "GRU", "LSTM"]
GATES = {"LSTM": 4, "GRU": 3}


def draw(*shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return minitorch.tensor(values, requires_grad=True)


def sizes(how, steps, batch):
    if how == "packed":
        return recurrent.sizes_of_packed(minitorch.tensor([batch] * 2 + [batch - 1] * (steps - 3) + [1]))
    return recurrent.sizes_of(steps, batch, how == "batch_first")


def results(layer, kind, size, reverse, seed=0):
    """Outputs, first and second derivatives."""
    n, wide = 3, GATES.get(kind, 1) * 3
    sums, h = draw(size.rows, wide, seed=seed), draw(size.batch, n, seed=seed + 1)
    other = draw(size.batch, n, seed=2) if kind == "LSTM" else draw(wide, seed=2) if kind == "GRU" else None
    weight = draw(wide, n, seed=3)
    inputs = [t for t in (sums, h, other, weight) if t is not None]
    outputs = [y for y in layer(kind, size, sums, h, other, weight, reverse) if y is not None]
    loss = sum((y * y).sum() + y.sin().sum() for y in outputs)
    first = minitorch.autograd.grad(loss, inputs, create_graph=True)
    second = minitorch.autograd.grad(sum((g * g).sum() for g in first), inputs)
    return [t.detach().numpy() for t in (*outputs, *first, *second)]


def engine(kind, size, sums, h, other, weight, reverse):
    return recurrent.rnn_layer(kind, size, sums, h, other if kind == "LSTM" else None, weight,
                               other if kind == "GRU" else None, reverse)


def plain(kind, size, sums, h, other, weight, reverse):
    return recurrent.by_steps(kind, size, sums, h, other if kind == "LSTM" else None, weight,
                              other if kind == "GRU" else None, reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("how", ["steps_first", "batch_first", "packed"])
@pytest.mark.parametrize("kind", KINDS)
def test_engine_is_the_layer_step_by_step(kind, how, reverse):
    size = sizes(how, 5, 4)
    for ours, expected in zip(results(engine, kind, size, reverse), results(plain, kind, size, reverse), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-11)


def test_lstm_against_numpy():
    lstm = nn.LSTM(3, 2, dtype=minitorch.float64)
    x = np.random.default_rng(0).standard_normal((4, 2, 3))
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in lstm.parameters())
    h = c = np.zeros((2, 2))

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    for t in range(4):
        i, f, g, o = np.split(x[t] @ w_ih.T + h @ w_hh.T + b_ih + b_hh, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    out, (hn, cn) = lstm(minitorch.tensor(x))
    for ours in (out[-1], hn[0]):
        np.testing.assert_allclose(ours.detach().numpy(), h, rtol=1e-12)
    np.testing.assert_allclose(cn[0].detach().numpy(), c, rtol=1e-12)


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_cell_is_a_layer_of_one_step(cell):
    minitorch.manual_seed(0)
    step = cell(3, 4)
    layer = {nn.RNNCell: nn.RNN, nn.GRUCell: nn.GRU, nn.LSTMCell: nn.LSTM}[cell](3, 4)
    layer.load_state_dict({name + "_l0": p for name, p in step.state_dict().items()})
    x, states = minitorch.randn(5, 2, 3), None
    for t in range(5):
        states = step(x[t], states)
    h = states[0] if isinstance(states, tuple) else states
    np.testing.assert_allclose(layer(x)[0][-1].detach().numpy(), h.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_half_types_and_threads():
    lstm = nn.LSTM(8, 16)
    x = minitorch.randn(7, 5, 8)
    expected = lstm(x)[0]
    close = lstm.half()(x.half())[0]
    assert close.dtype == minitorch.float16
    np.testing.assert_allclose(close.float().detach().numpy(), expected.detach().numpy(), atol=1e-2)


@pytest.mark.cpu_only("the device composes the layer of operations, none of which needs its output")
def test_changed_output_is_noticed():
    out, _ = nn.GRU(2, 3)(minitorch.ones(4, 1, 2))
    out.mul_(2)
    with pytest.raises(RuntimeError, match="inplace"):
        out.sum().backward()


def test_packing_round_trip():
    parts = [minitorch.randn(n, 2) for n in (3, 5, 1, 4)]
    packed = pack_sequence(parts, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [4, 3, 3, 2, 1]
    for ours, part in zip(unpack_sequence(packed), parts, strict=True):
        assert minitorch.equal(ours, part)
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-1.0, total_length=6)
    assert padded.shape == (4, 6, 2) and lengths.tolist() == [3, 5, 1, 4] and (padded[2, 1:] == -1).all()
    for bad in ([3, 5], [3, 5, 1, 4], [5, 4, 3, 0], [7, 4, 3, 1]):
        with pytest.raises(RuntimeError):
            pack_padded_sequence(padded, bad, batch_first=True)


def test_what_is_refused():
    lstm = nn.LSTM(3, 4, 2)
    for x in (minitorch.ones(2, 5), minitorch.ones(2, 1, 5), minitorch.ones(0, 1, 3)):
        with pytest.raises(RuntimeError):
            lstm(x)
    with pytest.raises(ValueError, match="2D or 3D"):
        lstm(minitorch.ones(3))
    with pytest.raises(RuntimeError, match="hidden"):
        lstm(minitorch.ones(2, 1, 3), (minitorch.zeros(1, 1, 4), minitorch.zeros(2, 1, 4)))
    for options in ({"proj_size": 4}, {"dropout": 2.0}, {"num_layers": 0}):
        with pytest.raises(ValueError):
            nn.LSTM(3, 4, **options)
    layer = recurrent.rnn_layer
    size = recurrent.sizes_of(2, 2, False)
    good = minitorch.zeros(4, 3)
    for arguments in ((minitorch.zeros(4, 2), minitorch.zeros(2, 3), None, minitorch.zeros(3, 3)),
                      (good, minitorch.zeros(3, 3), None, minitorch.zeros(3, 3)),
                      (good, minitorch.zeros(2, 3), None, minitorch.zeros(3, 2)),
                      (good.double(), minitorch.zeros(2, 3), None, minitorch.zeros(3, 3))):
        with pytest.raises(RuntimeError):
            layer("RNN_TANH", size, *arguments, None, False)
    for counts in ([2, 3], [2, 0], [1, 1]):
        with pytest.raises(ValueError):
            recurrent.Sizes(minitorch.tensor([0, 2]), minitorch.tensor(counts), 2, 1)
