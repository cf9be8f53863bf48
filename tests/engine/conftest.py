"""Fixtures of the engine's tests."""

import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `helpers`

hypothesis.settings.register_profile(
    "engine", deadline=None, derandomize=True, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("engine")


@pytest.fixture(params=["cpu"])
def device(request) -> str:
    """Every device that the conformance suite holds to the reference."""
    return request.param
