"""Mixing two images and their labels: mixup and CutMix, each sample with a partner and a share of its own.

A sample keeps the share lambda of itself and takes 1 - lambda of its partner, which a permutation of the batch
gives it; lambda ~ Beta(alpha, alpha). Its target is lambda of its own class and 1 - lambda of its partner's.

Letters: B batch, C channels, H W image sides, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vitflow.study.training import Training
from vitflow.training.augmentation.erasing import rectangle


class Mixed(NamedTuple):
    """A batch as the loss reads it."""

    images: Tensor  #: float [B, C, H, W]
    targets: Tensor  #: labels, int64 [B], or probabilities, float32 [B, K], that sum to one
    labels: Tensor  #: int64 [B]: the class with the largest share, against which training accuracy is counted


#: (images float [B, C, H, W], labels int64 [B], generator) -> Mixed
Mixing = Callable[[Tensor, Tensor, torch.Generator], Mixed]


def none(images: Tensor, labels: Tensor, generator: torch.Generator) -> Mixed:
    """The batch as it is; draws nothing."""
    return Mixed(images, labels, labels)


def mixup(images: Tensor, labels: Tensor, generator: torch.Generator, *, alpha: float, classes: int) -> Mixed:
    """lambda x + (1 - lambda) x' for images and targets alike (Zhang et al., 2018)."""
    partner, share = draw(len(images), generator, alpha, images.device)
    weight = share.float()[:, None, None, None]
    mixed = weight * images + (1 - weight) * images.index_select(0, partner)
    return Mixed(mixed, *blend_labels(labels, labels[partner], share.float(), classes))


def cutmix(images: Tensor, labels: Tensor, generator: torch.Generator, *, alpha: float, classes: int) -> Mixed:
    """A rectangle of the partner is pasted at its own place (Yun et al., 2019).

    It reaches from a centre anywhere half of sqrt(1 - lambda) of the image's sides each way, that half rounded down to
    pixels, as in the authors' code; what lies outside the image is cut off. The partner's share of the target is the
    area really pasted.
    """
    batch, _, height, width = images.shape
    partner, share = draw(batch, generator, alpha, images.device)
    centre = torch.rand(2, batch, generator=generator, device=generator.device).to(images.device)
    side = (1 - share).sqrt()
    edges: list[Tensor] = []
    for place, length in ((centre[0], height), (centre[1], width)):
        middle, half = (length * place).long(), (length * side / 2).long()
        edges += [(middle - half).clamp(min=0), (middle + half).clamp(max=length)]
    top, bottom, left, right = edges
    pasted = rectangle(top, left, bottom, right, height, width, images.device)  # [B, H, W]
    mixed = torch.where(pasted[:, None], images.index_select(0, partner), images)
    kept = 1 - ((bottom - top) * (right - left)).float() / (height * width)
    return Mixed(mixed, *blend_labels(labels, labels[partner], kept, classes))


def draw(batch: int, generator: torch.Generator, alpha: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """(partner int64 [B], a permutation; lambda float64 [B], Beta(alpha, alpha)), on ``device``."""
    place = generator.device
    partner = torch.randperm(batch, generator=generator, device=place)
    # torch.distributions takes no generator; a GPU's single precision rounds both parts of a small alpha to 0
    parameters = torch.full((batch, 2), alpha, dtype=torch.float64, device=place)
    share = torch._sample_dirichlet(parameters, generator=generator)[:, 0]
    return partner.to(device), share.to(device)


def blend_labels(labels: Tensor, others: Tensor, kept: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """(probabilities [B, K], the dominant class [B]) of ``kept`` [B] of ``labels`` and the rest of ``others``.

    Where both have half, the sample's own class is the dominant one.
    """
    every = torch.arange(classes, device=labels.device)
    own, other = labels[:, None] == every, others[:, None] == every  # [B, K]
    weight = kept[:, None]
    return weight * own + (1 - weight) * other, torch.where(kept >= 0.5, labels, others)


#: one builder per allowed value of ``training.mixing``: (recipe, number of classes) -> the mixing
MIXINGS: dict[str, Callable[[Training, int], Mixing]] = {
    "none": lambda training, classes: none,
    "mixup": lambda training, classes: partial(mixup, alpha=training.mixing_alpha, classes=classes),
    "cutmix": lambda training, classes: partial(cutmix, alpha=training.mixing_alpha, classes=classes),
}


def build_mixing(training: Training, classes: int) -> Mixing:
    """The mixing a recipe names."""
    return MIXINGS[training.mixing](training, classes)
