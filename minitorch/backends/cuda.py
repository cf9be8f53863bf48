"""Settings of CUDA's libraries, kept for those who read them back."""


def is_built() -> bool:
    """Whether minitorch was built with CUDA: no."""
    return False


class _Matmul:
    """Settings of matrix products on a GPU."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()
_sdp = {"flash": True, "mem_efficient": True, "math": True}


def flash_sdp_enabled() -> bool:
    """What `enable_flash_sdp` set."""
    return _sdp["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Allow one of the GPU's implementations of attention; on the CPU there is one only."""
    _sdp["flash"] = bool(enabled)


def mem_efficient_sdp_enabled() -> bool:
    """What `enable_mem_efficient_sdp` set."""
    return _sdp["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Allow one of the GPU's implementations of attention; on the CPU there is one only."""
    _sdp["mem_efficient"] = bool(enabled)


def math_sdp_enabled() -> bool:
    """What `enable_math_sdp` set."""
    return _sdp["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Allow one of the GPU's implementations of attention; on the CPU there is one only."""
    _sdp["math"] = bool(enabled)
