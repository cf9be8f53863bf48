"""The package opt_einsum, which `minitorch.einsum` does not need: it finds the order of contractions itself."""

enabled = False
strategy = None


def is_available() -> bool:
    """Whether it is used: no."""
    return False
