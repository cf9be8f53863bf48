"""The engine: storage, views, kernels and the tape, in Cython."""
