"""The one canonical form of a data set: the same arrays whatever format and order the images came in.

uint8 images sorted by (class, sha256 of the pixels), digests that do not depend on order, statistics that are exact.
Splits and subsets follow from that order, so they too depend on the images alone.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import hashlib

import numpy as np

from vitflow.data.raw import Labelled


def content_hashes(images: np.ndarray) -> list[str]:
    """sha256 (hex) of each image's bytes, row by row; ``images`` uint8 [N, H, W, C]."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def content_digest(hashes: list[str], labels: np.ndarray) -> str:
    """Digest of a split, independent of order and file format.

    sha256 over the sorted lines ``"<sha256 of the pixels> <class index>\\n"``.
    """
    lines = sorted(f"{digest} {label}\n" for digest, label in zip(hashes, labels, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def canonical(part: Labelled) -> tuple[Labelled, str]:
    """(images and labels sorted by class, then content hash; content digest)."""
    hashes = content_hashes(part.images)
    order = sorted(range(len(hashes)), key=lambda i: (part.labels[i], hashes[i]))
    # the official images are a transposed view, and safetensors would write its memory as it lies
    images = np.ascontiguousarray(part.images[order])
    return Labelled(images, part.labels[order]), content_digest(hashes, part.labels)


def statistics(images: np.ndarray) -> tuple[list[float], list[float]]:
    """(mean, standard deviation) per channel in 0..1, six decimals; ``images`` uint8 [N, H, W, C].

    Taken from histograms, whose integer sums are exact and hence the same everywhere.
    """
    means, deviations = [], []
    values = np.arange(256)
    for channel in range(images.shape[-1]):
        histogram = np.bincount(images[..., channel].ravel(), minlength=256)
        count, total, squares = (int((histogram * values**power).sum()) for power in range(3))
        means.append(round(total / count / 255, 6))
        deviations.append(round((squares * count - total**2) ** 0.5 / count / 255, 6))
    return means, deviations
