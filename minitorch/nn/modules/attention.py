"""Attention with many heads."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch import Tensor

from .. import functional as F
from .. import init
from ..functional.attention import canonical_mask
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    r"""Attention by several heads, each in a projection of its own.

    .. math:: \mathrm{concat}(\mathrm{head}_1, \dots, \mathrm{head}_h)\, W^O, \qquad
              \mathrm{head}_i = \mathrm{attention}(Q W_i^Q, K W_i^K, V W_i^V)

    Args:
        embed_dim: features of the queries and the output.
        num_heads: which divides `embed_dim`.
        dropout: of the weights of attention, in training.
        bias: of the projections.
        add_bias_kv: a key and a value that are learnt.
        add_zero_attn: a key and a value of zeros.
        kdim, vdim: features of keys and values, if not `embed_dim`.
        batch_first: (batch, step, feature) rather than (step, batch, feature).

    Shape:
        query ``(L, N, E)``, key and value ``(S, N, kdim)``, or all without ``N``; output ``(L, N, E)`` and weights
        ``(N, L, S)``.

    Source: Vaswani and others, *Attention Is All You Need*, arXiv:1706.03762.

    >>> x = minitorch.ones(5, 2, 8)
    >>> output, weights = nn.MultiheadAttention(8, 2)(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError("embed_dim and num_heads must be greater than 0, got "
                             f"embed_dim={embed_dim} and num_heads={num_heads} instead")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        options = {"device": device, "dtype": dtype}
        self._add_projections(options)
        self.register_parameter("in_proj_bias", Parameter(minitorch.empty(3 * embed_dim, **options)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **options)
        for name in ("bias_k", "bias_v"):
            extra = Parameter(minitorch.empty(1, 1, embed_dim, **options)) if add_bias_kv else None
            self.register_parameter(name, extra)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _add_projections(self, options: dict[str, Any]) -> None:
        """One weight for all three projections, or if sizes differ one for each."""
        e = self.embed_dim
        separate = {"q_proj_weight": e, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(minitorch.empty(3 * e, e, **options))
            for name in separate:
                self.register_parameter(name, None)
        else:
            for name, width in separate.items():
                setattr(self, name, Parameter(minitorch.empty(e, width, **options)))
            self.register_parameter("in_proj_weight", None)

    def _reset_parameters(self) -> None:
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            weight = getattr(self, name)
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            key_padding_mask: ``(N, S)``, True where a key is padding; or what is added to the scores.
            need_weights: return the weights too; without them it is faster.
            attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``, True where a query must not look; or what is added.
            average_attn_weights: of the heads' weights return the mean.
            is_causal: a hint that `attn_mask` is the triangle that hides later keys.
        """
        key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", query.dtype,
                                          None if attn_mask is None else attn_mask.dtype, "attn_mask")
        attn_mask = canonical_mask(attn_mask, "attn_mask", query.dtype, check_other=False)
        if self.batch_first and query.dim() == 3:
            same = query is key and key is value
            query, key, value = ((query.transpose(0, 1),) * 3 if same else
                                 tuple(t.transpose(0, 1) for t in (query, key, value)))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal)
        return (out.transpose(0, 1) if self.batch_first and out.dim() == 3 else out), weights
