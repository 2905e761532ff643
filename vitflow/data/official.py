"""CIFAR-10 and CIFAR-100 as their authors give them: a download, an archive, or what was unpacked from it."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vitflow.data import places
from vitflow.data.folder import class_folder
from vitflow.data.raw import SPLITS, DataError, Labelled, Raw, existing
from vitflow.machine.compat import import_torchvision
from vitflow.study.dataset import Dataset

#: torchvision's class of each official data set
OFFICIAL = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}


def official(dataset: Dataset) -> Raw:
    """CIFAR-10 or CIFAR-100 (Krizhevsky, 2009): download, archive, its unpacked folder, or class folders."""
    source = _torchvision_class(dataset.name)
    if dataset.path is None:
        return _unpacked(source, places.DATA / "raw", download=True)
    path = existing(dataset)
    if path.is_file() and path.suffix.lower() != ".zip":
        return _archive(source, path)
    if path.name == source.base_folder:
        return _unpacked(source, path.parent)
    if (path / source.base_folder).is_dir():
        return _unpacked(source, path)
    if (path / source.filename).is_file():
        return _archive(source, path / source.filename)
    return class_folder(dataset)


def official_files(name: str, path: Path) -> list[Path]:
    """The archive or the unpacked files that :func:`official` reads at ``path``; none where it reads class folders."""
    if name not in OFFICIAL:
        return []
    if path.is_file():
        return [path] if path.suffix.lower() != ".zip" else []
    source = _torchvision_class(name)
    for folder in (path, path / source.base_folder):
        if folder.name == source.base_folder and folder.is_dir():
            return sorted(file for file in folder.iterdir() if file.is_file())
    return [path / source.filename] if (path / source.filename).is_file() else []


def _torchvision_class(name: str) -> Any:
    import_torchvision()
    from torchvision import datasets

    return getattr(datasets, OFFICIAL[name])


def _archive(source: Any, archive: Path) -> Raw:
    """Unpacked to a temporary folder, since the archive's own may be read-only."""
    from torchvision.datasets.utils import check_integrity

    if not check_integrity(archive, source.tgz_md5):
        raise DataError(f"{archive}: not the official {source.filename}, or damaged (md5 differs); download it again")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as handle:
            handle.extractall(folder)  # its md5 is the official one's; Python before 3.11.4 knows no filter
        return _unpacked(source, Path(folder))


def _unpacked(source: Any, root: Path, download: bool = False) -> Raw:
    """torchvision checks the md5 of every file before it is unpickled."""
    try:
        train, test = (source(root, train=is_train, download=download) for is_train in (True, False))
    except (OSError, RuntimeError) as error:
        advice = (
            f"download failed ({error}); get {source.url} by other means and name it in dataset.path"
            if download
            else f"files missing or damaged (md5 differs); unpack {source.filename} again"
        )
        raise DataError(f"{root / source.base_folder}: {advice}") from None
    splits = {
        split: Labelled(part.data, np.array(part.targets, dtype=np.int64))
        for split, part in zip(SPLITS, (train, test), strict=True)
    }
    return Raw(splits, tuple(train.classes))
