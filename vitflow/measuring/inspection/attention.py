"""How far a ViT's attention reaches.

Letters: B batch, H heads, N tokens, T patches, K head size, S image side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vitflow.models.vit import ViT

#: scores held in memory at once: 64 MiB
SCORES_AT_ONCE = 2**24


@torch.no_grad()
def attention_distance(model: ViT, images: Tensor) -> Tensor:
    """Mean distance in pixels over which patches attend to patches, by layer and head: float64 [depth, H].

    The distance between the centres of two patches, weighted by attention (Dosovitskiy et al., 2021, figure 7; Raghu
    et al., 2021), averaged over patches and images [B, C, S, S]. [CLS] and registers stand nowhere: they are left out,
    and the attention that remains is scaled to sum to one.
    """
    distances = patch_distances(model.patch_embed.grid, images.shape[-1]).to(images.device)  # [T, T]
    count = len(distances) + model.prefix_tokens
    few = max(1, SCORES_AT_ONCE // (model.blocks[0].attention.heads * count**2))  # type: ignore[union-attr, operator]
    sums = []
    for batch in images.split(few):
        tokens, layers = model.embed(batch), []
        for block in model.blocks:
            attention = block.attention
            queries, keys, _ = attention.project(block.attended(tokens), model.position)  # type: ignore[operator, union-attr]
            scores = attention.scores(queries, keys)[:, :, model.prefix_tokens :, model.prefix_tokens :]  # type: ignore[operator, union-attr]
            shares = scores.softmax(-1)  # [B, H, T, T]
            layers.append((shares * distances).sum(-1).double().mean(-1).sum(0))  # [H]
            tokens = block(tokens, model.position)
        sums.append(torch.stack(layers))
    return torch.stack(sums).sum(0).cpu() / len(images)


def patch_distances(grid: int, side: int) -> Tensor:
    """Between the centres of grid x grid patches, row by row, of an image of that side, in pixels: [T, T]."""
    places = torch.cartesian_prod(*[torch.arange(grid, dtype=torch.float32)] * 2) * side / grid  # [T, 2]
    return torch.cdist(places, places)
