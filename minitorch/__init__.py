"""minitorch: a deep-learning library with PyTorch's interface, to read, to teach from and to use.

>>> import minitorch as torch
>>> w = torch.tensor([1., 2.], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad
tensor([2., 4.])
"""

from __future__ import annotations

import math as _math

from ._device import channels_last, contiguous_format, device, layout, memory_format, preserve_format, strided
from ._ext import dtype as _dtype
from ._ext import engine as _engine
from ._ext import index as _index
from ._ext import pointwise as _pointwise
from ._ext import random as _random
from ._ext import tensor as _tensor_engine
from ._ext import threads as _threads
from ._ext.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from ._ext.dtype import (
    can_cast,
    dtype,
    finfo,
    get_default_dtype,
    iinfo,
    promote_types,
    set_default_dtype,
)
from ._ext.engine import as_tensor, empty, from_numpy, full, ones, tensor, zeros
from ._ext.index import cat, stack
from ._ext.pointwise import polygamma, result_type
from ._ext.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    normal,
    rand,
    randint,
    randn,
    randperm,
    seed,
    set_rng_state,
)
from ._ext.storage import empty_cache, memory_stats, set_cache_limit
from ._ext.tensor import is_grad_enabled, is_inference_mode_enabled
from ._ext.threads import get_num_threads, set_num_threads
from ._printing import get_printoptions, set_printoptions
from ._settings import *  # noqa: F403
from ._settings import _assert, _check
from ._size import Size
from ._tensor import Tensor, engine_functions
from ._version import __version__

bool, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, complex128 = _dtype.ALL
cfloat, cdouble = complex64, complex128
short, int, long, half, float, double = int16, int32, int64, float16, float32, float64
pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None

for _name, _function in engine_functions("input", "self"):
    # of the methods alone, those that change one tensor in place are functions too
    if _function.__code__.co_varnames[0] == "input" or (_name.endswith("_") and hasattr(_pointwise, _name)):
        globals()[_name] = _function
del _name, _function

from ._creation import CLASSES as _CLASSES  # noqa: E402
from ._creation import arange, eye, linspace, logspace, range  # noqa: E402
from .functions import *  # noqa: E402, F403

globals().update(_CLASSES)

# the packages: each uses those before it
from . import autograd, nn, optim  # noqa: E402, I001
from . import amp, backends, cuda, datasets, fft, func, linalg, return_types, signal, special, utils, version  # noqa: E402
from .amp.autocast_mode import FUNCTIONS as _AUTOCAST  # noqa: E402
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled  # noqa: E402
from .autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: E402
from .func import vmap  # noqa: E402
from .nn.functional import (  # noqa: E402
    adaptive_avg_pool1d,
    avg_pool1d,
    channel_shuffle,
    constant_pad_nd,
    cosine_similarity,
    group_norm,
    layer_norm,
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool3d,
    pairwise_distance,
    pdist,
    pixel_shuffle,
    pixel_unshuffle,
    rms_norm,
    rrelu,
)

globals().update(_AUTOCAST)


# What few programs use is imported when it is asked for: the module, and the name in it if it is not the module itself.
_LAZY = {
    "distributions": ("distributions", None),
    "explain": ("autograd.explaining", "explain"),
    "load": ("serialization", "load"),
    "profiler": ("profiler", None),
    "random": ("random", None),
    "save": ("serialization", "save"),
    "serialization": ("serialization", None),
    "storage": ("storage", None),
}


def __getattr__(name: str) -> object:
    """What is imported at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'minitorch' has no attribute {name!r}")
    from importlib import import_module

    home, inside = _LAZY[name]
    module = import_module(f"{__name__}.{home}")
    return module if inside is None else getattr(module, inside)
