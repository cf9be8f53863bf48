"""Runs the files of tests that are about a device again, in the simulator that checks every access.

Each has a process of its own: a device that is in use stays in use, and other tests are about its absence.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = [path for path in sorted(Path(__file__).parent.glob("test_*.py"))
         if "pytest.mark." + "on_the_device" in path.read_text()]  # fmt: skip


@pytest.mark.skipif(bool(os.environ.get("MINITORCH_CUDA")), reason="is the process of its own")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("host_compiler")
def test_again_in_the_simulator(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(path)],
        capture_output=True, text=True, env={**os.environ, "MINITORCH_CUDA": "sim-check"}, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]
