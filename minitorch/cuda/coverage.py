"""Which functions of the engine take tensors of the device; every other one refuses them, and says so.

A function belongs here when all that it computes goes through the primitives of `minitorch.cuda.backend`.
"""

from __future__ import annotations

from collections.abc import Callable

# Modules all of whose functions do.
MODULES = {
    "pointwise", "arithmetic", "views", "shaping", "engine", "tape", "function", "reduce", "extrema", "moments",
    "rules", "softmax", "norm", "scan", "index", "arrange", "pooling", "sort", "search", "optim", "attention",
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
        "multinomial",
        "normal",
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


# Why the other functions of the engine that take tensors do not, by module.
MISSING = {
    "ctc": "the loss of sequences without alignment; move its tensors to the CPU",
    "fourier": "Fourier transforms, which NumPy computes; move the tensor to the CPU",
    "lapack": "LAPACK's routines, which OpenBLAS computes; `minitorch.linalg` copies matrices to the CPU for them, and "
              "results back",
    "random": "draw on the CPU and move the result",
    "rnn": "a recurrent layer in one call; on the device it runs step by step",
}


def missing(function: Callable) -> str | None:
    """Why a function does not take the device's tensors; None if it does."""
    module = function.__module__.rpartition(".")[2]
    return None if on_device(function) else MISSING.get(module)
