"""Which minitorch this is, by the names of PyTorch's module of that name."""

from ._version import __version__

cuda = hip = git_version = None
debug = False

__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]
