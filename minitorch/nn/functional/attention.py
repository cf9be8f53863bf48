"""Attention: values weighted by how well their keys fit a query."""

from __future__ import annotations

import math

import minitorch
from minitorch import Tensor
from minitorch._ext.attention import attention as _fused

from .dropping import dropout

__all__ = ["scaled_dot_product_attention"]


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
        RuntimeError: if types differ, shapes do not fit, or there is both a mask and `is_causal`.

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
    if enable_gqa:
        key, value = _share_heads(query, key, value)
    # the factor goes to both sides by halves, so that float16 scores overflow later
    root = math.sqrt(abs(scale))
    scores = (query * math.copysign(root, scale)) @ (key * root).transpose(-2, -1)
    if is_causal:
        rows, columns = (minitorch.arange(n) for n in scores.shape[-2:])
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
