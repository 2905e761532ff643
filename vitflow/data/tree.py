"""The files of a tree ``train/<class>/*``, ``test/<class>/*``: regular ones that lie in it. Others are told."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from vitflow.data.raw import EMPTY, LARGEST, NO_FILE, SPLITS, File, Refusals, denied, entries, is_clutter, is_picture

BESIDE = "not in train/<class> or test/<class>; move it there (validation images are drawn from train) or elsewhere"


def files(root: Path, refusals: Refusals) -> Iterator[File]:
    """Files two folders below ``root``; refused is what lies higher or deeper, is no file, or is an image elsewhere."""
    inside, splits = os.path.realpath(root), {}
    for one in listed(root, inside, refusals):
        if one.name in SPLITS and one.is_dir():
            splits[one.name] = one
        elif holds(one, is_picture):
            refusals.add(one.path, beside([one.name]))
    for split in SPLITS:
        for folder in listed(splits[split].path, inside, refusals) if split in splits else ():
            if not folder.is_dir():
                refusals.add(folder.path, f"expected {split}/<class>/<image>; move or remove it")
                continue
            for file in listed(folder.path, inside, refusals, empty=EMPTY):
                if file.is_dir():
                    refusals.add(file.path, f"a folder; expected {split}/<class>/<image>; move or remove it")
                elif reason := _unreadable(file):
                    refusals.add(file.path, reason)
                else:
                    yield File((split, folder.name, file.name), file.path, Path(file.path).read_bytes)


def listed(folder: str | Path, inside: str, refusals: Refusals, empty: str = "") -> Iterator[os.DirEntry[str]]:
    """What a folder holds, by name, without clutter; refused are links that lead out of ``inside``.

    ``empty`` is why a folder is refused that holds nothing, where it is to be.
    """
    try:
        found = entries(folder)
    except OSError as error:
        refusals.add(str(folder), denied(error))
        return
    if empty and not found:
        refusals.add(str(folder), empty)
    for entry in found:
        target = os.path.realpath(entry.path)
        if entry.is_symlink() and not os.path.exists(entry.path):
            refusals.add(entry.path, "a link to nothing, or to itself; remove it")
        elif entry.is_symlink() and os.path.commonpath([inside, target]) != inside:
            refusals.add(entry.path, "a link that leads out of the folder of images; copy what it names to its place")
        else:
            yield entry


def holds(entry: os.DirEntry[str], named: Callable[[str], bool]) -> bool:
    """Whether the name of a file, or of one in a folder or below it, is such as ``named`` knows."""
    if not entry.is_dir(follow_symlinks=False):
        return named(entry.name)
    return any(
        named(name) and not is_clutter([*Path(os.path.relpath(folder, entry.path)).parts, name])
        for folder, _, names in os.walk(entry.path)
        for name in names
    )


def beside(names: Iterable[str]) -> str:
    """Why an image in folders ``names`` beside the splits is refused; one may be a split that is spelled wrongly."""
    meant = [split for name in names for split in misspelled(name)]
    return f"{BESIDE}; did you mean '{meant[0]}'?" if meant else BESIDE


def misspelled(name: str) -> list[str]:
    """The split that a folder's name may mean: ``Train``, ``training``; [] if none."""
    return difflib.get_close_matches(name.lower(), SPLITS, n=1, cutoff=0.7)


def _unreadable(file: os.DirEntry[str]) -> str:
    """Why a file cannot be read, or ''."""
    try:
        found = file.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror}); remove it or copy it again"
    if not stat.S_ISREG(found.st_mode):
        return NO_FILE
    return "" if found.st_size <= LARGEST else f"larger than {LARGEST >> 20} MiB; is it an image?"
