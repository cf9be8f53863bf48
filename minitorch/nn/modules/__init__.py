"""All modules, a file a subject."""

from . import (
    activation,
    container,
    conv,
    dropout,
    embedding,
    flatten,
    linear,
    loss,
    module,
    rnn,
)
from .activation import *  # noqa: F403
from .container import *  # noqa: F403
from .conv import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .flatten import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .module import *  # noqa: F403
from .rnn import *  # noqa: F403

SUBJECTS = (
    activation,
    container,
    conv,
    dropout,
    embedding,
    flatten,
    linear,
    loss,
    module,
    rnn,
)

__all__ = [name for subject in SUBJECTS for name in subject.__all__]
