"""Settings of CUDA's libraries, kept for those who read them back; and which forms of attention may be used."""

from __future__ import annotations


def is_built() -> bool:
    """Whether minitorch was built with CUDA: no."""
    return False


class _Matmul:
    """Settings of matrix products on a GPU."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()

# The forms of attention that `scaled_dot_product_attention` may choose from: flash is the one in blocks, without a
# matrix of all scores; of PyTorch's other such forms there is none, so that they stand for it too.
_attention = {"flash": True, "mem_efficient": True, "cudnn": True, "math": True}


def flash_sdp_enabled() -> bool:
    """Whether attention in blocks is allowed."""
    return _attention["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Allow attention in blocks, without a matrix of all scores, or forbid it."""
    _attention["flash"] = bool(enabled)


def mem_efficient_sdp_enabled() -> bool:
    """What `enable_mem_efficient_sdp` set."""
    return _attention["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Allow or forbid another name of attention in blocks: either name allows it."""
    _attention["mem_efficient"] = bool(enabled)


def cudnn_sdp_enabled() -> bool:
    """What `enable_cudnn_sdp` set."""
    return _attention["cudnn"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Allow or forbid another name of attention in blocks: either name allows it."""
    _attention["cudnn"] = bool(enabled)


def math_sdp_enabled() -> bool:
    """Whether attention by plain operations is allowed."""
    return _attention["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Allow attention by plain operations, or forbid it: what attention in blocks cannot do is then an error."""
    _attention["math"] = bool(enabled)
