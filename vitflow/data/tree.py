"""The files of a tree ``train/<class>/*``, ``test/<class>/*``: regular ones that lie in it. Others are told."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vitflow.data.raw import EMPTY, LARGEST, SPLITS, SUFFIXES, File, Refusals, is_clutter

BESIDE = "not in train/<class> or test/<class>; move it there (validation images are drawn from train) or elsewhere"


def files(root: Path, refusals: Refusals) -> Iterator[File]:
    """Files two folders below ``root``; refused is what lies higher or deeper, is no file, or is an image elsewhere."""
    inside = os.path.realpath(root)
    for one in _listed(root, inside, refusals):
        if one.name not in SPLITS and _holds_images(one):
            refusals.add(one.path, BESIDE)
    for split in SPLITS:
        for folder in _listed(root / split, inside, refusals) if (root / split).exists() else ():
            if not folder.is_dir():
                refusals.add(folder.path, f"expected {split}/<class>/<image>; move or remove it")
                continue
            listed = list(_listed(Path(folder.path), inside, refusals))
            if not listed:
                refusals.add(folder.path, EMPTY)
            for file in listed:
                if file.is_dir():
                    refusals.add(file.path, f"a folder; expected {split}/<class>/<image>; move or remove it")
                elif reason := _unreadable(file):
                    refusals.add(file.path, reason)
                else:
                    path = Path(file.path)
                    yield File((split, folder.name, file.name), file.path, path.read_bytes)


def _listed(folder: Path, inside: str, refusals: Refusals) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, by name, without clutter and without links that lead out of the source."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((e for e in entries if not is_clutter([e.name])), key=lambda e: e.name)
    except OSError as error:
        refusals.add(str(folder), f"cannot be read ({error.strerror}); check its permissions")
        return
    for entry in found:
        target = os.path.realpath(entry.path)
        if entry.is_symlink() and not os.path.exists(entry.path):
            refusals.add(entry.path, "a link to nothing, or to itself; remove it")
        elif entry.is_symlink() and os.path.commonpath([inside, target]) != inside:
            refusals.add(entry.path, "a link that leads out of the folder of images; copy what it names to its place")
        else:
            yield entry


def _holds_images(entry: os.DirEntry[str]) -> bool:
    """Whether a file, or one in a folder or below it, is named like an image."""
    if not entry.is_dir(follow_symlinks=False):
        return entry.name.lower().endswith(SUFFIXES)
    return any(
        name.lower().endswith(SUFFIXES) and not is_clutter([*Path(os.path.relpath(folder, entry.path)).parts, name])
        for folder, _, names in os.walk(entry.path)
        for name in names
    )


def _unreadable(file: os.DirEntry[str]) -> str:
    """Why a file cannot be read, or ''."""
    try:
        found = file.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror}); remove it or copy it again"
    if not stat.S_ISREG(found.st_mode):
        return "a named pipe, socket or device; remove it"
    return "" if found.st_size <= LARGEST else f"larger than {LARGEST >> 20} MiB; is it an image?"
