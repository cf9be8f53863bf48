"""Recurrent layers and cells.

The engine has the fast form of one layer (``_ext/rnn.pyx``).  `by_steps` is the same in plain tensor operations: what a
reader should start with, what second derivatives go through, and the form for projections.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext.matmul import linear
from minitorch._ext.rnn import Sizes, rnn_layer

__all__: list[str] = []


# --- how the sequences lie in memory ------------------------------------------------------------------------------

@lru_cache(maxsize=64)
def sizes_of(steps: int, batch: int, batch_first: bool) -> Sizes:
    """Sequences of one length, as (step, batch) or (batch, step)."""
    apart = batch_first and steps > 1
    first = minitorch.arange(steps, device="cpu") * (1 if apart else batch)
    count = minitorch.full((steps,), batch, dtype=minitorch.int64, device="cpu")
    return Sizes(first, count, batch, steps if apart else 1)


def sizes_of_packed(batch_sizes: Tensor) -> Sizes:
    """Packed sequences: step by step, of each step the sequences that are long enough."""
    first = batch_sizes.cumsum(0) - batch_sizes
    return Sizes(first, batch_sizes, int(batch_sizes[0]), 1)


# --- one layer in plain operations --------------------------------------------------------------------------------

def _step(
    kind: str, sums: Tensor, h: Tensor, c: Tensor | None, bias: Tensor | None, weight: Tensor, projection: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """One step of some sequences."""
    if kind == "LSTM":
        i, f, g, o = (sums + linear(h, weight)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return (h if projection is None else linear(h, projection)), c
    if kind == "GRU":
        hidden = linear(h, weight, bias)
        (r, z, n), (hr, hz, hn) = sums.chunk(3, 1), hidden.chunk(3, 1)
        r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
        return (1 - z) * (n + r * hn).tanh() + z * h, None
    sums = sums + linear(h, weight)
    return (sums.tanh() if kind == "RNN_TANH" else sums.relu()), None


def by_steps(
    kind: str,
    sizes: Sizes,
    sums: Tensor,
    h: Tensor,
    c: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    reverse: bool,
    projection: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """One layer in one direction: its states at all steps, and the last state and cells.

    `sums` is what the input gives to the gates.  At every step the sequences that run (they are sorted by length, so
    they are the first ones) get a new state, and the others keep theirs.
    """
    states: list[Any] = [None] * sizes.steps
    counts, starts = sizes.count.tolist(), sizes.first.tolist()
    columns = sums.reshape(sizes.batch, sizes.steps, sums.shape[1]) if sizes.apart > 1 else None
    for t in reversed(range(sizes.steps)) if reverse else range(sizes.steps):
        n = counts[t]
        here = sums[starts[t]:starts[t] + n] if columns is None else columns[:, t]
        new_h, new_c = _step(kind, here, h[:n], None if c is None else c[:n], bias, weight, projection)
        states[t] = new_h
        h = new_h if n == sizes.batch else minitorch.cat([new_h, h[n:]])
        if c is not None:
            c = new_c if n == sizes.batch else minitorch.cat([new_c, c[n:]])
    if columns is None:
        return minitorch.cat(states), h, c
    return minitorch.stack(states, 1).reshape(sizes.rows, h.shape[1]), h, c


def gradients_by_steps(kind: str, sizes: Sizes, inputs: tuple, reverse: bool, gradients: list) -> tuple:
    """The derivative of a layer by that of its steps, which the engine asks for when that is to be differentiated."""
    sums, h0, other, weight = inputs
    c0, bias = (other, None) if kind == "LSTM" else (None, other)
    results = by_steps(kind, sizes, sums, h0, c0, weight, bias, reverse)
    pairs = [(y, g) for y, g in zip(results, gradients) if y is not None and g is not None]
    wanted = [t for t in inputs if t is not None and t.requires_grad]
    found = minitorch.autograd.grad([y for y, _ in pairs], wanted, [g for _, g in pairs], create_graph=True,
                                    allow_unused=True)
    by_id = dict(zip(map(id, wanted), found))
    return tuple(None if t is None else by_id.get(id(t)) for t in inputs)


# --- layers -------------------------------------------------------------------------------------------------------

def layer(
    kind: str,
    sizes: Sizes,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    weights: list[Tensor],
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """One layer in one direction of an input (rows, features).

    Args:
        weights: of the input, of the state, then the biases of both if there are any, then the projection if there is.
    """
    weight_ih, weight_hh, *others = weights
    biases = others[:2] if len(others) >= 2 else None
    projection = others[-1] if len(others) in (1, 3) else None
    bias = None
    if kind == "GRU":  # which needs the state's part of one gate apart
        sums = linear(x, weight_ih, biases[0] if biases else None)
        bias = biases[1] if biases else weight_hh.new_zeros(weight_hh.shape[0])
    else:
        sums = linear(x, weight_ih, biases[0] + biases[1] if biases else None)
    if projection is not None or sums.is_cuda:  # the engine's form is of the CPU
        return by_steps(kind, sizes, sums, h0, c0, weight_hh, bias, reverse, projection)
    return rnn_layer(kind, sizes, sums, h0, c0, weight_hh, bias, reverse)


def cell(
    kind: str,
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """One step of (batch, features): a layer of one step."""
    weights = [weight_ih, weight_hh] + ([] if bias_ih is None or bias_hh is None else [bias_ih, bias_hh])
    states, _, cells = layer(kind, sizes_of(1, x.shape[0], False), x, h, c, weights)
    return states, cells
