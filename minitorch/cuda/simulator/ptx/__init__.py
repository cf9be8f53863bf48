"""The PTX that NVRTC makes of kernels, executed with NumPy: what the compiler made of a kernel is right, or not."""

from .machine import launch
from .memory import Region, Regions
from .parse import PtxError, parse
from .program import Loaded

__all__ = ["Loaded", "PtxError", "Region", "Regions", "launch", "parse"]
