"""OpenMP, which minitorch does not use."""


def is_available() -> bool:
    """Whether it is used: no."""
    return False
