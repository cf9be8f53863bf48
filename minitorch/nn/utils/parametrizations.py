"""Ready parametrisations: weights of a given length, of largest singular value 1, orthogonal ones."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from ..modules.module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """The 2-norm over all dimensions but one, kept; over all if that is None or -1."""
    if dim is None or dim == -1:
        return v.norm()
    return v.norm(2, [d for d in range(v.ndim) if d != dim % v.ndim], keepdim=True) if v.ndim > 1 else v.abs()


class _WeightNorm(Module):
    """Length and direction of weights by themselves: w = g v / |v|."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """The weight."""
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Length and direction."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    r"""Learn length and direction of a weight apart: :math:`w = g\, v / \lVert v \rVert`.

    Args:
        dim: a length for each index of this dimension; None: one for all.

    Source: Salimans and Kingma, arXiv:1602.07868.

    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> sorted(layer.state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def take_older_names(state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for k, old in enumerate(("_g", "_v")):
            if prefix + name + old in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.original{k}"] = state_dict.pop(prefix + name + old)

    module._register_load_state_dict_pre_hook(take_older_names)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value, which power iteration finds little by little."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] "
                             f"but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got {n_power_iterations}")
        self.dim, self.eps = dim % weight.ndim, eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight.detach())
            u, v = (matrix.new_empty(size).normal_(0, 1) for size in matrix.shape)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _as_matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def _iterate(self, matrix: Tensor, steps: int) -> None:
        with minitorch.no_grad():
            for _ in range(steps):
                self._u = F.normalize(matrix @ self._v, dim=0, eps=self.eps)
                self._v = F.normalize(matrix.T @ self._u, dim=0, eps=self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, divided."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / (u @ (matrix @ v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: it may have any norm."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value.

    Args:
        n_power_iterations: how many steps to take towards that value at each use in training.
        dim: whose index is the row of the weight as a matrix.

    Source: Miyato and others, arXiv:1802.05957.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    """A matrix with orthonormal columns (rows, if it is wide), from any matrix.

    A square skew-symmetric matrix A gives exp(A), or Cayley's (I + A/2)(I - A/2)⁻¹; Householder's reflections make one
    for any shape.  With a base Q₀ the result is Q₀ times that, so that any orthogonal matrix can be reached.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.orthogonal_map, self.shape = orthogonal_map, weight.shape
        self.register_buffer("base", minitorch.linalg.qr(_tall(weight.detach()), mode="complete").Q
                             if use_trivialization and orthogonal_map != "householder" else None)

    def forward(self, x: Tensor) -> Tensor:
        """The orthogonal matrix."""
        wide = x.shape[-2] < x.shape[-1]
        x = _tall(x)
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            q = _reflections(x)
        else:
            lower = x.tril()
            if n != k:
                lower = minitorch.cat([lower, x.new_zeros(*x.shape[:-1], n - k)], -1)
            skew = lower - lower.transpose(-2, -1)
            if self.orthogonal_map == "matrix_exp":
                q = minitorch.linalg.matrix_exp(skew)
            else:
                one = minitorch.eye(n, dtype=x.dtype, device=x.device)
                q = minitorch.linalg.solve(one - skew * 0.5, one + skew * 0.5)
            if self.base is not None:
                q = self.base @ q
            q = q[..., :k] if n != k else q
        return q.transpose(-2, -1) if wide else q

    def right_inverse(self, q: Tensor) -> Tensor:
        """What gives this matrix, which must be orthogonal if there is no base to put it into."""
        if q.shape != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape "
                             f"{q.shape}.")
        if self.orthogonal_map == "householder":
            return _vectors_of(_tall(q)) if q.shape[-2] >= q.shape[-1] else _vectors_of(_tall(q)).transpose(-2, -1)
        if self.base is None:
            raise NotImplementedError("It is not possible to assign to the matrix exponential or the Cayley "
                                      "parametrizations when use_trivialization=False.")
        whole = minitorch.linalg.qr(_tall(q), mode="complete")
        signs = minitorch.diagonal(whole.R, 0, -2, -1).sign()
        k = signs.shape[-1]
        self.base = minitorch.cat([whole.Q[..., :k] * signs.unsqueeze(-2), whole.Q[..., k:]], -1)
        return minitorch.zeros_like(q)


def _tall(x: Tensor) -> Tensor:
    return x.transpose(-2, -1) if x.shape[-2] < x.shape[-1] else x


def _reflections(x: Tensor) -> Tensor:
    """The first columns of the product of the reflections whose vectors are the columns below the diagonal."""
    n, k = x.shape[-2:]
    q = minitorch.eye(n, k, dtype=x.dtype, device=x.device).expand(*x.shape[:-2], n, k)
    for j in reversed(range(k)):
        v = minitorch.cat([x.new_zeros(*x.shape[:-2], j), x.new_ones(*x.shape[:-2], 1), x[..., j + 1:, j]], -1)
        v = v.unsqueeze(-1)
        q = q - (2 / (v * v).sum((-2, -1), keepdim=True)) * v @ (v.transpose(-2, -1) @ q)
    return q


def _vectors_of(q: Tensor) -> Tensor:
    """The vectors of the reflections that make a matrix with orthonormal columns, signs on the diagonal."""
    x = q.clone()
    k = x.shape[-1]
    vectors = minitorch.zeros_like(x)
    for j in range(k):
        column = x[..., j:, j]
        v = column.clone()
        v[..., 0] = v[..., 0] + minitorch.where(column[..., 0] < 0, -1.0, 1.0) * column.norm(2, -1)
        v = v / v[..., :1]
        vectors[..., j:, j] = v
        reflected = v.unsqueeze(-1) @ (v.unsqueeze(-2) @ x[..., j:, :])
        x[..., j:, :] = x[..., j:, :] - 2 / (v * v).sum(-1)[..., None, None] * reflected
    signs = minitorch.diagonal(x, 0, -2, -1).sign()
    strict = vectors.tril(-1)
    for j in range(k):
        strict[..., j, j] = signs[..., j]
    return strict


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a matrix orthogonal while it is learnt.

    Args:
        orthogonal_map: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``; by default the first for square matrices,
            the last for others.
        use_trivialization: begin at the module's own matrix, made orthogonal, rather than at one.

    Source: Lezcano-Casado and Martínez-Rubio, arXiv:1901.08428.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError('orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: '
                         f"{orthogonal_map}")
    return register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
