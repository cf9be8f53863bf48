"""The few names of PyTorch's own C module that programs use."""

from ._tensor import _never_stands_in as _disabled_torch_function_impl
from .overrides import DisableTorchFunctionSubclass
from .random import default_generator

__all__ = ["DisableTorchFunctionSubclass", "_disabled_torch_function_impl", "default_generator"]
