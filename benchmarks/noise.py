"""Images of CIFAR-10's shape without meaning: speed does not look at them."""

from __future__ import annotations

import torch

from vitflow.data.splits import Data, Split

BATCH, SIDE, CLASSES = 128, 32, 10
STATISTICS = (0.5, 0.5, 0.5)


def images(count: int) -> Split:
    """uint8 [count, 32, 32, 3] and labels."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, SIDE, SIDE, 3), generator=generator, dtype=torch.uint8)
    return Split(pixels, torch.randint(0, CLASSES, (count,), generator=generator))


def data(count: int) -> Data:
    """``count`` training images, none for validation and test."""
    train, nothing = images(count), images(0)
    return Data(train, nothing, nothing, STATISTICS, STATISTICS, tuple("abcdefghij"), "noise")
