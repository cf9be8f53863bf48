"""Special functions: ``minitorch.special``, by the names that PyTorch has for them."""

from ._ext.pointwise import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    i0,
    i1,
    log1p,
    logit,
    polygamma,
    round,
    sinc,
    xlog1py,
    xlogy,
)
from ._ext.pointwise import lgamma as gammaln
from ._ext.pointwise import sigmoid as expit
from ._ext.reduce import logsumexp
from ._ext.softmax import log_softmax, softmax

psi = digamma

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "i0", "i1", "log1p", "log_softmax",
    "logit", "logsumexp", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]
