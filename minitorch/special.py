"""Special functions by the names of `torch.special`.

>>> import minitorch
>>> minitorch.special.expit(minitorch.tensor([0.]))
tensor([0.5000])
"""

from __future__ import annotations

from ._ext.pointwise import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    i0,
    i1,
    lgamma,
    log1p,
    logit,
    polygamma,
    round,
    sigmoid,
    sinc,
    xlog1py,
    xlogy,
)
from ._ext.reduce import logsumexp
from ._ext.softmax import log_softmax, softmax

expit, gammaln, psi = sigmoid, lgamma, digamma

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "i0", "i1", "log1p", "log_softmax",
    "logit", "logsumexp", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]  # fmt: skip
