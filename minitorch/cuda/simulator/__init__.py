"""A CUDA device without a GPU: the same kernel source compiled for the host and run, checked and profiled there.

* `runtime`: the run time, with `Simulator` and its schedules;
* `module`: compiling a source with the host's C++ compiler, finding its kernels and shared variables;
* `report`: findings and profiles in words;
* ``include/``: CUDA C's names as C++; ``device/``: fibers, barriers, warp collectives, the checker, in C++;
* ``ptx/``: an interpreter of what NVIDIA's compiler makes of the source.

What it shows is that a kernel computes the right thing under several orders of its threads, and what the checker looks
for.  It cannot show speed, nor that there is no race in what it did not run.
"""

from .runtime import SCHEDULES, Simulator, simulator
from .report import Finding, Profile, Report

__all__ = ["SCHEDULES", "Finding", "Profile", "Report", "Simulator", "simulator"]
