"""Whether a model sees the same in an image that was moved by a few pixels.

Letters: N images, H W image sides, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.data.splits import Data
from vitflow.training.predict import predict

PIXELS = (1, 2, 3)
#: (down, right) of a pixel
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def shift_consistency(model: nn.Module, images: Tensor, data: Data) -> dict[str, float]:
    """Percentage of images whose predicted class stays when they are moved, by the number of pixels moved.

    As in Zhang (2019), Making Convolutional Networks Shift-Invariant Again; here the mean over four directions along
    the axes. ``images``: uint8 [N, H, W, C]; what the move leaves bare is 0, as in crops of a training.
    """
    still = predict(model, images, data).argmax(1)
    found = {}
    for pixels in PIXELS:
        same = [predict(model, moved(images, pixels * y, pixels * x), data).argmax(1) == still for y, x in DIRECTIONS]
        found[str(pixels)] = 100 * float(torch.stack(same).double().mean())
    return found


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images [N, H, W, C] moved by whole pixels; 0 where nothing came from."""
    return F.pad(images, (0, 0, right, -right, down, -down))
