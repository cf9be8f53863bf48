"""Recurrent networks: plain, LSTM and GRU; in layers over whole sequences, and as cells."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import TYPE_CHECKING, Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .. import init
from ..functional import recurrent
from ..parameter import Parameter
from .module import Module

if TYPE_CHECKING:
    from ..utils.rnn import PackedSequence

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _permuted(t: Tensor, order: Tensor | None) -> Tensor:
    """The sequences of a state in another order."""
    return t if order is None else t.index_select(1, order)


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: layers, directions, dropout between layers, packed sequences."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_options(hidden_size, num_layers, dropout, proj_size)
        if mode not in GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._names: list[list[str]] = []
        options = {"device": device, "dtype": dtype}
        for layer in range(num_layers):
            for suffix in ("", "_reverse") if bidirectional else ("",):
                self._add_weights(layer, suffix, options)
        self.reset_parameters()

    def _add_weights(self, layer: int, suffix: str, options: dict[str, Any]) -> None:
        rows = GATES[self.mode] * self.hidden_size
        state = self.proj_size or self.hidden_size
        width = self.input_size if layer == 0 else state * (2 if self.bidirectional else 1)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
        for name, shape in names.items():
            setattr(self, name, Parameter(minitorch.empty(shape, **options)))
        self._names.append(list(names))

    def reset_parameters(self) -> None:
        r"""Draw all weights anew, uniform in :math:`\pm 1/\sqrt{\text{hidden\_size}}`."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """For programs that call it: there is nothing to do on a CPU."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    @property
    def _flat_weights(self) -> list[Parameter]:
        return [weight for weights in self.all_weights for weight in weights]

    # --- checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Refuse an input of another type or width than the weights expect."""
        weight = getattr(self, self._names[0][0])
        if input.dtype != weight.dtype and not minitorch.is_autocast_enabled():
            raise ValueError(f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                             f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})")
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                               f"{input.size(-1)}")

    def _check_state(self, state: Tensor, batch: int, width: int, name: str) -> None:
        expected = (self.num_layers * (2 if self.bidirectional else 1), batch, width)
        if tuple(state.shape) != expected:
            raise RuntimeError(f"Expected {name} size {expected}, got {list(state.shape)}")

    # --- computing

    def _first_state(self, batch: int, width: int, like: Tensor) -> Tensor:
        return minitorch.zeros(self.num_layers * (2 if self.bidirectional else 1), batch, width, dtype=like.dtype,
                               device=like.device)

    def _layers(self, x: Tensor, sizes: Any, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """All layers over rows of features: their output, the last states, the last cells."""
        directions = 2 if self.bidirectional else 1
        last_h, last_c = [], []
        weights = self.all_weights
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                k = layer * directions + direction
                out, hn, cn = recurrent.layer(self.mode, sizes, x, h[k], None if c is None else c[k], weights[k],
                                              direction == 1)
                outputs.append(out)
                last_h.append(hn)
                last_c.append(cn)
            x = outputs[0] if directions == 1 else minitorch.cat(outputs, 1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout)
        return x, minitorch.stack(last_h), None if c is None else minitorch.stack(last_c)

    def _run(
        self, input: Tensor | PackedSequence, h: Tensor | None, c: Tensor | None
    ) -> tuple[Any, Tensor, Tensor | None]:
        """The whole of `forward`, for any form of the input."""
        if not isinstance(input, Tensor):
            return self._run_packed(input, h, c)
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if input.dim() == 3:
            return self._run_batch(input, h, c)
        for name, state in (("hx", h), ("cx", c)):
            if state is not None and state.dim() != 2:
                raise RuntimeError(f"For unbatched 2-D input, {name} should also be 2-D but got {state.dim()}-D tensor")
        batch_dim = 0 if self.batch_first else 1
        h, c = (None if state is None else state.unsqueeze(1) for state in (h, c))
        out, hn, cn = self._run_batch(input.unsqueeze(batch_dim), h, c)
        return out.squeeze(batch_dim), hn.squeeze(1), None if cn is None else cn.squeeze(1)

    def _run_batch(self, x: Tensor, h: Tensor | None, c: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        self.check_input(x, None)
        for name, state in (("hx", h), ("cx", c)):
            if state is not None and state.dim() != 3:
                raise RuntimeError(f"For batched 3-D input, {name} should also be 3-D but got {state.dim()}-D tensor")
        # dropout draws in the order of steps, so then the steps come first
        turned = self.batch_first and self.training and self.dropout > 0 and self.num_layers > 1
        batch_first = self.batch_first and not turned
        if turned:
            x = x.transpose(0, 1)
        steps, batch = (x.shape[1], x.shape[0]) if batch_first else (x.shape[0], x.shape[1])
        if steps == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        h, c = self._states(x, h, c, batch)
        out, hn, cn = self._layers(x.reshape(steps * batch, x.shape[2]), recurrent.sizes_of(steps, batch, batch_first),
                                   h, c)
        out = out.reshape(x.shape[0], x.shape[1], out.shape[1])
        return out.transpose(0, 1) if turned else out, hn, cn

    def _run_packed(self, input: PackedSequence, h: Tensor | None, c: Tensor | None) -> tuple[Any, Tensor, Any]:
        from ..utils.rnn import PackedSequence

        x, batch_sizes, order, back = input
        self.check_input(x, batch_sizes)
        h, c = (None if state is None else _permuted(state, order) for state in (h, c))
        h, c = self._states(x, h, c, int(batch_sizes[0]))
        out, hn, cn = self._layers(x, recurrent.sizes_of_packed(batch_sizes), h, c)
        return (PackedSequence(out, batch_sizes, order, back), _permuted(hn, back),
                None if cn is None else _permuted(cn, back))

    def _states(self, x: Tensor, h: Tensor | None, c: Tensor | None, batch: int) -> tuple[Tensor, Tensor | None]:
        """The first states: those given, checked, or zeros."""
        lstm = self.mode == "LSTM"
        if h is None:
            h = self._first_state(batch, self.proj_size or self.hidden_size, x)
            return h, self._first_state(batch, self.hidden_size, x) if lstm else None
        self._check_state(h, batch, self.proj_size or self.hidden_size, "hidden[0]" if lstm else "hidden")
        if c is not None:
            self._check_state(c, batch, self.hidden_size, "hidden[1]")
        return h, c

    def extra_repr(self) -> str:
        """What differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
                            ("dropout", 0), ("bidirectional", False)):
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        return text


def _check_options(hidden_size: int, num_layers: int, dropout: float, proj_size: int) -> None:
    if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being "
                         "zeroed")
    if dropout > 0 and num_layers == 1:
        warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                      f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                      stacklevel=4)
    if not isinstance(hidden_size, int):
        raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNN(RNNBase):
    r"""Elman's recurrent network, in layers.

    .. math:: h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: each takes the states of the one before as its input.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: add the biases.
        batch_first: input and output are (batch, step, feature), not (step, batch, feature); states are not.
        dropout: of the output of each layer but the last, while training.
        bidirectional: a second network goes backward, and their states are joined.

    Shape:
        input ``(L, N, input_size)``, or ``(L, input_size)``, or a packed sequence; states
        ``(num_layers * directions, N, hidden_size)``; output ``(L, N, directions * hidden_size)``.

    Returns:
        the states of the last layer at all steps, and the last states of all layers.

    >>> output, h = nn.RNN(3, 5, num_layers=2)(minitorch.ones(7, 4, 3))
    >>> output.shape, h.shape
    (torch.Size([7, 4, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        args = list(args)
        self.nonlinearity = args.pop(3) if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        nonlinearity = self.nonlinearity
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The states at all steps, and the last."""
        return self._run(input, hx, None)[:2]


class GRU(RNNBase):
    r"""Gated recurrent units, in layers.

    .. math::
        r &= \sigma(W_{ir} x + b_{ir} + W_{hr} h + b_{hr}) \\
        z &= \sigma(W_{iz} x + b_{iz} + W_{hz} h + b_{hz}) \\
        n &= \tanh(W_{in} x + b_{in} + r (W_{hn} h + b_{hn})) \\
        h' &= (1 - z) n + z h

    Arguments, shapes and results are those of `RNN`.

    Source: Cho and others, arXiv:1406.1078.

    >>> output, h = nn.GRU(3, 5, batch_first=True, bidirectional=True)(minitorch.ones(4, 7, 3))
    >>> output.shape, h.shape
    (torch.Size([4, 7, 10]), torch.Size([2, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The states at all steps, and the last."""
        return self._run(input, hx, None)[:2]


class LSTM(RNNBase):
    r"""Long short-term memory, in layers.

    .. math::
        i, f, o &= \sigma(W_i x + U_i h + b_i),\ \sigma(W_f x + U_f h + b_f),\ \sigma(W_o x + U_o h + b_o) \\
        c' &= f c + i \tanh(W_g x + U_g h + b_g) \\
        h' &= o \tanh c'

    Arguments and shapes are those of `RNN`, and:

    Args:
        proj_size: project the states to so many features, if not 0.

    Returns:
        the states of the last layer at all steps, and a pair: the last states and the last cells of all layers.

    Source: Hochreiter and Schmidhuber, *Long Short-Term Memory*, 1997; projections: arXiv:1402.1128.

    >>> output, (h, c) = nn.LSTM(3, 5)(minitorch.ones(7, 4, 3))
    >>> output.shape, h.shape, c.shape
    (torch.Size([7, 4, 5]), torch.Size([1, 4, 5]), torch.Size([1, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """The states at all steps, and the last states and cells."""
        out, h, c = self._run(input, *(hx if hx is not None else (None, None)))
        return out, (h, c)


# --- cells --------------------------------------------------------------------------------------------------------

class RNNCellBase(Module):
    """What the cells have in common: their weights, and a step of one sequence or a batch."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows, options = num_chunks * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(minitorch.empty(rows, input_size, **options))
        self.weight_hh = Parameter(minitorch.empty(rows, hidden_size, **options))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(minitorch.empty(rows, **options)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Draw all weights anew, uniform in :math:`\pm 1/\sqrt{\text{hidden\_size}}`."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(
        self, kind: str, input: Tensor, h: Tensor | None, c: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for state in (h, c):
            if state is not None and state.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {state.dim()}D instead")
        batched = input.dim() == 2
        x, h, c = (t if t is None or batched else t.unsqueeze(0) for t in (input, h, c))
        if x.shape[1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}")
        if h is None:
            h = x.new_zeros(x.shape[0], self.hidden_size)
        if kind == "LSTM" and c is None:
            c = x.new_zeros(x.shape[0], self.hidden_size)
        for label, state in (("0", h), ("1", c)):
            if state is not None and tuple(state.shape) != (x.shape[0], self.hidden_size):
                raise RuntimeError(f"hidden{label} has inconsistent shape: got {list(state.shape)}, expected "
                                   f"{[x.shape[0], self.hidden_size]} (input batch size and hidden_size)")
        h, c = recurrent.cell(kind, x, h, c, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if batched else (h.squeeze(0), None if c is None else c.squeeze(0))

    def extra_repr(self) -> str:
        """What differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text + (f", nonlinearity={nonlinearity}" if nonlinearity != "tanh" else "")


class RNNCell(RNNCellBase):
    """One step of an `RNN`: from an input and a state to the next state.

    Shape:
        input ``(N, input_size)``, or without ``N``; states ``(N, hidden_size)``.

    >>> nn.RNNCell(3, 5)(minitorch.ones(4, 3)).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, hx)[0]


class GRUCell(RNNCellBase):
    """One step of a `GRU`: from an input and a state to the next state.

    >>> nn.GRUCell(3, 5)(minitorch.ones(4, 3)).shape
    torch.Size([4, 5])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        return self._step("GRU", input, hx)[0]


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`: from an input, a state and cells to the next state and cells.

    >>> h, c = nn.LSTMCell(3, 5)(minitorch.ones(4, 3))
    >>> h.shape, c.shape
    (torch.Size([4, 5]), torch.Size([4, 5]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The next state and cells."""
        return self._step("LSTM", input, *(hx if hx is not None else (None, None)))
