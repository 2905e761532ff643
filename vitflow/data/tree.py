"""The files of a tree ``train/<class>/*``, ``test/<class>/*``: regular ones that lie in it, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vitflow.data.raw import LARGEST, SPLITS, File, Refusals, is_clutter


def files(root: Path, refusals: Refusals) -> Iterator[File]:
    """Files two folders below ``root``; what lies higher, deeper or elsewhere, or is no file, is refused."""
    inside = os.path.realpath(root)
    for split in SPLITS:
        for folder in _listed(root / split, inside, refusals) if (root / split).exists() else ():
            if not folder.is_dir():
                refusals.add(folder.path, f"expected {split}/<class>/<image>; move or remove it")
                continue
            for file in _listed(Path(folder.path), inside, refusals):
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


def _unreadable(file: os.DirEntry[str]) -> str:
    """Why a file cannot be read, or ''."""
    try:
        found = file.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror}); remove it or copy it again"
    if not stat.S_ISREG(found.st_mode):
        return "a named pipe, socket or device; remove it"
    return "" if found.st_size <= LARGEST else f"larger than {LARGEST >> 20} MiB; is it an image?"
