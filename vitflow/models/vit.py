"""The Vision Transformer (Dosovitskiy et al., 2021), put together from the variants that its configuration names.

Shapes: B batch, C channels, S image side, N tokens (prefix first), D token width, K classes.

Everything starts as the table in docs/variants.md says, from torch's global generator: linear weights Xavier
uniform (queries, keys and values each by itself), patches LeCun normal, positions normal with deviation
1/sqrt(D), head and biases 0; as in the authors' own code (big_vision).
"""

from __future__ import annotations

from torch import Tensor, nn

from vitflow.models.block import BLOCKS
from vitflow.models.norm import NORMS
from vitflow.models.patch_embed import PATCH_EMBEDS, PatchEmbed
from vitflow.models.position import POSITIONS
from vitflow.models.residual import rates
from vitflow.models.tokens import POOLS, Prefix
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.tokens import prefix_tokens, tokens


class ViT(nn.Module):
    """images [B, C, S, S] (float, normalised) -> logits [B, K].

    The final norm comes after pooling. For [CLS] that is the same function as before pooling; for the mean
    it is timm's ``fc_norm``. Post-norm blocks end in a norm themselves, so no final one follows them.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int, classes: int) -> None:
        super().__init__()
        width, count, block = config.width, tokens(config, image_size), BLOCKS[config.norm_placement]
        self.patch_embed = PATCH_EMBEDS[config.patch_embed](config, image_size, channels)
        self.prefix_tokens = prefix_tokens(config)
        self.pool = POOLS[config.pool](self.prefix_tokens)
        self.prefix = Prefix(config) if self.prefix_tokens else nn.Identity()
        self.position = POSITIONS[config.position](config, self.patch_embed.grid)
        self.blocks = nn.ModuleList(block(config, count, rate) for rate in rates(config.drop_path, config.depth))
        self.norm = nn.Identity() if block.ends_normalised else NORMS[config.norm](width)
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for module in self.modules():  # after the linears inside them
            if isinstance(module, PatchEmbed):
                module.initialise()
            for name, count in getattr(module, "stacked", {}).items():
                for weight in getattr(module, name).weight.chunk(count):
                    nn.init.xavier_uniform_(weight)  # each matrix by itself: the whole would start too small
        nn.init.zeros_(self.head.weight)

    def embed(self, images: Tensor) -> Tensor:
        """images [B, C, S, S] -> the tokens [B, N, D] that enter the first block."""
        return self.position.add(self.prefix(self.patch_embed(images)))

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.embed(images)
        for block in self.blocks:
            tokens = block(tokens, self.position)
        return self.head(self.norm(self.pool(tokens)))
