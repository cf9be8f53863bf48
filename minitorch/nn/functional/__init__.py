"""The functions behind the layers: ``minitorch.nn.functional``, usually imported as ``F``; a file a subject."""

from __future__ import annotations

from . import (
    activations,
    attention,
    convolution,
    distances,
    dropping,
    embeddings,
    likelihood_losses,
    losses,
    margin_losses,
    normalization,
    padding,
    pooling,
    products,
    rearranging,
    recurrent,
    resampling,
)
from .activations import *  # noqa: F403
from .attention import *  # noqa: F403
from .convolution import *  # noqa: F403
from .distances import *  # noqa: F403
from .dropping import *  # noqa: F403
from .embeddings import *  # noqa: F403
from .likelihood_losses import *  # noqa: F403
from .losses import *  # noqa: F403
from .margin_losses import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
from .products import *  # noqa: F403
from .rearranging import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .resampling import *  # noqa: F403

SUBJECTS = (
    activations,
    attention,
    convolution,
    distances,
    dropping,
    embeddings,
    likelihood_losses,
    losses,
    margin_losses,
    normalization,
    padding,
    pooling,
    products,
    rearranging,
    recurrent,
    resampling,
)

__all__ = [name for subject in SUBJECTS for name in subject.__all__]
