"""What a source of images gives, before it has its canonical form, and how it says that it cannot.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

from vitflow.study.dataset import Dataset

SPLITS = ("train", "test")


class DataError(RuntimeError):
    """Data that cannot be used, told in one line: which file, what is wrong, what to do."""


class Labelled(NamedTuple):
    """Images of one split."""

    images: np.ndarray  # uint8 [N, H, W, C]
    labels: np.ndarray  # int64 [N], index into the classes


class Raw(NamedTuple):
    """What a source holds, in no particular order."""

    splits: dict[str, Labelled]  # by the names in SPLITS
    classes: tuple[str, ...]


def existing(dataset: Dataset) -> Path:
    """The local copy that a configuration names. Raises DataError where nothing is there."""
    path = Path(str(dataset.path)).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; correct dataset.path")
    return path
