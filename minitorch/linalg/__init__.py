"""Linear algebra: ``minitorch.linalg``, a file a subject.

The work is LAPACK's, of OpenBLAS, over batches (`minitorch._ext.lapack`); the derivatives are beside the functions, and
are written with differentiable operations, so that they can be differentiated again.
"""

from __future__ import annotations

from ._common import LinAlgError
from .determinants import det, slogdet
from .eigen import eig, eigh, eigvals, eigvalsh
from .lu import ldl_factor, ldl_factor_ex, ldl_solve, lu, lu_factor, lu_factor_ex, lu_solve
from .norms import matrix_norm, norm, vector_norm
from .orthogonal import householder_product, qr
from .positive import cholesky, cholesky_ex
from .powers import matrix_exp, matrix_power, multi_dot
from .singular import cond, lstsq, matrix_rank, pinv, svd, svdvals
from .solving import inv, inv_ex, solve, solve_ex, solve_triangular, tensorinv, tensorsolve
from .vectors import cross, diagonal, matmul, vander, vecdot

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vander", "vecdot", "vector_norm",
]
