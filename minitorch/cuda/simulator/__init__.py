"""CUDA kernels without a GPU."""
