"""Multi-head self-attention.

Shapes: B batch, N tokens, D token width, H heads, K = D / H head size.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.models.position import Position


class Attention(nn.Module):
    """Scaled dot-product attention of every token to every token (Vaswani et al., 2017).

    tokens [B, N, D] -> [B, N, D]. Rows of the one ``qkv`` weight [3*D, D] are queries, keys, values, each
    in the order of the heads. Scores are divided by sqrt(K).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def initialise(self) -> None:
        """Xavier uniform for queries, keys and values each, which one [3*D, D] matrix would start too small."""
        for weight in self.qkv.weight.chunk(3):
            nn.init.xavier_uniform_(weight)

    def forward(self, tokens: Tensor, position: Position) -> Tensor:
        b, n, d = tokens.shape
        qkv = self.qkv(tokens).reshape(b, n, 3, self.heads, d // self.heads)  # [B, N, 3, H, K]
        queries, keys, values = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [B, H, N, K], a view
        queries, keys = position.rotate(queries, keys)
        mixed = F.scaled_dot_product_attention(queries, keys, values)  # [B, H, N, K]
        return self.projection(mixed.transpose(1, 2).reshape(b, n, d))  # [B, N, D]
