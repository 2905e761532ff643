"""Made-up predictions of validation images, through the real choice of those that are shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitflow.analysis.mistakes import Said, mistakes
from vitflow.analysis.records import Mistakes, Summary

IMAGES = 600


def write_mistakes(folder: Path, summary: Summary) -> Mistakes:
    """Write ``mistakes.json``: pictures are noise, and every seed errs as often as on its validation images."""
    generator = np.random.default_rng(1)
    data = summary.dataset
    labels = np.arange(IMAGES) % len(data.classes)
    hard = generator.random(IMAGES)  # the same images are hard for all
    said = {}
    for name, run in summary.runs.items():
        if run.n:
            error = np.array([1 - accuracy / 100 for accuracy in run.validation.values])[:, None]
            wrong = 0.7 * hard + 0.3 * generator.random((run.n, IMAGES)) > 1 - error
            other = (labels + generator.integers(1, len(data.classes), (run.n, IMAGES))) % len(data.classes)
            said[name] = Said(np.where(wrong, other, labels), generator.uniform(0.3, 1, (run.n, IMAGES)))
    shape = (IMAGES, data.image_size, data.image_size, data.channels)
    images = generator.integers(0, 256, shape, dtype=np.uint8)
    found = mistakes(said, labels, images, data.classes)
    found.write(folder / "mistakes.json")
    return found
