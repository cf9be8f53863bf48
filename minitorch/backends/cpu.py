"""What the processor offers."""


def get_cpu_capability() -> str:
    """The widest instructions that the kernels are compiled for and this processor has, by PyTorch's names.

    >>> import minitorch
    >>> minitorch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
    True
    """
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        flags = []
    return "AVX512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "DEFAULT"
