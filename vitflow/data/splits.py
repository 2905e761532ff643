"""The splits of prepared images: which train, which choose, which test.

What a training sees follows from this file and from :mod:`vitflow.data.canonical`, given the images; where they come
from is elsewhere. Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitflow.data.shares import shares
from vitflow.study.dataset import Dataset


@dataclass(frozen=True)
class Split:
    """Images with their classes."""

    images: Tensor  # uint8 [N, H, W, C]
    labels: Tensor  # int64 [N]


@dataclass(frozen=True)
class Data:
    """Everything a run needs to know of its images."""

    train: Split
    validation: Split
    test: Split
    mean: tuple[float, ...]  # per channel, of the official training images, in 0..1
    std: tuple[float, ...]
    classes: tuple[str, ...]
    digest: str  # sha256 of the two content digests: identifies the data


def divide(tensors: dict[str, Tensor], manifest: dict[str, Any], dataset: Dataset, digest: str) -> Data:
    """Prepared images as a run uses them.

    Validation images are, per class, the first ``round(validation_fraction * n)`` of the official training
    images in content-hash order; ``train_images`` takes the first of the rest, in equal numbers per class
    (a remainder goes to the first classes), so that smaller subsets lie within larger ones.

    ``tensors``: ``train_images``, ``test_images`` uint8 [N, H, W, C] in canonical order, ``train_labels``,
    ``test_labels`` int64 [N]. Raises DataError where a class has too few images.
    """
    held_out, rest = _partition(tensors["train_labels"], manifest["classes"], dataset)
    official = Split(tensors["train_images"], tensors["train_labels"])
    return Data(
        train=Split(official.images[rest], official.labels[rest]),
        validation=Split(official.images[held_out], official.labels[held_out]),
        test=Split(tensors["test_images"], tensors["test_labels"]),
        mean=tuple(manifest["mean"]),
        std=tuple(manifest["std"]),
        classes=tuple(manifest["classes"]),
        digest=digest,
    )


def stratified(labels: Tensor, images: int) -> Tensor:
    """Indices of the first ``images`` / K images of every class, ascending."""
    classes = labels.unique()
    each = max(1, images // len(classes))
    return torch.cat([(labels == c).nonzero().flatten()[:each] for c in classes]).sort().values


def _partition(labels: Tensor, classes: list[str], dataset: Dataset) -> tuple[Tensor, Tensor]:
    """(validation indices, training indices) into ``labels`` int64 [N], which are in canonical order."""
    held_out, rest = [], []
    for label in range(len(classes)):
        members = torch.nonzero(labels == label).squeeze(1)  # [N of this class]
        validation, wanted = shares(dataset, classes, label, len(members))
        held_out.append(members[:validation])
        rest.append(members[validation : validation + wanted])
    return torch.cat(held_out), torch.cat(rest)
