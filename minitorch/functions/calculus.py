"""Differences, gradients and integrals of sampled functions; covariances."""

from __future__ import annotations

from .._ext.index import cat
from .._tensor import Tensor
from ._common import inexact, require_tensor, with_out, wrap_dim
from .complex_numbers import complex

__all__ = ["corrcoef", "cov", "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]


@with_out
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
         append: Tensor | None = None) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times.

    .. math:: y_i = x_{i+1} - x_i

    >>> import minitorch
    >>> minitorch.tensor([1, 3, 6]).diff()
    tensor([2, 3])
    """
    require_tensor(input, "diff")
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    d = wrap_dim(dim, input.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input.clone()
    for name, more in (("prepend", prepend), ("append", append)):
        if more is None:
            continue
        if more.ndim != input.ndim:
            raise RuntimeError(f"diff expects {name} to have the same number of dimensions as input")
        if any(a != b for k, (a, b) in enumerate(zip(more.shape, input.shape)) if k != d):
            raise RuntimeError(f"diff expects the shape of tensor to prepend or append to match that of input except "
                               f"along the differencing dimension; input.size() = {list(input.shape)}, but got "
                               f"{name}.size() = {list(more.shape)}")
    if prepend is not None or append is not None:
        input = cat([t for t in (prepend, input, append) if t is not None], d)
    if n >= input.shape[d]:
        return input.narrow(d, 0, 0).clone()
    for _ in range(n):
        size = input.shape[d] - 1
        after, before = input.narrow(d, 1, size), input.narrow(d, 0, size)
        input = after != before if input.dtype.name == "bool" else after - before
    return input


def _spacings(spacing, dims: list[int], input: Tensor) -> list:
    if spacing is None:
        return [1] * len(dims)
    if isinstance(spacing, Tensor) or not isinstance(spacing, (int, float, list, tuple)):
        raise TypeError("gradient(): spacing must be a number or a sequence of numbers or tensors")
    if isinstance(spacing, (int, float)):
        return [spacing] * len(dims)
    if len(spacing) != len(dims):
        raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                           f"'self.dim() = {input.ndim}' or the number of dims ({len(dims)}), but got a list of length "
                           f"{len(spacing)}")
    return list(spacing)


def gradient(input: Tensor, *, spacing=None, dim=None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """Estimates of the derivatives of a function of which samples are given, one along each dimension.

    Central differences of second order inside, one-sided ones of order ``edge_order`` at the ends.

    Args:
        spacing: the distance of samples, one for each dimension, or the coordinates of the samples.
        dim: along which dimensions; None for all.

    >>> import minitorch
    >>> minitorch.gradient(minitorch.tensor([1., 2., 4., 7.]))[0]
    tensor([1.0000, 1.5000, 2.5000, 3.0000])
    """
    require_tensor(input, "gradient")
    dims = list(range(input.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    wrapped = [wrap_dim(d, input.ndim) for d in dims]
    if len(set(wrapped)) < len(wrapped):
        raise RuntimeError(f"dim {dims} appears multiple times in the list of dims")
    for d in wrapped:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    steps = _spacings(spacing, wrapped, input)
    values = inexact(input)
    results = []
    for d, step in zip(wrapped, steps):
        if isinstance(step, Tensor) and step.ndim == 1:
            if len(step) != input.shape[d]:
                raise RuntimeError(f"torch.gradient expected each element of coordinates to have as many samples as "
                                   f"the dimension, {input.shape[d]}, got {len(step)}")
            results.append(_uneven(values, step, d, edge_order))
        elif isinstance(step, Tensor) and step.ndim > 1:
            raise RuntimeError("torch.gradient expected each element of spacing to have one dimension, got "
                               f"{step.ndim}")
        else:
            results.append(_even(values, step, d, edge_order))
    return tuple(results)


def _even(x: Tensor, step, d: int, edge_order: int) -> Tensor:
    size = x.shape[d]
    inside = (x.narrow(d, 2, size - 2) - x.narrow(d, 0, size - 2)) / (2 * step) if size > 2 else None

    def at(i):
        return x.narrow(d, i % size, 1)

    if edge_order == 1:
        first, last = (at(1) - at(0)) / step, (at(-1) - at(-2)) / step
    else:
        first = (-1.5 * at(0) + 2 * at(1) - 0.5 * at(2)) / step
        last = (0.5 * at(-3) - 2 * at(-2) + 1.5 * at(-1)) / step
    return cat([part for part in (first, inside, last) if part is not None], d)


def _uneven(x: Tensor, coordinates: Tensor, d: int, edge_order: int) -> Tensor:
    size = x.shape[d]
    gaps = coordinates.diff().to(x.dtype)

    def at(i):
        return x.narrow(d, i % size, 1)

    def along(t):
        return t.reshape([-1 if k == d else 1 for k in range(x.ndim)])

    parts = []
    before, after = along(gaps[:-1]), along(gaps[1:])
    if size > 2:
        left, middle, right = x.narrow(d, 0, size - 2), x.narrow(d, 1, size - 2), x.narrow(d, 2, size - 2)
        parts = [left * (-after / (before * (before + after))) + middle * ((after - before) / (before * after))
                 + right * (before / (after * (before + after)))]
    if edge_order == 1:
        first, last = (at(1) - at(0)) / gaps[0], (at(-1) - at(-2)) / gaps[-1]
    else:
        a, b = gaps[0], gaps[1]
        first = -(2 * a + b) / (a * (a + b)) * at(0) + (a + b) / (a * b) * at(1) - a / (b * (a + b)) * at(2)
        a, b = gaps[-2], gaps[-1]
        last = b / (a * (a + b)) * at(-3) - (a + b) / (a * b) * at(-2) + (2 * b + a) / (b * (a + b)) * at(-1)
    return cat([first, *parts, last], d)


def _panels(y: Tensor, x, dx, dim: int, name: str):
    """The areas between neighbouring samples."""
    if y.ndim == 0:
        raise IndexError(f"{name}: Dimension specified as {dim} but tensor has no dimensions")
    d = wrap_dim(dim, y.ndim)
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes either x or dx")
    size = y.shape[d]
    if size == 0:
        return None, d
    heights = y.narrow(d, 1, size - 1) + y.narrow(d, 0, size - 1)
    if x is None:
        return heights * ((1 if dx is None else dx) / 2) if y.is_floating_point() or dx is not None else heights / 2, d
    require_tensor(x, name, "x", 2)
    if x.ndim == 0:
        raise IndexError(f"{name}: x must have at least one dimension")
    if x.ndim == 1:
        if len(x) != size:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point, got {len(x)} for {size}")
        x = x.reshape([-1 if k == d else 1 for k in range(y.ndim)])
    else:
        x = x.reshape((1,) * max(0, y.ndim - x.ndim) + tuple(x.shape))
        if x.shape[wrap_dim(dim, x.ndim)] != size:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
    along = d - y.ndim                                     # x may have more dimensions than y
    widths = x.narrow(along, 1, x.shape[along] - 1) - x.narrow(along, 0, x.shape[along] - 1)
    return widths * heights / 2, along


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx=None, dim: int = -1) -> Tensor:
    r"""The integral along ``dim`` of sampled values, by the trapezoidal rule.

    .. math:: \sum_i \tfrac12 (y_i + y_{i+1})\,(x_{i+1} - x_i)

    >>> import minitorch
    >>> minitorch.trapezoid(minitorch.tensor([1., 2., 4.]))
    tensor(4.5000)
    """
    require_tensor(y, "trapezoid", "y")
    areas, d = _panels(y, x, dx, dim, "trapezoid")
    if areas is None:
        return y.new_zeros([n for k, n in enumerate(y.shape) if k != d])
    return areas.sum(d)


trapz = trapezoid


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx=None, dim: int = -1) -> Tensor:
    """The integrals up to each sample but the first, by the trapezoidal rule; see `trapezoid`.

    >>> import minitorch
    >>> minitorch.cumulative_trapezoid(minitorch.tensor([1., 2., 4.]))
    tensor([1.5000, 4.5000])
    """
    require_tensor(y, "cumulative_trapezoid", "y")
    areas, d = _panels(y, x, dx, dim, "cumulative_trapezoid")
    return y.narrow(d, 0, 0) if areas is None else areas.cumsum(d)


# --- covariances ------------------------------------------------------------------------------------------------------

def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None,
        aweights: Tensor | None = None) -> Tensor:
    r"""The covariances of the variables that are the rows of a matrix, its columns being the observations.

    .. math:: C_{ij} = \frac{\sum_k w_k (x_{ik} - \mu_i)(x_{jk} - \mu_j)}{\sum_k w_k - \text{correction}}

    Args:
        fweights: how often each observation was made.
        aweights: how much each observation counts; the correction is then multiplied by their weighted mean.

    >>> import minitorch
    >>> minitorch.cov(minitorch.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} "
                           "dimensions")
    if input.dtype.name == "bool":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    observations = x.shape[1]
    weights = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if given.ndim > 1:
            raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {given.ndim}")
        if (name == "fweights") == given.is_floating_point() or given.dtype.name == "bool":
            kind = "integral" if name == "fweights" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {given.dtype} dtype")
        if given.numel() != observations:
            raise RuntimeError(f"cov(): expected {name} to have the same numel as there are observations in the input "
                               f"but got {given.numel()} != {observations}")
        if given.numel() and given.min().item() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
        weights = given.reshape(-1) if weights is None else weights * given.reshape(-1)
    x = inexact(x)
    if weights is None:
        total, mean = observations, x.mean(1, keepdim=True)
    else:
        total = weights.sum()
        if total.item() == 0:
            raise ZeroDivisionError("cov(): weights sum to zero, can't be normalized")
        mean = (x * weights).sum(1, keepdim=True) / total
    if weights is not None and aweights is not None and correction:
        factor = total - correction * (weights * aweights.reshape(-1)).sum() / total
    else:
        factor = total - correction
    centred = x - mean
    other = centred if weights is None else centred * weights
    factor = max(factor, 0) if isinstance(factor, (int, float)) else factor.clamp(min=0)
    result = centred @ other.mH / factor
    return result.squeeze()


def corrcoef(input: Tensor) -> Tensor:
    r"""The correlation coefficients of the variables that are the rows of a matrix.

    .. math:: R_{ij} = C_{ij} / \sqrt{C_{ii} C_{jj}}

    >>> import minitorch
    >>> minitorch.corrcoef(minitorch.tensor([[0., 1., 2.], [4., 2., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got an input with "
                           f"{input.ndim} dimensions")
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviations = c.diagonal().real.sqrt()
    r = c / deviations.unsqueeze(-1) / deviations.unsqueeze(0)
    return complex(r.real.clamp(-1, 1), r.imag.clamp(-1, 1)) if r.is_complex() else r.clamp(-1, 1)
