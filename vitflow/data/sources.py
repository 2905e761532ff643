"""Sources of images by the name of a dataset: official archives, scikit-learn's digits, class folders and zips of them.

Every source gives the same thing (:class:`~vitflow.data.raw.Raw`), in any order; ``prepare.py`` brings it into
canonical form. A damaged or incomplete source raises DataError, one line that names the file and says what to do.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vitflow.data.canonical import content_hashes
from vitflow.data.folder import class_folder
from vitflow.data.folder import files as folder_files
from vitflow.data.official import official, official_files
from vitflow.data.raw import DataError, Labelled, Raw, Refusals, reach
from vitflow.study.dataset import Dataset


def files(dataset: Dataset, refusals: Refusals) -> list[Path]:
    """The files of a local copy, unread; what is seen to be unusable is noted. Raises OutOfReach, OSError."""
    path = reach(str(dataset.path))
    return official_files(dataset.name, path) or folder_files(path, refusals)


def read(dataset: Dataset) -> Raw:
    """All images of a data set; downloads official ones into ``data/raw`` only if no local copy is named.

    Raises DataError.
    """
    return SOURCES[dataset.name](dataset)


def _digits(dataset: Dataset) -> Raw:
    """scikit-learn's 1,797 handwritten digits, 8x8 with values 0..16, brought to 0..255.

    They have no official test images: a fifth of each class, by content hash, is the test split.
    """
    from sklearn.datasets import load_digits

    if dataset.path is not None:
        raise DataError("digits: they come with scikit-learn; remove dataset.path")
    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[..., None]  # [N, H, W, 1]
    labels = bunch.target.astype(np.int64)
    hashes = np.array(content_hashes(images))
    is_test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        is_test[members[np.argsort(hashes[members])][: round(len(members) / 5)]] = True
    splits = {
        "train": Labelled(images[~is_test], labels[~is_test]),
        "test": Labelled(images[is_test], labels[is_test]),
    }
    return Raw(splits, tuple(str(name) for name in bunch.target_names))


#: by config.dataset.name
SOURCES: dict[str, Callable[[Dataset], Raw]] = {
    "cifar10": official,
    "cifar100": official,
    "digits": _digits,
    "folder": class_folder,
}
