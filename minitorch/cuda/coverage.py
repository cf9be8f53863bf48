"""Which functions of the engine take tensors of the device; every other one refuses them, and says so.

A function belongs here when all that it computes goes through the primitives of `minitorch.cuda.backend`.
"""

from __future__ import annotations

from collections.abc import Callable

# Modules all of whose functions do.
MODULES = {
    "pointwise", "views", "engine", "tape", "function", "reduce", "extrema", "moments", "rules", "softmax", "norm",
    "scan", "index", "arrange", "pooling", "sort", "search",
}  # fmt: skip

# The functions of other modules that do.
FUNCTIONS: dict[str, set[str]] = {
    "matmul": {
        "addbmm",
        "addmm",
        "addmm_",
        "addmv",
        "addr",
        "baddbmm",
        "baddbmm_",
        "bmm",
        "dot",
        "inner",
        "linear",
        "matmul",
        "mm",
        "mv",
        "outer",
        "ger",
        "vdot",
    },
    "conv": {
        "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "unfold", "fold",
    },
    "embedding": {"embedding", "greatest_rows", "sum_of_rows"},
    "scatter": {
        "gather",
        "index_add",
        "index_add_",
        "index_copy",
        "index_copy_",
        "index_fill",
        "index_fill_",
        "scatter",
        "scatter_",
        "scatter_add",
        "scatter_add_",
        "scatter_reduce",
    },
    "random": {
        "bernoulli",
        "bernoulli_",
        "cauchy_",
        "dropout",
        "dropout_",
        "exponential_",
        "geometric_",
        "log_normal_",
        "manual_seed",
        "normal_",
        "rand",
        "rand_like",
        "randint",
        "randint_like",
        "randn",
        "randn_like",
        "random_",
        "randperm",
        "seed",
        "uniform_",
    },
}


def on_device(function: Callable) -> bool:
    """Whether a function of the engine takes tensors of the device."""
    module = function.__module__.rpartition(".")[2]
    return module in MODULES or function.__name__ in FUNCTIONS.get(module, ())
