"""Where a ViT looks.

Letters: E images, L blocks, N tokens, T patches, C channels, S image side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vitflow.models.tokens import ClassTokenPool
from vitflow.models.vit import ViT


@torch.no_grad()
def attention_maps(model: ViT, images: Tensor) -> dict[str, Tensor]:
    """What images [E, C, S, S] give each patch in every block, mean of the heads, by the token that asks: [L, E, T].

    ``image``: [CLS], or the mean of all patches where there is none. ``patch``: the one at the centre (right of it and
    below, on an even grid). A map sums to one less what goes to [CLS] and registers.
    """
    prefix, grid = model.prefix_tokens, model.patch_embed.grid
    centre = prefix + grid // 2 * (grid + 1)
    tokens, maps = model.embed(images), []
    for block in model.blocks:
        attention = block.attention
        queries, keys, _ = attention.project(block.attended(tokens), model.position)  # type: ignore[operator, union-attr]
        shares = attention.scores(queries, keys).softmax(-1).mean(1)[:, :, prefix:]  # type: ignore[operator, union-attr]
        of_image = shares[:, 0] if isinstance(model.pool, ClassTokenPool) else shares[:, prefix:].mean(1)
        maps.append(torch.stack([of_image, shares[:, centre]]))  # [2, E, T]
        tokens = block(tokens, model.position)
    of_image, of_patch = torch.stack(maps, dim=1)  # [L, E, T] each
    return {"image": of_image, "patch": of_patch}
