"""Special functions: ``minitorch.special``, by the names that PyTorch has for them."""

from ._ext.arithmetic import (
    digamma,
    entr,
    erf,
    erfc,
    erfcx,
    erfinv,
    exp2,
    expm1,
    i0,
    i0e,
    i1,
    i1e,
    log1p,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    polygamma,
    round,
    sinc,
    xlog1py,
    xlogy,
    zeta,
)
from ._ext.arithmetic import igamma as gammainc
from ._ext.arithmetic import igammac as gammaincc
from ._ext.arithmetic import lgamma as gammaln
from ._ext.arithmetic import sigmoid as expit
from ._ext.moments import logsumexp
from ._ext.softmax import log_softmax, softmax
from .functions.bessel import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from .functions.gamma import mvlgamma as multigammaln
from .functions.orthogonal_polynomials import *  # noqa: F403
from .functions.orthogonal_polynomials import __all__ as _polynomials

psi, modified_bessel_i0, modified_bessel_i1 = digamma, i0, i1

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv",
    "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
    "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta", *_polynomials,
]
