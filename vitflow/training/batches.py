"""Step t's batch, the same whether or not the run was interrupted before it.

Every kind of draw has a generator of its own, so that adding one to a recipe changes no other: with one seed,
all recipes see the same images in the same order, and crop and flip them alike.

Letters: B batch, C channels, H W image sides, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vitflow.data.splits import Data
from vitflow.study.training import Training
from vitflow.training.augmentation.augment import build_augmentation, normalise
from vitflow.training.augmentation.erasing import erase
from vitflow.training.augmentation.mixing import Mixed, build_mixing
from vitflow.training.randomness import generator


class Batches:
    """Batches of one run, by step: shuffled, augmented, normalised, erased, mixed; in this order.

    The incomplete batch of an epoch is dropped; every epoch drops other images.
    """

    def __init__(self, training: Training, data: Data, seed: int, device: torch.device) -> None:
        self.images, self.labels = data.train.images.to(device), data.train.labels.to(device)
        self.mean, self.std, self.seed, self.device = data.mean, data.std, seed, device
        self.size = min(training.batch_size, len(self.labels))
        self.per_epoch = len(self.labels) // self.size
        self.erasing = training.random_erasing
        self.augment = build_augmentation(training)
        self.mix = build_mixing(training, len(data.classes))
        self._epoch, self._order = -1, torch.empty(0)

    def __call__(self, step: int) -> Mixed:
        """(images float32 [B, C, H, W], targets [B] or [B, K], labels [B]) of update ``step``."""
        epoch, place = divmod(step, self.per_epoch)
        chosen = self.chosen(step)
        images = self.augment(self.images[chosen], self._generator("augmentation", epoch, place))
        images = normalise(images, self.mean, self.std)
        if self.erasing:
            images = erase(images, self._generator("erasing", epoch, place), self.erasing)
        return self.mix(images, self.labels[chosen], self._generator("mixing", epoch, place))

    def chosen(self, step: int) -> Tensor:
        """Which training images update ``step`` sees, int64 [B]."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            order = torch.randperm(len(self.labels), generator=generator("cpu", self.seed, "order", epoch))
            self._epoch, self._order = epoch, order.to(self.device)
        return self._order[place * self.size : (place + 1) * self.size]

    def _generator(self, purpose: str, epoch: int, place: int) -> torch.Generator:
        return generator(self.device, self.seed, purpose, epoch, place)
