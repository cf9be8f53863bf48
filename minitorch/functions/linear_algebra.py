"""Linear algebra by the names that `minitorch` itself has for it; see `minitorch.linalg`."""

from __future__ import annotations

from .. import return_types
from .._tensor import Tensor
from ..linalg.determinants import det as _det
from ..linalg.determinants import logdet
from ..linalg.determinants import slogdet as _slogdet
from ..linalg.lowrank import pca_lowrank, svd_lowrank
from ..linalg.lu import lu_old as lu
from ..linalg.lu import lu_solve_old as lu_solve
from ..linalg.lu import lu_unpack
from ..linalg.norms import norm_old as norm
from ..linalg.orthogonal import geqrf, orgqr, ormqr
from ..linalg.orthogonal import qr_old as qr
from ..linalg.positive import cholesky_inverse, cholesky_solve
from ..linalg.positive import cholesky_old as cholesky
from ..linalg.powers import matrix_exp, matrix_power
from ..linalg.singular import pinverse
from ..linalg.singular import svd_old as svd
from ..linalg.solving import inv as _inv
from ..linalg.solving import triangular_solve

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet", "lu", "lu_solve",
    "lu_unpack", "matrix_exp", "matrix_power", "norm", "orgqr", "ormqr", "pca_lowrank", "pinverse", "qr", "slogdet",
    "svd", "svd_lowrank", "triangular_solve",
]


def det(input: Tensor) -> Tensor:
    """`linalg.det`."""
    return _det(input)


def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`linalg.inv`."""
    return _inv(input, out=out)


def slogdet(input: Tensor, *, out=None) -> return_types.linalg_slogdet:
    """`linalg.slogdet`."""
    return _slogdet(input, out=out)


for _name in __all__:
    globals()[_name].__module__ = __name__  # where they are by these names
del _name
