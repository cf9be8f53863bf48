"""Filling tensors with starting values, in place and without recording.

Random initialisers draw from the generator as PyTorch does: the same seed gives the same weights.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import minitorch
from minitorch import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that keeps a signal's size through a nonlinearity.

    Args:
        nonlinearity: such as ``"linear"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``, ``"selu"``.
        param: the slope of ``"leaky_relu"``.

    Raises:
        ValueError: if it is not known.

    >>> nn.init.calculate_gain("leaky_relu", 1)
    1.0
    """
    dims = ("1d", "2d", "3d")
    linear = {"linear", "sigmoid", *(f"conv{d}" for d in dims), *(f"conv_transpose{d}" for d in dims)}
    if nonlinearity in linear:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output of this weight depends on, and how many outputs an input goes to."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    out_features, in_features, *kernel = tensor.shape
    return in_features * math.prod(kernel), out_features * math.prod(kernel)


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode.lower() == "fan_out"]


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Values uniform in [a, b).

    >>> bool((nn.init.uniform_(minitorch.empty(9)) < 1).all())
    True
    """
    with minitorch.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Values normal with this mean and standard deviation."""
    with minitorch.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Values normal with this mean and standard deviation, those outside [a, b] drawn again.

    >>> float(nn.init.trunc_normal_(minitorch.empty(99), std=2.).abs().max()) <= 2
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_: the distribution of the values "
                      "may be wrong", stacklevel=2)

    def below(x: float) -> float:
        return (1 + math.erf((x - mean) / std / math.sqrt(2))) / 2

    with minitorch.no_grad():
        if below(b) - below(a) > 0.3:
            return _normal_until_inside(tensor, mean, std, a, b, generator)
        return _uniform_until_accepted(tensor, mean, std, a, b, generator)


def _normal_until_inside(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Tensor:
    """Most normal values lie inside: draw those again that do not."""
    low, high = (tensor.new_tensor(limit).item() for limit in (a, b))  # as the tensor's type has them
    tensor.normal_(mean, std, generator=generator)
    while (outside := (tensor < low) | (tensor > high)).any():
        again = minitorch.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(minitorch.where(outside, again, tensor))
    return tensor


def _uniform_until_accepted(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Tensor:
    """Few do: draw uniform values, each kept with the probability density it has, relative to the highest."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    candidates = minitorch.empty_like(tensor)
    waiting = None
    while waiting is None or waiting.any():
        candidates.uniform_(a, b, generator=generator)
        tensor.copy_(candidates if waiting is None else minitorch.where(waiting, candidates, tensor))
        log_density = candidates.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
        rejected = minitorch.empty_like(tensor).uniform_(generator=generator).log_() > log_density
        waiting = rejected if waiting is None else waiting & rejected
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The value `val` everywhere."""
    with minitorch.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix.

    >>> nn.init.eye_(minitorch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with minitorch.no_grad():
        tensor.zero_().diagonal().fill_(1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel of a convolution that passes its channels on unchanged.

    Args:
        tensor: a weight of 3, 4 or 5 dimensions.
        groups: each group of output channels passes on the input channels.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    size = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    with minitorch.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(size, tensor.shape[1])):
                tensor[(group * size + channel, channel, *centre)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Uniform in :math:`\pm \text{gain} \sqrt{6 / (\text{fan\_in} + \text{fan\_out})}`.

    Source: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010).
    """
    bound = gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))) * math.sqrt(3.0)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Normal with standard deviation :math:`\text{gain} \sqrt{2 / (\text{fan\_in} + \text{fan\_out})}`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    r"""Uniform in :math:`\pm \text{gain} \sqrt{3 / \text{fan}}`.

    Args:
        a: the slope of the leaky rectifier that follows.
        mode: ``"fan_in"`` keeps the size of the signal forward, ``"fan_out"`` backward.
        nonlinearity: what follows, as `calculate_gain` names it.

    Source: He and others, *Delving deep into rectifiers*, arXiv:1502.01852.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    r"""Normal with standard deviation :math:`\text{gain} / \sqrt{\text{fan}}`; arguments as `kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A random matrix with orthonormal rows or columns, times `gain`; further dimensions are joined to the second.

    Source: Saxe and others, arXiv:1312.6120.

    >>> w = nn.init.orthogonal_(minitorch.empty(3, 5))
    >>> minitorch.allclose(w @ w.T, minitorch.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with minitorch.no_grad():
        drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        q, r = minitorch.linalg.qr(drawn if rows >= columns else drawn.T)
        q = q * r.diagonal().sign()  # or the signs would depend on the algorithm
        tensor.copy_((q if rows >= columns else q.T).reshape(tensor.shape) * gain)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with the fraction `sparsity` of each column zero.

    Source: Martens, *Deep learning via Hessian-free optimization* (2010).
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    with minitorch.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            # PyTorch draws these from the global generator, whatever it was given.
            for row in minitorch.randperm(rows)[: math.ceil(sparsity * rows)].tolist():
                tensor[row, column] = 0
    return tensor


def _older(name: str) -> Any:
    """An initialiser by its older name, without the underscore."""
    initialiser = globals()[name + "_"]

    def older(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return initialiser(*args, **kwargs)

    older.__name__ = older.__qualname__ = name
    older.__doc__ = f"`{name}_` by its older name."
    return older


uniform, normal, constant, eye, dirac = map(_older, ("uniform", "normal", "constant", "eye", "dirac"))
xavier_uniform, xavier_normal = map(_older, ("xavier_uniform", "xavier_normal"))
kaiming_uniform, kaiming_normal = map(_older, ("kaiming_uniform", "kaiming_normal"))
orthogonal, sparse = map(_older, ("orthogonal", "sparse"))
