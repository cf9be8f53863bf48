"""The functions behind the layers: ``minitorch.nn.functional``, usually imported as ``F``; a file a subject."""

from __future__ import annotations

from . import activations, attention, dropping, embeddings, losses, normalization, products
from .activations import *  # noqa: F403
from .attention import *  # noqa: F403
from .dropping import *  # noqa: F403
from .embeddings import *  # noqa: F403
from .losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .products import *  # noqa: F403

__all__ = [
    name
    for subject in (activations, attention, dropping, embeddings, losses, normalization, products)
    for name in subject.__all__
]
