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
from ._ext import arithmetic as _arithmetic
from ._ext import dtype as _dtype
from ._ext import engine as _engine
from ._ext import index as _index
from ._ext import random as _random
from ._ext import tensor as _tensor_engine
from ._ext import threads as _threads
from ._ext.arithmetic import polygamma, result_type
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
from ._ext.random import (
    Generator,
    binomial,
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
    if _function.__code__.co_varnames[0] == "input" or (_name.endswith("_") and hasattr(_arithmetic, _name)):
        globals()[_name] = _function
del _name, _function

from ._creation import CLASSES as _CLASSES  # noqa: E402
from ._creation import arange, eye, linspace, logspace, range  # noqa: E402
from .functions import *  # noqa: E402, F403

globals().update(_CLASSES)

from . import autograd  # noqa: E402
from .autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: E402

# What is imported when it is first asked for, so that importing minitorch takes little longer than importing NumPy:
# modules, and names of minitorch with the module that they come from.
_PACKAGES = set(
    """_C accelerator amp backends compiler cpu cuda datasets distributed distributions fft func jit linalg
    multiprocessing nn optim overrides profiler random return_types serialization signal special storage testing utils
    version""".split()
)
_HOMES = {
    name: home
    for home, names in {
        "amp.autocast_mode": """
        autocast get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype is_autocast_cache_enabled
        is_autocast_cpu_enabled is_autocast_enabled""",
        "autograd.anomaly_mode": "is_anomaly_check_nan_enabled is_anomaly_enabled",
        "autograd.explaining": "explain",
        "compiler": "compile",
        "cuda.runtime": "OutOfMemoryError",
        "func": "vmap",
        "utils.dlpack": "from_dlpack to_dlpack",
        "nn.functional": """
        adaptive_avg_pool1d avg_pool1d channel_shuffle constant_pad_nd cosine_similarity group_norm layer_norm
        max_pool1d max_pool1d_with_indices max_pool2d max_pool3d pairwise_distance pdist pixel_shuffle
        pixel_unshuffle rms_norm rrelu""",
        "nn.functional.resampling": "grid_sampler grid_sampler_2d grid_sampler_3d",
        "serialization": "load save",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> object:
    """A package, or a name of minitorch that lives in one."""
    from importlib import import_module

    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    home = "_foreach" if name.startswith("_foreach_") else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'minitorch' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PACKAGES, *_HOMES})
