"""What PyTorch's other backends are asked: none of them is here, so that settings are kept and have no effect.

A program that sets ``torch.backends.cudnn.deterministic = True`` gets what it wants: the CPU engine always is.
"""

from . import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]
