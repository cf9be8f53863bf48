"""What all tests share: which minitorch is tested, hypothesis' settings, and the device they run on.

Tests run on the CPU; with ``MINITORCH_TEST_DEVICE=cuda`` the same tests run on the CUDA device, which `MINITORCH_CUDA`
may make the simulator.  What the device does not have skips a test, with the name of what is missing; what is about
the CPU alone is marked ``@pytest.mark.cpu_only("why")``.
"""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

try:
    import minitorch
except ImportError as error:
    raise pytest.UsageError(
        f"minitorch cannot be imported ({error}). Build and install it first: pip install -e '.[test]'"
    ) from error

hypothesis.settings.register_profile(
    "minitorch", deadline=None, derandomize=True, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("minitorch")

DEVICE = os.environ.get("MINITORCH_TEST_DEVICE", "cpu")
MISSING = "on cuda"  # in the message of every refusal of the device


def pytest_report_header() -> str:
    """One line above the tests."""
    return f"minitorch: {minitorch.__version__} from {Path(minitorch.__file__).parent}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cpu_only(why): not run on another device")


@pytest.fixture(params=[DEVICE])
def device(request) -> str:
    """Every device that the conformance suite holds to the reference."""
    return request.param


@pytest.fixture(autouse=DEVICE == "cuda")
def _made_on_the_device(request, monkeypatch):
    """Tensors that a test makes go to the device, those made of arrays too, and arrays are made of them."""
    mark = request.node.get_closest_marker("cpu_only")
    if mark:
        pytest.skip(f"about the CPU alone: {mark.args[0]}")
    from_numpy, to_numpy = minitorch.from_numpy, minitorch.Tensor.numpy

    def numpy(self, **options):
        ours = sys._getframe(1).f_globals["__name__"].startswith("minitorch.")  # the library must copy what it reads
        return to_numpy(self if ours else self.cpu(), **options)

    monkeypatch.setattr(minitorch, "from_numpy", lambda array: from_numpy(array).to("cuda"))
    monkeypatch.setattr(minitorch.Tensor, "numpy", numpy)
    for name, value in list(vars(request.module).items()):
        if isinstance(value, minitorch.Tensor) and not value.is_complex():  # made with the module
            monkeypatch.setattr(request.module, name, value.detach().to("cuda").requires_grad_(value.requires_grad))
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
