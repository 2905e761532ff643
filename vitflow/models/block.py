"""One block of the transformer: attention, then feed-forward, each a branch that is added to the tokens.

Shapes: B batch, N tokens, D token width.
"""

from __future__ import annotations

from torch import Tensor, nn

from vitflow.models.attention import ATTENTIONS
from vitflow.models.feedforward import FEEDFORWARDS
from vitflow.models.norm import NORMS
from vitflow.models.position import Position
from vitflow.models.residual import DropPath, LayerScale
from vitflow.study.models import ViT as ViTConfig


class Block(nn.Module):
    """Pre-norm (Xiong et al., 2020): each branch reads normalised tokens. [B, N, D] -> [B, N, D].

    ``drop_path`` is the chance of each branch to be skipped, sample by sample, in training.
    """

    #: whether what comes out is normalised already
    ends_normalised = False

    def __init__(self, config: ViTConfig, tokens: int, drop_path: float) -> None:
        super().__init__()
        width, norm = config.width, NORMS[config.norm]
        self.norm1 = norm(width)
        self.attention = ATTENTIONS[config.attention](config, tokens)
        self.norm2 = norm(width)
        self.feedforward = FEEDFORWARDS[config.feedforward](width, round(width * config.mlp_ratio))
        scaled, dropped = config.layer_scale, drop_path > 0
        self.scale1 = nn.Identity() if scaled is None else LayerScale(width, scaled)
        self.scale2 = nn.Identity() if scaled is None else LayerScale(width, scaled)
        self.drop1 = DropPath(drop_path) if dropped else nn.Identity()
        self.drop2 = DropPath(drop_path) if dropped else nn.Identity()

    def forward(self, tokens: Tensor, position: Position) -> Tensor:
        tokens = tokens + self.drop1(self.scale1(self.attention(self.attended(tokens), position)))
        return tokens + self.drop2(self.scale2(self.feedforward(self.norm2(tokens))))

    def attended(self, tokens: Tensor) -> Tensor:
        """What the attention reads of tokens [B, N, D] that enter the block."""
        return self.norm1(tokens)


class PostNormBlock(Block):
    """Post-norm, the original (Vaswani et al., 2017): each sum is normalised. [B, N, D] -> [B, N, D]."""

    ends_normalised = True

    def forward(self, tokens: Tensor, position: Position) -> Tensor:
        tokens = self.norm1(tokens + self.drop1(self.scale1(self.attention(self.attended(tokens), position))))
        return self.norm2(tokens + self.drop2(self.scale2(self.feedforward(tokens))))

    def attended(self, tokens: Tensor) -> Tensor:
        return tokens


#: by config.ViT.norm_placement
BLOCKS: dict[str, type[Block]] = {"pre": Block, "post": PostNormBlock}
