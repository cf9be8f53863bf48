"""The functions behind the layers: ``minitorch.nn.functional``, usually imported as ``F``; a file a subject."""

from __future__ import annotations

from . import activations, convolution, dropping, embeddings, losses, normalization, pooling, products
from .activations import *  # noqa: F403
from .convolution import *  # noqa: F403
from .dropping import *  # noqa: F403
from .embeddings import *  # noqa: F403
from .losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .pooling import *  # noqa: F403
from .products import *  # noqa: F403

__all__ = [
    *activations.__all__, *convolution.__all__, *dropping.__all__, *embeddings.__all__, *losses.__all__,
    *normalization.__all__, *pooling.__all__, *products.__all__,
]
