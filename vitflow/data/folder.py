"""Images in class folders, ``train/<class>/*`` and ``test/<class>/*``, or in zip archives of them.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError
from rich.console import Console
from rich.progress import track

from vitflow.data.raw import SPLITS, DataError, Labelled, Raw, existing
from vitflow.study.dataset import Dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
#: what file managers leave behind; hidden files are passed over as well
CLUTTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}


class _Entry(NamedTuple):
    """One image file, not read yet."""

    split: str
    name: str  # of the class
    where: str  # what an error message names
    read: Callable[[], bytes]


def class_folder(dataset: Dataset) -> Raw:
    """``train/<class>/*`` and ``test/<class>/*``, as a tree or in zip archives; the tree is used if there are both."""
    path = existing(dataset)
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
    with _whole_images():
        for i, entry in enumerate(shown):
            images[i] = _decode(entry, size, channels)
    index = {name: label for label, name in enumerate(classes)}
    return Labelled(images, np.array([index[entry.name] for entry in entries], dtype=np.int64))


@contextmanager
def _whole_images() -> Iterator[None]:
    """Pillow refuses images that end early, whatever others told it: WeasyPrint has it fill them with grey."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


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
