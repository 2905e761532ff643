"""The Vision Transformer (Dosovitskiy et al., 2021).

Shapes: B batch, C channels, S image side, N tokens (prefix first), D token width, K classes.

Initialisation, all from torch's global generator, as in the authors' own code (big_vision):

======================================  ====================================================
linear weights                          Xavier uniform; queries, keys and values each by itself
patch projection                        normal, deviation 1/sqrt(inputs): LeCun
positions                               normal, deviation 1/sqrt(D)
[CLS] token, head, all biases           0
LayerNorm                               scale 1, shift 0
======================================  ====================================================

timm's default, deviation 0.02 for everything, was made for width 768. At the widths of small studies it
starts the projections several times too small: on the digits (width 48, 40 epochs, shifted images) one
seed ended at 78 % of the validation images, with the table above at 90 %.
"""

from __future__ import annotations

from torch import Tensor, nn

from vitflow.config import ViT as ViTConfig
from vitflow.models.attention import Attention
from vitflow.models.block import Block
from vitflow.models.norm import LayerNorm
from vitflow.models.patch_embed import PatchEmbed
from vitflow.models.position import LearnedPosition
from vitflow.models.tokens import POOLS, Prefix


class ViT(nn.Module):
    """images [B, C, S, S] (float, normalised) -> logits [B, K].

    The final norm comes after pooling. For [CLS] that is the same function as before pooling; for the mean
    it is timm's ``fc_norm``.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int, classes: int) -> None:
        super().__init__()
        width = config.width
        self.patch_embed = PatchEmbed(image_size, channels, config.patch_size, width)
        self.pool = POOLS[config.pool]()
        self.prefix_tokens: int = self.pool.prefix_tokens
        self.prefix = Prefix(self.prefix_tokens, width) if self.prefix_tokens else nn.Identity()
        self.position = LearnedPosition(self.prefix_tokens + self.patch_embed.grid**2, width)
        hidden = round(width * config.mlp_ratio)
        self.blocks = nn.ModuleList(Block(width, config.heads, hidden) for _ in range(config.depth))
        self.norm = LayerNorm(width)
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for module in self.modules():  # after the linears inside them
            if isinstance(module, Attention | PatchEmbed):
                module.initialise()
        nn.init.zeros_(self.head.weight)

    def embed(self, images: Tensor) -> Tensor:
        """images [B, C, S, S] -> the tokens [B, N, D] that enter the first block."""
        return self.position.add(self.prefix(self.patch_embed(images)))

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.embed(images)
        for block in self.blocks:
            tokens = block(tokens, self.position)
        return self.head(self.norm(self.pool(tokens)))

    def intermediates(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """(logits [B, K], named outputs), from one pass.

        ``patch_embed`` (what enters the first block), ``block1`` ... ``blockL``: tokens [B, N, D], prefix
        and positions included, before the final norm. ``pooled`` [B, D]: what the head reads.
        """
        tokens = self.embed(images)
        outputs = {"patch_embed": tokens}
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, self.position)
            outputs[f"block{number}"] = tokens
        outputs["pooled"] = self.norm(self.pool(tokens))
        return self.head(outputs["pooled"]), outputs
