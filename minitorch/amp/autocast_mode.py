"""Regions where products of matrices and convolutions are made in bfloat16 or float16.

While a thread is in a region, the functions of the tables below are replaced, wherever minitorch has them, by versions
that convert their arguments first.  Outside of regions nothing is replaced and nothing is asked, so that there they
cost nothing.
"""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import minitorch
from minitorch import Tensor

# In the region's type: what is faster there and adds up in float32.
LOWER = """matmul mm bmm addmm addbmm baddbmm linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d scaled_dot_product_attention recurrent.layer __matmul__ __rmatmul__""".split()
# In float32: what loses too much in less.
FULL = """prod quantile nanquantile cdist trace inverse pinverse cholesky cholesky_inverse cholesky_solve
    avg_pool3d max_pool3d adaptive_avg_pool3d grid_sample mse_loss cosine_embedding_loss nll_loss hinge_embedding_loss
    poisson_nll_loss smooth_l1_loss cross_entropy l1_loss huber_loss margin_ranking_loss soft_margin_loss
    triplet_margin_loss multi_margin_loss ctc_loss kl_div multilabel_margin_loss binary_cross_entropy
    binary_cross_entropy_with_logits gaussian_nll_loss""".split()
# In the widest of the arguments' types: what wants one type.
PROMOTE = ["cat", "stack", "concat", "concatenate", "index_copy"]
# The same, but with a result in the type of the first argument, which alone the region may have made narrower.
NORMS = "batch_norm layer_norm group_norm instance_norm rms_norm prelu".split()


class _State(threading.local):
    enabled = False
    dtype = minitorch.bfloat16
    caches = True


_state = _State()
_cache: dict[int, tuple[Tensor, int, Tensor]] = {}
_lock = threading.Lock()
_regions = 0
_places: list[tuple[Any, str, Any, Any]] = []


def _convertible(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dtype != minitorch.float64


def _converted(value: Any, dtype: Any) -> Any:
    """A value with its tensors in `dtype`; a parameter is converted once in a region."""
    if isinstance(value, (list, tuple)) and any(map(_convertible, value)):
        return type(value)(_converted(item, dtype) for item in value)
    if not _convertible(value) or value.dtype == dtype:
        return value
    if not (_state.caches and value.requires_grad and value.is_leaf and minitorch.is_grad_enabled()):
        return value.to(dtype)
    known = _cache.get(id(value))
    if known is None or known[0] is not value or known[1] != value._version or known[2].dtype != dtype:
        known = _cache[id(value)] = (value, value._version, value.to(dtype))
    return known[2]


def _widest(values: Any) -> Any:
    dtypes = [value.dtype for value in _flat(values) if isinstance(value, Tensor) and value.is_floating_point()]
    return functools.reduce(minitorch.promote_types, dtypes) if dtypes else None


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _replacement(original: Callable, choose: Callable[[Any], Any], back: bool = False) -> Callable:
    """A function that converts its arguments to the type that `choose` finds, and below which nothing is converted."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _state.enabled:
            return original(*args, **kwargs)
        dtype = choose((*args, *kwargs.values()))
        _state.enabled = False
        try:
            if dtype is None:
                return original(*args, **kwargs)
            result = original(*(_converted(arg, dtype) for arg in args),
                              **{name: _converted(arg, dtype) for name, arg in kwargs.items()})
            return result.to(args[0].dtype) if back and args and isinstance(args[0], Tensor) else result
        finally:
            _state.enabled = True

    return call


def _find_places() -> list[tuple[Any, str, Any, Any]]:
    """Where the functions are: (module or class, name, function, replacement)."""
    rules: dict[str, tuple[Callable[[Any], Any], bool]] = {
        **dict.fromkeys(LOWER, (lambda values: _state.dtype, False)),
        **dict.fromkeys(FULL, (lambda values: minitorch.float32, False)),
        **dict.fromkeys(PROMOTE, (_widest, False)),
        **dict.fromkeys(NORMS, (_widest, True)),
    }
    functional = minitorch.nn.functional.__name__
    owners = [minitorch, Tensor, *(module for name, module in sys.modules.items() if name.startswith(functional))]
    replacements: dict[int, Callable] = {}
    places = []
    for owner in owners:
        for rule, (choose, back) in rules.items():
            module, _, name = rule.rpartition(".")  # "module.name" is meant in that module only
            if module and owner.__name__ != f"{functional}.{module}":
                continue
            function = getattr(owner, name, None)
            if function is not None:
                new = replacements.setdefault(id(function), _replacement(function, choose, back))
                places.append((owner, name, vars(owner).get(name), new))
    return places


def _replace(entering: bool) -> None:
    """Count a region; at the first and after the last one, change the functions."""
    global _regions, _places
    with _lock:
        _regions += 1 if entering else -1
        if entering and _regions == 1:
            _places = _places or _find_places()
            for owner, name, _, new in _places:
                setattr(owner, name, new)
        elif not entering and _regions == 0:
            _cache.clear()
            for owner, name, old, _ in _places:
                if old is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, old)


class autocast:
    """A region, or with ``@`` a function, where products are made in half precision.

    Products of matrices, linear maps, convolutions and attention convert their float32 arguments to `dtype`; losses and
    what else needs it convert theirs to float32; gradients arrive in the parameters' type.  Functions imported
    by name (``from minitorch import matmul``) into other modules are not changed: call ``minitorch.matmul``.

    Args:
        device_type: ``"cpu"``; for others there is a warning, and the region does nothing.
        dtype: bfloat16 or float16; bfloat16 if not given.
        enabled: False makes a region without conversions, also inside another.
        cache_enabled: convert parameters once in a region.

    >>> with minitorch.autocast("cpu"):
    ...     product = minitorch.ones(2, 2) @ minitorch.ones(2, 2)
    >>> product.dtype
    torch.bfloat16
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            if device_type not in ("cuda", "mps", "xpu"):
                raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
            if enabled:
                warnings.warn(f"autocast: there is no {device_type} device, so this region does nothing; "
                              "device_type='cpu' would", stacklevel=2)
            enabled = False
        dtype = _state.dtype if dtype is None else dtype
        if enabled and dtype not in (minitorch.bfloat16, minitorch.float16):
            warnings.warn(f"autocast: dtype {dtype} is not bfloat16 or float16, so this region does nothing",
                          stacklevel=2)
            enabled = False
        self.device, self.fast_dtype, self._enabled = device_type, dtype, enabled
        self._caches = _state.caches if cache_enabled is None else cache_enabled
        self._before: list[tuple[bool, Any, bool]] = []

    def __enter__(self) -> autocast:
        self._before.append((_state.enabled, _state.dtype, _state.caches))
        if self.device == "cpu":
            _state.enabled, _state.dtype, _state.caches = self._enabled, self.fast_dtype, self._caches
        _replace(True)
        return self

    def __exit__(self, *error: object) -> None:
        _replace(False)
        _state.enabled, _state.dtype, _state.caches = self._before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` does something on a kind of device: only on the CPU."""
    return device_type == "cpu"


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether this thread is in an `autocast` region.

    >>> minitorch.is_autocast_enabled("cpu")
    False
    """
    return _state.enabled and device_type in (None, "cpu")


def is_autocast_cpu_enabled() -> bool:
    """Whether this thread is in an `autocast` region of the CPU."""
    return _state.enabled


def is_autocast_cache_enabled() -> bool:
    """Whether parameters are converted once in a region."""
    return _state.caches


def get_autocast_dtype(device_type: str) -> Any:
    """What a region converts to."""
    return _state.dtype if device_type == "cpu" else minitorch.float16


def get_autocast_cpu_dtype() -> Any:
    """What a region of the CPU converts to."""
    return _state.dtype


def get_autocast_gpu_dtype() -> Any:
    """What a region of a GPU would convert to."""
    return minitorch.float16


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Callable:
    """A decorator of ``forward`` in a custom function, which remembers the region for ``backward``.

    Args:
        cast_inputs: convert the arguments to this type and run outside of the region.
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args: Any, **kwargs: Any) -> Any:
        ctx = args[0]
        ctx._dtype, enabled = get_autocast_dtype(device_type), is_autocast_enabled(device_type)
        if cast_inputs is None or not enabled:
            ctx._fwd_used_autocast = enabled
            return fwd(*args, **kwargs)
        ctx._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            return fwd(*(_converted(arg, cast_inputs) for arg in args),
                       **{name: _converted(arg, cast_inputs) for name, arg in kwargs.items()})

    return forward


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """A decorator of ``backward`` in a custom function: it runs in a region as ``forward`` did."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(*args: Any, **kwargs: Any) -> Any:
        ctx = args[0]
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(*args, **kwargs)

    return backward


# Functions of `minitorch` itself.
FUNCTIONS = {
    function.__name__: function
    for function in (autocast, get_autocast_cpu_dtype, get_autocast_dtype, get_autocast_gpu_dtype,
                     is_autocast_cache_enabled, is_autocast_cpu_enabled, is_autocast_enabled)
}
