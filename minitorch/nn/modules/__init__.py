"""All modules, a file a subject."""

from . import (
    activation,
    adaptive,
    attention,
    container,
    conv,
    distance,
    dropout,
    embedding,
    flatten,
    lazy,
    linear,
    loss,
    margin_loss,
    module,
    padding,
    pooling,
    resampling,
    rnn,
    transformer,
)
from .activation import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .attention import *  # noqa: F403
from .container import *  # noqa: F403
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .flatten import *  # noqa: F403
from .lazy import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .margin_loss import *  # noqa: F403
from .module import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
from .resampling import *  # noqa: F403
from .rnn import *  # noqa: F403
from .transformer import *  # noqa: F403

SUBJECTS = (
    activation,
    adaptive,
    attention,
    container,
    conv,
    distance,
    dropout,
    embedding,
    flatten,
    lazy,
    linear,
    loss,
    margin_loss,
    module,
    pooling,
    padding,
    resampling,
    rnn,
    transformer,
)

__all__ = [name for subject in SUBJECTS for name in subject.__all__]
