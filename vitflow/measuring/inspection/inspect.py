"""All of it for one model, as metrics.json keeps it."""

from __future__ import annotations

from typing import Any

import torch

from vitflow.data.splits import Data, stratified
from vitflow.measuring.inspection.attention import attention_distance
from vitflow.measuring.inspection.layers import layers
from vitflow.measuring.inspection.shifts import shift_consistency
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.study.dataset import INSPECTED
from vitflow.training.augmentation.augment import normalise


def inspect(model: ViT | ResNet, data: Data, device: torch.device) -> dict[str, Any]:
    """Measured on INSPECTED validation images (training images where there are none), the same number of every class:

    ``images``; ``shift_consistency``, percent by pixels; ``layers`` by name; and of a ViT, ``attention_distance`` in
    pixels, [depth][heads], else None.
    """
    split = data.validation if len(data.validation.labels) else data.train
    images = split.images[stratified(split.labels, INSPECTED)].to(device)
    inputs = normalise(images, data.mean, data.std)
    model.eval()
    return {
        "images": len(images),
        "shift_consistency": shift_consistency(model, images, data),
        "attention_distance": attention_distance(model, inputs).tolist() if isinstance(model, ViT) else None,
        "layers": layers(model, inputs),
    }
