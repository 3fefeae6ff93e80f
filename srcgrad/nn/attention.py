"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.nn import functional, init
from srcgrad.nn.layers import Linear
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Rng = np.random.Generator | int | None


class MultiheadAttention(Module):
    """Each of num_heads attends with its own share of the width. Vaswani et al. (2017).

    in_proj_weight : (3 * embed_dim, embed_dim), for queries, keys and values; in_proj_bias : (3 * embed_dim,) or None
    out_proj : a Linear of embed_dim to embed_dim
    batch_first : sequences are (n, length, embed_dim), not (length, n, embed_dim)
    dropout : of the shares of attention, in training, drawn from `rng`
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim must be divisible by num_heads, but {embed_dim} is not by {num_heads}")
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.dropout, self.drops = dropout, dropout > 0.0
        self.rng = np.random.default_rng(rng)
        self.in_proj_weight = init.xavier_uniform_(Parameter(np.empty((3 * embed_dim, embed_dim), dtype)), rng=self.rng)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """What each query gets, and its shares of attention, the mean over the heads (None without need_weights).

        query : (m, n, embed_dim), key, value : (l, n, embed_dim); with batch_first the first two axes are exchanged
        key_padding_mask : (n, l), True for keys to leave out
        attn_mask : (m, l) or (n, heads, m, l), True where a query must not look, or floats to be added to the scores
        Returns arrays like query, and (n, m, l).
        """
        assert query.ndim == key.ndim == 3, "attention takes batches of sequences, see batch_first"
        assert key.shape[:2] == value.shape[:2], "a key belongs to each value"
        if not self.batch_first:
            query, key, value = np.swapaxes(query, 0, 1), np.swapaxes(key, 0, 1), np.swapaxes(value, 0, 1)
        assert query.shape[0] == key.shape[0], "queries and keys are of equally many sequences"
        w_q, w_k, w_v = np.split(self.in_proj_weight, 3)
        b_q, b_k, b_v = [None, None, None] if self.in_proj_bias is None else np.split(self.in_proj_bias, 3)
        q = self._heads(functional.linear(query, w_q, b_q))
        k = self._heads(functional.linear(key, w_k, b_k))
        v = self._heads(functional.linear(value, w_v, b_v))
        scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
        if attn_mask is not None:
            scores = np.where(attn_mask, -np.inf, scores) if attn_mask.dtype == bool else scores + attn_mask
        if key_padding_mask is not None:
            scores = np.where(key_padding_mask[:, None, None, :], -np.inf, scores)
        shares = functional.softmax(scores, -1)
        if self.drops:
            shares = functional.dropout(shares, self.dropout, self.rng, self.training)
        out = self.out_proj(np.swapaxes(shares @ v, 1, 2).reshape(query.shape))
        if not self.batch_first:
            out = np.swapaxes(out, 0, 1)
        return out, np.mean(shares, axis=1) if need_weights else None

    def _heads(self, x: Array) -> Array:
        """(n, length, embed_dim) as (n, heads, length, width)."""
        return np.swapaxes(x.reshape(x.shape[0], x.shape[1], self.num_heads, -1), 1, 2)
