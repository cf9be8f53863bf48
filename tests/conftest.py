"""Say which minitorch is tested, and stop early where it has no engine."""

from pathlib import Path

import pytest

try:
    import minitorch
except ImportError as error:
    raise pytest.UsageError(
        f"minitorch cannot be imported ({error}). Build and install it first: pip install -e '.[test]'"
    ) from error


def pytest_report_header() -> str:
    """One line above the tests."""
    return f"minitorch: {minitorch.__version__} from {Path(minitorch.__file__).parent}"
