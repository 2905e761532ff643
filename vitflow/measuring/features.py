"""Named intermediates of a trained model, as arrays: patch tokens and pooled features of validation images.

Both families give the same number of positions where possible: the ViT its patch tokens at the input of the
last block (with [CLS] pooling the patch outputs of the last block get no gradient), the ResNet the stage
whose grid has as many positions. Letters: N images, T positions, D width, H W grid or image sides, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vitflow.data.splits import Data, Split, stratified
from vitflow.measuring.intermediates import at_positions, intermediates
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig
from vitflow.training.augmentation.augment import normalise

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


def choose_layer(config: ViTConfig | ResNetConfig, image_size: int, positions: int) -> str:
    """The layer to read: a ViT's last-block input, or the ResNet stage with the nearest number of positions."""
    if isinstance(config, ViTConfig):
        return f"block{config.depth - 1}" if config.depth > 1 else "patch_embed"
    sides = {f"stage{i + 1}": -(-image_size // 2**i) for i in range(4)}
    return min(sides, key=lambda stage: abs(sides[stage] ** 2 - positions))


@torch.no_grad()
def extract(model: ViT | ResNet, layer: str, split: Split, data: Data, images: int) -> Features:
    """Features of at most ``images`` images of a split, the same number from every class."""
    index = stratified(split.labels, images)
    chosen = split.images[index]
    patch, pooled = [], []
    model.eval()
    for batch in chosen.split(250):
        _, named = intermediates(model, normalise(batch, data.mean, data.std))
        patch.append(at_positions(model, named[layer]).half().cpu())
        pooled.append(named["pooled"].half().cpu())
    labels = split.labels[index].cpu()
    firsts = torch.tensor([int((labels == c).nonzero()[0]) for c in labels.unique()[:EXAMPLES]])
    return Features(layer, torch.cat(patch), torch.cat(pooled), labels, chosen.cpu()[firsts], firsts)


def positions(baseline: ViTConfig | ResNetConfig, image_size: int) -> int:
    """Patch tokens of the baseline ViT: the number of positions that features of all families aim at."""
    side = image_size // (baseline.patch_size if isinstance(baseline, ViTConfig) else 4)
    return side**2
