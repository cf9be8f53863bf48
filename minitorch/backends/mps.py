"""Apple's Metal, which minitorch does not use."""


def is_available() -> bool:
    """Whether it is used: no."""
    return False


def is_built() -> bool:
    """Whether minitorch was built with it: no."""
    return False
