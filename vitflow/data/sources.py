"""Sources of images: official archives, scikit-learn's digits, class folders and zip archives of them.

Every source gives the same thing (:class:`Raw`), in any order; ``prepare.py`` brings it into canonical form.
A damaged or incomplete source raises :class:`DataError`, one line that names the file and says what to do.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import track

from vitflow import layout
from vitflow.compat import import_torchvision
from vitflow.config import Dataset

SPLITS = ("train", "test")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
#: what file managers leave behind; hidden files are passed over as well
CLUTTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}

#: torchvision's class of each official data set
OFFICIAL = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}


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


def read(dataset: Dataset) -> Raw:
    """All images of a data set; downloads official ones into ``data/raw`` only if no local copy is named.

    Raises DataError.
    """
    return SOURCES[dataset.name](dataset)


def content_hashes(images: np.ndarray) -> list[str]:
    """sha256 (hex) of each image's bytes, row by row; ``images`` uint8 [N, H, W, C]."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


# ------------------------------------------------------------------------------- official archives


def _official(dataset: Dataset) -> Raw:
    """CIFAR-10 or CIFAR-100 (Krizhevsky, 2009): download, archive, its unpacked folder, or class folders."""
    source = _torchvision_class(dataset.name)
    if dataset.path is None:
        return _unpacked(source, layout.DATA / "raw", download=True)
    path = _existing(dataset)
    if path.is_file() and path.suffix.lower() != ".zip":
        return _archive(source, path)
    if path.name == source.base_folder:
        return _unpacked(source, path.parent)
    if (path / source.base_folder).is_dir():
        return _unpacked(source, path)
    if (path / source.filename).is_file():
        return _archive(source, path / source.filename)
    return _class_folder(dataset)


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


# ------------------------------------------------------------------------------------------ digits


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


# ----------------------------------------------------------------------------------- class folders


class _Entry(NamedTuple):
    """One image file, not read yet."""

    split: str
    name: str  # of the class
    where: str  # what an error message names
    read: Callable[[], bytes]


def _class_folder(dataset: Dataset) -> Raw:
    """``train/<class>/*`` and ``test/<class>/*``, as a tree or in zip archives; the tree is used if there are both."""
    path = _existing(dataset)
    with ExitStack() as open_archives:
        if path.is_file():
            found = list(_in_zip(path, open_archives))
        elif any((path / split).is_dir() for split in SPLITS):
            found = list(_in_tree(path))
        else:
            archives = sorted(path.glob("*.zip"))
            found = [entry for archive in archives for entry in _in_zip(archive, open_archives)]
        classes = _classes(path, found, dataset.shape[2])
        splits = {
            split: _decode_all([entry for entry in found if entry.split == split], classes, dataset) for split in SPLITS
        }
    return Raw(splits, classes)


def _in_tree(root: Path) -> Iterator[_Entry]:
    for split in SPLITS:
        for folder, _, files in os.walk(root / split, followlinks=True):
            for file in (Path(folder, name) for name in files):
                yield from _entry(file.relative_to(root).parts, str(file), file.read_bytes)


def _in_zip(archive: Path, open_archives: ExitStack) -> Iterator[_Entry]:
    try:
        handle = open_archives.enter_context(zipfile.ZipFile(archive))
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive}: damaged or incomplete zip archive ({error}); copy it again") from None
    for member in handle.infolist():
        if not member.is_dir():
            parts = PurePosixPath(member.filename).parts
            yield from _entry(parts, f"{archive}/{member.filename}", partial(handle.read, member))


def _entry(parts: tuple[str, ...], where: str, read: Callable[[], bytes]) -> Iterator[_Entry]:
    """The entry of one file, or none if it lies outside the splits. An archive may have a folder around them."""
    start = next((i for i, part in enumerate(parts) if part in SPLITS), None)
    if start is None or any(part.startswith(".") or part in CLUTTER for part in parts):
        return
    if len(parts) - start != 3:
        raise DataError(f"{where}: expected {parts[start]}/<class>/<image>; move or remove it")
    if not where.lower().endswith(SUFFIXES):
        raise DataError(f"{where}: not a PNG, JPEG or WebP file; convert or remove it")
    yield _Entry(parts[start], parts[start + 1], where, read)


def _classes(path: Path, found: list[_Entry], expected: int) -> tuple[str, ...]:
    """Class names in alphabetical order, after a check that each split has images of each class."""
    if not found:
        raise DataError(f"{path}: no images; expected train/<class>/* and test/<class>/*, or zip archives of them")
    classes = tuple(sorted({entry.name for entry in found}))
    if len(classes) != expected:
        some = ", ".join(classes[:12]) + (" ..." if len(classes) > 12 else "")
        raise DataError(
            f"{path}: {len(classes)} classes ({some}), expected {expected}; is a folder or archive missing?"
        )
    for split in SPLITS:
        present = {entry.name for entry in found if entry.split == split}
        for name in classes:
            if name not in present:
                raise DataError(f"{path}: no images in {split}/{name}; is a folder or archive missing?")
    seen: dict[tuple[str, str, str], str] = {}
    for entry in found:
        key = (entry.split, entry.name, PurePosixPath(entry.where).name)
        if key in seen:
            raise DataError(f"{entry.where}: also in {seen[key]}; keep one of the two")
        seen[key] = entry.where
    return classes


def _decode_all(entries: list[_Entry], classes: tuple[str, ...], dataset: Dataset) -> Labelled:
    size, channels, _ = dataset.shape
    images = np.empty((len(entries), size, size, channels), dtype=np.uint8)  # [N, H, W, C]
    console = Console(stderr=True)
    described = f"reading {entries[0].split} images of {dataset.key}"
    shown = track(entries, described, console=console, transient=True, disable=not console.is_terminal)
    for i, entry in enumerate(shown):
        images[i] = _decode(entry, size, channels)
    index = {name: label for label, name in enumerate(classes)}
    return Labelled(images, np.array([index[entry.name] for entry in entries], dtype=np.int64))


def _decode(entry: _Entry, size: int, channels: int) -> np.ndarray:
    """Pixels as stored, uint8 [H, W, C]; nothing is resized, rotated or dropped."""
    try:
        image: Image.Image = Image.open(io.BytesIO(entry.read()), formats=("PNG", "JPEG", "WEBP"))
        if image.size == (size, size):  # else the pixels are not wanted, and may be many
            image.load()
    except UnidentifiedImageError:
        raise DataError(f"{entry.where}: not the data of a PNG, JPEG or WebP image; copy it again") from None
    except Exception as error:  # zip archives and decoders raise some ten kinds
        raise DataError(f"{entry.where}: unreadable image ({error}); copy it again") from None
    if image.size != (size, size):
        raise DataError(f"{entry.where}: {image.width}x{image.height} pixels, expected {size}x{size}; resize it")
    if image.mode == "P" and "transparency" not in image.info:  # a palette, which encoders choose to save space
        image = image.convert("RGB")
    pixels = np.asarray(image)
    if channels == 1 and image.mode == "RGB" and (pixels == pixels[..., :1]).all():  # WebP knows no greyscale
        image, pixels = image.convert("L"), pixels[..., 0]
    if image.mode != {1: "L", 3: "RGB"}[channels]:
        raise DataError(f"{entry.where}: mode {image.mode}, expected {channels} channel(s) of 8 bits; convert it")
    return pixels.reshape(size, size, channels)  # [H, W] or [H, W, C] -> [H, W, C]


def _existing(dataset: Dataset) -> Path:
    path = Path(str(dataset.path)).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; correct dataset.path")
    return path


SOURCES: dict[str, Callable[[Dataset], Raw]] = {
    "cifar10": _official,
    "cifar100": _official,
    "digits": _digits,
    "folder": _class_folder,
}
