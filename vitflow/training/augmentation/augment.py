"""Augmentation and normalisation of whole batches.

An augmentation is a pure function of (images, generator): parameters are drawn per *sample*, the work is
done per batch. The same generator state gives the same pixels on every device, for a CPU generator; only
TrivialAugment's colours may differ by one level of 255 where a device rounds sums of products otherwise.

Shape letters: B batch, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from vitflow.study.training import Training
from vitflow.training.augmentation.trivial import trivial_augment

#: (images uint8 [B, H, W, C], generator) -> images of the same shape and dtype
Augmentation = Callable[[Tensor, torch.Generator], Tensor]


def none(images: Tensor, generator: torch.Generator) -> Tensor:
    """The images as they are; draws nothing."""
    return images


def crop(images: Tensor, generator: torch.Generator, padding: int) -> Tensor:
    """Zero-pad by ``padding`` pixels on each side and cut a window of the old size at random (He et al., 2016).

    ``images`` uint8 [B, H, W, C]; the offsets are uniform on 0..2*padding, each sample its own.
    """
    top, left = _offsets(len(images), generator, padding)
    return shift(images, top, left, torch.zeros_like(top, dtype=torch.bool), padding)


def crop_flip(images: Tensor, generator: torch.Generator, padding: int) -> Tensor:
    """As :func:`crop` (with the same offsets from the same generator), then mirrored with probability 1/2."""
    top, left = _offsets(len(images), generator, padding)
    mirrored = torch.rand(len(images), generator=generator, device=generator.device) < 0.5
    return shift(images, top, left, mirrored, padding)


def trivial(images: Tensor, generator: torch.Generator, padding: int) -> Tensor:
    """As :func:`crop_flip` (with the same draws from the same generator), then TrivialAugment with the draws after."""
    return trivial_augment(crop_flip(images, generator, padding), generator)


def shift(images: Tensor, top: Tensor, left: Tensor, mirrored: Tensor, padding: int) -> Tensor:
    """Window of each zero-padded image at its own offset, mirrored left to right where told.

    ``images`` [B, H, W, C]; ``top``, ``left`` int64 [B] in 0..2*padding (``padding`` is no shift);
    ``mirrored`` bool [B]. Returns [B, H, W, C], contiguous.
    """
    batch, height, width, channels = images.shape
    device = images.device
    top, left, mirrored = top.to(device), left.to(device), mirrored.to(device)
    columns = torch.arange(width, device=device).expand(batch, width)  # [B, W]
    columns = torch.where(mirrored[:, None], width - 1 - columns, columns) + left[:, None]  # [B, W]
    rows = torch.arange(height, device=device) + top[:, None]  # [B, H]
    padded = F.pad(images, (0, 0, padding, padding, padding, padding))  # [B, H + 2 padding, W + 2 padding, C]
    # one flat index per pixel: index_select copies whole pixels, three times as fast as padded[b, y, x]
    rows = rows + torch.arange(batch, device=device)[:, None] * padded.shape[1]  # [B, H], counted through the batch
    pixels = rows[:, :, None] * padded.shape[2] + columns[:, None, :]  # [B, H, W]
    picked = padded.reshape(-1, channels).index_select(0, pixels.flatten())  # [B * H * W, C]
    return picked.reshape(images.shape)  # [B, H, W, C]


def _offsets(batch: int, generator: torch.Generator, padding: int) -> tuple[Tensor, Tensor]:
    """(top, left), each int64 [B], uniform on 0..2*padding."""
    offsets = torch.randint(0, 2 * padding + 1, (2, batch), generator=generator, device=generator.device)
    return offsets[0], offsets[1]


#: one builder per allowed value of ``training.augmentation``
AUGMENTATIONS: dict[str, Callable[[Training], Augmentation]] = {
    "none": lambda training: none,
    "crop": lambda training: partial(crop, padding=training.crop_padding),
    "crop_flip": lambda training: partial(crop_flip, padding=training.crop_padding),
    "trivial": lambda training: partial(trivial, padding=training.crop_padding),
}


def build_augmentation(training: Training) -> Augmentation:
    """The augmentation a recipe names: (images uint8 [B, H, W, C], generator) -> the same shape and dtype."""
    return AUGMENTATIONS[training.augmentation](training)


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 [B, H, W, C] in 0..255 -> float32 [B, C, H, W], contiguous: scaled to 0..1, then (x - mean) / std.

    ``mean`` and ``std`` have one value per channel, in 0..1; ValueError if they are more or fewer.
    """
    result = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)  # [B, C, H, W]
    result.div_(255)
    # plain numbers, since a tensor made of them would have the host wait for the GPU at every step
    for channel, centre, scale in zip(result.unbind(1), mean, std, strict=True):
        channel.sub_(centre).div_(scale)
    return result
