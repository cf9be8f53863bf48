"""Fixtures of the engine's tests.

They run on the CPU; with ``MINITORCH_TEST_DEVICE=cuda`` the same tests run on the CUDA device, which `MINITORCH_CUDA`
may make the simulator.  What the device does not have skips a test, with the name of what is missing.
"""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `helpers`

hypothesis.settings.register_profile(
    "engine", deadline=None, derandomize=True, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("engine")

DEVICE = os.environ.get("MINITORCH_TEST_DEVICE", "cpu")
MISSING = "on cuda"  # in the message of every refusal of the device


@pytest.fixture(params=[DEVICE])
def device(request) -> str:
    """Every device that the conformance suite holds to the reference."""
    return request.param


@pytest.fixture(autouse=DEVICE == "cuda")
def _made_on_the_device():
    """Tensors that a test makes go to the device."""
    import minitorch

    minitorch.set_default_device("cuda")
    yield
    minitorch.set_default_device(None)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except NotImplementedError as error:
        if DEVICE == "cuda" and MISSING in str(error):
            pytest.skip(str(error))
        raise
