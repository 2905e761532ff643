"""Class scores for a whole split, in batches.

Letters: N images, H W height and width, C channels, K classes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vitflow.data.splits import Data
from vitflow.training.augmentation.augment import normalise

BATCH = 500


class Abandoned(Exception):
    """Prediction was given up on request."""


@torch.no_grad()
def predict(
    model: nn.Module,
    images: Tensor,
    data: Data,
    *,
    bf16: bool = False,
    give_up: Callable[[], bool] = lambda: False,
) -> Tensor:
    """Logits, float32 [N, K], of uint8 images [N, H, W, C]; on the images' device, in evaluation mode.

    Raises Abandoned if ``give_up()``, asked before every batch, says yes.
    """
    was_training = model.training
    model.eval()
    parts = []
    for batch in images.split(BATCH):
        if give_up():
            raise Abandoned
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=bf16):
            parts.append(model(normalise(batch, data.mean, data.std)).float())
    model.train(was_training)
    return torch.cat(parts) if parts else torch.empty(0, len(data.classes), device=images.device)
