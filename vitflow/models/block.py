"""One block of the transformer.

Shapes: B batch, N tokens, D token width.
"""

from __future__ import annotations

from torch import Tensor, nn

from vitflow.models.attention import Attention
from vitflow.models.feedforward import FeedForward
from vitflow.models.norm import LayerNorm
from vitflow.models.position import Position


class Block(nn.Module):
    """Pre-norm (Xiong et al., 2020): attention, then feed-forward, each added to what it was given.

    tokens [B, N, D] -> [B, N, D].
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = LayerNorm(width)
        self.feedforward = FeedForward(width, hidden)

    def forward(self, tokens: Tensor, position: Position) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens), position)
        return tokens + self.feedforward(self.norm2(tokens))
