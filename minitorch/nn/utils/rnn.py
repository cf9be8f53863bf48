"""Sequences of different lengths in one tensor: padded, or packed without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import minitorch
from minitorch import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one; None undoes None."""
    if permutation is None:
        return None
    inverse = minitorch.empty_like(permutation)
    inverse[permutation] = minitorch.arange(permutation.numel(), dtype=permutation.dtype, device=permutation.device)
    return inverse


class PackedSequence(_Packed):
    """Sequences of different lengths, step by step: of each step the elements of those that are long enough.

    Made by `pack_padded_sequence` and `pack_sequence`, which sort the sequences by length.

    Args:
        data: the elements.
        batch_sizes: how many sequences there are at each step.
        sorted_indices: where each of the sorted sequences was before.
        unsorted_indices: the opposite.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise ValueError("PackedSequence: expected data and batch_sizes, or a pair of them")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with other data: `Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def _as(self, method: str) -> PackedSequence:
        return self.to(getattr(minitorch, method))

    def double(self) -> PackedSequence:
        """The same as float64."""
        return self._as("float64")

    def float(self) -> PackedSequence:
        """The same as float32."""
        return self._as("float32")

    def half(self) -> PackedSequence:
        """The same as float16."""
        return self._as("float16")

    def long(self) -> PackedSequence:
        """The same as int64."""
        return self._as("int64")

    def int(self) -> PackedSequence:
        """The same as int32."""
        return self._as("int32")

    def short(self) -> PackedSequence:
        """The same as int16."""
        return self._as("int16")

    def char(self) -> PackedSequence:
        """The same as int8."""
        return self._as("int8")

    def byte(self) -> PackedSequence:
        """The same as uint8."""
        return self._as("uint8")

    def cpu(self) -> PackedSequence:
        """In the memory of the CPU, where it is."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On the GPU."""
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def pin_memory(self) -> PackedSequence:
        """In pinned memory."""
        return type(self)(self.data.pin_memory(), *self[1:])

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return self.data.is_pinned()


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave out the padding of sequences.

    Args:
        input: (step, batch, ...), or (batch, step, ...) if `batch_first`.
        lengths: of each sequence, at least 1.
        enforce_sorted: refuse sequences that are not sorted by length, longest first; else sort them.

    Raises:
        RuntimeError: if lengths do not fit, or are not sorted although they should be.

    >>> padded = minitorch.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> packed = nn.utils.rnn.pack_padded_sequence(padded, [2, 1, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.batch_sizes
    (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]))
    """
    sizes = lengths.tolist() if isinstance(lengths, Tensor) else [int(length) for length in lengths]
    sorted_indices = None
    if not enforce_sorted:
        order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
        sizes = [sizes[i] for i in order]
        sorted_indices = minitorch.tensor(order, dtype=minitorch.int64, device=input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    x = input.transpose(0, 1) if batch_first else input
    _check_lengths(x, sizes)
    batch_sizes, parts = [], []
    for step in range(sizes[0]):
        running = next(r for r in range(len(sizes), 0, -1) if sizes[r - 1] > step)
        batch_sizes.append(running)
    start = 0
    while start < len(batch_sizes):  # runs of steps with as many sequences are taken at once
        end = start
        while end < len(batch_sizes) and batch_sizes[end] == batch_sizes[start]:
            end += 1
        part = x[start:end, :batch_sizes[start]]
        parts.append(part.reshape(-1, *x.shape[2:]))
        start = end
    return PackedSequence(minitorch.cat(parts), minitorch.tensor(batch_sizes, device="cpu"), sorted_indices)


def _check_lengths(x: Tensor, sizes: list[int]) -> None:
    if not sizes or x.shape[1] == 0:
        raise RuntimeError("pack_padded_sequence: Cannot pack empty tensors.")
    if len(sizes) != x.shape[1]:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size="
                           f"{x.shape[1]})")
    if sizes != sorted(sizes, reverse=True):
        raise RuntimeError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can "
                           "pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
                           "requirement")
    if sizes[-1] <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is "
                           "<= 0")
    if sizes[0] > x.shape[0]:
        raise RuntimeError(f"pack_padded_sequence: a sequence of length {sizes[0]} does not fit into {x.shape[0]} "
                           "steps")


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The opposite of `pack_padded_sequence`: the padded tensor, in the first order, and the lengths.

    Args:
        total_length: pad to so many steps.

    >>> packed = nn.utils.rnn.pack_sequence([minitorch.tensor([1., 2.]), minitorch.tensor([3.])])
    >>> nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1., 2.],
            [3., 0.]]), tensor([2, 1]))
    """
    data, batch_sizes, _, unsorted_indices = sequence
    sizes = batch_sizes.tolist()
    steps, batch = len(sizes), sizes[0]
    if total_length is not None and total_length < steps:
        raise ValueError("Expected total_length to be at least the length of the longest sequence in input, but got "
                         f"total_length={total_length} and max sequence length being {steps}")
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    rows = minitorch.arange(batch, device=data.device)
    places = minitorch.tensor(starts[:-1], device=data.device).unsqueeze(1) + rows
    real = rows < batch_sizes.to(data.device).unsqueeze(1)
    out = data.index_select(0, minitorch.where(real, places, 0).reshape(-1)).reshape(steps, batch, *data.shape[1:])
    out = minitorch.where(real.reshape(steps, batch, *[1] * (data.dim() - 1)), out,
                          minitorch.tensor(padding_value, dtype=data.dtype, device=data.device))
    if total_length is not None and total_length > steps:
        out = minitorch.cat([out, out.new_full((total_length - steps, *out.shape[1:]), padding_value)])
    lengths = real.sum(0)
    if unsorted_indices is not None:
        out, lengths = out.index_select(1, unsorted_indices), lengths[unsorted_indices]
    return (out.transpose(0, 1) if batch_first else out), lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths as one tensor (step, batch, ...), or (batch, step, ...) if `batch_first`.

    >>> nn.utils.rnn.pad_sequence([minitorch.tensor([1, 2]), minitorch.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError("pad_sequence: Expected iterable for input sequences, but got arg of type: "
                           f"{type(sequences)}")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    sequences = sequences.unbind(0) if isinstance(sequences, Tensor) else list(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    longest = max(s.shape[0] for s in sequences)
    padded = []
    for s in sequences:
        rest = s.new_full((longest - s.shape[0], *s.shape[1:]), padding_value)
        padded.append(minitorch.cat([s, rest] if padding_side == "right" else [rest, s]))
    return minitorch.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The opposite of `pad_sequence`: the sequences without their padding."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[:int(length)] for sequence, length in zip(padded_sequences.unbind(0), lengths)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences.

    >>> nn.utils.rnn.pack_sequence([minitorch.tensor([1, 2]), minitorch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = minitorch.tensor([s.shape[0] for s in sequences], device="cpu")
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The opposite of `pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
