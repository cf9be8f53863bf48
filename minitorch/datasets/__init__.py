"""Small data sets: real ones that come with the package, and made ones."""

from .digits import digits
from .points import moons, spirals

__all__ = ["digits", "moons", "spirals"]
