"""Automatic differentiation: replaying what was recorded, and everything around it."""

from importlib import import_module
from typing import TYPE_CHECKING

from .._ext.tape import backward, grad
from . import function
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .variable import Variable

if TYPE_CHECKING:
    from . import anomaly_mode, drawing, forward_ad, functional, graph, profiler
    from .anomaly_mode import detect_anomaly, set_detect_anomaly

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]


def __getattr__(name: str):
    # what few programs use is imported when it is asked for
    if name in ("anomaly_mode", "drawing", "forward_ad", "functional", "graph", "profiler"):
        return import_module(f"{__name__}.{name}")
    if name in ("detect_anomaly", "set_detect_anomaly"):
        return getattr(import_module(f"{__name__}.anomaly_mode"), name)
    raise AttributeError(f"module 'minitorch.autograd' has no attribute {name!r}")
