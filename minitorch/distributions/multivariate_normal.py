"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minitorch
from minitorch import Tensor

from . import constraints
from .distribution import Distribution
from .utils import lazy_property, standard_normal


def solve_lower(lower: Tensor, vector: Tensor) -> Tensor:
    """x with ``lower x = vector``, over all leading dimensions, which broadcast."""
    parts: list[Tensor] = []
    for i in range(vector.shape[-1]):
        known = sum((lower[..., i, j] * parts[j] for j in range(i)), vector.new_zeros(()))
        parts.append((vector[..., i] - known) / lower[..., i, i])
    return minitorch.stack(parts, -1)


class MultivariateNormal(Distribution):
    r"""Vectors around `loc`, with one of three descriptions of how their entries vary together.

    .. math:: \log p(x) = -\tfrac12 \left((x - \mu)^T \Sigma^{-1} (x - \mu) + \log \det \Sigma + n \log 2\pi\right)

    Args:
        loc: :math:`\mu`, of shape ``(*, n)``.
        covariance_matrix: :math:`\Sigma`, of shape ``(*, n, n)``.
        precision_matrix: :math:`\Sigma^{-1}`, instead.
        scale_tril: a lower triangle L with :math:`\Sigma = L L^T`, instead, which is the cheapest.

    >>> d = minitorch.distributions.MultivariateNormal(minitorch.zeros(2), scale_tril=minitorch.eye(2))
    >>> d.log_prob(minitorch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        (name, matrix), = given.items()
        if matrix.ndim < 2:
            raise ValueError(f"{name} matrix must be at least two-dimensional, with optional leading batch dimensions")
        n, batch = loc.shape[-1], minitorch.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch, n))
        self.__dict__[name] = matrix.expand((*batch, n, n))
        super().__init__(batch, (n,), validate_args)
        if name != "scale_tril":
            self._unbroadcasted_scale_tril = _factor(matrix, inverse=name == "precision_matrix")
        else:
            self._unbroadcasted_scale_tril = matrix

    @lazy_property
    def scale_tril(self) -> Tensor:
        """L."""
        n = self.event_shape[0]
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, n, n))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrix."""
        return self.scale_tril @ self.scale_tril.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        eye = minitorch.eye(self.event_shape[0], dtype=self.loc.dtype, device=self.loc.device)
        inverse = solve_lower(self.scale_tril.unsqueeze(-3), eye).mT
        return inverse.mT @ inverse

    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: self.scale_tril.pow(2).sum(-1))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Distribution:
        """The same for a larger `batch_shape`."""
        n = self.event_shape[0]
        return MultivariateNormal(self.loc.expand((*batch_shape, n)),
                                  scale_tril=self.scale_tril.expand((*batch_shape, n, n)), validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors of shape ``sample_shape + batch_shape + (n,)``."""
        noise = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        distance = solve_lower(self.scale_tril, value - self.loc).pow(2).sum(-1)
        return -0.5 * (self.event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def _half_log_det(self) -> Tensor:
        return self.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return 0.5 * self.event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()


def _factor(matrix: Tensor, inverse: bool) -> Tensor:
    """L of a covariance matrix, or of the inverse of one."""
    if not inverse:
        return minitorch.linalg.cholesky(matrix)
    # With both orders turned round, the factor of the inverse is the inverse of the factor.
    turned = minitorch.linalg.cholesky(matrix.flip((-2, -1))).flip((-2, -1)).mT
    eye = minitorch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    return solve_lower(turned.unsqueeze(-3), eye).mT
