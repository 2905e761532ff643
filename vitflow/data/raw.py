"""What a source of images gives, before it has its canonical form, and how it says that it cannot.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

from vitflow.study.dataset import Dataset
from vitflow.study.names import is_text

SPLITS = ("train", "test")
SHOWN = 10  #: files that a message names
#: what file managers and disks leave behind, in any case; hidden files and editors' copies (``x~``) are passed over too
CLUTTER = {
    "__macosx", "icon\r",
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "$recycle.bin",
    "system volume information",
    "@eadir", "#recycle", "@recycle", "lost+found",
}  # fmt: skip
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
#: what else is a picture, though it is not read
PICTURES = (
    *SUFFIXES, ".jpe", ".jfif", ".heic", ".heif", ".avif", ".tif", ".tiff", ".gif", ".bmp", ".jp2", ".jxl",
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw",
)  # fmt: skip
EMPTY = "a class without images; remove the folder, or fill it"
NO_FILE = "a named pipe, socket or device; remove it"
LARGEST = 64 * 2**20  #: bytes of an image file


class DataError(RuntimeError):
    """Data that cannot be used, told in one line: which file, what is wrong, what to do."""


class OutOfReach(DataError):
    """A place that is not there, or may not be read."""


class File(NamedTuple):
    """A file of a source, not read yet."""

    parts: tuple[str, ...]  # names of its folders below the source, then its own
    where: str  # what a message names
    read: Callable[[], bytes]


class Labelled(NamedTuple):
    """Images of one split."""

    images: np.ndarray  # uint8 [N, H, W, C]
    labels: np.ndarray  # int64 [N], index into the classes
    names: Sequence[str] = ()  # [N], as people find them: files, or places in the official order; () where unknown


class Raw(NamedTuple):
    """What a source holds, in no particular order."""

    splits: dict[str, Labelled]  # by the names in SPLITS
    classes: tuple[str, ...]


class Refusals:
    """Files and classes of a source that cannot be used, told all at once."""

    def __init__(self) -> None:
        self._by_reason: dict[str, dict[str, None]] = {}  # names in order, each once

    def __len__(self) -> int:
        return sum(map(len, self._by_reason.values()))

    def add(self, where: str, reason: str) -> None:
        """Note a file; ``reason`` says what is wrong and what to do."""
        self._by_reason.setdefault(reason, {})[where] = None

    def without(self, files: Iterable[str]) -> list[str]:
        """Those of ``files`` that neither were noted nor lie in a folder that was."""
        noted = {name for names in self._by_reason.values() for name in names}
        return [file for file in files if noted.isdisjoint([file, *map(str, Path(file).parents)])]

    def told(self) -> str:
        """SHOWN files with what is wrong with them, and how many more there are."""
        told, left = [], SHOWN
        for reason, files in self._by_reason.items():
            named = [spell_name(file) for file in list(files)[:left]]
            left -= len(named)
            if named:
                told.append(f"{', '.join(named)}: {reason}")
        return " | ".join(told) + (f" (and {len(self) - SHOWN} more)" if len(self) > SHOWN else "")

    def raise_if_any(self) -> None:
        """Raise DataError telling them, where there are any."""
        if len(self):
            raise DataError(f"{len(self)} cannot be used: {self.told()}" if len(self) > 1 else self.told())


def is_clutter(parts: Sequence[str]) -> bool:
    """Whether a file, or a folder that it lies in, is hidden or left behind by a file manager or an editor."""
    return any(part.startswith(".") or part.endswith("~") or part.lower() in CLUTTER for part in parts)


def is_picture(name: str) -> bool:
    """Whether a file is named like an image, of whatever format."""
    return name.lower().endswith(PICTURES)


def spell_name(name: str) -> str:
    """A name as it may be printed: with escapes, in quotes, where it would move the cursor or is no text."""
    return name if is_text(name) else ascii(name)


def denied(error: OSError) -> str:
    """Why a file or folder is refused that may not be read."""
    return f"cannot be read ({error.strerror}); check its permissions"


def entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """What a folder holds, by name, without clutter. Raises OSError where it may not be listed or not be entered."""
    with os.scandir(folder) as found:
        listed = sorted((one for one in found if not is_clutter([one.name])), key=lambda one: one.name)
    os.stat(os.path.join(folder, "."))
    return listed


def reach(path: str) -> Path:
    """The place that ``path`` names. Raises OutOfReach, whose message begins with it."""
    place = Path(os.path.expanduser(path))
    try:
        if stat.S_ISDIR(place.stat().st_mode):
            entries(place)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last of a name with a zero byte
        raise OutOfReach(f"{spell_name(str(place))}: no such file or folder") from None
    except OSError as error:
        raise OutOfReach(f"{spell_name(str(place))}: cannot be read ({error.strerror})") from None
    return place


def existing(dataset: Dataset) -> Path:
    """The local copy that a configuration names. Raises DataError where nothing is there, or it cannot be read."""
    try:
        return reach(str(dataset.path))
    except OutOfReach as problem:
        raise DataError(f"{problem}; correct dataset.path") from None
