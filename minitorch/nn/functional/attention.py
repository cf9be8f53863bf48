"""Attention: values weighted by how well their keys fit a query."""

from __future__ import annotations

import math
import warnings
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch._ext.attention import attention as _fused
from minitorch._ext.matmul import linear
from minitorch.backends.cuda import _attention as _allowed

from .dropping import dropout
from .padding import pad

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool) -> None:
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(f"scaled_dot_product_attention: all three need at least 2 dimensions, got {shapes}")
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError("scaled_dot_product_attention: Expected query, key, and value to have the same dtype, but "
                           f"got {query.dtype}, {key.dtype} and {value.dtype}")
    if mask is not None:
        if is_causal:
            raise RuntimeError("scaled_dot_product_attention: Explicit attn_mask should not be set when "
                               "is_causal=True; put the triangle into the mask")
        if mask.dtype not in (minitorch.bool, query.dtype):
            raise RuntimeError("scaled_dot_product_attention: attn_mask must be bool or of the query's dtype, "
                               f"{query.dtype}, but is {mask.dtype}")


def _share_heads(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat the heads of keys and values until there are as many as of queries."""
    if min(query.ndim, key.ndim, value.ndim) < 3:
        raise RuntimeError("scaled_dot_product_attention: enable_gqa needs a dimension of heads")
    heads = query.shape[-3]
    for name, t in (("key", key), ("value", value)):
        if heads % t.shape[-3]:
            raise RuntimeError(f"scaled_dot_product_attention: the {t.shape[-3]} heads of {name} do not divide the "
                               f"{heads} of query")

    def repeat(t: Tensor) -> Tensor:
        times = heads // t.shape[-3]
        shape = (*t.shape[:-3], t.shape[-3], times, *t.shape[-2:])
        return t.unsqueeze(-3).expand(shape).reshape(*t.shape[:-3], heads, *t.shape[-2:])

    return repeat(key), repeat(value)


def _fuses(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """Whether the engine has this form in one piece: nothing broadcast, nothing empty, no gradient for the mask."""
    if not (_allowed["flash"] or _allowed["mem_efficient"] or _allowed["cudnn"]):
        return False
    same = query.shape[:-3] == key.shape[:-3] == value.shape[:-3] and key.shape[:-1] == value.shape[:-1]
    return (same and query.is_floating_point() and query.shape[-1] == key.shape[-1]
            and 0 not in (*query.shape, *key.shape, *value.shape)
            and (mask is None or (not (mask.requires_grad and minitorch.is_grad_enabled())
                                  and mask.ndim <= query.ndim)))


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    r"""Average the values, weighted by how well their keys fit each query.

    .. math:: \mathrm{softmax}\!\left(\frac{Q K^T}{\sqrt{E}} + M\right) V

    Args:
        attn_mask: what is added to the scores; or bools, False where a query must not look.
        dropout_p: the probability with which a weight is dropped, always, unlike a layer's.
        is_causal: query :math:`i` sees the keys up to :math:`i`.
        scale: instead of :math:`1 / \sqrt{E}`.
        enable_gqa: several heads of queries share one of keys and values.

    Shape:
        query ``(..., H, L, E)``, key ``(..., H, S, E)``, value ``(..., H, S, Ev)``, mask broadcast to
        ``(..., H, L, S)``; output ``(..., H, L, Ev)``.

    Raises:
        RuntimeError: if types differ, shapes do not fit, or there is both a mask and `is_causal`; or if
            `nn.attention.sdpa_kernel` allows no form that can do this.

    Source: Vaswani and others, *Attention Is All You Need*, arXiv:1706.03762.

    >>> q = k = v = minitorch.eye(2).view(1, 1, 2, 2)
    >>> nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    tensor([[[[1.0000, 0.0000],
              [0.3302, 0.6698]]]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    if dropout_p == 0.0 and query.ndim >= 3 and query.ndim == key.ndim == value.ndim:
        heads_fit = query.shape[-3] == key.shape[-3] or (
            enable_gqa and key.shape[-3] and query.shape[-3] % key.shape[-3] == 0)
        if heads_fit and _fuses(query, key, value, attn_mask):
            return _attend_in_blocks(query, key, value, attn_mask, is_causal, scale)
    if not _allowed["math"]:
        raise RuntimeError("No viable backend for scaled_dot_product_attention was found: attention in "
                           "blocks cannot do this (it has no dropout and broadcasts nothing), and "
                           "SDPBackend.MATH is not allowed")
    if enable_gqa:
        key, value = _share_heads(query, key, value)
    # the factor goes to both sides by halves, so that float16 scores overflow later
    root = math.sqrt(abs(scale))
    scores = (query * math.copysign(root, scale)) @ (key * root).transpose(-2, -1)
    if is_causal:
        rows, columns = (minitorch.arange(n, device=scores.device) for n in scores.shape[-2:])
        attn_mask = rows.unsqueeze(1) >= columns
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == minitorch.bool else scores + attn_mask
    weights = scores.softmax(-1)
    if attn_mask is not None:  # a query that sees nothing attends to nothing
        weights = weights.masked_fill((scores == -math.inf).all(-1, keepdim=True), 0.0)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return weights @ value


def _attend_in_blocks(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool, scale: float
) -> Tensor:
    """The engine's form, with as many dimensions as it takes: (batch, head, row, column)."""
    if query.ndim == 4:
        return _fused(query, key, value, mask, is_causal, scale)
    batch = query.shape[:-3]
    if mask is not None and mask.ndim > 3:
        mask = mask.expand(*batch, *mask.shape[-3:]).reshape(-1, *mask.shape[-3:])
    out = _fused(*(t.reshape(-1, *t.shape[-3:]) for t in (query, key, value)), mask, is_causal, scale)
    return out.reshape(*batch, *out.shape[1:])


# --- many heads ---------------------------------------------------------------------------------------------------

def canonical_mask(
    mask: Tensor | None, name: str, dtype: Any, other_dtype: Any = None, other_name: str = "", check_other: bool = True
) -> Tensor | None:
    """A mask of bools, True where a key is not to be seen, as what is added to the scores."""
    if mask is None:
        return None
    if mask.dtype != minitorch.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other_dtype is not None and mask.dtype != other_dtype:
        warnings.warn(f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
                      stacklevel=3)
    if mask.is_floating_point():
        return mask
    return minitorch.zeros_like(mask, dtype=dtype).masked_fill_(mask, -math.inf)


def _check_masks(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether there is a batch; refuses shapes that do not go together."""
    if query.dim() not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query "
                             "tensor")
    batched = query.dim() == 3
    if key.dim() != query.dim() or value.dim() != query.dim():
        raise AssertionError(f"For {query.dim()}-D `query`, expected `key` and `value` to be {query.dim()}-D but found "
                             f"{key.dim()}-D and {value.dim()}-D tensors respectively")
    if padding is not None and padding.dim() != query.dim() - 1:
        raise AssertionError(f"For {query.dim()}-D `query`, expected `key_padding_mask` to be `None` or "
                             f"{query.dim() - 1}-D but found {padding.dim()}-D tensor instead")
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError("For batched (3-D) or unbatched (2-D) `query`, expected `attn_mask` to be `None`, 2-D or "
                             f"3-D but found {mask.dim()}-D tensor instead")
    if mask is not None and not batched and mask.dim() == 3:
        expected = (heads, query.shape[0], key.shape[0])
        if tuple(mask.shape) != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {tuple(mask.shape)}")
    return batched


def _project(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor, ...] | Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values from what is given for each."""
    biases: Any = bias.chunk(3) if bias is not None else (None, None, None)
    if isinstance(weights, Tensor):
        if query is key and key is value:  # one product for all three
            q, k, v = linear(query, weights, bias).chunk(3, -1)
            return q, k, v
        weights = weights.chunk(3)
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
    return q, k, v


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, of (step, batch, feature); its arguments are explained there.

    Returns:
        the output, and the weights of attention, or None.
    """
    batched = _check_masks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:  # the same for a batch of one
        same = query is key and key is value
        query = query.unsqueeze(1)
        key, value = (query, query) if same else (key.unsqueeze(1), value.unsqueeze(1))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    steps, batch, width = query.shape
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if key.shape[:2] != value.shape[:2] or (not use_separate_proj_weight and key.shape != value.shape):
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    padding = canonical_mask(key_padding_mask, "key_padding_mask", query.dtype,
                             None if attn_mask is None else attn_mask.dtype, "attn_mask")
    causal = is_causal and padding is None and not need_weights
    mask = None if causal else canonical_mask(attn_mask, "attn_mask", query.dtype, check_other=False)
    if use_separate_proj_weight:
        weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
        if any(weight is None for weight in weights):
            raise AssertionError("use_separate_proj_weight is True but a projection weight is None")
    else:
        weights = in_proj_weight
        if weights is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    q, k, v = _project(query, key, value, weights, in_proj_bias)
    if mask is not None:
        mask = _shaped_mask(mask, steps, key.shape[0], batch * num_heads)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k = minitorch.cat([k, bias_k.expand(1, batch, -1)])
        v = minitorch.cat([v, bias_v.expand(1, batch, -1)])
        mask, padding = _one_more(mask), _one_more(padding)
    head = width // num_heads

    def by_heads(t: Tensor) -> Tensor:
        return t.reshape(t.shape[0], batch, num_heads, -1).permute(1, 2, 0, 3)

    q = by_heads(q)
    k = by_heads(k) if static_k is None else static_k.reshape(batch, num_heads, -1, head)
    v = by_heads(v) if static_v is None else static_v.reshape(batch, num_heads, -1, head)
    if add_zero_attn:
        k, v = (minitorch.cat([t, t.new_zeros(batch, num_heads, 1, t.shape[3])], 2) for t in (k, v))
        mask, padding = _one_more(mask), _one_more(padding)
    if mask is not None:
        mask = mask.reshape(-1 if mask.shape[0] == 1 else batch, 1 if mask.shape[0] == 1 else num_heads,
                            *mask.shape[1:])
    if padding is not None:
        if tuple(padding.shape) != (batch, k.shape[2]):
            raise AssertionError(f"expecting key_padding_mask shape of {(batch, k.shape[2])}, but got "
                                 f"{tuple(padding.shape)}")
        padding = padding.reshape(batch, 1, 1, k.shape[2])
        mask = padding if mask is None else mask + padding
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        found, out = _attend_with_weights(q, k, v, mask, dropout_p)
    else:
        found, out = None, scaled_dot_product_attention(q, k, v, mask, dropout_p, causal)
    out = linear(out.permute(2, 0, 1, 3).reshape(steps, batch, width), out_proj_weight, out_proj_bias)
    if found is not None:
        found = found.mean(1) if average_attn_weights else found
        found = found if batched else found.squeeze(0)
    return (out if batched else out.squeeze(1)), found


def _shaped_mask(mask: Tensor, steps: int, keys: int, heads: int) -> Tensor:
    """(1 or heads, step, key), checked."""
    expected = (steps, keys) if mask.dim() == 2 else (heads, steps, keys)
    if tuple(mask.shape) != expected:
        raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}.")
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def _one_more(mask: Tensor | None) -> Tensor | None:
    """A mask for one more key, which is seen."""
    return None if mask is None else pad(mask, (0, 1))


def _attend_with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float
) -> tuple[Tensor, Tensor]:
    scores = (q * math.sqrt(1 / q.shape[-1])) @ k.transpose(-2, -1)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return weights, weights @ v
