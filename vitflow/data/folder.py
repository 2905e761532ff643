"""Images in class folders, ``train/<class>/*`` and ``test/<class>/*``, or in zip archives of them.

Which files are images of which class: what is in them is :mod:`vitflow.data.decode`'s. All that cannot be used is told
at once, before anything is written. Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from vitflow.data import archive, tree
from vitflow.data.decode import Unusable, decode
from vitflow.data.raw import (
    SHOWN,
    SPLITS,
    SUFFIXES,
    DataError,
    File,
    Labelled,
    Raw,
    Refusals,
    existing,
    is_clutter,
    is_text,
    spell_name,
)
from vitflow.study.dataset import Dataset


class Image(NamedTuple):
    """A file whose name says what it is: an image of a class."""

    split: str
    name: str  # of the class
    file: File


def class_folder(dataset: Dataset) -> Raw:
    """``train/<class>/*`` and ``test/<class>/*``, as a tree or in zip archives; the tree is used if there are both."""
    path, refusals = existing(dataset), Refusals()
    with ExitStack() as open_archives:
        found = list(_images(_files(path, open_archives, refusals), refusals))
        classes = _classes(path, found)
        pixels = {split: _decoded([i for i in found if i.split == split], dataset, refusals) for split in SPLITS}
    refusals.raise_if_any()
    _check_classes(path, found, classes, dataset.shape[2])
    index = {name: label for label, name in enumerate(classes)}
    splits = {}
    for split in SPLITS:
        mine = [image for image in found if image.split == split]
        labels = np.array([index[image.name] for image in mine], dtype=np.int64)
        splits[split] = Labelled(pixels[split], labels, [image.file.where for image in mine])
    return Raw(splits, classes)


def files(path: Path) -> list[Path]:
    """The files that images are read from: those of a tree, or zip archives."""
    if path.is_dir() and _is_tree(path):
        return [Path(file.where) for file in tree.files(path, Refusals())]
    return _archives(path)


def _files(path: Path, open_archives: ExitStack, refusals: Refusals) -> Iterator[File]:
    if path.is_dir() and _is_tree(path):
        yield from tree.files(path, refusals)
        return
    for one in _archives(path):
        try:
            handle = open_archives.enter_context(zipfile.ZipFile(one))
        except (OSError, zipfile.BadZipFile) as error:
            if one.is_file() and tarfile.is_tarfile(one):
                raise DataError(f"{one}: a tar archive, which is not read; unpack it and name its folder") from None
            raise DataError(f"{one}: damaged or incomplete zip archive ({error}); copy it again") from None
        yield from archive.members(handle, str(one), refusals)


def _is_tree(path: Path) -> bool:
    return any((path / split).is_dir() for split in SPLITS)


def _archives(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        one for one in path.glob("*") if one.suffix.lower() == ".zip" and one.is_file() and not is_clutter([one.name])
    )


def _images(files: Iterator[File], refusals: Refusals) -> Iterator[Image]:
    """The files that are images of a class. An archive may have a folder around its splits, and more beside them."""
    seen: dict[tuple[str, ...], str] = {}
    for parts, where, read in files:
        start = next((i for i, part in enumerate(parts) if part in SPLITS), None)
        if is_clutter(parts):
            continue
        if start is None:  # a text beside the splits is nobody's image
            if where.lower().endswith(SUFFIXES):
                refusals.add(where, tree.BESIDE)
            continue
        place = parts[start:]
        if len(place) != 3:
            refusals.add(where, f"expected {parts[start]}/<class>/<image>; move or remove it")
        elif not place[1].strip():
            refusals.add(place[1], "a class whose name is blank; rename its folder")
        elif not is_text(place[1]):
            refusals.add(place[1], "a class whose name is no UTF-8 text or has invisible letters; rename its folder")
        elif not where.lower().endswith(SUFFIXES):
            refusals.add(where, "not a PNG, JPEG or WebP file; convert or remove it")
        elif place in seen:
            refusals.add(where, f"also in {seen[place]}; keep one of the two")
        else:
            seen[place] = where
            yield Image(place[0], place[1], File(place, where, read))


def _classes(path: Path, found: list[Image]) -> tuple[str, ...]:
    """Class names in alphabetical order. Raises DataError for two that people, or file systems, take for one."""
    classes = tuple(sorted({image.name for image in found}))
    seen: dict[str, str] = {}
    for name in classes:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        alike = " ".join(folded.split()).rstrip(".")  # Windows takes no last dot
        if alike in seen:
            raise DataError(
                f"{path}: classes {seen[alike]!a} and {name!a} differ only in case, spaces or composed "
                "letters; rename one, or make them one"
            )
        seen[alike] = name
    return classes


def _check_classes(path: Path, found: list[Image], classes: tuple[str, ...], expected: int) -> None:
    """Raise DataError unless each split has images of each class, and there are as many as configured."""
    if not found:
        beside = [spell_name(one.name) for one in sorted(path.glob("*"))[:SHOWN]] if path.is_dir() else []
        raise DataError(
            f"{path}: no images; expected train/<class>/* and test/<class>/*, or zip archives of them"
            + (f"; there are {', '.join(beside)}" if beside else "")
        )
    if len(classes) != expected:
        some = ", ".join(classes[:12]) + (" ..." if len(classes) > 12 else "")
        raise DataError(
            f"{path}: {len(classes)} classes ({some}), expected {expected}; is a folder or archive missing, or "
            "dataset.classes wrong?"
        )
    present = {(image.split, image.name) for image in found}
    for split in SPLITS:
        for name in classes:
            if (split, name) not in present:
                raise DataError(f"{path}: no images in {split}/{name}; is a folder or archive missing?")


def _decoded(images: list[Image], dataset: Dataset, refusals: Refusals) -> np.ndarray:
    """uint8 [N, H, W, C]; what cannot be read is noted, and its pixels mean nothing."""
    size, channels, _ = dataset.shape
    pixels = np.empty((len(images), size, size, channels), dtype=np.uint8)
    console = Console(stderr=True)
    described = f"reading {images[0].split} images of {dataset.key}" if images else ""
    shown = track(images, described, console=console, transient=True, disable=not (images and console.is_terminal))
    for i, image in enumerate(shown):
        try:
            pixels[i] = decode(image.file.read(), size, channels)
        except Unusable as reason:
            refusals.add(image.file.where, str(reason))
        except Exception as error:  # zip archives raise some kinds of their own
            refusals.add(image.file.where, f"cannot be read ({error}); copy it again")
    return pixels
