"""Set-up of the gradient tests."""

import sys
from pathlib import Path

import hypothesis

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `helpers`

hypothesis.settings.register_profile(
    "engine", deadline=None, derandomize=True, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("engine")
