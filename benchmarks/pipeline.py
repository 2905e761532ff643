"""From stored images to a normalised batch: crop and flip, with and without TrivialAugment.

Ours works on whole batches in this process. torchvision's v2 transforms work image by image in a DataLoader with
two workers, as is usual.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.measure import Contestant
from benchmarks.noise import BATCH, STATISTICS, data, images
from vitflow.data.splits import Split
from vitflow.machine.compat import import_torchvision
from vitflow.study.training import Training
from vitflow.training.batches import Batches


def ours(device: torch.device, steps: int, *, trivial: bool) -> Contestant:
    """The batches of the training loop."""
    recipe = Training(batch_size=BATCH, augmentation="trivial" if trivial else "crop_flip")
    batches = Batches(recipe, data(steps * BATCH), 0, device)

    def work() -> float:
        started = time.perf_counter()
        for step in range(steps):
            inputs, _, _ = batches(step)
        inputs.sum().item()  # waits for a GPU
        return steps * BATCH / (time.perf_counter() - started)

    return work


def torchvision_v2(steps: int, *, trivial: bool) -> Contestant:
    """A DataLoader with two workers, started once."""
    made = loader(images(steps * BATCH), BATCH, workers=2, trivial=trivial)

    def work() -> float:
        started = time.perf_counter()
        for _ in made:
            pass
        return steps * BATCH / (time.perf_counter() - started)

    return work


class _Images(Dataset[tuple[Any, int]]):
    def __init__(self, split: Split, transform: Any) -> None:
        self.images, self.labels, self.transform = split.images.permute(0, 3, 1, 2), split.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self.images[index]), self.labels[index]


def loader(split: Split, batch: int, *, workers: int, trivial: bool) -> Iterable[Any]:
    """torchvision's usual recipe."""
    import_torchvision()
    from torchvision.transforms import v2

    steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]
    steps += [v2.TrivialAugmentWide()] if trivial else []
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(STATISTICS, STATISTICS)]
    return DataLoader(
        _Images(split, v2.Compose(steps)),
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        drop_last=True,
    )
