"""Images in class folders, ``train/<class>/*`` and ``test/<class>/*``, or in zip archives of them.

Which files are images of which class: what is in them is :mod:`vitflow.data.decode`'s. All that cannot be used is told
at once, before anything is written. Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from vitflow.data import archive, tree
from vitflow.data.classes import check_complete, refuse_alike, unfit
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
    denied,
    entries,
    existing,
    is_clutter,
    is_picture,
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
    with ExitStack() as kept_open:
        found = list(_images(_files(path, kept_open, refusals), refusals))
        classes = tuple(sorted({image.name for image in found}))
        refuse_alike(path, classes, refusals)
        pixels = {split: _decoded([i for i in found if i.split == split], dataset, refusals) for split in SPLITS}
    refusals.raise_if_any()
    if not found:
        raise DataError(f"{spell_name(str(path))}: no images; {_instead(path)}")
    check_complete(path, {(image.split, image.name) for image in found}, classes, dataset.shape[2])
    index = {name: label for label, name in enumerate(classes)}
    splits = {}
    for split in SPLITS:
        mine = [image for image in found if image.split == split]
        labels = np.array([index[image.name] for image in mine], dtype=np.int64)
        splits[split] = Labelled(pixels[split], labels, [image.file.where for image in mine])
    return Raw(splits, classes)


def files(path: Path, refusals: Refusals) -> list[Path]:
    """The files that images are read from: those of a tree, or zip archives, which are not opened."""
    if _is_tree(path):
        return [Path(image.file.where) for image in _images(tree.files(path, refusals), refusals)]
    return archive.archives(path, refusals)


def _files(path: Path, kept_open: ExitStack, refusals: Refusals) -> Iterator[File]:
    return tree.files(path, refusals) if _is_tree(path) else archive.files(path, kept_open, refusals)


def _is_tree(path: Path) -> bool:
    return any(os.path.isdir(path / split) for split in SPLITS)


def _images(files: Iterator[File], refusals: Refusals) -> Iterator[Image]:
    """The files that are images of a class. An archive may have a folder around its splits, and more beside them."""
    seen: dict[tuple[str, ...], str] = {}
    for parts, where, read in files:
        start = next((i for i, part in enumerate(parts) if part in SPLITS), None)
        if is_clutter(parts):
            continue
        if start is None:  # a text beside the splits is nobody's image
            if is_picture(where):
                refusals.add(where, tree.beside(parts[:-1]))
            continue
        place = parts[start:]
        if len(place) != 3:
            refusals.add(where, f"expected {parts[start]}/<class>/<image>; move or remove it")
        elif reason := unfit(place[1]):
            refusals.add(ascii(where.removesuffix(f"/{place[2]}")), reason)
        elif not where.lower().endswith(SUFFIXES):
            refusals.add(where, "not a PNG, JPEG or WebP file; convert or remove it")
        elif place in seen:
            refusals.add(where, f"also in {seen[place]}; keep one of the two")
        else:
            seen[place] = where
            yield Image(place[0], place[1], File(place, where, read))


def _instead(path: Path) -> str:
    """What was expected at ``path``, and what is there."""
    expected = "expected train/<class>/* and test/<class>/*, or zip archives of them"
    names = [one.name for one in entries(path)] if path.is_dir() else []
    meant = [f"{spell_name(name)} -> {split}" for name in names for split in tree.misspelled(name)]
    there = f"; there are {', '.join(map(spell_name, names[:SHOWN]))}" if names else ""
    return expected + there + (f"; rename {', '.join(meant[:SHOWN])}?" if meant else "")


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
        except PermissionError as error:
            refusals.add(image.file.where, denied(error))
        except Exception as error:  # zip archives raise some kinds of their own
            refusals.add(image.file.where, f"cannot be read ({error}); copy it again")
    return pixels
