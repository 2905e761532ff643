"""Named intermediates of a trained model, as arrays: patch tokens and pooled features of validation images.

Both families give the same number of positions where possible: the ViT its patch tokens at the input of the
last block (with [CLS] pooling the patch outputs of the last block get no gradient), the ResNet the stage
whose grid has as many positions. Letters: N images, T positions, D width, H W grid or image sides, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vitflow.config import ResNet, ViT
from vitflow.data.augment import normalise
from vitflow.data.prepare import Data, Split

EXAMPLES = 8  # images shown in figures


@dataclass(frozen=True)
class Features:
    """Features of N images, float16, and where they were taken."""

    layer: str
    patch: Tensor  #: [N, T, D]
    pooled: Tensor  #: [N, D'], before the classifier
    labels: Tensor  #: [N]
    examples: Tensor  #: uint8 [E, H, W, C], the first images of the first classes
    example_index: Tensor  #: [E], their places among the N


def choose_layer(model: ViT | ResNet, image_size: int, positions: int) -> str:
    """The layer to read: a ViT's last-block input, or the ResNet stage with the nearest number of positions."""
    if isinstance(model, ViT):
        return f"block{model.depth - 1}" if model.depth > 1 else "patch_embed"
    sides = {f"stage{i + 1}": -(-image_size // 2**i) for i in range(4)}
    return min(sides, key=lambda stage: abs(sides[stage] ** 2 - positions))


@torch.no_grad()
def extract(model: nn.Module, layer: str, split: Split, data: Data, images: int) -> Features:
    """Features of at most ``images`` images of a split, the same number from every class."""
    index = stratified(split.labels, images)
    chosen = split.images[index]
    patch, pooled = [], []
    model.eval()
    for batch in chosen.split(250):
        _, named = model.intermediates(normalise(batch, data.mean, data.std))  # type: ignore[operator]
        tokens = named[layer]
        is_map = tokens.ndim == 4  # [B, C, H, W] -> [B, T, D]; else [B, N, D], of which the patch tokens
        tokens = tokens.flatten(2).transpose(1, 2) if is_map else tokens[:, model.prefix_tokens :]
        patch.append(tokens.half().cpu())
        pooled.append(named["pooled"].half().cpu())
    labels = split.labels[index].cpu()
    firsts = torch.tensor([int((labels == c).nonzero()[0]) for c in labels.unique()[:EXAMPLES]])
    return Features(layer, torch.cat(patch), torch.cat(pooled), labels, chosen.cpu()[firsts], firsts)


def stratified(labels: Tensor, images: int) -> Tensor:
    """Indices of the first ``images`` / K images of every class, ascending."""
    classes = labels.unique()
    each = max(1, images // len(classes))
    return torch.cat([(labels == c).nonzero().flatten()[:each] for c in classes]).sort().values
