"""Multi-head self-attention.

Shapes: B batch, N tokens, D token width, H heads, K = D / H head size.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.models.linear import Linear
from vitflow.models.position import Position
from vitflow.models.qk_norm import QK_NORMS
from vitflow.study.models import ViT as ViTConfig


class Attention(nn.Module):
    """Scaled dot-product attention of every token to every token (Vaswani et al., 2017).

    tokens [B, N, D] -> [B, N, D]. Rows of the one ``qkv`` weight [3*D, D] are queries, keys, values, each
    in the order of the heads. Scores are divided by sqrt(K), unless the norm of queries and keys has a scale
    of its own. That norm comes first, a position's rotation second.
    """

    #: weights that hold several matrices, one below the other
    stacked: ClassVar[dict[str, int]] = {"qkv": 3}

    def __init__(self, config: ViTConfig, tokens: int) -> None:
        super().__init__()
        width, self.heads = config.width, config.heads
        self.qkv = Linear(width, 3 * width)
        self.projection = Linear(width, width)
        self.qk_norm = QK_NORMS[config.qk_norm](width // self.heads, tokens)

    def forward(self, tokens: Tensor, position: Position) -> Tensor:
        b, n, d = tokens.shape
        mixed = self.mix(*self.project(tokens, position))
        return self.projection(mixed.transpose(1, 2).reshape(b, n, d))  # [B, N, D]

    def project(self, tokens: Tensor, position: Position) -> tuple[Tensor, Tensor, Tensor]:
        """tokens [B, N, D] -> queries, keys, values, each [B, H, N, K], as they meet."""
        b, n, d = tokens.shape
        qkv = self.qkv(tokens).reshape(b, n, 3, self.heads, d // self.heads)  # [B, N, 3, H, K]
        queries, keys, values = (part.transpose(1, 2) for part in qkv.unbind(2))  # gradients move once
        queries, keys = position.rotate(*self.qk_norm(queries, keys))
        return queries, keys, values

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """What ``mix`` takes the softmax of: each [B, H, N, K] -> [B, H, N, N]; -infinity where masked."""
        scale = queries.shape[-1] ** -0.5 if self.qk_norm.scale is None else self.qk_norm.scale
        return scale * queries @ keys.transpose(-2, -1)

    def mix(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Values weighted by the softmax of the scores: each [B, H, N, K] -> [B, H, N, K]."""
        # backwards, torch's fused kernel in bfloat16 on a CPU takes six times as long as in fp32 (docs/speed.md)
        if queries.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            return self.scores(queries, keys).softmax(-1) @ values
        return self.fused(queries, keys, values)

    def fused(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """``mix`` by torch's fused kernel."""
        return F.scaled_dot_product_attention(queries, keys, values, scale=self.qk_norm.scale)


class LocalityAttention(Attention):
    """Locality self-attention (Lee et al., 2021): sharper, and never to oneself.

    Scores are divided by a learned temperature for each head, which starts at sqrt(K) and takes its place, and
    the diagonal is masked, [CLS] and registers included.
    """

    others: Tensor

    def __init__(self, config: ViTConfig, tokens: int) -> None:
        super().__init__(config, tokens)
        self.temperature = nn.Parameter(torch.full((config.heads, 1, 1), (config.width / config.heads) ** 0.5))
        self.register_buffer("others", ~torch.eye(tokens, dtype=torch.bool), persistent=False)  # [N, N]

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return (queries / self.temperature @ keys.transpose(-2, -1)).masked_fill(~self.others, -torch.inf)

    def fused(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(
            queries / self.temperature, keys, values, attn_mask=self.others, scale=1.0
        )


#: by config.ViT.attention
ATTENTIONS: dict[str, type[Attention]] = {"full": Attention, "locality": LocalityAttention}
