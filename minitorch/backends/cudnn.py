"""cuDNN, which minitorch does not use: the settings are kept for those who read them back."""

enabled = True
deterministic = False
benchmark = False
benchmark_limit = 10
allow_tf32 = True


def is_available() -> bool:
    """Whether it is used: no."""
    return False


def version() -> None:
    """Its version: there is none."""


def is_acceptable(tensor) -> bool:
    """Whether it could work on a tensor: no."""
    return False
