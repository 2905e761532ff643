"""Random erasing (Zhong et al., 2020): a rectangle of some images is blanked.

Letters: B batch, H W image sides, C channels, T tries.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

AREA = (0.02, 0.33)  #: part of the image, uniform
RATIO = (0.3, 3.3)  #: height over width, uniform in its logarithm, so that lying and standing are alike
TRIES = 10  #: the first rectangle that fits is taken; that none does is rarer than 1 in 10**12


def erase(images: Tensor, generator: torch.Generator, probability: float) -> Tensor:
    """Set a rectangle of each image to 0 with ``probability``, each sample its own; returns new images.

    ``images`` float [B, C, H, W], normalised: 0 is the training images' mean, so what is erased carries no value
    of its own and the batch's mean hardly moves.
    """
    batch, _, height, width = images.shape
    erased, top, left, rows, columns = draw(batch, generator, probability, height, width)
    inside = rectangle(top, left, top + rows, left + columns, height, width, images.device)  # [B, H, W]
    return images.masked_fill((inside & erased.to(images.device)[:, None, None])[:, None], 0.0)


def draw(
    batch: int, generator: torch.Generator, probability: float, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """(whether to erase, bool; top, left, rows, columns, int64), each [B], on the generator's device."""
    numbers = torch.rand(2 * TRIES + 3, batch, generator=generator, device=generator.device)
    chance, across, down, shapes = numbers[0], numbers[1], numbers[2], numbers[3:].unflatten(0, (2, TRIES))
    area = height * width * (AREA[0] + shapes[0] * (AREA[1] - AREA[0]))  # [T, B]
    low, high = math.log(RATIO[0]), math.log(RATIO[1])
    ratio = torch.exp(low + shapes[1] * (high - low))
    rows = (area * ratio).sqrt_().round_().long()
    columns = (area / ratio).sqrt_().round_().long()
    fits = (rows < height) & (columns < width)
    first = fits.byte().argmax(0, keepdim=True)  # [1, B]
    rows, columns = rows.gather(0, first)[0], columns.gather(0, first)[0]
    erased = (chance < probability) & fits.gather(0, first)[0]
    # rand is below 1, so the places are 0..height - rows, all equally likely
    return erased, (down * (height - rows + 1)).long(), (across * (width - columns + 1)).long(), rows, columns


def rectangle(
    top: Tensor, left: Tensor, bottom: Tensor, right: Tensor, height: int, width: int, device: torch.device
) -> Tensor:
    """Pixels with top <= row < bottom and left <= column < right: int64 [B] each -> bool [B, H, W] on ``device``."""
    top, left, bottom, right = (edge.to(device)[:, None] for edge in (top, left, bottom, right))
    row, column = torch.arange(height, device=device), torch.arange(width, device=device)
    inside_rows = (row >= top) & (row < bottom)  # [B, H]
    inside_columns = (column >= left) & (column < right)  # [B, W]
    return inside_rows[:, :, None] & inside_columns[:, None, :]
