"""All modules, a file a subject."""

from . import (
    activation,
    adaptive,
    attention,
    batchnorm,
    container,
    conv,
    distance,
    dropout,
    embedding,
    flatten,
    fold,
    instancenorm,
    lazy,
    lazy_layers,
    linear,
    loss,
    margin_loss,
    module,
    normalization,
    padding,
    pooling,
    resampling,
    rnn,
    transformer,
)
from .activation import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .attention import *  # noqa: F403
from .batchnorm import *  # noqa: F403
from .container import *  # noqa: F403
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .flatten import *  # noqa: F403
from .fold import *  # noqa: F403
from .instancenorm import *  # noqa: F403
from .lazy import *  # noqa: F403
from .lazy_layers import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .margin_loss import *  # noqa: F403
from .module import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
from .resampling import *  # noqa: F403
from .rnn import *  # noqa: F403
from .transformer import *  # noqa: F403

SUBJECTS = (
    activation,
    adaptive,
    attention,
    batchnorm,
    container,
    conv,
    distance,
    dropout,
    embedding,
    flatten,
    fold,
    instancenorm,
    lazy,
    lazy_layers,
    linear,
    loss,
    margin_loss,
    module,
    normalization,
    padding,
    pooling,
    resampling,
    rnn,
    transformer,
)

__all__ = [name for subject in SUBJECTS for name in subject.__all__]
