"""Small data sets: real ones that come with the package, made ones, and readers for those on the disk.

Nothing here downloads anything.
"""

from .digits import digits
from .files import ImageFolder, cifar10, cifar100, csv, idx, mnist
from .points import moons, spirals, xor
from .texts import names, sonnets

__all__ = [
    "ImageFolder", "cifar10", "cifar100", "csv", "digits", "idx", "mnist", "moons", "names", "sonnets", "spirals",
    "xor",
]
