"""Products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.pointwise import IN_MEMORY
from .launching import DIMS, active, dtype_name, function, span_of

if TYPE_CHECKING:
    from ..._tensor import Tensor

PRODUCT = np.dtype([
    *((name, "i4") for name in ("m", "n", "k", "batch_ndim")),
    ("batch_shape", "u4", DIMS),
    *((name, "i8") for name in ("a_rs", "a_cs", "b_rs", "b_cs", "init_rs", "init_cs", "c_step")),
    ("batch", "i8", (3, DIMS)),
])  # fmt: skip
NAMES = {dtype: f"product<{memory}>" for dtype, memory in IN_MEMORY.items() if dtype != "bool"}
TILE, THREADS = 64, 256
LAYERS = 65535  # of a grid, in its third dimension


def matmul(out: Tensor, a: Tensor, b: Tensor, init: Tensor | None, layout: bytes, alpha: float) -> None:
    """``out = init + alpha a b``; the layout is a `Product` of matmul.cu."""
    product = np.frombuffer(layout, PRODUCT)[0]
    m, n = int(product["m"]), int(product["n"])
    batches = out.numel() // (m * n)
    if batches > LAYERS or -(-m // TILE) > LAYERS:
        raise NotImplementedError(f"a product on cuda has at most {LAYERS} matrices of {LAYERS * TILE} rows: take it "
                                  "apart along its batch")  # fmt: skip
    name = NAMES[dtype_name(out)]
    kernel = function("matmul", name, (name,))
    args = [span_of(out), span_of(a, False), span_of(b, False), None if init is None else span_of(init, False)]
    active().launch(
        kernel, (-(-n // TILE), -(-m // TILE), batches), (THREADS, 1, 1), [*args, product, np.float64(alpha)]
    )
