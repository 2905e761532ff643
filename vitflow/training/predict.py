"""Class scores for a whole split, in batches.

Letters: N images, H W height and width, C channels, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitflow.data.augment import normalise
from vitflow.data.prepare import Data

BATCH = 500


@torch.no_grad()
def predict(model: nn.Module, images: Tensor, data: Data, *, bf16: bool = False) -> Tensor:
    """Logits, float32 [N, K], of uint8 images [N, H, W, C]; on the images' device, in evaluation mode."""
    was_training = model.training
    model.eval()
    parts = []
    for batch in images.split(BATCH):
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=bf16):
            parts.append(model(normalise(batch, data.mean, data.std)).float())
    model.train(was_training)
    return torch.cat(parts) if parts else torch.empty(0, len(data.classes), device=images.device)
