"""What a matrix product is, in NumPy."""

from __future__ import annotations

import numpy as np


def matmul(
    a: np.ndarray, b: np.ndarray, init: np.ndarray | None = None, *, beta: float = 1, alpha: float = 1
) -> np.ndarray:
    """``beta init + alpha a b``, leading dimensions broadcast; a vector is one row (a) or one column (b).

    Half types are summed in float32 and rounded once; integers wrap around.
    """
    wide = np.dtype(np.float32 if a.dtype == np.float16 else a.dtype).type
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    result = wide(alpha) * np.einsum("...ip,...pj->...ij", rows.astype(wide), columns.astype(wide))
    if a.ndim == 1:
        result = result[..., 0, :]
    if b.ndim == 1:
        result = result[..., 0]
    if init is not None and beta != 0:
        result = result + wide(beta) * init.astype(wide)
    return result.astype(a.dtype)
