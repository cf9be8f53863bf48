"""``python -m minitorch doctor``: what minitorch runs on, and for each problem what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping

import numpy as np

import minitorch
from minitorch._ext import build, matmul, threads
from minitorch.cuda import diagnosis

GENERIC_CORES = {"CORE2", "DUNNINGTON", "GENERIC", "NEHALEM", "OPTERON", "PENRYN", "PRESCOTT", "ARMV8", "UNKNOWN"}


def facts() -> dict[str, str]:
    """What there is, by subject.

    >>> facts()["NumPy"] == np.__version__
    True
    """
    info, blas, pool = build.build_info(), matmul.blas_info(), threads.pool_info()
    found = {
        "minitorch": f"{minitorch.__version__} in {os.path.dirname(minitorch.__file__)}",
        "Python": f"{platform.python_version()} ({platform.python_implementation()}) at {sys.executable}",
        "NumPy": np.__version__,
        "built with": f"Cython {info['cython']}; {info['compiled']}" + ("; sanitized" if info["sanitized"] else ""),
        "processor": f"{_processor()}, {pool['cpus']} usable of {os.cpu_count()}",
        "instructions": info["instruction_set"],
        "BLAS": f"{blas['config']}, kernels for {blas['core']}" if blas["available"] else f"none: {blas['problem']}",
        "threads": f"{pool['threads']}",
        "allocator": _allocator(minitorch.memory_stats()),
        "environment": ", ".join(f"{name}={value}" for name, value in settings(os.environ).items()) or "nothing set",
    }
    return {**found, **diagnosis.facts()}


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that change how minitorch, OpenBLAS or OpenMP programs run."""
    prefixes = ("MINITORCH_", "MT_", "OPENBLAS_", "GOTO_", "OMP_", "GOMP_", "KMP_", "MKL_")
    return {name: environment[name] for name in sorted(environment) if name.startswith(prefixes)}


def problems(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each thing that is not as it could be, with what to do."""
    info, blas, pool = build.build_info(), matmul.blas_info(), threads.pool_info()
    yield from _build_problems(info)
    if info["blas"] and not blas["available"]:
        yield f"OpenBLAS cannot be used ({blas['problem']}): matrix products are slower; install minitorch again"
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        if name in environment:
            yield (f"{name}={environment[name]} overrides what OpenBLAS finds out about this processor, which can "
                   f"halve its speed: unset {name} before starting Python")
    if blas["available"] and blas["core"].upper() in GENERIC_CORES and "OPENBLAS_CORETYPE" not in environment:
        yield (f"OpenBLAS does not know this processor and uses kernels for {blas['core']}: a newer scipy-openblas32 "
               "may; upgrade it and install minitorch again")
    if pool["threads"] < pool["cpus"] and info["threads"]:
        setting = next((name for name in ("MINITORCH_NUM_THREADS", "OMP_NUM_THREADS") if environment.get(name)), None)
        reason = f"{setting}={environment[setting]} in the environment: unset it" if setting else (
            "set_num_threads was called: call it with more")
        yield f"{pool['threads']} of {pool['cpus']} processors are used, since {reason} to use all"
    if pool["threads"] > pool["cpus"]:
        yield (f"{pool['threads']} threads share {pool['cpus']} processors, which makes all of them slower: call "
               f"minitorch.set_num_threads({pool['cpus']}) or unset the variable that says so")
    if minitorch.memory_stats()["limit"] == 0:
        yield "the allocator keeps no memory for reuse, so large tensors are slow to make: unset MINITORCH_CACHE_LIMIT"
    yield from diagnosis.problems(environment)


def _build_problems(info: Mapping[str, object]) -> Iterator[str]:
    rebuild = "build again without"
    if not info["threads"]:
        yield f"built without threads: one processor is used; {rebuild} MT_NO_THREADS"
    if not info["clones"] and platform.machine() in ("x86_64", "AMD64"):
        yield (f"built for the oldest processors of this kind only: loops do not use AVX; {rebuild} MT_NO_CLONES, with "
               "GCC 12 or later")
    if not info["blas"]:
        yield f"built without OpenBLAS: matrix products are slower; install scipy-openblas32 and {rebuild} MT_NO_BLAS"
    if info["sanitized"]:
        yield f"built with sanitizers, for finding faults, which is slow; {rebuild} MT_SANITIZE"


def _processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _allocator(stats: Mapping[str, int]) -> str:
    size = {name: _size(stats[name]) for name in ("allocated", "peak", "cached", "limit")}
    return "{allocated} in use, {peak} at most so far; {cached} kept for reuse, {limit} at most".format(**size)


def _size(nbytes: int) -> str:
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if nbytes >> power:
            return f"{nbytes / (1 << power):.1f} {unit}"
    return f"{nbytes} B"


def main() -> int:
    """Print facts and problems; returns the exit status."""
    minitorch.ones(64, 64) @ minitorch.ones(64, 64)  # opens OpenBLAS and fills the allocator
    found = facts()
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:{width}}  {value}")
    lines = list(problems(os.environ))
    print("\nNo problems found." if not lines else "\nProblems:")
    for line in lines:
        print(f"- {line}")
    return 0
